"""What an encoder is taught by: hidden pixels, a frozen teacher's features, or those of its own average."""

import copy
import math
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven.config import TrainConfig
from breakeven.data.labelled.examples import Examples
from breakeven.plan.teaching.clips import Floats, clips_of
from breakeven.plan.teaching.networks import Encoder, Predictor
from breakeven.plan.teaching.sizes import Sizes
from breakeven.session.failing import diverged
from breakeven.train.step import learning_rate

_TRAINING = 1
"""Apart from the seeds of what is measured on."""


class Lesson(Protocol):
    """What is at the hidden places, and how far a prediction is from it."""

    outputs: int
    """Numbers to predict at a place."""

    def loss(self, predicted_PmO: Tensor, patch_PND: Tensor, hidden_Pm: Tensor) -> Tensor:
        """One number, lower is better."""

    def follow(self, student: Encoder) -> None:
        """Take in that the student has made a step."""


class Pixels:
    """The hidden pixels themselves, by squared error: the first stage of SALT."""

    def __init__(self, sizes: Sizes) -> None:
        self.outputs = sizes.scene.patch_pixels

    def loss(self, predicted_PmO: Tensor, patch_PND: Tensor, hidden_Pm: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(predicted_PmO, _at(patch_PND, hidden_Pm))

    def follow(self, student: Encoder) -> None:
        """Pixels stay what they are."""


class Frozen:
    """What a trained encoder makes of the whole clip, by absolute error: the second stage of SALT.

    Features are normalised at each place, as V-JEPA does. The teacher gets no gradient.
    """

    def __init__(self, teacher: Encoder, sizes: Sizes) -> None:
        self.teacher = copy.deepcopy(teacher).requires_grad_(False)
        self.outputs = sizes.width

    def loss(self, predicted_PmO: Tensor, patch_PND: Tensor, hidden_Pm: Tensor) -> Tensor:
        """Mean absolute error."""
        feature_PNE = self.teacher(patch_PND)
        return F.l1_loss(predicted_PmO, F.layer_norm(_at(feature_PNE, hidden_Pm), (self.outputs,)))

    def follow(self, student: Encoder) -> None:
        """A frozen teacher stays what it is."""


class Averaged(Frozen):
    """The same by a running mean of the student's own weights: V-JEPA."""

    def __init__(self, student: Encoder, sizes: Sizes, momentum: float) -> None:
        super().__init__(student, sizes)
        self.momentum = momentum

    def follow(self, student: Encoder) -> None:
        """The mean moves towards the student."""
        for own, other in zip(self.teacher.parameters(), student.parameters(), strict=True):
            own.lerp_(other.detach(), 1 - self.momentum)


def fresh_encoder(sizes: Sizes, seed: int) -> Encoder:
    """An untrained encoder: weights are a function of sizes and seed, and no generator is left changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(sizes)


def teach(encoder: Encoder, lesson: Lesson, *, sizes: Sizes, digits: Examples, train: TrainConfig, seed: int) -> float:
    """Train the encoder in place, with a predictor of its own.

    Args:
        encoder: as it begins.
        lesson: what it is to predict.
        sizes: of both.
        digits: those that move; every step has fresh clips.
        train: number and size of steps.
        seed: clips, hidden squares and the predictor's first weights are a function of it.

    Returns:
        Mean loss over the last tenth of the steps.

    Raises:
        DivergedError: the loss became NaN or infinite.
    """
    torch.set_num_threads(train.threads)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        predictor = Predictor(sizes, lesson.outputs)
    params = [*encoder.parameters(), *predictor.parameters()]
    optimizer = torch.optim.AdamW(params, lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay)
    seen_place, hidden_place = map(torch.from_numpy, sizes.scene.masks())
    losses = []
    for step in range(1, train.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, train)
        at = (seed, _TRAINING, step)
        patch_PND = torch.from_numpy(clips_of(digits, sizes.scene, sizes.batch_size, at).patch_PND)
        mask_P = torch.from_numpy(np.random.default_rng((*at, 1)).integers(0, len(seen_place), sizes.batch_size))
        seen_Pn, hidden_Pm = seen_place[mask_P], hidden_place[mask_P]
        predicted_PmO = predictor(encoder(_at(patch_PND, seen_Pn), seen_Pn), seen_Pn, hidden_Pm)
        loss = lesson.loss(predicted_PmO, patch_PND, hidden_Pm)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(params, train.clip_norm)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise diverged(step, losses[-1])
        optimizer.step()
        lesson.follow(encoder)
    return float(np.mean(losses[-max(1, train.steps // 10) :]))


def features(encoder: Encoder, patch_PND: Floats) -> Floats:
    """The mean feature of each whole clip, (P, E)."""
    with torch.no_grad():
        found: Floats = encoder(torch.from_numpy(patch_PND)).mean(1).numpy()
    return found


def _at(x_PND: Tensor, place_Pn: Tensor) -> Tensor:
    """The rows of these places."""
    return x_PND.gather(1, place_Pn[..., None].expand(-1, -1, x_PND.shape[-1]))
