"""Banks and runs whose true success rates are known."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Observation, QueryFlops, SampleBank
from breakeven.testing.rates import check_rates

_STEPS_PER_CHECKPOINT = 100
_TOKENS_PER_STEP = 1000


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
    rates_P = check_rates("success_P", success_P)
    check.at_least("num_samples", num_samples, 1)
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
    check.at_least("num_checkpoints", num_checkpoints, 1)
    check.at_least("num_problems", num_problems, 1)
    check.share("spread", spread, below_1=True)
    check.at_least("evaluation_share", evaluation_share, 0)
    check.above("budget_flops", budget_flops, 0)
    quantile_P = (np.random.default_rng(seed).permutation(num_problems) + 0.5) / num_problems
    observations = []
    for index in range(1, num_checkpoints + 1):
        share = index / num_checkpoints
        (accuracy,) = check_rates(f"accuracy_at({share:g})", [accuracy_at(share)])
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


def _verdicts(right_N: npt.NDArray[np.bool_]) -> str:
    return "".join("1" if right else "0" for right in right_N)
