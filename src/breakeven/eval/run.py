"""One evaluation from end to end: draw what lacks, grade, score, measure every strategy at every K."""

import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from breakeven import check
from breakeven._version import __version__
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import PartlyRight, TextTask
from breakeven.errors import SamplerError, argument_error
from breakeven.eval.bank import resumed
from breakeven.eval.measure import measurable, measure
from breakeven.eval.models import LoadedModel
from breakeven.eval.prices import Costs
from breakeven.eval.samples import drawn_samples, first_texts
from breakeven.eval.search import SearchSettings, measure_search, run_search
from breakeven.records import Measurement, SampleBank
from breakeven.records.protocols import RewardModel
from breakeven.sampling.pieces import OnProgress
from breakeven.seeds import MAX_SEED
from breakeven.session.searching import by_search
from breakeven.store import SampleFile, SamplesHeader, Texts
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.strategy import Need, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSource:
    """A reward model with its name and its price."""

    name: str
    reward_model: RewardModel
    cost: ModelCost | None
    num_verdicts: int = 0
    """V of a generative verifier; 0 for any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured, and on how much."""

    model: str
    task: str
    temperature: float | None
    """None: a server's own, which takes no other."""
    num_problems: int
    num_samples: int
    """N, the fewest samples of any problem at `temperature`."""
    num_drawn: int
    """Samples in all, greedy ones included."""
    num_failed: int
    """Samples whose check crashed or timed out: neither right nor wrong."""
    num_truncated: int
    """Samples cut off by the limit of tokens; they stay in every denominator."""
    num_unanswered: int
    """Samples without an answer: they abstain from votes, and are wrong."""
    num_uncompared: int
    """Pairs of answers whose comparison failed, so that they are taken as different."""
    num_broken_off: int = 0
    """Samples that the server broke off, by a filter for instance; they stay in every denominator."""
    num_copied: int = 0
    """Problems whose samples are copies of each other: of these, nothing was sampled."""
    oracle: bool
    """True if checking needs gold answers, so that Pass@K is an upper bound."""
    measurements: tuple[Measurement, ...] = field(default=())
    greedy_f1: float | None = None
    """Mean F1 of the greedy samples, of tasks that give one (DROP); None for others."""


def evaluate_model(
    model: LoadedModel,
    task: TextTask,
    directory: Path,
    *,
    strategies: Sequence[str],
    k_values: Sequence[int],
    num_samples: int,
    temperature: float,
    seed: int = 0,
    max_tokens: int | None = None,
    reward_source: RewardSource | None = None,
    search: SearchSettings | None = None,
    workers: int = 1,
    on_progress: OnProgress = lambda progress: None,
    on_samples: Callable[[SampleBank, Texts], None] = lambda bank, texts: None,
) -> Evaluation:
    """Accuracy and price of every strategy at every K, from samples in `directory` and those that it lacks.

    Args:
        model: to sample from.
        task: its problems, checks and answers.
        directory: where the samples are kept. A second call extends them and never draws one again.
        strategies: names of strategies, and of searches for all their rules of choice. Those that need a reward model
            which is not there are refused before anything is drawn.
        k_values: sample counts, increasing, each at most `num_samples`.
        num_samples: N, samples to have per problem at `temperature`.
        temperature: above 0; the greedy sample is drawn besides.
        seed: of the samples; that of a run's bank gives the samples of its checkpoint.
        max_tokens: limit of a completion, recorded with the samples; None: the task's.
        reward_source: of samples and steps, for the strategies that choose by reward.
        search: how trees grow; None: the default.
        workers: checks at once.
        on_progress: told after every chunk.
        on_samples: told once, when all are drawn and graded: the verdicts, and the texts of the first problems.

    Raises:
        ArgumentError: a value out of its range, or samples in `directory` of another model, task or setting.
        SamplerError, SandboxError, RunStorageError: what was drawn before is kept, and the call may be repeated.
    """
    check_request(
        task,
        strategies=strategies,
        k_values=k_values,
        num_samples=num_samples,
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens,
        workers=workers,
        width=(search or SearchSettings()).width,
    )
    model.check_problems(task.problems)
    settings = search or SearchSettings()
    tools = Tools(
        sampler=model.sampler_of(max_tokens or task.max_tokens, task.stop),
        temperature=temperature,
        seed=seed,
        answers=task,
        verifier=task,
        reward_model=reward_source.reward_model if reward_source else None,
        num_verdicts=reward_source.num_verdicts if reward_source else 0,
        width=settings.width,
        segments=settings.segments,
    )
    asked = sorted(set(k_values))
    known = measurable(strategies, asked, num_problems=len(task.problems), has=tools.has, width=settings.width)
    reward_name = reward_source.name if reward_source else None
    searches = [
        (each, k, settings.label(each[0], reward_name))
        for each in by_search(known)
        for k in each[0].sizes(asked, width=settings.width)
    ]
    header = SamplesHeader(
        versions=sample_versions(),
        model=model.name,
        task=task.name,
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens or task.max_tokens,
        settings=model.settings | ({"stop": list(task.stop)} if task.stop else {}),
    )
    with SampleFile(directory, header) as file:
        collector = resumed(
            file,
            tools.sampler,
            task,
            reward_model=tools.reward_model,
            reward_source=reward_name,
            workers=workers,
            on_progress=on_progress,
        )
        try:
            collector.draw(len(task.problems), num_samples)
        except SamplerError:
            if not file.drawn:  # then its settings bind nobody: what the error tells to change can be changed
                file.path.unlink()
            raise
        samples = drawn_samples(collector, task.problems)
        on_samples(samples.bank, first_texts(collector))
        for each, k, label in searches:
            run_search(file, task, each[0], k, label=label, tools=tools, workers=workers, on_progress=on_progress)
        reward_cost = reward_source.cost if reward_source else None
        costs = Costs(model=model.cost, reward=reward_cost, num_verdicts=tools.num_verdicts)
        measurements = list(measure(samples, [each for each in known if not each.search], asked, costs))
        for each, k, label in searches:
            measurements += measure_search(file, task, each, k, label=label, costs=costs)
        f1 = greedy_f1(file, task)
    return Evaluation(
        model=model.name,
        task=task.name,
        temperature=None if samples.own_temperature else temperature,
        num_problems=len(samples.problems),
        num_samples=min(map(len, samples.bank.correct_PN)),
        num_drawn=samples.bank.num_drawn + len(samples.problems),
        num_failed=samples.bank.num_failed,
        num_truncated=samples.num_truncated,
        num_unanswered=samples.num_unanswered,
        num_uncompared=samples.num_uncompared,
        num_broken_off=samples.num_broken_off,
        num_copied=samples.num_copied,
        oracle=samples.bank.oracle,
        measurements=tuple(measurements),
        greedy_f1=f1,
    )


def sample_versions() -> dict[str, str]:
    """Of what samples depend on beside the model and its settings."""
    return {"breakeven": __version__, "python": platform.python_version(), "numpy": version("numpy")}


def check_request(
    task: TextTask,
    *,
    strategies: Sequence[str],
    k_values: Sequence[int],
    num_samples: int,
    temperature: float,
    seed: int,
    max_tokens: int | None,
    workers: int,
    has: Collection[Need] = tuple(Need),
    width: int = SearchSettings().width,
) -> None:
    """Refuse what `evaluate_model` would refuse of any model, so that none is loaded for it.

    Args:
        task, strategies, k_values, num_samples, temperature, seed, max_tokens, workers: as given there.
        has: what strategies may need.
        width: of searches.

    Raises:
        ArgumentError: a value out of its range, or a strategy that lacks what it needs.
    """
    if not task.problems:
        raise argument_error("--task", "have at least one problem", task.name)
    check.between("--seed", seed, 0, MAX_SEED)
    check.at_least("--num-samples", num_samples, 1)
    check.positive("--temperature", temperature, "The greedy sample is drawn anyway.")
    if max_tokens is not None:
        check.at_least("--max-tokens", max_tokens, 1)
    check.at_least("--workers", workers, 1)
    if not k_values or min(k_values) < 1 or max(k_values) > num_samples:
        rule = f"be from 1 to the {num_samples} samples drawn per problem"
        raise argument_error("--k", rule, list(k_values), "Raise --num-samples.")
    if not strategies:
        raise argument_error("--strategies", f"name some of {', '.join(STRATEGIES)}", list(strategies))
    measurable(strategies, sorted(set(k_values)), num_problems=len(task.problems), has=has, width=width)


def greedy_f1(file: SampleFile, task: TextTask) -> float | None:
    """Mean F1 of the greedy samples over the problems; None of a task that gives none."""
    if not isinstance(task, PartlyRight):
        return None
    each_P = [task.f1(each, file.drawn[each.id, True, 0].completions[0].text) for each in task.problems]
    return sum(each_P) / len(each_P)
