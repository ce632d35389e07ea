"""`benchmarks/classifiers.py`: its tables are those of the page, and its logs are decided as they were recorded."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from breakeven.classifiers.recipe import classifier_from
from breakeven.config import CLASSIFIERS, policy_from, recipe_names, recipe_settings
from breakeven.session.replay import replay

ROOT = Path(__file__).parents[1]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("classifiers")


def test_every_recipe_is_recorded_with_three_seeds(benchmark: ModuleType) -> None:
    runs = benchmark.recorded()
    assert [(each.task, each.seed) for each in runs] == [
        (name, seed) for name in recipe_names(CLASSIFIERS) for seed in (0, 1, 2)
    ]
    for each in runs:
        assert (each.stop is None) == (each.verification is None) == (each.serving is None)
        assert each.checkpoints[-1].step == each.steps


def test_the_page_holds_what_the_script_prints(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["classifiers.py"])
    benchmark.main()
    page = (ROOT / "docs" / "classifiers.md").read_text("utf-8")
    words = " ".join(page.split())
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line for line in printed if " ".join(line.removeprefix("- ").split()) not in words] == []


def test_the_logs_are_of_these_runs_and_replay_as_they_were_decided(benchmark: ModuleType) -> None:
    for run in benchmark.recorded()[::4]:
        record = benchmark.record_of(run.task, run.seed)
        shipped = classifier_from(recipe_settings(run.task, [f"seed={run.seed}", "mode=shadow"]))
        recorded = classifier_from({name: record.header.config[name] for name in recipe_settings(run.task)})
        assert (recorded.model, recorded.train, recorded.passes) == (shipped.model, shipped.train, shipped.passes)
        observed = [each.observation for each in record.checkpoints]
        again = replay(observed, record.header.spec, policy_from(record.header.policy))
        told = [(each.action, each.reason, each.step) for each in again]
        assert told == [(each.decision.action, each.decision.reason, each.decision.step) for each in record.checkpoints]


def test_what_is_recorded_of_a_run_is_what_its_log_holds(benchmark: ModuleType) -> None:
    shadowed = importlib.import_module("shadowed")
    for run in benchmark.recorded():
        told = shadowed.seen_by(benchmark.record_of(run.task, run.seed))
        assert told == {name: getattr(run, name) for name in told}


def test_the_page_holds_what_runs_would_be_without_their_decay(benchmark: ModuleType) -> None:
    number = re.compile(r"\d\.\d\d")
    page = {number.sub("", line) for line in (ROOT / "docs" / "classifiers.md").read_text("utf-8").splitlines()}
    runs = [each for each in benchmark.recorded() if each.seed == 0]
    printed = [number.sub("", line) for line in benchmark.without_decay(runs)]
    assert len(printed) == 4, "two recipes"
    assert [line for line in printed if line not in page] == []
