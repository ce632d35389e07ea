"""Every block of README and docs runs, top to bottom, in one directory a page, and prints what the page shows.

One that cannot run in seconds says so in its first line, for the reader too: `# not run in the tests: WHY`.
"""

import ast
import dataclasses
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven import CalibratedPolicy, PaperPolicy, read_log, replay
from breakeven.classifiers.families import FAMILIES
from breakeven.classifiers.recipe import classifier_from
from breakeven.cli import app
from breakeven.config import config_from, is_classifier, load_recipe, policy_from, recipe_settings
from breakeven.data.made.mixture import Mixture
from breakeven.report.brief import brief
from breakeven.report.explain import progress_line

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if path.name != "log.md"  # what was run on its day
}
SLOW = {"docs/transformers.md", "docs/tutorial.md"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"# not run in the tests: \S")
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", flags=re.MULTILINE)
BREAKEVEN = re.compile(r"(?:cat (\S+) \| )?breakeven (.*?)(?: \| (head|tail) -(\d+))?(?:\s+#.*)?", flags=re.DOTALL)
SIZES = {
    "train": "steps=8 batch_size=8 num_sequences=64 warmup_steps=2",
    "model": "num_layers=1 embedding=16 num_heads=2 feed_forward=16",
    "evaluate": "every_steps=4 num_problems=20 num_samples=4",
    "verify": "num_problems=20 num_samples=4",
}
SMALL = [word for section, keys in SIZES.items() for key in keys.split() for word in ("--set", f"{section}.{key}")]
"""Added to `breakeven run`, whose output is then another, and shown in a block of text."""


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Place, language and text of each block."""
    for found in BLOCK.finditer(PAGES[page]):
        yield f"{page}, line {PAGES[page][: found.start()].count(chr(10)) + 1}", found[1], found[2]


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Each command that runs, with the lines that it shows."""
    return [
        (command, shown.splitlines())
        for _, language, text in blocks(page)
        if language == "console" and not NOT_RUN.match(text)
        for command, shown in COMMAND.findall(text)
    ]


def run_command(command: str, shown: list[str]) -> None:
    """Run it as a shell would; `cat FILE` alone shows a file of the reader's, and makes it."""
    if mine := re.fullmatch(r"cat (\S+)", command):
        Path(mine[1]).write_text("".join(f"{line}\n" for line in shown), encoding="utf-8")
        return
    piped = BREAKEVEN.fullmatch(command)
    assert piped is not None, command
    source, arguments, end, lines = piped.groups()
    arguments = shlex.split(arguments.replace("\\\n", " ")) + (SMALL if arguments.startswith("run ") else [])
    result = CliRunner().invoke(app, arguments, input=source and Path(source).read_bytes())
    assert result.exit_code in (0, 10), f"{command}\n{result.output}"
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    if end:
        printed = printed[: int(lines)] if end == "head" else printed[-int(lines) :]
    if "..." in (line[-3:] for line in shown):
        assert re.fullmatch("".join(map(shown_as, shown)), "".join(f"{line}\n" for line in printed)), "\n".join(printed)
    elif shown:
        assert printed == shown, command


def shown_as(line: str) -> str:
    """What a shown line stands for: "..." alone for any lines, at its end for the rest of it."""
    if line == "...":
        return r"(?:.*\n)*?"
    return (re.escape(line.removesuffix("...")) + ".*" if line.endswith("...") else re.escape(line)) + "\n"


@pytest.mark.parametrize("page", [pytest.param(each, marks=pytest.mark.slow if each in SLOW else ()) for each in PAGES])
def test_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for shared in ("examples", "tests"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    if page == "docs/transformers.md":
        save_tiny_model(tmp_path / "my-model")
    namespace: dict[str, object] = {"__name__": "page"}
    for place, language, text in blocks(page):
        if NOT_RUN.match(text):
            if language == "python":
                ast.parse(text, place)
        elif language == "console":
            found = COMMAND.findall(text)
            assert sum(line.startswith("$ ") for line in text.splitlines()) == len(found) > 0, place
            for command, shown in found:
                run_command(command, shown.splitlines())
        elif language == "python":
            exec(compile(text, place, "exec"), namespace)
        elif language == "toml":
            assert tomllib.loads(text), place
            Path("mine.toml").write_text(text, encoding="utf-8")
            settings = recipe_settings("mine.toml")
            (classifier_from if is_classifier(settings) else config_from)(settings)
        elif language == "jsonl":
            assert [json.loads(line) for line in text.splitlines()], place
        else:
            assert language in ("text", "csv"), f"{place}: say what the block is, console or python to run it"


@pytest.mark.parametrize("page", [page for page in PAGES if "design" not in page])
def test_every_block_is_fenced(page: str) -> None:
    """So that none is overlooked. Pages of the design have formulas alone."""
    assert not re.findall(r"\n\n( {4}\S.*)", BLOCK.sub("", PAGES[page]))


def test_page_of_decide_shows_each_kind_of_log_with_its_output() -> None:
    shipped = {path.name for path in (ROOT / "examples" / "evals").iterdir()}
    told = commands("docs/decide.md")
    assert shipped == {name for command, _ in told for name in re.findall(r"examples/evals/([\w.]+)", command)}
    assert all(shown for _, shown in told)


@pytest.mark.slow
def test_the_rate_of_each_schedule_falls_over_the_share_that_the_page_of_transformers_names() -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    said = {"0": 0.0, "1 - warm-up steps / all steps": 0.9, "`num_decay_steps` / all steps": 0.2}
    rows = re.findall(r"^\| (`.*) \| (.*) \|$", PAGES["docs/transformers.md"], flags=re.MULTILINE)
    shares = {name: said[share] for names, share in rows if share in said for name in re.findall(r"`(\w+)`", names)}
    assert len(shares) == 7
    settings = {"warmup_stable_decay": {"num_decay_steps": 200}, "cosine_with_min_lr": {"min_lr_rate": 0.1}}
    for name, share in shares.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = transformers.get_scheduler(name, optimizer, 100, 1000, settings.get(name))
        rates = []
        for _ in range(1000):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        last_full = max(step for step, rate in enumerate(rates) if rate == 1.0)
        assert 1.0 - last_full / 1000 == pytest.approx(share or 0.001), name


def test_page_of_concepts_names_every_setting_of_a_recipe() -> None:
    recipe = load_recipe("countdown")
    other = classifier_from(recipe_settings("resnet-mnist"))
    parts: list[Any] = [recipe, recipe.task, Mixture(), recipe.model, recipe.train, recipe.evaluate, recipe.verify]
    parts += [other, other.data, other.train, other.passes, other.evaluate, *FAMILIES.values()]
    parts += [CalibratedPolicy(), PaperPolicy()]
    settings = [each.name for part in parts for each in dataclasses.fields(part)]
    assert not {name for name in settings if f"`{name}`" not in PAGES["docs/concepts.md"]}


def test_entries_of_the_log_stand_apart_and_the_latest_days_come_first() -> None:
    text = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
    assert not re.search(r"[^\n]\n## ", text)
    days = re.findall(r"^## (\S+):", text, flags=re.MULTILINE)
    assert days == sorted(days, reverse=True)


def test_the_demo_that_the_readme_shows_is_the_one_that_ships_and_is_decided_so_today() -> None:
    record = read_log(ROOT / "examples" / "runs" / "countdown-1")
    words = " ".join(PAGES["README.md"].split())
    for line in map(partial(progress_line, total_steps=2000), record.checkpoints[-3:]):
        assert line in words
    again = replay(
        [each.observation for each in record.checkpoints], record.header.spec, policy_from(record.header.policy)
    )
    for label, text in brief(again[-1]):
        assert " ".join(f"{label} {text}".split()) in words


def save_tiny_model(place: Path) -> None:
    """A language model of transformers that reads digits and signs, with random weights."""
    transformers = pytest.importorskip("transformers")
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(["<end>", "<unk>", *"0123456789+="])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", unk_token="<unk>")
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
        bos_token_id=None,
        eos_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.LlamaForCausalLM(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
