"""Any OpenAI-compatible server: a real one of llama.cpp, and local ones with every fault."""

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

pytest.importorskip("httpx2")

from breakeven.errors import ArgumentError, CorruptLogError, LogError, MissingExtraError, RunStorageError, SamplerError
from breakeven.records import Finish, Prefix, Problem, SegmentRule
from breakeven.records.protocols import SegmentSampler
from breakeven.sampling.served import asking
from breakeven.sampling.served.models import served_models
from breakeven.sampling.served.openai import OpenAISampler
from breakeven.testing import check_sampler, check_segment_sampler

PROBLEMS = [Problem(id=f"p{number}", prompt=f"question {number}") for number in range(6)]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)


def sampler_of(server, **options) -> OpenAISampler:
    return OpenAISampler(server.url, "tiny", **{"max_tokens": 8, "max_retries": 2} | options)


def drawn(sampler, num_samples: int = 3, problems=PROBLEMS, temperature: float = 0.8, seed: int = 1):
    return sampler.sample(problems, num_samples, temperature=temperature, seed=seed)


def texts(draws) -> list[list[str]]:
    return [[each.text for each in draw.completions] for draw in draws]


# -- a server that behaves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chat", [True, False])
def test_it_keeps_what_every_sampler_promises(serve, say, chat: bool) -> None:
    sampler = sampler_of(serve(lambda request, _: say(request)), chat=chat)
    assert isinstance(sampler, SegmentSampler)
    check_sampler(sampler, PROBLEMS, exact=False)


def test_a_request_says_everything_and_no_more(serve, say) -> None:
    server = serve(lambda request, _: say(request))
    options = {"stop": ("\n",), "system": "Be short.", "api_key": "secret", "extra_body": {"top_p": 0.9}}
    (draw,) = drawn(sampler_of(server, **options), problems=PROBLEMS[:1])
    (request,) = server.requests
    seed = request.pop("seed")
    assert 0 <= seed < 2**31
    assert request == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "question 0"}],
        "temperature": 0.8,
        "max_tokens": 8,
        "n": 3,
        "stop": ["\n"],
        "logprobs": True,
        "top_logprobs": 1,
        "top_p": 0.9,
    }
    assert server.headers[0]["authorization"] == "Bearer secret"
    assert draw.prompt_tokens == 7
    assert [each.output_tokens for each in draw.completions] == [4, 4, 4]  # three words and the end


def test_no_key_of_the_surroundings_is_sent(serve, say, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "private")
    server = serve(lambda request, _: say(request))
    drawn(sampler_of(server))
    assert "private" not in json.dumps(server.headers)


def test_seeds_differ_between_problems_requests_and_seeds(serve, say) -> None:
    server = serve(lambda request, _: say(request))
    sampler = sampler_of(server, samples_per_request=2)
    for seed in range(3):
        drawn(sampler, 6, seed=seed)
    seeds = [request["seed"] for request in server.requests]
    assert len(set(seeds)) == len(seeds) == 3 * 6 * 3


def test_greedy_is_one_request_a_problem(serve, say) -> None:
    server = serve(lambda request, _: say(request))
    draws = drawn(sampler_of(server), 4, temperature=0.0)
    assert [request["temperature"] for request in server.requests] == [0.0] * 6
    assert not any("seed" in request or "n" in request for request in server.requests)
    assert all(len(set(draw.completions)) == 1 and len(draw.completions) == 4 for draw in draws)


def test_no_more_requests_at_once_than_allowed_and_no_fewer(serve, say) -> None:
    def slow(request, _):
        answer = say(request)
        answer.delay = 0.05
        return answer

    server = serve(slow)
    drawn(sampler_of(server, max_concurrency=3), 4)
    assert server.most_at_once == 3


def test_it_works_where_an_event_loop_runs(serve, say) -> None:
    sampler = sampler_of(serve(lambda request, _: say(request)))

    async def notebook():
        return drawn(sampler)

    assert asyncio.run(notebook()) == drawn(sampler)


def test_random_generators_are_left_alone(serve, say, refuse) -> None:
    state = random.getstate()
    drawn(sampler_of(serve(lambda request, number: refuse("busy", 503) if number == 0 else say(request))))
    assert random.getstate() == state


def test_the_models_of_a_server_are_listed(serve, say) -> None:
    assert served_models(serve(lambda request, _: say(request)).url) == ["tiny"]
    with pytest.raises(SamplerError, match="does not list its models"):
        served_models(f"http://127.0.0.1:{free_port()}/v1", timeout=2.0)


# -- counting tokens --------------------------------------------------------------------------------------------------


def choice(text: str, listed: list[str] | None, finish: str = "stop", **more) -> dict:
    logprobs = {"content": [{"token": token} for token in listed]} if listed is not None else None
    return {"text": text, "finish_reason": finish, "logprobs": logprobs, **more}


@pytest.mark.parametrize(
    ("first", "tokens"),
    [
        (choice("a b", ["a", " b", ""]), 3),  # llama.cpp lists the end token, without its text
        (choice("a b", ["a", " b", "<|end|>"]), 3),  # vLLM with its text
        (choice("a b", ["a", " b"]), 3),  # OpenAI leaves it out
        (choice("a b", ["a", " b"], "length"), 2),
        (choice("", [""]), 1),
        (choice("", None), 1),  # ended at once, of which llama.cpp lists nothing
        (choice("ab ☃☃", ["a", "b", " ☃", "☃"], "length"), 8),  # of several tokens each, which llama.cpp lists as one
        ({"text": "a b", "finish_reason": "stop", "logprobs": {"tokens": ["a", " b", "\n"]}}, 3),  # the older shape
    ],
)
def test_tokens_of_each_choice_are_counted_by_its_logprobs(serve, answer, first: dict, tokens: int) -> None:
    body = {"choices": [first, choice("x", ["x"], "length")], "usage": {"prompt_tokens": 5, "completion_tokens": 99}}
    server = serve(lambda request, _: answer(body))
    (draw,) = drawn(sampler_of(server, chat=False), 2, problems=PROBLEMS[:1])
    assert [each.output_tokens for each in draw.completions] == [tokens, 1]
    assert draw.prompt_tokens == 5


def test_usage_counts_only_where_one_sample_was_asked_for(serve, say) -> None:
    server = serve(lambda request, _: say(request, logprobs=False))
    draws = drawn(sampler_of(server, samples_per_request=1))
    assert {each.output_tokens for draw in draws for each in draw.completions} == {4}
    assert not any("logprobs" in request for request in server.requests)


def test_without_logprobs_the_tokens_are_counted_from_the_text(serve, say) -> None:
    server = serve(lambda request, _: say(request, logprobs=False, usage=None))
    draws = drawn(sampler_of(server, count_tokens=lambda text: len(text.split())))
    assert {each.output_tokens for draw in draws for each in draw.completions} == {4}
    assert {draw.prompt_tokens for draw in draws} == {2}


def test_a_server_that_does_not_count_is_refused_before_everything_is_paid_for(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request, logprobs=False))
    sampler = sampler_of(server, journal=tmp_path / "journal.jsonl", max_concurrency=1)
    with pytest.raises(SamplerError, match=r"does not count the tokens of each sample.*Give count_tokens"):
        drawn(sampler)
    assert len(server.requests) == 1
    again = sampler_of(server, journal=tmp_path / "journal.jsonl", count_tokens=lambda text: len(text.split()))
    assert {each.output_tokens for draw in drawn(again) for each in draw.completions} == {4}
    assert len(server.requests) == 6  # what was paid for is used


def test_prompt_tokens_must_be_counted_somehow(serve, say) -> None:
    server = serve(lambda request, _: say(request, usage=None))
    with pytest.raises(SamplerError, match="must count prompt tokens, by usage"):
        drawn(sampler_of(server))


@pytest.mark.parametrize("field", ["logprobs", "seed"])
def test_a_field_that_the_server_does_not_know_is_left_out(serve, say, refuse, field: str) -> None:
    server = serve(
        lambda request, _: (
            refuse(f"Unsupported parameter: {field}")
            if field in request
            else say(request, logprobs=False)
            if field == "logprobs"
            else say(request)
        )
    )
    draws = drawn(sampler_of(server, max_concurrency=1, count_tokens=len))
    assert len(draws) == 6
    assert len(server.requests) == 7
    assert not any(field in request for request in server.requests[1:])


# -- fewer choices than asked for -------------------------------------------------------------------------------------


def test_a_server_that_ignores_n_is_asked_one_by_one(serve, say) -> None:
    server = serve(lambda request, _: say(request, choices=1))
    draws = drawn(sampler_of(server, max_concurrency=1), 4)
    assert [len(set(row)) for row in texts(draws)] == [4] * 6
    assert len(server.requests) == 6 * 4  # the first choice of the first request is used
    assert [request.get("n") for request in server.requests] == [4, *[None] * 23]
    assert len({request["seed"] for request in server.requests}) == 24


def test_a_server_that_gives_some_of_them_is_asked_for_the_others(serve, say) -> None:
    server = serve(lambda request, _: say(request, choices=min(request.get("n", 1), 2)))
    draws = drawn(sampler_of(server, max_concurrency=1), 4, problems=PROBLEMS[:2])
    assert [len(set(row)) for row in texts(draws)] == [4, 4]
    assert [request.get("n", 1) for request in server.requests] == [4, 1, 1, 1, 1, 1, 1]


def test_choices_beyond_those_asked_for_are_left(serve, say) -> None:
    server = serve(lambda request, _: say(request, choices=5))
    assert [len(draw.completions) for draw in drawn(sampler_of(server), 2)] == [2] * 6


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_n_is_halved_until_the_server_takes_it(serve, say, refuse, limit: int) -> None:
    def behave(request, _):
        number = request.get("n", 1)
        if number > limit:
            return refuse(f"Field 'n': Value must be between 1 <= value <= {limit}, but got {number}")
        return say(request)

    server = serve(behave)
    draws = drawn(sampler_of(server, max_concurrency=1), 16, problems=PROBLEMS[:2])
    assert [len(set(row)) for row in texts(draws)] == [16, 16]
    refused = [request["n"] for request in server.requests if request.get("n", 1) > limit]
    assert refused == [number for number in (16, 8, 4, 2) if number > limit]


# -- faults -----------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_server_that_is_down_is_named(tmp_path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    sampler = OpenAISampler(url, "tiny", max_tokens=8, max_retries=1, journal=tmp_path / "j", max_concurrency=2)
    with pytest.raises(SamplerError) as error:
        drawn(sampler)
    message = str(error.value)
    assert message.startswith("0 of 18 samples came; 2 problems failed, and others were not tried. The first, 'p")
    assert f"{url} gave no connection" in message
    assert "in 2 attempts. Is the server running there?" in message


def test_a_server_that_comes_up_late_is_waited_for(serve, say, monkeypatch) -> None:
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.2)
    port = free_port()
    late = threading.Timer(0.3, lambda: serve(lambda request, _: say(request), port))
    late.start()
    sampler = OpenAISampler(f"http://127.0.0.1:{port}/v1", "tiny", max_tokens=8)
    assert len(drawn(sampler, problems=PROBLEMS[:2])) == 2
    late.join()


def test_a_slow_answer_times_out_and_is_asked_for_again(serve, say) -> None:
    def behave(request, number):
        answer = say(request)
        answer.delay = 1.0 if number == 0 else 0.0
        return answer

    server = serve(behave)
    draws = drawn(sampler_of(server, timeout=0.3), problems=PROBLEMS[:1])
    assert len(server.requests) == 2
    assert [len(draw.completions) for draw in draws] == [3]


def test_an_answer_that_never_comes_is_given_up(serve, say) -> None:
    def behave(request, _):
        answer = say(request)
        answer.delay = 1.0
        return answer

    with pytest.raises(SamplerError, match=r"gave no answer within 0\.2 s, in 2 attempts"):
        drawn(sampler_of(serve(behave), timeout=0.2, max_retries=1), problems=PROBLEMS[:1])


MALFORMED = {
    "no json": b"<html>bad gateway</html>",
    "torn json": b'{"choices": [{"message": {"con',
    "no choices": b'{"choices": []}',
    "a list": b"[1, 2]",
    "a choice without text": b'{"choices": [{"finish_reason": "stop"}]}',
    "text of another type": b'{"choices": [{"message": {"content": 5}}]}',
    "an error in disguise": b'{"error": {"message": "overloaded"}}',
    "no bytes": b"",
    "no utf-8": b'{"choices": "\xff\xfe"}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_is_asked_for_again(serve, say, name: str) -> None:
    def behave(request, number):
        answer = say(request)
        answer.body = MALFORMED[name] if number == 0 else answer.body
        return answer

    server = serve(behave)
    assert [len(draw.completions) for draw in drawn(sampler_of(server))] == [3] * 6
    assert len(server.requests) == 7


def test_answers_that_stay_malformed_are_shown(serve, answer) -> None:
    server = serve(lambda request, _: answer(b"<html>"))
    with pytest.raises(SamplerError, match=r"an answer that is no completion.*<html>.*in 3 attempts"):
        drawn(sampler_of(server), problems=PROBLEMS[:1])


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_passing_fault_is_tried_again(serve, say, refuse, status: int) -> None:
    server = serve(lambda request, number: refuse("try later", status) if number < 2 else say(request))
    assert len(drawn(sampler_of(server, max_concurrency=1), problems=PROBLEMS[:1])) == 1
    assert len(server.requests) == 3
    assert server.requests[0] == server.requests[2]  # the same seed


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_heeded(serve, say, refuse, form: str) -> None:
    times = []

    def behave(request, number):
        times.append(time.monotonic())
        after = "0.6" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        return refuse("slow down", 429, **{"retry-after": after}) if number == 0 else say(request)

    drawn(sampler_of(serve(behave)), problems=PROBLEMS[:1])
    assert 0.55 <= times[1] - times[0] <= 4.0


def test_500_forever_is_given_up_and_what_came_is_kept(serve, say, refuse, tmp_path) -> None:
    broken = [True]

    def behave(request, _):
        if broken[0] and request["messages"][0]["content"] == "question 3":
            return refuse("out of memory", 500)
        return say(request)

    server = serve(behave)
    journal = tmp_path / "journal.jsonl"
    with pytest.raises(SamplerError) as error:
        drawn(sampler_of(server, journal=journal, max_concurrency=1))
    assert str(error.value).startswith("9 of 18 samples came; 1 problem failed, and others were not tried. The first")
    assert "'p3': " in str(error.value)
    assert "gave HTTP 500: out of memory, in 3 attempts" in str(error.value)
    assert f"What came is kept in the journal {journal}: the same call goes on from there." in str(error.value)
    broken[0] = False
    asked = len(server.requests)
    assert len(drawn(sampler_of(server, journal=journal))) == 6
    assert len(server.requests) == asked + 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_everything_stops_at_once(serve, refuse, status: int) -> None:
    server = serve(lambda request, _: refuse("no such model or key", status))
    with pytest.raises(
        SamplerError, match=f"gave HTTP {status}: no such model or key. Check base_url, model and api_key"
    ):
        drawn(sampler_of(server, max_concurrency=1))
    assert len(server.requests) == 1


def test_an_empty_purse_is_not_asked_again(serve, answer) -> None:
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    server = serve(lambda request, _: answer(body, 429))
    with pytest.raises(SamplerError, match="HTTP 429: You exceeded your quota"):
        drawn(sampler_of(server, max_concurrency=1))
    assert len(server.requests) == 1


def test_a_prompt_that_does_not_fit_is_named_and_the_others_are_drawn(serve, say, refuse) -> None:
    def behave(request, _):
        if request["messages"][0]["content"] == "question 2":
            return refuse("request (1801 tokens) exceeds the available context size (512 tokens), try increasing it")
        return say(request)

    server = serve(behave)
    sampler = sampler_of(server)
    with pytest.raises(SamplerError) as error:
        drawn(sampler)
    assert str(error.value) == (
        "15 of 18 samples came; 1 problem failed. The first, 'p2': prompt and max_tokens=8 do not fit the server's "
        "context: request (1801 tokens) exceeds the available context size (512 tokens), try increasing it. Shorten "
        "the prompt, start the server with a longer context, or lower max_tokens (in another --out, if samples with "
        "this limit are there). What came is kept in this sampler: the same call goes on from there."
    )
    assert len(server.requests) == 6
    assert len(drawn(sampler, problems=[each for each in PROBLEMS if each.id != "p2"])) == 5
    assert len(server.requests) == 6  # kept without a file, too


def test_a_request_refused_for_every_problem_is_not_made_for_all(serve, refuse) -> None:
    many = [Problem(id=str(number), prompt="x") for number in range(200)]
    server = serve(lambda request, _: refuse("temperature must be below 0.5", 422))
    with pytest.raises(SamplerError, match=r"refused it with HTTP 422: temperature must be below 0\.5\."):
        drawn(sampler_of(server, max_concurrency=2), problems=many)
    assert len(server.requests) <= 12


# -- the journal ------------------------------------------------------------------------------------------------------


def test_the_same_call_is_answered_by_the_journal(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request))
    journal = tmp_path / "journal.jsonl"
    first = drawn(sampler_of(server, journal=journal))
    assert drawn(sampler_of(server, journal=journal)) == first
    assert len(server.requests) == 6


def test_more_samples_are_added_to_those_in_the_journal(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request))
    three = drawn(sampler_of(server, journal=tmp_path / "j"), 3)
    eight = drawn(sampler_of(server, journal=tmp_path / "j"), 8)
    assert [row[:3] for row in texts(eight)] == texts(three)
    assert [request["n"] for request in server.requests] == [3] * 6 + [5] * 6
    assert len({request["seed"] for request in server.requests}) == 12
    assert texts(drawn(sampler_of(server, journal=tmp_path / "j"), 2)) == [row[:2] for row in texts(three)]
    assert len(server.requests) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.7},
        {"seed": 2},
        {"max_tokens": 9},
        {"stop": ("x",)},
        {"system": "s"},
        {"extra_body": {"top_p": 1}},
    ],
)
def test_another_call_is_not_answered_by_it(serve, say, tmp_path, change: dict) -> None:
    server = serve(lambda request, _: say(request))
    drawn(sampler_of(server, journal=tmp_path / "j"))
    call = {name: change[name] for name in change if name in ("temperature", "seed")}
    options = {name: change[name] for name in change if name not in call}
    drawn(sampler_of(server, journal=tmp_path / "j", **options), **call)
    assert len(server.requests) == 12


def test_a_torn_last_line_is_drawn_again_and_the_file_mended(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request))
    journal = tmp_path / "journal.jsonl"
    first = drawn(sampler_of(server, journal=journal, max_concurrency=1))
    journal.write_bytes(journal.read_bytes()[:-30])
    assert drawn(sampler_of(server, journal=journal)) == first
    assert len(server.requests) == 7
    assert drawn(sampler_of(server, journal=journal)) == first
    assert len(server.requests) == 7
    assert len(journal.read_bytes().splitlines()) == 6


def test_a_damaged_line_before_the_last_is_named(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request))
    journal = tmp_path / "journal.jsonl"
    drawn(sampler_of(server, journal=journal))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b'{"key": 5}\n', *lines[2:]]))
    with pytest.raises(CorruptLogError, match=r"journal\.jsonl, line 2, is damaged: .* Delete the line to draw"):
        drawn(sampler_of(server, journal=journal))


def test_a_disk_that_refuses_is_named_and_the_samples_stay(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request))
    sampler = sampler_of(server, journal=tmp_path / "no" / "such" / "place", max_concurrency=1)
    with pytest.raises(
        RunStorageError, match=r"place cannot be extended: No such file or directory\. .*make its directory"
    ):
        drawn(sampler)
    assert len(server.requests) == 1
    (tmp_path / "no" / "such").mkdir(parents=True)
    assert len(drawn(sampler)) == 6
    assert len(server.requests) == 6
    with pytest.raises(LogError, match="cannot be read: Is a directory"):
        drawn(sampler_of(server, journal=tmp_path))


def test_no_key_is_in_the_journal(serve, say, tmp_path) -> None:
    drawn(sampler_of(serve(lambda request, _: say(request)), journal=tmp_path / "j", api_key="secret"))
    assert "secret" not in (tmp_path / "j").read_text()


KILLED = """
import sys
from breakeven.records import Problem
from breakeven.sampling.served.openai import OpenAISampler
problems = [Problem(id=f"p{number}", prompt=f"question {number}") for number in range(6)]
sampler = OpenAISampler(sys.argv[1], "tiny", max_tokens=8, journal=sys.argv[2], max_concurrency=1)
print(sampler.sample(problems, 3, temperature=0.8, seed=1))
"""


def test_a_killed_run_repeats_no_answered_request(serve, say, tmp_path) -> None:
    def behave(request, number):
        answer = say(request)
        answer.delay = 60.0 if number == 4 else 0.0  # the fifth is under way when the kill comes
        return answer

    server = serve(behave)
    command = [sys.executable, "-c", KILLED, server.url, str(tmp_path / "j")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(server.requests) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert len(server.requests) == 5
    resumed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    asked = [request["messages"][0]["content"] for request in server.requests]
    assert asked == [f"question {number}" for number in (0, 1, 2, 3, 4, 4, 5)]
    assert resumed.stdout.strip() == str(drawn(sampler_of(server, journal=tmp_path / "j")))
    assert len(server.requests) == 7


# -- steps ------------------------------------------------------------------------------------------------------------

STEPS = SegmentRule(ends=(";",), max_tokens=5)


@pytest.fixture
def stepped(serve, answer):
    """A server that gives one choice."""

    def start(reply: dict, usage: int = 3):
        body = {"choices": [reply], "usage": {"prompt_tokens": 5, "completion_tokens": usage}}
        return serve(lambda request, _: answer(body))

    return start


@pytest.mark.parametrize(
    ("reply", "usage", "text", "finish"),
    [
        (choice("a b", ["a", " b"]), 3, "a b;", Finish.SEGMENT),  # llama.cpp: a token that it does not list
        (choice("a b", ["a", " b", ""]), 3, "a b", Finish.STOP),
        (choice("a b", ["a", " b", ";"], stop_reason=";"), 3, "a b;", Finish.SEGMENT),  # vLLM names it
        (choice("a b", ["a", " b", "<e>"], stop_reason=None), 3, "a b", Finish.STOP),
        (choice("a b c d e", None, "length"), 5, "a b c d e", Finish.SEGMENT),
        (choice("a b c d", None, stop_reason=";"), 5, "a b c d;", Finish.SEGMENT),
    ],
)
def test_a_step_ends_as_the_server_says(stepped, reply: dict, usage: int, text: str, finish: Finish) -> None:
    server = stepped(reply, usage)
    sampler = sampler_of(server, chat=False)
    (draw,) = sampler.extend([Prefix(problem=PROBLEMS[0], text=" x")], 2, segments=STEPS, temperature=0.8, seed=0)
    assert [(each.text, each.finish) for each in draw.completions] == [(text, finish)] * 2
    assert [(each["prompt"], each["stop"], each["max_tokens"]) for each in server.requests] == [
        ("question 0 x", [";"], 5)
    ] * 2


def test_the_length_of_the_solution_is_a_limit_of_its_steps(stepped) -> None:
    sampler = sampler_of(stepped(choice("a", None, "length")), chat=False, count_tokens=len)
    for text in ("", "xyz", "xyzx", "xyzxyzxyz"):
        (draw,) = sampler.extend([Prefix(problem=PROBLEMS[0], text=text)], 1, segments=STEPS, temperature=0.8, seed=0)
        assert draw.completions[0].finish is (Finish.LENGTH if len(text) >= 3 else Finish.SEGMENT)


def test_a_stop_string_of_the_solution_is_told_from_a_step(stepped) -> None:
    prefix = [Prefix(problem=PROBLEMS[0])]
    named = sampler_of(stepped(choice("a", None, stop_reason="END")), chat=False, stop=("END",))
    (draw,) = named.extend(prefix, 1, segments=STEPS, temperature=0.8, seed=0)
    assert (draw.completions[0].text, draw.completions[0].finish) == ("a", Finish.STOP)
    unnamed = sampler_of(stepped(choice("a b", ["a", " b"])), chat=False, stop=("END",))
    with pytest.raises(SamplerError, match="must name the stop string that ended a sample, since there are 2"):
        unnamed.extend(prefix, 1, segments=STEPS, temperature=0.8, seed=0)
    silent = sampler_of(stepped(choice("a b", None)), chat=False)
    with pytest.raises(SamplerError, match="must say what ended a sample"):
        silent.extend(prefix, 1, segments=STEPS, temperature=0.8, seed=0)


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 0}, "max_tokens must be at least 1; got 0."),
        ({"max_concurrency": 0}, "max_concurrency must be at least 1; got 0."),
        ({"samples_per_request": 0}, "samples_per_request must be at least 1; got 0."),
        ({"max_retries": -1}, "max_retries must be at least 0; got -1."),
        ({"timeout": 0.0}, "timeout must be above 0; got 0.0."),
        ({"stop": ("",)}, "stop must hold no empty string; got ['']."),
        ({"chat": False, "system": "s"}, "system must be None without a chat; got 's'. Write it into the prompts."),
    ],
)
def test_it_refuses(options: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        OpenAISampler("http://127.0.0.1:1/v1", "tiny", **{"max_tokens": 4} | options)
    assert str(error.value) == message


def test_it_refuses_what_cannot_be_sampled() -> None:
    sampler = OpenAISampler("http://127.0.0.1:1/v1", "tiny", max_tokens=4)
    with pytest.raises(ArgumentError, match="num_samples must be at least 1"):
        drawn(sampler, 0)
    with pytest.raises(ArgumentError, match="temperature must be at least 0"):
        drawn(sampler, temperature=-0.5)
    with pytest.raises(ArgumentError, match="chat must be False to go on from a prefix"):
        sampler.extend([Prefix(problem=PROBLEMS[0])], 1, segments=STEPS, temperature=0.8, seed=0)
    assert sampler.sample([], 1, temperature=0.8, seed=0) == []


def test_the_missing_package_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[openai\]'"):
        drawn(OpenAISampler("http://127.0.0.1:1/v1", "tiny", max_tokens=4))


# -- a real server ----------------------------------------------------------------------------------------------------

QUESTIONS = [Problem(id=text, prompt=text) for text in ("What is 2 + 3?", "Name a colour.", "Say hello in French.")]


@pytest.mark.slow
def test_a_real_server_keeps_what_every_sampler_promises(smollm2_server) -> None:
    (model,) = served_models(smollm2_server)
    check_sampler(OpenAISampler(smollm2_server, model, max_tokens=5), QUESTIONS[:2], exact=False)
    plain = OpenAISampler(smollm2_server, model, max_tokens=6, chat=False)
    check_sampler(plain, QUESTIONS[:2], exact=False)
    prefixes = [Prefix(problem=QUESTIONS[0]), Prefix(problem=QUESTIONS[1], text=" My favourite")]
    check_segment_sampler(plain, prefixes, SegmentRule(ends=(".",), max_tokens=4), exact=False)


@pytest.mark.slow
def test_a_real_server_is_counted_as_its_own_tokenizer_counts(smollm2_server) -> None:
    """n = 16 on 8 slots: the server refuses it and is asked for 8; usage counts one choice only."""
    from urllib.request import Request, urlopen

    def tokens(text: str) -> int:
        request = Request(f"{smollm2_server.removesuffix('/v1')}/tokenize", json.dumps({"content": text}).encode())
        with urlopen(request, timeout=30) as answer:
            return len(json.load(answer)["tokens"])

    sampler = OpenAISampler(smollm2_server, "tiny", max_tokens=16, count_tokens=tokens)
    draws = drawn(sampler, 16, QUESTIONS)
    assert all(len(set(row)) >= 8 for row in texts(draws))
    finishes = set()
    for each in (each for draw in draws for each in draw.completions):
        finishes.add(each.finish)
        if each.finish is Finish.LENGTH:
            assert each.output_tokens == 16
        else:  # a text may be read in other pieces than it was written in
            assert abs(each.output_tokens - tokens(each.text) - 1) <= 1
    assert finishes == {Finish.STOP, Finish.LENGTH}


@pytest.mark.slow
def test_a_real_server_says_when_a_prompt_is_too_long(smollm2_server) -> None:
    long = Problem(id="long", prompt="hello world " * 900)
    with pytest.raises(SamplerError, match="'long': prompt and max_tokens=8 do not fit the server's context"):
        drawn(OpenAISampler(smollm2_server, "tiny", max_tokens=8), 2, [*QUESTIONS, long])
