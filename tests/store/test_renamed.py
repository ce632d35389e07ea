"""Lines of earlier versions are read under today's names."""

import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any

from breakeven.records import (
    Action,
    CheckpointRecord,
    Decision,
    FitStatus,
    KCurve,
    Made,
    Observation,
    QueryFlops,
    Reason,
    RunSpec,
    SampleBank,
    SearchOutcome,
)
from breakeven.store import Header
from breakeven.store.lines import decode, encode

CURVE = KCurve(
    strategy="rebase/best_of_n",
    deployable=True,
    k_values=(4,),
    accuracy_K=(0.5,),
    lo_K=(0.5,),
    hi_K=(0.5,),
    made_K=(Made.MEASURED,),
    status=FitStatus.FITTED,
    method="calibrated",
)
RECORD = CheckpointRecord(
    observation=Observation(
        step=1,
        train_tokens=10,
        train_flops=1e3,
        evaluation_flops=10.0,
        query_flops=QueryFlops(prefill_flops=1.0, decode_flops=2.0),
        loss=None,
        bank=SampleBank(
            correct_PN=("01",),
            greedy_correct_P="1",
            temperature=0.8,
            seed=0,
            prompt_tokens=3,
            output_tokens=4,
            greedy_output_tokens=2,
        ),
        searches=(SearchOutcome(strategy="dvts/weighted_vote", k=4, accuracy_P=(0.5,), query_flops=8.0),),
    ),
    decision=Decision(
        action=Action.CONTINUE, reason=Reason.UNSURE, step=1, used=0.5, policy="calibrated", k_curve=CURVE
    ),
)


def as_written_then(record: Any, *changes: tuple[str, str]) -> bytes:
    """The line of a record with some of its text as an earlier version had it."""
    line = json.loads(encode(record)[0])
    data = json.dumps(line["data"], separators=(",", ":"))
    for new, old in changes:
        assert new in data
        data = data.replace(new, old)
    checksum = zlib.crc32(data.encode(), zlib.crc32(line["kind"].encode()))
    return f'{{"kind":"{line["kind"]}","data":{data},"crc32":"{checksum:08x}"}}\n'.encode()


def test_rules_of_searches_are_read_under_the_names_they_have_everywhere() -> None:
    line = as_written_then(
        RECORD, ('"dvts/weighted_vote"', '"dvts/weighted"'), ('"rebase/best_of_n"', '"rebase/naive"')
    )
    assert decode(Path("log"), line) == RECORD


def test_the_policy_of_an_old_header_names_strategies_as_today() -> None:
    policy = {"name": "calibrated", "strategies": ["best_of_n", "dvts/majority_vote"], "strata": False}
    now = Header(versions={}, config={"policy": policy}, spec=RunSpec(budget_flops=1e6), policy=policy, seed=0)
    line = as_written_then(now, ('"dvts/majority_vote"', '"dvts/vote"'))
    assert decode(Path("log"), line) == now


def test_curves_of_old_logs_are_told_from_one_checkpoint_and_those_of_other_rules_as_they_say() -> None:
    for name, own in (("calibrated", {"strata": False}), ("paper", {}), ("mine:Rule", {})):
        settings = {"name": name, **own}
        now = Header(versions={}, config={"policy": settings}, spec=RunSpec(budget_flops=1e6), policy=settings, seed=0)
        line = as_written_then(now, *[(',"strata":false', "")] if own else ())
        assert b"strata" not in line
        assert decode(Path("log"), line) == now
    kept = Header(
        versions={}, config={}, spec=RunSpec(budget_flops=1e6), policy={"name": "calibrated", "strata": True}, seed=0
    )
    assert decode(Path("log"), as_written_then(kept)) == kept


def test_pass_at_k_of_old_logs_is_drawn_until_one_is_right() -> None:
    for strategy, until_right in (("pass@k", True), ("majority_vote", False)):
        changed = dataclasses.replace(CURVE, strategy=strategy, until_right=until_right)
        now = dataclasses.replace(RECORD, decision=dataclasses.replace(RECORD.decision, k_curve=changed))
        line = as_written_then(now, (f'"until_right":{str(until_right).lower()},', ""))
        assert decode(Path("log"), line) == now
