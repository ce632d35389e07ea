"""Populations made of files of others: matched, priced by declared parameters, and refused where they are unclear."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError, BreakevenError, LogError
from breakeven.plan.by_difficulty.drawn import Split
from breakeven.plan.by_difficulty.files import population_from
from breakeven.plan.by_difficulty.population import Population
from breakeven.records import Completion
from breakeven.store import Drawn, FoundCandidate, Graded, SampleFile, SamplesHeader, Searched

SPLIT = Split(held=2, probe=1)


def read(*files: Path, **others: Any) -> Population:
    given: dict[str, Any] = {"split": SPLIT, "k_values": [1, 2], "params": 1.0, "reward_params": 10.0}
    return population_from(files, **(given | others))


def completions(path: Path, problems: str, *, size: int = 4, scores: bool = True) -> Path:
    """Each completion takes 5 tokens; the right ones are at even places."""
    rows = [
        {
            "problem": each,
            "answer": "2",
            "completions": [rf"\boxed{{{2 + place % 2}}}" for place in range(size)],
            "scores": [[0.9 - place % 2 / 2] for place in range(size)] if scores else None,
            "completion_tokens": [5] * size,
        }
        for each in problems
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def tree(root: Path, setting: str, questions: str, *, paths: int, right: int) -> None:
    for place, question in enumerate(questions):
        folder = root / setting / f"question_{place}"
        folder.mkdir(parents=True)
        output = [
            {"extracted_answer": "2" if each % 2 else "3", "value": 0.5, "completion_tokens": 5}
            for each in range(paths)
        ]
        record = {"question": question, "groundtruth": "2", "result": {"majority_vote": right, "prm_last_max": 1}}
        (folder / "record_0.jsonl").write_text(json.dumps(record | {"output": output}) + "\n")


def evaluated(folder: Path, problems: str, *, size: int = 4) -> Path:
    header = SamplesHeader(versions={}, model="m", task="t", temperature=0.8, seed=0, max_tokens=8, settings={})
    with SampleFile(folder, header) as file:
        for problem in problems:
            for greedy in (True, False):
                number = 1 if greedy else size
                drawn = Drawn(
                    problem=problem,
                    prompt=problem,
                    greedy=greedy,
                    prompt_tokens=3,
                    completions=(Completion(text="x", output_tokens=5),) * number,
                )
                graded = Graded(problem=problem, greedy=greedy, verdicts="1" * number, answers=("a",) * number)
                file.append([drawn, graded])
    return folder


def test_samples_of_search_and_learn(tmp_path: Path) -> None:
    """Two samples of 5 tokens, 4 of which are fed, at 2 FLOPs a token; each read by a reward model of 10 parameters."""
    found = read(completions(tmp_path / "best_of_n.jsonl", "abc"))
    assert found.ids == ("a", "b", "c")
    by_name = {each.name: each for each in found.settings}
    best = by_name["best_of_n K=2 (its reward model)"]
    assert (best.accuracy_P, best.model_flops_P, best.reward_flops_P) == ((1.0,) * 3, (16.0,) * 3, (200.0,) * 3)
    assert by_name["majority_vote K=1"].accuracy_P == (0.5,) * 3
    assert [each.name for each in found.difficulties] == ["solve rate", "agreement", "mean reward (its reward model)"]
    assert found.difficulties[0].score_P == (0.5,) * 3


def test_searches_beside_samples_are_matched(tmp_path: Path) -> None:
    beams = completions(tmp_path / "beam_search_completions.jsonl", "dcb")
    found = read(beams, completions(tmp_path / "best_of_n.jsonl", "abc"))
    assert found.ids == ("b", "c")
    assert "beam_search/weighted_vote K=4 (its reward model)" in [each.name for each in found.settings]
    assert any("matched on the 2 problems" in each for each in found.notes)


def test_a_tree_is_told_by_its_smallest_setting(tmp_path: Path) -> None:
    """The setting of 2 paths tells difficulty, and is not scored; the one of 4 is, by both aggregators."""
    tree(tmp_path, "MATH_best_of_n/m/prm/1_2_1", "abc", paths=2, right=1)
    tree(tmp_path, "MATH_beam_search/m/prm/1_4_1", "bcd", paths=4, right=0)
    found = read(tmp_path)
    assert found.ids == ("b", "c")
    assert [(each.strategy, each.accuracy_P) for each in found.settings] == [
        ("MATH_beam_search/m/prm/1_4_1 majority_vote", (0.0, 0.0)),
        ("MATH_beam_search/m/prm/1_4_1 prm_last_max", (1.0, 1.0)),
    ]
    assert found.settings[0].model_flops_P == (40.0, 40.0)
    assert found.settings[0].reward_flops_P == (400.0, 400.0)
    true, predicted, _ = found.difficulties
    assert (true.score_P, predicted.score_P, predicted.num_samples) == ((0.5, 0.5), (0.5, 0.5), 2)
    assert any("which is not scored" in each for each in found.notes)


def test_samples_of_breakeven_eval(tmp_path: Path) -> None:
    """A greedy answer and Pass@K, since no gold answer was needed; a problem with too few samples is left out."""
    folder = evaluated(tmp_path / "e", "abc")
    found = read(folder, reward_params=0.0)
    assert {each.strategy for each in found.settings} == {"greedy", "pass@k", "majority_vote"}
    assert found.settings[0].model_flops_P == (2 * 3 + 2 * 4,) * 3


def test_a_revision_pays_for_each_of_its_prompts(tmp_path: Path) -> None:
    """Three prompts of 3, 8 and 13 tokens, and three answers of 5, at 2 FLOPs a token."""
    folder = evaluated(tmp_path / "e", "abc")
    with SampleFile.open(folder) as file:
        candidate = FoundCandidate(text="x", finished=True, reward=None, group=0, verdict="1", answer="a")
        cost = {"shared_prefill_tokens": 24, "num_prompts": 3, "output_tokens": 15, "num_samples": 3}
        file.append(
            Searched(problem=each, prompt=each, setting="revision", k=3, candidates=(candidate,) * 3, cost=cost)
            for each in "abc"
        )
    found = read(folder, reward_params=0.0)
    revised = next(each for each in found.settings if each.strategy == "revision/last")
    assert (revised.model_flops_P, revised.reward_flops_P) == ((2 * (24 + 15),) * 3, (0.0,) * 3)


@pytest.mark.parametrize(
    ("make", "others", "error", "rule"),
    [
        (lambda folder: folder / "none.jsonl", {}, LogError, "there is no such file"),
        (lambda folder: folder, {}, LogError, "must be a directory of breakeven eval, a folder with"),
        (lambda folder: completions(folder / "a.jsonl", "ab"), {"params": 0.0}, ArgumentError, "params must be finite"),
        (
            lambda folder: completions(folder / "a.jsonl", "ab"),
            {"reward_params": 0.0},
            ArgumentError,
            "reward_params must be finite and above 0; got 0.0. Rewards in",
        ),
        (lambda folder: completions(folder / "a.jsonl", "ab", size=2), {}, ArgumentError, "Lower held"),
        (lambda folder: completions(folder / "dvts.jsonl", "ab"), {}, ArgumentError, "hold independent samples"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], others: dict[str, Any], error: type[BreakevenError], rule: str
) -> None:
    with pytest.raises(error) as caught:
        read(make(tmp_path), **others)
    assert rule in str(caught.value)


def test_a_tree_of_one_setting_has_nothing_to_score(tmp_path: Path) -> None:
    tree(tmp_path, "MATH_best_of_n/m/prm/1_2_1", "abc", paths=2, right=1)
    with pytest.raises(ArgumentError, match="hold a setting beside the one that tells difficulty"):
        read(tmp_path)


def test_files_without_common_problems(tmp_path: Path) -> None:
    beams = completions(tmp_path / "beam_search.jsonl", "xyz")
    with pytest.raises(ArgumentError, match="share at least 2 problems, to be compared; got '0 shared of up to 3'"):
        read(completions(tmp_path / "best_of_n.jsonl", "abc"), beams)
