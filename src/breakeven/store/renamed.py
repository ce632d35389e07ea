"""Names that records, and strategies in them, had in earlier versions: what was written then is read under today's."""

import re
from typing import Any, Final

from breakeven.names import strategy_name

KINDS: Final = {"bank": "samples"}
"""Kinds of line: earlier name to today's."""

_FIELDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "header": (
        ("plan", "spec"),
        ("config.evaluate.scorer", "reward_model"),
        ("config.evaluate.step_ends", "segment_ends"),
        ("config.evaluate.step_tokens", "segment_tokens"),
    ),
    "checkpoint": (
        ("observation.verifier_flops", "reward_flops"),
        ("decision.k_curve.verifier_flops", "reward_flops"),
        ("decision.k_curve.samples_K", "expected_samples_K"),
        ("decision.serving.samples", "expected_samples"),
    ),
    "observation": (("verifier_flops", "reward_flops"),),
    "evaluation": (
        ("measurements.samples", "expected_samples"),
        ("measurements.policy_flops", "model_flops"),
        ("measurements.policy_flops_unshared", "model_flops_unshared"),
        ("measurements.verifier_flops", "reward_flops"),
    ),
}
"""By kind: where a field was, dots between the names (a list stands for each of its items), and its name now."""
_STRATEGIES: Final[dict[str, tuple[str, ...]]] = {
    "header": ("config.policy.strategies", "policy.strategies"),
    "checkpoint": ("observation.searches.strategy", "decision.k_curve.strategy", "decision.serving.strategy"),
    "observation": ("searches.strategy",),
    "evaluation": ("measurements.strategy",),
}
"""By kind: the fields that hold names of strategies."""
_OLD_RULES: Final = re.compile(rb'/(naive|weighted|vote)"')
_OLD: Final = {
    kind: tuple(f'"{path.rpartition(".")[2]}":'.encode() for path, _ in fields) for kind, fields in _FIELDS.items()
}


def may_be_old(kind: str, data: bytes) -> bool:
    """Whether a line of JSON may hold a name of an earlier version: cheap, and never wrongly False."""
    if kind == "checkpoint" and b'"pass@k"' in data and b'"until_right":' not in data:
        return True
    if kind == "header" and (b'"checker":' not in data or b'"strata":' not in data):
        return True
    if kind in _STRATEGIES and _OLD_RULES.search(data):
        return True
    return any(name in data for name in _OLD.get(kind, ()))


def renamed(kind: str, data: Any) -> Any:
    """Plain nested `data` under today's names, in place; what is under them already stays.

    Args:
        kind: "header", "checkpoint" (a line of a run log), "observation" (one alone), or "evaluation" (a results.json).
        data: as JSON is read.

    >>> renamed("observation", {"step": 1, "verifier_flops": 2.0})
    {'step': 1, 'reward_flops': 2.0}
    >>> renamed("evaluation", {"measurements": [{"strategy": "dvts/vote"}]})
    {'measurements': [{'strategy': 'dvts/majority_vote'}]}
    """
    for path, name in _FIELDS.get(kind, ()):
        *places, old = path.split(".")
        for holder in _at(data, places):
            if old in holder and name not in holder:
                holder[name] = holder.pop(old)
    for path in _STRATEGIES.get(kind, ()):
        *places, field = path.split(".")
        for holder in _at(data, places):
            named = holder.get(field)
            if named is not None:
                holder[field] = strategy_name(named) if isinstance(named, str) else list(map(strategy_name, named))
    for spec in _at(data, ["spec"]) if kind == "header" else ():
        spec.setdefault("checker", None)
    for policy in (*_at(data, ["policy"]), *_at(data, ["config", "policy"])) if kind == "header" else ():
        if policy.get("name") == "calibrated":  # told from one checkpoint alone in earlier versions
            policy.setdefault("strata", False)
    for curve in _at(data, ["decision", "k_curve"]) if kind == "checkpoint" else ():
        curve.setdefault("until_right", curve["strategy"] == "pass@k")
    return data


def with_earlier_names(kind: str, data: Any) -> Any:
    """Plain nested `data` with its fields under the names of earlier versions as well, for scripts of then; in place.

    >>> with_earlier_names("observation", {"step": 1, "reward_flops": 2.0})
    {'step': 1, 'reward_flops': 2.0, 'verifier_flops': 2.0}
    """
    for path, name in _FIELDS.get(kind, ()):
        *places, old = path.split(".")
        for holder in _at(data, places):
            if name in holder:
                holder[old] = holder[name]
    return data


def _at(data: Any, places: list[str]) -> list[dict[str, Any]]:
    found = [data]
    for place in places:
        inner = [each.get(place) for each in found if isinstance(each, dict)]
        found = [item for each in inner for item in (each if isinstance(each, list | tuple) else [each])]
    return [each for each in found if isinstance(each, dict)]
