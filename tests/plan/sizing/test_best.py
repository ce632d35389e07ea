"""The best size and the cheapest way to a target, against numbers worked out by hand."""

import pytest

from breakeven.plan.sizing.best import Resampled
from breakeven.plan.sizing.equal import EqualTraining
from breakeven.plan.sizing.life import between, life_findings, life_of, life_table
from breakeven.records import Option, Quality


def option(size: str, params: float, tokens: float, k: int, per_query: float, value_P: tuple[float, ...]) -> Option:
    return Option(
        name=f"{size} K={k}",
        settings={
            "size": size,
            "params": params,
            "train_tokens": tokens,
            "tokens_per_param": tokens / params,
            "duration_flops": 6 * params * tokens,
            "strategy": "pass@k",
            "k": k,
        },
        train_flops=6 * params * tokens,
        query_flops=per_query,
        quality=Quality(value=sum(value_P) / len(value_P), value_P=value_P, problems="four"),
    )


ALL = (1.0, 1.0, 1.0, 1.0)
HALF = (1.0, 1.0, 0.0, 0.0)
SMALL = option("small", 10.0, 200.0, 1, 10.0, ALL)  # 12,000 once
SMALL_K = option("small", 10.0, 50.0, 4, 50.0, ALL)  # 3,000 once
LARGE = option("large", 40.0, 20.0, 1, 40.0, ALL)  # 4,800 once
WEAK = option("weak", 2.0, 10.0, 1, 2.0, HALF)  # never reaches the target


def test_the_cheapest_over_a_life_is_the_one_worked_out_by_hand() -> None:
    # Samples for few queries; 1,800 / 10 = 180 queries until the large one, whose training costs as much more, is
    # ahead of them; 7,200 / 30 = 240 until the small one, trained four times as long, is ahead of that.
    life = life_of([SMALL, SMALL_K, LARGE, WEAK], 0.9, (0, 179, 181, 239, 241, 1e6))
    assert [pick.option.name for pick in life.picks if pick.option] == [
        "small K=4",
        "small K=4",
        "large K=1",
        "large K=1",
        "small K=1",
        "small K=1",
    ]


def test_where_all_problems_agree_the_interval_is_a_point_and_else_holds_what_was_chosen() -> None:
    life = life_of([SMALL, SMALL_K, LARGE], 0.9, (0, 1e6))
    found = {each.text.partition(" of the cheapest")[0]: each for each in life_findings(life, "accuracy")}
    ratio = found["Ratio of the tokens per parameter"]
    assert (ratio.value, ratio.lo, ratio.hi) == (4.0, 4.0, 4.0)
    assert found["Ratio of the K"].value == 0.25
    unsure = Resampled([option("a", 1.0, 1.0, 1, 1.0, HALF), SMALL], draws=500).cheapest(0.5, lambda each: each.once)
    assert unsure.of(lambda each: float(each.settings["params"])) == (1.0, 1.0, 10.0)
    assert unsure.share == 1.0


def test_with_more_samples_the_cheapest_is_smaller_by_the_ratio_worked_out_by_hand() -> None:
    free = life_of([SMALL, SMALL_K, LARGE], 0.9, (0,))
    bound = life_of([SMALL, SMALL_K, LARGE], 0.9, (0,), what="one sample", among=lambda each: each.settings["k"] == 1)
    found = {each.text.partition(" of the cheapest")[0]: each for each in between(free, bound, "accuracy")}
    assert found["Ratio of the parameters"].value == 0.25  # 10 with four samples, 40 with one
    assert found["Ratio of the tokens per parameter"].value == 10.0  # 5 to 0.5


def test_a_target_that_nothing_reaches_is_said() -> None:
    life = life_of([WEAK], 0.9, (0, 1e6))
    assert life.picks[0].option is None
    assert life_table(life, "accuracy").rows[0][1] == "nothing reaches it"
    assert list(life_findings(life, "accuracy")) == []
    assert life_of([], 0.9, (0,)).picks[0].option is None


def test_at_equal_training_the_best_size_may_be_another_with_more_samples() -> None:
    few = [option("small", 10.0, 40.0, 1, 10.0, HALF), option("large", 20.0, 20.0, 1, 20.0, ALL)]
    many = [option("small", 10.0, 40.0, 2, 15.0, ALL), option("large", 20.0, 20.0, 2, 21.0, ALL)]
    equal = EqualTraining([*few, *many])
    assert equal.levels == equal.shared == [2400.0]
    chosen = [equal.at_k(2400.0, k).option for k in (1, 2)]
    assert [each.settings["size"] for each in chosen if each] == ["large", "small"]
    # What a query costs: 20 for the large one's sample buys the small one two of them.
    assert (at := equal.at_budget(2400.0, 20.0).option) is not None
    assert at.name == "small K=2"
    ratios = [each.value for each in equal.findings() if each.text.startswith("Ratio of the parameters")]
    assert ratios == [0.5, 0.5, 0.5, 0.5]  # at K = 2, and where a query may cost 10, about 15 and 21
    lead = [each for each in equal.findings() if "less that of" in each.text]
    assert [each.value for each in lead] == [0.5, 0.0]


def test_without_values_per_problem_there_is_a_choice_and_no_interval() -> None:
    bare = Option(name="a", settings=SMALL.settings, train_flops=1.0, quality=Quality(value=0.95))
    pick = Resampled([bare]).cheapest(0.9, lambda each: each.once)
    assert pick.option is bare
    assert pick.of(lambda each: each.once) == (1.0, 1.0, 1.0)
    assert pick.share == pytest.approx(1.0)
