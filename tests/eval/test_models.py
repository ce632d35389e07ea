"""Every kind of model by its name: a run, a directory of transformers, a file, a server."""

import json
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.config import RunConfig
from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, MissingExtraError, SamplerError
from breakeven.eval.models import ModelOptions, checkpoint_folder, load_model, weights_crc32
from breakeven.records import Problem

NONE = ModelOptions()
DECLARED = ModelCost(body_params=7.0)
PROBLEMS = (Problem(id="p0", prompt="1 + 2 ="), Problem(id="p1", prompt="3 + 4 ="))


# -- a run of breakeven -----------------------------------------------------------------------------------------------


def test_a_run_is_its_stopped_or_full_checkpoint(tiny_run: Path, tiny_config: RunConfig) -> None:
    loaded = load_model(str(tiny_run), NONE)
    assert loaded.name == "run/full"
    assert loaded.cost == ModelCost.of(tiny_config.model.shape_for(tiny_config.task))
    assert loaded.settings["task"]["num_numbers"] == 2
    assert load_model(str(tiny_run / "full"), NONE).name == "run/full"
    assert load_model(str(tiny_run), NONE, cost=DECLARED).cost == DECLARED
    problems = tiny_config.task.problems("test", 3)
    loaded.check_problems(problems)
    draws = loaded.sampler_of(99, ()).sample(problems, 2, temperature=0.8, seed=0)
    assert [len(each.completions) for each in draws] == [2, 2, 2]


def test_the_stopped_checkpoint_comes_first(tmp_path: Path) -> None:
    assert checkpoint_folder(tmp_path) is None
    for name in ("full", "stopped"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "serving.json").touch()
        assert checkpoint_folder(tmp_path) == tmp_path / name
    assert checkpoint_folder(tmp_path / "full") == tmp_path / "full"


def test_other_weights_in_the_same_place_are_told_apart(tiny_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run" / "full"
    shutil.copytree(tiny_run / "full", copy)
    same = load_model(str(copy), NONE)
    assert (same.name, same.settings) == ("run/full", load_model(str(tiny_run), NONE).settings)
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    other = load_model(str(copy), NONE)
    assert (other.name, other.settings["task"]) == (same.name, same.settings["task"])
    assert other.settings != same.settings


def test_the_checksum_sees_size_and_both_ends_of_large_files(tmp_path: Path) -> None:
    def crc32(content: bytes) -> str:
        (tmp_path / "model.safetensors").write_bytes(content)
        return weights_crc32(tmp_path)

    zeros = bytes(3 << 20)
    assert len({crc32(zeros), crc32(zeros[:-1] + b"1"), crc32(b"1" + zeros[1:]), crc32(zeros[1:])}) == 4
    assert crc32(zeros) == weights_crc32(tmp_path)
    (tmp_path / "notes.txt").write_text("new")
    assert crc32(zeros) == weights_crc32(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "prompt",
    ["7 17 16 -> 26 =", "2 3 * 2 + 2 9 * 4 =", "What is 3 + 4?", "99 99 -> 40 ="],
    ids=["longer", "other", "words", "99"],
)
def test_problems_that_it_cannot_read_are_refused(tiny_run: Path, prompt: str) -> None:
    loaded = load_model(str(tiny_run), NONE)
    with pytest.raises(ArgumentError, match=r"--task must have prompts as the model was trained on .*num_numbers=2"):
        loaded.check_problems([Problem(id="p", prompt=prompt)])


@pytest.mark.parametrize("name", ["adapter", "chat", "system", "device", "served_name"])
def test_what_does_not_apply_to_a_run_is_refused(tiny_run: Path, name: str) -> None:
    option = name.replace("_", "-")
    with pytest.raises(ArgumentError, match=f"--{option} must be left out for a model that"):
        load_model(str(tiny_run), replace(NONE, **{name: True if name == "chat" else "x"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"model": {"embedding": 3}, "task": {}}'])
def test_damaged_notes_are_refused(tmp_path: Path, content: str) -> None:
    pytest.importorskip("torch")
    (tmp_path / "serving.json").write_text(content)
    with pytest.raises(ArgumentError, match=r"MODEL must have a serving\.json as breakeven run writes it; got"):
        load_model(str(tmp_path), NONE)


@pytest.mark.parametrize(
    "sizes",
    [
        {"num_layers": 10**8},
        {"num_layers": -1},
        {"num_heads": 0},
        {"num_heads": 3},
        {"embedding": "x"},
        {"embedding": 10**400},
        {"vocab_size": 10**12},
        {"feed_forward": 10**12},
        {"max_tokens": 10**12},
        {"unknown": 1},
    ],
)
def test_sizes_that_the_weights_do_not_have_are_refused_before_anything_is_made(
    tiny_run: Path, tmp_path: Path, sizes: dict[str, object]
) -> None:
    shutil.copytree(tiny_run / "full", tmp_path / "full")
    path = tmp_path / "full" / "serving.json"
    note = json.loads(path.read_text())
    path.write_text(json.dumps(note | {"model": note["model"] | sizes}))
    with pytest.raises(ArgumentError, match=r"MODEL must have a serving\.json as breakeven run writes it; got"):
        load_model(str(tmp_path), NONE)


def test_a_deeply_nested_note_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run / "full", tmp_path / "full")
    (tmp_path / "full" / "serving.json").write_text("[" * 200_000)
    with pytest.raises(ArgumentError, match=r"MODEL must have a serving\.json as breakeven run writes it; got"):
        load_model(str(tmp_path), NONE)


def test_weights_of_another_model_are_refused(tiny_run: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_run / "full", tmp_path / "full")
    path = tmp_path / "full" / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"more": tensors["norm.weight"].clone()}, path)
    with pytest.raises(ArgumentError, match=r"model\.safetensors must hold the tensors of this model; got 'RuntimeErr"):
        load_model(str(tmp_path), NONE)


def test_damaged_weights_are_refused(tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run / "full", tmp_path / "full")
    (tmp_path / "full" / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ArgumentError, match="must be a whole safetensors file"):
        load_model(str(tmp_path), NONE)


# -- transformers -----------------------------------------------------------------------------------------------------


def test_a_directory_of_transformers(tiny_hf: Path) -> None:
    loaded = load_model(str(tiny_hf), NONE)
    assert loaded.name == "tiny-llama"
    assert loaded.cost == cost_of_config(json.loads((tiny_hf / "config.json").read_text()))
    assert loaded.settings == {
        "chat": None,
        "system": None,
        "adapter": None,
        "dtype": "auto",
        "weights": weights_crc32(tiny_hf),
    }
    draws = loaded.sampler_of(5, ()).sample(PROBLEMS, 3, temperature=0.8, seed=0)
    assert [len(each.completions) for each in draws] == [3, 3]
    assert all(1 <= each.output_tokens <= 5 for draw in draws for each in draw.completions)
    loaded.check_problems(PROBLEMS)


def test_the_chat_template_can_be_left_out(tiny_hf: Path) -> None:
    tokens = {}
    for chat in (None, False):
        loaded = load_model(str(tiny_hf), ModelOptions(chat=chat))
        (draw,) = loaded.sampler_of(3, ()).sample(PROBLEMS[:1], 1, temperature=0.0, seed=0)
        tokens[chat] = draw.prompt_tokens
    assert tokens[None] > tokens[False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ModelOptions(served_name="x"), "--served-name must be left out for a model that no server serves"),
        (ModelOptions(adapter="missing"), "adapter must be a directory with adapter_config.json"),
    ],
)
def test_options_that_do_not_fit_are_refused(tiny_hf: Path, options: ModelOptions, message: str) -> None:
    if options.adapter:
        pytest.importorskip("peft")
    with pytest.raises(ArgumentError, match=message):
        load_model(str(tiny_hf), options)


def test_a_directory_without_weights_is_refused(tiny_hf: Path, tmp_path: Path) -> None:
    for each in tiny_hf.iterdir():
        if each.suffix == ".json":
            shutil.copy(each, tmp_path)
    with pytest.raises(ArgumentError, match="path must hold a causal language model and its tokenizer"):
        load_model(str(tmp_path), NONE)


@pytest.mark.parametrize("spec", ["missing.gguf", "missing", ".", ""])
def test_what_is_no_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=r"MODEL must be the URL of a server, .*a \.gguf file, or a run"):
        load_model(spec, NONE)


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    (tmp_path / "model.gguf").write_bytes(b"nothing of the kind")
    with pytest.raises(ArgumentError, match="path must hold a causal language model"):
        load_model(str(tmp_path / "model.gguf"), NONE)


# -- a server ---------------------------------------------------------------------------------------------------------


def test_a_server_with_one_model(serve, tmp_path: Path) -> None:
    pytest.importorskip("httpx2")
    server = serve("/srv/models/tiny.gguf")
    loaded = load_model(server.url, ModelOptions(journal=tmp_path / "journal.jsonl", system="Be brief."), cost=DECLARED)
    assert (loaded.name, loaded.cost) == ("tiny.gguf", DECLARED)
    assert loaded.settings == {"chat": True, "system": "Be brief."}
    sampler = loaded.sampler_of(9, ("\n",))
    draws = sampler.sample(PROBLEMS, 2, temperature=0.5, seed=0)
    assert [each.text for draw in draws for each in draw.completions] == ["yes"] * 4
    assert {each["model"] for each in server.requests} == {"/srv/models/tiny.gguf"}
    assert {(each["messages"][0]["content"], tuple(each["stop"])) for each in server.requests} == {
        ("Be brief.", ("\n",))
    }
    num_requests = len(server.requests)
    again = load_model(server.url, ModelOptions(journal=tmp_path / "journal.jsonl", system="Be brief."))
    assert again.sampler_of(9, ("\n",)).sample(PROBLEMS, 2, temperature=0.5, seed=0) == draws
    assert len(server.requests) == num_requests, "the journal answers"
    assert again.cost is None


def test_plain_text_goes_to_the_server_as_it_is(serve) -> None:
    pytest.importorskip("httpx2")
    server = serve("tiny")
    loaded = load_model(server.url, ModelOptions(chat=False))
    loaded.sampler_of(9, ()).sample(PROBLEMS[:1], 1, temperature=0.0, seed=0)
    assert [each["prompt"] for each in server.requests] == ["1 + 2 ="]


def test_one_of_several_models_must_be_named(serve) -> None:
    pytest.importorskip("httpx2")
    server = serve("small", "large")
    with pytest.raises(ArgumentError, match="--served-name must name one of the served models: small, large; got None"):
        load_model(server.url, NONE)
    assert load_model(server.url, ModelOptions(served_name="large")).name == "large"
    with pytest.raises(ArgumentError, match="--served-name must name the model; the server lists none"):
        load_model(serve().url, NONE)


@pytest.mark.parametrize("name", ["adapter", "device"])
def test_what_does_not_apply_to_a_server_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"--{name} must be left out for a server; got 'x'"):
        load_model("http://127.0.0.1:1/v1", replace(NONE, **{name: "x"}))  # type: ignore[arg-type]


def test_a_server_that_is_down_is_said_so() -> None:
    pytest.importorskip("httpx2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(SamplerError, match=f"{url} does not list its models: .*Check the URL .*that the server is up"):
        load_model(url, NONE)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tiny_hf: Path) -> None:
    for package, spec in (("httpx2", "http://127.0.0.1:1/v1"), ("transformers", str(tiny_hf))):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[(openai|hf)\]'"):
                load_model(spec, NONE)


def test_a_run_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch, tiny_run: Path) -> None:
    def missing(name: str) -> Any:
        error = ModuleNotFoundError(name=name)
        monkeypatch.setitem(sys.modules, "breakeven.train.saved_model", None)
        return error

    module = type(sys)("breakeven.train.saved_model")
    module.__getattr__ = lambda name: (_ for _ in ()).throw(missing("torch"))  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "breakeven.train.saved_model", module)
    with pytest.raises(MissingExtraError, match=r"this model needs PyTorch: pip install 'breakeven\[torch\]'"):
        load_model(str(tiny_run), NONE)
