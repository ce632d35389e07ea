"""What a run records of a classifier's passes, and an evaluation of those that it keeps, are the same numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven import PaperPolicy, RunSpec, Session
from breakeven.cost.tokens import ModelCost
from breakeven.eval.passes import PassesEvaluation, evaluate_passes
from breakeven.readers.class_passes import read_passes
from breakeven.records import KCurve, Observation
from breakeven.session.step import measured_of
from breakeven.store import read_log
from breakeven.testing import PassSampler
from breakeven.ttc.evaluate import evaluate

CLASSES = ("ant", "bee", "cow")
NUM_PROBLEMS, NUM_PASSES, STEPS, EXAMPLES, SNAPSHOTS = 40, 16, 5, 400, 3
PASS_FLOPS = 1000.0
COST = ModelCost(body_params=PASS_FLOPS / 2)  # a pass feeds one token


def model(step: int) -> PassSampler:
    """A classifier that gets better with every step, by a bias of each example that differs from step to step."""
    rng = np.random.default_rng(0)
    label_P, fixed_PC = rng.integers(len(CLASSES), size=NUM_PROBLEMS), rng.normal(size=(NUM_PROBLEMS, len(CLASSES)))
    moving_PC = np.random.default_rng(step).normal(scale=2.0, size=fixed_PC.shape)
    logits_PC = fixed_PC + moving_PC + (1.0 + step / 2) * np.eye(len(CLASSES))[label_P]
    return PassSampler(
        classes=CLASSES,
        logits={str(place): row for place, row in enumerate(logits_PC.tolist())},
        labels={str(place): CLASSES[label] for place, label in enumerate(label_P.tolist())},
        snapshots=SNAPSHOTS,
    )


class InTraining:
    """The model as it is at the step `at`."""

    classes, snapshots, at = CLASSES, SNAPSHOTS, 0

    def sample(self, problems: Any, num_samples: int, **settings: Any) -> Any:
        return model(self.at).sample(problems, num_samples, **settings)

    def check(self, problem: Any, completion: str) -> bool:
        return completion == problem.reference


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which every example is given every noisy pass, as the paper's policy has it."""
    directory, live = tmp_path_factory.mktemp("classifier") / "run", InTraining()
    with Session(
        sampler=live,
        verifier=live,
        problems=model(0).problems,
        cost=COST,
        sequence_tokens=1,
        num_samples=NUM_PASSES,
        spec=RunSpec(budget_flops=COST.train_flops(STEPS * EXAMPLES, 1), checker=False),
        policy=PaperPolicy(),
        answers=lambda text: text,
        mode="advise",
        log=directory,
        quiet=True,
    ) as session:
        for live.at in range(1, STEPS + 1):
            session.observe(step=live.at, train_tokens=live.at * EXAMPLES)
    return directory


def last_checkpoint(run: Path) -> Observation:
    return read_log(run).checkpoints[-1].observation


def evaluated(run: Path, observation: Observation, folder: Path) -> PassesEvaluation:
    """The arrays that the run keeps, with labels beside them, as `breakeven eval` reads them."""
    kept, step = run / "probabilities", observation.step
    folder.mkdir()
    plain_of = [np.load(kept / f"plain-{each}.npy") for each in range(step, step - SNAPSHOTS, -1)]
    np.save(folder / "labels.npy", np.load(kept / "right.npy").argmax(axis=1))
    np.save(folder / "plain.npy", plain_of[0])
    np.save(folder / "probabilities.npy", np.load(kept / f"passes-{step}.npy"))
    np.save(folder / "snapshots.npy", np.stack(plain_of, axis=1))
    return evaluate_passes(read_passes(folder), k_values=range(1, NUM_PASSES + 1), pass_flops=PASS_FLOPS)


def curves_of(observation: Observation) -> dict[str, KCurve]:
    tally = measured_of(observation).tally
    return {each.strategy: each for each in evaluate(tally, max_k=NUM_PASSES)}


def test_every_strategy_has_one_accuracy_one_price_and_one_number_of_passes(run: Path, tmp_path: Path) -> None:
    observation = last_checkpoint(run)
    curves, compared = curves_of(observation), set()
    for each in evaluated(run, observation, tmp_path / "passes").measurements:
        curve = curves[each.strategy]
        if each.k not in curve.k_values:
            continue
        compared.add((each.strategy, each.k))
        at_k = curve.k_values.index(each.k)
        resampled = curve.monte_carlo_error_K[at_k] if curve.monte_carlo_error_K else 0.0
        where = f"{each.strategy} at K = {each.k}"
        assert each.accuracy == pytest.approx(curve.accuracy_K[at_k], abs=6 * resampled + 1e-9), where
        assert each.model_flops == pytest.approx(curve.flops_K[at_k], rel=1e-9), where
        if curve.expected_samples_K:
            assert each.expected_samples == pytest.approx(curve.expected_samples_K[at_k], rel=1e-9), where
    assert {name for name, _ in compared} == {"greedy", "pass@k", "majority_vote", "soft_vote", "snapshot_ensemble"}
    assert {k for name, k in compared if name == "soft_vote"} == {1, 2, 4, 8, 16}
    assert {k for name, k in compared if name == "snapshot_ensemble"} == set(range(1, SNAPSHOTS + 1))


def test_the_log_has_what_the_kept_passes_give_on_each_example(run: Path, tmp_path: Path) -> None:
    observation = last_checkpoint(run)
    evaluation = evaluated(run, observation, tmp_path / "passes")
    assert (evaluation.num_problems, evaluation.num_samples, evaluation.num_snapshots) == (
        NUM_PROBLEMS,
        NUM_PASSES,
        SNAPSHOTS,
    )
    (greedy,) = (each for each in evaluation.measurements if each.strategy == "greedy")
    assert greedy.accuracy == np.mean([mark == "1" for mark in observation.bank.greedy_correct_P])
    right_PC = np.load(run / "probabilities" / "right.npy")
    assert right_PC.tolist() == [[each.reference == name for name in CLASSES] for each in model(0).problems]
    kept_PNC = np.load(run / "probabilities" / f"passes-{observation.step}.npy")
    for passes_NC, marks, problem in zip(kept_PNC, observation.bank.correct_PN, model(0).problems, strict=True):
        named = [CLASSES[place] for place in passes_NC.argmax(axis=1)]
        assert "".join(str(int(each == problem.reference)) for each in named) == marks
