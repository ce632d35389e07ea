"""The winner measured again: its optimism under noise, what the trials cost, and when they are paid back."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Refusal
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.method import run_trials
from breakeven.plan.trials.outcome import Outcome, course_of, difference, outcome_of, table_of
from breakeven.plan.trials.space import Configuration, Space, integers
from breakeven.plan.trials.synthetic import graph
from breakeven.records.options import Option, Quality
from breakeven.store import CellFile, PlanHeader

GRAPH = graph()
LINE = Space(choices=(integers("n", 1, 9),), price=lambda each: float(each["n"]))
FRESH = Evaluation(quality=Quality(value=0.5, lo=0.4, hi=0.6), flops=7.0)


def option(name: str, configuration: Configuration, quality: Quality) -> Option:
    settings = dict(configuration)
    return Option(
        name=name, settings=settings, train_flops=100.0, query_flops=LINE.cost(configuration), quality=quality
    )


def line_of(*values: int) -> Archive:
    """Trials in which a smaller `n` seems the better."""
    archive = Archive(space=LINE)
    for n in values:
        quality = Quality(value=1.0 - 0.1 * n, lo=0.9 - 0.1 * n, hi=1.1 - 0.1 * n)
        archive.add({"n": n}, Evaluation(quality=quality, flops=20.0), "random")
    return archive


def test_what_is_charged_and_when_it_is_paid_back() -> None:
    """Two trials of 20 and two measurements of 7 are 54 FLOPs; n = 2 saves 4 a query against n = 6."""
    found = outcome_of(line_of(2, 3), lambda _: FRESH, option, default={"n": 6})
    assert found.winner.settings == {"n": 2}
    assert found.winner.one_off == {"search": 40.0, "evaluation": 14.0}
    assert found.winner.once == 154.0
    assert found.paid_back_queries == 54.0 / 4.0
    assert found.search_queries == 20.0
    assert found.gain is not None
    assert found.gain.value == 0.0
    assert found.optimism.value == pytest.approx(0.8 - 0.5)
    assert found.optimism.lo == pytest.approx(0.3 - math.hypot(0.1, 0.1))
    texts = [each.text for each in found.findings()]
    assert texts[-1] == "queries after which the trials are paid back against default"
    assert found.not_counted() == ()


@pytest.mark.parametrize(
    ("usual", "note"),
    [
        (0.2, ()),
        (0.45, ("On fresh problems the best trial is better than the default by less than the noise.",)),
        (0.5, ("On fresh problems the best trial is no better than the default: it was picked for its luck.",)),
    ],
)
def test_a_gain_that_is_none_is_said(usual: float, note: tuple[str, ...]) -> None:
    def measure(each: Configuration) -> Evaluation:
        value = 0.5 if each["n"] == 2 else usual
        return Evaluation(quality=Quality(value=value, lo=value - 0.1, hi=value + 0.1), flops=7.0)

    assert outcome_of(line_of(2, 3), measure, option, default={"n": 6}).notes() == note
    assert outcome_of(line_of(2, 3), measure, option, default={"n": 2}).notes() == ()


def test_a_winner_that_costs_more_a_query_is_never_paid_back() -> None:
    found = outcome_of(line_of(2, 3), lambda _: FRESH, option, default={"n": 1})
    assert found.paid_back_queries == math.inf
    assert found.findings()[-1].value is None
    assert "never, for the winner saves no FLOPs per query" in found.findings()[-1].text


def test_the_default_may_win_and_is_then_measured_once() -> None:
    asked: list[Configuration] = []

    def measure(each: Configuration) -> Evaluation:
        asked.append(each)
        return FRESH

    found = outcome_of(line_of(2, 3), measure, option, default={"n": 2})
    assert len(asked) == 1
    assert found.winner.one_off["evaluation"] == 7.0
    assert found.paid_back_queries == math.inf


def test_without_a_default_nothing_is_said_of_one(tmp_path: Path) -> None:
    cells = Cells(file=CellFile(tmp_path, PlanHeader(versions={}, row="trials", settings={})))
    for _ in range(2):
        found = outcome_of(line_of(2), lambda _: FRESH, option, cells=cells)
    assert (found.default, found.gain, found.paid_back_queries) == (None, None, None)
    assert len(found.findings()) == 3
    assert list(cells.file) == ["again n=2"]
    with pytest.raises(ArgumentError, match="archive must hold at least one trial"):
        outcome_of(Archive(space=LINE), lambda _: FRESH, option)


def test_tokens_that_have_no_price_are_said_to_be_in_no_line() -> None:
    archive = line_of(2)
    archive.refused[Refusal.INVALID] += 3
    archive.proposer.calls, archive.proposer.failed_calls = 4, 1
    archive.proposer.prompt_tokens, archive.proposer.output_tokens, archive.proposer.flops = 900, 80, None
    found = outcome_of(archive, lambda _: FRESH, option)
    assert found.winner.one_off["search"] == 20.0
    assert "900 tokens read and 80 written" in found.not_counted()[0]
    assert found.notes()[0] == "Of the proposals were refused, at no trial: 3 invalid."
    assert "in 1 of 4 calls" in found.notes()[1]


def test_the_optimism_is_above_0_under_noise_and_gone_on_fresh_problems() -> None:
    """40 random trials on 128 problems, over 30 seeds whose truth is known: one-sided at 95 %, and 0 within 99 %."""

    def run(seed: int) -> tuple[Outcome, float]:
        evaluate = partial(GRAPH.evaluate, seed=seed)
        archive = run_trials(GRAPH.space, evaluate, AtRandom(seed=seed), num_trials=40, seed=seed)
        found = outcome_of(archive, partial(GRAPH.evaluate, num_problems=512, seed=1000 + seed), GRAPH.option)
        return found, GRAPH.truth(found.winner.settings)

    runs = [run(seed) for seed in range(30)]
    seen = np.array([found.seen.value - truth for found, truth in runs])
    again = np.array([found.winner.quality.value - truth for found, truth in runs])
    assert seen.mean() - 1.65 * seen.std(ddof=1) / math.sqrt(30) > 0.03
    assert abs(again.mean()) < 2.58 * again.std(ddof=1) / math.sqrt(30)
    inside = sum((found.winner.quality.lo or 0) <= truth <= (found.winner.quality.hi or 1) for found, truth in runs)
    assert inside >= 23  # of 30 at 90 %: fewer with a chance of 2 %


def test_a_table_of_the_best_and_the_course_of_all() -> None:
    archive = line_of(3, 2, 4)
    assert table_of(archive, most=2).rows == (
        ("n=2", "0.800", "2", "20", "random"),
        ("n=3", "0.700", "3", "20", "random"),
    )
    assert course_of(archive, "random").points == ((20.0, 0.7), (40.0, 0.8), (60.0, 0.8))


def test_a_default_that_is_no_configuration() -> None:
    with pytest.raises(ArgumentError, match=r"default must be a configuration of the space; got .* n cannot be 10\."):
        outcome_of(line_of(2), lambda _: FRESH, option, default={"n": 10})


@pytest.mark.parametrize(
    ("first", "second", "half"),
    [
        (Quality(value=0.5, value_P=(1, 0, 1, 0)), Quality(value=0.25, value_P=(1, 0, 0, 0)), 1.6449 * 0.25),
        (Quality(value=0.5, value_P=(1, 0, 1, 0)), Quality(value=0.25, value_P=(1, 0, 0, 0), problems="fresh"), None),
        (Quality(value=0.5, lo=0.2, hi=0.8), Quality(value=0.25, lo=-0.15, hi=0.65), 0.5),
        (Quality(value=0.5), Quality(value=0.25, lo=0.1, hi=0.4), math.nan),
    ],
)
def test_differences_are_paired_where_they_can_be(first: Quality, second: Quality, half: float | None) -> None:
    found = difference(first, second)
    assert found.value == 0.25
    if half is None:  # of two sets: variances 1/3 and 1/4, over 4 problems each
        half = 1.6449 * math.sqrt((1 / 3 + 1 / 4) / 4)
    if math.isnan(half):
        assert (found.lo, found.hi) == (None, None)
    else:
        assert found.lo == pytest.approx(0.25 - half, abs=1e-4)
        assert found.hi == pytest.approx(0.25 + half, abs=1e-4)
