"""A sample file as what a collector goes on from, and keeps what it makes in: each step of it may be killed."""

import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from breakeven.data.task import TextTask
from breakeven.errors import argument_error
from breakeven.records import Draw, Problem
from breakeven.records.protocols import RewardModel, Sampler
from breakeven.sampling.collect import Collector
from breakeven.sampling.pieces import OnProgress
from breakeven.sampling.samples import Batch
from breakeven.store import Drawn, Graded, SampleFile, Scored, Searched


def resumed(
    file: SampleFile,
    sampler: Sampler,
    task: TextTask,
    *,
    reward_model: RewardModel | None = None,
    reward_source: str | None = None,
    workers: int = 1,
    on_progress: OnProgress = lambda progress: None,
) -> Collector:
    """A collector of the samples of `task`, with those that `file` holds; what it makes is recorded there.

    Args:
        file: its header gives temperature and seed. Samples in it are kept, whatever their number.
        sampler: sees the problems without their reference.
        task: problems with different ids, checks, and which answers agree.
        reward_model: gives samples their reward, where `reward_source` has not scored them.
        reward_source: its name in the file.
        workers: checks at once.
        on_progress: told after every piece.

    Raises:
        ArgumentError: a problem whose prompt is not the one that was sampled before.
    """
    prompts = {each.id: each.prompt for each in task.problems}
    for problem, prompt in file.prompts:
        if prompts.get(problem, prompt) != prompt:
            rule = f"have the prompt that was sampled into {file.path}"
            remedy = "Samples of different problems are not mixed: choose another directory (--out)."
            raise argument_error(f"problem {problem!r}", rule, "another one", remedy)
    return Collector(
        sampler,
        task,
        task.problems,
        temperature=file.header.temperature,
        seed=file.header.seed,
        answers=task,
        reward_model=reward_model,
        held=_held(file, task.problems, reward_source),
        sink=partial(_record, file, task.problems, reward_source or ""),
        workers=workers,
        on_progress=on_progress,
    )


def reference_crc32(problem: Problem) -> str:
    """By which a corrected gold answer is told; empty where there is none."""
    return "" if problem.reference is None else f"{zlib.crc32(problem.reference.encode()):08x}"


def outdated(graded: Graded | Searched, problem: Problem) -> bool:
    """Whether it was graded by another gold answer."""
    return graded.reference_crc32 not in ("", reference_crc32(problem))


def _held(file: SampleFile, problems: Sequence[Problem], reward_source: str | None) -> Iterator[Batch]:
    """What the file holds of the problems; what was graded by another gold answer as if it were not graded."""
    for place, problem in enumerate(problems):
        for greedy in (True, False):
            first = 0
            while (key := (problem.id, greedy, first)) in file.drawn:
                read_again = partial(_draw, file, key)
                batch = Batch(place=place, greedy=greedy, first=first, draw=read_again())
                batch.let_go(read_again)
                graded = file.graded.get(key)
                if graded is not None and not outdated(graded, problem):
                    batch.verdicts, batch.answers = graded.verdicts, graded.answers
                scored = None if reward_source is None else file.scored.get((reward_source, problem.id, first))
                if scored is not None and not greedy:
                    batch.rewards = scored.rewards
                yield batch
                first += len(batch)


def _draw(file: SampleFile, key: tuple[str, bool, int]) -> Draw:
    drawn = file.drawn[key]
    return Draw(
        prompt_tokens=drawn.prompt_tokens,
        completions=drawn.completions,
        own_temperature=drawn.own_temperature,
    )


def _record(
    file: SampleFile, problems: Sequence[Problem], reward_source: str, stage: str, batches: Sequence[Batch]
) -> None:
    file.append(_line(each, problems[each.place], reward_source, stage) for each in batches)
    for each in batches if stage == "drawing" else ():
        each.let_go(partial(_draw, file, (problems[each.place].id, each.greedy, each.first)))


def _line(batch: Batch, problem: Problem, reward_source: str, stage: str) -> Drawn | Graded | Scored:
    if stage == "drawing":
        return Drawn(
            problem=problem.id,
            prompt=problem.prompt,
            greedy=batch.greedy,
            first=batch.first,
            prompt_tokens=batch.draw.prompt_tokens,
            completions=batch.draw.completions,
            own_temperature=batch.draw.own_temperature,
        )
    if stage == "grading":
        return Graded(
            problem=problem.id,
            greedy=batch.greedy,
            first=batch.first,
            verdicts=batch.verdicts or "",
            answers=batch.answers,
            reference_crc32=reference_crc32(problem),
        )
    return Scored(problem=problem.id, first=batch.first, reward_model=reward_source, rewards=batch.rewards or ())
