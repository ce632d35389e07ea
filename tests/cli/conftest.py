"""The command line as a user has it, apart from the process: arguments in, text and an exit code out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from breakeven.cli import app
from breakeven.config import config_to_builtins, load_recipe
from breakeven.records import CheckpointRecord, RunSpec
from breakeven.session.replay import replay
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog
from breakeven.testing import synthetic_run

TINY = """
name = "tiny"
task = { num_numbers = 2, max_number = 9, max_target = 20 }
model = { num_layers = 1, embedding = 16, num_heads = 2, feed_forward = 16 }
train = { steps = 12, batch_size = 8, learning_rate = 0.01, warmup_steps = 2 }
evaluate = { every_steps = 2, num_problems = 6, num_samples = 4 }
policy = { name = "paper", patience = 2, max_k = 8 }
verify = { num_problems = 6, num_samples = 4 }
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs one command in an empty directory; what goes wrong unforeseen is raised here."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def refused(cli) -> Callable[..., str]:
    """The message with which a command refuses: one line on standard error, after `error: `."""

    def refuse(*arguments: object, exit_code: int = 2) -> str:
        result = cli(*arguments)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert result.stderr.endswith("\n")
        return result.stderr.removeprefix("error: ").rstrip("\n")

    return refuse


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A run of a second or less."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The log of a run that rises for three checkpoints and then stays, so that it stops. Made without torch."""
    observations = synthetic_run(
        lambda share: min(share, 0.3) * 3, num_checkpoints=10, num_problems=20, num_samples=8, seed=0, spread=0.0
    )
    spec, policy = RunSpec(budget_flops=1e15, baseline="sampled"), Patience(PaperPolicy(max_k=16), 2)
    header = Header(
        versions={"breakeven": "0.0.1", "numpy": "1.2.3"},
        config=config_to_builtins(load_recipe("countdown")),
        spec=spec,
        policy=policy_settings(policy),
        seed=0,
    )
    with RunLog.create(tmp_path / "recorded", header) as log:
        for observation, decision in zip(observations, replay(observations, spec, policy), strict=True):
            log.append(CheckpointRecord(observation=observation, decision=decision))
    return tmp_path / "recorded"
