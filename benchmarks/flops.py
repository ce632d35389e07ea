"""Published parameters and FLOPs of known models against ours: `python benchmarks/flops.py` prints the table of
docs/flops.md. Sizes are those of each model's own config; no weights are needed, and nothing is downloaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from breakeven.cost.families import network_of_config
from breakeven.cost.parts import Reading
from breakeven.cost.training import training_flops


def neox(layers: int, width: int, heads: int, vocab: int) -> dict[str, Any]:
    """A Pythia."""
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "vocab_size": vocab}
    return sizes | {"model_type": "gpt_neox", "intermediate_size": 4 * width}


def llama(layers: int, width: int, hidden: int, heads: int, keys: int, vocab: int) -> dict[str, Any]:
    """A decoder with grouped queries and a gated feed-forward."""
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "vocab_size": vocab}
    return sizes | {"model_type": "llama", "intermediate_size": hidden, "num_key_value_heads": keys}


DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    **{"hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128, "vocab_size": 129280},
    **{"intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1},
    **{"num_experts_per_tok": 8, "first_k_dense_replace": 3, "q_lora_rank": 1536, "kv_lora_rank": 512},
    **{"qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128},
}
QWEN3_30B_A3B = {
    "model_type": "qwen3_moe",
    **{"hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4},
    **{"head_dim": 128, "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8},
    **{"vocab_size": 151936},
}
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
DEBERTA_V3_BASE = BASE | {
    "model_type": "deberta-v2",
    **{"vocab_size": 128100, "max_position_embeddings": 512, "type_vocab_size": 0, "position_biased_input": False},
    **{"relative_attention": True, "position_buckets": 256, "pos_att_type": "p2c|c2p", "share_att_key": True},
}
BERT_BASE = BASE | {
    "model_type": "bert",
    **{"vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2},
}
VIT_B_16 = BASE | {"model_type": "vit", "image_size": 224, "patch_size": 16, "num_labels": 1000}
SWIN_TINY = {"model_type": "swin", "embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]}
SWIN_TINY |= {"window_size": 7, "patch_size": 4, "image_size": 224, "num_labels": 1000}
RESNET_50 = {"model_type": "resnet", "hidden_sizes": [256, 512, 1024, 2048], "depths": [3, 4, 6, 3], "num_labels": 1000}
RESNET_18 = {"model_type": "resnet", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "num_labels": 1000}
CONVNEXT_TINY = {"model_type": "convnext", "hidden_sizes": [96, 192, 384, 768], "depths": [3, 3, 9, 3]}
CONVNEXT_TINY |= {"patch_size": 4, "image_size": 224, "num_labels": 1000}
T5_BASE = {"model_type": "t5", "d_model": 768, "d_ff": 3072, "d_kv": 64, "num_heads": 12, "num_layers": 12}
T5_BASE |= {"vocab_size": 32128}
MAMBA_130M = {"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24, "state_size": 16, "conv_kernel": 4}
MAMBA_130M |= {"expand": 2, "vocab_size": 50277, "pad_vocab_size_multiple": 8}
GPT_3 = {"model_type": "gpt2", "n_embd": 12288, "n_layer": 96, "n_head": 96, "vocab_size": 50257, "n_positions": 2048}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What somebody published of a model, and where.

    Args:
        figure: "total" or "active" parameters, "macs" of one forward pass (multiply-adds), or "train", FLOPs of
            training on one token.
        tokens: of a sequence, where the figure depends on it.
        note: why ours is another, where it is.
    """

    model: str
    config: dict[str, Any]
    figure: str
    value: float
    source: str
    tokens: float = 0
    note: str = ""

    @property
    def ours(self) -> float:
        """The same figure of the network that the config describes."""
        network = network_of_config(self.config)
        if self.figure == "total":
            return network.total_params
        if self.figure == "active":
            return network.active_params
        reading = Reading(tokens=self.tokens)
        if self.figure == "macs":
            return network.forward_flops(reading) / 2
        return training_flops(network, reading).total / self.tokens


CARD, TORCHVISION = "its model card", "torchvision's page of its weights"
EMBEDDED = "theirs counts the embedding as a multiply too"


def _of(model: str, config: dict[str, Any], *figures: tuple[str, float, str], **more: Any) -> Iterator[Published]:
    for figure, value, source in figures:
        yield Published(model=model, config=config, figure=figure, value=value, source=source, **more)


PYTHIA = "arXiv 2304.01373; exact count of " + CARD
FIGURES = (
    *_of("TinyLlama-1.1B", llama(22, 2048, 5632, 32, 4, 32000), ("total", 1_100_048_384, "arXiv 2401.02385")),
    *_of("Pythia 1B", neox(16, 2048, 8, 50304), ("total", 1_011_781_632, PYTHIA)),
    *_of("Pythia 2.8B", neox(32, 2560, 32, 50304), ("total", 2_775_208_960, PYTHIA)),
    *_of("Pythia 6.9B", neox(32, 4096, 32, 50432), ("total", 6_857_302_016, PYTHIA)),
    *_of(
        "Llama-3.2-3B",
        llama(28, 3072, 8192, 24, 8, 128256) | {"head_dim": 128, "tie_word_embeddings": True},
        ("total", 3.21e9, CARD),
    ),
    *_of("Qwen3-30B-A3B", QWEN3_30B_A3B, ("total", 30.5e9, CARD), ("active", 3.3e9, CARD)),
    *_of("DeepSeek-V3", DEEPSEEK_V3, ("total", 671e9, "arXiv 2412.19437"), ("active", 37e9, "arXiv 2412.19437")),
    *_of("DeBERTa-v3-base", DEBERTA_V3_BASE, ("total", 184e6, CARD + ": 86M, and 98M of the embedding")),
    *_of("BERT-base", BERT_BASE, ("total", 110e6, "arXiv 1810.04805")),
    *_of("T5-base", T5_BASE, ("total", 222_903_552, "its weights; arXiv 1910.10683 has 220M")),
    *_of("Mamba-130M", MAMBA_130M, ("total", 129_135_360, "its weights; arXiv 2312.00752 has 130M")),
    *_of("ViT-B/16", VIT_B_16, ("total", 86_567_656, TORCHVISION), ("macs", 17.56e9, TORCHVISION)),
    *_of("Swin-T", SWIN_TINY, ("total", 28_288_354, TORCHVISION), ("macs", 4.49e9, TORCHVISION)),
    *_of("ResNet-50", RESNET_50, ("total", 25_557_032, TORCHVISION), ("macs", 4.09e9, TORCHVISION)),
    *_of("ResNet-18", RESNET_18 | {"layer_type": "basic"}, ("total", 11_689_512, TORCHVISION)),
    *_of("ResNet-18", RESNET_18 | {"layer_type": "basic"}, ("macs", 1.81e9, TORCHVISION)),
    *_of("ConvNeXt-T", CONVNEXT_TINY, ("total", 28_589_128, TORCHVISION), ("macs", 4.46e9, TORCHVISION)),
    *_of(
        "GPT-3 175B",
        GPT_3,
        ("train", 3.14e23 / 300e9, "arXiv 2005.14165, table D.1"),
        tokens=2048,
        note="theirs leaves attention out",
    ),
    *_of(
        "Llama-3.1-405B",
        llama(126, 16384, 53248, 128, 8, 128256),
        ("train", 2.54e12, "folu.me/post/deepseek, at 8,192 tokens"),
        tokens=8192,
        note=EMBEDDED,
    ),
)
WORDS = {
    "total": "parameters",
    "active": "active parameters",
    "macs": "multiply-adds of an image",
    "train": "FLOPs of training on a token",
}


def amount(value: float, near: float) -> str:
    """A figure, with a digit for each that was published: all, where it is a count."""
    return f"{value:,.0f}" if near == int(near) and near % 1000 else f"{value:.4g}"


def table() -> Iterator[str]:
    """Lines of Markdown."""
    yield "| model | figure | published | ours | difference | source |"
    yield "|---|---|---|---|---|---|"
    for each in FIGURES:
        note = f"; {each.note}" if each.note else ""
        published, ours = amount(each.value, each.value), amount(each.ours, each.value)
        off = f"{each.ours / each.value - 1:+.2%}"
        yield f"| {each.model} | {WORDS[each.figure]} | {published} | {ours} | {off} | {each.source}{note} |"


if __name__ == "__main__":
    print("\n".join(table()))
