"""What an evaluation holds in memory: banks of 256 answers of 2 kB a problem, drawn, graded, resumed and measured.

    python benchmarks/bank_memory.py [PROBLEMS]

The goal is 10,000 problems under 2 GB: the peak is that of PROBLEMS (1,000) and of half of them, and what each further
one adds carries it on to 10,000 where PROBLEMS is less, which is then an extrapolation and said so.
"""

import resource
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from breakeven.eval.bank import resumed
from breakeven.eval.measure import measure
from breakeven.eval.prices import Costs
from breakeven.eval.samples import drawn_samples
from breakeven.records import Completion, Draw, Problem
from breakeven.store import SampleFile, SamplesHeader

NUM_SAMPLES, LENGTH, GOAL = 256, 2_000, 10_000
HEADER = SamplesHeader(versions={}, model="m", task="t", temperature=1.0, seed=0, max_tokens=8, settings={})


@dataclass(frozen=True)
class Numbers:
    """Problems whose answer is the last word of a text."""

    size: int
    name: str = "numbers"
    max_tokens: int = 1_000
    stop: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """As many as asked for."""
        return tuple(Problem(id=f"p{n}", prompt=f"{n} =", reference=str(n % 5)) for n in range(self.size))

    def extract(self, completion: str) -> str | None:
        """The last word."""
        return completion.split()[-1]

    def canonical(self, answer: str) -> str:
        """As it is."""
        return answer

    def equivalent(self, answer: str, other: str) -> bool:
        """Equal texts alone."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """Whether it is the reference."""
        return self.extract(completion) == problem.reference


class Sampler:
    """Texts of 2 kB that all differ."""

    def sample(self, problems: list[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        """As of the protocol."""
        return [
            Draw(prompt_tokens=9, completions=tuple(text(each.id, n) for n in range(num_samples))) for each in problems
        ]


def text(problem: str, number: int) -> Completion:
    """One sample."""
    words = f"{problem}-{number} "
    random = zlib.crc32(words.encode())
    return Completion(text=(words * LENGTH)[:LENGTH] + f" {random % 5}", output_tokens=400 + random % 200)


def evaluate(directory: Path, size: int) -> None:
    """Draw and grade; begin anew from the file; measure."""
    task = Numbers(size)
    for num_samples in (NUM_SAMPLES // 2, NUM_SAMPLES):
        with SampleFile(directory, HEADER) as file:
            collector = resumed(file, Sampler(), task)
            collector.draw(size, num_samples)
            samples = drawn_samples(collector, task.problems)
    strategies = ["greedy", "pass@k", "majority_vote"]
    measure(samples, strategies, [1, 4, 16, 64, NUM_SAMPLES], Costs(model=None, reward=None, num_verdicts=0))
    seconds = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{seconds.ru_utime + seconds.ru_stime} {seconds.ru_maxrss / 1024}\n")


def peak(size: int) -> tuple[float, float]:
    """CPU seconds and peak MB of a process that does it with so many problems."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, __file__, str(size), directory]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    sys.stdout.write(
        f"{size:6} problems x {NUM_SAMPLES} x {LENGTH} characters: {seconds:.0f} CPU s, {megabytes:.0f} MB\n"
    )
    return seconds, megabytes


def main() -> None:
    if len(sys.argv) > 2:
        evaluate(Path(sys.argv[2]), int(sys.argv[1]))
        return
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    (_, half), (_, whole) = peak(size // 2), peak(size)
    if size < GOAL:
        more = (whole - half) / (size - size // 2)
        sys.stdout.write(f"{GOAL:6} problems, extrapolated: {whole + more * (GOAL - size):.0f} MB\n")


if __name__ == "__main__":
    main()
