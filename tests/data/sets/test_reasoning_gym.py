"""reasoning-gym: every generator, seeds and sizes, the package's checkers and their holes, bad answers."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from breakeven.checking.reasoning_gym_worker import start
from breakeven.checking.workers import CheckBrokeError
from breakeven.data.answers.find import extracted
from breakeven.data.sets import reasoning_gym
from breakeven.data.sets.reasoning_gym import ReasoningGym, generators
from breakeven.data.task import TextTask
from breakeven.errors import ArgumentError, CheckFailedError, MissingExtraError

EASY = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}
NO_GOLD = {"boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour"}
"""Generators without an answer of their own: their checkers look at the problem alone."""


@pytest.fixture(scope="module", autouse=True)
def sympy_as_it_was():
    import sympy

    original = sympy.parse_expr
    yield
    vars(sympy)["parse_expr"] = original


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the package makes, without processes of its own, each of which takes seconds to import the package."""

    class Here:
        def __init__(self, target: str, config: dict, **_: object) -> None:
            assert target == "breakeven.checking.reasoning_gym_worker:start"
            self.ask = start(config)

        def call(self, *arguments: object, **_: object) -> object:
            return self.ask(*arguments)

    monkeypatch.setattr(reasoning_gym, "Workers", Here)


@pytest.fixture(scope="module")
def sums():
    task = ReasoningGym(generator="chain_sum", num_problems=30, settings=EASY)
    assert task.problems
    yield task
    task.close()


def test_problems_and_checks(sums: ReasoningGym) -> None:
    assert isinstance(sums, TextTask)
    assert sums.name == "reasoning-gym:chain_sum(max_digits=1, max_terms=2, min_digits=1, min_terms=2)"
    assert len({each.id for each in sums.problems}) == 30
    for problem in sums.problems:
        assert problem.prompt.endswith("\n\nGive the final answer alone between <answer> and </answer>.")
        assert sums.check(problem, f"It is <answer>{problem.reference}</answer>")
        assert sums.check(problem, f"So the sum is\n{problem.reference}.")
        assert not sums.check(problem, f"<answer>{problem.reference}1</answer>")
        assert not sums.check(problem, f"<answer>{problem.reference} or 77</answer>"), "a partial score is wrong"
        assert not sums.check(problem, "")


def test_a_problem_is_one_of_the_task(sums: ReasoningGym) -> None:
    from breakeven.records import Problem

    with pytest.raises(ArgumentError, match=r"problem must be one of reasoning-gym:chain_sum\(.*\); got 'gcd-0'"):
        sums.check(Problem(id="gcd-0", prompt=""), "1")


@pytest.mark.usefixtures("in_this_process")
def test_a_larger_set_begins_with_the_smaller_and_seeds_do_not_overlap(sums: ReasoningGym) -> None:
    smaller = ReasoningGym(generator="chain_sum", num_problems=7, settings=EASY)
    assert smaller.problems == sums.problems[:7]
    digits = {"min_terms": 6, "max_terms": 6, "min_digits": 6, "max_digits": 6}
    prompts = [
        {
            each.prompt
            for each in ReasoningGym(generator="chain_sum", num_problems=40, seed=seed, settings=digits).problems
        }
        for seed in (0, 1)
    ]
    assert not prompts[0] & prompts[1]


def test_the_answer_rule_and_no_instruction_suit_a_base_model() -> None:
    task = ReasoningGym(
        generator="chain_sum", num_problems=1, settings=EASY, instruction="", answer="first_number", max_tokens=12
    )
    (problem,) = task.problems
    assert problem.prompt.endswith("=")
    assert task.check(problem, f" {problem.reference}\nState the final answer to: 1 + 1 = 2")
    assert "answer='first_number'" in task.name
    task.close()


@pytest.mark.slow
def test_processes_with_other_hash_seeds_make_the_same_problems() -> None:
    script = (
        "import zlib; from breakeven.data.sets.reasoning_gym import ReasoningGym\n"
        "mixed = [{'name': 'isomorphic_strings'}, {'name': 'ransom_note'}]\n"
        "task = ReasoningGym(generator='composite', num_problems=6, settings={'datasets': mixed})\n"
        "print(zlib.crc32(repr(task.problems).encode()))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_generator_makes_problems_whose_gold_answer_is_right_and_junk_is_wrong() -> None:
    junk = ("banana", "[1,2", "{}", "你好", "\x00", "(" * 3000, "[[1]]", "nan", "None", "3.5\n4", "-1", "[]", "1e999")
    without: set[str] = set()
    for name in generators():
        config = {"datasets": [{"name": "gcd"}]} if name == "composite" else {}
        ask = start({"generator": name, "seed": 7, "size": 20, "config": config})
        for index, (question, gold) in enumerate(ask("entries", 0, 2)):
            assert question.strip()
            if gold is None:
                without.add(name)
                continue
            answer = extracted(f"Thinking: 1, 2, 3.\n<answer>{gold}</answer>", "final")
            assert ask("score", index, answer) >= 1.0, name
            for text in junk:
                assert not ask("score", index, text) >= 1.0 or text == gold, (name, text)
    assert without == NO_GOLD
    assert len(generators()) >= 106


@pytest.mark.parametrize(
    ("generator", "answer"),
    [
        ("game_of_life_halting", "banana"),
        ("coin_flip", "0"),
        ("complex_arithmetic", "nan"),
        ("simple_integration", "Integral(x)"),
        ("countdown", "().__class__.__base__"),
        ("string_insertion", "[print('x')]"),
    ],
)
def test_answers_that_the_packages_checker_would_take_or_run_are_wrong(generator: str, answer: str) -> None:
    ask = start({"generator": generator, "seed": 3, "size": 20, "config": {}})
    ask("entries", 0, 10)
    assert all(ask("score", index, answer) < 1.0 for index in range(10))


def test_an_answer_is_not_evaluated_as_a_program(tmp_path) -> None:
    for generator in ("spiral_matrix", "n_queens", "simple_integration", "countdown", "puzzle24", "binary_matrix"):
        ask = start({"generator": generator, "seed": 3, "size": 20, "config": {}})
        ask("entries", 0, 1)
        for text in (
            f"[open({str(tmp_path / 'a')!r}, 'w')]",
            f"__import__('pathlib').Path({str(tmp_path / 'a')!r}).touch()",
            f"exec(\"open('{tmp_path / 'a'}', 'w')\")",
            f"sympify(\"open('{tmp_path / 'a'}', 'w')\")",
        ):
            assert ask("score", 0, text) < 1.0
    assert not list(tmp_path.iterdir())


def test_an_answer_that_hangs_its_check_is_wrong_and_the_next_one_works() -> None:
    task = ReasoningGym(generator="countdown", num_problems=1, timeout_seconds=1.5)
    (problem,) = task.problems
    assert not task.check(problem, "<answer>9**9**9**9</answer>")
    assert task.check(problem, f"<answer>{problem.reference}</answer>")
    task.close()


class Breaking:
    """Workers whose checker breaks on some answers."""

    def __init__(self, breaks_on: Callable[[str], bool], right: str) -> None:
        self.breaks_on, self.right = breaks_on, right

    def call(self, what: str, index: int, text: str) -> float:
        if self.breaks_on(text):
            raise CheckBrokeError("the checker raised ValueError")
        return float("nan") if text == "nan" else float(text == self.right)


@pytest.mark.parametrize(
    ("breaks_on", "gold", "verdict"),
    [
        (lambda text: text == "model", "gold", False),
        (lambda text: text in ("model", "gold"), "gold", None),
        (lambda text: text == "model", None, False),
        (lambda text: text != "[]", None, False),
        (lambda text: True, None, None),
    ],
)
@pytest.mark.usefixtures("in_this_process")
def test_what_breaks_its_check_is_wrong_where_the_checker_is_not_broken(
    breaks_on: Callable[[str], bool], gold: str | None, verdict: bool | None
) -> None:
    task = ReasoningGym(generator="countdown", num_problems=1)
    problem = replace(task.problems[0], reference=gold)
    vars(task)["_workers"] = Breaking(breaks_on, "gold")
    if verdict is None:
        with pytest.raises(CheckFailedError, match="the checker raised ValueError"):
            task.check(problem, "<answer>model</answer>")
    else:
        assert task.check(problem, "<answer>model</answer>") is verdict
        assert not task.check(problem, "<answer>nan</answer>")


def test_a_checker_that_raises_is_wrong_only_where_its_own_gold_answer_is_right() -> None:
    ask = start({"generator": "prime_factorization", "seed": 3, "size": 20, "config": {}})
    ask("entries", 0, 1)
    assert ask("score", 0, "banana") == 0.0
    ask = start({"generator": "boxnet", "seed": 3, "size": 20, "config": {}})
    ask("entries", 0, 1)
    with pytest.raises(TypeError):
        ask("score", 0, "1")


@pytest.mark.usefixtures("in_this_process")
def test_a_task_without_gold_answers_has_no_reference() -> None:
    task = ReasoningGym(generator="propositional_logic", num_problems=2)
    assert [each.reference for each in task.problems] == [None, None]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generator": "chainsum"}, "generator must be one of the .* Did you mean chain_sum"),
        ({"generator": "???"}, "generator must be one of the [0-9]+ of reasoning-gym; got '\\?\\?\\?'.$"),
        ({"settings": {"minterms": 2}}, "settings of chain_sum must be one of allow_negation.*Did you mean min_terms"),
        ({"settings": {"seed": 2}}, "settings of chain_sum must be one of"),
        ({"settings": {"min_terms": 5, "max_terms": 2}}, "It says: max_terms must be >= min_terms"),
        ({"settings": {"min_terms": "x"}}, "settings of chain_sum must be ones that the generator takes"),
        ({"generator": "composite"}, "Must specify at least one dataset"),
        ({"num_problems": 0}, "num_problems must be from 1 to 20000; got 0"),
        ({"num_problems": 20_001}, "num_problems must be from 1 to 20000"),
        ({"answer": "any"}, "answer must be one of final, first_line"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
    ],
)
def test_bad_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ReasoningGym(**{"generator": "chain_sum"} | settings)


def test_settings_that_yield_too_few_problems_are_named() -> None:
    task = ReasoningGym(
        generator="word_ladder", num_problems=5, settings={"min_word_length": 5, "max_word_length": 5,
                                                           "min_chain_length": 30, "max_chain_length": 30}
    )  # fmt: skip
    with pytest.raises(ArgumentError, match="reasoning-gym:word_ladder must be able to make problems 0 to 4"):
        _ = task.problems


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[tasks\]'"):
        ReasoningGym(generator="chain_sum")
