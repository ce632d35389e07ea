"""The public test doubles: rates that are what they say, and a conformance suite that catches each broken promise."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.testing import (
    DigitSampler,
    RateSampler,
    RateVerifier,
    check_sampler,
    check_segment_sampler,
    synthetic_bank,
    synthetic_run,
)

SAMPLER = RateSampler({"a": 0.3, "b": 0.6, "c": 0.5})


def test_importing_brings_no_torch() -> None:
    code = "import sys, breakeven.testing; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert run.stdout.strip() == "False", run.stderr


# -- banks ------------------------------------------------------------------------------------------------------------


def test_bank_has_the_rates_asked_for() -> None:
    rates = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    bank = synthetic_bank(rates, 10_000, seed=1)
    measured = np.array(bank.num_correct_P) / 10_000
    assert np.all(np.abs(measured - rates) <= 4 * np.sqrt(rates * (1 - rates) / 10_000))
    assert bank.greedy_correct_P == "00011"


def test_bank_counts_its_tokens() -> None:
    bank = synthetic_bank([0.5, 0.5], 4, seed=3, temperature=1.1, prompt_tokens=10, output_tokens=7)
    assert (bank.prompt_tokens, bank.output_tokens, bank.greedy_output_tokens) == (20, 56, 14)
    assert (bank.temperature, bank.seed) == (1.1, 3)


def test_bank_is_a_function_of_its_seed_and_grows_with_the_samples() -> None:
    rates = [0.5] * 20
    bank = synthetic_bank(rates, 8, seed=1)
    assert synthetic_bank(rates, 8, seed=1) == bank
    assert synthetic_bank(rates, 8, seed=2).correct_PN != bank.correct_PN
    more = synthetic_bank(rates, 32, seed=1)
    assert all(long.startswith(row) for long, row in zip(more.correct_PN, bank.correct_PN, strict=True))


def test_greedy_verdicts_may_be_given() -> None:
    assert synthetic_bank([0.9, 0.1], 1, seed=0, greedy_correct_P="01").greedy_correct_P == "01"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"success_P": []}, "success_P must be a list of at least one rate; got []."),
        ({"success_P": [[0.5]]}, "success_P must be a list of at least one rate; got [[0.5]]."),
        ({"success_P": [0.5, 1.5]}, "success_P must be rates from 0 to 1; got 1.5. Divide percentages by 100."),
        ({"success_P": [math.nan]}, "success_P must be rates from 0 to 1; got nan. Divide percentages by 100."),
        ({"num_samples": 0}, "num_samples must be at least 1; got 0."),
        ({"greedy_correct_P": "011"}, "greedy_correct_P must be 2 characters, each 0 or 1; got '011'."),
        ({"greedy_correct_P": "0x"}, "greedy_correct_P must be 2 characters, each 0 or 1; got '0x'."),
    ],
)
def test_bank_refuses(args: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        synthetic_bank(**{"success_P": [0.5, 0.5], "num_samples": 4, "seed": 0} | args)
    assert str(error.value) == message


# -- runs -------------------------------------------------------------------------------------------------------------

RUN = {"num_checkpoints": 5, "num_problems": 400, "num_samples": 50, "seed": 2}


def half_saturating(share: float) -> float:
    return 0.5 * (1 - math.exp(-4 * share))


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3, 0.8])
def test_run_follows_its_curve_with_the_spread_asked_for(spread: float) -> None:
    run = synthetic_run(half_saturating, spread=spread, **RUN)
    for index, observation in enumerate(run, start=1):
        mean = half_saturating(index / 5)
        rates = np.array(observation.bank.num_correct_P) / 50
        assert rates.mean() == pytest.approx(mean, abs=0.012)  # four standard errors of 20,000 draws, and 1 / P
        binomial = mean * (1 - mean) * (1 - spread) / 50
        assert rates.var() == pytest.approx(spread * mean * (1 - mean) + binomial, rel=0.3)


def test_run_spends_its_budget_evenly_to_the_end() -> None:
    run = synthetic_run(half_saturating, budget_flops=1000.0, **RUN)
    assert [each.train_flops for each in run] == [200.0, 400.0, 600.0, 800.0, 1000.0]
    assert [each.step for each in run] == [100, 200, 300, 400, 500]
    assert [each.train_tokens for each in run] == [100_000, 200_000, 300_000, 400_000, 500_000]


def test_an_evaluation_costs_its_share_and_prices_a_query() -> None:
    """Two prefills of 6 tokens, 50 decodes of 8 and a greedy one for each of 400 problems: 420 tokens a problem."""
    for each in synthetic_run(half_saturating, evaluation_share=0.01, budget_flops=4200.0, **RUN):
        assert each.evaluation_flops == 42.0
        per_token = 42.0 / (400 * 420)
        assert each.query_flops.prefill_flops == pytest.approx(6 * per_token)
        assert each.query_flops.decode_flops == pytest.approx(8 * per_token)
        drawn = each.query_flops.total(50) + each.query_flops.total(1)
        assert 400 * drawn == pytest.approx(each.evaluation_flops)


def test_run_is_a_function_of_its_seed_and_its_checkpoints_are_drawn_apart() -> None:
    run = synthetic_run(lambda share: 0.5, **RUN)
    assert synthetic_run(lambda share: 0.5, **RUN) == run
    assert synthetic_run(lambda share: 0.5, **RUN | {"seed": 3}) != run
    assert len({each.bank.correct_PN for each in run}) == 5
    assert len({each.bank.seed for each in run}) == 5


def test_harder_problems_stay_harder() -> None:
    first, *_, last = (np.array(each.bank.num_correct_P) for each in synthetic_run(lambda share: 0.5 * share, **RUN))
    assert np.corrcoef(first, last)[0, 1] > 0.5


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_certain_success_and_failure(spread: float) -> None:
    run = synthetic_run(lambda share: float(share == 1.0), spread=spread, **RUN)
    assert [each.bank.sampled_accuracy for each in run] == [0.0, 0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"num_checkpoints": 0}, "num_checkpoints must be at least 1; got 0."),
        ({"num_problems": 0}, "num_problems must be at least 1; got 0."),
        ({"num_samples": 0}, "num_samples must be at least 1; got 0."),
        ({"spread": 1.0}, "spread must be a share from 0 up to 1; got 1.0."),
        ({"spread": math.nan}, "spread must be a share from 0 up to 1; got nan."),
        ({"evaluation_share": -0.1}, "evaluation_share must be at least 0; got -0.1."),
        ({"budget_flops": 0.0}, "budget_flops must be above 0; got 0.0."),
    ],
)
def test_run_refuses(args: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        synthetic_run(half_saturating, **RUN | args)
    assert str(error.value) == message


def test_run_refuses_a_curve_that_is_no_accuracy() -> None:
    with pytest.raises(ArgumentError) as error:
        synthetic_run(lambda share: 60.0, **RUN)
    assert str(error.value) == "accuracy_at(0.2) must be rates from 0 to 1; got 60.0. Divide percentages by 100."


# -- the sampler of known rates ---------------------------------------------------------------------------------------


def test_rate_sampler_has_its_rates() -> None:
    draws = SAMPLER.sample(SAMPLER.problems, 10_000, temperature=0.8, seed=4)
    for rate, draw in zip(SAMPLER.success.values(), draws, strict=True):
        texts = [each.text for each in draw.completions]
        assert set(texts) == {"right", "wrong"}
        assert texts.count("right") / 10_000 == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / 10_000))
        assert draw.prompt_tokens == 6
        assert {each.output_tokens for each in draw.completions} == {8}


def test_rate_sampler_is_greedy_at_temperature_0() -> None:
    draws = SAMPLER.sample(SAMPLER.problems, 2, temperature=0.0, seed=4)
    assert [[each.text for each in draw.completions] for draw in draws] == [["wrong"] * 2, ["right"] * 2, ["wrong"] * 2]


def test_rate_sampler_samples_by_id_whatever_the_prompt() -> None:
    again = [Problem(id="b", prompt="another prompt")]
    (draw,) = SAMPLER.sample(again, 16, temperature=0.8, seed=4)
    assert draw == SAMPLER.sample(SAMPLER.problems, 16, temperature=0.8, seed=4)[1]


def test_rate_sampler_refuses() -> None:
    with pytest.raises(ArgumentError) as error:
        SAMPLER.sample([Problem(id="z", prompt="")], 1, temperature=0.8, seed=0)
    assert str(error.value) == "problems must be among those with a success rate; got 'z'."
    with pytest.raises(ArgumentError) as error:
        RateSampler({"a": 2.0})
    assert str(error.value) == "success must be rates from 0 to 1; got 2.0. Divide percentages by 100."


@pytest.mark.parametrize(("text", "right"), [("right", True), ("wrong", False), ("", False), ("Right", False)])
def test_rate_verifier(text: str, right: bool) -> None:
    assert RateVerifier().check(SAMPLER.problems[0], text) is right


# -- conformance ------------------------------------------------------------------------------------------------------


class Broken:
    """A sampler that passes on what RateSampler draws, after spoiling it."""

    def __init__(self, spoil) -> None:
        self.spoil = spoil
        self.calls = 0

    def sample(self, problems, num_samples, *, temperature, seed):
        self.calls += 1
        return self.spoil(self, problems, num_samples, temperature, seed)


def drawn(problems, num_samples, temperature, seed):
    return SAMPLER.sample(problems, num_samples, temperature=temperature, seed=seed)


def with_tokens(draws, *, prompt_tokens=6, output_tokens=8):
    return [
        Draw(
            prompt_tokens=prompt_tokens,
            completions=tuple(Completion(text=each.text, output_tokens=output_tokens) for each in draw.completions),
        )
        for draw in draws
    ]


def repeated(draws):
    return [replace_all(draw, draw.completions[:1] * len(draw.completions)) for draw in draws]


def replace_all(draw, completions):
    return Draw(prompt_tokens=draw.prompt_tokens, completions=tuple(completions))


BROKEN = {
    "drops a problem": (
        lambda self, p, n, t, s: drawn(p, n, t, s)[:-1],
        "3 problems must give as many draws, got 2.",
    ),
    "draws too many": (
        lambda self, p, n, t, s: drawn(p, n + 1, t, s),
        "problem 'a' must have 8 completions, got 9.",
    ),
    "counts no prompt": (
        lambda self, p, n, t, s: with_tokens(drawn(p, n, t, s), prompt_tokens=0),
        "problem 'a' must have 1 prompt token or more, got 0.",
    ),
    "counts no end token": (
        lambda self, p, n, t, s: with_tokens(drawn(p, n, t, s), output_tokens=0),
        "a completion must take 1 output token or more (its end token counts), got 0 for 'a'.",
    ),
    "keeps a random state": (
        lambda self, p, n, t, s: drawn(p, n, t, s + self.calls),
        "the same seed must give the same samples, but a second call gave others.",
    ),
    "sorts the problems": (
        lambda self, p, n, t, s: drawn(sorted(p, key=lambda each: each.id), n, t, s),
        "draws must come in the order of the problems and not depend on it, but reversed problems gave other draws.",
    ),
    "depends on the place in the batch": (
        lambda self, p, n, t, s: [drawn([each], n, t, s + at)[0] for at, each in enumerate(p)],
        "draws must come in the order of the problems and not depend on it, but reversed problems gave other draws.",
    ),
    "depends on the size of the batch": (
        lambda self, p, n, t, s: drawn(p, n, t, s + len(p)),
        "a problem's samples must not depend on the other problems, but leaving one out changed them.",
    ),
    "depends on num_samples": (
        lambda self, p, n, t, s: drawn(p, n, t, s + n),
        "sample i must not depend on num_samples, but 1 samples are not the first 1 of 8.",
    ),
    "draws all but the first backwards": (
        lambda self, p, n, t, s: [
            replace_all(draw, draw.completions[:1] + draw.completions[:0:-1]) for draw in drawn(p, n, t, s)
        ],
        "sample i must not depend on num_samples, but 4 samples are not the first 4 of 8.",
    ),
    "samples at temperature 0": (
        lambda self, p, n, t, s: drawn(p, n, 0.8, s),
        "temperature 0 must be greedy, but another seed gave another completion.",
    ),
    "samples at temperature 0 from the second on": (
        lambda self, p, n, t, s: drawn(p, n, t, s) if t or n == 1 else drawn(p, n, 0.8, 1),
        "temperature 0 must be greedy, but two completions of one problem differ.",
    ),
    "pads the greedy prompt": (
        lambda self, p, n, t, s: with_tokens(drawn(p, n, t, s), prompt_tokens=6 if t else 7),
        "a problem's prompt tokens must not depend on the temperature.",
    ),
    "ignores the seed": (
        lambda self, p, n, t, s: drawn(p, n, t, 0),
        "another seed must give other samples, but 4 seeds gave the same.",
    ),
    "repeats one sample": (
        lambda self, p, n, t, s: repeated(drawn(p, n, t, s)),
        "the samples of one problem must be drawn independently, but all 8 are equal for every seed.",
    ),
}


def test_rate_sampler_conforms() -> None:
    assert check_sampler(SAMPLER, SAMPLER.problems) is None  # type: ignore[func-returns-value]
    check_sampler(SAMPLER, SAMPLER.problems[:2], temperature=1.5, seed=99)


@pytest.mark.parametrize("begin", [lambda first: 0, lambda first: first + 1, lambda first: 2 * first])
def test_numbers_that_do_not_go_on_are_caught(begin) -> None:
    class Misnumbered:
        def sample(self, problems, num_samples, *, temperature, seed, first=0):
            at = begin(first) if first else 0
            return SAMPLER.sample(problems, num_samples, temperature=temperature, seed=seed, first=at)

    with pytest.raises(AssertionError) as error:
        check_sampler(Misnumbered(), SAMPLER.problems)
    assert str(error.value) == (
        "samples from number `first` on must be those of the seed, but 4 and then 12 from 4 on are not 16."
    )
    check_sampler(Misnumbered(), SAMPLER.problems, exact=False)


def test_a_digit_sampler_numbers_its_samples() -> None:
    check_sampler(DIGITS, DIGITS.problems)


@pytest.mark.parametrize("success", [{"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 0.0}])
def test_a_degenerate_sampler_conforms(success: dict[str, float]) -> None:
    """A model that always says the same may say the same for every seed."""
    sampler = RateSampler(success)
    check_sampler(sampler, sampler.problems)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_promise_is_caught(name: str) -> None:
    spoil, message = BROKEN[name]
    with pytest.raises(AssertionError) as error:
        check_sampler(Broken(spoil), SAMPLER.problems)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("problems", "temperature", "message"),
    [
        (SAMPLER.problems[:1], 0.8, "problems must be at least two, with different ids; got ['a']."),
        (SAMPLER.problems[:1] * 2, 0.8, "problems must be at least two, with different ids; got ['a', 'a']."),
        (SAMPLER.problems, 0.0, "temperature must be above 0; got 0.0. Greedy sampling is checked anyway."),
    ],
)
def test_conformance_needs_something_to_compare(problems, temperature: float, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        check_sampler(SAMPLER, problems, temperature=temperature)
    assert str(error.value) == message


# -- conformance of servers -------------------------------------------------------------------------------------------

INEXACT = (
    "keeps a random state",
    "sorts the problems",
    "depends on the place in the batch",
    "depends on the size of the batch",
    "depends on num_samples",
    "draws all but the first backwards",
    "samples at temperature 0",
    "samples at temperature 0 from the second on",
)
"""What a server may do, as far as its draws show."""


@pytest.mark.parametrize("name", INEXACT)
def test_a_server_need_not_give_equal_samples(name: str) -> None:
    check_sampler(Broken(BROKEN[name][0]), SAMPLER.problems, exact=False)


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - INEXACT))
def test_a_server_must_keep_the_other_promises(name: str) -> None:
    spoil, message = BROKEN[name]
    with pytest.raises(AssertionError) as error:
        check_sampler(Broken(spoil), SAMPLER.problems, exact=False)
    assert str(error.value) == message


def test_a_server_must_keep_the_order() -> None:
    def sort(self, problems, num_samples, temperature, seed):
        draws = drawn(sorted(problems, key=lambda each: each.id), num_samples, temperature, seed)
        return [Draw(prompt_tokens=number, completions=draw.completions) for number, draw in enumerate(draws, start=1)]

    with pytest.raises(AssertionError, match="but reversed problems gave other prompt tokens"):
        check_sampler(Broken(sort), SAMPLER.problems, exact=False)


# -- conformance of samplers that go on from a prefix -----------------------------------------------------------------

DIGITS = DigitSampler({"a": 0.4, "b": 0.7}, num_steps=3)
PREFIXES = [
    Prefix(problem=problem, text=text) for problem in DIGITS.problems for text in ("", DIGITS.solution("a")[:2])
]
STEPS = SegmentRule(ends=(";",), max_tokens=2)


class BrokenSteps:
    """A step sampler that passes on what DigitSampler draws, after spoiling each completion."""

    def __init__(self, spoil, every_call: bool = False) -> None:
        self.spoil = spoil
        self.calls = 0
        self.every_call = every_call

    def sample(self, problems, num_samples, *, temperature, seed):
        return DIGITS.sample(problems, num_samples, temperature=temperature, seed=seed)

    def extend(self, prefixes, num_samples, *, segments, temperature, seed):
        self.calls += 1
        shift = self.calls if self.every_call else 0
        draws = DIGITS.extend(prefixes, num_samples, segments=segments, temperature=temperature, seed=seed + shift)
        return [
            Draw(prompt_tokens=draw.prompt_tokens, completions=tuple(map(self.spoil, draw.completions)))
            for draw in draws
        ]


@pytest.mark.parametrize("exact", [True, False])
def test_a_step_sampler_conforms(exact: bool) -> None:
    check_segment_sampler(DIGITS, PREFIXES, STEPS, exact=exact)
    check_segment_sampler(DIGITS, PREFIXES, SegmentRule(ends=(), max_tokens=1), exact=exact)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda each: replace(each, output_tokens=5),
            "a step must take 2 tokens or fewer, got 5 for prefix '' of 'a'.",
        ),
        (lambda each: replace(each, output_tokens=0), "got 0 for prefix '' of 'a'."),
        (
            lambda each: replace(each, text="4", output_tokens=1, finish=Finish.SEGMENT),
            "a step must end with one of (';',) or at its limit of tokens, got '4' for prefix '' of 'a'.",
        ),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_a_broken_step_is_caught(spoil, message: str, exact: bool) -> None:
    with pytest.raises(AssertionError) as error:
        check_segment_sampler(BrokenSteps(spoil), PREFIXES, STEPS, exact=exact)
    assert str(error.value).endswith(message)


def test_steps_must_be_functions_of_the_seed_but_for_a_server() -> None:
    random_steps = BrokenSteps(lambda each: each, every_call=True)
    with pytest.raises(AssertionError, match="the same seed must give the same samples"):
        check_segment_sampler(random_steps, PREFIXES, STEPS)
    check_segment_sampler(random_steps, PREFIXES, STEPS, exact=False)


@pytest.mark.parametrize("prefixes", [PREFIXES[:1], PREFIXES[:1] * 2])
def test_conformance_of_steps_needs_something_to_compare(prefixes: list[Prefix]) -> None:
    with pytest.raises(ArgumentError, match="prefixes must be at least two different ones"):
        check_segment_sampler(DIGITS, prefixes, STEPS)
