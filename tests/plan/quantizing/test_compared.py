"""What is said of splits whose losses are made up."""

from breakeven.plan.laws.qat import optimal_fraction
from breakeven.plan.quantizing.compared import best_shares, found_in, less, lost_to_precision, seed_notes
from breakeven.plan.quantizing.splits import groups_of, of_common_seeds
from breakeven.plan.quantizing.told import (
    OTHER_SHARES,
    bytes_picture,
    equal_table,
    limit_table,
    loss_table,
    options_of,
    serving_table,
    share_picture,
    share_table,
)


def grid(split, seeds=3):
    """The best share is 10 % at 100 steps and 40 % at 800, where QAT from the start is far off."""
    noise = (0.0, 0.01, 0.03)[:seeds]
    made = []
    for steps, best, start in ((100, 0.1, 0.0), (800, 0.4, 0.5)):
        made.append(split(0.0, [1.0 + each for each in noise], steps=steps, bits=0))
        made.append(split(0.0, [2.0 + each for each in noise], steps=steps))
        for share in (0.1, 0.4):
            loss = 1.0 if share == best else 1.2
            made.append(split(share, [loss + each for each in noise], steps=steps, schedule="fused"))
            made.append(split(share, [loss + 0.05 + 2 * each for each in noise], steps=steps, schedule="classic"))
        made.append(split(1.0, [1.0 + start + 3 * each - 0.04 for each in noise], steps=steps))
    return made


def finding(findings, text):
    (found,) = (each for each in findings if text in each.text)
    return found


def test_a_share_inside_is_held_against_both_ends(split):
    groups = list(groups_of(grid(split)))
    assert [each.best.fraction for each in groups] == [0.1, 0.4]
    after, start = less(groups[0].after, groups[0]), less(groups[0].start, groups[0])
    assert after is not None
    assert start is not None
    assert round(after.value, 9) == 1.0
    assert after.is_above
    assert not start.is_above  # seeds differ by as much
    found = list(found_in(groups))
    when = finding(found, "training FLOPs from which on a share inside beats QAT from the start")
    assert when.value == 8e8
    assert finding(found, "100 steps at 8 bits: nats that quantized after training loses").value == after.value


def test_where_it_never_beats_it_for_sure_that_is_said(split):
    groups = list(groups_of(grid(split)))[:1]
    when = finding(found_in(groups), "beats QAT from the start beyond chance (none measured)")
    assert when.value is None


def test_schedules_are_paired_over_splits_and_seeds(split):
    found = finding(found_in(list(groups_of(grid(split)))), "fused less classic")
    assert "below in 4 of 4 splits (3 seeds)" in found.text
    assert round(found.value, 6) == round(-0.05 - 0.04 / 3, 6)
    assert found.hi < 0


def test_whether_the_best_share_rises_is_told_by_seed(split):
    groups = list(groups_of(grid(split)))
    assert [best_shares(each) for each in groups] == [(0.1,) * 3, (0.4,) * 3]
    rise = finding(found_in(groups), "best share inside at 1.6e+03 tokens a byte less that at 200")
    assert round(rise.value, 9) == 0.3
    a = finding(found_in(groups), "a of exp(-a / log S)").value
    assert optimal_fraction(200, a=a) > 0.1  # between what either share would have by itself
    assert optimal_fraction(1600, a=a) < 0.4


def test_one_seed_has_an_interval_over_problems_and_is_held_to_how_far_seeds_are_apart(split):
    many, one = grid(split), [each for each in grid(split, seeds=1) if each.bits]
    splits = [*many, *(split(each.fraction, each.loss_S, bits=4, schedule=each.schedule) for each in one[:1])]
    splits += [split(0.1, [2.005], bits=4, schedule="fused")]
    groups = list(groups_of(splits))
    assert "2 problems of one seed" in finding(found_in(groups), "at 4 bits: nats that quantized after").text
    (note,) = seed_notes(splits, groups)
    assert "within 0.005 nats of each other, no more than the standard deviation over seeds" in note


def test_what_precision_is_worth(split):
    splits = grid(split)
    found = finding(lost_to_precision(splits, list(groups_of(splits))), "nats that quantizing after training costs")
    assert round(found.value, 9) == 1.0


def test_the_best_of_each_training_is_charged_for_the_others(split):
    splits = grid(split)
    groups = list(groups_of(splits))
    options = {each.name: each for each in options_of(splits, groups)}
    charged = {name: each.one_off[OTHER_SHARES] for name, each in options.items() if OTHER_SHARES in each.one_off}
    assert charged == {
        "1x16, 100 steps, 8 bits, QAT for 10 %, fused": 1e8 + 7,
        "1x16, 800 steps, 8 bits, QAT for 40 %, fused": 8e8 + 7,
    }
    best = options["1x16, 100 steps, 8 bits, QAT for 10 %, fused"]
    assert best.once == 1e8 + 7 + 1e8 + 7
    assert (best.query_flops, best.bytes_moved) == (1e3, 500.0)
    assert best.quality.problems == "two"
    assert best.quality.lo is not None
    assert best.quality.lo < best.quality.value
    whole = options["1x16, 100 steps, full precision"]
    assert (whole.query_flops, whole.bytes_moved) == (1e3, 2000.0)  # bits change bytes, not FLOPs


def test_what_has_fewer_seeds_is_held_against_those_seeds_alone(split):
    """A second seed of more loss would make the bits that lack it look better."""
    both, one = split(0.1, [1.0, 3.0], bits=2), split(0.1, [1.1], bits=4)
    paired = of_common_seeds([both, one])
    assert [each.loss for each in paired] == [both.loss_S[0], one.loss]
    full = split(0.0, [0.5, 2.5], bits=0)
    assert loss_table([full, one], list(groups_of([one]))).rows[0][2] == "0.500"


def test_tables_say_what_was_measured(split):
    splits = grid(split)
    groups = list(groups_of(splits))
    rows = loss_table(splits, groups).rows
    assert rows[0] == (
        "1x16, 100 steps at 8 bits",
        "fused",
        *("1.013 (0.015)", "2.013 (0.015)", "1.013 (0.015)"),
        *("1.213 (0.015)", "1.000 (0.046)"),
    )
    assert rows[1][:2] == ("1x16, 100 steps at 8 bits", "classic")
    assert share_table(groups, None).rows[0] == ("1x16, 100 steps at 8 bits", "200", "10 % (10, 10, 10)", "28 %")
    assert limit_table(splits, [99.0, 100.0, 1e9]).rows == (
        ("99", "none", "none"),
        ("100", "1x16, 8 bits: 1.000 (100 %)", "1x16, 8 bits: 1.013 (40 %)"),
        ("1,000,000,000", "1x16, 8 bits: 1.000 (100 %)", "1x16, 8 bits: 1.013 (40 %)"),
    )
    assert equal_table(splits).rows[0][1:] == ("1.013", "1.000 (100 %)")
    assert [row[1:4] for row in serving_table(splits).rows] == [
        ("400", "2,000", "1 kFLOPs"),
        ("100", "500", "1 kFLOPs"),
    ]


def test_below_a_token_a_byte_the_rule_says_nothing(split):
    groups = list(groups_of([split(0.1, [1.0], steps=0), split(0.0, [1.0], steps=0)]))
    assert share_table(groups, None).rows[0][-1] == "none: S is at most 1"


def test_pictures_show_every_share_and_the_least_loss_by_bytes(split):
    splits = grid(split)
    shares = share_picture(list(groups_of(splits)))
    assert [point[0] for point in shares.lines[0].points] == [0.0, 0.1, 0.4, 1.0]
    assert all(lo < hi for lo, hi in shares.lines[0].intervals)
    assert [point[0] for point in bytes_picture(splits).lines[0].points] == [500.0, 2000.0]
