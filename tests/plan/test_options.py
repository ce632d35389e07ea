"""The row options: tables, evaluations and runs in, options with their costs out; what is not comparable is refused."""

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.choice.break_even import break_even, lower_envelope
from breakeven.errors import ArgumentError, LogError
from breakeven.plan.cells import Cells
from breakeven.plan.conclude import conclude
from breakeven.plan.options import Settings, answer
from breakeven.plan.row import Asked
from breakeven.plan.wanted import Wanted
from breakeven.readers.option_table import read_options
from breakeven.records import CheckpointRecord, Made, Observation, RunSpec
from breakeven.records.plans import PlanAnswer
from breakeven.session.replay import replay
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import CellFile, Header, PlanHeader, RunLog, read_log
from breakeven.testing import synthetic_run

ROOT = Path(__file__).parents[2]
RUN = ROOT / "examples" / "runs" / "countdown-1"
EXAMPLE = ROOT / "examples" / "plans" / "options.csv"


@pytest.fixture
def answered(tmp_path: Path) -> Any:
    def ask(*files: Path, sure: bool = False, **settings: Any) -> PlanAnswer:
        header = PlanHeader(versions={}, row="options", settings={})
        with CellFile(tmp_path / "plan", header) as file:
            return answer(Asked(settings=Settings(**settings), files=files, cells=Cells(file=file), sure=sure))

    return ask


def measurement(strategy: str, k: int, accuracy: float, **changes: Any) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "deployable": strategy != "pass@k",
        "k": k,
        "accuracy": accuracy,
        "standard_error": 0.01,
        "lo": accuracy - 0.02,
        "hi": accuracy + 0.02,
        "num_problems": 100,
        "expected_samples": float(k),
        "output_tokens": 10.0 * k,
        "model_flops": 100.0 * k,
        "reward_flops": 5.0 * k if strategy == "best_of_n" else 0.0,
    } | changes


def evaluation(directory: Path, *rows: dict[str, Any], task: str = "gsm8k") -> Path:
    directory.mkdir()
    content = {"model": f"model {directory.name}", "task": task, "measurements": list(rows)}
    (directory / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return directory


def observed() -> tuple[Observation, ...]:
    return synthetic_run(
        lambda share: min(share, 0.3) * 3, num_checkpoints=10, num_problems=20, num_samples=8, seed=0, spread=0.0
    )


def finished(
    place: Path, *, oracle: bool = False, checkpoints: int = 10, target: float | None = None, **config: Any
) -> Path:
    """The log of a run to the end of its budget, decided by Pass@K alone."""
    observations = [replace(each, bank=replace(each.bank, oracle=oracle)) for each in observed()[:checkpoints]]
    spec, policy = RunSpec(budget_flops=1e15, baseline="sampled", target=target), Patience(PaperPolicy(max_k=16), 2)
    header = Header(versions={}, config=config, spec=spec, policy=policy_settings(policy), seed=0)
    with RunLog.create(place, header) as log:
        for observation, decision in zip(observations, replay(observations, spec, policy), strict=True):
            log.append(CheckpointRecord(observation=observation, decision=decision))
    return place


# -- tables ------------------------------------------------------------------------------------------------------------


def test_the_example_is_the_recorded_run_and_its_envelope_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the recorded run countdown-endless-seed0, one point below the full run: all K samples drawn, and paid for."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    made = importlib.import_module("plan_options")
    steps = made.STEPS
    assert made.as_csv(made.rows(steps=steps)) == EXAMPLE.read_text(encoding="utf-8")
    options = read_options(EXAMPLE).options
    target = next(each for each in options if each.name == "step 1500, greedy").quality.value - 0.01
    found = lower_envelope([each for each in options if each.quality.value >= target])
    assert [(each.option.name, float(f"{each.queries:.2g}")) for each in found] == [
        ("step 120, pass@32", 0.0),
        ("step 150, pass@16", 2.7e3),
        ("step 180, pass@8", 5.3e3),
        ("step 330, pass@4", 5.3e4),
        ("step 1500, greedy", 5.5e5),
    ]


def test_where_no_target_is_given_it_is_a_point_below_the_best(answered: Any, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("name,accuracy,made,query_flops\na,0.70,,1\nb,0.75,,2\nc,0.99,published,1\n")
    found = answered(table)
    assert (found.target, found.quality) == (pytest.approx(0.74), "accuracy")
    assert found.target_of == (
        "No target was given: it is 0.740, 0.01 below b (0.750, measured). Another: --target, or --set margin=..."
    )
    assert answered(table, margin=0.06).target == pytest.approx(0.69)
    table.write_text("name,accuracy,lo,hi,query_flops\na,0.70,0.68,0.72,1\nb,0.75,0.6,0.9,2\n")
    found = answered(table, sure=True)  # by what they are held against it
    assert found.target == pytest.approx(0.67)
    assert "it is 0.670, 0.01 below a (0.680 by the lower end of its interval, measured)." in found.target_of
    table.write_text("name,score,query_flops\na,1800,1\nb,1900,2\n")
    assert (answered(table).target, answered(table).quality) == (None, "score")  # a point of what?


def test_tables_of_different_qualities_are_not_mixed(answered: Any, tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("name,accuracy,query_flops\na,0.7,1\n")
    other.write_text("name,score,query_flops\nb,0.7,1\n")
    with pytest.raises(LogError, match=r"other.csv must hold the accuracy of .*one.csv, to be compared with it"):
        answered(one, other)
    other.write_text("name,quality,query_flops\na,0.7,1\n")
    with pytest.raises(ArgumentError, match="options must have a name each; got 'a'"):
        conclude("options", answered(one, other))


# -- evaluations -------------------------------------------------------------------------------------------------------


def test_an_evaluation_is_an_option_each_with_its_reward_model_apart(answered: Any, tmp_path: Path) -> None:
    rows = (measurement("greedy", 1, 0.5), measurement("best_of_n", 4, 0.6), measurement("pass@k", 4, 0.9))
    place = evaluation(tmp_path / "e", *rows)
    found = answered(place)
    assert [each.name for each in found.options] == ["greedy", "best of n, K = 4"]
    best = found.options[1]
    assert (best.query_flops, best.reward_flops, best.quality.lo) == (400.0, 20.0, 0.58)
    assert found.notes == ("Left out, as it picks with the reference answer: pass@k (--set oracle=true).",)
    assert found.not_counted[0].startswith("training of model e: an evaluation does not know it")
    assert len(answered(place / "results.json", oracle=True).options) == 3
    known = answered(place, train_flops=(7.0,))
    assert (known.options[0].train_flops, known.not_counted) == (7.0, ())
    with pytest.raises(ArgumentError, match="train_flops must hold a number for each of the 1 evaluations"):
        answered(place, train_flops=(7.0, 8.0))


def test_two_evaluations_of_one_task_are_told_apart_and_of_two_tasks_refused(answered: Any, tmp_path: Path) -> None:
    one, two = (evaluation(tmp_path / name, measurement("greedy", 1, 0.5)) for name in ("one", "two"))
    found = answered(one, two, train_flops=(1.0, 2.0))
    assert [(each.name, each.train_flops) for each in found.options] == [("one: greedy", 1.0), ("two: greedy", 2.0)]
    other = evaluation(tmp_path / "other", measurement("greedy", 1, 0.5), task="math")
    with pytest.raises(LogError, match="must hold the accuracy on gsm8k of"):
        answered(one, other)


def test_an_evaluation_without_flops_or_with_a_fault_is_refused(answered: Any, tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"results.json: option greedy must have FLOPs per query; got None\. .*--params"):
        answered(evaluation(tmp_path / "a", measurement("greedy", 1, 0.5, model_flops=None)))
    with pytest.raises(LogError, match=r"measurement 1: accuracy must be .*; got 1\.5"):
        answered(evaluation(tmp_path / "b", measurement("greedy", 1, 1.5)))
    with pytest.raises(LogError, match="measurements, must be a list of at least one"):
        answered(evaluation(tmp_path / "c"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(LogError, match=r"empty must hold log.jsonl, of a run, or results.json, of breakeven eval"):
        answered(tmp_path / "empty")


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_offers_each_checkpoint_with_each_k_and_the_full_run_as_foretold(answered: Any) -> None:
    found, record = answered(RUN), read_log(RUN)
    by_name = {each.name: each for each in found.options}
    last = record.checkpoints[-1]
    one = by_name[f"step {last.observation.step}, greedy"]
    assert one.train_flops == last.observation.train_flops
    assert one.one_off == {"evaluation": last.decision.evaluation_flops}
    assert one.quality.value == pytest.approx(last.observation.bank.greedy_accuracy)
    assert len(one.quality.value_P) == last.observation.bank.num_problems
    full, forecast = by_name["full run, one greedy sample"], last.decision.forecast
    assert forecast is not None
    assert (full.quality.made, full.quality.value, full.one_off) == (Made.FORECAST, forecast.mean, {})
    assert full.train_flops == record.header.spec.budget_flops
    assert found.target == pytest.approx(forecast.mean - 0.01)
    serving = last.decision.serving
    assert serving is not None
    served = by_name[f"step {serving.step}, pass@k, K = {serving.k}"]
    assert served.per_query == pytest.approx(serving.flops_per_query)
    assert break_even(served, full) == pytest.approx(last.decision.break_even_queries)


def test_the_interval_of_a_checkpoint_is_the_one_that_an_evaluation_has(answered: Any) -> None:
    """Wilson's, of 1 of 500 greedy samples: the ends p at which (p - 1 / 500)^2 = z^2 p (1 - p) / 500."""
    first = next(each.quality for each in answered(RUN).options if each.name == "step 40, greedy")
    assert first.value == 1 / 500
    for end in (first.lo, first.hi):
        assert (end - 1 / 500) ** 2 == pytest.approx(1.6448536**2 * end * (1 - end) / 500, rel=1e-6)


def test_of_a_run_to_the_end_the_full_run_is_as_it_was_measured(answered: Any, tmp_path: Path) -> None:
    found, last = answered(finished(tmp_path / "run")), observed()[-1]
    full = next(each for each in found.options if each.name == "full run, one sample at temperature (Pass@1)")
    assert (full.quality.made, full.one_off) == (Made.MEASURED, {})
    assert full.quality.value == pytest.approx(last.bank.sampled_accuracy)
    assert (full.train_flops, full.query_flops) == (last.train_flops, last.query_flops.total(1))
    assert found.target == pytest.approx(full.quality.value - 0.01)


def test_the_accuracy_that_a_run_declares_is_its_target(answered: Any, tmp_path: Path) -> None:
    """It stands in the place of a forecast of the full run, which is an option where the run went to its end alone."""
    found = answered(finished(tmp_path / "half", checkpoints=5, target=0.8))
    assert found.target == pytest.approx(0.79)
    assert "it is 0.790, 0.01 below the 0.800 that half declares." in found.target_of
    assert {each.quality.made for each in found.options} <= {Made.MEASURED, Made.EXTRAPOLATED}
    whole = answered(finished(tmp_path / "whole", target=0.8))
    assert whole.target == pytest.approx(0.79)
    assert any(each.name.startswith("full run") for each in whole.options)


def test_runs_on_different_tasks_are_refused(answered: Any, tmp_path: Path) -> None:
    easy, hard, unsaid = (
        finished(tmp_path / "easy", task={"kind": "rules", "size": 3}),
        finished(tmp_path / "hard", task={"kind": "rules", "size": 4}),
        finished(tmp_path / "unsaid"),
    )
    rule = (
        r"hard must be a run on the task of .*easy, rules\(size=3\), to be compared with it; it is on rules\(size=4\)"
    )
    with pytest.raises(LogError, match=rule):
        answered(easy, hard)
    assert answered(easy, unsaid).options


def test_what_needs_the_reference_answer_is_no_option_unless_asked_for(answered: Any, tmp_path: Path) -> None:
    run = finished(tmp_path / "run", oracle=True)
    rule = r"must have something that can be served.*Left out, as it picks with the reference answer: pass@k"
    with pytest.raises(LogError, match=rule):
        answered(run)
    assert len(answered(run, oracle=True).options) > 10


def test_what_a_run_was_stopped_for_is_the_cheapest_of_it(answered: Any) -> None:
    """The decision to stop was that a K suffices; over the queries up to its break-even it is cheaper than the rest."""
    result = conclude("options", answered(RUN), Wanted(queries=1e3))
    assert result.chosen is not None
    assert result.chosen.startswith("step ")
    assert result.envelope[-1].option == "full run, one greedy sample"
