"""Going on with a recorded run: only as the same run, and only in the order in which it was recorded."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from breakeven.config import policy_from
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import CheckpointRecord, Fingerprint, Problem, RunSpec
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.patience import policy_settings
from breakeven.store import RunLog
from breakeven.ttc.strategies.named import STRATEGIES

if TYPE_CHECKING:
    from breakeven.session.session import Session

_REMEDY = "Start a new run for other settings, or replay this one."


def fingerprint_of(session: "Session") -> Fingerprint:
    """What a session was given besides spec, policy and seed: checksums of problems, names of parts, costs."""
    return Fingerprint(
        parts={
            "problems": problems_crc32(session.problems),
            "solutions": _solutions_crc32(session.problems),
            "sampler": _sampler(getattr(session.sampler, "of_each_process", session.sampler)),
            "verifier": _named(session.verifier),
            "answers": _named(session.answers),
            "reward_model": _named(session.reward_model),
            "cost": _costs(session.cost),
            "reward_cost": _costs(session.reward_cost),
            "sequence_tokens": str(session.sequence_tokens),
            "temperature": repr(session.temperature),
        }
    )


def problems_crc32(problems: Sequence[Problem]) -> str:
    """How many problems, and a checksum of ids, prompts and gold answers in their order."""
    asked = [{"id": each.id, "prompt": each.prompt, "reference": each.reference} for each in problems]
    return f"{len(problems)} problems, {zlib.crc32(msgspec.json.encode(asked)):08x}"


def _solutions_crc32(problems: Sequence[Problem]) -> str:
    """How many solutions are known, and a checksum of them; apart, since earlier versions knew none."""
    solutions = [each.solution for each in problems]
    known = sum(each is not None for each in solutions)
    return f"{known} solutions, {zlib.crc32(msgspec.json.encode(solutions)):08x}" if known else "none"


def check_same_run(session: "Session", log: RunLog, fingerprint: Fingerprint) -> None:
    """Refuse to extend a log that was begun with other settings: its decisions could not be replayed.

    Raises:
        ArgumentError: the first thing that differs, by its name.
    """
    spec, policy = session.spec, session.policy
    settings = policy_settings(policy)
    pairs: list[tuple[str, object, object]] = [
        ("spec", spec, log.spec),
        ("policy", _whole(settings, settings["name"]), _whole(log.header.policy, settings["name"])),
        ("seed", session.seed, log.header.seed),
    ]
    if log.checkpoints:
        bank = log.checkpoints[0].observation.bank
        num_problems, num_samples = len(session.problems), session.num_samples
        pairs += [
            ("number of problems", num_problems, bank.num_problems),
            ("temperature", session.temperature, bank.temperature),
        ]
        if _draws_all(spec, policy, num_problems, num_samples):  # others draw as many as they need
            pairs.append(("num_samples", num_samples, bank.num_samples))
    if log.fingerprint is not None and (log.checkpoints or log.failures):
        recorded = log.fingerprint.parts
        pairs += [(name, part, recorded[name]) for name, part in fingerprint.parts.items() if name in recorded]
    for name, given, known in pairs:
        if given != known:
            raise argument_error(name, f"be the recorded one, {known!r}", given, _REMEDY)
    ours = {*STRATEGIES, *map(str, policy.needs.strategies or ())}
    for found in (each for checkpoint in log.checkpoints for each in checkpoint.observation.searches):
        if found.strategy not in ours:  # it would be imported, to be priced
            raise argument_error("policy.strategies", "name what was searched with before", found.strategy, _REMEDY)


def _whole(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of a policy, with those that an older log lacks, and the patience of a rule that is not wrapped.

    One of another `name` is left as it is recorded: a log leads to no code but that of the policy that was given.
    """
    return settings if settings.get("name", name) != name else policy_settings(policy_from(settings))


def _draws_all(spec: RunSpec, policy: Policy, num_problems: int, num_samples: int) -> bool:
    course = Course(spec=spec, policy=policy, num_problems=num_problems, num_samples=num_samples)
    return policy.wants(course, None, (0, 0)) == (num_problems, num_samples)


def check_order(checkpoints: Sequence[CheckpointRecord], place: int, step: int, train_tokens: int) -> None:
    """Refuse tokens that do not fit between those recorded; `place` is where `step` stands, or would stand.

    Raises:
        ArgumentError: they do not.
    """
    before = checkpoints[place - 1].observation if place else None
    rest = [each.observation for each in checkpoints[place : place + 2]]
    recorded = rest.pop(0) if rest and rest[0].step == step else None
    after = rest[0] if rest else None
    remedy = "A resumed run must repeat the recorded one; start a new run to change it."
    if recorded is not None and recorded.train_tokens != train_tokens:
        raise argument_error(
            "train_tokens", f"be the {recorded.train_tokens} recorded for step {step}", train_tokens, remedy
        )
    if before is not None and train_tokens <= before.train_tokens:
        raise argument_error(
            "train_tokens",
            f"grow from the {before.train_tokens} observed at step {before.step}",
            train_tokens,
            "Count the tokens of the whole run, not of one step.",
        )
    if after is not None and train_tokens >= after.train_tokens:
        rule = f"stay below the {after.train_tokens} recorded for step {after.step}"
        raise argument_error("train_tokens", rule, train_tokens, "A resumed run must repeat the recorded one.")


def _sampler(sampler: object) -> str:
    """Its kind, and its `settings` in words where it tells them."""
    settings = getattr(sampler, "settings", None)
    return f"{_named(sampler)}, {settings}" if isinstance(settings, str) else _named(sampler)


def _named(part: object) -> str:
    """The kind of a part: its class, or a function's own name."""
    if part is None:
        return "none"
    kind = part if callable(part) and hasattr(part, "__qualname__") else type(part)
    return f"{kind.__module__}.{getattr(kind, '__qualname__', kind)}"


def charged_as_begun(cost: ModelCost, begun: Fingerprint) -> ModelCost:
    """The cost with the backward pass of the run that is gone on with, which earlier versions charged in full."""
    recorded = msgspec.json.decode(begun.parts["cost"], type=ModelCost)
    return replace(cost, backward_weights=recorded.backward_weights, backward_attention=recorded.backward_attention)


def _costs(cost: ModelCost | None) -> str:
    return "none" if cost is None else msgspec.json.encode(cost.recorded).decode()
