"""What a model costs, from its config, as it is counted or from its parameters: the figures of `breakeven flops`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from breakeven import check
from breakeven.cli.budget import amount
from breakeven.cost.hardware import Hardware
from breakeven.cost.network import Network
from breakeven.cost.parts import Reading
from breakeven.cost.training import Training, TrainingFlops, row_of, training_flops
from breakeven.errors import ArgumentError, MissingExtraError, argument_error
from breakeven.names import load_object
from breakeven.readers.model_config import network_from_config

_USUAL_TOKENS = 512
Figures = dict[str, float | str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Options of a model, as the user wrote them; None: not given."""

    params: str | None = None
    sequence_tokens: float | None = None
    source_tokens: float | None = None
    train_tokens: str | None = None
    train_images: str | None = None
    batch_size: int | None = None
    prompt_tokens: float | None = None
    output_tokens: float | None = None
    image_size: str | None = None
    num_labels: int | None = None
    input_shape: str | None = None
    frozen_layers: int | None = None
    lora_rank: int | None = None
    lora_targets: str | None = None
    recompute: str | None = None
    padded_to: float | None = None
    packed_to: float | None = None

    def given(self) -> Iterator[tuple[str, Any]]:
        """Options that were given, by the names they are written with."""
        for each in fields(self):
            if (value := getattr(self, each.name)) is not None:
                yield f"--{each.name.replace('_', '-')}", value

    def refuse(self, kind: str, *names: str) -> None:
        """An ArgumentError where an option is given that does not go with a kind of model."""
        for option, value in self.given():
            if option in names:
                raise argument_error(option, f"be left out of {kind}", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model whose FLOPs are known."""

    network: Network
    trained: Network | None = None
    """Forward and backward pass of a counted module."""
    total_params: float
    trained_params: float | None = None


_OF_CONFIGS = ("--num-labels", "--image-size")
_OF_TEXT = ("--sequence-tokens", "--prompt-tokens", "--output-tokens", "--padded-to", "--packed-to")
_OF_TRAINING = ("--frozen-layers", "--lora-rank", "--lora-targets", "--recompute")


def is_model(name: str, recipes: Collection[str]) -> bool:
    """Whether an argument names a model: a path that exists, and is no recipe, or package.module:name."""
    path = Path(name)
    if path.is_dir():
        return (path / "config.json").exists() or name not in recipes
    if path.exists():
        return path.suffix != ".toml"
    return ":" in name or path.suffix == ".json"


def model_of(name: str | None, asked: Asked) -> Model:
    """The model that an argument and the options name."""
    if name is None:
        asked.refuse("a number of parameters", *_OF_CONFIGS, "--input-shape", *_OF_TRAINING, "--source-tokens")
        params = amount("--params", asked.params)
        check.positive("--params", params, "For example 1.1B.")
        assert params is not None
        return Model(network=Network.of_params(params), total_params=params)
    if asked.params is not None:
        raise argument_error("--params", "be left out where a model is given", asked.params)
    path = Path(name)
    if path.exists() or ":" not in name:
        asked.refuse("a config", "--input-shape")
        size = None if asked.image_size is None else _whole_numbers("--image-size", asked.image_size)
        if size is not None and len(size) > 2:
            raise argument_error("--image-size", "be one number, or HEIGHT,WIDTH", asked.image_size)
        image_size = None if size is None else (size[0], size[-1])
        network = network_from_config(path, num_labels=asked.num_labels, image_size=image_size)
        return Model(network=network, total_params=network.total_params)
    asked.refuse("a module, which is counted as it is", *_OF_CONFIGS, *_OF_TRAINING, "--source-tokens")
    return _counted(name, () if asked.input_shape is None else _whole_numbers("--input-shape", asked.input_shape))


def _counted(name: str, shape: tuple[int, ...]) -> Model:
    try:
        import breakeven.adapters.counting as counting
    except ImportError as error:
        raise MissingExtraError("counting a module needs PyTorch: pip install 'breakeven[torch]'") from error
    counted = counting.counted_object(load_object(name, "MODEL"), name, shape)
    return Model(
        network=counted.network,
        trained=counted.trained,
        total_params=counted.total_params,
        trained_params=counted.trained_params,
    )


def figures_of(model: Model, asked: Asked, samples: int, hardware: Hardware | None) -> Figures:
    """Every number by its name, which ends in its unit; None: it has no meaning, or nobody said what it takes."""
    network = model.network
    reads_images = network.reads == "images"
    asked.refuse(*(("images", "--train-tokens", *_OF_TEXT) if reads_images else ("text", "--train-images")))
    if network.reads != "pairs":
        asked.refuse("a model that reads one text", "--source-tokens")
    else:
        asked.refuse("an encoder-decoder", "--padded-to", "--packed-to")
    tokens = _USUAL_TOKENS if asked.sequence_tokens is None else asked.sequence_tokens
    check.positive("--sequence-tokens", tokens)
    source = tokens if asked.source_tokens is None else asked.source_tokens
    check.positive("--source-tokens", source)
    row, in_row = row_of(tokens, padded_to=asked.padded_to, packed_to=asked.packed_to)
    if network.reads == "pairs":
        row = Reading(tokens=tokens, source=source)
    batch = check.whole("--batch-size", 1 if asked.batch_size is None else asked.batch_size, 1)
    trained = _training(model, row, batch, asked)
    share = 1 / (batch * in_row)
    per_sequence = trained.total * share
    unit = "image" if reads_images else "sequence"
    figures: Figures = {
        "family": network.family or None,
        "reads": network.reads,
        "image_pixels": None if network.pixels is None else " x ".join(map(str, network.pixels)),
        "total_params": model.total_params,
        "active_params": None if model.trained else network.active_params,
        "trained_params": model.trained_params if model.trained else trained.trained_params,
        "sequence_tokens": None if reads_images else tokens,
        "source_tokens": source if network.reads == "pairs" else None,
        f"forward_flops_per_{unit}": trained.forward * share,
        f"backward_flops_per_{unit}": trained.backward * share,
        f"recomputed_flops_per_{unit}": trained.recomputed * share,
        f"train_flops_per_{unit}": per_sequence,
    }
    if not reads_images:
        figures["train_flops_per_token"] = per_sequence / tokens
    run = _run_flops(asked, per_sequence, 1.0 if reads_images else tokens)
    figures["train_flops"] = run
    figures |= _query(network, asked, samples)
    figures |= spent("train", run, hardware) | spent("query", figures.get("query_flops_shared_prefill"), hardware)
    return figures


def spent(name: str, flops: float | str | None, hardware: Hardware | None) -> Figures:
    """Hours, energy and money of so many FLOPs; nothing where either is not known."""
    if hardware is None or not isinstance(flops, float | int):
        return {}
    return {
        f"{name}_hours": hardware.hours(flops),
        f"{name}_kilowatt_hours": hardware.kilowatt_hours(flops),
        f"{name}_money": hardware.money(flops),
    }


@contextmanager
def as_written() -> Iterator[None]:
    """While this lasts, an error that names an option as the library does names it as the user wrote it."""
    try:
        yield
    except ArgumentError as error:
        name, _, rest = str(error).partition(" ")
        if name in {each.name for each in fields(Asked)}:
            raise ArgumentError(f"--{name.replace('_', '-')} {rest}") from error
        raise


def _training(model: Model, row: Reading, batch: int, asked: Asked) -> TrainingFlops:
    if model.trained is not None:
        forward = model.network.forward_flops(row, batch)
        whole = model.trained.forward_flops(row, batch)
        params = model.trained_params or 0.0
        return TrainingFlops(forward=forward, backward=whole - forward, recomputed=0.0, trained_params=params)
    if asked.lora_targets is not None and not asked.lora_rank:
        raise argument_error("--lora-targets", "be given with --lora-rank", asked.lora_targets)
    targets = ("q_proj", "v_proj") if asked.lora_targets is None else tuple(asked.lora_targets.split(","))
    training = Training(
        frozen_layers=asked.frozen_layers or 0,
        lora_rank=asked.lora_rank or 0,
        lora_targets=targets,
        recompute=asked.recompute or "nothing",  # type: ignore[arg-type]
    )
    return training_flops(model.network, row, num_sequences=batch, training=training)


def _run_flops(asked: Asked, per_sequence: float, tokens: float) -> float | None:
    name = "--train-images" if asked.train_images is not None else "--train-tokens"
    total = amount(name, asked.train_images if asked.train_images is not None else asked.train_tokens)
    if total is None:
        return None
    check.positive(name, total, "For example 300B.")
    return per_sequence * (total / tokens)


def _query(network: Network, asked: Asked, samples: int) -> Figures:
    """Prices of a query, where its tokens are told."""
    prompt, output = asked.prompt_tokens, asked.output_tokens
    if prompt is None:
        if output is not None:
            raise argument_error("--prompt-tokens", "be given with --output-tokens", None)
        return {}
    check.finite("--prompt-tokens", prompt)
    figures: Figures = {"prefill_flops": network.prefill_flops(prompt)}
    if output is None:
        return figures
    check.finite("--output-tokens", output, 1)
    if not network.is_causal:
        raise argument_error("--output-tokens", "be left out of a model that writes no text", output)
    query = network.query_flops(prompt, output - 1)
    return figures | {
        "decode_flops": query.decode_flops,
        "samples": samples,
        "query_flops_one_sample": query.total(1),
        "query_flops_shared_prefill": query.total(samples),
        "query_flops_unshared_prefill": query.total(samples, shared_prefill=False),
    }


def _whole_numbers(name: str, text: str) -> tuple[int, ...]:
    """Numbers that commas or x stand between."""
    try:
        return tuple(check.whole(name, float(each), 1) for each in text.replace("x", ",").split(","))
    except ValueError:
        raise argument_error(
            name, "be whole numbers with commas between them", text, "For example 3,224,224."
        ) from None
