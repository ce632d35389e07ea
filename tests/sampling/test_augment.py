"""Augmentations of known images and signals."""

from typing import Any

import pytest

from breakeven.errors import ArgumentError

torch = pytest.importorskip("torch")

from breakeven.sampling.augment import flips, moves, shifts, together  # noqa: E402


def seeded(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def dot(row: int, column: int, *, height: int = 9, width: int = 15, number: int = 64) -> dict[str, Any]:
    image = torch.zeros(number, 1, height, width)
    image[:, :, row, column] = 1.0
    return {"pixel_values": image, "labels": torch.arange(number)}


def centre(image_BCHW: Any) -> tuple[Any, Any]:
    mass = image_BCHW.sum(dim=(1, 2, 3))
    rows = (image_BCHW.sum(dim=(1, 3)) * torch.arange(image_BCHW.shape[2])).sum(dim=1) / mass
    columns = (image_BCHW.sum(dim=(1, 2)) * torch.arange(image_BCHW.shape[3])).sum(dim=1) / mass
    return rows, columns


def test_shifts_of_images_are_a_share_of_their_size_and_differ_by_example() -> None:
    given = dot(4, 7)
    moved = moves(degrees=0, shift=0.2)(given, seeded())
    rows, columns = centre(moved["pixel_values"])
    assert float((rows - 4).abs().max()) == pytest.approx(0.2 * 9, rel=0.1)
    assert float((columns - 7).abs().max()) == pytest.approx(0.2 * 15, rel=0.1)
    assert len(set(rows.tolist())) > 32
    assert torch.equal(moved["labels"], given["labels"])


def test_turns_keep_the_distance_from_the_middle_in_images_that_are_no_squares() -> None:
    moved = moves(degrees=30, shift=0)(dot(4, 11), seeded())["pixel_values"]
    rows, columns = centre(moved)
    assert ((rows - 4) ** 2 + (columns - 7) ** 2).sqrt().tolist() == pytest.approx([4.0] * 64, abs=0.3)
    assert float(torch.atan2(rows - 4, columns - 7).abs().max().rad2deg()) == pytest.approx(30, abs=3)


def test_nothing_is_moved_by_nothing() -> None:
    given = dot(3, 2)["pixel_values"]
    assert torch.allclose(moves(degrees=0, shift=0)({"x": given}, seeded())["x"], given, atol=1e-5)


def test_flips_mirror_a_share_of_the_images() -> None:
    given = dot(3, 2)
    assert torch.equal(flips(share=1.0)(given, seeded())["pixel_values"], dot(3, 12)["pixel_values"])
    assert torch.equal(flips(share=0.0)(given, seeded())["pixel_values"], given["pixel_values"])
    _, columns = centre(flips()(given, seeded())["pixel_values"])
    assert set(columns.tolist()) == {2.0, 12.0}


def test_signals_are_shifted_around() -> None:
    given = {"x": torch.arange(10.0).repeat(64, 1), "ids": torch.arange(20).reshape(2, 10)}
    moved = shifts(most=3)(given, seeded())
    assert set(moved["x"][:, 0].tolist()) == {7.0, 8.0, 9.0, 0.0, 1.0, 2.0, 3.0}
    assert all(sorted(row) == list(range(10)) for row in moved["x"].tolist())
    assert moved["ids"] is given["ids"]


@pytest.mark.parametrize("augment", [moves(), flips(), shifts(most=2), together(moves(), flips())])
def test_the_generator_is_all_they_draw_from_and_dtypes_stay(augment: Any) -> None:
    given = {"x": torch.randn(8, 1, 6, 6, generator=seeded()).to(torch.bfloat16)}
    before = torch.get_rng_state()
    one, same, other = (augment(given, seeded(each))["x"] for each in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.dtype == torch.bfloat16
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: moves(degrees=-1), "^degrees must"),
        (lambda: moves(shift=2), "^shift must"),
        (lambda: flips(share=1.5), "^share must"),
        (lambda: shifts(most=0), "^most must"),
    ],
)
def test_settings_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()
