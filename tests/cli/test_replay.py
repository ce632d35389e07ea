"""`breakeven replay`: the recorded decisions again, or those of other settings."""

import dataclasses
import json
import math
import re
import sys
import zlib
from pathlib import Path

import pytest

from breakeven.records import Reason
from breakeven.store import RunLog, read_log

LOG = "log.jsonl"


def rewrite(log: Path, number: int, old: str, new: str) -> None:
    """Change line `number` (from 1) and mend its checksum; no line is chained to others then, as in earlier logs."""
    lines = [re.sub(r',"chain":"[0-9a-f]{8}"\}$', "}", line) for line in log.read_text(encoding="utf-8").splitlines()]
    kind = json.loads(lines[number - 1])["kind"]
    data = lines[number - 1].partition('"data":')[2].rpartition(',"crc32":')[0]
    assert old in data
    data = data.replace(old, new, 1)
    lines[number - 1] = f'{{"kind":"{kind}","data":{data},"crc32":"{zlib.crc32((kind + data).encode()):08x}"}}'
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_without_options_the_decisions_come_back_and_it_says_so(cli, recorded: Path) -> None:
    result = cli("replay", recorded)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert "All 10 decisions equal the recorded ones bit for bit." in lines
    for step in range(100, 1001, 100):
        assert any(str(step) in line.replace("│", " ").split() for line in lines), step
    assert "stop: reached" in result.stdout
    assert "cut short" not in result.stdout


def test_it_takes_the_log_itself_too_and_writes_nothing(cli, recorded: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in recorded.iterdir()}
    assert cli("replay", recorded / LOG).stdout == cli("replay", recorded).stdout
    assert {path: path.stat().st_mtime_ns for path in recorded.iterdir()} == before


def test_of_very_many_checkpoints_some_are_decided_on_again_and_it_says_so(cli, recorded: Path, monkeypatch) -> None:
    monkeypatch.setattr("breakeven.cli.replay._MOST", 3)
    stop = next(place for place, each in enumerate(read_log(recorded).checkpoints) if each.decision.stop)
    places = sorted({0, 4, 9, stop})
    said = " ".join(cli("replay", recorded).stdout.split())
    assert f"All {len(places)} decisions equal the recorded ones bit for bit." in said
    assert f"10 checkpoints are many: decided again at {len(places)} of them, evenly chosen" in said
    answer = json.loads(cli("replay", recorded, "--json").stdout)
    assert (answer["num_checkpoints"], answer["same_as_recorded"]) == (10, True)
    assert [each["step"] for each in answer["decisions"]] == [100 * (place + 1) for place in places]
    other = json.loads(cli("replay", recorded, "--json", "--policy", "calibrated").stdout)
    assert [each["step"] for each in other["decisions"]] == [each["step"] for each in answer["decisions"]]
    every = " ".join(cli("replay", recorded, "--all").stdout.split())
    assert "All 10 decisions equal" in every
    assert "many" not in every


def test_json_holds_the_policy_and_every_decision(cli, recorded: Path) -> None:
    answer = json.loads(cli("replay", recorded, "--json").stdout)
    assert answer["same_as_recorded"] is True
    assert answer["policy"] == {
        "name": "paper",
        "patience": 2,
        "max_k": 16,
        "k_values": [1, 2, 4],
        "fluctuation_filter": True,
    }
    decisions = [each.decision for each in read_log(recorded).checkpoints]
    assert [(each["step"], each["reason"]) for each in answer["decisions"]] == [
        (each.step, each.reason.value) for each in decisions
    ]
    assert [each["net_saving"] for each in answer["decisions"]] == [each.net_saving for each in decisions]
    first_stop = next(each for each in decisions if each.stop)
    assert answer["decision"]["step"] == first_stop.step
    assert answer["decision"]["action"] == "stop"


def first_stop(cli, *arguments: object) -> float:
    decision = json.loads(cli("replay", *arguments, "--json").stdout)["decision"]
    return int(decision["step"]) if decision["action"] == "stop" else math.inf


def test_more_patience_stops_later_or_never(cli, recorded: Path) -> None:
    stops = {patience: first_stop(cli, recorded, "--patience", patience) for patience in (0, 1, 2, 3, 99)}
    assert stops[0] == stops[1]
    assert stops[3] < math.inf
    assert stops[2] == stops[1] + 100
    assert stops[3] == stops[2] + 100
    assert stops[99] == math.inf


def test_other_settings_are_said_to_be_others(cli, recorded: Path) -> None:
    """The message that decisions equal the recorded ones is about the recorded settings only."""
    for options in (
        ["--patience", 9],
        ["--max-k", 1],
        ["--k-values", "1,2"],
        ["--no-filter"],
        ["--baseline", "greedy"],
    ):
        result = cli("replay", recorded, *options)
        assert result.exit_code == 0
        assert "equal the recorded ones" not in result.stdout
        assert "recorded decisions differ" not in result.stdout
    assert "equal the recorded ones" in cli("replay", recorded, "--patience", 2, "--k-values", "1,2,4").stdout


def test_settings_reach_the_policy(cli, recorded: Path) -> None:
    options = ["--max-k", 3, "--k-values", "1, 2,8", "--no-filter"]
    policy = json.loads(cli("replay", recorded, *options, "--json").stdout)["policy"]
    assert policy == {
        "name": "paper",
        "patience": 2,
        "max_k": 3,
        "k_values": [1, 2, 8],
        "fluctuation_filter": False,
    }
    decisions = json.loads(cli("replay", recorded, "--max-k", 3, "--json").stdout)["decisions"]
    assert all(each["serving"]["k"] <= 3 for each in decisions if each["serving"])
    greedy = json.loads(cli("replay", recorded, "--baseline", "greedy", "--json").stdout)["decisions"]
    assert {each["baseline"] for each in greedy} == {"greedy"}


def test_decisions_that_no_longer_come_out_are_reported_with_the_versions(cli, recorded: Path) -> None:
    rewrite(recorded / LOG, 6, '"net_saving":0.', '"net_saving":0.1')
    result = cli("replay", recorded)
    assert result.exit_code == 0
    assert "The recorded decisions differ. The run was recorded with breakeven 0.0.1, numpy 1.2.3." in result.stdout
    assert json.loads(cli("replay", recorded, "--json").stdout)["same_as_recorded"] is False


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--k-values", "1,2,16"],
            "--k-values must be at most the 8 samples drawn per problem; got [1, 2, 16].",
        ),
        (["--k-values", "1,two"], "--k-values must be whole numbers separated by commas; got '1,two'."),
        (["--k-values", ""], "--k-values must hold at least one K; got []."),
        (["--k-values", "4,2,1"], "--k-values must be increasing whole numbers from 1 up; got [4, 2, 1]."),
        (["--k-values", "0,1"], "--k-values must be increasing whole numbers from 1 up; got [0, 1]."),
        (["--patience", "-1"], "--patience must be a whole number of at least 0; got -1."),
        (["--max-k", "0"], "--max-k must be a whole number of at least 1; got 0."),
        (["--baseline", "gready"], 'baseline must be "greedy", "sampled" or "best"; got \'gready\'.'),
        (["--policy", "mine"], "--policy must be one of calibrated, paper; got 'mine'."),
        (["--risk", "0.1"], "--risk must be an option of policy paper; got 0.1. Leave it out."),
        (["--policy", "calibrated", "--no-filter"], "--filter/--no-filter must be an option of policy calibrated; got"),
        (["--policy", "calibrated", "--risk", "2"], "--risk must be above 0 and below 1; got 2.0."),
        (["--queries", "-1"], "queries must be finite and at least 0; got -1.0."),
    ],
)
def test_settings_out_of_range_are_refused_by_name(refused, recorded: Path, options: list[str], message: str) -> None:
    assert refused("replay", recorded, *options).startswith(message)


def test_a_directory_without_a_run_is_refused(refused, tmp_path: Path) -> None:
    assert refused("replay", tmp_path / "none").startswith(f"there is no run log at {tmp_path / 'none'}")
    assert refused("replay", tmp_path).startswith(f"there is no run log at {tmp_path / LOG}")


def test_last_digits_that_another_cpu_rounds_are_no_other_decision(cli, recorded: Path) -> None:
    record = read_log(recorded)
    with RunLog.create(recorded.parent / "elsewhere", record.header) as log:
        for each in record.checkpoints:
            known = each.decision.forecast
            assert known is not None
            rounded = dataclasses.replace(known, mean=known.mean * (1 + 3e-12))
            log.append(dataclasses.replace(each, decision=dataclasses.replace(each.decision, forecast=rounded)))
    text = " ".join(cli("replay", recorded.parent / "elsewhere").stdout.split())
    assert (
        "All 10 decisions equal the recorded ones in every action, reason and K; last digits differ by at most" in text
    )
    assert "at most 3e-12 (recorded on another CPU, or with other libraries)." in text
    answer = json.loads(cli("replay", recorded.parent / "elsewhere", "--json").stdout)
    assert (answer["same_as_recorded"], answer["largest_relative_difference"]) == (
        False,
        pytest.approx(3e-12, rel=0.01),
    )


def test_another_reason_is_another_decision(cli, recorded: Path) -> None:
    record = read_log(recorded)
    with RunLog.create(recorded.parent / "elsewhere", record.header) as log:
        for each in record.checkpoints:
            other = dataclasses.replace(each.decision, reason=Reason.TOO_COSTLY)
            log.append(dataclasses.replace(each, decision=other))
    assert "The recorded decisions differ." in cli("replay", recorded.parent / "elsewhere").stdout
    answer = json.loads(cli("replay", recorded.parent / "elsewhere", "--json").stdout)
    assert (answer["same_as_recorded"], answer["largest_relative_difference"]) == (False, None)


def test_a_run_without_evaluations_is_refused(refused, recorded: Path) -> None:
    log = recorded / LOG
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    assert "holds no evaluation to decide on. Train on until the first one is recorded." in refused("replay", recorded)


def test_a_log_cut_off_in_its_last_line_is_read_without_it_and_it_is_said(cli, recorded: Path) -> None:
    log = recorded / LOG
    log.write_bytes(log.read_bytes()[:-100])
    result = cli("replay", recorded)
    assert result.exit_code == 0
    assert "All 9 decisions equal the recorded ones bit for bit." in result.stdout
    assert "The log's last line was cut short and was left out." in result.stdout


def test_a_log_damaged_in_the_middle_is_refused_with_the_line(refused, recorded: Path) -> None:
    log = recorded / LOG
    lines = log.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"step":400', b'"step":401')
    log.write_bytes(b"".join(lines))
    message = refused("replay", recorded)
    assert message.startswith(f"{log}, line 5, is damaged: its contents have checksum ")
    assert message.endswith("head -n 4.")


def test_a_log_of_a_later_version_is_refused_with_the_remedy(refused, recorded: Path) -> None:
    rewrite(recorded / LOG, 1, '"format":2', '"format":99')
    message = refused("replay", recorded)
    assert "has log format 99, written by breakeven 0.0.1; this breakeven reads formats up to 2." in message
    assert "pip install --upgrade breakeven" in message


def test_a_log_of_another_policy_is_refused(refused, recorded: Path) -> None:
    rewrite(recorded / LOG, 1, '"fluctuation_filter":true,"patience":2', '"fluctuation_filter":true,"patience":"some"')
    message = refused("replay", recorded)
    assert "was recorded with a policy that this version does not know: policy.patience must be of its type" in message


def test_a_log_that_names_no_policy_is_the_papers(cli, recorded: Path) -> None:
    rewrite(recorded / LOG, 1, '"name":"paper",', "")
    assert "All 10 decisions equal the recorded ones bit for bit." in cli("replay", recorded).stdout


def test_a_run_of_the_paper_is_decided_by_the_other_rule_too(cli, recorded: Path) -> None:
    options = ["--policy", "calibrated", "--risk", "0.2", "--margin", "0.02", "--queries", "1e6"]
    answer = json.loads(cli("replay", recorded, *options, "--json").stdout)
    assert answer["policy"]["name"] == "calibrated"
    assert (answer["policy"]["risk"], answer["policy"]["margin"]) == (0.2, 0.02)
    assert {each["policy"] for each in answer["decisions"]} == {"calibrated"}
    served = [each for each in answer["decisions"] if each["serving"]]
    assert served
    assert all(each["lifetime_flops"] and each["confidence"] >= 0.8 for each in served)
    assert "equal the recorded ones" not in cli("replay", recorded, *options).stdout


# -- a log from somewhere else ----------------------------------------------------------------------------------------


RULE = """
from dataclasses import dataclass
from pathlib import Path
from breakeven import PaperPolicy
Path({mark!r}).touch()
class Mine(PaperPolicy):
    pass
"""


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where a module of one's own, `rule_of_theirs`, leaves a mark when it is imported."""
    (tmp_path / "rule_of_theirs.py").write_text(RULE.format(mark=str(tmp_path / "mark")))
    yield tmp_path / "mark"
    sys.modules.pop("rule_of_theirs", None)


def test_a_rule_that_a_log_names_runs_only_where_it_is_trusted(cli, refused, recorded: Path, mark: Path) -> None:
    rewrite(recorded / LOG, 1, '"name":"paper"', '"name":"rule_of_theirs:Mine"')
    message = refused("replay", recorded)
    assert f"policy.name must name what breakeven ships, for it stands in {recorded}, which may be somebody" in message
    assert "got 'rule_of_theirs:Mine'. To run that code, read it and give --trust-recipe." in message
    assert not mark.exists()
    result = cli("replay", recorded, "--trust-recipe")
    assert result.exit_code == 0
    assert result.stderr == (f"{recorded} names rule_of_theirs:Mine, which is run as it is trusted (--trust-recipe).\n")
    assert "All 10 decisions equal the recorded ones bit for bit." in result.stdout
    assert mark.exists()


def test_strategies_that_a_log_names_are_held_to_the_same(refused, recorded: Path, mark: Path) -> None:
    settings = json.loads(recorded.joinpath(LOG).read_text().splitlines()[0])["data"]["policy"]
    old = json.dumps(settings, separators=(",", ":"))
    new = '{"name":"calibrated","strategies":["rule_of_theirs:Mine"]}'
    rewrite(recorded / LOG, 1, old, new)
    assert "strategies must name what breakeven ships" in refused("replay", recorded)
    assert not mark.exists()
