"""Effects at equal FLOPs, worked out by hand."""

import numpy as np
import pytest

from breakeven.plan.thinking.arms import AT_ONCE, STEPS
from breakeven.plan.thinking.effects import squares
from breakeven.plan.thinking.families import Family, powers
from breakeven.plan.thinking.told import effect_findings, square_table
from breakeven.records.options import Option, Quality

NUM_SEEDS, NUM_PROBLEMS = 2, 50


def family(arm, name: str, *offers: tuple[float, float]) -> Family:
    """Options of a price and an accuracy, which is that of every problem with every seed."""
    options = [
        Option(
            name=f"{name}, {price:g}",
            query_flops=price,
            quality=Quality(value=value, value_P=(value,) * (NUM_SEEDS * NUM_PROBLEMS), problems="some"),
        )
        for price, value in offers
    ]
    return Family(arm=arm, name=name, options=tuple(options))


def four() -> list[Family]:
    """At 10 FLOPs: .2 and .3 at once, .6 and .9 after steps."""
    return [
        family(AT_ONCE, "at once, vote", (1, 0.1), (8, 0.2), (30, 0.9)),
        family(AT_ONCE, "at once, REBASE", (4, 0.3), (12, 0.4)),
        family(STEPS, "hidden steps, vote", (5, 0.6), (11, 0.5)),
        family(STEPS, "hidden steps, REBASE", (10, 0.9), (20, 0.95)),
    ]


def test_effects_are_contrasts_of_the_best_for_as_many_flops():
    first, *_, last = squares(four(), NUM_SEEDS, draws=50)
    assert first.flops == 10  # where the last of the four has an option
    assert first.chosen[0] == "at once, vote, 8"
    assert first.accuracy == pytest.approx((0.2, 0.3, 0.6, 0.9))
    thought, search, both = first.effects
    assert thought.value == pytest.approx(((0.6 - 0.2) + (0.9 - 0.3)) / 2)
    assert search.value == pytest.approx(((0.3 - 0.2) + (0.9 - 0.6)) / 2)
    assert both.value == pytest.approx((0.9 - 0.6) - (0.3 - 0.2))
    assert both.seed_values == pytest.approx((both.value,) * NUM_SEEDS)
    assert both.lo == pytest.approx(both.hi) == pytest.approx(both.value)  # all problems and seeds alike
    assert last.flops == 11  # the dearest at which no family has FLOPs left over
    assert last.accuracy[2] == pytest.approx(0.6)


def test_intervals_resample_seeds_and_problems():
    families = four()
    random = np.random.default_rng(0)
    mixed = []
    for each in families:
        options = []
        for option in each.options:
            right_P = (random.random(NUM_SEEDS * NUM_PROBLEMS) < option.quality.value).astype(float)
            quality = Quality(value=float(right_P.mean()), value_P=tuple(right_P.tolist()), problems="some")
            options.append(Option(name=option.name, query_flops=option.query_flops, quality=quality))
        mixed.append(Family(arm=each.arm, name=each.name, options=tuple(options)))
    found = squares(mixed, NUM_SEEDS, draws=400)
    for square in found:
        for effect in square.effects:
            assert effect.lo < effect.value < effect.hi
    assert found == squares(mixed, NUM_SEEDS, draws=400)


def test_effects_in_words():
    found = squares(four(), NUM_SEEDS, draws=50)
    texts = [each.text for each in effect_findings(found)]
    assert len(texts) == 6
    assert "Effect of thought on accuracy, at 10 FLOPs a query (2 of 2 seeds have its sign)" in texts[0]
    table = square_table(found, four())
    assert table.rows[0][1] == "0.200 (8)"
    assert len(table.headings) == len(table.rows[0]) == 8


def test_powers_end_at_the_most():
    assert powers(64)[-1] == 64
    assert powers(1) == (1,)


def test_families_that_no_price_has_in_common_are_not_compared():
    families = four()
    families[0] = family(AT_ONCE, "at once, vote", (1, 0.1), (2, 0.2))
    found = squares(families, NUM_SEEDS, draws=50)
    assert found == ()
    (finding,) = effect_findings(found)
    assert finding.value is None
    assert "raise num_samples" in finding.text
    assert not square_table(found, families).rows
