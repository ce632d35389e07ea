"""`breakeven flops`: what a recipe, or any model, costs to train and to serve."""

from typing import Annotated, Any, Final

import typer
from rich.table import Table

from breakeven import check
from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.model_flops import Asked, Figures, as_written, figures_of, is_model, model_of, spent
from breakeven.config import load_recipe, recipe_names
from breakeven.cost.hardware import Hardware
from breakeven.cost.training import ALL_LINEAR
from breakeven.errors import argument_error
from breakeven.records import NOT_COUNTED
from breakeven.report.format import format_flops, format_hours
from breakeven.train.costs import cost_of, longest_evaluation_flops, longest_query, sequence_tokens, spec_for

_TRAINING, _SERVING, _PRICE = "Training of a model", "Serving of a model", "Hours, energy and money"


def _option(panel: str, help_: str, **more: Any) -> Any:
    return typer.Option(help=help_, rich_help_panel=panel, **more)


def flops(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE_OR_MODEL]",
            help="A shipped recipe or TOML file, by default countdown; or a model: a config.json of transformers, the "
            "folder it is in, or package.module:name of a torch module. A path wins over a recipe's name.",
        ),
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override a recipe's setting: key=value.")] = None,
    samples: Annotated[int, typer.Option(help="K, samples per query.", min=1)] = 8,
    params: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Instead of a model: parameters a token meets, such as 1.1B.")
    ] = None,
    num_labels: Annotated[
        int | None, typer.Option(help="Outputs of a classifier, where the config says other.")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(metavar="PIXELS", help="Of a side, or HEIGHT,WIDTH; else the config's own, or 224.")
    ] = None,
    input_shape: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Of one input of a module: 3,224,224; else it reads tokens.")
    ] = None,
    sequence_tokens: Annotated[float | None, _option(_TRAINING, "Tokens of a sequence; default 512.")] = None,
    source_tokens: Annotated[
        float | None, _option(_TRAINING, "Tokens an encoder reads for a decoder; default: as of a sequence.")
    ] = None,
    train_tokens: Annotated[
        str | None, _option(_TRAINING, "Tokens of the whole run, padding left out: 300B.", metavar="NUMBER")
    ] = None,
    train_images: Annotated[str | None, _option(_TRAINING, "Images of the whole run.", metavar="NUMBER")] = None,
    batch_size: Annotated[
        int | None, _option(_TRAINING, "Sequences that share what is computed once a batch; default 1.")
    ] = None,
    padded_to: Annotated[float | None, _option(_TRAINING, "Tokens that each sequence is filled up to.")] = None,
    packed_to: Annotated[
        float | None, _option(_TRAINING, "Tokens of a row that several fill, where attention runs over all of it.")
    ] = None,
    frozen_layers: Annotated[int | None, _option(_TRAINING, "So many of the first are not trained.")] = None,
    lora_rank: Annotated[int | None, _option(_TRAINING, "Rank of LoRA adapters, beside which all is frozen.")] = None,
    lora_targets: Annotated[
        str | None,
        _option(_TRAINING, f"Matrices that have one; default q_proj,v_proj; or {ALL_LINEAR}.", metavar="NAMES"),
    ] = None,
    recompute: Annotated[
        str | None, _option(_TRAINING, "What is computed anew for the backward pass: attention or layers.")
    ] = None,
    prompt_tokens: Annotated[float | None, _option(_SERVING, "Tokens of a prompt, on average.")] = None,
    output_tokens: Annotated[float | None, _option(_SERVING, "Tokens of one sample, on average.")] = None,
    peak_flops: Annotated[float | None, _option(_PRICE, "Peak FLOPs per second of one accelerator: 9.89e14.")] = None,
    efficiency: Annotated[float | None, _option(_PRICE, "Share of that peak that is reached, up to 1.")] = None,
    hour_price: Annotated[float | None, _option(_PRICE, "Money one accelerator costs per hour.")] = None,
    watts: Annotated[float | None, _option(_PRICE, "Power it draws.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the FLOPs of a recipe's full run, evaluation and query before anything is spent, or those of any model."""
    hardware = _hardware(peak_flops, efficiency, hour_price, watts)
    asked = Asked(
        params=params,
        sequence_tokens=sequence_tokens,
        source_tokens=source_tokens,
        train_tokens=train_tokens,
        train_images=train_images,
        batch_size=batch_size,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        image_size=image_size,
        num_labels=num_labels,
        input_shape=input_shape,
        frozen_layers=frozen_layers,
        lora_rank=lora_rank,
        lora_targets=lora_targets,
        recompute=recompute,
        padded_to=padded_to,
        packed_to=packed_to,
    )
    if params is not None or (recipe is not None and is_model(recipe, recipe_names())):
        if set_:
            raise argument_error("--set", "be left out of a model, which has no settings", set_[0])
        with as_written():
            figures = figures_of(model_of(recipe, asked), asked, samples, hardware)
        if json:
            print_json(figures)
        else:
            _show(_rows(figures), _BY_PARAMS if params is not None else _COUNTED)
        return
    for option, value in asked.given():
        raise argument_error(option, "be left out of a recipe, which says it itself", value, "Use --set.")
    _recipe(recipe or "countdown", set_ or [], samples, hardware, json)


def _hardware(
    peak_flops: float | None, efficiency: float | None, hour_price: float | None, watts: float | None
) -> Hardware | None:
    given = {"--peak-flops": peak_flops, "--efficiency": efficiency, "--hour-price": hour_price, "--watts": watts}
    if all(each is None for each in given.values()):
        return None
    for name in ("--peak-flops", "--efficiency"):
        check.positive(name, given[name], "Hours follow from both, and neither is assumed.")
    assert peak_flops is not None
    assert efficiency is not None
    if efficiency > 1:
        raise argument_error("--efficiency", "be a share up to 1", efficiency, "Divide percentages by 100.")
    for name in ("--hour-price", "--watts"):
        if given[name] is not None:
            check.finite(name, given[name])
    return Hardware(peak_flops=peak_flops, efficiency=efficiency, hour_price=hour_price, watts=watts)


def _recipe(recipe: str, overrides: list[str], samples: int, hardware: Hardware | None, as_json: bool) -> None:
    config = load_recipe(recipe, overrides)
    cost, query, sequence = cost_of(config), longest_query(config), sequence_tokens(config.task)
    full_run = spec_for(config).budget_flops
    one_evaluation = longest_evaluation_flops(config)
    share = one_evaluation * config.train.steps / config.evaluate.every_steps / full_run
    numbers: Figures = {
        "matmul_params": cost.body_params + cost.head_params,
        "train_flops": full_run,
        "train_flops_per_token": cost.train_flops(1, sequence) / sequence,
        "evaluation_flops": one_evaluation,
        "evaluation_share_of_interval": share,
        "query_flops_one_sample": query.total(1),
        "samples": samples,
        "query_flops_shared_prefill": query.total(samples),
        "query_flops_unshared_prefill": query.total(samples, shared_prefill=False),
        **spent("train", full_run, hardware),
        **spent("query", query.total(samples), hardware),
    }
    if as_json:
        print_json(numbers)
        return
    rows = [
        ("parameters in matrix multiplies", f"{cost.body_params + cost.head_params:,.0f}"),
        (f"full run, {config.train.steps} steps", format_flops(full_run)),
        ("one evaluation, longest completions", format_flops(one_evaluation)),
        ("all evaluations over the full run", f"{share:.1%} of training"),
    ]
    _show([*rows, *_query_rows(numbers), *_spent_rows(numbers)])


def _rows(figures: Figures) -> list[tuple[str, str]]:
    """A model's figures as they are shown."""
    rows = [("model", str(figures["family"] or "of so many parameters"))]
    for name, label in (
        ("total_params", "parameters, stored"),
        ("active_params", "parameters, active for a token"),
        ("trained_params", "parameters, trained"),
    ):
        if figures[name] is not None:
            rows.append((label, f"{figures[name]:,.0f}"))
    unit = "image" if figures["reads"] == "images" else "sequence"
    of = "one image" if figures["image_pixels"] is None else f"one image of {figures['image_pixels']}"
    if unit == "sequence":
        of = f"one sequence of {figures['sequence_tokens']:,g} tokens"
        if figures["source_tokens"] is not None:
            of = f"{figures['source_tokens']:,g} tokens read, {figures['sequence_tokens']:,g} written"
    for name, label in (("forward", "forward pass"), ("backward", "backward pass"), ("recomputed", "computed anew")):
        if figures[f"{name}_flops_per_{unit}"]:
            rows.append((f"{label}, {of}", _flops(figures[f"{name}_flops_per_{unit}"])))
    if unit == "sequence":
        rows.append(("training, per token", _flops(figures["train_flops_per_token"])))
    else:
        rows.append(("training, one image", _flops(figures["train_flops_per_image"])))
    if figures["train_flops"] is not None:
        rows.append(("training, whole run", _flops(figures["train_flops"])))
    if "prefill_flops" in figures:
        rows.append(("reading a prompt", _flops(figures["prefill_flops"])))
    return [*rows, *_query_rows(figures), *_spent_rows(figures)]


def _query_rows(figures: Figures) -> list[tuple[str, str]]:
    if "query_flops_one_sample" not in figures:
        return []
    samples = figures["samples"]
    return [
        ("one query, 1 sample", _flops(figures["query_flops_one_sample"])),
        (f"one query, {samples} samples, shared prefill", _flops(figures["query_flops_shared_prefill"])),
        (f"one query, {samples} samples, unshared prefill", _flops(figures["query_flops_unshared_prefill"])),
    ]


def _spent_rows(figures: Figures) -> list[tuple[str, str]]:
    """Hours of one accelerator, energy and money; of queries those of a million."""
    rows = []
    for name, label, times in (("train", "whole run", 1.0), ("query", "a million queries", 1e6)):
        if isinstance(hours := figures.get(f"{name}_hours"), float):
            rows.append((f"{label}, time of one accelerator", _hours(hours * times)))
        if isinstance(energy := figures.get(f"{name}_kilowatt_hours"), float):
            rows.append((f"{label}, energy", f"{_amount(energy * times)} kWh"))
        if isinstance(money := figures.get(f"{name}_money"), float):
            rows.append((f"{label}, money", f"{_amount(money * times)}, in the unit of --hour-price"))
    return rows


def _hours(hours: float) -> str:
    return format_hours(hours) if hours < 1000 else f"{_amount(hours)} hours"


def _amount(value: float) -> str:
    """Three digits, and all before the point."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _flops(value: float | str | None) -> str:
    assert isinstance(value, float | int)
    return format_flops(value)


_COUNTED: Final = "matrix multiplies and convolutions, attention over the context, the output head"
_BY_PARAMS: Final = "2 for every parameter and token, and twice that for the backward pass; attention is not"


def _show(rows: list[tuple[str, str]], counted: str = _COUNTED) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"Counted: {counted}.")
    console.print(f"Not counted: {NOT_COUNTED}.")
