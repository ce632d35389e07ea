"""A network as a record of its matrix multiplies, and the FLOPs of a forward pass, a prefill and a decode from it.

The one road to a model's FLOPs: what describes it (a config, a counted module, numbers) becomes a `Network`, and every
figure follows from that. No torch. A multiply and an add count as 2. Counted and not counted: see `cost.tokens`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from breakeven import check
from breakeven.cost.parts import Attention, Block, Matmul, Part, Reading
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import QueryFlops


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The matrix multiplies of a model, in forward order.

    Args:
        family: what it is called by; "" where nobody says.
        reads: what an input is: "text" for a decoder or an encoder, "pairs" (source and answer) for an encoder-decoder,
            "images".
        blocks: in forward order.
        is_normed_first: whether each layer and the head begin with a norm, whose gradient is one of their input.
        embedding_params: that are looked up and not multiplied with; a head tied to them stores none of its own.
        pixels: height and width of the images that it is counted for, where a config says what it reads.
    """

    family: str = ""
    reads: Literal["text", "pairs", "images"] = "text"
    blocks: tuple[Block, ...]
    is_normed_first: bool = True
    embedding_params: float = 0
    pixels: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not any(isinstance(part, Matmul) for block in self.blocks for part in block.parts):
            raise argument_error("blocks", "hold at least one Matmul", self.blocks)

    @classmethod
    def of_params(cls, params: float) -> "Network":
        """A decoder of which only the parameters that a token meets are known: 2 N a token, 6 N to train on it."""
        check.positive("params", params, "For example 1.1e9.")
        return cls(blocks=(Block(stages=((Matmul(name="params", inputs=params, outputs=1),),)),))

    @property
    def parts(self) -> Iterator[tuple[Part, int]]:
        """Each part with its number of copies."""
        return ((part, block.copies) for block in self.blocks for part in block.parts)

    @property
    def num_layers(self) -> int:
        """Of those that can be frozen, in forward order."""
        return sum(block.copies for block in self.blocks if block.is_layer)

    @property
    def total_params(self) -> float:
        """Parameters that are stored, without biases and norms: below 0.5 % of most models."""
        return self.embedding_params + sum(
            part.params * (1 if block.is_stored_once else block.copies) for block, part in self._matmuls
        )

    @property
    def active_params(self) -> float:
        """Those of `total_params` without the experts that a token does not visit."""
        return self.total_params - sum(
            max(0.0, part.params - part.weights) * (1 if block.is_stored_once else block.copies)
            for block, part in self._matmuls
        )

    @property
    def is_causal(self) -> bool:
        """Whether it can go on with a text that it has read: it looks only back, or has no attention at all."""
        looks = [part for part, _ in self.parts if isinstance(part, Attention) and part.at == "tokens"]
        return self.reads != "images" and all(each.sees != "all" for each in looks)

    def forward_flops(self, reading: Reading, num_sequences: float = 1) -> float:
        """A forward pass over a batch of such sequences, or of images."""
        return 2.0 * sum(
            copies * (1 if isinstance(part, Matmul) and part.shared else num_sequences) * part.multiply_adds(reading)
            for part, copies in self.parts
        )

    def prefill_flops(self, prompt_tokens: float) -> float:
        """Forward pass over a prompt, head at its last position; an encoder-decoder's decoder reads its start token."""
        if self.reads == "pairs":
            return self.forward_flops(Reading(tokens=1, source=prompt_tokens))
        return self.forward_flops(Reading(tokens=prompt_tokens, outputs=1))

    def decode_flops(self, prompt_tokens: float, fed_tokens: float) -> float:
        """Feeding `fed_tokens` one by one after a prefill, the head at each.

        Raises:
            ArgumentError: the network looks ahead, and so cannot write.
        """
        if not self.is_causal:
            rule = "look only back to write a text token by token"
            raise argument_error("a network", rule, self.family, "Ask for forward_flops.")
        if self.reads == "pairs":
            return self.forward_flops(Reading(tokens=fed_tokens, cached=1, source=prompt_tokens))
        return self.forward_flops(Reading(tokens=fed_tokens, cached=prompt_tokens))

    def query_flops(self, prompt_tokens: float, fed_tokens: float) -> QueryFlops:
        """One served query at (mean) token counts."""
        return QueryFlops(
            prefill_flops=self.prefill_flops(prompt_tokens),
            decode_flops=self.decode_flops(prompt_tokens, fed_tokens),
        )

    def token_cost(self) -> ModelCost:
        """The same as the flat price that a run is charged by and its log keeps: docs/design/network.md.

        Exact for decoders whose layers with attention are equally wide, with one size of windows. An encoder's tokens
        attend both ways, so that its layers are charged twice the causal triangle, one pair a token too many; what is
        computed once a batch is left out. Of a network of images a token stands for an image.

        Raises:
            ArgumentError: an encoder-decoder, whose tokens have no one price.
        """
        if self.reads == "pairs":
            rule, remedy = "have one stream of tokens to be priced by the token", "breakeven flops counts it."
            raise argument_error("key model_type,", rule, self.family, remedy)
        if self.reads == "images":
            return ModelCost(body_params=self.forward_flops(Reading(tokens=0)) / 2)
        body: float = 0
        head: float = 0
        width: float = 0
        window: float = 0
        layers = windowed = 0
        for part, copies in self.parts:
            if isinstance(part, Matmul):
                if part.at == "tokens":
                    body += copies * part.weights
                elif not part.shared:
                    head += copies * part.weights * (1 if isinstance(part.at, str) else part.at)
            elif isinstance(part.sees, float | int):
                body += copies * 2 * part.width * part.sees
            else:
                ways = 2 if part.sees == "all" else 1
                layers += copies
                width += copies * part.width * ways
                windowed += copies if part.window else 0
                window = max(window, part.window / ways)
        return ModelCost(
            body_params=body,
            head_params=head,
            num_layers=layers,
            attention_width=width / layers if layers else 0,
            window_tokens=math.ceil(window),
            num_window_layers=windowed,
        )

    @property
    def _matmuls(self) -> Iterator[tuple[Block, Matmul]]:
        return ((block, part) for block in self.blocks for part in block.parts if isinstance(part, Matmul))
