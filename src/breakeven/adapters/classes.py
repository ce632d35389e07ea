"""A classifier as the `Subject` of a loop: examples are problems, and one pass over an example is a sample."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from breakeven import check
from breakeven.adapters.asked import Asked, RightIf
from breakeven.adapters.pass_cost import pass_cost
from breakeven.adapters.ranks import everywhere, is_first
from breakeven.adapters.row_count import RowCount
from breakeven.adapters.rows import Joined, Rows
from breakeven.adapters.subject import Loop
from breakeven.cost.tokens import ModelCost
from breakeven.errors import UsageError, argument_error
from breakeven.records import Problem
from breakeven.records.agree import SameText
from breakeven.sampling.augment import Augmentation
from breakeven.sampling.classes import ClassSampler, check_classes, default_collate
from breakeven.sampling.one_pass import Inputs, num_classes
from breakeven.session.guard import undisturbed
from breakeven.session.voice import warn

_NO_CLASSES = ("regression", "multi_label_classification")
"""Types of problems that transformers has heads for besides."""
_ONE_CLASS = "Values that are regressed, and several labels at once, are no votes."
_FEW = 8
"""Examples by which the model shows how many classes it has."""


class Classification:
    """What a classifier is measured on in a loop, and of what passes its test-time compute is.

        EarlyStop(classification=Classification(eval_dataset, dropout=True))

    K passes are combined: of augmented inputs, with the dropout of training, or of the last K checkpoints. They stand
    against one plain pass of the fully trained model. What a pass costs is counted as PyTorch runs it, padding left
    out; training is charged at three times that, or where weights are frozen as it is executed.

    Args:
        examples: rows as those trained on: mappings with a label, or pairs of input and label. None is trained on.
        test_examples: for mode "shadow": others.
        classes: their names, in the order of the model's logits; None: as its config says, or their numbers.
        labels: the name of the label in a row, and in a batch.
        augment: makes other inputs of a batch's, at random; such as `breakeven.sampling.augment.moves()`.
        dropout: whether noisy passes have the noise of training, as of dropout.
        snapshots: how many of the last checkpoints that were evaluated are averaged; 1: none.
        collate: makes a batch of a list of rows; None: the loop's own, or torch's default.
        num_examples: most that are taken, and most test examples; which ones is a function of the seed.
        max_rows: examples in a batch.
        metric: "accuracy", the only one that is a mean over examples.

    Raises:
        ArgumentError: nothing to combine, another metric, or a number out of its range; what the model has to tell is
            checked when training begins.
    """

    kind = "a torch module with weights"

    def __init__(
        self,
        examples: Any,
        *,
        test_examples: Any = (),
        classes: Sequence[str] | None = None,
        labels: str = "labels",
        augment: Augmentation | None = None,
        dropout: bool = False,
        snapshots: int = 1,
        collate: Callable[[list[Any]], Any] | None = None,
        num_examples: int = 500,
        max_rows: int = 256,
        metric: str = "accuracy",
    ) -> None:
        if metric != "accuracy":
            remedy = (
                "F1 and Matthews are no means over examples, so that no stop can rest on them: "
                "`breakeven eval` on recorded passes reports them with intervals."
            )
            raise argument_error("metric", "be accuracy", metric, remedy)
        check.whole("snapshots", snapshots, 1)
        check.whole("num_examples", num_examples, 2)
        check.whole("max_rows", max_rows, 1)
        if augment is None and not dropout and snapshots == 1:
            remedy = "Else there is one pass alone, and nothing to combine."
            raise argument_error("augment, dropout or snapshots", "say of what passes there are several", None, remedy)
        if classes is not None:
            check_classes(classes)
        self.count = RowCount()
        self.session_settings: dict[str, Any] = {"temperature": 1.0}  # of the softmax
        if augment is None and not dropout:
            self.session_settings["num_samples"] = 0
        self.snapshots = snapshots
        """Of the last checkpoints, how many are averaged."""
        self._examples, self._test_examples = examples, test_examples
        self._classes, self._labels, self._collate = classes, labels, collate
        self._noise: dict[str, Any] = {"augment": augment, "dropout": dropout, "snapshots": snapshots}
        self._most, self._max_rows = num_examples, max_rows

    def fits(self, module: Any) -> bool:
        """See `Subject`; metrics and losses have no weights."""
        return hasattr(module, "parameters") and next(module.parameters(), None) is not None

    def begin(self, loop: Loop) -> tuple[Asked, ClassSampler]:
        """See `Subject`; all is known in every process."""
        return everywhere(lambda: self._begin(loop))

    def cost(self, loop: Loop) -> ModelCost:
        """See `Subject`: a token is an example, and feeding it is one pass over it, mean over those decided on."""
        with undisturbed(loop.model):
            own = self._own("examples", self._examples, loop)
            return pass_cost(loop.model, (self._inputs(loop, [own.data[place]]) for place in own.places))

    def attach(self, loop: Loop, references: Sequence[Any]) -> None:
        """See `Subject`."""
        self.count.attach(loop.model)

    def _begin(self, loop: Loop) -> tuple[Asked, ClassSampler]:
        config = getattr(loop.model, "config", None)
        if (kind := getattr(config, "problem_type", None)) in _NO_CLASSES:
            raise argument_error("model.config.problem_type", "be that of one class an example", kind, _ONE_CLASS)
        with undisturbed(loop.model):  # rows are read, and collated, by other people's code
            own = self._own("examples", self._examples, loop)
            own.label(own.places[0])  # before a collator stumbles over rows of another kind
            first = self._inputs(loop, [own.data[place] for place in own.places[:_FEW]])
            classes = self._names(config, _width(loop.model, first))
            problems = own.problems(classes, first.named)
            _check_spread(problems, classes)
            tests: tuple[Problem, ...] = ()
            if loop.verified:
                others = self._own("test_examples", self._test_examples, loop)
                tests = others.problems(classes, first.named, before=len(own.data))
            sampler = ClassSampler(
                loop.model,
                Joined(own.data, self._test_examples),
                classes,
                self._collate_of(loop),
                labels=self._labels,
                max_rows=self._max_rows,
                **self._noise,
            )
            sampler.try_out(problems)
            if is_first():
                warn_of_repeats(own, loop.training_data, first.named)
        return _asked(problems, tests), sampler

    def _own(self, name: str, data: Any, loop: Loop) -> Rows:
        if name == "test_examples" and hasattr(data, "__len__") and not len(data):
            raise argument_error(
                name, "be given in mode shadow", data, "They are others than examples and training data."
            )
        return Rows.of(name, data, self._labels, self._most, loop.seed)

    def _collate_of(self, loop: Loop) -> Callable[[list[Any]], Any]:
        return self._collate or loop.collate or default_collate

    def _inputs(self, loop: Loop, rows: list[Any]) -> Inputs:
        try:
            batch = self._collate_of(loop)(rows)
        except Exception as error:
            remedy = "Give what makes batches for the loop: Classification(collate=...)."
            raise argument_error(
                "collate", "make a batch of examples", f"{type(error).__name__}: {error}", remedy
            ) from error
        device = next((each.device for each in loop.model.parameters()), "cpu")
        return Inputs.of(batch, self._labels, device)

    def _names(self, config: Any, number: int) -> tuple[str, ...]:
        if number < 2:
            raise argument_error("model", "give a logit for each of two classes at least", number, _ONE_CLASS)
        if self._classes is not None:
            if len(self._classes) != number:
                raise argument_error("classes", f"name the {number} classes of the model", len(self._classes))
            return tuple(self._classes)
        known = getattr(config, "id2label", None) or {}
        named = tuple(str(known.get(each, each)) for each in range(number))
        return named if len(set(named)) == number else tuple(map(str, range(number)))


def check_alone(given: Mapping[str, tuple[Any, Any]], declared: Mapping[str, Any]) -> None:
    """Nothing, if nothing else of an `EarlyStop` says what is measured.

    Args:
        given: by the name of an argument what it is, and what it is if left out.
        declared: of a `RunSpec`.

    Raises:
        ArgumentError: otherwise.
    """
    for name, (value, default) in given.items():
        if value is not default and value != default:
            remedy = "What a classifier is measured on is in its Classification."
            raise argument_error(name, "be left out with classification", value, remedy)
    if declared.get("checker", False) is not False:
        remedy = "Pass@K over passes would need the label of what is served."
        raise argument_error("checker", "be False with classification", declared["checker"], remedy)
    if declared.get("baseline", "greedy") != "greedy":
        remedy = "The fully trained model is served with one plain pass."
        raise argument_error("baseline", "be greedy with classification", declared["baseline"], remedy)


def warn_of_repeats(examples: Rows, training_data: Any, names: Mapping[str, Any]) -> None:
    """Say so where examples are trained on; rows that cannot be read are in nobody's way."""
    try:
        num_found, num_rows = examples.found_in(training_data, names)
    except Exception as error:
        warn(f"the examples were not looked for in the training data: {type(error).__name__}: {error}")
        return
    if num_found:
        warn(
            f"{num_found} of the {len(examples.places)} examples that are decided on are in the first {num_rows} rows "
            "of the training data: what is measured on them is no forecast for others. Evaluate on some that are not "
            "trained on."
        )


def _width(model: Any, inputs: Inputs) -> int:
    """How many classes a model tells apart."""
    try:
        return num_classes(model, inputs)
    except UsageError:
        raise
    except Exception as error:
        remedy = f"Its inputs are {', '.join(inputs.named)}: name collate= or labels= where others are meant."
        raise argument_error("model", "run on examples", f"{type(error).__name__}: {error}", remedy) from error


def _asked(problems: tuple[Problem, ...], tests: tuple[Problem, ...]) -> Asked:
    verifier = RightIf(lambda problem, text: text == problem.reference)
    return Asked(
        problems=problems, test_problems=tests, verifier=verifier, answers=SameText(str), max_tokens=1, stop=()
    )


def _check_spread(problems: Sequence[Problem], classes: Sequence[str]) -> None:
    found = {each.reference for each in problems}
    if len(found) < 2:
        remedy = "Whoever always says so would be right: take others, or more."
        raise argument_error(
            "examples", "be of two classes at least", f"{len(problems)} of {problems[0].reference}", remedy
        )
    if missing := [each for each in classes if each not in found]:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        warn(f"none of the {len(problems)} examples that are decided on is of the class {shown}.")
