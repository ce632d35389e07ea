"""What is said of families: crossovers, gaps, pay-back and the solver trained on, on options worked out by hand."""

import pytest

from breakeven.plan.verifying.compared import (
    Unit,
    compared,
    comparison_findings,
    gap_table,
    paid_back,
    trained_on_findings,
)
from breakeven.plan.verifying.families import Family
from breakeven.records.options import Option, Quality


def option(name, price, right, *, once=0.0, verifier=0.0):
    """Of ten problems so many are solved."""
    value_P = (1.0,) * right + (0.0,) * (10 - right)
    return Option(
        name=name,
        train_flops=once,
        one_off={"verifier": verifier} if verifier else {},
        query_flops=price,
        quality=Quality(value=right / 10, value_P=value_P, problems="ten"),
    )


VOTES = Family(name="vote", options=(option("one", 1, 3, once=50), option("eight", 8, 6, once=50)))
GOOD = Family(
    name="good",
    options=(option("good 2", 4, 2, once=50, verifier=40), option("good 4", 6, 8, once=50, verifier=40)),
)
WEAK = Family(name="weak", options=(option("weak 2", 4, 2, once=50, verifier=40),))
ON = Family(name="trained on", options=(option("on one", 1, 8, once=80), option("on eight", 8, 9, once=80)))


def test_the_crossover_and_how_often_chance_is_excluded():
    found = compared(VOTES, GOOD, draws=400, seed=0)
    assert found.crossover == 6
    assert [(gap.price, round(gap.value, 6)) for gap in found.gaps] == [(4, -0.1), (6, 0.5), (8, 0.2)]
    texts = {each.text: each for each in comparison_findings(found, Unit())}
    chance = f"; beyond chance it is behind at {found.behind} of 3 prices, ahead at {found.ahead}"
    assert texts[f"good: FLOPs a query from which on it is as good as vote{chance}"].value == 6
    assert texts["good less vote, at 8 FLOPs a query"].value == pytest.approx(0.2)
    assert (found.ahead, found.ahead_from) == (1, None)  # at 8 the interval of +.2 begins at 0
    assert len(texts) == 3
    alone = compared(Family(name="one", options=VOTES.options[:1]), GOOD, draws=400, seed=0)
    assert alone.ahead_from == 6
    assert "ahead at 1, from 6 FLOPs on always" in next(comparison_findings(alone, Unit())).text
    never = compared(VOTES, WEAK, draws=100, seed=0)
    assert next(comparison_findings(never, Unit())).value is None
    assert "there is none" in next(comparison_findings(never, Unit())).text


def test_a_verifier_is_paid_back_where_it_is_as_good_for_less():
    found = paid_back(VOTES, GOOD)
    assert found.value == pytest.approx(40 / (8 - 6))
    assert "good 4" in found.text
    assert paid_back(VOTES, WEAK).value is None
    dear = Family(name="dear", options=(option("dear", 9, 9, once=50, verifier=40),))
    assert paid_back(VOTES, dear).value is None
    assert "costs no less" in paid_back(VOTES, dear).text


def test_the_solver_trained_on_is_held_against_the_best_verified_option():
    found = {each.text: each for each in trained_on_findings(GOOD, ON, draws=100, seed=0)}
    assert found["FLOPs a query of good 4 over those of on one, at 0.800, the best that both reach"].value == 6
    assert found["FLOPs spent once on good 4 over those on on one"].value == pytest.approx(90 / 80)
    assert found["trained on: FLOPs a query from which on it is as good as any verdicts"].value == 1


def test_without_values_per_problem_there_are_no_gaps():
    bare = Family(name="bare", options=(Option(name="bare", query_flops=1.0, quality=Quality(value=0.5)),))
    found = compared(VOTES, bare, draws=10, seed=0)
    assert (found.gaps, found.crossover) == ((), None)
    assert len(list(comparison_findings(found, Unit()))) == 1
    assert gap_table([compared(VOTES, GOOD, draws=10, seed=0)], Unit()).rows[0][0] == "good"
