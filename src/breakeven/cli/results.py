"""What the evaluations of `breakeven eval` have in common: which K, where results go, and in which forms."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from breakeven.errors import argument_error
from breakeven.readers.eval_results import RESULTS_NAME
from breakeven.records import Measurement
from breakeven.store import write_whole
from breakeven.store.renamed import with_earlier_names


class Evaluated(Protocol):
    """A record of an evaluation, of which `results.json` has every field."""

    @property
    def measurements(self) -> Sequence[Measurement]:
        """Every strategy at every K."""


def result_fields(evaluation: Evaluated) -> Any:
    """What `results.json` and `--json` hold."""
    return with_earlier_names("evaluation", msgspec.to_builtins(evaluation))


def write_results(directory: Path, evaluation: Evaluated) -> None:
    """Write results.json and results.csv.

    Raises:
        RunStorageError: the disk refused.
    """
    table = io.StringIO(newline="")
    rows = [dataclasses.asdict(each) | {"flops": each.flops} for each in evaluation.measurements]
    writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    encoded = msgspec.json.format(msgspec.json.encode(result_fields(evaluation)), indent=2).decode() + "\n"
    for name, content in ((RESULTS_NAME, encoded), ("results.csv", table.getvalue())):
        write_whole(directory / name, content, remedy="The samples are kept: run it again.")


def k_values_from(text: str | None, num_samples: int) -> list[int]:
    """The K that --k names; by default powers of two up to `num_samples`, and that.

    Raises:
        ArgumentError: they are no counts.
    """
    if text is None:
        powers = [1 << power for power in range(num_samples.bit_length()) if 1 << power <= num_samples]
        return sorted({*powers, num_samples})
    try:
        values = sorted({int(each) for each in text.split(",")})
    except ValueError as error:
        raise argument_error("--k", "be whole numbers with commas between", text, "For example 1,2,4,8.") from error
    if not values or values[0] < 1:
        raise argument_error("--k", "be at least 1", text)
    return values


def slug(text: str) -> str:
    """A name for a directory."""
    kept = "".join(each if each.isalnum() or each in ".-_" else "-" for each in text)
    return "-".join(filter(None, kept.split("-")))[-120:]
