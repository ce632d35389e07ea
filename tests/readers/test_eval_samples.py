"""Samples of breakeven eval as attempts: graded ones, their rewards, and the searches beside them."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.eval_samples import read_eval_samples
from breakeven.records import Completion, Reward
from breakeven.store import Drawn, FoundCandidate, Graded, SampleFile, SamplesHeader, Scored, Searched

HEADER = SamplesHeader(versions={}, model="m", task="t", temperature=0.8, seed=0, max_tokens=8, settings={})


def filled(folder: Path) -> Path:
    """Two problems of three samples, in two batches, one of whose checks failed; a greedy one of each; a search."""
    with SampleFile(folder, HEADER) as file:
        for problem in ("p", "q"):
            for greedy, first, verdicts in ((True, 0, "1"), (False, 0, "10"), (False, 2, "?")):
                lengths = range(3, 3 + len(verdicts))
                file.append(
                    [
                        Drawn(
                            problem=problem,
                            prompt=problem,
                            greedy=greedy,
                            first=first,
                            prompt_tokens=7,
                            completions=tuple(Completion(text="x", output_tokens=each) for each in lengths),
                        ),
                        Graded(
                            problem=problem,
                            greedy=greedy,
                            first=first,
                            verdicts=verdicts,
                            answers=("a", "b")[: len(verdicts)],
                            reference_crc32="abc",
                        ),
                    ]
                )
            rewards = (Reward(value=0.75, read_tokens=9), Reward(value=0.25, read_tokens=10))
            file.append([Scored(problem=problem, first=0, reward_model="small:1", rewards=rewards)])
        candidates = [
            FoundCandidate(text="x", finished=True, reward=reward, group=0, verdict=verdict, answer=answer)
            for reward, verdict, answer in ((0.9, "0", "b"), (0.5, "1", "a"), (0.6, "1", "a"))
        ]
        file.append(
            [
                Searched(
                    problem="p",
                    prompt="p",
                    setting="dvts width=4 small:1",
                    k=3,
                    candidates=tuple(candidates),
                    cost={"shared_prefill_tokens": 21, "output_tokens": 40, "reward_tokens": 50, "num_scored": 3},
                )
            ]
        )
    return folder


def test_what_was_drawn_graded_and_scored(tmp_path: Path) -> None:
    found = read_eval_samples(filled(tmp_path))
    assert set(found.attempts) == {"p", "q"}
    assert [each.right for each in found.attempts["p"]] == [True, False]  # the third could not be checked
    assert [each.answer for each in found.attempts["p"]] == ["a", "b"]
    assert [each.output_tokens for each in found.attempts["p"]] == [3, 4]
    assert [each.rewards["small:1"].value for each in found.attempts["p"]] == [0.75, 0.25]
    assert (found.greedy["q"].right, found.greedy["q"].rewards) == (True, {})
    assert found.prompt_tokens == {"p": 7, "q": 7}
    assert found.oracle
    assert found.notes == (f"{tmp_path}: 2 samples left out, whose check failed",)


def test_a_search_is_served_by_each_of_its_rules(tmp_path: Path) -> None:
    """By hand: the best reward is wrong; the votes are 2 against 1, and 1.1 against .9."""
    found = read_eval_samples(filled(tmp_path))
    served = {each.strategy: each.found["p"].accuracy for each in found.ran}
    assert served == {
        "dvts/best_of_n width=4": 0.0,
        "dvts/weighted_vote width=4": 1.0,
        "dvts/majority_vote width=4": 1.0,
    }
    one = found.ran[0]
    served_p = one.found["p"]
    assert (one.k, one.reward_model) == (3, "small:1")
    assert (served_p.prompt_tokens, served_p.output_tokens, served_p.read_tokens) == (21, 40, 50)


def test_nothing_graded(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there are no samples"):
        read_eval_samples(tmp_path)
    with SampleFile(tmp_path, HEADER):
        pass
    with pytest.raises(LogError, match="must hold graded samples; got 'none'"):
        read_eval_samples(tmp_path)
