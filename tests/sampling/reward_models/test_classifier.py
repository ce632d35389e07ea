"""Sequence classifiers as reward models, on tiny randomly initialised ones of transformers."""

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Prefix, Problem
from breakeven.sampling.reward_models.classifier import SequenceClassifier
from breakeven.testing.reward_conformance import check_reward_model

WORDS = ("[PAD]", "[CLS]", "[SEP]", "<|user|>", "<|model|>", "<|end|>", "+", "=", "\n", *map(str, range(10)))
PROBLEMS = [Problem(id=f"p{n}", prompt=f"{n} + 2 + {n} =", reference=str(2 * n + 2)) for n in range(3)]
PREFIXES = [
    Prefix(problem=problem, text=text)
    for problem in PROBLEMS
    for text in ("4", "1 + 2 = 3 = 3 + 1 = 4 = 4 = 4 = 4", "8 = 9", "")
]
TEMPLATE = (
    "{% for each in messages %}{{ '<|user|>' if each['role'] == 'user' else '<|model|>' }}"
    "{{ each['content'] }}{{ '<|end|>' }}{% endfor %}"
)


def make_tokenizer(**changes: Any) -> Any:
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="="))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", pair="[CLS] $A [SEP] $B:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    options = {"pad_token": "[PAD]", "eos_token": "<|end|>", "chat_template": TEMPLATE} | changes
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **options)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|model|>"]})
    return tokenizer


def make_model(family: str = "llama", **changes: Any) -> Any:
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 24, "vocab_size": len(WORDS), "max_position_embeddings": 64, "num_labels": 1}
    if family == "gpt2":
        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": len(WORDS), "n_positions": 64, "num_labels": 1}
    options = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 5, "initializer_range": 0.5}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.AutoConfig.for_model(family, **(sizes | options | changes))
        return transformers.AutoModelForSequenceClassification.from_config(config).eval()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", ["llama", "bert", "gpt2"])
@pytest.mark.parametrize("chat", [False, True], ids=["pair", "chat"])
def test_it_keeps_what_every_reward_model_promises(family: str, side: str, chat: bool) -> None:
    classifier = SequenceClassifier(make_model(family), make_tokenizer(padding_side=side), chat=chat, max_rows=5)
    check_reward_model(classifier, PREFIXES)
    assert len({round(each.value, 6) for each in classifier.score(PREFIXES)}) == len(PREFIXES)


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_the_value_is_what_the_model_says_of_the_text_alone(family: str) -> None:
    model, tokenizer = make_model(family), make_tokenizer()
    rewards = SequenceClassifier(model, tokenizer).score(PREFIXES)
    for prefix, reward in zip(PREFIXES, rewards, strict=True):
        inputs = tokenizer(prefix.problem.prompt, prefix.text, return_tensors="pt")
        with torch.no_grad():
            logit = model(**inputs).logits[0, 0]
        assert reward.value == pytest.approx(torch.sigmoid(logit).item(), abs=1e-5)
        assert reward.read_tokens == inputs["input_ids"].shape[1]
        assert (reward.output_tokens, reward.verdicts) == (0, "")


def test_the_chat_template_is_used_as_it_is_written() -> None:
    model, tokenizer = make_model(), make_tokenizer()
    prefix = PREFIXES[2]
    (reward,) = SequenceClassifier(model, tokenizer, chat=True).score([prefix])
    text = f"<|user|>{prefix.problem.prompt}<|end|><|model|>{prefix.text}<|end|>"
    inputs = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    with torch.no_grad():
        assert reward.value == pytest.approx(torch.sigmoid(model(**inputs).logits[0, 0]).item(), abs=1e-5)


@pytest.mark.parametrize(
    ("num_labels", "label", "column"),
    [(2, None, 1), (2, 0, 0), (3, "good", 2), (3, "bad", 0), (3, 1, 1)],
)
def test_of_several_labels_the_positive_one_counts(num_labels: int, label: Any, column: int) -> None:
    names = dict(enumerate(("bad", "so-so", "good")[:num_labels]))
    model = make_model(id2label=names, label2id={name: i for i, name in names.items()}, num_labels=num_labels)
    tokenizer = make_tokenizer()
    (reward,) = SequenceClassifier(model, tokenizer, positive_label=label).score(PREFIXES[:1])
    inputs = tokenizer(PREFIXES[0].problem.prompt, PREFIXES[0].text, return_tensors="pt")
    with torch.no_grad():
        assert reward.value == pytest.approx(model(**inputs).logits[0].softmax(0)[column].item(), abs=1e-5)


def test_a_process_reward_model_reads_the_text_so_far() -> None:
    classifier = SequenceClassifier(make_model(), make_tokenizer(), kind="process")
    steps = [Prefix(problem=PROBLEMS[0], text=text) for text in ("1 + 2 = 3 \n", "1 + 2 = 3 \n 3 + 1 = 4 \n")]
    first, both = classifier.score(steps)
    assert classifier.kind == "process"
    assert both.read_tokens > first.read_tokens
    assert classifier.score(steps[1:])[0].value == pytest.approx(both.value, abs=1e-5)


def test_the_state_of_training_is_left_as_it_was() -> None:
    model = make_model(attention_dropout=0.5)
    model.train()
    model.model.layers[0].eval()  # a frozen layer must stay frozen
    modes = [module.training for module in model.modules()]
    random_state = torch.get_rng_state()
    classifier = SequenceClassifier(model, make_tokenizer())
    assert classifier.score(PREFIXES) == classifier.score(PREFIXES)  # no dropout
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("limit", ["tokenizer", "model"])
def test_a_solution_that_does_not_fit_is_refused_by_name_and_not_truncated(limit: str) -> None:
    tokenizer = make_tokenizer(**({"model_max_length": 30} if limit == "tokenizer" else {}))
    model = make_model(max_position_embeddings=30 if limit == "model" else 64)
    classifier = SequenceClassifier(model, tokenizer)
    long = Prefix(problem=Problem(id="long one", prompt="1 ="), text="1 + " * 40)
    with pytest.raises(ArgumentError, match=r"problem 'long one' with its solution must take 1 to 30 tokens .* got 84"):
        classifier.score([*PREFIXES, long])


def test_values_that_are_not_finite_are_an_error() -> None:
    model = make_model()
    torch.nn.init.constant_(model.score.weight, float("nan"))
    with pytest.raises(SamplerError, match="A reward must be a finite number; got nan for problem 'p0'"):
        SequenceClassifier(model, make_tokenizer()).score(PREFIXES)


def test_no_solutions_give_no_rewards() -> None:
    assert SequenceClassifier(make_model(), make_tokenizer()).score([]) == []


@pytest.mark.parametrize(
    ("model", "tokenizer", "options", "message"),
    [
        ({}, {"pad_token": None}, {}, r"tokenizer.pad_token must be set; got None. Set tokenizer.pad_token = tok"),
        ({"pad_token_id": None}, {}, {}, "model.config.pad_token_id must be 0, the tokenizer's; got None"),
        ({"pad_token_id": 3}, {}, {}, "model.config.pad_token_id must be 0, the tokenizer's; got 3"),
        ({}, {"chat_template": None}, {"chat": True}, "chat must be False for a tokenizer without a chat template"),
        ({"num_labels": 3}, {}, {}, "positive_label must be one of the model's labels, LABEL_0, LABEL_1, LABEL_2"),
        ({"num_labels": 2}, {}, {"positive_label": 2}, "positive_label must be one of the model's labels"),
        ({"num_labels": 2}, {}, {"positive_label": "right"}, "positive_label must be one of the model's labels"),
        ({}, {}, {"kind": "step"}, 'kind must be "outcome" or "process"'),
        ({}, {}, {"max_rows": 0}, "max_rows must be at least 1"),
    ],
)
def test_what_cannot_work_is_refused(model: dict, tokenizer: dict, options: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        SequenceClassifier(make_model(**model), make_tokenizer(**tokenizer), **options)
