"""A GPT-2 of a few thousand weights, a tokenizer of a few words, and a task that both learn in some dozens of steps."""

import os
import socket
import subprocess
import sys

import pytest

collect_ignore = ["two_zero.py"]  # a script, which imports deepspeed
LETTERS = "abcdefgh"


@pytest.fixture(scope="session")
def tokenizer():
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<end>", "<unk>", "=", *LETTERS]
    inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>", unk_token="<unk>")


@pytest.fixture
def make_model(tokenizer):
    """A new GPT-2 of the same weights each time, with dropout."""

    def make():
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel

        with torch.random.fork_rng():
            torch.manual_seed(0)
            return GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=len(tokenizer), n_positions=16, n_embd=32, n_layer=2, n_head=2,
                    bos_token_id=1, eos_token_id=1, pad_token_id=0,
                )
            )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def rows(tokenizer):
    """Training rows of different lengths: one or two letters, and the last of them."""
    texts = [f"{one} = {one} <end>" for one in LETTERS]
    texts += [f"{one} {other} = {other} <end>" for one in LETTERS for other in LETTERS]
    return [{"input_ids": tokenizer(each)["input_ids"]} for each in texts]


@pytest.fixture(scope="session")
def problems():
    return [f"{one} {other} =" for one in LETTERS for other in LETTERS]


@pytest.fixture(scope="session")
def is_right():
    return lambda problem, text: text.split()[:1] == [problem.prompt.split()[-2]]


@pytest.fixture(scope="session")
def two_processes():
    """Runs a script in two processes on gloo; their exit codes, and what they said on standard output and error."""

    def run(script, *arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        surroundings = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        running = [
            subprocess.Popen(
                [sys.executable, str(script), *map(str, arguments)],
                env=surroundings | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        said = [each.communicate(timeout=900) for each in running]
        return [each.returncode for each in running], said

    return run
