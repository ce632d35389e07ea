"""What someone who serves a stopped checkpoint must know, beside its weights."""

import json
from dataclasses import asdict

from breakeven.records import Decision


def serving_point(decision: Decision, temperature: float) -> dict[str, object]:
    """Strategy, K and temperature of a decision, and what it is worth."""
    return {
        "step": decision.step,
        "temperature": temperature,
        "serving_point": None if decision.serving is None else asdict(decision.serving),
        "used": decision.used,
        "confidence": decision.confidence,
        "net_saving": decision.net_saving,
        "break_even_queries": decision.break_even_queries,
    }


def serving_note(decision: Decision, temperature: float) -> bytes:
    """`serving.json` of a run directory."""
    return (json.dumps(serving_point(decision, temperature), indent=2) + "\n").encode()
