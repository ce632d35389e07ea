"""Fill a sample file: draw what lacks, grade what is ungraded, score what is unscored. Each step may be killed."""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from breakeven.data.task import TextTask
from breakeven.errors import argument_error
from breakeven.records import Prefix, Problem
from breakeven.records.protocols import RewardModel, Sampler
from breakeven.sampling.collect import draw_checked
from breakeven.sampling.grading import grade
from breakeven.store import Drawn, Graded, SampleFile, Scored, Searched

_Item = TypeVar("_Item")

SEED_SHIFT = 28
"""Samples of one problem that were drawn in several goes are told apart by the number of the first, in these bits."""
_CHUNK_SECONDS = 10.0
"""About how long the work between two records takes, and how much of it a kill can lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one stage is."""

    stage: str
    """ "drawing", "grading" or "scoring"."""
    done: int
    total: int
    """Samples, those recorded before included."""
    before: int
    """Samples that were there already: no rate is to be computed from them."""


OnProgress = Callable[[Progress], None]


def draw(
    file: SampleFile,
    sampler: Sampler,
    problems: Sequence[Problem],
    num_samples: int,
    *,
    temperature: float,
    seed: int,
    on_progress: OnProgress = lambda progress: None,
) -> None:
    """Draw one greedy sample a problem and `num_samples` at `temperature`, less those that `file` holds.

    Args:
        file: extended by what lacks; samples in it are kept, whatever their number.
        sampler: sees the problems without their reference.
        problems: with different ids.
        num_samples: N, at least 0: with 0 only greedy samples are drawn.
        temperature: of all but the greedy samples.
        seed: of the bank; with the number of a batch's first sample it gives the seed of the batch.
        on_progress: told after every chunk.

    Raises:
        ArgumentError: a problem whose prompt is not the one that was sampled before.
        SamplerError: the sampler gave up. What was drawn before is recorded.
    """
    _check_prompts(file, problems)
    wanted = [(True, 1), (False, num_samples)]
    total = len(problems) * (1 + num_samples)
    before = sum(min(file.num_drawn(each.id, greedy=greedy), count) for greedy, count in wanted for each in problems)
    done = before
    for greedy, count in wanted:
        by_first: dict[int, list[Problem]] = {}
        for problem in problems:
            by_first.setdefault(file.num_drawn(problem.id, greedy=greedy), []).append(problem)
        for first, group in sorted(by_first.items()):
            if first >= count:
                continue
            for chunk in chunks(group):
                hidden = [replace(each, reference=None) for each in chunk]
                at = 0.0 if greedy else temperature
                draws = draw_checked(sampler, hidden, count - first, at, seed + (first << SEED_SHIFT))
                file.append(
                    Drawn(
                        problem=problem.id,
                        prompt=problem.prompt,
                        greedy=greedy,
                        first=first,
                        prompt_tokens=each.prompt_tokens,
                        completions=each.completions,
                    )
                    for problem, each in zip(chunk, draws, strict=True)
                )
                done += len(chunk) * (count - first)
                on_progress(Progress(stage="drawing", done=done, total=total, before=before))


def reference_crc32(problem: Problem) -> str:
    """By which a corrected gold answer is told; empty where there is none."""
    return "" if problem.reference is None else f"{zlib.crc32(problem.reference.encode()):08x}"


def grade_all(
    file: SampleFile, task: TextTask, *, workers: int = 1, on_progress: OnProgress = lambda progress: None
) -> None:
    """Grade and extract from every sample of `file` that has not been graded."""
    problems = {each.id: each for each in task.problems}
    waiting = [
        each
        for key, each in file.drawn.items()
        if each.problem in problems and (key not in file.graded or outdated(file.graded[key], problems[each.problem]))
    ]
    before = sum(len(each.verdicts) for each in file.graded.values())
    total = done = before
    total += sum(len(each.completions) for each in waiting)
    for chunk in chunks(waiting):
        texts_PN = [[each.text for each in drawn.completions] for drawn in chunk]
        rows = grade(task, [problems[each.problem] for each in chunk], texts_PN, workers=workers)
        file.append(
            Graded(
                problem=drawn.problem,
                greedy=drawn.greedy,
                first=drawn.first,
                verdicts=verdicts,
                answers=tuple(canonical_answer(task, text) for text in texts),
                reference_crc32=reference_crc32(problems[drawn.problem]),
            )
            for drawn, verdicts, texts in zip(chunk, rows, texts_PN, strict=True)
        )
        done += sum(map(len, texts_PN))
        on_progress(Progress(stage="grading", done=done, total=total, before=before))


def outdated(graded: Graded | Searched, problem: Problem) -> bool:
    """Whether it was graded by another gold answer."""
    return graded.reference_crc32 not in ("", reference_crc32(problem))


def score_all(
    file: SampleFile,
    reward_model: RewardModel,
    name: str,
    problems: Sequence[Problem],
    *,
    on_progress: OnProgress = lambda progress: None,
) -> None:
    """Give every sample of `problems` at the bank's temperature its reward, where `name` has not scored it yet."""
    hidden = {each.id: replace(each, reference=None) for each in problems}
    drawn = [each for each in file.drawn.values() if not each.greedy and each.problem in hidden]
    waiting = [each for each in drawn if (name, each.problem, each.first) not in file.scored]
    total = sum(len(each.completions) for each in drawn)
    before = done = total - sum(len(each.completions) for each in waiting)
    for chunk in chunks(waiting):
        prefixes = [
            Prefix(problem=hidden[each.problem], text=completion.text)
            for each in chunk
            for completion in each.completions
        ]
        rewards = reward_model.score(prefixes)
        if len(rewards) != len(prefixes):
            rule = f"return one reward for each of the {len(prefixes)} solutions"
            raise argument_error(f"the reward model {name}", rule, len(rewards))
        rest = iter(rewards)
        file.append(
            Scored(
                problem=each.problem,
                first=each.first,
                reward_model=name,
                rewards=tuple(next(rest) for _ in each.completions),
            )
            for each in chunk
        )
        done += len(prefixes)
        on_progress(Progress(stage="scoring", done=done, total=total, before=before))


def canonical_answer(task: TextTask, text: str) -> str | None:
    """The answer that a completion gives, in canonical form."""
    answer = task.extract(text)
    return None if answer is None else task.canonical(answer)


def _check_prompts(file: SampleFile, problems: Sequence[Problem]) -> None:
    prompts = {each.id: each.prompt for each in problems}
    for drawn in file.drawn.values():
        if prompts.get(drawn.problem, drawn.prompt) != drawn.prompt:
            raise argument_error(
                f"problem {drawn.problem!r}",
                f"have the prompt that was sampled into {file.path}",
                "another one",
                "Samples of different problems are not mixed: choose another directory (--out).",
            )


def chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Parts that grow while they take less than _CHUNK_SECONDS and shrink when they take longer."""
    size, start = 4, 0
    while start < len(items):
        began = time.monotonic()
        yield items[start : start + size]
        start += size
        share = _CHUNK_SECONDS / max(time.monotonic() - began, 1e-3)
        size = max(1, min(4 * size, round(size * share)))
