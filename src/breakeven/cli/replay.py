"""`breakeven replay`: decide a recorded run again, without the model, with the same or other settings."""

import dataclasses
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import LogError, argument_error
from breakeven.records import Checkpoint
from breakeven.report import decision_table, explain
from breakeven.stopping.decide import PaperPolicy
from breakeven.store import read_log
from breakeven.train.replay import replay as decide_again


def replay(
    run: Annotated[Path, typer.Argument(help="A run directory, or its log.jsonl.")],
    patience: Annotated[int | None, typer.Option(help="Checkpoints in a row at which some K must suffice.")] = None,
    max_k: Annotated[int | None, typer.Option(help="Largest K considered.")] = None,
    k_values: Annotated[str | None, typer.Option(help="Sample counts to measure and fit, such as 1,2,4.")] = None,
    fluctuation_filter: Annotated[
        bool | None, typer.Option("--filter/--no-filter", help="Drop the points below the last kept one, or not.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="One-sample decoding to match: greedy or sampled.")] = None,
    json: JsonOption = False,
) -> None:
    """Decide a recorded run again; with no option the recorded decisions come back bit for bit."""
    record = read_log(run)
    if not record.checkpoints:
        raise LogError(f"{run} holds no evaluation to decide on. Train on until the first one is recorded.")
    try:
        logged = msgspec.convert(record.header.policy, PaperPolicy)
    except msgspec.ValidationError as error:
        raise LogError(f'{run} was not recorded with the policy "paper", so it cannot be replayed: {error}.') from error
    policy = PaperPolicy(
        patience=logged.patience if patience is None else patience,
        max_k=logged.max_k if max_k is None else max_k,
        k_values=logged.k_values if k_values is None else _parse_k_values(k_values),
        fluctuation_filter=logged.fluctuation_filter if fluctuation_filter is None else fluctuation_filter,
    )
    num_samples = record.checkpoints[0].observation.bank.num_samples
    if max(policy.k_values) > num_samples:
        raise argument_error(
            "--k-values", f"be at most the {num_samples} samples recorded per problem", list(policy.k_values)
        )
    plan = dataclasses.replace(record.header.plan, baseline=baseline) if baseline else record.header.plan
    decisions = decide_again([each.observation for each in record.checkpoints], plan, policy)
    unchanged = plan == record.header.plan and policy == logged
    same = all(new == old.decision for new, old in zip(decisions, record.checkpoints, strict=True))
    decided = [
        Checkpoint(observation=each.observation, decision=decision)
        for each, decision in zip(record.checkpoints, decisions, strict=True)
    ]
    final = next((each for each in decisions if each.stop), decisions[-1])
    if json:
        print_json({"policy": policy, "same_as_recorded": same, "decision": final, "decisions": decisions})
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


def _parse_k_values(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise argument_error("--k-values", "be whole numbers separated by commas", text) from error
