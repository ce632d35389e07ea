"""`breakeven decide`: logs of other tools in, a decision and its exit code out."""

import json
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
    assert list(answer) == [*names, "notes", "checkpoints"]
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
        (["--budget-flops", "nan"], "budget_flops must be finite and above 0; got nan"),
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
