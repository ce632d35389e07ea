"""From a sampler and a checker to a bank of graded samples: the only step of a decision that touches the model."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from breakeven.errors import argument_error
from breakeven.records import NO_ANSWER, Draw, Prefix, Problem, Reward, SampleBank, answer_label
from breakeven.records.protocols import RewardModel, Sampler, Verifier
from breakeven.sampling.grading import grade

_SEED_SHIFT = 28
"""Draws of one checkpoint are told apart by bits above those of the step."""


class Collector:
    """Draws and grades the samples of one checkpoint, piece by piece: the only object that touches the model.

    Args:
        sampler: of the live model. It sees the problems without their reference.
        verifier: grades, and alone sees references. A sample on which it fails is neither right nor wrong.
        problems: in the order in which they are to be sampled.
        temperature: of all but the greedy samples, above 0.
        seed: every sample is a function of (seed, problem, its number).
        extract: gives the final answer of a completion or None, so that the bank says which samples of a problem agree.
        reward_model: scores every sample but the greedy ones. It sees no reference either.

    Raises:
        ArgumentError: no problems, a temperature that is not above 0, or a sampler that returned another number of
            samples than it was asked for.
    """

    def __init__(
        self,
        sampler: Sampler,
        verifier: Verifier,
        problems: Sequence[Problem],
        *,
        temperature: float,
        seed: int,
        extract: Callable[[str], str | None] | None = None,
        reward_model: RewardModel | None = None,
    ) -> None:
        if not problems:
            raise argument_error("problems", "hold at least one problem", list(problems))
        if not temperature > 0:
            raise argument_error("temperature", "be above 0", temperature, "The greedy sample is drawn anyway.")
        self._sampler, self._verifier, self._problems = sampler, verifier, problems
        self._hidden = [replace(problem, reference=None) for problem in problems]
        self._temperature, self._seed, self._extract = temperature, seed, extract
        self._rows: list[list[str]] = [[] for _ in problems]
        self._answers: list[list[str | None]] = [[] for _ in problems]
        self._reward_model = reward_model
        self._rewards: list[list[Reward]] = [[] for _ in problems]
        self._draws = self._num_prefills = self._output_tokens = 0
        greedy = draw_checked(sampler, self._hidden, 1, 0.0, seed)
        self._greedy = "".join(grade(verifier, problems, _texts(greedy)))
        self._greedy_output_tokens = _output_tokens(greedy)
        self._prompt_tokens = sum(draw.prompt_tokens for draw in greedy)
        self._num_prefills = len(problems)

    def draw(self, num_problems: int, num_samples: int) -> None:
        """Draw for the first `num_problems` as many samples as each lacks of `num_samples`.

        Problems with equal numbers of samples are sampled in one call, by a seed of its own.
        """
        if num_samples < 1:
            raise argument_error("num_samples", "be at least 1", num_samples)
        by_lack: dict[int, list[int]] = {}
        for index, row in enumerate(self._rows[:num_problems]):
            by_lack.setdefault(num_samples - sum(map(len, row)), []).append(index)
        for lack, indices in sorted(by_lack.items()):
            if lack <= 0:
                continue
            seed = self._seed + (self._draws << _SEED_SHIFT)
            hidden = [self._hidden[index] for index in indices]
            draws = draw_checked(self._sampler, hidden, lack, self._temperature, seed)
            verdicts = grade(self._verifier, [self._problems[index] for index in indices], _texts(draws))
            for index, verdict_N, draw in zip(indices, verdicts, draws, strict=True):
                self._rows[index].append(verdict_N)
                if self._extract is not None:
                    self._answers[index] += [self._extract(each.text) for each in draw.completions]
            if self._reward_model is not None:
                self._score(self._reward_model, indices, draws)
            self._draws += 1
            self._num_prefills += len(indices)
            self._output_tokens += _output_tokens(draws)

    def _score(self, reward_model: RewardModel, indices: Sequence[int], draws: Sequence[Draw]) -> None:
        prefixes = [
            Prefix(problem=self._hidden[index], text=each.text)
            for index, draw in zip(indices, draws, strict=True)
            for each in draw.completions
        ]
        rewards = reward_model.score(prefixes)
        if len(rewards) != len(prefixes):
            rule = f"return one reward for each of the {len(prefixes)} solutions"
            raise argument_error("reward_model.score(...)", rule, len(rewards))
        rest = iter(rewards)
        for index, draw in zip(indices, draws, strict=True):
            self._rewards[index] += [next(rest) for _ in draw.completions]

    def bank(self) -> SampleBank:
        """All that was drawn so far."""
        rewards = [each for row in self._rewards for each in row]
        return SampleBank(
            correct_PN=tuple("".join(row) for row in self._rows),
            greedy_correct_P=self._greedy,
            temperature=self._temperature,
            seed=self._seed,
            prompt_tokens=self._prompt_tokens,
            output_tokens=self._output_tokens,
            greedy_output_tokens=self._greedy_output_tokens,
            oracle=any(problem.reference is not None for problem in self._problems),
            num_prefills=self._num_prefills,
            answer_PN=tuple(map(_labels, self._answers)) if self._extract is not None else (),
            score_PN=tuple(tuple(each.value for each in row) for row in self._rewards) if self._reward_model else (),
            reward_read_tokens=sum(each.read_tokens for each in rewards),
            reward_output_tokens=sum(each.output_tokens for each in rewards),
        )


def collect(
    sampler: Sampler,
    verifier: Verifier,
    problems: Sequence[Problem],
    *,
    num_samples: int,
    temperature: float,
    seed: int,
    extract: Callable[[str], str | None] | None = None,
    reward_model: RewardModel | None = None,
) -> SampleBank:
    """The graded bank of one checkpoint: `num_samples` at `temperature` and one greedy sample per problem.

    Arguments and errors as `Collector`; fewer than 1 sample is an ArgumentError too.
    """
    if num_samples < 1:
        raise argument_error("num_samples", "be at least 1", num_samples)
    collector = Collector(
        sampler, verifier, problems, temperature=temperature, seed=seed, extract=extract, reward_model=reward_model
    )
    collector.draw(len(problems), num_samples)
    return collector.bank()


def draw_checked(
    sampler: Sampler, problems: Sequence[Problem], num_samples: int, temperature: float, seed: int
) -> list[Draw]:
    """What `sampler` draws, once it is seen to be as many samples as were asked for.

    Raises:
        ArgumentError: it is another number.
    """
    draws = sampler.sample(problems, num_samples, temperature=temperature, seed=seed)
    counts = {len(draw.completions) for draw in draws}
    if len(draws) != len(problems) or counts != {num_samples}:
        raise argument_error(
            "sampler.sample(...)",
            f"return {num_samples} completions for each of the {len(problems)} problems",
            f"{len(draws)} problems with {sorted(counts)} completions",
        )
    return draws


def _texts(draws: Sequence[Draw]) -> list[list[str]]:
    return [[each.text for each in draw.completions] for draw in draws]


def _labels(answers: Sequence[str | None]) -> str:
    """One character a sample, equal where the answers are, in the order in which the answers first appear."""
    distinct = dict.fromkeys(each for each in answers if each is not None)
    label = {answer: answer_label(number) for number, answer in enumerate(distinct)}
    return "".join(NO_ANSWER if answer is None else label[answer] for answer in answers)


def _output_tokens(draws: Sequence[Draw]) -> int:
    counts = [each.output_tokens for draw in draws for each in draw.completions]
    if min(counts) < 1:
        raise argument_error("output_tokens", "be at least 1, the end token counted", min(counts))
    return sum(counts)
