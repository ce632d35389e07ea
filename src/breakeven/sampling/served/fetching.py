"""Requests to an OpenAI-compatible server: side by side, retried, and every answer in the journal before it is used."""

import asyncio
import itertools
import random
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from breakeven.errors import BreakevenError, SamplerError
from breakeven.sampling.served.completions import MalformedReplyError, Query, Reply, read_reply
from breakeven.sampling.served.refusals import (
    is_about_count,
    is_context_too_long,
    openai_package,
    passes,
    refused_field,
    retry_after,
    said_by,
)
from breakeven.store import Journal, Served

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
"""Seconds between attempts: doubled each time up to the longest, and shortened at random by up to a half."""
_MOST_REFUSED = 10
"""Problems that the server may refuse before it is sent no more."""


@dataclass(frozen=True, slots=True)
class _Task:
    """Samples `first`, `first + 1`, ... of a query."""

    query: Query
    first: int
    num_samples: int


@dataclass(slots=True)
class _Run:
    """One call's requests: those to come, and what went wrong."""

    tasks: asyncio.Queue[_Task] = field(default_factory=asyncio.Queue)
    reasons: dict[str, str] = field(default_factory=dict)
    """By the id of the problem that failed, in the order of failure."""
    error: BreakevenError | None = None
    stopped: bool = False


class _FailedError(Exception):
    """A request failed for good. `everywhere`: others would, too."""

    def __init__(self, reason: str, *, everywhere: bool) -> None:
        super().__init__(reason)
        self.everywhere = everywhere


class _TooManyAtOnceError(Exception):
    """The server wants a smaller n."""


class Fetcher:
    """Fills a journal with the samples that queries lack. Arguments as of `OpenAISampler`.

    Args:
        must_count: whether a sample whose tokens the server does not count is an error.
    """

    def __init__(
        self,
        base_url: str,
        journal: Journal,
        *,
        api_key: str | None,
        max_concurrency: int,
        samples_per_request: int | None,
        timeout: float,
        max_retries: int,
        extra_body: Mapping[str, object],
        must_count: bool,
    ) -> None:
        self.base_url, self.journal, self.extra_body, self.must_count = base_url, journal, extra_body, must_count
        self.max_concurrency, self.timeout, self.max_retries = max_concurrency, timeout, max_retries
        self._api_key = api_key
        self._at_once = samples_per_request  # lowered where the server wants fewer or gives fewer
        self._without: set[str] = set()  # optional fields that the server does not know
        self._random = random.Random()  # of its own: the caller's stays as it is

    def fetch(self, queries: Sequence[Query], numbers: range) -> None:
        """See that the journal has the samples of these numbers of each query.

        Raises:
            SamplerError: some cannot be had; the others are in the journal.
            RunStorageError: the journal cannot be written.
            MissingExtraError: the openai package is not installed.
        """
        queries = list(dict.fromkeys(queries))
        tasks = [task for query in queries for task in self._lacking(query, numbers)]
        if not tasks:
            return
        run = _finished(self._work_off(tasks))
        if run.error is not None:
            raise run.error
        if run.reasons:
            have = sum(sum(at in numbers for at in self.journal.samples(query.key)) for query in queries)
            problem, reason = next(iter(run.reasons.items()))
            failed = f"{len(run.reasons)} problem{'s' if len(run.reasons) > 1 else ''}"
            stopped = ", and others were not tried" if run.stopped else ""
            raise SamplerError(
                f"{have} of {len(queries) * len(numbers)} samples came; {failed} failed{stopped}. "
                f"The first, {problem!r}: {reason} {self.kept()}"
            )

    def kept(self) -> str:
        """Where samples stay when others fail."""
        where = f"the journal {self.journal.path}" if self.journal.path else "this sampler"
        return f"What came is kept in {where}: the same call goes on from there."

    def _lacking(self, query: Query, numbers: range) -> list[_Task]:
        have = self.journal.samples(query.key)
        missing = [at for at in numbers if at not in have]
        tasks = []
        for _, group in itertools.groupby(enumerate(missing), lambda pair: pair[1] - pair[0]):
            run = [at for _, at in group]
            tasks.append(_Task(query, run[0], len(run)))
        return tasks

    async def _work_off(self, tasks: Sequence[_Task]) -> _Run:
        run = _Run()
        for task in tasks:
            run.tasks.put_nowait(task)
        # Without a key none is sent that the surroundings may hold: it may be meant for another server.
        client_options: dict[str, Any] = {"base_url": self.base_url, "api_key": self._api_key or "none"}
        async with (
            openai_package().AsyncOpenAI(**client_options, timeout=self.timeout, max_retries=0) as client,
            asyncio.TaskGroup() as group,
        ):
            workers = [group.create_task(self._work(client, run)) for _ in range(self.max_concurrency)]
            await run.tasks.join()
            for worker in workers:
                worker.cancel()
        return run

    async def _work(self, client: Any, run: _Run) -> None:
        while True:
            task = await run.tasks.get()
            try:
                if not run.stopped and task.query.problem_id not in run.reasons:
                    await self._serve(client, run, task)
            except _FailedError as failure:
                run.reasons.setdefault(task.query.problem_id, str(failure))
                run.stopped |= failure.everywhere or len(run.reasons) >= _MOST_REFUSED
            except BreakevenError as error:
                run.error, run.stopped = error, True
            finally:
                run.tasks.task_done()

    async def _serve(self, client: Any, run: _Run, task: _Task) -> None:
        """Get a task's samples, or split it into tasks that the server can serve."""
        query, first = task.query, task.first
        number = min(task.num_samples, 1 if query.one_by_one else self._at_once or task.num_samples)
        if number < task.num_samples:
            for at in range(first, first + task.num_samples, number):
                run.tasks.put_nowait(_Task(query, at, min(number, first + task.num_samples - at)))
            return
        try:
            reply = await self._reply(client, query, first, number)
        except _TooManyAtOnceError:
            self._at_once = min(self._at_once or number, number // 2)
            run.tasks.put_nowait(task)
            return
        self.journal.append(
            Served(
                key=query.key,
                problem=query.problem_id,
                first=first,
                choices=reply.choices,
                prompt_tokens=reply.prompt_tokens,
            )
        )
        if self.must_count and any(each.tokens is None for each in reply.choices):
            raise _FailedError(
                "the server does not count the tokens of each sample: it gives no logprobs. Give count_tokens, or ask "
                "for one sample a request (samples_per_request=1).",
                everywhere=True,
            )
        if len(reply.choices) < number:  # it ignores n, or heeds it in part
            self._at_once = 1
            run.tasks.put_nowait(_Task(query, first + len(reply.choices), number - len(reply.choices)))

    async def _reply(self, client: Any, query: Query, first: int, number: int) -> Reply:
        openai = openai_package()
        for attempt in itertools.count():
            wait = None
            try:
                async with asyncio.timeout(self.timeout):
                    content = await self._post(client, query, first, number)
                return read_reply(content, number, query.max_tokens)
            except openai.APIStatusError as error:
                if not passes(error):
                    if self._without_refused(error):
                        continue
                    raise self._refusal(error, query, number) from error
                reason, wait = f"HTTP {error.status_code}: {said_by(error)}", retry_after(error.response.headers)
            except (openai.APITimeoutError, TimeoutError):
                reason = f"no answer within {self.timeout:g} s"
            except openai.APIConnectionError as error:
                reason = f"no connection ({error.__cause__ or error})"
            except MalformedReplyError as error:
                reason = str(error)
            if attempt >= self.max_retries:
                raise _FailedError(
                    f"{self.base_url} gave {reason}, in {attempt + 1} attempts. Is the server running there?",
                    everywhere=True,
                )
            backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt, 30)) * self._random.uniform(0.5, 1.0)
            await asyncio.sleep(backoff if wait is None else wait)
        raise AssertionError("unreachable")

    async def _post(self, client: Any, query: Query, first: int, number: int) -> bytes:
        endpoint = client.completions if isinstance(query.prompt, str) else client.chat.completions
        body = query.body(first, number, self._without)
        # The raw answer: what servers add or leave out is for read_reply to judge.
        answer = await endpoint.with_raw_response.create(**body, extra_body=self.extra_body or None)
        content: bytes = answer.content
        return content

    def _without_refused(self, error: Any) -> bool:
        """Whether the server refused a field that can be left out, which from now on it is."""
        name = refused_field(said_by(error), self._without) if error.status_code in (400, 422) else None
        if name is not None:
            self._without.add(name)
        return name is not None

    def _refusal(self, error: Any, query: Query, number: int) -> Exception:
        said = said_by(error)
        if error.status_code in (400, 413, 422):
            if is_context_too_long(said):
                return _FailedError(
                    f"prompt and max_tokens={query.max_tokens} do not fit the server's context: {said}. Shorten the "
                    "prompt, lower max_tokens or start the server with a longer context.",
                    everywhere=False,
                )
            if number > 1 and is_about_count(said):
                return _TooManyAtOnceError()
            return _FailedError(f"the server refused it with HTTP {error.status_code}: {said}.", everywhere=False)
        remedy = "Check base_url, model and api_key."
        return _FailedError(f"{self.base_url} gave HTTP {error.status_code}: {said}. {remedy}", everywhere=True)


def _finished(work: Coroutine[Any, Any, _Run]) -> _Run:
    """Its result, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
