"""What the README and the docs tell a reader to run must run."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from breakeven import read_log, replay
from breakeven.cli import app
from breakeven.config import recorded_policy
from breakeven.cost.tokens import ModelCost

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_example_runs_and_is_short(example: Path, tmp_path: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) < 60
    arguments: tuple[str, ...] = ()
    if example.name == "continue_smollm2.py":  # which takes 15 minutes with the model of its name
        arguments = (str(tmp_path / "run"), "--steps", "12", "--model", str(tiny_model(tmp_path / "model")))
    done = subprocess.run(
        [sys.executable, str(example), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def tiny_model(directory: Path) -> Path:
    """A Llama of a few thousand weights that reads bytes."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={each: place for place, each in enumerate([*letters, "<end>"])}, merges=[]))
    inner.pre_tokenizer, inner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<end>").save_pretrained(
        directory
    )
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(letters) + 1, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
            num_attention_heads=2, bos_token_id=None, eos_token_id=len(letters),
        )
    ).save_pretrained(directory)  # fmt: skip
    return directory


@pytest.mark.parametrize("run", sorted((ROOT / "examples" / "runs").iterdir()), ids=lambda path: path.name)
def test_recorded_run_is_decided_today_as_it_was(run: Path) -> None:
    record = read_log(run)
    policy = recorded_policy(record.header.policy)
    again = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    for now, recorded in zip(again, record.checkpoints, strict=True):
        then = recorded.decision
        assert (now.action, now.reason, now.step, now.streak) == (then.action, then.reason, then.step, then.streak)
        assert (now.serving and now.serving.k) == (then.serving and then.serving.k)
    assert (run / "log.jsonl").stat().st_size < 200_000


def test_the_continued_smollm2_is_charged_for_its_adapter_and_was_verified() -> None:
    """Two thirds of full fine-tuning, and what the adapter itself takes."""
    record = read_log(ROOT / "examples" / "runs" / "smollm2-sums")
    last, found = record.checkpoints[-1].observation, record.verification
    assert last.model_cost is not None
    cost = ModelCost(**last.model_cost)  # type: ignore[arg-type]
    assert last.train_flops == pytest.approx(cost.train_flops(last.train_tokens / 22, 22))
    assert 0.67 < last.train_flops / replace(cost, backward_weights=2.0).train_flops(last.train_tokens / 22, 22) < 0.72
    assert found is not None
    assert [found.stopped_step] == [each.decision.step for each in record.checkpoints if each.decision.stop][:1]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_page_names_only_commands_and_options_that_exist(page: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    known = {option for command in commands.values() for each in command.params for option in each.opts}
    known |= {option for command in commands.values() for each in command.params for option in each.secondary_opts}
    for line in re.findall(r"\bbreakeven ([a-z-]+ [^`|\n]*)", page.read_text("utf-8")):
        words = line.split()
        if words[0] in commands:
            assert {word for word in words if word.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
