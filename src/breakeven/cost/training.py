"""FLOPs of training a network: the backward pass only where it is needed, adapters, recomputation, padding, packing.

A weight costs 2 FLOPs a position forward, 2 for the gradient of its input where anything before it is trained, and 2
for its own where it is trained itself: 6 where all is. Attention costs twice its forward pass backward, where anything
before it is trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from breakeven import check
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Reading
from breakeven.errors import argument_error

Recompute: TypeAlias = Literal["nothing", "attention", "layers"]
ALL_LINEAR = "all-linear"
_QKV, _UP = ("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")
_ALSO_CALLED: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("query", "q", "q_lin", "query_proj"), ("q_proj",)),
    **dict.fromkeys(("key", "k", "k_lin", "key_proj"), ("k_proj",)),
    **dict.fromkeys(("value", "v", "v_lin", "value_proj"), ("v_proj",)),
    **dict.fromkeys(("o", "out_lin", "out_proj"), ("o_proj",)),
    **dict.fromkeys(("query_key_value", "qkv_proj", "c_attn", "Wqkv"), _QKV),
    **dict.fromkeys(("gate_up_proj", "Wi"), _UP),
    **dict.fromkeys(("fc1", "c_fc", "wi", "lin1", "dense_h_to_4h"), ("up_proj",)),
    **dict.fromkeys(("fc2", "wo", "lin2", "dense_4h_to_h"), ("down_proj",)),
}
"""What the same matrices are called in other families; a fused one counts as its parts beside one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What of a network is trained, and what of its forward pass is done twice.

    Args:
        frozen_layers: so many of the first are not trained, nor the embedding and what else comes before them.
        lora_rank: rank of adapters beside matrices that are frozen, as all others are then; 0: no adapters.
        lora_targets: matrices that have one, by the names of their modules; "all-linear": all of the layers.
        recompute: what is computed anew for the backward pass: the layers it goes through, their attention alone (as
            fused kernels do), or nothing.

    Source:
        LoRA: arXiv 2106.09685; recomputation: arXiv 2205.05198.
    """

    frozen_layers: int = 0
    lora_rank: int = 0
    lora_targets: tuple[str, ...] = ("q_proj", "v_proj")
    recompute: Recompute = "nothing"

    def __post_init__(self) -> None:
        check.whole("frozen_layers", self.frozen_layers)
        check.whole("lora_rank", self.lora_rank)
        check.one_of("recompute", self.recompute, ("nothing", "attention", "layers"))
        if self.lora_rank and self.frozen_layers:
            remedy = "With adapters all layers are frozen; leave one of the two out."
            raise argument_error("frozen_layers", "be 0 where lora_rank is given", self.frozen_layers, remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFlops:
    """What one optimizer step, or a whole run, costs."""

    forward: float
    backward: float
    recomputed: float
    trained_params: float
    """Without biases and norms."""

    @property
    def total(self) -> float:
        """All together."""
        return self.forward + self.backward + self.recomputed


FULL: Final = Training()


def training_flops(
    network: Network, reading: Reading, *, num_sequences: float = 1, training: Training = FULL
) -> TrainingFlops:
    """Forward and backward over one batch of such sequences, or of images.

    Args:
        reading: one sequence with its padding, or a row that several are packed into: see `row_of`.
        num_sequences: of the batch.

    Raises:
        ArgumentError: more frozen layers than there are, or targets that the network does not have.

    >>> training_flops(Network.of_params(10), Reading(tokens=7)).total  # 6 N D
    420.0
    """
    targets = _targets(network, training)
    forward = backward = recomputed = trained_params = 0.0
    reached = network.reads != "images" and not (training.frozen_layers or training.lora_rank)
    trained_params += network.embedding_params if reached else 0.0
    for block, number in _in_order(network):
        is_frozen = bool(training.lora_rank) or number <= training.frozen_layers
        goes_through = reached or not is_frozen
        reached = reached or (network.is_normed_first and bool(training.frozen_layers) and not is_frozen)
        spent = spent_on_attention = 0.0
        for stage in block.stages:
            before = reached
            for part in stage:
                times = 1.0 if isinstance(part, Matmul) and part.shared else num_sequences
                flops = 2 * times * part.multiply_adds(reading)
                spent += flops
                if isinstance(part, Attention):
                    spent_on_attention += flops
                    backward += 2 * flops * before
                    continue
                backward += flops * (before + (not is_frozen))
                reached = reached or not is_frozen
                trained_params += 0 if is_frozen else part.params
                if block.is_layer and part.name in targets:
                    down = 2 * times * training.lora_rank * part.inputs * reading.positions(part.at)
                    up = down / part.inputs * part.outputs
                    spent += down + up
                    backward += down * (1 + before) + 2 * up
                    trained_params += training.lora_rank * (part.inputs + part.outputs) * (part.stored or part.times)
                    reached = goes_through = True
        forward += spent
        if goes_through and block.is_layer:
            recomputed += {"nothing": 0.0, "attention": spent_on_attention, "layers": spent}[training.recompute]
    return TrainingFlops(forward=forward, backward=backward, recomputed=recomputed, trained_params=trained_params)


def row_of(
    sequence_tokens: float, *, padded_to: float | None = None, packed_to: float | None = None
) -> tuple[Reading, float]:
    """What a sequence is computed as in a batch, and how many sequences share it.

    Padding is computed like any token. Of sequences packed into a row, those that attention keeps apart cost as they
    would alone: leave `packed_to` out. Where it runs over the whole row, every token attends to the others before it.

    Args:
        sequence_tokens: of one sequence, on average.
        padded_to: tokens that each is filled up to.
        packed_to: tokens of a row that several fill.

    Raises:
        ArgumentError: both, or a row that is shorter than a sequence.

    >>> row_of(512, packed_to=2048)[1]
    4.0
    """
    check.positive("sequence_tokens", sequence_tokens)
    if padded_to is not None and packed_to is not None:
        raise argument_error("padded_to", "be left out where packed_to is given", padded_to)
    for name, row in (("padded_to", padded_to), ("packed_to", packed_to)):
        if row is not None and not sequence_tokens <= row < float("inf"):
            raise argument_error(name, f"be finite and at least the {sequence_tokens:g} tokens of a sequence", row)
    if packed_to is not None:
        return Reading(tokens=packed_to), packed_to / sequence_tokens
    return Reading(tokens=padded_to or sequence_tokens), 1.0


def _in_order(network: Network) -> Iterator[tuple[Block, float]]:
    """Each copy of each block, with the number of its layer from 1.

    What comes before the first layer is numbered as that, and what follows the last by infinity: it is always trained.
    """
    number = 0
    for block in network.blocks:
        for _ in range(block.copies):
            number += block.is_layer
            is_after = not block.is_layer and number == network.num_layers
            yield block, float("inf") if is_after else max(1, number)


def _targets(network: Network, training: Training) -> frozenset[str]:
    """Names of the matrices that have an adapter."""
    if training.frozen_layers > network.num_layers:
        rule = f"be at most the {network.num_layers} layers of the network"
        raise argument_error("frozen_layers", rule, training.frozen_layers)
    if not training.lora_rank:
        return frozenset()
    known = {
        part.name
        for block in network.blocks
        if block.is_layer
        for part in block.parts
        if isinstance(part, Matmul) and part.stored != 0 and not part.name.startswith(("experts.", "router"))
    }
    if ALL_LINEAR in training.lora_targets:
        return frozenset(known)
    wanted = frozenset(name for each in training.lora_targets for name in _ALSO_CALLED.get(each, (each,)))
    if not wanted or (unknown := sorted(wanted - known)):
        remedy = f"{check.did_you_mean(unknown[0], known)} Known: {', '.join(sorted(known))}.".strip() if wanted else ""
        raise argument_error("lora_targets", "name matrices of the layers", list(training.lora_targets), remedy)
    return wanted
