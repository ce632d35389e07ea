"""The gate and what is behind it, on accuracies that are known."""

from pathlib import Path

import numpy as np
import pytest

from breakeven.plan.cells import Cells
from breakeven.plan.frozen_teacher import Settings
from breakeven.plan.teaching.probe import read_off
from breakeven.plan.teaching.recipe import Probed, Run
from breakeven.plan.teaching.told import Arm, Told, over_seeds
from breakeven.store import CellFile, PlanHeader


def probed(digits: int, *, directions: int = 5, flops: float = 70.0) -> Probed:
    """Right on so many of ten clips."""
    flags = ("1" * digits).ljust(10, "0"), ("1" * directions).ljust(10, "0")
    return Probed(steps=7, flops=flops, loss=0.5, digit_right=flags[0], direction_right=flags[1])


def arm(name: str, *digits: int, teachers: tuple[int, ...] = (), share: float | None = None) -> Arm:
    own = tuple(map(probed, digits))
    return Arm(name=name, students=own, teachers=tuple(probed(each, flops=30.0) for each in teachers), share=share)


def told(untrained: tuple[int, ...]) -> Told:
    return Told(
        untrained=arm("untrained", *untrained),
        averaged=arm("own average", 6, 7, 6),
        pixels=arm("pixels alone", 5, 7, 6),
        frozen=(
            arm("frozen teacher of 20 %", 7, 8, 7, teachers=(3, 4, 4), share=0.2),
            arm("frozen teacher of 60 %", 6, 8, 7, teachers=(5, 6, 6), share=0.6),
        ),
    )


def test_behind_the_gate_arms_are_compared_seed_by_seed() -> None:
    found = {each.text: each for each in told((2, 3, 2)).findings()}
    gate = next(each for text, each in found.items() if text.startswith("digit: mean of all trained less untrained"))
    assert gate.value == pytest.approx(np.mean([24 / 4 - 2, 30 / 4 - 3, 26 / 4 - 2]) / 10)
    assert "holds" in gate.text
    first = found["digit: frozen teacher of 20 % less own average, at equal FLOPs"]
    assert (first.value, first.lo, first.hi) == pytest.approx((0.1, 0.1, 0.1))
    second = found["digit: frozen teacher of 60 % less own average, at equal FLOPs"]
    assert second.value == pytest.approx(0.2 / 3)
    assert second.hi is not None
    assert second.hi == pytest.approx(0.2 / 3 + 2.91999 * np.std([0, 0.1, 0.1], ddof=1) / np.sqrt(3), abs=1e-5)
    students = found["digit: students less their own teachers, mean of all shares"]
    assert students.value == pytest.approx(np.mean([5 / 2, 6 / 2, 4 / 2]) / 10)
    widest = found["digit: frozen teacher of 60 % less frozen teacher of 20 %"]
    assert widest.value == pytest.approx(-0.1 / 3)


def test_before_a_gate_that_does_not_hold_nothing_is_compared() -> None:
    texts = [each.text for each in told((6, 7, 6)).findings()]
    assert len(texts) == 2  # a gate for digits and one for directions
    assert all("does not hold, so nothing is compared" in each for each in texts)


def test_a_difference_below_two_standard_errors_is_no_gate() -> None:
    noisy = over_seeds(np.array([0.0, 0.3, 0.0]))
    assert noisy.value == pytest.approx(noisy.stderr)
    assert not noisy.is_clear
    assert over_seeds(np.array([0.1, 0.3, 0.2])).is_clear
    assert not over_seeds(np.array([0.0, 0.0, 0.0])).is_clear
    assert not over_seeds(np.array([-0.1, -0.1, -0.1])).is_clear


def run_of(directory: Path, file: CellFile) -> Run:
    settings = Settings()
    return Run(
        sizes=settings.sizes,
        steps=600,
        learning_rate=1e-3,
        momentum=0.99,
        labelled_clips=200,
        test_clips=10,
        threads=1,
        cells=Cells(file=file),
    )


def test_an_option_is_charged_its_teacher_and_its_probe(tmp_path: Path) -> None:
    header = PlanHeader(versions={}, row="frozen-teacher", settings={}, files={})
    with CellFile(tmp_path, header) as file:
        run = run_of(tmp_path, file)
        option = told((2, 3, 2)).frozen[0].option(run)
        assert option.train_flops == 70
        reading = run.sizes.query_flops
        assert option.one_off == {"teacher": 30, "probe": 200 * reading, "evaluation": 10 * reading}
        assert option.once == 100 + 210 * reading
        assert option.without("teacher").once == option.once - 30
        assert option.quality.value == pytest.approx(22 / 30)
        assert len(option.quality.value_P) == 30
        assert (option.settings["teacher_share"], option.settings["teacher_steps"]) == (0.2, 7)
        for share in (0.05, 0.33, 0.9):
            teacher, student = run.steps_at(share)
            spent = teacher * run.sizes.teacher_step_flops + student * run.sizes.student_step_flops
            assert run.budget - run.sizes.student_step_flops <= spent <= run.budget * (1 + 1e-9)


def test_the_probe_reads_off_what_is_linear_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    label_P, other_P = rng.integers(0, 3, 300), rng.integers(0, 3, 200)
    noise = rng.normal(size=(500, 5)).astype(np.float32)
    own, other = noise[:300].copy(), noise[300:].copy()
    own[np.arange(300), label_P] += 8
    other[np.arange(200), other_P] += 8
    assert (read_off(own, label_P, other, num_classes=3) == other_P).mean() > 0.98
    chance = (read_off(noise[:300], label_P, noise[300:], num_classes=3) == other_P).mean()
    assert 0.2 < chance < 0.47
    scaled = read_off(own * 50 + 3, label_P, other * 50 + 3, num_classes=3)  # standardised: units do not matter
    assert (scaled == read_off(own, label_P, other, num_classes=3)).mean() > 0.99
