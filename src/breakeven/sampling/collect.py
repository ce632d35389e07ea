"""From a sampler and a checker to a bank of graded samples: the one road, for runs, evaluations and verifications.

Only here a model is touched, and only here problems lose their references before a model sees them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import TypeVar

from breakeven.errors import argument_error
from breakeven.records import Prefix, Problem, SampleBank, SoftVote
from breakeven.records.agree import Labels, answers_from, canonical_answer, label_answers
from breakeven.records.asking import check_rewards, draw_from
from breakeven.records.protocols import Answers, RewardModel, Sampler, Verifier
from breakeven.sampling.grading import grade
from breakeven.sampling.pieces import OnProgress, Progress, chunks
from breakeven.sampling.samples import Batch, Samples

_Item = TypeVar("_Item", bound=Sized)


Sink = Callable[[str, Sequence[Batch]], None]
"""Takes batches when a stage, "drawing", "grading" or "scoring", is done with them."""


class Collector:
    """Draws, grades and scores the samples of one model, piece by piece: the only object that touches it.

    Args:
        sampler: of the live model. It sees the problems without their reference.
        verifier: grades, and alone sees references. A sample on which it fails is neither right nor wrong.
        problems: in the order in which they are to be sampled.
        temperature: of all but the greedy samples, above 0.
        seed: every sample is a function of (seed, problem, its number), whatever the pieces; of a sampler that does not
            take `first`, of the number of the first sample of its piece too.
        answers: what the answer of a completion is and which agree, so that samples can be voted on; a function from a
            completion to its answer, or None, compares them as text.
        reward_model: scores every sample but the greedy ones. It sees no reference either.
        held: batches that are there already, with what is known of them: of each problem from number 0 on, in order.
        sink: where batches go. With it the work is done in pieces of some seconds, so that a kill loses little.
        soft_votes: makes what a bank says of a classifier's passes.
        workers: checks at once.
        on_progress: told after every piece.

    Raises:
        ArgumentError: no problems, or a temperature that is not above 0.
    """

    def __init__(
        self,
        sampler: Sampler,
        verifier: Verifier,
        problems: Sequence[Problem],
        *,
        temperature: float,
        seed: int,
        answers: Answers | Callable[[str], str | None] | None = None,
        reward_model: RewardModel | None = None,
        held: Iterable[Batch] = (),
        sink: Sink | None = None,
        soft_votes: Callable[[Samples], tuple[SoftVote, ...]] | None = None,
        workers: int = 1,
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        if not problems:
            raise argument_error("problems", "hold at least one problem", list(problems))
        if not temperature > 0:
            raise argument_error("temperature", "be above 0", temperature, "The greedy sample is drawn anyway.")
        self._sampler, self._verifier, self._reward_model = sampler, verifier, reward_model
        self._problems, self._hidden = problems, [each.hidden for each in problems]
        self._temperature, self._seed = temperature, seed
        self._answers = answers_from(answers)
        self._in_parts, self._sink = sink is not None, sink or (lambda stage, batches: None)
        self._soft_votes = soft_votes
        self._workers, self._on_progress = workers, on_progress
        self.samples = Samples(len(problems), held)
        """What a bank does not hold: texts and rewards. Graded and scored where `bank` was asked for since."""
        self._labels = [Labels(labels=(), num_failed=0) for _ in problems]

    def draw(self, num_problems: int, num_samples: int) -> None:
        """Draw what lacks of `num_samples` for the first `num_problems`, and of one greedy sample for all.

        Problems that lack as many are sampled in one call, or where there is a sink in one call a piece.

        Raises:
            SamplerError: the sampler gave up, or returned another number of samples. What came before is kept.
        """
        if num_samples < 1:
            raise argument_error("num_samples", "be at least 1", num_samples)
        self._draw(num_problems, num_samples)

    def _draw(self, num_problems: int, num_samples: int) -> None:
        total = len(self._problems) + num_samples * len(self._problems[:num_problems])
        for part in self._parts("drawing", self.samples.lacking(num_problems, num_samples), total):
            one = part[0]
            draws = draw_from(
                self._sampler,
                [self._hidden[each.place] for each in part],
                len(one),
                temperature=0.0 if one.greedy else self._temperature,
                seed=self._seed,
                first=one.first,
            )
            batches = [
                Batch(place=each.place, greedy=each.greedy, first=each.first, draw=draw)
                for each, draw in zip(part, draws, strict=True)
            ]
            self._sink("drawing", batches)
            self.samples.add(batches)

    def grade(self) -> None:
        """Grade what is not graded, and read its answers.

        Raises:
            ArgumentError: the checker returned something other than True or False.
        """
        batches = self.samples.batches
        waiting = [each for each in batches if each.verdicts is None]
        for part in self._parts("grading", [waiting], sum(map(len, batches))):
            problems = [self._problems[each.place] for each in part]
            texts_PN = [each.texts for each in part]
            rows = grade(self._verifier, problems, texts_PN, workers=self._workers)
            for each, texts, verdicts in zip(part, texts_PN, rows, strict=True):
                each.verdicts = verdicts
                if self._answers is not None:
                    each.answers = tuple(canonical_answer(self._answers, text) for text in texts)
            self._sink("grading", part)

    def score(self) -> None:
        """Give every sample but the greedy ones its reward, where it has none; nothing without a reward model.

        Raises:
            SamplerError: the reward model returned another number of rewards, or one that is not finite.
        """
        if self._reward_model is None:
            return
        batches = [each for each in self.samples.batches if not each.greedy]
        waiting = [each for each in batches if each.rewards is None]
        for part in self._parts("scoring", [waiting], sum(map(len, batches))):
            prefixes = [Prefix(problem=self._hidden[each.place], text=text) for each in part for text in each.texts]
            rewards = self._reward_model.score(prefixes)
            check_rewards(prefixes, rewards)
            rest = iter(rewards)
            for each in part:
                each.rewards = tuple(islice(rest, len(each)))
            self._sink("scoring", part)

    def bank(self) -> SampleBank:
        """All that was drawn so far, graded and scored first, with one greedy sample a problem. Errors as above."""
        self._draw(0, 0)
        self.grade()
        self.score()
        greedy, sampled, rewards_PN = self.samples.greedy, self.samples.sampled, self.samples.rewards_PN
        prompt_tokens_P = tuple(batch.draw.prompt_tokens for (batch,) in greedy)
        greedy_tokens_P = tuple(batch.draw.completions[0].output_tokens for (batch,) in greedy)
        output_tokens_PN = tuple(
            tuple(each.output_tokens for batch in row for each in batch.draw.completions) for row in sampled
        )
        rewards = [each for row in rewards_PN for each in row]
        return SampleBank(
            correct_PN=tuple("".join(batch.verdicts or "" for batch in row) for row in sampled),
            greedy_correct_P="".join(batch.verdicts or "" for (batch,) in greedy),
            temperature=self._temperature,
            seed=self._seed,
            prompt_tokens=sum(prompt_tokens_P),
            output_tokens=sum(map(sum, output_tokens_PN)),
            greedy_output_tokens=sum(greedy_tokens_P),
            oracle=any(each.reference is not None for each in self._problems),
            num_prefills=len(self.samples.batches),
            answer_PN=() if self._answers is None else tuple(each.row for each in self._labelled(self._answers)),
            score_PN=tuple(tuple(each.value for each in row) for row in rewards_PN)
            if self._reward_model is not None
            else (),
            reward_read_tokens=sum(each.read_tokens for each in rewards),
            reward_output_tokens=sum(each.output_tokens for each in rewards),
            prompt_tokens_P=prompt_tokens_P,
            greedy_tokens_P=greedy_tokens_P,
            output_tokens_PN=output_tokens_PN,
            soft_votes=None if self._soft_votes is None else self._soft_votes(self.samples),
        )

    @property
    def num_uncompared(self) -> int:
        """Pairs of answers whose comparison failed, as of the last `bank()`."""
        return sum(each.num_failed for each in self._labels)

    def _parts(self, stage: str, groups: Iterable[Sequence[_Item]], total: int) -> Iterator[Sequence[_Item]]:
        """Each group, in parts where what is made of them is kept; tells of each part when it is done."""
        groups = [group for group in groups if group]
        done = before = total - sum(len(item) for group in groups for item in group)
        for group in groups:
            for part in chunks(group, max(map(len, group))) if self._in_parts else [group]:
                yield part
                done += sum(map(len, part))
                self._on_progress(Progress(stage=stage, done=done, total=total, before=before))

    def _labelled(self, answers: Answers) -> list[Labels]:
        """Of each problem, found anew where it has more samples than before."""
        for place, row in enumerate(self.samples.sampled):
            given = [answer for batch in row for answer in batch.answers]
            if len(given) != len(self._labels[place].labels):
                self._labels[place] = label_answers(given, answers)
        return self._labels


def collect(
    sampler: Sampler,
    verifier: Verifier,
    problems: Sequence[Problem],
    *,
    num_samples: int,
    temperature: float,
    seed: int,
    answers: Answers | Callable[[str], str | None] | None = None,
    reward_model: RewardModel | None = None,
) -> SampleBank:
    """The graded bank of one checkpoint: `num_samples` at `temperature` and one greedy sample per problem.

    Arguments and errors as `Collector`; fewer than 1 sample is an ArgumentError too.
    """
    if num_samples < 1:
        raise argument_error("num_samples", "be at least 1", num_samples)
    collector = Collector(
        sampler, verifier, problems, temperature=temperature, seed=seed, answers=answers, reward_model=reward_model
    )
    collector.draw(len(problems), num_samples)
    return collector.bank()
