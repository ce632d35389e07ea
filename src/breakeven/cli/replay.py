"""`breakeven replay`: decide a recorded run again, without the model, with the same or other settings."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from breakeven.cli.common import JsonOption, TrustOption, console, print_json, trusting
from breakeven.cli.policies import chosen_policy, naming_options
from breakeven.cli.shown import VerboseOption, print_decision, say
from breakeven.config import recorded_policy
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.evenly import evenly
from breakeven.names import named_in
from breakeven.records import CheckpointRecord, Decision
from breakeven.report import decision_table, hindsight_words
from breakeven.session.replay import replay as decide_again
from breakeven.stopping.patience import policy_settings
from breakeven.store import read_log

_MOST = 300
"""Checkpoints that are decided on again, if not all are asked for: one of thousands takes 20 milliseconds."""


def replay(
    run: Annotated[Path, typer.Argument(help="A run directory, or its log.jsonl.")],
    policy: Annotated[str | None, typer.Option(help="The rule: calibrated or paper.")] = None,
    patience: Annotated[int | None, typer.Option(help="Checkpoints in a row at which a point must suffice.")] = None,
    max_k: Annotated[int | None, typer.Option(help="Largest K considered.")] = None,
    risk: Annotated[float | None, typer.Option(help="calibrated: allowed share of bad stops.")] = None,
    margin: Annotated[float | None, typer.Option(help="calibrated: accuracy that may be lost, 0.01 a point.")] = None,
    k_values: Annotated[str | None, typer.Option(help="paper: sample counts to measure and fit, as 1,2,4.")] = None,
    fluctuation_filter: Annotated[
        bool | None, typer.Option("--filter/--no-filter", help="paper: drop points below the last kept one, or not.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="One-sample decoding to match: greedy, sampled, best.")] = None,
    queries: Annotated[float | None, typer.Option(help="Queries that will be served in the model's life.")] = None,
    hours: Annotated[float | None, typer.Option(help="Hours of training to the full budget.")] = None,
    price_per_hour: Annotated[float | None, typer.Option(help="Money that an hour of its machines costs.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"Decide at every checkpoint, also where there are more than {_MOST}.")
    ] = False,
    trust_recipe: TrustOption = False,
    verbose: VerboseOption = False,
    json: JsonOption = False,
) -> None:
    """Decide a recorded run again; with no option the recorded decisions come back.

    Bit for bit on a machine like the run's; on another CPU equal in every action, reason and K.
    """
    record = read_log(run)
    if not record.checkpoints:
        raise LogError(f"{run} holds no evaluation to decide on. Train on until the first one is recorded.")
    from_log = partial(named_in, run, trusting(trust_recipe))
    try:
        with from_log():
            logged = recorded_policy(record.header.policy)
    except ArgumentError as error:
        raise LogError(f"{run} was recorded with a policy that this version does not know: {error}") from error
    options = {
        "patience": patience,
        "max_k": max_k,
        "risk": risk,
        "margin": margin,
        "k_values": None if k_values is None else _parse_k_values(k_values),
        "fluctuation_filter": fluctuation_filter,
    }
    chosen = logged
    if policy is not None or any(each is not None for each in options.values()):
        chosen = chosen_policy({"patience": 0} | policy_settings(logged), policy, options)
    num_samples = min(len(row) for each in record.checkpoints for row in each.observation.bank.correct_PN)
    with naming_options():
        chosen.check(num_samples)
    asked: dict[str, Any] = {"baseline": baseline, "queries": queries, "hours": hours, "price_per_hour": price_per_hour}
    asked = {name: value for name, value in asked.items() if value is not None}
    spec = dataclasses.replace(record.header.spec, **asked)
    changes = [
        dataclasses.replace(each, spec=dataclasses.replace(each.spec, **asked)) for each in record.budget_changes
    ]
    unchanged = spec == record.header.spec and chosen == logged
    recorded, observed = zip(*((each.decision, each.observation) for each in record.checkpoints), strict=True)
    places = _places(recorded, len(recorded) if every else _MOST)
    with from_log():
        decisions = decide_again(
            observed, spec, chosen, changes, at=frozenset(places), recorded=recorded if unchanged else ()
        )
    difference = largest_difference(decisions, [recorded[place] for place in places])
    decided = [
        CheckpointRecord(observation=observed[place], decision=decision)
        for place, decision in zip(places, decisions, strict=True)
    ]
    final = next((each for each in decisions if each.stop), decisions[-1])
    if json:
        print_json(
            {
                "policy": policy_settings(chosen),
                "same_as_recorded": difference == 0.0,
                "largest_relative_difference": difference,
                "num_checkpoints": len(recorded),
                "decision": final,
                "decisions": decisions,
            }
        )
        return
    console.print(decision_table(decided, width=console.width))
    console.print()
    print_decision(final, verbose=verbose)
    for sentence in hindsight_words(decided):
        say(sentence)
    if unchanged and difference == 0.0:
        say(f"All {len(decisions)} decisions equal the recorded ones bit for bit.")
    elif unchanged and difference is not None and difference <= _LAST_DIGITS:
        say(
            f"All {len(decisions)} decisions equal the recorded ones in every action, reason and K; last digits differ "
            f"by at most {difference:.0e} (recorded on another CPU, or with other libraries)."
        )
    elif unchanged:
        versions = ", ".join(f"{name} {number}" for name, number in record.header.versions.items())
        say(f"The recorded decisions differ. The run was recorded with {versions}.", style="bold yellow")
    if len(places) < len(recorded):
        say(
            f"{len(recorded)} checkpoints are many: decided again at {len(places)} of them, evenly chosen, each on all "
            "that came before it. With --all at every one."
        )
    if record.recovered:
        say("The log's last line was cut short and was left out.")


def _places(recorded: Sequence[Decision], most: int) -> list[int]:
    """The checkpoints that are decided on again: all or, where there are many, some and the first that stopped."""
    stop = next((place for place, each in enumerate(recorded) if each.stop), 0)
    return sorted({*evenly(len(recorded), most), stop})


_LAST_DIGITS = 1e-9
"""Largest relative difference of a number that rounding explains; words and whole numbers must be equal."""


def largest_difference(decisions: Sequence[Decision], recorded: Sequence[Decision]) -> float | None:
    """The largest relative difference of two numbers in the same place; None where anything else differs.

    Decisions of one run on two kinds of CPU differ in last digits, since vector instructions round differently.
    """
    ours, theirs = msgspec.to_builtins(list(decisions)), msgspec.to_builtins(list(recorded))
    return 0.0 if ours == theirs else _difference(ours, theirs)


def _difference(one: Any, other: Any) -> float | None:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) / max(abs(one), abs(other), 1e-9) if one != other else 0.0
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = list(zip(one, other, strict=True))
    else:
        return 0.0 if one == other else None
    found = [_difference(*pair) for pair in pairs]
    return None if None in found else max((each for each in found if each is not None), default=0.0)


def _parse_k_values(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise argument_error("--k-values", "be whole numbers separated by commas", text) from error
