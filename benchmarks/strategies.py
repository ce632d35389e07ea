"""What the recorded run says: every strategy at every checkpoint, the decision under each, and the best temperature.

    python benchmarks/strategies.py                prints the tables of docs/strategies.md
    python benchmarks/strategies.py --figures DIR  writes the charts besides

Reads benchmarks/strategies/chain.jsonl.gz, which `benchmarks/strategies_record.py` made. All accuracies are of test
problems. FLOPs per query count the policy with a shared prefill, and the reward model, which reads only what is new.
"""

import argparse
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from breakeven.choice.break_even import break_even_queries
from breakeven.choice.choose import cheapest
from breakeven.config import config_from
from breakeven.cost.query import scoring_flops
from breakeven.cost.tokens import ModelCost
from breakeven.records import FitStatus, KCurve, LearningPoint, Made, RunSpec, SampleBank
from breakeven.report.charts.bundle import static
from breakeven.report.charts.chart import Axis, Chart, Marker, Series
from breakeven.report.decided import figure_of
from breakeven.stopping.decide import decide, default_policy
from breakeven.train.costs import cost_of
from breakeven.train.reward_model.train import reward_network_cost
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.pool import Pool
from breakeven.ttc.search.compute_optimal import compute_optimal
from breakeven.ttc.strategies.named import STRATEGIES, strategy_of
from breakeven.ttc.strategies.on_pool import measure
from breakeven.ttc.strategies.strategy import Need
from breakeven.ttc.tally import point_of, tally_of

RECORD = Path(__file__).parent / "strategies" / "chain.jsonl.gz"
Floats = npt.NDArray[np.float64]
K_VALUES = (1, 2, 4, 8, 16, 32, 60)
PROBE = 4
"""Samples that tell how hard a problem is; they are in no other number of the compute-optimal rows."""
SHOWN_K = 16
NUM_SPLITS = 20
POOL = ("pass@k", "majority_vote", "settled_vote", "best_of_n", "weighted_vote")
SEARCHES = tuple(each.name for each in STRATEGIES.values() if Need.SEGMENTS in each.needs)
WEIGHTED = ("best_of_n", "weighted_vote", *(name for name in SEARCHES if STRATEGIES[name].rule == "weighted_vote"))


@dataclass(frozen=True)
class Setting:
    """One strategy at one K."""

    strategy: str
    k: int
    accuracy_P: Floats
    flops_P: Floats

    @property
    def accuracy(self) -> float:
        return float(self.accuracy_P.mean())

    @property
    def error(self) -> float:
        return float(self.accuracy_P.std(ddof=1) / len(self.accuracy_P) ** 0.5)

    @property
    def flops(self) -> float:
        return float(self.flops_P.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path)
    arguments = parser.parse_args()
    with gzip.open(RECORD) as file:
        first, *lines = [msgspec.json.decode(line) for line in file]
    config, spec = config_from(first["config"]), msgspec.convert(first["spec"], RunSpec)
    cost, verifier = cost_of(config), reward_network_cost(config.model.shape_for(config.task))
    tables = [settings(line, cost, verifier) for line in lines]
    print_accuracy(lines, tables, spec)
    print_optimal(lines, tables, cost)
    print_decisions(lines, tables, spec, cost, verifier)
    print_temperatures(lines)
    if arguments.figures:
        arguments.figures.mkdir(exist_ok=True)
        for line, table in zip(lines, tables, strict=True):
            if line["step"] in (400, 640, 1600):
                drawn = chart(line, table, spec)
                (arguments.figures / f"{drawn.name}.svg").write_bytes(static(figure_of(drawn), "svg"))


def pool_of_line(line: dict[str, Any], *, first: int = 0) -> Pool:
    """The recorded samples from number `first` on."""
    answers = [row[first:] for row in line["answers"]]
    label_PN = np.full((len(answers), len(answers[0])), -1, dtype=np.int16)
    for place, row in enumerate(answers):
        numbers = {answer: number for number, answer in enumerate(dict.fromkeys(each for each in row if each))}
        label_PN[place] = [numbers.get(each, -1) for each in row]
    return Pool(
        correct_PN=np.array([[each == "1" for each in row[first:]] for row in line["correct"]]),
        label_PN=label_PN,
        score_PN=np.array(line["scores"])[:, first:] if "scores" in line else None,
        greedy_P=np.array([row == "1" for row in line["greedy"]]),
    )


def settings(line: dict[str, Any], cost: ModelCost, verifier: ModelCost) -> list[Setting]:
    """Every strategy at every K; the pool strategies on the samples after the first PROBE."""
    pool = pool_of_line(line, first=PROBE)
    size, drawn = pool.num_problems, len(line["correct"]) * len(line["correct"][0])
    query = cost.query_flops(line["prompt_tokens"], line["output_tokens"] / drawn - 1)
    prompt = scoring = 0.0
    if "scores" in line:  # the reward model reads the prompt once for all solutions of a query
        one, two = (
            scoring_flops(
                verifier, [line["read_tokens"] / drawn], num_samples=count, shared_tokens=line["prompt_tokens"]
            ).reward_flops
            for count in (1, 2)
        )
        prompt, scoring = 2 * one - two, two - one
    assert pool.greedy_P is not None
    rows = [Setting("greedy", 1, pool.greedy_P.astype(float), np.full(size, query.total(1)))]
    for strategy in POOL:
        scored = STRATEGIES[strategy].price == "rewards"
        if scored and pool.score_PN is None:
            continue
        measured = measure(pool, strategy, K_VALUES)
        for column, k in enumerate(K_VALUES):
            # A vote is paid in full here, as where its samples are drawn at once; a settled one as it is drawn.
            samples_P = np.full(size, float(k))
            if measured.expected_samples_PK is not None:
                samples_P = measured.expected_samples_PK[:, column]
            flops_P = query.prefill_flops + samples_P * query.decode_flops
            if scored:
                flops_P = flops_P + prompt + samples_P * scoring
            rows.append(Setting(strategy, k, measured.accuracy_PK[:, column], flops_P))
    for search in line.get("searches", []):
        flops_P = np.array(search["model_flops"]) + np.array(search["reward_flops"])
        for rule, accuracy in search["accuracy"].items():
            name = strategy_of(f"{search['strategy']}/{rule}").name
            rows.append(Setting(name, search["k"], np.array(accuracy), flops_P))
    return rows


def labelled(name: str) -> str:
    """The name, and whether it is an oracle: chain has no checker at serving time."""
    return name if STRATEGIES[name].deployable(oracle=True) else f"{name} (oracle)"


def find(table: list[Setting], strategy: str, k: int) -> Setting | None:
    return next((each for each in table if (each.strategy, each.k) == (strategy, k)), None)


def print_accuracy(lines: list[dict[str, Any]], tables: list[list[Setting]], spec: RunSpec) -> None:
    size = len(lines[0]["greedy"])
    print(f"## Accuracy at K = {SHOWN_K}, {size} problems\n")
    names = ["greedy", *POOL, *SEARCHES]
    shown = [f"{line['train_flops'] / spec.budget_flops:.0%}" for line in lines]
    print("| budget used | " + " | ".join(shown) + " | FLOPs per query, last |")
    print("|---" * (len(lines) + 2) + "|")
    for name in names:
        cells = [find(table, name, 1 if name == "greedy" else SHOWN_K) for table in tables]
        words = ["-" if each is None else f"{each.accuracy:.3f}" for each in cells]
        last = cells[-1]
        price = "-" if last is None else f"{last.flops / 1e6:.0f} M"
        print(f"| {labelled(name)} | " + " | ".join(words) + f" | {price} |")
    reports = [line["reward_model"] for line in lines]
    for name, key in (
        ("reward model, held-out accuracy", "accuracy"),
        ("always the more common", "constant_accuracy"),
        ("reward model, AUC", "auc"),
        ("reward model, AUC within a problem", "problem_auc"),
    ):
        words = ["-" if each is None or each[key] is None else f"{each[key]:.3f}" for each in reports]
        print(f"| {name} | " + " | ".join(words) + " | |")
    shares = [
        "-" if each is None else f"{each['train_flops'] / line['train_flops']:.2f}"
        for each, line in zip(reports, lines, strict=True)
    ]
    print("| its training, of the policy's so far | " + " | ".join(shares) + " | |")
    print("\nGain over the majority vote at the same K, paired over problems (standard error):\n")
    print("| budget used | " + " | ".join(WEIGHTED) + " |")
    print("|---" * (len(WEIGHTED) + 1) + "|")
    for table, used in zip(tables, shown, strict=True):
        vote = find(table, "majority_vote", SHOWN_K)
        assert vote is not None
        words = []
        for name in WEIGHTED:
            other = find(table, name, SHOWN_K)
            if other is None:
                words.append("-")
                continue
            gain_P = other.accuracy_P - vote.accuracy_P
            words.append(f"{gain_P.mean():+.3f} ({gain_P.std(ddof=1) / size**0.5:.3f})")
        print(f"| {used} | " + " | ".join(words) + " |")
    print()


def print_optimal(lines: list[dict[str, Any]], tables: list[list[Setting]], cost: ModelCost) -> None:
    print("## Compute-optimal: the best setting for each difficulty\n")
    print(
        f"Difficulty is the agreement of {PROBE} further samples, charged. Settings chosen on one half of the problems,"
    )
    print(f"score on the other; mean of {NUM_SPLITS} splits. The budget is what 16 samples and the estimate cost.\n")
    print("| budget used | best fixed setting (held out) | compute-optimal (held out) | the same in sample |")
    print("|---|---|---|---|")
    for line, table in zip(lines, tables, strict=True):
        query = cost.query_flops(line["prompt_tokens"], line["output_tokens"] / 64 / len(line["correct"]) - 1)
        probe = PROBE * query.decode_flops
        budget = query.total(SHOWN_K) + probe
        rows = [each for each in table if strategy_of(each.strategy).deployable(oracle=True)]
        accuracy_SP = np.clip(np.stack([each.accuracy_P for each in rows]), 0.0, 1.0)
        flops_SP = np.stack([each.flops_P for each in rows])
        agreement_P = np.array([agreement(row[:PROBE]) for row in line["answers"]])
        found = [
            compute_optimal(
                accuracy_SP, flops_SP, agreement_P, budget_flops=budget, num_bins=4, seed=seed, difficulty_flops=probe
            )
            for seed in range(NUM_SPLITS)
        ]
        fixed = [
            compute_optimal(
                accuracy_SP, flops_SP, np.zeros(len(agreement_P)), budget_flops=budget, num_bins=1, seed=seed
            )
            for seed in range(NUM_SPLITS)
        ]
        print(
            f"| step {line['step']} | {np.mean([each.accuracy for each in fixed]):.3f} "
            f"| {np.mean([each.accuracy for each in found]):.3f} (± {found[0].standard_error:.3f}) "
            f"| {found[0].in_sample_accuracy:.3f} |"
        )
    print()


def agreement(answers: list[str | None]) -> float:
    """Share of the most frequent answer."""
    given = [each for each in answers if each]
    return max((given.count(each) for each in given), default=0) / len(answers)


def print_decisions(
    lines: list[dict[str, Any]], tables: list[list[Setting]], spec: RunSpec, cost: ModelCost, verifier: ModelCost
) -> None:
    """When training would have stopped, had only this strategy been allowed beside one greedy sample; and hindsight."""
    full = tables[-1][0].accuracy_P
    print("## The decision under each strategy\n")
    print("Hindsight: the first checkpoint at which some K up to 60 (searches: 16) is level with the full model's")
    print(f"greedy sample, {full.mean():.3f}, less a point; K* its cheapest; break-even: queries until full training")
    print("would have been cheaper, the reward model's training charged.\n")
    print(
        "| strategy | the policy stops at | accuracy, minus full | in hindsight | K* | FLOPs per query | break-even |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in (*POOL, *SEARCHES):
        history: list[LearningPoint] = []
        previous = None
        for line, table in zip(lines, tables, strict=True):
            bank = bank_of(line)
            point = learning_point(line, bank, table, name, cost, verifier)
            history.append(point)
            curves = evaluate(tally_of(bank), max_k=64, strategies=["greedy"])
            decision = decide(history, [*curves, *curve_of(table, name)], spec, default_policy(), previous)
            previous = decision
            if decision.stop:
                break
        stopped = "never"
        gain = ""
        if previous is not None and previous.stop and previous.serving is not None:
            served = find(table, previous.serving.strategy, previous.serving.k)
            assert served is not None
            difference_P = served.accuracy_P - full
            error = difference_P.std(ddof=1) / len(full) ** 0.5
            stopped = f"{previous.used:.0%}, {served.strategy} {served.k}, saves {previous.net_saving or 0:.0%}"
            gain = f"{served.accuracy:.3f}, {difference_P.mean():+.3f} ({error:.3f})"
        print(f"| {name} | {stopped} | {gain} | {hindsight(lines, tables, name, spec, float(full.mean()))} |")
    print()


def hindsight(lines: list[dict[str, Any]], tables: list[list[Setting]], name: str, spec: RunSpec, full: float) -> str:
    """The cells of the earliest checkpoint and the cheapest K that reach `full` less a point."""
    one_query = tables[-1][0].flops
    for line, table in zip(lines[:-1], tables, strict=False):
        own = [each for each in table if each.strategy == name]
        best = cheapest(own, reaches=lambda each: each.accuracy >= full - 0.01, price=lambda each: each.flops)
        if best is not None:
            rewarded = line["reward_model"] is not None and STRATEGIES[name].price != "samples"
            queries = break_even_queries(
                budget_flops=spec.budget_flops,
                train_flops=line["train_flops"],
                evaluation_flops=line["reward_model"]["train_flops"] if rewarded else 0.0,
                query_flops=best.flops,
                baseline_query_flops=one_query,
            )
            share = line["train_flops"] / spec.budget_flops
            return f"{share:.0%} of the budget | {best.k} | {best.flops / 1e6:.0f} M | {queries:,.0f}"
    return "not before the end | | | "


def bank_of(line: dict[str, Any]) -> SampleBank:
    return SampleBank(
        correct_PN=tuple(row[PROBE:20] for row in line["correct"]),
        greedy_correct_P="".join(line["greedy"]),
        temperature=line["temperature"],
        seed=0,
        prompt_tokens=line["prompt_tokens"] * len(line["correct"]),
        output_tokens=line["output_tokens"] // 4,
        greedy_output_tokens=line["greedy_tokens"],
        oracle=True,
    )


def learning_point(
    line: dict[str, Any], bank: SampleBank, table: list[Setting], strategy: str, cost: ModelCost, verifier: ModelCost
) -> LearningPoint:
    """The checkpoint, its evaluation charged: a greedy sample, and one query of the strategy's at K = 16, a problem.

    The reward model's own training is charged too, where the strategy needs it.
    """
    problems = len(line["correct"])
    query = cost.query_flops(line["prompt_tokens"], line["output_tokens"] / 64 / problems - 1)
    asked = find(table, strategy, SHOWN_K)
    spent = query.total(1) * problems + (asked.flops * problems if asked is not None else 0.0)
    if line["reward_model"] is not None and STRATEGIES[strategy].price != "samples":
        spent += line["reward_model"]["train_flops"]
    return point_of(
        tally_of(bank),
        step=line["step"],
        train_flops=line["train_flops"],
        evaluation_flops=spent,
        query_flops=query,
        output_tokens=line["output_tokens"] / 64 / problems,
    )


def curve_of(table: list[Setting], strategy: str) -> list[KCurve]:
    """The strategy's K-curve up to K = 16; none where it could not be had yet."""
    rows = [each for each in table if each.strategy == strategy and each.k <= SHOWN_K]
    if not rows:
        return []
    greedy_P = table[0].accuracy_P
    size = len(greedy_P)
    accuracy = [each.accuracy for each in rows]
    # The draws: K / N p (1 - p) a problem for the pools, p (1 - p) for one search, whose p is taken as the mean's.
    searched = bool(STRATEGIES[strategy].search)
    draws = [
        (np.mean(each.accuracy_P) * (1 - np.mean(each.accuracy_P)) / size) ** 0.5
        if searched
        else float((each.accuracy_P * (1 - each.accuracy_P)).sum() * each.k / 60) ** 0.5 / size
        for each in rows
    ]
    return [
        KCurve(
            strategy=strategy,
            deployable=STRATEGIES[strategy].deployable(oracle=True),
            k_values=tuple(each.k for each in rows),
            accuracy_K=tuple(accuracy),
            lo_K=tuple(max(0.0, a - 1.645 * d) for a, d in zip(accuracy, draws, strict=True)),
            hi_K=tuple(min(1.0, a + 1.645 * d) for a, d in zip(accuracy, draws, strict=True)),
            made_K=(Made.MEASURED,) * len(rows),
            status=FitStatus.FITTED,
            method="calibrated",
            flops_K=tuple(each.flops for each in rows),
            paired_error_K=tuple(float((each.accuracy_P - greedy_P).std() / size**0.5) for each in rows),
        )
    ]


def print_temperatures(lines: list[dict[str, Any]]) -> None:
    """The temperature is part of the configuration: chosen for each K on one half, scored on the other."""
    print("## Temperature\n")
    for line in lines:
        if "temperatures" not in line:
            continue
        pools = {each["temperature"]: pool_of_line(each) for each in line["temperatures"]}
        greedy_P = next(iter(pools.values())).greedy_P
        assert greedy_P is not None
        print(f"Step {line['step']}, one greedy sample {greedy_P.mean():.3f}:\n")
        print("| K | strategy | " + " | ".join(f"T = {each}" for each in pools) + " | chosen on the other half |")
        print("|---" * (len(pools) + 3) + "|")
        for strategy in ("majority_vote", "pass@k"):
            measured = {each: measure(pool, strategy, K_VALUES).accuracy_PK for each, pool in pools.items()}
            for column, k in enumerate(K_VALUES):
                accuracy_TP = np.stack([each[:, column] for each in measured.values()])
                half = np.random.default_rng(0).permutation(accuracy_TP.shape[1]) % 2 == 0
                picks, held = [], []
                for part in (half, ~half):
                    best = int(accuracy_TP[:, part].mean(axis=1).argmax())
                    picks.append(list(pools)[best])
                    held.append(accuracy_TP[best, ~part])
                words = " | ".join(f"{each:.3f}" for each in accuracy_TP.mean(axis=1))
                chosen = " and ".join(f"{each}" for each in dict.fromkeys(picks))
                print(f"| {k} | {strategy} | {words} | {np.concatenate(held).mean():.3f} at {chosen} |")
        print()


def chart(line: dict[str, Any], table: list[Setting], spec: RunSpec) -> Chart:
    roles = ("muted", "ink", "measured", "forecast", "served", "violet", "rose", "olive")
    names = ("greedy", "pass@k", "majority_vote", *WEIGHTED)
    return Chart(
        name=f"strategies-{line['step']}",
        title=f"Accuracy against FLOPs per query, {line['train_flops'] / spec.budget_flops:.0%} of the budget used",
        description="Each point is one K; the reward model is charged.",
        x=Axis(label="FLOPs per query, reward model included", log=10),
        y=Axis(label="accuracy", lo=0),
        series=tuple(
            Series(
                label=labelled(name),
                points=tuple((each.flops, each.accuracy) for each in table if each.strategy == name),
                role=role,
                dashed=not STRATEGIES[name].deployable(oracle=True),
                marker=Marker.DOT,
            )
            for name, role in zip(names, roles, strict=True)
        ),
    )


if __name__ == "__main__":
    main()
