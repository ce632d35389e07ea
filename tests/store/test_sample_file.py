"""The sample file: only extended, whole after a crash, never mixed."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError, CorruptLogError, LogError, RunInUseError, RunStorageError
from breakeven.records import Completion, Finish, Reward, RunSpec
from breakeven.store import Drawn, Graded, Header, RunLog, SampleFile, SamplesHeader, Scored
from breakeven.store.lines import encode

HEADER = SamplesHeader(
    versions={"breakeven": "1"},
    model="m",
    task="t",
    temperature=0.8,
    seed=3,
    max_tokens=16,
    settings={"chat": True, "system": None},
)


def drawn(problem: str = "a", *, first: int = 0, count: int = 2, greedy: bool = False) -> Drawn:
    return Drawn(
        problem=problem,
        prompt=problem,
        greedy=greedy,
        first=first,
        prompt_tokens=5,
        completions=tuple(
            Completion(text=f"{problem}{first + number}", output_tokens=3, finish=Finish.LENGTH)
            for number in range(count)
        ),
    )


GRADED = Graded(problem="a", verdicts="1?", answers=("8", None))
SCORED = Scored(
    problem="a", reward_model="judge", rewards=(Reward(value=0.5, read_tokens=9, output_tokens=2, verdicts="10"),) * 2
)


def test_what_was_appended_reads_back(tmp_path: Path) -> None:
    with SampleFile(tmp_path / "new" / "bank", HEADER) as file:
        file.append([drawn(), drawn(greedy=True, count=1), GRADED])
        file.append([SCORED, drawn(first=2, count=1)])
        assert (file.num_drawn("a"), file.num_drawn("a", greedy=True), file.num_drawn("b")) == (3, 1, 0)
    with SampleFile(tmp_path / "new" / "bank", replace(HEADER, versions={"breakeven": "2"})) as file:
        assert not file.recovered
        assert file.drawn == {
            ("a", False, 0): drawn(),
            ("a", True, 0): drawn(greedy=True, count=1),
            ("a", False, 2): drawn(first=2, count=1),
        }
        assert file.graded == {("a", False, 0): GRADED}
        assert file.scored == {("judge", "a", 0): SCORED}
        assert file.num_drawn("a") == 3


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"model": "other"}, "model"),
        ({"task": "other"}, "task"),
        ({"temperature": 1.0}, "temperature"),
        ({"seed": 4}, "seed"),
        ({"max_tokens": 17}, "max_tokens"),
        ({"settings": {"chat": False}}, "settings"),
    ],
)
def test_samples_of_other_settings_are_not_mixed(tmp_path: Path, changes: dict, name: str) -> None:
    SampleFile(tmp_path, HEADER).close()
    with pytest.raises(ArgumentError, match=rf"{name} must be the .* of the samples in .*choose another directory"):
        SampleFile(tmp_path, replace(HEADER, **changes))
    SampleFile(tmp_path, HEADER).close()  # the refusal let go of the directory


def test_a_torn_last_line_is_cut_off_and_damage_is_refused(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        file.append([drawn()])
    path = tmp_path / "samples.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"drawn","da')
    with SampleFile(tmp_path, HEADER) as file:
        assert file.recovered
        file.append([drawn(first=2)])
        assert file.num_drawn("a") == 4
    path.write_bytes(whole.replace(b"a1", b"a9"))
    with pytest.raises(CorruptLogError, match=r"line 2, is damaged: its contents have checksum"):
        SampleFile(tmp_path, HEADER)


def test_what_is_missing_between_is_found(tmp_path: Path) -> None:
    """Scores alone, say, which nothing else counts."""
    with SampleFile(tmp_path, HEADER) as file:
        for each in (drawn(), GRADED, SCORED, drawn("b")):
            file.append([each])
    path = tmp_path / "samples.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[4]]))
    with pytest.raises(CorruptLogError, match=r"line 4, is damaged: lines before it are missing or changed"):
        SampleFile(tmp_path, HEADER)


def test_samples_follow_on_one_another(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        file.append([drawn()])
        size = (tmp_path / "samples.jsonl").stat().st_size
        with pytest.raises(ArgumentError, match=r"first must go on from the 2 recorded for 'a'; got 0"):
            file.append([drawn("b"), drawn()])
        assert file.num_drawn("b") == 0
        assert (tmp_path / "samples.jsonl").stat().st_size == size, "nothing of a refused batch is written"


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        with pytest.raises(RunInUseError):
            SampleFile(tmp_path, HEADER)
        file.close()
        file.close()
    with pytest.raises(ArgumentError, match="sample file must be open"):
        file.append([drawn()])


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    log = Header(versions={}, config={}, spec=RunSpec(budget_flops=1.0), policy={}, seed=0)
    RunLog.create(tmp_path, log).close()
    (tmp_path / "log.jsonl").rename(tmp_path / "samples.jsonl")
    with pytest.raises(LogError, match="is not a sample file: its first record is of kind header, not samples"):
        SampleFile(tmp_path, HEADER)
    bank = tmp_path / "bank"
    with SampleFile(bank, HEADER) as file:
        file.append([drawn()])
    (bank / "samples.jsonl").rename(bank / "log.jsonl")
    with pytest.raises(LogError, match="is not a run log: its first record is of kind samples"):
        RunLog.open(bank)
    lines = (tmp_path / "samples.jsonl").read_bytes() + (bank / "log.jsonl").read_bytes().splitlines(True)[1]
    (tmp_path / "log.jsonl").write_bytes(lines)
    with pytest.raises(CorruptLogError, match="it is a drawn, which no run log holds"):
        RunLog.open(tmp_path)
    (bank / "samples.jsonl").write_bytes((bank / "log.jsonl").read_bytes() + (tmp_path / "samples.jsonl").read_bytes())
    with pytest.raises(CorruptLogError, match="line 3, is damaged: it is a header"):
        SampleFile(bank, HEADER)


def test_a_full_disk_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        file.append([drawn()])

        def full(fd: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(RunStorageError, match="What was recorded before stays readable"):
                file.append([drawn(first=2)])
        file.append([drawn(first=2)])
    with SampleFile(tmp_path, HEADER) as file:
        assert file.num_drawn("a") == 4


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(b"")
    with pytest.raises(LogError, match="is empty, so nothing was recorded"):
        SampleFile(tmp_path, HEADER)


def test_records_are_read_from_the_file_when_they_are_asked_for(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        file.append([drawn(), GRADED, drawn("b")])
        file.append([replace(GRADED, verdicts="11")])
        assert list(file.drawn) == [("a", False, 0), ("b", False, 0)]
        assert file.drawn["a", False, 0] == drawn()
        assert file.drawn["a", False, 0] is not file.drawn["a", False, 0]
        assert file.graded["a", False, 0].verdicts == "11", "the last one"
        assert ("c", False, 0) not in file.drawn
        assert (len(file.graded), len(file.scored)) == (1, 0)
        assert list(file.prompts) == [("a", "a"), ("b", "b")]
    assert file.drawn["b", False, 0] == drawn("b"), "closed, it is read all the same"
    file.path.write_bytes(file.path.read_bytes().replace(b'"b0"', b'"x0"'))
    with pytest.raises(CorruptLogError, match="is damaged: its contents have checksum"):
        file.drawn["b", False, 0]


@pytest.mark.parametrize("other", [GRADED, SCORED, HEADER], ids=["verdicts", "rewards", "header"])
def test_a_line_of_another_kind_in_its_place_is_damage(tmp_path: Path, other: Graded | Scored | SamplesHeader) -> None:
    """Where the file is replaced while it is read, by one that is whole in itself."""
    with SampleFile(tmp_path, HEADER) as file:
        file.append([drawn()])
    header = file.path.read_bytes().splitlines(keepends=True)[0]
    file.path.write_bytes(header + encode(other)[0])
    with pytest.raises(CorruptLogError, match="is damaged: another line was there before"):
        file.drawn["a", False, 0]
