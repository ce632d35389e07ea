"""The recorded runs are whole, and what the docs say of them is what the present code makes of them."""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from breakeven import read_log, replay
from breakeven.choice.break_even import lower_envelope
from breakeven.config import policy_from
from breakeven.records import Option
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.patience import Patience

ROOT = Path(__file__).parents[1]
SUITE = sorted((ROOT / "benchmarks" / "suite").glob("*.jsonl.gz"))
LATE = sorted(path for name in ("rising", "late") for path in (ROOT / "benchmarks" / name).glob("*.jsonl.gz"))
LOSSES = sorted((ROOT / "benchmarks" / "suite").glob("*.losses.gz"))
PAGE = ROOT / "docs" / "benchmark.md"


@pytest.fixture(scope="module")
def suite() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("suite")


def test_run_recorded_in_paper_mode_is_decided_as_it_was() -> None:
    record = read_log(ROOT / "tests" / "recorded" / "paper-countdown")
    policy = policy_from(record.header.policy)
    decisions = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    assert policy.name == "paper"
    assert len(decisions) == 50
    assert next(each.step for each in decisions if each.stop) == 400
    for decision, checkpoint in zip(decisions, record.checkpoints, strict=True):
        now, then = (list(leaves(msgspec.to_builtins(each))) for each in (decision, checkpoint.decision))
        # Bit for bit where it was recorded; other vector instructions round the last digits otherwise.
        assert [each for each in now if not isinstance(each, float)] == [
            each for each in then if not isinstance(each, float)
        ]
        assert [each for each in now if isinstance(each, float)] == pytest.approx(
            [each for each in then if isinstance(each, float)], rel=1e-9
        )


def test_continued_runs_are_decided_as_they_were_and_their_page_is_of_what_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    continued = importlib.import_module("continued")
    page = " ".join((ROOT / "docs" / "continued.md").read_text().split())
    for line in (*continued.spent(), *continued.table(), *continued.levels()):
        assert line in page
    record = continued.load("continued-seed0")
    policy = policy_from(record.header.policy)
    decisions = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    for now, then in zip(decisions, (each.decision for each in record.checkpoints), strict=True):
        assert (now.action, now.reason, now.step) == (then.action, then.reason, then.step)
        assert (now.serving and now.serving.k) == (then.serving and then.serving.k)
    assert record.header.start.spent.steps == continued.load("base").checkpoints[-1].observation.step
    assert continued.load("scratch-seed0").header.start is None
    assert continued.load("scratch-seed0").header.spec == record.header.spec


def test_table_of_runs_in_shadow_mode_is_of_what_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    shadow = importlib.import_module("shadow")
    page = PAGE.read_text().replace("\n", " ")
    runs = {(each.framework, each.task, each.family, each.seed): each for each in shadow.recorded()}
    square, continued = ([runs[each] for each in keys] for keys in (shadow.square(), shadow.CONTINUED))
    assert len(runs) == len(square) + len(continued)
    for line in (*shadow.table(square), shadow.tally(square), *shadow.table(continued)):
        assert line in page


def test_suite_is_small_enough_to_be_shipped() -> None:
    assert SUITE
    assert sum(path.stat().st_size for path in SUITE) < 8_000_000
    assert max((path.stat().st_size for path in LATE), default=0) < 400_000


@pytest.mark.parametrize("path", SUITE + LATE, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_recorded_run_is_whole(path: Path, suite: ModuleType) -> None:
    run = suite.load(path)
    assert path.name == f"{run.name}.jsonl.gz"
    assert run.kind in path.name
    assert run.spec.decay_share is not None
    assert run.validation[-1].train_flops == pytest.approx(run.spec.budget_flops)
    for observations in (run.validation, run.test):
        steps = [each.step for each in observations]
        flops = [each.train_flops for each in observations]
        assert steps == sorted(set(steps))
        assert flops == sorted(set(flops))
        assert len({each.bank.num_problems for each in observations}) == 1
        assert {len(row) for each in observations for row in each.bank.correct_PN} == {48 if path in LATE else 64}
        assert all(each.evaluation_flops > 0 for each in observations)
    assert [each.step for each in run.validation] == [each.step for each in run.test]
    seeds = [each.bank.seed for each in (*run.validation, *run.test)]
    assert len(set(seeds)) == len(seeds), "validation and test are drawn apart, and so is every checkpoint"
    assert {each.bank.oracle for each in (*run.validation, *run.test)} == {run.kind == "chain"}


@pytest.mark.parametrize("path", LATE, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_late_run_was_recorded_with_its_validation_loss(path: Path, suite: ModuleType) -> None:
    run = suite.load(path)
    for each in (*run.validation, *run.test):
        assert each.validation_loss is not None
        assert 0 < each.validation_loss.flops < each.evaluation_flops
        assert len(each.validation_loss.mean_P) == each.bank.num_problems


@pytest.mark.parametrize("path", LOSSES, ids=lambda path: path.name.removesuffix(".losses.gz"))
def test_losses_of_a_second_training_are_of_the_same_checkpoints(path: Path, suite: ModuleType) -> None:
    run = suite.load(path.with_name(path.name.replace(".losses", ".jsonl")))
    for each in run.validation:
        assert each.validation_loss is not None
        assert len(each.validation_loss.mean_P) == each.bank.num_problems


def test_page_holds_what_the_default_policy_makes_of_a_run(suite: ModuleType) -> None:
    name = "countdown-easy-seed0"
    outcome = suite.calibrated(suite.load(ROOT / "benchmarks" / "suite" / f"{name}.jsonl.gz"), None)
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    header = next(cells for cells in rows if cells[0] == "run")
    (cells,) = (each for each in rows if each[0] == name)
    column = next(place for place, title in enumerate(header) if title.startswith("calibrated:"))
    assert cells[column] == suite.describe(outcome)


def test_page_holds_what_a_law_misses_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    laws = importlib.import_module("laws")
    found = laws.held_to_the_second_half(laws.load(laws.SUITE / "countdown-seed0.jsonl.gz"), laws.t2_additive)
    page = (ROOT / "docs" / "laws.md").read_text("utf-8")
    (cells,) = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| countdown-seed0 "))
    told = [float(cells[place]) for place in (1, 2, 5)]
    assert told == pytest.approx([found.num_points, 100 * found.error, 100 * found.mean_error], abs=0.2)


def leaves(value: Any) -> Iterator[Any]:
    """All words and numbers of a decision, in order."""
    if isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


def test_cases_of_one_simulated_run_decided_together_end_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    risk = importlib.import_module("risk")
    setting = risk.Setting("plateau", "plateau", num_problems=100)
    policies = {each: Patience(CalibratedPolicy(risk=each), 1) for each in (0.1, 0.2)}
    cases = [(0.1, 0.0), (0.1, 0.1), (0.2, 0.1), (0.2, 0.0)]
    together = risk.outcomes(setting, policies, cases, 3, [])
    alone = [each for case in cases for each in risk.outcomes(setting, policies, [case], 3, [])]
    assert {(each.risk, each.volume): each for each in together} == {(each.risk, each.volume): each for each in alone}
    assert len({each.used for each in together}) > 1, "they stop apart"


@pytest.mark.parametrize("path", [SUITE[3], LATE[0]], ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_oracle_is_the_one_that_a_search_written_out_finds(path: Path, suite: ModuleType) -> None:
    """In every field, to the last digit: over all runs once, docs/log.md, "choosing in one way"; here over a few."""
    recorded = importlib.import_module("recorded")
    run, margin = recorded.load(path), CalibratedPolicy().margin
    used = {test.step: test.train_flops / run.spec.budget_flops for test in run.test}
    truths = {test.step: recorded.tally_of(test.bank) for test in run.test}
    for volume in (0.0, 0.1, 1.0):
        queries = recorded.volume_queries(run, volume)
        wanted = recorded.full(run)
        for test in run.test[:-1]:
            for curve in recorded.true_curves(run.name, test):
                price_K, _, _ = recorded.query_price(recorded.learning_point(test, truths[test.step]), curve, run.spec)
                for k, flops in zip(curve.k_values, price_K.tolist(), strict=True) if curve.deployable else ():
                    other = recorded.Outcome(used[test.step], 0.0, flops, 0.0, 0.0, k, curve.strategy)
                    if recorded.lifetime(run, other, queries) >= recorded.lifetime(run, wanted, queries):
                        continue
                    accuracy_P = recorded.accuracy_per_problem(truths[test.step], curve.strategy, k)
                    difference, error = recorded.against_full(run, accuracy_P)
                    if difference >= -margin:
                        wanted = replace(other, difference=difference, error=error)
        assert recorded.oracle(run, queries, margin) == wanted


@pytest.mark.parametrize(
    ("name", "at_once", "in_turn"),
    [
        (
            "countdown-endless-seed0",
            ["120 32 0", "150 16 2.7e+03", "180 8 5.3e+03", "330 4 5.3e+04", "1500 greedy 5.5e+05"],
            ["120 32 0", "150 16 5.5e+03", "180 8 1.3e+04", "330 4 1.0e+05", "1500 greedy 9.9e+05"],
        ),
        (
            "countdown-easy-seed0",
            ["80 8 0", "160 4 2.9e+04", "280 2 8.5e+04", "400 greedy 1.7e+05", "440 greedy 6.9e+07"],
            ["80 8 0", "160 4 3.3e+04", "280 2 1.2e+05", "400 greedy 2.2e+05", "440 greedy 6.9e+07"],
        ),
        (
            "rules-seed0",
            ["64 32 0", "160 16 4.1e+04", "416 8 2.2e+05", "880 4 7.9e+05", "1600 greedy 1.6e+06"],
            ["64 32 0", "160 16 7.5e+04", "416 8 3.2e+05", "880 4 1.3e+06", "1600 greedy 2.6e+06"],
        ),
    ],
)
def test_who_is_cheapest_from_how_many_queries_on(
    name: str, at_once: list[str], in_turn: list[str], suite: ModuleType
) -> None:
    """Checkpoint and K of Pass@K, a checker at serving time: all K samples drawn at once, or until one is right."""
    recorded = importlib.import_module("recorded")
    run = recorded.load(ROOT / "benchmarks" / "suite" / f"{name}.jsonl.gz")
    for together, expected in ((True, at_once), (False, in_turn)):
        options = [
            each
            for each in recorded.options_of(run, at_once=together)
            if each.settings["strategy"] in ("greedy", "pass@k") and each.settings["k"] <= 32
        ]
        full = [each for each in options if each.settings["strategy"] == "greedy"][-1]
        level = full.quality.value - 0.01
        stretches = lower_envelope([each for each in options if each.quality.value >= level])
        shown = [
            f"{each.option.settings['step']} {_way(each.option)} {f'{each.queries:.1e}' if each.queries else 0}"
            for each in stretches
            if each.queries < 1e9  # the easy run's own end, by a hair shorter answers, is the cheapest from 4.4e9 on
        ]
        assert shown == expected


def _way(option: Option) -> str | int:
    return "greedy" if option.settings["strategy"] == "greedy" else int(option.settings["k"])
