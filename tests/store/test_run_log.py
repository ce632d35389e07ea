"""The run log: what is written reads back bit for bit, and no crash, full disk or damage goes unnoticed."""

import errno
import fcntl
import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven import store
from breakeven.errors import (
    ArgumentError,
    CorruptLogError,
    LogError,
    NewerLogError,
    RunInUseError,
    RunStorageError,
)
from breakeven.records import (
    Action,
    BudgetChange,
    CheckpointRecord,
    Decision,
    FitStatus,
    Forecast,
    KCurve,
    Made,
    Observation,
    QueryFlops,
    Reason,
    RunSpec,
    SampleBank,
    ServingPoint,
    Verification,
)
from breakeven.store import Header, RunLog, RunRecord, read_log, write_whole

HEADER = Header(
    versions={"breakeven": "0.1.0", "python": "3.11.7", "numpy": "2.4.6", "scipy": "1.17.1"},
    config={"train": {"steps": 40, "rate": 3e-4}, "k_values": [1, 2, 4], "name": 'count"down\n é', "extra": None},
    spec=RunSpec(budget_flops=6.02e17),
    policy={"name": "forecast", "patience": 2, "quick": True},
    seed=2**64 - 1,
)
VERIFICATION = Verification(
    num_problems=3,
    num_samples=4,
    stopped_step=20,
    k=4,
    stopped_accuracy=2 / 3,
    stopped_greedy_accuracy=1 / 3,
    full_greedy_accuracy=0.1 + 0.2,
    full_sampled_accuracy=5e-324,
    difference=-0.0,
    difference_standard_error=1.7976931348623157e308,
    gross_saving=0.5,
    net_saving=-0.1,
    evaluation_share=0.25,
    verification_flops=1e22,
)


def make_checkpoint(
    step: int, *, loss: float | None = 0.1, parameters: tuple[float, ...] = (0.1, 2.5)
) -> CheckpointRecord:
    """A checkpoint with every optional part present."""
    bank = SampleBank(
        correct_PN=("0110", "0000", "1111"),
        greedy_correct_P="001",
        temperature=0.8,
        seed=7,
        prompt_tokens=31,
        output_tokens=120,
        greedy_output_tokens=30,
    )
    observation = Observation(
        step=step,
        train_tokens=step * 1000,
        train_flops=step * 1e16,
        evaluation_flops=1e12 / 3,
        query_flops=QueryFlops(prefill_flops=1e9, decode_flops=2e9),
        loss=loss,
        bank=bank,
    )
    decision = Decision(
        action=Action.STOP,
        reason=Reason.REACHED,
        step=step,
        used=step / 60,
        policy="forecast",
        streak=2,
        baseline_accuracy=1 / 3,
        forecast=Forecast(
            mean=0.6, lo=0.5, hi=0.7, status=FitStatus.FITTED, method="paper", num_points=4, parameters=parameters
        ),
        k_curve=KCurve(
            strategy="pass@k",
            deployable=False,
            k_values=(1, 8),
            accuracy_K=(0.5, 0.9),
            lo_K=(0.4, 0.8),
            hi_K=(0.6, 1.0),
            made_K=(Made.MEASURED, Made.EXTRAPOLATED),
            status=FitStatus.FITTED,
            method="paper",
        ),
        serving=ServingPoint(
            step=step, strategy="pass@k", deployable=False, k=8, accuracy=0.9, made=Made.MEASURED, flops_per_query=1e9
        ),
        gross_saving=0.4,
        net_saving=0.3,
        evaluation_flops=1e12,
        break_even_queries=1e7,
    )
    return CheckpointRecord(observation=observation, decision=decision)


CHECKPOINTS = (make_checkpoint(10), make_checkpoint(20, loss=None, parameters=()))
WHOLE = RunRecord(header=HEADER, checkpoints=CHECKPOINTS, verification=VERIFICATION, recovered=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory whose log holds a header, two checkpoints and a verification."""
    directory = tmp_path / "runs" / "one"
    with RunLog.create(directory, HEADER) as log:
        for record in (*CHECKPOINTS, VERIFICATION):
            log.append(record)
    return directory


def frame(kind: str, data: str) -> bytes:
    """A whole line, made without the module under test."""
    checksum = zlib.crc32(kind.encode() + data.encode())
    return f'{{"kind":"{kind}","data":{data},"crc32":"{checksum:08x}"}}\n'.encode()


def unchained(content: bytes) -> list[bytes]:
    """The lines of a log as versions wrote them that did not chain them."""
    return [re.sub(rb',"chain":"[0-9a-f]{8}"(?=\}\n$)', b"", line) for line in content.splitlines(keepends=True)]


# -- round trip -------------------------------------------------------------------------------------------------------


def test_every_record_reads_back(run: Path) -> None:
    assert read_log(run) == read_log(str(run)) == read_log(run / "log.jsonl") == WHOLE
    with RunLog.open(run) as log:
        assert log.header == HEADER
        assert log.checkpoints == CHECKPOINTS
        assert log.verification == VERIFICATION
        assert not log.recovered
        assert log.find(20) == CHECKPOINTS[1]
        assert log.find(15) is None
    assert isinstance(log.checkpoints[0].decision.reason, Reason)
    assert math.copysign(1, read_log(run).verification.difference) == -1  # type: ignore[union-attr]


def test_lines_are_plain_json_with_a_checksum(run: Path) -> None:
    lines = (run / "log.jsonl").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["kind"] for line in lines] == ["header", "checkpoint", "checkpoint", "verification"]
    chain = 0
    for line in lines:
        kind = json.loads(line)["kind"]
        alone = frame(kind, line.decode().partition('"data":')[2].rpartition(',"crc32":')[0])
        chain = zlib.crc32(alone, chain)
        assert line == alone[:-2] + f',"chain":"{chain:08x}"}}\n'.encode()


def test_the_open_log_holds_what_it_recorded(tmp_path: Path) -> None:
    with RunLog.create(tmp_path, HEADER) as log:
        assert (log.checkpoints, log.verification) == ((), None)
        log.append(CHECKPOINTS[0])
        assert log.find(10) == CHECKPOINTS[0]
        log.append(VERIFICATION)
        log.append(replace(VERIFICATION, k=8))
        log.append(CHECKPOINTS[1])
        assert log.checkpoints == CHECKPOINTS
        assert log.verification == read_log(tmp_path).verification == replace(VERIFICATION, k=8)


def test_a_resumed_run_leaves_the_same_bytes(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    RunLog.create(other, HEADER).close()
    for record in (*CHECKPOINTS, VERIFICATION):
        with RunLog.open(other) as log:
            log.append(record)
    assert (other / "log.jsonl").read_bytes() == (run / "log.jsonl").read_bytes()


def bits(values: list[Any]) -> list[Any]:
    return [struct.pack("<d", value) if isinstance(value, float) else (type(value), value) for value in values]


@settings(max_examples=50, deadline=None)
@given(
    floats=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50),
    numbers=st.lists(st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()),
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_numbers_and_text_read_back_bit_for_bit(floats: list[float], numbers: list[Any], text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        with RunLog.create(directory, replace(HEADER, config={"numbers": numbers, text: text})) as log:
            log.append(make_checkpoint(1, parameters=tuple(floats)))
        record = read_log(directory)
    forecast = record.checkpoints[0].decision.forecast
    assert forecast is not None
    assert bits(list(forecast.parameters)) == bits(floats)
    assert bits(record.header.config.pop("numbers")) == bits(numbers)
    assert record.header.config == {text: text} or text == "numbers"


def test_numpy_numbers_are_stored_as_python_ones(tmp_path: Path) -> None:
    header = replace(HEADER, spec=RunSpec(budget_flops=np.float64(0.1)), seed=np.int64(3))  # type: ignore[arg-type]
    with RunLog.create(tmp_path, replace(header, config={"rate": np.float32(0.1), "ks": (1, 2), 3: 4})) as log:  # type: ignore[dict-item]
        assert type(log.header.spec.budget_flops) is float
        assert type(log.header.seed) is int
        assert log.header.config == {"rate": float(np.float32(0.1)), "ks": [1, 2], "3": 4}


def test_a_long_log_is_read_record_by_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        with RunLog.create(tmp_path, HEADER) as log:
            for step in range(1000):
                log.append(make_checkpoint(step))
    assert [checkpoint.observation.step for checkpoint in read_log(tmp_path).checkpoints] == list(range(1000))


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf")])
def test_numbers_that_json_lacks_are_refused_by_name(tmp_path: Path, value: float) -> None:
    with pytest.raises(ArgumentError, match=r"^header\.config\.rates\[1\]\.low must be finite; got"):
        RunLog.create(tmp_path, replace(HEADER, config={"rates": [1.0, {"low": value}]}))
    with RunLog.create(tmp_path, HEADER) as log:
        with pytest.raises(ArgumentError, match=r"^checkpoint\.observation\.loss must be finite; got"):
            log.append(make_checkpoint(1, loss=value))
        with pytest.raises(ArgumentError, match=r"^difference must be finite; got"):
            log.append(replace(VERIFICATION, difference=value))
    assert read_log(tmp_path) == RunRecord(header=HEADER, checkpoints=(), verification=None, recovered=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecWithMore(RunSpec):
    owner: str = "me"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"spec": RunSpec(budget_flops=2**53 + 1)},
            r"^header\.spec\.budget_flops must read back as it was; got 9007199",
        ),
        ({"spec": SpecWithMore(budget_flops=1.0)}, r"^header\.spec\.owner must read back as it was; got 'me'"),
        ({"seed": 1.5}, r"^header must hold only values of the declared types; got .*\$\.seed"),
        ({"config": {"name": "\ud800"}}, r"^header must hold only values of the declared types"),
        ({"config": {None: 1}}, r"^header must hold only values of the declared types"),
        ({"config": {"model": object()}}, r"^a recorded value must be a number, a string, .*float\(loss\)"),
        ({"config": {"share": Fraction(1, 3)}}, r"^a recorded value must be a number, a string, a list or a dict"),
        ({"format": 1}, r"^header\.format must be 2; got 1"),
    ],
)
def test_what_would_not_read_back_is_never_written(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        RunLog.create(tmp_path / "new", replace(HEADER, **change))
    assert not (tmp_path / "new").exists()


def test_only_later_checkpoints_and_verifications_are_appended(run: Path) -> None:
    with RunLog.open(run) as log:
        for step in (20, 19):
            with pytest.raises(ArgumentError, match=r"observation\.step must be greater than the last .* 20; got"):
                log.append(make_checkpoint(step))
        with pytest.raises(
            ArgumentError,
            match="record must be a CheckpointRecord or a Verification or a Finger",
        ):
            log.append(HEADER)  # type: ignore[arg-type]
    log.close()
    with pytest.raises(ArgumentError, match="log must be open; got 'closed'"):
        log.append(make_checkpoint(30))
    assert read_log(run) == WHOLE


def test_a_directory_takes_one_run(run: Path) -> None:
    with pytest.raises(ArgumentError, match=r"run_dir must not hold a log\.jsonl yet; got '.*one'.*--resume.*another"):
        RunLog.create(run, HEADER)
    assert read_log(run) == WHOLE
    RunLog.open(run).close()  # the refusal left no lock


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ArgumentError, match="run_dir must be a directory; got"):
            RunLog.create(path, HEADER)


# -- logs that cannot be read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_log, RunLog.open])
def test_missing_logs(tmp_path: Path, read: Callable[[Path], object]) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(LogError, match=r"there is no run log at .*Give a run directory"):
            read(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("read", [read_log, RunLog.open])
@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", LogError, r"log\.jsonl is empty, so nothing was recorded\. Delete it"),
        (b"{", LogError, r"log\.jsonl holds no whole line, so nothing was recorded"),
        (b'{"loss": 1}\n', CorruptLogError, r"log\.jsonl, line 1, is damaged: .*Check that it is a run log"),
        (b"\x00\xff\n", CorruptLogError, "line 1, is damaged: it is not a whole record"),
        (b"[" * 100_000 + b"\n", CorruptLogError, "line 1, is damaged: it is not a whole record"),
        (frame("checkpoint", "{}"), CorruptLogError, "line 1, is damaged: it is not a checkpoint of format 2"),
        (frame("header", "{}"), CorruptLogError, "line 1, is damaged: it is not a header of format 2"),
        (frame("header", '{"format":1}'), CorruptLogError, "line 1, is damaged: it is not a header of format 2"),
        (frame("note", "{}"), CorruptLogError, "line 1, is damaged: its kind 'note' is unknown"),
        (frame("header", '{"format":3}'), NewerLogError, r"format 3, written by breakeven \(unknown version\)"),
        (
            frame("header", '{"format":7,"versions":{"breakeven":"9.1"},"spec":[]}'),
            NewerLogError,
            r"log format 7, written by breakeven 9\.1; this breakeven reads formats up to 2\. Upgrade with `pip",
        ),
    ],
)
def test_unreadable_logs(
    tmp_path: Path, read: Callable[[Path], object], content: bytes, error: type[LogError], message: str
) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    for _ in range(2):  # the second time shows that the first left no lock
        with pytest.raises(error, match=message):
            read(tmp_path)
    assert (tmp_path / "log.jsonl").read_bytes() == content


def test_a_log_must_begin_with_its_header_and_keep_its_order(run: Path) -> None:
    path = run / "log.jsonl"
    header, first, second, _ = unchained(path.read_bytes())
    path.write_bytes(first)
    with pytest.raises(LogError, match=r"is not a run log: its first record is of kind checkpoint, not header"):
        read_log(run)
    path.write_bytes(header + first + header)
    with pytest.raises(CorruptLogError, match=r"line 3, is damaged: it is a second header"):
        read_log(run)
    for lines in (header + second + first, header + first + first):
        path.write_bytes(lines)
        with pytest.raises(CorruptLogError, match=r"line 3, is damaged: its step 10 was passed before"):
            read_log(run)


def test_a_log_that_the_disk_does_not_give(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(LogError, match=r"log\.jsonl cannot be read: Input/output error"):
        read_log(run)


# -- crashes and damage -----------------------------------------------------------------------------------------------


def test_a_torn_last_line_is_left_out_wherever_it_was_cut(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    path = run / "log.jsonl"
    content = path.read_bytes()
    start = content[:-1].rindex(b"\n") + 1
    before = replace(WHOLE, verification=None, recovered=True)
    for cut in range(start, len(content)):
        os.truncate(path, cut)
        expected = replace(before, recovered=cut > start)
        assert read_log(run) == expected
        assert path.stat().st_size == cut  # reading writes nothing
        with RunLog.open(run) as log:
            assert path.read_bytes() == content[:start]
            assert log.recovered == expected.recovered
            log.append(VERIFICATION)
        assert path.read_bytes() == content


def test_a_torn_checkpoint_is_left_out(run: Path) -> None:
    path = run / "log.jsonl"
    header, first, second, _ = path.read_bytes().splitlines(keepends=True)
    start = len(header + first)
    for cut in range(start + len(second) - 1, start, -1):
        os.truncate(path, cut)
        expected = RunRecord(header=HEADER, checkpoints=CHECKPOINTS[:1], verification=None, recovered=True)
        assert read_log(run) == expected


def test_a_torn_header_means_that_nothing_was_recorded(run: Path) -> None:
    path = run / "log.jsonl"
    for cut in range(path.read_bytes().index(b"\n"), -1, -1):
        os.truncate(path, cut)
        with pytest.raises(LogError, match="nothing was recorded"):
            read_log(run)


def test_a_changed_byte_is_found_wherever_it_is(run: Path) -> None:
    path = run / "log.jsonl"
    content = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for position in range(len(content) - 1):
            line = content.count(b"\n", 0, position) + 1
            for mask in (0x01, 0x20, 0x80):
                os.pwrite(file.fileno(), bytes([content[position] ^ mask]), position)
                with pytest.raises(CorruptLogError) as caught:
                    read_log(run)
                assert f"{path}, line {line}, is damaged: " in str(caught.value)
                assert line == 1 or f"keep only the whole lines before: head -n {line - 1}." in str(caught.value)
            os.pwrite(file.fileno(), content[position : position + 1], position)
    assert read_log(run) == WHOLE


def test_a_whole_line_that_is_missing_changed_or_moved_is_found_by_the_next(run: Path) -> None:
    path = run / "log.jsonl"
    header, first, second, last = path.read_bytes().splitlines(keepends=True)
    with RunLog.create(run / "other", HEADER) as log:
        log.append(make_checkpoint(10, loss=9.0))
    another = (run / "other" / "log.jsonl").read_bytes().splitlines(keepends=True)[1]
    for lines, number in (
        ((header, second, last), 2),
        ((header, first, last), 3),
        ((header, another, second, last), 3),
        ((header, first, second, last, last), 5),
    ):
        path.write_bytes(b"".join(lines))
        with pytest.raises(
            CorruptLogError, match=rf"line {number}, is damaged: lines before it are missing or changed"
        ):
            read_log(run)
    path.write_bytes(header + first)  # the message's remedy
    with RunLog.open(run) as log:
        log.append(CHECKPOINTS[1])
        log.append(VERIFICATION)
    assert path.read_bytes() == header + first + second + last


def test_a_log_of_before_is_read_and_what_is_added_is_chained_to_it(run: Path) -> None:
    path = run / "log.jsonl"
    old = unchained(path.read_bytes())
    path.write_bytes(b"".join(old))
    assert read_log(run) == WHOLE
    with RunLog.open(run) as log:
        log.append(make_checkpoint(30))
    content = path.read_bytes()
    assert content.startswith(b"".join(old))
    assert [each.observation.step for each in read_log(run).checkpoints] == [10, 20, 30]
    path.write_bytes(b"".join([*old[:2], *old[3:], content[len(b"".join(old)) :]]))
    with pytest.raises(CorruptLogError, match=r"line 4, is damaged: lines before it are missing"):
        read_log(run)


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda path: path.unlink(), "was removed or moved"),
        (lambda path: path.rename(path.with_name("elsewhere")), "was removed or moved"),
        (lambda path: path.parent.rename(path.parent.with_name("moved")), "was removed or moved"),
        (lambda path: path.write_bytes(b""), "was cut short or changed"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "was cut short or changed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b" "), "was cut short or changed"),
        (lambda path: write_whole(path, path.read_bytes(), remedy=""), "was replaced by another file"),
    ],
)
def test_a_log_that_is_taken_away_under_a_running_process_is_noticed(
    run: Path, harm: Callable[[Path], None], what: str
) -> None:
    path = run / "log.jsonl"
    whole = path.read_bytes()
    with RunLog.open(run) as log:
        harm(path)
        after = path.read_bytes() if path.exists() else None
        with pytest.raises(RunStorageError) as error:
            log.append(make_checkpoint(30))
        assert str(error.value) == (
            f"{path} {what} while this process was extending it. Nothing was written: put it back as it was, then "
            "start again from there."
        )
        assert (path.read_bytes() if path.exists() else None) == after
        assert log.checkpoints == CHECKPOINTS
    run.mkdir(exist_ok=True)
    path.write_bytes(whole)  # as the message says
    with RunLog.open(run) as log:
        log.append(make_checkpoint(30))
    assert len(read_log(run).checkpoints) == 3


def test_a_deeply_nested_header_is_damage(run: Path) -> None:
    deep = frame("header", '{"config":{"a":' + "[" * 50_000 + "]" * 50_000 + "}}")
    (run / "log.jsonl").write_bytes(deep)
    with pytest.raises(CorruptLogError, match=r"line 1, is damaged: it is not a"):
        read_log(run)


def test_a_missing_stretch_is_found(run: Path) -> None:
    path = run / "log.jsonl"
    header, first, second, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + first[:100] + second + last)
    with pytest.raises(CorruptLogError, match="line 2, is damaged"):
        read_log(run)
    path.write_bytes(header + first + b"\n" + second + last)
    with pytest.raises(CorruptLogError, match="line 3, is damaged"):
        read_log(run)


# -- one writer -------------------------------------------------------------------------------------------------------

HOLD = """
import sys
from breakeven.store import RunLog
log = RunLog.open(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
APPEND_FOREVER = """
import itertools, sys
from dataclasses import replace
from breakeven.store import RunLog
log = RunLog.open(sys.argv[1])
last = log.checkpoints[-1]
for step in itertools.count(last.observation.step + 1):
    now = {name: replace(getattr(last, name), step=step) for name in ("observation", "decision")}
    log.append(replace(last, **now))
    print(step, flush=True)
"""


@contextmanager
def process(program: str, run: Path) -> Iterator["subprocess.Popen[str]"]:
    environment = os.environ | {"PYTHONPATH": str(Path(store.__file__).parents[2])}
    command = [sys.executable, "-c", program, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_second_process_is_refused_until_the_first_is_gone(run: Path) -> None:
    with process(HOLD, run) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        message = rf"run directory {run} is in use by process {child.pid} on .*Wait for it to end"
        for start in (RunLog.open, lambda directory: RunLog.create(directory, HEADER)):
            with pytest.raises(RunInUseError, match=message):
                start(run)
        assert read_log(run) == WHOLE  # readers need no lock
        child.send_signal(signal.SIGKILL)
        child.wait()
        with RunLog.open(run) as log:
            assert log.checkpoints == CHECKPOINTS
            with pytest.raises(RunInUseError, match=rf"process {os.getpid()} on"):
                RunLog.open(run)
        RunLog.open(run).close()


def test_a_killed_writer_loses_nothing_that_it_had_recorded(run: Path) -> None:
    with process(APPEND_FOREVER, run) as child:
        assert child.stdout is not None
        for _ in range(20):
            recorded = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        recorded = max([recorded, *map(int, child.stdout.read().split())])
    with RunLog.open(run) as log:
        steps = [checkpoint.observation.step for checkpoint in log.checkpoints]
    assert steps == [10, *range(20, steps[-1] + 1)]
    assert recorded <= steps[-1] <= recorded + 1


def test_closing_unlocks_in_spite_of_forked_children(run: Path) -> None:
    log = RunLog.open(run)
    inherited = os.dup(log._log._lock_fd)  # as a forked worker has it
    log.close()
    RunLog.open(run).close()
    os.close(inherited)


def test_a_disk_without_locks(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunStorageError, match=r"lock cannot be locked: No locks available\. Choose a directory"):
        RunLog.open(run)


# -- a disk that refuses ----------------------------------------------------------------------------------------------


def full_after(room: int) -> Callable[[int, bytes], int]:
    """An os.write to a disk with `room` bytes left; writes at most 7 bytes at once."""
    write = os.write

    def limited(fd: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(fd, bytes(data[: min(room, 7)]))
        room -= written
        return written

    return limited


@pytest.mark.parametrize("room", [0, 1, 500, 1000])
def test_a_full_disk_leaves_whole_records(run: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    content = (run / "log.jsonl").read_bytes()
    with RunLog.open(run) as log:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full_after(room))
            with pytest.raises(RunStorageError) as caught:
                log.append(make_checkpoint(30))
        assert str(caught.value) == (
            f"{run / 'log.jsonl'} cannot be extended: No space left on device. What was recorded before "
            "stays readable. Free space, then go on with --resume."
        )
        assert (run / "log.jsonl").read_bytes() == content
        assert log.checkpoints == CHECKPOINTS
        assert log.find(30) is None
        log.append(make_checkpoint(30))  # once there is room again
    assert read_log(run) == replace(WHOLE, checkpoints=(*CHECKPOINTS, make_checkpoint(30)))


def test_a_line_that_was_written_but_not_synced_is_taken_back(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int) -> None:
        raise OSError("lost")

    with RunLog.open(run) as log:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(RunStorageError, match="cannot be extended: lost"):
            log.append(make_checkpoint(30))
    assert read_log(run) == WHOLE


def test_a_disk_that_does_not_even_cut_back(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truncate, calls = os.ftruncate, iter([True, False])

    def refuse_second(fd: int, size: int) -> None:
        if not next(calls):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        truncate(fd, size)

    with RunLog.open(run) as log:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full_after(50))
            patch.setattr(os, "ftruncate", refuse_second)
            with pytest.raises(RunStorageError, match="No space left"):
                log.append(make_checkpoint(30))
        assert read_log(run) == replace(WHOLE, recovered=True)
        log.append(make_checkpoint(30))  # cuts the torn line off first
    assert not read_log(run).recovered
    assert len(read_log(run).checkpoints) == 3


@pytest.mark.parametrize("room", [0, 100])
def test_a_disk_too_full_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_after(room))
        with pytest.raises(
            RunStorageError, match=r"could not be written: No space left on device\. Nothing was recorded"
        ):
            RunLog.create(tmp_path, HEADER)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    RunLog.create(tmp_path, HEADER).close()  # as if nothing had happened


def test_a_start_that_was_killed_halfway_leaves_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", kill)
        with pytest.raises(KeyboardInterrupt):
            RunLog.create(tmp_path, HEADER)
    with RunLog.create(tmp_path, HEADER) as log:
        assert log.header == HEADER
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "log.jsonl"}


def test_a_directory_that_cannot_be_made_or_extended(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **settings: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = run / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(RunStorageError, match=r"run directory .*new cannot be made: Permission denied\. Choose"):
            RunLog.create(run / "new", HEADER)
    with monkeypatch.context() as patch:
        patch.setattr(os, "truncate", refuse)
        with pytest.raises(RunStorageError, match=r"log\.jsonl cannot be extended: Permission denied\. Make it writ"):
            RunLog.open(run)
    RunLog.open(run).close()


FILL_TINY_DISK = """
import sys
from dataclasses import replace
from breakeven.errors import RunStorageError
from breakeven.store import RunLog, read_log
source, run = sys.argv[1].split(":")
record = read_log(source)
last = record.checkpoints[-1]
with RunLog.create(run, record.header) as log:
    try:
        for step in range(1, 1000):
            now = {name: replace(getattr(last, name), step=step) for name in ("observation", "decision")}
            log.append(replace(last, **now))
    except RunStorageError as error:
        print(error)
whole = read_log(run)
print(whole.recovered, len(whole.checkpoints) == step - 1 > 1, RunLog.open(run).find(step - 1) == whole.checkpoints[-1])
"""


def test_a_disk_that_is_really_full(run: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && exec "$@"']
    if (
        not shutil.which("unshare")
        or subprocess.run([*mount, disk, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this user may not mount a small disk")
    done = subprocess.run(
        [*mount, disk, sys.executable, "-c", FILL_TINY_DISK, f"{run}:{disk / 'run'}"],
        env=os.environ | {"PYTHONPATH": str(Path(store.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    refusal, result = done.stdout.splitlines()
    assert "log.jsonl cannot be extended: No space left on device. What was recorded before stays" in refusal
    assert result == "False True True"


def test_a_disk_that_is_read_only_is_read_and_not_extended(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def read_only(path: Any, flags: int, *rest: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", read_only)
    before = {each.name: each.read_bytes() for each in run.iterdir()}
    assert read_log(run) == WHOLE
    with pytest.raises(
        RunStorageError, match=r"lock cannot be locked: Read-only file system\. Choose a directory that"
    ):
        RunLog.open(run)
    assert {each.name: each.read_bytes() for each in run.iterdir()} == before


def test_a_run_stopped_at_the_first_stop_under_the_budget_declared_last() -> None:
    record = read_log(Path(__file__).parents[2] / "examples" / "runs" / "countdown-1")
    stops = [each.observation.step for each in record.checkpoints if each.decision.stop]
    assert record.stopped_at is not None
    assert record.stopped_at.observation.step == stops[0]
    change = BudgetChange(step=stops[0], spec=record.header.spec, config={})
    later = [step for step in stops if step > stops[0]]
    found = replace(record, budget_changes=(change,)).stopped_at
    assert (None if found is None else [found.observation.step]) == (later[:1] or None)
    assert replace(record, checkpoints=()).stopped_at is None
