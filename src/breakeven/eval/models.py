"""The model that `breakeven eval` is given, as a sampler with a name and a price."""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from breakeven.config import config_from
from breakeven.cost.tokens import ModelCost
from breakeven.data.named import DEFAULT_PROBLEMS
from breakeven.data.reference import ReferenceProblems
from breakeven.data.task import TextTask
from breakeven.errors import MissingExtraError, argument_error
from breakeven.names import named_in
from breakeven.records import Problem
from breakeven.records.protocols import Sampler
from breakeven.sampling.served.address import is_url
from breakeven.session.passes import FOLDER as PROBABILITIES
from breakeven.store import LOG_NAME

_WEIGHTS = (".safetensors", ".bin", ".gguf")
_EDGE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model to sample from."""

    name: str
    """As it is recorded with the samples."""
    sampler_of: Callable[[int, tuple[str, ...]], Sampler]
    """A sampler with this limit of tokens and these stop strings; all share the weights."""
    cost: ModelCost | None
    """FLOPs per token; None for a server whose model was not described."""
    settings: dict[str, Any]
    """What else changes its samples."""
    check_problems: Callable[[Sequence[Problem]], None] = lambda problems: None
    """Raises an ArgumentError where the model cannot read them: asked before anything is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How a model is to be loaded and asked; what does not apply to its kind is refused."""

    served_name: str | None = None
    """Of a server: the model's name; None: the only one it serves."""
    chat: bool | None = None
    """Whether prompts go through a chat template; None: if the model has one."""
    system: str | None = None
    adapter: str | None = None
    """A LoRA adapter's directory, for a model of transformers."""
    dtype: str = "auto"
    device: str | None = None
    concurrency: int = 8
    """Requests under way at once, for a server."""
    samples_per_request: int | None = None
    timeout_seconds: float = 600.0
    api_key: str | None = None
    api_key_env: str | None = None
    """Of the environment, the variable with the server's key."""
    insecure: bool = False
    """Whether a key may go to another machine by plain http."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further fields of every request to a server."""
    tokenizer: Path | None = None
    """Counts tokens for a server that does not: its directory, as transformers saves it."""
    journal: Path | None = None
    """Where a server's answers are kept as they come in."""


def load_model(spec: str, options: ModelOptions, *, cost: ModelCost | None = None) -> LoadedModel:
    """The model that `spec` names.

    Args:
        spec: a URL (an OpenAI-compatible server), a directory of `breakeven run` (its stopped or else its full
            checkpoint) or of transformers, or a `.gguf` file.
        options: see there.
        cost: FLOPs per token as declared by the user; None: counted from the model's own configuration.

    Raises:
        ArgumentError: nothing of these, or a setting that does not apply.
        MissingExtraError: the package that loads it is not installed.
    """
    if is_url(spec):
        from breakeven.eval.servers import server_model

        return server_model(spec, options, cost)
    path = Path(spec)
    refuse(options, ("served_name", "api_key_env", "tokenizer", "extra"), "a model that no server serves")
    if (folder := checkpoint_folder(path)) is not None:
        refuse(options, ("adapter", "chat", "system", "device"), "a model that breakeven trained")
        return _reference(folder, cost)
    if path.is_file() and path.suffix == ".gguf":
        return _hf(path.parent, path.name, options, cost)
    if (path / "config.json").is_file():
        return _hf(path, None, options, cost)
    kinds = "the URL of a server, a directory of transformers, a .gguf file, or a run of breakeven with saved weights"
    raise argument_error("MODEL", f"be {kinds}", spec)


def _hf(directory: Path, gguf_file: str | None, options: ModelOptions, cost: ModelCost | None) -> LoadedModel:
    from breakeven.cost.families import cost_of_config
    from breakeven.sampling.hf import HFSampler, load_hf

    model, tokenizer = load_hf(
        str(directory), gguf_file=gguf_file, dtype=options.dtype, device=options.device, adapter=options.adapter
    )

    def sampler(max_tokens: int, stop: tuple[str, ...]) -> Sampler:
        return HFSampler(model, tokenizer, max_tokens=max_tokens, stop=stop, chat=options.chat, system=options.system)

    return LoadedModel(
        name=gguf_file or directory.resolve().name,
        sampler_of=sampler,
        cost=cost or cost_of_config(model.config.to_dict()),
        settings={
            "chat": options.chat,
            "system": options.system,
            "adapter": options.adapter and weights_crc32(Path(options.adapter)),
            "dtype": options.dtype,
            "weights": weights_crc32(directory / gguf_file if gguf_file else directory),
        },
    )


def weights_crc32(path: Path) -> str:
    """By which other weights in the same place are told: a checksum of sizes and edges of the files of weights.

    Args:
        path: such a file, or a directory with some.
    """
    files = [path] if path.is_file() else sorted(each for each in path.iterdir() if each.suffix in _WEIGHTS)
    crc32 = 0
    for each in files:
        size = each.stat().st_size
        with each.open("rb") as file:
            crc32 = zlib.crc32(file.read(_EDGE_BYTES), zlib.crc32(str(size).encode(), crc32))
            file.seek(max(0, size - _EDGE_BYTES))
            crc32 = zlib.crc32(file.read(_EDGE_BYTES), crc32)
    return f"{crc32:08x}"


def refuse(options: ModelOptions, names: tuple[str, ...], kind: str) -> None:
    """Raises an ArgumentError where an option is given that does not apply to a kind of model."""
    for name in names:
        if getattr(options, name) not in (None, {}):
            raise argument_error(f"--{name.replace('_', '-')}", f"be left out for {kind}", getattr(options, name))


def checkpoint_folder(path: Path) -> Path | None:
    """The folder with breakeven's own weights that a path names: itself, or the stopped or full one of a run."""
    kept: tuple[Path, ...] = (path / "stopped", path / "full")
    if not (path / LOG_NAME).is_file():  # a run directory has a serving.json too, but no weights
        kept = (path, *kept)
    return next((each for each in kept if (each / "serving.json").is_file()), None)


def task_of_run(spec: str, *, num_problems: int | None, seed: int, settings: Mapping[str, Any]) -> TextTask:
    """Problems of the task that a run of breakeven was trained on.

    Args:
        spec: as in `load_model`.
        num_problems: None: as many as of any task that makes its own.
        seed: of their choice.
        settings: of the task, in the place of the run's; `split` too.

    Raises:
        ArgumentError: `spec` is no such run, or the settings are none of its task's.
    """
    folder = None if is_url(spec) else checkpoint_folder(Path(spec))
    if folder is None and (Path(spec) / PROBABILITIES).is_dir():
        remedy = "Of a classifier recorded passes are evaluated: an .npz of labels and probabilities."
        raise argument_error("MODEL", "be of a language model where it is a run", spec, remedy)
    if folder is None:
        raise argument_error("--task", "be given where MODEL is no run of breakeven", None, "A run knows its task.")
    try:
        trained_on = dict(json.loads((folder / "serving.json").read_text(encoding="utf-8"))["task"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        rule = "have a serving.json as breakeven run writes it"
        raise argument_error("MODEL", rule, str(folder), f"{type(error).__name__}: {error}.") from error
    own = {key: value for key, value in settings.items() if key != "split"}
    with named_in(folder / "serving.json"):
        task = config_from({"name": "saved", "task": {"kind": "countdown", **trained_on, **own}}).task
    count = DEFAULT_PROBLEMS if num_problems is None else num_problems
    return ReferenceProblems(task=task, split=settings.get("split", "test"), count=count, seed=seed)


def _reference(folder: Path, cost: ModelCost | None) -> LoadedModel:
    try:
        from breakeven.train.saved_model import load_saved_model
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingExtraError("this model needs PyTorch: pip install 'breakeven[torch]'") from error

    saved = load_saved_model(folder, name="MODEL")
    shape, task = saved.model.shape, saved.task

    def sampler(max_tokens: int, stop: tuple[str, ...]) -> Sampler:
        return saved.sampler()

    def check_problems(problems: Sequence[Problem]) -> None:
        for problem in problems:
            try:
                tokens = task.encode_prompt(problem)
            except (KeyError, ValueError):  # words that the vocabulary lacks
                tokens = [shape.vocab_size]
            if max(tokens) >= shape.vocab_size or len(tokens) + task.output_tokens > shape.max_tokens:
                settings = ", ".join(f"{name}={value}" for name, value in saved.settings.items())
                rule = f"have prompts as the model was trained on ({settings})"
                remedy = "Name that task, and --task-set its settings."
                raise argument_error("--task", rule, problem.prompt[:80], remedy)

    return LoadedModel(
        name=f"{folder.resolve().parent.name}/{folder.name}",
        sampler_of=sampler,
        cost=cost or ModelCost.of(shape),
        settings={"task": saved.settings, "weights": weights_crc32(folder)},
        check_problems=check_problems,
    )
