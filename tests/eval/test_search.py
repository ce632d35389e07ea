"""Searches in an evaluation: recorded problem by problem, never run twice, priced, chosen by each rule."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.eval.measure import Costs
from breakeven.eval.search import SearchSettings, measure_search, run_search
from breakeven.records import Completion, Draw, Prefix, Problem, Reward, SegmentRule
from breakeven.store import SampleFile, SamplesHeader

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


def search(file: SampleFile, sampler: Chat, strategy: str = "revision", k: int = 2, scored: bool = False) -> None:
    run_search(
        file,
        sampler,
        Sums(),
        strategy,
        k,
        settings=SearchSettings(),
        reward_model=Likes() if scored else None,
        reward_source="likes" if scored else None,
        temperature=0.8,
        seed=0,
    )


def test_revisions_are_measured_by_each_rule_and_priced(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        chat = Chat()
        search(file, chat, k=3)
        assert "Attempt 2:\nit is 3" in chat.prompts[-1]
        assert len(chat.prompts) == 6
        rows = {
            each.strategy: each
            for each in measure_search(
                file, Sums(), "revision", 3, settings=SearchSettings(), reward_source=None, costs=Costs(policy=COST)
            )
        }
    assert rows.keys() == {"revision/last", "revision/vote"}
    assert (rows["revision/last"].accuracy, rows["revision/vote"].accuracy) == (0.5, 0.5)
    last = rows["revision/last"]
    assert last.output_tokens == 12
    assert last.reward_flops == 0.0
    assert last.model_flops is not None
    assert last.model_flops_unshared is not None
    assert last.model_flops_unshared > last.model_flops


def test_with_a_reward_model_the_best_attempt_can_be_chosen(tmp_path: Path) -> None:
    costs = Costs(policy=COST, verifier=ModelCost(body_params=7))
    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat(), scored=True)
        rows = measure_search(
            file, Sums(), "revision", 2, settings=SearchSettings(), reward_source="likes", costs=costs
        )
        unknown = measure_search(
            file, Sums(), "revision", 2, settings=SearchSettings(), reward_source="likes", costs=Costs(policy=COST)
        )
        free = measure_search(
            file, Sums(), "revision", 2, settings=SearchSettings(), reward_source="likes", costs=Costs(policy=None)
        )
    assert [each.strategy.partition("/")[2] for each in rows] == ["last", "vote", "naive", "weighted"]
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


def test_what_a_search_needs_is_said(tmp_path: Path) -> None:
    with SampleFile(tmp_path, HEADER) as file:
        with pytest.raises(ArgumentError, match="search only models that can go on from a beginning; got 'dvts'"):
            search(file, Chat(), "dvts", scored=True)

        class Steps(Chat):
            def extend(
                self,
                prefixes: Sequence[Prefix],
                num_samples: int,
                *,
                segments: SegmentRule,
                temperature: float,
                seed: int,
            ) -> list[Draw]:
                raise AssertionError

        with pytest.raises(ArgumentError, match="--reward-model must be given for rebase"):
            search(file, Steps(), "rebase")


def test_a_corrected_gold_answer_grades_again_and_searches_no_more(tmp_path: Path) -> None:
    class Corrected(Sums):
        problems = (Problem(id="a", prompt="1 + 1", reference="2"), Problem(id="b", prompt="1 + 2", reference="2"))

    with SampleFile(tmp_path, HEADER) as file:
        search(file, Chat(), k=1)
        chat = Chat()
        run_search(
            file,
            chat,
            Corrected(),
            "revision",
            1,
            settings=SearchSettings(),
            reward_model=None,
            reward_source=None,
            temperature=0.8,
            seed=0,
        )
        assert not chat.prompts
        rows = measure_search(
            file, Corrected(), "revision", 1, settings=SearchSettings(), reward_source=None, costs=Costs(policy=COST)
        )
    assert rows[0].accuracy == 1.0


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        (SearchSettings(width=0), "process", "--width must be at least 1; got 0"),
        (SearchSettings(segments=SegmentRule(max_tokens=0)), "process", "--step-tokens must be at least 1; got 0"),
        (SearchSettings(width=3), "process", "--k must hold a multiple of --width 3 for dvts"),
        (SearchSettings(), "outcome", "--reward-model must judge beginnings of solutions for dvts"),
    ],
)
def test_a_search_that_cannot_be_had_is_refused_at_once(settings: SearchSettings, kind: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings.check(["greedy", "dvts"], [1, 2, 4], kind)
    settings.check(["greedy", "revision"], [1], kind)


def test_sizes_are_multiples_of_the_width_where_there_is_one() -> None:
    settings = SearchSettings(width=4)
    assert settings.sizes("dvts", [1, 2, 4, 8]) == [4, 8]
    assert settings.sizes("rebase", [1, 2, 4, 8]) == [1, 2, 4, 8]
    labels = {settings.label(each, "s") for each in ("dvts", "beam_search", "rebase", "revision")}
    assert len(labels) == 4
    assert SearchSettings(width=2).label("dvts", "s") not in labels
