"""Records: what they derive, that they are frozen, and how argument errors are worded."""

import dataclasses
import inspect
import math
from typing import Any

import msgspec
import pytest

from breakeven import errors, records
from breakeven.records import (
    NO_ANSWER,
    Action,
    CheckpointRecord,
    Decision,
    FitStatus,
    Forecast,
    KCurve,
    LearningPoint,
    Made,
    Measurement,
    Observation,
    Problem,
    QueryFlops,
    Reason,
    RunSpec,
    SampleBank,
    Score,
    SearchOutcome,
    ServingPoint,
    TransformerShape,
    Verification,
    answer_label,
)

BANK = SampleBank(
    correct_PN=("1000", "1101", "0000"),
    greedy_correct_P="010",
    temperature=0.8,
    seed=3,
    prompt_tokens=18,
    output_tokens=96,
    greedy_output_tokens=24,
)


def test_bank_counts_its_verdicts() -> None:
    assert (BANK.num_problems, BANK.num_samples) == (3, 4)
    assert BANK.num_correct_P == (1, 3, 0)
    assert BANK.sampled_accuracy == 4 / 12
    assert BANK.greedy_accuracy == 1 / 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"correct_PN": ()}, "correct_PN must hold at least one row; got []."),
        ({"answer_PN": ("0000", "0000")}, "answer_PN must have one character for each sample of correct_PN; got"),
        (
            {"answer_PN": ("0000", "0000", "000")},
            "answer_PN must have one character for each sample of correct_PN; got",
        ),
        (
            {"correct_PN": ("10", "1x", "00")},
            "correct_PN and greedy_correct_P must hold only the characters 0, 1 and ?; got 'x'.",
        ),
        (
            {"greedy_correct_P": "0-1"},
            "correct_PN and greedy_correct_P must hold only the characters 0, 1 and ?; got '-'.",
        ),
        (
            {"greedy_correct_P": "01"},
            "greedy_correct_P must have one character for each of the 3 problems, or none at all; got 2.",
        ),
    ],
)
def test_bank_refuses_rows_that_are_no_verdicts(changed: dict, message: str) -> None:
    with pytest.raises(errors.ArgumentError) as error:
        dataclasses.replace(BANK, **changed)
    assert str(error.value).startswith(message)


LENGTHS: dict[str, Any] = {
    "prompt_tokens_P": (5, 6, 7),
    "greedy_tokens_P": (10, 4, 10),
    "output_tokens_PN": ((8, 8, 8, 8), (1, 2, 3, 26), (8, 8, 8, 8)),
}


def test_bank_of_some_problems_alone() -> None:
    bank = dataclasses.replace(BANK, **LENGTHS, answer_PN=("0101", "0000", "--01"))
    part = bank.of([2, 0])
    assert (part.correct_PN, part.greedy_correct_P, part.answer_PN) == (("0000", "1000"), "00", ("--01", "0101"))
    assert (part.prompt_tokens, part.greedy_output_tokens, part.output_tokens) == (12, 20, 64)
    assert (part.prompt_tokens_P, part.greedy_tokens_P) == ((7, 5), (10, 10))
    assert part.score_PN == ()
    old = BANK.of([1])
    assert (old.correct_PN, old.output_tokens_PN, old.output_tokens) == (("1101",), (), 96)
    assert bank.of(range(3)) == bank


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prompt_tokens_P": (9, 9)}, "prompt_tokens_P must be of 3 problems, 18 tokens in all; got '2 problems, 18 t"),
        (
            {"prompt_tokens_P": (6, 6, 5)},
            "prompt_tokens_P must be of 3 problems, 18 tokens in all; got '3 problems, 1",
        ),
        ({"greedy_tokens_P": (24,)}, "greedy_tokens_P must be of 3 problems, 24 tokens in all; got '1 problems, 24 t"),
        (
            {"greedy_tokens_P": (8, 8, 9)},
            "greedy_tokens_P must be of 3 problems, 24 tokens in all; got '3 problems, 2",
        ),
        ({"output_tokens_PN": ((8,) * 4,) * 2}, "output_tokens_PN must have one count for each sample of correct_PN;"),
        ({"output_tokens_PN": ((8,) * 3,) * 3}, "output_tokens_PN must have one count for each sample of correct_PN;"),
        ({"output_tokens_PN": ((9,) * 4,) * 3}, "output_tokens_PN must be of 3 problems, 96 tokens in all; got '3 pro"),
        ({"output_tokens": 95}, "output_tokens_PN must be of 3 problems, 95 tokens in all; got '3 problems, 96 tokens"),
    ],
)
def test_bank_refuses_lengths_that_do_not_fit(changed: dict, message: str) -> None:
    bank = dataclasses.replace(BANK, **LENGTHS)
    with pytest.raises(errors.ArgumentError) as error:
        dataclasses.replace(bank, **changed)
    assert str(error.value).startswith(message)


def test_a_hidden_problem_has_no_reference() -> None:
    assert Problem(id="a", prompt="p", reference="r").hidden == Problem(id="a", prompt="p")


def test_rows_may_differ_in_length() -> None:
    ragged = dataclasses.replace(BANK, correct_PN=("10", "", "1101"), answer_PN=("01", "", "0-00"))
    assert (ragged.num_samples, ragged.num_drawn, ragged.num_correct_P) == (4, 6, (1, 0, 3))
    assert ragged.sampled_accuracy == 4 / 6


def test_samples_without_a_verdict_are_left_out_of_accuracies_and_counted() -> None:
    bank = dataclasses.replace(BANK, correct_PN=("1?0", "???", "111"), greedy_correct_P="?10")
    assert (bank.num_drawn, bank.num_failed) == (9, 5)
    assert (bank.num_correct_P, bank.num_graded_P) == ((1, 0, 3), (2, 0, 3))
    assert (bank.sampled_accuracy, bank.greedy_accuracy) == (4 / 5, 1 / 2)
    unknown = dataclasses.replace(BANK, correct_PN=("?", "?", "?"), greedy_correct_P="???")
    assert math.isnan(unknown.sampled_accuracy)
    assert math.isnan(unknown.greedy_accuracy)
    assert (BANK.num_failed, BANK.num_graded_P) == (0, (4, 4, 4))


def test_a_bank_of_greedy_samples_alone_has_no_sampled_accuracy() -> None:
    greedy = dataclasses.replace(BANK, correct_PN=("", "", ""))
    assert (greedy.num_samples, greedy.num_drawn, greedy.greedy_accuracy) == (0, 0, 1 / 3)
    assert math.isnan(greedy.sampled_accuracy)


def test_answer_labels_are_distinct_printable_and_never_no_answer() -> None:
    labels = [answer_label(number) for number in range(2000)]
    assert len(set(labels)) == 2000
    assert all(len(label) == 1 for label in labels)
    assert all(label.isprintable() for label in labels[:91])
    assert NO_ANSWER not in labels


# -- what is declared ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"budget_flops": math.nan}, "budget_flops must be finite and above 0; got nan."),
        ({"baseline": "gready"}, 'baseline must be "greedy", "sampled" or "best"; got \'gready\'.'),
        ({"queries": -1.0}, "queries must be finite and at least 0; got -1.0. Leave it out if unknown."),
        ({"queries": math.inf}, "queries must be finite and at least 0; got inf. Leave it out if unknown."),
        ({"queries": math.nan}, "queries must be finite and at least 0; got nan. Leave it out if unknown."),
        ({"decay_share": -0.1}, "decay_share must be a share from 0 to 1; got -0.1. Leave it out if unknown; 0 is no"),
        ({"decay_share": 1.1}, "decay_share must be a share from 0 to 1; got 1.1. Leave it out if unknown; 0 is no"),
        ({"decay_share": math.nan}, "decay_share must be a share from 0 to 1; got nan."),
        ({"max_query_flops": 0.0}, "max_query_flops must be above 0; got 0.0. Leave it out for no limit."),
        ({"max_query_flops": math.nan}, "max_query_flops must be above 0; got nan. Leave it out for no limit."),
        (
            {"max_sequential_tokens": -1.0},
            "max_sequential_tokens must be above 0; got -1.0. Leave it out for no limit.",
        ),
    ],
)
def test_plans_that_are_none_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(errors.ArgumentError) as error:
        RunSpec(**{"budget_flops": 1.0, **setting})
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "setting",
    [
        {"baseline": "best"},
        {"queries": 0.0},
        {"decay_share": 0.0},
        {"decay_share": 1.0},
        {"max_query_flops": 1e-9, "max_sequential_tokens": math.inf},
    ],
)
def test_plans_at_the_ends_of_their_ranges(setting: dict) -> None:
    assert RunSpec(budget_flops=1.0, **setting).budget_flops == 1.0


@pytest.mark.parametrize(
    ("num_samples", "shared", "expected"),
    [(1, True, 11.0), (4, True, 14.0), (4, False, 44.0), (1, False, 11.0), (2.5, True, 12.5), (2.5, False, 27.5)],
)
def test_query_is_priced_for_any_number_of_samples(num_samples: float, shared: bool, expected: float) -> None:
    assert QueryFlops(prefill_flops=10.0, decode_flops=1.0).total(num_samples, shared_prefill=shared) == expected


@pytest.mark.parametrize(("action", "stop"), [(Action.CONTINUE, False), (Action.STOP, True)])
def test_decision_says_whether_to_stop(action: Action, stop: bool) -> None:
    decision = Decision(action=action, reason=Reason.WAITING, step=1, used=0.1, policy="paper")
    assert decision.stop is stop
    assert decision.serving is None


@pytest.mark.parametrize("kind", [Action, FitStatus, Made, Reason])
def test_enums_are_their_own_names_in_a_log(kind) -> None:
    assert all(each == each.name.lower() == str(each) for each in kind)


@pytest.mark.parametrize("kind", [each for each in vars(records).values() if dataclasses.is_dataclass(each)])
def test_records_are_frozen_slotted_keyword_only_and_documented(kind) -> None:
    assert kind.__dataclass_params__.frozen
    assert hasattr(kind, "__slots__")
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert not (inspect.getdoc(kind) or "").startswith(f"{kind.__name__}(")


def test_records_are_equal_by_value() -> None:
    assert Problem(id="a", prompt="1 + 1") == Problem(id="a", prompt="1 + 1", reference=None)
    assert len({Problem(id="a", prompt="p"), Problem(id="a", prompt="p")}) == 1


# -- records check themselves -----------------------------------------------------------------------------------------

CURVE = KCurve(
    strategy="pass@k",
    deployable=True,
    k_values=(1, 2, 4),
    accuracy_K=(0.3, 0.5, 0.7),
    lo_K=(0.2, 0.4, 0.6),
    hi_K=(0.4, 0.6, 0.8),
    made_K=(Made.MEASURED, Made.MEASURED, Made.EXTRAPOLATED),
    status=FitStatus.FITTED,
    method="calibrated",
    expected_samples_K=(1.0, 1.7, 2.7),
    paired_error_K=(0.0, 0.01, 0.02),
)
FORECAST = Forecast(mean=0.6, lo=0.5, hi=0.7, status=FitStatus.FITTED, method="calibrated", num_points=5)
SERVING = ServingPoint(
    step=1, strategy="pass@k", deployable=True, k=2, accuracy=0.5, made=Made.MEASURED, flops_per_query=9.0
)
DECISION = Decision(action=Action.CONTINUE, reason=Reason.UNSURE, step=1, used=0.1, policy="calibrated")
QUERY = QueryFlops(prefill_flops=10.0, decode_flops=1.0)
OBSERVATION = Observation(
    step=1, train_tokens=10, train_flops=100.0, evaluation_flops=1.0, query_flops=QUERY, loss=None, bank=BANK
)
POINT = LearningPoint(
    step=1,
    train_flops=100.0,
    evaluation_flops=1.0,
    query_flops=QUERY,
    output_tokens=8.0,
    num_problems=3,
    num_drawn=12,
    greedy_accuracy=0.3,
    sampled_accuracy=None,
    disagreement=0.1,
)
SEARCH = SearchOutcome(strategy="dvts/vote", k=4, accuracy_P=(0.0, 0.5, 1.0), query_flops=5.0)
MEASUREMENT = Measurement(
    strategy="pass@k",
    deployable=False,
    k=2,
    accuracy=0.5,
    standard_error=0.1,
    lo=0.4,
    hi=0.6,
    num_problems=3,
    expected_samples=1.5,
    output_tokens=12.0,
)
SCORE = Score(metric="matthews", strategy="soft_vote", k=2, value=-0.1, standard_error=0.1, lo=-0.3, hi=0.1)
SHAPE = TransformerShape(num_layers=1, embedding=8, num_heads=2, feed_forward=16, vocab_size=9, max_tokens=12)
VERIFICATION = Verification(
    num_problems=50,
    num_samples=8,
    stopped_step=1,
    k=2,
    stopped_accuracy=0.5,
    stopped_greedy_accuracy=0.3,
    full_greedy_accuracy=0.5,
    full_sampled_accuracy=0.4,
    difference=-0.1,
    difference_standard_error=0.02,
    gross_saving=0.9,
    net_saving=-0.1,
    evaluation_share=1.1,
    verification_flops=9.0,
)


@pytest.mark.parametrize(
    ("record", "changed", "message"),
    [
        (CURVE, {"accuracy_K": (0.3, 0.5)}, "accuracy_K must have one value for each of the 3 k_values; got 2."),
        (CURVE, {"lo_K": ()}, "lo_K must have one value for each of the 3 k_values; got 0."),
        (CURVE, {"made_K": (Made.MEASURED,)}, "made_K must have one value for each of the 3 k_values; got 1."),
        (CURVE, {"paired_error_K": (0.1,)}, "paired_error_K must have one value for each of the 3 k_values; got 1."),
        (CURVE, {"flops_K": (0.1,) * 4}, "flops_K must have one value for each of the 3 k_values; got 4."),
        (CURVE, {"k_values": ()}, "k_values must hold at least one K; got []."),
        (CURVE, {"k_values": (0, 1, 2)}, "k_values must be increasing whole numbers from 1 up; got [0, 1, 2]."),
        (CURVE, {"k_values": (1, 4, 4)}, "k_values must be increasing whole numbers from 1 up; got [1, 4, 4]."),
        (CURVE, {"accuracy_K": (0.3, 0.5, 7.0)}, "accuracy_K must hold shares from 0 to 1; got 7.0."),
        (CURVE, {"hi_K": (0.4, 0.6, math.nan)}, "hi_K must hold shares from 0 to 1; got nan."),
        (CURVE, {"lo_K": (-0.1, 0.4, 0.6)}, "lo_K must hold shares from 0 to 1; got -0.1."),
        (CURVE, {"accuracy_K": (0.3, 0.3, 0.7)}, "accuracy_K must be within its interval, 0.4 to 0.6; got 0.3."),
        (CURVE, {"expected_samples_K": (1.0, 2.1, 2.7)}, "expected_samples_K at K = 2 must be at most K; got 2.1."),
        (CURVE, {"monte_carlo_error_K": (0.0, -0.1, 0.0)}, "monte_carlo_error_K must hold finite numbers of at least"),
        (CURVE, {"flops_K": (0.0, 1.0, math.inf)}, "flops_K must hold finite numbers of at least 0; got inf."),
        (CURVE, {"made_K": ("measured",) * 3}, "made_K must hold values of Made; got ['measured', "),
        (CURVE, {"reward_flops": math.nan}, "reward_flops must be finite and at least 0; got nan."),
        (FORECAST, {"mean": 0.8}, "mean must be within its interval, 0.5 to 0.7; got 0.8."),
        (FORECAST, {"hi": 1.5}, "hi must be a share from 0 to 1; got 1.5."),
        (FORECAST, {"lo": math.nan}, "lo must be a share from 0 to 1; got nan."),
        (FORECAST, {"num_points": -1}, "num_points must be a whole number of at least 0; got -1."),
        (SERVING, {"k": 0}, "k must be a whole number of at least 1; got 0."),
        (SERVING, {"accuracy": 48.0}, "accuracy must be a share from 0 to 1; got 48.0."),
        (SERVING, {"flops_per_query": math.inf}, "flops_per_query must be finite and at least 0; got inf."),
        (SERVING, {"expected_samples": -1.0}, "expected_samples must be finite and at least 0; got -1.0."),
        (DECISION, {"used": -0.1}, "used must be finite and at least 0; got -0.1."),
        (DECISION, {"streak": -1}, "streak must be a whole number of at least 0; got -1."),
        (DECISION, {"step": 0.5}, "step must be a whole number of at least 0; got 0.5."),
        (DECISION, {"confidence": 1.1}, "confidence must be a share from 0 to 1; got 1.1."),
        (DECISION, {"net_saving": -math.inf}, "net_saving must be finite; got -inf."),
        (OBSERVATION, {"train_tokens": -1}, "train_tokens must be a whole number of at least 0; got -1."),
        (OBSERVATION, {"train_flops": math.nan}, "train_flops must be finite and at least 0; got nan."),
        (POINT, {"greedy_accuracy": 1.5}, "greedy_accuracy must be a share from 0 to 1; got 1.5."),
        (POINT, {"disagreement": -0.5}, "disagreement must be a share from 0 to 1; got -0.5."),
        (POINT, {"evaluation_flops": "1"}, "evaluation_flops must be a number; got '1'."),
        (POINT, {"output_tokens": -1.0}, "output_tokens must be finite and at least 0; got -1.0."),
        (SEARCH, {"accuracy_P": (0.0, 2.0)}, "accuracy_P must hold shares from 0 to 1; got 2.0."),
        (SEARCH, {"k": 0}, "k must be a whole number of at least 1; got 0."),
        (SCORE, {"k": 0}, "k must be a whole number of at least 1; got 0."),
        (SCORE, {"lo": -1.5}, "lo must be from -1.000000001 to 1.000000001; got -1.5."),
        (SCORE, {"value": 0.2}, "value must be within its interval, -0.3 to 0.1; got 0.2."),
        (SCORE, {"standard_error": math.nan}, "standard_error must be finite and at least 0; got nan."),
        (SCORE, {"gain": math.inf}, "gain must be finite; got inf."),
        (MEASUREMENT, {"gain_lo": math.nan}, "gain_lo must be finite; got nan."),
        (MEASUREMENT, {"accuracy": 0.7}, "accuracy must be within its interval, 0.4 to 0.6; got 0.7."),
        (MEASUREMENT, {"standard_error": -1.0}, "standard_error must be finite and at least 0; got -1.0."),
        (MEASUREMENT, {"model_flops": -1.0}, "model_flops must be finite and at least 0; got -1.0."),
        (QUERY, {"decode_flops": -1.0}, "decode_flops must be finite and at least 0; got -1.0."),
        (SHAPE, {"num_layers": 0}, "num_layers must be a whole number of at least 1; got 0."),
        (VERIFICATION, {"full_sampled_accuracy": math.nan}, "full_sampled_accuracy must be a share from 0 to 1; got"),
        (VERIFICATION, {"difference": math.nan}, "difference must be finite; got nan."),
        (VERIFICATION, {"k": -1}, "k must be a whole number of at least 0; got -1."),
    ],
)
def test_records_out_of_range_are_refused_wherever_they_come_from(record, changed: dict, message: str) -> None:
    with pytest.raises(errors.ArgumentError) as error:
        dataclasses.replace(record, **changed)
    assert str(error.value).startswith(message)


def test_what_a_log_holds_is_checked_too() -> None:
    for record, name, value in (
        (CURVE, "accuracy_K", (0.3, 0.5, 7.0)),
        (DECISION, "used", -0.1),
        (SHAPE, "embedding", 0),
    ):
        assert msgspec.convert(msgspec.to_builtins(record), type(record)) == record
        with pytest.raises(msgspec.ValidationError, match=f"^{name} must "):
            msgspec.convert(msgspec.to_builtins(record) | {name: value}, type(record))


@pytest.mark.parametrize(
    ("record", "changed"),
    [
        (CURVE, {"expected_samples_K": (), "paired_error_K": ()}),
        (CURVE, {"accuracy_K": (0.3, 0.5, 1 + 1e-12), "hi_K": (0.3, 0.5, 1.0), "lo_K": (0.3, 0.5 + 1e-12, 0.9)}),
        (CURVE, {"expected_samples_K": (1.0, 2 + 1e-12, 4.0)}),
        (FORECAST, {"lo": 0.6, "hi": 0.6}),
        (FORECAST, {"lo": 0.0, "hi": 1.0, "num_points": 0}),
        (DECISION, {"used": 1.2, "gross_saving": -0.2, "net_saving": -3.0, "confidence": 1 + 1e-12}),
        (POINT, {"output_tokens": None, "evaluation_flops": None, "query_flops": None}),
        (SERVING, {"flops_per_query": None}),
        (DECISION, {"evaluation_flops": None}),
        (MEASUREMENT, {"standard_error": math.nan}),
    ],
)
def test_records_at_the_ends_of_their_ranges(record, changed: dict) -> None:
    for name, value in changed.items():
        kept = getattr(dataclasses.replace(record, **changed), name)
        assert kept is value or kept == value


def test_a_checkpoint_is_decided_at_the_step_it_was_observed_at() -> None:
    assert CheckpointRecord(observation=OBSERVATION, decision=DECISION).decision.step == 1
    with pytest.raises(errors.ArgumentError, match=r"^decision\.step must be 1, the one observed; got 2\.$"):
        CheckpointRecord(observation=OBSERVATION, decision=dataclasses.replace(DECISION, step=2))


# -- errors -----------------------------------------------------------------------------------------------------------


def test_argument_error_names_rule_value_and_remedy() -> None:
    error = errors.argument_error("k", "be at least 1", "0", "Use 1.")
    assert str(error) == "k must be at least 1; got '0'. Use 1."
    assert str(errors.argument_error("k", "be at least 1", 0)) == "k must be at least 1; got 0."


def test_usage_errors_are_told_apart_from_what_code_of_others_may_raise() -> None:
    usage = {each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, errors.UsageError)}
    assert usage == {errors.UsageError, errors.ArgumentError, errors.MissingExtraError}


def test_every_exception_is_one_of_ours_and_of_the_built_in_that_fits() -> None:
    classes = {name: each for name, each in vars(errors).items() if inspect.isclass(each)}
    assert all(issubclass(each, errors.BreakevenError) for each in classes.values())
    assert all(name in (errors.__doc__ or "") for name in classes)
    built_in = {
        "UsageError": errors.BreakevenError,
        "ArgumentError": ValueError,
        "LogError": ValueError,
        "SeveralTasksError": errors.LogError,
        "CorruptLogError": errors.LogError,
        "NewerLogError": errors.LogError,
        "LostProcessError": RuntimeError,
        "RunInUseError": RuntimeError,
        "RunStorageError": OSError,
        "DivergedError": ArithmeticError,
        "MissingExtraError": ImportError,
        "SamplerError": RuntimeError,
        "CheckFailedError": RuntimeError,
        "SandboxError": RuntimeError,
    }
    assert classes.keys() == built_in.keys() | {"BreakevenError"}
    assert all(issubclass(classes[name], each) for name, each in built_in.items())
