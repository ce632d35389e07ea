"""What is chosen among options, and how that is said: by target, by budget, by neither, and where nothing will do."""

from dataclasses import replace

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.conclude import conclude
from breakeven.plan.wanted import Wanted
from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import PlanAnswer, PlanResult

EARLY = Option(name="early", train_flops=10.0, query_flops=9.0, quality=Quality(value=0.80, lo=0.7, hi=0.9))
LATER = Option(name="later", train_flops=40.0, query_flops=3.0, quality=Quality(value=0.85, lo=0.8, hi=0.9))
FULL = Option(name="full", train_flops=100.0, query_flops=1.0, quality=Quality(value=0.90, lo=0.88, hi=0.92))
"""Meet at 5 queries (10 + 45 = 40 + 15) and at 30 (40 + 90 = 100 + 30)."""


def concluded(*options: Option, target: float | None = None, **asked: object) -> PlanResult:
    return conclude("options", PlanAnswer(options=options), Wanted(target=target, **asked))  # type: ignore[arg-type]


def envelope(result: PlanResult) -> list[tuple[str, float]]:
    return [(each.option, each.queries) for each in result.envelope]


def test_the_cheapest_that_reaches_a_target_depends_on_the_workload() -> None:
    chosen = {
        queries: concluded(EARLY, LATER, FULL, target=0.8, queries=queries).chosen for queries in (1, 4.9, 5.1, 29, 31)
    }
    assert chosen == {1: "early", 4.9: "early", 5.1: "later", 29: "later", 31: "full"}
    assert envelope(concluded(EARLY, LATER, FULL, target=0.8)) == [("early", 0), ("later", 5), ("full", 30)]


def test_without_a_workload_it_is_the_cheapest_per_query_and_it_is_said_from_where_on() -> None:
    result = concluded(EARLY, LATER, FULL, target=0.8)
    assert result.verdict == "full is the cheapest that reaches accuracy 0.800, per query"
    assert result.lead == (
        "Accuracy 0.900 (90 % interval 0.880 to 0.920), measured, for 100 FLOPs before the first query and 1 FLOPs a "
        "query. It is the cheapest from 30 queries on; for fewer, later is."
    )


def test_the_break_even_with_the_next_on_the_envelope_is_said() -> None:
    result = concluded(EARLY, LATER, FULL, target=0.8, queries=10)
    assert result.verdict == "later is the cheapest that reaches accuracy 0.800, over 10 queries"
    assert result.lead.endswith(
        "70 FLOPs in all: 40 FLOPs before the first query and 3 FLOPs a query. It is the cheapest from 5 queries on; "
        "for fewer, early is. After 30 queries it has cost as much as full, which is cheaper for more."
    )


def test_who_must_be_sure_is_held_against_the_lower_end() -> None:
    assert concluded(EARLY, LATER, FULL, target=0.8, queries=1).chosen == "early"
    sure = concluded(EARLY, LATER, FULL, target=0.8, queries=1, sure=True)
    assert (sure.chosen, sure.verdict) == (
        "later",
        "later is the cheapest that surely reaches accuracy 0.800, over 1 query",
    )
    bare = replace(EARLY, name="bare", quality=Quality(value=0.8))
    taken = concluded(bare, LATER, target=0.8, queries=1, sure=True)
    assert taken.chosen == "bare"
    assert "1 of 2 options have no interval: --sure takes their value itself." in taken.notes


def test_a_target_that_nothing_reaches_says_the_best_there_is() -> None:
    result = concluded(EARLY, LATER, FULL, target=0.95)
    assert (result.chosen, result.envelope, result.lead) == (None, (), "")
    assert result.verdict == "Nothing reaches accuracy 0.950: the best, full, has 0.900"
    sure = concluded(EARLY, FULL, target=0.9, sure=True)
    assert sure.verdict == "Nothing reaches accuracy 0.900: the best, full, has 0.880 by the lower end of its interval"


def test_a_budget_buys_the_best_and_where_nothing_is_that_cheap_the_cheapest_is_said() -> None:
    result = concluded(EARLY, LATER, FULL, budget=80.0, queries=10)
    assert (result.chosen, envelope(result)) == ("later", [("later", 0), ("full", 30)])
    assert result.verdict == "later has the highest accuracy for 80 FLOPs in all, over 10 queries"
    assert concluded(EARLY, LATER, budget=3.0).verdict == "later has the highest accuracy for 3 FLOPs a query"
    none = concluded(EARLY, LATER, budget=2.0)
    assert none.chosen is None
    assert none.verdict == "Nothing costs 2 FLOPs a query, or less: the cheapest, later, costs 3 FLOPs"


def test_without_target_and_budget_it_is_the_best_there_is() -> None:
    result = concluded(EARLY, LATER, FULL)
    assert (result.chosen, result.target) == ("full", None)
    assert result.verdict == "full has the highest accuracy of 3 options"
    assert "As the best of 3 it looks better than it is." in result.notes
    assert concluded(EARLY).verdict == "early is the only option"


def test_of_equal_options_the_first_is_chosen_and_the_others_are_named() -> None:
    twin = replace(FULL, name="twin")
    result = concluded(FULL, twin, target=0.9)
    assert (result.chosen, result.frontier, envelope(result)) == ("full", ("full",), [("full", 0)])
    assert result.lead.endswith("As good, for as much: twin.")


def test_at_one_price_per_query_the_one_that_costs_less_before_is_chosen() -> None:
    dear = replace(FULL, name="dear", train_flops=1000.0)
    assert concluded(dear, FULL, target=0.9).chosen == "full"


def test_published_options_are_shown_and_not_chosen_unless_asked_for() -> None:
    read = Option(name="read", query_flops=0.5, quality=Quality(value=0.99, made=Made.PUBLISHED))
    result = concluded(read, EARLY, FULL, target=0.8)
    assert (result.chosen, result.frontier) == ("full", ("full",))
    assert "1 of 3 options are published: shown, and chosen only if --published asks for it." in result.notes
    asked = concluded(read, EARLY, FULL, target=0.8, published=True)
    assert (asked.chosen, asked.frontier) == ("read", ("read",))
    only = concluded(read, target=0.8)
    assert (only.chosen, only.verdict.startswith("Nothing was measured here: all options are published")) == (
        None,
        True,
    )


def test_what_is_left_out_stands_beside_the_choice_with_every_cost() -> None:
    judged = Option(name="judged", query_flops=1.0, reward_flops=50.0, quality=Quality(value=0.9))
    plain = Option(name="plain", query_flops=10.0, quality=Quality(value=0.9))
    result = concluded(judged, plain, target=0.9, without=("reward model",))
    assert result.full is not None
    assert (result.chosen, result.full.chosen) == ("judged", "plain")
    assert result.answer.options[0].reward_flops == 50.0  # as it is
    with pytest.raises(
        ArgumentError, match=r"--without must be a cost line: model, reward model, training; got 'judge'\."
    ):
        concluded(judged, plain, without=("judge",))


def test_options_on_the_same_problems_are_resampled_and_others_are_said_not_to_be_paired() -> None:
    def known(name: str, values: tuple[float, ...], problems: str, flops: float) -> Option:
        quality = Quality(value=sum(values) / len(values), value_P=values, problems=problems)
        return Option(name=name, query_flops=flops, quality=quality)

    weak, strong = known("weak", (0.0, 1.0, 0.0, 1.0), "test", 1.0), known("strong", (1.0, 1.0, 1.0, 1.0), "test", 2.0)
    paired = concluded(weak, strong)
    assert paired.shares[0] == 1.0  # the cheaper one is always on it
    assert 1 - 0.5**4 - 0.03 < paired.shares[1] < 1.0  # unless only problems were drawn that both solve
    other = concluded(weak, known("strong", (1.0, 1.0, 1.0, 1.0), "others", 2.0))
    assert other.shares == ()
    assert other.notes[0].startswith(
        "Options are known on different problems (weak and strong, say), and are not paired"
    )
    some = concluded(weak, EARLY)
    assert some.notes[0].startswith("1 of 2 options have no values per problem")


def test_some_without_values_do_not_hide_that_others_are_of_other_problems() -> None:
    one, other = (
        Option(name=name, query_flops=1.0, quality=Quality(value=0.5, value_P=(0.0, 1.0), problems=name))
        for name in ("here", "there")
    )
    notes = concluded(one, EARLY, other).notes
    assert notes[0].startswith("1 of 3 options have no values per problem")
    assert notes[1].startswith("Options are known on different problems (here and there, say), and are not paired")
    read = replace(other, quality=Quality(value=0.6, problems="MATH-500", made=Made.PUBLISHED))
    assert "problems (here and there, say)" in concluded(one, read, published=True).notes[1]
    same = replace(other, quality=Quality(value=0.6, problems="here"))  # of which nobody kept the values
    assert len([note for note in concluded(one, same).notes if "different problems" in note]) == 0


def test_a_choice_that_rests_on_a_forecast_says_so_wherever_it_is_told() -> None:
    foretold = replace(FULL, quality=replace(FULL.quality, made=Made.FORECAST))
    result = concluded(EARLY, LATER, foretold, target=0.8)
    assert result.verdict == "full is the cheapest that reaches accuracy 0.800 (forecast), per query"
    assert (
        "Not measured of 3 options: 1 forecast. They are held against the measured ones by their values."
        in result.notes
    )
    assert (
        concluded(EARLY, foretold, budget=5.0).verdict == "full has the highest accuracy (forecast) for 5 FLOPs a query"
    )
    assert concluded(EARLY, foretold).verdict == "full has the highest accuracy (forecast) of 2 options"
    none = concluded(EARLY, foretold, target=0.95, sure=True)
    assert none.verdict == (
        "Nothing reaches accuracy 0.950: the best, full, has 0.880 (forecast) by the lower end of its interval"
    )
    assert none.notes == (
        "Not measured of 2 options: 1 forecast. They are held against the measured ones by the lower ends of their "
        "intervals.",
    )
    assert not any(note.startswith("Not measured") for note in concluded(EARLY, LATER, target=0.8).notes)


def test_who_is_best_by_the_lower_end_is_said_to_be_that() -> None:
    wide = replace(FULL, name="wide", quality=Quality(value=0.95, lo=0.5, hi=0.99))
    assert concluded(LATER, wide, sure=True).verdict == (
        "later has the highest accuracy by the lower end of its interval of 2 options"
    )
    assert concluded(LATER, wide, sure=True, budget=9.0).verdict == (
        "later has the highest accuracy by the lower end of its interval for 9 FLOPs a query"
    )


def test_a_target_within_the_interval_of_the_chosen_is_said_to_be() -> None:
    said = "The 90 % interval of early begins below the target, at 0.700: --sure asks for one that does not."
    assert said in concluded(EARLY, LATER, FULL, target=0.8, queries=1).notes
    assert said not in concluded(EARLY, LATER, FULL, target=0.7, queries=1).notes
    by_row = PlanAnswer(options=(EARLY, LATER, FULL), target=0.8)  # a margin below what one of them reaches
    assert conclude("options", by_row, Wanted(queries=1)).notes == ()
    assert concluded(EARLY, LATER, FULL, target=0.8, queries=1, sure=True).notes == ()


def test_who_was_picked_as_the_best_of_those_within_reach_looks_better_than_it_is() -> None:
    def best_of(*options: Option, row_target: float | None = None, **asked: float) -> list[str]:
        found = conclude("options", PlanAnswer(options=options, target=row_target), Wanted(**asked))  # type: ignore[arg-type]
        return [note for note in found.notes if note.startswith("As the best")]

    assert best_of(EARLY, LATER, FULL, budget=3.5) == ["As the best of 2 it looks better than it is."]
    assert best_of(EARLY, LATER, FULL, budget=1.5) == []  # nothing else was within it
    assert best_of(EARLY, LATER, FULL, row_target=0.89) == ["As the best of 3 it looks better than it is."]
    assert best_of(EARLY, LATER, FULL, row_target=0.8, queries=10.0) == []  # picked for its price
    assert best_of(EARLY, LATER, FULL, target=0.89) == []


def test_a_row_has_a_target_of_its_own_which_a_budget_replaces() -> None:
    answer = PlanAnswer(options=(EARLY, FULL), target=0.85)
    assert (conclude("options", answer).chosen, conclude("options", answer).target) == ("full", 0.85)
    assert conclude("options", answer, Wanted(budget=9.5, queries=None)).target is None


def test_no_option_a_name_twice_and_two_questions_at_once_are_refused() -> None:
    with pytest.raises(ArgumentError, match="options must be at least one"):
        concluded()
    with pytest.raises(ArgumentError, match=r"options must have a name each; got 'full'\. It is there twice"):
        concluded(FULL, FULL)
    with pytest.raises(ArgumentError, match="--budget must be given without --target"):
        Wanted(budget=1.0, target=0.5)
