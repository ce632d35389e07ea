"""What encoders are taught by, and that a step costs what is executed."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from breakeven.config import TrainConfig
from breakeven.data.labelled.examples import Examples
from breakeven.errors import ArgumentError, DivergedError
from breakeven.plan.teaching.clips import Scene, clips_of
from breakeven.plan.teaching.sizes import Sizes

torch = pytest.importorskip("torch")

from breakeven.plan.teaching.lessons import Averaged, Frozen, Pixels, features, fresh_encoder, teach  # noqa: E402
from breakeven.plan.teaching.networks import Predictor  # noqa: E402

SIZES = Sizes(
    scene=Scene(canvas=12, frames=4, noise=0.1, patch=4, patch_frames=2, hidden=1),
    width=12,
    layers=2,
    heads=2,
    predictor_width=8,
    predictor_layers=1,
    batch_size=3,
)
TRAIN = TrainConfig(steps=3, batch_size=3, learning_rate=1e-2, warmup_steps=0)


def weights(encoder: Any) -> list[Any]:
    return [each.detach().clone() for each in encoder.parameters()]


@contextmanager
def counted() -> Iterator[Any]:
    """Counts FLOPs as PyTorch runs them, attention as the matrix products that it is made of."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        yield counter


def one_step(lesson: Any, dots: Examples) -> None:
    """Forward and backward, without an optimizer."""
    encoder, predictor = fresh_encoder(SIZES, 0), Predictor(SIZES, lesson.outputs)
    patches = torch.from_numpy(clips_of(dots, SIZES.scene, 3, (0,)).patch_PND)
    seen, hidden = (torch.from_numpy(each[:1]).expand(3, -1) for each in SIZES.scene.masks())
    own = patches.gather(1, seen[..., None].expand(-1, -1, patches.shape[-1]))
    lesson.loss(predictor(encoder(own, seen), seen, hidden), patches, hidden).backward()


def test_a_step_costs_what_pytorch_runs(dots: Examples) -> None:
    with counted() as pixels:
        one_step(Pixels(SIZES), dots)
    assert pixels.get_total_flops() == SIZES.teacher_step_flops
    lesson = Frozen(fresh_encoder(SIZES, 1), SIZES)
    with counted() as frozen:
        one_step(lesson, dots)
    assert frozen.get_total_flops() == SIZES.student_step_flops


def test_reading_a_clip_costs_what_pytorch_runs(dots: Examples) -> None:
    with counted() as reading:
        features(fresh_encoder(SIZES, 0), clips_of(dots, SIZES.scene, 5, (0,)).patch_PND)
    assert reading.get_total_flops() == 5 * SIZES.query_flops


def test_a_frozen_teacher_gets_no_gradient_and_stays_what_it_is(dots: Examples) -> None:
    teacher = fresh_encoder(SIZES, 1)
    lesson = Frozen(teacher, SIZES)
    before = weights(lesson.teacher)
    one_step(lesson, dots)
    assert all(each.grad is None and not each.requires_grad for each in lesson.teacher.parameters())
    encoder = fresh_encoder(SIZES, 2)
    first = weights(encoder)
    teach(encoder, lesson, sizes=SIZES, digits=dots, train=TRAIN, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(lesson.teacher), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, weights(encoder), strict=True))
    assert all(each.requires_grad and each.grad is None for each in teacher.parameters())


def test_an_average_moves_towards_the_student_by_its_momentum() -> None:
    encoder = fresh_encoder(SIZES, 0)
    lesson, first = Averaged(encoder, SIZES, 0.9), weights(encoder)
    other = fresh_encoder(SIZES, 1)
    lesson.follow(other)
    for own, begun, target in zip(weights(lesson.teacher), first, weights(other), strict=True):
        torch.testing.assert_close(own, 0.9 * begun + 0.1 * target)


def test_training_is_a_function_of_its_seed_and_touches_no_generator(dots: Examples) -> None:
    state, losses, found = torch.random.get_rng_state(), [], []
    for seed in (0, 0, 1):
        encoder = fresh_encoder(SIZES, 5)
        lesson = Pixels(SIZES)
        losses.append(teach(encoder, lesson, sizes=SIZES, digits=dots, train=TRAIN, seed=seed))
        found.append(weights(encoder))
    assert torch.equal(state, torch.random.get_rng_state())
    assert losses[0] == losses[1] != losses[2]
    assert all(torch.equal(a, b) for a, b in zip(found[0], found[1], strict=True))


def test_pixels_are_learnt(dots: Examples) -> None:
    """Two images without noise: a hundred steps take most of the error away."""
    sizes = replace(SIZES, scene=replace(SIZES.scene, noise=0.0), batch_size=16)
    encoder, first = fresh_encoder(sizes, 0), replace(TRAIN, steps=1, batch_size=16)
    begun = teach(copy.deepcopy(encoder), Pixels(sizes), sizes=sizes, digits=dots, train=first, seed=0)
    ended = teach(encoder, Pixels(sizes), sizes=sizes, digits=dots, train=replace(first, steps=100), seed=0)
    assert ended < begun / 2


def test_a_loss_that_is_infinite_ends_the_training(dots: Examples) -> None:
    encoder = fresh_encoder(SIZES, 0)
    with torch.no_grad():
        encoder.stem.weight.fill_(float("nan"))
    with pytest.raises(DivergedError, match="at step 1"):
        teach(encoder, Pixels(SIZES), sizes=SIZES, digits=dots, train=TRAIN, seed=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"width": 13}, "width must be even, at least 6 and a multiple of 2 heads; got 13"),
        ({"predictor_width": 4}, "predictor_width must be even, at least 6 and a multiple of 2 heads; got 4"),
        ({"layers": 0}, "layers must be at least 1; got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        replace(SIZES, **given)
