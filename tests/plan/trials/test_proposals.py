"""A language model that proposes: charged, never trusted, never required."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2")

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.eval.models import LoadedModel
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Refusal
from breakeven.plan.trials.method import run_trials
from breakeven.plan.trials.proposals import Proposals, proposer_at
from breakeven.plan.trials.space import Configuration, Space, boolean, categorical, integers
from breakeven.records import Completion, Draw
from breakeven.records.options import Quality
from breakeven.sampling.served import asking
from breakeven.store import CELLS_NAME, CellFile, PlanHeader

SPACE = Space(
    choices=(categorical("model", "small", "large"), integers("samples", 1, 9), boolean("fuse")),
    price=lambda each: float(each["samples"]) * (3.0 if each["model"] == "large" else 1.0),
    budget=9.0,
)
COST = ModelCost(body_params=1e9)
GOOD = {"model": "small", "samples": 4, "fuse": True}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)


def evaluate(each: Configuration) -> Evaluation:
    return Evaluation(quality=Quality(value=0.1 * float(each["samples"]) + 0.05 * bool(each["fuse"])), flops=100.0)


def says(*texts: str) -> Callable[[], LoadedModel]:
    """A model that says these texts, one a call, and the last one again and again: 50 tokens read and 10 written."""
    left = list(texts)

    class Sampler:
        prompts: list[str] = []  # noqa: RUF012

        def sample(self, problems: Any, num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
            self.prompts.append(problems[0].prompt)
            text = left.pop(0) if len(left) > 1 else left[0]
            return [Draw(prompt_tokens=50, completions=(Completion(text=text, output_tokens=10),))]

    sampler = Sampler()
    model = LoadedModel(name="said", sampler_of=lambda most, stop: sampler, cost=COST, settings={})
    says.prompts = sampler.prompts  # type: ignore[attr-defined]
    return lambda: model


def run(model: Callable[[], LoadedModel], *, num_trials: int = 6, **options: Any) -> Archive:
    method = Proposals(SPACE, model, seed=0, **options)
    return run_trials(SPACE, evaluate, method, num_trials=num_trials, cells=options.get("cells"), seed=0)


# -- what it says -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([GOOD]),
        json.dumps(GOOD),
        f"<think>Is [it] {{this}}?</think>\nI propose:\n```json\n[{json.dumps(GOOD)}]\n```\nDone.",
        json.dumps([{**GOOD, "samples": "4", "fuse": "True", "why": "it is cheap"}]),
        json.dumps([GOOD | {"samples": 4.0}]),
    ],
)
def test_proposals_are_read_whatever_stands_around_them(text: str) -> None:
    archive = run(says(text), num_trials=1)
    (trial,) = archive.trials
    assert trial.configuration == GOOD
    assert type(trial.configuration["samples"]) is int
    assert trial.proposed_by == "proposals"
    assert not archive.refused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot help with that.",
        "[" * 3000,
        json.dumps([1, "two", None]),
        json.dumps({"model": "small"}),
        json.dumps([GOOD | {"model": "huge"}]),
        json.dumps([GOOD | {"samples": 4.5}]),
        json.dumps([GOOD | {"samples": [4]}]),
        json.dumps([GOOD | {"fuse": 1}]),
        '[{"model": "small", "samples": NaN, "fuse": true}]',
        '[{"model": "small", "samples": 1' + "0" * 5000 + ', "fuse": true}]',
    ],
)
def test_nonsense_is_counted_and_the_trials_go_on_at_random(text: str) -> None:
    archive = run(says(text), num_trials=4, most_in_vain=2)
    assert [each.proposed_by for each in archive.trials] == ["random"] * 4
    assert archive.proposer.calls == archive.proposer.failed_calls == 2  # it is not asked again
    assert archive.refused == {Refusal.INVALID: 2}
    assert archive.proposer.output_tokens == 20  # nonsense is paid for


def test_a_proposer_that_repeats_itself_or_breaks_the_budget_is_refused_and_left() -> None:
    archive = run(says(json.dumps([GOOD, {"model": "large", "samples": 9, "fuse": False}])), num_trials=5)
    assert [each.proposed_by for each in archive.trials] == ["proposals", *["random"] * 4]
    assert archive.proposer.calls == 4
    assert archive.refused == {Refusal.OVER_BUDGET: 4, Refusal.REPEATED: 3}


def test_something_new_is_heard_again() -> None:
    new = [json.dumps([GOOD | {"samples": samples}]) for samples in (1, 2, 3, 4)]
    archive = run(says(new[0], "?", "?", new[1], "?", "?", new[2], new[3]), num_trials=4)
    assert [each.configuration["samples"] for each in archive.trials] == [1, 2, 3, 4]
    assert archive.proposer.calls == 8


def test_the_prompt_shows_choices_budget_and_the_best_trials() -> None:
    run(says(json.dumps([GOOD]), json.dumps([GOOD | {"fuse": False}])), num_trials=2, hints="Fusing helps.")
    first, second = says.prompts  # type: ignore[attr-defined]
    assert '- "model": "small", "large"\n- "samples": whole numbers from 1 to 9\n- "fuse": false, true' in first
    assert "A query may cost at most 9 FLOPs.\nFusing helps.\nNothing was tried yet." in first
    assert f"Tried so far, the best first:\n{json.dumps(GOOD)} has quality 0.4500 and costs 4 FLOPs" in second


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_tokens_are_charged() -> None:
    """50 tokens read and 9 fed back, 2 FLOPs a parameter each; trials of 100 FLOPs are nothing beside that."""
    archive = run(says(json.dumps([GOOD])), num_trials=1)
    assert (archive.proposer.prompt_tokens, archive.proposer.output_tokens) == (50, 10)
    assert archive.proposer.flops == 2e9 * 59
    assert archive.flops == 2e9 * 59 + 100.0


def test_flops_of_a_proposer_count_towards_the_limit() -> None:
    texts = [json.dumps([GOOD | {"samples": samples}]) for samples in range(1, 9)]
    method = Proposals(SPACE, says(*texts), seed=0)
    archive = run_trials(SPACE, evaluate, method, num_trials=9, most_flops=2 * 2e9 * 59)
    assert archive.proposer.calls == 2
    assert len(archive.trials) == 1  # the second call spent the rest


# -- a server ---------------------------------------------------------------------------------------------------------


def reply(text: str) -> tuple[int, object]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return 200, {"choices": [choice], "usage": {"prompt_tokens": 40, "completion_tokens": 12}}


def test_any_server_proposes_and_a_resumed_plan_asks_it_nothing(json_server: Any, tmp_path: Path) -> None:
    count = iter(range(1, 100))
    server = json_server(lambda request: reply(json.dumps([GOOD | {"samples": next(count)}])))

    def planned(directory: Path, model: Callable[[], LoadedModel], num_trials: int) -> Archive:
        cells = Cells(file=CellFile(directory, PlanHeader(versions={}, row="trials", settings={})))
        with cells.file:
            return run(model, num_trials=num_trials, cells=cells)

    model = proposer_at(server.url)
    planned(tmp_path / "cut", model, 1)
    found = planned(tmp_path / "cut", model, 3)
    assert [each.configuration["samples"] for each in found.trials] == [1, 2, 3]
    assert len(server.requests) == 3
    assert server.requests[0]["messages"][0]["content"].startswith("Find the configuration")
    assert (found.proposer.prompt_tokens, found.proposer.output_tokens) == (120, 36)
    assert found.proposer.flops is None  # nobody said what a token costs
    again = planned(tmp_path / "cut", lambda: pytest.fail("it was asked"), 3)
    assert again.trials == found.trials
    count = iter(range(1, 100))
    planned(tmp_path / "whole", model, 3)
    assert (tmp_path / "whole" / CELLS_NAME).read_bytes() == (tmp_path / "cut" / CELLS_NAME).read_bytes()


def test_a_server_whose_model_is_described_is_charged(json_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 tokens read and 11 fed back, 2 FLOPs a parameter each."""
    monkeypatch.setenv("MY_KEY", "secret")
    server = json_server(lambda request: reply(json.dumps([GOOD])), models=("one", "two"))
    found = run(proposer_at(server.url, served_name="two", api_key_env="MY_KEY", params=7e9), num_trials=1)
    assert found.proposer.flops == 2 * 7e9 * 51
    assert server.requests[0]["model"] == "two"


@pytest.mark.parametrize("listed", [True, False])
def test_a_server_that_is_down_is_left_and_the_trials_go_on(json_server: Any, listed: bool) -> None:
    server = json_server(lambda request: (503, {"error": {"message": "overloaded"}}))
    url = server.url if listed else "http://127.0.0.1:9/v1"  # where nobody listens
    archive = run(proposer_at(url), num_trials=3, most_in_vain=1)
    assert [each.proposed_by for each in archive.trials] == ["random"] * 3
    assert (archive.proposer.calls, archive.proposer.failed_calls) == (1, 1)
    assert (archive.proposer.prompt_tokens, archive.proposer.flops) == (0, 0.0)
    assert not archive.refused


def test_what_the_user_has_to_change_is_raised(json_server: Any) -> None:
    server = json_server(lambda request: reply("[]"), models=("one", "two"))
    with pytest.raises(ArgumentError, match="--served-name must name one of the served models: one, two"):
        run(proposer_at(server.url))
    for wrong in ({"batch": 0}, {"most_in_vain": 0}):
        with pytest.raises(ArgumentError, match=f"{next(iter(wrong))} must be a whole number"):
            Proposals(SPACE, says(""), seed=0, **wrong)  # type: ignore[arg-type]
