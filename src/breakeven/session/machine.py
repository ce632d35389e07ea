"""The machine that a run is recorded on, in words."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path


def machine_words() -> str:
    """Processor, how many of its CPUs this process may use, and the GPUs that torch sees where it is imported.

    GPUs have names where CUDA was started already; otherwise they are counted, as asking a name would start it here.
    """
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
    if torch is None:
        return []
    with suppress(Exception):  # whatever a driver says: no run ends for want of a sentence
        count = torch.cuda.device_count()
        if not torch.cuda.is_initialized():
            return [f"{count} GPU{'s' if count > 1 else ''}"] if count else []
        names = [torch.cuda.get_device_name(number) for number in range(count)]
        return [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
    return []
