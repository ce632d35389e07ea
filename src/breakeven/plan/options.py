"""Options of the user's own: which is the cheapest, and from how many queries on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from breakeven import check
from breakeven.choice.choose import least_of, value_of
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.plan.row import Asked, Row
from breakeven.readers.eval_results import RESULTS_NAME, EvalResults, evaluation_in, read_evaluation
from breakeven.readers.option_table import check_readable, read_options
from breakeven.records import Measurement
from breakeven.records.as_options import option_of_measurement
from breakeven.records.options import Option
from breakeven.records.plans import PlanAnswer
from breakeven.report.format import format_quality
from breakeven.report.words import strategy_words
from breakeven.store import LOG_NAME

TAKES: Final = "a table of options (CSV, JSON or JSONL), a plan.json, results of breakeven eval, or a run"
_ON: Final = " on "
"""Between what the quality is, and the task it is known to be of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How files are read, and what is good enough where no target is given."""

    margin: float = 0.01
    """Accuracy that may be lost: the target is so much below the fully trained model's, or else the best there is."""
    oracle: bool = False
    """Whether strategies that pick with the reference answer are options, too, of runs and of evaluations."""
    train_flops: tuple[float, ...] = ()
    """Of the model of each evaluation among the files, in their order: an evaluation does not know them."""

    def __post_init__(self) -> None:
        check.finite("margin", self.margin)
        for each in self.train_flops:
            check.finite("train_flops", each)


@dataclass(slots=True, kw_only=True)
class _Read:
    """What the files hold, as they are read."""

    options: list[Option] = field(default_factory=list)
    full: list[Option] = field(default_factory=list)
    """Fully trained models among them."""
    declared: list[tuple[float, Path]] = field(default_factory=list)
    """Accuracies that runs declare to be reached."""
    words: dict[str, Path] = field(default_factory=dict)
    """What the quality is, by the first file that says so."""
    tasks: dict[str, Path] = field(default_factory=dict)
    """Of runs, by the first that was trained on it."""
    not_counted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_evaluations: int = 0


def answer(asked: Asked) -> PlanAnswer:
    """The options of all files."""
    settings: Settings = asked.settings
    if not asked.files:
        raise argument_error("--from", f"be given: {TAKES}", None, "For example --from options.csv.")
    read = _Read()
    for path in asked.files:
        prefix = f"{_label(path)}: " if len(asked.files) > 1 else ""
        _reader_of(path)(path, prefix, settings, read)
    if settings.train_flops and len(settings.train_flops) != read.num_evaluations:
        rule = f"hold a number for each of the {read.num_evaluations} evaluations"
        raise argument_error("train_flops", rule, list(settings.train_flops))
    quality = _one_word(read.words)
    if len(read.tasks) > 1:
        (one, first), (other, second), *_ = read.tasks.items()
        raise LogError(
            f"{second} must be a run on the task of {first}, {one}, to be compared with it; it is on {other}."
        )
    target, why = _target(read, settings.margin, asked.sure)
    return PlanAnswer(
        options=tuple(read.options),
        target=target,
        target_of=why,
        quality=quality,
        not_counted=tuple(dict.fromkeys(read.not_counted)),
        notes=tuple(dict.fromkeys(read.notes)),
    )


_Reader = Callable[[Path, str, Settings, _Read], None]


def _reader_of(path: Path) -> _Reader:
    if path.name == LOG_NAME or (path / LOG_NAME).is_file():
        return _run
    if not path.is_dir():
        check_readable(path)
    if evaluation_in(path) is not None:
        return _evaluation
    if path.is_dir():
        raise LogError(
            f"{path} must hold {LOG_NAME}, of a run, or {RESULTS_NAME}, of breakeven eval; it has neither. "
            "Of a plan, give its plan.json."
        )
    return _table


def _label(path: Path) -> str:
    """By which the options of one file are told from those of another."""
    return (path.parent if path.name in (LOG_NAME, RESULTS_NAME) else path).resolve().stem


def _table(path: Path, prefix: str, settings: Settings, read: _Read) -> None:
    table = read_options(path)
    read.options += table.options
    read.words.setdefault(table.quality, path)
    read.not_counted += table.not_counted


def _run(path: Path, prefix: str, settings: Settings, read: _Read) -> None:
    from breakeven.plan.from_runs import options_of_run  # what decides is not needed for a table

    found = options_of_run(path, oracle=settings.oracle, prefix=prefix)
    read.options += found.options
    read.full += [found.full] if found.full is not None else []
    read.declared += [] if found.target is None else [(found.target, path)]
    read.words.setdefault("accuracy", path)
    if found.task:
        read.tasks.setdefault(found.task, path)
    read.notes += found.notes


def _evaluation(path: Path, prefix: str, settings: Settings, read: _Read) -> None:
    file = evaluation_in(path)
    assert file is not None
    found, at = read_evaluation(file), read.num_evaluations
    read.num_evaluations += 1
    known = at < len(settings.train_flops)
    if not known:
        read.not_counted.append(
            f"training of {found.model}: an evaluation does not know it, and it stands as 0 (--set train_flops=[...])"
        )
    read.options += _measured(found, file, prefix, settings.train_flops[at] if known else 0.0, settings.oracle)
    read.words.setdefault(f"accuracy{_ON}{found.task}" if found.task else "accuracy", path)
    left = {each.strategy for each in found.measurements if not each.deployable}
    if left and not settings.oracle:
        names = ", ".join(map(strategy_words, sorted(left)))
        read.notes.append(f"Left out, as it picks with the reference answer: {names} (--set oracle=true).")


def _measured(found: EvalResults, file: Path, prefix: str, train_flops: float, oracle: bool) -> Iterator[Option]:
    for each in found.measurements:
        if not (each.deployable or oracle):
            continue
        try:
            yield option_of_measurement(
                each, name=prefix + _way(each), train_flops=train_flops, settings={"model": found.model}
            )
        except ArgumentError as error:
            raise LogError(f"{file}: {error}") from error


def _way(each: Measurement) -> str:
    if each.strategy == "greedy":
        return "greedy"
    verdicts = f", {each.num_verdicts} verdicts each" if each.num_verdicts else ""
    return f"{strategy_words(each.strategy)}, K = {each.k}{verdicts}"


def _one_word(words: dict[str, Path]) -> str:
    """What the quality of all options is.

    Raises:
        LogError: files say it is not the same, so that options could not be compared.
    """
    said = [each for each in words if each != "quality"]
    kinds = list(dict.fromkeys(each.partition(_ON)[0] for each in said))
    of_tasks = [each for each in said if _ON in each]
    for differing in (kinds, of_tasks):
        if len(differing) > 1:
            one, other = (
                next(each for each in said if name in (each, each.partition(_ON)[0])) for name in differing[:2]
            )
            raise LogError(
                f"{words[other]} must hold the {one} of {words[one]}, to be compared with it; it holds the {other}. "
                "Give files of one task, or call both qualities the same."
            )
    return kinds[0] if kinds else "quality"


def _target(read: _Read, margin: float, sure: bool) -> tuple[float | None, str]:
    """What is good enough where the user does not say, and where that comes from."""
    said = "No target was given: it is {}, {}. Another: --target, or --set margin=..."
    if read.declared:
        declared, path = max(read.declared)
        value = max(0.0, declared - margin)
        where = f"{margin:g} below the {format_quality(declared)} that {path.name} declares"
        return value, said.format(format_quality(value), where)
    mine = [each for each in read.options if not each.is_published]
    quality = least_of if sure and not read.full else value_of  # the best of them, as they are held against it
    best = max(read.full or mine, key=quality, default=None)
    if best is None or not (read.full or all(0 <= each.quality.value <= 1 for each in mine)):
        return None, ""
    value = max(0.0, quality(best) - margin)
    by = " by the lower end of its interval" if quality is least_of and best.quality.lo is not None else ""
    where = f"{margin:g} below {best.name} ({format_quality(quality(best))}{by}, {best.quality.made})"
    return value, said.format(format_quality(value), where)


ROW = Row(name="options", settings=Settings, answer=answer, free=("margin", "oracle", "train_flops"), takes_files=TAKES)
