"""What a run of continued training began with, in a sentence and as a row of the ledger."""

from breakeven.records import Start
from breakeven.report.format import format_flops


def start_words(start: Start | None) -> list[str]:
    """The sentence on the model that a run began with; none where that was a random one."""
    if start is None:
        return []
    steps = "steps not recorded" if start.steps is None else f"{start.steps:,} steps"
    tokens = "" if start.train_tokens is None else f", {start.train_tokens:,} tokens"
    return [
        f"Training began with the weights in {start.weights} (checksum {start.crc32}; {steps}{tokens}). The "
        f"{_spent(start)} spent on them before are no part of the budget: budget, shares and savings are of this run "
        "alone."
    ]


def start_rows(start: Start | None) -> list[tuple[str, str, str]]:
    """(item, FLOPs, that they are not charged) for the ledger; none where the run began with a random model."""
    if start is None:
        return []
    spent = "-" if start.train_flops is None else format_flops(start.train_flops)
    return [("Before this run, on the model it began with", spent, "no part of the budget")]


def _spent(start: Start) -> str:
    return "FLOPs (how many is not recorded)" if start.train_flops is None else format_flops(start.train_flops)
