"""Completions of search-and-learn: samples, ends of searches, and what is wrong with a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import LogError
from breakeven.readers.search_and_learn import REWARD_MODEL, is_search_and_learn, read_search_and_learn


def row(problem: str = "1 + 1?", **others: Any) -> dict[str, Any]:
    """Three completions, of which the first and the last are right."""
    return {
        "problem": problem,
        "answer": "2",
        "unique_id": f"test/{problem}",
        "completions": [r"So \boxed{2}.", r"So \boxed{3}.", r"So $\boxed{ 2.0 }$."],
        "scores": [[0.5, 0.9], [0.4, 0.2], [0.3, 0.4]],
        "completion_tokens": [5, 6, 7],
        "pred_maj@2": r"\boxed{2}",
    } | others


def written(folder: Path, *rows: dict[str, Any], name: str = "best_of_n_completions.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_samples(tmp_path: Path) -> None:
    found = read_search_and_learn(written(tmp_path, row(), row("2 + 0?")))
    attempts = found.attempts["1 + 1?"]
    assert [each.right for each in attempts] == [True, False, True]
    assert [each.answer for each in attempts] == ["2", "3", "2"]
    assert [each.output_tokens for each in attempts] == [5, 6, 7]
    assert [each.rewards[REWARD_MODEL].value for each in attempts] == [0.9, 0.2, 0.4]  # of the last step
    assert set(found.attempts) == {"1 + 1?", "2 + 0?"}
    assert found.ran == ()
    assert "not counted" in found.notes[0]


@pytest.mark.parametrize("search", ["beam_search", "dvts"])
def test_searches_serve_their_ends_together(tmp_path: Path, search: str) -> None:
    """By hand: best by reward is the first, right; the votes are 2 against 1, .9 + .4 against .2."""
    low = row("2 + 0?", scores=[[0.1], [0.8], [0.2]])
    found = read_search_and_learn(written(tmp_path, row(), low, name=f"{search}_completions.jsonl"))
    assert found.attempts == {}
    served = {each.strategy: [one.accuracy for one in each.found.values()] for each in found.ran}
    assert served == {
        f"{search}/best_of_n": [1.0, 0.0],
        f"{search}/weighted_vote": [1.0, 0.0],
        f"{search}/majority_vote": [1.0, 1.0],
    }
    assert {each.k for each in found.ran} == {3}
    assert found.ran[0].found["1 + 1?"].output_tokens == 18
    assert any("given up" in each for each in found.notes)


def test_without_scores(tmp_path: Path) -> None:
    found = read_search_and_learn(written(tmp_path, row(scores=None)))
    assert all(not each.rewards for each in found.attempts["1 + 1?"])


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        ({"answer": 2}, "must hold the texts problem and answer"),
        ({"completions": []}, "must have completions, a list of 1 to 65536 texts"),
        ({"completions": "2"}, "must have completions, a list of 1 to 65536 texts"),
        ({"completions": [1, 2, 3]}, "completion 0, must be a text; got 1"),
        ({"completion_tokens": [5, 6]}, "must have completion_tokens, one for each of the 3 completions; got 2"),
        ({"completion_tokens": [5, 0, 7]}, "completion 1, must have completion_tokens of at least 1; got 0"),
        ({"scores": [[0.5], [None], [0.4]]}, "completion 1, must have scores that are finite numbers"),
        ({"scores": [[0.5], [], [0.4]]}, "completion 1, must have scores that are finite numbers"),
        ({"scores": [[0.5], [float("nan")], [0.4]]}, "line 2, must be one JSON object"),
    ],
)
def test_faults_are_told_by_line(tmp_path: Path, others: dict[str, Any], rule: str) -> None:
    path = written(tmp_path, row("0?"), row(**others))
    with pytest.raises(LogError) as caught:
        read_search_and_learn(path)
    assert str(caught.value).startswith(f"{path}, line 2")
    assert rule in str(caught.value)


def test_a_problem_twice_and_none(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="line 2, must hold a problem that is not there before"):
        read_search_and_learn(written(tmp_path, row(), row()))
    with pytest.raises(LogError, match="must hold at least one problem"):
        read_search_and_learn(written(tmp_path))


def test_what_is_of_that_layout() -> None:
    assert is_search_and_learn(row())
    assert not is_search_and_learn({"problem": "1 + 1?", "answer": "2"})
