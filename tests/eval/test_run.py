"""One evaluation from end to end, and what it refuses before anything is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.data.named import head, task_from
from breakeven.data.sets.drop import DropFile
from breakeven.errors import ArgumentError, RunInUseError, SandboxError
from breakeven.eval.models import LoadedModel
from breakeven.eval.run import Evaluation, RewardSource, evaluate_model, greedy_f1
from breakeven.records import Completion, Problem
from breakeven.store import Drawn, SampleFile, SamplesHeader

COST = ModelCost(body_params=0.5)


def model_of(sampler: Any, **changes: Any) -> LoadedModel:
    values: dict[str, Any] = {
        "name": "m",
        "sampler_of": lambda max_tokens, stop: sampler,
        "cost": COST,
        "settings": {"chat": None},
    }
    return LoadedModel(**(values | changes))


def evaluate(directory: Path, sampler: Any, task: Any, **changes: Any) -> Evaluation:
    options: dict[str, Any] = {
        "strategies": ["greedy", "pass@k", "majority_vote"],
        "k_values": [1, 2, 4],
        "num_samples": 4,
        "temperature": 0.8,
    }
    model = changes.pop("model", None) or model_of(sampler)
    return evaluate_model(model, task, directory, **(options | changes))


def test_every_strategy_at_every_k(tmp_path: Path, sums, noting) -> None:
    sampler, task = noting(), sums(size=20, crashes=("99",))
    told: list[str] = []
    found = evaluate(tmp_path, sampler, task, on_progress=lambda each: told.append(each.stage))
    assert [(each.strategy, each.k) for each in found.measurements] == [
        ("greedy", 1),
        *(("pass@k", k) for k in (1, 2, 4)),
        *(("majority_vote", k) for k in (1, 2, 4)),
    ]
    assert (found.model, found.task, found.temperature) == ("m", "sums", 0.8)
    assert (found.num_problems, found.num_samples, found.num_drawn) == (20, 4, 100)
    with SampleFile.open(tmp_path) as file:
        texts = [each.text.split()[-1] for drawn in file.drawn.values() for each in drawn.completions]
        greedy = [each.verdicts for each in file.graded.values() if each.greedy]
    assert found.num_failed == texts.count("99") > 0
    assert found.num_unanswered == texts.count("none") > 0
    assert found.num_truncated > 0
    assert found.oracle
    assert found.measurements[0].accuracy == greedy.count("1") / (20 - greedy.count("?"))
    assert found.measurements[0].accuracy_unknown_wrong == greedy.count("1") / 20
    assert all(each.accuracy_unknown_wrong is not None for each in found.measurements)
    assert told[0] == "drawing"
    assert told[-1] == "grading"
    assert all(each.reference is None for each in sampler.seen)


def test_it_is_a_function_of_the_samples(tmp_path: Path, sums, noting) -> None:
    first = evaluate(tmp_path / "a", noting(), sums())
    again, other = noting(), noting()
    assert evaluate(tmp_path / "a", again, sums()) == first
    assert again.given == []
    assert evaluate(tmp_path / "b", other, sums()) == first
    assert len(other.given) == 25


def test_fewer_samples_than_there_are_use_all_that_are_there(tmp_path: Path, sums, noting) -> None:
    evaluate(tmp_path, noting(), sums(), num_samples=6)
    sampler = noting()
    found = evaluate(tmp_path, sampler, sums(), num_samples=4)
    assert sampler.given == []
    assert found.num_samples == 6


def test_a_larger_evaluation_after_a_smaller_one(tmp_path: Path, sums, noting) -> None:
    evaluate(tmp_path, noting(), sums(size=5), num_samples=4)
    sampler = noting()
    found = evaluate(tmp_path, sampler, sums(size=9), num_samples=8, k_values=[8])
    assert len(sampler.given) == 5 * 4 + 4 * 9
    assert (found.num_problems, found.num_samples, found.num_drawn) == (9, 8, 81)
    assert {each.k for each in found.measurements} == {1, 8}


def test_a_reward_model_scores_once_and_is_told_apart_by_name(tmp_path: Path, sums, noting, length_reward) -> None:
    def scored(reward_model: Any, name: str) -> Evaluation:
        reward_source = RewardSource(name=name, reward_model=reward_model, cost=COST)
        return evaluate(
            tmp_path, noting(), sums(), strategies=["best_of_n", "weighted_vote"], reward_source=reward_source
        )

    first, second, third = length_reward(), length_reward(), length_reward()
    found = scored(first, "length")
    assert all(each.reward_flops for each in found.measurements)
    assert scored(second, "length") == found
    assert scored(third, "other") == found
    assert (len(first.seen), len(second.seen), len(third.seen)) == (20, 0, 20)
    assert all(each.problem.reference is None for each in first.seen)


def test_a_sandbox_that_is_missing_loses_no_sample(tmp_path: Path, sums, noting) -> None:
    def missing() -> None:
        raise SandboxError("there is none")

    with pytest.raises(SandboxError):
        evaluate(tmp_path, noting(), sums(on_check=missing))
    sampler = noting()
    assert evaluate(tmp_path, sampler, sums()).num_drawn == 25
    assert sampler.given == []


def test_a_directory_is_filled_by_one_at_a_time(tmp_path: Path, sums, noting) -> None:
    evaluate(tmp_path, noting(), sums())
    with SampleFile.open(tmp_path), pytest.raises(RunInUseError):
        evaluate(tmp_path, noting(), sums())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": []}, r"--strategies must name some of greedy, pass@k"),
        ({"strategies": ["greedy", "vote"]}, r"--strategies must be among greedy, .*; got 'vote'"),
        ({"strategies": ["best_of_n"]}, r"--reward-model must be given for best_of_n"),
        ({"strategies": ["generative_verification"]}, r"--reward-model must be a judge"),
        ({"strategies": ["k_by_difficulty"], "k_values": [2]}, r"--k must hold one of at least 4"),
        ({"k_values": []}, r"--k must be from 1 to the 4 samples drawn per problem; got \[\]"),
        ({"k_values": [0, 1]}, r"--k must be from 1 to the 4"),
        ({"k_values": [1, 5]}, r"--k must be from 1 to the 4 .*Raise --num-samples"),
        ({"num_samples": 0}, r"--num-samples must be at least 1; got 0"),
        ({"num_samples": -2}, r"--num-samples must be at least 1"),
        ({"temperature": 0.0}, r"--temperature must be finite and above 0; got 0.0. The greedy sample is drawn anyway"),
        ({"temperature": float("nan")}, r"--temperature must be"),
        ({"temperature": float("inf")}, r"--temperature must be"),
        ({"seed": -1}, r"--seed must be from 0 to 9223372036854775807; got -1"),
        ({"seed": 1 << 63}, r"--seed must be from 0"),
        ({"max_tokens": 0}, r"--max-tokens must be at least 1"),
        ({"workers": 0}, r"--workers must be at least 1"),
    ],
)
def test_it_is_refused_before_anything_is_drawn(
    tmp_path: Path, sums, noting, changes: dict[str, Any], message: str
) -> None:
    sampler = noting()
    with pytest.raises(ArgumentError, match=message):
        evaluate(tmp_path / "new", sampler, sums(), **changes)
    assert sampler.given == []
    assert not (tmp_path / "new").exists()


def test_an_empty_task_and_one_that_the_model_cannot_read_are_refused(tmp_path: Path, sums, noting) -> None:
    with pytest.raises(ArgumentError, match="--task must have at least one problem; got 'sums'"):
        evaluate(tmp_path / "new", noting(), sums(size=0))

    def unreadable(problems: Sequence[Problem]) -> None:
        raise ArgumentError(f"cannot read {len(problems)}")

    with pytest.raises(ArgumentError, match="cannot read 5"):
        evaluate(tmp_path / "new", noting(), sums(), model=model_of(noting(), check_problems=unreadable))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"temperature": 1.0}, "temperature"),
        ({"seed": 1}, "seed"),
        ({"max_tokens": 9}, "max_tokens"),
        ({"model": {"name": "n"}}, "model"),
        ({"model": {"settings": {"chat": True}}}, "settings"),
    ],
)
def test_samples_of_other_settings_are_not_mixed(
    tmp_path: Path, sums, noting, changes: dict[str, Any], name: str
) -> None:
    evaluate(tmp_path, noting(), sums())
    sampler = noting()
    if "model" in changes:
        changes = {"model": model_of(sampler, **changes["model"])}
    with pytest.raises(ArgumentError, match=f"{name} must be the .* choose another directory"):
        evaluate(tmp_path, sampler, sums(), **changes)
    assert sampler.given == []


def test_what_the_sampler_is_made_with(tmp_path: Path, sums, noting) -> None:
    asked: list[tuple[int, tuple[str, ...]]] = []
    sampler = noting()

    def sampler_of(max_tokens: int, stop: tuple[str, ...]) -> Any:
        asked.append((max_tokens, stop))
        return sampler

    model = model_of(sampler, sampler_of=sampler_of)
    evaluate(tmp_path / "a", sampler, sums(stop=("\n",)), model=model)
    evaluate(tmp_path / "b", sampler, sums(), model=model, max_tokens=5)
    assert asked == [(8, ("\n",)), (5, ())]


def test_the_f1_of_a_task_that_gives_one_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "drop.jsonl"
    row = '{"query_id": "1", "passage": "p", "question": "q", "answers": ["red car"]}\n'
    path.write_text(row, encoding="utf-8")
    task = DropFile(path=str(path))
    header = SamplesHeader(versions={}, model="m", task="t", temperature=0.8, seed=0, max_tokens=4, settings={})
    greedy = Drawn(
        problem="1",
        prompt=task.problems[0].prompt,
        greedy=True,
        prompt_tokens=3,
        completions=(Completion(text="Answer: a red bicycle", output_tokens=4),),
    )
    with SampleFile(tmp_path / "bank", header) as file:
        file.append([greedy])
        assert greedy_f1(file, task) == 0.5
        assert greedy_f1(file, head(task, 1)) == 0.5
        assert greedy_f1(file, task_from("countdown", num_problems=1)) is None
