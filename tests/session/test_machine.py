"""The machine that a run is recorded on."""

import sys
from types import SimpleNamespace

import pytest

from breakeven.session.machine import machine_words


def test_it_names_processor_cpus_and_system() -> None:
    words = machine_words()
    assert " CPU" in words
    assert "\n" not in words
    assert words == machine_words()


def cuda(names: list[str], *, started: bool) -> SimpleNamespace:
    """torch with these GPUs, of which none may be asked its name before CUDA is started."""

    def name(number: int) -> str:
        if not started:
            raise AssertionError("asking a name starts CUDA")
        return names[number]

    devices = {"device_count": lambda: len(names), "is_initialized": lambda: started, "get_device_name": name}
    return SimpleNamespace(cuda=SimpleNamespace(**devices))


@pytest.mark.parametrize(
    ("names", "started", "said"),
    [
        (["A100", "T4", "A100"], True, ", 2 x A100, 1 x T4, "),
        (["A100", "T4"], False, ", 2 GPUs, "),
        (["A100"], False, ", 1 GPU, "),
    ],
)
def test_gpus_are_named_where_cuda_runs_and_counted_where_it_does_not(
    monkeypatch: pytest.MonkeyPatch, names: list[str], started: bool, said: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", cuda(names, started=started))
    assert said in machine_words()


def test_a_driver_that_fails_is_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> int:
        raise RuntimeError("CUDA driver version is insufficient")

    monkeypatch.setitem(sys.modules, "torch", cuda([], started=False))
    without = machine_words()
    assert "GPU" not in without
    for broken in (SimpleNamespace(cuda=SimpleNamespace(device_count=fails)), SimpleNamespace()):
        monkeypatch.setitem(sys.modules, "torch", broken)
        assert machine_words() == without
