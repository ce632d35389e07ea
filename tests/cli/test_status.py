"""`breakeven status`, `stop` and `veto`, on runs that train and on runs that have ended."""

import json
from pathlib import Path

import pytest

from breakeven.cli.report import run_document
from breakeven.records import Steering
from breakeven.session.steering import asked_of
from breakeven.store import RunLog, read_log


def test_status_of_an_ended_run_says_what_was_decided(cli, recorded: Path) -> None:
    text = cli("status", recorded).stdout
    assert f"{recorded}: not training now; last recorded" in text
    assert "Decision  Stop at step" in text
    assert "Accuracy  " in text
    assert "█" in text
    assert "Training up to step" in text
    assert "Wall time is not recorded" in text
    assert "Next" not in text


def test_status_says_what_the_page_of_the_run_opens_with(cli, recorded: Path) -> None:
    document = run_document(recorded)
    text = cli("status", recorded).stdout
    assert f"Decision  {document.verdict} (" in text
    assert f"\n{document.lead}\n" in text
    assert len(document.facts) == 4
    for fact in document.facts:
        (line,) = (line for line in text.splitlines() if line.startswith(fact.what))
        assert line.split(maxsplit=len(fact.what.split()))[-1].startswith(fact.number)
        assert line.endswith(fact.how)


def test_status_of_a_live_run_names_its_process_and_next_evaluation(cli, recorded: Path) -> None:
    last = read_log(recorded).checkpoints[-1].observation.step
    every = read_log(recorded).header.config["evaluate"]["every_steps"]
    with RunLog.open(recorded) as log:
        told = json.loads(cli("status", recorded, "--json").stdout)
        assert " on " in told["process"]
        assert [each["step"] for each in told["curve"]] == [each.observation.step for each in log.checkpoints]
        spent = log.checkpoints[-1].decision.used >= 1
        assert told["next_evaluation_step"] == (None if spent else (last // every + 1) * every)
        assert told["steered"] is None


@pytest.mark.parametrize("command", ["stop", "veto"])
def test_a_run_that_trains_is_asked_and_status_shows_it(cli, recorded: Path, command: str) -> None:
    with RunLog.open(recorded) as log:
        text = cli(command, recorded, "--reason", "enough").stdout
        assert "Asked process" in text
        request = asked_of(recorded)
        assert request is not None
        assert (request.action, request.reason) == (command, "enough")
        assert f"Asked     {command}, not taken up yet." in cli("status", recorded).stdout
        log.append(Steering(step=3, action=request.action, reason=request.reason, request=request.id))
    assert f"Steered   {command} by hand, taken up at step 3: enough" in cli("status", recorded).stdout
    assert "Withdrawn." in cli(command, recorded, "--withdraw").stdout
    assert read_log(recorded).steering[-1].action == "withdraw"
    assert asked_of(recorded) is None


@pytest.mark.parametrize("command", ["stop", "veto"])
def test_a_run_that_does_not_train_is_not_asked(refused, recorded: Path, command: str) -> None:
    assert refused(command, recorded).startswith("RUN must be a run that is training now; no process holds it; got")
    assert asked_of(recorded) is None
    assert "Nothing is in force" in refused(command, recorded, "--withdraw")
    assert "there is no run log" in refused(command, recorded / "nowhere")
