"""What a sample file holds, as arrays in the task's order."""

from pathlib import Path
from typing import Any

import pytest

from breakeven.eval.bank import resumed
from breakeven.eval.samples import DrawnSamples, drawn_samples
from breakeven.records import Finish
from breakeven.store import SampleFile, SamplesHeader


def read(file: SampleFile, task: Any, **options: Any) -> DrawnSamples:
    """What the file holds of the task's problems: nothing is drawn, and a sampler is not needed."""
    return drawn_samples(resumed(file, None, task, **options), task.problems)  # type: ignore[arg-type]


@pytest.fixture
def scored(length_reward) -> dict[str, Any]:
    return {"reward_model": length_reward(), "reward_source": "length"}


@pytest.fixture
def file(tmp_path: Path, header: SamplesHeader, sums, noting, scored):
    """Six problems, of which four were extended from 2 to 5 samples."""
    with SampleFile(tmp_path, header) as file:
        resumed(file, noting(), sums(size=6)).draw(6, 2)
        resumed(file, noting(), sums(size=4)).draw(4, 5)
        resumed(file, noting(), sums(size=6, crashes=("99",)), **scored).bank()
        yield file


def test_rows_are_joined_over_all_draws_of_a_problem(file: SampleFile, sums, scored) -> None:
    samples = read(file, sums(size=6), **scored)
    bank = samples.bank
    assert list(map(len, bank.correct_PN)) == [5, 5, 5, 5, 2, 2]
    for place, problem in enumerate(samples.problems):
        drawn = [file.drawn[problem.id, False, first] for first in ((0, 2) if place < 4 else (0,))]
        completions = [each for part in drawn for each in part.completions]
        answers = [each.text.split()[-1].lstrip("0") for each in completions]
        right = str(place + 1)
        verdicts = ["?" if each == "99" else "1" if each == right else "0" for each in answers]
        assert bank.correct_PN[place] == "".join(verdicts)
        assert samples.bank.output_tokens_PN[place] == tuple(each.output_tokens for each in completions)
        assert bank.score_PN[place] == tuple(len(each.text) / 100 for each in completions)
        assert [each.value for each in samples.rewards_PN[place]] == list(bank.score_PN[place])
        labels = bank.answer_PN[place]
        for one, first in zip(answers, labels, strict=True):
            assert (first == "-") == (one == "none")
            for other, second in zip(answers, labels, strict=True):
                assert (first == second) == (one == other)


def test_what_is_counted(file: SampleFile, sums, scored) -> None:
    samples = read(file, sums(size=6), **scored)
    completions = [each for drawn in file.drawn.values() for each in drawn.completions]
    assert len(completions) == 6 + 4 * 5 + 2 * 2
    assert samples.num_truncated == sum(each.finish is Finish.LENGTH for each in completions)
    assert samples.num_unanswered == sum(each.text.endswith("none") for each in completions)
    assert samples.num_truncated > 0
    assert samples.num_unanswered > 0
    assert samples.num_uncompared == 0
    assert samples.bank.prompt_tokens_P == (4,) * 6
    assert samples.bank.prompt_tokens == 24
    assert samples.bank.greedy_output_tokens == sum(samples.bank.greedy_tokens_P)
    assert samples.bank.output_tokens == sum(map(sum, samples.bank.output_tokens_PN))
    assert samples.bank.num_prefills == 6 + 2 * 4 + 2
    assert samples.bank.num_failed == sum(each.text.endswith("99") for each in completions)
    assert (samples.bank.temperature, samples.bank.seed, samples.bank.oracle) == (0.8, 3, True)


def test_fewer_problems_in_another_order_and_without_scores(file: SampleFile, sums) -> None:
    class Turned(sums):  # type: ignore[misc]
        @property
        def problems(self) -> tuple[Any, ...]:
            return tuple(reversed(super().problems))

    samples, whole = read(file, Turned(size=2)), read(file, sums(size=6))
    assert [each.id for each in samples.problems] == ["p1", "p0"]
    assert samples.bank.correct_PN == (whole.bank.correct_PN[1], whole.bank.correct_PN[0])
    assert (samples.rewards_PN, samples.bank.score_PN) == ((), ())


def test_answers_that_cannot_be_compared_are_different_and_counted(file: SampleFile, sums) -> None:
    samples = read(file, sums(size=6, uncomparable=True))
    assert samples.num_uncompared > 0
    assert samples.bank.answer_PN == read(file, sums(size=6)).bank.answer_PN


def test_a_task_without_references_is_no_oracle(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    task = sums(deployable=True)
    with SampleFile(tmp_path / "other", header) as file:
        resumed(file, noting(), task).draw(5, 1)
        assert not read(file, task).bank.oracle
