"""FLOPs of a decoder-only transformer, per trained, prefilled and decoded token.

Analytic, exact in the token counts, no torch. A multiply and an add count as 2.

Counted: every matrix multiply of the blocks, attention over the context actually attended to (causal), the output
head where it is applied. Backward costs twice the forward, or what is said where not all weights are trained.
Not counted: embedding look-up, norms, rotary positions, softmax, activations, the loss, the optimizer, sampling
from the logits, the checker; recomputation inside fused attention kernels.
"""

from dataclasses import asdict, dataclass
from typing import Final

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import QueryFlops, TransformerShape

FULL_BACKWARD: Final = 2.0
"""The backward pass where all weights are trained, over the forward pass: gradients of inputs and of weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """What a token costs on one model.

    Args:
        body_params: matrix-multiply parameters of the blocks (active ones, for a mixture of experts).
        head_params: parameters of the output head; 0 if they are within `body_params`.
        num_layers: layers with attention.
        attention_width: query heads times head width of one layer; where keys and values differ in width, their mean.
        window_tokens: tokens that a token attends to in layers with a sliding window, itself included.
        num_window_layers: how many of the layers have one.
        backward_weights: FLOPs of the backward pass through matrix multiplies, over those of the forward pass: about 1
            where an adapter alone is trained (`breakeven.adapters.trained`).
        backward_attention: the same of attention.

    Source:
        Kaplan et al., arXiv 2001.08361, table 1, with the causal triangle instead of the full square.
    """

    body_params: float
    head_params: float = 0.0
    num_layers: int = 0
    attention_width: float = 0
    window_tokens: int = 0
    num_window_layers: int = 0
    backward_weights: float = FULL_BACKWARD
    backward_attention: float = FULL_BACKWARD

    def __post_init__(self) -> None:
        check.above("body_params", self.body_params, 0)
        check.finite("backward_weights", self.backward_weights)
        check.finite("backward_attention", self.backward_attention)
        if not 0 <= self.num_window_layers <= self.num_layers:
            raise argument_error(
                "num_window_layers", f"be from 0 to num_layers {self.num_layers}", self.num_window_layers
            )
        if self.num_window_layers and self.window_tokens < 1:
            raise argument_error("window_tokens", "be at least 1 where layers have a window", self.window_tokens)

    @classmethod
    def of(cls, shape: TransformerShape) -> "ModelCost":
        """The cost of the reference transformer: four E x E attention matrices and three feed-forward ones a layer."""
        per_layer = 4 * shape.embedding**2 + 3 * shape.embedding * shape.feed_forward
        return cls(
            body_params=shape.num_layers * per_layer,
            head_params=shape.embedding * shape.vocab_size,
            num_layers=shape.num_layers,
            attention_width=shape.embedding,
        )

    def prefill_flops(self, prompt_tokens: float) -> float:
        """Forward pass over a prompt, head at its last position only.

        2 N P + 2 L d P (P + 1): scores and values over P (P + 1) / 2 attended pairs, each 4 d a layer.

        >>> cost = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
        >>> f"{cost.prefill_flops(1000):.4e}"
        '2.2902e+12'
        """
        return 2 * self.body_params * prompt_tokens + 2 * self.head_params + self._attention(0, prompt_tokens)

    def decode_flops(self, prompt_tokens: float, fed_tokens: float) -> float:
        """Feeding `fed_tokens` one by one after a prefill, each attending to all before it and itself.

        2 N T + 4 L d (T P + T (T + 1) / 2), the head at every token.

        >>> cost = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
        >>> f"{cost.decode_flops(1000, 300):.4e}"
        '7.2220e+11'
        """
        return 2 * (self.body_params + self.head_params) * fed_tokens + self._attention(prompt_tokens, fed_tokens)

    def forward_flops(self, num_sequences: float, sequence_tokens: float) -> float:
        """Whole sequences read once, head at every position.

        >>> ModelCost(body_params=10.0).forward_flops(1, 7)  # 2 N D
        140.0
        """
        return num_sequences * sum(self._forward(sequence_tokens))

    def train_flops(self, num_sequences: float, sequence_tokens: float) -> float:
        """Forward and backward over whole sequences, head at every position.

        Three times the forward pass where all weights are trained.

        >>> ModelCost(body_params=10.0).train_flops(1, 7)  # 6 N D
        420.0
        >>> ModelCost(body_params=10.0, backward_weights=1.0).train_flops(1, 7)
        280.0
        """
        weights, attention = self._forward(sequence_tokens)
        forward = weights + attention
        backward = self.backward_weights * weights + self.backward_attention * attention
        return (1.0 + backward / forward) * num_sequences * forward

    def query_flops(self, prompt_tokens: float, fed_tokens: float) -> QueryFlops:
        """One served query at (mean) token counts.

        >>> cost = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
        >>> f"{cost.query_flops(1000, 300).total(64):.4e}"
        '4.8511e+13'
        """
        return QueryFlops(
            prefill_flops=self.prefill_flops(prompt_tokens),
            decode_flops=self.decode_flops(prompt_tokens, fed_tokens),
        )

    @property
    def recorded(self) -> dict[str, float]:
        """Its fields as logs have them: of the backward pass only what is not that of training all weights."""
        return {
            name: value
            for name, value in asdict(self).items()
            if not name.startswith("backward_") or value != FULL_BACKWARD
        }

    def _forward(self, tokens: float) -> tuple[float, float]:
        """FLOPs of weights and of attention, of one sequence."""
        return 2 * (self.body_params + self.head_params) * tokens, self._attention(0, tokens)

    def _attention(self, before: float, new: float) -> float:
        """4 L d for each (token, attended token) pair: `new` tokens after `before` cached ones."""
        pairs = new * before + new * (new + 1) / 2
        flops = 4 * (self.num_layers - self.num_window_layers) * self.attention_width * pairs
        if self.num_window_layers:
            windowed = pairs_in_window(before + new, self.window_tokens) - pairs_in_window(before, self.window_tokens)
            flops += 4 * self.num_window_layers * self.attention_width * windowed
        return flops


def pairs_in_window(tokens: float, window: float) -> float:
    """(token, attended token) pairs of the first `tokens` tokens, each attending to `window` at most."""
    full = min(tokens, window)
    return full * (full + 1) / 2 + window * (tokens - full)
