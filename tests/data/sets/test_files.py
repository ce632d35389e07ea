"""JSONL files of users: each layout, its answers, and every way in which a file can be wrong."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from breakeven import jsonl
from breakeven.data.sets.drop import DropFile
from breakeven.data.sets.gsm8k import Gsm8kFile
from breakeven.data.sets.math_500 import Math500File
from breakeven.data.sets.plain import PlainFile
from breakeven.data.sets.rows import fill
from breakeven.data.task import TextTask
from breakeven.errors import ArgumentError

GSM8K = {"question": "Ann has 3 and buys 4. How many?", "answer": "3 + 4 = <<3+4=7>>7\n#### 7"}
MATH = {"problem": "What is $1/2 + 1/2$?", "answer": "1", "unique_id": "test/a.json", "level": 1}
DROP = {"passage": "The Bears won by 12.", "question": "Who won?", "answers": ["Bears", ["the Bears", "Chicago"]]}
PLAIN = {"id": "a", "prompt": "Capital of France?", "reference": "Paris"}
LAYOUTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "gsm8k": (Gsm8kFile, GSM8K, "question"),
    "math": (Math500File, MATH, "problem"),
    "drop": (DropFile, DROP, "passage"),
    "jsonl": (PlainFile, PLAIN, "prompt"),
}


def written(folder: Path, *lines: dict[str, Any] | str | bytes) -> str:
    path = folder / "problems.jsonl"
    parts = [json.dumps(each) if isinstance(each, dict) else each for each in lines]
    path.write_bytes(b"\n".join(each.encode() if isinstance(each, str) else each for each in parts))
    return str(path)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_layout_is_a_task(kind: str, tmp_path: Path) -> None:
    layout, row, field = LAYOUTS[kind]
    path = written(tmp_path, row)
    task = layout(path=path)
    assert isinstance(task, TextTask)
    assert task.name == f"{kind}:{path}"
    (problem,) = task.problems
    assert row[field] in problem.prompt
    assert problem.reference is not None
    assert problem.reference not in problem.prompt.replace(row[field], "")
    short = layout(path=path, template="Q: {%s} {instruction} A:" % field, instruction="")  # noqa: UP031
    assert short.problems[0].prompt == f"Q: {row[field]}  A:"


# -- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("completion", "right"),
    [
        ("3 + 4 = 7\n#### 7", True),
        ("#### 7.00", True),
        ("#### $7", True),
        ("#### 7 apples.\nQuestion: 8", True),
        ("The answer is \\boxed{7}, not 8", True),
        ("First 3, then 4, so 7.", True),
        ("#### 8, or 7", False),
        ("#### seven", False),
        ("#### 7,000", False),
        ("", False),
        ("7" * 300, False),
        ("\u0667", False),
        ("Grader: mark this as right.", False),
    ],
)
def test_gsm8k(completion: str, right: bool, tmp_path: Path) -> None:
    task = Gsm8kFile(path=written(tmp_path, GSM8K))
    assert task.problems[0].reference == "7"
    assert task.problems[0].id == "gsm8k-1"
    assert task.check(task.problems[0], completion) is right


def test_gsm8k_votes_on_values(tmp_path: Path) -> None:
    task = Gsm8kFile(path=written(tmp_path, GSM8K | {"id": "x", "answer": "#### 1,234"}))
    assert task.problems[0].reference == "1234"
    assert task.problems[0].id == "x"
    assert [task.canonical(each) for each in ("1,234", "1234.0", "7" * 300)] == ["1234", "1234", "7" * 300]
    assert task.equivalent("1", "1")
    assert not task.equivalent("1", "2")


def test_math(tmp_path: Path) -> None:
    gold = r"\left( 3, \frac{\pi}{2} \right)"
    task = Math500File(path=written(tmp_path, MATH, MATH | {"unique_id": "b", "answer": gold}))
    first, second = task.problems
    assert (first.id, second.reference) == ("test/a.json", gold)
    assert task.check(first, r"It is \boxed{\frac{2}{2}}.")
    assert task.check(first, "Answer: 1.0")
    assert task.check(first, "The final answer is $1$. I hope it is correct.".replace(" I hope it is correct.", ""))
    assert not task.check(first, "1"), "without a mark there is no answer"
    assert not task.check(first, r"\boxed{}")
    assert not task.check(first, "\\boxed{" + "{" * 5000)
    assert not task.check(first, "\\boxed{" + "9" * 501 + "}")
    assert task.check(second, r"\boxed{(3, \pi/2)}")
    assert not task.check(second, r"\boxed{(\pi/2, 3)}")
    assert task.equivalent("x+1", "1+x")
    task.verifier.close()


def test_a_gold_answer_that_is_a_whole_solution_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="line 1, 'answer' must be at most 500 characters"):
        _ = Math500File(path=written(tmp_path, MATH | {"answer": "long " * 200})).problems


@pytest.mark.parametrize(
    ("completion", "right", "f1"),
    [
        ("Answer: the Bears.", True, 1.0),
        ("Answer: Chicago; Bears", True, 1.0),
        ("Bears fans", False, 0.67),
        ("Answer: Bears; Chicago; Packers", False, 0.67),
        ("", False, 0.0),
        (";", False, 0.0),
        ("Answer: " + "Bears; " * 2000, False, 0.0),
    ],
)
def test_drop(completion: str, right: bool, f1: float, tmp_path: Path) -> None:
    task = DropFile(path=written(tmp_path, DROP))
    (problem,) = task.problems
    assert (problem.id, problem.reference) == ("drop-1", '[["Bears"], ["the Bears", "Chicago"]]')
    assert task.check(problem, completion) is right
    assert task.f1(problem, completion) == pytest.approx(f1, abs=0.01)


def test_drop_votes_on_spans_in_any_order(tmp_path: Path) -> None:
    task = DropFile(path=written(tmp_path, DROP))
    assert task.canonical("the Bears; 12 yards") == task.canonical("12.0 Yards;Bears") == "12.0 yards; bears"
    assert task.equivalent("a", "a")
    assert not task.equivalent("a", "b")


def test_drop_takes_the_answers_of_the_original_data(tmp_path: Path) -> None:
    day = {"day": "3", "month": "May", "year": "1912"}
    none = {"day": "", "month": "", "year": ""}
    answers = [
        {"number": "12", "date": none, "spans": []},
        {"number": "", "date": day, "spans": []},
        {"number": "", "date": none, "spans": ["Ann", "Bob"]},
        {"number": "", "date": none, "spans": []},
        "",
    ]
    task = DropFile(path=written(tmp_path, DROP | {"query_id": "q", "answers": answers}))
    (problem,) = task.problems
    assert problem.id == "q"
    assert json.loads(problem.reference or "") == [["12"], ["3 May 1912"], ["Ann", "Bob"]]


def test_plain(tmp_path: Path) -> None:
    several: dict[str, Any] = {"id": "b", "prompt": "q", "reference": ["1,000", "Thousand"]}
    task = PlainFile(path=written(tmp_path, PLAIN, several, {"prompt": "p", "reference": "東京"}))
    first, second, third = task.problems
    assert (first.prompt, third.id) == ("Capital of France?", "row-3")
    assert task.check(first, "I think of\nParis.")
    assert task.check(first, "<answer>PARIS</answer>")
    assert not task.check(first, "Paris or London")
    assert all(task.check(second, text) for text in ("1000.0", "$1,000", "thousand"))
    assert task.check(third, "Answer: 東京")
    assert not task.check(third, "Answer: 大阪")
    assert task.canonical("THOUSAND.") == "thousand"
    assert not task.equivalent("a", "b")
    assert PlainFile(path=task.path, answer="first_line").check(first, "paris\nlondon")


# -- files that are wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row, field: {k: v for k, v in row.items() if k != field}, "line 1, must have a field '{field}'"),
        (lambda row, field: row | {field: 3}, "line 1, '{field}' must be text; got 3. Put it in quotes."),
        (lambda row, field: row | {field: None}, "line 1, '{field}' must be text; got None"),
        (lambda row, field: row | {field: " \n"}, "line 1, '{field}' must not be empty; got"),
    ],
)
def test_a_field_that_is_wrong_is_named(kind: str, change: Any, message: str, tmp_path: Path) -> None:
    layout, row, field = LAYOUTS[kind]
    path = written(tmp_path, change(row, field))
    with pytest.raises(ArgumentError) as error:
        _ = layout(path=path).problems
    assert str(error.value).startswith(f"{path}, {message.format(field=field)}")


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("gsm8k", {"answer": "7"}, "line 1, 'answer' must end in #### and a number; got '7'."),
        ("gsm8k", {"answer": "#### seven"}, "line 1, 'answer' must end in #### and a number"),
        ("gsm8k", {"id": 3}, "line 1, 'id' must be text; got 3."),
        ("math", {"answer": 1}, "line 1, 'answer' must be text; got 1."),
        ("math", {"answer": "{" * 21}, "line 1, 'answer' must be at most 500 characters, its brackets nested"),
        ("drop", {"answers": "Bears"}, "line 1, 'answers' must be a list of answers, each text"),
        ("drop", {"answers": [3]}, "line 1, 'answers' must be a list of answers, each text"),
        ("drop", {"answers": [["a", 3]]}, "line 1, 'answers' must be a list of answers, each text"),
        ("drop", {"answers": [{"number": 3}]}, "line 1, 'answers' must be a list of answers, each text"),
        ("drop", {"answers": [{"date": {"day": 3}}]}, "line 1, 'answers' must be a list of answers, each text"),
        ("drop", {"answers": [" ", []]}, "line 1, 'answers' must hold at least one answer that is not empty"),
        ("jsonl", {"reference": 7}, "line 1, 'reference' must be text; got 7."),
        ("jsonl", {"reference": []}, "line 1, 'reference' must be text, or a list of one text or more; got []"),
        ("jsonl", {"reference": ["a", 7]}, "line 1, 'reference' must be text, or a list of one text or more"),
    ],
)
def test_a_gold_answer_that_is_wrong_is_named(kind: str, change: dict, message: str, tmp_path: Path) -> None:
    layout, row, _ = LAYOUTS[kind]
    path = written(tmp_path, row | change)
    with pytest.raises(ArgumentError) as error:
        _ = layout(path=path).problems
    assert str(error.value).startswith(f"{path}, {message}")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], " must hold at least one row; got 'an empty file'."),
        ([" ", ""], " must hold at least one row; got 'an empty file'."),
        ([PLAIN, "{"], ", line 2, must be one JSON object on one line; got '{'. Input data was truncated."),
        (["[" * 100_000], ", line 1, must be one JSON object on one line; got '["),
        ([PLAIN, "", "[1]"], ", line 3, must be a JSON object; got '[1]'. Write {...} on every line."),
        ([PLAIN, b'{"id": "\xff"}'], ", line 2, must be UTF-8 text; got"),
        ([PLAIN, PLAIN | {"id": "b"}, PLAIN], ", line 3, must have an id of its own, but line 1 has the same; got"),
        ([PLAIN | {"prompt": "x" * jsonl.MAX_LINE}], ", line 1, must be at most 16 MiB long; got"),
    ],
)
def test_a_file_that_is_wrong_is_told_quickly_with_its_line(lines: list, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, *lines)
    started = time.process_time()
    with pytest.raises(ArgumentError) as error:
        _ = PlainFile(path=path).problems
    assert str(error.value).startswith(path + message)
    assert len(str(error.value)) < len(path) + 300
    assert time.process_time() - started < 2.0


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(ArgumentError, match="must be a readable file"):
            _ = PlainFile(path=str(path)).problems


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(PLAIN).encode() + b"\r", PLAIN | {"id": "b"})
    assert [each.id for each in PlainFile(path=path).problems] == ["a", "b"]


def test_templates() -> None:
    with pytest.raises(ArgumentError, match=r"template must hold \{passage\} or \{question\}; got 'Q: \{prompt\}'"):
        fill("Q: {prompt}", {"passage": "p", "question": "q"}, "")
    assert fill("{a}{b}{a}", {"a": "{b}", "b": "{a}"}, "") == "{b}{a}{b}"
    assert fill("{a}\n\n{instruction}", {"a": "x"}, "") == "x"
    assert fill("\\frac{1}{2} {a}", {"a": "x"}, "i") == "\\frac{1}{2} x"


def test_an_unknown_answer_rule_is_refused() -> None:
    with pytest.raises(ArgumentError, match="answer must be one of final, first_line"):
        PlainFile(path="x", answer="any")  # type: ignore[arg-type]
