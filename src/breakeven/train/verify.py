"""The decision held against the fully trained model, on test problems that no decision ever saw."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from breakeven.cost.evaluation import evaluation_flops
from breakeven.cost.tokens import ModelCost
from breakeven.errors import CheckFailedError, argument_error
from breakeven.records import CHECK_FAILED, CheckpointRecord, Problem, SampleBank, Verification
from breakeven.records.protocols import RewardModel, Sampler, Verifier
from breakeven.sampling.collect import collect
from breakeven.session.searching import Search
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.tally import tally_of


def verify(
    *,
    stopped: CheckpointRecord,
    stopped_sampler: Sampler,
    full_sampler: Sampler,
    verifier: Verifier,
    problems: Sequence[Problem],
    num_samples: int,
    temperature: float,
    seed: int,
    cost: ModelCost,
    extract: Callable[[str], str | None] | None = None,
    reward_model: RewardModel | None = None,
    reward_cost: ModelCost | None = None,
    stopped_search: Search | None = None,
) -> Verification:
    """Test accuracy of the serving point against the fully trained model's best single-sample decoding.

    Args:
        stopped: the checkpoint that was decided to be served, with its K.
        stopped_sampler: draws from it.
        full_sampler: draws from the fully trained model.
        verifier: grades both.
        problems: test problems, disjoint from training and from the decision's.
        num_samples: samples per problem, raised to K where that is larger.
        temperature: as in the decision.
        seed: of the run; test samples use seeds that no evaluation used.
        cost: FLOPs per token of the model.
        extract: as in the decision, where answers are voted on.
        reward_model: as in the decision, where samples are chosen by reward.
        reward_cost: FLOPs per token of it.
        stopped_search: searches with it, where the decision was to serve a strategy that searches.

    Estimator:
        Both accuracies are unbiased over samples; the difference is paired over problems, its standard error is
        that of the mean per-problem difference. Taking the better of two decodings of the full model favours the
        full model slightly.
    """
    if len(problems) < 2:
        raise argument_error("problems", "be at least two, for a standard error", len(problems))
    serving = stopped.decision.serving
    assert serving is not None, "a decision to stop has a serving point"
    count = max(num_samples, serving.k)
    banks = [
        collect(
            sampler,
            verifier,
            problems,
            num_samples=count,
            temperature=temperature,
            seed=(seed << 32) + 2**32 - 1 - offset,
            extract=extract,
            reward_model=reward_model,
        )
        for offset, sampler in enumerate((stopped_sampler, full_sampler))
    ]
    served, full = banks
    # A problem whose greedy check failed in either bank has no verdict to be paired.
    greedy = list(zip(served.greedy_correct_P, full.greedy_correct_P, strict=True))
    kept = np.array([CHECK_FAILED not in pair for pair in greedy])
    if kept.sum() < 2:
        raise CheckFailedError(
            "the checker failed on all but one of the test problems, so that nothing can be compared."
        )
    served_tally, full_tally = tally_of(_only(served, kept)), tally_of(_only(full, kept))
    searched_flops = 0.0
    if strategy_of(serving.strategy).search and stopped_search is not None:
        outcomes, searched_flops = stopped_search(problems, seed=(seed << 32) + 2**32 - 3)
        found = next(each for each in outcomes if (each.strategy, each.k) == (serving.strategy, serving.k))
        served_P = np.array(found.accuracy_P)[kept]
    else:
        served_P = accuracy_per_problem(served_tally, serving.strategy, serving.k)
    better = "greedy" if full.greedy_accuracy >= full.sampled_accuracy else "pass@k"
    full_P = accuracy_per_problem(full_tally, better, 1)
    known = np.isfinite(served_P) & np.isfinite(full_P)  # NaN: fewer than K samples were graded
    served_P, full_P = served_P[known], full_P[known]
    difference_P = served_P - full_P
    return Verification(
        num_problems=len(difference_P),
        num_samples=count,
        stopped_step=stopped.observation.step,
        k=serving.k,
        stopped_accuracy=float(served_P.mean()),
        stopped_greedy_accuracy=served.greedy_accuracy,
        full_greedy_accuracy=full.greedy_accuracy,
        full_sampled_accuracy=full.sampled_accuracy,
        difference=float(difference_P.mean()),
        difference_standard_error=float(difference_P.std(ddof=1) / len(difference_P) ** 0.5),
        gross_saving=stopped.decision.gross_saving or 0.0,
        net_saving=stopped.decision.net_saving or 0.0,
        evaluation_share=(stopped.decision.evaluation_flops or 0.0) / stopped.observation.train_flops,
        verification_flops=searched_flops + sum(evaluation_flops(bank, cost, reward_cost) for bank in banks),
    )


def _only(bank: SampleBank, kept_P: npt.NDArray[np.bool_]) -> SampleBank:
    """The bank of some problems, token counts apart."""
    rows = np.flatnonzero(kept_P).tolist()
    return replace(
        bank,
        correct_PN=tuple(bank.correct_PN[row] for row in rows),
        greedy_correct_P="".join(bank.greedy_correct_P[row] for row in rows),
        answer_PN=tuple(bank.answer_PN[row] for row in rows) if bank.answer_PN else (),
        score_PN=tuple(bank.score_PN[row] for row in rows) if bank.score_PN else (),
    )
