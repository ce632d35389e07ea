"""`breakeven decide`: when one could have stopped, from evaluations of checkpoints that were made by other tools."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.decided import as_fields, decided_table, sentences
from breakeven.errors import argument_error
from breakeven.evals import EvalLog, ReadOptions, read_evals
from breakeven.evals.model_config import cost_from_config
from breakeven.model.flops import ModelCost
from breakeven.records import Decision, LearningPoint, Plan, QueryFlops
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.decide import Policy
from breakeven.stopping.decide import decide as decide_next
from breakeven.stopping.paper import PaperPolicy
from breakeven.train.replay import curves_for
from breakeven.ttc.tally import Tally, point_of

STOP_ADVISED = 10

_RULE, _COSTS, _LOG = "Rule", "Costs", "Reading the log"
_ONE_SAMPLE = QueryFlops(prefill_flops=0.0, decode_flops=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    """What is known of FLOPs besides training: nothing, or the cost of a query."""

    query_flops: QueryFlops
    output_tokens: float
    known: bool

    def evaluation_flops(self, tally: Tally) -> float:
        """Greedy and other samples of every problem, the prompt read once for each of the two."""
        if not self.known:
            return 0.0
        greedy = 0 if tally.greedy_P is None else tally.num_problems
        prefills = greedy + int((tally.samples_P > 0).sum())
        samples = greedy + int(tally.samples_P.sum())
        return prefills * self.query_flops.prefill_flops + samples * self.query_flops.decode_flops


def decide(
    log: Annotated[Path, typer.Argument(help="A CSV or JSONL file, or a folder; see docs/decide.md.")],
    budget_flops: Annotated[float, typer.Option(help="Training FLOPs of the full run.")],
    policy: Annotated[str, typer.Option(help="calibrated or paper.", rich_help_panel=_RULE)] = "calibrated",
    baseline: Annotated[
        str | None,
        typer.Option(
            help="How the fully trained model would be served: greedy, sampled or best. [default: greedy where the log "
            "has greedy samples]",
            rich_help_panel=_RULE,
        ),
    ] = None,
    risk: Annotated[
        float | None, typer.Option(help="calibrated: share of bad stops allowed; default 0.1.", rich_help_panel=_RULE)
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="calibrated: accuracy that may be lost; default 0.01, one point.", rich_help_panel=_RULE),
    ] = None,
    max_k: Annotated[int, typer.Option(help="Largest K considered.", rich_help_panel=_RULE)] = 64,
    patience: Annotated[
        int | None, typer.Option(help="Checkpoints in a row at which a K must suffice.", rich_help_panel=_RULE)
    ] = None,
    checker: Annotated[
        bool,
        typer.Option(
            "--checker/--no-checker",
            help="Whether what judged the samples runs at serving time too, so that Pass@K can be served.",
            rich_help_panel=_RULE,
        ),
    ] = True,
    decay_share: Annotated[
        float | None,
        typer.Option(
            help="Share of the budget, at its end, over which the learning rate decays; 0 for none.",
            rich_help_panel=_RULE,
        ),
    ] = None,
    params: Annotated[float | None, typer.Option(help="Parameters of the model.", rich_help_panel=_COSTS)] = None,
    model_config: Annotated[
        Path | None, typer.Option(help="Instead of --params: config.json of transformers.", rich_help_panel=_COSTS)
    ] = None,
    prompt_tokens: Annotated[
        float | None, typer.Option(help="Tokens of a prompt, on average.", rich_help_panel=_COSTS)
    ] = None,
    output_tokens: Annotated[
        float | None, typer.Option(help="Tokens of one sample, on average.", rich_help_panel=_COSTS)
    ] = None,
    queries: Annotated[
        float | None, typer.Option(help="Queries the model will serve in its life.", rich_help_panel=_COSTS)
    ] = None,
    tokens_per_step: Annotated[
        float | None,
        typer.Option(help="Training tokens a step, where the log has no training FLOPs.", rich_help_panel=_COSTS),
    ] = None,
    task: Annotated[str | None, typer.Option(help="Which task, where there are several.", rich_help_panel=_LOG)] = None,
    metric: Annotated[
        str | None, typer.Option(help="lm-eval: which metric, such as acc_norm.", rich_help_panel=_LOG)
    ] = None,
    answer_filter: Annotated[
        str | None, typer.Option(help="lm-eval: which of several filters.", rich_help_panel=_LOG)
    ] = None,
    num_problems: Annotated[
        int | None, typer.Option(help="lm-eval results: problems behind an accuracy.", rich_help_panel=_LOG)
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say at each checkpoint of LOG whether one could have stopped there, and why.

    Exit code: 0 train on, 10 stop advised, 2 usage error.
    """
    rule = _policy(policy, risk=risk, margin=margin, max_k=max_k, patience=patience)
    model = _model(params, model_config)
    costs = _costs(model, prompt_tokens, output_tokens, queries)
    if tokens_per_step is not None and not 0 < tokens_per_step < float("inf"):
        raise argument_error("--tokens-per-step", "be finite and above 0", tokens_per_step)
    size = None if model is None else model.body_params + model.head_params
    options = ReadOptions(
        task=task,
        metric=metric,
        answer_filter=answer_filter,
        num_problems=num_problems,
        flops_per_step=None if size is None or tokens_per_step is None else 6.0 * size * tokens_per_step,
        checker=checker,
    )
    read = read_evals(log, options)
    if read.train_flops[-1] > budget_flops * (1 + 1e-9):
        raise argument_error(
            "--budget-flops", f"be at least the last checkpoint's {read.train_flops[-1]:.6g} FLOPs", budget_flops
        )
    chosen = baseline or ("greedy" if read.has_greedy else "sampled")
    _refuse_unmeasured(read, chosen, rule)
    plan = Plan(budget_flops=budget_flops, baseline=chosen, queries=queries, decay_share=decay_share)
    decisions, points, remarks = _decisions(read, plan, rule, costs)
    final = next((place for place, each in enumerate(decisions) if each.stop), len(decisions) - 1)
    notes = [*read.notes, *remarks, *_notes(read, plan, costs, baseline=baseline, checker=checker)]
    if json:
        fields = as_fields(decisions[final], costs_known=costs.known)
        checkpoints = [as_fields(each, costs_known=costs.known) for each in decisions]
        print_json({**fields, "notes": notes, "checkpoints": checkpoints})
    else:
        console.print(f"{log}: {read.format}, {len(read)} checkpoints, {read.num_problems} problems.")
        console.print(decided_table(decisions, points, final))
        console.print(sentences(decisions[final], costs_known=costs.known), style="bold")
        for note in notes:
            console.print(f"- {note}")
    if decisions[final].stop:
        raise typer.Exit(STOP_ADVISED)


def _decisions(
    log: EvalLog, plan: Plan, policy: Policy, costs: _Costs
) -> tuple[list[Decision], list[LearningPoint], list[str]]:
    """One decision a checkpoint, as they would have been taken in turn; what they were taken on; notes."""
    points: list[LearningPoint] = []
    decisions: list[Decision] = []
    remarks: dict[str, tuple[int, int]] = {}
    for checkpoint in log:
        tally = checkpoint.tally
        if isinstance(policy, PaperPolicy) and tally.samples_P.min() < max(policy.k_values):
            raise argument_error(
                "--policy",
                f"be calibrated, since the paper's needs {max(policy.k_values)} samples of each problem and step "
                f"{checkpoint.step} has {int(tally.samples_P.min())} of one",
                policy.name,
            )
        points.append(
            point_of(
                tally,
                step=checkpoint.step,
                train_flops=checkpoint.train_flops,
                evaluation_flops=costs.evaluation_flops(tally),
                query_flops=costs.query_flops,
                output_tokens=costs.output_tokens,
            )
        )
        previous = decisions[-1] if decisions else None
        decisions.append(decide_next(points, curves_for(tally, policy), plan, policy, previous))
        for note in checkpoint.notes:
            first, count = remarks.get(note, (checkpoint.step, 0))
            remarks[note] = (first, count + 1)
    return decisions, points, [_remark(note, *where, len(log)) for note, where in remarks.items()]


def _remark(note: str, step: int, count: int, of: int) -> str:
    if count == of:
        return note
    return f"Step {step}{f' and {count - 1} more' if count > 1 else ''}: {note}"


def _policy(
    name: str, *, risk: float | None, margin: float | None, max_k: int, patience: int | None
) -> CalibratedPolicy | PaperPolicy:
    """The rule by its name, with what was given.

    Raises:
        ArgumentError: no such rule, a setting it does not have, or one out of range.
    """
    if name == "paper":
        for option, value in (("--risk", risk), ("--margin", margin)):
            if value is not None:
                raise argument_error(option, "be left out with --policy paper", value)
        return PaperPolicy(max_k=max_k, patience=PaperPolicy().patience if patience is None else patience)
    if name != "calibrated":
        raise argument_error("--policy", "be calibrated or paper", name)
    default = CalibratedPolicy()
    return CalibratedPolicy(
        risk=default.risk if risk is None else risk,
        margin=default.margin if margin is None else margin,
        max_k=max_k,
        patience=default.patience if patience is None else patience,
    )


def _model(params: float | None, model_config: Path | None) -> ModelCost | None:
    """The model's cost per token, as far as it was declared: from --params alone, attention is not counted."""
    if params is not None and model_config is not None:
        raise argument_error("--params", "be left out when --model-config is given", params)
    if model_config is not None:
        return cost_from_config(model_config)
    if params is None:
        return None
    if not 0 < params < float("inf"):
        raise argument_error("--params", "be finite and above 0", params, "For example 1.6e8.")
    return ModelCost(body_params=params)


def _costs(
    model: ModelCost | None, prompt_tokens: float | None, output_tokens: float | None, queries: float | None
) -> _Costs:
    """FLOPs of a query where model and token counts are declared, else one for each sample.

    Raises:
        ArgumentError: some of them but not all that are needed together.
    """
    given = {"--prompt-tokens": prompt_tokens, "--output-tokens": output_tokens}
    for (name, value), least in zip(given.items(), (0, 1), strict=True):
        if value is not None and not least <= value < float("inf"):
            raise argument_error(name, f"be finite and at least {least}", value)
    if prompt_tokens is not None and output_tokens is not None and model is not None:
        return _Costs(
            query_flops=model.query_flops(prompt_tokens, output_tokens - 1),
            output_tokens=output_tokens,
            known=True,
        )
    wanted = {"--params or --model-config": model, **given}
    missing = [name for name, value in wanted.items() if value is None]
    asking = "--queries" if queries is not None else next((name for name, each in given.items() if each), None)
    if asking is not None:
        raise argument_error(", ".join(missing), f"be given with {asking}", "none", "Queries have no price without.")
    return _Costs(query_flops=_ONE_SAMPLE, output_tokens=1.0, known=False)


def _refuse_unmeasured(log: EvalLog, baseline: str, policy: Policy) -> None:
    if baseline == "greedy" and not log.has_greedy:
        raise argument_error("--baseline", "be measured; the log has no greedy samples", baseline, "Choose sampled.")
    if baseline == "sampled" and not log.has_samples:
        raise argument_error("--baseline", "be measured; the log has only greedy samples", baseline, "Choose greedy.")
    if isinstance(policy, PaperPolicy) and not log.has_samples:
        raise argument_error("--policy", "be calibrated, since the log has no samples", policy.name)


def _notes(log: EvalLog, plan: Plan, costs: _Costs, *, baseline: str | None, checker: bool) -> list[str]:
    """What was assumed, in sentences."""
    notes = []
    if baseline is None:
        how = "greedy, as the log has greedy samples" if plan.baseline == "greedy" else "Pass@1 of the samples"
        notes.append(f"Baseline: {how} (--baseline to say otherwise).")
    if log.has_samples and checker:
        notes.append(
            "Assumed: the checker runs at serving time too, so Pass@K can be deployed (--no-checker if it does not)."
        )
    elif log.has_samples:
        notes.append(
            "Without a checker at serving time, Pass@K is an oracle's: an upper bound that cannot be deployed."
        )
    if not costs.known:
        notes.append(
            "FLOPs of a query are unknown: break-even is unknown, evaluations are not charged, and K is chosen by the "
            "number of samples (give --params or --model-config, --prompt-tokens, --output-tokens)."
        )
    if plan.decay_share is None:
        notes.append("A learning-rate decay still ahead is not in the forecast (--decay-share to say).")
    return notes
