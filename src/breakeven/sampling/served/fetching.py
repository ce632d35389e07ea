"""Requests to an OpenAI-compatible server: side by side, retried, and every answer in the journal before it is used."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from breakeven.errors import BreakevenError, SamplerError
from breakeven.sampling.served.address import Address
from breakeven.sampling.served.asking import Asker, FailedError, TooManyAtOnceError
from breakeven.sampling.served.completions import Query
from breakeven.sampling.served.dialect import Dialect
from breakeven.sampling.served.endpoint import Endpoint, finished
from breakeven.sampling.served.replies import Reply
from breakeven.store import Journal, Served

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

    asker: Asker
    tasks: asyncio.Queue[_Task] = field(default_factory=asyncio.Queue)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    reasons: dict[str, str] = field(default_factory=dict)
    """By the id of the problem that failed, in the order of failure."""
    error: BreakevenError | None = None
    stopped: bool = False


class Fetcher:
    """Fills a journal with the samples that queries lack. Arguments as of `OpenAISampler`.

    Args:
        must_count: whether a sample whose tokens the server does not count is an error.
    """

    def __init__(
        self,
        address: Address,
        journal: Journal,
        *,
        api_key: str | None,
        max_concurrency: int,
        samples_per_request: int | None,
        timeout: float,
        max_retries: int,
        extra_body: Mapping[str, object],
        must_count: bool,
        own_temperature: bool,
    ) -> None:
        self.journal, self.must_count, self.max_retries = journal, must_count, max_retries
        self._address, self._api_key, self._timeout = address, api_key, timeout
        self._max_concurrency = max_concurrency
        self._at_once = samples_per_request  # lowered where the server wants fewer or gives fewer
        self._dialect = Dialect(extra_body, own_temperature=own_temperature)

    def fetch(self, queries: Sequence[Query], numbers: range) -> None:
        """See that the journal has the samples of these numbers of each query.

        Raises:
            SamplerError: some cannot be had; the others are in the journal.
            RunStorageError: the journal cannot be written.
            MissingExtraError: the HTTP library is not installed.
        """
        queries = list(dict.fromkeys(queries))
        tasks = [task for query in queries for task in self._lacking(query, numbers)]
        if not tasks:
            return
        run = finished(self._work_off(tasks))
        if run.error is not None:
            raise run.error
        if run.reasons:
            have = sum(sum(at in numbers for at in self._have(query)) for query in queries)
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

    def _have(self, query: Query) -> list[int]:
        """Numbers of the samples that can be used."""
        kept = self.journal.samples(query.key).items()
        return [at for at, (choice, _) in kept if choice.tokens is not None or not self.must_count]

    def _lacking(self, query: Query, numbers: range) -> list[_Task]:
        have = set(self._have(query))
        missing = [at for at in numbers if at not in have]
        tasks = []
        for _, group in itertools.groupby(enumerate(missing), lambda pair: pair[1] - pair[0]):
            run = [at for _, at in group]
            tasks.append(_Task(query, run[0], len(run)))
        return tasks

    async def _work_off(self, tasks: Sequence[_Task]) -> _Run:
        endpoint = Endpoint(
            self._address, api_key=self._api_key, timeout=self._timeout, max_connections=self._max_concurrency
        )
        run = _Run(Asker(endpoint, self._dialect, max_retries=self.max_retries, must_count=self.must_count))
        for task in tasks:
            run.tasks.put_nowait(task)
        async with endpoint, asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work(run)) for _ in range(self._max_concurrency)]
            await run.tasks.join()
            for worker in workers:
                worker.cancel()
        return run

    async def _work(self, run: _Run) -> None:
        while True:
            task = await run.tasks.get()
            try:
                if not run.stopped and task.query.problem_id not in run.reasons:
                    await self._serve(run, task)
            except FailedError as failure:
                run.reasons.setdefault(task.query.problem_id, str(failure))
                run.stopped |= failure.everywhere or len(run.reasons) >= _MOST_REFUSED
            except BreakevenError as error:
                run.error, run.stopped = error, True
            finally:
                run.tasks.task_done()

    async def _serve(self, run: _Run, task: _Task) -> None:
        """Get a task's samples, or split it into tasks that the server can serve."""
        query, first = task.query, task.first
        one_by_one = query.one_by_one or (self.must_count and not self._dialect.has_logprobs)
        number = min(task.num_samples, 1 if one_by_one else self._at_once or task.num_samples)
        if number < task.num_samples:
            for at in range(first, first + task.num_samples, number):
                run.tasks.put_nowait(_Task(query, at, min(number, first + task.num_samples - at)))
            return
        try:
            reply = await run.asker.ask(query, first, number)
        except TooManyAtOnceError:
            self._at_once = min(self._at_once or number, number // 2)
            run.tasks.put_nowait(task)
            return
        async with run.writing:  # the disk is waited for in a thread, one answer after the other
            await asyncio.to_thread(self._keep, query, first, reply)
        if self.must_count and any(each.tokens is None for each in reply.choices):
            single = ", or ask for one sample a request (samples_per_request=1, --samples-per-request 1)"
            raise FailedError(
                "the server does not count the tokens of each sample: it gives no logprobs. Give count_tokens "
                f"(--tokenizer){single if number > 1 else ''}.",
                everywhere=True,
            )
        if len(reply.choices) < number:
            if not reply.was_broken:  # it ignores n, or heeds it in part
                self._at_once = 1
            run.tasks.put_nowait(_Task(query, first + len(reply.choices), number - len(reply.choices)))

    def _keep(self, query: Query, first: int, reply: Reply) -> None:
        self.journal.append(
            Served(
                key=query.key,
                problem=query.problem_id,
                first=first,
                choices=reply.choices,
                prompt_tokens=reply.prompt_tokens,
            )
        )
