"""Strategies that search, on a model and a task: run, recorded problem by problem, and measured."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from breakeven.cost.query import mean_flops, search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import TextTask
from breakeven.errors import argument_error
from breakeven.eval.bank import outdated, reference_crc32
from breakeven.eval.intervals import mean_and_interval
from breakeven.eval.measure import Costs
from breakeven.records import CHECK_FAILED, Measurement, Problem, SearchCost, SegmentRule
from breakeven.records.agree import canonical_answer, label_answers
from breakeven.records.protocols import RewardModel, Sampler, SegmentSampler
from breakeven.sampling.grading import grade
from breakeven.sampling.pieces import OnProgress, Progress, chunks
from breakeven.store import FoundCandidate, SampleFile, Searched
from breakeven.ttc.search.beam import beam_search
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.rebase import rebase
from breakeven.ttc.search.revision import revise
from breakeven.ttc.search.select import SelectionRule, chance_right
from breakeven.ttc.search.trees import SearchResult

SEARCHES = ("beam_search", "dvts", "rebase", "revision")
"""Strategies that need a model which can go on from a beginning (revision: any) and, but for revision, a process
reward model. Every K is a search of its own."""
REVISE = "{problem}\n\nEarlier attempts, which may be wrong:\n{attempts}\n\nTry again, and correct what was wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How trees grow."""

    width: int = 4
    """M, next steps a beginning (beam search, DVTS)."""
    segments: SegmentRule = field(default_factory=SegmentRule)

    def check(self, strategies: Sequence[str], k_values: Sequence[int], kind: str | None) -> None:
        """Nothing, if the searches among `strategies` can be had with a reward model of this kind.

        Raises:
            ArgumentError: a width or a step below 1, a K that no search can be asked for, or an outcome reward model.
        """
        searching = [each for each in strategies if each in SEARCHES and each != "revision"]
        if not searching:
            return
        for name, value in (("--width", self.width), ("--step-tokens", self.segments.max_tokens)):
            if value < 1:
                raise argument_error(name, "be at least 1", value)
        for strategy in searching:
            if not self.sizes(strategy, k_values):
                raise argument_error("--k", f"hold a multiple of --width {self.width} for {strategy}", list(k_values))
        if kind == "outcome":
            rule = f"judge beginnings of solutions for {searching[0]}"
            raise argument_error(
                "--reward-model", rule, "an outcome reward model", "Train one: breakeven reward-model."
            )

    def label(self, strategy: str, reward_source: str | None) -> str:
        """What tells this search from others in a sample file."""
        if strategy == "revision":
            return f"{strategy} {reward_source or ''}".strip()
        segments = f"{'|'.join(map(repr, self.segments.ends))}/{self.segments.max_tokens}/{self.segments.max_segments}"
        width = "" if strategy == "rebase" else f" width={self.width}"
        return f"{strategy}{width} steps={segments} {reward_source}"

    def sizes(self, strategy: str, k_values: Sequence[int]) -> list[int]:
        """Of `k_values`, those that this search can be asked for."""
        unit = self.width if strategy in ("beam_search", "dvts") else 1
        return [k for k in k_values if k % unit == 0]


def run_search(
    file: SampleFile,
    sampler: Sampler,
    task: TextTask,
    strategy: str,
    k: int,
    *,
    settings: SearchSettings,
    reward_model: RewardModel | None,
    reward_source: str | None,
    temperature: float,
    seed: int,
    workers: int = 1,
    on_progress: OnProgress = lambda progress: None,
) -> None:
    """Search every problem of `task` that `file` does not hold this search of; grade and record as it goes.

    Raises:
        ArgumentError: a sampler that cannot go on from a beginning, or a missing or unfit reward model.
        SamplerError: what was searched before is recorded.
    """
    search = _search_of(sampler, strategy, k, settings, reward_model, temperature, seed)
    label = settings.label(strategy, reward_source)
    _grade_again(file, task, label, k, workers)
    waiting = [each for each in task.problems if (label, k, each.id) not in file.searched]
    total = len(task.problems)
    before = done = total - len(waiting)
    for chunk in chunks(waiting):
        results = search([dataclasses.replace(each, reference=None) for each in chunk])
        texts_PN = [[path.text for path in each.candidates] for each in results]
        rows = grade(task, chunk, texts_PN, workers=workers)
        file.append(
            Searched(
                problem=problem.id,
                prompt=problem.prompt,
                setting=label,
                k=k,
                candidates=_candidates(task, result, verdicts),
                cost=dataclasses.asdict(result.cost),
                reference_crc32=reference_crc32(problem),
            )
            for problem, result, verdicts in zip(chunk, results, rows, strict=True)
        )
        done += len(chunk)
        on_progress(Progress(stage=f"{strategy} K={k}", done=done, total=total, before=before))


def _grade_again(file: SampleFile, task: TextTask, label: str, k: int, workers: int) -> None:
    """The candidates that were graded by another gold answer."""
    found = [(each, file.searched.get((label, k, each.id))) for each in task.problems]
    for problem, searched in found:
        if searched is None or not outdated(searched, problem):
            continue
        (verdicts,) = grade(task, [problem], [[each.text for each in searched.candidates]], workers=workers)
        candidates = tuple(
            dataclasses.replace(each, verdict=verdict)
            for each, verdict in zip(searched.candidates, verdicts, strict=True)
        )
        crc32 = reference_crc32(problem)
        file.append([dataclasses.replace(searched, candidates=candidates, reference_crc32=crc32)])


def measure_search(
    file: SampleFile,
    task: TextTask,
    strategy: str,
    k: int,
    *,
    settings: SearchSettings,
    reward_source: str | None,
    costs: Costs,
) -> tuple[Measurement, ...]:
    """One measurement for each rule by which a final answer can be chosen among the candidates.

    Estimator:
        One search a problem: its spread is part of the standard error over problems. Ties are split evenly.
    """
    found = [file.searched[settings.label(strategy, reward_source), k, each.id] for each in task.problems]
    rules: tuple[SelectionRule, ...] = ("naive", "weighted", "vote")
    if strategy == "revision":
        rules = ("last", "vote") if reward_source is None else ("last", "vote", "naive", "weighted")
    counts = [SearchCost(**each.cost) for each in found]
    prices = {shared: _price(counts, costs, shared=shared) for shared in (True, False)}
    rows = []
    for rule in rules:
        accuracy_P = np.array([_chance(each, task, rule) for each in found])
        mean, error, lo, hi = mean_and_interval(accuracy_P)
        policy, verifier = prices[True]
        rows.append(
            Measurement(
                strategy=f"{strategy}/{rule}",
                deployable=True,
                k=k,
                accuracy=mean,
                standard_error=error,
                lo=lo,
                hi=hi,
                num_problems=len(found),
                expected_samples=float(np.mean([len(each.candidates) for each in found])),
                output_tokens=float(np.mean([each.output_tokens for each in counts])),
                model_flops=policy,
                model_flops_unshared=prices[False][0],
                reward_flops=verifier,
            )
        )
    return tuple(rows)


def _search_of(
    sampler: Sampler,
    strategy: str,
    k: int,
    settings: SearchSettings,
    reward_model: RewardModel | None,
    temperature: float,
    seed: int,
) -> Callable[[Sequence[Problem]], list[SearchResult]]:
    if strategy == "revision":
        return partial(
            revise,
            sampler=sampler,
            attempts=k,
            prompt=_revised,
            temperature=temperature,
            seed=seed,
            reward_model=reward_model,
        )
    if not isinstance(sampler, SegmentSampler):
        raise argument_error(
            "--strategies", "search only models that can go on from a beginning", strategy, "This one cannot."
        )
    if reward_model is None:
        raise argument_error("--reward-model", f"be given for {strategy}", None, "It chooses among steps by reward.")
    search: Callable[..., list[SearchResult]]
    if strategy == "beam_search":
        search = partial(beam_search, beams=k, width=settings.width)
    elif strategy == "dvts":
        search = partial(dvts, num_candidates=k, width=settings.width)
    else:
        search = partial(rebase, num_candidates=k)
    return partial(
        search,
        sampler=sampler,
        reward_model=reward_model,
        segments=settings.segments,
        temperature=temperature,
        seed=seed,
    )


def _revised(problem: Problem, attempts: Sequence[str]) -> str:
    listed = "\n\n".join(f"Attempt {number}:\n{text}" for number, text in enumerate(attempts, 1))
    return REVISE.replace("{problem}", problem.prompt).replace("{attempts}", listed)


def _candidates(task: TextTask, result: SearchResult, verdicts: str) -> tuple[FoundCandidate, ...]:
    return tuple(
        FoundCandidate(
            text=path.text,
            finished=path.finished,
            reward=None if math.isnan(path.reward) else path.reward,
            group=path.group,
            verdict=verdict,
            answer=canonical_answer(task, path.text) if path.finished else None,
        )
        for path, verdict in zip(result.candidates, verdicts, strict=True)
    )


def _chance(found: Searched, task: TextTask, rule: SelectionRule) -> float:
    """Chance that the answer chosen by `rule` is right; a candidate whose check failed does not take part."""
    kept = [each for each in found.candidates if each.verdict != CHECK_FAILED]
    labels = label_answers([each.answer for each in kept], task).labels
    return chance_right(
        [None if label < 0 else str(label) for label in labels],
        [math.nan if each.reward is None else each.reward for each in kept],
        [each.verdict == "1" for each in kept],
        rule,
    )


def _price(counts: Sequence[SearchCost], costs: Costs, *, shared: bool) -> tuple[float | None, float | None]:
    """Mean FLOPs per query of policy and verifier; None where they are not known."""
    if costs.policy is None:
        return None, None
    unknown = costs.verifier is None and any(each.num_scored for each in counts)
    verifier = costs.verifier or ModelCost(body_params=1)
    query = mean_flops([search_flops(costs.policy, verifier, each, shared_prefill=shared) for each in counts])
    return query.model_flops, None if unknown else query.reward_flops
