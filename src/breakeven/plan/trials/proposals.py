"""Proposals by a language model behind any OpenAI-compatible server: its tokens charged, its nonsense refused."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from breakeven import check
from breakeven.cost.query import sampling_flops
from breakeven.cost.tokens import ModelCost
from breakeven.errors import SamplerError
from breakeven.eval.models import LoadedModel, ModelOptions, load_model
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Refusal, Trial
from breakeven.plan.trials.space import Choice, Configuration, Space
from breakeven.records import Problem
from breakeven.records.options import Setting

_SHOWN: Final = 30
"""Trials that the model is shown, the best of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What one call gave, as it is kept: no text of the model's."""

    configurations: tuple[dict[str, Setting], ...] = ()
    invalid: int = 0
    """Proposals that are no configuration of the space; 1 where nothing could be read at all."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    flops: float | None = 0.0
    """None: nobody said what a token costs."""
    is_down: bool = False
    """The server gave nothing."""


class Proposals:
    """A language model is shown the space and the best trials, and asked for the next.

    What is invalid, repeated or over the budget is refused and counted. After some calls in a row that gave nothing new
    it is not asked again, and the trials go on at random. So it is never required, and an outage costs no plan.

    Args:
        space: what there is to choose.
        model: loads what is asked, when it is first asked: `proposer_at(URL)`.
        seed: of its samples.
        batch: configurations asked for in a call.
        temperature: of its samples.
        max_tokens: of an answer.
        most_in_vain: calls in a row that may give nothing new.
        hints: sentences on what is known of the choices.
        cells: where its answers are kept, so that a plan that is resumed has the same; None: nowhere.
        key: what the keys of these cells begin with.

    Counted:
        Reading the prompt and writing the answer, of every call, where the cost of a token is known.
    """

    name: Final = "proposals"

    def __init__(
        self,
        space: Space,
        model: Callable[[], LoadedModel],
        *,
        seed: int,
        batch: int = 4,
        temperature: float = 0.7,
        max_tokens: int = 1024,
        most_in_vain: int = 3,
        hints: str = "",
        cells: Cells | None = None,
        key: str = "proposals",
    ) -> None:
        check.whole("batch", batch, 1)
        check.whole("most_in_vain", most_in_vain, 1)
        self._space, self._model, self._seed = space, model, seed
        self._batch, self._temperature, self._max_tokens = batch, temperature, max_tokens
        self._most_in_vain, self._hints, self._cells, self._key = most_in_vain, hints, cells, key
        self._loaded: LoadedModel | None = None
        self._in_vain = 0

    def ask(self, archive: Archive) -> Sequence[Configuration]:
        """What the model proposes; empty where it proposes nothing, or is not asked any more."""
        if self._in_vain >= self._most_in_vain:
            return []
        number = archive.proposer.calls + 1
        prompt = self._prompt(archive)
        if self._cells is None:
            proposed = self._ask(prompt, number)
        else:
            proposed = self._cells.of(f"{self._key} {number}", Proposed, lambda: self._ask(prompt, number))
        self._charge(archive, proposed)
        is_new = any(archive.refusal(each) is None for each in proposed.configurations)
        self._in_vain = 0 if is_new else self._in_vain + 1
        return proposed.configurations

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """Nothing is kept: the next prompt shows the archive."""

    def _charge(self, archive: Archive, proposed: Proposed) -> None:
        bill = archive.proposer
        bill.calls += 1
        bill.failed_calls += not proposed.configurations
        bill.prompt_tokens += proposed.prompt_tokens
        bill.output_tokens += proposed.output_tokens
        bill.flops = None if bill.flops is None or proposed.flops is None else bill.flops + proposed.flops
        if proposed.invalid:
            archive.refused[Refusal.INVALID] += proposed.invalid

    def _ask(self, prompt: str, number: int) -> Proposed:
        try:
            self._loaded = self._loaded or self._model()
            sampler = self._loaded.sampler_of(self._max_tokens, ())
            problem = Problem(id=f"{self._key} {number}", prompt=prompt)
            (draw,) = sampler.sample([problem], 1, temperature=self._temperature, seed=self._seed)
        except SamplerError:
            return Proposed(is_down=True)
        (answer,) = draw.completions
        cost = self._loaded.cost
        written = max(1, answer.output_tokens)
        found = [self._read(each) for each in _objects(answer.text)[-self._batch :]]
        return Proposed(
            configurations=tuple(each for each in found if each is not None),
            invalid=found.count(None) if found else 1,
            prompt_tokens=draw.prompt_tokens,
            output_tokens=answer.output_tokens,
            flops=None if cost is None else sampling_flops(cost, draw.prompt_tokens, [written], num_samples=1).total,
        )

    def _read(self, said: dict[str, Any]) -> dict[str, Setting] | None:
        """As the space has it; a number may be written as text."""
        read = {each.name: _value(each, said.get(each.name)) for each in self._space.choices}
        known = {name: value for name, value in read.items() if value is not None}
        return None if len(known) < len(read) else known

    def _prompt(self, archive: Archive) -> str:
        lines = ["Find the configuration with the highest quality. The choices, each with its values:"]
        lines += [f"- {json.dumps(each.name)}: {_values(each)}" for each in self._space.choices]
        if self._space.budget < float("inf"):
            lines.append(f"A query may cost at most {self._space.budget:.6g} FLOPs.")
        lines += [self._hints] if self._hints else []
        lines.append("Tried so far, the best first:" if archive.trials else "Nothing was tried yet.")
        for each in sorted(archive.trials, key=lambda trial: (-trial.quality.value, trial.number))[:_SHOWN]:
            said = json.dumps(dict(each.configuration))
            lines.append(f"{said} has quality {each.quality.value:.4f} and costs {each.price:.4g} FLOPs")
        some = "one configuration" if self._batch == 1 else f"{self._batch} configurations"
        lines.append(f"Propose {some} that were not tried. Answer with a JSON list of such objects and nothing else.")
        return "\n".join(lines)


def proposer_at(
    url: str, *, served_name: str | None = None, api_key_env: str | None = None, params: float | None = None
) -> Callable[[], LoadedModel]:
    """What loads the model of a server, as the settings of a row name it.

    Args:
        url: of an OpenAI-compatible server, up to and including `/v1`.
        served_name: of the model; None: the only one it serves.
        api_key_env: the variable of the environment with the server's key; a key itself is in no setting.
        params: active parameters of the model, to charge its tokens by; None: not known, so that they are in no line.
    """
    options = ModelOptions(served_name=served_name, api_key_env=api_key_env)
    cost = None if params is None else ModelCost(body_params=params)
    return lambda: load_model(url, options, cost=cost)


def _values(choice: Choice) -> str:
    values = choice.values
    if isinstance(values, range):
        return f"whole numbers from {values[0]} to {values[-1]}"
    return ", ".join(map(json.dumps, values))


def _value(choice: Choice, said: object) -> Setting | None:
    if said is None or isinstance(said, dict | list):
        return None
    if choice.has(said):
        return choice.values[choice.values.index(said)]
    return next((each for each in choice.values if str(each) == said), None) if isinstance(said, str) else None


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, those in a list each, whatever stands around them."""
    decoder, found, at = json.JSONDecoder(), list[dict[str, Any]](), 0
    while (at := min((place for sign in "[{" if (place := text.find(sign, at)) >= 0), default=-1)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        except RecursionError:  # and so at every bracket that follows
            break
        found += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
    return found
