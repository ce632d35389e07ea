"""FLOPs of one query under each strategy, policy and verifier apart, from token counts measured in samples.

Parts add up: best-of-N and weighted votes are `sampling_flops` + `scoring_flops`, generative verification is
`sampling_flops` + `judging_flops`. Pass@K and votes are `sampling_flops` alone: a checker that runs no model, and a
vote, cost nothing. What K a strategy takes may be an expectation. Lengths go in sample by sample, since attention
grows with their squares; the counts of a search tree are totals, and its attention is charged at their means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import SearchCost


class TokenCost(Protocol):
    """What tokens cost on one model: `breakeven.cost.tokens.ModelCost`, or anything that can say as much."""

    def prefill_flops(self, prompt_tokens: float) -> float:
        """Reading so many tokens, the head applied once; of 0 tokens, the head alone."""
        ...

    def decode_flops(self, prompt_tokens: float, fed_tokens: float) -> float:
        """Feeding `fed_tokens` one by one after `prompt_tokens`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFlops:
    """What one query costs under a strategy."""

    model_flops: float = 0.0
    """Of the model that solves."""
    reward_flops: float = 0.0
    """Of the model that scores or judges, which may be the same one."""

    @property
    def total(self) -> float:
        """Both together."""
        return self.model_flops + self.reward_flops

    def __add__(self, other: "StrategyFlops") -> "StrategyFlops":
        return StrategyFlops(
            model_flops=self.model_flops + other.model_flops,
            reward_flops=self.reward_flops + other.reward_flops,
        )


def mean_flops(queries: Sequence[StrategyFlops]) -> StrategyFlops:
    """The mean over queries, each priced from its own samples.

    Raises:
        ArgumentError: no queries.
    """
    if not queries:
        raise argument_error("queries", "hold at least one", [])
    return StrategyFlops(
        model_flops=math.fsum(each.model_flops for each in queries) / len(queries),
        reward_flops=math.fsum(each.reward_flops for each in queries) / len(queries),
    )


def sampling_flops(
    policy: TokenCost,
    prompt_tokens: float,
    output_tokens_N: Sequence[float],
    *,
    num_samples: float,
    shared_prefill: bool = True,
) -> StrategyFlops:
    """Drawing `num_samples` of N measured samples of one problem.

    Args:
        output_tokens_N: lengths, end tokens included. A sample of n tokens feeds n - 1: the first comes out of the
            prefill, the last is not fed back.
        num_samples: K, or the expected samples of a strategy that draws in turn. May exceed N.
        shared_prefill: whether the prompt is read once a query, or once a sample.

    Raises:
        ArgumentError: no lengths, one below 1, a negative `num_samples`.

    Estimator:
        The exact mean over all choices of K of the N samples. Of samples drawn in turn the product of expected samples
        and mean cost (Wald's equation), exact where lengths do not depend on how many are drawn.

    >>> from breakeven.cost.tokens import ModelCost
    >>> policy = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
    >>> f"{sampling_flops(policy, 1000, [301], num_samples=64).total:.4e}"
    '4.8511e+13'
    """
    _check_lengths("output_tokens_N", output_tokens_N, least=1)
    check.finite("num_samples", num_samples)
    decode = _mean([policy.decode_flops(prompt_tokens, each - 1) for each in output_tokens_N])
    num_prefills = 1 if shared_prefill else num_samples
    return StrategyFlops(model_flops=num_prefills * policy.prefill_flops(prompt_tokens) + num_samples * decode)


def scoring_flops(
    verifier: TokenCost, read_tokens_N: Sequence[float], *, num_samples: float, shared_tokens: float = 0
) -> StrategyFlops:
    """A reward model reading `num_samples` of N whole solutions once, an outcome or a process one alike.

    Args:
        read_tokens_N: tokens of problem and solution, as the verifier counts them (`Reward.read_tokens`).
        shared_tokens: tokens at their beginning, those of the problem, that it reads once for all solutions of a
            query; 0 where every solution is read with the problem anew.

    Raises:
        ArgumentError: no counts, one below `shared_tokens`, a negative number.

    Estimator:
        As `sampling_flops`.
    """
    check.finite("shared_tokens", shared_tokens)
    _check_lengths("read_tokens_N", read_tokens_N, least=shared_tokens)
    check.finite("num_samples", num_samples)
    problem = verifier.prefill_flops(shared_tokens) - verifier.prefill_flops(0)  # nothing is predicted there
    solution = _mean([_read_flops(verifier, shared_tokens, each - shared_tokens) for each in read_tokens_N])
    return StrategyFlops(reward_flops=problem + num_samples * solution)


def judging_flops(
    verifier: TokenCost,
    read_tokens_N: Sequence[float],
    output_tokens_NV: Sequence[Sequence[float]],
    *,
    num_samples: float,
    num_verdicts: float,
    shared_prefill: bool = True,
) -> StrategyFlops:
    """A generative verifier giving `num_verdicts` verdicts on each of `num_samples` of N solutions.

    Args:
        read_tokens_N: tokens of the verification prompts, problem and solution in them.
        output_tokens_NV: lengths of the verdicts drawn for each, end tokens included; rows may differ in length. Of a
            `Reward`, whose lengths are summed: `verdict_tokens`.
        shared_prefill: whether the verdicts on one solution share the reading of their prompt.

    Raises:
        ArgumentError: no counts, rows that do not fit, a length below 1, a negative number.

    Estimator:
        As `sampling_flops`.

    Source:
        Singhi et al., arXiv 2504.01005, whose S (1 + lambda V) leaves the reading out.
    """
    _check_lengths("read_tokens_N", read_tokens_N, least=0)
    if len(output_tokens_NV) != len(read_tokens_N):
        raise argument_error(
            "output_tokens_NV", f"have {len(read_tokens_N)} rows, one a solution", len(output_tokens_NV)
        )
    for row in output_tokens_NV:
        _check_lengths("output_tokens_NV", row, least=1)
    check.finite("num_samples", num_samples)
    check.finite("num_verdicts", num_verdicts)
    num_prefills = 1 if shared_prefill else num_verdicts
    judged = [
        num_prefills * verifier.prefill_flops(read)
        + num_verdicts * _mean([verifier.decode_flops(read, each - 1) for each in row])
        for read, row in zip(read_tokens_N, output_tokens_NV, strict=True)
    ]
    return StrategyFlops(reward_flops=num_samples * _mean(judged))


def verdict_tokens(output_tokens: int, num_verdicts: int) -> list[float]:
    """Lengths of verdicts of which only the sum is known: all alike, so that attention is a lower bound.

    >>> verdict_tokens(10, 4)
    [2.5, 2.5, 2.5, 2.5]
    """
    return num_verdicts * [max(1.0, output_tokens / num_verdicts)]


def search_flops(
    policy: TokenCost,
    verifier: TokenCost,
    cost: SearchCost,
    *,
    shared_prefill: bool = True,
    incremental: bool = True,
) -> StrategyFlops:
    """A beam search, DVTS, REBASE or revision of one problem, from what it took.

    Args:
        shared_prefill: whether the policy keeps what it has read and written, or reads prompt and solution so far
            anew for every step.
        incremental: whether the verifier reads only what is new in a text, or re-reads every text whole.

    Estimator:
        Parameters are charged exactly, except that every generated token counts as fed, at most one too many for each
        solution; attention at the mean lengths of the tree's steps.
    """
    model_flops = reward_flops = 0.0
    if cost.num_samples:
        before, new = cost.unshared_prefill_tokens / cost.num_samples, cost.output_tokens / cost.num_samples
        prefill = cost.num_samples * policy.prefill_flops(before)
        if shared_prefill:
            num_prompts = max(1, cost.num_prompts)
            read = cost.shared_prefill_tokens / num_prompts
            cached = before - read if num_prompts > 1 else 0.0
            prefill = num_prompts * _read_flops(policy, cached, read)
        model_flops = prefill + cost.num_samples * policy.decode_flops(before, new)
    if cost.num_scored:
        whole, written = cost.reward_reread_tokens / cost.num_scored, cost.reward_output_tokens / cost.num_scored
        new = cost.reward_tokens / cost.num_scored if incremental else whole
        reward_flops = cost.num_scored * (
            _read_flops(verifier, whole - new, new) + verifier.decode_flops(whole, written)
        )
    return StrategyFlops(model_flops=model_flops, reward_flops=reward_flops)


def _read_flops(cost: TokenCost, before: float, new: float) -> float:
    """Reading `new` tokens after `before` cached ones, head once."""
    return cost.prefill_flops(before + new) - cost.prefill_flops(before) + cost.prefill_flops(0)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _check_lengths(name: str, lengths: Sequence[float], *, least: float) -> None:
    if not lengths:
        raise argument_error(name, "hold at least one length", [])
    check.numbers(name, lengths, f"hold finite lengths of at least {least}", least)
