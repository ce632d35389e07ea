"""One decision on several tasks of `breakeven decide`: the joint verdict, a table with a row a task, and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from breakeven.cli.asked import Answer, merged
from breakeven.cli.common import console
from breakeven.cli.decided import all_fields, filled, fitted, outlook_notes, row_of, say
from breakeven.records import JointDecision, Reason
from breakeven.report.format import format_share
from breakeven.stopping.joint import joint_decision
from breakeven.stopping.patience import policy_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """The decisions on several tasks of one run, and what they come to at each checkpoint that all of them have."""

    answers: Mapping[str, Answer]
    verdicts: tuple[JointDecision, ...]
    """In order of steps; the last is today's."""

    @property
    def final(self) -> JointDecision:
        """The first stop, or else the last."""
        return next((each for each in self.verdicts if each.stop), self.verdicts[-1])

    @property
    def notes(self) -> list[str]:
        """On all tasks."""
        return merged({name: each.notes for name, each in self.answers.items()})


def joint_of(answers: Mapping[str, Answer]) -> Joint:
    """What the tasks' decisions come to, at the risk that the policy allows."""
    by_step = {name: {decision.step: decision for decision in each.decided.decisions} for name, each in answers.items()}
    risk = policy_settings(next(iter(answers.values())).decided.policy).get("risk", 0.1)
    shared = sorted(set.intersection(*map(set, by_step.values())))
    verdicts = [joint_decision({name: each[step] for name, each in by_step.items()}, risk=risk) for step in shared]
    return Joint(answers=answers, verdicts=tuple(verdicts))


def print_joint(name: str, joint: Joint) -> None:
    """Print the joint verdict, today's table, what would change each decision, and notes."""
    width = min(100, console.width)
    kind = next(iter(joint.answers.values())).decided.log.format
    sizes = [f"{task} ({each.decided.log.num_problems} problems)" for task, each in joint.answers.items()]
    shared = f"{len(joint.verdicts)} shared checkpoint{'s' if len(joint.verdicts) > 1 else ''}"
    say(f"{name}: {kind}, {shared}, {len(sizes)} tasks: {', '.join(sizes)}.")
    for line in _now_lines(joint, width):
        console.print(line, style="bold" if line.startswith("Now") else None)
    console.print(task_table(joint, width))
    outlook = merged({task: outlook_notes(each) for task, each in joint.verdicts[-1].decisions.items()})
    for note in (*outlook, *joint.notes):
        say(note, label="- ")


def task_table(joint: Joint, width: int) -> Table:
    """One line a task, as of today."""
    decided = {task: each.decided for task, each in joint.answers.items()}
    rows = [{"task": task} | row_of(each.decisions[-1], each.points[-1]) for task, each in decided.items()]
    table, shown = fitted([{key: cell for key, cell in row.items() if key != "used"} for row in rows], width)
    for cells, each in zip(shown, decided.values(), strict=True):
        table.add_row(*cells, style="bold" if each.decisions[-1].stop else None)
    return table


def joint_fields(joint: Joint, *, costs_known: bool) -> dict[str, Any]:
    """The one JSON object: the first joint stop, or else the last verdict; today's; all; and of each task its own."""
    own = {task: all_fields(each.decided, each.notes, costs_known=costs_known) for task, each in joint.answers.items()}
    return {
        **_fields(joint.final),
        "now": _fields(joint.verdicts[-1]),
        "notes": joint.notes,
        "checkpoints": list(map(_fields, joint.verdicts)),
        "tasks": own,
    }


def _fields(verdict: JointDecision) -> dict[str, Any]:
    return {
        "action": "stop" if verdict.stop else "continue",
        "step": verdict.step,
        "used": verdict.used,
        "gross_saving": 1.0 - verdict.used,
        "net_saving": verdict.net_saving,
        "confidence": verdict.confidence,
        "risk": verdict.risk,
        "waiting_for": verdict.waiting_for,
        "k": {task: None if each.serving is None else each.serving.k for task, each in verdict.decisions.items()},
    }


def _now_lines(joint: Joint, width: int) -> list[str]:
    today, first = joint.verdicts[-1], joint.final
    spent = all(each.reason is Reason.BUDGET_SPENT for each in today.decisions.values())
    what = "stop training" if today.stop else "training is over" if spent else "train on"
    why = "" if spent else f": {str(today).partition(chr(10))[0].partition(': ')[2].removesuffix('.')}"
    lines = [("Now", f"{what} (step {today.step}, {format_share(today.used)} of the budget){why}.")]
    if first.stop and first is not today:
        where = f"step {first.step} ({format_share(first.used)} of the budget)"
        lines.append(("Before", f"a stop on all tasks was advised at {where}."))
    return [line for label, text in lines for line in filled(text, width, f"{label:10}")]
