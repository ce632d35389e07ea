"""Filling a sample file: only what lacks is drawn, graded and scored, whatever interrupted it before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError, SamplerError
from breakeven.eval.bank import resumed
from breakeven.records import Draw, Problem, Reward
from breakeven.sampling.pieces import Progress
from breakeven.seeds import batch_seed
from breakeven.store import SampleFile, SamplesHeader


def draw(file: SampleFile, sampler: Any, task: Any, num_samples: int, **options: Any) -> None:
    resumed(file, sampler, task, **options).draw(len(task.problems), num_samples)


def grade_all(file: SampleFile, task: Any, **options: Any) -> None:
    resumed(file, None, task, **options).grade()  # type: ignore[arg-type]


def score_all(file: SampleFile, reward_model: Any, name: str, task: Any) -> None:
    resumed(file, None, task, reward_model=reward_model, reward_source=name).score()  # type: ignore[arg-type]


def lines(directory: Path) -> list[bytes]:
    return sorted((directory / "samples.jsonl").read_bytes().splitlines())


# -- drawing ----------------------------------------------------------------------------------------------------------


def test_a_greedy_sample_and_n_others_of_every_problem(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    sampler, told = noting(), list[Progress]()
    with SampleFile(tmp_path, header) as file:
        draw(file, sampler, sums(), 4, on_progress=told.append)
        assert [file.num_drawn(f"p{n}") for n in range(5)] == [4] * 5
        assert [file.num_drawn(f"p{n}", greedy=True) for n in range(5)] == [1] * 5
    assert Counter(sampler.given) == Counter(
        [(3, f"p{n}", number) for n in range(5) for number in (0, *range(4))]  # the greedy one, and four
    )
    assert set(sampler.temperatures) == {0.0, 0.8}
    assert [each.done for each in told] == [4, 5, 21, 25]  # chunks of 4 problems and of 1
    assert {(each.stage, each.total, each.before) for each in told} == {("drawing", 25, 0)}


def test_texts_are_held_by_the_file_alone_and_a_piece_holds_few(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward, monkeypatch
) -> None:
    """So that memory does not grow by the texts; a second collector, of those that are there, holds none either."""
    monkeypatch.setattr("breakeven.sampling.pieces._CHUNK_SAMPLES", 6)
    told = list[Progress]()
    with SampleFile(tmp_path, header) as file:
        options = {"reward_model": length_reward(), "reward_source": "length", "on_progress": told.append}
        first = resumed(file, noting(), sums(), **options)
        first.draw(5, 3)
        banks = [first.bank(), resumed(file, noting(), sums(), **options).bank()]
        assert banks[0] == banks[1]
        assert max(each.done - before.done for before, each in pairwise(told) if each.stage == before.stage) == 6
        for collector in (first, resumed(file, noting(), sums())):
            batches = collector.samples.batches
            assert {each.text for batch in batches for each in batch.draw.completions} == {""}
            assert all(text.startswith("it is") for batch in batches for text in batch.texts)
            assert [len(batch) for batch in batches] == [1] * 5 + [3] * 5


def test_the_sampler_sees_no_reference(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    sampler = noting()
    with SampleFile(tmp_path, header) as file:
        draw(file, sampler, sums(), 2)
    assert all(each.reference is None for each in sampler.seen)
    assert {each.reference for each in sums().problems} == {"1", "2", "3", "4", "5"}


def test_extending_adds_samples_and_problems_and_draws_none_again(
    tmp_path: Path, header: SamplesHeader, sums, noting
) -> None:
    first, second, third = noting(), noting(), noting()
    with SampleFile(tmp_path, header) as file:
        draw(file, first, sums(), 4)
    before = (tmp_path / "samples.jsonl").read_bytes()
    told = list[Progress]()
    with SampleFile(tmp_path, header) as file:
        draw(file, second, sums(size=9), 8, on_progress=told.append)
        draw(file, third, sums(size=9), 8)
        draw(file, third, sums(), 2)
    assert (tmp_path / "samples.jsonl").read_bytes().startswith(before)
    again = batch_seed(3, 4)  # the fifth sample on is drawn by a seed of its own
    assert Counter(second.given) == Counter(
        [(3, f"p{n}", number) for n in range(5, 9) for number in (0, *range(8))]
        + [(again, f"p{n}", number) for n in range(5) for number in range(4)]
    )
    assert third.given == []
    assert (told[-1].done, told[-1].total, told[-1].before) == (81, 81, 25)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5)), min_size=1, max_size=4))
def test_however_a_file_grows_each_sample_is_drawn_once(
    tmp_path_factory: pytest.TempPathFactory, sums, noting, asked: list[tuple[int, int]]
) -> None:
    header = SamplesHeader(versions={}, model="m", task="sums", temperature=0.8, seed=3, max_tokens=8, settings={})
    sampler = noting()
    with SampleFile(tmp_path_factory.mktemp("grown"), header) as file:
        for num_problems, num_samples in asked:
            draw(file, sampler, sums(size=num_problems), num_samples)
        for n in range(6):
            most = max((samples for problems, samples in asked if problems > n), default=0)
            assert file.num_drawn(f"p{n}") == most
            drawn = sum(problem == f"p{n}" for _, problem, _ in sampler.given)
            assert drawn == most + file.num_drawn(f"p{n}", greedy=True)


def test_a_changed_prompt_is_refused_and_nothing_is_drawn(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    sampler = noting()
    with SampleFile(tmp_path, header) as file:
        draw(file, noting(), sums(), 2)
        with pytest.raises(ArgumentError, match=r"problem 'p0' must have the prompt that was sampled into .*--out"):
            draw(file, sampler, sums(stem="What is {} + 1?"), 4)
        assert sampler.given == []


def test_a_sampler_that_gives_too_little_is_refused(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    class Short:
        def sample(self, problems: Sequence[Problem], num_samples: int, **options: Any) -> list[Draw]:
            draws: list[Draw] = noting().sample(problems, num_samples, **options)
            return draws[:-1]

    with SampleFile(tmp_path, header) as file, pytest.raises(SamplerError, match="return 1 completions for each of"):
        draw(file, Short(), sums(), 2)


def test_a_sampler_that_gives_up_leaves_what_it_gave_before(
    tmp_path: Path, header: SamplesHeader, sums, noting
) -> None:
    class Failing:
        def sample(self, problems: Sequence[Problem], num_samples: int, **options: Any) -> list[Draw]:
            if len(problems) == 1:
                raise SamplerError("server down")
            drawn: list[Draw] = noting().sample(problems, num_samples, **options)
            return drawn

    with SampleFile(tmp_path, header) as file, pytest.raises(SamplerError):
        draw(file, Failing(), sums(), 2)
    with SampleFile(tmp_path, header) as file:
        assert [file.num_drawn(f"p{n}", greedy=True) for n in range(5)] == [1, 1, 1, 1, 0]


# -- interrupted anywhere ---------------------------------------------------------------------------------------------


def fill(directory: Path, header: SamplesHeader, task: Any, sampler: Any, reward_model: Any) -> None:
    with SampleFile(directory, header) as file:
        draw(file, sampler, task, 3)
        grade_all(file, task)
        score_all(file, reward_model, "length", task)


@pytest.fixture
def whole(tmp_path: Path, header: SamplesHeader, sums, noting, length_reward) -> list[bytes]:
    """The lines of a file that nothing interrupted, of 30 problems: chunks of 4, 16 and 10."""
    fill(tmp_path / "whole", header, sums(size=30), noting(), length_reward())
    return lines(tmp_path / "whole")


@pytest.mark.parametrize("calls", range(7))
def test_killed_while_drawing(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward, interrupted, whole: list[bytes], calls: int
) -> None:
    directory, sampler = tmp_path / "killed", noting(most_calls=calls)
    if calls < 6:
        with pytest.raises(interrupted):
            fill(directory, header, sums(size=30), sampler, length_reward())
    again = noting()
    fill(directory, header, sums(size=30), again, length_reward())
    assert lines(directory) == whole
    assert Counter(sampler.given + again.given).most_common(1)[0][1] == 2, "greedy and first sample of a seed"
    assert len(sampler.given + again.given) == 120


@pytest.mark.parametrize("checks", [0, 1, 50, 80])
def test_killed_while_grading(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward, interrupted, whole: list[bytes], checks: int
) -> None:
    left = iter(range(checks))

    def check() -> None:
        if next(left, None) is None:
            raise interrupted

    directory, again = tmp_path / "killed", noting()
    with pytest.raises(interrupted):
        fill(directory, header, sums(size=30, on_check=check), noting(), length_reward())
    fill(directory, header, sums(size=30), again, length_reward())
    assert lines(directory) == whole
    assert again.given == []


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_killed_while_scoring(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward, interrupted, whole: list[bytes], calls: int
) -> None:
    directory, again = tmp_path / "killed", length_reward()
    first = length_reward(most_calls=calls)
    with pytest.raises(interrupted):
        fill(directory, header, sums(size=30), noting(), first)
    fill(directory, header, sums(size=30), noting(), again)
    assert lines(directory) == whole
    assert len(first.seen) + len(again.seen) == 90


# -- grading and scoring ----------------------------------------------------------------------------------------------


def test_a_check_that_crashes_is_a_third_outcome(tmp_path: Path, header: SamplesHeader, sums, noting) -> None:
    task, told = sums(size=8, crashes=("99",)), list[Progress]()
    with SampleFile(tmp_path, header) as file:
        draw(file, noting(), task, 6)
        grade_all(file, task, workers=3, on_progress=told.append)
        assert set(file.graded) == set(file.drawn)
        for key, graded in file.graded.items():
            for completion, verdict, answer in zip(
                file.drawn[key].completions, graded.verdicts, graded.answers, strict=True
            ):
                said = completion.text.split()[-1]
                right = str(int(graded.problem[1:]) + 1)
                assert verdict == ("?" if said == "99" else "1" if said.lstrip("0") == right else "0")
                assert answer == (None if said == "none" else said.lstrip("0"))
        assert {verdict for each in file.graded.values() for verdict in each.verdicts} == {"0", "1", "?"}
    assert (told[-1].stage, told[-1].done, told[-1].total, told[-1].before) == ("grading", 56, 56, 0)


def test_only_new_samples_are_graded_and_only_those_of_the_task(
    tmp_path: Path, header: SamplesHeader, sums, noting
) -> None:
    checked = list[None]()
    with SampleFile(tmp_path, header) as file:
        draw(file, noting(), sums(size=6), 1)
        grade_all(file, sums(size=2))
        grade_all(file, sums(size=2, on_check=lambda: checked.append(None)))
        assert checked == []
        assert {each.problem for each in file.graded.values()} == {"p0", "p1"}
        told = list[Progress]()
        grade_all(file, sums(size=6), on_progress=told.append)
        assert (told[-1].done, told[-1].total, told[-1].before) == (12, 12, 4)


def test_what_a_reward_model_sees_and_how_it_is_kept(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward
) -> None:
    first, second = length_reward(), length_reward()
    with SampleFile(tmp_path, header) as file:
        draw(file, noting(), sums(), 3)
        score_all(file, first, "length", sums())
        assert all(each.problem.reference is None for each in first.seen)
        assert len(first.seen) == 15, "greedy samples are not scored"
        score_all(file, second, "length", sums())
        assert second.seen == []
        score_all(file, second, "another", sums(size=2))
        assert len(second.seen) == 6
        for (name, problem, number), scored in file.scored.items():
            texts = [each.text for each in file.drawn[problem, False, number].completions]
            assert name in ("length", "another")
            assert [each.value for each in scored.rewards] == [len(text) / 100 for text in texts]


@pytest.mark.parametrize("surplus", [-1, 1])
def test_a_reward_model_that_gives_another_number_is_refused(
    tmp_path: Path, header: SamplesHeader, sums, noting, length_reward, surplus: int
) -> None:
    class Wrong(length_reward):  # type: ignore[misc]
        def score(self, prefixes: Any) -> list[Reward]:
            return [Reward(value=0.5)] * (len(prefixes) + surplus)

    with SampleFile(tmp_path, header) as file:
        draw(file, noting(), sums(), 3)
        with pytest.raises(SamplerError, match=f"must return 12 rewards, one a text; got {12 + surplus}"):
            score_all(file, Wrong(), "odd", sums())
        assert file.scored == {}


def test_a_corrected_gold_answer_is_graded_again_and_nothing_is_drawn(
    tmp_path: Path, header: SamplesHeader, sums, noting
) -> None:
    sampler, task = noting(), sums()
    with SampleFile(tmp_path, header) as file:
        draw(file, sampler, task, 2)
        grade_all(file, task)
        before = {key: each.reference_crc32 for key, each in file.graded.items()}
        num_lines = len(lines(tmp_path))
        grade_all(file, task)
        assert len(lines(tmp_path)) == num_lines, "nothing is out of date"
        first, *others = task.problems

        class Corrected(sums):  # type: ignore[misc]
            @property
            def problems(self) -> tuple[Problem, ...]:
                return (replace(first, reference="another"), *others)

        grade_all(file, Corrected())
        changed = {key[0] for key, each in file.graded.items() if each.reference_crc32 != before[key]}
        assert changed == {first.id}
