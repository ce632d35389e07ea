"""Recorded runs with known truth, and what a policy makes of them. Used by suite.py and ablations.py.

Samples are drawn as a policy asks for them, out of the 64 recorded per problem, and charged. The truth about a serving
point is its accuracy on the test problems, from 64 samples each.
"""

import dataclasses
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from breakeven.choice.choose import cheapest
from breakeven.config import config_from
from breakeven.cost.evaluation import price_of
from breakeven.cost.tokens import ModelCost
from breakeven.records import Decision, KCurve, Observation, Option, RunSpec, SampleBank, ValidationLoss
from breakeven.records.as_options import option_of_serving
from breakeven.session.offers import offers_at
from breakeven.session.step import Measured, conclude, curves_of, measured_of, see, take_step
from breakeven.stopping.course import Course, Needs, Policy
from breakeven.stopping.lifetime import query_price
from breakeven.store.renamed import renamed
from breakeven.train.costs import cost_of
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.tally import Tally, learning_point, tally_of

SUITE = Path(__file__).parent / "suite"
RISING = Path(__file__).parent / "rising"
LATE = Path(__file__).parent / "late"
"""Recorded runs: that level off early, that rise late, and of both kinds those on which nothing is ever tuned."""
MAX_K = 64


@dataclass(frozen=True)
class Run:
    """One recorded run."""

    name: str
    spec: RunSpec
    cost: ModelCost
    validation: tuple[Observation, ...]
    test: tuple[Observation, ...]

    @property
    def kind(self) -> str:
        """Recipe."""
        return self.name.rpartition("-seed")[0]


@dataclass(frozen=True)
class Outcome:
    """Where a policy stopped and what that was worth."""

    used: float
    evaluation_flops: float
    query_flops: float
    difference: float
    """Test accuracy minus the full model's, paired over problems."""
    error: float
    k: int
    strategy: str


# -- the recorded runs ------------------------------------------------------------------------------------------------


def load(path: Path) -> Run:
    """A run as `record.py` wrote it."""
    with gzip.open(path) as file:
        head = renamed("header", msgspec.json.decode(next(file)))
        pairs = [msgspec.json.decode(line, type=dict[str, Observation]) for line in file]
    if (losses := losses_path(path)).exists():
        with gzip.open(losses) as file:
            added = [msgspec.json.decode(line, type=Losses) for line in file]
        for pair, loss in zip(pairs, added, strict=True):
            assert pair["validation"].step == loss.step
            spent = pair["validation"].evaluation_flops + loss.validation_loss.flops
            measured = {"validation_loss": loss.validation_loss, "evaluation_flops": spent}
            pair["validation"] = dataclasses.replace(pair["validation"], **measured)
    config = config_from({key: value for key, value in head["config"].items() if key != "policy"})
    spec = dataclasses.replace(msgspec.convert(head["spec"], RunSpec), decay_share=config.train.decay_share)
    return Run(
        name=path.name.removesuffix(".jsonl.gz"),
        spec=spec,
        cost=ModelCost(**head["cost"]) if "cost" in head else cost_of(config),
        validation=tuple(pair["validation"] for pair in pairs),
        test=tuple(pair["test"] for pair in pairs),
    )


class Losses(msgspec.Struct, frozen=True):
    """The losses of a checkpoint in a second training of the same recipe and seed."""

    step: int
    loss: float
    validation_loss: ValidationLoss


def losses_path(path: Path) -> Path:
    """Where the validation losses are of a run that was recorded without."""
    return path.with_name(path.name.replace(".jsonl", ".losses"))


def volume_queries(run: Run, volume: float) -> float:
    """The number of queries that makes a volume."""
    return volume * run.spec.budget_flops / run.test[-1].query_flops.total(1)


def part(bank: SampleBank, num_problems: int, num_samples: int, pieces: int) -> SampleBank:
    """What drawing `num_samples` for the first `num_problems` would have given, in so many pieces."""
    rows = tuple(row[:num_samples] if index < num_problems else "" for index, row in enumerate(bank.correct_PN))
    answer_PN, score_PN, output_tokens_PN = (
        tuple(each[: len(row)] for each, row in zip(of_samples, rows, strict=True)) if of_samples else ()
        for of_samples in (bank.answer_PN, bank.score_PN, bank.output_tokens_PN)
    )
    drawn = sum(map(len, rows))
    output_tokens = round(bank.output_tokens * drawn / bank.num_drawn)
    return dataclasses.replace(
        bank,
        correct_PN=rows,
        answer_PN=answer_PN,
        score_PN=score_PN,
        output_tokens=sum(map(sum, output_tokens_PN)) if output_tokens_PN else output_tokens,
        output_tokens_PN=output_tokens_PN,
        num_prefills=bank.num_problems + pieces,
    )


# -- policies ---------------------------------------------------------------------------------------------------------


def decisions(
    run: Run,
    policy: Policy,
    queries: float | None = None,
    *,
    num_problems: int | None = None,
    num_samples: int = 16,
    sequential: bool = True,
) -> Iterator[Decision]:
    """The decisions of `policy`, as `Session` would have driven it, for as long as they are asked for."""
    spec = dataclasses.replace(run.spec, queries=queries)
    size = num_problems or run.validation[0].bank.num_problems
    course = Course(spec=spec, policy=policy, num_problems=size, num_samples=num_samples)
    for full_bank in run.validation:
        loss = full_bank.validation_loss if size == full_bank.bank.num_problems else None  # that of all problems
        bank = first_problems(full_bank.bank, size)
        recorded = dataclasses.replace(full_bank, bank=bank, validation_loss=loss)
        source = RecordedSource(run, recorded)
        if sequential:
            course, _, decision = take_step(course, source)
        else:
            source.draw(size, num_samples)
            course, _, decision = conclude(course, see(course, source.measured()))
        yield decision


class RecordedSource:
    """A recorded checkpoint, of whose samples as many are used, and charged, as are asked for."""

    def __init__(self, run: Run, recorded: Observation) -> None:
        self.run, self.recorded = run, recorded
        self.drawn, self.prefills = (0, 0), 0

    def measured(self) -> Measured:
        """What was asked for until now."""
        return measured_of(with_bank(self.run, self.recorded, part(self.recorded.bank, *self.drawn, self.prefills)))

    def draw(self, num_problems: int, num_samples: int) -> None:
        """Use `num_samples` of each of the first problems."""
        self.prefills += num_problems - (self.drawn[0] if self.drawn[1] >= num_samples else 0)
        self.drawn = num_problems, num_samples

    def search(self) -> bool:
        """Nothing was searched."""
        return False


def stopped(run: Run, decided: Iterator[Decision]) -> Outcome:
    """What the first decision to stop is worth; a run that never stops is served as fully trained."""
    for decision in decided:
        if decision.stop:
            return served(run, decision)
    return dataclasses.replace(full(run), evaluation_flops=decision.evaluation_flops)


def first_problems(bank: SampleBank, size: int) -> SampleBank:
    """The bank of the first problems alone; tokens in proportion where their own are not recorded."""
    first = bank.of(range(min(size, bank.num_problems)))
    if first.prompt_tokens_P:
        return first
    share = first.num_problems / bank.num_problems
    names = ("prompt_tokens", "output_tokens", "greedy_output_tokens")
    return dataclasses.replace(first, **{name: round(getattr(bank, name) * share) for name in names})


def with_bank(run: Run, recorded: Observation, bank: SampleBank) -> Observation:
    """The observation with another bank, and the cost of drawing it and of the validation loss."""
    price = price_of(bank, run.cost)
    loss_flops = 0.0 if recorded.validation_loss is None else recorded.validation_loss.flops
    spent = price.evaluation_flops + loss_flops
    return dataclasses.replace(recorded, bank=bank, evaluation_flops=spent, query_flops=price.query)


def full(run: Run) -> Outcome:
    """Training to the end, without any evaluation, served with one greedy sample."""
    return Outcome(1.0, 0.0, run.test[-1].query_flops.total(1), 0.0, 0.0, 1, "greedy")


def early_stopping(run: Run, *, patience: int) -> Outcome:
    """Stop when the greedy validation accuracy has not improved for so many evaluations; the best one is served.

    As transformers' EarlyStoppingCallback with load_best_model_at_end, and Lightning's EarlyStopping with a checkpoint
    of the best: threshold 0, evaluation at every recorded checkpoint. What was trained beyond the best is paid for.
    """
    best, waited, spent = 0, 0, 0.0
    for index, recorded in enumerate(run.validation):
        sampled = dataclasses.replace(recorded, validation_loss=None)  # which such a rule does without
        observation = with_bank(run, sampled, part(recorded.bank, 0, 0, 0))
        spent += observation.evaluation_flops
        better = observation.bank.greedy_accuracy > run.validation[best].bank.greedy_accuracy
        best, waited = (index, 0) if better else (best, waited + (index > 0))
        if waited >= patience:
            break
    point = run.test[best]
    difference, error = against_full(run, accuracy_per_problem(tally_of(point.bank), "greedy", 1))
    used = recorded.train_flops / run.spec.budget_flops
    return Outcome(used, spent, point.query_flops.total(1), difference, error, 1, "greedy")


def served(run: Run, decision: Decision) -> Outcome:
    """The truth about the serving point of a decision."""
    serving = decision.serving
    assert serving is not None
    test = next(each for each in run.test if each.step == serving.step)
    truth = tally_of(test.bank)
    difference, error = against_full(run, accuracy_per_problem(truth, serving.strategy, serving.k))
    flops = serving.flops_per_query
    if serving.expected_samples is not None:
        curve = next(each for each in true_curves(run.name, test) if each.strategy == serving.strategy)
        price_K, _, _ = query_price(learning_point(test, truth), curve, run.spec)
        flops = float(np.interp(serving.k, curve.k_values, price_K))
    return Outcome(decision.used, decision.evaluation_flops, flops, difference, error, serving.k, serving.strategy)


_ORACLES: dict[tuple[str, float, float], Outcome] = {}


def oracle(run: Run, queries: float, margin: float) -> Outcome:
    """The cheapest checkpoint and (strategy, K) that truly suffices on the test problems; it never evaluates."""
    key = run.name, queries, margin
    if key not in _ORACLES:
        _ORACLES[key] = _cheapest(run, queries, margin)
    return _ORACLES[key]


def _cheapest(run: Run, queries: float, margin: float) -> Outcome:
    ways, tally_at = [full(run)], dict[float, Tally]()
    for test in run.test[:-1]:
        used = test.train_flops / run.spec.budget_flops
        tally_at[used] = truth = tally_of(test.bank)
        point = learning_point(test, truth)
        for curve in filter(lambda each: each.deployable, true_curves(run.name, test)):
            price_K, _, _ = query_price(point, curve, run.spec)
            priced = zip(curve.k_values, price_K.tolist(), strict=True)
            ways += [Outcome(used, 0.0, flops, 0.0, 0.0, k, curve.strategy) for k, flops in priced]

    def judged(way: Outcome) -> Outcome:
        if way.used not in tally_at:
            return way  # training to the end falls short of nothing
        truth_P = accuracy_per_problem(tally_at[way.used], way.strategy, way.k)
        difference, error = against_full(run, truth_P)
        return dataclasses.replace(way, difference=difference, error=error)

    chosen = cheapest(
        ways, reaches=lambda way: judged(way).difference >= -margin, price=lambda way: lifetime(run, way, queries)
    )
    assert chosen is not None, "training to the end suffices"
    return judged(chosen)


def options_of(run: Run, *, at_once: bool = False) -> list[Option]:
    """What could be served of a run, by its test problems: some K of each strategy at each checkpoint, in order.

    Samples are drawn in turn where a strategy can stop early, or all K `at_once`, and all are paid for.
    """
    found = []
    for test in run.test:
        curves: Sequence[KCurve] = true_curves(run.name, test)
        if at_once:
            curves = [dataclasses.replace(each, expected_samples_K=(), flops_K=()) for each in curves]
        for each in offers_at(learning_point(test), curves, run.spec):
            name = f"step {each.step}, {each.strategy}, K = {each.k}"
            found.append(option_of_serving(each, name=name, train_flops=test.train_flops, one_off={}))
    return found


_CURVES: dict[tuple[str, int], tuple[KCurve, ...]] = {}


def true_curves(name: str, test: Observation) -> tuple[KCurve, ...]:
    """K-curves of a test bank, which hold what is measured on all its samples; kept, since they are asked for often."""
    key = name, test.step
    if key not in _CURVES:
        _CURVES[key] = curves_of(tally_of(test.bank), Needs(max_k=MAX_K))
    return _CURVES[key]


# -- the truth --------------------------------------------------------------------------------------------------------


def against_full(run: Run, accuracy_P: np.ndarray) -> tuple[float, float]:
    """Mean difference to the full model's best single-sample decoding on test problems, and its standard error."""
    end = tally_of(run.test[-1].bank)
    greedy_P, sampled_P = accuracy_per_problem(end, "greedy", 1), accuracy_per_problem(end, "pass@k", 1)
    difference_P = accuracy_P - (greedy_P if greedy_P.mean() >= sampled_P.mean() else sampled_P)
    return float(difference_P.mean()), float(difference_P.std(ddof=1) / len(difference_P) ** 0.5)


def lifetime(run: Run, outcome: Outcome, queries: float) -> float:
    """Training, evaluation and serving FLOPs."""
    return outcome.used * run.spec.budget_flops + outcome.evaluation_flops + queries * outcome.query_flops


def regret(run: Run, outcome: Outcome, queries: float, margin: float) -> float:
    """Lifetime FLOPs minus the oracle's, as a share of those of training to the end."""
    best = lifetime(run, oracle(run, queries, margin), queries)
    return (lifetime(run, outcome, queries) - best) / lifetime(run, full(run), queries)
