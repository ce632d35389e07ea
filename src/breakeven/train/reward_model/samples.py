"""What a reward model is trained on: graded samples from sample files."""

from pathlib import Path

from breakeven.records import CHECK_FAILED, Problem
from breakeven.store import SampleFile
from breakeven.train.reward_model.train import GradedSample


def graded_samples(directory: Path) -> list[GradedSample]:
    """Every graded sample in a directory that `breakeven eval` filled, greedy and truncated ones included.

    Raises:
        LogError: no sample file, or a damaged one. RunInUseError: it is being written.
    """
    with SampleFile.open(directory) as file:
        return [
            (Problem(id=drawn.problem, prompt=drawn.prompt), completion.text, verdict == "1")
            for key, drawn in file.drawn.items()
            if key in file.graded
            for completion, verdict in zip(drawn.completions, file.graded[key].verdicts, strict=True)
            if verdict != CHECK_FAILED
        ]
