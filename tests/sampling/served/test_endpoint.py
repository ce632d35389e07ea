"""What goes out to a server and how much comes in: secrets, bounds, and an event loop that runs on."""

import asyncio
import gzip
import json

import pytest

pytest.importorskip("httpx2")

from breakeven.errors import SamplerError
from breakeven.records import Problem
from breakeven.sampling.served import asking, endpoint
from breakeven.sampling.served.models import served_models
from breakeven.sampling.served.openai import OpenAISampler
from breakeven.sampling.served.replies import read_reply
from breakeven.store import Journal

PROBLEM = Problem(id="p", prompt="question")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)


def drawn(server, num_samples: int = 2, *, url: str = "", **options):
    sampler = OpenAISampler(url or server.url, "tiny", **{"max_tokens": 8, "max_retries": 1} | options)
    return sampler.sample([PROBLEM], num_samples, temperature=0.8, seed=1)


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_nothing_of_the_surroundings_is_sent(serve, say, monkeypatch) -> None:
    for name in ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", f"private-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-secret: private")
    server = serve(lambda request, _: say(request))
    drawn(server)
    assert "private" not in json.dumps(server.headers).lower()
    assert "authorization" not in {name.lower() for name in server.headers[0]}


def test_a_key_that_a_server_echoes_is_not_shown(serve, refuse) -> None:
    server = serve(lambda *_: refuse("Incorrect key: Bearer sk-SECRET123 of bob \x1b[2J", 401))
    with pytest.raises(SamplerError, match=r"Incorrect key: Bearer \*\*\* of bob \\x1b\[2J") as error:
        drawn(server, api_key="sk-SECRET123")
    assert "SECRET" not in str(error.value)
    broken = serve(lambda *_: refuse("down, sk-SECRET123", 503))
    with pytest.raises(SamplerError, match=r"HTTP 503: down, \*\*\*, in 2 attempts"):
        drawn(broken, api_key="sk-SECRET123")


def test_a_password_of_the_url_is_used_and_not_shown(serve, say, refuse) -> None:
    server = serve(lambda request, number: say(request) if number == 0 else refuse("hunter2?", 403))
    url = server.url.replace("http://", "http://bob:hunter2@")
    drawn(server, url=url)
    assert {name.lower(): value for name, value in server.headers[0].items()}["authorization"].startswith("Basic ")
    with pytest.raises(SamplerError, match=rf"{server.url} gave HTTP 403: \*\*\*\?") as error:
        drawn(server, url=url)
    assert "hunter2" not in str(error.value)


def test_no_form_of_a_secret_is_shown(serve, refuse, answer) -> None:
    """Nor a part of it, where an answer is quoted in part."""

    def echoes(*_: object) -> object:
        return refuse(server.headers[-1]["Authorization"], 403)

    server = serve(echoes)
    for url in ("http://bob:hunter%402@", "http://:hunter%402@"):
        with pytest.raises(SamplerError, match=r"gave HTTP 403: Basic \*\*\*\."):
            drawn(server, url=server.url.replace("http://", url))
    told = serve(lambda *_: refuse("bob:hunter@2, hunter%402", 403))
    with pytest.raises(SamplerError, match=r"gave HTTP 403: bob:\*\*\*, \*\*\*\."):
        drawn(told, url=told.url.replace("http://", "http://bob:hunter%402@"))
    for before in range(60, 300, 7):
        silly = serve(lambda *_, before=before: answer(b"y" * before + b" sk-SECRET12345678901234567890", 200))
        with pytest.raises(SamplerError) as error:
            drawn(silly, api_key="sk-SECRET12345678901234567890", max_retries=0)
        assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
def test_a_proxy_of_the_environment_is_told_nothing_meant_for_this_machine(serve, say, monkeypatch, name: str) -> None:
    server, proxy = serve(lambda request, _: say(request)), serve(lambda request, _: say(request))
    monkeypatch.setenv(name, proxy.url)
    drawn(server, api_key="sk-SECRET123")
    assert (len(server.headers), len(proxy.headers)) == (1, 0)
    far = "http://example.invalid/v1"
    drawn(server, url=far)  # what holds no secret goes the way that the environment says
    assert len(proxy.headers) == 1
    with pytest.raises(SamplerError):
        drawn(server, url=far, api_key="sk-SECRET123", insecure=True, max_retries=0)
    assert len(proxy.headers) == 1


def test_a_redirection_is_named_and_not_followed(serve, say, answer) -> None:
    other = serve(lambda request, _: say(request))
    server = serve(lambda *_: answer(b"", 307, {"location": f"{other.url}/chat/completions"}))
    with pytest.raises(SamplerError, match=rf"redirects with HTTP 307\. Name that URL: {other.url}/chat/completions\."):
        drawn(server, api_key="sk-SECRET123")
    assert other.requests == []


# -- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * 2_000, {}),
        (gzip.compress(b" " * 1_000_000), {"content-encoding": "gzip"}),
        (gzip.compress(gzip.compress(b"{}")), {"content-encoding": "gzip, gzip"}),
    ],
    ids=["long", "packed", "packed twice"],
)
def test_no_more_is_read_than_an_answer_may_hold(serve, answer, monkeypatch, body: bytes, headers: dict) -> None:
    monkeypatch.setattr(endpoint, "MAX_BYTES", 1_000)
    server = serve(lambda *_: answer(body, 200, headers))
    with pytest.raises(SamplerError, match="gave an answer without an end"):
        drawn(server, 4, max_concurrency=1)
    assert [each.get("n", 1) for each in server.requests] == [4, 2, 1]


def test_what_is_too_long_for_one_answer_comes_in_several(serve, say, monkeypatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_BYTES", 1_500)
    server = serve(lambda request, _: say(request))
    (draw,) = drawn(server, 8)
    assert len({each.text for each in draw.completions}) == 8
    assert {each.get("n", 1) for each in server.requests} == {8, 4}


def test_an_answer_may_be_packed(serve, say) -> None:
    def packed(request, _):
        reply = say(request)
        reply.body, reply.headers = gzip.compress(json.dumps(reply.body).encode()), {"content-encoding": "gzip"}
        reply.headers["content-length"] = str(len(reply.body))
        return reply

    assert len(drawn(serve(packed))) == 1


def test_a_packed_answer_that_is_damaged_is_asked_for_again(serve, answer) -> None:
    server = serve(lambda *_: answer(b"no gzip", 200, {"content-encoding": "gzip"}))
    with pytest.raises(SamplerError, match="in 2 attempts"):
        drawn(server)


def test_of_a_refusal_the_beginning_is_read(serve, answer) -> None:
    server = serve(lambda *_: answer(b"no such model " + b"x" * 10_000_000, 404))
    with pytest.raises(SamplerError, match="HTTP 404: no such model x") as error:
        drawn(server)
    assert len(str(error.value)) < 800


def test_a_list_of_models_may_be_a_bare_one(serve, say, monkeypatch) -> None:
    server = serve(lambda request, _: say(request))
    assert served_models(server.url) == ["tiny"]
    monkeypatch.setattr(json, "loads", lambda content: [{"id": "a"}, {"id": "b"}])
    assert served_models(server.url) == ["a", "b"]
    monkeypatch.setattr(json, "loads", lambda content: {"data": [{"name": "a"}]})
    with pytest.raises(SamplerError, match="the answer is no list of models"):
        served_models(server.url)


def test_a_list_of_models_is_bounded_too(serve, say, monkeypatch) -> None:
    server = serve(lambda request, _: say(request))
    monkeypatch.setattr(endpoint, "MAX_BYTES", 10)
    with pytest.raises(SamplerError, match="does not list its models: the answer is too long"):
        served_models(server.url)


# -- the event loop ---------------------------------------------------------------------------------------------------


def test_the_disk_and_the_reading_are_waited_for_in_a_thread(serve, say, tmp_path, monkeypatch) -> None:
    blocked = []

    def in_a_loop() -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    append = Journal.append

    def appended(self, record) -> None:
        blocked.append(in_a_loop())
        append(self, record)

    def read_here(*args, **kwargs):
        blocked.append(in_a_loop())
        return read_reply(*args, **kwargs)

    monkeypatch.setattr(Journal, "append", appended)
    monkeypatch.setattr(asking, "read_reply", read_here)
    drawn(serve(lambda request, _: say(request)), journal=tmp_path / "j")
    assert blocked == [False, False]
