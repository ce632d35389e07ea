"""Continue or stop, as a pure function of what was recorded.

`decide` folds over the checkpoints: each decision takes the learning curve so far and the decision before it, so a run
can be decided live, resumed, or replayed with other settings, with the same result.
"""

from collections.abc import Sequence
from dataclasses import Field
from typing import Any, ClassVar, Protocol, runtime_checkable

from breakeven.errors import argument_error
from breakeven.records import Decision, KCurve, LearningPoint, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy, decide_calibrated
from breakeven.stopping.history import check_history
from breakeven.stopping.paper import PaperPolicy, decide_as_paper


@runtime_checkable
class Policy(Protocol):
    """Settings of a stopping rule; the class is the rule: `PaperPolicy` or `CalibratedPolicy`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def name(self) -> str:
        """Name of the rule."""
        ...

    @property
    def max_k(self) -> int:
        """Largest K considered."""
        ...


POLICIES: dict[str, type[Policy]] = {"calibrated": CalibratedPolicy, "paper": PaperPolicy}
"""The rules by name."""


def decide(
    history: Sequence[LearningPoint],
    k_curves: Sequence[KCurve],
    spec: RunSpec,
    policy: Policy,
    previous: Decision | None = None,
) -> Decision:
    """The decision at the last checkpoint of `history`.

    Args:
        history: all checkpoints so far, in order of training FLOPs.
        k_curves: accuracy against K of the last checkpoint, one a strategy, made with the policy's method.
        spec: what the user declared.
        policy: settings of the rule; its class is the rule.
        previous: the decision at the checkpoint before, from which checkpoints in a row are counted; None at the first.

    Raises:
        ArgumentError: `history` or `k_curves` is empty, the checkpoints are out of order or above the budget, or the
            policy is of no known class.
    """
    check_history(history, k_curves)
    if isinstance(policy, PaperPolicy):
        return decide_as_paper(history, k_curves, spec, policy, previous)
    if isinstance(policy, CalibratedPolicy):
        return decide_calibrated(history, k_curves, spec, policy, previous)
    raise argument_error("policy", f"be one of {', '.join(each.__name__ for each in POLICIES.values())}", policy)
