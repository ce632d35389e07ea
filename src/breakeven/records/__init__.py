"""Frozen records that travel between the rooms. They check themselves and derive properties.

Array dimensions, used as suffixes everywhere: P problems, N samples drawn per problem, K entries of a list of
sample counts, C checkpoints, G cells of a grid of model parameters, B rows of a batch, T tokens, E embedding,
V vocabulary, H heads. Of classifiers P are inputs, C classes and S checkpoints that are averaged, the last one first;
of images H is height, W width and C channels; of scores D are served sets, R resamplings and U distinct rows. Of plans
C are configurations, M models and D resamplings of the problems. Of clips P are clips, F frames, N patches, D the
numbers in a patch, S seeds, A alternatives and Q a second set of P.

Unit suffixes: `_flops` (multiply and add count as 2), `_tokens`, `_queries`; `num_` for counts. Accuracies and
shares are in [0, 1].
"""

from breakeven.records.cooldown import Cooldown, Cooled, Parent
from breakeven.records.costs import NOT_COUNTED, SEARCH_COUNTS, QueryFlops, SearchCost, TransformerShape
from breakeven.records.curves import NORMAL_95, FitStatus, Forecast, KCurve, Made, Member
from breakeven.records.decisions import Action, CheckpointRecord, Decision, Reason, RunSpec, ServingPoint, Verification
from breakeven.records.events import BudgetChange, Failure, Fingerprint, Spent, Start, Steering, StopTest, spec_at
from breakeven.records.joint import JointDecision
from breakeven.records.losses import LOSS_EDGES, ValidationLoss
from breakeven.records.measurements import Measurement, Score
from breakeven.records.observations import LearningPoint, Observation, SearchOutcome
from breakeven.records.options import Option, Quality
from breakeven.records.outlook import Outlook
from breakeven.records.samples import (
    CHECK_FAILED,
    NO_ANSWER,
    ClassPass,
    Completion,
    Draw,
    Finish,
    Prefix,
    Problem,
    Reward,
    SampleBank,
    SegmentRule,
    answer_label,
)
from breakeven.records.soft_votes import SoftVote
from breakeven.records.wall import WallTime
from breakeven.records.witness import Witness

__all__ = [
    "CHECK_FAILED",
    "LOSS_EDGES",
    "NORMAL_95",
    "NOT_COUNTED",
    "NO_ANSWER",
    "SEARCH_COUNTS",
    "Action",
    "BudgetChange",
    "CheckpointRecord",
    "ClassPass",
    "Completion",
    "Cooldown",
    "Cooled",
    "Decision",
    "Draw",
    "Failure",
    "Fingerprint",
    "Finish",
    "FitStatus",
    "Forecast",
    "JointDecision",
    "KCurve",
    "LearningPoint",
    "Made",
    "Measurement",
    "Member",
    "Observation",
    "Option",
    "Outlook",
    "Parent",
    "Prefix",
    "Problem",
    "Quality",
    "QueryFlops",
    "Reason",
    "Reward",
    "RunSpec",
    "SampleBank",
    "Score",
    "SearchCost",
    "SearchOutcome",
    "SegmentRule",
    "ServingPoint",
    "SoftVote",
    "Spent",
    "Start",
    "Steering",
    "StopTest",
    "TransformerShape",
    "ValidationLoss",
    "Verification",
    "WallTime",
    "Witness",
    "answer_label",
    "spec_at",
]
