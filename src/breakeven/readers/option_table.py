"""A table of options."""

import csv
from pathlib import Path

from breakeven.jsonl import lines_of
from breakeven.records.options import Option, Quality


def read_options(path: Path) -> list[Option]:
    """The options of a table."""
    found = []
    for row in csv.DictReader(lines_of(path)):
        found.append(
            Option(
                name=row["name"],
                train_flops=float(row.get("train_flops") or 0),
                query_flops=float(row.get("query_flops") or 0),
                reward_flops=float(row.get("reward_flops") or 0),
                quality=Quality(value=float(row["quality"])),
            )
        )
    return found
