"""Tiny models of transformers with random weights, a tokenizer of a few words, and a server that does as it is told."""

import copy
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

WORDS = ["a", "b", "c", "d", "e", "f", "g", "h", "1", "2", "3", ".", ";", "stop", "user", "assistant", "system"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="session")
def tokenizer():
    """A word a token, joined by spaces; prompts begin with <s>."""
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    # As sentencepiece does, a space belongs to the word behind it, and decoding drops the first one.
    vocabulary = {word: number for number, word in enumerate([*special, "<unk>", *(f"▁{word}" for word in WORDS)])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    inner.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="<|end|>",
        additional_special_tokens=special[3:],
        padding_side="right",
    )


@pytest.fixture(scope="session")
def peaked():
    return _peaked


@pytest.fixture
def chatty(tokenizer):
    """The same with a chat template."""
    chatty = copy.deepcopy(tokenizer)
    chatty.chat_template = CHAT_TEMPLATE
    return chatty


def _peaked(model, spread: float = 0.35):
    """Random weights under which a model is neither sure nor clueless; its end token about one in twenty."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, parameter in model.named_parameters():
            if "norm" not in name and "ln_" not in name:
                torch.nn.init.normal_(parameter, std=spread)
    return model.eval()


@pytest.fixture(scope="session")
def llama(tokenizer):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return _peaked(LlamaForCausalLM(config))


@pytest.fixture(scope="session")
def gpt2(tokenizer):
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=48,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return _peaked(GPT2LMHeadModel(config))


# -- a server that does as it is told ---------------------------------------------------------------------------------


@dataclass
class Answer:
    """What to send, and when."""

    body: object = None
    status: int = 200
    headers: dict = field(default_factory=dict)
    delay: float = 0.0


def completion(request: dict, *, choices: int | None = None, logprobs: bool = True, **changes) -> Answer:
    """What a well-behaved server says: texts that depend on the seed and on the number of the choice."""
    number = request.get("n", 1) if choices is None else choices
    made = []
    for index in range(number):
        words = [f"{request.get('seed', 0)}", f"{index}", "."]
        choice: dict = {"index": index, "finish_reason": "stop"}
        text = " ".join(words)
        choice |= {"message": {"role": "assistant", "content": text}} if "messages" in request else {"text": text}
        if logprobs and request.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": word, "logprob": -1.0} for word in [*words, ""]]}
        made.append(choice)
    return Answer({"choices": made, "usage": {"prompt_tokens": 7, "completion_tokens": 4}} | changes)


def refusal(message: str, status: int = 400, **headers: str) -> Answer:
    return Answer({"error": {"message": message, "type": "invalid_request_error"}}, status, headers)


class ScriptedServer:
    """Records what it is asked, and answers as `behave(request, number)` says, requests counted from 0."""

    def __init__(self, behave, port: int) -> None:
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.most_at_once = 0
        lock, under_way = threading.Lock(), [0]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send({"data": [{"id": "tiny", "object": "model"}]}, 200, {})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    number = len(outer.requests)
                    outer.requests.append(request)
                    outer.headers.append(dict(self.headers))
                    under_way[0] += 1
                    outer.most_at_once = max(outer.most_at_once, under_way[0])
                answer = behave(request, number)
                time.sleep(answer.delay)
                with lock:
                    under_way[0] -= 1
                self.send(answer.body, answer.status, answer.headers)

            def send(self, body: object, status: int, headers: dict) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    for name, value in {"content-length": str(len(content)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True  # the client waited no longer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve():
    """Starts a server of a behaviour."""
    servers = []

    def start(behave, port: int = 0) -> ScriptedServer:
        servers.append(ScriptedServer(behave, port))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def say():
    """The well-behaved answer to a request, with changes."""
    return completion


@pytest.fixture
def refuse():
    """A refusal by message, status and headers."""
    return refusal


@pytest.fixture
def answer():
    """An answer by its body and status."""
    return Answer
