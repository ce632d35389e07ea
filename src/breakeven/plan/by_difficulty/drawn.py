"""A population made of samples: the first of a problem tell its difficulty, settings are measured on the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from breakeven.cost.evaluation import price_of, scoring_of
from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.plan.by_difficulty.population import Difficulty, Floats, Population, Setting
from breakeven.records import NO_ANSWER, Reward, SampleBank
from breakeven.ttc.pool import Pool, pool_of
from breakeven.ttc.search.compute_optimal import agreement
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.on_pool import measure, pool_has

STRATEGIES_OF_SAMPLES = ("pass@k", "majority_vote", "weighted_vote", "best_of_n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a reward model said of a bank's samples."""

    rewards_PN: Sequence[Sequence[Reward]]
    cost: ModelCost
    """Of a token on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which samples of a problem are for what."""

    held: int
    """The first so many tell the true difficulty."""
    probe: int
    """So many of these tell the predicted one."""

    def __post_init__(self) -> None:
        if not 1 <= self.probe <= self.held:
            raise argument_error("probe", f"be from 1 to held, {self.held}", self.probe)


def population_of(
    bank: SampleBank,
    ids: Sequence[str],
    *,
    of: str,
    model: str = "",
    cost: ModelCost,
    scored: Mapping[str, Scored],
    split: Split,
    k_values: Sequence[int],
) -> Population:
    """Greedy, votes, weighted votes, best-of-N and, where a checker serves, Pass@K at each K.

    Args:
        bank: rows of one length, of at least `split.held` and one more; every problem with a verdict.
        ids: of its problems.
        of: what they are.
        model: what the sampled model is called.
        cost: of a token on the sampled model.
        scored: by the name of the reward model, rewards of all samples of the bank.
        split: how many samples tell difficulty.
        k_values: increasing; those above the samples that are left are not measured.

    Estimator:
        Accuracies are expectations over which K of the remaining samples are drawn, as of `ttc.strategies`.
    """
    num_left = bank.num_samples - split.held
    rest = _columns(bank, split.held, bank.num_samples)
    if not rest.answer_PN:  # a pool needs something to choose by, be it alike
        rest = replace(rest, score_PN=tuple((0.0,) * len(row) for row in rest.correct_PN))
    pool, asked = pool_of(rest), tuple(k for k in k_values if k <= num_left)
    if pool is None or not asked:
        rule = f"leave samples beside the {split.held} that tell difficulty for K = {min(k_values)}"
        raise argument_error(f"the samples of {of}", rule, f"{bank.num_samples} a problem")
    costs = SampleCosts.of(rest, cost)
    if costs is None or pool.num_problems != len(ids):
        raise argument_error(f"the samples of {of}", "have their lengths and verdicts recorded", "some without")
    settings = [] if pool.greedy_P is None else [_greedy(pool, costs)]
    for strategy in STRATEGIES_OF_SAMPLES:
        if STRATEGIES[strategy].price == "rewards":
            for name, each in scored.items():
                scores_PN = np.array([[reward.value for reward in row[split.held :]] for row in each.rewards_PN])
                reward_P = np.array([scoring_of(each.cost, row[split.held :]) for row in each.rewards_PN])
                settings += _at_each_k(replace(pool, score_PN=scores_PN), strategy, asked, costs, reward_P, name)
        elif STRATEGIES[strategy].deployable(oracle=bank.oracle):
            settings += _at_each_k(pool, strategy, asked, costs, np.zeros(len(ids)), "")
    spent = price_of(bank, cost).evaluation_flops
    for each in scored.values():
        spent += sum(scoring_of(each.cost, row) * len(row) for row in each.rewards_PN)
    return Population(
        of=of,
        model=model,
        ids=tuple(ids),
        settings=tuple(settings),
        difficulties=difficulties_of(bank, cost, scored, split),
        sample_flops=round(float((costs.prefill_P + costs.decode_P).mean()), 1),
        evaluation_flops=round(spent),
    )


def _greedy(pool: Pool, costs: SampleCosts) -> Setting:
    assert pool.greedy_P is not None
    return _setting("greedy", 1, "", pool.greedy_P.astype(float), costs.prefill_P + costs.greedy_P, 0.0)


def _at_each_k(
    pool: Pool, strategy: str, k_values: Sequence[int], costs: SampleCosts, reward_P: Floats, reward_model: str
) -> list[Setting]:
    found = STRATEGIES[strategy]
    if found.lacks(pool_has(pool) | {need for need in found.needs if need.value == "a verifier"}):
        return []
    measured = measure(pool, found, k_values)
    samples_PK = np.broadcast_to(np.array(k_values, dtype=np.float64), measured.accuracy_PK.shape)
    if measured.expected_samples_PK is not None:
        samples_PK = measured.expected_samples_PK
    elif found.samples is not None:
        samples_PK = found.samples(pool, k_values)
    return [
        _setting(
            strategy,
            k,
            reward_model,
            measured.accuracy_PK[:, column],
            costs.prefill_P + samples_PK[:, column] * costs.decode_P,
            samples_PK[:, column] * reward_P,
        )
        for column, k in enumerate(k_values)
    ]


def _setting(
    strategy: str, k: int, reward_model: str, accuracy_P: Floats, model_P: Floats, reward_P: Floats | float
) -> Setting:
    """Rounded: to a ten-thousandth, and to a FLOP."""
    return Setting(
        strategy=strategy,
        k=k,
        reward_model=reward_model,
        accuracy_P=tuple(np.clip(accuracy_P, 0.0, 1.0).round(4).tolist()),
        model_flops_P=tuple(model_P.round().tolist()),
        reward_flops_P=tuple(np.broadcast_to(reward_P, model_P.shape).round().tolist()),
    )


def difficulties_of(
    bank: SampleBank, cost: ModelCost, scored: Mapping[str, Scored], split: Split
) -> tuple[Difficulty, ...]:
    """True by all samples held back, predicted by the first of them."""
    true, first = _columns(bank, 0, split.held), _columns(bank, 0, split.probe)
    solved_P = [right / max(1, graded) for right, graded in zip(true.num_correct_P, true.num_graded_P, strict=True)]
    found = [Difficulty(name="solve rate", num_samples=split.held, score_P=tuple(solved_P), oracle=True)]
    costs = SampleCosts.of(first, cost)
    assert costs is not None, "the rest has lengths"
    drawing = float(split.probe * costs.decode_P.mean())
    if first.answer_PN:
        answers_PN = [[None if each == NO_ANSWER else each for each in row] for row in first.answer_PN]
        scores = tuple(map(agreement, answers_PN))
        found += [Difficulty(name="agreement", num_samples=split.probe, score_P=scores, model_flops=round(drawing))]
    for name, each in scored.items():
        row_PN = [row[: split.probe] for row in each.rewards_PN]
        scoring = float(np.mean([scoring_of(each.cost, row) for row in row_PN]))
        found += [
            Difficulty(
                name=f"mean reward ({name} reward model)",
                num_samples=split.probe,
                score_P=tuple(round(float(np.mean([reward.value for reward in row])), 4) for row in row_PN),
                model_flops=round(drawing),
                reward_flops=round(split.probe * scoring),
            )
        ]
    return tuple(found)


def _columns(bank: SampleBank, start: int, end: int) -> SampleBank:
    """Of the samples from number `start` to before `end`, the greedy ones kept."""
    output_PN = tuple(row[start:end] for row in bank.output_tokens_PN)
    return replace(
        bank,
        correct_PN=tuple(row[start:end] for row in bank.correct_PN),
        answer_PN=tuple(row[start:end] for row in bank.answer_PN),
        score_PN=tuple(row[start:end] for row in bank.score_PN),
        output_tokens_PN=output_PN,
        output_tokens=sum(map(sum, output_PN)),
        num_prefills=None,
    )
