"""A reward function that remembers what it said in an evaluation; `test_grpo` has it in a real trainer."""

from types import SimpleNamespace
from typing import Any

import pytest

from breakeven.adapters.rewards import Evaluated, RecordedReward, asked_of_trainer, num_tokens
from breakeven.errors import ArgumentError
from breakeven.records import Problem
from breakeven.records.agree import SameText

CHAT = [{"role": "user", "content": "2 + 2"}]
PROBLEMS = (Problem(id="0", prompt="1 + 1"), Problem(id="1", prompt="2 + 2"))


def number(completions, **_):
    return [None if each == "?" else float(each) for each in completions]


@pytest.fixture
def rewards():
    evaluated = Evaluated(
        problems=PROBLEMS, prompt_tokens_P=(3, 5), num_samples=2, temperature=0.7, seed=1, answers=SameText(str)
    )
    rewards = RecordedReward(number, threshold=2.0)
    rewards.watch(SimpleNamespace(training=False), evaluated)
    return rewards


def test_it_says_what_the_function_says_and_is_called_as_it_is() -> None:
    rewards = RecordedReward(number, threshold=1)
    assert rewards(completions=["1", "?"]) == [1.0, None]
    assert rewards.__name__ == "number"

    class Rewards:
        def __call__(self, completions):
            return [1.0] * len(completions)

    own = RecordedReward(Rewards(), threshold=1)
    assert (own.__name__, own(["a"])) == ("Rewards", [1.0])


def test_an_evaluation_is_a_bank_by_prompt_without_what_filled_up_a_batch(rewards) -> None:
    rewards(
        prompts=["1 + 1", CHAT, "1 + 1", CHAT, "1 + 1"],
        completions=["2", "1", "?", "2.5", "3"],
        completion_ids=[[7], [7, 7], [7], [7, 7, 7], [7]],
    )
    bank = rewards.bank(rewards.taken())
    assert bank.correct_PN == ("1?", "01")
    assert bank.output_tokens_PN == ((1, 1), (2, 3))
    assert bank.answer_PN == ("01", "01")
    assert (bank.prompt_tokens, bank.output_tokens, bank.num_prefills) == (8, 7, 4)
    assert (bank.greedy_correct_P, bank.temperature, bank.oracle) == ("", 0.7, False)
    with pytest.raises(ArgumentError, match=r"^rewards must be asked in each evaluation; got 'none'\."):
        rewards.bank(rewards.taken())


def test_rewards_that_are_read_once_are_there_for_the_trainer_too() -> None:
    rewards = RecordedReward(lambda completions, **_: map(float, completions), threshold=1)
    rewards.watch(SimpleNamespace(training=False))
    given = {"prompts": ["1 + 1", CHAT], "completions": ["2", "4"], "completion_ids": [[7], [7]]}
    assert list(rewards(**given)) == [2.0, 4.0]
    assert [each.reward for each in rewards.taken()] == [2.0, 4.0]


def test_in_training_and_afterwards_nothing_is_remembered(rewards) -> None:
    given = {"prompts": ["1 + 1"], "completions": ["2"], "completion_ids": [[7]]}
    rewards.watch(SimpleNamespace(training=True))
    rewards(**given)
    rewards.watch(None)
    rewards(**given)
    assert rewards.taken() == []


def test_a_prompt_that_is_not_of_the_evaluation_set_is_refused(rewards) -> None:
    rewards(prompts=["3 + 3"], completions=["6"], completion_ids=[[7]])
    with pytest.raises(ArgumentError, match=r"^eval_dataset must stay the same in a run; got .*'3 \+ 3'"):
        rewards.bank(rewards.taken())


async def later(completions):
    return []


@pytest.mark.parametrize(
    ("reward", "threshold", "message"),
    [
        ("model-of-rewards", 1.0, r"^reward must be a function that returns rewards itself; got 'model-of-rewards'"),
        (SimpleNamespace(forward=number), 1.0, r"^reward must be a function"),
        (later, 1.0, r"^reward must be a function"),
        (RecordedReward, 1.0, r"^reward must be a function"),
        (number, float("nan"), r"^threshold must be finite; got nan"),
    ],
)
def test_what_cannot_be_recorded_is_refused(reward: Any, threshold: float, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        RecordedReward(reward, threshold=threshold)


class Data(list):
    column_names = ("prompt",)


@pytest.mark.parametrize("data", [None, [], {"one": Data()}, Data([{"prompt": "a"}])])
def test_an_evaluation_set_without_prompts_in_rows_is_refused(rewards, data: Any) -> None:
    args = SimpleNamespace(eval_strategy=SimpleNamespace(value="steps"))
    trainer = SimpleNamespace(reward_funcs=[rewards], eval_dataset=data, processing_class=None)
    with pytest.raises(ArgumentError, match=r"^eval_dataset must be one Dataset with a column prompt; got "):
        asked_of_trainer(rewards, args, trainer, tokenizer=None, answers=None)


def test_messages_are_counted_through_the_chat_template(tokenizer) -> None:
    import copy

    chat = copy.deepcopy(tokenizer)
    chat.chat_template = "{% for each in messages %}{{ each.content }} = {% endfor %}"
    assert num_tokens(chat, "a b") == 2
    assert num_tokens(chat, [{"role": "user", "content": "a b"}]) == 3
