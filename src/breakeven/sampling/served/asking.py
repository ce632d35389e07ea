"""One request to a server, tried until it is answered or refused for good."""

import asyncio
import random

from breakeven.sampling.served.completions import Query
from breakeven.sampling.served.dialect import Dialect
from breakeven.sampling.served.endpoint import Answer, Endpoint, NoAnswerError, TooLargeError
from breakeven.sampling.served.refusals import (
    is_about_count,
    is_context_too_long,
    is_faulty,
    passes,
    retry_after,
    said_by,
)
from breakeven.sampling.served.replies import MalformedReplyError, Reply, read_reply

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
"""Seconds between attempts: doubled each time up to the longest, and shortened at random by up to a half."""
_BYTES, _BYTES_A_TOKEN = 1 << 20, 1 << 10
"""That an answer may hold, and what is told of each token in it."""


class FailedError(Exception):
    """A request failed for good. `everywhere`: others would, too."""

    def __init__(self, reason: str, *, everywhere: bool) -> None:
        super().__init__(reason)
        self.everywhere = everywhere


class TooManyAtOnceError(Exception):
    """The server wants a smaller n."""


class Asker:
    """Asks one server, in the words that it takes.

    Args:
        endpoint: open while it is asked.
        dialect: what is known of its words, and learns more.
        max_retries: of one request, after faults that may pass.
        must_count: whether to ask for logprobs where the server does not count the tokens of a sample otherwise.
    """

    def __init__(self, endpoint: Endpoint, dialect: Dialect, *, max_retries: int, must_count: bool) -> None:
        self._endpoint, self._dialect = endpoint, dialect
        self._max_retries, self._must_count = max_retries, must_count
        self._reading = asyncio.Lock()  # one at a time: read, an answer takes many times its bytes
        self._random = random.Random()  # of its own: the caller's stays as it is

    async def ask(self, query: Query, first: int, number: int) -> Reply:
        """Samples `first`, `first + 1`, ..., as many as `number` or fewer.

        Raises:
            FailedError: for good.
            TooManyAtOnceError: it may be had in smaller pieces.
        """
        path = "completions" if isinstance(query.prompt, str) else "chat/completions"
        attempts, shown = 0, self._endpoint.address.shown
        while True:
            wait = None
            sent = self._dialect.body(query, first, number)
            try:
                most = _BYTES + number * query.max_tokens * _BYTES_A_TOKEN
                answer = await self._endpoint.ask(path, sent, most=most)
                if answer.status < 300:
                    own = self._dialect.is_own_temperature(query, sent)
                    async with self._reading:
                        reply = await asyncio.to_thread(
                            read_reply, answer.content, number, query.max_tokens, own_temperature=own
                        )
                    if not self._must_count or all(each.tokens is not None for each in reply.choices):
                        return reply
                    self._dialect.always_logprobs = True
                    if self._dialect.body(query, first, number) == sent:
                        return reply
                    continue
                self._dialect.learn(answer, sent)
                if self._must_count and number > 1 and not self._dialect.has_logprobs:
                    raise TooManyAtOnceError  # `usage` counts single samples
                if self._dialect.body(query, first, number) != sent:
                    continue
                if not passes(answer):
                    raise self._refusal(answer, query, number)
                said = said_by(answer).strip()
                reason, wait = f"HTTP {answer.status}{said and ': '}{said}", retry_after(answer.headers)
                remedy = "See what the server says of it."
            except NoAnswerError as error:
                reason, remedy = str(error), "Is the server running there?"
            except MalformedReplyError as error:
                self._dialect.learn(Answer(status=500, headers={}, content=answer.content), sent)  # if it says "error"
                if self._dialect.body(query, first, number) != sent:
                    continue
                reason, remedy = str(error), "Does base_url end in /v1, and is the server well?"
            except TooLargeError as error:
                if number > 1:
                    raise TooManyAtOnceError from error
                raise FailedError(f"{shown} gave an answer without an end.", everywhere=True) from error
            attempts += 1
            if attempts > self._max_retries:
                reason = self._endpoint.quoted(reason)
                raise FailedError(f"{shown} gave {reason}, in {attempts} attempts. {remedy}", everywhere=True)
            backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempts - 1, 30)) * self._random.uniform(0.5, 1.0)
            await asyncio.sleep(backoff if wait is None else wait)

    def _refusal(self, answer: Answer, query: Query, number: int) -> Exception:
        said, shown = self._endpoint.quoted(said_by(answer)), self._endpoint.address.shown
        if is_faulty(answer):
            if is_context_too_long(said):
                return FailedError(
                    f"prompt and max_tokens={query.max_tokens} do not fit the server's context: {said}. Shorten the "
                    "prompt, start the server with a longer context, or lower max_tokens (in another --out, if samples "
                    "with this limit are there).",
                    everywhere=False,
                )
            if number > 1 and is_about_count(said):
                return TooManyAtOnceError()
            return FailedError(
                f"the server refused it with HTTP {answer.status}: {said}.{self._remedy(said)}", everywhere=False
            )
        if answer.status < 400:
            remedy = f"Name that URL: {self._endpoint.quoted(answer.headers.get('location', 'it names none'))}."
            return FailedError(f"{shown} redirects with HTTP {answer.status}. {remedy}", everywhere=True)
        remedy = "Check base_url, model and api_key (--api-key-env NAME takes it from the environment)."
        return FailedError(f"{shown} gave HTTP {answer.status}: {said}. {remedy}", everywhere=True)

    def _remedy(self, said: str) -> str:
        """What to change, where that can be told."""
        if named := [each for each in self._dialect.extra if each in said]:
            return f" Leave out --extra {named[0]}."
        if "temperature" in said.lower():
            return " Choose a --temperature that it takes; where it takes its own alone, own_temperature=True."
        return " It may be a base model: try --no-chat." if "chat template" in said.lower() else ""
