"""A server evaluated: what it does otherwise is said, and what an error tells to do works."""

import json
from pathlib import Path

import pytest

pytest.importorskip("httpx2")

from breakeven.errors import ArgumentError, SamplerError
from breakeven.eval.models import LoadedModel, ModelOptions, load_model
from breakeven.eval.notes import notes
from breakeven.eval.run import Evaluation, evaluate_model
from breakeven.eval.samples import num_copied
from breakeven.sampling.served import asking
from breakeven.store import SampleFile


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)


def evaluated(model: LoadedModel, task: object, directory: Path, **options: object) -> Evaluation:
    settings: dict = {"strategies": ["greedy", "pass@k"], "k_values": [1, 4], "num_samples": 4, "temperature": 0.8}
    return evaluate_model(model, task, directory, **settings | options)  # type: ignore[arg-type]


def loaded(server, directory: Path, **options: object) -> LoadedModel:
    directory.mkdir(exist_ok=True)
    return load_model(server.url, ModelOptions(journal=directory / "journal.jsonl", **options))  # type: ignore[arg-type]


def test_a_temperature_of_its_own_is_said_and_kept(served, sums, tmp_path: Path) -> None:
    words = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
    server = served(lambda request: words if request.get("temperature", 1) != 1 else None)
    for _ in range(2):  # the second time nothing is drawn
        found = evaluated(loaded(server, tmp_path), sums(), tmp_path)
        assert found.temperature is None
        assert notes(found)[0].startswith("5 problems, 4 samples each at the server's own temperature and one greedy.")
        assert notes(found)[1].startswith("The server takes no temperature but its own")
        with SampleFile.open(tmp_path) as file:
            assert all(each.own_temperature for each in file.drawn.values())


def test_a_temperature_that_it_takes_is_that_of_the_samples(served, sums, tmp_path: Path) -> None:
    found = evaluated(loaded(served(lambda request: None), tmp_path), sums(), tmp_path)
    assert found.temperature == 0.8
    assert not any("takes no temperature" in each for each in notes(found))


def test_what_was_broken_off_is_counted_and_kept(served, sums, tmp_path: Path) -> None:
    server = served(lambda request: None, finish=lambda number: "content_filter" if number % 2 else "stop")
    for _ in range(2):
        found = evaluated(loaded(server, tmp_path, samples_per_request=1, concurrency=1), sums(), tmp_path)
        assert (found.num_broken_off, found.num_truncated, found.num_drawn) == (12, 0, 25)
        assert any(each.startswith("12 samples (48 %) were broken off by the server") for each in notes(found))


def test_samples_that_are_copies_are_said_to_be(served, sums, tmp_path: Path) -> None:
    text = "First I look at the question, then at the numbers, one by one: 4"
    found = evaluated(loaded(served(lambda request: None, text=lambda *_: text), tmp_path), sums(), tmp_path)
    assert found.num_copied == 5
    assert any(each.startswith("In 5 of 5 problems the samples are copies") for each in notes(found))


LONG = "a text that is too long to be written twice by chance, number "


@pytest.mark.parametrize(
    ("rows", "copied"),
    [
        ([["4"] * 8, ["5"] * 8], 2),  # all of all
        ([["4"] * 8, ["5"] * 7 + ["6"]], 0),  # short ones: the model may be sure
        ([[LONG] * 8, ["5"] * 7 + ["6"]], 1),
        ([[LONG + str(each // 4) for each in range(8)], ["5", "6"]], 1),  # four equal ones a request
        ([[LONG + str(each // 2) for each in range(8)], ["5", "6"]], 1),
        ([[LONG + str(each) for each in range(8)], ["5", "6"]], 0),
        ([[LONG] * 2 + [LONG + str(each) for each in range(6)]], 0),
        ([[LONG], [LONG]], 0),  # one sample is a copy of none
    ],
)
def test_which_samples_are_copies(rows: list[list[str]], copied: int) -> None:
    assert num_copied(rows) == copied


def test_what_an_error_tells_to_change_can_be_changed(served, sums, tmp_path: Path) -> None:
    words = "This model's maximum context length is 8 tokens. However, you requested 12 tokens"
    server = served(lambda request: words if request["max_tokens"] > 4 else None)
    with pytest.raises(SamplerError, match="lower max_tokens"):
        evaluated(loaded(server, tmp_path), sums(), tmp_path)
    assert evaluated(loaded(server, tmp_path), sums(), tmp_path, max_tokens=4).num_drawn == 25


def test_samples_that_came_still_bind_the_directory(served, sums, tmp_path: Path) -> None:
    words = "This model's maximum context length is 8 tokens. However, you requested 12 tokens"
    server = served(lambda request: words if request["max_tokens"] > 4 and "n" in request else None)
    with pytest.raises(SamplerError, match="lower max_tokens"):
        evaluated(loaded(server, tmp_path), sums(), tmp_path)
    with pytest.raises(ArgumentError, match=r"max_tokens must be the 8 .* choose another directory \(--out\)"):
        evaluated(loaded(server, tmp_path), sums(), tmp_path, max_tokens=4)
    other = tmp_path / "other"
    assert evaluated(loaded(server, other), sums(), other, max_tokens=4).num_drawn == 25


def test_further_fields_are_sent_and_bind_the_samples(served, sums, tmp_path: Path) -> None:
    server = served(lambda request: None)
    model = loaded(server, tmp_path, extra={"top_p": 0.9})
    assert model.settings == {"chat": True, "system": None, "extra": {"top_p": 0.9}}
    evaluated(model, sums(), tmp_path)
    assert {each["top_p"] for each in server.requests} == {0.9}
    with pytest.raises(ArgumentError, match="settings must be the"):
        evaluated(loaded(server, tmp_path), sums(), tmp_path)
    with pytest.raises(ArgumentError, match=r"--extra must name none of model, .*; got 'n'\. Other options are"):
        loaded(server, tmp_path, extra={"n": 4})


def test_a_tokenizer_counts_where_the_server_does_not(served, sums, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    server = served(lambda request: None, text=lambda *_: "it is 4", usage=None)
    with pytest.raises(SamplerError, match=r"Give count_tokens \(--tokenizer\)"):
        evaluated(loaded(server, tmp_path), sums(), tmp_path)
    evaluated(loaded(server, tmp_path, tokenizer=tmp_path), sums(), tmp_path)
    with SampleFile.open(tmp_path) as file:
        draws = list(file.drawn.values())
    assert {each.output_tokens for draw in draws for each in draw.completions} == {4}  # with the end
    assert {draw.prompt_tokens for draw in draws} == {4}
    with pytest.raises(ArgumentError, match=r"--tokenizer must be a tokenizer\.json, or a directory with one; got "):
        loaded(server, tmp_path, tokenizer=tmp_path / "none")


def test_only_the_server_that_is_named_gets_the_key(served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = served(lambda request: None)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    monkeypatch.setenv("MINE", "sk-mine")
    for options, key in (
        ({}, None),
        ({"api_key_env": "MINE"}, "Bearer sk-mine"),
        ({"api_key": "sk-own"}, "Bearer sk-own"),
    ):
        loaded(server, tmp_path, **options)
        assert server.headers[-1].get("authorization") == key
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    loaded(server, tmp_path)
    assert server.headers[-1].get("authorization") == "Bearer sk-env"


def test_names_of_models_are_printed_harmlessly(served, tmp_path: Path) -> None:
    server = served(lambda request: None, models=("a\x1b[2J",))
    model = loaded(server, tmp_path)
    assert model.name == "a\\x1b[2J"
    with pytest.raises(ArgumentError, match=r"served models: a\\x1b\[2J, b; got None"):
        loaded(served(lambda request: None, models=("a\x1b[2J", "b")), tmp_path)
    assert json.dumps(model.settings)


@pytest.mark.slow
def test_a_real_server_that_is_told_to_leave_nothing_to_chance(smollm2_server: str, sums, tmp_path: Path) -> None:
    def found(directory: Path, **options: object) -> Evaluation:
        directory.mkdir()
        model = load_model(smollm2_server, ModelOptions(journal=directory / "journal.jsonl", **options))  # type: ignore[arg-type]
        task = sums(size=2, stem="Write a long story about the number {}.")
        return evaluated(model, task, directory, max_tokens=24)

    assert found(tmp_path / "sure", extra={"top_k": 1}).num_copied == 2
    assert found(tmp_path / "free").num_copied == 0
    with SampleFile.open(tmp_path / "free") as file:
        prompts = {each.problem: set() for each in file.drawn.values()}  # type: dict[str, set[int]]
        for each in file.drawn.values():
            prompts[each.problem].add(each.prompt_tokens)
    assert all(len(counts) == 1 and min(counts) > 20 for counts in prompts.values())  # cached or not
