"""The run log: append-only, crash-safe, versioned; read back. Nothing else writes it.

A run directory holds two files:

    RUN/log.jsonl   one JSON object a line, the header first, then checkpoints and verifications as they were decided:
                    {"kind":"checkpoint","data":{...},"crc32":"0f3a99c1"}
    RUN/lock        held with flock while a process may write; it survives the run and holds the last writer's id

The checksum is CRC-32 over the bytes of `kind` followed by the bytes of `data`. This envelope is the same in every
format, so that an old reader can tell a newer log from a damaged one; `LOG_FORMAT` counts the changes to what `data`
holds. Nothing in a log depends on when it was written: an interrupted and resumed run leaves the same bytes as an
uninterrupted one.

A crash can only leave a last line without its newline, a torn line, which readers leave out and `RunLog.open` cuts
off. Anything else that does not check is damage, and is refused. The samples of `breakeven eval` are kept likewise, in
DIRECTORY/samples.jsonl.
"""

from breakeven.store.files import LOCK_NAME, LOG_NAME
from breakeven.store.lines import LOG_FORMAT, Drawn, FoundCandidate, Graded, Header, SamplesHeader, Scored, Searched
from breakeven.store.run_log import RunLog, RunRecord, read_log
from breakeven.store.sample_file import SAMPLES_NAME, SampleFile

__all__ = [
    "LOCK_NAME",
    "LOG_FORMAT",
    "LOG_NAME",
    "SAMPLES_NAME",
    "Drawn",
    "FoundCandidate",
    "Graded",
    "Header",
    "RunLog",
    "RunRecord",
    "SampleFile",
    "SamplesHeader",
    "Scored",
    "Searched",
    "read_log",
]
