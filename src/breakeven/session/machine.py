"""The machine that a run is recorded on, in words."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path


def machine_words() -> str:
    """Processor, how many of its CPUs this process may use, and the GPUs that torch sees where it is in use."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = [f"{_processor()} ({platform.machine()})", f"{cpus} CPU{'s' if cpus > 1 else ''}", *_gpus()]
    return f"{', '.join(words)}, {platform.system()}"


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or "processor of unknown name"


def _gpus() -> list[str]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
