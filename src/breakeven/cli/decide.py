"""`breakeven decide`: when one could have stopped, from evaluations of checkpoints that were made by other tools."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from breakeven import check
from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.decided import as_fields, decided_table
from breakeven.cli.policies import chosen_policy
from breakeven.cli.query_costs import QueryCosts, model_cost, query_cap, query_costs
from breakeven.errors import ArgumentError, argument_error
from breakeven.readers import EvalLog, ReadOptions, read_evals
from breakeven.records import Decision, LearningPoint, RunSpec
from breakeven.report import explain
from breakeven.session.step import Measured, conclude, see
from breakeven.stopping.course import Course, Policy
from breakeven.ttc.tally import point_of

STOP_ADVISED = 10

_rule, _cost, _log = (partial(typer.Option, rich_help_panel=each) for each in ("Rule", "Costs", "Reading the log"))
"""Options, by what they are about."""


def decide(
    log: Annotated[Path, typer.Argument(help="A CSV or JSONL file, or a folder; see docs/decide.md.")],
    budget_flops: Annotated[float, typer.Option(help="Training FLOPs of the full run.")],
    policy: Annotated[str, _rule(help="calibrated or paper.")] = "calibrated",
    baseline: Annotated[
        str | None,
        _rule(
            help="How the fully trained model would be served: greedy, sampled or best. [default: greedy where the log "
            "has greedy samples]"
        ),
    ] = None,
    risk: Annotated[float | None, _rule(help="calibrated: share of bad stops allowed; default 0.1.")] = None,
    margin: Annotated[
        float | None, _rule(help="calibrated: accuracy that may be lost; default 0.01, one point.")
    ] = None,
    max_k: Annotated[int, _rule(help="Largest K considered.")] = 64,
    patience: Annotated[int | None, _rule(help="Checkpoints in a row at which a K must suffice.")] = None,
    checker: Annotated[
        bool,
        _rule(
            "--checker/--no-checker",
            help="Whether what judged the samples runs at serving time too, so that Pass@K can be served.",
        ),
    ] = False,
    target: Annotated[
        float | None, _rule(help="Accuracy to be reached, where it is known; else full training is projected.")
    ] = None,
    min_accuracy: Annotated[float, _rule(help="Never stop below this accuracy.")] = 0.0,
    decay_share: Annotated[
        float | None, _rule(help="Share of the budget, at its end, over which the learning rate decays; 0 for none.")
    ] = None,
    params: Annotated[float | None, _cost(help="Parameters of the model.")] = None,
    model_config: Annotated[Path | None, _cost(help="Instead of --params: config.json of transformers.")] = None,
    prompt_tokens: Annotated[float | None, _cost(help="Tokens of a prompt, on average.")] = None,
    output_tokens: Annotated[float | None, _cost(help="Tokens of one sample, on average.")] = None,
    queries: Annotated[float | None, _cost(help="Queries the model will serve in its life.")] = None,
    max_query_flops: Annotated[float | None, _cost(help="Most FLOPs a query may cost on average.")] = None,
    max_sequential_tokens: Annotated[
        float | None, _cost(help="Most tokens a query may decode one after another.")
    ] = None,
    max_query_cost: Annotated[
        float | None, _cost(help="Most money a query may cost, with the three options below.")
    ] = None,
    hour_price: Annotated[float | None, _cost(help="Money one accelerator costs per hour.")] = None,
    peak_flops: Annotated[float | None, _cost(help="Its peak FLOPs per second.")] = None,
    efficiency: Annotated[float | None, _cost(help="Share of that peak that serving reaches.")] = None,
    tokens_per_step: Annotated[
        float | None, _cost(help="Training tokens a step, where the log has no training FLOPs.")
    ] = None,
    task: Annotated[str | None, _log(help="Which task, where there are several.")] = None,
    metric: Annotated[str | None, _log(help="lm-eval: which metric, such as acc_norm.")] = None,
    answer_filter: Annotated[str | None, _log(help="lm-eval: which of several filters.")] = None,
    num_problems: Annotated[int | None, _log(help="lm-eval results: problems behind an accuracy.")] = None,
    json: JsonOption = False,
) -> None:
    """Say at each checkpoint of LOG whether one could have stopped there, and why.

    Exit code: 0 train on, 10 stop advised, 2 usage error.
    """
    options = {"risk": risk, "margin": margin, "max_k": max_k, "patience": patience}
    rule = chosen_policy({"name": policy}, None, options)
    cap = query_cap(max_query_flops, max_query_cost, hour_price, peak_flops, efficiency)
    model = model_cost(params, model_config)
    costs = query_costs(model, prompt_tokens, output_tokens, queries)
    for option, limit in (("a cap on a query's FLOPs", cap), ("--max-sequential-tokens", max_sequential_tokens)):
        if limit is not None and costs is None:
            rule_text = "come with --params or --model-config, --prompt-tokens and --output-tokens"
            raise argument_error(option, rule_text, limit, "Queries have no price without.")
    if tokens_per_step is not None:
        check.positive("--tokens-per-step", tokens_per_step)
    size = None if model is None else model.body_params + model.head_params
    reading = ReadOptions(
        task=task,
        metric=metric,
        answer_filter=answer_filter,
        num_problems=num_problems,
        flops_per_step=None if size is None or tokens_per_step is None else 6.0 * size * tokens_per_step,
        checker=checker,
    )
    read = read_evals(log, reading)
    if read.train_flops[-1] > budget_flops * (1 + 1e-9):
        rule_text = f"be at least the last checkpoint's {read.train_flops[-1]:.6g} FLOPs"
        raise argument_error("--budget-flops", rule_text, budget_flops)
    chosen = baseline or ("greedy" if read.has_greedy else "sampled")
    _refuse_unmeasured(read, chosen)
    spec = RunSpec(
        budget_flops=budget_flops,
        baseline=chosen,
        queries=queries,
        decay_share=decay_share,
        max_query_flops=cap,
        max_sequential_tokens=max_sequential_tokens,
        target=target,
        min_accuracy=min_accuracy,
        checker=checker,
    )
    decisions, points, remarks = _decisions(read, spec, rule, costs)
    final = next((place for place, each in enumerate(decisions) if each.stop), len(decisions) - 1)
    notes = [*read.notes, *remarks, *_notes(read, spec, costs, baseline=baseline, checker=checker)]
    if json:
        fields = as_fields(decisions[final], costs_known=costs is not None)
        checkpoints = [as_fields(each, costs_known=costs is not None) for each in decisions]
        print_json({**fields, "notes": notes, "checkpoints": checkpoints})
    else:
        console.print(f"{log}: {read.format}, {len(read)} checkpoints, {read.num_problems} problems.")
        console.print(decided_table(decisions, points, final))
        console.print(explain(decisions[final]), style="bold")
        for note in notes:
            console.print(f"- {note}")
    if decisions[final].stop:
        raise typer.Exit(STOP_ADVISED)


def _decisions(
    log: EvalLog, spec: RunSpec, policy: Policy, costs: QueryCosts | None
) -> tuple[list[Decision], list[LearningPoint], list[str]]:
    """One decision a checkpoint, as they would have been taken in turn; what they were taken on; notes."""
    course = Course(spec=spec, policy=policy)
    decisions: list[Decision] = []
    remarks: dict[str, tuple[int, int]] = {}
    for checkpoint in log:
        tally = checkpoint.tally
        _check_samples(policy, int(tally.samples_P.min()), checkpoint.step)
        point = point_of(
            tally,
            step=checkpoint.step,
            train_flops=checkpoint.train_flops,
            evaluation_flops=None if costs is None else costs.evaluation_flops(tally),
            query_flops=None if costs is None else costs.query_flops,
            output_tokens=None if costs is None else costs.output_tokens,
        )
        course, _, decision = conclude(course, see(course, Measured(tally=tally, point=point)))
        decisions.append(decision)
        for note in checkpoint.notes:
            first, count = remarks.get(note, (checkpoint.step, 0))
            remarks[note] = (first, count + 1)
    return decisions, list(course.points), [_remark(note, *where, len(log)) for note, where in remarks.items()]


def _check_samples(policy: Policy, num_samples: int, step: int) -> None:
    try:
        policy.check(num_samples)
    except ArgumentError as error:
        rule = f"be one that can decide on the {num_samples} samples that some problem has at step {step}"
        raise argument_error("--policy", rule, policy.name, f"{error}") from None


def _remark(note: str, step: int, count: int, of: int) -> str:
    if count == of:
        return note
    return f"Step {step}{f' and {count - 1} more' if count > 1 else ''}: {note}"


def _refuse_unmeasured(log: EvalLog, baseline: str) -> None:
    if baseline == "greedy" and not log.has_greedy:
        raise argument_error("--baseline", "be measured; the log has no greedy samples", baseline, "Choose sampled.")
    if baseline == "sampled" and not log.has_samples:
        raise argument_error("--baseline", "be measured; the log has only greedy samples", baseline, "Choose greedy.")


def _notes(log: EvalLog, spec: RunSpec, costs: QueryCosts | None, *, baseline: str | None, checker: bool) -> list[str]:
    """What was assumed, in sentences."""
    notes = []
    if baseline is None:
        how = "greedy, as the log has greedy samples" if spec.baseline == "greedy" else "Pass@1 of the samples"
        notes.append(f"Baseline: {how} (--baseline to say otherwise).")
    if log.has_samples and checker:
        notes.append(
            "As declared by --checker, what judged the samples runs at serving time too: Pass@K can be served."
        )
    elif log.has_samples:
        notes.append(
            "Without a checker at serving time, Pass@K is an oracle's, an upper bound that stops nothing. "
            "Where there is one, add --checker."
        )
    if costs is None:
        notes.append(
            "FLOPs of a query are unknown: break-even is unknown, evaluations are not charged, and K is chosen by the "
            "number of samples (give --params or --model-config, --prompt-tokens, --output-tokens)."
        )
    if spec.decay_share is None:
        notes.append("A learning-rate decay still ahead is not in the forecast (--decay-share to say).")
    return notes
