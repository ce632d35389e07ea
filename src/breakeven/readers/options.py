"""What a reader has to be told where the log does not say it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breakeven import check
from breakeven.errors import LogError, argument_error

_STEP = re.compile(
    r"(?P<word>global_?step|step|checkpoint|ckpt|iter(?:ation)?)(?:__|[-_=])?"
    r"(?P<number>\d++(?:\.\d+(?=[a-z]))?+)(?!e\d)(?P<unit>[kmb](?![a-z0-9]))?",
    re.IGNORECASE,
)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Choices that a log may leave open; the names in messages are those of the command line."""

    task: str | None = None
    metric: str | None = None
    answer_filter: str | None = None
    """lm-eval's name of the way answers were extracted."""
    num_problems: int | None = None
    """P, where only an accuracy is recorded."""
    flops_per_step: float | None = None
    """Training FLOPs of one optimizer step, where the log has steps only. Where nothing but shares of the budget is
    asked for, any unit will do."""
    flops_per_token: float | None = None
    """The same of one training token, where the log has tokens only."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What the log calls our columns, by ours."""
    stderr: float | None = None
    """Standard error of the last accuracy, where only accuracies are recorded: an other way to say P."""
    percent: bool = False
    """Whether recorded accuracies are percentages."""
    checker: bool = True
    """Whether what judged the samples is there at serving time too: only then is Pass@K deployable."""

    def __post_init__(self) -> None:
        if self.num_problems is not None:
            check.at_least("--num-problems", self.num_problems, 1)
        if self.stderr is not None:
            check.positive("--stderr", self.stderr)

    def flops_at(self, step: int, where: object) -> float:
        """Training FLOPs at a step, of which the log says nothing.

        Raises:
            ArgumentError: nothing was declared to compute them from.
        """
        if self.flops_per_step is None:
            names, rule = "--tokens-per-step and --params (or --model-config)", "says nothing of training FLOPs"
            remedy = "They are taken as 6 x parameters x tokens."
            raise argument_error(names, f"be given, since {where} {rule}", "none", remedy)
        return step * self.flops_per_step


def step_in_text(text: str) -> tuple[int, int] | None:
    """The last step that a text speaks of, and where its number begins; None if it speaks of none.

    Sizes of models are no steps.

    >>> step_in_text("TinyLlama-1.1B-step-50K-105b"), step_in_text("ckpt-7B"), step_in_text("ckpt-160m")
    ((50000, 20), None, None)
    """
    for match in reversed(list(_STEP.finditer(text))):
        unit, word = (match["unit"] or "").lower(), match["word"].lower()
        if unit != "b" and not (unit == "m" and word in ("checkpoint", "ckpt")):
            number = float(match["number"]) if "." in match["number"] else int(match["number"])
            return round(number * _UNITS[unit]), match.start("number")
    return None


def step_in_name(path: Path, root: Path) -> int | None:
    """The step that the name of a file, or else of a folder between it and `root`, speaks of; None if none does.

    >>> (
    ...     step_in_name(Path("log/160m_step1000.json"), Path("log")),
    ...     step_in_name(Path("log/checkpoint-50/a.json"), Path("log")),
    ... )
    (1000, 50)
    """
    inside = path.relative_to(root).parts if path.is_relative_to(root) else (path.name,)
    for name in reversed((root.name, *inside) if inside else (path.name,)):
        if (found := step_in_text(name)) is not None:
            return found[0]
    return None


def required_step(path: Path, root: Path) -> int:
    """`step_in_name`, or an error that says how to name files."""
    step = step_in_name(path, root)
    if step is None:
        raise LogError(f"{path} must say its step in its name or its folder's, such as step_1000 or checkpoint-1000.")
    return step
