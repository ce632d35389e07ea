"""What drawing and scoring a bank cost, and one query like those of the bank.

Counted and not counted: see `breakeven.cost.tokens`. Token counts are means over a bank, so where lengths vary widely
the attention part, which grows with their square, is a lower bound.
"""

from breakeven.cost.tokens import ModelCost
from breakeven.records import QueryFlops, SampleBank


def query_flops(bank: SampleBank, cost: ModelCost) -> QueryFlops:
    """One query with samples as long as the bank's (as its greedy ones, where no others were drawn).

    A completion of T tokens costs T - 1 decode steps: the first token comes out of the prefill, the last is not fed.
    """
    drawn = (bank.output_tokens, bank.num_drawn) if bank.num_drawn else (bank.greedy_output_tokens, bank.num_problems)
    return cost.query_flops(bank.prompt_tokens / bank.num_problems, drawn[0] / drawn[1] - 1)


def reward_flops(bank: SampleBank, verifier: ModelCost | None) -> float:
    """A reward model reading one sample of the bank, at mean lengths; 0 where there is none."""
    if verifier is None or not bank.reward_read_tokens:
        return 0.0
    read = bank.reward_read_tokens / bank.num_drawn
    written = bank.reward_output_tokens / bank.num_drawn
    return verifier.prefill_flops(read) + verifier.decode_flops(read, max(0.0, written - 1))


def evaluation_flops(bank: SampleBank, cost: ModelCost, verifier: ModelCost | None = None) -> float:
    """Drawing and scoring a bank.

    Counted: every prefill, one greedy decode a problem, one decode for each further sample, and what the reward model
    whose cost is `verifier` reads and writes.
    """
    prompts = bank.prompt_tokens / bank.num_problems
    query = query_flops(bank, cost)
    greedy = cost.query_flops(prompts, bank.greedy_output_tokens / bank.num_problems - 1)
    prefills = 2 * bank.num_problems if bank.num_prefills is None else bank.num_prefills
    drawing = prefills * query.prefill_flops + bank.num_drawn * query.decode_flops
    return drawing + bank.num_problems * greedy.decode_flops + bank.num_drawn * reward_flops(bank, verifier)
