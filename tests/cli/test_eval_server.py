"""`breakeven eval` of a server: its options, what is printed of it, and remedies that work as they are typed."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2")


@pytest.fixture
def task(tmp_path: Path) -> str:
    rows = [{"id": str(n), "prompt": f"What is {n} + {n}?", "reference": str(2 * n)} for n in range(3)]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return "jsonl:q.jsonl"


def completion(request: dict[str, Any], *, logprobs: bool = True) -> tuple[int, object]:
    choices = []
    for index in range(request.get("n", 1)):
        said = f"Answer: {(request.get('seed', 0) + index) % 9}"
        listed = {"content": [{"token": each} for each in [*said.split(), ""]]} if logprobs else None
        choices.append({"index": index, "finish_reason": "stop", "message": {"content": said}, "logprobs": listed})
    return 200, {"choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 3}}


def test_what_an_error_tells_works_from_the_state_that_it_left(json_server, cli, refused, task: str) -> None:
    """n is heeded, but nothing counts the tokens of each choice."""
    url = json_server(lambda request: completion(request, logprobs=False)).url
    command = ("eval", url, "--task", task, "-n", 4, "--out", "bank", "--params", "1e9")
    assert "--samples-per-request 1" in refused(*command, exit_code=3)
    assert cli(*command, "--samples-per-request", 1).exit_code == 0


def test_further_fields_are_given_as_they_are_typed(json_server, cli, refused, task: str) -> None:
    here = json_server(completion)
    command = ("eval", here.url, "--task", task, "-n", 2, "--params", "1e9", "--out")
    options = ("--extra", "top_p=0.9", "--extra", "cache_prompt=false", "--extra", "mode=fast")
    assert cli(*command, "bank", *options).exit_code == 0
    assert {"top_p": 0.9, "cache_prompt": False, "mode": "fast"}.items() <= here.requests[-1].items()
    assert refused(*command, "other", "--extra", "top_p").startswith("--extra must be key=value; got 'top_p'.")
    assert refused(*command, "other", "--extra", "n=4").startswith("--extra must name none of model, messages")


def test_a_field_that_is_refused_can_be_left_out(json_server, cli, refused, task: str) -> None:
    here = json_server(
        lambda request: (
            (400, {"error": {"message": "unknown field top_k"}}) if "top_k" in request else completion(request)
        )
    )
    command = ("eval", here.url, "--task", task, "-n", 2, "--params", "1e9", "--out", "bank")
    assert "Leave out --extra top_k." in refused(*command, "--extra", "top_k=4", exit_code=3)
    assert cli(*command).exit_code == 0


def test_a_key_goes_by_name_and_a_password_is_nowhere(json_server, cli, task: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    monkeypatch.setenv("MINE", "sk-mine")
    here = json_server(completion)
    command = ("--task", task, "-n", 2, "--params", "1e9")
    assert cli("eval", here.url, *command, "--out", "bank").exit_code == 0
    assert "authorization" not in here.headers[-1]
    assert cli("eval", here.url, *command, "--out", "bank", "--api-key-env", "MINE").exit_code == 0
    assert here.headers[-1]["authorization"] == "Bearer sk-mine"
    result = cli("eval", here.url.replace("://", "://bob:hunter2@"), *command)
    assert result.exit_code == 0
    paths = list(tmp_path.rglob("*"))
    assert any("http-127.0.0.1" in str(each) for each in paths)
    said = result.stdout + result.stderr + " ".join(map(str, paths))
    said += " ".join(each.read_text(encoding="utf-8") for each in paths if each.is_file())
    assert "hunter2" not in said
    assert "sk-mine" not in said


def test_a_key_by_plain_http_to_another_machine_needs_a_word(refused, task: str, tmp_path: Path) -> None:
    message = refused("eval", "http://10.255.255.1:9/v1", "--task", task, "--api-key", "sk-own", "--out", "bank")
    assert message.startswith("a URL with a key must be https for another machine; got 'http://10.255.255.1:9/v1'.")
    assert "--insecure" in message
    assert "sk-own" not in message
    assert not (tmp_path / "bank").exists()


def test_what_a_server_says_cannot_command_the_terminal(json_server, refused, task: str) -> None:
    here = json_server(lambda request: (404, {"error": {"message": "no \x1b]0;owned\x07\x1b[2J model"}}))
    message = refused("eval", here.url, "--task", task, "--out", "bank", exit_code=3)
    assert "no \\x1b]0;owned\\x07\\x1b[2J model" in message
    assert "\x1b" not in message
