"""The adapter to vLLM, on a double: same signatures, same seeds of the samples, same handling of stop strings."""

import hashlib
import sys
import types
from dataclasses import dataclass, field

import pytest

pytest.importorskip("transformers")

from breakeven.errors import ArgumentError, MissingExtraError, SamplerError
from breakeven.records import Finish, Prefix, Problem, SegmentRule
from breakeven.records.protocols import SegmentSampler
from breakeven.sampling.vllm import VLLMSampler
from breakeven.testing import check_sampler, check_segment_sampler

PROBLEMS = [Problem(id=f"p{number}", prompt=prompt) for number, prompt in enumerate(("a b", "c", "1 2 3"))]
STEPS = SegmentRule(ends=(" 1", " ;"), max_tokens=6)


@dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = 16
    include_stop_str_in_output: bool = False

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError("max_tokens must be at least 1")
        if self.temperature == 0 and self.n > 1:
            raise ValueError("n must be 1 when using greedy sampling")
        if self.seed is not None and not -(2**63) <= self.seed + self.n < 2**63:
            raise ValueError("seed must fit 64 bits")


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    prompt_token_ids: list[int]
    outputs: list[CompletionOutput] = field(default_factory=list)


class LLM:
    """Tokens by a hash of (seed + index of the sample, tokens so far); greedy ones of the tokens alone."""

    def __init__(self, tokenizer, max_model_len: int = 64) -> None:
        self._tokenizer = tokenizer
        config = types.SimpleNamespace(max_model_len=max_model_len)
        self.llm_engine = types.SimpleNamespace(model_config=config)
        self.calls: list[dict] = []

    def get_tokenizer(self):
        return self._tokenizer

    def generate(self, prompts, sampling_params=None, *, use_tqdm=True, lora_request=None, priority=None):
        self.calls.append({"params": sampling_params, "use_tqdm": use_tqdm, "lora_request": lora_request})
        outputs = []
        for prompt, parameters in zip(prompts, sampling_params, strict=True):
            tokens = prompt["prompt_token_ids"]
            if len(tokens) + 1 > self.llm_engine.model_config.max_model_len:
                raise ValueError("the prompt is longer than the maximum model length")
            made = [self._sample(tokens, parameters, index) for index in range(parameters.n)]
            outputs.append(RequestOutput(prompt_token_ids=tokens, outputs=made[::-1]))  # no order is promised
        return outputs

    def _sample(self, prompt: list[int], parameters: SamplingParams, index: int) -> CompletionOutput:
        assert parameters.seed is not None
        assert parameters.max_tokens is not None
        seed = None if parameters.temperature == 0 else parameters.seed + index
        made: list[int] = []
        while len(made) < parameters.max_tokens:
            digest = hashlib.sha256(f"{seed} {prompt + made}".encode()).digest()
            token = 2 if digest[0] < 20 else 7 + digest[1] % (len(self._tokenizer) - 7)
            made.append(token)
            if token == self._tokenizer.eos_token_id:
                return CompletionOutput(index, self._text(prompt, made), made, "stop", None)
            text = self._text(prompt, made)
            for string in parameters.stop or []:
                if string in text:
                    end = text.index(string) + len(string) * parameters.include_stop_str_in_output
                    return CompletionOutput(index, text[:end], made, "stop", string)
        return CompletionOutput(index, self._text(prompt, made), made, "length", None)

    def _text(self, prompt: list[int], made: list[int]) -> str:
        """As vLLM's detokenizer: with the prompt before it, so that no space is lost."""
        before, whole = (self._tokenizer.decode(each, skip_special_tokens=True) for each in (prompt, prompt + made))
        return whole[len(before) :]


@pytest.fixture(autouse=True)
def vllm(monkeypatch):
    module = types.ModuleType("vllm")
    module.SamplingParams = SamplingParams  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)


@pytest.fixture
def llm(tokenizer) -> LLM:
    return LLM(tokenizer)


def test_it_keeps_what_every_sampler_promises(llm: LLM) -> None:
    sampler = VLLMSampler(llm, max_tokens=12, stop=(" c",))
    assert isinstance(sampler, SegmentSampler)
    check_sampler(sampler, PROBLEMS)
    prefixes = [Prefix(problem=PROBLEMS[0]), Prefix(problem=PROBLEMS[0], text=" d"), Prefix(problem=PROBLEMS[1])]
    check_segment_sampler(sampler, prefixes, STEPS)


def test_a_call_says_what_it_must(llm: LLM) -> None:
    sampler = VLLMSampler(llm, max_tokens=12, stop=(" c",), lora_request="adapter")
    sampler.sample(PROBLEMS, 4, temperature=0.7, seed=1)
    (call,) = llm.calls
    assert (call["use_tqdm"], call["lora_request"]) == (False, "adapter")
    assert {(each.n, each.temperature, each.max_tokens) for each in call["params"]} == {(4, 0.7, 12)}
    assert all(each.stop == [" c"] and not each.include_stop_str_in_output for each in call["params"])
    assert len({each.seed for each in call["params"]}) == 3


def test_ends_are_told_apart(llm: LLM) -> None:
    sampler = VLLMSampler(llm, max_tokens=30, stop=(" c",))
    (draw,) = sampler.extend(PROBLEMS_AS_PREFIXES[:1], 200, segments=STEPS, temperature=1.0, seed=0)
    for each in draw.completions:
        assert " c" not in each.text
        if each.finish is Finish.SEGMENT:
            assert each.text.endswith(STEPS.ends) or each.output_tokens == 6
    assert {each.finish for each in draw.completions} == {Finish.STOP, Finish.SEGMENT}


PROBLEMS_AS_PREFIXES = [Prefix(problem=each) for each in PROBLEMS]


def test_the_length_of_the_solution_is_a_limit_of_its_steps(llm: LLM) -> None:
    sampler = VLLMSampler(llm, max_tokens=8)
    for text, limit in ((" a b", Finish.LENGTH), ("", Finish.SEGMENT)):
        prefix = Prefix(problem=PROBLEMS[0], text=text)
        (draw,) = sampler.extend([prefix], 50, segments=STEPS, temperature=1.0, seed=0)
        full = {each.finish for each in draw.completions if each.output_tokens == 6}
        assert limit in full
        assert full <= {limit, Finish.STOP}


def test_the_context_is_a_limit(tokenizer) -> None:
    sampler = VLLMSampler(LLM(tokenizer, max_model_len=8), max_tokens=30)
    (draw,) = sampler.sample(PROBLEMS[2:], 40, temperature=1.0, seed=0)
    assert max(each.output_tokens for each in draw.completions) == 4
    assert {each.finish for each in draw.completions} == {Finish.STOP, Finish.LENGTH}
    long = Problem(id="long", prompt="a b c d e f g h")
    with pytest.raises(SamplerError, match="problem 'long' must leave room for an answer in the engine's 8 tokens"):
        sampler.sample([PROBLEMS[0], long], 1, temperature=1.0, seed=0)


def test_a_chat_template_is_used_where_there_is_one(chatty, tokenizer) -> None:
    (draw,) = VLLMSampler(LLM(chatty), max_tokens=4, system="b").sample(PROBLEMS[:1], 1, temperature=1.0, seed=0)
    assert draw.prompt_tokens == 8
    with pytest.raises(ArgumentError, match="chat must be False or None"):
        VLLMSampler(LLM(tokenizer), max_tokens=4, chat=True)


def test_it_refuses(llm: LLM, monkeypatch) -> None:
    with pytest.raises(ArgumentError, match="max_tokens must be at least 1"):
        VLLMSampler(llm, max_tokens=0)
    with pytest.raises(ArgumentError, match="stop must hold no empty string"):
        VLLMSampler(llm, max_tokens=1, stop=("",))
    sampler = VLLMSampler(llm, max_tokens=4)
    with pytest.raises(ArgumentError, match="num_samples must be at least 1"):
        sampler.sample(PROBLEMS, 0, temperature=1.0, seed=0)
    with pytest.raises(ArgumentError, match="temperature must be at least 0"):
        sampler.sample(PROBLEMS, 1, temperature=-1.0, seed=0)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[vllm\]'"):
        sampler.sample(PROBLEMS, 1, temperature=1.0, seed=0)
