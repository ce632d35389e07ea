"""The model behind a server's URL, as a sampler with a name."""

import os
from collections.abc import Callable

from breakeven.cost.tokens import ModelCost
from breakeven.errors import MissingExtraError, argument_error, printable
from breakeven.eval.models import LoadedModel, ModelOptions, refuse
from breakeven.records.protocols import Sampler
from breakeven.sampling.served.address import key_for
from breakeven.sampling.served.models import served_models
from breakeven.sampling.served.openai import OpenAISampler

_OURS = ("model", "messages", "prompt", "n", "stream", "stop", "seed", "temperature", "max_tokens")
"""Fields of a request that other options are for."""


def server_model(url: str, options: ModelOptions, cost: ModelCost | None) -> LoadedModel:
    """The model that a server serves, or of several the one that `options` name. Errors as `load_model`."""
    refuse(options, ("adapter", "device"), "a server")
    for each in options.extra:
        if each in _OURS:
            raise argument_error("--extra", f"name none of {', '.join(_OURS)}", each, "Other options are for these.")
    api_key = key_for(url, api_key=options.api_key, api_key_env=options.api_key_env, environment=os.environ)
    name = options.served_name or _only_one(served_models(url, api_key=api_key, insecure=options.insecure))
    chat = True if options.chat is None else options.chat
    count_tokens = _counter(options)

    def sampler(max_tokens: int, stop: tuple[str, ...]) -> Sampler:
        return OpenAISampler(
            url,
            name,
            max_tokens=max_tokens,
            stop=stop,
            chat=chat,
            system=options.system,
            api_key=api_key,
            insecure=options.insecure,
            max_concurrency=options.concurrency,
            samples_per_request=options.samples_per_request,
            timeout=options.timeout_seconds,
            journal=options.journal,
            count_tokens=count_tokens,
            extra_body=options.extra,
            own_temperature=True,  # said in the notes
        )

    shown = printable(name)
    return LoadedModel(
        name=shown.rpartition("/")[2] if shown.endswith(".gguf") else shown,  # llama.cpp: the path on its machine
        sampler_of=sampler,
        cost=cost,
        settings={"chat": chat, "system": options.system} | ({"extra": dict(options.extra)} if options.extra else {}),
    )


def _only_one(served: list[str]) -> str:
    if len(served) == 1:
        return served[0]
    some = f"one of the served models: {', '.join(map(printable, served[:20]))}"
    raise argument_error("--served-name", f"name {some if served else 'the model; the server lists none'}", None)


def _counter(options: ModelOptions) -> Callable[[str], int] | None:
    if options.tokenizer is None:
        return None
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("--tokenizer needs: pip install 'breakeven[hf]'") from error
    path = options.tokenizer / "tokenizer.json" if options.tokenizer.is_dir() else options.tokenizer
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library has no class of its own
        rule = "be a tokenizer.json, or a directory with one"
        raise argument_error("--tokenizer", rule, str(options.tokenizer), f"{error}.") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
