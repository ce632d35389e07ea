"""SALT's FLOPs, token counts and tables against what the paper prints."""

import pytest

from breakeven.choice.frontier import frontier
from breakeven.choice.prices import once
from breakeven.errors import ArgumentError
from breakeven.plan.teaching.published import (
    CLIPS_A_STEP,
    MODELS,
    SPLITS,
    VIT_L,
    clip_tokens,
    flops_table,
    published_flops,
    published_frontier,
    splits_picture,
    splits_table,
)
from breakeven.records import Made

ZETTA = 1e21


@pytest.mark.parametrize(("steps", "pixels", "tokens"), [(240e3, 256, 1509.9), (160e3, 224, 770.7)])
def test_tokens_are_the_printed_ones(steps: float, pixels: int, tokens: float) -> None:
    assert clip_tokens(steps, pixels) / 1e9 == pytest.approx(tokens, abs=0.06)
    assert clip_tokens(1, pixels) == CLIPS_A_STEP * 8 * (pixels // 16) ** 2


def test_all_totals_of_the_table_follow_from_the_formula() -> None:
    exact = [each.flops / ZETTA for each in MODELS]
    assert [round(each, 2) for each in exact] == [1.86, 3.45, 5.29, 1.19, 1.47, 1.84, 2.58]
    assert [round(each, 1) for each in exact] == [each.total for each in MODELS]


@pytest.mark.parametrize(("steps", "flops"), [(80e3, 0.242), (40e3, 0.121), (20e3, 0.060)])
def test_a_teacher_of_pixels(steps: float, flops: float) -> None:
    assert published_flops(steps=steps, pixels=224, params=VIT_L) / ZETTA == pytest.approx(flops, abs=5e-4)


@pytest.mark.parametrize(
    ("steps", "flops"),
    [
        (40e3, 0.238),
        (80e3, 0.475),
        (100e3, 0.594),
        (120e3, 0.713),
        (140e3, 0.832),
        (160e3, 0.951),
        (200e3, 1.188),
        (220e3, 1.307),
    ],
)
def test_a_student_of_a_frozen_teacher(steps: float, flops: float) -> None:
    own = published_flops(steps=steps, pixels=224, params=VIT_L, teacher_params=VIT_L)
    assert own / ZETTA == pytest.approx(flops, abs=5e-4)


def test_the_table_of_splits_follows_from_the_formula_too() -> None:
    """Each of one teacher, from the steps in its name: to the .002 that the paper rounds by."""
    checked = 0
    for each in SPLITS:
        if "teachers" in each.name or "V-JEPA" in each.name:
            continue
        teacher, student = (float(part.removesuffix("k")) * 1e3 for part in each.name.split(" + "))
        assert (teacher + student) / 1e3 == each.budget
        spent = published_flops(steps=teacher, pixels=224, params=VIT_L)
        assert each.teacher * ZETTA == pytest.approx(spent, abs=0.002 * ZETTA)
        spent = published_flops(steps=student, pixels=224, params=VIT_L, teacher_params=VIT_L)
        assert each.student * ZETTA == pytest.approx(spent, abs=0.0025 * ZETTA)
        checked += 1
    assert checked == 9
    first = published_flops(steps=80e3, pixels=224, params=VIT_L)
    second = published_flops(steps=80e3, pixels=224, params=VIT_L, teacher_params=VIT_L)
    chain = next(each for each in SPLITS if each.name.startswith("80k + 80k teachers"))
    assert chain.teacher * ZETTA == pytest.approx(first + second, abs=0.002 * ZETTA)


def test_the_frontier_of_the_splits_has_no_averaged_teacher() -> None:
    names = [
        "80k + 40k",
        "40k + 80k",
        "80k + 80k",
        "40k + 120k",
        "80k + 160k",
        "80k + 80k teachers, 80k",
        "40k + 80k teachers, 120k",
    ]
    assert [each.name for each in published_frontier()] == names


def test_nor_has_it_one_where_that_is_charged_at_224_pixels() -> None:
    """The printed 1.900 of 240k steps is the figure at 256 pixels."""
    at_256 = published_flops(steps=240e3, pixels=256, params=VIT_L, teacher_params=VIT_L)
    at_224 = published_flops(steps=240e3, pixels=224, params=VIT_L, teacher_params=VIT_L)
    assert (round(at_256 / ZETTA, 2), round(at_224 / ZETTA, 2)) == (1.86, 1.43)
    options = [each.option for each in SPLITS if each.teacher]
    for each in SPLITS:
        if not each.teacher:
            fair = published_flops(steps=each.budget * 1e3, pixels=224, params=VIT_L, teacher_params=VIT_L)
            assert fair < each.student * ZETTA
            cheaper = type(each)(name=each.name, budget=0, teacher=0.0, student=fair / ZETTA, average=each.average)
            options.append(cheaper.option)
    assert [each.name for each in frontier(options, once, published=True)] == [
        each.name for each in published_frontier()
    ]


def test_published_points_are_labelled_and_never_chosen() -> None:
    assert all(each.option.is_published for each in SPLITS)
    assert all(each.made is Made.PUBLISHED for each in splits_picture().lines)
    assert frontier([each.option for each in SPLITS], once) == []
    assert "ublished" in flops_table().label
    assert "ublished" in splits_table().label
    assert len(splits_table().rows) == len(SPLITS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": -1.0}, "steps must be finite and at least 0"),
        ({"pixels": 15}, "pixels must be at least 16; got 15"),
        ({"params": 0.0}, "params must be finite and above 0"),
        ({"teacher_params": float("nan")}, "teacher_params must be finite and at least 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(given: dict, message: str) -> None:
    usual = {"steps": 1e3, "pixels": 224, "params": VIT_L}
    with pytest.raises(ArgumentError, match=message):
        published_flops(**(usual | given))
