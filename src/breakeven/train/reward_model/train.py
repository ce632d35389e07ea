"""Trains a reward model of solutions on graded samples of earlier checkpoints: one that serving can afford.

It is a reference transformer with one output in place of the vocabulary. At every token of a solution, and at the last
one of the prompt, it predicts whether the whole solution will be right. Read at the end that is an outcome score; read
at the end of a segment, a process score.

Samples have to come from problems that will not be scored: those of the training split, when validation problems
decide. What grading them took is charged where they were drawn; what training takes is in the report.
"""

import dataclasses
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.model.transformer import Transformer
from breakeven.records import Problem, TransformerShape
from breakeven.sampling.reward_models.transformer import TransformerReward, encode_solution, problem_key, token_values
from breakeven.sampling.transformer import EncodingTask
from breakeven.train.reward_model.fit import MAX_ROWS, RewardModelSettings, SampleRow, fit
from breakeven.train.reward_model.quality import (
    RewardModelQuality,
    area_under_curve,
    calibration_error,
    problem_area_under_curve,
)

GradedSample: TypeAlias = tuple[Problem, str, bool]
"""A problem, a completion, and whether it was right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRewardModel:
    """A reward model with what is known of it."""

    model: Transformer
    """Token ids (B, T) to one logit a position (B, T, 1)."""
    report: RewardModelQuality
    cost: ModelCost
    """What a token costs on it."""
    trained_on: frozenset[str]
    """Ids of all problems it has seen, held-out ones too, since they chose when to stop."""

    def reward_model(self, task: EncodingTask) -> TransformerReward:
        """It as a `RewardModel`, which refuses to score the problems it has seen."""
        return TransformerReward(self.model, task, max_tokens=self.model.shape.max_tokens, trained_on=self.trained_on)


def train_reward_model(
    samples: Sequence[GradedSample],
    task: EncodingTask,
    shape: TransformerShape,
    *,
    start: Mapping[str, Tensor] | None = None,
    settings: RewardModelSettings | None = None,
    seed: int = 0,
    on_epoch: Callable[[int, float], None] = lambda epoch, heldout_loss: None,
) -> TrainedRewardModel:
    """A reward model trained on `samples`; a pure function of its arguments that touches no random generator.

    Args:
        samples: of any number of checkpoints, as often as they were drawn. Samples that could not be graded stay out.
        task: encodes prompts and solutions.
        shape: of the reward model, its vocabulary that of the task.
        start: weights of a reference transformer of this shape, from which to start; its head is not used.
        on_epoch: told the number of every epoch and its held-out loss, in nats.

    Raises:
        ArgumentError: no right or no wrong samples on either side of the split, words the task does not have, too many
            of them, or weights of another shape.
        DivergedError: the loss became NaN or infinite.

    Source:
        Cobbe et al., Training verifiers to solve math word problems, arXiv 2110.14168, section 4: token-level values,
        without the joint language-modelling loss.
    """
    settings = settings or RewardModelSettings()
    rows = _rows(samples, task, shape.max_tokens)
    held = [_is_heldout(row.problem, settings.heldout_share, seed) for row in rows]
    train_rows = [row for row, out in zip(rows, held, strict=True) if not out]
    heldout_rows = [row for row, out in zip(rows, held, strict=True) if out]
    for name, part in (("trained on", train_rows), ("held out", heldout_rows)):
        got = {kind: sum(row.right is right for row in part) for kind, right in (("right", True), ("wrong", False))}
        if not all(got.values()):
            rule = f"hold right and wrong ones among those {name}"
            raise argument_error("samples", rule, got, "Take more problems, or checkpoints.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = reward_network(shape, start)
    cost = reward_network_cost(shape)
    num_epochs, best_epoch, loss = fit(model, train_rows, heldout_rows, settings, seed, on_epoch)
    heldout_flops = sum(cost.train_flops(1, len(row.tokens)) / 3 for row in heldout_rows)
    report = _report(
        model,
        train_rows,
        heldout_rows,
        heldout_loss=loss,
        num_epochs=num_epochs,
        best_epoch=best_epoch,
        train_flops=num_epochs * sum(cost.train_flops(1, len(row.tokens)) for row in train_rows),
        heldout_flops=(num_epochs + 1) * heldout_flops,
    )
    return TrainedRewardModel(model=model, report=report, cost=cost, trained_on=frozenset(row.problem for row in rows))


def reward_network(shape: TransformerShape, start: Mapping[str, Tensor] | None = None) -> Transformer:
    """A reference transformer with one output in place of the vocabulary, which starts at even chances.

    Raises:
        ArgumentError: `start` has another shape.
    """
    model = Transformer(shape)
    if start is not None:
        weights = {name: value for name, value in start.items() if not name.startswith("head.")}
        own = {name: value.shape for name, value in model.state_dict().items() if not name.startswith("head.")}
        if own != {name: value.shape for name, value in weights.items()}:
            raise argument_error("policy", f"be weights of the shape {shape}", "others")
        model.load_state_dict(weights, strict=False)
    model.head = nn.Linear(shape.embedding, 1)
    nn.init.zeros_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    return model


def reward_network_cost(shape: TransformerShape) -> ModelCost:
    """What a token costs on a reward model of this shape."""
    return dataclasses.replace(ModelCost.of(shape), head_params=shape.embedding)


def _rows(samples: Sequence[GradedSample], task: EncodingTask, max_tokens: int) -> list[SampleRow]:
    counts = Counter((problem.id, problem.prompt, text, right) for problem, text, right in samples)
    rows = []
    for (problem_id, prompt_text, text, right), count in counts.items():
        problem = Problem(id=problem_id, prompt=prompt_text)
        prompt, solution = encode_solution(task, problem, text, max_tokens)
        rows.append(
            SampleRow(
                problem=problem_key(task, problem),
                prompt_tokens=len(prompt),
                tokens=prompt + solution,
                right=right,
                count=count,
            )
        )
    return rows


def _is_heldout(problem_id: str, share: float, seed: int) -> bool:
    """By a hash of the problem, so that neither order nor number of samples moves one across."""
    return zlib.crc32(f"{seed}/{problem_id}".encode()) < share * 2**32


def _report(
    model: Transformer,
    train_rows: Sequence[SampleRow],
    rows: Sequence[SampleRow],
    *,
    heldout_loss: float,
    num_epochs: int,
    best_epoch: int,
    train_flops: float,
    heldout_flops: float,
) -> RewardModelQuality:
    values = token_values(model, [row.tokens for row in rows], max_rows=MAX_ROWS)
    final_N = np.array([float(value_T[-1]) for value_T in values])
    halfway_N = np.array(
        [
            float(value_T[row.prompt_tokens - 1 + (len(row.tokens) - row.prompt_tokens) // 2])
            for row, value_T in zip(rows, values, strict=True)
        ]
    )
    right_N = np.array([row.right for row in rows])
    weight_N = np.array([float(row.count) for row in rows])
    right_share = float(np.average(right_N, weights=weight_N))
    return RewardModelQuality(
        num_samples=sum(row.count for row in train_rows),
        num_problems=_num_problems(train_rows),
        num_heldout_samples=sum(row.count for row in rows),
        num_heldout_problems=_num_problems(rows),
        right_share=right_share,
        accuracy=float(np.average((final_N > 0.5) == right_N, weights=weight_N)),
        constant_accuracy=max(right_share, 1 - right_share),
        auc=area_under_curve(final_N, right_N, weight_N),
        problem_auc=problem_area_under_curve(final_N, right_N, weight_N, [row.problem for row in rows]),
        halfway_auc=area_under_curve(halfway_N, right_N, weight_N),
        brier=float(np.average((final_N - right_N) ** 2, weights=weight_N)),
        calibration_error=calibration_error(final_N, right_N, weight_N),
        heldout_loss=heldout_loss,
        num_epochs=num_epochs,
        best_epoch=best_epoch,
        train_flops=train_flops,
        heldout_flops=heldout_flops,
    )


def _num_problems(rows: Collection[SampleRow]) -> int:
    return len({row.problem for row in rows})
