"""Results of compute-optimal-tts: settings, aggregators, tokens, and what is wrong with a tree."""

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import LogError
from breakeven.readers import optimal_tts
from breakeven.readers.optimal_tts import holds_questions, read_optimal_tts

BEST = "MATH_best_of_n/small-1b/prm-7b/1_2_1"
BEAM = "MATH_beam_search/small-1b/prm-7b/40_2_1"


def record(question: str = "1 + 1?", *, right: int = 1, tree: int = 0, **others: Any) -> dict[str, Any]:
    """Two paths, of which the first is right."""
    return {
        "question": question,
        "groundtruth": "2",
        "result": {"majority_vote": 0, "prm_last_max": right},
        "output": [
            {
                "path_idx": place,
                "text": "...",
                "value": value,
                "extracted_answer": answer,
                "reward_history": [0.5, value],
                "completion_tokens": 10,
                "tree_completion_tokens": tree if place else 0,
            }
            for place, (answer, value) in enumerate([("2", 0.8), ("3", 0.3)])
        ],
    } | others


def written(root: Path, setting: str, place: int, *records: dict[str, Any], name: str = "record_0.jsonl") -> Path:
    path = root / setting / f"question_{place}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


def test_settings_with_each_aggregator(tmp_path: Path) -> None:
    for place, question in enumerate(["1 + 1?", "0 + 2?"]):
        written(tmp_path, BEST, place, record(question, right=place))
        written(tmp_path, BEAM, place, record(question, tree=70))
    beam, best = read_optimal_tts(tmp_path)
    assert [each.strategy for each in best.ran] == [f"{BEST} majority_vote", f"{BEST} prm_last_max"]
    assert [each.found["1 + 1?"].accuracy for each in best.ran] == [0.0, 0.0]
    assert [each.found["0 + 2?"].accuracy for each in best.ran] == [0.0, 1.0]
    assert {each.k for each in (*best.ran, *beam.ran)} == {2}
    # Votes on independent samples ask no reward model; a search asks it whatever the rule of choice.
    assert [each.reward_model for each in best.ran] == ["", "prm-7b"]
    assert [each.reward_model for each in beam.ran] == ["prm-7b", "prm-7b"]
    # The tree's own count of tokens where there is one, the paths' else.
    assert (best.ran[0].found["1 + 1?"].output_tokens, beam.ran[0].found["1 + 1?"].output_tokens) == (20, 70)
    assert [each.right for each in best.attempts["1 + 1?"]] == [True, False]
    assert [each.rewards["prm-7b"].value for each in best.attempts["1 + 1?"]] == [0.8, 0.3]


def test_several_records_of_a_question_are_averaged(tmp_path: Path) -> None:
    written(tmp_path, BEST, 0, record(right=1))
    written(tmp_path, BEST, 0, record(right=0), name="record_1.jsonl")
    (found,) = read_optimal_tts(tmp_path)
    assert found.ran[1].found["1 + 1?"].accuracy == 0.5
    assert len(found.attempts["1 + 1?"]) == 4


def test_the_folder_of_a_setting_alone(tmp_path: Path) -> None:
    written(tmp_path, BEST, 0, record())
    (found,) = read_optimal_tts(tmp_path / BEST)
    assert found.ran[0].strategy == "1_2_1 majority_vote"


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        ({"question": None}, "must hold the texts question and groundtruth"),
        ({"result": {}}, "must hold result, an object with a number for each aggregator"),
        ({"result": {"majority_vote": 2}}, "result majority_vote, must be from 0 to 1; got 2"),
        ({"result": {"majority_vote": None}}, "result majority_vote, must be from 0 to 1; got None"),
        ({"result": {"majority_vote": 1}}, "must have a result by each of majority_vote, prm_last_max"),
        ({"output": []}, "must hold output, a list of 1 to 65536 paths"),
        ({"output": [7]}, "path 0, must be an object; got 7"),
        ({"output": [{"completion_tokens": 0}]}, "path 0, must have completion_tokens of at least 1; got 0"),
        ({"output": [{"completion_tokens": 1, "value": "high"}]}, "path 0, must have a value that is a finite number"),
        ({"output": [{"completion_tokens": 1, "value": float("nan")}]}, "must be one JSON object"),
        ({"output": [{"completion_tokens": 1, "tree_completion_tokens": -1}]}, "have tree_completion_tokens that are"),
    ],
)
def test_faults_are_told_by_file_and_line(tmp_path: Path, others: dict[str, Any], rule: str) -> None:
    written(tmp_path, BEST, 0, record())
    path = written(tmp_path, BEST, 1, record("0 + 2?") | others)
    with pytest.raises(LogError) as caught:
        read_optimal_tts(tmp_path)
    assert str(caught.value).startswith(f"{path}, line 1")
    assert rule in str(caught.value)


def test_folders_that_hold_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not holds_questions(tmp_path)
    (tmp_path / "question_0").mkdir()
    assert holds_questions(tmp_path)
    with pytest.raises(LogError, match="must hold records, question_I/record_J"):
        read_optimal_tts(tmp_path)
    written(tmp_path, BEST, 0, record())
    monkeypatch.setattr(optimal_tts, "MAX_FILES", 1)
    with pytest.raises(LogError, match="must hold at most 1 files"):
        read_optimal_tts(tmp_path)
