"""What every `EarlyStop` takes, whatever its loop: here one of a classifier's."""

from pathlib import Path
from typing import Any

import pytest

from breakeven import CalibratedPolicy
from breakeven.errors import ArgumentError
from breakeven.store import read_log

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from breakeven.torch import Classification, EarlyStop  # noqa: E402

STEPS = 12
LOOSE = CalibratedPolicy(risk=0.95, margin=0.9, max_evaluation_share=1e9)


def rows(number: int, seed: int) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    return [(torch.randn(4, generator=generator) + 2 * (place % 2), place % 2) for place in range(number)]


def trained(directory: Path, *, until: int = STEPS, **given: Any) -> None:
    """A loop from its beginning, which ends at `until` as if it had been killed, or where it is told to."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        passes = Classification(rows(40, 1), dropout=True, snapshots=2)
        settings: dict[str, Any] = {
            "evaluate_every": 2,
            "num_samples": 4,
            "policy": LOOSE,
            "decay_share": 0.0,
            "log": directory,
        }
        with EarlyStop(model, steps=STEPS, classification=passes, **settings, **given) as stop:
            inputs, labels = zip(*rows(16, 0), strict=True)
            for _ in range(until):
                loss = torch.nn.functional.cross_entropy(model(torch.stack(inputs)), torch.tensor(labels))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if stop.step(loss):
                    break


def test_settings_of_ones_own_are_in_the_first_line_of_the_log(tmp_path: Path) -> None:
    trained(tmp_path / "run", config={"learning_rate": 0.05, "data": {"rows": 16}})
    config = read_log(tmp_path / "run").header.config
    assert (config["learning_rate"], config["data"], config["steps"]) == (0.05, {"rows": 16}, STEPS)


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew_with_what_is_recorded(tmp_path: Path) -> None:
    trained(tmp_path / "whole")
    trained(tmp_path / "killed", until=5)
    assert len(read_log(tmp_path / "killed").checkpoints) == 2
    with pytest.raises(ArgumentError, match=r"^log must be a new run directory where training begins anew"):
        trained(tmp_path / "killed")
    trained(tmp_path / "killed", resume=True)
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("whole", "killed")]
    assert logs[0] == logs[1]


def test_one_that_is_quiet_tells_its_log_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for quiet in (False, True):
        caplog.clear()
        trained(tmp_path / str(quiet), quiet=quiet)
        record = read_log(tmp_path / str(quiet))
        assert any(each.decision.stop for each in record.checkpoints)
        said = [each.getMessage() for each in caplog.records if "training may stop" in each.getMessage()]
        assert bool(said) is not quiet
