"""Examples that a module is trained on, counted at its batches."""

import pytest

torch = pytest.importorskip("torch")

from breakeven.adapters.row_count import RowCount  # noqa: E402
from breakeven.cost.tokens import ModelCost  # noqa: E402


class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, *args: object, **named: object) -> None:
        return None


def test_rows_of_what_is_trained_on_are_counted_however_they_are_given() -> None:
    net, count = Net().train(), RowCount()
    count.attach(net)
    image = torch.zeros(3, 1, 2, 2)
    net(image)
    net(pixel_values=image, labels=torch.zeros(3))
    net({"scale": torch.tensor(1.0), "input_ids": torch.zeros(4, 5)})
    net([None, torch.zeros(2, 7)])
    net()
    assert count.so_far == (12, 12, 12)
    assert count.rollout_flops(ModelCost(body_params=1.0)) == 0.0


def test_passes_that_nothing_is_learnt_from_are_not_counted() -> None:
    net, count, given = Net().train(), RowCount(), torch.zeros(3, 2)
    count.attach(net)
    with torch.no_grad():
        net(given)
    net.eval()(given)
    net.train()(given, 0)  # DDP of Lightning, whose module calls itself then
    assert count.so_far == (0, 0, 0)


def test_counting_ends_and_begins_anew() -> None:
    net, count, given = Net().train(), RowCount(), torch.zeros(3, 2)
    count.attach(net)
    net(given)
    count.detach()
    net(given)
    assert count.so_far == (3, 3, 3)
    count.attach(net)
    assert count.so_far == (0, 0, 0)
    count.detach()
    count.detach()
    assert not net._forward_pre_hooks
