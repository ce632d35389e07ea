"""The built wheel in empty environments: alone it decides, bounds and replays; each extra imports what it is for.

    python benchmarks/install.py --only openai tasks torch
    python benchmarks/install.py --all

Needs come from the index that pip is configured with, in the versions of constraints.txt. All is temporary, and ends
with 1 if anything failed. vllm is not tried: it is not among the constraints.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_EXAMPLES = _ROOT / "examples"
COMMANDS: dict[str, tuple[str, ...]] = {
    "--help": ("--help",),
    "decide": ("decide", str(_EXAMPLES / "evals/counts.csv"), "--budget-flops", "1.2e19", "--checker"),
    "bound": ("bound", "--train-tokens=2e12", "--output-tokens=1000", "--used=0.4", "--cost-ratio=8"),
    "replay": ("replay", str(_EXAMPLES / "runs/countdown-1")),
}
IMPORTS = {
    "torch": "import torch, breakeven.train.loop, breakeven.sampling.transformer; breakeven.torch.EarlyStop",
    "hf": "import transformers, peft, gguf, breakeven.sampling.hf; breakeven.transformers.EarlyStop",
    "openai": "import httpx2, breakeven.sampling.served.openai",
    "tasks": "import math_verify, reasoning_gym; from breakeven.data.sets.human_eval import HumanEval; "
    "assert len(HumanEval().problems) == 164",
    "trl": "import trl, breakeven; breakeven.transformers.EarlyStop",
    "lightning": "import lightning, breakeven; breakeven.lightning.EarlyStop",
    "ray": "import ray.tune, breakeven; breakeven.ray.Stopper",
    "images": "import breakeven.data.labelled.named as sets, PIL.Image; sets.load_examples('digits'); "
    "sets.load_examples('mnist1d', split='test')",
    "trackers": "import mlflow, tensorboard, trackio, wandb",
}
_DEFAULT = ("openai", "torch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="*", choices=IMPORTS, default=_DEFAULT, metavar="EXTRA", help=", ".join(IMPORTS)
    )
    parser.add_argument("--all", action="store_true", help="every extra")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Neither the sources nor what else is installed may be found in place of the wheel.
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        build = ("wheel", str(_ROOT), "--no-deps", "--quiet", "--wheel-dir", str(folder))
        problem = run(sys.executable, "-m", "pip", *build, at=folder, environment=environment)
        if problem:
            raise SystemExit(f"the wheel was not built: {problem}")
        wheel = next(folder.glob("breakeven-*.whl"))
        sys.stdout.write(f"{wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB\n")
        for extra in (None, *(IMPORTS if asked.all else asked.only)):
            failed += tried(wheel, extra, environment)
    raise SystemExit(bool(failed))


def tried(wheel: Path, extra: str | None, environment: dict[str, str]) -> int:
    """Install the wheel, with one extra or none, into an environment of its own, and try it; how much failed."""
    called = extra or "the wheel alone"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        bin_ = folder / "venv" / "bin"
        problem = run(sys.executable, "-m", "venv", str(folder / "venv"), at=folder, environment=environment)
        asked = f"breakeven[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        install = ("install", "--quiet", "-c", str(_ROOT / "constraints.txt"), asked)
        problem = problem or run(str(bin_ / "python"), "-m", "pip", *install, at=folder, environment=environment)
        shown(called, "install", problem, time.monotonic() - began)
        if problem:
            return 1
        if extra:
            calls = {"import": (str(bin_ / "python"), "-c", IMPORTS[extra])}
        else:
            calls = {name: (str(bin_ / "breakeven"), *arguments) for name, arguments in COMMANDS.items()}
        failed = 0
        for what, call in calls.items():
            began = time.monotonic()
            # 10: decide advises to stop.
            right = (0, 10) if what == "decide" else (0,)
            problem = run(*call, at=folder, environment=environment, right=right)
            shown(called, what, problem, time.monotonic() - began)
            failed += bool(problem)
        return failed


def run(*call: str, at: Path, environment: dict[str, str], right: Sequence[int] = (0,)) -> str:
    """Empty if a call ended with one of the codes that are right, else the last that it said."""
    ended = subprocess.run(call, check=False, cwd=at, env=environment, capture_output=True, text=True, errors="replace")
    said = (ended.stderr.strip() or ended.stdout.strip())[-600:]
    return "" if ended.returncode in right else f"exit code {ended.returncode}: {said}"


def shown(called: str, what: str, problem: str, seconds: float) -> None:
    sys.stdout.write(f"{called:16} {what:8} {problem or 'ok'}  ({seconds:.1f} s)\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
