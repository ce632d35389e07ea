"""Tokens counted at the batches of a torch module."""

import pytest

from breakeven.adapters.tokens import TokenCount, end_tokens
from breakeven.cost.tokens import ModelCost

torch = pytest.importorskip("torch")


class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, inputs_embeds=None, **more):
        return None


class Cache:
    def __init__(self, length):
        self.length = length

    def get_seq_length(self):
        return self.length


COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)


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
        ({"input_ids": IDS, "attention_mask": {"full_attention": torch.zeros(3, 1, 5, 5)}}, (15, 3)),
    ],
    ids=["no mask", "padding", "embeddings", "packed", "a mask of attention", "masks of layers"],
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


def test_samples_drawn_without_gradients_are_no_training_tokens_and_priced_as_drawn(counted) -> None:
    """Prompts of 5, 2 and 3 tokens; the first sample ends with its first token, the others after their second."""
    model, count = counted
    count.attach(model, ends=frozenset([7]))
    with torch.no_grad():
        model(input_ids=IDS, attention_mask=MASK, past_key_values=Cache(0))
        for place, fed in enumerate([[7, 1, 1], [0, 7, 7], [0, 0, 0]]):
            mask = torch.cat([MASK, torch.ones(3, 1 + place, dtype=torch.long)], dim=1)
            model(input_ids=torch.tensor(fed)[:, None], attention_mask=mask, past_key_values=Cache(5 + place))
    assert count.so_far == (0, 0, 0)
    prompts = [5, 2, 3]
    expected = sum(map(COST.prefill_flops, prompts)) + COST.decode_flops(2, 1) + COST.decode_flops(3, 1)
    assert count.rollout_flops(COST) == pytest.approx(expected)


def test_whole_texts_are_read_with_the_head_at_each_token(counted) -> None:
    model, count = counted
    with torch.no_grad():
        model(input_ids=IDS, attention_mask=MASK)
        model(input_ids=IDS[:1])
    forward = [COST.train_flops(1, each) / 3 for each in (5, 2, 3, 5)]
    assert count.rollout_flops(COST) == pytest.approx(sum(forward))
    model.eval()
    with torch.no_grad():
        model(input_ids=IDS)
    assert count.rollout_flops(COST) == pytest.approx(sum(forward)), "an evaluation is none of it"


def test_a_reference_model_counts_while_the_other_is_trained(counted) -> None:
    model, count = counted
    reference = Model().eval()
    count.attach(model, references=(reference,))
    for mode, times in ((True, 1), (False, 1), (True, 2)):
        model.train(mode)
        with torch.no_grad():
            reference(input_ids=IDS)
        assert count.rollout_flops(COST) == pytest.approx(times * COST.train_flops(3, 5) / 3)
    count.detach()
    assert not reference._forward_pre_hooks


def test_what_the_loop_generated_elsewhere_counts_where_the_model_generated_nothing(counted) -> None:
    model, count = counted
    model(input_ids=IDS)
    assert count.rollout_flops(COST, 30.0) == pytest.approx(COST.train_flops(6, 5) / 3)
    with torch.no_grad():
        model(input_ids=IDS, use_cache=True)
    assert count.rollout_flops(COST, 30.0) == pytest.approx(3 * COST.prefill_flops(5))


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")  # between PEFT and transformers
def test_a_model_with_an_adapter_is_counted_on_both_of_its_ways(make_model, tokenizer) -> None:
    """PEFT trains past the hooks of the inner model, and generates past those of the outer one."""
    peft = pytest.importorskip("peft")
    lora = peft.LoraConfig(target_modules=["c_attn"], task_type="CAUSAL_LM", fan_in_fan_out=True)
    model = peft.get_peft_model(make_model(), lora)
    count = TokenCount()
    count.attach(model.train(), ends=end_tokens(model, tokenizer))
    ids = torch.tensor([[4, 5, 3], [5, 6, 3]])
    model(input_ids=ids, labels=ids)
    with torch.no_grad():
        model(input_ids=ids)
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=3, min_new_tokens=3)
    assert count.so_far == (6, 2, 2)
    drawn = COST.prefill_flops(3) + COST.decode_flops(3, 1) + COST.decode_flops(4, 1)
    assert count.rollout_flops(COST) == pytest.approx(2 * drawn + 2 * COST.train_flops(1, 3) / 3)
    count.detach()
    assert not model.get_base_model()._forward_pre_hooks
