"""Searches in an evaluation: recorded problem by problem, never run twice, priced, chosen by each rule."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, CheckFailedError
from breakeven.eval.prices import Costs
from breakeven.eval.search import SearchSettings, measure_search, run_search
from breakeven.records import Completion, Draw, Prefix, Problem, Reward, SegmentRule
from breakeven.store import SampleFile, SamplesHeader
from breakeven.ttc.strategies.named import STRATEGIES, strategies_of
from breakeven.ttc.strategies.strategy import Need, Tools

HEADER = SamplesHeader(versions={}, model="m", task="t", temperature=0.8, seed=0, max_tokens=4, settings={})
COST = ModelCost(body_params=10)


class Sums:
    """A task of two problems whose answer is the last word."""

    name = "sums"
    max_tokens = 4
    stop = ()
    problems = (
        Problem(id="a", prompt="1 + 1", reference="2"),
        Problem(id="b", prompt="1 + 2", reference="3"),
    )

    def extract(self, completion: str) -> str | None:
        return completion.split()[-1] if completion.split() else None

    def canonical(self, answer: str) -> str:
        return answer

    def equivalent(self, answer: str, other: str) -> bool:
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        return self.extract(completion) == problem.reference


class Chat:
    """Says 2, and in every later attempt 3; it has seen no reference."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        assert all(each.reference is None for each in problems)
        self.prompts += [each.prompt for each in problems]
        return [
            Draw(
                prompt_tokens=len(each.prompt.split()),
                completions=(Completion(text="it is 3" if "Attempt" in each.prompt else "it is 2", output_tokens=4),)
                * num_samples,
            )
            for each in problems
        ]


class Likes:
    """Rewards an answer of 3."""

    kind: Literal["process"] = "process"

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        return [Reward(value=float(each.text.endswith("3")), read_tokens=5) for each in prefixes]


def search(
    file: SampleFile, sampler: Chat, k: int = 2, *, task: Sums | None = None, scored: bool = False, name: str = ""
) -> None:
    """A revision, recorded under the reward model's name."""
    reward_model = Likes() if scored else None
    run_search(
        file,
        task or Sums(),
        strategies_of(["revision"])[0],
        k,
        label=f"revision {name}".strip(),
        tools=Tools(sampler=sampler, temperature=0.8, reward_model=reward_model),
    )


def measured(file: SampleFile, k: int, costs: Costs, *, task: Sums | None = None, scored: bool = False) -> list[Any]:
    has = [Need.REVISIONS, *([Need.REWARDS] if scored else [])]
    strategies = strategies_of(["revision"], has=has)
    label = SearchSettings().label(strategies[0], "likes" if scored else None)
    return list(measure_search(file, task or Sums(), strategies, k, label=label, costs=costs))


def test_revisions_are_measured_by_each_rule_and_priced(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        chat = Chat()
        search(file, chat, k=3)
        assert "Attempt 2:\nit is 3" in chat.prompts[-1]
        assert len(chat.prompts) == 6
        rows = {each.strategy: each for each in measured(file, 3, Costs(model=COST))}
    assert rows.keys() == {"revision/last", "revision/majority_vote"}
    assert (rows["revision/last"].accuracy, rows["revision/majority_vote"].accuracy) == (0.5, 0.5)
    last = rows["revision/last"]
    assert last.output_tokens == 12
    assert last.reward_flops == 0.0
    assert last.model_flops is not None
    assert last.model_flops_unshared is not None
    assert last.model_flops_unshared > last.model_flops


class Unsure(Sums):
    """Cannot check a 3."""

    def check(self, problem: Problem, completion: str) -> bool:
        if completion.endswith("3"):
            raise CheckFailedError("crashed")
        return super().check(problem, completion)


def test_candidates_that_could_not_be_checked_are_wrong_beside(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat(), k=3, task=Unsure())
        rows = {each.strategy: each for each in measured(file, 3, Costs(model=COST), task=Unsure())}
    vote = rows["revision/majority_vote"]
    assert (vote.accuracy, vote.accuracy_unknown_wrong) == (0.5, 0.0)


def test_with_a_reward_model_the_best_attempt_can_be_chosen(tmp_path: Path) -> None:
    costs = Costs(model=COST, reward=ModelCost(body_params=7))
    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat(), scored=True, name="likes")
        rows = measured(file, 2, costs, scored=True)
        unknown = measured(file, 2, Costs(model=COST), scored=True)
        free = measured(file, 2, Costs(model=None), scored=True)
    rules = ["last", "majority_vote", "best_of_n", "weighted_vote"]
    assert [each.strategy for each in rows] == [f"revision/{rule}" for rule in rules]
    assert rows[2].reward_flops
    assert unknown[0].reward_flops is None
    assert free[0].model_flops is None


def test_a_search_that_is_there_is_not_run_again(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat())
    with SampleFile(tmp_path, HEADER) as file:
        again = Chat()
        search(file, again)
        assert not again.prompts
        search(file, again, k=1)
        assert len(again.prompts) == 2, "another K is another search"


def test_a_corrected_gold_answer_grades_again_and_searches_no_more(tmp_path: Path) -> None:
    class Corrected(Sums):
        problems = (Problem(id="a", prompt="1 + 1", reference="2"), Problem(id="b", prompt="1 + 2", reference="2"))

    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat(), k=1)
        chat = Chat()
        search(file, chat, k=1, task=Corrected())
        assert not chat.prompts
        rows = measured(file, 1, Costs(model=COST), task=Corrected())
    assert rows[0].accuracy == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, "--width must be at least 1; got 0"),
        ({"segments": SegmentRule(max_tokens=0)}, "--step-tokens must be at least 1; got 0"),
    ],
)
def test_settings_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        SearchSettings(**changes)


def test_a_search_is_found_under_the_words_it_was_recorded_with() -> None:
    first = {each.search: each for each in STRATEGIES.values() if each.search}
    settings = SearchSettings(width=4, segments=SegmentRule(ends=("+",), max_tokens=8, max_segments=3))
    assert {name: settings.label(each, "s") for name, each in first.items()} == {
        "beam_search": "beam_search width=4 steps='+'/8/3 s",
        "dvts": "dvts width=4 steps='+'/8/3 s",
        "rebase": "rebase steps='+'/8/3 s",
        "revision": "revision s",
    }
    assert settings.label(first["revision"], None) == "revision"
