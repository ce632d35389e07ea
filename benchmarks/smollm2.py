"""SmolLM2-135M on four tasks: accuracy against K for Pass@K, votes and verified best-of-N, by `breakeven eval`.

    python benchmarks/smollm2.py draw       draws the samples, about an hour on one core; goes on where it was killed
    python benchmarks/smollm2.py            prints the tables of docs/real-models.md from the recorded samples

A real model behind a real llama.cpp server, both from packages: see tests/smollm2_server.py. The model is its own
generative verifier: it says yes or no to each sample. `revision` is the products again, each attempt with those before
it in its prompt. Samples are in benchmarks/smollm2/TASK/samples.jsonl.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec

from breakeven.choice.choose import best
from breakeven.eval.run import Evaluation
from breakeven.records import Measurement
from breakeven.store.renamed import renamed

ROOT = Path(__file__).parent
RECORDED = ROOT / "smollm2"
PORT = 18231
NUMBER = ["--task-set", "instruction=Answer with the number only.", "--task-set", "answer=last_number"]
SMALL = [f"--task-set={name}" for name in ("min_terms=2", "max_terms=2", "min_digits=1", "max_digits=1")]
TASKS: dict[str, list[str]] = {
    "chain_sum": [
        "--task=reasoning-gym:chain_sum",
        *SMALL,
        *NUMBER,
        "--num-problems=60",
        "--num-samples=16",
        "--max-tokens=16",
    ],
    "products": [
        "--task=reasoning-gym:products",
        *SMALL,
        *NUMBER,
        "--num-problems=60",
        "--num-samples=16",
        "--max-tokens=16",
    ],
    "spell_backward": [
        *("--task=reasoning-gym:spell_backward", "--task-set=min_word_len=3", "--task-set=max_word_len=3"),
        *("--num-problems=40", "--num-samples=16", "--max-tokens=16"),
    ],
    "human_eval": [
        "--task=human-eval",
        "--task-set=style=chat",
        "--num-problems=80",
        "--num-samples=4",
        "--max-tokens=160",
    ],
}
TASKS["revision"] = [*TASKS["products"][:-3], "--num-problems=60", "--num-samples=4", "--max-tokens=16", "--k=4"]
VERDICTS = {"chain_sum": 4, "products": 4, "spell_backward": 1, "human_eval": 1}
STRATEGIES = {
    "revision": "greedy,pass@k,majority_vote,revision",
    "human_eval": "greedy,pass@k,best_of_n",
    "spell_backward": "greedy,pass@k,majority_vote,best_of_n,weighted_vote",
}
ALL = "greedy,pass@k,majority_vote,settled_vote,best_of_n,weighted_vote,generative_verification"
PARAMS = "1.345e8"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["draw", "show"], default="show")
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    arguments = parser.parse_args()
    if arguments.what == "draw":
        draw(arguments.tasks)
        return
    for name in arguments.tasks:
        show(
            name,
            msgspec.convert(
                renamed("evaluation", msgspec.json.decode((RECORDED / name / "results.json").read_bytes())), Evaluation
            ),
        )


def draw(tasks: list[str]) -> None:
    script = ROOT.parent / "tests" / "smollm2_server.py"
    server = subprocess.Popen(
        [sys.executable, script, str(PORT), "8", "1024"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdout.readline()
    try:
        for name in tasks:
            command = [Path(sys.executable).parent / "breakeven", "eval", f"http://127.0.0.1:{PORT}/v1", *TASKS[name]]
            command += ["--strategies", STRATEGIES.get(name, ALL), "--params", PARAMS, "--out", RECORDED / name]
            if name in VERDICTS:
                command += ["--reward-model", "verdict", "--num-verdicts", str(VERDICTS[name])]
            subprocess.run(command, check=True)
            for leftover in ("journal.jsonl", "lock", "results.html", "results.csv"):
                (RECORDED / name / leftover).unlink(missing_ok=True)
    finally:
        server.stdin.close()
        server.wait()


def show(name: str, evaluation: Evaluation) -> None:
    print(f"\n{name}: {evaluation.num_problems} problems, {evaluation.num_samples} samples each at 0.8")
    print(f"{evaluation.num_truncated} truncated, {evaluation.num_unanswered} without an answer, ", end="")
    print(f"{evaluation.num_failed} checks failed, of {evaluation.num_drawn}\n")
    print("| strategy | K | accuracy | 90 % interval | samples | GFLOPs per query | verifier | prompt read K times |")
    print("|---|---|---|---|---|---|---|---|")
    for each in evaluation.measurements:
        if each.num_verdicts:
            continue  # in the table of solutions against verdicts
        kind = "" if each.deployable else ", oracle"
        price = "-" if each.flops is None else f"{each.flops / 1e9:.1f}"
        part = "-" if not each.reward_flops else f"{each.reward_flops / 1e9:.1f}"
        unshared = "-"
        if each.model_flops_unshared is not None and each.reward_flops is not None:
            unshared = f"{(each.model_flops_unshared + each.reward_flops) / 1e9:.1f}"
        print(
            f"| {each.strategy}{kind} | {each.k} | {each.accuracy:.3f} | {each.lo:.3f} to {each.hi:.3f} "
            f"| {each.expected_samples:.1f} | {price} | {part} | {unshared} |"
        )
    if any(each.num_verdicts > 1 for each in evaluation.measurements):
        equal_flops(evaluation)


def equal_flops(evaluation: Evaluation) -> None:
    """Solving against verifying: S solutions with V verdicts each, beside the vote that costs as much."""
    votes = [each for each in evaluation.measurements if each.strategy == "majority_vote"]
    print("\nS solutions x V verdicts against the largest vote that costs no more:\n")
    print("| S x V | accuracy | GFLOPs | vote, prompt read once | vote, prompt read K times |")
    print("|---|---|---|---|---|")
    for each in evaluation.measurements:
        if not each.num_verdicts or each.k < 2 or each.flops is None:
            continue
        cells = []
        for price in ("model_flops", "model_flops_unshared"):
            # Without sharing, the policy's prompts are read anew for the solutions, too.
            spent = partial(_spent, price)
            budget = spent(each) + (each.reward_flops or 0.0)
            vote = best(votes, budget=budget, price=spent, value=lambda vote: vote.k)
            assert vote is not None, "one sample costs no more than a solution with its verdict"
            cells.append(f"{vote.accuracy:.3f} at K = {vote.k}")
        row = f"| {each.k} x {each.num_verdicts} | {each.accuracy:.3f} | {each.flops / 1e9:.1f} "
        print(f"{row}| {cells[0]} | {cells[1]} |")


def _spent(price: str, each: Measurement) -> float:
    return getattr(each, price) or 0.0


if __name__ == "__main__":
    main()
