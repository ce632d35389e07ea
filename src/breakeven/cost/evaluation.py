"""What drawing and scoring a bank cost, and one query like those of the bank, on average.

From the lengths of the samples where they were recorded (`breakeven.cost.samples`), else at mean lengths: attention,
which grows with their square, is then a lower bound. Counted and not counted: see `breakeven.cost.tokens`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breakeven.cost.query import scoring_flops
from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.records import QueryFlops, Reward, SampleBank


@dataclass(frozen=True, slots=True, kw_only=True)
class BankPrice:
    """What a bank cost, and what serving costs as it was drawn."""

    query: QueryFlops
    """One query with samples as long as the bank's."""
    evaluation_flops: float
    """Drawing and scoring the bank."""
    reward_flops: float
    """A reward model scoring one sample; 0 where there is none."""
    costs: SampleCosts | None
    """By problem; None where the bank holds no lengths."""


def price_of(
    bank: SampleBank,
    cost: ModelCost,
    reward_cost: ModelCost | None = None,
    rewards_PN: Sequence[Sequence[Reward]] = (),
) -> BankPrice:
    """The price of a bank.

    Args:
        bank: of a checkpoint.
        cost: of a token on the model.
        reward_cost: of a token on the reward model, if any.
        rewards_PN: of each sample, with the tokens that were read; else the bank's sums stand for all.
    """
    scoring = reward_flops(bank, reward_cost, rewards_PN)
    costs = SampleCosts.of(bank, cost, scoring)
    return BankPrice(
        query=_query(bank, cost, costs),
        evaluation_flops=_drawing(bank, cost, costs) + bank.num_drawn * scoring,
        reward_flops=scoring,
        costs=costs,
    )


def _query(bank: SampleBank, cost: ModelCost, costs: SampleCosts | None) -> QueryFlops:
    """One query with samples as long as the bank's (as its greedy ones, where no others were drawn).

    A completion of T tokens costs T - 1 decode steps: the first token comes out of the prefill, the last is not fed.
    """
    if costs is not None:
        return costs.mean
    drawn = (bank.output_tokens, bank.num_drawn) if bank.num_drawn else (bank.greedy_output_tokens, bank.num_problems)
    return cost.query_flops(bank.prompt_tokens / bank.num_problems, drawn[0] / drawn[1] - 1)


def reward_flops(bank: SampleBank, reward_cost: ModelCost | None, rewards_PN: Sequence[Sequence[Reward]] = ()) -> float:
    """A reward model reading one sample of the bank, mean over problems; 0 where there is none.

    Args:
        bank: what was scored.
        reward_cost: what a token costs on the reward model.
        rewards_PN: of each sample, with the tokens that were read; else the bank's sums stand for all.
    """
    if reward_cost is None or not bank.reward_read_tokens:
        return 0.0
    if any(rewards_PN):
        return float(np.mean([scoring_of(reward_cost, row) for row in rewards_PN if row]))
    read = bank.reward_read_tokens / bank.num_drawn
    written = bank.reward_output_tokens / bank.num_drawn
    return reward_cost.prefill_flops(read) + reward_cost.decode_flops(read, max(0.0, written - 1))


def _drawing(bank: SampleBank, cost: ModelCost, costs: SampleCosts | None) -> float:
    """Drawing a bank: every prefill, one greedy decode a problem where there is one, one for each further sample."""
    has_greedy = bool(bank.greedy_correct_P)
    prefills = (1 + has_greedy) * bank.num_problems if bank.num_prefills is None else bank.num_prefills
    if costs is None:
        query = _query(bank, cost, costs)
        prompts = bank.prompt_tokens / bank.num_problems
        drawing = prefills * query.prefill_flops + bank.num_drawn * query.decode_flops
        if not has_greedy:
            return drawing
        greedy = cost.query_flops(prompts, bank.greedy_output_tokens / bank.num_problems - 1)
        return drawing + bank.num_problems * greedy.decode_flops
    num_drawn_P = np.array([len(row) for row in bank.correct_PN])
    drawn_P = num_drawn_P > 0
    first, further = costs.prefill_P.sum(), prefills - bank.num_problems  # the prompts that were read again
    again = further * costs.prefill_P[drawn_P].mean() if further else 0.0
    decoding = (num_drawn_P[drawn_P] * costs.decode_P[drawn_P]).sum() + (costs.greedy_P.sum() if has_greedy else 0.0)
    return float(math.fsum([first, again, decoding]))


def loss_flops(prompt_tokens_P: Sequence[int], solution_tokens_P: Sequence[int], cost: ModelCost) -> float:
    """Reading prompts with their known solutions, as if each were decoded; 0 tokens: it was not read.

    Counted: the forward pass over all but the last token, the head from the prompt's last token on.
    """
    pairs = zip(prompt_tokens_P, solution_tokens_P, strict=True)
    return math.fsum(cost.query_flops(prompt, tokens - 1).total(1) for prompt, tokens in pairs if tokens)


def scoring_of(reward_cost: ModelCost, rewards: Sequence[Reward]) -> float:
    """FLOPs of a reward model's reading and writing of one of a problem's samples, mean over them."""
    read = scoring_flops(reward_cost, [each.read_tokens for each in rewards], num_samples=1).reward_flops
    written = [reward_cost.decode_flops(each.read_tokens, max(0.0, each.output_tokens - 1)) for each in rewards]
    return read + float(np.mean(written))
