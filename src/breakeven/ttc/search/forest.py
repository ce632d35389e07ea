"""Growing trees of steps, a round at a time: draws, scores, and an exact count of what that took."""

import dataclasses
from collections.abc import Iterator, Sequence

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, Reward, SearchCost, SegmentRule
from breakeven.records.asking import check_draws, check_rewards
from breakeven.records.protocols import RewardModel, SegmentSampler
from breakeven.ttc.search.trees import Path, SearchResult, check_problems

TO_THE_END = 2**31 - 1
"""`SegmentRule.max_tokens` of a step that runs to the end of the solution: the sampler's own limit is the lower one."""

Wanted = Sequence[tuple[Path, int]]
"""Of one problem: the paths to go on from, and the number of children of each."""


class Forest:
    """The growing trees of some problems. Each round goes on from all their active paths at once.

    A problem's tree is a function of (seed, problem) alone. The sampler and the reward model see no reference answer.

    Args:
        segments: where a step ends; round `max_segments` runs to the end of the solutions.

    Raises:
        ArgumentError: two problems with one id, a negative temperature, a step rule with nothing in it, or a reward
            model that cannot judge beginnings.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        sampler: SegmentSampler,
        reward_model: RewardModel,
        *,
        segments: SegmentRule,
        temperature: float,
        seed: int,
    ) -> None:
        check_problems(problems)
        check.at_least("temperature", temperature, 0)
        if segments.max_tokens < 1 or segments.max_segments < 1:
            raise argument_error("segments", "allow at least 1 token a segment and 1 segment", segments)
        if reward_model.kind != "process":
            remedy = "A search scores beginnings of solutions; an outcome reward model can choose among whole ones."
            raise argument_error("reward_model.kind", 'be "process"', reward_model.kind, remedy)
        self._problems, self._sampler, self._reward_model = problems, sampler, reward_model
        self._shown = [problem.hidden for problem in problems]
        self._steps, self._temperature, self._seed = segments, temperature, seed
        self._num_rounds = 0
        self._cost = [SearchCost() for _ in problems]
        self._rewards: list[dict[str, Reward]] = [{} for _ in problems]

    def grow(self, wanted: Sequence[Wanted]) -> list[list[list[Path]]]:
        """The children of each wanted path, by problem and path; one round.

        Wanted paths of a problem with equal texts are one prefix, whose samples they share out: asked for one by one
        they would get the same samples. Equal new texts are scored once.

        Raises:
            SamplerError: the sampler or the reward model returned another number of results than asked for, or a
                reward is not a finite number.
        """
        self._num_rounds += 1
        asked: dict[tuple[int, str], int] = {}
        for index, paths in enumerate(wanted):
            for path, count in paths:
                asked[index, path.text] = asked.get((index, path.text), 0) + count
        drawn = self._draw({key: count for key, count in asked.items() if count})
        grown = [
            [[_child(path, next(drawn[index, path.text])) for _ in range(count)] for path, count in paths]
            for index, paths in enumerate(wanted)
        ]
        if self._num_rounds == self._steps.max_segments:
            grown = [[[_truncated(child) for child in row] for row in rows] for rows in grown]
        self._score(wanted, grown)
        return [
            [[self._scored(index, child) for child in children] for children in rows]
            for index, rows in enumerate(grown)
        ]

    def results(self, candidates: Sequence[Sequence[Path]]) -> list[SearchResult]:
        """One result a problem, in order, with what its tree took so far."""
        return [
            SearchResult(problem=problem, candidates=tuple(paths), cost=cost)
            for problem, paths, cost in zip(self._problems, candidates, self._cost, strict=True)
        ]

    def _draw(self, asked: dict[tuple[int, str], int]) -> dict[tuple[int, str], Iterator[Completion]]:
        """One call of the sampler for each number of children, since a call gives every prefix as many."""
        last = self._num_rounds == self._steps.max_segments
        rule = dataclasses.replace(self._steps, ends=(), max_tokens=TO_THE_END) if last else self._steps
        draws: dict[tuple[int, str], Draw] = {}
        for count in sorted(set(asked.values())):
            keys = [key for key in asked if asked[key] == count]
            prefixes = [Prefix(problem=self._shown[index], text=text) for index, text in keys]
            extended = self._sampler.extend(
                prefixes, count, segments=rule, temperature=self._temperature, seed=self._seed
            )
            check_draws(extended, len(prefixes), count)
            draws.update(zip(keys, extended, strict=True))
        longest: dict[int, int] = {}
        for (index, text), draw in draws.items():
            lengths = [each.output_tokens for each in draw.completions]
            longest[index] = max(longest.get(index, 0), *lengths)
            self._cost[index] += SearchCost(
                num_samples=len(lengths),
                output_tokens=sum(lengths),
                shared_prefill_tokens=0 if text else draw.prompt_tokens,
                unshared_prefill_tokens=len(lengths) * draw.prompt_tokens,
            )
        for index, tokens in longest.items():
            self._cost[index] += SearchCost(num_rounds=1, sequential_tokens=tokens)
        return {key: iter(draw.completions) for key, draw in draws.items()}

    def _score(self, wanted: Sequence[Wanted], grown: Sequence[Sequence[Sequence[Path]]]) -> None:
        """Score every text that is new in this round, in one call, and count what that took."""
        parent: dict[tuple[int, str], Path] = {}
        own_tokens: dict[tuple[int, str], int] = {}
        for index, (paths, rows) in enumerate(zip(wanted, grown, strict=True)):
            for (path, _), children in zip(paths, rows, strict=True):
                for child in children:
                    if child.text not in self._rewards[index]:
                        parent.setdefault((index, child.text), path)
                        own_tokens.setdefault((index, child.text), child.output_tokens - path.output_tokens)
        if not parent:
            return
        prefixes = [Prefix(problem=self._shown[index], text=text) for index, text in parent]
        rewards = self._reward_model.score(prefixes)
        check_rewards(prefixes, rewards)
        problem_tokens: dict[int, int] = {}
        for (index, text), reward in zip(parent, rewards, strict=True):
            self._rewards[index][text] = reward
            before = max(0, reward.read_tokens - own_tokens[index, text])
            problem_tokens[index] = min(problem_tokens.get(index, before), before)
        if self._num_rounds == 1:
            for index, tokens in problem_tokens.items():
                self._cost[index] += SearchCost(reward_tokens=tokens)
        for (index, _), path, reward in zip(parent, parent.values(), rewards, strict=True):
            known = self._rewards[index].get(path.text)
            cached = known.read_tokens if known else problem_tokens[index]
            self._cost[index] += SearchCost(
                num_scored=1,
                reward_tokens=max(0, reward.read_tokens - cached),
                reward_reread_tokens=reward.read_tokens,
                reward_output_tokens=reward.output_tokens,
            )

    def _scored(self, index: int, child: Path) -> Path:
        return dataclasses.replace(child, rewards=(*child.rewards, self._rewards[index][child.text].value))


def _child(path: Path, completion: Completion) -> Path:
    finish = completion.finish
    if finish is Finish.SEGMENT and not completion.text:
        finish = Finish.LENGTH  # the next step would be drawn from the same prefix, and be empty again
    return dataclasses.replace(
        path,
        text=path.text + completion.text,
        finish=finish,
        output_tokens=path.output_tokens + completion.output_tokens,
    )


def _truncated(path: Path) -> Path:
    return path if path.finished else dataclasses.replace(path, finish=Finish.LENGTH)
