"""Collecting a bank: what is asked of the sampler, how verdicts and tokens end up in it, what is refused."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ArgumentError, CheckFailedError, SamplerError
from breakeven.records import Completion, Draw, Problem, Reward
from breakeven.sampling.collect import Collector, collect
from breakeven.seeds import batch_seed
from breakeven.testing import RateSampler, RateVerifier

PROBLEMS = tuple(Problem(id=each, prompt=each, reference=answer) for each, answer in (("a", "1"), ("b", "2")))


class Scripted:
    """Returns the given texts, each with as many output tokens as it has characters, and notes what it was asked."""

    def __init__(self, sampled: list[list[str]], greedy: list[list[str]]) -> None:
        self.sampled = sampled
        self.greedy = greedy
        self.asked: list[tuple] = []

    def sample(self, problems, num_samples, *, temperature, seed):
        self.asked.append((tuple(problems), num_samples, temperature, seed))
        return [
            Draw(prompt_tokens=5, completions=tuple(Completion(text=t, output_tokens=len(t)) for t in texts))
            for texts in (self.sampled if temperature > 0 else self.greedy)
        ]


class Exact:
    """Right if the completion is the problem's reference."""

    def check(self, problem: Problem, completion: str) -> bool:
        return completion == problem.reference


def collected(sampler, problems=PROBLEMS, num_samples=3, temperature=0.8):
    return collect(sampler, Exact(), problems, num_samples=num_samples, temperature=temperature, seed=7)


def test_every_sample_is_graded_against_its_own_problem_and_all_tokens_are_counted() -> None:
    sampler = Scripted([["1", "2", "12"], ["2", "2", "333"]], [["1"], ["22"]])
    bank = collected(sampler)
    assert bank.correct_PN == ("100", "110")
    assert bank.greedy_correct_P == "10"
    assert (bank.prompt_tokens, bank.output_tokens, bank.greedy_output_tokens) == (10, 9, 3)
    assert (bank.temperature, bank.seed) == (0.8, 7)
    hidden = tuple(Problem(id=each.id, prompt=each.prompt) for each in PROBLEMS)
    assert sampler.asked == [(hidden, 1, 0.0, 7), (hidden, 3, 0.8, 7)]
    assert (bank.num_prefills, bank.answer_PN) == (4, ())


def test_bank_of_known_rates() -> None:
    sampler = RateSampler({"never": 0.0, "half": 0.5, "always": 1.0})
    bank = collect(sampler, RateVerifier(), sampler.problems, num_samples=400, temperature=0.8, seed=1)
    never, half, always = bank.num_correct_P
    assert (never, always) == (0, 400)
    assert abs(half - 200) < 4 * 10  # four standard deviations
    assert bank.greedy_correct_P == "001"
    again = collect(sampler, RateVerifier(), sampler.problems, num_samples=400, temperature=0.8, seed=1)
    assert again == bank


def test_more_samples_extend_a_bank() -> None:
    sampler = RateSampler({"a": 0.4, "b": 0.7})
    banks = [
        collect(sampler, RateVerifier(), sampler.problems, num_samples=n, temperature=0.8, seed=1) for n in (4, 16)
    ]
    for short, long in zip(banks[0].correct_PN, banks[1].correct_PN, strict=True):
        assert long.startswith(short)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"problems": ()}, "problems must hold at least one problem; got []."),
        ({"num_samples": 0}, "num_samples must be at least 1; got 0."),
        ({"temperature": 0.0}, "temperature must be above 0; got 0.0. The greedy sample is drawn anyway."),
        ({"temperature": math.nan}, "temperature must be above 0; got nan. The greedy sample is drawn anyway."),
    ],
)
def test_what_cannot_be_collected_is_refused(changed: dict, message: str) -> None:
    sampler = Scripted([], [])
    with pytest.raises(ArgumentError) as error:
        collected(sampler, **changed)
    assert str(error.value) == message
    assert sampler.asked == []


ONE_EACH = [["1"], ["1"]]


@pytest.mark.parametrize(
    ("sampled", "greedy", "message"),
    [
        ([["1"] * 3], ONE_EACH, "3 completions for each of 2 prompts; got 1 prompts with [3] completions."),
        (
            [["1"] * 3, ["1"] * 2],
            ONE_EACH,
            "3 completions for each of 2 prompts; got 2 prompts with [2, 3] completions.",
        ),
        ([], ONE_EACH, "3 completions for each of 2 prompts; got 0 prompts with [] completions."),
        ([["1"] * 3] * 2, [["1"] * 3] * 2, "1 completions for each of 2 prompts; got 2 prompts with [3] completions."),
    ],
)
def test_a_sampler_that_miscounts_is_refused(sampled, greedy, message: str) -> None:
    with pytest.raises(SamplerError) as error:
        collected(Scripted(sampled, greedy))
    assert str(error.value) == "The sampler must return " + message


def test_a_gold_answer_in_grading_marks_the_bank_as_an_oracle() -> None:
    rates = RateSampler({"a": 0.5})
    assert collected(rates, PROBLEMS[:1]).oracle
    assert not collect(rates, RateVerifier(), rates.problems, num_samples=1, temperature=0.8, seed=0).oracle


def test_a_completion_without_a_token_is_refused() -> None:
    message = "output_tokens must be at least 1, the end token counted; got 0 for problem 'a'"
    with pytest.raises(SamplerError, match=message):
        collected(Scripted([["x", "y", ""], ["x", "y", "z"]], [["x"], ["y"]]))


# -- piece by piece ---------------------------------------------------------------------------------------------------

FOUR = tuple(Problem(id=each, prompt=each) for each in "abcd")


class Noting:
    """A RateSampler that notes what it was asked for: (problems, samples, temperature, seed)."""

    def __init__(self) -> None:
        self.inner = RateSampler(dict.fromkeys("abcd", 0.5))
        self.asked: list[tuple[str, int, float, int]] = []

    def sample(self, problems, num_samples, *, temperature, seed):
        self.asked.append(("".join(each.id for each in problems), num_samples, temperature, seed))
        return self.inner.sample(problems, num_samples, temperature=temperature, seed=seed)


class Numbered:
    """The i-th sample ever drawn of a problem answers i // 3, none where that is 1; greedy samples are not counted."""

    def __init__(self) -> None:
        self.drawn: dict[str, int] = {}

    def sample(self, problems, num_samples, *, temperature, seed):
        return [Draw(prompt_tokens=5, completions=tuple(self._next(each, temperature) for _ in range(num_samples)))
                for each in problems]  # fmt: skip

    def _next(self, problem: Problem, temperature: float) -> Completion:
        number = self.drawn.get(problem.id, 0)
        if temperature > 0:
            self.drawn[problem.id] = number + 1
        return Completion(text=str(number // 3), output_tokens=2)


def collector_of(sampler, **settings) -> Collector:
    return Collector(sampler, RateVerifier(), FOUR, **{"temperature": 0.8, "seed": 9} | settings)


def test_a_new_collector_holds_the_greedy_samples_alone() -> None:
    sampler = Noting()
    bank = collector_of(sampler).bank()
    assert sampler.asked == [("abcd", 1, 0.0, 9)]
    assert bank.correct_PN == ("",) * 4
    assert (bank.num_drawn, bank.output_tokens, bank.num_prefills) == (0, 0, 4)
    assert (len(bank.greedy_correct_P), bank.prompt_tokens > 0, bank.greedy_output_tokens > 0) == (4, True, True)


def test_each_piece_draws_what_is_lacking() -> None:
    sampler = Noting()
    collector = collector_of(sampler)
    for num_problems, num_samples, lengths, num_prefills in (
        (1, 4, [4, 0, 0, 0], 5),
        (4, 4, [4, 4, 4, 4], 8),
        (2, 2, [4, 4, 4, 4], 8),  # nothing is lacking
        (3, 5, [5, 5, 5, 4], 11),
        (4, 7, [7, 7, 7, 7], 15),
    ):
        before = collector.bank().correct_PN
        collector.draw(num_problems, num_samples)
        bank = collector.bank()
        assert [len(row) for row in bank.correct_PN] == lengths
        assert all(row.startswith(old) for row, old in zip(bank.correct_PN, before, strict=True))
        assert bank.num_prefills == num_prefills
        assert bank.output_tokens * 4 == bank.num_drawn * bank.greedy_output_tokens  # all samples are as long
    drawn = [(problems, num) for problems, num, temperature, _ in sampler.asked if temperature > 0]
    assert drawn == [("a", 4), ("bcd", 4), ("abc", 1), ("abc", 2), ("d", 3)]
    seeds = [seed for *_, temperature, seed in sampler.asked if temperature > 0]
    assert seeds == [9, 9, *(batch_seed(9, first) for first in (4, 5, 4))], "a function of the first sample's number"


class Numbering:
    """A RateSampler that is asked for samples from any number on, and notes the numbers."""

    def __init__(self) -> None:
        self.inner = RateSampler(dict.fromkeys("abcd", 0.5))
        self.asked: list[tuple[str, range, int]] = []

    def sample(self, problems, num_samples, *, temperature, seed, first=0):
        if temperature > 0:
            self.asked.append(("".join(each.id for each in problems), range(first, first + num_samples), seed))
        return self.inner.sample(problems, num_samples, temperature=temperature, seed=seed, first=first)


def test_a_sampler_that_numbers_its_samples_is_asked_by_one_seed() -> None:
    sampler = Numbering()
    collector = collector_of(sampler)
    for piece in ((1, 4), (4, 4), (3, 5), (4, 7)):
        collector.draw(*piece)
    assert sampler.asked == [
        ("a", range(4), 9),
        ("bcd", range(4), 9),
        ("abc", range(4, 5), 9),
        ("abc", range(5, 7), 9),
        ("d", range(4, 7), 9),
    ]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), max_size=5))
def test_its_bank_does_not_depend_on_the_pieces(pieces: list[tuple[int, int]]) -> None:
    def extract(text: str) -> str:
        return text

    in_pieces, at_once = collector_of(Numbering(), answers=extract), collector_of(Numbering(), answers=extract)
    for piece in (*pieces, (4, 9)):
        in_pieces.draw(*piece)
        in_pieces.bank()
    at_once.draw(4, 9)
    assert replace(in_pieces.bank(), num_prefills=8) == at_once.bank()
    assert in_pieces.samples.texts_PN == at_once.samples.texts_PN


def test_what_was_drawn_is_kept_in_order() -> None:
    sampler = Scripted([["1", "2", "12"], ["2", "2", "333"]], [["1"], ["22"]])
    collector = Collector(sampler, Exact(), PROBLEMS, temperature=0.8, seed=7)
    collector.draw(2, 3)
    bank = collector.bank()
    assert (bank.prompt_tokens_P, bank.greedy_tokens_P) == ((5, 5), (1, 2))
    assert bank.output_tokens_PN == ((1, 1, 2), (1, 1, 3))
    assert collector.samples.greedy_texts_P == ("1", "22")
    assert collector.samples.texts_PN == (("1", "2", "12"), ("2", "2", "333"))
    assert (collector.samples.num_truncated, collector.samples.num_unanswered) == (0, 0)
    assert collector.samples.rewards_PN == ((), ())


# -- kept as it is made -----------------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Stands for a kill."""


class Halves:
    """Rewards a right text with 1; greedy samples and references are never shown to it."""

    kind = "outcome"

    def score(self, prefixes):
        assert all(each.problem.reference is None for each in prefixes)
        return [Reward(value=float(each.text == "right"), read_tokens=3) for each in prefixes]


def test_what_went_to_the_sink_is_what_a_collector_goes_on_from() -> None:
    """Killed after every record there is: what is held is neither drawn, graded nor scored again."""
    problems = tuple(Problem(id=str(number), prompt="?") for number in range(9))  # two calls a stage: 4 and 5 problems
    rates = RateSampler({each.id: 0.5 for each in problems})

    def filled(held: dict, left: int) -> tuple[Collector, list[tuple[str, int]]]:
        """`held` is filled by the sink, by the place, kind and number of each batch, and read again at the start."""
        made: list[tuple[str, int]] = []

        def sink(stage: str, batches) -> None:
            if len(made) == left:
                raise Stopped
            made.append((stage, len(batches)))
            held.update({(each.place, each.greedy, each.first): replace(each) for each in batches})

        again = [replace(each) for each in held.values()]
        options: dict = {"temperature": 0.8, "seed": 3, "answers": lambda text: text, "reward_model": Halves()}
        collector = Collector(rates, RateVerifier(), problems, **options, held=again, sink=sink)
        try:
            collector.draw(9, 4)
            collector.bank()
        except Stopped:
            pass
        return collector, made

    whole, made = filled({}, 100)
    assert made == [(stage, number) for stage, numbers in STAGES for number in numbers]
    for left in range(len(made)):
        held: dict = {}
        _, before = filled(held, left)
        resumed, after = filled(held, 100)
        assert resumed.bank() == whole.bank()
        assert sum(number for _, number in before + after) == sum(number for _, number in made), "nothing twice"


STAGES = (("drawing", (4, 5, 4, 5)), ("grading", (4, 14)), ("scoring", (4, 5)))
"""Batches of each call: greedy ones and others are drawn apart."""


def test_pieces_are_not_copies_of_each_other() -> None:
    collector = collector_of(RateSampler(dict.fromkeys("abcd", 0.5)))
    collector.draw(4, 40)
    collector.draw(4, 80)
    assert all(row[:40] != row[40:] for row in collector.bank().correct_PN)


def test_the_same_pieces_give_the_same_bank() -> None:
    def drawn(seed: int):
        collector = collector_of(Noting(), seed=seed)
        collector.draw(1, 4)
        collector.draw(4, 8)
        return collector.bank()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_answers_keep_their_labels_across_pieces() -> None:
    collector = collector_of(Numbered(), answers=lambda text: None if text == "1" else text)
    assert collector.bank().answer_PN == ("",) * 4
    collector.draw(1, 2)
    assert collector.bank().answer_PN == ("00", "", "", "")
    collector.draw(4, 7)
    assert collector.bank().answer_PN == ("000---1",) * 4
    collector.draw(2, 10)
    assert collector.bank().answer_PN == ("000---1112", "000---1112", "000---1", "000---1")


def test_a_bank_collected_at_once_holds_its_answers() -> None:
    bank = collect(
        Numbered(), RateVerifier(), FOUR, num_samples=7, temperature=0.8, seed=0, answers=lambda text: text or None
    )
    assert bank.answer_PN == ("0001112",) * 4


def test_a_piece_of_no_samples_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^num_samples must be at least 1; got 0\.$"):
        collector_of(Noting()).draw(4, 0)


def test_each_distinct_completion_is_checked_once() -> None:
    checked: list[tuple[str, str]] = []

    class Slow:
        def check(self, problem: Problem, completion: str) -> bool:
            checked.append((problem.id, completion))
            return completion == "0"

    bank = collect(Numbered(), Slow(), FOUR[:2], num_samples=6, temperature=0.8, seed=0)
    assert bank.correct_PN == ("111000",) * 2
    assert sorted(checked) == sorted([("a", "0"), ("b", "0")] * 2 + [("a", "1"), ("b", "1")])


def test_a_failed_check_is_neither_right_nor_wrong() -> None:
    class Failing:
        def check(self, problem: Problem, completion: str) -> bool:
            if completion == "1":
                raise CheckFailedError("late")
            return completion == "0"

    bank = collect(Numbered(), Failing(), FOUR[:2], num_samples=7, temperature=0.8, seed=0)
    assert bank.correct_PN == ("111???0",) * 2
    assert (bank.num_failed, bank.num_graded_P) == (6, (4, 4))


def test_only_the_checker_ever_sees_a_reference() -> None:
    secret = "secret-reference"
    problems = tuple(Problem(id=each, prompt=f"question {each}", reference=secret) for each in "ab")
    seen: list[object] = []

    class Noted(Numbered):
        def sample(self, problems, num_samples, *, temperature, seed):
            seen.extend(problems)
            return super().sample(problems, num_samples, temperature=temperature, seed=seed)

    class Knowing:
        def check(self, problem: Problem, completion: str) -> bool:
            assert problem.reference == secret
            return completion == "0"

    def extract(text: str) -> str:
        seen.append(text)
        return text

    collector = Collector(Noted(), Knowing(), problems, temperature=0.8, seed=0, answers=extract)
    collector.draw(1, 3)
    collector.draw(2, 5)
    bank = collector.bank()
    assert bank.oracle, "the bank itself still says that references were used"
    assert len(seen) == 5 + 12  # problems in three calls, and all texts, greedy ones included
    assert all(each.reference is None for each in seen if isinstance(each, Problem))
    assert secret not in repr(seen)
