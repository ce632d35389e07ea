"""What paper mode saves on Countdown, and what it costs in test accuracy: three recipes x 3 seeds, shadow mode.

    python benchmarks/savings.py          print the table from the recorded runs in benchmarks/runs
    python benchmarks/savings.py --run    record the missing runs first (two at a time), then print it

Every run trains to its full budget, so that the decision can be held against the fully trained model on test
problems. The table in docs/savings.md is this program's output.
"""

import argparse
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from breakeven.records import Verification
from breakeven.report.format import format_share
from breakeven.store import read_log

RUNS = Path(__file__).parent / "runs"
RECIPES = ("countdown", "countdown-easy", "countdown-endless")
SEEDS = (0, 1, 2)
HEADER = (
    "run",
    "stop at",
    "K*",
    "gross saving",
    "net saving",
    "evaluation / training",
    "test accuracy (t*, K*)",
    "t*, one greedy sample",
    "full model, greedy",
    "full model, sampled",
    "difference to the better",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="record the missing runs first")
    if parser.parse_args().run:
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(record_run, [(recipe, seed) for recipe in RECIPES for seed in SEEDS]))
    rows, summary = [], []
    for recipe in RECIPES:
        net_savings, held = [], 0
        for seed in SEEDS:
            record = read_log(RUNS / f"{recipe}-seed{seed}")
            rows.append(table_row(f"{recipe}, seed {seed}", record.verification))
            net_savings.append(
                record.verification.net_saving
                if record.verification
                else -record.checkpoints[-1].decision.evaluation_flops / record.header.plan.budget_flops
            )
            held += record.verification is None or record.verification.difference >= 0
        summary.append(
            f"`{recipe}`: median net saving {format_share(statistics.median(net_savings))}; "
            f"test accuracy not below the fully trained model's best single sample in {held} of {len(SEEDS)} runs."
        )
    for row in (HEADER, ("---",) * len(HEADER), *rows):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    sys.stdout.write("\n" + "\n".join(f"- {line}" for line in summary) + "\n")


def record_run(run: tuple[str, int]) -> None:
    """One run to the end, resumed where an earlier call was cut short; only its log is kept."""
    recipe, seed = run
    folder = RUNS / f"{recipe}-seed{seed}"
    if (folder / "log.jsonl").exists():
        if read_log(folder).verification is not None:
            return
        arguments = ["--resume", str(folder), "--to-end"]
    else:
        arguments = [recipe, "--set", f"seed={seed}", "--out", str(folder), "--to-end"]
    subprocess.run([sys.executable, "-m", "breakeven", "run", *arguments], check=True)


def table_row(name: str, verification: Verification | None) -> tuple[str, ...]:
    """One Markdown row; a run that never stopped saved nothing."""
    if verification is None:
        return (name, "never", *["-"] * (len(HEADER) - 2))
    return (
        name,
        f"{format_share(1 - verification.gross_saving)} of the budget",
        str(verification.k),
        format_share(verification.gross_saving),
        format_share(verification.net_saving),
        format_share(verification.evaluation_share),
        f"{verification.stopped_accuracy:.3f}",
        f"{verification.stopped_greedy_accuracy:.3f}",
        f"{verification.full_greedy_accuracy:.3f}",
        f"{verification.full_sampled_accuracy:.3f}",
        f"{verification.difference:+.3f} ± {verification.difference_standard_error:.3f}",
    )


if __name__ == "__main__":
    main()
