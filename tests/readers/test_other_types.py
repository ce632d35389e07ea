"""A value of another type, wherever it stands in a log, is read or refused: no other exception gets out."""

import copy
import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import BreakevenError, LogError
from breakeven.readers import ReadOptions, read_evals

OTHERS: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    math.nan,
    math.inf,
    10**400,
    "",
    "x",
    [],
    {},
    [[1]],
    [{}],
    {"a": None},
)
STATE = {
    "global_step": 200,
    "total_flos": 1e15,
    "max_steps": 400,
    "log_history": [
        {"step": 100, "eval_accuracy": 0.5, "eval_loss": 1.0, "eval_runtime": 2.0, "eval_samples_per_second": 50.0},
        {"step": 200, "eval_accuracy": 0.6, "eval_loss": 0.9, "eval_runtime": 2.0, "eval_samples_per_second": 50.0},
    ],
}
INSPECT = {
    "status": "success",
    "eval": {"task": "t", "model": "m", "config": {"epochs": 1}},
    "samples": [{"id": 1, "scores": {"s": {"value": "C"}}}, {"id": 2, "scores": {"s": {"value": "I"}}}],
}
SAMPLE = {
    "doc_id": 0,
    "doc": {},
    "target": "1",
    "arguments": {"gen_args_0": {"arg_0": "?", "arg_1": {"do_sample": False}}},
    "resps": [["1"]],
    "filtered_resps": ["1"],
    "filter": "none",
    "metrics": ["exact_match"],
    "exact_match": 1.0,
}
EVALPLUS = {"date": "d", "hash": "h", "eval": {"HumanEval/0": [{"base_status": "pass", "plus_status": "fail"}]}}
RESULTS = {"results": {"t": {"acc,none": 0.5, "acc_stderr,none": 0.05}}, "n-samples": {"t": {"effective": 101}}}


def with_others(value: Any) -> Iterator[Any]:
    """The value with each place in turn, at any depth, holding something else."""
    yield from OTHERS
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for inner in with_others(value[key]):
            changed = copy.copy(value)
            changed[key] = inner
            yield changed


@pytest.mark.parametrize(
    ("name", "content", "metric", "beside"),
    [
        ("trainer_state.json", STATE, None, ""),
        ("trainer_state.json", STATE, None, "step_200/"),
        ("log.json", INSPECT, None, ""),
        ("samples_t_2026-01-01T00-00-00.000000.jsonl", SAMPLE, None, ""),
        ("eval_results.json", EVALPLUS, "plus", ""),
        ("results_2026-01-01T00-00-00.000000.json", RESULTS, None, ""),
        ("results_2026-01-01T00-00-00.000000.json", RESULTS, None, "step_200/"),
    ],
)
def test_any_value_may_be_of_any_type(
    tmp_path: Path, name: str, content: dict[str, Any], metric: str | None, beside: str
) -> None:
    """Alone, or beside a later checkpoint that is whole."""
    path, later = tmp_path / "step_100" / name, tmp_path / beside / name
    path.parent.mkdir()
    if beside:
        later.parent.mkdir()
        later.write_text(json.dumps(content), encoding="utf-8")
    options = ReadOptions(flops_per_step=1e12, metric=metric)

    def read(value: Any) -> None:
        path.write_text(json.dumps(value), encoding="utf-8")
        read_evals(path if name == "trainer_state.json" and not beside else tmp_path, options)

    read(content)
    for changed in with_others(content):
        with suppress(BreakevenError):
            read(changed)


def test_a_return_within_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"step,accura\r.27\n4000,0.5\n")
    with pytest.raises(LogError, match=r"rows\.csv, row 1"):
        read_evals(path, ReadOptions())
