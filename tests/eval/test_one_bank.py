"""A run and an evaluation of one model by one seed have one bank, to the byte, whatever pieces it was drawn in."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.data.reference import ReferenceProblems
from breakeven.eval.bank import resumed
from breakeven.eval.models import LoadedModel, ModelOptions, load_model
from breakeven.eval.run import RewardSource, evaluate_model
from breakeven.readers.options import ReadOptions
from breakeven.readers.read import read_evals
from breakeven.records import Completion, Draw, Finish, Observation, Prefix, Problem, Reward, RunSpec, SampleBank
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.session.step import Measured, curves_of, measured_of, take_step
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course
from breakeven.stopping.lifetime import query_price
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.store import SampleFile, read_log

COST = ModelCost(body_params=100)
NUM_PROBLEMS, STEPS = 24, 12
STEP_TOKENS = 100_000
PLAN = RunSpec(budget_flops=COST.train_flops(STEPS * STEP_TOKENS / 10, 10), baseline="sampled", decay_share=0.0)


class Halves:
    """A number and a half, which may be written in two ways; zeros in front do not count."""

    name = "halves"
    max_tokens = 9
    stop: tuple[str, ...] = ()
    problems = tuple(Problem(id=f"p{n}", prompt=f"{n} + 1/2 =", reference=f"{n}.5") for n in range(NUM_PROBLEMS))

    def extract(self, completion: str) -> str | None:
        return completion.partition("=")[2] or None

    def canonical(self, answer: str) -> str:
        return answer.lstrip("0")

    def equivalent(self, answer: str, other: str) -> bool:
        return answer.replace(" 1/2", ".5") == other.replace(" 1/2", ".5")

    def check(self, problem: Problem, completion: str) -> bool:
        answer = self.extract(completion)
        return answer is not None and self.equivalent(self.canonical(answer), problem.reference or "")


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


class Model:
    """Says what a hash of (seed, problem, number) picks, right ones more often the longer it is trained."""

    def __init__(self, most_calls: int = 1000) -> None:
        self.level, self.calls = 100, iter(range(most_calls))

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        assert all(each.reference is None for each in problems)
        if next(self.calls, None) is None:
            raise Killed
        return [
            Draw(
                prompt_tokens=3 + len(each.prompt),
                completions=tuple(
                    self._said(each, f"{seed} {number}" if temperature else "greedy")
                    for number in range(first, first + num_samples)
                ),
            )
            for each in problems
        ]

    def _said(self, problem: Problem, key: str) -> Completion:
        luck = zlib.crc32(f"{key} {problem.id}".encode()) % 1000
        number = int(problem.id[1:]) + 1
        right = (f"={number - 1}.5", f"=0{number - 1}.5", f"={number - 1} 1/2")
        texts = right if luck < self.level else (f"={number}", "nothing", f"={luck}")
        return Completion(text=texts[luck % 3], output_tokens=1 + luck % 7, finish=Finish.STOP)


class Short:
    """Prefers short solutions."""

    kind: Literal["outcome"] = "outcome"

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        assert all(each.problem.reference is None for each in prefixes)
        return [Reward(value=1 / (1 + len(each.text)), read_tokens=5, output_tokens=2) for each in prefixes]


def run_banks(policy: Any) -> Iterator[tuple[SampleBank, int]]:
    """The bank of each checkpoint of a run, with how well it was trained then."""
    task, model = Halves(), Model()
    session = Session(
        sampler=model,
        verifier=task,
        problems=task.problems,
        cost=COST,
        sequence_tokens=10,
        spec=PLAN,
        policy=policy,
        num_samples=16,
        seed=11,
        answers=task,
        reward_model=Short(),
        reward_cost=ModelCost(body_params=1),
    )
    for step in range(1, STEPS + 1):
        model.level = round(500 * (1 - 0.4**step))
        session.observe(step=step, train_tokens=step * STEP_TOKENS)
        yield session.checkpoints[-1].observation.bank, model.level


def evaluate(directory: Path, bank: SampleBank, level: int, num_samples: int, most_calls: int = 1000) -> None:
    model = Model(most_calls)
    model.level = level
    evaluate_model(
        LoadedModel(name="m", sampler_of=lambda max_tokens, stop: model, cost=COST, settings={}),
        Halves(),
        directory,
        strategies=["majority_vote", "best_of_n"],
        k_values=[1, num_samples],
        num_samples=num_samples,
        temperature=bank.temperature,
        seed=bank.seed,
        reward_source=RewardSource(name="short", reward_model=Short(), cost=None),
    )


def killed(directory: Path, bank: SampleBank, level: int) -> bool:
    """Whether an evaluation was over after two calls of the sampler."""
    try:
        evaluate(directory, bank, level, 16, most_calls=2)
    except Killed:
        return True
    return False


def bank_in(directory: Path) -> SampleBank:
    with SampleFile.open(directory) as file:
        collector = resumed(file, Model(0), Halves(), reward_model=Short(), reward_source="short")
        return collector.bank()


def test_drawn_at_once_by_the_run_and_with_kills_by_the_evaluation(tmp_path: Path) -> None:
    for bank, level in list(run_banks(PaperPolicy()))[:3]:
        directory = tmp_path / str(bank.seed)
        kills = 0
        while killed(directory, bank, level):
            kills += 1
        assert kills == 2, "4 and 16 greedy ones, 4 and 4 others, 4 and 16 others"
        assert msgspec.json.encode(bank_in(directory)) == msgspec.json.encode(bank)
        for labels, verdicts in zip(bank.answer_PN, bank.correct_PN, strict=True):
            right = {label for label, verdict in zip(labels, verdicts, strict=True) if verdict == "1"}
            assert len(right) <= 1, "however it is written, the right answer has one vote"


def test_drawn_in_pieces_by_the_run(tmp_path: Path) -> None:
    banks = list(run_banks(CalibratedPolicy(max_evaluation_share=0.5)))
    bank, level = max(banks, key=lambda pair: min(map(len, pair[0].correct_PN)))
    assert bank.num_prefills == 3 * NUM_PROBLEMS, "4 samples, then 8"
    for num_samples in (4, 8):
        evaluate(tmp_path / "pieces", bank, level, num_samples)
    assert msgspec.json.encode(bank_in(tmp_path / "pieces")) == msgspec.json.encode(bank)
    evaluate(tmp_path / "once", bank, level, 8)
    at_once = bank_in(tmp_path / "once")
    assert at_once.num_prefills == 2 * NUM_PROBLEMS, "what the pieces cost is all that tells them"
    assert replace(at_once, num_prefills=bank.num_prefills) == bank


def test_of_the_reference_model(tiny_run: Path, tiny_config: Any, tmp_path: Path) -> None:
    """The last checkpoint of a run is the model that it saved."""
    bank = read_log(tiny_run).checkpoints[-1].observation.bank
    task = ReferenceProblems(task=tiny_config.task, split="validation", count=bank.num_problems)
    model = load_model(str(tiny_run), ModelOptions())
    evaluate_model(
        model,
        task,
        tmp_path,
        strategies=["pass@k"],
        k_values=[1],
        num_samples=bank.num_samples,
        temperature=bank.temperature,
        seed=bank.seed,
    )
    with SampleFile.open(tmp_path) as file:
        evaluated = resumed(file, Model(0), task).bank()
    assert not bank.answer_PN, "a run does not vote on Countdown's solutions"
    assert msgspec.json.encode(replace(evaluated, answer_PN=())) == msgspec.json.encode(bank)


# -- one bank, every road ---------------------------------------------------------------------------------------------


class Recorded:
    """A recorded checkpoint as a source: all of it is there, whatever is asked for."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation

    def measured(self) -> Measured:
        return measured_of(self.observation)

    def draw(self, num_problems: int, num_samples: int) -> None: ...

    def search(self) -> bool:
        return False


def test_every_road_gives_the_same_tallies_curves_prices_and_decisions(tmp_path: Path) -> None:
    """A live session, a recorded run, a replay, counts in a file, and an evaluation."""
    task, model = Halves(), Model()
    cost = ModelCost(body_params=100, num_layers=2, attention_width=8)  # attention: prices are not linear in lengths
    spec = replace(PLAN, budget_flops=cost.train_flops(STEPS * STEP_TOKENS / 10, 10))
    policy = Patience(CalibratedPolicy(max_evaluation_share=0.9, max_k=16), 2)
    with Session(
        sampler=model,
        verifier=task,
        problems=task.problems,
        cost=cost,
        sequence_tokens=10,
        spec=spec,
        policy=policy,
        seed=11,
        answers=task,
        log=tmp_path / "run",
    ) as session:
        for step in range(1, STEPS + 1):
            model.level = round(500 * (1 - 0.4**step))
            session.observe(step=step, train_tokens=step * STEP_TOKENS)
    record = read_log(tmp_path / "run")
    observations = [each.observation for each in record.checkpoints]
    decisions = [each.decision for each in record.checkpoints]
    assert len({each.reason for each in decisions}) > 1

    assert list(replay(observations, spec, policy)) == decisions == [each.decision for each in session.checkpoints]

    course = Course(spec=spec, policy=policy, num_problems=NUM_PROBLEMS, num_samples=16)
    seen = []
    for observation, decision in zip(observations, decisions, strict=True):
        course, at, taken = take_step(course, Recorded(observation))
        assert taken == decision
        seen.append(at)

    place = max(range(STEPS), key=lambda each: min(map(len, observations[each].bank.correct_PN)))
    bank, point = observations[place].bank, seen[place].point
    num_samples = min(map(len, bank.correct_PN))
    assert num_samples == bank.num_samples > 1

    counts = tmp_path / "counts.csv"
    rows = zip(task.problems, bank.num_correct_P, bank.greedy_correct_P, strict=True)
    counts.write_text(
        "step,train_flops,problem,n,c,greedy\n"
        + "".join(f"{point.step},{point.train_flops!r},{p.id},{num_samples},{c},{g}\n" for p, c, g in rows)
    )
    (read,) = read_evals(counts, ReadOptions(checker=False))
    tally = measured_of(observations[place]).tally
    for name in ("correct_P", "samples_P", "greedy_P"):
        assert (getattr(read.tally, name) == getattr(tally, name)).all()
    (from_counts,) = (each for each in curves_of(read.tally, policy.needs) if each.strategy == "pass@k")
    curves = {each.strategy: each for each in seen[place].curves}
    assert from_counts.accuracy_K == curves["pass@k"].accuracy_K
    assert from_counts.expected_samples_K == curves["pass@k"].expected_samples_K

    again = Model()
    again.level = round(500 * (1 - 0.4**point.step))
    evaluation = evaluate_model(
        LoadedModel(name="m", sampler_of=lambda max_tokens, stop: again, cost=cost, settings={}),
        task,
        tmp_path / "eval",
        strategies=["greedy", "pass@k", "majority_vote"],
        k_values=range(1, num_samples + 1),
        num_samples=num_samples,
        temperature=bank.temperature,
        seed=bank.seed,
    )
    for each in evaluation.measurements:
        curve = curves[each.strategy]
        at_k = curve.k_values.index(each.k)
        assert each.accuracy == pytest.approx(curve.accuracy_K[at_k], rel=1e-12)
        assert each.expected_samples == pytest.approx(curve.expected_samples_K[at_k], rel=1e-12)
        assert each.model_flops == pytest.approx(curve.flops_K[at_k], rel=1e-12)
        flops_K, samples_K, _ = query_price(point, curve, spec)
        assert flops_K is not None
        assert (flops_K[at_k], samples_K[at_k]) == (curve.flops_K[at_k], curve.expected_samples_K[at_k])
    assert {each.strategy for each in evaluation.measurements} == {"greedy", "pass@k", "majority_vote"}
    served = [each.serving for each in decisions if each.serving is not None]
    assert served
    for serving in served:
        at = next(found for found in seen if found.point.step == serving.step)
        curve = next(found for found in at.curves if found.strategy == serving.strategy)
        assert serving.flops_per_query == curve.flops_K[curve.k_values.index(serving.k)]
