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
