"""The pieces of the real run: what a verifier starts from and learns from, and what its verdicts cost."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from breakeven.errors import ArgumentError
from breakeven.model.transformer import Transformer
from breakeven.plan.cells import Cells
from breakeven.plan.models import widened
from breakeven.plan.solve_or_verify import Settings
from breakeven.plan.verifying.lessons import graded_batches
from breakeven.plan.verifying.recipe import Run
from breakeven.store import CellFile, PlanHeader

RECIPE = replace(
    Settings(
        num_layers=1,
        embedding=16,
        num_heads=2,
        feed_forward=16,
        batch_size=8,
        solver_steps=1,
        label_problems=3,
        num_problems=3,
        num_samples=4,
        num_verdicts=3,
    ).recipe,
    label_samples=2,
)


class Graded(Run):
    """Its samples are given: a right one of each problem, and a wrong one."""

    @property
    def _graded(self):
        problems = self.task.problems("train", 5)
        return [
            each
            for problem in problems
            for each in ((problem, problem.solution or "", True), (problem, "4 2 +", False))
        ]


@pytest.fixture
def run(tmp_path):
    with CellFile(tmp_path, PlanHeader(versions={}, row="solve-or-verify", settings={})) as file:
        yield Graded(recipe=RECIPE, cells=Cells(file=file))


def test_a_verifier_starts_as_the_solver_with_two_more_words(run):
    solver, config = Transformer(RECIPE.model.shape_for(run.task)), run._verifier_config(2)
    verifier = Transformer(config.model.shape_for(config.task))
    state = torch.get_rng_state()
    weights = widened(solver, config)
    assert torch.equal(torch.get_rng_state(), state)
    verifier.load_state_dict(weights)
    tokens = torch.tensor([run.task.encode_text("7 * 6 + 3 * 9 = 4 2")])
    known = run.task.vocab_size
    assert torch.equal(verifier(tokens)[..., :known], solver(tokens))
    assert all(torch.equal(value, weights[name]) for name, value in widened(solver, config).items())


def test_batches_are_half_right_and_half_wrong_by_seed_and_step(run):
    config = run._verifier_config(2)
    batch = graded_batches(run._graded, run.task, config)
    assert torch.equal(batch(7), graded_batches(run._graded, run.task, config)(7))
    assert not torch.equal(batch(7), batch(8))
    says_yes = batch(7)[:, -2] == run.task.vocab_size + 1
    assert says_yes.sum() == 4
    for row, yes in zip(batch(7), says_yes, strict=True):
        proposed = run.task.decode(row[8:17].tolist())
        own = run.task.decode(row[18:27].tolist())
        assert (run.task.answer(proposed) == run.task.answer(own)) == bool(yes)


def test_samples_of_one_kind_are_refused(run):
    one_kind = [each for each in run._graded if each[2]]
    with pytest.raises(ArgumentError, match=r"solver_steps must leave right and wrong .*100% of 5 right"):
        graded_batches(one_kind, run.task, run._verifier_config(2))


def test_equal_solutions_have_verdicts_of_their_own_and_each_is_charged(run, monkeypatch):
    _, bank = run.solver(1)
    problem = run.task.problems("test", 3)[0]
    assert len({each.problem.id for each in run._prefixes()}) == 3 * 4
    prefixes = [replace(each, text=problem.solution or "") for each in run._prefixes()]
    monkeypatch.setattr(Graded, "_prefixes", lambda self: prefixes)
    trained, said = run.verifier(1)
    assert np.shape(said.verdict_PN) == (3, 4)
    assert {len(each) for row in said.verdict_PN for each in row} == {3}
    cost = run._verifier_config(1)
    longest = run.cost.decode_flops(cost.task.prompt_tokens, cost.task.output_tokens)
    assert 0 < said.verdict_flops < 1.1 * longest
    assert said.read_flops > run.cost.prefill_flops(bank.prompt_tokens_P[0])
    assert trained.train_tokens == 8 * (cost.task.prompt_tokens + cost.task.output_tokens - 1)


def test_the_price_of_labels_is_that_of_drawing_them(run):
    run.solver(1)
    labelled = run.labelled()
    assert labelled.num_samples == 3 * (2 + 1)
    longest = run.cost.query_flops(run.task.prompt_tokens, run.task.output_tokens - 1)
    assert 0 < labelled.flops <= 3 * (longest.total(2) + longest.total(1)) * (1 + 1e-9)
