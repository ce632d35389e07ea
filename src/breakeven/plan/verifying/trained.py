"""The families of the real run: the solver's votes, those of its verifiers, and of the solver trained on."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.plan.cells import Cells
from breakeven.plan.verifying.families import RULES, Base, Families, scored, verified, votes
from breakeven.plan.verifying.kept import Verdicts
from breakeven.plan.verifying.recipe import Recipe, Run
from breakeven.records import Reward, SampleBank
from breakeven.records.plans import PlanTable
from breakeven.ttc.pool import Pool, pool_of, verdicts_of


def families_of_run(recipe: Recipe, cells: Cells, *, verifier_steps: Sequence[int], trained_on_steps: int) -> Families:
    """Everything that the run trains and samples, in a fixed order.

    Args:
        recipe: sizes.
        cells: of the plan.
        verifier_steps: of each generative verifier that is trained.
        trained_on_steps: of the solver that is trained on instead.
    """
    run = Run(recipe=recipe, cells=cells)
    solver, bank = run.solver(recipe.train.steps)
    labelled = run.labelled()
    judged = {steps: run.verifier(steps) for steps in verifier_steps}
    scores = run.scorer()
    trained_on, bank_on = run.solver(trained_on_steps)

    pool = _pool(bank)
    base = Base(train_flops=solver.train_flops, problems=run.problems, solution_flops=_drawing(bank, run.cost))
    taken = {"labelled samples": labelled.flops}
    by_verdicts, quality = [], []
    for steps, (verifier, said) in judged.items():
        name, with_verdicts = f"verifier of {steps} steps", replace(pool, verdict_PNV=_verdicts(said))
        own = replace(
            base,
            one_off=taken | {"verifier": verifier.train_flops},
            reward_flops=_judging(said.read_flops, said.verdict_flops),
        )
        by_verdicts += [verified(name, with_verdicts, own, rule) for rule in RULES]
        quality.append((name, *_yes(with_verdicts)))
    own = replace(
        base, one_off=taken | {"verifier": scores.train_flops}, reward_flops=_judging(scores.score_flops, 0.0)
    )
    with_scores = replace(pool, score_PN=np.array(scores.score_PN))
    quality.append(("scorer", *_mean_scores(with_scores)))
    own_on = replace(base, train_flops=trained_on.train_flops, solution_flops=_drawing(bank_on, run.cost))
    headings = ("verifier", "says yes, or scores, where the solution is right", "where it is wrong", "unreadable")
    return Families(
        voted=votes("solver", pool, base),
        by_verdicts=tuple(by_verdicts),
        by_scores=tuple(scored("scorer", with_scores, own, rule) for rule in RULES),
        trained_on=votes(f"solver trained on to {trained_on_steps} steps", _pool(bank_on), own_on),
        tables=(PlanTable(label="What verifiers say of the test samples", headings=headings, rows=tuple(quality)),),
        notes=(
            f"Verifiers are fine-tuned from the solver on {labelled.num_samples:,} of its own samples on training "
            f"problems, {labelled.num_right:,} of them right; generative ones on right and wrong ones half and half.",
            "Each model has a schedule of its own, its learning rate fallen at its end. The solver trained on begins "
            "as the solver does.",
            "Verdicts on equal solutions are drawn apart, and each is charged. One solution with a verdict is among "
            "the verified, as in arXiv 2504.01005: its verdict chooses nothing.",
        ),
        not_counted=(
            "drawing, judging and grading the test samples",
            "checking the labelled samples against reference answers",
        ),
    )


def _pool(bank: SampleBank) -> Pool:
    pool = pool_of(bank)
    assert pool is not None
    return pool


def _drawing(bank: SampleBank, cost: ModelCost) -> Callable[[int], float]:
    """FLOPs of so many solutions, the prompt read once a query."""
    costs = SampleCosts.of(bank, cost)
    assert costs is not None
    return lambda k: float(costs.query_flops_K(np.full((bank.num_problems, 1), float(k)), shared_prefill=True)[0])


def _judging(read_flops: float, verdict_flops: float) -> Callable[[int], float]:
    """FLOPs of so many verdicts on a solution, which is read once."""
    return lambda num_verdicts: read_flops + num_verdicts * verdict_flops


def _verdicts(said: Verdicts) -> np.ndarray:
    return verdicts_of([[Reward(value=0.0, verdicts=each) for each in row] for row in said.verdict_PN])


def _yes(pool: Pool) -> tuple[str, ...]:
    """Share of yes among the readable verdicts on right and on wrong solutions, and how many are not readable."""
    assert pool.verdict_PNV is not None
    shares = []
    for kind_PN in (pool.correct_PN, ~pool.correct_PN):
        verdicts = pool.verdict_PNV[kind_PN]
        read = verdicts[verdicts >= 0]
        shares.append(f"{read.mean():.3f}" if read.size else "-")
    return *shares, f"{(pool.verdict_PNV < 0).sum():,} of {pool.verdict_PNV.size:,}"


def _mean_scores(pool: Pool) -> tuple[str, ...]:
    assert pool.score_PN is not None
    kinds = pool.correct_PN, ~pool.correct_PN
    return *(f"{pool.score_PN[kind].mean():.3f}" if kind.any() else "-" for kind in kinds), "0"
