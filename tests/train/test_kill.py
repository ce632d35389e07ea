"""Ending a real run at any moment, by force or by signal, and resuming it leaves the bytes of an uninterrupted one."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("torch")

from breakeven.config import config_from, load_recipe
from breakeven.store import RunLog, read_log
from breakeven.train import loop

pytestmark = pytest.mark.slow

RECIPE = """
name = "tiny"
to_end = true
baseline = "sampled"
task = { num_numbers = 2, max_number = 9, max_target = 20 }
model = { num_layers = 1, embedding = 32, num_heads = 2, feed_forward = 64 }
train = { steps = 120, batch_size = 64, learning_rate = 0.02, warmup_steps = 5 }
evaluate = { every_steps = 1, num_problems = 10, num_samples = 4 }
policy = { name = "paper", patience = 3, max_k = 16 }
verify = { num_problems = 10, num_samples = 4 }
"""
TIMEOUT_SECONDS = 100


@dataclass(frozen=True)
class Uninterrupted:
    recipe: Path
    files: dict[str, bytes]
    seconds: float


def files(run_dir: Path) -> dict[str, bytes]:
    """What a run leaves, apart from its lock, its report and the remains of a write that was cut short."""
    paths = (path for path in run_dir.rglob("*") if path.is_file())
    kept = (path for path in paths if path.name not in ("lock", "report.html") and path.suffix != ".partial")
    return {str(path.relative_to(run_dir)): path.read_bytes() for path in kept}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    directory = tmp_path_factory.mktemp("uninterrupted")
    recipe = directory / "tiny.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    config = load_recipe(str(recipe))
    started = time.perf_counter()
    with loop.start_run(config, directory / "run") as log:
        loop.run(config, directory / "run", log, mode="shadow")
    return Uninterrupted(recipe, files(directory / "run"), time.perf_counter() - started)


@contextmanager
def breakeven_run(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`breakeven run` in a process of its own, once it has opened the run."""
    command = [sys.executable, "-m", "breakeven", "run", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "steps planned; recording to" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def resume_to_the_end(run_dir: Path) -> None:
    with RunLog.open(run_dir) as log:
        loop.run(config_from(log.header.config), run_dir, log, mode="shadow")


def test_a_run_killed_ten_times_ends_as_if_it_had_not_been(uninterrupted: Uninterrupted, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    moments = random.Random(20)
    num_killed = 0
    for kill in range(10):
        arguments = ("--resume", run_dir) if kill else (uninterrupted.recipe, "--out", run_dir)
        with breakeven_run(*arguments) as process:
            time.sleep(moments.uniform(0.0, 0.15 * uninterrupted.seconds))
            process.kill()
            num_killed += process.wait(TIMEOUT_SECONDS) == -signal.SIGKILL
        written = (run_dir / "log.jsonl").read_bytes()
        assert uninterrupted.files["log.jsonl"].startswith(written), f"after kill {kill}"
        read_log(run_dir)
    assert num_killed >= 5, "most kills must hit a run that is not over yet"
    resume_to_the_end(run_dir)
    assert files(run_dir) == uninterrupted.files


def test_a_signal_ends_a_run_cleanly_and_it_goes_on_to_the_same_bytes(
    uninterrupted: Uninterrupted, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    for number, exit_code, arguments in (
        (signal.SIGINT, 130, (uninterrupted.recipe, "--out", run_dir)),
        (signal.SIGTERM, 143, ("--resume", run_dir)),
    ):
        with breakeven_run(*arguments) as process:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("step "):
                assert process.poll() is None
            process.send_signal(number)
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert (process.returncode, err) == (exit_code, "")
        record = read_log(run_dir)
        assert not record.recovered
        step = record.checkpoints[-1].observation.step
        assert f"Interrupted at step {step}; everything recorded is kept." in out
        assert f"Go on with: breakeven run --resume {run_dir}\n" in out
        assert f"Why, in one page: {run_dir / 'report.html'}" in out
        assert not list(run_dir.rglob("*.partial"))
    resume_to_the_end(run_dir)
    assert files(run_dir) == uninterrupted.files
