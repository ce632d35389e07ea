"""The row pipeline from end to end, small: the same bytes after a kill, bad input, proposers; what was recorded."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError, RunStorageError
from breakeven.plan.pipeline import Settings
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.records.plans import PlanResult
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

ROOT = Path(__file__).parents[2]
ROW = row_of("pipeline")
TINY = Settings(
    num_digits=1,
    sizes=("1x16", "1x32"),
    product_steps=(60, 60),
    sum_steps=(60, 60),
    learning_rates=(1e-2, 1e-2),
    batch_size=32,
    samples=(1, 4),
    trial_problems=20,
    fresh_problems=30,
    budgets=(0.6, 1.0, 2.0),
    seen_problems=10,
    by_seen_problems=(20,),
    num_trials=4,
    seeds=2,
    draws=50,
)
STAGES = """
budgets = [4e13, 4e14]
[[stage]]
name = "retrieval"
samples = [1, 4, 16]
prompt_tokens = 2048
output_tokens = 128
[[stage.model]]
name = "7B"
params = 7e9
accuracy = [0.50, 0.60, 0.66]
[[stage.model]]
name = "72B"
params = 72e9
accuracy = [0.80, 0.82, 0.83]
[[stage]]
name = "answer"
samples = [1, 4, 16]
prompt_tokens = 256
output_tokens = 64
[[stage.model]]
name = "3B"
params = 3e9
accuracy = [0.40, 0.60, 0.70]
[[stage.model]]
name = "70B"
params = 70e9
accuracy = [0.65, 0.68, 0.69]
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlanResult]:
    """A finished plan: its directory and its result."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    path = tmp_path / "stages.toml"
    path.write_text(STAGES)
    return path


# -- the real run, small -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_method_is_an_option_with_all_that_it_took(whole: tuple[Path, PlanResult]) -> None:
    _, found = whole
    options = {each.name: each for each in found.answer.options}
    default = options["default, one sample of the largest models"]
    assert default.one_off == {}
    methods = {each.settings["method"] for each in options.values() if each is not default}
    assert methods == {"rules", "bayesian", "reinforce", "random", "factorised", "stages", "exhaustive"}
    assert len(options) == 1 + 3 * len(methods)
    trained = default.once + next(each for each in options.values() if each is not default).once  # more than any has
    for each in options.values():
        if each is not default:
            assert {*each.one_off} == {"other models", "search", "evaluation"}
            assert each.one_off["search"] > 0
            assert each.train_flops + each.one_off["other models"] < trained
            assert len(each.quality.value_P) == 30
    assert found.target == default.quality.value
    assert len(found.shares) == len(options)
    assert [each.name for each in found.answer.pictures] == ["samples", "trials"]
    texts = " ".join(each.text for each in found.answer.findings)
    for question in ("rules: trials until", "insight 1", "insight 2", "insight 3", "paid back", "product of what"):
        assert question in texts


@pytest.mark.slow
def test_a_plan_killed_in_the_middle_of_a_cell_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    """With SIGKILL while it trains its third model; then half a line, as if it had been killed while it wrote."""
    directory, found = whole
    code = """
import json, sys
from pathlib import Path
import breakeven.train.step as step
from breakeven.plan.pipeline import ROW, Settings
from breakeven.plan.run import run_plan
from breakeven.settings import as_record
taken, real = [0], step.train_step
def train_step(*given):
    taken[0] += 1
    if taken[0] == 150:
        print("in cell 3", flush=True)
        sys.stdin.read()
    return real(*given)
step.train_step = train_step
run_plan(ROW, Path(sys.argv[1]), settings=as_record(json.loads(sys.argv[2]), Settings))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, json.dumps(asdict(TINY))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in cell 3\n"
        process.send_signal(signal.SIGKILL)
    lines = (tmp_path / CELLS_NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) == 3  # the header and two models
    with (tmp_path / CELLS_NAME).open("ab") as file:
        file.write(lines[-1][:40])
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    for name in (CELLS_NAME, "plan.json"):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [6, 14, 40])
def test_wherever_it_was_cut_it_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path, kept: int
) -> None:
    """Before the first configuration, among them, and among the trials."""
    directory, found = whole
    shutil.copytree(directory, tmp_path / "killed")
    cells = tmp_path / "killed" / CELLS_NAME
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join(lines[:kept]) + lines[kept][:20])
    assert run_plan(ROW, tmp_path / "killed", settings=TINY) == found
    assert cells.read_bytes() == (directory / CELLS_NAME).read_bytes()


@pytest.mark.slow
def test_a_full_disk_keeps_whole_cells(
    whole: tuple[Path, PlanResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_after
) -> None:
    """Full in the middle of the line of a configuration; the weights are there, and are not trained again."""
    directory, found = whole
    shutil.copytree(directory, tmp_path / "full")
    cells = tmp_path / "full" / CELLS_NAME
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join(lines[:8]))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_after(60))
        with pytest.raises(RunStorageError, match="No space left on device"):
            run_plan(ROW, tmp_path / "full", settings=TINY)
    assert cells.read_bytes() == b"".join(lines[:8])
    assert run_plan(ROW, tmp_path / "full", settings=TINY) == found
    assert cells.read_bytes() == (directory / CELLS_NAME).read_bytes()


@pytest.mark.slow
def test_finished_cells_need_no_weights_and_other_trials_are_asked_anew(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    directory, found = whole
    shutil.copy(directory / CELLS_NAME, tmp_path)
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    other = run_plan(ROW, tmp_path, settings=replace(TINY, budgets=(0.8,)), on_cell=told)
    assert len(other.answer.options) == 1 + 7
    assert anew
    assert all(each.startswith("trials ") for each in anew)


@pytest.mark.slow
def test_a_budget_below_the_cheapest_configuration_is_refused_by_its_price(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    shutil.copy(whole[0] / CELLS_NAME, tmp_path)
    with pytest.raises(ArgumentError, match=r"budget must be at least \d+ FLOPs per query, the price of the cheapest"):
        run_plan(ROW, tmp_path, settings=replace(TINY, budgets=(0.01,)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": ("2x16", "2x16", "2x64")}, "sizes must be at least two, each once"),
        ({"sum_steps": (1, 2)}, r"sum_steps must have one for each of 3 sizes; got \[1, 2\]"),
        ({"samples": (4, 1)}, "samples must be increasing whole numbers from 1 up"),
        ({"budgets": ()}, "budgets must hold at least one"),
        ({"budgets": (0.0,)}, "budgets must be finite and above 0"),
        ({"seen_problems": 401}, r"seen_problems must be from 1 to 400; got 401\. Or raise trial_problems"),
        ({"by_seen_problems": (0,)}, "by_seen_problems must be from 1 to 400; got 0"),
        ({"seeds": 1}, "seeds must be at least 2; got 1"),
        ({"temperature": 0.0}, "temperature must be finite and above 0"),
        ({"proposer_params": -1.0}, "proposer_params must be finite and at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Settings(**settings)


def test_a_size_that_is_none_and_too_many_problems_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="sizes must hold layers x embedding each, such as 2x32; got 'large'"):
        run_plan(ROW, tmp_path / "a", settings=replace(TINY, sizes=("large", "2x32")))
    with pytest.raises(ArgumentError, match="trial_problems and fresh_problems together, as num_problems must"):
        run_plan(ROW, tmp_path / "b", settings=replace(TINY, trial_problems=300, fresh_problems=300))


def test_presets_are_settings() -> None:
    for preset in ROW.presets.values():
        assert as_record(asdict(Settings()) | dict(preset), Settings).recipe.samples[-1] == 128


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> PlanResult:
    """The plan of the recorded cells, of which none is computed anew: neither torch nor optuna is needed."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/pipeline" / CELLS_NAME, directory)
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    found = run_plan(ROW, directory, settings=Settings(), on_cell=told)
    assert not anew
    return found


@pytest.mark.slow
def test_what_the_recorded_run_says(recorded: PlanResult) -> None:
    found = {each.text: each for each in recorded.answer.findings}

    def sign(text: str) -> int:
        (own,) = (each for name, each in found.items() if name.startswith(text))
        assert own.lo is not None
        assert own.hi is not None
        return 1 if own.lo > 0 else -1 if own.hi < 0 else 0

    assert sign("insight 1, products") == -1
    assert sign("insight 1, sum") == 1
    assert sign("insight 1: ") == 1
    for stage in ("products by L", "sum by M"):
        rise, rest = (found[f"insight 2, {stage}: gain from {span} samples"] for span in ("1 to 8", "8 to 32"))
        assert rest.hi is not None
        assert rise.lo is not None
        assert rest.hi < rise.lo
    assert sign("insight 3, sum: gain of all samples") == 1
    fewest = "insight 3, sum: fewest samples within a point of its best, after the"
    assert (found[f"{fewest} best products"].value, found[f"{fewest} poorest products"].value) == (16, 4)
    assert sign("rules for 4.69 MFLOPs: on fresh problems, less the default") == 1
    best = found["best of 147 configurations for 4.69 MFLOPs a query: products L x 1, sum M x 8"]
    assert best.value == pytest.approx(0.591, abs=5e-4)
    reached = "trials until within a point of the optimum for 4.69 MFLOPs a query"
    assert found[f"rules: {reached} (18 of 20 seeds get there)"].value == 4
    assert found[f"random: {reached} (5 of 20 seeds get there, not within 40)"].value is None
    one_sample = [row[4].split(",")[0].removeprefix("1: ") for row in recorded.answer.tables[0].rows]
    assert all(0.1 < float(each) < 0.7 for each in one_sample)


@pytest.mark.slow
def test_the_page_is_that_of_the_recorded_run(recorded: PlanResult) -> None:
    page = (ROOT / "docs/plan/pipeline.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict.split(',')[0]}")
    for each in recorded.answer.findings:
        assert each.text.replace("|", "\\|") in page


# -- files -------------------------------------------------------------------------------------------------------------

QUICK = Settings(seeds=2, num_trials=10, draws=20)


def test_the_best_is_found_in_a_table_of_stages(stages: Path, tmp_path: Path) -> None:
    found = run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[stages])
    options = {each.name: each for each in found.answer.options}
    best = options["exhaustive for 400 TFLOPs"]
    assert {k: v for k, v in best.settings.items() if k != "method"} == {
        "retrieval_model": "72B",
        "retrieval_samples": 4,
        "answer_model": "3B",
        "answer_samples": 16,
    }
    assert best.quality.value == pytest.approx(0.82 * 0.7)
    assert options["stages for 400 TFLOPs"].quality.value == best.quality.value  # exact, since it factorises
    assert best.quality.made == "extrapolated"
    assert all(each.lo is None for each in found.answer.findings if each.text.startswith("insight"))


def test_a_model_that_costs_more_than_the_budget_at_one_sample_is_named(stages: Path, tmp_path: Path) -> None:
    stages.write_text(STAGES.replace("[4e13, 4e14]", "[1e14]"))
    found = run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[stages])
    note = "retrieval by 72B costs more than any budget with one sample: it is never chosen."
    assert note in found.answer.notes
    assert {each.settings["retrieval_model"] for each in found.answer.options[1:]} == {"7B"}
    stages.write_text(STAGES.replace("[4e13, 4e14]", "[1e12]"))
    with pytest.raises(ArgumentError) as caught:
        run_plan(ROW, tmp_path / "other", settings=QUICK, files=[stages])
    assert str(caught.value) == (
        "budget must be at least 3.2384e+13 FLOPs per query, the price of the cheapest, retrieval_model=7B "
        "answer_model=3B; got 1000000000000.0."
    )


# -- a language model that proposes ------------------------------------------------------------------------------------


def reply(text: str) -> tuple[int, object]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return 200, {"choices": [choice], "usage": {"prompt_tokens": 400, "completion_tokens": 12}}


def proposed(answers: Any, json_server: Any, stages: Path, plan: Path, **settings: Any) -> tuple[PlanResult, Any]:
    pytest.importorskip("httpx2")
    stages.write_text(STAGES.replace("[4e13, 4e14]", "[4e14]"))
    server = json_server(answers)
    asked = replace(QUICK, proposer=server.url, num_trials=5, **settings)
    return run_plan(ROW, plan, settings=asked, files=[stages]), server


GOOD = {"retrieval_model": "72B", "retrieval_samples": 1, "answer_model": "3B", "answer_samples": 16}


def test_its_tokens_are_charged_to_the_trials_and_nothing_is_asked_twice(
    json_server: Any, stages: Path, tmp_path: Path
) -> None:
    answers = lambda request: reply(json.dumps([GOOD]))  # noqa: E731
    found, server = proposed(answers, json_server, stages, tmp_path / "p", proposer_params=1e9)
    option = next(each for each in found.answer.options if each.name.startswith("proposals of"))
    assert option.quality.value == pytest.approx(0.8 * 0.7)
    calls = len(server.requests)
    assert calls >= 3
    assert option.one_off["search"] > calls * 2e9 * 411  # 400 tokens read and 11 fed back, and the trials
    count = len(server.requests)
    again = run_plan(
        ROW,
        tmp_path / "p",
        settings=replace(QUICK, proposer=server.url, num_trials=5, proposer_params=1e9),
        files=[stages],
    )
    assert again == found
    assert len(server.requests) == count


@pytest.mark.parametrize(
    ("answer", "noted"),
    [
        (reply(json.dumps([GOOD])), "repeated"),
        (reply("I would try a large model."), "invalid"),
        ((500, {"error": "down"}), "gave nothing that could be used in 3 of 3 calls"),
    ],
    ids=["repeats itself", "answers nonsense", "is down"],
)
def test_a_proposer_that_fails_costs_no_plan(
    json_server: Any,
    stages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, object],
    noted: str,
) -> None:
    from breakeven.sampling.served import asking

    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)
    found, _ = proposed(lambda request: answer, json_server, stages, tmp_path / "p")
    assert any(noted in note for note in found.answer.notes)
    assert any(each.name.startswith("proposals of") for each in found.answer.options)


def test_tokens_of_an_unknown_price_are_said_to_be_in_no_line(json_server: Any, stages: Path, tmp_path: Path) -> None:
    found, _ = proposed(lambda request: reply(json.dumps([GOOD])), json_server, stages, tmp_path / "p")
    assert any("the language model that proposed configurations: " in each for each in found.answer.not_counted)
