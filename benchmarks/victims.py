"""Four small commands that write files, each in a process forked where all is imported, and what they leave.

`run` trains a tiny recipe in shadow mode and keeps weights, where `cooldown` stops and is cooled down on a branch;
`eval` measures what `run` left; `reward-model` trains on the samples of that. kill.py breaks them off, lets them go on,
and compares the end with an undisturbed one.
"""

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

RECIPE = """
name = "tiny"
mode = "shadow"
baseline = "sampled"
target = 0.05
task = { num_numbers = 2, max_number = 15, max_target = 40 }
model = { num_layers = 1, embedding = 32, num_heads = 2, feed_forward = 64 }
train = { steps = 30, batch_size = 64, learning_rate = 0.02, warmup_steps = 5 }
evaluate = { every_steps = 2, num_problems = 6, num_samples = 4, keep_weights = true }
policy = { name = "paper", patience = 1, max_k = 16 }
verify = { num_problems = 6, num_samples = 4 }
"""
_IMPORTED = (
    "breakeven.cli",
    "breakeven.eval.run",
    "breakeven.report.measurements",
    "breakeven.train.loop",
    "breakeven.train.reward_model.train",
    "torch._dynamo",
)
RECIPES = {
    "run": RECIPE,
    "cooldown": RECIPE.replace('"shadow"', '"stop"\non_stop = "cooldown"')
    .replace("target = 0.05", "target = 0.0")
    .replace("patience = 1", "patience = 6"),
}
NAMES = (*RECIPES, "eval", "reward-model")
_TASK = {"num_numbers": 2, "max_number": 15, "max_target": 40}
Fault = Callable[[], None]
"""What is done to the child before its command starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """One command, with the directory that it fills."""

    name: str
    directory: Path
    first: tuple[str, ...]
    again: tuple[str, ...] = ()
    """Arguments to go on, where they are others: once the log is there."""

    def is_done(self) -> bool:
        """Whether there is nothing to go on with, because the file that comes last is there."""
        return (self.directory / "reward_model.json").exists()

    def arguments(self) -> tuple[str, ...]:
        return self.again if self.again and (self.directory / "log.jsonl").exists() else self.first

    def files(self) -> dict[str, bytes]:
        """What it left, but for its lock and the remains of a write that was cut short; its own path is called OUT."""
        paths = (each for each in sorted(self.directory.rglob("*")) if each.is_file())
        kept = (each for each in paths if each.name != "lock" and each.suffix != ".partial")
        place = str(self.directory).encode()
        return {str(each.relative_to(self.directory)): each.read_bytes().replace(place, b"OUT") for each in kept}


def victim(name: str, directory: Path, base: Path) -> Victim:
    """The command `name`, which fills `directory`, with what it needs from what `prepare` left in `base`."""
    out = ("--out", str(directory))
    if name in RECIPES:
        again = ("run", "--resume", str(directory))
        return Victim(name=name, directory=directory, first=("run", str(base / f"{name}.toml"), *out), again=again)
    if name == "eval":
        model = ("eval", str(base / "run" / "full"), "--task", "countdown", "--num-problems", "40", "-n", "16")
        task = (f"--task-set={key}={value}" for key, value in _TASK.items())
        return Victim(name=name, directory=directory, first=(*model, "--task-seed=5", *task, *out))
    start = ("--start", str(base / "run" / "full"), "--epochs", "2")
    return Victim(name=name, directory=directory, first=("reward-model", str(base / "eval"), *start, *out))


def prepare(base: Path) -> dict[str, dict[str, bytes]]:
    """Import all that is needed, run every command undisturbed in `base`, and return what each leaves.

    What the undisturbed commands still had to import is imported here too, so that later ones are forked with it.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # before numpy is imported; a process with threads cannot be forked safely
    for name in _IMPORTED:
        importlib.import_module(name)
    base.mkdir(parents=True, exist_ok=True)
    for name, recipe in RECIPES.items():
        (base / f"{name}.toml").write_text(recipe, encoding="utf-8")
    whole = {}
    for name in NAMES:
        each = victim(name, base / name, base)
        modules = base / f"{name}.modules"
        code = finish(start(each, base / f"{name}.said", lambda to=modules: _tell_modules(to)))
        if code:
            raise SystemExit(f"{name} ended with {code}: {(base / f'{name}.said').read_text(encoding='utf-8')}")
        whole[name] = each.files()
        for module in modules.read_text(encoding="utf-8").split():
            with suppress(ImportError):  # one that another module made while it was imported
                importlib.import_module(module)
    gc.freeze()  # what is shared with the children is not copied because they collect garbage
    return whole


def _tell_modules(to: Path) -> None:
    """Have this process write the names of the modules it has in the end."""
    leave = os._exit

    def left(code: int) -> None:
        to.write_text("\n".join(sorted(sys.modules)), encoding="utf-8")
        leave(code)

    os._exit = left


def start(victim: Victim, said: Path, fault: Fault | None = None) -> int:
    """Start a command or let it go on, in a process forked from this one; its number.

    Args:
        said: what it prints replaces this file.
        fault: see there.
    """
    arguments = victim.arguments()
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        fd = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        sys.argv = ["breakeven", *arguments]
        if fault is not None:
            fault()
        from breakeven.cli import app

        app()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finish(number: int) -> int:
    """Wait for a process; its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def differences(name: str, found: dict[str, bytes], whole: dict[str, bytes]) -> list[str]:
    """Files that are missing, more, or other than those of an undisturbed command."""
    return [f"{name}: {each}" for each in sorted(found.keys() | whole.keys()) if found.get(each) != whole.get(each)]
