"""One checkpoint problem by problem, worked out by hand on five problems."""

import dataclasses
from typing import Any

import pytest

from breakeven.records import LearningPoint, SampleBank
from breakeven.report.problems import problem_blocks, sampled_blocks
from breakeven.report.shown import Evaluated
from breakeven.store import Texts


def bank(greedy: str, *rows: str) -> SampleBank:
    return SampleBank(
        correct_PN=rows,
        greedy_correct_P=greedy,
        temperature=0.8,
        seed=7,
        prompt_tokens=50,
        output_tokens=100,
        greedy_output_tokens=50,
    )


@pytest.fixture
def blocks(checkpoint):
    """The blocks of a checkpoint, with that before it."""

    def make(now: SampleBank, before: SampleBank | None = None, texts: Texts | None = None):
        run = [
            dataclasses.replace(shown, observation=dataclasses.replace(shown.observation, bank=each))
            for shown, each in zip((checkpoint(500), checkpoint(600)), (before or now, now), strict=True)
        ]
        return problem_blocks(run, 1, texts) if before else problem_blocks(run[1:], 0, texts)

    return make


NOW = bank("10?10", "1111", "0100", "0?01", "0000", "0000")


def test_a_row_a_problem_those_that_gain_most_first(blocks):
    said, table, completions = blocks(NOW, bank("0110?", *["0000"] * 5))
    assert table.headings == (
        "problem",
        "greedy sample",
        "samples right",
        "any of 1",
        "any of 4",
        "gain",
        "since step 500",
    )
    assert table.rows == (
        ("2", "wrong", "1 of 4", "0.250", "1.000", "+0.750", "lost"),
        ("1", "right", "4 of 4", "1.000", "1.000", "+0.000", "newly right"),
        ("4", "right", "0 of 4", "0.000", "0.000", "+0.000", "newly right"),
        ("5", "wrong", "0 of 4", "0.000", "0.000", "+0.000", "-"),
        ("3", "check failed", "1 of 4", "0.333", "-", "-", "-"),
    )
    assert said.texts == (
        "Of 5 validation problems at step 600, 2 are right with one greedy sample, 2 more with some sample of those "
        "drawn, 1 with none.",
        "Since step 500, 2 are newly right with one and 1 are lost.",
    )
    assert completions is None


def test_a_first_checkpoint_is_held_against_none(blocks):
    said, table, _ = blocks(NOW)
    assert table.headings[-1] == "since then"
    assert {row[-1] for row in table.rows} == {"-"}
    assert len(said.texts) == 1


def test_problems_that_were_not_sampled_are_told_apart(blocks):
    said, table, _ = blocks(bank("01", "01", ""))
    assert table.rows == (
        ("1", "wrong", "1 of 2", "0.500", "1.000", "+0.500", "-"),
        ("2", "right", "-", "-", "-", "-", "-"),
    )
    assert "1 are right with one greedy sample, 1 more with some sample" in said.texts[0]
    assert "of 1 no sample was drawn." in blocks(bank("00", "01", ""))[0].texts[0]


def test_completions_are_of_problems_that_gain_and_of_those_that_fail(blocks):
    texts = Texts(
        step=600,
        greedy_P=("g1", "<b>g2</b>", "g3", "g4", "g5"),
        texts_PN=tuple(tuple(f"p{problem}s{sample}" for sample in range(4)) for problem in range(1, 6)),
        num_left_out=0,
    )
    _, _, completions = blocks(NOW, None, texts)
    assert completions.of == (
        (
            "Problem 2: right in some samples (1 of 4)",
            (("greedy, wrong", "<b>g2</b>"), ("a sample, right", "p2s1"), ("a sample, wrong", "p2s0")),
        ),
        ("Problem 5: right in none (0 of 4)", (("greedy, wrong", "g5"), ("a sample, wrong", "p5s0"))),
    )


def test_long_completions_are_cut_and_it_is_said(blocks):
    texts = Texts(step=600, greedy_P=("x" * 1_000_601,), texts_PN=(("y",),), num_left_out=0)
    _, _, completions = blocks(bank("0", "0"), None, texts)
    ((_, written),) = completions.of
    (_, text), _ = written
    assert text == "x" * 600 + " [... 1,000,001 more characters]"


def test_problems_whose_texts_were_too_much_have_none(blocks):
    texts = Texts(step=600, greedy_P=("g1",), texts_PN=(("a",) * 4,), num_left_out=4)
    assert blocks(NOW, None, texts)[2] is None


def test_samples_of_no_run_are_shown_alike():
    texts = Texts(step=0, greedy_P=("g",) * 5, texts_PN=(("a", "b", "c", "d"),) * 5, num_left_out=0)
    blocks: Any = sampled_blocks(NOW, texts)
    said, wrote, table = blocks
    assert said.texts == (
        "Of 5 problems, 2 are right with one greedy sample, 2 more with some sample of those drawn, 1 with none.",
    )
    assert [problem for problem, _ in wrote.of] == [
        "Problem 2: right in some samples (1 of 4)",
        "Problem 5: right in none (0 of 4)",
    ]
    assert table.headings == ("problem", "greedy sample", "samples right", "any of 1", "any of 4", "gain")
    assert table.rows[0] == ("2", "wrong", "1 of 4", "0.250", "1.000", "+0.750")


def test_what_others_counted_has_no_problems(checkpoint):
    shown = checkpoint()
    point = LearningPoint(
        step=600,
        train_flops=1.0,
        evaluation_flops=None,
        query_flops=None,
        output_tokens=None,
        num_problems=5,
        num_drawn=0,
        greedy_accuracy=0.5,
        sampled_accuracy=None,
        disagreement=0.1,
    )
    evaluated = Evaluated(decision=shown.decision, point=point, train_flops=None)
    assert problem_blocks([evaluated], 0, None) is None


def test_without_greedy_samples_nothing_is_said_of_them(blocks):
    said, table, _ = blocks(bank("", "1100", "0000"))
    assert said.texts == ("Of 2 validation problems at step 600, 1 are right with some sample of those drawn.",)
    assert [row[1] for row in table.rows] == ["-", "-"]
