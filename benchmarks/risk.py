"""How often the calibrated policy stops badly: simulated runs whose truth is known, decided by the code of a live run.

    python benchmarks/risk.py                                     the tables of docs/design/calibrated-policy.md
    python benchmarks/risk.py --runs 200 --setting "power law"    the settings whose names begin so, in a minute or two
    python benchmarks/risk.py --risks 0.05 0.2 --volumes 0 0.1 1  other risks, with workloads declared
    python benchmarks/risk.py --into risk.jsonl                   keep the outcomes, and go on with those that are there

A stop is bad if the stopped model, served as decided, is below the fully trained one by more than the margin, both over
the whole population of problems. A volume is the declared workload: what serving it with one sample of the fully
trained model costs, over the cost of its training; 0: none is declared. Deterministic. One pass of forecasts serves all
risks and volumes of a run. 2000 runs a setting take over an hour on two cores, more risks and volumes longer.
"""

import argparse
import copy
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
from scipy.stats import binomtest

from breakeven.records import Decision
from breakeven.session.step import conclude, take_step
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course, Policy, Seen
from breakeven.stopping.decide import RULES
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing.simulated_runs import SimulatedRun, SimulatedSource, random_run

CALM, ROUGH = 0.03, 0.1
"""What all rates of a checkpoint have in common beside the curve, in logits: as on Countdown, and three times that."""
NUM_SAMPLES = 16
"""Most samples per problem."""


@dataclass(frozen=True)
class Setting:
    """What the runs of one row of the table have in common."""

    name: str
    family: str
    num_problems: int = 500
    wobble: float = CALM
    decay: str = "none"
    knowable: bool = True
    """Whether the first checkpoints hold what the end depends on."""


SETTINGS = (
    Setting("saturating", "saturating"),
    Setting("saturating, few problems", "saturating", num_problems=200),
    Setting("saturating, rough", "saturating", wobble=ROUGH),
    Setting("saturating, decay", "saturating", decay="known"),
    Setting("power law", "power_law"),
    Setting("power law, few problems, decay", "power_law", num_problems=200, decay="known"),
    Setting("log-linear", "log_linear"),
    Setting("log-linear, few problems, rough", "log_linear", num_problems=200, wobble=ROUGH),
    Setting("plateau", "plateau"),
    Setting("plateau, few problems, decay", "plateau", num_problems=200, decay="known"),
    Setting("rise then fall", "rise_then_fall"),
    Setting("near zero", "near_zero"),
    Setting("late rise", "late_rise"),
    Setting("late rise, decay", "late_rise", decay="known"),
    Setting("convex", "convex"),
    Setting("onset", "onset"),
    Setting("saturating, unknown decay", "saturating", decay="unknown", knowable=False),
    Setting("plateau, unknown decay", "plateau", decay="unknown", knowable=False),
    Setting("late step", "late_step", knowable=False),
    Setting("second rise", "second_rise", knowable=False),
)
COLUMNS = (
    *("setting", "P", "wobble", "decay", "risk", "volume", "runs", "stop"),
    *("bad stops, of all runs", "of those that stopped", "budget used", "K", "evaluation / training"),
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one run."""

    setting: str
    seed: int
    risk: float
    volume: float
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
    parser.add_argument("--risks", type=float, nargs="+", default=[CalibratedPolicy().risk])
    parser.add_argument("--volumes", type=float, nargs="+", default=[0.0])
    parser.add_argument("--margin", type=float, default=CalibratedPolicy().margin)
    parser.add_argument("--patience", type=int, default=None)
    parser.add_argument("--into", type=Path, help="file of outcomes by the same rule, which is added to")
    args = parser.parse_args()
    patience = RULES[args.policy][1] if args.patience is None else args.patience
    policies: dict[float, Policy] = {
        risk: Patience(
            CalibratedPolicy(risk=risk, margin=args.margin) if args.policy == "calibrated" else PaperPolicy(), patience
        )
        for risk in args.risks
    }
    chosen = [each for each in SETTINGS if each.name.startswith(args.setting)]
    if not chosen:
        parser.error(f"--setting: must begin one of: {'; '.join(each.name for each in SETTINGS)}")
    cases = list(product(args.risks, args.volumes))
    kept: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    if args.into and args.into.exists():
        for line in args.into.read_bytes().splitlines():
            outcome = msgspec.json.decode(line, type=Outcome)
            kept[outcome.setting, outcome.seed].append(outcome)
    seeds = range(args.seed * 1_000_000, args.seed * 1_000_000 + args.runs)
    everything: dict[tuple[bool, float, float], list[Outcome]] = defaultdict(list)
    with ProcessPoolExecutor(max_workers=args.workers) as pool:
        sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n")
        for setting in chosen:
            found: dict[tuple[float, float], list[Outcome]] = defaultdict(list)
            decide = partial(outcomes, setting, policies, cases)
            known = [[(each.risk, each.volume) for each in kept[setting.name, seed]] for seed in seeds]
            for seed, new in zip(seeds, pool.map(decide, seeds, known, chunksize=10), strict=True):
                if args.into and new:
                    with open(args.into, "ab") as file:
                        file.writelines(msgspec.json.encode(each) + b"\n" for each in new)
                for each in (*kept[setting.name, seed], *new):
                    found[each.risk, each.volume].append(each)
            for case in cases:
                write_row(setting, case, found[case], args.margin)
                everything[(setting.knowable, *case)] += found[case]
        for (knowable, *case), of_all in everything.items():
            name = f"all that the rule {'can' if knowable else 'cannot'} know"
            write_row(Setting(name, ""), (case[0], case[1]), of_all, args.margin)


def outcomes(
    setting: Setting,
    policies: dict[float, Policy],
    cases: Sequence[tuple[float, float]],
    seed: int,
    known: Sequence[tuple[float, float]],
) -> list[Outcome]:
    """One run, decided until it stops in each case that is not known yet."""
    run = random_run(
        setting.family,
        seed=seed,
        num_problems=setting.num_problems,
        wobble=setting.wobble,
        decayed=setting.decay != "none",
    )
    courses = {
        (risk, volume): Course(
            spec=run.spec(decay_known=setting.decay != "unknown", queries=queries_of(run, volume)),
            policy=policies[risk],
            num_problems=run.num_problems,
            num_samples=NUM_SAMPLES,
        )
        for risk, volume in cases
        if (risk, volume) not in known
    }
    return [
        outcome_of(setting, run, seed, case, checkpoint, decision)
        for case, checkpoint, decision in followed(run, courses)
    ]


def followed(
    run: SimulatedRun, courses: dict[tuple[float, float], Course]
) -> Iterator[tuple[tuple[float, float], int, Decision]]:
    """The last decision of each case, all taken checkpoint by checkpoint: one forecast serves them all.

    What is drawn depends on the risk, never on the workload, so that the cases of one risk share samples and K-curves.
    """
    for checkpoint in range(1, run.num_checkpoints + 1):
        undrawn = SimulatedSource(run=run, checkpoint=checkpoint, num_samples=NUM_SAMPLES) if courses else None
        seen_at: dict[float, Seen] = {}
        for case, course in list(courses.items()):
            if seen := seen_at.get(case[0]):
                courses[case], _, decision = conclude(course, seen)
            else:
                courses[case], seen_at[case[0]], decision = take_step(course, copy.copy(undrawn))
            if decision.stop or checkpoint == run.num_checkpoints:
                del courses[case]
                yield case, checkpoint, decision


def queries_of(run: SimulatedRun, volume: float) -> float | None:
    """The workload of a volume; None: open."""
    return volume * run.spec().budget_flops / run.query_flops.total(1) if volume else None


def outcome_of(
    setting: Setting, run: SimulatedRun, seed: int, case: tuple[float, float], checkpoint: int, last: Decision
) -> Outcome:
    """What became of a run with this last decision."""
    served = last.serving if last.stop else None
    reached = run.accuracy(checkpoint, served.strategy, served.k) if served else run.full_accuracy
    return Outcome(
        setting=setting.name,
        seed=seed,
        risk=case[0],
        volume=case[1],
        stopped=last.stop,
        used=last.used,
        k=served.k if served else 1,
        lead=reached - run.full_accuracy,
        evaluation_share=(last.evaluation_flops or 0.0) / run.spec().budget_flops / last.used,
    )


def write_row(setting: Setting, case: tuple[float, float], found: list[Outcome], margin: float) -> None:
    """One row of the table."""
    stopped = [each for each in found if each.stopped]
    bad = sum(each.lead < -margin for each in stopped)
    described = bool(setting.family)
    cells = [
        setting.name,
        str(setting.num_problems) if described else "",
        f"{setting.wobble:g}" if described else "",
        setting.decay if described else "",
        f"{case[0]:g}",
        f"{case[1]:g}",
        str(len(found)),
        f"{len(stopped) / len(found):.0%}",
        share(bad, len(found)),
        share(bad, len(stopped)),
        f"{np.mean([each.used for each in stopped]):.0%}" if stopped else "-",
        f"{np.median([each.k for each in stopped]):.0f}" if stopped else "-",
        f"{np.median([each.evaluation_share for each in found]):.1%}",
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
