"""`breakeven decide` on evaluation folders of other tools: what it takes, what it says, what it refuses."""

import json
import math
from pathlib import Path

COSTS = ["--budget-flops", "6e16", "--params", "1e6", "--tokens-per-step", "1e3"]
PROBLEMS = 400


def results(accuracy: float, task: str = "gsm8k", metric: str = "exact_match") -> dict:
    error = math.sqrt(accuracy * (1 - accuracy) / (PROBLEMS - 1))
    return {task: {f"{metric},none": accuracy, f"{metric}_stderr,none": error}}


def write(root: Path, checkpoint: str, content: dict, name: str = "results_2025-01-02T03-04-05.6.json") -> None:
    (root / checkpoint).mkdir(parents=True, exist_ok=True)
    (root / checkpoint / name).write_text(json.dumps({"results": content}), encoding="utf-8")


def test_a_second_stage_comes_after_the_first_and_it_is_said(cli, tmp_path: Path) -> None:
    for place in range(1, 7):
        write(tmp_path, f"stage1-step{place * 1000}", results(place / 20))
    for place in range(1, 4):
        write(tmp_path, f"stage2-ingredient1-step{place * 100}", results(0.3 + place / 10))
    answer = json.loads(cli("decide", tmp_path, *COSTS, "--json").stdout)
    assert [each["step"] for each in answer["checkpoints"]] == [*range(1000, 7000, 1000), 6100, 6200, 6300]
    assert any("Steps begin again at stage2-ingredient1-step100" in note for note in answer["notes"])


def test_what_is_no_verdict_is_refused(refused, tmp_path: Path) -> None:
    for step in range(1, 9):
        write(tmp_path, f"step_{step}", results(0.5, "crows_pairs", "pct_stereotype"))
        write(tmp_path, f"step_{step}", results(0.5, "humaneval", "pass@64"), "results_2025-01-03T03-04-05.6.json")
    for task, metric in (("crows_pairs", "pct_stereotype"), ("humaneval", "pass@64")):
        message = refused("decide", tmp_path, *COSTS, "--task", task)
        assert f"must have a metric in which each problem is right or wrong; got {metric}, which" in message
        assert refused("decide", tmp_path, *COSTS, "--task", task, "--metric", metric) == message


def test_what_was_left_out_is_said(cli, tmp_path: Path) -> None:
    for step in range(1, 9):
        write(tmp_path, f"step_{step}", results(step / 20))
        row = {"target": "1", "arguments": {}, "resps": [["1"]], "filtered_resps": ["1"], "filter": "none"}
        rows = [row | {"doc_id": p, "metrics": ["exact_match"], "exact_match": float(p < step)} for p in range(20)]
        if step <= 3:
            path = tmp_path / f"step_{step}" / "samples_gsm8k_2025-01-02T03-04-05.6.jsonl"
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    answer = json.loads(cli("decide", tmp_path, *COSTS, "--json").stdout)
    assert len(answer["checkpoints"]) == 3
    said = "5 checkpoints have results of gsm8k but no samples of gsm8k, and were left out (steps 4, 5, 6, 7, 8)."
    assert any(note.startswith(said) for note in answer["notes"])
