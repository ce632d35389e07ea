"""Give whole commands mutated inputs: each answers, or refuses in breakeven's own words, in bounded time.

    nice python benchmarks/fuzz_commands.py --inputs 200 --seed 0
    nice python benchmarks/fuzz_commands.py --only decide

What a reader lets through, fuzz.py does not follow: here `decide`, with options drawn for each input, and `replay`,
`report` and `status` go on with it to what they print and write. Mutations are mild, so that most inputs are read:
numbers swapped for others of the same kind, at the ends of what their type holds; flags, words and whole lines swapped.
"""

import argparse
import contextlib
import gzip
import io
import random
import re
import signal
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import fuzz

from breakeven.cli import app

_ROOT = Path(__file__).resolve().parents[1]
_EVALS = _ROOT / "examples" / "evals"
_FLOPS = ("--params=1e9", "--tokens-per-step=1e6")
_BUDGETS = (
    ("--budget-flops=1.2e19", *_FLOPS), ("--budget-flops=1e308", *_FLOPS), ("--budget-steps=20000", *_FLOPS),
    ("--budget-steps=1e200", *_FLOPS), ("--budget-hours=99",), ("--budget-tokens=300B", *_FLOPS),
    ("--budget-flops=1e25", *_FLOPS),
)  # fmt: skip
_OPTIONS = (
    ("--json",), ("--now",), ("--checker",), ("--policy=paper",), ("--policy=paper", "--patience=1"),
    ("--baseline=greedy",), ("--baseline=sampled",), ("--baseline=best",),
    ("--max-k=1",), ("--max-k=2000",), ("--patience=3",), ("--min-accuracy=1",), ("--target=1",), ("--decay-share=0",),
    ("--decay-share=0.9",), ("--num-problems=1",), ("--stderr=0.02",), ("--percent",), ("--task=all",),
    ("--report=PLACE/page.html",), ("--like=EARLIER",),
    ("--params=1e9", "--prompt-tokens=9", "--output-tokens=9", "--queries=10M"),
    ("--params=1e200", "--prompt-tokens=1e50", "--output-tokens=1e50", "--queries=1e300"),
    ("--params=1", "--prompt-tokens=1", "--output-tokens=1", "--max-query-flops=9", "--queries=0.1"),
)  # fmt: skip
_NUMBERS = (
    b"0", b"1", b"2", b"7", b"64", b"100", b"1000000", b"2147483648", b"9007199254740993", b"-1", b"0.0", b"1.0",
    b"0.5", b"0.999999999", b"1e-9", b"5e-324", b"1e-300", b"1e300", b"1.7e308", b"-0.0", b"1e18",
)  # fmt: skip
_PLACES = {
    "number": re.compile(rb"(?<![\w.\"])-?\d+(\.\d+)?([eE][-+]?\d+)?(?![\w.\"])"),
    "bits": re.compile(rb'"[01]{2,}"'),
    "word": re.compile(rb'(?<=[:,\[])"[^"\\]{0,40}"(?=[,\]}])|\b(?:true|false|null)\b'),
}
_RECORD = re.compile(rb'\{"kind":"(\w+)","data":(.*),"crc32":"[0-9a-f]{8}"(,"chain":"[0-9a-f]{8}")?\}\n')
_ENDS = (0, 2, 3, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200, metavar="N", help="mutated ones, for each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=20.0, metavar="SECONDS", help="of CPU, for one input")
    parser.add_argument("--only", default="", metavar="TEXT", help="commands whose names hold this")
    asked = parser.parse_args()
    signal.signal(signal.SIGPROF, fuzz.too_long)
    found = Counter[str]()
    sys.stdout.write(fuzz.HEADING)
    with tempfile.TemporaryDirectory() as folder:
        for command in commands():
            if asked.only in command.name:
                chance = random.Random(f"{asked.seed} {command.name}")
                found += fuzz.fuzz(command, asked.inputs, chance, asked.limit, folder)
    for fault, times in found.most_common(30):
        sys.stdout.write(f"  {times} x {fault!a}\n")
    raise SystemExit(bool(found))


def commands() -> list[fuzz.Reader]:
    """Each command as what reads, refusing where its exit code says so."""
    rows = b"".join(gzip.decompress((_EVALS / "samples.jsonl.gz").read_bytes()).splitlines(keepends=True)[:120])
    counts = b"".join((_EVALS / "counts.csv").read_bytes().splitlines(keepends=True)[:200])
    tasks = b"".join(gzip.decompress((_EVALS / "tasks.csv.gz").read_bytes()).splitlines(keepends=True)[:200])
    curves = tuple((_EVALS / name).read_bytes() for name in ("accuracy.csv", "seed0.csv", "wandb.csv"))
    state = (_EVALS / "trainer_state.json").read_bytes()
    recorded = (*_ROOT.glob("tests/recorded/*/log.jsonl"), *_ROOT.glob("examples/runs/*/log.jsonl"))
    logs = tuple(b"".join(each.read_bytes().splitlines(keepends=True)[:12]) for each in sorted(recorded))
    return [
        *(
            fuzz.Reader(f"decide, {called}", _deciding(name, seeds[0]), seeds, (Refused,), mutate=nudged)
            for called, name, seeds in (
                ("CSV", "rows.csv", (counts, tasks)),
                ("JSONL", "rows.jsonl", (rows,)),
                ("accuracies", "rows.csv", curves),
                ("trainer state", "trainer_state.json", (state,)),
            )
        ),
        *(
            fuzz.Reader(name, _on_log(name, *more), logs, (Refused,), sealed=True, mutate=nudged)
            for name, *more in (("replay",), ("replay", "--json"), ("report",), ("status",))
        ),
    ]


def nudged(data: bytes, chance: random.Random, *, sealed: bool = False) -> bytes:
    """An input with one to three mild mutations; the records of a log get the checksums of what they then hold."""
    for _ in range(chance.randint(1, 3)):
        lines = data.splitlines(keepends=True) or [b""]
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        kind = chance.choice(("number", "number", "number", "bits", "word", "line"))
        places = list(_PLACES[kind].finditer(lines[at])) if kind != "line" else []
        if places:
            place = chance.choice(places)
            new = {
                "number": chance.choice(_NUMBERS),
                "bits": b'"' + bytes(chance.choices(b"01", k=len(place[0]) - 2)) + b'"',
                "word": chance.choice(places)[0],
            }[kind]
            old = lines[at]
            lines[at] = old[: place.start()] + new + old[place.end() :]
            if kind == "number" and chance.random() < 0.5:  # in all places, as FLOPs are in rows
                alike = re.compile(rb"(?<![\w.])%b(?![\w.])" % re.escape(place[0]))
                lines = [alike.sub(new, each) for each in lines]
        elif kind == "line":
            match chance.randrange(3):
                case 0:
                    lines[at], lines[other] = lines[other], lines[at]
                case 1:
                    del lines[at:other]
                case _:
                    lines.insert(at, lines[other])
        data = b"".join(lines)
    return b"".join(map(_sealed, data.splitlines(keepends=True))) if sealed else data


def _sealed(line: bytes) -> bytes:
    found = _RECORD.fullmatch(line)
    if found is None:
        return line
    crc = zlib.crc32(found[2], zlib.crc32(found[1]))
    return b'{"kind":"%b","data":%b,"crc32":"%08x"}\n' % (found[1], found[2], crc)


class Refused(Exception):  # noqa: N818
    """The command ended with a code for an error."""


def _deciding(name: str, before: bytes) -> Callable[[bytes, Path], None]:
    def decide(data: bytes, place: Path) -> None:
        path, earlier, chance = place / name, place / "earlier" / name, random.Random(zlib.crc32(data))
        path.write_bytes(data)
        earlier.parent.mkdir()
        earlier.write_bytes(before)
        options = [*chance.choice(_BUDGETS), *sum(chance.sample(_OPTIONS, chance.randint(0, 3)), ())]
        if b"mbpp" in data:
            options.insert(0, "--task=mbpp")
        if b"accuracy" in data[:1000]:
            options.insert(0, "--num-problems=100")
        given = [each.replace("EARLIER", str(earlier)).replace("PLACE", str(place)) for each in options]
        _run("decide", str(path), *dict.fromkeys(given))

    return decide


def _on_log(name: str, *options: str) -> Callable[[bytes, Path], None]:
    def run(data: bytes, place: Path) -> None:
        (place / "log.jsonl").write_bytes(data)
        _run(name, str(place), *options, *(("--out", str(place / "page.html")) if name == "report" else ()))

    return run


def _run(*arguments: str) -> None:
    """Run a command in this process.

    Raises:
        Refused: it ended with a code for an error.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            app(list(arguments))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
    if code not in _ENDS:
        raise RuntimeError(f"{arguments} ended with {code}: {said.getvalue()[-300:]}")
    if "nan" in said.getvalue().lower().split():
        raise RuntimeError(f"{arguments} says nan: {said.getvalue()[-300:]}")
    if code in (2, 3):
        raise Refused


if __name__ == "__main__":
    main()
