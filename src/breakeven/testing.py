"""Public test doubles: banks and runs with known success rates, a sampler of known rates, a conformance suite.

For tests of your own sampler, policy or report. Needs neither torch nor a model; all draws are functions of a seed.

Array dimensions are those of `breakeven.records`: P problems, N samples per problem.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from breakeven.errors import argument_error
from breakeven.records import Completion, Draw, Observation, Problem, QueryFlops, SampleBank
from breakeven.ttc.collect import Sampler

_STEPS_PER_CHECKPOINT = 100
_TOKENS_PER_STEP = 1000
_NUM_SAMPLES = 8
"""Samples per problem in `check_sampler`: enough that two seeds agree by accident only if nearly nothing varies."""
_OTHER_SEEDS = 3


# -- banks and runs ---------------------------------------------------------------------------------------------------


def synthetic_bank(
    success_P: Sequence[float] | npt.NDArray[np.float64],
    num_samples: int,
    *,
    seed: int,
    temperature: float = 0.8,
    greedy_correct_P: str | None = None,
    prompt_tokens: int = 6,
    output_tokens: int = 8,
) -> SampleBank:
    """A bank whose samples are right independently with known rates.

    Args:
        success_P: each problem's chance that one sample is right, in [0, 1], shape (P,).
        num_samples: N, samples per problem, at least 1. Sample i is the same for every N.
        seed: of the draws, at least 0.
        temperature: recorded only.
        greedy_correct_P: verdicts of the greedy samples, P characters `1` or `0`; without it the greedy sample is
            right where `success_P` is above 0.5.
        prompt_tokens: tokens of each prompt.
        output_tokens: tokens of each sample, greedy ones too.

    Raises:
        ArgumentError: no problems, a rate outside [0, 1], fewer than 1 sample, or verdicts that do not fit.

    >>> bank = synthetic_bank([0.0, 1.0], 4, seed=0)
    >>> bank.correct_PN, bank.greedy_correct_P, bank.output_tokens
    (('0000', '1111'), '01', 64)
    """
    rates_P = _rates("success_P", success_P)
    if num_samples < 1:
        raise argument_error("num_samples", "be at least 1", num_samples)
    if greedy_correct_P is None:
        greedy_correct_P = _verdicts(rates_P > 0.5)
    elif len(greedy_correct_P) != len(rates_P) or set(greedy_correct_P) - {"0", "1"}:
        raise argument_error("greedy_correct_P", f"be {len(rates_P)} characters, each 0 or 1", greedy_correct_P)
    uniform_NP = np.random.default_rng(seed).random((num_samples, len(rates_P)))
    return SampleBank(
        correct_PN=tuple(_verdicts(row) for row in (uniform_NP < rates_P).T),
        greedy_correct_P=greedy_correct_P,
        temperature=temperature,
        seed=seed,
        prompt_tokens=prompt_tokens * len(rates_P),
        output_tokens=output_tokens * len(rates_P) * num_samples,
        greedy_output_tokens=output_tokens * len(rates_P),
    )


def synthetic_run(
    accuracy_at: Callable[[float], float],
    *,
    num_checkpoints: int,
    num_problems: int,
    num_samples: int,
    seed: int,
    evaluation_share: float = 0.001,
    spread: float = 0.3,
    budget_flops: float = 1e15,
) -> tuple[Observation, ...]:
    """The observations of a full training run whose true accuracy is a known function of the budget share.

    Args:
        accuracy_at: mean chance that one sample is right, in [0, 1], at a share of the budget in (0, 1].
        num_checkpoints: checkpoints, evenly spaced; the last one is the fully trained model.
        num_problems: P. Each keeps its place among the others: what is harder stays harder.
        num_samples: N, samples per problem.
        seed: of the order of the problems and of all draws, at least 0.
        evaluation_share: FLOPs of one evaluation over `budget_flops`, at least 0.
        spread: how far problems differ, in [0, 1). Their rates follow a beta distribution with the wanted mean m and
            variance `spread` m (1 - m): 0 makes all alike, towards 1 each is always or never right.
        budget_flops: B, training FLOPs of the full run, above 0.

    Returns:
        One observation a checkpoint. The rates are the beta distribution's quantiles at (i + 1/2) / P, so their mean
        is `accuracy_at` up to order 1 / P, without sampling error; the verdicts then are draws. Token counts are
        those of `synthetic_bank`. One token costs the same wherever it is processed, and an evaluation consists of
        two prefills, N sampled decodes and one greedy decode a problem, which fixes `query_flops`.

    Raises:
        ArgumentError: a value out of its range.

    >>> run = synthetic_run(lambda share: share, num_checkpoints=2, num_problems=10, num_samples=4, seed=0)
    >>> [each.train_flops for each in run], run[-1].bank.sampled_accuracy
    ([500000000000000.0, 1000000000000000.0], 1.0)
    """
    for name, count in (("num_checkpoints", num_checkpoints), ("num_problems", num_problems)):
        if count < 1:
            raise argument_error(name, "be at least 1", count)
    if not 0.0 <= spread < 1.0:
        raise argument_error("spread", "be at least 0 and below 1", spread)
    if not evaluation_share >= 0.0:
        raise argument_error("evaluation_share", "be at least 0", evaluation_share)
    if not budget_flops > 0.0:
        raise argument_error("budget_flops", "be above 0", budget_flops)
    quantile_P = (np.random.default_rng(seed).permutation(num_problems) + 0.5) / num_problems
    observations = []
    for index in range(1, num_checkpoints + 1):
        share = index / num_checkpoints
        (accuracy,) = _rates(f"accuracy_at({share:g})", [accuracy_at(share)])
        bank = synthetic_bank(
            _beta_quantiles(float(accuracy), spread, quantile_P),
            num_samples,
            seed=int(np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0]) >> 1,
        )
        evaluation_flops = evaluation_share * budget_flops
        step = _STEPS_PER_CHECKPOINT * index
        observations.append(
            Observation(
                step=step,
                train_tokens=_TOKENS_PER_STEP * step,
                train_flops=budget_flops * share,
                evaluation_flops=evaluation_flops,
                query_flops=_query_flops(bank, evaluation_flops),
                loss=None,
                bank=bank,
            )
        )
    return tuple(observations)


def _beta_quantiles(mean: float, spread: float, quantile_P: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if spread == 0.0 or mean in (0.0, 1.0):
        return np.full_like(quantile_P, mean)
    concentration = (1.0 - spread) / spread
    rates_P: npt.NDArray[np.float64] = betaincinv(mean * concentration, (1.0 - mean) * concentration, quantile_P)
    return rates_P


def _query_flops(bank: SampleBank, evaluation_flops: float) -> QueryFlops:
    evaluated_tokens = 2 * bank.prompt_tokens + bank.output_tokens + bank.greedy_output_tokens
    flops_per_token = evaluation_flops / evaluated_tokens
    return QueryFlops(
        prefill_flops=flops_per_token * bank.prompt_tokens / bank.num_problems,
        decode_flops=flops_per_token * bank.greedy_output_tokens / bank.num_problems,
    )


# -- a sampler of known rates -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RateSampler:
    """A `Sampler` whose samples say "right" with a known rate and "wrong" otherwise.

    Sample i of a problem is a function of (seed, problem id, i). The greedy sample is right where the rate is above
    0.5. The temperature, if above 0, changes nothing.

    Args:
        success: each problem's chance that one sample is right, in [0, 1], by problem id.
        prompt_tokens: tokens of each prompt.
        output_tokens: tokens of each sample.

    Raises:
        ArgumentError: no problems, or a rate outside [0, 1].

    >>> sampler = RateSampler({"easy": 1.0, "hard": 0.0})
    >>> for draw in sampler.sample(sampler.problems, 3, temperature=0.8, seed=0):
    ...     print([each.text for each in draw.completions])
    ['right', 'right', 'right']
    ['wrong', 'wrong', 'wrong']
    """

    success: Mapping[str, float]
    prompt_tokens: int = 6
    output_tokens: int = 8

    def __post_init__(self) -> None:
        _rates("success", list(self.success.values()))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems it knows, in the order of `success`; each prompt is the problem's id."""
        return tuple(Problem(id=each, prompt=each) for each in self.success)

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        """See `breakeven.ttc.collect.Sampler.sample`.

        Raises:
            ArgumentError: a problem without a rate.
        """
        draws = []
        for problem in problems:
            if problem.id not in self.success:
                raise argument_error("problems", "be among those with a success rate", problem.id)
            rate = self.success[problem.id]
            if temperature == 0:
                right_N = np.full(num_samples, rate > 0.5)
            else:
                rng = np.random.default_rng((seed, zlib.crc32(problem.id.encode())))
                right_N = rng.random(num_samples) < rate
            completions = tuple(
                Completion(text="right" if right else "wrong", output_tokens=self.output_tokens) for right in right_N
            )
            draws.append(Draw(prompt_tokens=self.prompt_tokens, completions=completions))
        return draws


@dataclass(frozen=True, slots=True)
class RateVerifier:
    """The `Verifier` that goes with `RateSampler`."""

    def check(self, problem: Problem, completion: str) -> bool:
        """True for the text "right"."""
        return completion == "right"


# -- conformance ------------------------------------------------------------------------------------------------------


def check_sampler(sampler: Sampler, problems: Sequence[Problem], *, temperature: float = 0.8, seed: int = 0) -> None:
    """Nothing, if `sampler` keeps what `breakeven.ttc.collect.Sampler` promises.

    Draws some hundred samples: give it a small model. That the caller's training state stays untouched is not
    checked.

    Args:
        problems: at least two, with different ids.
        temperature: of the sampled draws, above 0.
        seed: at least 0; the three after it are used too.

    Raises:
        ArgumentError: fewer than two different problems, or a temperature that is not above 0.
        AssertionError: a promise is broken; the message says which one.

    >>> sampler = RateSampler({"a": 0.3, "b": 0.6})
    >>> check_sampler(sampler, sampler.problems)
    """
    if len({each.id for each in problems}) != len(problems) or len(problems) < 2:
        raise argument_error("problems", "be at least two, with different ids", [each.id for each in problems])
    if not temperature > 0:
        raise argument_error("temperature", "be above 0", temperature, "Greedy sampling is checked anyway.")

    def drawn(
        of: Sequence[Problem] = problems, num: int = _NUM_SAMPLES, at: float = temperature, by: int = seed
    ) -> list[Draw]:
        draws = sampler.sample(of, num, temperature=at, seed=by)
        _check_shape(draws, of, num)
        return draws

    full = drawn()
    _require(drawn() == full, "the same seed must give the same samples, but a second call gave others")
    _require(
        drawn(of=problems[::-1]) == full[::-1],
        "draws must come in the order of the problems and not depend on it, but reversed problems gave other draws",
    )
    _require(
        drawn(of=problems[1:]) == full[1:],
        "a problem's samples must not depend on the other problems, but leaving one out changed them",
    )
    for num in (1, _NUM_SAMPLES // 2):
        _require(
            [each.completions for each in drawn(num=num)] == [each.completions[:num] for each in full],
            f"sample i must not depend on num_samples, but {num} samples are not the first {num} of {_NUM_SAMPLES}",
        )
    _check_greedy(drawn(num=1, at=0.0), drawn(num=2, at=0.0), drawn(num=1, at=0.0, by=seed + 1), full)
    _check_seeds(full, [drawn(by=seed + other) for other in range(1, _OTHER_SEEDS + 1)])


def _check_shape(draws: list[Draw], problems: Sequence[Problem], num_samples: int) -> None:
    _require(len(draws) == len(problems), f"{len(problems)} problems must give as many draws, got {len(draws)}")
    for problem, draw in zip(problems, draws, strict=True):
        got = len(draw.completions)
        _require(got == num_samples, f"problem {problem.id!r} must have {num_samples} completions, got {got}")
        _require(
            draw.prompt_tokens >= 1,
            f"problem {problem.id!r} must have 1 prompt token or more, got {draw.prompt_tokens}",
        )
        fewest = min(each.output_tokens for each in draw.completions)
        _require(
            fewest >= 1,
            f"a completion must take 1 output token or more (its end token counts), got {fewest} for {problem.id!r}",
        )


def _check_greedy(one: list[Draw], two: list[Draw], other_seed: list[Draw], sampled: list[Draw]) -> None:
    _require(
        one == other_seed,
        "temperature 0 must be greedy, but another seed gave another completion",
    )
    _require(
        all(draw.completions == 2 * single.completions for draw, single in zip(two, one, strict=True)),
        "temperature 0 must be greedy, but two completions of one problem differ",
    )
    _require(
        [each.prompt_tokens for each in one] == [each.prompt_tokens for each in sampled],
        "a problem's prompt tokens must not depend on the temperature",
    )


def _check_seeds(full: list[Draw], others: list[list[Draw]]) -> None:
    varies_within = any(len(set(draw.completions)) > 1 for draws in (full, *others) for draw in draws)
    varies_between = any(draws != full for draws in others)
    _require(
        varies_between or not varies_within,
        f"another seed must give other samples, but {1 + len(others)} seeds gave the same",
    )
    _require(
        varies_within or not varies_between,
        f"the samples of one problem must be drawn independently, but all {_NUM_SAMPLES} are equal for every seed",
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(f"{message}.")


# -- parts ------------------------------------------------------------------------------------------------------------


def _rates(name: str, rates: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rates_P = np.asarray(rates, dtype=np.float64)
    if rates_P.ndim != 1 or len(rates_P) == 0:
        raise argument_error(name, "be a list of at least one rate", rates)
    outside = rates_P[~((rates_P >= 0.0) & (rates_P <= 1.0))]
    if len(outside):
        raise argument_error(name, "be rates from 0 to 1", float(outside[0]), "Divide percentages by 100.")
    return rates_P


def _verdicts(right_N: npt.NDArray[np.bool_]) -> str:
    return "".join("1" if right else "0" for right in right_N)
