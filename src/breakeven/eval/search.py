"""Strategies that search, on a model and a task: run, recorded problem by problem, and measured."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from breakeven import check
from breakeven.cost.query import mean_flops, search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import TextTask
from breakeven.eval.bank import outdated, reference_crc32
from breakeven.eval.intervals import mean_and_interval
from breakeven.eval.prices import Costs
from breakeven.records import CHECK_FAILED, Measurement, SearchCost, SegmentRule
from breakeven.records.agree import agreeing, canonical_answer
from breakeven.sampling.grading import grade
from breakeven.sampling.pieces import OnProgress, Progress, chunks
from breakeven.session.searching import chances, graded_search
from breakeven.store import FoundCandidate, SampleFile, Searched
from breakeven.ttc.search.trees import SearchResult
from breakeven.ttc.strategies.strategy import Need, Strategy, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How trees grow.

    Raises:
        ArgumentError: a width or a segment below 1.
    """

    width: int = 4
    """M, next segments a beginning (beam search, DVTS)."""
    segments: SegmentRule = field(default_factory=SegmentRule)

    def __post_init__(self) -> None:
        check.at_least("--width", self.width, 1)
        check.at_least("--step-tokens", self.segments.max_tokens, 1)

    def label(self, strategy: Strategy, reward_source: str | None) -> str:
        """What tells this search from others in a sample file."""
        if Need.SEGMENTS not in strategy.needs:
            return f"{strategy.search} {reward_source or ''}".strip()
        segments = f"{'|'.join(map(repr, self.segments.ends))}/{self.segments.max_tokens}/{self.segments.max_segments}"
        width = f" width={self.width}" if strategy.by_width else ""
        return f"{strategy.search}{width} steps={segments} {reward_source}"


def run_search(
    file: SampleFile,
    task: TextTask,
    strategy: Strategy,
    k: int,
    *,
    label: str,
    tools: Tools,
    workers: int = 1,
    on_progress: OnProgress = lambda progress: None,
) -> None:
    """Search every problem of `task` that `file` does not hold this search of; grade and record as it goes.

    Args:
        file: extended by what lacks.
        task: its problems and checks.
        strategy: one that searches; its candidates serve all of the same search.
        k: candidates a problem.
        label: of the search, as `SearchSettings` gives it.
        tools: to search with.
        workers: checks at once.
        on_progress: told after every chunk.

    Raises:
        SamplerError: what was searched before is recorded.
    """
    _grade_again(file, task, label, k, workers)
    waiting = [each for each in task.problems if (label, k, each.id) not in file.searched]
    total = len(task.problems)
    before = done = total - len(waiting)
    for chunk in chunks(waiting, k):
        results, rows = graded_search(strategy, chunk, k, tools, task, workers=workers)
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
        on_progress(Progress(stage=f"{strategy.search} K={k}", done=done, total=total, before=before))


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
    file: SampleFile, task: TextTask, strategies: Sequence[Strategy], k: int, *, label: str, costs: Costs
) -> tuple[Measurement, ...]:
    """One measurement for each of the strategies of one search.

    Estimator:
        One search a problem: its spread is part of the standard error over problems. Ties are split evenly.
    """
    found = [file.searched[label, k, each.id] for each in task.problems]
    answers_PN = [_answers(each, task) for each in found]
    rewards_PN = [[math.nan if each.reward is None else each.reward for each in one.candidates] for one in found]
    verdicts_PN = ["".join(each.verdict for each in one.candidates) for one in found]
    any_failed = any(CHECK_FAILED in each for each in verdicts_PN)
    if any_failed:
        all_answers_PN = [agreeing([each.answer for each in one.candidates], task) for one in found]
        wrong_PN = [each.replace(CHECK_FAILED, "0") for each in verdicts_PN]
    counts = [SearchCost(**each.cost) for each in found]
    policy, verifier = _price(counts, costs, shared=True)
    unshared, _ = _price(counts, costs, shared=False)
    rows = []
    for strategy in strategies:
        accuracy_P = np.array(chances(strategy, answers_PN, rewards_PN, verdicts_PN))
        mean, error, lo, hi = mean_and_interval(accuracy_P)
        strictly_P = chances(strategy, all_answers_PN, rewards_PN, wrong_PN) if any_failed else None
        rows.append(
            Measurement(
                strategy=strategy.name,
                deployable=strategy.deployable(oracle=any(each.reference is not None for each in task.problems)),
                k=k,
                accuracy=mean,
                accuracy_unknown_wrong=None if strictly_P is None else float(np.mean(strictly_P)),
                standard_error=error,
                lo=lo,
                hi=hi,
                num_problems=len(found),
                expected_samples=float(np.mean([len(each.candidates) for each in found])),
                output_tokens=float(np.mean([each.output_tokens for each in counts])),
                model_flops=policy,
                model_flops_unshared=unshared,
                reward_flops=verifier,
            )
        )
    return tuple(rows)


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


def _answers(found: Searched, task: TextTask) -> list[str | None]:
    """Equal where the answers of the candidates agree; those whose check failed are not compared."""
    answers = [None if each.verdict == CHECK_FAILED else each.answer for each in found.candidates]
    return agreeing(answers, task)


def _price(counts: Sequence[SearchCost], costs: Costs, *, shared: bool) -> tuple[float | None, float | None]:
    """Mean FLOPs per query of policy and verifier; None where they are not known."""
    if costs.model is None:
        return None, None
    unknown = costs.reward is None and any(each.num_scored for each in counts)
    verifier = costs.reward or ModelCost(body_params=1)
    query = mean_flops([search_flops(costs.model, verifier, each, shared_prefill=shared) for each in counts])
    return query.model_flops, None if unknown else query.reward_flops
