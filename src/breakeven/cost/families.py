"""The network that a transformers config describes, and the cost of its tokens.

No torch and no transformers: sizes are read by the names that config.json has for them. Only families whose layout is
known are counted; of any other the module itself can be (`breakeven.adapters.counting`). Biases, norms and embedding
look-ups are not counted; a head tied to the embedding is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, runtime_checkable

from breakeven.check import did_you_mean
from breakeven.cost.config_keys import Config
from breakeven.cost.decoders import GATED, PLAIN, SPARSE, decoder
from breakeven.cost.encoder_decoders import ENCODER_DECODERS, encoder_decoder
from breakeven.cost.encoders import ENCODERS, encoder
from breakeven.cost.images import IMAGES, image_network
from breakeven.cost.network import Network
from breakeven.cost.state_spaces import STATE_SPACES, state_space
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error

_READERS: Final[Mapping[tuple[str, ...], Callable[[Config, int | None], Network]]] = {
    (*GATED, *PLAIN, *SPARSE): decoder,
    STATE_SPACES: state_space,
    ENCODERS: encoder,
    ENCODER_DECODERS: encoder_decoder,
}
_TEXT = tuple(family for families in _READERS for family in families)


@runtime_checkable
class HasDict(Protocol):
    """A transformers `PretrainedConfig`, as far as it is needed here."""

    def to_dict(self) -> dict[str, Any]:
        """The settings by name."""
        ...


def network_of_config(
    config: Config | HasDict, *, num_labels: int | None = None, image_size: int | tuple[int, int] | None = None
) -> Network:
    """The matrix multiplies of the model that a transformers config describes.

    Of a config with a `text_config` only the text model is counted.

    Args:
        config: the content of config.json, or a PretrainedConfig.
        num_labels: outputs of a classifier; None: as the config says. Of a decoder they take the place of the head over
            the vocabulary.
        image_size: pixels a side, or (height, width), in place of the config's own; convolutional nets have none there,
            and take 224.

    Raises:
        ArgumentError: a family that is not known, experts in a dense one, or a size that is missing or cannot be.

    >>> resnet = dict(model_type="resnet", num_labels=1000)
    >>> network = network_of_config(resnet | dict(hidden_sizes=[256, 512, 1024, 2048], depths=[3, 4, 6, 3]))
    >>> f"{network.total_params / 1e6:.1f} M"
    '25.5 M'
    """
    settings: Config = config.to_dict() if isinstance(config, HasDict) else config
    if isinstance(settings.get("text_config"), Mapping):
        settings = settings["text_config"]
    family = settings.get("model_type")
    if family in IMAGES:
        return image_network(settings, num_labels, image_size)
    if image_size is not None:
        raise argument_error("image_size", f"be left out of a {family}, which reads no images", image_size)
    for families, reader in _READERS.items():
        if family in families:
            return reader(settings, num_labels)
    known = (*_TEXT, *IMAGES)
    near = did_you_mean(family, known) if isinstance(family, str) else ""
    way_out = "The module itself can be counted: breakeven flops package.module:name."
    raise argument_error("key model_type,", f"be one of {', '.join(known)}", family, f"{near} {way_out}".strip())


def cost_of_config(config: Config | HasDict, *, num_labels: int | None = None) -> ModelCost:
    """What a token costs on the model that a transformers config describes: `network_of_config`, priced by the token.

    Args:
        config: the content of config.json, or a PretrainedConfig.
        num_labels: of a sequence classifier, its outputs; they take the place of the head over the vocabulary.

    Raises:
        ArgumentError: as of `network_of_config`; an encoder-decoder or a network of images, whose tokens have no price.

    >>> llama = dict(model_type="llama", hidden_size=8, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    >>> cost_of_config(llama | dict(intermediate_size=10)).body_params  # 2 layers x (4 x 8 x 8 + 3 x 8 x 10)
    992
    """
    network = network_of_config(config, num_labels=num_labels)
    if network.reads == "images":
        rule, remedy = "read text to be priced by the token", "breakeven flops counts it by the image."
        raise argument_error("key model_type,", rule, network.family, remedy)
    return network.token_cost()
