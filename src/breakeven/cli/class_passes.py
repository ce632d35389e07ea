"""`breakeven eval FILE` of a classifier's recorded passes: no model, and nothing is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from breakeven.cli.common import console, print_json
from breakeven.cli.documents import write_document
from breakeven.cli.results import k_values_from, result_fields, slug, write_results
from breakeven.cli.shown import say
from breakeven.errors import argument_error
from breakeven.eval.passes import evaluate_passes
from breakeven.eval.passes_notes import first_line, notes
from breakeven.eval.run import sample_versions
from breakeven.readers.class_passes import read_passes
from breakeven.readers.eval_results import RESULTS_NAME
from breakeven.report.measured import measured_document
from breakeven.report.measurements import measurement_table, score_table
from breakeven.store import make_directory, storage_errors

_OPTIONS: Final = frozenset({"model", "k", "metric", "pass_flops", "seed", "out", "page", "figures", "json"})
"""What recorded passes take of the command."""


def eval_passes(
    context: typer.Context,
    path: Path,
    *,
    k: str | None,
    metrics: Sequence[str],
    pass_flops: float | None,
    seed: int,
    out: Path | None,
    page: Path | None,
    figures: Path | None,
    json: bool,
) -> None:
    """Measure recorded passes, and write and print what `breakeven eval` does of a model."""
    _refuse_others(context)
    recorded = read_passes(path)
    counts = [each for each in (recorded.num_passes, recorded.num_snapshots) if each] or [1]
    evaluation = evaluate_passes(
        recorded,
        k_values=sorted({each for count in counts for each in k_values_from(k, count)}),
        metrics=metrics,
        pass_flops=pass_flops,
        seed=seed,
    )
    directory = out if out is not None else Path("evals", slug(str(path)))
    with storage_errors(f"directory {directory} cannot be made", "Choose another --out."):
        make_directory(directory)
    write_results(directory, evaluation)
    page = page or directory / "results.html"
    document = measured_document(
        f"{evaluation.model}: recorded passes",
        evaluation.measurements,
        scores=evaluation.scores,
        warning=first_line(evaluation),
        notes=notes(evaluation),
        settings={"passes": str(path), "metrics": list(metrics), "pass_flops": pass_flops},
        made_by=sample_versions() | {"seed": seed},
    )
    write_document("--report", page, document, figures, remedy="Run it again.")
    if json:
        print_json(result_fields(evaluation))
        return
    if warning := first_line(evaluation):
        say(warning)
        console.print()
    console.print(measurement_table(evaluation.measurements, min(100, console.width)))
    if evaluation.scores:
        console.print()
        console.print(score_table(evaluation.scores))
    console.print()
    for note in notes(evaluation):
        say(note)
    say(f"Numbers: {directory / RESULTS_NAME}, .csv; curves: {page}{'' if figures is None else f', {figures}'}")


def _refuse_others(context: typer.Context) -> None:
    """Nothing, where no option was written that only a model has a use for."""
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in _OPTIONS and source is not None and source.name == "COMMANDLINE":
            remedy = "FLOPs are --pass-flops." if name in ("params", "model_config") else "No model is sampled."
            raise argument_error(parameter.opts[0], "be left out for recorded passes", context.params[name], remedy)
