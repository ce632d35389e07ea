"""The numbers in the docs are what the recorded runs say, and the recorded runs are what the present code decides."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from breakeven import PaperPolicy, read_log, replay

ROOT = Path(__file__).parents[1]
RUNS = sorted((ROOT / "benchmarks" / "runs").iterdir())


def test_savings_page_holds_the_table_that_the_program_prints() -> None:
    printed = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "savings.py")], capture_output=True, text=True, check=True
    ).stdout
    assert printed in (ROOT / "docs" / "savings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("run", RUNS, ids=lambda path: path.name)
def test_recorded_run_is_decided_as_it_was(run: Path) -> None:
    record = read_log(run)
    policy = msgspec.convert(record.header.policy, PaperPolicy)
    decisions = replay([each.observation for each in record.checkpoints], record.header.plan, policy)
    recorded = [each.decision for each in record.checkpoints]
    # Bit for bit where it was recorded; elsewhere vector instructions may round the last digits otherwise.
    assert [(each.action, each.reason, each.step, each.streak) for each in decisions] == [
        (each.action, each.reason, each.step, each.streak) for each in recorded
    ]
