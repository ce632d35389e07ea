"""A task is held against itself: what each rule finds where a task breaks it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from breakeven.data.named import task_from
from breakeven.data.validation import validate
from breakeven.errors import ArgumentError, CheckFailedError
from breakeven.records import Problem


@dataclass
class Numbers:
    """The answer is the completion; each of `faults` breaks it in one way."""

    faults: frozenset[str] = frozenset()
    references: tuple[str, ...] = ("3", "4", "5")
    max_tokens: int = 8
    stop: tuple[str, ...] = ()
    name: str = "numbers"
    asked: list[str] = field(default_factory=list)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(Problem(id=f"p{each}", prompt=each, reference=each) for each in self.references)

    def extract(self, completion: str) -> str | None:
        return completion or None

    def canonical(self, answer: str) -> str:
        return answer + "0" if "grows" in self.faults else answer

    def equivalent(self, answer: str, other: str) -> bool:
        if answer == other:
            return "not itself" not in self.faults
        return "one way" in self.faults and answer < other

    def check(self, problem: Problem, completion: str) -> bool:
        if "crashes" in self.faults and completion == problem.reference:
            raise CheckFailedError("it crashed")
        if "takes all" in self.faults:
            return True
        return completion == problem.reference and "takes none" not in self.faults


RULES = (
    "the gold answer is right",
    "no answer is wrong",
    "another problem's answer is wrong",
    "a canonical form is its own",
    "an answer is equivalent to itself",
    "equivalence is symmetric",
)


@pytest.mark.parametrize(
    ("fault", "rules", "said"),
    [
        ("", (), ""),
        ("takes none", RULES[:1], "p3: '3' is taken for wrong"),
        ("takes all", RULES[1:3], "p3: '' is taken for right"),
        ("grows", RULES[3:4], "'30' becomes '300'"),
        ("not itself", RULES[4:5], "'3' is not equivalent to itself"),
        ("one way", RULES[5:], "'3' and '4' are equivalent one way only"),
    ],
)
def test_each_rule_finds_what_breaks_it(fault: str, rules: tuple[str, ...], said: str) -> None:
    findings = validate(Numbers(faults=frozenset({fault})), workers=2)
    assert tuple(each.rule for each in findings) == RULES
    assert [each.num_tried for each in findings] == [3] * 6
    broken = [each for each in findings if not each.kept]
    assert tuple(each.rule for each in broken) == rules
    assert not broken or broken[0].failed[0] == said
    assert not any(each.unknown for each in findings)


def test_a_check_that_fails_is_neither() -> None:
    first, *others = validate(Numbers(faults=frozenset({"crashes"})))
    assert (first.failed, first.unknown) == ((), ("it crashed",) * 3)
    assert not first.kept
    assert all(each.kept for each in others)


def test_problems_without_another_answer_and_without_gold_are_left_out() -> None:
    assert [each.num_tried for each in validate(Numbers(references=("3",)))] == [1, 1, 0, 1, 1, 0]
    assert [each.num_tried for each in validate(Numbers(references=(" ",)))] == [0, 1, 0, 0, 0, 0]
    with pytest.raises(ArgumentError, match="--workers must be at least 1"):
        validate(Numbers(), workers=0)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("gsm8k", [{"question": "q", "answer": f"#### {each}"} for each in ("7", "1,000", "-3", "7.5")]),
        (
            "math",
            [{"problem": "q", "answer": each} for each in (r"\frac{1}{2}", "1,-2", r"(-\infty,2)", "x<2", r"\text{A}")],
        ),
        ("jsonl", [{"prompt": "q", "reference": each} for each in ("Paris", "a\nb", ["1,000", "x"])]),
        ("drop", [{"passage": "p", "question": "q", "answers": [each]} for each in ("12", ["Ann", "Bob"])]),
    ],
)
def test_every_layout_keeps_every_rule(kind: str, rows: list[dict], tmp_path: Path) -> None:
    path = tmp_path / "task.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    for each in validate(task_from(f"{kind}:{path}")):
        assert (each.rule, each.failed, each.unknown) == (each.rule, (), ())


@pytest.mark.parametrize("name", ["countdown", "chain", "latin", "rules", "calculation", "sorting"])
def test_made_problems_keep_every_rule(name: str) -> None:
    findings = validate(task_from(name, num_problems=20))
    assert [each.failed for each in findings] == [()] * 6
    assert findings[0].num_tried == 20


def test_problems_of_a_generator_keep_every_rule() -> None:
    pytest.importorskip("reasoning_gym")
    assert all(each.kept for each in validate(task_from("reasoning-gym:mini_sudoku", num_problems=3)))
