"""What a reader of recorded passes' evaluation must know besides its tables, in sentences."""

from breakeven.eval.passes import PassesEvaluation
from breakeven.report.format import format_samples
from breakeven.ttc.class_scores import NUM_RESAMPLES, NUM_SETS

_FEW = 0.05
"""Share of the problems up to which equal passes may be those of a model that is sure."""
_NAMED = 8
"""Classes that are named before the rest is counted."""


def first_line(evaluation: PassesEvaluation) -> str:
    """What must be said before any number; "" for nothing."""
    if evaluation.num_samples and evaluation.num_copied == evaluation.num_problems:
        return (
            "All noisy passes equal the plain one, or each other: nothing was combined, and K passes are worth one. "
            "Was there any noise, dropout above 0 in training mode say, or augmentation?"
        )
    return ""


def notes(evaluation: PassesEvaluation) -> list[str]:
    """One sentence or two each; what did not happen is left out, as is what `first_line` says."""
    kinds = [
        *([f"{format_samples(evaluation.num_samples)} of each, noisy passes"] if evaluation.num_samples else []),
        *([f"plain passes of {evaluation.num_snapshots} checkpoints"] if evaluation.num_snapshots else []),
    ]
    of = "; ".join([f"{evaluation.num_problems} problems of {len(evaluation.classes)} classes", *kinds])
    lines = [f"{of}. A sample is one pass, greedy the plain pass. Intervals are 90 %, for new problems of this kind."]
    if any(each.gain is not None for each in evaluation.measurements):
        lines.append("Gains are over greedy on the same problems, paired.")
    if not all(each.deployable for each in evaluation.measurements):
        lines.append("pass@k takes the label to pick a right pass: an upper bound, not to be deployed.")
    if _FEW * evaluation.num_problems < evaluation.num_copied < evaluation.num_problems:
        lines.append(
            f"In {evaluation.num_copied} of {evaluation.num_problems} problems the noisy passes equal the plain one, "
            "or each other: there K passes are worth one."
        )
    if evaluation.absent:
        lines.append(f"Classes that no problem is of, so that nothing is known of them: {_listed(evaluation.absent)}.")
    if evaluation.never_served:
        zero = ": an F1 of 0" if evaluation.scores else ""
        lines.append(f"Never predicted by greedy, or by the mean of all: {_listed(evaluation.never_served)}{zero}.")
    sampled = [each for each in evaluation.measurements if each.monte_carlo_error]
    if sampled:
        names = ", ".join(dict.fromkeys(each.strategy for each in sampled))
        most = max(each.monte_carlo_error for each in sampled)
        lines.append(
            f"Random subsets of the passes stand for all: {names}, with a standard error of {most:.2g} at most."
        )
    if evaluation.scores:
        lines.append(
            f"Scores are of whole sets of served classes: means over {NUM_SETS} sets, each of K passes of every "
            "problem drawn at random (of snapshots the last K), ties drawn too. Their intervals are of "
            f"{NUM_RESAMPLES} bootstrap samples of the problems."
        )
    if all(each.model_flops is None for each in evaluation.measurements):
        lines.append("FLOPs are not known: give --pass-flops, those of one pass on one problem.")
    return lines


def _listed(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
