"""`breakeven decide`: may training stop now, and could it have before, from evaluations that other tools made."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from breakeven import check
from breakeven.cli.asked import Asked, answers, sizes_of
from breakeven.cli.budget import amount, chosen_budget, flops_units
from breakeven.cli.common import JsonOption, print_json
from breakeven.cli.decided import all_fields, print_decided
from breakeven.cli.documents import FiguresOption, check_place
from breakeven.cli.policies import chosen_policy
from breakeven.cli.query_costs import model_cost, query_cap, query_costs
from breakeven.cli.report import write_decided
from breakeven.cli.stdin import STDIN, readable
from breakeven.cli.tasks import joint_fields, joint_of, print_joint
from breakeven.errors import argument_error
from breakeven.readers import ReadOptions
from breakeven.readers.columns import renaming
from breakeven.records import RunSpec

STOP_ADVISED = 10

_PANELS = ("Rule", "Costs", "Reading the log")
_budget = partial(typer.Option, rich_help_panel="Budget, one of", metavar="NUMBER")
_rule, _cost, _log = (partial(typer.Option, rich_help_panel=each) for each in _PANELS)
"""Options, by what they are about."""


def decide(
    log: Annotated[
        Path, typer.Argument(help="A CSV, JSONL or trainer_state.json file, a folder, or - for standard input.")
    ],
    budget_steps: Annotated[str | None, _budget(help="Optimizer steps of the full run, such as 20000 or 20K.")] = None,
    budget_tokens: Annotated[str | None, _budget(help="Training tokens of the full run, such as 300B.")] = None,
    budget_flops: Annotated[str | None, _budget(help="Training FLOPs of the full run, such as 1.7e21.")] = None,
    budget_hours: Annotated[str | None, _budget(help="Hours of the full run, where the log has times.")] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Have the exit code answer today's question: 10 where training may stop now.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write what was decided and why: a page (.html), Markdown (.md) or JSON."
        ),
    ] = None,
    figures: FiguresOption = None,
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
    like: Annotated[
        list[str] | None,
        _rule(
            metavar="LOG[@BUDGET]",
            help="An earlier run of the same recipe: a log like LOG, or a run directory; may be repeated. It went to "
            "its end, or BUDGET says how long it was to be, in the unit of this run's.",
        ),
    ] = None,
    params: Annotated[
        str | None, _cost(metavar="NUMBER", help="Parameters of the model, such as 1.1B; only for a price.")
    ] = None,
    model_config: Annotated[Path | None, _cost(help="Instead of --params: config.json of transformers.")] = None,
    prompt_tokens: Annotated[float | None, _cost(help="Tokens of a prompt, on average.")] = None,
    output_tokens: Annotated[float | None, _cost(help="Tokens of one sample, on average.")] = None,
    queries: Annotated[
        str | None, _cost(metavar="NUMBER", help="Queries the model will serve in its life, such as 10M.")
    ] = None,
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
        str | None, _cost(metavar="NUMBER", help="Training tokens a step, where the log has no training FLOPs.")
    ] = None,
    task: Annotated[
        list[str] | None,
        _log(help="Which task, where there are several; repeated, or all: one decision on several of them."),
    ] = None,
    column: Annotated[
        list[str] | None,
        _log(metavar="OURS=THEIRS", help='What the log calls a column, such as "accuracy=eval/acc"; may be repeated.'),
    ] = None,
    metric: Annotated[str | None, _log(help="Which metric, such as acc_norm.")] = None,
    answer_filter: Annotated[str | None, _log(help="lm-eval: which of several filters.")] = None,
    num_problems: Annotated[
        list[str] | None,
        _log(metavar="[TASK=]NUMBER", help="Problems behind an accuracy; of several tasks each its own."),
    ] = None,
    stderr: Annotated[float | None, _log(help="Instead: standard error of the last accuracy, as a share.")] = None,
    percent: Annotated[bool, _log("--percent", help="Accuracies in the log are percentages.")] = False,
    json: JsonOption = False,
) -> None:
    """Say whether training may stop now, and at each checkpoint of LOG whether it could have, and why.

    Exit code: 0 train on, 10 stop advised (at some checkpoint; with --now: now), 2 usage error.
    """
    if page is not None:
        check_place("--report", page)
    options = {"risk": risk, "margin": margin, "max_k": max_k, "patience": patience}
    rule = chosen_policy({"name": policy}, None, options)
    cap = query_cap(max_query_flops, max_query_cost, hour_price, peak_flops, efficiency)
    served = amount("--queries", queries)
    model = model_cost(amount("--params", params), model_config)
    costs = query_costs(model, prompt_tokens, output_tokens, served)
    for option, limit in (("a cap on a query's FLOPs", cap), ("--max-sequential-tokens", max_sequential_tokens)):
        if limit is not None and costs is None:
            rule_text = "come with --params or --model-config, --prompt-tokens and --output-tokens"
            raise argument_error(option, rule_text, limit, "Queries have no price without.")
    step_tokens = amount("--tokens-per-step", tokens_per_step)
    if step_tokens is not None:
        check.positive("--tokens-per-step", step_tokens)
    declared = chosen_budget(
        {"steps": budget_steps, "tokens": budget_tokens, "flops": budget_flops, "hours": budget_hours}
    )
    per_token, per_step = flops_units(declared, model, step_tokens, priced=costs is not None)
    reading = ReadOptions(
        metric=metric,
        answer_filter=answer_filter,
        flops_per_step=per_step,
        flops_per_token=per_token,
        columns=renaming(column or []),
        stderr=stderr,
        percent=percent,
        checker=checker,
    )
    asked = Asked(
        reading=reading,
        sizes=sizes_of(num_problems or []),
        declared=declared,
        tokens_per_step=step_tokens,
        baseline=baseline,
        like=like or [],
        spec=partial(
            RunSpec,
            queries=served,
            decay_share=decay_share,
            max_query_flops=cap,
            max_sequential_tokens=max_sequential_tokens,
            target=target,
            min_accuracy=min_accuracy,
            checker=checker,
        ),
        rule=rule,
        costs=costs,
    )
    with readable(log) as path:
        found = answers(path, task or [], asked)
    name, known = STDIN if str(log) == "-" else str(log), costs is not None
    if len(found) > 1:
        for option, asked_for in (("--report", page), ("--figures", figures)):
            if asked_for is not None:
                raise argument_error(option, "be of one task", str(asked_for), "Name one with --task.")
        joint = joint_of({str(each): answer for each, answer in found.items()})
        if json:
            print_json(joint_fields(joint, costs_known=known))
        else:
            print_joint(name, joint)
        stop = joint.verdicts[-1].stop if now else joint.final.stop
    else:
        (answer,) = found.values()
        decided, budget = answer.decided, answer.budget
        if page is not None or figures is not None:
            whole, flops_known = f"{budget.amount:.6g} {budget.unit}", budget.unit == "flops" or known
            write_decided(page, figures, name, decided, answer.notes, budget=whole, flops_known=flops_known)
        if json:
            print_json(all_fields(decided, answer.notes, costs_known=known))
        else:
            print_decided(name, decided, answer.notes, now=now)
        stop = decided.now.decision.stop if now else decided.decisions[decided.final].stop
    if stop:
        raise typer.Exit(STOP_ADVISED)
