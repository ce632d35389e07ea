"""HTTP to a server: nothing of the surroundings is sent, and no more is read than an answer may hold."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from breakeven.errors import MissingExtraError
from breakeven.sampling.served.address import Address

_Result = TypeVar("_Result")

MAX_BYTES = 32 << 20
"""Of an answer, after inflating."""
_MAX_ERROR_BYTES = 1 << 16
"""Of a refusal, of which the first line is shown: what follows is not read."""


class NoAnswerError(Exception):
    """The server did not answer, or not in HTTP."""


class TooLargeError(Exception):
    """The answer is longer than it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever it says."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Endpoint:
    """A connection to one server, opened by `async with`.

    Args:
        address: where it is.
        api_key: sent to it and nowhere else: a redirection is not followed, nor a proxy of the environment asked that
            could read it. None: none is sent.
        timeout: seconds for one request, to the last byte.
        max_connections: at once.
    """

    def __init__(self, address: Address, *, api_key: str | None, timeout: float, max_connections: int = 1) -> None:
        self.address, self.api_key, self.timeout = address, api_key, timeout
        self._max_connections = max_connections

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            MissingExtraError: the HTTP library is not installed.
        """
        self._http = http_package()
        most = self._max_connections
        headers = {"accept-encoding": "gzip", "content-type": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        # A proxy that the environment names would read what is not encrypted, and has another "localhost".
        direct = self.address.is_here or (self.address.parts.scheme == "http" and self.address.has_secret(self.api_key))
        self._client = self._http.AsyncClient(
            headers=headers,
            mounts=dict.fromkeys(("http://", "https://", "all://")) if direct else {},
            timeout=self.timeout,
            limits=self._http.Limits(max_connections=most, max_keepalive_connections=most),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self._client.aclose()

    async def ask(self, path: str, body: Mapping[str, object] | None = None, *, most: int | None = None) -> Answer:
        """POST a body as JSON, or without one GET.

        Args:
            path: below the address.
            body: of the request.
            most: bytes that the answer may hold, after inflating; never more than MAX_BYTES.

        Raises:
            NoAnswerError: no connection, no answer in time, or none in HTTP.
            TooLargeError: the answer holds more.
        """
        most = min(most or MAX_BYTES, MAX_BYTES)
        content = None if body is None else json.dumps(body).encode()
        try:
            async with (
                asyncio.timeout(self.timeout),
                self._client.stream(
                    "GET" if body is None else "POST", self.address.joined(path), content=content
                ) as answer,
            ):
                return Answer(status=answer.status_code, headers=answer.headers, content=await _read(answer, most))
        except (TimeoutError, self._http.TimeoutException) as error:
            raise NoAnswerError(f"no answer within {self.timeout:g} s") from error
        except (self._http.HTTPError, self._http.InvalidURL, self._http.StreamError) as error:
            raise NoAnswerError(f"no connection ({error or type(error).__name__})") from error

    def quoted(self, text: str) -> str:
        """The server's words as they may be printed, in one short line without a full stop."""
        return self.address.without_secrets(text, self.api_key)[:300].removesuffix(".")


async def _read(answer: Any, most: int) -> bytes:
    if "," in answer.headers.get("content-encoding", ""):  # packed twice: a few bytes would become any number
        raise TooLargeError
    parts, size, most = [], 0, most if answer.status_code < 300 else _MAX_ERROR_BYTES
    async for part in answer.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > most:
            if answer.status_code < 300:
                raise TooLargeError
            break
    return b"".join(parts)[:most]


def http_package() -> Any:
    """The HTTP library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import httpx2
    except ImportError as error:
        raise MissingExtraError("servers need the httpx2 package: pip install 'breakeven[openai]'") from error
    return httpx2


def finished(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Its result, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
