"""A row of four cells, for tests; as a process of its own it waits in the third of them if asked to."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from breakeven.plan.row import Asked, Row
from breakeven.plan.run import run_plan
from breakeven.records.options import Option, Quality
from breakeven.records.plans import Finding, PlanAnswer

computed: list[int] = []
"""Cells that were computed in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of the toy."""

    sizes: tuple[int, ...] = (1, 2, 3, 4)
    scale: float = 1.0
    wait: bool = False


def answer(asked: Asked) -> PlanAnswer:
    """An option for each size, as good as it is dear."""

    def compute(size: int) -> dict[str, float]:
        computed.append(size)
        if sys.argv[-1] == "wait" and size == 3:
            print("in cell 3", flush=True)
            sys.stdin.read()
        return {"value": size / 10 * asked.settings.scale, "flops": 0.1 * size}

    options = []
    for size in asked.settings.sizes:
        cell = asked.cells.of(f"size={size}", dict[str, float], partial(compute, size))
        quality = Quality(value=cell["value"])
        options.append(Option(name=f"size {size}", query_flops=cell["flops"], quality=quality))
    found = Finding(text="sizes", value=float(len(options)), lo=1.0, hi=9.0)
    return PlanAnswer(options=tuple(options), findings=(found,))


ROW = Row(
    name="toy", settings=Settings, answer=answer, presets={"small": {"sizes": [1]}}, takes_files="a file of any kind"
)

if __name__ == "__main__":
    run_plan(ROW, Path(sys.argv[1]))
