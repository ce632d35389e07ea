"""Tokens counted at the batches of a torch module."""

import pytest

from breakeven.adapters.tokens import TokenCount

torch = pytest.importorskip("torch")


class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, inputs_embeds=None):
        return None


@pytest.fixture
def counted():
    model, count = Model(), TokenCount()
    count.attach(model)
    return model, count


IDS = torch.zeros(3, 5, dtype=torch.long)
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"input_ids": IDS}, (15, 3)),
        ({"input_ids": IDS, "attention_mask": MASK}, (10, 3)),
        ({"inputs_embeds": torch.zeros(3, 5, 8)}, (15, 3)),
        ({"input_ids": IDS[:1], "position_ids": torch.tensor([[0, 1, 0, 1, 2]])}, (5, 2)),
        ({"input_ids": IDS, "attention_mask": torch.zeros(3, 1, 5, 5)}, (15, 3)),
    ],
    ids=["no mask", "padding", "embeddings", "packed", "a mask of attention"],
)
def test_tokens_and_sequences_of_a_batch(counted, given, expected) -> None:
    model, count = counted
    model(**given)
    assert count.so_far[:2] == expected
    model(**given)
    assert count.so_far[:2] == (2 * expected[0], 2 * expected[1])
    assert count.so_far[2] == 2 * next(iter(given.values())).shape[0]


def test_a_batch_may_be_given_by_place(counted) -> None:
    model, count = counted
    model(IDS)
    assert count.so_far == (15, 3, 3)


def test_nothing_is_counted_in_evaluation_or_after(counted) -> None:
    model, count = counted
    model.eval()
    model(input_ids=IDS)
    assert count.so_far == (0, 0, 0)
    model.train()
    count.detach()
    model(input_ids=IDS)
    assert count.so_far == (0, 0, 0)
    assert not model._forward_pre_hooks


def test_a_module_that_ddp_hands_the_batch_of_a_training_step_is_not_given_tokens_yet(counted) -> None:
    model, count = counted
    model({"input_ids": IDS}, 0)
    model(IDS, 0)
    assert count.so_far == (0, 0, 0)
