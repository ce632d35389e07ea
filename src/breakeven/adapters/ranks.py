"""Several processes of one run: the first one decides, all draw its samples, and all are told, its errors too.

The first process runs the session. Its sampler is all processes: each job goes to the others, which wait for the next
one until they are told the decision.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from breakeven.errors import LostProcessError
from breakeven.records import Draw, Prefix, Problem
from breakeven.records.protocols import ProbabilitySampler
from breakeven.sampling.causal import is_sharded

_T = TypeVar("_T")


def is_alone() -> bool:
    """Whether there is no other process."""
    return not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def is_first() -> bool:
    """Whether this process is the one that measures, decides and writes."""
    return is_alone() or dist.get_rank() == 0


def summed(counts: Sequence[float], device: Any) -> tuple[float, ...]:
    """Counts of all processes; every one of them has to ask.

    Args:
        counts: of this process.
        device: of its model, which the processes' backend can send from.
    """
    if is_alone():
        return tuple(counts)
    total = torch.tensor(list(counts), device=device, dtype=torch.float64)  # counts are exact up to 2^53
    with _together():
        dist.all_reduce(total)
    return tuple(total.tolist())


def gathered(rows: list[_T]) -> list[_T]:
    """The rows of all processes, those of the first one first; every process has to ask."""
    if is_alone():
        return rows
    told: list[Any] = [None] * dist.get_world_size()
    with _together():
        dist.all_gather_object(told, rows)
    return [row for each in told for row in each]


def everywhere(make: Callable[[], _T]) -> _T:
    """What `make` returns in this process; every process has to ask.

    Raises:
        Exception: what `make` raised in this process or in another.
    """
    if is_alone():
        return make()
    error: Exception | None = None
    try:
        made = make()
    except Exception as raised:
        error = raised
    errors: list[Any] = [None] * dist.get_world_size()
    with _together():
        dist.all_gather_object(errors, _portable(error))
    if (found := error or next(filter(None, errors), None)) is not None:
        raise found
    return made


def agreed(decide: Callable[[], _T], sampler: "RankSampler | None" = None) -> _T:
    """What `decide` returns in the first process, where alone it is called; every process has to ask.

    Args:
        decide: may draw from `sampler` as often as it needs to.
        sampler: from which the other processes draw their parts.

    Raises:
        Exception: what `decide` raised, in every process.
    """
    if is_alone():
        return decide()
    if dist.get_rank() == 0:
        try:
            result = decide()
        except LostProcessError:
            raise
        except Exception as error:
            _sent(_Told(error=_portable(error)))
            raise
        _sent(_Told(result=result))
        return result
    while not isinstance(told := _sent(None), _Told):
        assert sampler is not None, "nothing else is sent"
        sampler.take_part(told)
    if told.error is not None:
        raise told.error
    found: _T = told.result
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What became of `decide`."""

    result: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A call of the sampler in every process."""

    method: str
    items: Sequence[Any]
    """Problems or prefixes."""
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    lends_weights: bool
    """Whether to be drawn from the weights that the first process has for now."""


class RankSampler:
    """The sampler of a run in several processes: a `NumberedSampler`, and what else of the protocols `inner` is.

    Each process draws every so many of the problems. A sample depends on (seed, problem, its number) alone, so that all
    are those that one process would draw; but the noise of a classifier's pass on the number of processes too, for it
    is that of a batch. Of a model that is sharded (FSDP2, ZeRO-3) no process can compute anything
    alone: there all draw the same, in step, and nothing is gained by their number.

    Args:
        inner: of this process: `sample` and `solution_losses` over its own copy or shard of the model.
    """

    def __init__(self, inner: Any) -> None:
        self.of_each_process, self.model = inner, inner.model
        self._in_step, self._lends_weights = is_sharded(self.model), False
        if isinstance(inner, ProbabilitySampler):
            self.classes, self.snapshots = inner.classes, inner.snapshots

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`; in the first process.

        Raises:
            Exception: what was raised in any process, the lowest in number first.
            LostProcessError: one has ended.
        """
        return self._drawn("sample", problems, num_samples, temperature=temperature, seed=seed, first=first)

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[npt.NDArray[np.float64]]:
        """See `breakeven.records.protocols.LossSampler.solution_losses`; likewise."""
        return self._drawn("solution_losses", prefixes)

    @contextmanager
    def lending(self, swapped: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """Within it all draw from the weights that `swapped` gives to the model of the first process."""
        with swapped():
            self._lends_weights = True
            try:
                yield
            finally:
                self._lends_weights = False

    def _drawn(self, method: str, items: Sequence[Any], *arguments: Any, **options: Any) -> list[Any]:
        job = _Job(method=method, items=items, arguments=arguments, options=options, lends_weights=self._lends_weights)
        _sent(job)
        return self.take_part(job)

    def take_part(self, job: _Job) -> list[Any]:
        """Draw the part of this process; in the first one, what all have drawn, in order."""
        rank, world = dist.get_rank(), dist.get_world_size()
        mine = job.items if self._in_step else job.items[rank::world]
        drawn: Any = []
        error: Exception | None = None
        try:
            with _weights_of_first(self.model) if job.lends_weights else nullcontext():
                if mine:
                    drawn = getattr(self.of_each_process, job.method)(mine, *job.arguments, **job.options)
        except Exception as raised:
            error = raised
        parts: list[Any] | None = [None] * world if rank == 0 else None
        with _together():
            dist.gather_object(([] if self._in_step else drawn, _portable(error)), parts)
        if parts is None:
            return []
        if error is not None:
            raise error
        for place, (_, other) in enumerate(parts):
            if other is not None:
                other.add_note(f"In process {place} of {world}.")
                raise other
        if self._in_step:
            return list(drawn)
        return [parts[place % world][0][place // world] for place in range(len(job.items))]


@contextmanager
def _weights_of_first(model: Any) -> Iterator[None]:
    """The trained weights as the first process has them now; afterwards this process's own again, bit for bit."""
    weights = [each.data for each in model.parameters() if each.requires_grad]
    own = everywhere(lambda: [] if is_first() else [each.clone() for each in weights])
    try:
        for each in weights:
            dist.broadcast(each, src=0)
        yield
    finally:
        for each, before in zip(weights, own, strict=False):
            each.copy_(before)


def _sent(message: Any) -> Any:
    """What the first process says, in every one."""
    told = [message]
    with _together():
        dist.broadcast_object_list(told, src=0)
    return told[0]


def _portable(error: Exception | None) -> Exception | None:
    """An error as others can read it: itself where it survives the way, else one with its words."""
    try:
        arrived = pickle.loads(pickle.dumps(error))
    except Exception:
        arrived = None
    if type(arrived) is type(error) and str(arrived) == str(error):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


@contextmanager
def _together() -> Iterator[None]:
    """What all processes do at once: an error of it says that one of them does not."""
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            f"Another process of this run has ended, or has not answered in time: {error}. "
            "What was recorded is whole. Its own output says why; go on from the last checkpoint."
        ) from error
