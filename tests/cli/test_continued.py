"""Continued training on the command line: a mixture first, then one of its tasks, and what is said of the start."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from breakeven.report.format import format_flops
from breakeven.store import read_log

BASE = """
name = "base"
mode = "advise"
model = { num_layers = 1, embedding = 16, num_heads = 2, feed_forward = 16 }
train = { steps = 12, batch_size = 8, learning_rate = 0.01, warmup_steps = 2 }
evaluate = { every_steps = 6, num_problems = 6, num_samples = 4 }
[task]
kind = "mixture"
shares = [1, 3]
members = [
    { kind = "sorting", length = 3, num_values = 10 },
    { kind = "countdown", num_numbers = 2, max_number = 9, max_target = 20 },
]
"""


@pytest.fixture
def base(cli, tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    assert cli("run", "base.toml").exit_code == 0
    return Path("runs/base-1")


def test_the_start_is_told_wherever_the_run_is(cli, base: Path, recipe: Path) -> None:
    said = cli("run", recipe, "--set", f"model.start={base}", "--out", "run").stdout
    start = read_log("run").header.start
    assert start is not None
    assert start.spent is not None
    spent = format_flops(start.spent.train_flops)
    sentence = (
        f"Training began with the weights in runs/base-1/full (checksum {start.crc32}). {spent} of training were spent "
        f"on them before (12 steps, {start.spent.train_tokens:,} tokens), and are no part of the budget"
    )
    assert sentence in " ".join(said.split())
    status = " ".join(cli("status", "run").stdout.split())
    assert f"Began {sentence}" in status
    assert f"Before this run, on the model it began with {spent} no part of the budget" in status
    assert json.loads(cli("status", "run", "--json").stdout)["start"]["weights"] == "runs/base-1/full"
    assert cli("report", "run", "--out", "page.md").exit_code == 0
    page = Path("page.md").read_text(encoding="utf-8")
    assert sentence in page
    assert f"| Before this run, on the model it began with | {spent} | no part of the budget |" in page


def test_a_start_that_is_not_there_is_refused_and_leaves_nothing(refused, recipe: Path) -> None:
    said = refused("run", recipe, "--set", "model.start=runs/base-1")
    assert said.startswith("model.start must be a directory; got 'runs/base-1'.")
    assert not Path("runs").exists()


def test_a_resumed_run_says_again_where_it_began(cli, base: Path, recipe: Path) -> None:
    cli("run", recipe, "--set", f"model.start={base}", "--out", "run")
    assert "Training began with the weights in runs/base-1/full" in " ".join(
        cli("run", "--resume", "run").stdout.split()
    )


def test_a_continued_run_is_replayed_and_evaluated_as_any_other(cli, base: Path, recipe: Path) -> None:
    cli("run", recipe, "--set", f"model.start={base}", "--to-end", "--out", "run")
    assert cli("replay", "run").exit_code == 0
    assert cli("eval", "run", "--num-problems", "4", "-n", "2", "--out", "evals").exit_code == 0


def test_a_shipped_recipe_says_which_start_it_lacks(refused) -> None:
    said = refused("run", "continue-countdown")
    assert said.startswith("model.start must be a directory; got 'runs/pretrain-mixture-1'.")
