"""Two processes of one run: the same counts, the same decision, the same error, and one log."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from breakeven.adapters.ranks import agreed, everywhere, summed
from breakeven.store import read_log

pytest.importorskip("accelerate")
TWO = Path(__file__).parent / "two_ranks.py"
DYING = Path(__file__).parent / "two_dying.py"
ZERO = Path(__file__).parent / "two_zero.py"


def test_alone_it_is_what_this_process_says() -> None:
    assert summed([3, 4], "cpu") == (3, 4)
    assert agreed(lambda: "stop") == everywhere(lambda: "stop") == "stop"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the run directories."""
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def told(two_processes, place: Path) -> list[dict]:
    """What two processes say, on gloo."""
    codes, said = two_processes(TWO, place)
    assert codes == [0, 0], said
    return [json.loads(out.splitlines()[-1]) | {"said": err} for out, err in said]


@pytest.mark.slow
def test_a_stop_is_at_the_same_step_everywhere_with_equal_weights(told: list[dict]) -> None:
    first, second = told
    assert first["step"] == second["step"] < 40
    assert first["weights"] == second["weights"]


@pytest.mark.slow
def test_only_the_first_process_measures_and_writes(told: list[dict]) -> None:
    assert [each["has_session"] for each in told] == [True, False]


@pytest.mark.slow
def test_counts_are_of_both(told: list[dict]) -> None:
    assert told[0]["summed"] == told[1]["summed"] == [1, 20]
    assert told[0]["gathered"] == told[1]["gathered"] == ["of 0", "of 1"]


@pytest.mark.slow
def test_an_error_of_one_process_reaches_both(told: list[dict]) -> None:
    assert [each["error"] for each in told] == ["no space, no template"] * 2


@pytest.mark.slow
def test_both_draw_what_one_draws_from_averaged_weights_too(told: list[dict]) -> None:
    for each in told:
        assert each["draws"]["same"] == [True] * 10
        assert each["draws"]["untouched"]


@pytest.mark.slow
def test_an_error_of_either_in_sampling_reaches_both_in_its_own_words(told: list[dict]) -> None:
    """Each has half of the nine problems; the type of an error that cannot be sent is named."""
    for each in told:
        first, second = each["draws"]["errors"]
        assert first.endswith("UnsendableError: out of memory with 5 problems")
        assert second == "RuntimeError: UnsendableError: out of memory with 4 problems"


@pytest.mark.slow
def test_training_is_as_without_evaluations_in_both(told: list[dict]) -> None:
    for each in told:
        loops = each["loops"]
        assert loops["unwatched"]["step"] == loops["advise"]["step"] == 40
        assert loops["unwatched"]["weights"] == loops["advise"]["weights"] == loops["shadow"]["weights"]
        assert loops["stop"]["step"] < 40


@pytest.mark.slow
def test_a_stop_by_hand_is_taken_up_between_evaluations_by_both(told: list[dict], place: Path) -> None:
    """Asked for at step 16, of evaluations at 15 and 30; all look every ten steps."""
    assert [each["loops"]["asked"]["step"] for each in told] == [20, 20]
    assert [(each.step, each.action) for each in read_log(place / "asked").steering] == [(20, "stop")]


@pytest.mark.slow
def test_the_verification_is_drawn_by_both(told: list[dict], place: Path) -> None:
    assert [each["loops"]["shadow"]["verified"] for each in told] == [True, False]
    assert read_log(place / "shadow").verification is not None


@pytest.mark.slow
def test_a_full_disk_of_the_first_process_ends_evaluations_and_no_training(told: list[dict], place: Path) -> None:
    for each in told:
        loops = each["loops"]
        assert loops["full_disk"] == loops["advise"] | {"measured_at": 10}
    assert "training goes on: RunStorageError: no space left on device" in told[0]["said"]
    assert len(read_log(place / "full").checkpoints) == 1


@pytest.mark.slow
def test_a_sharded_model_is_drawn_from_in_step_as_if_it_were_whole(told: list[dict], place: Path) -> None:
    for each in told:
        assert each["loops"]["sharded"] == each["loops"]["stop"]
    sharded, whole = (read_log(place / name).checkpoints for name in ("sharded", "stop"))
    assert [each.observation.bank for each in sharded] == [each.observation.bank for each in whole]


@pytest.mark.slow
def test_a_classifier_is_passed_over_by_both_and_trained_as_without(told: list[dict], place: Path) -> None:
    for each in told:
        watched, alone = each["classifier"]
        assert watched == {"weights": alone["weights"], "measured_at": 20}
    checkpoints = read_log(place / "classes-True").checkpoints
    assert [each.observation.step for each in checkpoints] == [5, 10, 15, 20]
    assert checkpoints[0].observation.train_tokens == 2 * 5 * 8
    assert checkpoints[-1].observation.bank.num_problems == 41
    assert checkpoints[-1].observation.bank.soft_votes


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("deepspeed") is None, reason="needs DS_BUILD_OPS=0 pip install --no-build-isolation deepspeed"
)
def test_a_model_that_zero_3_shards_is_trained_and_drawn_from_as_if_it_were_whole(
    two_processes, told: list[dict], place: Path, tmp_path: Path
) -> None:
    codes, said = two_processes(ZERO, tmp_path)
    assert codes == [0, 0], said
    first, second = (json.loads(out.splitlines()[-1]) for out, _ in said)
    assert first == second | {"has_session": True} == {"step": told[0]["step"], "sharded": True, "has_session": True}
    sharded, whole = (read_log(each / "breakeven").checkpoints for each in (tmp_path, place))
    assert [each.observation.bank for each in sharded] == [each.observation.bank for each in whole]


@pytest.mark.slow
def test_a_process_that_dies_in_an_evaluation_ends_the_other_and_leaves_a_whole_log(
    two_processes, tmp_path: Path
) -> None:
    """The evaluation at step 20 is lost and nothing else; that at 10 is whole, and 20 counts as not tried."""
    codes, said = two_processes(DYING, tmp_path)
    assert codes[1] == 9
    assert codes[0] not in {0, 9}
    assert "LostProcessError: Another process of this run has ended, or has not answered in time" in said[0][1]
    record = read_log(tmp_path / "run")
    assert [each.observation.step for each in record.checkpoints] == [10]
    assert not record.failures
