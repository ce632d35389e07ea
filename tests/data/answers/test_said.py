"""What of a completion is the answer: thinking, ends of turns, next questions."""

import pytest

from breakeven.data.answers.find import ANSWER_RULES, extracted
from breakeven.data.answers.said import before_next_question, said


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("7", "7"),
        ("<think>6</think>7", "7"),
        ("6\n</think>7", "7"),
        ("<THINK>6</Think><think>5</think>7", "7"),
        ("<thinking>6</thinking>7", "7"),
        ("<seed:think>6</seed:think>7", "7"),
        ("[THINK]6[/THINK]7", "7"),
        ("\u25c1think\u25b76\u25c1/think\u25b77", "7"),
        ("<|channel|>analysis<|message|>6<|end|><|start|>assistant<|channel|>final<|message|>7<|return|>", "7"),
        ("analysis6assistantfinal7", "7"),
        ("the word assistantfinal", "the word assistantfinal"),
        ("<think>6", ""),
        ("<think>6</think>", ""),
        ("<think>5</think>7<think>6", "7"),
        ("7<reason>6</reason>", "7"),
        ("<|channel|>analysis<|message|>6", ""),
        ("7<|im_end|>\n<|im_start|>user", "7"),
        ("7<end_of_turn>8", "7"),
        ("<|im_start|>7", "<|im_start|>7"),
        ("7</s>", "7"),
        ("7</s> <s>8", "7"),
        ("<s>6</s> 7", "<s>6</s> 7"),
        ("7 [INST] 8", "7 "),
        ("7<|other|>", "7<|other|>"),
    ],
)
def test_said(text: str, answer: str) -> None:
    assert said(text) == answer


@pytest.mark.parametrize("rule", ANSWER_RULES)
def test_no_rule_reads_the_thinking(rule) -> None:
    assert extracted("<think><answer>6</answer> \\boxed{6}\nAnswer: 6</think>\n7\n", rule) == "7"
    assert extracted("<think><answer>6</answer> \\boxed{6}\nAnswer: 6", rule) is None


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("7\n\nQuestion: 8?", "7\n\n"),
        ("7\n**Problem:** 8?", "7\n"),
        ("7\n## Exercise: 8?", "7\n"),
        ("7\nUser: 8?", "7\n"),
        ("7\nQ2. 8?", "7\n"),
        ("7\nQ. 8?", "7\n"),
        ("7\n[Question]\n8?", "7\n"),
        ("7\n[Question 2]\n8?", "7\n"),
        ("7\nProblem 2\n8?", "7\n"),
        ("7\nQuestion\n8?", "7\n"),
        ("7\nAssistant: 8", "7\n"),
        ("7\nProblem solved.", None),
        ("7\nProblem 2 is solved.", None),
        ("Question: 7?\nAnswer: 7", None),
        ("7 is the question: 8", None),
        ("Questions are asked", None),
        ("", None),
    ],
)
def test_before_next_question(text: str, own: str | None) -> None:
    assert before_next_question(text) == own


def test_numbered_questions_may_be_parts_of_the_answer() -> None:
    text = "Two parts.\nQuestion 1: a\nQuestion: b"
    assert before_next_question(text) == "Two parts.\n"
    assert before_next_question(text, numbered=False) == "Two parts.\nQuestion 1: a\n"


def test_the_final_answer_stands_before_the_next_question_where_one_is_marked_there() -> None:
    assert extracted("Answer: Paris\n\nQuestion: And of Italy?\nAnswer: Rome", "final") == "Paris"
    assert extracted("In parts.\nQuestion 1: 4?\nAnswer: 4\nQuestion 2: 7?\nAnswer: 7", "final") == "7"
