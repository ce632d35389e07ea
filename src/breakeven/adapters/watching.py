"""What every `EarlyStop` is: the same arguments, and what is done with them in the loop of any framework."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

from breakeven import check
from breakeven.adapters.asked import Asked
from breakeven.adapters.classes import Classification, check_alone
from breakeven.adapters.cooling import Cooling
from breakeven.adapters.metrics import metrics
from breakeven.adapters.overlap import warn_of_overlap
from breakeven.adapters.ranks import RankSampler, agreed, everywhere, is_alone, is_first, summed
from breakeven.adapters.subject import Loop, Subject
from breakeven.adapters.texts import Texts
from breakeven.adapters.watch import Watch
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import TextTask
from breakeven.errors import argument_error
from breakeven.records import Problem, RunSpec, SampleBank
from breakeven.sampling.average import WeightAverage
from breakeven.sampling.causal import is_sharded
from breakeven.session.session import MODES, Mode, Session
from breakeven.stopping.course import Policy

_EVALUATIONS = 20
"""In a run, where nobody says how often."""
_ASK_EVERY = 10
"""Steps, in several processes, between questions to the first whether it was asked from outside to stop: all wait."""


class Watching:
    """The arguments of an `EarlyStop`, and the run they watch once it has begun.

    Args:
        task: as in `breakeven eval --task`, such as "gsm8k:validation.jsonl"; or a `TextTask` of your own.
        problems: in place of a task: Problems, dicts of their fields, or prompts.
        is_right: in place of a task, `is_right(problem, text)`: whether a completion solves a problem.
        extract: with `is_right`: the final answer of a completion, or None, where samples are voted on at serving time.
        classification: in place of a task and of all that says how texts are sampled: a classifier's examples and
            passes. Then `num_samples` is of noisy passes.
        mode: "advise" says where training may stop, and trains on; "stop" ends training there; "shadow" trains on, and
            at the end holds the stop against the fully trained model on test problems.
        test_problems: for mode "shadow"; of a task by default as many others as it is decided on.
        num_problems: most problems of a task.
        evaluate_every: steps between evaluations; None: 20 evaluations in a run.
        num_samples: N, most samples per problem.
        temperature: of the samples.
        max_tokens: of one completion; None: as the task says, or 256.
        stop: strings before which a completion ends, besides the task's.
        tokenizer: None: the loop's own.
        chat: whether prompts go through its chat template; None: if it has one.
        policy: the stop rule; None: the calibrated one.
        cost: FLOPs per token; None: as the model's config tells, and of training as the weights do that are trained.
        seed: of the samples, and of the choice of problems.
        average: whether an exponential moving average of the weights, over the last 5 % of the steps, is kept and
            measured beside the raw ones; with a checkpoint save `average.state_dict()`.
        log: the run directory; None: `breakeven` in the loop's own directory.
        resume: whether a run that the directory holds is gone on with where training begins anew too: it was killed
            before its first checkpoint was saved.
        config: plain settings that the log's first line holds besides, for people to read.
        quiet: whether evaluations and results are told by nobody but the log; warnings still are.
        declared: what else a `RunSpec` takes, such as queries, target or checker; price_per_hour, or
            max_evaluation_seconds_share.

    Raises:
        ArgumentError: an argument out of its range. What the loop has to tell is checked when training begins; later
            than that nothing is raised, and evaluation is switched off with a warning.
    """

    def __init__(
        self,
        *,
        task: str | TextTask | None = None,
        problems: Sequence[Problem | Mapping[str, Any] | str] = (),
        is_right: Callable[[Problem, str], bool] | None = None,
        extract: Callable[[str], str | None] | None = None,
        classification: Classification | None = None,
        mode: Mode = "advise",
        test_problems: Sequence[Problem | Mapping[str, Any] | str] = (),
        num_problems: int = 200,
        evaluate_every: int | None = None,
        num_samples: int = 16,
        temperature: float = 0.8,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        tokenizer: Any = None,
        chat: bool | None = None,
        policy: Policy | None = None,
        cost: ModelCost | None = None,
        seed: int = 0,
        average: bool = False,
        log: str | Path | None = None,
        resume: bool = False,
        config: Mapping[str, Any] | None = None,
        quiet: bool = False,
        **declared: Any,
    ) -> None:
        check.one_of("mode", mode, MODES)
        check.whole("num_problems", num_problems, 1)
        if evaluate_every is not None:
            check.whole("evaluate_every", evaluate_every, 1)
        known = sorted({each.name for each in fields(RunSpec)} - {"budget_flops"})
        for name in declared:
            check.one_of("argument", name, known, check.did_you_mean(name, known))
        texts: dict[str, Any] = {
            "task": task,
            "problems": problems,
            "is_right": is_right,
            "extract": extract,
            "test_problems": test_problems,
            "num_problems": num_problems,
            "max_tokens": max_tokens,
            "stop": stop,
            "tokenizer": tokenizer,
            "chat": chat,
        }
        if classification is not None:
            own = signature(Watching.__init__).parameters
            given = texts | {"temperature": temperature}
            check_alone({name: (each, own[name].default) for name, each in given.items()}, declared)
        self._subject: Subject = Texts(**texts) if classification is None else classification
        self._mode: Mode = mode
        self._every = evaluate_every
        self._session: dict[str, Any] = {"num_samples": num_samples, "temperature": temperature, "seed": seed}
        self._session |= {"quiet": quiet, **self._subject.session_settings}
        self._tokenizer = tokenizer
        self._policy, self._cost, self._log, self._declared = policy, cost, log, declared
        self._resumes, self._config = resume, dict(config or {})
        self._averages = average
        self.average: WeightAverage | None = None
        """In the first process, once training has begun, where one is kept."""
        self._count = self._subject.count
        self._generated_elsewhere = 0.0
        """This process' share of the tokens that the loop says it generated, with their prompts."""
        self._ranks: RankSampler | None = None
        self._watch: Watch | None = None
        self._cooldown_share = 0.0
        """Steps of a cooldown, as a share of those up to the stop; 0: a stop is none."""
        self._cooling: Cooling | None = None
        self._has_stopped = False
        self._steps = 0
        self.metrics: dict[str, float] = {}
        """In every process: what was measured last, by the names of `breakeven.adapters.metrics`."""
        self.metrics_step = 0
        """At which step that was; 0: nothing was measured yet in this process."""

    @property
    def session(self) -> Session | None:
        """Of the first process, from its first evaluation on: checkpoints, `stopped_at`, `verification`."""
        return None if self._watch is None else self._watch.session

    def _begin(
        self,
        model: Any,
        *,
        steps: int,
        step: int,
        directory: Path,
        tokenizer: Any = None,
        collate: Callable[[list[Any]], Any] | None = None,
        training_data: Any = None,
        asked: Asked | None = None,
        references: Sequence[Any] = (),
        config: Mapping[str, Any],
        **told: Any,
    ) -> None:
        """Everything is checked here, in every process, before a step is trained.

        Args:
            model: that is trained, without the wrapper of several processes.
            steps: optimizer steps of the full run.
            step: of them done before.
            directory: of the run log, where the user named no other.
            tokenizer: its own, where the user named no other.
            collate: makes its batches of rows, likewise.
            training_data: its rows, where it has them.
            asked: what the loop itself evaluates on, where its banks are handed over; None: what the user asked for.
            references: modules that score samples for the training of the model.
            config: the loop's settings, for people to read.
            told: the other fields of a `Watch` that the loop tells.
        """
        self._steps, self._every = steps, self._every or max(1, steps // _EVALUATIONS)
        place = directory if self._log is None else Path(self._log)
        if self._averages and is_sharded(model):
            remedy = "No process has all weights of a sharded model."
            raise argument_error("average", "be False where the model is sharded", True, remedy)
        self.average = WeightAverage(model) if self._averages and is_first() else None
        loop = Loop(
            model=model,
            tokenizer=tokenizer,
            collate=collate,
            training_data=training_data,
            seed=self._session["seed"],
            verified=self._mode == "shadow",
        )
        self._measures = asked is None
        sampler: Any = None
        if asked is None:
            asked, sampler = self._subject.begin(loop)
        elif is_first():
            warn_of_overlap(asked.problems, training_data, None)
        if sampler is not None and not is_alone():
            sampler = self._ranks = RankSampler(sampler)
        if (average := self.average) is not None:
            swapped = average.swapped
            self._session |= {"averaged": swapped if is_alone() else lambda: sampler.lending(swapped)}
        cost = self._cost = self._cost or everywhere(lambda: self._subject.cost(loop))

        def watched() -> bool:
            assert asked is not None, "it is known in the first process"
            self._watch = Watch(
                asked=asked,
                sampler=sampler,
                cost=cost,
                steps=steps,
                directory=place,
                mode=self._mode,
                policy=self._policy,
                session_settings=self._session,
                declared={"decay_share": told.pop("decay_share")} | self._declared,
                config={**config, **self._config},
                **told,
            )
            self._watch.begin(step, resume=self._resumes)
            return self._watch.stops

        self._has_stopped = agreed(watched)
        if self._has_stopped and self._cooldown_share:
            self._cooling, self._has_stopped = agreed(lambda: self._cool_down(step), self._ranks)
        self._subject.attach(loop, references)

    def _stops_at(
        self,
        step: int,
        *,
        device: Any,
        loss: Any = None,
        learning_rate: float | None = None,
        now: bool = False,
        bank: Callable[[], SampleBank] | None = None,
        seconds: float = 0.0,
    ) -> bool:
        """Whether training is to end at `step`, in every process; evaluates where it is due, or wanted `now`.

        Args:
            step: optimizer steps done.
            device: of the model.
            loss: of this step or one before.
            learning_rate: of this step.
            now: whether an evaluation is wanted whatever is due.
            bank: makes what the loop itself measured at `step`, in the first process.
            seconds: wall time that this took.
        """
        assert self._every is not None, "training has begun"
        if self.average is not None and not now:  # a step asks once for itself
            self.average.update(step)
        if self._has_stopped:
            return True
        if self._cooling is not None:
            return self._cools(self._cooling, step, device=device, loss=loss)
        is_due = self._measures and (step % self._every == 0 or step == self._steps)
        if not is_due and not now and bank is None:
            return self._is_steered(step, device)
        counted = self._counted(device)

        def decide() -> tuple[bool, dict[str, float], Cooling | None]:
            assert self._watch is not None, "training has begun"
            self._watch.observe(
                step=step,
                **counted,
                loss=loss,
                learning_rate=learning_rate,
                bank=bank,
                seconds=seconds,
            )
            stops, cooling = self._watch.stops, None
            if stops and self._cooldown_share:
                cooling, stops = self._cool_down(step)
            return stops, self._measured(step), cooling

        stops, measured, self._cooling = agreed(decide, self._ranks)
        if measured:
            self.metrics, self.metrics_step = measured, step
        return stops

    def _cool_down(self, step: int) -> tuple[Cooling | None, bool]:
        assert self._watch is not None, "it has stopped"
        return self._watch.cool_down(self._cooldown_share, step)

    def _cools(self, cooling: Cooling, step: int, *, device: Any, loss: Any) -> bool:
        """Whether a cooldown is over at `step`, and training with it; then the cooled model is measured."""
        if step < cooling.step + cooling.steps:
            if is_alone() and self._watch is not None:
                self._has_stopped = self._watch.steered(step)
                if not self._watch.stops:  # vetoed: training goes on, at its own rate
                    self._cooling = None
            return self._has_stopped
        counted = self._counted(device)

        def cooled() -> None:
            if self._watch is not None:
                self._watch.cooled(step=step, loss=loss, **counted)

        agreed(cooled, self._ranks)
        self._has_stopped, self._cooling = True, None
        return True

    def _counted(self, device: Any) -> dict[str, Any]:
        """What `Watch` takes of all processes; every one of them has to ask."""
        assert self._cost is not None, "training has begun"
        rollout_flops = self._count.rollout_flops(self._cost, self._generated_elsewhere)
        tokens, sequences, rows, rollout_flops = summed((*self._count.so_far, rollout_flops), device)
        counts = {"tokens": int(tokens), "sequences": int(sequences), "rows": int(rows)}
        return counts | {"rollout_flops": rollout_flops}

    def _is_steered(self, step: int, device: Any) -> bool:
        """Whether training is to end at `step`, as asked from outside, in every process."""
        if not is_alone() and step % _ASK_EVERY:
            return False
        asked = self._watch is not None and self._watch.steered(step)
        return summed([int(asked)], device) != (0,)

    def _measured(self, step: int) -> dict[str, float]:
        """Metrics of `step`, in the first process; none where it was not evaluated."""
        session = self.session
        if session is None or not session.checkpoints or session.checkpoints[-1].observation.step != step:
            return {}
        return metrics(session.checkpoints[-1], evaluation_seconds=session.evaluation_seconds)

    def _end(self, step: int) -> None:
        """Verify where that is asked for, and release the run directory."""
        self._count.detach()
        complete = step >= self._steps

        def end() -> None:
            if self._watch is not None:
                self._watch.end(complete=complete)

        if complete and self._mode == "shadow":
            agreed(end, self._ranks)  # for the verification, which all draw
        else:
            end()


def check_wrapper(model: Any) -> None:
    """Nothing, if what generates can be asked without its wrapper: the model may be whole, or sharded in place.

    Raises:
        ArgumentError: it cannot.
    """
    names = [type(each).__name__ for each in model.modules()]
    if any(each.endswith("FullyShardedDataParallel") for each in names):
        remedy = "What the older wrapper of FSDP holds cannot be sampled from: use fully_shard, which is FSDP2."
        raise argument_error("model", "be whole in each process, or sharded in place", names[0], remedy)
