"""`breakeven decide`: logs of other tools in, a decision and its exit code out."""

import json
import re
from pathlib import Path

import pytest

STEPS = range(1, 13)
BUDGET = ["--budget-flops", "2e16"]
CHECKED = [*BUDGET, "--checker"]
PRICED = ["--params", "1e6", "--prompt-tokens", "100", "--output-tokens", "51"]


def rising(step: int) -> float:
    """One-sample accuracy: up to a half within six checkpoints, then flat."""
    return 0.5 * min(1.0, step / 6)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """200 problems, 8 samples each, solve rates from 0 to twice the mean."""
    lines = ["step,train_flops,problem,n,c"]
    for step in STEPS:
        lines += [f"{step},{step}e15,p{p},8,{round(8 * 2 * rising(step) * p / 199)}" for p in range(200)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def greedy(tmp_path: Path) -> Path:
    """A folder with nothing but accuracies."""
    for step in STEPS:
        result = {"results": {"sciq": {"acc": rising(step)}}}
        (tmp_path / f"step_{step}.json").write_text(json.dumps(result), encoding="utf-8")
    return tmp_path


def fields(cli, *arguments: object) -> dict:
    result = cli("decide", *arguments, "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == (10 if answer["action"] == "stop" else 0)
    return answer


def test_a_stop_is_advised_by_exit_code_table_and_sentence(cli, log: Path) -> None:
    result = cli("decide", log, *CHECKED, *PRICED)
    assert result.exit_code == 10
    assert result.stderr == ""
    assert f"{log}: counts per problem, 12 checkpoints, 200 problems." in result.stdout.replace("\n", " ")
    assert "stop: reached" in result.stdout
    assert "\nStop at step " in result.stdout
    assert "served queries" in result.stdout
    table = result.stdout.split("\nStop at step ")[0].splitlines()[1:]
    assert len(table) >= len(STEPS)
    assert max(map(len, table)) <= 100
    assert "(stop: reached)" in result.stdout  # what would have been decided later


def test_json_has_the_decision_and_one_for_each_checkpoint(cli, log: Path) -> None:
    answer = fields(cli, log, *CHECKED, *PRICED)
    names = ["action", "step", "strategy", "deployable", "k", "used", "gross_saving", "net_saving", "costs_known"]
    names += ["break_even_queries", "forecast", "reason", "confidence"]
    assert list(answer) == [*names, "now", "notes", "checkpoints"]
    assert list(answer["now"]) == [*names, "serve", "best"]
    assert [each["step"] for each in answer["checkpoints"]] == list(STEPS)
    assert all(list(each) == names for each in answer["checkpoints"])
    stop = next(each for each in answer["checkpoints"] if each["action"] == "stop")
    assert {name: answer[name] for name in names} == stop
    assert answer["used"] == answer["step"] / 20
    assert answer["forecast"]["lo"] <= answer["forecast"]["mean"] <= answer["forecast"]["hi"]
    # 200 problems, one prompt and 8 samples each: 2 N P + 8 x 2 N (T - 1), attention not counted
    spent = answer["step"] * 200 * (2e6 * 100 + 8 * 2e6 * 50)
    assert answer["net_saving"] == pytest.approx(1 - answer["used"] - spent / 2e16)
    assert answer["costs_known"] is True
    # K samples stop at the first right one, so that the price is at most that of all K
    least = (2e16 - answer["step"] * 1e15 - spent) / ((answer["k"] - 1) * 2e6 * 50)
    assert answer["break_even_queries"] >= least


def test_without_a_price_nothing_that_rests_on_one_is_said(cli, log: Path) -> None:
    answer = fields(cli, log, *CHECKED)
    assert (answer["break_even_queries"], answer["costs_known"]) == (None, False)
    assert (answer["net_saving"], answer["gross_saving"]) == (None, 1 - answer["used"])
    assert any("break-even is unknown, evaluations are not charged" in note for note in answer["notes"])
    text = cli("decide", log, *CHECKED).stdout.replace("\n", " ")
    assert "At how many served queries full training would have been cheaper is unknown." in text
    assert "evaluation not charged" in text
    assert "net of evaluation" not in text
    assert "however many queries" not in text


def test_the_first_checkpoints_are_too_few_and_no_error(cli, log: Path) -> None:
    log.write_text("\n".join(log.read_text().splitlines()[: 1 + 2 * 200]), encoding="utf-8")
    answer = fields(cli, log, *BUDGET)
    assert (answer["action"], answer["reason"], answer["step"]) == ("continue", "too_few_checkpoints", 2)
    assert (answer["strategy"], answer["k"], answer["forecast"]) == (None, None, None)


def test_pass_at_k_stops_only_where_a_checker_is_declared(cli, log: Path) -> None:
    declared = fields(cli, log, *CHECKED)
    assert (declared["action"], declared["strategy"], declared["deployable"]) == ("stop", "pass@k", True)
    assert "As declared by --checker" in cli("decide", log, *CHECKED).stdout
    for options in ([], ["--no-checker"]):
        answer = fields(cli, log, *BUDGET, *options)
        assert (answer["action"], answer["strategy"], answer["deployable"]) == ("continue", None, None)
        assert "an oracle's, an upper bound that stops nothing" in cli("decide", log, *BUDGET, *options).stdout


def test_accuracies_alone_are_decided_on_with_one_greedy_answer(cli, greedy: Path) -> None:
    options = [*BUDGET, "--params", "1e6", "--tokens-per-step", "1.5e8", "--num-problems", "1000"]
    answer = fields(cli, greedy, *options, "--risk", "0.4", "--margin", "0.05", "--patience", "1")
    assert (answer["action"], answer["strategy"], answer["k"]) == ("stop", "greedy", 1)
    assert answer["used"] == pytest.approx(answer["step"] * 9e14 / 2e16)
    assert "Baseline: greedy, as the log has greedy samples (--baseline to say otherwise)." in answer["notes"]


def test_the_paper_rule_and_its_patience(cli, log: Path) -> None:
    options = [*CHECKED, "--policy", "paper"]
    stops = [fields(cli, log, *options, "--patience", patience)["step"] for patience in (1, 2, 3)]
    assert stops == [stops[0], stops[0] + 1, stops[0] + 2]
    assert fields(cli, log, *options, "--patience", 99)["action"] == "continue"


def test_notes_of_the_reader_are_passed_on(cli, log: Path) -> None:
    header, *rows = log.read_text().splitlines()
    log.write_text("\n".join([header, *reversed(rows)]), encoding="utf-8")
    assert "- Rows were not in order of steps and have been sorted by step." in cli("decide", log, *BUDGET).stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget-flops", "1e15"], "--budget-flops must be at least the last checkpoint's 1.2e+16 FLOPs; got 10"),
        (["--budget-flops", "nan"], "--budget-flops must be finite and above 0; got nan"),
        ([*BUDGET, "--baseline", "greedy"], "--baseline must be measured; the log has no greedy samples; got 'greedy'"),
        ([*BUDGET, "--baseline", "x"], 'baseline must be "greedy", "sampled" or "best"; got \'x\''),
        ([*BUDGET, "--policy", "x"], "--policy must be one of calibrated, paper; got 'x'"),
        ([*BUDGET, "--policy", "paper", "--risk", "0.1"], "--risk must be an option of policy paper; got 0.1"),
        ([*BUDGET, "--risk", "0"], "--risk must be above 0 and below 1; got 0.0"),
        ([*BUDGET, "--max-k", "0"], "--max-k must be a whole number of at least 1; got 0"),
        ([*BUDGET, "--patience", "-1"], "--patience must be a whole number of at least 0; got -1"),
        ([*BUDGET, "--params", "0"], "--params must be finite and above 0; got 0.0"),
        ([*BUDGET, "--params", "1", "--model-config", "c.json"], "--params must be left out when --model-config"),
        ([*BUDGET, "--queries", "9"], "--params or --model-config, --prompt-tokens, --output-tokens must be given"),
        ([*BUDGET, "--params", "1", "--prompt-tokens", "9"], "--output-tokens must be given with --prompt-tokens"),
        ([*BUDGET, *PRICED[:4], "--output-tokens", "0"], "--output-tokens must be finite and at least 1; got 0.0"),
        ([*BUDGET, "--tokens-per-step", "0"], "--tokens-per-step must be finite and above 0; got 0.0"),
        ([*BUDGET, "--decay-share", "2"], "decay_share must be a share from 0 to 1; got 2.0"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused_by_name(refused, log: Path, options: list[str], message: str) -> None:
    assert refused("decide", log, *options).startswith(message)


def test_logs_without_samples_are_refused_where_samples_are_asked_for(refused, greedy: Path) -> None:
    options = [*BUDGET, "--params", "1e6", "--tokens-per-step", "1e8", "--num-problems", "1000"]
    assert refused("decide", greedy, *options, "--policy", "paper").startswith(
        "--policy must be one that can decide on the 0 samples"
    )
    assert refused("decide", greedy, *options, "--baseline", "sampled").startswith(
        "--baseline must be measured; the log"
    )
    message = refused("decide", greedy, *BUDGET, "--num-problems", "9")
    assert message.startswith("--tokens-per-step and --params (or --model-config) must be given")


def test_too_few_samples_for_the_paper_are_refused(refused, log: Path) -> None:
    log.write_text("step,train_flops,problem,n,c\n1,1e15,a,2,1\n", encoding="utf-8")
    message = refused("decide", log, *BUDGET, "--policy", "paper")
    assert message.startswith(
        "--policy must be one that can decide on the 2 samples that some problem has at step 1; got 'paper'."
    )


def test_a_fault_in_the_log_is_one_line_on_standard_error(refused, log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write("\n12,12e15,p0,8,9")
    assert refused("decide", log, *BUDGET) == f"{log}, row 2402, column c, must be at most the row's n, 8; got '9'."


def test_a_long_log_is_shown_around_its_decision(cli, log: Path) -> None:
    lines = ["step,train_flops,problem,n,c", *(f"{step},{step}e14,p,4,0" for step in range(1, 101))]
    log.write_text("\n".join(lines), encoding="utf-8")
    result = cli("decide", log, *BUDGET)
    assert result.exit_code == 0
    assert "(69 before)" in result.stdout
    assert len(json.loads(cli("decide", log, *BUDGET, "--json").stdout)["checkpoints"]) == 100


def test_a_cap_on_what_a_query_costs_limits_k(cli, log: Path) -> None:
    free = fields(cli, log, *CHECKED, *PRICED)
    one_sample = 2e6 * 150
    capped = fields(cli, log, *CHECKED, *PRICED, "--max-query-flops", one_sample * 1.05)
    price = ("--hour-price", 3600, "--peak-flops", 2e12, "--efficiency", 0.5)
    money = fields(
        cli, log, *CHECKED, *PRICED,
        *("--max-query-cost", one_sample * 1.05 / 1e12, *price),
    )  # fmt: skip
    assert free["k"] > 1
    assert capped["k"] is None or capped["k"] < free["k"] or capped["step"] > free["step"]
    assert {**capped, "notes": 0} == {**money, "notes": 0}


def test_a_cap_without_a_price_is_refused(refused, log: Path) -> None:
    message = refused("decide", log, *BUDGET, "--max-query-flops", "1e9")
    assert "must come with --params or --model-config, --prompt-tokens and --output-tokens" in message


# -- what people have --------------------------------------------------------------------------------------------------


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    """Accuracies alone, of 1000 problems."""
    path = tmp_path / "curve.csv"
    lines = ["Step,Eval Acc,Tokens seen,hours", *(f"{step},{rising(step)},{step}e6,{step / 2}" for step in STEPS)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


CURVE = ["--num-problems", "1000", "--column", "accuracy=eval acc", "--column", "train_tokens=tokens seen"]
EASY = ["--risk", "0.4", "--margin", "0.05"]


def test_a_budget_in_any_unit_is_the_same_share(cli, curve: Path) -> None:
    budgets = [
        ["--budget-steps", "20"],
        ["--budget-steps", "0.02K"],
        ["--budget-tokens", "20M"],
        ["--budget-hours", "10"],
        ["--budget-flops", "1.2e14", "--params", "1M"],
        ["--budget-tokens", "20m", "--params", "1e6"],
    ]
    answers = [fields(cli, curve, *CURVE, *each) for each in budgets]
    assert [each["used"] for each in answers] == pytest.approx([0.6] * len(budgets))
    for each in answers[1:]:
        assert each["forecast"]["mean"] == pytest.approx(answers[0]["forecast"]["mean"])
        assert each["action"] == answers[0]["action"]


def test_hours_are_said(cli, curve: Path) -> None:
    notes = fields(cli, curve, *CURVE, "--budget-hours", "10")["notes"]
    assert any(each.startswith("Up to step 12 the log has 6 hours: as it says, or at the pace") for each in notes)


def test_a_log_that_says_how_long_its_run_is_needs_no_budget(cli, refused, tmp_path: Path, curve: Path) -> None:
    history = [{"eval_accuracy": rising(step), "step": step} for step in STEPS]
    state = {"global_step": 12, "max_steps": 20, "total_flos": 1e15, "log_history": history}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state, indent=2), encoding="utf-8")
    answer = fields(cli, "trainer_state.json", "--num-problems", "1000")
    assert answer["used"] == pytest.approx(0.6)
    assert "Budget: 20 steps, as the log says (--budget-steps to say otherwise)." in answer["notes"]
    assert refused("decide", curve, *CURVE).startswith("--budget-steps (or --budget-tokens, --budget-flops, --budget-")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget-steps", "20", "--budget-hours", "9"], "--budget-hours must be left out when --budget-steps is"),
        (["--budget-steps", "10"], "--budget-steps must be at least the last checkpoint's 12 steps; got 10.0."),
        (["--budget-steps", "many"], "--budget-steps must be a number; got 'many'. For example 20000, 1.7e21 or 300B."),
        (["--budget-tokens", "nan"], "--budget-tokens must be finite and above 0; got nan."),
        (["--budget-steps", "1e308"], "--budget-steps must come to FLOPs that a float can hold; got 1e+308."),
        (["--budget-flops", "1e20"], "--tokens-per-step and --params (or --model-config) must be given"),
        (["--budget-steps", "20", "--column", "x"], "--column must be ours=theirs; got 'x'."),
        (["--budget-steps", "20", "--report", "none/page.html"], "--report must be a file in a directory that exists"),
    ],
)  # fmt: skip
def test_budgets_that_do_not_fit_are_refused_by_name(refused, curve: Path, options: list[str], message: str) -> None:
    assert refused("decide", curve, *CURVE, *options).startswith(message)


def test_a_unit_that_the_log_does_not_say_is_refused_with_what_to_do(refused, log: Path) -> None:
    assert refused("decide", log, "--budget-hours", "9") == (
        "--budget-hours must have a log that says hours; got 9.0. Give --budget-steps, or name a column with --column "
        "hours=... (or seconds=...)."
    )
    assert refused("decide", log, "--budget-tokens", "9B").endswith("Give --tokens-per-step, or --budget-steps.")


def test_counts_take_a_budget_in_steps_or_tokens_and_keep_their_flops(cli, log: Path) -> None:
    flops = fields(cli, log, *CHECKED, *PRICED)
    for budget in (["--budget-steps", "20"], ["--budget-tokens", "2M", "--tokens-per-step", "100K"]):
        answer = fields(cli, log, "--checker", *budget, *PRICED)
        assert (answer["step"], answer["k"], answer["costs_known"]) == (flops["step"], flops["k"], True)
        assert answer["net_saving"] == pytest.approx(flops["net_saving"])


def test_steps_of_unequal_flops_are_said(cli, log: Path) -> None:
    lines = log.read_text(encoding="utf-8").replace("\n12,12e15", "\n12,24e15")
    log.write_text(lines, encoding="utf-8")
    notes = fields(cli, log, "--budget-steps", "20")["notes"]
    assert any(
        each.startswith("A step up to 1 took 0.50 of the FLOPs of one up to 12: the budget was") for each in notes
    )


def test_a_price_needs_the_flops_of_training(refused, curve: Path, greedy: Path) -> None:
    message = refused("decide", greedy, "--budget-steps", "20", "--num-problems", "1000", *PRICED)
    assert message.startswith("--tokens-per-step and --params (or --model-config) must be given")


def test_standard_input_is_read_and_named_so(cli, curve: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from breakeven.cli import app

    arguments = ["decide", "-", *CURVE, "--budget-steps", "20", "--json"]
    piped = CliRunner().invoke(app, arguments, input=curve.read_bytes())
    assert json.loads(piped.stdout) == fields(cli, curve, *CURVE, "--budget-steps", "20")
    wrong = CliRunner().invoke(app, arguments, input=b"step,Eval acc,tokens seen\n1,2,\n")
    assert wrong.stderr.startswith("error: standard input, row 2, column Eval acc, must be a share from 0 to 1; got 2.")


# -- now ---------------------------------------------------------------------------------------------------------------


def test_today_comes_first_and_answers_by_the_exit_code_if_asked(cli, log: Path) -> None:
    early = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join([*early, *(f"13,13e15,p{p},8,{p % 2}" for p in range(200))]), encoding="utf-8")
    plain, today = cli("decide", log, *CHECKED), cli("decide", log, *CHECKED, "--now")
    assert plain.stdout.splitlines()[1] == today.stdout.splitlines()[1]
    assert today.stdout.splitlines()[1].startswith("Now       ")
    assert plain.exit_code == 10
    answer = fields(cli, log, *CHECKED)
    assert (answer["now"]["step"], answer["now"]["used"]) == (13, pytest.approx(0.65))
    assert (answer["now"]["action"] == "stop") == (today.exit_code == 10)
    assert f"a stop was advised at step {answer['step']} (" in plain.stdout


def test_an_earlier_checkpoint_is_served_where_the_last_fell_behind(cli, curve: Path) -> None:
    curve.write_text(curve.read_text(encoding="utf-8").replace("12,0.5,", "12,0.4,"), encoding="utf-8")
    options = [*CURVE, "--budget-steps", "20", "--target", "0.45"]
    answer = fields(cli, curve, *options)
    now = answer["now"]
    assert answer["checkpoints"][-1]["action"] == "continue"
    assert (now["action"], now["step"], now["used"]) == ("stop", 12, pytest.approx(0.6))
    assert (now["serve"]["strategy"], now["serve"]["accuracy"]) == ("greedy", 0.5)
    assert now["serve"]["step"] < 12
    assert now["confidence"] > 1 - 0.1 / 11  # the luckiest of eleven has to be that much surer
    text = cli("decide", curve, *options, "--now").stdout
    assert f"\nServe     step {now['serve']['step']}, one greedy sample" in text


def test_the_best_there_is_is_named_where_nothing_suffices(cli, curve: Path) -> None:
    text = cli("decide", curve, *CURVE, "--budget-steps", "2000").stdout
    assert "\nNow       train on (step 12, 0.6 % of the budget; " in text
    assert "\nBest yet  step 12, one greedy sample per query (deployable): accuracy 0.500 (measured); the best" in text
    best = fields(cli, curve, *CURVE, "--budget-steps", "2000")["now"]["best"]
    assert (best["step"], best["strategy"], best["k"], best["accuracy"]) == (12, "greedy", 1, 0.5)


def test_a_finished_run_is_over_and_still_has_a_best(cli, curve: Path) -> None:
    text = cli("decide", curve, *CURVE, "--budget-steps", "12").stdout
    assert "\nNow       training is over (step 12, 100 % of the budget)." in text
    assert "\nBest yet  step 12" in text


# -- too little to say -------------------------------------------------------------------------------------------------


def test_few_problems_never_advise_a_stop_and_say_so(cli, log: Path) -> None:
    header, *rows = log.read_text(encoding="utf-8").splitlines()
    few = [
        f"{row.rsplit(',', 2)[0]},8,{min(8, 2 * int(row.split(',')[0]))}"
        for row in rows
        if ",p1," in row or ",p10" in row
    ]
    log.write_text("\n".join([header, *few]), encoding="utf-8")
    answer = fields(cli, log, *CHECKED)
    assert answer["action"] == "continue"
    assert {each["reason"] for each in answer["checkpoints"]} == {"too_few_problems"}
    assert [answer["now"][name] for name in ("action", "serve", "best", "k")] == ["continue", None, None, None]
    text = cli("decide", log, *CHECKED).stdout
    assert "12, 60 % of the budget; too few problems)." in text
    assert "measured" not in text
    assert any("12 problems are too little to say: the standard error of an accuracy is up to 0.14" in each
               for each in answer["notes"])  # fmt: skip


def test_one_sample_a_problem_says_nothing_of_more(cli, log: Path) -> None:
    header, *rows = log.read_text(encoding="utf-8").splitlines()
    ones = [f"{row.rsplit(',', 2)[0]},1,{int(int(row.split(',')[4]) >= 4)}" for row in rows]
    log.write_text("\n".join([header, *ones]), encoding="utf-8")
    answer = fields(cli, log, *CHECKED, *EASY)
    assert all(each["k"] in (None, 1) for each in answer["checkpoints"])
    assert "One sample of each problem says nothing of K above 1: draw at least 4 of each." in answer["notes"]


def test_without_samples_it_says_which_counts_would_allow_more_and_they_do(cli, curve: Path, tmp_path: Path) -> None:
    (note,) = (each for each in fields(cli, curve, *CURVE, "--budget-steps", "20")["notes"] if "Counts" in each)
    assert "columns step, problem, greedy, n, c" in note
    assert "n = 8 for each of the 1000 problems" in note
    rows = ["step,problem,greedy,n,c"]
    for step in STEPS:
        drawn = 8 if step == 12 else 0
        rows += [f"{step},{p},{int(p < 200 * rising(step))},{drawn},{drawn * (200 - p) // 200}" for p in range(200)]
    path = tmp_path / "counts.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    last = fields(cli, path, "--budget-steps", "20", "--checker")["checkpoints"][-1]
    assert (last["action"], last["strategy"]) == ("stop", "pass@k")


# -- pages and widths --------------------------------------------------------------------------------------------------


def test_a_page_is_written_as_for_runs(cli, log: Path, curve: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert cli("decide", log, *CHECKED, *PRICED, "--report", page).exit_code == 10
    text = page.read_text(encoding="utf-8")
    assert "Stop at step" in text
    assert "PFLOPs" in text
    assert cli("decide", curve, *CURVE, "--budget-steps", "20", "--report", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "Train on after step 12" in text
    assert "nobody said what a token costs" in text
    assert "<td>-</td><td>100 % of the budget</td>" in text.replace("\xa0", " ")
    assert not re.search(r"<td>[\d.]+ \w?FLOPs</td>", text)  # steps are no FLOPs
    assert "Counted on 1000 validation problems, one greedy sample each, as another tool counted them." in text
    assert "What was read and assumed" in text
    assert "<td>20 steps</td>" in text


def test_a_report_has_the_form_of_its_suffix_and_figures(cli, log: Path, tmp_path: Path) -> None:
    report, figures = tmp_path / "page.json", tmp_path / "figures"
    assert cli("decide", log, *CHECKED, *PRICED, "--report", report, "--figures", figures).exit_code == 10
    answer = json.loads(report.read_text(encoding="utf-8"))
    assert answer["verdict"].startswith("Stop at step")
    assert {each.stem for each in figures.iterdir()} == set(answer["charts"])
    even = fields(cli, log, *CHECKED, *PRICED)["now"]["break_even_queries"]
    assert answer["workload"]["break_even"] == even, "to the last digit"
    assert answer["charts"]["learning"]["image"] == "figures/learning.png"
    only = tmp_path / "only"
    assert cli("decide", log, *CHECKED, "--figures", only).exit_code == 10
    assert (only / "learning.pdf").read_bytes().startswith(b"%PDF")


def test_a_report_of_another_suffix_is_refused_before_anything_is_read(refused, tmp_path: Path) -> None:
    message = refused("decide", tmp_path / "none.csv", *CHECKED, "--report", tmp_path / "page.pdf")
    assert message.startswith("--report must end in .html, .md or .json; got ")


def test_a_loss_that_falls_reaches_the_forecast(cli, tmp_path: Path) -> None:
    def curve(name: str, losses: list[object]) -> Path:
        rows = [f"{step},{0.3 + 0.01 * (step % 2)},{losses[step - 1]}" for step in range(1, 9)]
        path = tmp_path / name
        path.write_text("\n".join(["step,accuracy,eval_loss", *rows]), encoding="utf-8")
        return path

    options = ["--budget-steps", "20", "--num-problems", "500"]
    falling = fields(cli, curve("falling.csv", [2.0 / step for step in range(1, 9)]), *options)
    level = fields(cli, curve("level.csv", [2.0] * 8), *options)
    alone = fields(cli, curve("alone.csv", [""] * 8), *options)
    late = fields(cli, curve("late.csv", [2.0 / step if step > 6 else "" for step in range(1, 9)]), *options)
    assert falling["forecast"]["mean"] > level["forecast"]["mean"]
    assert alone["forecast"] not in (falling["forecast"], level["forecast"])
    assert late["forecast"] == alone["forecast"]
    for answer, words in (
        (falling, 'Validation loss: column "eval_loss" has weight 0.'),
        (late, 'Validation loss: column "eval_loss" is not used, as it is not known at each of the last 4 checkpoints'),
        (alone, "No validation loss was read: the forecast is made from accuracies alone (a column validation_loss"),
    ):
        assert any(note.startswith(words) for note in answer["notes"])
