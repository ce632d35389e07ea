"""The ladder of samples that are drawn in turn at a checkpoint, and what the next rung costs."""

from breakeven.records import LearningPoint

LADDER = ((0.25, 4), (1.0, 4), (1.0, 8), (1.0, 16))
"""What is drawn in turn: share of the problems, samples for each of them in all."""


def next_rung(num_problems: int, num_samples: int, drawn: tuple[int, int]) -> tuple[int, int] | None:
    """The first (problems, samples for each in all) of the ladder above what was drawn, or None at its top.

    Args:
        num_problems: P.
        num_samples: most samples per problem.
        drawn: (problems, samples) until now; (0, 0) at first.

    >>> next_rung(100, 16, (0, 0)), next_rung(100, 16, (25, 4)), next_rung(100, 4, (100, 4))
    ((25, 4), (100, 4), None)
    """
    rungs = [(max(1, round(share * num_problems)), min(count, num_samples)) for share, count in LADDER]
    return next((each for each in rungs if each[0] * each[1] > drawn[0] * drawn[1]), None)


def rung_flops(now: LearningPoint, drawn: tuple[int, int], rung: tuple[int, int]) -> float:
    """FLOPs of drawing and scoring up to a rung, with samples as long as those of this checkpoint until now.

    0 where nobody said what a token costs.
    """
    if now.query_flops is None:
        return 0.0
    prompts = rung[0] - (drawn[0] if drawn[1] >= rung[1] else 0)
    samples = rung[0] * rung[1] - drawn[0] * drawn[1]
    return prompts * now.query_flops.prefill_flops + samples * (now.query_flops.decode_flops + now.reward_flops)
