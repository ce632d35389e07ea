"""Every kind of reward model by its name."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakeven.config import RunConfig
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.eval.models import LoadedModel, ModelOptions, load_model
from breakeven.eval.reward_sources import load_reward_source
from breakeven.eval.run import RewardSource, evaluate_model
from breakeven.records import Completion, Draw, Prefix, Problem

NONE = ModelOptions()
COST = ModelCost(body_params=0.5)
PREFIXES = [Prefix(problem=Problem(id="p", prompt="1 + 2 ="), text=text) for text in ("3", "4")]


class Yes:
    """Says yes, and notes the problems."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def sample(self, problems: Any, num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        self.prompts += [each.prompt for each in problems]
        yes = (Completion(text="Verdict: yes", output_tokens=3),) * num_samples
        return [Draw(prompt_tokens=7, completions=yes) for _ in problems]


def policy_of(sampler: Any, asked: list[int] | None = None) -> LoadedModel:
    def sampler_of(max_tokens: int, stop: tuple[str, ...]) -> Any:
        if asked is not None:
            asked.append(max_tokens)
        return sampler

    return LoadedModel(name="m", sampler_of=sampler_of, cost=COST, settings={})


def load(
    spec: str | None, policy: LoadedModel | None = None, options: ModelOptions = NONE, verdicts: int = 2
) -> RewardSource:
    reward_source = load_reward_source(spec, policy or policy_of(Yes()), options, num_verdicts=verdicts, seed=1)
    assert reward_source is not None
    return reward_source


def test_no_name_is_no_reward_model() -> None:
    assert load_reward_source(None, policy_of(Yes()), NONE, num_verdicts=1, seed=0) is None


@pytest.mark.parametrize(("kind", "max_tokens"), [("verdict", 2), ("judge", 512)])
def test_the_model_judges_itself(kind: str, max_tokens: int) -> None:
    sampler, asked = Yes(), list[int]()
    reward_source = load(kind, policy_of(sampler, asked))
    assert (reward_source.name, reward_source.cost, reward_source.num_verdicts) == (f"{kind}:m:2", COST, 2)
    assert asked == [max_tokens]
    rewards = reward_source.reward_model.score(PREFIXES)
    assert [(each.value, each.verdicts, each.read_tokens, each.output_tokens) for each in rewards] == [
        (1.0, "11", 7, 6)
    ] * 2
    assert ("step by step" in sampler.prompts[0]) == (kind == "judge")


def test_another_model_judges(tiny_hf: Path, tmp_path: Path) -> None:
    policy = ModelOptions(served_name="gpt", chat=False, system="Solve.", journal=tmp_path / "journal.jsonl")
    reward_source = load(f"verdict:{tiny_hf}", options=policy)  # those of the policy are not the judge's
    assert re.fullmatch(r"verdict:tiny-llama-[0-9a-f]{8}:2", reward_source.name), "judges of one name are told apart"
    assert reward_source.cost == load_model(str(tiny_hf), NONE).cost != COST
    rewards = reward_source.reward_model.score(PREFIXES)
    assert [len(each.verdicts) for each in rewards] == [2, 2]
    assert all(0.0 <= each.value <= 1.0 and each.read_tokens > 20 for each in rewards)


def test_a_server_judges(serve) -> None:
    pytest.importorskip("httpx2")
    server = serve("judge-7b")
    reward_source = load(f"verdict:{server.url}", options=ModelOptions(device="cuda:0"))  # of the policy
    assert reward_source.name.startswith("verdict:judge-7b-")
    assert reward_source.cost is None
    assert [each.verdicts for each in reward_source.reward_model.score(PREFIXES)] == ["11", "11"]


def test_a_sequence_classifier(save_classifier: Callable[[Path, int], Path], tmp_path: Path) -> None:
    reward_source = load(str(save_classifier(tmp_path / "a" / "reward", 0)))
    assert reward_source.name.startswith("reward:")
    assert reward_source.num_verdicts == 0
    assert reward_source.cost is not None
    assert reward_source.cost.head_params == 16
    values = [each.value for each in reward_source.reward_model.score(PREFIXES)]
    assert all(0.0 < each < 1.0 for each in values)
    assert values[0] != values[1]
    other = load(str(save_classifier(tmp_path / "b" / "reward", 1)))
    assert other.name.startswith("reward:")
    assert other.name != reward_source.name, "rewards of other weights must not be mixed with them"


def test_a_trained_reward_model(tiny_run: Path, tiny_config: RunConfig, tmp_path: Path) -> None:
    from breakeven.train.reward_model.files import save_reward_model
    from breakeven.train.reward_model.fit import RewardModelSettings
    from breakeven.train.reward_model.train import train_reward_model

    task = tiny_config.task
    problems = task.problems("train", 40)
    graded = []
    for each in problems:
        a, b = each.prompt.split()[:2]
        texts = [f"{a} {operator} {b}" for operator in "+-*"]
        graded += [(each, text, task.check(each, text)) for text in texts]
    trained = train_reward_model(
        graded, task, tiny_config.model.shape_for(task), settings=RewardModelSettings(epochs=1)
    )
    save_reward_model(tmp_path / "reward-model", trained, task)
    reward_source = load(str(tmp_path / "reward-model"))
    assert reward_source.name.startswith("reward-model:")
    assert (reward_source.cost, reward_source.reward_model.kind, reward_source.num_verdicts) == (
        trained.cost,
        "process",
        0,
    )

    from breakeven.data.reference import ReferenceProblems

    def evaluate(split: Any, directory: Path) -> Any:
        return evaluate_model(
            load_model(str(tiny_run), NONE),
            ReferenceProblems(task=task, split=split, count=3),
            directory,
            strategies=["best_of_n", "weighted_vote"],
            k_values=[1, 4],
            num_samples=4,
            temperature=1.0,
            reward_source=reward_source,
        )

    rows = evaluate("test", tmp_path / "bank").measurements
    assert [(each.strategy, each.k) for each in rows] == [
        (name, k) for name in ("best_of_n", "weighted_vote") for k in (1, 4)
    ]
    assert all(each.reward_flops > 0 and each.deployable for each in rows)
    with pytest.raises(ArgumentError, match="train"):
        evaluate("train", tmp_path / "seen")


@pytest.mark.parametrize("spec", ["", "nonsense", "judges", "judging:m", "."])
def test_what_is_no_reward_model_is_refused(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ArgumentError, match="--reward-model must be judge, verdict, either with :MODEL, or the directory"
    ):
        load(spec)


def test_a_causal_model_and_a_judge_that_is_not_there_are_refused(tiny_hf: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="MODEL must be the URL of a server"):
        load(f"judge:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ArgumentError, match="path must hold a sequence classifier and its tokenizer"):
        load(str(tmp_path))
    with pytest.raises(ArgumentError, match=r"path must hold a sequence .*: it is no classifier"):
        load(str(tiny_hf))
    with pytest.raises(ArgumentError, match="num_verdicts must be at least 1"):
        load("judge", verdicts=0)
