"""The reward model that `breakeven eval --reward_source` names."""

import json
import zlib
from dataclasses import replace
from pathlib import Path

from breakeven.errors import argument_error
from breakeven.eval.models import LoadedModel, ModelOptions, load_model, weights_crc32
from breakeven.eval.run import RewardSource
from breakeven.sampling.reward_models.judge import DIRECT_TEMPLATE, TEMPLATE, LMJudge
from breakeven.sampling.served.address import is_url
from breakeven.ttc.strategies.strategy import Need

JUDGES = {"judge": (TEMPLATE, 512), "verdict": (DIRECT_TEMPLATE, 2)}
"""Kinds of generative verifier: what is asked, and the limit of tokens. One checks step by step, one says a word."""


def load_reward_source(
    spec: str | None, policy: LoadedModel, options: ModelOptions, *, num_verdicts: int, seed: int
) -> RewardSource | None:
    """The reward model that `spec` names, None for None.

    Args:
        spec: "judge" (the policy itself reasons and gives a verdict), "verdict" (it says yes or no at once),
            "judge:MODEL" or "verdict:MODEL" (another model, as in `load_model`), the directory of a sequence classifier
            of transformers, or of a reward model that breakeven trained.
        policy: the model that is evaluated.
        options: how models are loaded and asked.
        num_verdicts: V of a judge.
        seed: of its verdicts.

    Raises:
        ArgumentError: nothing of these.
    """
    reward_needs(spec)
    if spec is None:
        return None
    kind, _, other = spec.partition(":")
    if kind in JUDGES:
        template, max_tokens = JUDGES[kind]
        judge = load_model(other, _for_another(other, options)) if other else policy
        return RewardSource(
            name=f"{kind}:{judge.name}{_digest(other, judge) if other else ''}:{num_verdicts}",
            reward_model=LMJudge(
                judge.sampler_of(max_tokens, ()), num_verdicts=num_verdicts, template=template, seed=seed
            ),
            cost=judge.cost,
            num_verdicts=num_verdicts,
        )
    path = Path(spec)
    if (path / "reward_model.json").is_file():
        return _trained(path)
    return _classifier(path, options)


def reward_needs(spec: str | None) -> frozenset[Need]:
    """What there may be for strategies with the reward model that `spec` names, as far as its name tells.

    Raises:
        ArgumentError: a name that `load_reward_source` cannot load.
    """
    if spec is None:
        return frozenset(Need) - {Need.REWARDS, Need.WEIGHTS, Need.BEGINNINGS, Need.VERDICTS}
    if spec.partition(":")[0] in JUDGES:
        return frozenset(Need)
    if not any((Path(spec) / each).is_file() for each in ("reward_model.json", "config.json")):
        directory = "the directory of a sequence classifier or of a trained reward model"
        raise argument_error("--reward-model", f"be judge, verdict, either with :MODEL, or {directory}", spec)
    return frozenset(Need) - {Need.VERDICTS}


def _for_another(spec: str, options: ModelOptions) -> ModelOptions:
    """The options without those that were meant for the model that is judged."""
    device = None if is_url(spec) else options.device
    own = replace(options, served_name=None, chat=None, system=None, adapter=None, device=device)
    return replace(own, api_key=None, api_key_env=None, extra={}, tokenizer=None)


def _digest(spec: str, judge: LoadedModel) -> str:
    """By which two judges of one name are told apart: where they are, their weights and settings."""
    said = json.dumps([spec, judge.settings], sort_keys=True, default=str)
    return f"-{zlib.crc32(said.encode()):08x}"


def _classifier(path: Path, options: ModelOptions) -> RewardSource:
    from breakeven.cost.families import cost_of_config
    from breakeven.sampling.loading import load_classifier
    from breakeven.sampling.reward_models.classifier import SequenceClassifier

    model, tokenizer = load_classifier(str(path), dtype=options.dtype, device=options.device)
    return RewardSource(
        name=_name(path),
        reward_model=SequenceClassifier(model, tokenizer),
        cost=cost_of_config(model.config.to_dict(), num_labels=model.config.num_labels),
    )


def _trained(path: Path) -> RewardSource:
    from breakeven.train.reward_model.files import load_reward_model as load_trained

    saved = load_trained(path)
    return RewardSource(name=_name(path), reward_model=saved.reward_model, cost=saved.cost)


def _name(path: Path) -> str:
    """Recorded with the rewards, so that those of other weights in a directory of the same name are not mixed."""
    return f"{path.resolve().name}:{weights_crc32(path)}"
