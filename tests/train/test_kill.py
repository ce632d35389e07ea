"""Ending a real run at any moment, by force or by signal, and resuming it leaves the bytes of an uninterrupted one."""

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
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


def files(run_dir: Path) -> dict[str, bytes]:
    """What a run leaves, apart from its lock, its report and the remains of a write that was cut short."""
    paths = (path for path in run_dir.rglob("*") if path.is_file())
    kept = (path for path in paths if path.name not in ("lock", "report.html") and path.suffix != ".partial")
    return {str(path.relative_to(run_dir)): path.read_bytes() for path in kept}


@pytest.fixture(scope="module", params=["from scratch", "continued"])
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    path, text = folder / "tiny.toml", RECIPE
    if request.param == "continued":
        path.write_text(RECIPE.replace("every_steps = 1,", "every_steps = 60,"), encoding="utf-8")
        config = load_recipe(str(path), ["seed=7"])
        with loop.start_run(config, folder / "base") as log:
            loop.run(config, folder / "base", log, mode="advise")
        text = RECIPE.replace("num_layers = 1,", f"start = '{folder / 'base'}', num_layers = 1,")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def uninterrupted(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing befell."""
    run_dir = tmp_path_factory.mktemp("uninterrupted") / "run"
    config = load_recipe(str(recipe))
    with loop.start_run(config, run_dir) as log:
        loop.run(config, run_dir, log, mode="shadow")
    return files(run_dir)


FORKED = """
import os, sys
os.setsid()
for stream in (1, 2):
    os.dup2(os.open({said!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
sys.argv = ["breakeven", "run", *{arguments!r}]
from breakeven.cli import app
app()
"""


def forked_run(said: Path, *arguments: object) -> BaseProcess:
    """`breakeven run` in a process of its own, forked where torch is imported already: ten starts cost as much as one.

    Args:
        said: what it prints is added to this file.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["breakeven.cli", "breakeven.train.loop", "torch._dynamo"])
    source = FORKED.format(said=str(said), arguments=[str(each) for each in arguments])
    process = context.Process(target=exec, args=(source, {}))
    process.start()
    return process


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


def test_a_run_killed_ten_times_ends_as_if_it_had_not_been(
    uninterrupted: dict[str, bytes], recipe: Path, tmp_path: Path
) -> None:
    run_dir, moments = tmp_path / "run", random.Random(20)
    log = run_dir / "log.jsonl"

    def num_lines() -> int:
        return log.read_bytes().count(b"\n") if log.exists() else 0

    for kill in range(10):
        said = tmp_path / f"said-{kill}"
        until = num_lines() + moments.randint(1, 15)  # of 120 checkpoints
        process = forked_run(said, *(("--resume", run_dir) if kill else (recipe, "--out", run_dir)))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while num_lines() < until:
            assert process.is_alive(), said.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.05))  # a step and its evaluation take about 0.03 s
        process.kill()
        process.join(TIMEOUT_SECONDS)
        assert process.exitcode == -signal.SIGKILL
        assert uninterrupted["log.jsonl"].startswith(log.read_bytes()), f"after kill {kill}"
        read_log(run_dir)
    resume_to_the_end(run_dir)
    assert files(run_dir) == uninterrupted


def test_a_run_killed_in_its_cooldown_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    recipe, run_dir = tmp_path / "cooling.toml", tmp_path / "run"
    settings = 'mode = "stop"\ntarget = 0.0\non_stop = "cooldown"'
    text = RECIPE.replace("to_end = true", settings).replace("every_steps = 1,", "every_steps = 30,")
    recipe.write_text(
        text.replace("patience = 3", "patience = 1").replace("steps = 120", "cooldown_share = 1.0, steps = 120")
    )
    config = load_recipe(str(recipe))
    with loop.start_run(config, tmp_path / "whole" / "run") as log:
        stopped = loop.run(config, tmp_path / "whole" / "run", log, mode="stop")
    assert stopped.cooldown is not None
    assert stopped.cooldown.cooled is not None
    branch = run_dir / stopped.cooldown.branch
    for kill in range(2):
        said = tmp_path / f"said-{kill}"
        process = forked_run(said, *(("--resume", run_dir) if kill else (recipe, "--out", run_dir)))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not (branch / "log.jsonl").exists():
            assert process.is_alive(), said.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        process.join(TIMEOUT_SECONDS)
        assert process.exitcode == -signal.SIGKILL
    with RunLog.open(run_dir) as log:
        assert loop.run(config, run_dir, log, mode="stop").cooldown == stopped.cooldown
    assert files(run_dir) == files(tmp_path / "whole" / "run")


def test_a_signal_ends_a_run_cleanly_and_it_goes_on_to_the_same_bytes(
    uninterrupted: dict[str, bytes], recipe: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    for number, exit_code, arguments in (
        (signal.SIGINT, 130, (recipe, "--out", run_dir)),
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
    assert files(run_dir) == uninterrupted
