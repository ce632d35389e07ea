"""The row graph from end to end, small: the same bytes after a kill, bad input, proposers; what was recorded."""

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

from breakeven.errors import ArgumentError, LogError, RunStorageError
from breakeven.plan.graph import Settings
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.records.plans import PlanResult
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

ROOT = Path(__file__).parents[2]
ROW = row_of("graph")
TINY = Settings(
    sizes=("1x16", "1x32", "1x32"),
    steps=(60, 40, 60),
    learning_rates=(1e-2, 1e-2, 1e-2),
    plain_steps=20,
    batch_size=32,
    nodes=3,
    trial_problems=20,
    fresh_problems=30,
    budgets=(1.0, 2.0, 4.0),
    seen_problems=10,
    num_trials=6,
    seeds=2,
)
QUICK = Settings(executor="closed form", nodes=3, seeds=2, num_trials=10)
OWN = """
[[graph]]
name = "mine"
[[graph.agent]]
name = "draft"
model = "3B"
[[graph.agent]]
name = "mended"
model = "1B"
reads = ["draft"]
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlanResult]:
    """A finished plan: its directory and its result."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


# -- the real run, small -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_method_is_an_option_with_all_that_it_took(whole: tuple[Path, PlanResult]) -> None:
    _, found = whole
    options = {each.name: each for each in found.answer.options}
    default = options["default, one node of the dearest model"]
    assert default.one_off == {}
    assert default.sequential_tokens == 10
    assert {each.settings["method"] for each in options.values() if each is not default} == {
        "rules",
        "bayesian",
        "reinforce",
        "random",
    }
    assert len(options) == 1 + 3 * 4
    trained = {each.train_flops + each.one_off.get("other models", 0.0) for each in options.values() if each.one_off}
    assert max(trained) == pytest.approx(min(trained))  # whatever is served, both runs were trained, each once
    assert default.train_flops < min(trained)
    for each in options.values():
        if each is not default:
            assert {*each.one_off} == {"other models", "search", "evaluation"}
            assert each.one_off["search"] > 0
            assert len(each.quality.value_P) == 30
    assert found.target == default.quality.value
    assert len(found.shares) == len(options)
    assert [each.name for each in found.answer.pictures] == ["shapes", "trials"]
    texts = " ".join(each.text for each in found.answer.findings)
    for question in (
        "rules: trials until",
        "insight 1",
        "insight 2",
        "insight 3",
        "paid back",
        "chain less the best fan",
    ):
        assert question in texts


@pytest.mark.slow
def test_a_plan_killed_in_the_middle_of_a_cell_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    """With SIGKILL while a second model is sampled at the second place; then half a line, as if it had been writing."""
    directory, found = whole
    code = """
import json, sys
from pathlib import Path
from breakeven.plan.graph import ROW, Settings
from breakeven.plan.run import run_plan
from breakeven.sampling.transformer import TransformerSampler
from breakeven.settings import as_record
taken, real = [0], TransformerSampler.sample
def sample(*given, **named):
    taken[0] += 1
    if taken[0] == 5:
        print("in cell 8", flush=True)
        sys.stdin.read()
    return real(*given, **named)
TransformerSampler.sample = sample
run_plan(ROW, Path(sys.argv[1]), settings=as_record(json.loads(sys.argv[2]), Settings))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, json.dumps(asdict(TINY))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in cell 8\n"
        process.send_signal(signal.SIGKILL)
    lines = (tmp_path / CELLS_NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 3 + 4  # the header, three checkpoints, and the answers of three models and of one
    with (tmp_path / CELLS_NAME).open("ab") as file:
        file.write(lines[-1][:40])
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    for name in (CELLS_NAME, "plan.json"):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [5, 9, 20])
def test_wherever_it_was_cut_it_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path, kept: int
) -> None:
    """Among the answers of the first place, of the second, and among the trials."""
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
    """Full in the middle of a line of answers; the weights are there, and are not trained again."""
    directory, found = whole
    shutil.copytree(directory, tmp_path / "full")
    cells = tmp_path / "full" / CELLS_NAME
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join(lines[:6]))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_after(60))
        with pytest.raises(RunStorageError, match="No space left on device"):
            run_plan(ROW, tmp_path / "full", settings=TINY)
    assert cells.read_bytes() == b"".join(lines[:6])
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
    other = run_plan(ROW, tmp_path, settings=replace(TINY, budgets=(1.5,)), on_cell=told)
    assert len(other.answer.options) == 1 + 4
    assert anew
    assert all(each.startswith("trials ") for each in anew)


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> PlanResult:
    """The plan of the recorded cells, of which none is computed anew: neither torch nor optuna is needed."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/graph" / CELLS_NAME, directory)
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

    at = "for 17.3 MFLOPs a query"
    assert sign(f"insight 1 {at}: 2x64@600 alone less 2x64@800 alone") == -1
    assert sign(f"insight 1 {at}: a mix of models less one model") == -1
    assert [sign(f"insight 2 {at}: depth {depth + 1} less") for depth in (1, 2, 3)] == [1, 0, 1]
    assert [sign(f"insight 2 {at}: width {width + 1} less") for width in (1, 2)] == [-1, 0]
    assert sign(f"insight 3 {at}: width 2 less width 1 at depth 2") == -1
    assert sign(f"insight 3 {at}: what width 2 gains at depth 3") == 0
    chains = [
        sign(f"the best chain less the best fan for {budget} a query")
        for budget in ("7.5 MFLOPs", "12.1 MFLOPs", "17.3 MFLOPs")
    ]
    assert chains == [1, 0, 0]
    assert sign("rules for 12.1 MFLOPs: on fresh problems, less the default") == 1
    reached = "trials until within a point of the optimum for 12.1 MFLOPs a query"
    assert found[f"rules: {reached} (10 of 10 seeds get there)"].value == 2
    assert found[f"random: {reached} (8 of 10 seeds get there, from 15 to more than 100)"].value == 26.5
    default = recorded.answer.options[0]
    assert recorded.chosen == default.name
    assert default.quality.value == pytest.approx(0.808, abs=5e-4)


@pytest.mark.slow
def test_the_page_is_that_of_the_recorded_run(recorded: PlanResult) -> None:
    page = (ROOT / "docs/plan/graph.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict}")
    for each in recorded.answer.findings:
        assert each.text in page


# -- settings and budgets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": ("2x16", "2x16", "2x64"), "steps": (5, 5, 9)}, "sizes must be at least two, each once at a number"),
        ({"steps": (1, 2)}, r"steps must have one for each of 3 sizes; got \[1, 2\]"),
        ({"steps": (1, 0, 3)}, "steps must be at least 1"),
        ({"nodes": 5}, "nodes must be from 2 to 4; got 5"),
        ({"budgets": ()}, "budgets must hold at least one"),
        ({"budgets": (0.0,)}, "budgets must be"),
        ({"seen_problems": 1000}, "seen_problems must be from 1 to 380; got 1000. Or raise trial_problems."),
        ({"tokens_per_second": (5.0,)}, "tokens_per_second must have one for each of 3 models"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        as_record(settings, Settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": ("2", "1x32", "1x32")}, "sizes must hold layers x embedding each"),
        ({"trial_problems": 1000}, "trial_problems must be at most the 387 distinct validation problems"),
        ({"fresh_problems": 1000}, "fresh_problems must be at most the 360 distinct test problems"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_trained(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        run_plan(ROW, tmp_path, settings=replace(TINY, **settings))
    assert len((tmp_path / CELLS_NAME).read_bytes().splitlines()) <= 1


def test_nodes_that_cost_more_than_the_budget(tmp_path: Path) -> None:
    """A dear model is named and never chosen; a budget below the cheapest node is refused by that one's price."""
    found = run_plan(ROW, tmp_path / "plan", settings=replace(QUICK, budgets=(0.9,)))
    assert "A node of 3B costs more than any budget: it is never chosen." in found.answer.notes
    assert all("3B" not in str(each.settings["graph"]) for each in found.answer.options[1:])
    with pytest.raises(ArgumentError) as caught:
        run_plan(ROW, tmp_path / "other", settings=replace(QUICK, budgets=(0.01,)))
    assert "budget must be at least 9.68943e+11 FLOPs per query, the price of the cheapest" in str(caught.value)


# -- closed form, and graphs of the user's own -------------------------------------------------------------------------


def test_in_closed_form_everything_is_exact_and_nothing_is_trained(tmp_path: Path) -> None:
    found = run_plan(ROW, tmp_path / "plan", settings=replace(QUICK, tokens_per_second=(100.0, 50.0)))
    assert {each.quality.made for each in found.answer.options} == {"extrapolated"}
    assert all(each.train_flops == 0 for each in found.answer.options)
    assert all(each.seconds for each in found.answer.options)
    assert all(each.lo is None for each in found.answer.findings if each.text.startswith("insight"))
    (deeper,) = (each for each in found.answer.findings if each.text.endswith("depth 2 less depth 1"))
    assert deeper.value == pytest.approx(0.58 * 0.92 + 0.42 * 0.3 - 0.58)


def test_latency_may_be_a_condition(tmp_path: Path) -> None:
    """Two nodes one after another at most: 550 tokens."""
    found = run_plan(ROW, tmp_path / "plan", settings=replace(QUICK, most_tokens=550, budgets=(6.0,)))
    assert {each.sequential_tokens for each in found.answer.options} <= {275.0, 550.0}
    shapes = next(each for each in found.answer.tables if "depth and width" in each.label)
    assert {row[1] for row in shapes.rows} == {"1", "2"}
    slower = run_plan(
        ROW, tmp_path / "plan", settings=replace(QUICK, budgets=(6.0,))
    )  # no trial is taken for another's
    assert 825.0 in {each.sequential_tokens for each in slower.answer.options}
    with pytest.raises(ArgumentError, match="choices must have a configuration that can be built"):
        run_plan(ROW, tmp_path / "other", settings=replace(QUICK, most_tokens=100))


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_graph_of_ones_own_stands_beside_those_that_are_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"own{suffix}"
    agents = [{"name": "draft", "model": "3B"}, {"name": "mended", "model": "1B", "reads": ["draft"]}]
    path.write_text(OWN if suffix == ".toml" else json.dumps({"graph": [{"name": "mine", "agent": agents}]}))
    found = run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[path])
    mine = next(each for each in found.answer.options if each.name == "mine")
    assert mine.settings == {"graph": "3B, 1B(0)", "depth": 2, "width": 1}
    assert mine.quality.value == pytest.approx(0.58 * 0.89 + 0.42 * 0.2)
    assert any(
        each.text.startswith("mine: its accuracy, less that of the best graph") for each in found.answer.findings
    )
    path.unlink()
    assert run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[path]) == found  # it is kept
    dear = run_plan(ROW, tmp_path / "plan", settings=replace(QUICK, budgets=(1.0,)), files=[path])
    assert "mine costs more than any budget: it is shown beside, and no method may find it." in dear.answer.notes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('model = "3B"', 'model = "3B"\nreads = ["mended"]', "reads must lead to no circle; got 'draft reads mended"),
        (
            'name = "mine"',
            'name = "mine"\nanswers = "draft"',
            "agent must reach draft, the agent that answers; got 'mended'",
        ),
        ('model = "3B"', 'model = "8B"', "graph mine: model of draft must be one of 1B, 3B; got '8B'"),
        ("[[graph]]", "[[graph]]\nname = 'x'\nagent = [{name = 'a', model = '1B'}]\n[[graph]]", None),
    ],
)
def test_graphs_that_are_none_are_refused(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace(old, new, 1))
    if message is None:  # two in a file are fine
        assert len(run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[path]).answer.options) == 1 + 3 * 4 + 2
        return
    with pytest.raises(LogError) as caught:
        run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[path])
    assert message in str(caught.value)


def test_more_agents_than_nodes_and_one_name_in_two_files_are_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "own.toml", tmp_path / "other.toml"
    path.write_text(OWN)
    other.write_text(OWN)
    with pytest.raises(LogError, match=r"graph mine: agent must be at most 1; got 2. Raise the setting nodes."):
        _own(path, tmp_path / "few", num_nodes=1)
    with pytest.raises(ArgumentError, match="graph must have a name of its own in all files; got 'mine'"):
        run_plan(ROW, tmp_path / "plan", settings=QUICK, files=[path, other])


def _own(path: Path, directory: Path, *, num_nodes: int) -> None:
    from breakeven.plan.agents.closed_form import closed_form
    from breakeven.plan.agents.from_files import own_graphs
    from breakeven.plan.cells import Cells
    from breakeven.store import CellFile, PlanHeader

    with CellFile(directory, PlanHeader(versions={}, row="graph", settings={}, files={})) as file:
        own_graphs([path], Cells(file=file), closed_form(num_nodes))


# -- a language model that proposes ------------------------------------------------------------------------------------


def reply(text: str) -> tuple[int, object]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return 200, {"choices": [choice], "usage": {"prompt_tokens": 400, "completion_tokens": 12}}


GOOD = {
    "0->1": False,
    "0->2": False,
    "1->2": True,
    "role_0": "assistant",
    "role_1": "assistant",
    "role_2": "assistant",
    "model_0": "1B",
    "model_1": "3B",
    "model_2": "3B",
}


def proposed(answers: Any, json_server: Any, plan: Path, **settings: Any) -> tuple[PlanResult, Any]:
    pytest.importorskip("httpx2")
    server = json_server(answers)
    asked = replace(QUICK, proposer=server.url, num_trials=5, budgets=(3.0,), **settings)
    return run_plan(ROW, plan, settings=asked), server


def test_its_tokens_are_charged_to_the_trials_and_nothing_is_asked_twice(json_server: Any, tmp_path: Path) -> None:
    answers = lambda request: reply(json.dumps([GOOD]))  # noqa: E731
    found, server = proposed(answers, json_server, tmp_path / "p", proposer_params=1e12)
    option = next(each for each in found.answer.options if each.name.startswith("proposals of"))
    assert option.settings["graph"] == "3B, 3B(0)"
    calls = len(server.requests)
    assert calls >= 3
    assert option.one_off["search"] > calls * 2e12 * 411  # 400 tokens read and 11 fed back, and the trials
    asked = replace(QUICK, proposer=server.url, num_trials=5, budgets=(3.0,), proposer_params=1e12)
    assert run_plan(ROW, tmp_path / "p", settings=asked) == found
    assert len(server.requests) == calls


@pytest.mark.parametrize(
    ("answer", "noted"),
    [
        (reply(json.dumps([GOOD])), "repeated"),
        (reply("I would try a chain."), "invalid"),
        ((500, {"error": "down"}), "gave nothing that could be used in 3 of 3 calls"),
    ],
    ids=["repeats itself", "answers nonsense", "is down"],
)
def test_a_proposer_that_fails_costs_no_plan(
    json_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, object], noted: str
) -> None:
    pytest.importorskip("httpx2")
    from breakeven.sampling.served import asking

    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)
    found, _ = proposed(lambda request: answer, json_server, tmp_path / "p")
    assert any(noted in note for note in found.answer.notes)
    assert any("the language model that proposed" in each for each in found.answer.not_counted) == (answer[0] == 200)
