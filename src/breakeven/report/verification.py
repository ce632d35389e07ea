"""A decision held against the fully trained model on test problems: as lines, as sentences, as table rows."""

from breakeven.records import Decision, Verification
from breakeven.records.words import in_passes
from breakeven.report.format import format_accuracy, format_flops, format_samples, format_share
from breakeven.report.words import kind_words, strategy_words


def verification_lines(verification: Verification) -> list[str]:
    """What the stopped checkpoint truly reaches on test problems, beside the fully trained model."""
    full = verification.full_accuracy
    held = "not below" if verification.difference >= 0 else "below"
    sampled = verification.full_sampled_accuracy
    lines = [
        f"Verified on {verification.num_problems} test problems (measured, {verification.num_samples} samples each):",
        f"  stopped at step {verification.stopped_step}, {format_samples(verification.k)}: "
        f"{format_accuracy(verification.stopped_accuracy)}",
        f"  fully trained, 1 sample: greedy {format_accuracy(verification.full_greedy_accuracy)}"
        + ("" if sampled is None else f", sampled {format_accuracy(sampled)}"),
        f"  difference to the better one ({format_accuracy(full)}): {verification.difference:+.3f} "
        f"(standard error {verification.difference_standard_error:.3f}), {held} the fully trained model",
        f"  saved {format_share(verification.gross_saving)} of the training FLOPs gross, "
        f"{format_share(verification.net_saving)} net of evaluation; "
        f"this check itself cost {format_flops(verification.verification_flops)}",
    ]
    return [_told(verification, each) for each in lines]


def verification_words(verification: Verification) -> str:
    """One or two sentences: both test accuracies, their difference, and what it does and does not show."""
    full = verification.full_accuracy
    difference, error = verification.difference, verification.difference_standard_error
    if abs(difference) <= 2 * error:
        meaning = "The two cannot be told apart at this number of problems."
    elif difference > 0:
        meaning = "Stopping early was the better choice."
    else:
        meaning = "The fully trained model is better: this run stopped too early."
    return _told(
        verification,
        f"Checked on {verification.num_problems} test problems that no decision saw: the stopped model with "
        f"{format_samples(verification.k)} reaches {format_accuracy(verification.stopped_accuracy)}, the fully trained "
        f"model with its best single sample {format_accuracy(full)} (both measured). {meaning}",
    )


def _told(verification: Verification, text: str) -> str:
    """In the words of what was verified."""
    return in_passes(text) if verification.full_sampled_accuracy is None else text


def verification_rows(verification: Verification, decision: Decision) -> list[tuple[str, str, str]]:
    """(what, number, how it was made) of every number of the check."""
    point = decision.serving
    strategy = "" if point is None else f"{strategy_words(point.strategy)}, {kind_words(point.deployable)}, "
    problems = f"measured on {verification.num_problems} test problems"
    samples = f"{verification.num_samples} samples each"
    stopped = f"Stopped at step {verification.stopped_step}"
    error = format_accuracy(verification.difference_standard_error)
    sampled = verification.full_sampled_accuracy
    return [
        (
            f"{stopped}, {format_samples(verification.k)}",
            format_accuracy(verification.stopped_accuracy),
            f"{strategy}{problems}, {samples}",
        ),
        (f"{stopped}, one greedy sample", format_accuracy(verification.stopped_greedy_accuracy), problems),
        ("Fully trained, one greedy sample", format_accuracy(verification.full_greedy_accuracy), problems),
        *(
            []
            if sampled is None
            else [("Fully trained, one sample at temperature", format_accuracy(sampled), f"{problems}, {samples}")]
        ),
        (
            "Difference to the better of the two",
            f"{verification.difference:+.3f} ± {error}",
            "paired over problems, ± one standard error",
        ),
        ("Training FLOPs saved, gross", format_share(verification.gross_saving), "counted"),
        ("Training FLOPs saved, net", format_share(verification.net_saving), "counted, evaluation charged"),
        ("Evaluation beside training", format_share(verification.evaluation_share), "counted, both up to the stop"),
        (
            "Cost of this check",
            format_flops(verification.verification_flops),
            "counted; part of no saving, since nobody who stops runs it",
        ),
    ]
