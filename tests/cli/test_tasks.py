"""`breakeven decide` on several tasks: one verdict on all, each task's own answer beside it."""

import json
import shutil
from itertools import chain
from pathlib import Path

import pytest

STEPS = range(1, 13)
OPTIONS = ["--budget-steps", "20", "--checker"]


def rising(step: int, end: int) -> float:
    return 0.5 * min(1.0, step / end)


def rows(task: str, steps, end: int, num_problems: int = 200) -> list[str]:
    """8 samples a problem, solve rates from 0 to twice the mean; flat from step `end` on."""
    last = num_problems - 1
    return [
        f"{step},{task},{task}{p},8,{round(8 * 2 * rising(step, end) * p / last)}"
        for step in steps
        for p in range(num_problems)
    ]


def write(path: Path, *parts: list[str]) -> Path:
    path.write_text("\n".join(["step,task,problem,n,c", *chain(*parts)]), encoding="utf-8")
    return path


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """Two tasks that level off early, a the earlier."""
    return write(tmp_path / "ready.csv", rows("a", STEPS, 4), rows("b", STEPS, 6))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One task that is ready, and one that rises to the end and has a long way to go."""
    climbing = [f"{step},b,b{p},8,{8 * int(p < 8 * step)}" for step in STEPS for p in range(200)]
    return write(tmp_path / "mixed.csv", rows("a", STEPS, 4), climbing)


def answer(cli, *arguments: object) -> dict:
    result = cli("decide", *arguments, "--json")
    told = json.loads(result.stdout)
    wanted = told["now"] if "--now" in arguments else told
    assert result.exit_code == (10 if wanted["action"] == "stop" else 0)
    return told


@pytest.mark.parametrize("tasks", [["--task", "a", "--task", "b"], ["--task", "all"]])
def test_all_tasks_together_keep_the_risk_of_one(cli, ready: Path, tasks: list[str]) -> None:
    joint = answer(cli, ready, *OPTIONS, *tasks)
    assert list(joint["tasks"]) == ["a", "b"]
    own = {name: answer(cli, ready, *OPTIONS, "--task", name) for name in "ab"}
    for name in "ab":
        assert joint["tasks"][name] == own[name]
    by_step = {name: {each["step"]: each for each in own[name]["checkpoints"]} for name in "ab"}
    stops = []
    for verdict in joint["checkpoints"]:
        pair = [by_step[name][verdict["step"]] for name in "ab"]
        waiting = [name for name, each in zip("ab", pair, strict=True) if each["action"] != "stop"]
        assert verdict["waiting_for"] == waiting
        if None in (pair[0]["confidence"], pair[1]["confidence"]):
            assert verdict["confidence"] is None
            continue
        at_least = max(0.0, 1.0 - sum(1.0 - each["confidence"] for each in pair))
        assert verdict["confidence"] == pytest.approx(at_least)
        stops.append(not waiting and at_least >= 0.9)
        assert verdict["action"] == ("stop" if stops[-1] else "continue")
    assert any(stops)
    assert joint["step"] >= max(each["step"] for each in own.values())
    assert joint["k"] == {name: by_step[name][joint["step"]]["k"] for name in "ab"}
    assert joint["now"] == joint["checkpoints"][-1]


def test_one_task_that_is_not_ready_holds_the_others(cli, mixed: Path) -> None:
    joint = answer(cli, mixed, *OPTIONS, "--task", "all")
    assert joint["tasks"]["a"]["action"] == "stop"
    assert (joint["action"], joint["step"], joint["waiting_for"]) == ("continue", 12, ["b"])
    assert answer(cli, mixed, *OPTIONS, "--task", "all", "--now")["now"]["action"] == "continue"
    lines = cli("decide", mixed, *OPTIONS, "--task", "all").stdout.splitlines()
    first = f"{mixed}: counts per problem, 12 shared checkpoints, 2 tasks: a (200 problems), b (200 problems)."
    assert lines[:2] == [first, "Now       train on (step 12, 60 % of the budget): not ready for b."]
    table = {line.split()[0]: line for line in lines[2:8] if line.strip()}
    assert "stop: reached" in table["a"]
    assert "stop" not in table["b"]
    notes = [line for line in lines if line.startswith("- ")]
    assert sum("As declared by --checker" in note for note in notes) == 1
    assert any(note.startswith("- b: ") for note in notes)


def test_the_joint_verdict_comes_first_and_says_when_it_came(cli, ready: Path) -> None:
    lines = cli("decide", ready, *OPTIONS, "--task", "all").stdout.splitlines()
    text = " ".join(" ".join(lines[1:4]).split())
    assert text.startswith("Now stop training (step 12, 60 % of the budget): all 2 tasks keep their margins with prob")
    step = answer(cli, ready, *OPTIONS, "--task", "all")["step"]
    assert step < 12
    assert f"Before a stop on all tasks was advised at step {step} ({step * 5} % of the budget)." in text


def test_tasks_are_decided_on_where_all_were_evaluated(cli, tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", rows("a", STEPS, 4), rows("b", range(2, 11, 2), 4))
    joint = answer(cli, path, *OPTIONS, "--task", "all")
    assert [each["step"] for each in joint["checkpoints"]] == [2, 4, 6, 8, 10]
    assert [each["step"] for each in joint["tasks"]["a"]["checkpoints"]] == list(range(1, 11))
    note = "Not every task was evaluated after step 10: decided up to there, without 2 checkpoints."
    assert note in joint["tasks"]["a"]["notes"]
    assert f"a: {note}" in joint["notes"]
    assert joint["used"] == joint["step"] / 20


def test_a_log_of_one_task_is_decided_on_as_ever(cli, tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", rows("a", STEPS, 4))
    assert answer(cli, path, *OPTIONS, "--task", "all") == answer(cli, path, *OPTIONS)
    assert "tasks" not in answer(cli, path, *OPTIONS, "--task", "a", "--task", "a")


def test_columns_of_a_table_and_results_of_lm_eval_are_tasks_as_well(cli, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    cells = [f"{step},{rising(step, 4)},{rising(step, 6)}" for step in STEPS]
    table.write_text("\n".join(["step,eval/a_acc,eval/b_acc", *cells]), encoding="utf-8")
    sizes = ["--num-problems", "1000", "--num-problems", "eval/b_acc=500"]
    joint = answer(cli, table, "--budget-steps", "20", "--task", "all", *sizes)
    assert list(joint["tasks"]) == ["eval/a_acc", "eval/b_acc"]
    text = cli("decide", table, "--budget-steps", "20", "--task", "all", *sizes).stdout
    assert "2 tasks: eval/a_acc (1000 problems), eval/b_acc (500 problems)." in text.replace("\n", " ")
    folder = tmp_path / "results"
    for step in STEPS:
        content = {"results": {"a": {"acc": rising(step, 4)}, "b": {"acc": rising(step, 6)}}}
        (folder / f"step_{step}").mkdir(parents=True)
        (folder / f"step_{step}" / "results.json").write_text(json.dumps(content), encoding="utf-8")
    sizes = ["--num-problems", "1000", "--num-problems", "b=500"]
    same = answer(cli, folder, "--budget-steps", "20", "--task", "a", "--task", "b", *sizes)
    assert [each["confidence"] for each in same["checkpoints"]] == [each["confidence"] for each in joint["checkpoints"]]


def test_each_task_hears_its_own_earlier_run(cli, ready: Path, tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.csv", rows("a", range(1, 21), 4), rows("b", range(1, 21), 6))
    joint = answer(cli, ready, *OPTIONS, "--task", "all", "--like", whole)
    for name in "ab":
        own = answer(cli, ready, *OPTIONS, "--task", name, "--like", whole)
        assert joint["tasks"][name] == own
        assert own["checkpoints"][-1]["forecast"]["num_witnesses"] == 1


def test_a_run_that_was_watched_on_the_same_tasks_is_an_earlier_run_of_each(
    cli, ready: Path, recorded: Path, tmp_path: Path
) -> None:
    for name in "ab":
        shutil.copytree(recorded, tmp_path / "watched" / name)
    joint = answer(cli, ready, *OPTIONS, "--task", "all", "--like", "watched")
    for name in "ab":
        assert any(
            note.startswith(f"Earlier run watched/{name}: 10 checkpoints") for note in joint["tasks"][name]["notes"]
        )


def test_what_does_not_fit_several_tasks_is_refused(cli, refused, ready: Path, tmp_path: Path) -> None:
    both = ["--task", "a", "--task", "b"]
    assert refused("decide", ready, *OPTIONS, *both, "--report", "x.html") == (
        "--report must be of one task; got 'x.html'. Name one with --task."
    )
    assert refused("decide", ready, *OPTIONS, *both, "--figures", "x").startswith("--figures must be of one task; got ")
    assert not [each for each in tmp_path.iterdir() if each.name.startswith("x")]
    assert "must name one task; got a, b. Choose one with --task, or several." in refused("decide", ready, *OPTIONS)
    assert "column task, must name --task c; got a, b" in refused("decide", ready, *OPTIONS, "--task", "c")
    one = tmp_path / "one.csv"
    one.write_text("\n".join(["step,accuracy", "1,0.5", "2,0.5"]), encoding="utf-8")
    message = refused("decide", one, *OPTIONS, *both, "--num-problems", "100")
    assert message == "--task must be given once at most, as the log has one task; got ['a', 'b']."
    apart = write(tmp_path / "apart.csv", rows("a", [1, 3, 5], 4), rows("b", [2, 4, 6], 4))
    assert refused("decide", apart, *OPTIONS, *both) == (
        f"{apart} must have a checkpoint at which all tasks were evaluated; a, b share none."
    )
    for written, rule in (("c=5", "begin with a task that is decided on: --num-problems TASK=NUMBER; got 'c=5'."),
                          ("a=x", "be a whole number, or TASK=NUMBER; got 'a=x'."),
                          ("b=0", "be at least 1; got 0.")):  # fmt: skip
        message = refused("decide", ready, *OPTIONS, *both, "--num-problems", written)
        assert message.startswith(f"--num-problems must {rule}")
