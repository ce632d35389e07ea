"""Classifiers trained for some steps: what a run leaves, and how one that was killed is gone on with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakeven.classifiers.data import Splits, load_splits
from breakeven.classifiers.recipe import RECIPE, ClassifierConfig, classifier_from
from breakeven.errors import ArgumentError, DivergedError, LogError
from breakeven.session.replay import replay
from breakeven.store import read_log

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("sklearn")

from breakeven.classifiers import saved, train  # noqa: E402
from breakeven.classifiers.models import make_model, rows_of  # noqa: E402

TINY: dict[str, Any] = {
    "name": "tiny",
    "data": {"set": "digits", "num_train": 200, "num_validation": 40, "num_test": 50},
    "model": {
        "family": "vit", "patch": 4, "num_layers": 1, "embedding": 16, "num_heads": 2, "feed_forward": 16,
        "dropout": 0.1,
    },
    "train": {"steps": 20, "batch_size": 32, "learning_rate": 0.01, "warmup_steps": 2, "decay_share": 0.2},
    "passes": {"augment": ["moves"], "dropout": True, "snapshots": 3, "num_passes": 4},
    "evaluate": {"every_steps": 4},
    "policy": {"name": "calibrated", "max_evaluation_share": 100.0},
    "mode": "shadow",
}  # fmt: skip


class Killed(BaseException):
    """As by a signal that nothing catches."""


@pytest.fixture(scope="module")
def tiny() -> tuple[ClassifierConfig, Splits]:
    config = classifier_from(TINY)
    return config, load_splits(config)


@pytest.fixture(scope="module")
def whole(tiny: tuple[ClassifierConfig, Splits], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to its end."""
    directory = tmp_path_factory.mktemp("runs") / "whole"
    started(tiny, directory)
    return directory


def started(tiny: tuple[ClassifierConfig, Splits], directory: Path, **settings: Any) -> Any:
    config, splits = tiny
    saved.start_run(config, directory)
    return train.run(config, splits, directory, **{"mode": config.mode} | settings)


def at(step: int, action: Callable[[], Any]) -> Callable[[Any], None]:
    return lambda progress: action() if progress.step == step else None


def kill() -> None:
    raise Killed


def test_a_run_leaves_its_log_and_the_weights_of_every_evaluation(tiny: Any, whole: Path) -> None:
    record = read_log(whole)
    assert [each.observation.step for each in record.checkpoints] == [4, 8, 12, 16, 20]
    assert record.header.config["name"] == "tiny"
    assert record.header.config["model"]["patch"] == 4
    assert record.header.spec.decay_share == pytest.approx(0.2)
    observed = record.checkpoints[-1].observation
    assert observed.train_tokens == 20 * 32, "examples"
    assert observed.bank.soft_votes is not None
    assert {each.strategy for each in observed.bank.soft_votes} >= {"snapshot_ensemble"}
    assert observed.bank.num_problems == 40
    decided = [each.decision for each in record.checkpoints]
    observations = [each.observation for each in record.checkpoints]
    assert list(replay(observations, record.header.spec, tiny[0].policy)) == decided
    names = {each.relative_to(whole).as_posix() for each in whole.rglob("*")}
    assert {f"checkpoint-{step}/model.safetensors" for step in (4, 8, 12, 16, 20)} <= names
    assert {each for each in names if each.endswith("optimizer.pt")} == {"checkpoint-20/optimizer.pt"}


def test_kept_weights_are_those_that_were_measured(tiny: Any, whole: Path) -> None:
    config, splits = tiny
    rows = rows_of(splits.validation)
    images = torch.stack([each["pixel_values"] for each in rows])
    labels = torch.tensor([each["labels"] for each in rows])
    for each in read_log(whole).checkpoints:
        model = saved.load_model(config, splits, whole, each.observation.step)
        with torch.no_grad():
            right = (model(images).logits.argmax(dim=-1) == labels).float().mean()
        assert right.item() == pytest.approx(each.observation.bank.greedy_accuracy, abs=1.01 / len(rows))
    with pytest.raises(ArgumentError, match=r"^step must be that of a checkpoint in .*; got 5. There are 4, 8, 12"):
        saved.load_model(config, splits, whole, 5)


def test_two_runs_of_a_seed_leave_the_same_log(tiny: Any, whole: Path, tmp_path: Path) -> None:
    started(tiny, tmp_path / "again")
    assert (tmp_path / "again" / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


@pytest.mark.parametrize("step", [2, 4, 10, 18])
def test_a_run_that_was_killed_goes_on_to_the_same_log(tiny: Any, whole: Path, tmp_path: Path, step: int) -> None:
    run_dir = tmp_path / "killed"
    with pytest.raises(Killed):
        started(tiny, run_dir, on_progress=at(step, kill))
    config, splits = tiny
    train.run(saved.recorded_config(run_dir), splits, run_dir, mode=config.mode)
    assert (run_dir / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


def test_a_run_that_is_interrupted_ends_at_its_step_and_goes_on(tiny: Any, whole: Path, tmp_path: Path) -> None:
    run_dir, interrupts = tmp_path / "interrupted", list[bool]()
    result = started(tiny, run_dir, on_progress=at(6, lambda: interrupts.append(True)), interrupted=lambda: interrupts)
    assert (result.step, result.interrupted) == (6, True)
    config, splits = tiny
    steps: list[int] = []
    result = train.run(config, splits, run_dir, mode="shadow", on_progress=lambda told: steps.append(told.step))
    assert (result.step, result.interrupted, steps[0]) == (20, False, 7)
    assert (run_dir / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
    assert not (run_dir / "checkpoint-6").exists(), "nothing was measured at it"


def test_a_checkpoint_that_a_kill_left_half_written_is_passed_over(tiny: Any, whole: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "killed"
    with pytest.raises(Killed):
        started(tiny, run_dir, on_progress=at(10, kill))
    (run_dir / "checkpoint-12").mkdir()
    (run_dir / "checkpoint-12" / "optimizer.pt").write_bytes(b"half")
    assert saved.step_of(saved.last_checkpoint(run_dir)) == 8
    train.run(tiny[0], tiny[1], run_dir, mode="shadow")
    assert (run_dir / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


def test_a_run_that_has_ended_trains_no_more(tiny: Any, whole: Path) -> None:
    before = (whole / "log.jsonl").read_bytes()
    result = train.run(
        tiny[0], tiny[1], whole, mode="shadow", on_progress=lambda told: pytest.fail(f"step {told.step}")
    )
    assert (result.step, (whole / "log.jsonl").read_bytes()) == (20, before)


def test_a_loss_that_is_nan_ends_the_run(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = make_model

    def broken(*arguments: Any) -> Any:
        model = real(*arguments)
        model.classifier.weight.data.fill_(float("nan"))
        return model

    monkeypatch.setattr(train, "make_model", broken)
    monkeypatch.setattr("breakeven.sampling.classes.ClassSampler.try_out", lambda self, problems: None)
    with pytest.raises(DivergedError, match="step 1"):
        started(tiny, tmp_path / "run")


def test_a_directory_that_holds_a_run_is_refused(tiny: Any, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^--out must be a new directory.*It holds recipe.json of a run"):
        saved.start_run(tiny[0], whole)
    (tmp_path / RECIPE).write_text("{")
    with pytest.raises(LogError, match=r"recipe.json cannot be read"):
        saved.recorded_config(tmp_path)


def test_texts_are_trained_on_with_a_tokenizer_that_is_kept(tmp_path: Path) -> None:
    lines = [
        f"{n}\t{3.0 if n % 2 else -3.0}\tit is {'lovely' if n % 2 else 'dreadful'} number {n % 7}\n" for n in range(300)
    ]
    (tmp_path / "reviews.txt").write_text("".join(lines), encoding="utf-8")
    config = classifier_from(
        {
            "name": "texts",
            "data": {"set": "movies", "path": str(tmp_path / "reviews.txt")},
            "model": {"family": "deberta", "num_layers": 1, "embedding": 16, "num_heads": 2, "vocab_size": 320},
            "train": {"steps": 12, "batch_size": 32, "learning_rate": 0.02, "warmup_steps": 2},
            "passes": {"dropout": True, "num_passes": 4},
            "evaluate": {"every_steps": 4},
            "policy": {"max_evaluation_share": 100.0},
        }
    )
    splits = load_splits(config)
    for name in ("one", "other"):
        started((config, splits), tmp_path / name)
    one, other = (tmp_path / name for name in ("one", "other"))
    assert (one / "log.jsonl").read_bytes() == (other / "log.jsonl").read_bytes()
    assert (one / "tokenizer.json").read_bytes() == (other / "tokenizer.json").read_bytes()
    assert read_log(one).checkpoints[-1].observation.bank.greedy_accuracy > 0.9
    model = saved.load_model(config, splits, one, 4)
    assert model.config.vocab_size <= 320


def test_series_have_a_network_of_their_own(tiny: Any) -> None:
    pytest.importorskip("mnist1d")
    settings = {"model": {"family": "conv1d", "widths": [4, 4]}, "passes": {"augment": ["shifts"]}}
    config = classifier_from(TINY | settings | {"data": {"set": "mnist1d"}})
    splits = load_splits(config)
    rows = rows_of(splits.validation)
    assert rows[0]["series"].shape == (1, 40)
    model = make_model(config.model, splits.train)
    output = model(torch.stack([each["series"] for each in rows[:3]]), torch.tensor([0, 1, 2]))
    assert output["logits"].shape == (3, 10)
    assert output["loss"].item() > 0
