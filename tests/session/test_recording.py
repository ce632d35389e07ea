"""Beginning a log: what its first line holds, and that a script run again finds its own record."""

import subprocess
import sys
from pathlib import Path

import pytest

from breakeven import PaperPolicy, RunSpec, Session, open_log, read_log
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.session.machine import machine_words
from breakeven.session.recording import start_log
from breakeven.stopping.patience import Patience
from breakeven.testing import RateSampler, RateVerifier

PLAN, POLICY = RunSpec(budget_flops=6e6), Patience(PaperPolicy(), 2)


def observe_twice(run_dir: Path, *, resume: bool = False) -> list[int]:
    """A script of a user's: evaluates at steps 1 and 2, and says what its log held when it began."""
    rates = RateSampler({str(number): 0.1 * number for number in range(10)})
    with open_log(run_dir, spec=PLAN, policy=POLICY, seed=3, config={"note": "mine"}, resume=resume) as log:
        found = [each.observation.step for each in log.checkpoints]
        session = Session(
            sampler=rates,
            verifier=RateVerifier(),
            problems=rates.problems,
            cost=ModelCost(body_params=1000.0),
            sequence_tokens=10,
            spec=PLAN,
            policy=POLICY,
            seed=3,
            log=log,
        )
        for step in (1, 2):
            session.observe(step=step, train_tokens=100 * step)
    return found


def test_a_script_run_again_goes_on_with_its_own_record_where_it_asks_to(tmp_path: Path) -> None:
    assert observe_twice(tmp_path, resume=True) == []
    before = (tmp_path / "log.jsonl").read_bytes()
    with pytest.raises(ArgumentError, match=r"run_dir must not hold a log\.jsonl yet; .* pass resume=True"):
        observe_twice(tmp_path)
    assert observe_twice(tmp_path, resume=True) == [1, 2]
    assert (tmp_path / "log.jsonl").read_bytes() == before


def test_first_line_names_the_settings_and_the_versions(tmp_path: Path) -> None:
    observe_twice(tmp_path)
    header = read_log(tmp_path).header
    assert (header.spec, header.seed, header.config) == (PLAN, 3, {"note": "mine"})
    assert {"breakeven", "python", "numpy", "scipy"} <= set(header.versions)
    assert header.machine == machine_words()


def test_a_new_log_does_not_overwrite_another(tmp_path: Path) -> None:
    start_log(tmp_path, spec=PLAN, policy=POLICY).close()
    with pytest.raises(ArgumentError, match=r"run_dir must not hold a log\.jsonl yet"):
        start_log(tmp_path, spec=PLAN, policy=POLICY)


def test_torch_is_named_only_where_it_took_part(tmp_path: Path) -> None:
    code = (
        "import sys; from breakeven import RunSpec, PaperPolicy, open_log;"
        "print(open_log(sys.argv[1], spec=RunSpec(budget_flops=1.0), policy=PaperPolicy()).header.versions)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout
