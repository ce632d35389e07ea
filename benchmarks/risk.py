"""How often the calibrated policy stops badly: simulated runs whose truth is known, decided by the code of a live run.

    python benchmarks/risk.py                                   the tables of docs/design/calibrated-policy.md
    python benchmarks/risk.py --runs 200 --setting "power law"  the settings whose names begin so, in a minute or two
    python benchmarks/risk.py --risk 0.05 --patience 3          with other settings of the policy

A stop is bad if the stopped model, served as decided, is below the fully trained one by more than the margin, both over
the whole population of problems. Deterministic. 2000 runs a setting take about an hour on two cores.
"""

import argparse
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from scipy.stats import binomtest

from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import RULES
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing.simulated_runs import follow, random_run

CALM, ROUGH = 0.03, 0.1
"""What all rates of a checkpoint have in common beside the curve, in logits: as on Countdown, and three times that."""
QUERIES = (2e5, 1e7)
"""Declared workloads, evenly in log. With a query at 4e-7 of the budget they cost from 8 % of it to four budgets."""


@dataclass(frozen=True)
class Setting:
    """What the runs of one row of the table have in common."""

    name: str
    family: str
    num_problems: int = 500
    wobble: float = CALM
    decay: str = "none"
    declared: bool = False
    knowable: bool = True
    """Whether the first checkpoints hold what the end depends on."""


SETTINGS = (
    Setting("saturating", "saturating"),
    Setting("saturating, few problems", "saturating", num_problems=200),
    Setting("saturating, rough", "saturating", wobble=ROUGH),
    Setting("saturating, decay", "saturating", decay="known"),
    Setting("saturating, workload", "saturating", declared=True),
    Setting("power law", "power_law"),
    Setting("power law, few problems, decay, workload", "power_law", num_problems=200, decay="known", declared=True),
    Setting("log-linear", "log_linear"),
    Setting("log-linear, few problems, rough", "log_linear", num_problems=200, wobble=ROUGH),
    Setting("plateau", "plateau"),
    Setting("plateau, few problems, decay", "plateau", num_problems=200, decay="known"),
    Setting("rise then fall", "rise_then_fall"),
    Setting("near zero", "near_zero"),
    Setting("late rise", "late_rise"),
    Setting("late rise, decay, workload", "late_rise", decay="known", declared=True),
    Setting("convex", "convex"),
    Setting("onset", "onset"),
    Setting("saturating, unknown decay", "saturating", decay="unknown", knowable=False),
    Setting("plateau, unknown decay", "plateau", decay="unknown", knowable=False),
    Setting("late step", "late_step", knowable=False),
    Setting("second rise", "second_rise", knowable=False),
)
COLUMNS = (
    "setting",
    "P",
    "wobble",
    "decay",
    "workload",
    "runs",
    "stop",
    "bad stops, of all runs",
    "of those that stopped",
    "budget used",
    "K",
    "evaluation / training",
)


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    stopped: bool
    used: float
    k: int
    lead: float
    """True accuracy as served minus that of the fully trained model; 0 for a run that went to the end."""
    evaluation_share: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="of each setting")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--setting", default="", help="only those whose names begin so")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--policy", choices=("calibrated", "paper"), default="calibrated")
    parser.add_argument("--risk", type=float, default=CalibratedPolicy().risk)
    parser.add_argument("--margin", type=float, default=CalibratedPolicy().margin)
    parser.add_argument("--patience", type=int, default=None)
    args = parser.parse_args()
    rule = CalibratedPolicy(risk=args.risk, margin=args.margin) if args.policy == "calibrated" else PaperPolicy()
    policy = Patience(rule, RULES[args.policy][1] if args.patience is None else args.patience)
    chosen = [each for each in SETTINGS if each.name.startswith(args.setting)]
    if not chosen:
        parser.error(f"--setting: must begin one of: {'; '.join(each.name for each in SETTINGS)}")
    with ProcessPoolExecutor(max_workers=args.workers) as pool:
        for title, knowable in (("What the rule can know", True), ("What it cannot know", False)):
            settings = [each for each in chosen if each.knowable is knowable]
            if settings:
                sys.stdout.write(f"{title}:\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n")
            everything: list[Outcome] = []
            for setting in settings:
                seeds = range(args.seed * 1_000_000, args.seed * 1_000_000 + args.runs)
                outcomes = list(pool.map(outcome, repeat(setting), repeat(policy), seeds, chunksize=10))
                everything += outcomes
                write_row(setting, outcomes, args.margin)
            if len(settings) > 1:
                write_row(Setting("all of these", ""), everything, args.margin)
            sys.stdout.write("\n")


def outcome(setting: Setting, policy: Policy, seed: int) -> Outcome:
    """One run, decided until it stops."""
    run = random_run(
        setting.family,
        seed=seed,
        num_problems=setting.num_problems,
        wobble=setting.wobble,
        decayed=setting.decay != "none",
    )
    rng = np.random.default_rng((seed, 8))
    queries = math.exp(rng.uniform(*np.log(QUERIES))) if setting.declared else None
    decisions = follow(run, policy, run.spec(decay_known=setting.decay != "unknown", queries=queries))
    last = decisions[-1]
    served = last.serving if last.stop else None
    reached = run.accuracy(len(decisions), served.strategy, served.k) if served else run.full_accuracy
    return Outcome(
        stopped=last.stop,
        used=last.used,
        k=served.k if served else 1,
        lead=reached - run.full_accuracy,
        evaluation_share=last.evaluation_flops / run.spec().budget_flops / last.used,
    )


def write_row(setting: Setting, outcomes: list[Outcome], margin: float) -> None:
    """One row of the table."""
    stopped = [each for each in outcomes if each.stopped]
    bad = sum(each.lead < -margin for each in stopped)
    described = bool(setting.family)
    cells = [
        setting.name,
        str(setting.num_problems) if described else "",
        f"{setting.wobble:g}" if described else "",
        setting.decay if described else "",
        ("declared" if setting.declared else "open") if described else "",
        str(len(outcomes)),
        f"{len(stopped) / len(outcomes):.0%}",
        share(bad, len(outcomes)),
        share(bad, len(stopped)),
        f"{np.mean([each.used for each in stopped]):.0%}" if stopped else "-",
        f"{np.median([each.k for each in stopped]):.0f}" if stopped else "-",
        f"{np.median([each.evaluation_share for each in outcomes]):.1%}",
    ]
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def share(part: int, whole: int) -> str:
    """A share in per cent with its exact (Clopper-Pearson) 95 % interval."""
    if not whole:
        return "-"
    interval = binomtest(part, whole).proportion_ci()
    return f"{part / whole:.1%} ({interval.low:.1%} to {interval.high:.1%})"


if __name__ == "__main__":
    main()
