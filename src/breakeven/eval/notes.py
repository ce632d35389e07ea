"""What a reader of an evaluation must know besides its table, in sentences."""

from breakeven.eval.run import Evaluation
from breakeven.report.format import format_samples, format_share

_FEW = 0.05
"""Share of the problems up to which copies may be those of a model that is sure."""

_MANY_UNKNOWN = 0.01
"""Share of the samples above which the numbers mean little without what is said of those that nobody could judge."""


def _unknown(evaluation: Evaluation) -> str:
    """What a reader must know of the samples that nobody could judge; "" where there are none."""
    if not evaluation.num_failed:
        return ""
    share = format_share(evaluation.num_failed / evaluation.num_drawn)
    return (
        f"{evaluation.num_failed} checks ({share}) crashed or timed out: neither right nor wrong. Greedy and pass@k "
        "leave those out, votes and choices pass them over; beside each accuracy is what it were if all were wrong."
    )


def first_line(evaluation: Evaluation) -> str:
    """What must be said before any number; "" for nothing."""
    return _unknown(evaluation) if evaluation.num_failed > _MANY_UNKNOWN * evaluation.num_drawn else ""


def notes(evaluation: Evaluation) -> list[str]:
    """One sentence or two each; what did not happen is left out, as is what `first_line` says."""

    def some(count: int, what: str) -> str:
        return f"{count} {what} ({format_share(count / evaluation.num_drawn)})"

    at = "the server's own temperature" if evaluation.temperature is None else f"temperature {evaluation.temperature:g}"
    lines = [
        f"{evaluation.num_problems} problems, {format_samples(evaluation.num_samples)} each at {at} and one greedy. "
        "Intervals are 90 %, for new problems of this kind."
    ]
    if evaluation.temperature is None:
        lines.append(
            "The server takes no temperature but its own, whatever --temperature says: what is called greedy is one "
            "sample at that, too."
        )
    if evaluation.num_copied > _FEW * evaluation.num_problems:
        lines.append(
            f"In {evaluation.num_copied} of {evaluation.num_problems} problems the samples are copies, the same text "
            "again and again: either the model is sure, or nothing was sampled (a server that ignores temperature or "
            "seed, or answers from a cache). Then K samples are worth one."
        )
    if not all(each.deployable for each in evaluation.measurements):
        lines.append(
            "Checking needs the reference answers, so pass@k is an oracle: an upper bound, not to be deployed."
        )
    if evaluation.greedy_f1 is not None:
        lines.append(f"Mean F1 of the greedy samples: {evaluation.greedy_f1:.3f}.")
    if evaluation.num_failed and not first_line(evaluation):
        lines.append(_unknown(evaluation))
    if evaluation.num_truncated:
        lines.append(
            f"{some(evaluation.num_truncated, 'samples')} were cut off by the limit of tokens; they stay in every "
            "denominator."
        )
    if evaluation.num_broken_off:
        lines.append(
            f"{some(evaluation.num_broken_off, 'samples')} were broken off by the server, as by a content filter; they "
            "stay in every denominator as they came."
        )
    if evaluation.num_unanswered:
        lines.append(f"{some(evaluation.num_unanswered, 'samples')} hold no answer.")
    if evaluation.num_uncompared:
        lines.append(f"{evaluation.num_uncompared} comparisons of answers failed; those answers count as different.")
    few: dict[int, int] = {}
    for each in evaluation.measurements:
        if each.num_problems < evaluation.num_problems:
            few[each.k] = min(each.num_problems, few.get(each.k, each.num_problems))
    if few:
        said = ", ".join(f"{number} at K = {k}" for k, number in few.items())
        lines.append(f"Problems with enough graded samples: {said}, at the fewest; a K that none has is left out.")
    sampled = [each for each in evaluation.measurements if each.monte_carlo_error]
    if sampled:
        names = ", ".join(dict.fromkeys(each.strategy for each in sampled))
        most = max(each.monte_carlo_error for each in sampled)
        lines.append(
            f"Random subsets of the samples stand for all: {names}, with a standard error of {most:.2g} at most."
        )
    if all(each.model_flops is None for each in evaluation.measurements):
        lines.append("FLOPs are not known: give --params or --model-config for a served model.")
    return lines
