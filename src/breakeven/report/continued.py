"""What a run of continued training began with, in a sentence and as a row of the ledger."""

from breakeven.records import Start
from breakeven.report.format import format_flops


def start_words(start: Start | None) -> list[str]:
    """The sentence on the model that a run began with; none where that was a random one."""
    if start is None:
        return []
    spent = start.spent
    if spent is None:
        before = "What was spent on them before is not recorded, and is"
    else:
        before = (
            f"{format_flops(spent.train_flops)} of training were spent on them before ({spent.steps:,} steps, "
            f"{spent.train_tokens:,} tokens), and are"
        )
    return [
        f"Training began with the weights in {start.weights} (checksum {start.crc32}). {before} no part of the budget: "
        "budget, shares and savings are of this run alone."
    ]


def start_rows(start: Start | None) -> list[tuple[str, str, str]]:
    """(item, FLOPs, that they are not charged) for the ledger; none where the run began with a random model."""
    if start is None:
        return []
    spent = "not recorded" if start.spent is None else format_flops(start.spent.train_flops)
    return [("Before this run, on the model it began with", spent, "no part of the budget")]
