"""The check of a decision on test problems, on counts worked out by hand."""

import dataclasses
from collections.abc import Sequence

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, CheckFailedError
from breakeven.records import CheckpointRecord, Completion, Draw, Problem, RunSpec, Verification
from breakeven.session.replay import replay
from breakeven.session.verify import HeldOut, compare, measure_stop
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing import RateVerifier, synthetic_run

COST = ModelCost(body_params=100)  # 200 FLOPs a token
PROBLEMS = [Problem(id=each, prompt=each) for each in ("a", "b")]


def stopped_with(k: int) -> CheckpointRecord:
    """A real decision to stop, at step 300 of 1000, with its K replaced."""
    observations = synthetic_run(lambda share: 1.0, num_checkpoints=10, num_problems=50, num_samples=4, seed=0)[:3]
    spec = RunSpec(budget_flops=1e15, baseline="sampled")
    decision = replay(observations, spec, Patience(PaperPolicy(), 0))[-1]
    assert decision.stop
    assert decision.serving is not None
    serving = dataclasses.replace(decision.serving, k=k)
    return CheckpointRecord(observation=observations[-1], decision=dataclasses.replace(decision, serving=serving))


class ScriptedSampler:
    """Draws of 6 prompt and 8 output tokens whose first samples are right, by problem; the greedy one is scripted."""

    def __init__(self, num_right: dict[str, int], greedy: dict[str, bool]) -> None:
        self.num_right = num_right
        self.greedy = greedy
        self.calls: list[tuple[int, float, int]] = []

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        self.calls.append((num_samples, temperature, seed))
        return [
            Draw(
                prompt_tokens=6,
                completions=tuple(
                    Completion(
                        text="right" if (at < self.num_right[each.id] if temperature else self.greedy[each.id]) else "",
                        output_tokens=8,
                    )
                    for at in range(num_samples)
                ),
            )
            for each in problems
        ]


def run_verify(
    stopped: ScriptedSampler,
    full: ScriptedSampler,
    *,
    k: int = 2,
    num_samples: int = 4,
    problems: Sequence[Problem] = PROBLEMS,
) -> Verification:
    how = HeldOut(
        verifier=RateVerifier(), problems=problems, num_samples=num_samples, temperature=0.8, seed=7, cost=COST
    )
    record = stopped_with(k)
    return compare(record, measure_stop(record, stopped, how), full, how)


STOPPED = {"a": 1, "b": 4}  # of 4: pass@2 is 1 - 3/6 = 0.5 and 1


def test_the_difference_is_paired_over_problems() -> None:
    """Against greedy verdicts 1 and 0: differences -0.5 and 1, mean 0.25, standard deviation 1.0607."""
    result = run_verify(
        ScriptedSampler(STOPPED, {"a": False, "b": True}),
        ScriptedSampler({"a": 1, "b": 0}, {"a": True, "b": False}),
    )
    assert result.stopped_accuracy == pytest.approx(0.75)
    assert result.stopped_greedy_accuracy == 0.5
    assert result.full_greedy_accuracy == 0.5
    assert result.full_sampled_accuracy == pytest.approx(0.125)
    assert result.difference == pytest.approx(0.25)
    assert result.difference_standard_error == pytest.approx(1.125**0.5 / 2**0.5)
    assert (result.num_problems, result.num_samples, result.k, result.stopped_step) == (2, 4, 2, 300)


def test_the_full_model_is_taken_at_its_better_decoding() -> None:
    """Sampled shares 1 and 0.5 beat greedy verdicts 1 and 0: differences -0.5 and 0.5, mean 0."""
    result = run_verify(
        ScriptedSampler(STOPPED, {"a": False, "b": False}),
        ScriptedSampler({"a": 4, "b": 2}, {"a": True, "b": False}),
    )
    assert result.full_sampled_accuracy == pytest.approx(0.75)
    assert result.difference == pytest.approx(0.0)
    assert result.difference_standard_error == pytest.approx(0.5**0.5 / 2**0.5)


def test_equal_models_differ_by_nothing() -> None:
    always = {"a": 4, "b": 4}, {"a": True, "b": True}
    result = run_verify(ScriptedSampler(*always), ScriptedSampler(*always))
    assert (result.difference, result.difference_standard_error) == (0.0, 0.0)


def test_there_are_at_least_k_samples() -> None:
    stopped, full = (ScriptedSampler(STOPPED, {"a": True, "b": True}) for _ in range(2))
    result = run_verify(stopped, full, k=6)
    assert result.num_samples == 6
    assert result.k == 6
    assert [num for num, temperature, _ in (*stopped.calls, *full.calls) if temperature] == [6, 6]
    assert result.stopped_accuracy == 1.0  # with all 6 samples, one right one is enough


def test_no_seed_is_shared_with_an_evaluation_or_between_the_models() -> None:
    stopped, full = (ScriptedSampler(STOPPED, {"a": True, "b": True}) for _ in range(2))
    run_verify(stopped, full)
    (mine,), (theirs,) = ({seed for *_, seed in each.calls} for each in (stopped, full))
    assert mine != theirs
    for seed in (mine, theirs):
        assert seed >> 32 == 7, "of this run alone"
        assert seed & (2**32 - 1) > 2**31, "beyond the steps of any training run"


def test_savings_are_those_of_the_decision_and_the_check_is_priced() -> None:
    stopped, full = (ScriptedSampler(STOPPED, {"a": True, "b": True}) for _ in range(2))
    result = run_verify(stopped, full)
    decision = stopped_with(2).decision
    assert (result.gross_saving, result.net_saving) == (decision.gross_saving, decision.net_saving)
    assert result.gross_saving == pytest.approx(0.7)
    assert result.evaluation_share == pytest.approx(3 * 0.001 / 0.3)
    one_bank = 2 * 200 * ((6 + 4 * 7) + (6 + 7))  # 2 problems: a prefill and 4 samples, a prefill and a greedy one
    assert result.verification_flops == 2 * one_bank


@pytest.mark.parametrize("num_problems", [0, 1])
def test_too_few_problems_for_a_standard_error_are_refused_before_anything_is_drawn(num_problems: int) -> None:
    stopped, full = (ScriptedSampler(STOPPED, {"a": True, "b": True}) for _ in range(2))
    with pytest.raises(ArgumentError, match=rf"^problems must be at least two, .*; got {num_problems}\."):
        run_verify(stopped, full, problems=PROBLEMS[:num_problems])
    assert not stopped.calls + full.calls


def test_problems_whose_check_failed_in_either_bank_are_not_compared() -> None:
    class Failing(RateVerifier):
        def check(self, problem: Problem, completion: str) -> bool:
            if problem.id == "c":
                raise CheckFailedError("crashed")
            return super().check(problem, completion)

    problems = [*PROBLEMS, Problem(id="c", prompt="c")]
    counts, greedy = {"a": 1, "b": 4, "c": 2}, {"a": True, "b": True, "c": True}

    def verify(problems: Sequence[Problem]) -> Verification:
        how = HeldOut(verifier=Failing(), problems=problems, num_samples=4, temperature=0.8, seed=0, cost=COST)
        record, sampler = stopped_with(2), ScriptedSampler(counts, greedy)
        return compare(record, measure_stop(record, sampler, how), sampler, how)

    found = verify(problems)
    assert found.num_problems == 2
    assert found.stopped_accuracy == pytest.approx((0.5 + 1.0) / 2)
    with pytest.raises(CheckFailedError, match="nothing can be compared"):
        verify(problems[1:])
