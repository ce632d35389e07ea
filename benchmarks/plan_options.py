"""A recorded run as a table of options: checkpoints, one sample or K, on the test problems.

    python benchmarks/plan_options.py examples/plans/options.csv              the example of docs/plan.md
    python benchmarks/plan_options.py OUT.jsonl --run rules-seed0 --in-turn   of another run, with values per problem

FLOPs of a query are those of all K samples, drawn at once, the prompt read once; with --in-turn those of the samples
that are expected until one is right. No evaluation is charged: that of the test problems was for the record alone.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recorded import SUITE, load, options_of

from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.tally import tally_of

RUN = "countdown-endless-seed0"
STEPS = (60, 120, 150, 180, 240, 330, 450, 750, 1050, 1500)
"""Of the example: few, and all that are ever the cheapest."""
MOST_K = 32


def rows(name: str = RUN, *, in_turn: bool = False, steps: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """An option each: greedy, and Pass@K of several samples, which needs a checker where it is served."""
    run = load(SUITE / f"{name}.jsonl.gz")
    tally_at = {test.step: tally_of(test.bank) for test in run.test}
    for option in options_of(run, at_once=not in_turn):
        step, strategy, k = (option.settings[each] for each in ("step", "strategy", "k"))
        if (strategy != "greedy" and not (strategy == "pass@k" and 1 < k <= MOST_K)) or (steps and step not in steps):
            continue
        value_P = accuracy_per_problem(tally_at[step], strategy, k)
        yield {
            "name": f"step {step}, {'greedy' if strategy == 'greedy' else f'pass@{k}'}",
            "accuracy": float(value_P.mean()),
            "stderr": float(value_P.std(ddof=1) / len(value_P) ** 0.5),
            "train_flops": option.train_flops,
            "query_flops": option.query_flops,
            "step": step,
            "strategy": strategy,
            "k": k,
            "values": [round(each, 6) for each in value_P.tolist()],
        }


def as_csv(table: Iterator[dict[str, Any]]) -> str:
    """The rows without their values, with the digits that tell."""
    shown = [{key: _short(key, value) for key, value in row.items() if key != "values"} for row in table]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(shown[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(shown)
    return text.getvalue()


def as_json(table: Iterator[dict[str, Any]], problems: str) -> str:
    """The rows with their values, a line each; the standard error follows from them."""
    kept = [{key: value for key, value in row.items() if key != "stderr"} for row in table]
    return "".join(json.dumps(row | {"problems": problems}) + "\n" for row in kept)


def _short(key: str, value: Any) -> Any:
    form = ".4f" if key in ("accuracy", "stderr") else ".6g"
    return f"{value:{form}}" if isinstance(value, float) else value


def main() -> None:
    """Write the table, in the form that its name says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--run", default=RUN)
    parser.add_argument("--in-turn", action="store_true")
    parser.add_argument("--all-steps", action="store_true")
    given = parser.parse_args()
    table = rows(given.run, in_turn=given.in_turn, steps=() if given.all_steps or given.run != RUN else STEPS)
    text = as_csv(table) if given.out.suffix == ".csv" else as_json(table, f"test problems of {given.run}")
    given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
