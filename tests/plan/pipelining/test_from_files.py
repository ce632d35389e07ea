"""Pipelines of the user's own: prices, published units, measured stages, and parts that do not fit."""

import json
import shutil
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.plan.cells import Cells
from breakeven.plan.from_runs import options_of_run
from breakeven.plan.pipelining.from_files import table_of_files
from breakeven.plan.pipelining.published import UNIT_FLOPS, published_units
from breakeven.records.curves import Made
from breakeven.store import CellFile, PlanHeader

ROOT = Path(__file__).parents[3]
STAGES = """
[[stage]]
name = "retrieval"
samples = [1, 2]
prompt_tokens = 2048
output_tokens = 128
[[stage.model]]
name = "72B"
params = 72e9
accuracy = [0.8, 0.9]
[[stage.model]]
name = "7B"
params = 7e9
accuracy = [0.5, 0.6]
train_flops = 1e20

[[stage]]
name = "answer"
samples = [1, 4]
prompt_tokens = 128
output_tokens = 64
calls = 2
[[stage.model]]
name = "2B"
params = 2e9
accuracy = [0.5, 1.0]
"""
CELLS = """retrieval.model,retrieval.samples,answer.model,answer.samples,problem,correct
""" + "".join(
    f"{model},{k},2B,{many},{problem},{int((problem * 7 + k) % 5 < many)}\n"
    for model in ("7B", "72B")
    for k in (1, 2)
    for many in (1, 4)
    for problem in range(10)
)


@pytest.fixture
def of(tmp_path):
    """A table and its budgets from a text, and other files beside it."""

    def read(text: str, name: str = "stages.toml", **others: str):
        (tmp_path / name).write_text(text)
        for other, content in others.items():
            (tmp_path / f"{other}.csv").write_text(content)
        with CellFile(tmp_path / f"plan-{name}", PlanHeader(versions={}, row="pipeline", settings={})) as file:
            return table_of_files([tmp_path / name], Cells(file=file), num_problems=100)

    return read


def test_stages_are_priced_by_parameters_and_multiplied(of) -> None:
    table, budgets = of(STAGES)
    assert table.stages[0].models == ("7B", "72B")  # from the cheapest
    assert table.stages[0].flops_MK[0] == (2 * 7e9 * 2176, 2 * 7e9 * 2304)
    assert table.stages[1].flops_MK[0] == (2 * 2 * 2e9 * 192, 2 * 2 * 2e9 * (128 + 256))
    at = {"retrieval_model": "72B", "retrieval_samples": 2, "answer_model": "2B", "answer_samples": 1}
    assert table.truth_C[table.place(at)] == pytest.approx(0.9 * 0.5**2)
    assert (table.made, budgets) == (Made.EXTRAPOLATED, ())
    assert table.again(at).flops == 100 * table.price(at)
    assert table.stages[0].train_flops_M == (1e20, 0)
    assert any("products of those of its stages" in note for note in table.notes)


def test_in_the_published_unit_what_costs_nothing_is_clamped_and_said(of) -> None:
    """2B on 128 and 64 tokens: 0 units a call, and two calls of it: 2 more."""
    table, budgets = of('unit = "published"\nbudgets = [900.0]\n' + STAGES.replace("calls = 2", "calls = 1"))
    assert published_units(2e9, 128, 64) == pytest.approx(0)
    assert table.stages[1].flops_MK[0] == (2 * UNIT_FLOPS, 2 * 2e9 * (128 + 256))
    assert budgets == (904 * UNIT_FLOPS,)
    units = sum(row[0][0] / UNIT_FLOPS - 2 for row in (each.flops_MK for each in table.stages))
    assert units == pytest.approx(published_units(7e9, 2048, 128))
    assert any(
        "answer by 2B costs 0 or less with one sample: such costs are taken as 0" in note for note in table.notes
    )


def test_a_checkpoint_of_a_run_is_a_model_with_its_price_and_its_training(of, tmp_path) -> None:
    shutil.copytree(ROOT / "examples/runs/countdown-1", tmp_path / "runs/mine")
    source = 'source = "runs/mine"\nstep = 240\nstrategy = "pass@k"'
    text = STAGES.replace("params = 72e9\naccuracy = [0.8, 0.9]", source)
    table, _ = of(text)
    options = {each.settings.get("k"): each for each in options_of_run(tmp_path / "runs/mine").options[-8:-1]}
    assert table.stages[0].models == ("72B", "7B")  # the run's model is the cheaper
    assert table.stages[0].flops_MK[0] == (options[1].per_query, options[2].per_query)
    assert table.stages[0].train_flops_M[0] == options[1].train_flops > 0
    at = {"retrieval_model": "72B", "retrieval_samples": 2, "answer_model": "2B", "answer_samples": 4}
    assert table.truth_C[table.place(at)] == pytest.approx(options[2].quality.value)
    with pytest.raises(LogError, match=r"must name a checkpoint of .*: 40, 80, .*240"):
        of(text.replace("step = 240", "step = 7"), "other.toml")


def test_an_evaluation_is_a_model_with_its_price(of, tmp_path) -> None:
    row = {"strategy": "majority_vote", "k": 1, "deployable": True, "accuracy": 0.4, "standard_error": 0.1, "lo": 0.3}
    row |= {"hi": 0.5, "num_problems": 9, "expected_samples": 1.0, "output_tokens": 4.0, "model_flops": 50.0}
    row |= {"reward_flops": 0.0}
    rows = [row, row | {"k": 2, "accuracy": 0.45, "model_flops": 90.0}, row | {"strategy": "greedy"}]
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals/results.json").write_text(json.dumps({"model": "m", "task": "t", "measurements": rows}))
    text = STAGES.replace("params = 72e9\naccuracy = [0.8, 0.9]", 'source = "evals"')
    table, _ = of(text)
    assert table.stages[0].flops_MK[0] == (50, 90)
    with pytest.raises(
        LogError, match=r"retrieval, 72B, must have majority_vote of 4 samples in evals; it has K = 1, 2\."
    ):
        of(text.replace("samples = [1, 2]", "samples = [1, 4]"), "other.toml")


def test_measured_configurations_stand_in_the_place_of_products(of) -> None:
    table, _ = of('cells = "cells.csv"\n' + STAGES, cells=CELLS)
    assert (table.made, table.problems) == (Made.MEASURED, "cells.csv")
    assert table.trial_CP.shape == table.fresh_CP.shape == (8, 5)
    at = {"retrieval_model": "7B", "retrieval_samples": 2, "answer_model": "2B", "answer_samples": 4}
    expected = [float((problem * 7 + 2) % 5 < 4) for problem in range(10)]
    place = table.place(at)
    assert [*table.trial_CP[place], *table.fresh_CP[place]] == expected


def test_a_table_of_configurations_is_a_pipeline_where_it_has_prices(of) -> None:
    text = "a.model,a.samples,a.flops,accuracy\nL,1,40,0.8\nS,1,10,0.3\nS,2,20,0.4\nL,2,80,0.9\n"
    table, _ = of(text, "cells.csv")
    assert table.stages[0].models == ("S", "L")
    assert table.truth_C.tolist() == [0.3, 0.4, 0.8, 0.9]
    assert not table.knows_problems
    assert any("not known problem by problem" in note for note in table.notes)
    assert any("does not say what training" in note for note in table.notes)


def test_a_file_that_is_gone_is_read_from_its_cell(of, tmp_path) -> None:
    first, _ = of(STAGES)
    (tmp_path / "stages.toml").unlink()
    with CellFile(tmp_path / "plan-stages.toml", None) as file:
        again, _ = table_of_files([tmp_path / "stages.toml"], Cells(file=file), num_problems=100)
    assert again.stages == first.stages
    assert (again.truth_C == first.truth_C).all()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "accuracy = [0.8, 0.9]",
            "accuracy = [0.8]",
            "retrieval, 72B, must hold an accuracy for each of samples, [1, 2]",
        ),
        ("accuracy = [0.8, 0.9]", "", "retrieval, 72B, must have an accuracy or a source."),
        ("params = 72e9", "", "retrieval, 72B, must have params, or a source that says what a query costs."),
        (
            "prompt_tokens = 128",
            "",
            "answer, 2B, must have prompt_tokens and output_tokens of the stage beside params.",
        ),
        ("accuracy = [0.8, 0.9]", 'source = "none"', "72B, must name a directory of breakeven eval, or of a run"),
        ("[[stage]]", 'cells = "cells.csv"\n[[stage]]', "cells.csv must be of the stages of"),
    ],
)
def test_parts_that_do_not_fit_are_named(of, before: str, after: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        of(STAGES.replace(before, after, 1), cells=CELLS.replace("answer", "reply"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CELLS[: CELLS.index("72B")], "retrieval 72B x 1, answer 2B x 1 is missing"),
        (
            CELLS.replace(",2B,4,", ",2B,8,"),
            "must hold every configuration; retrieval 7B x 1, answer 2B x 4 is missing",
        ),
    ],
)
def test_configurations_that_are_missing_are_named(of, text: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        of('cells = "cells.csv"\n' + STAGES, cells=text)
    assert message in str(caught.value)


def test_a_table_without_prices_and_one_with_holes_are_refused(of) -> None:
    with pytest.raises(LogError, match=r"must say what stages cost, in columns STAGE\.flops; or name it as cells of"):
        of("a.model,a.samples,accuracy\nS,1,0.3\n", "cells.csv")
    holes = "a.model,a.samples,a.flops,accuracy\nS,1,10,0.3\nS,2,20,0.4\nL,1,40,0.8\n"
    with pytest.raises(LogError, match="must hold a L x 2, as it does other models; it is missing"):
        of(holes, "cells2.csv")


def test_one_file_is_asked_for(tmp_path) -> None:
    with (
        CellFile(tmp_path, PlanHeader(versions={}, row="pipeline", settings={})) as file,
        pytest.raises(ArgumentError, match="--from must be one table, of stages or of configurations"),
    ):
        table_of_files([tmp_path / "a", tmp_path / "b"], Cells(file=file), num_problems=1)
