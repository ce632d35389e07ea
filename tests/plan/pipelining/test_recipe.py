"""The real run's pieces: what one stage hands on to the other, votes, and what a query costs."""

from dataclasses import replace

import pytest

from breakeven.plan.cells import Cells
from breakeven.plan.pipeline import Settings
from breakeven.plan.pipelining.recipe import PRODUCTS, SUM, Run, _vote
from breakeven.store import CellFile, PlanHeader
from breakeven.train.costs import longest_query

RECIPE = replace(
    Settings(
        num_digits=1,
        sizes=("1x16", "1x32"),
        product_steps=(1, 1),
        sum_steps=(1, 1),
        learning_rates=(1e-3, 1e-3),
        batch_size=4,
        samples=(1, 3),
    ).recipe,
    trial_problems=2,
    fresh_problems=2,
)


class Told(Run):
    """Its models say what they are told to: the small one of the products is wrong once in three, then right."""

    def _answers(self, stage, model, asked):
        rows = []
        for each in asked:
            first, _, second = (
                each.prompt.removesuffix(" =").replace(" ", "").partition("*" if stage == PRODUCTS else "+")
            )
            right = str(int(first) * int(second) if stage == PRODUCTS else int(first) + int(second))
            small = ["7", right, right] if stage == PRODUCTS else [None, right, None]
            rows.append(small if model == 0 else [right] * 3)
        return rows


@pytest.fixture
def run(tmp_path):
    with CellFile(tmp_path, PlanHeader(versions={}, row="pipeline", settings={})) as file:
        yield Told(recipe=RECIPE, cells=Cells(file=file))


@pytest.mark.parametrize(
    ("answers", "voted"),
    [(["1", "2", "2"], "2"), (["2", "1"], "2"), ([None, "3", None], "3"), ([None], None), ([], None)],
)
def test_a_vote_is_the_most_frequent_answer_of_equals_the_first(answers, voted) -> None:
    assert _vote(answers) == voted


def test_wrong_products_are_handed_on_and_right_ones_are_added(run) -> None:
    """One sample of the small model is wrong for the products, and no answer for the sum; three are right for both."""
    table = run.table()
    for configuration in table.configurations:
        one_is_enough = [configuration[f"{stage}_model"] == "1x32" for stage in (PRODUCTS, SUM)]
        drawn = [configuration[f"{stage}_samples"] == 3 for stage in (PRODUCTS, SUM)]
        right = all(enough or many for enough, many in zip(one_is_enough, drawn, strict=True))
        place = table.place(configuration)
        assert {*table.trial_CP[place], *table.fresh_CP[place]} == {float(right)}
    assert run._handed[0, 1] == ["0 7 + 0 7 ="] * 4


def test_a_query_calls_the_products_twice_and_reads_each_prompt_once(run) -> None:
    products, total = run.stage(PRODUCTS), run.stage(SUM)
    for place, k in enumerate(RECIPE.samples):
        for model in (0, 1):
            assert products.flops_MK[model][place] == 2 * longest_query(RECIPE.config(PRODUCTS, model)).total(k)
            assert total.flops_MK[model][place] == longest_query(RECIPE.config(SUM, model)).total(k)
    assert products.train_flops_M[1] > products.train_flops_M[0] > 0
    assert list(run.cells.file) == [
        f"train {stage}-{size} step=1" for stage in (PRODUCTS, SUM) for size in RECIPE.sizes
    ]


def test_models_answer_what_they_are_asked_the_same_again(tmp_path) -> None:
    with CellFile(tmp_path, PlanHeader(versions={}, row="pipeline", settings={})) as file:
        real = Run(recipe=RECIPE, cells=Cells(file=file))
        real.stage(PRODUCTS)
        asked = real.problems[:1]
        prompt = replace(asked[0], prompt="4 * 6 =")
        first, again = (real._answers(PRODUCTS, 1, [prompt]) for _ in range(2))
    assert first == again
    assert len(first[0]) == 3
