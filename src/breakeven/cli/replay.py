"""`breakeven replay`: decide a recorded run again, without the model, with the same or other settings."""

import dataclasses
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.config import policy_from
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.records import CheckpointRecord
from breakeven.report import decision_table, explain
from breakeven.session.replay import replay as decide_again
from breakeven.stopping.decide import POLICIES, Policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.store import read_log


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
    json: JsonOption = False,
) -> None:
    """Decide a recorded run again; with no option the recorded decisions come back bit for bit."""
    record = read_log(run)
    if not record.checkpoints:
        raise LogError(f"{run} holds no evaluation to decide on. Train on until the first one is recorded.")
    try:
        logged = policy_from(record.header.policy)
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
    chosen = _policy(logged, policy, {name: value for name, value in options.items() if value is not None})
    num_samples = min(len(row) for each in record.checkpoints for row in each.observation.bank.correct_PN)
    if isinstance(chosen, PaperPolicy) and max(chosen.k_values) > num_samples:
        raise argument_error(
            "--k-values",
            f"be at most the {num_samples} samples recorded for every problem at every checkpoint",
            list(chosen.k_values),
            "Policy paper needs a run recorded with it.",
        )
    spec = record.header.spec
    spec = dataclasses.replace(spec, baseline=baseline or spec.baseline)
    spec = dataclasses.replace(spec, queries=spec.queries if queries is None else queries)
    decisions = decide_again([each.observation for each in record.checkpoints], spec, chosen)
    unchanged = spec == record.header.spec and chosen == logged
    same = all(new == old.decision for new, old in zip(decisions, record.checkpoints, strict=True))
    decided = [
        CheckpointRecord(observation=each.observation, decision=decision)
        for each, decision in zip(record.checkpoints, decisions, strict=True)
    ]
    final = next((each for each in decisions if each.stop), decisions[-1])
    if json:
        print_json({"policy": chosen, "same_as_recorded": same, "decision": final, "decisions": decisions})
        return
    console.print(decision_table(decided))
    console.print(explain(final), style="bold")
    if unchanged and same:
        console.print(f"All {len(decisions)} decisions equal the recorded ones bit for bit.")
    elif unchanged:
        versions = ", ".join(f"{name} {number}" for name, number in record.header.versions.items())
        console.print(f"The recorded decisions differ. The run was recorded with {versions}.", style="bold yellow")
    if record.recovered:
        console.print("The log's last line was cut short and was left out.")


def _policy(logged: Policy, name: str | None, options: dict[str, Any]) -> Policy:
    """The recorded policy, or another one, with some settings changed."""
    settings = asdict(logged) if name in (None, logged.name) else {"name": name}
    own = (
        {each.name for each in dataclasses.fields(POLICIES[settings["name"]])} if settings["name"] in POLICIES else None
    )
    if own is not None and (foreign := next((each for each in options if each not in own), None)):
        flag = "--filter/--no-filter" if foreign == "fluctuation_filter" else f"--{foreign.replace('_', '-')}"
        raise argument_error(flag, f"be an option of policy {settings['name']}", options[foreign], "Leave it out.")
    return policy_from(settings | options)


def _parse_k_values(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise argument_error("--k-values", "be whole numbers separated by commas", text) from error
