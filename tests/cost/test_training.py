"""FLOPs of training by hand: 2 forward, 2 for the gradient of an input, 2 for a weight's own."""

import pytest

from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Reading
from breakeven.cost.training import FULL, Training, row_of, training_flops
from breakeven.errors import ArgumentError

W = 2 * 15 * 10  # FLOPs of one of these matrices over 10 tokens
PAIRS = 4 * 7 * 55
LAYER = Block(
    stages=(
        (Matmul(name="q_proj", inputs=3, outputs=5), Matmul(name="v_proj", inputs=5, outputs=3)),
        (Attention(width=7),),
    ),
    copies=3,
)
HEAD = Block(stages=((Matmul(name="lm_head", inputs=3, outputs=5, at="outputs"),),), is_layer=False)
NETWORK = Network(blocks=(LAYER, HEAD), embedding_params=30)
TEN = Reading(tokens=10)


def test_all_that_is_trained_costs_three_forward_passes() -> None:
    trained = training_flops(NETWORK, TEN, num_sequences=4)
    assert trained.forward == 4 * (7 * W + 3 * PAIRS) == NETWORK.forward_flops(TEN, 4)
    assert (trained.backward, trained.recomputed, trained.total) == (2 * trained.forward, 0, 3 * trained.forward)
    assert trained.trained_params == NETWORK.total_params
    assert trained.total == NETWORK.token_cost().train_flops(4, 10)


def test_nothing_goes_back_below_the_first_layer_that_is_trained() -> None:
    trained = training_flops(NETWORK, TEN, training=Training(frozen_layers=2))
    assert trained.backward == 2 * (3 * W + PAIRS)
    assert trained.trained_params == 45
    head = training_flops(NETWORK, TEN, training=Training(frozen_layers=3))
    assert (head.backward, head.trained_params) == (2 * W, 15)


def test_the_first_convolution_of_an_image_has_no_gradient_of_its_input() -> None:
    stem = Block(stages=((Matmul(name="stem", inputs=3, outputs=5, at=10),),), is_layer=False)
    layer = Block(stages=((Matmul(name="c", inputs=3, outputs=5, at=10),),))
    network = Network(reads="images", blocks=(stem, layer), is_normed_first=False)
    assert training_flops(network, Reading(tokens=0)).backward == W + 2 * W
    assert training_flops(network, Reading(tokens=0), training=Training(frozen_layers=1)).backward == 0


def test_adapters_beside_frozen_matrices() -> None:
    """Rank 2 beside q_proj, 3 x 5: 16 parameters. Below the first adapter nothing goes back."""
    trained = training_flops(NETWORK, TEN, training=Training(lora_rank=2, lora_targets=("q_proj",)))
    down, up = 2 * 10 * 2 * 3, 2 * 10 * 2 * 5
    assert trained.forward == 7 * W + 3 * PAIRS + 3 * (down + up)
    frozen = 2 * 2 * W + W  # those of the second and third layer and the head, once each
    adapters = (down + 2 * up) + 2 * (2 * down + 2 * up)
    assert trained.backward == frozen + 3 * 2 * PAIRS + adapters
    assert trained.trained_params == 3 * 16


def test_names_of_other_families() -> None:
    def params(*targets: str) -> float:
        return training_flops(NETWORK, TEN, training=Training(lora_rank=1, lora_targets=targets)).trained_params

    assert params("query", "value") == params("q_proj", "v_proj") == params("all-linear") == 3 * 2 * 8
    assert params("q_lin") == 24


@pytest.mark.parametrize(("recompute", "expected"), [("layers", 6 * W + 3 * PAIRS), ("attention", 3 * PAIRS)])
def test_what_is_computed_anew(recompute: str, expected: float) -> None:
    training = Training(recompute=recompute)  # type: ignore[arg-type]
    assert training_flops(NETWORK, TEN, training=training).recomputed == expected


def test_layers_that_nothing_goes_back_through_are_not_computed_anew() -> None:
    trained = training_flops(NETWORK, TEN, training=Training(frozen_layers=2, recompute="layers"))
    assert trained.recomputed == 2 * W + PAIRS


def test_padding_is_computed_and_packing_attends_across() -> None:
    assert row_of(10) == (Reading(tokens=10), 1)
    assert row_of(10, padded_to=16) == (Reading(tokens=16), 1)
    row, in_row = row_of(10, packed_to=40)
    packed = training_flops(NETWORK, row).total / in_row
    assert packed - training_flops(NETWORK, TEN).total == pytest.approx(3 * 3 * 4 * 7 * (40 * 41 / 2 / 4 - 55))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frozen_layers": 4}, "frozen_layers must be at most the 3 layers of the network; got 4"),
        ({"frozen_layers": -1}, "frozen_layers must be a whole number of at least 0; got -1"),
        ({"lora_rank": 2, "frozen_layers": 1}, "frozen_layers must be 0 where lora_rank is given; got 1"),
        (
            {"lora_rank": 2, "lora_targets": ("qproj",)},
            "lora_targets must name matrices .* Did you mean q_proj.* Known: q_p",
        ),
        ({"lora_rank": 2, "lora_targets": ()}, r"lora_targets must name matrices of the layers; got \[\]"),
        ({"recompute": "half"}, "recompute must be one of nothing, attention, layers; got 'half'"),
    ],
)
def test_training_that_cannot_be_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        training_flops(NETWORK, TEN, training=Training(**settings))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"padded_to": 8}, "padded_to must be finite and at least the 10 tokens of a sequence; got 8"),
        ({"packed_to": float("nan")}, "packed_to must be finite and at least the 10 tokens"),
        ({"packed_to": 20, "padded_to": 20}, "padded_to must be left out where packed_to is given; got 20"),
    ],
)
def test_rows_that_cannot_be_are_refused(row: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        row_of(10, **row)


def test_full_training_is_the_default() -> None:
    assert Training() == FULL
