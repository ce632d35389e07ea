"""The share of a run over which the learning rate decays, against the schedules by definition."""

import pytest

from breakeven.adapters.schedule import decay_share

torch = pytest.importorskip("torch")
STEPS = 200


@pytest.fixture
def scheduler():
    pytest.importorskip("transformers")
    from transformers import get_scheduler

    def make(name: str, warmup: int = 0, **settings):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        return get_scheduler(
            name, optimizer, num_warmup_steps=warmup, num_training_steps=STEPS, scheduler_specific_kwargs=settings
        )

    return make


@pytest.mark.parametrize(
    ("name", "warmup", "settings", "share"),
    [
        ("constant", 0, {}, 0.0),
        ("constant_with_warmup", 20, {}, 0.0),
        ("linear", 0, {}, 1.0),
        ("linear", 20, {}, 0.9),
        ("cosine", 0, {}, 1.0),
        ("cosine", 50, {}, 0.75),
        ("warmup_stable_decay", 20, {"num_decay_steps": 40}, 0.2),
        ("warmup_stable_decay", 0, {"num_decay_steps": 100, "decay_type": "1-sqrt"}, 0.5),
        ("inverse_sqrt", 20, {}, 0.9),
    ],
)
def test_share_behind_the_last_step_at_the_highest_rate(scheduler, name: str, warmup: int, settings, share) -> None:
    assert decay_share(scheduler(name, warmup, **settings), STEPS) == pytest.approx(share, abs=1 / STEPS)


def test_it_is_read_without_a_step_and_through_a_wrapper(scheduler) -> None:
    class Wrapper:
        scheduler = None

    inner = scheduler("linear", 20)
    before = inner.state_dict()
    Wrapper.scheduler = inner
    assert decay_share(Wrapper(), STEPS) == pytest.approx(0.9)
    assert inner.state_dict() == before


def test_a_scheduler_that_does_not_tell_beforehand_is_unknown() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    assert decay_share(torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer), STEPS) is None
    assert decay_share(None, STEPS) is None


def of_torch(name: str):
    """A schedule of torch's own over STEPS, and a second one that is stepped."""
    lr = torch.optim.lr_scheduler

    def make():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)

        def warmed(then):
            warmup = lr.LinearLR(optimizer, 0.1, 1.0, total_iters=20)
            return lr.SequentialLR(optimizer, [warmup, then], milestones=[20])

        return optimizer, {
            "cosine": lambda: lr.CosineAnnealingLR(optimizer, STEPS),
            "cosine, half as long": lambda: lr.CosineAnnealingLR(optimizer, STEPS // 2),
            "linear": lambda: lr.LinearLR(optimizer, 1.0, 0.1, total_iters=STEPS),
            "by steps": lambda: lr.MultiStepLR(optimizer, [150, 180]),
            "one cycle": lambda: lr.OneCycleLR(optimizer, 0.1, total_steps=STEPS + 1, pct_start=0.3),
            "one cycle, too short": lambda: lr.OneCycleLR(optimizer, 0.1, total_steps=STEPS // 2),
            "warm-up, cosine": lambda: warmed(lr.CosineAnnealingLR(optimizer, STEPS - 20)),
            "warm-up, lambda": lambda: warmed(lr.LambdaLR(optimizer, lambda step: 1.0 - step / STEPS)),
            "restarts": lambda: lr.CosineAnnealingWarmRestarts(optimizer, 50),
        }[name]()

    return make()


@pytest.mark.parametrize("name", ["cosine", "linear", "by steps", "one cycle", "warm-up, cosine", "warm-up, lambda"])
def test_torchs_own_schedules_tell_what_they_then_do(name: str) -> None:
    optimizer, scheduler = of_torch(name)
    share, before = decay_share(scheduler, STEPS), optimizer.param_groups[0]["lr"]
    assert optimizer.param_groups[0]["lr"] == before
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    last = max(step for step, rate in enumerate(rates) if rate >= max(rates) * (1 - 1e-9))
    assert share == pytest.approx(1 - last / STEPS, abs=2 / STEPS)


@pytest.mark.parametrize("name", ["cosine, half as long", "one cycle, too short", "restarts"])
def test_a_rate_that_rises_again_or_ends_early_is_unknown(name: str) -> None:
    assert decay_share(of_torch(name)[1], STEPS) is None
