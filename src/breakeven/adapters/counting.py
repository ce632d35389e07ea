"""A torch module as a network: its matrix multiplies, convolutions and attention, counted as PyTorch runs it.

It is run on no device that computes (meta) where it can be, so that neither its size nor its weights matter, and for
real, on a short text, where it cannot. What it executes is what is counted, a head at every position among it. But a
model that generates looks only back, and its attention is charged by the pairs it attends to, half of the square that
is executed.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.func import functional_call
from torch.utils import flop_counter

from breakeven.adapters.op_flops import op_flops
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul
from breakeven.errors import argument_error

_LENGTHS = (16, 32, 64, 48)
"""Tokens that a text is counted at: three give the quadratic that its FLOPs follow, the last holds it to account."""
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedModule:
    """A torch module as it was counted."""

    network: Network
    """Of the forward pass."""
    trained: Network
    """Of forward and backward pass together, where gradients go to what requires them: `forward_flops` of it."""
    total_params: int
    """Biases and norms among them."""
    trained_params: int


def count_module(module: torch.nn.Module, *inputs: torch.Tensor, **named: torch.Tensor) -> tuple[float, float]:
    """FLOPs of one forward pass over some inputs, and of forward and backward pass together.

    Args:
        module: stays as it is: no gradient is kept.
        inputs: as it takes them; only their shapes and types matter where it runs on meta.
        named: those that it takes by name.

    Raises:
        ArgumentError: it does not run on such inputs; the message has its reason.

    Counted:
        Every matrix multiply, convolution and attention that is executed, each multiply and add as 2. Recurrent cells
        in fused kernels of a device, and operations of one's own in CUDA, are not known to PyTorch's counter.

    >>> count_module(torch.nn.Linear(3, 5), torch.zeros(2, 3))  # 2 x 2 x 3 x 5; its input has no gradient
    (60.0, 120.0)
    """
    try:
        return _count(module, _weights_on(module, "meta"), _moved(inputs, "meta"), _moved(named, "meta"))
    except Exception:  # it asks for a value, or for an operation that meta does not have
        device = next(module.parameters(), torch.zeros(())).device
        if device.type == "meta":
            rule = "run without its weights (on meta), or have them"
            raise argument_error("MODEL", rule, type(module).__name__, "Name one that is not on meta.") from None
    try:
        return _count(module, _weights_on(module, None), _moved(inputs, device), _moved(named, device))
    except Exception as error:  # whatever the module does
        shapes = [tuple(each.shape) for each in (*inputs, *named.values())]
        remedy = f"{type(module).__name__}: {type(error).__name__}: {error}"
        raise argument_error("MODEL", "run on inputs of these shapes", shapes, remedy) from error


def counted_network(module: torch.nn.Module, input_shape: tuple[int, ...] = ()) -> CountedModule:
    """A module as a network: of text, whose FLOPs grow with its length, or of inputs of one shape, as images.

    Args:
        module: takes token ids (rows, tokens), or a batch of inputs of `input_shape`. It may be on meta.
        input_shape: of one input without the batch, such as (3, 224, 224); (): as a model of transformers says of
            itself, else token ids.

    Raises:
        ArgumentError: it does not run, has no matrix multiplies, or its FLOPs are no quadratic of the text's length.
    """
    shape = input_shape or _own_shape(module)
    if shape:
        forward, trained = count_module(module, *([torch.zeros(1, *shape)]))
        found = _fixed(module, forward), _fixed(module, trained)
    else:
        if getattr(getattr(module, "config", None), "is_encoder_decoder", False):
            remedy = "Count it from its config, or by count_module with inputs for both."
            raise argument_error("MODEL", "read one text, as no encoder-decoder does", type(module).__name__, remedy)
        most = getattr(getattr(module, "config", None), "max_position_embeddings", None)
        scale = min(1.0, most / max(_LENGTHS)) if isinstance(most, int) and most >= 4 else 1.0
        lengths = [int(scale * each) for each in _LENGTHS]
        named = hasattr(module, "config")
        counts = [_count_text(module, length, named=named) for length in lengths]
        found = (
            _quadratic(module, lengths, [forward for forward, _ in counts]),
            _quadratic(module, lengths, [trained for _, trained in counts]),
        )
    weights = list(module.parameters())
    return CountedModule(
        network=found[0],
        trained=found[1],
        total_params=sum(each.numel() for each in weights),
        trained_params=sum(each.numel() for each in weights if each.requires_grad),
    )


def _count_text(module: torch.nn.Module, length: int, *, named: bool) -> tuple[float, float]:
    ids = torch.ones(1, length, dtype=torch.long)
    return count_module(module, input_ids=ids) if named else count_module(module, ids)


def _own_shape(module: torch.nn.Module) -> tuple[int, ...]:
    config = getattr(module, "config", None)
    if config is None or getattr(module, "main_input_name", "") != "pixel_values":
        return ()
    size = getattr(config, "image_size", 224)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return getattr(config, "num_channels", 3), height, width


def _fixed(module: torch.nn.Module, flops: float) -> Network:
    return _network(module, fixed=flops / 2, reads="images")


def _quadratic(module: torch.nn.Module, lengths: list[int], flops: list[float]) -> Network:
    """Multiply-adds a + b n + c n^2 through the first three lengths, which have to tell the fourth."""
    first, second, third, held_out = lengths
    slopes = (flops[1] - flops[0]) / (second - first), (flops[2] - flops[1]) / (third - second)
    square = (slopes[1] - slopes[0]) / (third - first)
    linear = slopes[0] - square * (first + second)
    fixed = flops[0] - linear * first - square * first**2
    told = fixed + linear * held_out + square * held_out**2
    if abs(told - flops[3]) > _TOLERANCE * flops[3]:
        rule = f"cost a quadratic of its text's length, which would be {told:.4g} FLOPs at {held_out} tokens"
        raise argument_error("MODEL", rule, f"{flops[3]:.4g}", "Count it by count_module at the length you ask for.")
    small = _TOLERANCE * flops[3]  # what is left of rounding
    return _network(
        module,
        fixed=fixed / 2 if fixed > small else 0.0,
        linear=linear / 2,
        square=square / 2 if square * held_out**2 > small else 0.0,
    )


def _network(
    module: torch.nn.Module, *, fixed: float, linear: float = 0.0, square: float = 0.0, reads: Any = "text"
) -> Network:
    parts: list[Any] = []
    if linear > 0:
        parts.append(Matmul(name="per_token", inputs=linear, outputs=1, stored=0))
    if fixed > 0:
        parts.append(Matmul(name="per_input", inputs=fixed, outputs=1, stored=0, at=1))
    if square > 0:
        parts.append(Attention(width=square / 2, sees="before" if _generates(module) else "all"))
    if not any(isinstance(each, Matmul) for each in parts):
        raise argument_error("MODEL", "have a matrix multiply, a convolution or attention", type(module).__name__)
    return Network(
        family=type(module).__name__,
        reads=reads,
        blocks=(Block(stages=tuple((each,) for each in parts)),),
        embedding_params=sum(each.numel() for each in module.parameters()),
    )


def _generates(module: torch.nn.Module) -> bool:
    """Whether it writes texts; without transformers' own answer, whether it has a method that does."""
    can = getattr(module, "can_generate", None)
    return bool(can()) if callable(can) else callable(getattr(module, "generate", None))


def _count(
    module: torch.nn.Module, weights: dict[str, torch.Tensor], inputs: Any, named: Mapping[str, Any]
) -> tuple[float, float]:
    counter = flop_counter.FlopCounterMode(display=False, custom_mapping=op_flops())
    with warnings.catch_warnings(), torch.enable_grad(), counter:
        warnings.simplefilter("ignore")
        output = functional_call(module, weights, inputs, dict(named))
        forward = float(counter.get_total_flops())
        learnt = [each for each in _floats(output) if each.requires_grad]
        if learnt:
            learnt[0].sum().backward()  # type: ignore[no-untyped-call]
        return forward, float(counter.get_total_flops())


def _floats(output: Any) -> Iterator[torch.Tensor]:
    """Tensors of numbers in what a module returns, in order."""
    if isinstance(output, torch.Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, Mapping):
        for each in output.values():
            yield from _floats(each)
    elif isinstance(output, list | tuple):
        for each in output:
            yield from _floats(each)


def _weights_on(module: torch.nn.Module, device: Any) -> dict[str, torch.Tensor]:
    """Copies without values, or the values themselves, that gradients are not kept in; tied ones stay tied."""
    made: dict[int, torch.Tensor] = {}
    weights: dict[str, torch.Tensor] = {}
    for name, each in (*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)):
        if id(each) not in made:
            moved = each.detach().to(device) if device else each.detach().clone()
            made[id(each)] = moved.requires_grad_(each.requires_grad)
        weights[name] = made[id(each)]
    return weights


def _moved(given: Any, device: Any) -> Any:
    if isinstance(given, Mapping):
        return {name: each.to(device) for name, each in given.items()}
    return tuple(each.to(device) for each in given)


def counted_object(found: Any, name: str, input_shape: tuple[int, ...] = ()) -> CountedModule:
    """As `counted_network`, of a module, or of what a class or function makes of no arguments.

    Args:
        found: makes its module on meta where that can be, so that it takes no memory.
        name: that the user has for it.
        input_shape: as of `counted_network`.

    Raises:
        ArgumentError: as of `counted_network`; it is no module, and makes none.
    """
    if isinstance(found, torch.nn.Module):
        return counted_network(found, input_shape)
    if not callable(found):
        raise argument_error("MODEL", "name a torch module, or a function that makes one", name)
    try:
        with torch.device("meta"):
            return counted_network(found(), input_shape)
    except Exception:  # it asks for values, or it is no module: then it is told so below
        return counted_network(_made(found, name), input_shape)


def _made(maker: Any, name: str) -> torch.nn.Module:
    try:
        made = maker()
    except Exception as error:  # whatever the function does
        remedy = f"{type(error).__name__}: {error}."
        raise argument_error("MODEL", "make a module when it is called without arguments", name, remedy) from error
    if not isinstance(made, torch.nn.Module):
        raise argument_error("MODEL", "make a torch module", f"{name}, which made {type(made).__name__}")
    return made
