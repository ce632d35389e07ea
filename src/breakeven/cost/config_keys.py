"""Keys of a transformers config, by the names that families have for them, each checked where it is read."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from breakeven import check
from breakeven.errors import argument_error

Config: TypeAlias = Mapping[str, Any]

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
WIDTH = ("hidden_size", "n_embd", "d_model", "dim")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_MOST_LAYERS = 100_000
"""Each is looked at by itself; a config from somewhere else may state any number."""
_LARGEST = 10**9
"""Of any other size: beyond it nothing is trained, and sums of products would no longer be exact."""
_MULTIPLES = ("pad_vocab_size_multiple", "make_vocab_size_divisible_by", "pad_vocab_size_to_multiple_of")
"""What original configs of Mamba, NeoX and others pad their vocabulary to a multiple of."""


def size(config: Config, *names: str, least: int = 1) -> int:
    """The first of `names` that the config has; families differ in what they call a size."""
    name = next((each for each in names if config.get(each) is not None), names[0])
    number = check.whole(f"key {name},", config.get(name), least)
    if number > _LARGEST and name not in LAYERS:
        raise argument_error(f"key {name},", f"be at most {_LARGEST:,}", number)
    return number


def size_or(config: Config, default: int, *names: str, least: int = 1) -> int:
    """As `size`, where a config may leave all of `names` out."""
    return size(config, *names, least=least) if any(config.get(each) is not None for each in names) else default


def num_layers(config: Config, *names: str) -> int:
    """How many layers there are."""
    layers = size(config, *(names or LAYERS))
    if layers > _MOST_LAYERS:
        raise argument_error("the number of layers", f"be at most {_MOST_LAYERS}", layers)
    return layers


def heads_of(config: Config, width: int, *names: str) -> int:
    """How many heads there are, which share the width evenly."""
    heads = size(config, *(names or HEADS))
    if width % heads:
        raise argument_error("key num_attention_heads,", f"divide hidden_size {width}", heads)
    return heads


def vocabulary(config: Config) -> int:
    """Rows of the embedding, rounded up where the config says that they are padded: the head costs them all."""
    rows = size(config, "vocab_size")
    multiple = next((size(config, each) for each in _MULTIPLES if config.get(each) is not None), 1)
    return -(-rows // multiple) * multiple


def sizes(config: Config, name: str) -> tuple[int, ...]:
    """A list of sizes, one a stage."""
    given = config.get(name)
    if not isinstance(given, list | tuple) or not given:
        raise argument_error(f"key {name},", "be a list of whole numbers, one a stage", given)
    return tuple(size({name: each}, name) for each in given)


def two(name: str, value: object) -> tuple[int, int]:
    """Height and width, which may be written as one number."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return size({name: value[0]}, name), size({name: value[1]}, name)
    side = size({name: value}, name)
    return side, side


def num_labels_of(config: Config, num_labels: int | None) -> int | None:
    """Outputs of a classifier: as given, or as the config names them; None where it names none."""
    if num_labels is not None:
        return check.whole("num_labels", num_labels, 1)
    labels = config.get("id2label")
    if isinstance(labels, Mapping) and labels:
        return len(labels)
    return None if config.get("num_labels") is None else size(config, "num_labels")


def architecture(config: Config) -> str:
    """The class that the config was saved from, such as BertForMaskedLM; "" where it does not say."""
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list | tuple) and named else ""
