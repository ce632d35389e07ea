r"""The mathematical answer: boxes that stand together, marks, and the sentence around a formula."""

import pytest

from breakeven.data.answers.math_find import math_answer, neighbours


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"The roots are \(\boxed{1}\) and \(\boxed{-2}\).", "1, -2"),
        (r"$x = \boxed{1}$ or $x = \boxed{-2}$", "1, -2"),
        (r"$x_1 = \boxed{1}, x_{2} = \boxed{-2}$", "1, -2"),
        (r"\boxed{1}, \boxed{2}, and \boxed{3}", "1, 2, 3"),
        (r"\boxed{1}\text{ and }\boxed{2}", "1, 2"),
        ("- \\boxed{1}\n- \\boxed{2}", "1, 2"),
        (r"\boxed{\frac12}, \boxed{0.5}, \boxed{0.50}", r"\frac12, 0.50"),
        (r"\boxed{2} = \boxed{2}", "2"),
        (r"\boxed{1} no: \boxed{2}", "2"),
        ("\\boxed{1}\n\n\\boxed{2}", "2"),
        (r"\boxed{1}. That is wrong. After a second look it is \boxed{2}", "2"),
        (r"\boxed{" + "9" * 600 + "}", "9" * 600),
        ("none", None),
    ],
)
def test_neighbouring_boxes_are_one_answer(text: str, answer: str | None) -> None:
    assert neighbours(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The final answer is 7. I hope it is correct.", "7"),
        ("Final Answer: The final answer is $7$. I hope it is correct.", "7"),
        ("The final answer is $7$. I hope it is correct.\n\nProblem:\nMore.\nThe final answer is $9$.", "7"),
        ("The answer is $7$.", "7"),
        ("the answer is 7", "7"),
        ("The answer is **7**", "7"),
        ("The answer is B.", "B."),
        ("The answer is correct.", None),
        ("Answer: $7$ dollars", "7"),
        (r"Answer: \(7\) dollars", "7"),
        ("Answer: $x=1$ and $x=2$", "$x=1$ and $x=2$"),
        (r"Answer: \$7 or $7$", r"\$7 or $7$"),
        (r"Answer: \text{Dr. Who}", r"\text{Dr. Who}"),
        ("Answer: 7, since 3 + 4 = 7", "7"),
        ("Answer: 7.5", "7.5"),
        ("<answer> $7$ </answer> which is 3 + 4", "7"),
        (r"\boxed 2", "2"),
        (r"so $\boxed\frac{1}{2}$.", r"\frac{1}{2}"),
        (r"It goes into \boxed and that is it. Answer: 7", "7"),
        (r"<think>\boxed{6}</think>\boxed{7}", "7"),
        (r"<think>\boxed{6}", None),
    ],
)
def test_marks_and_the_sentence_around_a_formula(text: str, answer: str | None) -> None:
    assert math_answer(text) == answer
