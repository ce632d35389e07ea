"""What each checkpoint of a run could be served with, by the curves that its decisions rest on."""

import dataclasses
from pathlib import Path

import pytest

from breakeven.config import policy_from
from breakeven.records import ServingPoint
from breakeven.session.offers import MOST, offers, told
from breakeven.store import RunRecord, read_log

LOG = Path(__file__).parents[2] / "examples/runs/countdown-1"


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return read_log(LOG)


def offered(record: RunRecord) -> list[ServingPoint]:
    observed, decided = zip(*((each.observation, each.decision) for each in record.checkpoints), strict=True)
    return offers(observed, decided, record.header.spec, policy_from(record.header.policy))


def test_what_was_chosen_is_among_them(record: RunRecord) -> None:
    """To the last digit on a machine like the one it was recorded on."""
    chosen = record.checkpoints[-1].decision.serving
    assert chosen is not None
    wanted = (chosen.step, chosen.strategy, chosen.k)
    (same,) = [each for each in offered(record) if (each.step, each.strategy, each.k) == wanted]
    assert (same.deployable, same.made) == (chosen.deployable, chosen.made)
    assert same.accuracy == pytest.approx(chosen.accuracy, rel=1e-9)
    assert same.flops_per_query == pytest.approx(chosen.flops_per_query, rel=1e-9)
    assert same.expected_samples == pytest.approx(chosen.expected_samples, rel=1e-9)


def test_every_checkpoint_has_a_greedy_sample_and_powers_of_two(record: RunRecord) -> None:
    found = offered(record)
    assert {each.step for each in found if each.strategy == "greedy"} == {40, 80, 120, 160, 200, 240}
    assert [each.k for each in found if each.step == 240 and each.strategy == "pass@k"] == [1, 2, 4, 8, 16, 32, 64]


def test_a_cap_on_a_query_leaves_out_what_exceeds_it(record: RunRecord) -> None:
    spec = dataclasses.replace(record.header.spec, max_query_flops=4e7)
    observed, decided = zip(*((each.observation, each.decision) for each in record.checkpoints), strict=True)
    found = offers(observed, decided, spec, policy_from(record.header.policy))
    assert found
    assert max(each.flops_per_query or 0.0 for each in found) <= 4e7


def test_of_many_checkpoints_some_are_told_and_every_stop(record: RunRecord) -> None:
    first = record.checkpoints[0]
    many = [
        dataclasses.replace(first.observation, step=step, train_flops=step * 1e10) for step in range(1, 2 * MOST + 1)
    ]
    decided = [dataclasses.replace(first.decision, step=each.step) for each in many]
    found = offers(many, decided, record.header.spec, policy_from(record.header.policy))
    assert len({each.step for each in found}) == MOST


def test_of_very_many_stops_the_first_is_told(record: RunRecord) -> None:
    stop = record.checkpoints[-1].decision
    places = told([record.checkpoints[0].decision] * 777 + [stop] * 500)
    assert len(places) <= MOST + 2
    assert {0, 777, 1276} <= places
