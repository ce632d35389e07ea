"""Synthetic checkpoints: plausible numbers from closed formulas, no model and no decision code involved."""

import dataclasses
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from breakeven.records import (
    Action,
    CheckpointRecord,
    Cooldown,
    Cooled,
    Decision,
    Failure,
    FitStatus,
    Forecast,
    KCurve,
    Made,
    Measurement,
    Observation,
    QueryFlops,
    Reason,
    SampleBank,
    ServingPoint,
    ValidationLoss,
    Verification,
)
from breakeven.records.losses import LOSS_EDGES
from breakeven.report import Beside, decided_document
from breakeven.report.document import Document
from breakeven.store import Texts

BUDGET = 4.2e15
K_VALUES = (1, 2, 4, 8, 16, 32, 64)
PARAMETERS = (0.55, 2.5, 0.02)


def make_forecast(status: FitStatus = FitStatus.FITTED, mean: float = 0.525, **changes: object) -> Forecast:
    forecast = Forecast(mean=mean, lo=mean, hi=mean, status=status, method="paper", num_points=6, parameters=PARAMETERS)
    return dataclasses.replace(forecast, **changes)  # type: ignore[arg-type]


def make_curve(
    used: float = 0.24,
    deployable: bool = True,
    strategy: str = "pass@k",
    width: float = 0.0,
    status: FitStatus = FitStatus.FITTED,
) -> KCurve:
    parameters = (0.9, 0.35, 6 - 5 * used)
    accuracy = tuple(0.9 / (1 + math.exp(-0.35 * (k - parameters[2]))) for k in K_VALUES)
    return KCurve(
        strategy=strategy,
        deployable=deployable,
        k_values=K_VALUES,
        accuracy_K=accuracy,
        lo_K=tuple(max(0.0, a - width) for a in accuracy),
        hi_K=tuple(min(1.0, a + width) for a in accuracy),
        made_K=tuple(Made.MEASURED if k <= 4 else Made.EXTRAPOLATED for k in K_VALUES),
        status=status,
        method="paper",
        until_right=strategy == "pass@k",
        parameters=parameters,
    )


def make_serving(step: int, curve: KCurve, target: float = 0.525) -> ServingPoint | None:
    for k, accuracy, made in zip(curve.k_values, curve.accuracy_K, curve.made_K, strict=True):
        if accuracy >= target:
            return ServingPoint(
                step=step,
                strategy=curve.strategy,
                deployable=curve.deployable,
                k=k,
                accuracy=accuracy,
                made=made,
                flops_per_query=1e6 + k * 2e7,
            )
    return None


def make_checkpoint(
    step: int = 600,
    *,
    reason: Reason = Reason.REACHED,
    action: Action | None = None,
    streak: int = 3,
    total: int = 2500,
    baseline: str = "greedy",
    deployable: bool = True,
    strategy: str = "pass@k",
    accuracy: float | None = None,
    **changes: object,
) -> CheckpointRecord:
    """One checkpoint; `changes` replace fields of its decision."""
    used = step / total
    a, b, c = PARAMETERS
    if accuracy is None:
        accuracy = a * (1 - math.exp(-b * used)) + c + 0.015 * math.sin(step / 37)
    curve = make_curve(used, deployable, strategy)
    rows = tuple("1" * (i % 3) + "0" * (4 - i % 3) for i in range(200))
    solved = round(200 * accuracy)
    observation = Observation(
        step=step,
        train_tokens=step * 8192,
        train_flops=used * BUDGET,
        evaluation_flops=2e13,
        query_flops=QueryFlops(prefill_flops=1e6, decode_flops=2e7),
        loss=2.0 * math.exp(-3 * used) + 0.35,
        bank=SampleBank(
            correct_PN=rows,
            greedy_correct_P="1" * solved + "0" * (200 - solved),
            temperature=0.8,
            seed=7,
            prompt_tokens=2000,
            output_tokens=9000,
            greedy_output_tokens=2200,
        ),
    )
    evaluation = 2e13 * max(1, step // 100)
    values: dict[str, object] = {
        "action": action or (Action.STOP if reason in (Reason.REACHED, Reason.BUDGET_SPENT) else Action.CONTINUE),
        "reason": reason,
        "step": step,
        "used": used,
        "policy": "paper(patience=3)",
        "streak": streak,
        "baseline": baseline,
        "baseline_accuracy": accuracy,
        "forecast": make_forecast(),
        "k_curve": curve,
        "serving": make_serving(step, curve),
        "gross_saving": 1 - used,
        "net_saving": 1 - used - evaluation / BUDGET,
        "evaluation_flops": evaluation,
        "break_even_queries": (BUDGET * (1 - used) - evaluation) / 1.4e8,
    }
    return CheckpointRecord(observation=observation, decision=Decision(**(values | changes)))  # type: ignore[arg-type]


def make_calibrated(
    step: int = 600, *, reason: Reason = Reason.REACHED, strategy: str = "pass@k", k: int = 8, **changes: object
) -> CheckpointRecord:
    """A checkpoint of policy "calibrated"; without a serving point where the reason has none."""
    curve = dataclasses.replace(make_curve(step / 2500, strategy=strategy, width=0.03), method="calibrated")
    greedy = strategy == "greedy"
    if greedy:
        one = {name: getattr(curve, name)[:1] for name in ("k_values", "accuracy_K", "lo_K", "hi_K", "made_K")}
        curve = dataclasses.replace(curve, **one)
    served = reason in (Reason.REACHED, Reason.WAITING, Reason.TOO_COSTLY, Reason.CHEAPER_LATER)
    at = curve.k_values.index(1 if greedy else k)
    serving = ServingPoint(
        step=step,
        strategy=strategy,
        deployable=True,
        k=curve.k_values[at],
        accuracy=curve.accuracy_K[at],
        made=curve.made_K[at],
        flops_per_query=1e6 + 2.34 * 2e7,
        expected_samples=1.0 if greedy else 2.34,
    )
    known = {
        "policy": "calibrated",
        "forecast": make_forecast(lo=0.45, hi=0.6, method="calibrated", parameters=(), decay="included"),
        "k_curve": curve,
        "serving": serving if served else None,
        "confidence": 0.934 if served else 0.62,
        "margin": 0.01,
    }
    return make_checkpoint(step, reason=reason, **(known | changes))  # type: ignore[arg-type]


def make_run(last_step: int = 2500, stop_at: int = 600, **changes: object) -> list[CheckpointRecord]:
    """A checkpoint every 100 steps: too few, out of reach, waiting, stop, and on (shadow) if `last_step` is later."""
    run = []
    for step in range(100, last_step + 1, 100):
        target = 0.525 + 0.12 * math.exp(-step / 200) * math.cos(step / 90)
        few = step < 300
        curve = make_curve(step / 2500)
        serving = None if few or step == 300 else make_serving(step, curve, target)
        reason = Reason.TOO_FEW_CHECKPOINTS if few else Reason.OUT_OF_REACH if step == 300 else Reason.WAITING
        run.append(
            make_checkpoint(
                step,
                reason=Reason.REACHED if step >= stop_at else reason,
                streak=max(0, step // 100 - 3),
                forecast=make_forecast(FitStatus.TOO_FEW_POINTS if few else FitStatus.FITTED, mean=target),
                serving=serving,
                **changes,  # type: ignore[arg-type]
            )
        )
    return run


def make_verification(difference: float = 0.021, error: float = 0.019) -> Verification:
    return Verification(
        num_problems=400,
        num_samples=16,
        stopped_step=600,
        k=8,
        stopped_accuracy=0.541 + difference,
        stopped_greedy_accuracy=0.281,
        full_greedy_accuracy=0.541,
        full_sampled_accuracy=0.462,
        difference=difference,
        difference_standard_error=error,
        gross_saving=0.76,
        net_saving=0.731,
        evaluation_share=0.12,
        verification_flops=3.1e14,
    )


ONE_QUERY = 2.1e7
"""FLOPs: a prompt of 1e6 and a sample of 2e7."""


def make_priced(step: int, k: int = 8, reason: Reason = Reason.REACHED) -> CheckpointRecord:
    """A calibrated checkpoint whose K-curve holds every K and its price: a sample is right with chance 0.1 + r / 2."""
    used = step / 2500
    wrong = 1 - (0.1 + used / 2)
    accuracy = tuple(1 - wrong**k for k in range(1, 9))
    expected = tuple((1 - wrong**k) / (1 - wrong) for k in range(1, 9))
    curve = KCurve(
        strategy="pass@k",
        deployable=True,
        k_values=tuple(range(1, 9)),
        accuracy_K=accuracy,
        lo_K=tuple(each - 0.02 for each in accuracy),
        hi_K=tuple(min(1.0, each + 0.02) for each in accuracy),
        made_K=(*[Made.MEASURED] * 4, *[Made.EXTRAPOLATED] * 4),
        status=FitStatus.FITTED,
        method="calibrated",
        expected_samples_K=expected,
        until_right=True,
        flops_K=tuple(1e6 + each * 2e7 for each in expected),
    )
    serving = ServingPoint(
        step=step,
        strategy="pass@k",
        deployable=True,
        k=k,
        accuracy=accuracy[k - 1],
        made=curve.made_K[k - 1],
        flops_per_query=curve.flops_K[k - 1],
        expected_samples=expected[k - 1],
    )
    evaluation = 2e13 * (step // 100)
    saved = BUDGET * (1 - used) - evaluation
    return make_calibrated(
        step,
        reason=reason,
        k_curve=curve,
        serving=None if reason is Reason.UNSURE else serving,
        evaluation_flops=evaluation,
        net_saving=saved / BUDGET,
        break_even_queries=saved / (curve.flops_K[k - 1] - ONE_QUERY),
        lifetime_flops=3e15,
        full_lifetime_flops=5e15,
    )


def make_rich() -> list[CheckpointRecord]:
    """All that a log may hold of checkpoints: losses, a learning rate, averaged weights; one unsure, a stop, one on."""
    run = []
    for step, reason in ((300, Reason.UNSURE), (400, Reason.WAITING), (500, Reason.REACHED), (600, Reason.REACHED)):
        shown = make_priced(step, reason=reason)
        counts = (10,) * (len(LOSS_EDGES) + 1)
        observed = dataclasses.replace(
            shown.observation,
            validation_loss=ValidationLoss(
                mean=300 / step, num_tokens=sum(counts), tokens_by_loss=counts, mean_P=(None,) * 200, flops=1e9
            ),
            average=shown.observation.bank,
            shown={"learning_rate": 3e-4 * (1 - step / 2500)},
        )
        run.append(dataclasses.replace(shown, observation=observed))
    return run


def make_cooldown(step: int = 500) -> Cooldown:
    cooled = Cooled(
        evaluation_flops=1e13,
        baseline_accuracy=0.4,
        stopped_accuracy=0.8,
        accuracy=0.85,
        made=Made.MEASURED,
        standard_error=0.02,
        serving=None,
        net_saving=0.7,
        break_even_queries=None,
    )
    return Cooldown(
        step=step,
        branch=f"cooldown/step-{step:06d}",
        steps=50,
        train_flops=0.02 * BUDGET,
        evaluation_flops=1e13,
        expected=0.42,
        expected_lo=0.35,
        expected_hi=0.5,
        expected_by="average",
        least_queries=1e4,
        cooled=cooled,
    )


def make_document(**changes: object) -> Document:
    """A report in which nothing is missing."""
    samples = tuple((f"<b>{place}</b> answer", *["another"] * 3) for place in range(200))
    values: dict[str, object] = {
        "verification": make_verification(),
        "cooldown": make_cooldown(),
        "failures": [Failure(step=350, train_tokens=1, raised_by="verifier", error="OSError: | disk `full`")],
        "texts": Texts(step=500, greedy_P=("I guess 7",) * 200, texts_PN=samples, num_left_out=0),
        "queries": 1e6,
        "remarks": ["A remark."],
        "assumed": ["An assumption."],
        "made_by": {"breakeven": "0.0.1", "seed": 7},
    }
    return decided_document("my run", {"train": {"steps": 2500}}, make_rich(), Beside(**(values | changes)))  # type: ignore[arg-type]


def make_measurement(strategy: str = "pass@k", k: int = 4, **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "strategy": strategy,
        "deployable": strategy != "pass@k",
        "k": k,
        "accuracy": 0.25 + 0.01 * k,
        "standard_error": 0.03,
        "lo": 0.2 + 0.01 * k,
        "hi": 0.3 + 0.01 * k,
        "num_problems": 100,
        "expected_samples": 0.75 * k,
        "output_tokens": 123.4 * k,
        "model_flops": 1.5e12 * k,
        "model_flops_unshared": 2.5e12 * k,
        "reward_flops": 0.0,
    }
    return Measurement(**(values | changes))


def make_measurements() -> list[Measurement]:
    """The widest names and numbers there are."""
    judged = {"reward_flops": 9.99e17, "num_verdicts": 16, "monte_carlo_error": 0.0123, "output_tokens": 123456.0}
    return [
        make_measurement("greedy", 1, deployable=True),
        *(make_measurement(k=k) for k in (1, 2, 64)),
        *(make_measurement("generative_verification", k, **judged) for k in (1, 64)),
        make_measurement("beam_search/weighted_vote", 16, reward_flops=None),
        *(make_measurement("majority_vote", k) for k in (1, 64)),
    ]


@pytest.fixture
def measured() -> Callable[..., Measurement]:
    return make_measurement


@pytest.fixture
def measurements() -> list[Measurement]:
    return make_measurements()


@pytest.fixture
def priced() -> Callable[..., CheckpointRecord]:
    return make_priced


@pytest.fixture
def rich() -> Callable[..., list[CheckpointRecord]]:
    return make_rich


@pytest.fixture
def cooldown() -> Callable[..., Cooldown]:
    return make_cooldown


@pytest.fixture
def document() -> Callable[..., Document]:
    return make_document


@pytest.fixture
def checkpoint() -> Callable[..., CheckpointRecord]:
    return make_checkpoint


@pytest.fixture(scope="session")
def calibrated() -> Callable[..., CheckpointRecord]:
    return make_calibrated


@pytest.fixture
def run() -> Callable[..., list[CheckpointRecord]]:
    return make_run


@pytest.fixture
def forecast() -> Callable[..., Forecast]:
    return make_forecast


@pytest.fixture
def curve() -> Callable[..., KCurve]:
    return make_curve


@pytest.fixture
def verification() -> Callable[..., Verification]:
    return make_verification


# -- pages in a browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """Errors, warnings and requests of all pages that were opened, in order."""
    return []


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens pages, given as HTML, without a network, and waits until their charts are drawn.

    A browser a module: until it ends, playwright's event loop runs in this thread, where other tests start their own.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(names)} is installed")
    allowed = ("file:", "data:")

    def open_page(html: str) -> Any:
        place: Path = tmp_path_factory.mktemp("page") / "report.html"
        place.write_text(html, "utf-8")
        page = chromium.new_context(offline=True, reduced_motion="reduce").new_page()
        page.set_default_timeout(180_000)  # a machine may be busy
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda asked: complaints.extend([asked.url] * (not asked.url.startswith(allowed))))
        page.goto(place.as_uri())
        page.wait_for_function("document.documentElement.dataset.drawn === '1'")
        return page

    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root in its own sandbox
        chromium = started.chromium.launch(executable_path=path, args=arguments)
        yield open_page
        chromium.close()
