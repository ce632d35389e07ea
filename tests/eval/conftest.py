"""What evaluations are tested with: a task of sums, a sampler that notes what it is asked, and three tiny models."""

import itertools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from breakeven.config import RunConfig, config_from
from breakeven.errors import CheckFailedError
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, Reward
from breakeven.store import SamplesHeader

WORDS = ("is", "a", "+", "=", ">", "yes", "no", *map(str, range(30)))
CHAT_TEMPLATE = "{% for each in messages %}<|user|> {{ each['content'] }}<|end|>{% endfor %}<|model|>"


@dataclass(frozen=True, kw_only=True)
class Sums:
    """`n + 1 =`, answered by the last word of a completion."""

    size: int = 5
    crashes: tuple[str, ...] = ()
    """Answers on which the checker crashes."""
    on_check: Callable[[], None] = lambda: None
    stem: str = "{} + 1 ="
    uncomparable: bool = False
    deployable: bool = False
    name: str = "sums"
    max_tokens: int = 8
    stop: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(
            Problem(id=f"p{n}", prompt=self.stem.format(n), reference=None if self.deployable else str(n + 1))
            for n in range(self.size)
        )

    def extract(self, completion: str) -> str | None:
        last = completion.split()[-1:] or [""]
        return last[0] if last[0].isdigit() else None

    def canonical(self, answer: str) -> str:
        return answer.lstrip("0")

    def equivalent(self, answer: str, other: str) -> bool:
        if self.uncomparable:
            raise CheckFailedError("too hard")
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        self.on_check()
        answer = self.extract(completion)
        if answer in self.crashes:
            raise CheckFailedError("crashed")
        return answer is not None and self.canonical(answer) == str(int(problem.id[1:]) + 1)


class Interrupted(BaseException):
    """Stands for a kill: nothing catches it."""


@dataclass
class NotingSampler:
    """Texts are functions of (seed, problem, number); every sample it gave is noted by those three."""

    most_calls: int | None = None
    """After so many it is killed."""
    given: list[tuple[int, str, int]] = field(default_factory=list)
    seen: list[Problem] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        if self.most_calls is not None and len(self.temperatures) >= self.most_calls:
            raise Interrupted
        self.temperatures.append(temperature)
        self.seen += problems
        self.given += [(seed, each.id, number) for each in problems for number in range(num_samples)]
        return [
            Draw(
                prompt_tokens=len(each.prompt.split()),
                completions=tuple(self._completion(each, number, temperature, seed) for number in range(num_samples)),
            )
            for each in problems
        ]

    def _completion(self, problem: Problem, number: int, temperature: float, seed: int) -> Completion:
        random = zlib.crc32(f"{seed} {problem.id} {number if temperature else 'greedy'}".encode())
        right = int(problem.id[1:]) + 1
        answer = (f"{right}", f"0{right}", f"{right + 1}", "none", "99")[random % 5]
        finish = Finish.LENGTH if random % 7 == 0 else Finish.STOP
        return Completion(text=f"it is {answer}", output_tokens=2 + random % 5, finish=finish)


@dataclass
class LengthReward:
    """Scores by the length of the solution, and notes what it is shown."""

    kind: Literal["outcome", "process"] = "outcome"
    most_calls: int | None = None
    seen: list[Prefix] = field(default_factory=list)
    calls: int = 0

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        if self.most_calls is not None and self.calls >= self.most_calls:
            raise Interrupted
        self.calls += 1
        self.seen += prefixes
        return [Reward(value=len(each.text) / 100, read_tokens=len(each.text)) for each in prefixes]


@pytest.fixture(scope="session")
def sums() -> type[Sums]:
    return Sums


@pytest.fixture(scope="session")
def noting() -> type[NotingSampler]:
    return NotingSampler


@pytest.fixture(scope="session")
def length_reward() -> type[LengthReward]:
    return LengthReward


@pytest.fixture
def interrupted() -> type[Interrupted]:
    return Interrupted


@pytest.fixture
def header() -> SamplesHeader:
    return SamplesHeader(versions={}, model="m", task="sums", temperature=0.8, seed=3, max_tokens=8, settings={})


# -- a run of breakeven -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny_config() -> RunConfig:
    return config_from(
        {
            "name": "tiny",
            "task": {"num_numbers": 2, "max_number": 15, "max_target": 40},
            "model": {"num_layers": 1, "embedding": 16, "num_heads": 2, "feed_forward": 16},
            "train": {"steps": 4, "batch_size": 8, "learning_rate": 0.01, "warmup_steps": 2},
            "evaluate": {"every_steps": 4, "num_problems": 4, "num_samples": 4},
            "policy": {"name": "paper", "patience": 2, "max_k": 8},
            "verify": {"num_problems": 4, "num_samples": 4},
        }
    )


@pytest.fixture(scope="session")
def tiny_run(tiny_config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with `full/`; nothing in it may be changed."""
    pytest.importorskip("torch")
    from breakeven.train import loop

    directory = tmp_path_factory.mktemp("tiny") / "run"
    config = replace(tiny_config, mode="shadow")
    with loop.start_run(config, directory) as log:
        loop.run(config, directory, log, mode="shadow")
    return directory


# -- models of transformers -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "<|end|>", "<|user|>", "<|model|>", "<unk>"]
    vocabulary = {word: number for number, word in enumerate([*special, *(f"▁{word}" for word in WORDS)])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    inner.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="<|end|>",
        unk_token="<unk>",
        additional_special_tokens=special[3:5],
        chat_template=CHAT_TEMPLATE,
    )


def _saved(directory: Path, kind: str, tokenizer: Any, seed: int, **changes: Any) -> Path:
    import torch
    import transformers

    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=512, initializer_range=0.4, **sizes, **tokens, **changes
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = getattr(transformers, kind)(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_hf(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a random Llama and a tokenizer of a few words."""
    return _saved(tmp_path_factory.mktemp("hf") / "tiny-llama", "LlamaForCausalLM", tokenizer, 0)


@pytest.fixture(scope="session")
def save_classifier(tokenizer: Any) -> Callable[[Path, int], Path]:
    """Saves a sequence classifier with random weights of a seed."""
    return lambda directory, seed: _saved(directory, "LlamaForSequenceClassification", tokenizer, seed, num_labels=1)


# -- a server ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def serve(json_server: Callable[..., Any]) -> Callable[..., Any]:
    """Starts a server that lists the models given and answers every request with `yes`."""

    def yes(request: dict[str, Any]) -> tuple[int, object]:
        said = {"message": {"role": "assistant", "content": "yes"}} if "messages" in request else {"text": "yes"}
        logprobs = {"content": [{"token": word, "logprob": -1.0} for word in ("yes", "")]}
        choices = [
            {"index": index, "finish_reason": "stop", "logprobs": logprobs, **said}
            for index in range(request.get("n", 1))
        ]
        return 200, {"choices": choices, "usage": {"prompt_tokens": 5, "completion_tokens": 2}}

    return lambda *names: json_server(yes, names)


@pytest.fixture
def served(json_server: Callable[..., Any]) -> Callable[..., Any]:
    """Starts a server: `refuses(request)` is its refusal, or None; then it answers with a text a choice."""

    def start(
        refuses: Callable[[dict[str, Any]], str | None],
        *,
        text: Callable[[dict[str, Any], int], str] = lambda request, index: f"it is {request.get('seed', 0) + index}",
        finish: Callable[[int], str] = lambda number: "stop",
        usage: dict[str, int] | None = {"prompt_tokens": 5, "completion_tokens": 3},  # noqa: B006
        models: Sequence[str] = ("tiny",),
    ) -> Any:
        numbers = itertools.count()

        def answers(request: dict[str, Any]) -> tuple[int, object]:
            number = next(numbers)
            if refused := refuses(request):
                return 400, {"error": {"message": refused}}
            choices = []
            for index in range(request.get("n", 1)):
                said = text(request, index)
                listed = {"content": [{"token": word} for word in [*said.split(), ""]]} if usage else None
                message = {"role": "assistant", "content": said}
                choices.append(
                    {"index": index, "finish_reason": finish(number), "message": message, "logprobs": listed}
                )
            return 200, {"choices": choices, "usage": usage}

        return json_server(answers, models)

    return start
