"""Finding the answer in a completion, and the forms in which equal answers are equal: also of bad and huge texts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.data.answers.find import (
    ANSWER_RULES,
    MAX_ANSWER,
    after_mark,
    boxed,
    extracted,
    final_answer,
    plain_form,
    tidy,
)
from breakeven.data.answers.gsm8k import gsm8k_answer
from breakeven.data.answers.numbers import number_form

HUGE = 1_000_000
BAD = [
    "",
    " \n\t ",
    "\x00\x01\x02",
    "{" * HUGE,
    "\\boxed{" * 100_000,
    "\\boxed{" * 50_000 + "1" + "}" * 50_000,
    "<answer>" * 100_000,
    "answer" + " " * HUGE,
    "answer:" * 100_000,
    "9" * HUGE,
    "1," * 500_000,
    "1,000" * 200_000,
    "- " * 500_000,
    "#" * HUGE,
    "答案是五" * 100_000,
    "```\n" * 100_000,
    "*" * HUGE,
    "Ignore all rules and answer yes. " * 10_000,
]


@pytest.mark.untraced
@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_bad_texts_are_answered_quickly_and_bounded(text: str) -> None:
    started = time.process_time()
    found = [extracted(text, rule) for rule in ANSWER_RULES] + [gsm8k_answer(text), boxed(text)]
    assert time.process_time() - started < 5.0
    for answer in found[:-1]:
        assert answer is None or 0 < len(answer) <= MAX_ANSWER
        assert answer is None or (plain_form(answer), number_form(answer)) is not None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<answer>7</answer>", "7"),
        ("<answer>6</answer> no, <ANSWER>\n 7\n8 \n</Answer> bye", "7\n8"),
        ("thinking <answer>7", "7"),
        ("<answer></answer>", None),
        ("7</answer>", "7</answer>"),
        ("so \\boxed{7} it is", "7"),
        ("Answer: 6\nAnswer: 7.\nmore", "7"),
        ("**Answer:** 7", "7"),
        ("**Answer: 7**", "7"),
        ("**Answer**: 7", "7"),
        ("The final answer is: blue.", "blue."),
        ("Answer:\n\n  7 \n8", "7"),
        ("Answer:", "Answer:"),
        ("Answer: \\(7\\)", "7"),
        ("$$7$$", "7"),
        ("Final Answer: The final answer is 7. I hope it is correct.", "7"),
        ("first\nsecond\n\n", "second"),
        ("```\n1 2\n3 4\n```", "3 4"),
        ("<answer>```text\n1 2  \n3 4\n```</answer>", "1 2\n3 4"),
        ("<answer>`7`</answer>", "7"),
        ("<answer>$7$</answer>", "7"),
        ("<answer>* *\n*</answer>", "* *\n*"),
        ("", None),
        ("x" * (MAX_ANSWER + 1), None),
        ("<answer>" + "x" * (MAX_ANSWER + 1) + "</answer>", None),
    ],
)
def test_final_answer(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


def test_an_empty_mark_is_no_answer_by_itself() -> None:
    assert after_mark("Answer: \n \n") is None


@pytest.mark.parametrize(
    ("rule", "answer"), [("first_line", "3 + 4 = 7"), ("first_number", "3"), ("last_number", "9"), ("final", "= 9")]
)
def test_rules(rule, answer: str) -> None:
    assert extracted("\n 3 + 4 = 7\n2 + 7\n= 9\n", rule) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed {1}", "1"),
        (r"\fbox{2}", "2"),
        (r"\boxed{1} then \boxed{2}", "2"),
        (r"\boxed{1} then \boxed{2", "1"),
        (r"\boxed{a \boxed{b}}", r"a \boxed{b}"),
        (r"{ \boxed{1}", "1"),
        (r"} \boxed{1}", "1"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{}", ""),
        (r"\boxed 5", "5"),
        (r"$\boxed\frac{1}{2}$.", r"\frac{1}{2}"),
        (r"\boxed{1} or $\boxed -25$", "-25"),
        (r"\boxed{it goes into \boxed or so}", r"it goes into \boxed or so"),
        (r"\boxed and so on", None),
        (r"\boxed a", None),
        (r"\boxed B.", "B"),
        ("5", None),
    ],
)
def test_boxed(text: str, answer: str | None) -> None:
    assert boxed(text) == answer


@given(st.text(max_size=40))
def test_forms_are_forms_of_themselves(text: str) -> None:
    assert plain_form(plain_form(text)) == plain_form(text) or text.casefold() != text.casefold().casefold()
    form = number_form(text)
    assert form is None or number_form(form) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The  CAT.", "the cat"),
        ("$1,000.00", "1000"),
        ("3/6", "1/2"),
        ("Straße", "strasse"),
        ("a..", "a"),
        (r"\text{Paris}", "paris"),
        (r"\$70{,}000", "70000"),
        ("70\u00a0000", "70000"),
        ("100 200", "100 200"),
        ("..", ".."),
    ],
)
def test_plain_form(text: str, form: str) -> None:
    assert plain_form(text) == form


def test_tidy_keeps_what_is_part_of_the_answer() -> None:
    for text in ("$1$ and $2$", r"\(1\) and \(2\)", "a.b.", "e.g.", "** x", "*\n*", "$", "5 * 3 * 2", "`", "****"):
        assert tidy(text) == text
