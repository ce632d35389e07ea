"""Families of classifiers that a recipe can train, with their sizes. What makes them is in `models`."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol, runtime_checkable

from breakeven import check
from breakeven.errors import argument_error

Inputs = Literal["images", "texts", "series"]


@runtime_checkable
class ModelSettings(Protocol):
    """Family and sizes of a classifier; classes and the size of inputs come from the data."""

    @property
    def family(self) -> str:
        """Its name in a recipe."""
        ...

    @property
    def inputs(self) -> Inputs:
        """What it takes."""
        ...

    @property
    def dropout(self) -> float:
        """Share of values that are left out in training."""
        ...


@dataclass(frozen=True, kw_only=True)
class ResNet:
    """A residual network of basic blocks, with BatchNorm and without dropout."""

    inputs: ClassVar[Inputs] = "images"
    dropout: ClassVar[float] = 0.0
    family: Literal["resnet"] = "resnet"
    embedding: int = 16
    """Channels behind the first convolution, which halves height and width; pooling does again."""
    widths: tuple[int, ...] = (16, 32, 64)
    """Channels of each stage; each but the first halves height and width."""
    depths: tuple[int, ...] = (1, 1, 1)
    """Blocks of each stage."""

    def __post_init__(self) -> None:
        _check_sizes(embedding=self.embedding)
        _check_list("widths", self.widths)
        _check_list("depths", self.depths)
        if len(self.depths) != len(self.widths):
            raise argument_error("model.depths", f"have a number for each of {len(self.widths)} widths", self.depths)


@dataclass(frozen=True, kw_only=True)
class ViT:
    """A vision transformer."""

    inputs: ClassVar[Inputs] = "images"
    family: Literal["vit"] = "vit"
    patch: int = 7
    """Pixels; height and width are multiples of it."""
    num_layers: int = 3
    embedding: int = 64
    num_heads: int = 4
    feed_forward: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_transformer(self)
        _check_sizes(patch=self.patch)


@dataclass(frozen=True, kw_only=True)
class Deberta:
    """DeBERTa-v2 from scratch, on tokens of words and their pieces that the training texts taught."""

    inputs: ClassVar[Inputs] = "texts"
    family: Literal["deberta"] = "deberta"
    num_layers: int = 2
    embedding: int = 96
    num_heads: int = 4
    feed_forward: int = 192
    dropout: float = 0.1
    """Of attention too."""
    vocab_size: int = 4000
    max_tokens: int = 64
    """Of a text or a pair, longer ones are cut."""

    def __post_init__(self) -> None:
        _check_transformer(self)
        check.at_least("model.vocab_size", self.vocab_size, 300, "256 of them are bytes.")
        check.at_least("model.max_tokens", self.max_tokens, 4)


@dataclass(frozen=True, kw_only=True)
class Conv1d:
    """Strided convolutions over a series, and a linear layer on what they leave of it."""

    inputs: ClassVar[Inputs] = "series"
    family: Literal["conv1d"] = "conv1d"
    widths: tuple[int, ...] = (25, 25, 25)
    """Channels of each layer; each halves the length."""
    kernel: int = 5
    """Places, an odd number."""
    dropout: float = 0.0
    """Before the linear layer."""

    def __post_init__(self) -> None:
        _check_list("widths", self.widths)
        _check_sizes(kernel=self.kernel)
        if self.kernel % 2 == 0:
            raise argument_error("model.kernel", "be odd", self.kernel)
        check.share("model.dropout", self.dropout, below_1=True)


FAMILIES: Final[dict[str, type[ModelSettings]]] = {
    "resnet": ResNet,
    "vit": ViT,
    "deberta": Deberta,
    "conv1d": Conv1d,
}


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        check.at_least("model." + name, size, 1)


def _check_list(name: str, sizes: tuple[int, ...]) -> None:
    if not sizes:
        raise argument_error("model." + name, "have a number for each layer", sizes)
    for each in sizes:
        check.at_least("model." + name, each, 1)


def _check_transformer(model: ViT | Deberta) -> None:
    for name in ("num_layers", "embedding", "num_heads", "feed_forward"):
        check.at_least("model." + name, getattr(model, name), 1)
    if model.embedding % model.num_heads:
        raise argument_error("model.embedding", f"be a multiple of {model.num_heads} heads", model.embedding)
    check.share("model.dropout", model.dropout, below_1=True)
