"""Any causal language model of transformers: what every sampler promises, and what generate() says."""

import copy
import json
import random
import sys
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch

from breakeven.errors import ArgumentError, MissingExtraError, SamplerError
from breakeven.records import Completion, Finish, Prefix, Problem, SegmentRule
from breakeven.records.protocols import SegmentSampler
from breakeven.sampling.hf import HFSampler, load_hf
from breakeven.testing import check_sampler, check_segment_sampler

PROMPTS = ("a b c", "1 2", "a b c d e f g h 1 2 3", "h", "c c c")
PROBLEMS = [Problem(id=f"p{number}", prompt=prompt) for number, prompt in enumerate(PROMPTS)]


@pytest.fixture(params=["llama", "gpt2"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def sampler(model, tokenizer) -> HFSampler:
    return HFSampler(model, tokenizer, max_tokens=12)


def generated(model, tokenizer, prompt: str, max_tokens: int) -> list[int]:
    tokens = tokenizer(prompt, return_tensors="pt")
    output = model.generate(**tokens, do_sample=False, max_new_tokens=max_tokens)
    return output[0, tokens["input_ids"].shape[1] :].tolist()


# -- what every sampler promises --------------------------------------------------------------------------------------


def test_it_keeps_what_every_sampler_promises(sampler: HFSampler) -> None:
    assert isinstance(sampler, SegmentSampler)
    check_sampler(sampler, PROBLEMS)


def test_it_keeps_what_every_step_sampler_promises(sampler: HFSampler) -> None:
    prefixes = [Prefix(problem=PROBLEMS[0]), Prefix(problem=PROBLEMS[0], text=" d e"), Prefix(problem=PROBLEMS[1])]
    check_segment_sampler(sampler, prefixes, SegmentRule(ends=(" 1", " ;"), max_tokens=5))


@pytest.mark.parametrize("max_rows", [1, 3, 7, 1000])
def test_chunks_change_nothing(sampler: HFSampler, max_rows: int) -> None:
    chunked = HFSampler(sampler.model, sampler.tokenizer, max_tokens=12, max_rows=max_rows)
    expected = sampler.sample(PROBLEMS, 6, temperature=1.0, seed=3)
    assert chunked.sample(PROBLEMS, 6, temperature=1.0, seed=3) == expected
    assert len({each.text for draw in expected for each in draw.completions}) > 20


def test_a_prompt_is_read_once_whatever_the_chunks(llama, tokenizer, monkeypatch) -> None:
    shapes = []
    sampler = HFSampler(llama, tokenizer, max_tokens=4, max_rows=2)
    forward = sampler._forward

    def watched(tokens, *rest):
        shapes.append(tuple(tokens.shape))
        return forward(tokens, *rest)

    monkeypatch.setattr(sampler, "_forward", watched)
    sampler.sample(PROBLEMS[:2], 6, temperature=1.0, seed=0)
    assert [shape for shape in shapes if shape[1] > 1] == [(1, 3), (1, 4)]  # <s> and the words
    assert max(rows for rows, _ in shapes) == 2


# -- against generate() -----------------------------------------------------------------------------------------------


def test_greedy_is_what_generate_gives_token_for_token(model, tokenizer) -> None:
    sampler = HFSampler(model, tokenizer, max_tokens=12)
    draws = sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0)
    for problem, draw in zip(PROBLEMS, draws, strict=True):
        tokens = generated(model, tokenizer, problem.prompt, 12)
        (completion,) = draw.completions
        assert completion.output_tokens == len(tokens)
        assert completion.finish is (Finish.STOP if tokens[-1] == 2 else Finish.LENGTH)
        assert completion.text.split() == tokenizer.decode(tokens, skip_special_tokens=True).split()
        assert draw.prompt_tokens == 1 + len(problem.prompt.split())


def test_padding_changes_nothing(model, tokenizer) -> None:
    """Together, prompts of 2 to 12 tokens are padded; alone they are not."""
    sampler = HFSampler(model, tokenizer, max_tokens=12)
    for temperature in (0.0, 1.0):
        together = sampler.sample(PROBLEMS, 4, temperature=temperature, seed=5)
        alone = [sampler.sample([each], 4, temperature=temperature, seed=5)[0] for each in PROBLEMS]
        assert together == alone


def test_tokens_come_as_often_as_the_model_says(llama, tokenizer) -> None:
    sampler = HFSampler(llama, tokenizer, max_tokens=1, max_rows=4000)
    for temperature in (0.5, 1.5):
        with torch.no_grad():
            logits = llama(**tokenizer("a b c", return_tensors="pt")).logits[0, -1].double()
        chances = (logits / temperature).softmax(-1)
        (draw,) = sampler.sample(PROBLEMS[:1], 4000, temperature=temperature, seed=1)
        counts = Counter(each.text.strip() for each in draw.completions)
        for word in ("a", "d", "2", ";"):
            chance = chances[tokenizer.convert_tokens_to_ids(f"▁{word}")].item()
            assert abs(counts[word] / 4000 - chance) <= 4.5 * (chance * (1 - chance) / 4000) ** 0.5 + 1e-9


def test_a_model_with_linear_attention_works_too(tokenizer, peaked) -> None:
    from transformers import Lfm2Config, Lfm2ForCausalLM

    config = Lfm2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        layer_types=["conv", "full_attention"],
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    model = peaked(Lfm2ForCausalLM(config))
    sampler = HFSampler(model, tokenizer, max_tokens=8)
    for problem, draw in zip(PROBLEMS, sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0), strict=True):
        assert draw.completions[0].output_tokens == len(generated(model, tokenizer, problem.prompt, 8))
    together = sampler.sample(PROBLEMS, 3, temperature=1.0, seed=5)
    assert together == [sampler.sample([each], 3, temperature=1.0, seed=5)[0] for each in PROBLEMS]


@pytest.mark.parametrize(
    ("family", "sizes"),
    [("mixtral", {"num_local_experts": 4}), ("qwen3_moe", {"num_experts": 4, "moe_intermediate_size": 8})],
)
def test_experts_that_are_trained_with_a_router_loss_are_sampled_as_without(tokenizer, peaked, family, sizes) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=4,
        num_experts_per_tok=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        **sizes,
    )
    model = peaked(AutoModelForCausalLM.from_config(config))
    sampler = HFSampler(model, tokenizer, max_tokens=8)
    solutions = [Prefix(problem=each, text="a b") for each in PROBLEMS]
    expected, losses = sampler.sample(PROBLEMS, 3, temperature=1.0, seed=5), sampler.solution_losses(solutions)
    model.config.output_router_logits = True
    assert sampler.sample(PROBLEMS, 3, temperature=1.0, seed=5) == expected
    assert [each.tolist() for each in sampler.solution_losses(solutions)] == [each.tolist() for each in losses]
    assert model.config.output_router_logits, "training goes on with it"


# -- where a completion ends ------------------------------------------------------------------------------------------


def test_a_stop_string_is_cut_off_and_its_tokens_counted(model, tokenizer) -> None:
    whole = HFSampler(model, tokenizer, max_tokens=12).sample(PROBLEMS, 8, temperature=1.0, seed=2)
    cut = HFSampler(model, tokenizer, max_tokens=12, stop=(" c", "2 2")).sample(PROBLEMS, 8, temperature=1.0, seed=2)
    stopped = 0
    for long, short in zip(
        (each for draw in whole for each in draw.completions),
        (each for draw in cut for each in draw.completions),
        strict=True,
    ):
        assert " c" not in short.text
        assert "2 2" not in short.text
        if short != long:
            stopped += 1
            assert long.text.startswith(short.text)
            assert short.finish is Finish.STOP
            assert short.output_tokens <= long.output_tokens
            ending = long.text[len(short.text) :]
            assert ending.startswith((" c", "2 2"))
            words = len((short.text + (" c" if ending.startswith(" c") else "2 2")).split())
            assert words <= short.output_tokens  # special tokens print nothing
    assert stopped > 5


def test_a_step_keeps_its_end_and_the_steps_are_the_whole(model, tokenizer) -> None:
    """Greedy steps put together are the greedy solution, where no token was left out of the text."""
    sampler, rule = HFSampler(model, tokenizer, max_tokens=7), SegmentRule(ends=(" 1", " ;", " c"), max_tokens=3)
    problems = [Problem(id=f"{a} {b}", prompt=f"{a} {b}") for a in "abcdefgh" for b in "123.;"]
    compared = 0
    for problem, draw in zip(problems, sampler.sample(problems, 1, temperature=0.0, seed=0), strict=True):
        (whole,) = draw.completions
        if "<" in whole.text or len(whole.text.split()) + (whole.finish is Finish.STOP) != whole.output_tokens:
            continue
        segments: list[Completion] = []
        while not segments or segments[-1].finish is Finish.SEGMENT:
            prefix = Prefix(problem=problem, text="".join(each.text for each in segments))
            (step,) = sampler.extend([prefix], 1, segments=rule, temperature=0.0, seed=0)
            segments += step.completions
            assert step.prompt_tokens == 3 + sum(each.output_tokens for each in segments[:-1])
        assert all(each.text.endswith(rule.ends) or each.output_tokens == 3 for each in segments[:-1])
        assert "".join(each.text for each in segments) == whole.text
        assert sum(each.output_tokens for each in segments) == whole.output_tokens
        assert segments[-1].finish is whole.finish
        compared += 1
    assert compared >= 5


def test_a_solution_has_no_more_tokens_in_steps_than_at_once(llama, tokenizer) -> None:
    sampler = HFSampler(llama, tokenizer, max_tokens=6)
    rule = SegmentRule(ends=(" nothing",), max_tokens=4)
    prefixes = [Prefix(problem=PROBLEMS[0], text=text) for text in ("", " a b c", " a b c d e f")]
    for prefix, limit in zip(prefixes, (4, 3, 1), strict=True):
        (draw,) = sampler.extend([prefix], 8, segments=rule, temperature=1.0, seed=0)
        assert max(each.output_tokens for each in draw.completions) == limit
        cut = {each.finish for each in draw.completions if each.output_tokens == limit} - {Finish.STOP}
        assert cut == {Finish.SEGMENT if limit == 4 else Finish.LENGTH}


def test_the_stop_string_of_the_solution_ends_a_step_too(llama, tokenizer) -> None:
    sampler = HFSampler(llama, tokenizer, max_tokens=40, stop=(" 2",))
    rule = SegmentRule(ends=(" 3",), max_tokens=30)
    (draw,) = sampler.extend([Prefix(problem=PROBLEMS[0])], 60, segments=rule, temperature=1.5, seed=0)
    kinds = {each.finish for each in draw.completions}
    assert {Finish.STOP, Finish.SEGMENT} <= kinds
    assert not any(" 2" in each.text for each in draw.completions)
    assert all(each.text.endswith(" 3") for each in draw.completions if each.finish is Finish.SEGMENT)


def test_the_positions_of_the_model_are_a_limit(gpt2, tokenizer) -> None:
    sampler = HFSampler(gpt2, tokenizer, max_tokens=100)
    long = Problem(id="long", prompt=" ".join("a" * 40))
    (draw,) = sampler.sample([long], 30, temperature=1.5, seed=0)
    assert draw.prompt_tokens == 41
    cut = [each for each in draw.completions if each.finish is Finish.LENGTH]
    assert {each.output_tokens for each in cut} == {48 - 41}
    with pytest.raises(
        SamplerError, match="problem 'longer' must leave room for an answer in the model's 48 positions"
    ):
        sampler.sample([PROBLEMS[0], Problem(id="longer", prompt=" ".join("a" * 60))], 1, temperature=1.0, seed=0)


def test_each_end_token_of_the_generation_config_ends(llama, tokenizer) -> None:
    model = copy.deepcopy(llama)
    model.generation_config.eos_token_id = [2, 9, 10]
    draws = HFSampler(model, tokenizer, max_tokens=12).sample(PROBLEMS, 4, temperature=0.0, seed=0)
    for problem, draw in zip(PROBLEMS, draws, strict=True):
        assert draw.completions[0].output_tokens == len(generated(model, tokenizer, problem.prompt, 12))


# -- chats ------------------------------------------------------------------------------------------------------------


def test_a_chat_template_is_used_where_there_is_one(llama, tokenizer, chatty) -> None:
    assert HFSampler(llama, chatty, max_tokens=4).prompts.chat
    assert not HFSampler(llama, tokenizer, max_tokens=4).prompts.chat
    assert not HFSampler(llama, chatty, max_tokens=4, chat=False).prompts.chat
    encode = HFSampler(llama, chatty, max_tokens=4, system="b").prompts.encode
    names = tokenizer.convert_ids_to_tokens(encode(Prefix(problem=PROBLEMS[0], text=" 1")))
    said = "<|system|> b <|end|> <|user|> a b c <|end|> <|assistant|> 1"  # <s> is the template's to write
    assert " ".join(names).replace("▁", "") == said


def test_a_chat_is_sampled_as_its_rendered_text(llama, tokenizer, chatty) -> None:
    (draw,) = HFSampler(llama, chatty, max_tokens=8).sample(PROBLEMS[:1], 1, temperature=0.0, seed=0)
    messages = [{"role": "user", "content": "a b c"}]
    tokens = chatty.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    output = llama.generate(**tokens, do_sample=False, max_new_tokens=8)[0, tokens["input_ids"].shape[1] :]
    assert draw.prompt_tokens == tokens["input_ids"].shape[1]
    assert draw.completions[0].output_tokens == len(output)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chat": True}, "chat must be False or None for a tokenizer without a chat template; got True."),
        ({"system": "x"}, "system must be None without a chat template; got 'x'."),
        ({"max_tokens": 0}, "max_tokens must be at least 1; got 0."),
        ({"max_rows": 0}, "max_rows must be at least 1; got 0."),
        ({"stop": ("a", "")}, "stop must hold no empty string; got ['a', '']."),
    ],
)
def test_it_refuses(llama, tokenizer, options, message) -> None:
    with pytest.raises(ArgumentError) as error:
        HFSampler(llama, tokenizer, **{"max_tokens": 4} | options)
    assert str(error.value).startswith(message)


def test_it_refuses_what_cannot_be_sampled(llama, tokenizer, chatty) -> None:
    sampler = HFSampler(llama, tokenizer, max_tokens=4)
    with pytest.raises(ArgumentError, match="num_samples must be at least 1"):
        sampler.sample(PROBLEMS, 0, temperature=1.0, seed=0)
    with pytest.raises(ArgumentError, match="temperature must be at least 0"):
        sampler.sample(PROBLEMS, 1, temperature=-1.0, seed=0)
    chatty.chat_template = "{{ raise_exception('no system, please') }}"
    with pytest.raises(ArgumentError, match="no system, please"):
        HFSampler(llama, chatty, max_tokens=4, system="s").sample(PROBLEMS, 1, temperature=1.0, seed=0)
    bare = copy.deepcopy(tokenizer)
    bare.backend_tokenizer.post_processor = None
    with pytest.raises(ArgumentError, match="the prompt of problem 'empty' must have at least one token; got ''"):
        HFSampler(llama, bare, max_tokens=4).sample([Problem(id="empty", prompt="")], 1, temperature=1.0, seed=0)


def test_no_problems_give_no_draws(sampler: HFSampler) -> None:
    assert sampler.sample([], 3, temperature=1.0, seed=0) == []


# -- training is left alone -------------------------------------------------------------------------------------------


def trained(model, tokenizer, *, sampling: bool) -> torch.Tensor:
    """Ten steps with dropout, all parameters in one vector; with or without samples in between."""
    model = copy.deepcopy(model).train()
    next(iter(model.children())).get_submodule("h.0.mlp").eval()  # a part that is frozen stays so
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batch = tokenizer(["a b c d", "1 2 3 ;"], return_tensors="pt")
    for _ in range(10):
        loss = model(**batch, labels=batch["input_ids"]).loss
        loss.backward()
        if sampling:
            HFSampler(model, tokenizer, max_tokens=6).sample(PROBLEMS, 3, temperature=1.0, seed=0)
        optimizer.step()
        optimizer.zero_grad()
    assert model.training
    assert not model.transformer.h[0].mlp.training
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_training_is_the_same_bit_for_bit_with_samples_in_between(gpt2, tokenizer) -> None:
    assert torch.equal(trained(gpt2, tokenizer, sampling=True), trained(gpt2, tokenizer, sampling=False))


def test_no_state_is_touched(model, tokenizer) -> None:
    model = copy.deepcopy(model).train()
    (model(**tokenizer("a b", return_tensors="pt")).logits.sum()).backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    states = (torch.get_rng_state(), str(np.random.get_state()), random.getstate())  # noqa: NPY002
    flags = [module.training for module in model.modules()]
    config = copy.deepcopy(model.config.to_dict())
    HFSampler(model, tokenizer, max_tokens=6, stop=(" c",)).sample(PROBLEMS, 3, temperature=1.0, seed=0)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]
    assert [module.training for module in model.modules()] == flags
    assert all(torch.equal(parameter.grad, old) for parameter, old in zip(model.parameters(), gradients, strict=True))
    assert tokenizer.padding_side == "right"
    assert model.config.to_dict() == config


def test_a_failure_leaves_the_model_in_training(gpt2, tokenizer, monkeypatch) -> None:
    model = copy.deepcopy(gpt2).train()
    sampler = HFSampler(model, tokenizer, max_tokens=6)
    monkeypatch.setattr(sampler, "_decode", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sampler.sample(PROBLEMS, 3, temperature=1.0, seed=0)
    assert all(module.training for module in model.modules())


# -- adapters and loading ---------------------------------------------------------------------------------------------


pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's, of transformers


@pytest.fixture
def adapted(llama):
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(copy.deepcopy(llama), peft.LoraConfig(target_modules=["q_proj", "v_proj"], r=2))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=2.0)
    return model


def test_an_adapter_works_and_matters(llama, adapted, tokenizer) -> None:
    sampler = HFSampler(adapted, tokenizer, max_tokens=10)
    draws = sampler.sample(PROBLEMS, 3, temperature=1.0, seed=0)
    assert draws != HFSampler(llama, tokenizer, max_tokens=10).sample(PROBLEMS, 3, temperature=1.0, seed=0)
    for problem, draw in zip(PROBLEMS, sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0), strict=True):
        assert draw.completions[0].output_tokens == len(generated(adapted, tokenizer, problem.prompt, 10))
    together = sampler.sample(PROBLEMS, 3, temperature=1.0, seed=5)
    assert together == [sampler.sample([each], 3, temperature=1.0, seed=5)[0] for each in PROBLEMS]


def test_a_saved_model_with_its_adapter_is_loaded(llama, adapted, tokenizer, tmp_path) -> None:
    llama.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    adapted.save_pretrained(tmp_path / "adapter")
    model, loaded = load_hf(tmp_path / "model", dtype=torch.float32)
    expected = HFSampler(llama, tokenizer, max_tokens=8).sample(PROBLEMS, 2, temperature=1.0, seed=0)
    assert HFSampler(model, loaded, max_tokens=8).sample(PROBLEMS, 2, temperature=1.0, seed=0) == expected
    model, loaded = load_hf(tmp_path / "model", adapter=tmp_path / "adapter")
    expected = HFSampler(adapted, tokenizer, max_tokens=8).sample(PROBLEMS, 2, temperature=1.0, seed=0)
    assert HFSampler(model, loaded, max_tokens=8).sample(PROBLEMS, 2, temperature=1.0, seed=0) == expected


def test_half_precision_works(llama, tokenizer, tmp_path) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model, loaded = load_hf(tmp_path, dtype="bfloat16")
    assert model.dtype is torch.bfloat16
    draws = HFSampler(model, loaded, max_tokens=8).sample(PROBLEMS, 4, temperature=1.0, seed=0)
    assert {len(draw.completions) for draw in draws} == {4}


def test_what_cannot_be_loaded_is_named(llama, tmp_path, monkeypatch) -> None:
    with pytest.raises(ArgumentError, match=r"path must hold a causal language model and its tokenizer; got .*nowhere"):
        load_hf(tmp_path / "nowhere")
    with pytest.raises(ArgumentError, match=r"gguf_file must be a GGUF file; got .*a\.gguf"):
        load_hf(tmp_path / "a.gguf")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ArgumentError, match="path must hold"):
        load_hf(tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[hf\]'"):
        load_hf(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"\xff" * 100),
        ("model.safetensors", b""),
        ("tokenizer.json", b"[" * 100_000),
        ("tokenizer.json", b"\x00\xff"),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"model_type": "llama", "num_hidden_layers": "many"}'),
        ("config.json", b"[1]"),
    ],
)
def test_damaged_files_are_one_line(llama, tokenizer, tmp_path, name: str, content: bytes) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArgumentError, match="path must hold a causal language model and its tokenizer; got") as error:
        load_hf(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"GGUF", b"GGUF\x03" + b"\xff" * 60, b"GGUF\x03\x00\x00\x00" + b"\xff" * 16, b""])
def test_damaged_gguf_is_one_line(tmp_path, content: bytes) -> None:
    pytest.importorskip("gguf")
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(ArgumentError, match="path must hold a causal language model and its tokenizer; got") as error:
        load_hf(tmp_path / "a.gguf")
    assert "\n" not in str(error.value)


def test_code_beside_a_model_is_not_run(llama, tokenizer, tmp_path) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "theirs.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').close()\n")
    config = {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config", "AutoModelForCausalLM": "theirs.M"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArgumentError, match="path must hold a causal language model"):
        load_hf(tmp_path)
    assert not (tmp_path / "mark").exists()


def test_a_missing_adapter_is_named(llama, tokenizer, tmp_path) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ArgumentError, match=r"adapter must be a directory with adapter_config\.json"):
        load_hf(tmp_path, adapter=tmp_path / "none")


def test_an_adapter_names_no_module_to_import(llama, adapted, tokenizer, tmp_path, monkeypatch) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    adapted.save_pretrained(tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    foreign = {"megatron_config": {"tensor_model_parallel_size": 1}, "megatron_core": "foreign_module"}
    config.write_text(json.dumps(json.loads(config.read_text()) | foreign))
    (tmp_path / "foreign_module.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ArgumentError, match=r"adapter must be a LoRA adapter of this model; .* megatron_config"):
        load_hf(tmp_path, adapter=tmp_path / "adapter")
    assert not (tmp_path / "mark").exists()
    config.write_text("[1]")
    with pytest.raises(ArgumentError, match="adapter must be a LoRA adapter of this model"):
        load_hf(tmp_path, adapter=tmp_path / "adapter")


def test_the_package_that_adapters_need_is_named(llama, tokenizer, tmp_path, monkeypatch) -> None:
    llama.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"adapters need peft: pip install 'breakeven\[hf\]'"):
        load_hf(tmp_path, adapter=tmp_path)


# -- a real model -----------------------------------------------------------------------------------------------------

QUESTIONS = ("What is 2 + 3? Answer with a number.", "What is 7 - 4?", "Name a colour.")


@pytest.mark.slow
def test_a_real_model_keeps_what_every_sampler_promises(smollm2_dir) -> None:
    model, tokenizer = load_hf(smollm2_dir)
    problems = [Problem(id=question, prompt=question) for question in QUESTIONS]
    # Nearly all the time goes into reading prompts again and again; the model's own system message is most of them.
    brief = HFSampler(model, tokenizer, max_tokens=3, stop=("\n",), system=".")
    check_sampler(brief, problems[1:], temperature=1.0)
    prefixes = [Prefix(problem=problems[1]), Prefix(problem=problems[2], text="My favourite colour")]
    check_segment_sampler(brief, prefixes, SegmentRule(ends=(".",), max_tokens=2))
    sampler = HFSampler(model, tokenizer, max_tokens=6, stop=("\n",))
    for problem, draw in zip(problems, sampler.sample(problems, 1, temperature=0.0, seed=0), strict=True):
        tokens = tokenizer.apply_chat_template(
            [{"role": "user", "content": problem.prompt}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        output = model.generate(**tokens, do_sample=False, max_new_tokens=6)[0, tokens["input_ids"].shape[1] :]
        said = tokenizer.decode(output, skip_special_tokens=True)
        assert draw.completions[0].text == said.split("\n")[0]


# -- the loss of a solution -------------------------------------------------------------------------------------------

SOLVED = [
    Prefix(problem=PROBLEMS[0], text=" d e f"),
    Prefix(problem=PROBLEMS[1], text=" 3"),
    Prefix(problem=PROBLEMS[2], text=" . ; stop stop"),
    Prefix(problem=PROBLEMS[1], text=""),
]


def alone(model, tokenizer, prefix: Prefix, end: list[int]) -> list[float]:
    """Torch's cross entropy of the text's tokens, in a batch of one without padding."""
    prompt = tokenizer(prefix.problem.prompt)["input_ids"]
    tokens = torch.tensor([tokenizer(prefix.problem.prompt + prefix.text)["input_ids"] + end])
    with torch.no_grad():
        logits = model(input_ids=tokens).logits[0, len(prompt) - 1 : -1]
    return torch.nn.functional.cross_entropy(logits, tokens[0, len(prompt) :], reduction="none").tolist()


@pytest.mark.parametrize("max_rows", [1, 3, 64])
def test_the_loss_of_a_solution_is_torchs_cross_entropy(model, tokenizer, max_rows: int) -> None:
    state = torch.get_rng_state()
    model.train()
    losses = HFSampler(model, tokenizer, max_tokens=12, max_rows=max_rows).solution_losses(SOLVED)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    model.eval()
    assert list(map(len, losses)) == [4, 2, 5, 1]
    for prefix, loss in zip(SOLVED, losses, strict=True):
        wanted = alone(model, tokenizer, prefix, [tokenizer.eos_token_id])
        assert loss.tolist() == pytest.approx(wanted, abs=1e-4)


def test_where_stop_strings_end_completions_the_end_token_is_no_part_of_a_solution(llama, tokenizer) -> None:
    losses = HFSampler(llama, tokenizer, max_tokens=12, stop=[";"]).solution_losses(SOLVED)
    assert list(map(len, losses)) == [3, 1, 4, 0]
    for prefix, loss in zip(SOLVED[:3], losses, strict=False):
        assert loss.tolist() == pytest.approx(alone(llama, tokenizer, prefix, []), abs=1e-4)


def test_a_solution_beyond_the_positions_has_no_loss(gpt2, tokenizer) -> None:
    long = Prefix(problem=PROBLEMS[0], text=" d" * 60)
    losses = HFSampler(gpt2, tokenizer, max_tokens=12).solution_losses([long, SOLVED[1]])
    assert list(map(len, losses)) == [0, 2]


# -- special tokens at the edges of prompt and answer -----------------------------------------------------------------


def ended(sampler: HFSampler, seed: int = 0) -> list[Completion]:
    return [each for draw in sampler.sample(PROBLEMS, 8, temperature=1.0, seed=seed) for each in draw.completions]


def test_what_ends_a_turn_of_the_chat_ends_a_sample(llama, chatty, tokenizer) -> None:
    model = copy.deepcopy(llama)
    model.generation_config.eos_token_id = 0
    whole = ended(HFSampler(model, chatty, max_tokens=12))
    chatty.eos_token = "<pad>"
    sampler = HFSampler(model, chatty, max_tokens=12)
    assert sampler.prompts.turn_end() == 2
    assert ended(sampler) == whole
    assert {each.finish for each in whole} == {Finish.STOP, Finish.LENGTH}
    plain = HFSampler(model, chatty, max_tokens=12, chat=False)
    assert plain.prompts.turn_end() is None
    assert 2 not in plain.endings.of(model)


def test_a_special_token_among_the_stop_strings_ends_a_sample(llama, tokenizer) -> None:
    stopped = ended(HFSampler(llama, tokenizer, max_tokens=12, stop=("<|user|>", " c")))
    found = [each for each in stopped if each.finish is Finish.STOP]
    assert found
    model = copy.deepcopy(llama)
    model.generation_config.eos_token_id = [2, tokenizer.convert_tokens_to_ids("<|user|>")]
    assert stopped == ended(HFSampler(model, tokenizer, max_tokens=12, stop=(" c",)))
    assert stopped != ended(HFSampler(llama, tokenizer, max_tokens=12, stop=(" c",)))


def test_an_end_that_the_tokenizer_appends_is_no_part_of_the_prompt(llama, tokenizer) -> None:
    from tokenizers import processors

    appending = copy.deepcopy(tokenizer)
    special = [("<s>", 1), ("<|end|>", 2)]
    appending.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A <|end|>", special_tokens=special
    )
    assert appending("a b")["input_ids"][-1] == 2
    prefix = Prefix(problem=PROBLEMS[0], text=" d")
    for each in (prefix, Prefix(problem=Problem(id="empty", prompt=""))):
        encoded = HFSampler(llama, appending, max_tokens=4).prompts.encode(each)
        assert encoded == HFSampler(llama, tokenizer, max_tokens=4).prompts.encode(each)
    literal = Prefix(problem=Problem(id="literal", prompt="a<|end|>"))
    assert HFSampler(llama, tokenizer, max_tokens=4).prompts.encode(literal)[-1] == 2


def test_the_loss_counts_the_end_of_a_turn(llama, chatty) -> None:
    with_end = HFSampler(llama, chatty, max_tokens=12).solution_losses(SOLVED[:1])
    chatty.eos_token = "<pad>"
    assert HFSampler(llama, chatty, max_tokens=12).solution_losses(SOLVED[:1])[0].tolist() == with_end[0].tolist()


@pytest.mark.parametrize(
    "template",
    ["{{ messages[1]['content'][0]['text'] }}", "{{ messages[0]['content'] }}", "{{ messages[1]['content'] + 1 }}"],
)
def test_a_template_that_tells_no_end_of_turn_has_none(llama, chatty, template: str) -> None:
    chatty.chat_template = template
    assert HFSampler(llama, chatty, max_tokens=4).prompts.turn_end() is None
