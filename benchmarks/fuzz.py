"""Give every reader mutated inputs: it answers, or refuses with one of breakeven's own errors, in bounded time.

    nice python benchmarks/fuzz.py --inputs 1000 --seed 0
    nice python benchmarks/fuzz.py --guided --only verdicts

Mutations: JSON values swapped for others of each type, deep nesting, integers of 5,000 digits, lone surrogates, lines
cut, doubled and merged, bytes flipped, gzip whole and cut. Lines of logs get the checksum of what they then hold, so
that the mutation reaches what is behind it. Guided, an input that steps in breakeven's own code from line to line as
none did before is kept and mutated further, as by any fuzzer that is led by coverage. Ends with 1 if anything else was
raised, or took over --limit CPU seconds.
"""

import argparse
import gzip
import json
import random
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from breakeven.checking import plain_data
from breakeven.config import load_recipe
from breakeven.data.answers import code, drop, find, gsm8k, math, math_find, numbers, said
from breakeven.data.sets.plain import PlainFile
from breakeven.errors import BreakevenError
from breakeven.readers import ReadOptions, read_evals
from breakeven.readers.model_config import cost_from_config
from breakeven.sampling.reward_models.judge import read_verdict
from breakeven.sampling.served import refusals
from breakeven.sampling.served.endpoint import Answer
from breakeven.sampling.served.replies import MalformedReplyError, read_reply
from breakeven.store import Choice, Journal, SampleFile, Served, read_log
from breakeven.store.kinds import Drawn, SamplesHeader
from breakeven.store.lines import encode

_ROOT = Path(__file__).resolve().parents[1]
_VALUES = (
    "null", "true", "0", "-1", "1.5", "1e999", "NaN", "9" * 5000, '""', '"x"', '"\\ud800"', "[]", "{}", "[[1]]",
    '{"a":null}', "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, "2" + "0" * 18, '"\\u0000"',
)  # fmt: skip
_BITS = (
    b"\xff",
    b"\x00",
    b"\xed\xa0\x80",
    b'"',
    b"\n",
    b"\r",
    b",",
    b"{",
    b"[" * 2000,
    b"9" * 5000,
    b"\\boxed{",
    b"```",
)


HEADING = f"{'reader':22} {'inputs':>6} {'read':>6} {'refused':>7} {'faults':>6} {'slowest':>8}\n"
Step: TypeAlias = tuple[CodeType, int, int]
"""Of which code, from which line, to which."""
_MOST_KEPT_BYTES = 1 << 16


class _TooLong(BaseException):
    """The time for one input is over."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads, some inputs that it reads well, and the errors that it promises."""

    name: str
    read: Callable[[bytes, Path], object]
    seeds: tuple[bytes, ...]
    promised: tuple[type[Exception], ...] = (BreakevenError,)
    sealed: bool = False
    """Whether lines are records with checksums."""
    mutate: Callable[..., bytes] | None = None
    """In place of `mutated`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000, metavar="N", help="mutated ones, for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=5.0, metavar="SECONDS", help="of CPU, for one input")
    parser.add_argument("--only", default="", metavar="TEXT", help="readers whose names hold this")
    parser.add_argument("--guided", action="store_true", help="by what inputs reach; some ten times slower")
    asked = parser.parse_args()
    signal.signal(signal.SIGPROF, too_long)
    found = Counter[str]()
    sys.stdout.write(HEADING)
    with tempfile.TemporaryDirectory() as folder:
        for reader in readers():
            if asked.only in reader.name:
                chance = random.Random(f"{asked.seed} {reader.name}")
                found += fuzz(reader, asked.inputs, chance, asked.limit, folder, guided=asked.guided)
    for fault, times in found.most_common(30):
        sys.stdout.write(f"  {times} x {fault!a}\n")
    raise SystemExit(bool(found))


def fuzz(
    reader: Reader, inputs: int, chance: random.Random, limit: float, folder: str, *, guided: bool = False
) -> Counter[str]:
    """Try a reader, print its row, and return its faults with their number."""
    counts, found, slowest = Counter[str](), Counter[str](), 0.0
    corpus, known = list(reader.seeds), set[Step]()
    for number in range(inputs):
        seed = chance.choice(chance.choice((reader.seeds, corpus, corpus[-20:])))
        data = (reader.mutate or mutated)(seed, chance, sealed=reader.sealed)
        steps = set[Step]()
        place = Path(tempfile.mkdtemp(dir=folder))
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, limit)
        try:
            if guided:
                sys.settrace(_into(steps))
            reader.read(data, place)
            counts["read"] += 1
        except reader.promised:
            counts["refused"] += 1
        except (Exception, _TooLong) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            own = [each for each in traceback.extract_tb(error.__traceback__) if "/breakeven/" in each.filename][-1:]
            at = own[0] if own else where
            found[f"{reader.name}: {type(error).__name__} at {Path(at.filename).name}:{at.lineno}: {error!s:.90}"] += 1
            if found.total() < 4:
                sys.stderr.write(f"input {number} of {reader.name}: {data[:300]!r}\n")
        finally:
            sys.settrace(None)
            signal.setitimer(signal.ITIMER_PROF, 0)
        if not steps <= known and len(data) < _MOST_KEPT_BYTES:
            known |= steps
            corpus.append(data)
        slowest = max(slowest, time.process_time() - began)
    row = f"{inputs:6} {counts['read']:6} {counts['refused']:7} {found.total():6} {slowest:6.2f} s"
    kept = f", {len(corpus) - len(reader.seeds)} kept that took a new step, of {len(known)}" if guided else ""
    sys.stdout.write(f"{reader.name:22} {row}{kept}\n")
    sys.stdout.flush()
    return found


def _into(steps: set[Step]) -> Callable[..., Any]:
    """A trace function that adds what is stepped from line to line in breakeven's own code."""

    def enter(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if "/breakeven/" not in frame.f_code.co_filename:
            return None
        last = 0

        def walk(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
            nonlocal last
            steps.add((frame.f_code, last, frame.f_lineno))
            last = frame.f_lineno
            return walk

        return walk

    return enter


def too_long(*_: object) -> None:
    """For SIGPROF: the time of an input is over."""
    raise _TooLong


def mutated(data: bytes, chance: random.Random, *, sealed: bool = False) -> bytes:
    """An input with one to three mutations."""
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(("value", "value", "value", "lines", "bytes", "gzip"))
        if kind == "value":
            data = _other_value(data, chance, sealed=sealed)
        elif kind == "lines":
            data = _other_lines(data, chance)
        elif kind == "bytes" and data:
            at, much = chance.randrange(len(data)), chance.choice((0, 1, 1, 9))
            data = data[:at] + chance.choice((*_BITS, bytes([chance.randrange(256)]))) + data[at + much :]
        elif chance.random() < 0.3:
            packed = gzip.compress(data)
            data = packed if chance.random() < 0.5 else packed[: chance.randrange(len(packed))]
    return data


def _other_lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines[at] = lines[at].rstrip(b"\r\n")
        case 3:
            del lines[at]
        case _:
            lines[at:] = [b"".join(lines[at:])[: chance.randrange(2000)]]
    return b"".join(lines)


def _other_value(data: bytes, chance: random.Random, *, sealed: bool) -> bytes:
    """One value of a JSON line (or of the whole, where it is one document) or one cell swapped for another."""
    lines = data.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    for first, last in ((at, at + 1), (0, len(lines))):
        try:
            whole = json.loads(b"".join(lines[first:last]))
        except (ValueError, RecursionError):
            continue
        if not isinstance(whole, dict | list):
            break
        try:
            inner = whole.get("data") if sealed and isinstance(whole, dict) and "data" in whole else whole
            text = _swapped(inner, chance)
        except RecursionError:
            return data
        if inner is not whole:
            kind = str(whole.get("kind"))
            crc = zlib.crc32(text.encode("utf-8", "surrogatepass"), zlib.crc32(kind.encode("utf-8", "surrogatepass")))
            text = f'{{"kind":{json.dumps(kind)},"data":{text},"crc32":"{crc:08x}"}}'
        return b"".join([*lines[:first], text.encode("utf-8", "surrogatepass"), b"\n", *lines[last:]])
    cells = lines[at].split(b",")
    cells[chance.randrange(len(cells))] = chance.choice(_VALUES).encode()
    return b"".join([*lines[:at], b",".join(cells).rstrip(b"\n") + b"\n", *lines[at + 1 :]])


def _swapped(value: Any, chance: random.Random) -> str:
    """The JSON text of a value in which one place, at any depth, holds something else, or a key is gone."""
    mark = "\x01swapped\x01"
    holder = value
    while isinstance(holder, dict | list) and holder:
        key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            if chance.random() < 0.1:
                del holder[key]
            else:
                holder[key] = mark
            break
        holder = inner
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return plain.replace(json.dumps(mark), chance.choice(_VALUES))


def readers() -> list[Reader]:
    """All that reads what comes from outside, each with inputs that it reads."""
    evals = _ROOT / "examples" / "evals"
    counts, greedy = (evals / "counts.csv", evals / "accuracy.csv")
    rows = b"".join(gzip.decompress((evals / "samples.jsonl.gz").read_bytes()).splitlines(keepends=True)[:60])
    results = [each.read_bytes() for each in sorted((evals / "lm_eval").rglob("*.json"))[:2]]
    state = (evals / "trainer_state.json").read_bytes()
    human = gzip.decompress((evals / "human_eval" / "step_1000_results.jsonl.gz").read_bytes())
    human = b"".join(human.splitlines(keepends=True)[:40])
    log = (_ROOT / "tests" / "recorded" / "paper-countdown" / "log.jsonl").read_bytes()
    log = b"".join(log.splitlines(keepends=True)[:5])
    recipe = tuple(each.read_bytes() for each in sorted((_ROOT / "src/breakeven/recipes").glob("*.toml")))
    short = b"".join(counts.read_bytes().splitlines(keepends=True)[:60])
    lm_row = {"doc_id": 0, "doc": {}, "target": "1", "arguments": {"gen_args_0": {"arg_0": "?", "arg_1": {}}},
              "resps": [["1", "2"]], "filtered_resps": ["1"], "filter": "none", "metrics": ["exact_match"],
              "exact_match": 1.0}  # fmt: skip
    lm_samples = b"".join(json.dumps(lm_row | {"doc_id": each}).encode() + b"\n" for each in range(4))
    inspect = {"status": "success", "eval": {"task": "t", "model": "m/step-100", "config": {"epochs": 1}},
               "results": {"total_samples": 2, "scores": [{"name": "s", "metrics": {"accuracy": {"value": 0.5}}}]},
               "samples": [{"id": 1, "scores": {"s": {"value": "C"}}}, {"id": 2, "scores": {}}]}  # fmt: skip
    evalplus = {"date": "2026", "hash": "0", "eval": {"HumanEval/0": [{"task_id": "HumanEval/0", "base_status": "pass",
                "plus_status": "fail"}], "HumanEval/1": [{"base_status": "fail", "plus_status": "fail"}]}}  # fmt: skip
    samples = _lines(
        SamplesHeader(versions={}, model="m", task="t", temperature=1.0, seed=0, max_tokens=9, settings={}),
        Drawn(problem="p", prompt="?", first=0, greedy=False, prompt_tokens=1, completions=()),
    )
    served = _lines(*(Served(key="k", problem="p", first=each, choices=(Choice("a", "stop", 2),)) for each in (0, 1)))
    options = ReadOptions(flops_per_step=1e12, flops_per_token=1e9, num_problems=100)
    plus = replace(options, metric="plus")

    def evaluations(name: str, options: ReadOptions = options) -> Callable[[bytes, Path], object]:
        def read(data: bytes, place: Path) -> object:
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return read_evals(place if "/" in name else path, options)

        return read

    def at(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
        return lambda data, place: ((place / name).write_bytes(data), read(place / name))

    shown = _json(inspect), _json(evalplus)
    choice = {"index": 0, "message": {"content": "42", "reasoning": "?"}, "finish_reason": "stop", "logprobs": {
              "content": [{"token": "4"}, {"token": "2"}]}, "stop_reason": None}  # fmt: skip
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
             "completion_tokens_details": {"reasoning_tokens": 1}}  # fmt: skip
    parts = {"content": [{"type": "text", "text": "42"}, {"type": "thinking", "thinking": [{"text": "?"}]}]}
    plain = {"text": "42", "finish_reason": "length", "logprobs": {"tokens": ["4", "2"]}}
    refusal = {"error": {"message": "too many tokens", "param": "n", "code": "x"}, "detail": [{"loc": ["body", "n"]}]}
    completions = ([choice], [choice | {"message": parts}], [plain, plain])
    answers = (*(_json({"choices": each, "usage": usage}) for each in completions), _json(refusal))
    configs = tuple(_json(_CONFIG | each) for each in _CONFIGS)
    none_such = (ValueError, TypeError, RecursionError)  # as plain_data.decode says
    texts = tuple(each.encode() for each in _TEXTS)
    return [
        Reader("rows, CSV", evaluations("rows.csv"), (short, greedy.read_bytes())),
        Reader("rows, JSONL", evaluations("rows.jsonl"), (rows,)),
        Reader("trainer state", evaluations("trainer_state.json"), (state,)),
        Reader("lm-eval results", evaluations("lm/step_100/results.json"), tuple(results)),
        Reader("lm-eval samples", evaluations("step_100/samples_t_2026-01-01T00-00-00.000000.jsonl"), (lm_samples,)),
        Reader("human-eval results", evaluations("h/step_100_results.jsonl"), (human,)),
        Reader("inspect_ai logs", evaluations("step-100/log.json"), (shown[0],)),
        Reader("EvalPlus results", evaluations("e/step_100_eval_results.json", plus), (shown[1],)),
        Reader("run log", at("log.jsonl", read_log), (log,), sealed=True),
        Reader("sample file", at("samples.jsonl", _sample_file), (samples,), sealed=True),
        Reader("journal", at("journal.jsonl", lambda path: Journal(path).samples("k")), (served,), sealed=True),
        Reader("recipes", at("recipe.toml", lambda path: load_recipe(str(path))), recipe),
        Reader("plain data", lambda data, _: plain_data.decode(data), tuple(map(plain_data.encode, _PLAIN)), none_such),
        Reader("verdicts", lambda data, _: read_verdict(_text(data)), texts, ()),
        Reader("server's answers", lambda data, _: read_reply(data, 2, 9), answers, (MalformedReplyError,)),
        Reader("server's refusals", lambda data, _: _refusal(data), answers, ()),
        Reader("model configs", at("config.json", cost_from_config), configs),
        Reader("task files", at("task.jsonl", lambda path: PlainFile(path=path).problems), (_TASKS,)),
        Reader("answers", lambda data, _: _answers(_text(data)), texts, ()),
    ]


_CONFIG = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 9, "intermediate_size": 8,
           "sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}  # fmt: skip
_CONFIGS = (
    {"model_type": "mistral", "head_dim": 2, "num_key_value_heads": 2},
    {"text_config": _CONFIG | {"model_type": "opt", "word_embed_proj_dim": 4}},
    {"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 4,
     "mlp_only_layers": [0], "first_k_dense_replace": 1, "decoder_sparse_step": 1},
    {"model_type": "deepseek_v3", "kv_lora_rank": 2, "q_lora_rank": 2, "qk_rope_head_dim": 2, "qk_nope_head_dim": 2,
     "v_head_dim": 2, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 4,
     "n_shared_experts": 1, "mlp_layer_types": ["sparse", "dense"]},
)  # fmt: skip
_TASKS = (
    b'{"id": "a", "prompt": "1 + 1?", "reference": "2"}\n{"id": 3, "prompt": "1 + 2.5?", "reference": ["3.5", "7/2"]}\n'
)
_PLAIN = ([1, (2.5, "drei"), {4: {5}}, None, 1 + 2j], {"a": range(3), b"b": frozenset((1, 2))}, [[[[]]]], 10**400)
_TEXTS = (
    "So the total is 6 * 7 = 42.\n#### 42\n",
    "The answer is $\\boxed{\\frac{1,234}{2^{10}} + \\sqrt{3}}$, i.e. **1.2e3**.\nQ: next?\nA: 1/0",
    "```python\ndef f(x):\n    return [x, {'a': (1, 2)}]\n```\nFinal answer: (1, 2] \\cup \\{3\\}",
    "<think>maybe 3</think><answer> -1,000,000.50 </answer>\nVerdict: yes\n\n**Verdict:** no",
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _lines(*records: Any) -> bytes:
    return b"".join(encode(each)[0] for each in records)


def _sample_file(path: Path) -> None:
    SampleFile.open(path.parent).close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _refusal(data: bytes) -> None:
    answer = Answer(status=400, headers={"retry-after": _text(data)[:50]}, content=data)
    said = refusals.said_by(answer)
    (
        refusals.passes(answer),
        refusals.is_unknown(said),
        refusals.is_context_too_long(said),
        refusals.is_about_count(said),
    )
    refusals.passes(answer)
    refusals.refused_fields(answer, ["n", "stop", "temperature", "max_tokens"])
    refusals.retry_after(answer.headers)


def _answers(text: str) -> None:
    for each in (
        find.final_answer, find.tagged, find.after_mark, find.boxed, find.boxes, find.plain_form, find.tidy,
        gsm8k.number_answer, gsm8k.gsm8k_answer, math_find.math_answer, math.math_form, math.readable,
        numbers.last_number, numbers.first_number, numbers.number_form, numbers.number_value, numbers.with_commas,
        said.said, said.before_next_question, drop.normal_span, code.normalised,
    ):  # fmt: skip
        each(text)
    code.completed("def f(x):\n", code.extract_code(text, chat=True, name="f") or text, "f")
    code.extract_code(text, chat=False)
    drop.f1([text], ["42"])


if __name__ == "__main__":
    main()
