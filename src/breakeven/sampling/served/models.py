"""What an OpenAI-compatible server serves."""

import asyncio
import json

from breakeven.errors import SamplerError
from breakeven.sampling.served.address import Address
from breakeven.sampling.served.endpoint import Endpoint, NoAnswerError, TooLargeError, finished
from breakeven.sampling.served.refusals import passes, said_by

_ATTEMPTS = 3


def served_models(
    base_url: str, *, api_key: str | None = None, timeout: float = 30.0, insecure: bool = False
) -> list[str]:
    """Names of the models a server lists.

    Args:
        base_url: as of `OpenAISampler`, like the others.
        api_key: sent to the server.
        timeout: seconds for one attempt.
        insecure: whether the key may go to another machine as it is.

    Raises:
        SamplerError: the server cannot be reached, or gives no list.
        ArgumentError: no URL of a server, or a key that is not to be sent there.
        MissingExtraError: the HTTP library is not installed.
    """
    address = Address.of(base_url)
    address.check_key(api_key, insecure=insecure)
    return finished(_listed(Endpoint(address, api_key=api_key, timeout=timeout)))


async def _listed(endpoint: Endpoint) -> list[str]:
    async with endpoint:
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.5 * 2 ** (attempt - 1))
            try:
                answer = await endpoint.ask("models")
                if answer.status < 300:
                    found = json.loads(answer.content)
                    return [_name(each) for each in (found if isinstance(found, list) else found["data"])]
                reason = f"HTTP {answer.status}: {said_by(answer)}"
                if not passes(answer):
                    break
            except NoAnswerError as error:
                reason = str(error)
            except TooLargeError:
                reason = "the answer is too long"
                break
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                reason = f"the answer is no list of models ({error!r})"
                break
    raise SamplerError(
        f"{endpoint.address.shown} does not list its models: {endpoint.quoted(reason)}. Check the URL (it ends in /v1 "
        "for most servers) and that the server is up, or name the model with --served-name."
    )


def _name(model: object) -> str:
    if not isinstance(model, dict) or not isinstance(model["id"], str):
        raise TypeError(f"{model!r} has no name")
    return model["id"]
