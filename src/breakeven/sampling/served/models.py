"""What an OpenAI-compatible server serves."""

from breakeven.errors import SamplerError
from breakeven.sampling.served.refusals import openai_package


def served_models(base_url: str, *, api_key: str | None = None, timeout: float = 30.0) -> list[str]:
    """Names of the models a server lists.

    Raises:
        SamplerError: the server cannot be reached, or gives no list.
        MissingExtraError: the openai package is not installed.
    """
    openai = openai_package()
    try:
        with openai.OpenAI(base_url=base_url, api_key=api_key or "none", timeout=timeout, max_retries=2) as client:
            return [each.id for each in client.models.list()]
    except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
        raise SamplerError(
            f"{base_url} does not list its models: {error} Check the URL (it ends in /v1 for most servers) and that "
            "the server is up, or name the model with --served-name."
        ) from error
