"""Verdicts of a checker on many completions: right, wrong, or not known."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from breakeven import check
from breakeven.errors import CheckFailedError, argument_error
from breakeven.records import CHECK_FAILED, Problem
from breakeven.records.asking import is_right
from breakeven.records.protocols import Verifier


def grade(
    verifier: Verifier,
    problems: Sequence[Problem],
    texts_PN: Sequence[Sequence[str]],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """One row a problem, one character a text: `1` right, `0` wrong, `?` the checker failed.

    Equal texts of a problem are checked once. An exception other than CheckFailedError is the caller's, and so is the
    ArgumentError for a verdict that is not True or False.

    Args:
        verifier: must bear calls from several threads where `workers` is above 1.
        problems: with their references, where the checker needs them.
        texts_PN: completions of each problem, in its order; rows may differ in length.
        workers: checks at once, in threads: of use where the checker waits for processes or servers.
        progress: told (texts checked, texts to check) as it goes, in the caller's thread.
    """
    check.at_least("workers", workers, 1)
    if len(texts_PN) != len(problems):
        raise argument_error("texts_PN", f"have a row for each of the {len(problems)} problems", len(texts_PN))
    jobs = [
        (row, problem, text)
        for row, (problem, texts) in enumerate(zip(problems, texts_PN, strict=True))
        for text in dict.fromkeys(texts)
    ]
    verdicts: list[dict[str, str]] = [{} for _ in problems]

    def checked(job: tuple[int, Problem, str]) -> str:
        try:
            return "1" if is_right(verifier, job[1], job[2]) else "0"
        except CheckFailedError:
            return CHECK_FAILED

    def note(results: Iterator[str]) -> None:
        for done, ((row, _, text), verdict) in enumerate(zip(jobs, results, strict=True), 1):
            verdicts[row][text] = verdict
            if progress is not None:
                progress(done, len(jobs))

    if workers == 1 or len(jobs) < 2:
        note(map(checked, jobs))
    else:
        with ThreadPoolExecutor(workers) as pool:
            note(pool.map(checked, jobs))
    return ["".join(verdicts[row][text] for text in texts) for row, texts in enumerate(texts_PN)]
