"""What is on disk of a run: append-only, crash-safe, versioned, read back. Nothing else writes files.

    RUN/log.jsonl        one JSON object a line, the header first, then checkpoints and verifications as decided:
                         {"kind":"checkpoint","data":{...},"crc32":"0f3a99c1"}
    RUN/texts.jsonl      what the model wrote at each checkpoint, packed
    DIR/samples.jsonl    the samples of `breakeven eval`, with their header, verdicts and rewards
    DIR/journal.jsonl    what a server answered, before anything is done with it
    PLAN/cells.jsonl     the finished pieces of a plan, each with its key
    lock, lock.owner     held while a process may write; see `breakeven.store.lock`

All five are an `AppendLog`. The checksum is CRC-32 over the bytes of `kind` followed by the bytes of `data`. This
envelope is the same in every format, so that an old reader can tell a newer log from a damaged one; `LOG_FORMAT` counts
the changes to what `data` holds. Nothing in a log depends on when it was written: an interrupted and resumed run leaves
the same bytes as an uninterrupted one.

A crash can only leave a last line without its newline, a torn line, which readers leave out and whoever appends next
cuts off. Anything else that does not check is damage, and is refused. Every other file is written with `write_whole`:
it has its name only when it is whole.

Imports: records, errors. The rooms that measure and decide (`ttc`, `stopping`) do not import it.
"""

from breakeven.store.cell_file import CELLS_NAME, CellFile
from breakeven.store.files import make_directory, storage_errors, write_whole
from breakeven.store.journal import Journal
from breakeven.store.kinds import (
    LOG_FORMAT,
    Cell,
    Choice,
    Drawn,
    FoundCandidate,
    Graded,
    Header,
    PlanHeader,
    SamplesHeader,
    Scored,
    Searched,
    Served,
)
from breakeven.store.lock import LOCK_NAME, holder_of
from breakeven.store.run_log import LOG_NAME, RunLog, RunRecord, read_log
from breakeven.store.sample_file import SAMPLES_NAME, SampleFile
from breakeven.store.texts import TEXTS_NAME, TextFile, Texts

__all__ = [
    "CELLS_NAME",
    "LOCK_NAME",
    "LOG_FORMAT",
    "LOG_NAME",
    "SAMPLES_NAME",
    "TEXTS_NAME",
    "Cell",
    "CellFile",
    "Choice",
    "Drawn",
    "FoundCandidate",
    "Graded",
    "Header",
    "Journal",
    "PlanHeader",
    "RunLog",
    "RunRecord",
    "SampleFile",
    "SamplesHeader",
    "Scored",
    "Searched",
    "Served",
    "TextFile",
    "Texts",
    "holder_of",
    "make_directory",
    "read_log",
    "storage_errors",
    "write_whole",
]
