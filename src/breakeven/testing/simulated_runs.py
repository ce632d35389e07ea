"""Training runs whose every truth is known: how good a checkpoint, and the fully trained model, really are.

A `SimulatedRun` gives a policy what a real run gives it, the verdicts of a small validation set, and keeps what no real
run can tell: the accuracies over all problems of the kind. `follow` takes the decisions through the code of a live run,
so that the share of bad stops of a policy can be counted. The laws were set beside two recorded runs of Countdown:
docs/design/calibrated-policy.md.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, expit, gammaln, logit, ndtr

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Decision, QueryFlops, RunSpec
from breakeven.session.step import Measured, take_step
from breakeven.stopping.course import Course, Policy
from breakeven.testing.simulated_curves import FAMILIES, Curve
from breakeven.ttc.tally import Tally, point_of

Floats = npt.NDArray[np.float64]

_BUDGET_FLOPS = 1e18
_QUERY = QueryFlops(prefill_flops=0.3 * 4e-7 * _BUDGET_FLOPS, decode_flops=0.7 * 4e-7 * _BUDGET_FLOPS)
"""One greedy pass over 500 problems costs 0.02 % of the budget."""
_STEPS_PER_CHECKPOINT = 100
_OUTPUT_TOKENS = 32
_LASTING, _DRIFTING = 0.6, 0.25
"""Parts of the variance of a problem's place among the others: what lasts, and what drifts from checkpoint to
checkpoint. The rest is new at each. Rates of neighbouring checkpoints then correlate at about 0.8, those of distant
ones at 0.6."""
_DRIFT = 0.85
"""Correlation of the drifting part from one checkpoint to the next."""
_GREEDY_AT = (3.2, 4.8)
"""Beta law of the rate above which a problem's greedy answer is right: about 0.4."""
_GREEDY_LASTING = 0.5
_THRESHOLDS = 20_000
"""Points at which the law of the thresholds is read for the greedy accuracy of the population."""


@dataclass(frozen=True)
class SimulatedRun:
    """One training run, checkpoint after checkpoint, on a validation set drawn from a population of known laws.

    At a checkpoint the solve rates of the population follow a Beta law about the curve's value. A problem keeps its
    place among the others but for drift and wobble; its greedy answer is right where its rate is above a threshold of
    its own, which makes greedy accuracy differ from the mean rate as in real runs.

    Args:
        curve: mean solve rate at a share of the budget in (0, 1], in [0, 1].
        seed: of all draws, at least 0.
        num_problems: P of the validation set.
        num_checkpoints: evenly spaced; the last is the fully trained model.
        spread: variance of the rates over its largest possible value, mean (1 - mean), at the beginning and at the
            end of training; each above 0 and below 1.
        wobble: sd, in logits, of what all rates of a checkpoint have in common beside the curve.
        unsolvable: share of problems that are never solved; `curve` is about the others.
        decay_share: share of the budget, at its end, over which the learning rate decays; 0 for a constant one.
        decay_gain: logits gained over the decay.

    Raises:
        ArgumentError: a value out of its range.

    >>> run = SimulatedRun(lambda share: 0.6 * share, seed=0, wobble=0.0)
    >>> round(run.pass_at_k(25, 1), 3), round(run.greedy_accuracy(25), 3), round(run.pass_at_k(25, 8), 3)
    (0.3, 0.34, 0.657)
    """

    curve: Curve
    seed: int
    num_problems: int = 500
    num_checkpoints: int = 50
    spread: tuple[float, float] = (0.3, 0.5)
    wobble: float = 0.03
    unsolvable: float = 0.0
    decay_share: float = 0.0
    decay_gain: float = 0.0

    def __post_init__(self) -> None:
        for name in ("num_problems", "num_checkpoints"):
            check.at_least(name, getattr(self, name), 1)
        if not all(0.0 < each < 1.0 for each in self.spread):
            raise argument_error("spread", "be above 0 and below 1", self.spread)
        check.at_least("wobble", self.wobble, 0)
        check.share("unsolvable", self.unsolvable, below_1=True)
        check.share("decay_share", self.decay_share)

    @property
    def query_flops(self) -> QueryFlops:
        """Of a query, at every checkpoint."""
        return _QUERY

    @property
    def full_accuracy(self) -> float:
        """Greedy accuracy of the fully trained model over the population."""
        return self.greedy_accuracy(self.num_checkpoints)

    def pass_at_k(self, checkpoint: int, k: int) -> float:
        """Pass@K over the population, exact. Checkpoints count from 1."""
        alpha, beta = self._law(checkpoint)
        fails = np.exp(gammaln(beta + k) - gammaln(beta) - gammaln(alpha + beta + k) + gammaln(alpha + beta))
        return float((1.0 - self.unsolvable) * (1.0 - fails))

    def greedy_accuracy(self, checkpoint: int) -> float:
        """Greedy accuracy over the population, exact but for rounding: the chance that a rate exceeds a threshold."""
        return float((1.0 - self.unsolvable) * (1.0 - betainc(*self._law(checkpoint), _thresholds()).mean()))

    def accuracy(self, checkpoint: int, strategy: str, k: int) -> float:
        """Over the population, of serving a checkpoint by "greedy" or "pass@k"."""
        return self.greedy_accuracy(checkpoint) if strategy == "greedy" else self.pass_at_k(checkpoint, k)

    def rates(self, checkpoint: int) -> Floats:
        """Solve rates of the validation problems, shape (P,)."""
        rng = np.random.default_rng((self.seed, 2, checkpoint))
        new = np.sqrt(1.0 - _LASTING - _DRIFTING) * rng.standard_normal(self.num_problems)
        lasting, drifting_C = self._places
        place_P = ndtr(np.sqrt(_LASTING) * lasting + np.sqrt(_DRIFTING) * drifting_C[checkpoint - 1] + new)
        rates_P: Floats = betaincinv(*self._law(checkpoint), place_P) * self._solvable
        return rates_P

    def greedy(self, checkpoint: int) -> npt.NDArray[np.bool_]:
        """Whether the greedy answer to each validation problem is right, shape (P,)."""
        rng = np.random.default_rng((self.seed, 3, checkpoint))
        new = np.sqrt(1.0 - _GREEDY_LASTING) * rng.standard_normal(self.num_problems)
        threshold_P = betaincinv(*_GREEDY_AT, ndtr(np.sqrt(_GREEDY_LASTING) * self._own_threshold + new))
        right_P: npt.NDArray[np.bool_] = self.rates(checkpoint) > threshold_P
        return right_P

    def samples(self, checkpoint: int, num_samples: int) -> npt.NDArray[np.bool_]:
        """Verdicts of samples of each validation problem, shape (P, N). Sample i is the same for every N."""
        uniform_NP = np.random.default_rng((self.seed, 4, checkpoint)).random((num_samples, self.num_problems))
        return (uniform_NP < self.rates(checkpoint)).T

    def spec(self, *, decay_known: bool = True, queries: float | None = None) -> RunSpec:
        """What the user declares: the budget, the schedule if known, the workload if known."""
        return RunSpec(
            budget_flops=_BUDGET_FLOPS, decay_share=self.decay_share if decay_known else None, queries=queries
        )

    def _law(self, checkpoint: int) -> tuple[float, float]:
        """(alpha, beta) of the solvable problems' rates."""
        share = checkpoint / self.num_checkpoints
        decayed = min(1.0, max(0.0, 1.0 - (1.0 - share) / self.decay_share)) if self.decay_share else 0.0
        level = logit(np.clip(self.curve(share), 1e-6, 1.0 - 1e-6)) + decayed * self.decay_gain
        mean = float(np.clip(expit(level + self.wobble * self._wobbles[checkpoint - 1]), 1e-6, 1.0 - 1e-6))
        spread = self.spread[0] + share * (self.spread[1] - self.spread[0])
        concentration = (1.0 - spread) / spread
        return mean * concentration, (1.0 - mean) * concentration

    @cached_property
    def _wobbles(self) -> Floats:
        return np.random.default_rng((self.seed, 0)).standard_normal(self.num_checkpoints)

    @cached_property
    def _places(self) -> tuple[Floats, Floats]:
        """The lasting part of each problem's place, shape (P,), and the drifting one, shape (C, P)."""
        rng = np.random.default_rng((self.seed, 1))
        lasting_P = rng.standard_normal(self.num_problems)
        drifting_C = [rng.standard_normal(self.num_problems)]
        for _ in range(self.num_checkpoints - 1):
            drifting_C.append(
                _DRIFT * drifting_C[-1] + np.sqrt(1.0 - _DRIFT**2) * rng.standard_normal(self.num_problems)
            )
        return lasting_P, np.array(drifting_C)

    @cached_property
    def _own_threshold(self) -> Floats:
        return np.random.default_rng((self.seed, 5)).standard_normal(self.num_problems)

    @cached_property
    def _solvable(self) -> npt.NDArray[np.bool_]:
        return np.random.default_rng((self.seed, 6)).random(self.num_problems) >= self.unsolvable


def follow(run: SimulatedRun, policy: Policy, spec: RunSpec, *, num_samples: int = 16) -> tuple[Decision, ...]:
    """The decisions of a run up to the first stop, taken as a live session takes them.

    Args:
        run: what is trained.
        policy: the rule, which draws samples as it needs them.
        spec: what the user declared.
        num_samples: most samples per problem.
    """
    course = Course(spec=spec, policy=policy, num_problems=run.num_problems, num_samples=num_samples)
    decisions: list[Decision] = []
    for checkpoint in range(1, run.num_checkpoints + 1):
        course, _, decision = take_step(
            course, SimulatedSource(run=run, checkpoint=checkpoint, num_samples=num_samples)
        )
        decisions.append(decision)
        if decision.stop:
            break
    return tuple(decisions)


@dataclass(slots=True, kw_only=True, eq=False)
class SimulatedSource:
    """A checkpoint of a simulated run, sampled as it is asked for; see `breakeven.session.step.Source`."""

    run: SimulatedRun
    checkpoint: int
    num_samples: int
    """Most samples per problem."""
    _verdict_PN: npt.NDArray[np.bool_] = field(init=False)
    _greedy_P: npt.NDArray[np.bool_] = field(init=False)
    _samples_P: npt.NDArray[np.int64] = field(init=False)
    _prefills: int = field(init=False)
    """Prompts read so far; the greedy sample of each problem takes the first."""

    def __post_init__(self) -> None:
        self._verdict_PN = self.run.samples(self.checkpoint, self.num_samples)
        self._greedy_P = self.run.greedy(self.checkpoint)
        self._samples_P = np.zeros(self.run.num_problems, dtype=np.int64)
        self._prefills = self.run.num_problems

    def measured(self) -> Measured:
        """What was drawn until now."""
        drawn_PN = np.arange(self.num_samples) < self._samples_P[:, None]
        tally = Tally(
            correct_P=(self._verdict_PN & drawn_PN).sum(axis=1), samples_P=self._samples_P, greedy_P=self._greedy_P
        )
        num_decoded = self.run.num_problems + int(self._samples_P.sum())
        point = point_of(
            tally,
            step=_STEPS_PER_CHECKPOINT * self.checkpoint,
            train_flops=_BUDGET_FLOPS * self.checkpoint / self.run.num_checkpoints,
            evaluation_flops=self._prefills * _QUERY.prefill_flops + num_decoded * _QUERY.decode_flops,
            query_flops=_QUERY,
            output_tokens=_OUTPUT_TOKENS,
        )
        return Measured(tally=tally, point=point)

    def draw(self, num_problems: int, num_samples: int) -> None:
        """Have `num_samples` of each of the first problems."""
        self._prefills += int((self._samples_P[:num_problems] < num_samples).sum())
        self._samples_P = self._samples_P.copy()
        self._samples_P[:num_problems] = num_samples

    def search(self) -> bool:
        """Nothing to search with."""
        return False


def random_run(
    family: str, *, seed: int, num_problems: int = 500, wobble: float = 0.03, decayed: bool = False
) -> SimulatedRun:
    """A run of a family of `FAMILIES`, its parameters and those of its population drawn by the seed.

    Args:
        family: name of the curve.
        seed: of everything.
        num_problems: P of the validation set.
        wobble: sd of what all rates of a checkpoint have in common, in logits.
        decayed: whether the learning rate decays over the last 0.1 to 0.3 of the budget, which gains from 0 to 1
            logits, 0.25 on average.

    >>> run = random_run("plateau", seed=1, decayed=True)
    >>> run.decay_share > 0, run.full_accuracy == random_run("plateau", seed=1, decayed=True).full_accuracy
    (True, True)
    """
    check.one_of("family", family, FAMILIES)
    rng = np.random.default_rng((seed, 7))
    begin = rng.uniform(0.2, 0.45)
    end = begin + rng.uniform(0.0, 0.25)
    unsolvable = max(0.0, rng.uniform(-0.15, 0.15))
    share, gain = rng.uniform(0.1, 0.3), rng.beta(1.0, 3.0)
    return SimulatedRun(
        curve=FAMILIES[family](rng),
        seed=seed,
        num_problems=num_problems,
        spread=(float(begin), float(end)),
        wobble=wobble,
        unsolvable=float(unsolvable),
        decay_share=float(share) if decayed else 0.0,
        decay_gain=float(gain) if decayed else 0.0,
    )


@cache
def _thresholds() -> Floats:
    """The law of the thresholds at equal steps of probability."""
    values: Floats = betaincinv(*_GREEDY_AT, (np.arange(_THRESHOLDS) + 0.5) / _THRESHOLDS)
    return values
