"""The trained transformer as a reward model: values at the last token, whatever else is scored."""

import pytest

pytest.importorskip("torch")

import torch

from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError
from breakeven.model.transformer import Transformer
from breakeven.records import Prefix, TransformerShape
from breakeven.sampling.reward_models.transformer import TransformerReward, token_values
from breakeven.testing.reward_conformance import check_reward_model

TASK = Countdown(num_numbers=3, max_number=9, max_target=20)
SHAPE = TransformerShape(
    num_layers=2, embedding=16, num_heads=2, feed_forward=24, vocab_size=TASK.vocab_size, max_tokens=16
)
PREFIXES = [
    Prefix(problem=problem, text=text)
    for problem in TASK.problems("validation", 3)
    for text in ("", "3", "( 3 + 4 )", "( 3 + 4 ) * 2")
]


def make_model() -> Transformer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer(SHAPE)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.4)
        model.head = torch.nn.Linear(SHAPE.embedding, 1)
    return model


def reward(model: torch.nn.Module, max_rows: int = 1024) -> TransformerReward:
    return TransformerReward(model, TASK, max_tokens=SHAPE.max_tokens, max_rows=max_rows)


@pytest.mark.parametrize("max_rows", [1, 5, 1024])
def test_it_keeps_what_every_reward_model_promises(max_rows: int) -> None:
    check_reward_model(reward(make_model(), max_rows), PREFIXES)


def test_the_value_is_that_of_the_text_alone_at_its_last_token() -> None:
    model = make_model()
    rewards = reward(model, 5).score(PREFIXES)
    assert len({each.value for each in rewards}) == len(PREFIXES)
    for prefix, each in zip(PREFIXES, rewards, strict=True):
        tokens = TASK.encode_prompt(prefix.problem) + TASK.encode_text(prefix.text)
        with torch.no_grad():
            expected = model(torch.tensor([tokens]))[0, -1, 0].sigmoid().item()
        assert each.value == pytest.approx(expected, abs=1e-6)
        assert (each.read_tokens, each.output_tokens) == (len(tokens), 0)


def test_what_is_filled_up_on_the_right_is_not_seen() -> None:
    model = make_model()
    short, long = token_values(model, [[3, 4], [3, 4, 5, 6, 7, 8]], max_rows=2)
    assert (len(short), len(long)) == (2, 6)
    torch.testing.assert_close(short, long[:2])


def test_the_state_of_training_is_left_as_it_was() -> None:
    model = make_model()
    model.train()
    model.blocks[0].eval()
    modes = [module.training for module in model.modules()]
    random_state = torch.get_rng_state()
    reward(model).score(PREFIXES)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()


def test_a_failure_leaves_the_mode_as_it_was() -> None:
    model = make_model()
    model.train()
    with pytest.raises(IndexError):
        token_values(model, [[9999]], max_rows=1)
    assert model.training


def test_what_it_cannot_read_is_refused_by_name() -> None:
    problem = PREFIXES[0].problem
    for text, message in (("three", "words of the task; got 'three'"), ("1 + " * 6, "at most 16 tokens; got 18")):
        with pytest.raises(ArgumentError, match=message) as error:
            reward(make_model()).score([Prefix(problem=problem, text=text)])
        assert repr(problem.id) in str(error.value)
    with pytest.raises(ArgumentError, match="max_rows must be at least 1"):
        reward(make_model(), 0)
    assert reward(make_model()).score([]) == []
