"""Networks of images: vision transformers over patches, and convolutional nets by the sizes of their feature maps."""

from collections.abc import Iterator

from breakeven import check
from breakeven.cost.config_keys import WIDTH, Config, heads_of, num_labels_of, num_layers, size, size_or, sizes, two
from breakeven.cost.decoders import feed_forward
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Part
from breakeven.errors import argument_error

_PATCHES = ("vit", "deit", "beit", "dinov2")
_CONVNEXT = ("convnext", "convnextv2")
IMAGES = (*_PATCHES, "swin", *_CONVNEXT, "resnet")
_USUAL_PIXELS = 224
Map = tuple[int, int]
"""Height and width of a feature map."""


def image_network(config: Config, num_labels: int | None, image_size: int | tuple[int, int] | None) -> Network:
    """The network of an image classifier; of a config without labels the network up to its head.

    Args:
        config: of a family in `IMAGES`.
        num_labels: outputs of the classifier; None: as the config says.
        image_size: pixels a side, or (height, width); None: the config's own, and 224 of a ResNet, which has none.
    """
    family = config["model_type"]
    if image_size is not None:
        pixels = two("image_size", image_size)
    else:
        pixels = two("image_size", config.get("image_size", _USUAL_PIXELS if family == "resnet" else None))
    labels = num_labels_of(config, num_labels)
    if family in _PATCHES:
        return _patches(config, pixels, labels)
    net = _Convolutions(pixels)
    reader = _swin if family == "swin" else _convnext if family in _CONVNEXT else _resnet
    channels = reader(config, net)
    if labels:
        net.add(((Matmul(name="classifier", inputs=channels, outputs=labels, at=1),),), is_layer=False)
    return Network(
        family=family,
        reads="images",
        pixels=pixels,
        blocks=tuple(net.blocks),
        is_normed_first=family == "swin",
        embedding_params=net.embedding_params,
    )


def _patches(config: Config, pixels: Map, labels: int | None) -> Network:
    family, width = config["model_type"], size(config, *WIDTH)
    side = two("patch_size", config.get("patch_size"))
    if side[0] > pixels[0] or side[1] > pixels[1]:
        raise argument_error("key patch_size,", f"be at most the image's {pixels[0]} x {pixels[1]} pixels", side)
    heads_of(config, width)
    count = (pixels[0] // side[0]) * (pixels[1] // side[1])
    tokens = count + (2 if family == "deit" else 1)
    stem = Matmul(
        name="patches", inputs=side[0] * side[1] * size_or(config, 3, "num_channels"), outputs=width, at=count
    )
    gated = bool(config.get("use_swiglu_ffn"))
    hidden = width * size(config, "mlp_ratio") if family == "dinov2" else size(config, "intermediate_size")
    if gated:
        hidden = (hidden * 2 // 3 + 7) // 8 * 8
    layer: tuple[tuple[Part, ...], ...] = (
        tuple(Matmul(name=name, inputs=width, outputs=width, at=tokens) for name in ("q_proj", "k_proj", "v_proj")),
        (Attention(width=width, sees="all", at=tokens),),
        (Matmul(name="o_proj", inputs=width, outputs=width, at=tokens),),
        *_at(feed_forward(width, hidden, is_gated=gated), tokens),
    )
    blocks = [Block(stages=((stem,),), is_layer=False), Block(stages=layer, copies=num_layers(config))]
    if labels:
        inputs = 2 * width if family == "dinov2" else width  # the class token, and the mean of the patches
        head = Matmul(name="classifier", inputs=inputs, outputs=labels, at=1)
        blocks.append(Block(stages=((head,),), is_layer=False))
    own = two("image_size", config.get("image_size", pixels))  # positions are kept for the config's own size
    positions = (own[0] // side[0]) * (own[1] // side[1]) + tokens - count
    learnt = family != "beit" or bool(config.get("use_absolute_position_embeddings"))
    extra = tokens - count  # the class token, and DeiT's for distillation
    return Network(
        family=family,
        reads="images",
        pixels=pixels,
        blocks=tuple(blocks),
        embedding_params=width * (extra + (positions if learnt else 0)),
    )


def _at(stages: tuple[tuple[Part, ...], ...], positions: int) -> Iterator[tuple[Part, ...]]:
    for stage in stages:
        yield tuple(
            Matmul(name=each.name, inputs=each.inputs, outputs=each.outputs, at=positions)
            for each in stage
            if isinstance(each, Matmul)
        )


class _Convolutions:
    """Collects blocks, and follows the size of the feature map from one to the next."""

    def __init__(self, pixels: Map) -> None:
        self.map = pixels
        self.blocks: list[Block] = []
        self.embedding_params = 0

    def add(self, stages: tuple[tuple[Part, ...], ...], *, copies: int = 1, is_layer: bool = True) -> None:
        if copies:
            self.blocks.append(Block(stages=stages, copies=copies, is_layer=is_layer))

    def shrink(self, kernel: int, stride: int, padding: int | None = None) -> None:
        """The map after a convolution or a pooling; None: padding as of transformers' ResNet, half the kernel."""
        around = 2 * (kernel // 2 if padding is None else padding)
        height, width = ((each + around - kernel) // stride + 1 for each in self.map)
        if min(height, width) < 1:
            rule = f"be large enough for every stage, as a map of {self.map[0]} x {self.map[1]} is not"
            raise argument_error("image_size", rule, f"kernel {kernel}, stride {stride}")
        self.map = height, width

    def conv(self, name: str, inputs: int, outputs: int, kernel: int = 1, groups: int = 1) -> Matmul:
        """A convolution whose outputs are the map as it is now."""
        return Matmul(name=name, inputs=kernel**2 * inputs / groups, outputs=outputs, at=self.map[0] * self.map[1])


def _stages_of(config: Config) -> list[tuple[int, int]]:
    """Channels and depth of each stage."""
    widths = sizes(config, "hidden_sizes")
    return list(zip(widths, _as_many(config, "depths", len(widths)), strict=True))


def _as_many(config: Config, name: str, count: int) -> tuple[int, ...]:
    found = sizes(config, name)
    if len(found) != count:
        raise argument_error(f"key {name},", f"have one number for each of the {count} stages", list(found))
    return found


def _resnet(config: Config, net: _Convolutions) -> int:
    """Source: arXiv 1512.03385; the stride is in the 3 x 3 convolution unless the config says otherwise."""
    channels, kind = size_or(config, 64, "embedding_size"), config.get("layer_type", "bottleneck")
    check.one_of("key layer_type,", kind, ("basic", "bottleneck"))
    net.shrink(7, 2)
    net.add(((net.conv("stem", size_or(config, 3, "num_channels"), channels, 7),),), is_layer=False)
    net.shrink(3, 2)
    for index, (outputs, depth) in enumerate(_stages_of(config)):
        stride = 2 if index or config.get("downsample_in_first_stage") else 1
        for first in (True, False):
            step = stride if first else 1
            inputs = channels if first else outputs
            stages = _residual(config, net, inputs, outputs, step, is_bottleneck=kind == "bottleneck")
            net.add(stages, copies=1 if first else depth - 1)
        channels = outputs
    return channels


def _residual(
    config: Config, net: _Convolutions, inputs: int, outputs: int, stride: int, *, is_bottleneck: bool
) -> tuple[tuple[Part, ...], ...]:
    narrow = outputs // 4
    early = is_bottleneck and bool(config.get("downsample_in_bottleneck"))
    before = [net.conv("conv1", inputs, narrow)] if is_bottleneck and not early else []
    if stride > 1:
        net.shrink(3, stride)
    if early:
        before = [net.conv("conv1", inputs, narrow)]
    if inputs != outputs or stride > 1:
        before.append(net.conv("shortcut", inputs, outputs))
    if is_bottleneck:
        return tuple(before), (net.conv("conv2", narrow, narrow, 3),), (net.conv("conv3", narrow, outputs),)
    return (net.conv("conv1", inputs, outputs, 3), *before), (net.conv("conv2", outputs, outputs, 3),)


def _convnext(config: Config, net: _Convolutions) -> int:
    """Source: arXiv 2201.03545."""
    patch, stages = two("patch_size", config.get("patch_size"))[0], _stages_of(config)
    channels = stages[0][0]
    net.shrink(patch, patch, 0)
    net.add(((net.conv("stem", size_or(config, 3, "num_channels"), channels, patch),),), is_layer=False)
    for index, (outputs, depth) in enumerate(stages):
        if index:
            net.shrink(2, 2, 0)
            net.add(((net.conv("downsampling", channels, outputs, 2),),), is_layer=False)
        layer: tuple[tuple[Part, ...], ...] = (
            (net.conv("dwconv", outputs, outputs, 7, groups=outputs),),
            (net.conv("pwconv1", outputs, 4 * outputs),),
            (net.conv("pwconv2", 4 * outputs, outputs),),
        )
        net.add(layer, copies=depth)
        channels = outputs
    return channels


def _swin(config: Config, net: _Convolutions) -> int:
    """Attention within windows of the map, which is filled up to whole ones; source: arXiv 2103.14030."""
    patch, depths = two("patch_size", config.get("patch_size"))[0], sizes(config, "depths")
    channels, window = size(config, "embed_dim"), size(config, "window_size")
    check.positive("key mlp_ratio,", ratio := config.get("mlp_ratio", 4.0))
    net.map = -(-net.map[0] // patch), -(-net.map[1] // patch)
    net.add(((net.conv("patches", size_or(config, 3, "num_channels"), channels, patch),),), is_layer=False)
    for index, (depth, heads) in enumerate(zip(depths, _as_many(config, "num_heads", len(depths)), strict=True)):
        if index:
            net.map = -(-net.map[0] // 2), -(-net.map[1] // 2)
            net.add(((net.conv("reduction", 4 * channels, 2 * channels),),), is_layer=False)
            channels *= 2
        if channels % heads:
            raise argument_error("key num_heads,", f"divide the {channels} channels of stage {index + 1}", heads)
        net.embedding_params += depth * heads * (2 * window - 1) ** 2  # a bias for each way that two are apart
        positions, side = net.map[0] * net.map[1], min(window, *net.map)
        filled = side * -(-net.map[0] // side) * side * -(-net.map[1] // side)
        projections = [
            Matmul(name=name, inputs=channels, outputs=channels, at=filled)
            for name in ("q_proj", "k_proj", "v_proj", "o_proj")
        ]
        hidden = int(channels * ratio)
        layer: tuple[tuple[Part, ...], ...] = (
            tuple(projections[:3]),
            (Attention(width=channels, sees=side**2, at=filled),),
            (projections[3],),
            *_at(feed_forward(channels, hidden, is_gated=False), positions),
        )
        net.add(layer, copies=depth)
    return channels
