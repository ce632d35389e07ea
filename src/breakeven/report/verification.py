"""The check of a decision on test problems, as lines of text."""

from breakeven.records import Verification
from breakeven.report.format import format_accuracy, format_flops, format_samples, format_share


def verification_lines(verification: Verification) -> list[str]:
    """What the stopped checkpoint truly reaches on test problems, beside the fully trained model."""
    full = max(verification.full_greedy_accuracy, verification.full_sampled_accuracy)
    held = "not below" if verification.difference >= 0 else "below"
    return [
        f"Verified on {verification.num_problems} test problems (measured, {verification.num_samples} samples each):",
        f"  stopped at step {verification.stopped_step}, {format_samples(verification.k)}: "
        f"{format_accuracy(verification.stopped_accuracy)}",
        f"  fully trained, 1 sample: greedy {format_accuracy(verification.full_greedy_accuracy)}, "
        f"sampled {format_accuracy(verification.full_sampled_accuracy)}",
        f"  difference to the better one ({format_accuracy(full)}): {verification.difference:+.3f} "
        f"(standard error {verification.difference_standard_error:.3f}), {held} the fully trained model",
        f"  saved {format_share(verification.gross_saving)} of the training FLOPs gross, "
        f"{format_share(verification.net_saving)} net of evaluation; "
        f"this check itself cost {format_flops(verification.verification_flops)}",
    ]
