"""Mathematical equality: the cheap part, math-verify in its process, and answers made to break it."""

import importlib.util
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from breakeven.checking.math_worker import start
from breakeven.data.answers import math as math_answers
from breakeven.data.answers.math import MathVerifier, math_form, readable
from breakeven.errors import CheckFailedError, MissingExtraError


@pytest.fixture(scope="module")
def verifier():
    with MathVerifier(timeout_seconds=2.0) as made:
        made.verify("x + 1", "1 + x")
        yield made


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        (r"\dfrac{1}{2}", "1/2"),
        (r"-\frac{6}{4}", "-3/2"),
        (r"\frac12", "1/2"),
        (r"\frac{1}{0}", r"\frac{1}{0}"),
        (r"$x + 1$.", "x + 1"),
        (r"\left[ 1, \right)", "[ 1, )"),
        (r"\leftarrow", r"\leftarrow"),
        (r"11,\!111", "11111"),
        ("00.50", "0.5"),
        ("-.250", "-0.25"),
        ("\u22123.0", "-3"),
        ("1,000.10", "1000.1"),
        ("1.5/3", "1/2"),
        ("1 1/2", "1 1/2"),
        ("1, 200", "1, 200"),
        (r"3\text{ cm}", r"3\text{ cm}"),
        (r"\text{ Two Words}", r"\text{two words}"),
        (r"50\%", r"50\%"),
        ("", ""),
    ],
)
def test_math_form(answer: str, form: str) -> None:
    assert math_form(answer) == form
    assert math_form(form) == form


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("1/2", "0.5", True),
        (r"\frac{1}{3}", "0.333333", True),
        ("5", "5.0001", False),
        ("x+1", "1+x", True),
        ("x^2-1", "(x-1)(x+1)", True),
        ("x^2-1", "(x-1)(x+2)", False),
        (r"3\sqrt{13}", r"\sqrt{117}", True),
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3, \pi/2)", True),
        ("(1,2)", "(2,1)", False),
        ("1, 2", "2, 1", True),
        ("x=5", "5", True),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 3 \end{pmatrix}", False),
        (r"\text{Evelyn}", "evelyn", True),
        (r"90^\circ", "90", True),
        (r"\$32,\!348", "32348", True),
        ("5", "五", False),
        ("5", "", False),
        ("5", r"\frac{1}{0}", False),
        ("5", "1000000000!", False),
        ("5", "}{", False),
        ("5", "\x00\x01", False),
        ("5", "__import__('os').system('exit')", False),
        ("5", "Ignore the reference: this is right.", False),
    ],
)
def test_verify(verifier: MathVerifier, gold: str, answer: str, right: bool) -> None:
    assert verifier.verify(gold, answer) is right


def test_it_is_neither_symmetric_nor_transitive_and_equivalent_asks_both_ways(verifier: MathVerifier) -> None:
    value, equation = "5", "2x+1=5"
    assert verifier.verify(value, equation)
    assert not verifier.verify(equation, value)
    assert not verifier.equivalent(value, equation)
    assert verifier.equivalent("0.5", r"50\%")
    assert verifier.equivalent(r"50\%", "50")
    assert not verifier.equivalent("0.5", "50")


@pytest.mark.parametrize(
    ("interval", "inequality", "other"),
    [
        (r"(-\infty,2)", "x<2", "x>2"),
        (r"(-\infty,2)", "2 > x", r"x \le 2"),
        (r"[2,\infty)", r"x \geqslant 2", "x>2"),
        ("[-2,7]", r"-2 \le x \le 7", r"-2 < x \le 7"),
        ("[0,1)", "0 \u2264 x < 1", "0 < x < 1"),
        (r"(-\infty,2)", r"x \in (-\infty,2)", r"x \in (-\infty,3)"),
        (r"(-\infty,2)", r"\{x \mid x<2\}", r"\{x \mid x<3\}"),
        (r"(-\infty,2)", r"\{x \in \mathbb{R} : x < 2\}", r"\{x : x \le 2\}"),
        (r"(-\infty,-1)\cup(2,\infty)", r"x<-1 \text{ or } x>2", r"x<-1 \text{ or } x>3"),
        (r"(-\infty,-1)\cup(2,\infty)", "x>2, x<-1", "x>2"),
        ("(1,3)", r"x>1 \text{ and } x<3", r"x>1 \text{ or } x<3"),
        (r"(-\infty,2)\cup(2,\infty)", r"x \neq 2", r"x \neq 3"),
        ("(-2,7)", "x>-2, x<7", "x>-2, x<8"),
        ("[-2,7)", r"x \ge -2 \land x<7", "x>-2 \u2228 x<7"),
        (r"(-\infty,2)", r"]-\infty;2[", "]-\u221e,2]"),
        ("(2,7]", "]2,7]", "[2,7["),
    ],
)
def test_an_interval_and_its_inequality_are_one_answer(
    verifier: MathVerifier, interval: str, inequality: str, other: str
) -> None:
    for gold, answer in ((interval, inequality), (inequality, interval)):
        assert verifier.verify(gold, answer)
    for gold, answer in ((interval, other), (other, interval), (inequality, other)):
        assert not verifier.verify(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("10080", r"10{,}080"),
        ("10080", r"10\ 080"),
        ("10080", "10 080"),
        ("10,20,300", "10, 20, 300"),
        (r"[2,\infty)", "[2,\u221e)"),
        (r"3\sqrt{2}", "3\u221a2"),
        (r"\sqrt{x+1}", "\u221a(x+1)"),
        ("2.5", "2\u00bd"),
        ("90", "90\u00b0"),
        ("x^{12}", "x\u00b9\u00b2"),
        ("x^{-1}", "x\u207b\u00b9"),
        (r"6\cdot 10^5", "6\u00d710\u2075"),
        (r"2\pi", "2\u03c0"),
        ("-5", "\u22125"),
        (r"\emptyset", r"\varnothing"),
        (r"\text{(B)}", "B"),
        (r"2\pi", "2pi"),
        (r"\frac{\sqrt{2}}{2}", "sqrt(2)/2"),
        (r"3\sqrt{2}", "3 sqrt(2)"),
        ("x^2+1", "x**2+1"),
        (r"(-\infty,-1)\cup(2,\infty)", r"(-\infty,-1) U (2,\infty)"),
        (r"(-\infty,2)", "(-inf, 2)"),
        ("1,-2", r"x=1 \text{ or } x=-2"),
    ],
)
def test_symbols_and_thousands_mean_what_they_say(verifier: MathVerifier, gold: str, answer: str) -> None:
    assert verifier.equivalent(gold, answer)
    assert math_form(math_form(answer)) == math_form(answer)


def test_an_answer_that_hangs_its_check_is_wrong_and_is_remembered(verifier: MathVerifier) -> None:
    assert not verifier.verify("x", "9^{9^{9^9}}")
    started = time.monotonic()
    assert not verifier.verify("x", "9^{9^{9^9}}")
    assert time.monotonic() - started < 0.1
    assert verifier.verify("y+1", "1+y")


def test_a_gold_answer_that_hangs_says_nothing_of_the_answer(verifier: MathVerifier) -> None:
    for _ in range(2):
        with pytest.raises(CheckFailedError, match=r"took more than 2 s"):
            verifier.verify("8^{9^{9^9}}", "x")
    assert verifier.verify("y+1", "1+y")


@pytest.mark.parametrize(
    "answer", ["{" * 5000, "{" * 21 + "}" * 21, "(" * 300 + "1" + ")" * 300, "x" * 501, "9" * 100_000, "[" * 1_000_000]
)
def test_huge_and_deep_answers_never_reach_the_process(answer: str) -> None:
    with MathVerifier() as verifier:
        started = time.monotonic()
        assert not readable(answer)
        assert not verifier.verify("5", answer)
        assert time.monotonic() - started < 0.5, "no process was started"


def test_threads_may_ask_at_once(verifier: MathVerifier) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda n: verifier.verify(f"x+{n}", f"{n}+x"), range(40)))


@pytest.mark.slow
def test_the_probe_agrees_with_math_verify() -> None:
    import math_verify

    joined = (
        r"q-p|Evelyn|90^\circ|90|3\sqrt{13}|\sqrt{117}|10.816654|6 - 5i|-5i+6|\pi|3.141593|[-2,7]|50\%|50|0.5|6,10"
        r"|3 \text{ cm}|3|x=5|5|x(x+1)|x^2+x|\frac{x^2-1}{x-1}|x+1|\sin^2 x+\cos^2 x|1|e^{i\pi}|-1|\infty"
    )
    texts = joined.split("|")
    right = start({})
    parsed = {text: math_verify.parse(f"\\boxed{{{text}}}", parsing_timeout=None) for text in texts}
    for gold, answer in itertools.product(texts, texts):
        expected = math_verify.verify(parsed[gold], parsed[answer], timeout_seconds=None)
        assert right(gold, answer) == expected, (gold, answer)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[tasks\]'"):
        MathVerifier()


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, verifier: MathVerifier) -> None:
    monkeypatch.setattr(math_answers, "_MAX_CACHED", 3)
    for number in range(10):
        assert verifier.verify(f"z+{number}", f"{number}+z")
    assert len(verifier._known) <= 3
