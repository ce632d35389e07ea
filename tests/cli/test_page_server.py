"""`breakeven report --live`: a page on loopback that follows a run, over real sockets."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from breakeven.cli.page_server import LivePage, PageServer
from breakeven.cli.report import run_document
from breakeven.report.document import Document
from breakeven.store import RunLog, read_log


def plain(run: Path) -> Document:
    """A report that needs no chart, and so no time."""
    record = read_log(run)
    return Document(title="run", verdict=f"{len(record.checkpoints)} checkpoints", lead="")


def answer(server: PageServer, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


@pytest.fixture
def serving() -> Iterator[Callable[..., PageServer]]:
    servers = []

    def start(run: Path, report: Callable[[Path], Document] = plain) -> PageServer:
        servers.append(PageServer(LivePage(run, report)))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return servers[-1]

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture
def growing(recorded: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A log that is extended by the next so many checkpoints of `recorded` at each call."""
    record = read_log(recorded)
    rest = list(record.checkpoints)
    run = tmp_path / "growing"

    def grow(number: int) -> Path:
        with RunLog.open(run) if run.exists() else RunLog.create(run, record.header) as log:
            for _ in range(number):
                log.append(rest.pop(0))
        return run

    return grow


def newer(server: PageServer, than: str) -> str:
    """The version that comes after another one."""
    for _ in range(1000):
        if (version := answer(server, "/version")[1]) != than:
            return version
        time.sleep(0.01)
    raise AssertionError("no newer version came")


def test_the_page_follows_the_log(serving, growing) -> None:
    server = serving(growing(2))
    status, page = answer(server)
    assert status == 200
    assert "<h1>2 checkpoints</h1>" in page
    version = answer(server, "/version")[1]
    assert f'"live":"{version}"' in page
    assert answer(server) == (200, page)
    growing(1)
    after = newer(server, version)
    assert f'"live":"{after}"' in answer(server)[1]
    assert "<h1>3 checkpoints</h1>" in answer(server, "/?reloaded")[1]


def test_it_begins_with_a_run_that_has_no_evaluation_yet(serving, growing) -> None:
    server = serving(growing(0), run_document)
    page = answer(server)[1]
    assert "<h1>No evaluation is recorded yet</h1>" in page
    version = answer(server, "/version")[1]
    growing(4)
    newer(server, version)
    page = answer(server)[1]
    assert "Stop at step" in page or "Train on after step" in page


def test_a_log_that_is_damaged_or_gone_is_said_in_one_line_until_it_is_whole_again(serving, growing) -> None:
    run = growing(2)
    log = run / "log.jsonl"
    whole, server = log.read_bytes(), serving(run)
    answer(server)
    for broken, said in (
        (whole.replace(b'"step"', b'"stop"', 1), "line 2, is damaged"),
        (b"", "is empty, so nothing was recorded"),
        (None, "there is no run log at"),
        (b"\x00\xff" * 99 + b"\n", "log.jsonl, line 1, is damaged"),
    ):
        version = answer(server, "/version")[1]
        log.unlink(missing_ok=True)
        if broken is not None:
            log.write_bytes(broken)
        newer(server, version)
        status, page = answer(server)
        assert (status, "<h1>This log cannot be shown</h1>" in page, said in page) == (200, True, True), page[-3000:]
        assert "Traceback" not in page
    version = answer(server, "/version")[1]
    log.write_bytes(whole)
    newer(server, version)
    assert "<h1>2 checkpoints</h1>" in answer(server)[1]


def test_a_line_that_is_being_written_is_waited_for(serving, growing) -> None:
    run = growing(2)
    with (run / "log.jsonl").open("ab") as log:
        log.write(b'{"kind":"checkpoint","da')
    assert "<h1>2 checkpoints</h1>" in answer(serving(run))[1]


def test_there_is_nothing_else_to_be_had(serving, growing) -> None:
    server = serving(growing(1))
    for path in ("/log.jsonl", "/../log.jsonl", "/version/", "/index.html", "/%2e%2e/", "*", "/..//version"):
        status, text = answer(server, path)
        assert status == 404, path
        assert "checkpoint" not in text
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert answer(server, "/", method)[0] == 501


def test_a_head_is_that_of_the_page(serving, growing) -> None:
    server = serving(growing(1))
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request("HEAD", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(answer(server)[1].encode())
    assert response.headers["Cache-Control"] == "no-store"
    assert "connect-src 'self'" in response.headers["Content-Security-Policy"]
    connection.close()


def test_it_answers_to_the_names_of_this_machine_alone(serving, growing) -> None:
    server = serving(growing(1))
    for host in ("127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:1"):
        assert [answer(server, path, Host=host)[0] for path in ("/", "/version")] == [200, 200], host
    elsewhere = ("rebound.example", "127.0.0.1.rebound.example", "localhost@rebound.example", "[::1", "", "127.1")
    for host in elsewhere:
        assert [answer(server, path, Host=host)[0] for path in ("/", "/version")] == [403, 403], host
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 403 " in client.recv(100)


def test_whoever_leaves_before_the_answer_disturbs_nobody(serving, growing, capfd: pytest.CaptureFixture[str]) -> None:
    left = threading.Event()

    def waiting(run: Path) -> Document:
        left.wait(30)
        return plain(run)

    server = serving(growing(1), waiting)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves by a reset
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while server.page.version:  # until it is being drawn, no page has a version
            time.sleep(0.01)
    left.set()
    assert answer(server)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_it_is_drawn_once_at_a_time_and_the_version_is_told_meanwhile(serving, growing) -> None:
    begun, go_on, drawn = threading.Event(), threading.Event(), []

    def slow(run: Path) -> Document:
        drawn.append(run)
        begun.set()
        go_on.wait(30)
        return plain(run)

    server = serving(growing(1), slow)
    pages: list[tuple[int, str]] = []
    asking = [threading.Thread(target=lambda: pages.append(answer(server))) for _ in range(4)]
    for each in asking:
        each.start()
    assert begun.wait(30)
    assert answer(server, "/version")[0] == 200
    go_on.set()
    for each in asking:
        each.join()
    assert len(drawn) == 1
    assert len(set(pages)) == 1


def test_after_drawing_it_rests_as_long_as_that_took(growing, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("breakeven.cli.page_server.time.monotonic", lambda: now[0])

    def slow(run: Path) -> Document:
        now[0] += 5.0
        return plain(run)

    page = LivePage(growing(1), slow)
    first = page.render()
    version = page.version
    growing(1)
    now[0] += 4.0
    assert (page.version, page.render()) == (version, first)
    now[0] += 1.5
    assert page.version != version
    assert "<h1>2 checkpoints</h1>" in page.render()


def test_cooldowns_and_texts_beside_the_log_count_as_well(growing) -> None:
    run = growing(1)
    page = LivePage(run, plain)
    seen = {page.version}
    (run / "texts.jsonl").write_text("{}\n")
    seen.add(page.version)
    (run / "cooldown" / "step-4").mkdir(parents=True)
    (run / "cooldown" / "step-4" / "log.jsonl").write_text("{}\n")
    seen.add(page.version)
    (run / "report.html").write_text("no part of it")
    assert len(seen | {page.version}) == 3


def test_of_a_log_alone_its_texts_count_and_nothing_else_beside_it(growing) -> None:
    run = growing(1)
    page = LivePage(run / "log.jsonl", plain)
    seen = {page.version}
    (run / "other.jsonl").write_text("{}\n")
    (run / "another" / "run").mkdir(parents=True)
    (run / "another" / "run" / "log.jsonl").write_text("{}\n")
    assert seen == {page.version}
    (run / "texts.jsonl").write_text("{}\n")
    seen.add(page.version)
    growing(1)
    assert len(seen | {page.version}) == 3


def test_a_fault_in_the_report_is_answered(serving, growing, capfd: pytest.CaptureFixture[str]) -> None:
    faults = [ZeroDivisionError("a <b>\nor two")]

    def faulty(run: Path) -> Document:
        if faults:
            raise faults.pop()
        return plain(run)

    server = serving(growing(1), faulty)
    status, text = answer(server)
    assert status == 500
    assert "ZeroDivisionError: a &lt;b&gt; or two" in text
    assert "<h1>1 checkpoints</h1>" in answer(server)[1]
    assert capfd.readouterr() == ("", "")


def test_after_a_fault_it_rests_and_shows_the_page_before_if_there_is_one(growing, monkeypatch) -> None:
    now, faults = [100.0], [True, True, False, True]
    monkeypatch.setattr("breakeven.cli.page_server.time.monotonic", lambda: now[0])

    def faulty(run: Path) -> Document:
        now[0] += 5.0
        if faults.pop(0):
            raise ZeroDivisionError
        return plain(run)

    page = LivePage(growing(1), faulty)
    for _ in range(2):  # with no page to be shown it is tried again at once
        with pytest.raises(ZeroDivisionError):
            page.render()
    first, version = page.render(), page.version
    growing(1)
    now[0] += 5.5
    with pytest.raises(ZeroDivisionError):
        page.render()
    assert (page.version, page.render(), faults) == (version, first, [])
    now[0] += 5.5
    assert page.version != version


def test_it_writes_nothing_and_locks_nothing(serving, growing) -> None:
    run = growing(3)
    with RunLog.open(run):  # as the process of the run holds it
        before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
        answer(serving(run))
        assert {path.name: path.stat().st_mtime_ns for path in run.iterdir()} == before


def test_options_that_do_not_go_together_are_refused(refused, recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded, tmp_path / "other")
    assert refused("report", "--live", recorded, tmp_path / "other").startswith(
        "--live must have one RUN, no --out and"
    )
    assert refused("report", "--live", recorded, "--out", "page.html").startswith(
        "--live must have one RUN, no --out and"
    )
    assert refused("report", recorded, "--port", "80").startswith("--port must come with --live; got 80")
    assert refused("report", "--live", tmp_path).startswith("there is no run log at ")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refused("report", "--live", recorded, "--port", port)
        assert message == f"--port must be free to use (Address already in use); got {port}. Leave it out for any."


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_as_it_should(recorded: Path, sent: signal.Signals) -> None:
    command = [sys.executable, "-m", "breakeven", "report", str(recorded), "--live"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        port = int(url.removeprefix("http://127.0.0.1:").removesuffix("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=30):  # somebody who says nothing holds up nothing
            process.send_signal(sent)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_newer_page_is_looked_at_where_the_last_one_was(serving, growing) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs Chromium")
    server = serving(growing(0), run_document)
    said: list[str] = []
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root in its own sandbox
        chromium = started.chromium.launch(executable_path=browser, args=arguments)
        page = chromium.new_page(reduced_motion="reduce")
        page.set_default_timeout(300_000)  # a machine may be busy
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.url)
        page.wait_for_function("document.documentElement.dataset.drawn === '1'")
        assert page.locator("#queries").count() == 0
        growing(6)
        page.wait_for_selector("#queries")
        page.wait_for_function("document.documentElement.dataset.drawn === '1' && !sessionStorage.getItem('looked at')")
        load = page.evaluate("JSON.parse(document.getElementById('data').textContent).workload")
        assert 10 ** float(page.locator("#queries").input_value()) == pytest.approx(load["queries"], rel=0.03)
        assert page.locator("#length").input_value() == "0"
        page.locator("#queries").focus()
        page.keyboard.press("ArrowRight")
        page.locator("#length").evaluate("each => { each.value = 0.5; each.dispatchEvent(new Event('input')); }")
        page.locator("[data-chart=samples] ~ details summary").evaluate("each => each.click()")
        page.evaluate("window.scrollTo(0, 700)")
        looked_at = """() => {
            const of = (id) => document.getElementById(id);
            const folds = [...document.querySelectorAll("details")].map((each) => each.open);
            return [of("queries").value, of("length").value, window.scrollY, document.activeElement.id, folds,
                of("queries-said").value, of("verdict-of-workload").textContent];
        }"""
        before = page.evaluate(looked_at)
        assert before[1:4] == ["0.5", 700, "queries"]
        assert before[4].count(True) == 1
        version = page.evaluate("JSON.parse(document.getElementById('data').textContent).live")
        growing(1)
        page.wait_for_function(f"JSON.parse(document.getElementById('data').textContent).live !== '{version}'")
        page.wait_for_function("document.documentElement.dataset.drawn === '1' && window.scrollY > 0")
        assert page.evaluate(looked_at) == before
        chromium.close()
    assert said == []
