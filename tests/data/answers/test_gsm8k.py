"""The number of a word problem: marks and headings, boxes, thousands, and what runs on into the next question."""

import pytest

from breakeven.data.answers.gsm8k import gsm8k_answer, number_answer

INSTRUCTION = "End with a line of #### and the answer: #### 42"
NEXT = "Tom has 3 cats and 2 dogs."


def test_gsm8k_mark() -> None:
    assert gsm8k_answer("#### 3\n#### -1,000 apples") == "-1,000"
    assert gsm8k_answer("#### none") is None
    assert gsm8k_answer("3") is None


@pytest.mark.parametrize(
    "text",
    [
        "#### Step 1: what is left\n9\n#### Step 2: earned\n9 * 2 = 18\n\nShe makes **$18** a day.",
        "#### Step 1\n16 - 7 = 9\n#### Step 2\n9 * 2 = 18\n\n\\boxed{18}",
        "#### 1. Left\n9\n#### 2. Earned\n9 * 2 = 18\nShe makes $18.",
        "#### **Part A**\nso 9 are left, which makes 18",
        "#### Janet's 16 eggs\n16 - 3 - 4 = 9\n9 * 2 = 18",
        "#### Step 3: the end\n#### 18",
    ],
)
def test_a_heading_is_no_mark(text: str) -> None:
    assert number_answer(text) == "18"


@pytest.mark.parametrize(
    "text",
    [
        "#### 18",
        "####18",
        "####\n18",
        "#### **18**",
        "#### $18$ for 9 eggs",
        "#### 18.\n",
        "#### 18. She makes this.",
        "#### Answer: $18$",
        "#### The answer is 18",
        "#### Final Answer\n\nShe makes $18 for 9 eggs",
        "#### Total: 18\nwhich is all",
        "#### x = 18",
        "#### 9 * 2 = 18",
        "#### Money: 9 \\times 2 = 18",
        "#### 18 = 9 * 2",
        "#### 18 (x = 3)",
        "#### \\boxed{18}",
        "#### 17\n#### 18",
        "#### 17\nWait, how many eggs did she eat? So:\n#### 18",
        "\\boxed{17}\n#### 18",
        "#### 17\nNo.\n\\boxed{18}",
        "\\boxed{9} are left, \\boxed{18} it is",
        "$$\\boxed{9 \\times 2 = 18}$$",
        "so $\\boxed 18$",
        "First 9, then 18",
    ],
)
def test_marks_boxes_and_sums(text: str) -> None:
    assert number_answer(text) == "18"


@pytest.mark.parametrize(
    "text",
    [
        f"9 * 2 = 18\n#### 18\n\nQuestion: {NEXT} How many pets?\nAnswer: 3 + 2 = 5\n#### 5",
        f"#### 18\n\n{NEXT} How many pets does he have?\n3 + 2 = 5\n#### 5",
        f"#### 18\n\n{NEXT}\n\n{INSTRUCTION}\n\n3 + 2 = 5\n#### 5",
        f"#### 18\n\nQuestion 2: {NEXT}\n#### 5",
        f"The answer is 18.\n\nQ: {NEXT}\nA: The answer is 5.",
        f"9 * 2 = 18\n\n**Problem:** {NEXT}\n5",
        f"#### 18\nHuman: {NEXT}\n#### 5",
        f"#### 18<|im_end|>\n<|im_start|>user\n{NEXT}\n#### 5",
        "**Question:** Janet has 16 eggs.\n\n**Solution:** 9 * 2 = 18\n#### 18",
        "Question 1: How many are left? 9\nQuestion 2: How much is that? 18",
        "In parts.\nQuestion 1: left? 9\nQuestion 2: How much is that? 18",
        f"{INSTRUCTION}\n9 * 2 = 18",
    ],
)
def test_what_runs_on_is_not_read_and_parts_of_the_answer_are(text: str) -> None:
    assert number_answer(text, INSTRUCTION) == "18"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So she pays \boxed{70{,}000} in all.", "70,000"),
        (r"#### $70{,}000$", "70,000"),
        ("#### 70 000", "70,000"),
        (r"\boxed{\$1\,234\,567}", "1,234,567"),
        ("#### 1,00,000", "100000"),
        ("#### -$5", "-5"),
        ("#### 15/2", "15/2"),
        (r"\boxed{\frac{15}{2}}", "15/2"),
        ("#### 5/20/2023", "5"),
        ("#### 18/2 = 9", "9"),
        ("<think>#### 5</think>\n#### 18", "18"),
        ("<think>#### 5", None),
        ("#### seven", None),
        ("#### " + "7" * 20_001, None),
    ],
)
def test_numbers_as_written(text: str, answer: str | None) -> None:
    assert number_answer(text) == answer
