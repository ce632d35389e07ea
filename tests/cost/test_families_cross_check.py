"""Networks of configs against PyTorch's count of what transformers executes, on small models of every family.

Attention without a fused kernel computes the full square; a network counts the pairs that are attended to. So each
causal part is asked for the square here, and windows are left away.
"""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from breakeven.cost.families import network_of_config
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Reading
from breakeven.cost.training import Training, training_flops

LAYERS: dict[str, Any] = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
TEXT: dict[str, Any] = LAYERS | {"vocab_size": 64, "max_position_embeddings": 40, "pad_token_id": 0}
IMAGES: dict[str, Any] = LAYERS | {"image_size": 24, "patch_size": 8}
BART: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 40,
}
BART |= {"encoder_attention_heads": 4, "decoder_attention_heads": 2, "vocab_size": 64, "max_position_embeddings": 40}
T5: dict[str, Any] = {
    "d_model": 32,
    "d_ff": 48,
    "d_kv": 6,
    "num_heads": 4,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "vocab_size": 64,
}
DEBERTA: dict[str, Any] = TEXT | {
    "relative_attention": True,
    "position_buckets": 6,
    "max_relative_positions": -1,
    "type_vocab_size": 0,
}
DEBERTA |= {"position_biased_input": False}
STAGES: dict[str, Any] = {"depths": [1, 2, 1], "hidden_sizes": [16, 32, 64], "num_stages": 3}
SWIN: dict[str, Any] = {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4, "image_size": 40}
SWIN |= {"patch_size": 4}
SPECIAL: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 0, "pad_token_id": 0}
MAMBA: dict[str, Any] = {
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "vocab_size": 64,
    "state_size": 4,
    "pad_token_id": 0,
}

CLASSIFIERS: list[tuple[str, dict[str, Any]]] = [
    ("bert", TEXT),
    ("roberta", TEXT),
    ("xlm-roberta", TEXT),
    ("camembert", TEXT),
    ("electra", TEXT | {"embedding_size": 16}),
    ("distilbert", {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "vocab_size": 64}),
    ("albert", TEXT | {"embedding_size": 16, "num_hidden_groups": 2, "inner_group_num": 2}),
    (
        "modernbert",
        TEXT | {"num_hidden_layers": 4, "global_attn_every_n_layers": 3, "cls_token_id": 1, "sep_token_id": 2},
    ),
    ("deberta-v2", DEBERTA | {"pos_att_type": ["p2c", "c2p"], "share_att_key": True}),
    ("deberta-v2", DEBERTA | {"pos_att_type": ["p2c"], "share_att_key": False}),
    ("deberta-v2", DEBERTA | {"pos_att_type": ["c2p", "p2c"], "share_att_key": False, "conv_kernel_size": 3}),
    ("deberta-v2", TEXT | {"relative_attention": False}),
]
VISION: list[tuple[str, dict[str, Any]]] = [
    ("vit", IMAGES),
    ("vit", IMAGES | {"image_size": [24, 40], "num_channels": 1}),
    ("deit", IMAGES),
    ("beit", IMAGES),
    ("dinov2", IMAGES | {"mlp_ratio": 2}),
    ("dinov2", IMAGES | {"use_swiglu_ffn": True, "mlp_ratio": 4}),
    ("swin", SWIN),
    ("swin", SWIN | {"image_size": 50, "mlp_ratio": 2.0}),
    ("resnet", STAGES | {"embedding_size": 8, "image_size": 32}),
    ("resnet", STAGES | {"embedding_size": 8, "image_size": 45, "downsample_in_bottleneck": True}),
    ("resnet", STAGES | {"layer_type": "basic", "downsample_in_first_stage": True, "image_size": 37}),
    ("resnet", STAGES | {"layer_type": "basic", "embedding_size": 16, "num_channels": 1, "image_size": 28}),
    ("convnext", STAGES | {"image_size": 40, "patch_size": 4}),
    ("convnextv2", STAGES | {"image_size": 46, "patch_size": 2}),
]
WRITERS: list[tuple[str, dict[str, Any]]] = [
    ("t5", T5),
    ("t5", T5 | {"feed_forward_proj": "gated-gelu", "num_decoder_layers": None}),
    ("mt5", T5),
    ("umt5", T5),
    ("bart", BART | SPECIAL),
    ("mbart", BART | SPECIAL),
    ("marian", BART | SPECIAL),
    ("pegasus", BART | SPECIAL),
]


def names(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{family}-{number}" for number, (family, _) in enumerate(cases)]


def build(kind: str, family: str, settings: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    """A small model of transformers with random weights, and its configuration."""
    transformers.logging.set_verbosity_error()  # special tokens outside so small a vocabulary
    config = transformers.AutoConfig.for_model(family, **settings)
    if family == "deit":  # several classes are known for it
        return transformers.DeiTForImageClassification(config), config
    return getattr(transformers, f"AutoModelFor{kind}").from_config(config, **options).train(False), config


def counted(run: Any, *, backward: bool = True) -> tuple[float, float]:
    """FLOPs of a call that returns a model's output: of the forward pass, and with the backward pass."""
    with torch.set_grad_enabled(backward), FlopCounterMode(display=False) as counter:
        output = run()
        forward = counter.get_total_flops()
        output.sum().backward() if backward else None
    return float(forward), float(counter.get_total_flops())


def squared(network: Network) -> Network:
    """Its causal attention over all pairs, and no windows."""

    def whole(part: Any) -> Any:
        return (
            replace(part, sees="all" if part.sees == "before" else part.sees, window=0)
            if isinstance(part, Attention)
            else part
        )

    blocks = [replace(each, stages=tuple(tuple(map(whole, stage)) for stage in each.stages)) for each in network.blocks]
    return replace(network, blocks=tuple(blocks))


def params(model: Any) -> int:
    """Those that have two dimensions or more: neither biases nor norms."""
    return sum(each.numel() for each in model.parameters() if each.dim() > 1)


@pytest.mark.parametrize(("family", "settings"), CLASSIFIERS, ids=names(CLASSIFIERS))
def test_a_classifier_of_sequences(family: str, settings: dict[str, Any]) -> None:
    model, config = build("SequenceClassification", family, settings | {"num_labels": 3}, attn_implementation="eager")
    network, ids = squared(network_of_config(config, num_labels=3)), torch.ones(2, 12, dtype=torch.long)
    trained = training_flops(network, Reading(tokens=12), num_sequences=2)
    assert (trained.forward, trained.total) == pytest.approx(counted(lambda: model(ids).logits), rel=0.02)
    assert network.forward_flops(Reading(tokens=12), 2) == trained.forward
    assert network.total_params == pytest.approx(params(model), rel=0.005)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert", "albert", "deberta-v2", "modernbert"])
def test_a_masked_language_model(family: str) -> None:
    settings = next(settings for known, settings in CLASSIFIERS if known == family)
    model, config = build("MaskedLM", family, settings, attn_implementation="eager")
    said = config.to_dict() | {"architectures": [type(model).__name__]}
    network, ids = squared(network_of_config(said)), torch.ones(2, 12, dtype=torch.long)
    forward, _ = counted(lambda: model(ids).logits)
    assert network.forward_flops(Reading(tokens=12), 2) == pytest.approx(forward, rel=0.02)
    assert network.total_params == pytest.approx(params(model), rel=0.005)


@pytest.mark.parametrize(("family", "settings"), VISION, ids=names(VISION))
def test_a_classifier_of_images(family: str, settings: dict[str, Any]) -> None:
    model, config = build("ImageClassification", family, settings | {"num_labels": 5})
    network = network_of_config(config, image_size=settings["image_size"])
    size = settings["image_size"]
    height, width = size if isinstance(size, list) else (size, size)
    model.set_attn_implementation("eager") if family in ("vit", "deit", "beit", "dinov2", "swin") else None
    images = torch.zeros(2, settings.get("num_channels", 3), height, width)
    forward, whole = counted(lambda: model(images).logits)
    trained = training_flops(network, Reading(tokens=0), num_sequences=2)
    assert trained.forward == pytest.approx(forward, rel=0.02)
    if family.startswith("convnext"):  # the counter takes the backward pass of a depthwise convolution for a full one
        whole = 3 * forward - 2 * 2 * next(network.parts)[0].multiply_adds(Reading(tokens=0))
    assert trained.total == pytest.approx(whole, rel=0.02)
    assert network.total_params == pytest.approx(params(model), rel=0.02)


@pytest.mark.parametrize(("family", "settings"), WRITERS, ids=names(WRITERS))
def test_an_encoder_decoder(family: str, settings: dict[str, Any]) -> None:
    model, config = build("Seq2SeqLM", family, settings, attn_implementation="eager")
    network = squared(network_of_config(config))
    source, answer = torch.ones(2, 12, dtype=torch.long), torch.ones(2, 7, dtype=torch.long)

    def run() -> Any:
        return model(input_ids=source, decoder_input_ids=answer, use_cache=False).logits

    reading = Reading(tokens=7, source=12)
    trained = training_flops(network, reading, num_sequences=2)
    assert (trained.forward, trained.total) == pytest.approx(counted(run), rel=0.02)
    assert network.total_params == pytest.approx(params(model), rel=0.03)


def test_an_encoder_decoder_writes_token_by_token() -> None:
    """The source's keys and values are kept: neither it nor the start token is read again."""
    model, config = build("Seq2SeqLM", "t5", T5, attn_implementation="eager")
    network, source = network_of_config(config), torch.ones(1, 12, dtype=torch.long)
    kept: dict[str, Any] = {}

    def read(tokens: int) -> Any:
        answer = torch.ones(1, 1, dtype=torch.long)
        given = kept or {"input_ids": source}
        for _ in range(tokens):
            output = model(**given, decoder_input_ids=answer, use_cache=True)
            given = {"encoder_outputs": (output.encoder_last_hidden_state,), "past_key_values": output.past_key_values}
        kept.update(given)
        return output.logits

    assert network.prefill_flops(12) == pytest.approx(counted(lambda: read(1), backward=False)[0], rel=0.001)
    assert network.decode_flops(12, 5) == pytest.approx(counted(lambda: read(5), backward=False)[0], rel=0.001)


@pytest.mark.parametrize("family", ["mamba", "falcon_mamba"])
def test_a_state_space(family: str) -> None:
    """transformers' convolution runs over its padding too, three positions of which the last is not used."""
    model, config = build("CausalLM", family, MAMBA | {"conv_kernel": 4, "time_step_rank": 3})
    network, ids = network_of_config(config), torch.ones(2, 12, dtype=torch.long)
    forward, _ = counted(lambda: model(ids, use_cache=False).logits)
    trained = training_flops(network, Reading(tokens=12), num_sequences=2)
    assert trained.forward == pytest.approx(forward, rel=0.02)
    assert trained.total == 3 * trained.forward  # the counter takes its convolution's backward pass for a full one's
    assert network.total_params == pytest.approx(params(model), rel=0.005)
    assert network.decode_flops(10, 2) == network.decode_flops(1000, 2)


def test_a_state_space_in_chunks() -> None:
    """transformers computes the whole square of a chunk, and B and C anew for each head; the paper neither."""
    sizes = {"num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 4, "expand": 2}
    model, config = build("CausalLM", "mamba2", MAMBA | sizes | {"bos_token_id": 0, "eos_token_id": 0})
    network, ids = network_of_config(config), torch.ones(2, 12, dtype=torch.long)
    inner, state, tokens, layers = 64, 4, 2 * 12, 2
    chunked = 2 * tokens * layers * (8 * state + inner) * 4 - 2 * tokens * layers * (2 * state + inner) * 2.5
    between = 2 * 2 * layers * 4 * 4 * inner * state  # states of 3 chunks and before, each from all
    forward = network.forward_flops(Reading(tokens=12), 2) + chunked + between
    assert forward == pytest.approx(counted(lambda: model(ids, use_cache=False).logits)[0], rel=0.02)
    assert network.total_params == pytest.approx(params(model), rel=0.005)
    assert network.decode_flops(10, 2) == network.decode_flops(1000, 2)


# -- what is trained --------------------------------------------------------------------------------------------------

LLAMA: dict[str, Any] = LAYERS | {"num_hidden_layers": 3, "vocab_size": 64, "num_key_value_heads": 2}


def trained_llama(training: Training) -> tuple[Any, float]:
    model, config = build("CausalLM", "llama", LLAMA, attn_implementation="eager")
    network = squared(network_of_config(config))
    return model, training_flops(network, Reading(tokens=12), num_sequences=2, training=training).total


@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
def test_nothing_goes_back_through_the_first_frozen_layers(frozen: int) -> None:
    model, expected = trained_llama(Training(frozen_layers=frozen))
    model.model.embed_tokens.requires_grad_(frozen == 0)
    for layer in model.model.layers[:frozen]:
        layer.requires_grad_(False)
    ids = torch.ones(2, 12, dtype=torch.long)
    assert expected == pytest.approx(counted(lambda: model(ids, use_cache=False).logits)[1], rel=0.02)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), ("down_proj",), "all-linear"])
def test_adapters_need_no_gradients_of_frozen_matrices(targets: Any) -> None:
    peft = pytest.importorskip("peft")
    wanted = (targets,) if isinstance(targets, str) else targets
    model, expected = trained_llama(Training(lora_rank=4, lora_targets=wanted))
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(r=4, target_modules=targets if wanted != targets else list(targets))
    )
    ids = torch.ones(2, 12, dtype=torch.long)
    assert expected == pytest.approx(counted(lambda: adapted(input_ids=ids, use_cache=False).logits)[1], rel=0.02)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_layers_are_computed_anew() -> None:
    model, expected = trained_llama(Training(recompute="layers"))
    model.train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": True})
    model.enable_input_require_grads()
    ids = torch.ones(2, 12, dtype=torch.long)
    assert expected == pytest.approx(counted(lambda: model(ids, use_cache=False).logits)[1], rel=0.02)
