"""The page of a run on loopback, drawn anew as its log grows. Reads the log alone: nothing is locked or written."""

import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from breakeven.errors import ArgumentError, BreakevenError, argument_error
from breakeven.report import render_page
from breakeven.report.document import Document
from breakeven.store import TEXTS_NAME

_HOSTS: Final = ("127.0.0.1", "localhost", "::1")
_WATCHED: Final = ("*.jsonl", "*/*/log.jsonl")
"""In a run directory: its log and texts, and the logs of its cooldowns."""
_PATIENCE: Final = 30
"""Seconds that a connection may be silent."""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data:; "
    "style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Vega compiles its expressions, so that 'unsafe-eval' cannot go."""


class LivePage:
    """The page of a run as it stands now: one rendering at a time, and as long a rest after it as it took.

    Args:
        run: a run directory, or its log.
        report: makes the report of it.
    """

    def __init__(self, run: Path, report: Callable[[Path], Document]) -> None:
        self._run, self._report = run, report
        self._rendering = threading.Lock()
        self._page = self._version = ""
        self._rest_until = 0.0

    @property
    def version(self) -> str:
        """Of the page that would be shown now: another one where the log has grown, unless it is too early to draw."""
        if self._rendering.locked() or time.monotonic() < self._rest_until:
            return self._version
        return self._state()

    def render(self) -> str:
        """The page, drawn anew if there is something new."""
        with self._rendering:
            version = self._state()
            if version != self._version and (time.monotonic() >= self._rest_until or not self._page):
                begun = time.monotonic()
                try:
                    self._page, self._version = render_page(self._document(), live=version), version
                finally:
                    self._rest_until = 2 * time.monotonic() - begun
            return self._page

    def _document(self) -> Document:
        try:
            return self._report(self._run)
        except ArgumentError:
            lead = "This page shows the first one as soon as it is recorded."
            return Document(title=str(self._run), verdict="No evaluation is recorded yet", lead=lead)
        except (BreakevenError, OSError) as error:
            return Document(title=str(self._run), verdict="This log cannot be shown", lead=str(error))

    def _state(self) -> str:
        """A short token of all that is watched: another one once anything was written to."""
        if self._run.is_dir():
            watched = {path for pattern in _WATCHED for path in self._run.glob(pattern)}
        else:  # whatever else its directory holds is not asked for
            watched = {self._run, self._run.with_name(TEXTS_NAME)}
        seen = []
        for path in sorted(watched):
            try:
                found = path.stat()
            except OSError:  # gone meanwhile
                continue
            seen.append((str(path), found.st_ino, found.st_size, found.st_mtime_ns))
        return f"{zlib.crc32(repr(seen).encode()):08x}"


class PageServer(ThreadingHTTPServer):
    """Answers `GET /` with a page and `GET /version` with its version, to whoever asks for this machine by its name.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, page: LivePage, port: int = 0) -> None:
        self.page = page
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever left before the answer was whole is no error to be shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = _PATIENCE

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if not self._is_asked_by_name():  # a name of elsewhere that was made to point here
            self.send_error(403, "Ask for 127.0.0.1 or localhost")
        elif path not in ("/", "/version"):
            self.send_error(404)
        else:
            page = self.server.page
            try:
                text, kind = (page.render(), "text/html") if path == "/" else (page.version, "text/plain")
            except Exception as error:  # the next one may be whole again
                said = " ".join(f"{type(error).__name__}: {error}".split())
                self.send_error(500, "The report could not be made", said)
            else:
                self._answer(text, kind)

    do_HEAD = do_GET

    def _is_asked_by_name(self) -> bool:
        hosts = self.headers.get_all("Host", [])
        try:
            return len(hosts) == 1 and urlsplit(f"//{hosts[0]}").hostname in _HOSTS
        except ValueError:
            return False

    def _answer(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(200)
        for name, value in {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal shows the address alone."""


def serve(run: Path, port: int, report: Callable[[Path], Document], say: Callable[[str], None]) -> None:
    """Serve the page of a run until Ctrl-C or SIGTERM.

    Args:
        run: a run directory, or its log.
        port: 0 for a free one.
        report: makes the report of it.
        say: is told the address, once it answers.

    Raises:
        ArgumentError: the port is taken, or not for this user.
    """
    try:
        server = PageServer(LivePage(run, report), port)
    except OSError as error:
        raise argument_error("--port", f"be free to use ({error.strerror})", port, "Leave it out for any.") from error
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server:
            say(server.url)
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
