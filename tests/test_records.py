"""Records: what they derive, that they are frozen, and how argument errors are worded."""

import dataclasses
import inspect
import math

import pytest

from breakeven import errors, records
from breakeven.records import (
    NO_ANSWER,
    Action,
    Decision,
    FitStatus,
    Made,
    Problem,
    QueryFlops,
    Reason,
    RunSpec,
    SampleBank,
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
        ({"greedy_correct_P": "01"}, "greedy_correct_P must have one character for each of the 3 problems; got 2."),
    ],
)
def test_bank_refuses_rows_that_are_no_verdicts(changed: dict, message: str) -> None:
    with pytest.raises(errors.ArgumentError) as error:
        dataclasses.replace(BANK, **changed)
    assert str(error.value).startswith(message)


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


# -- the plan ---------------------------------------------------------------------------------------------------------


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


# -- errors -----------------------------------------------------------------------------------------------------------


def test_argument_error_names_rule_value_and_remedy() -> None:
    error = errors.argument_error("k", "be at least 1", "0", "Use 1.")
    assert str(error) == "k must be at least 1; got '0'. Use 1."
    assert str(errors.argument_error("k", "be at least 1", 0)) == "k must be at least 1; got 0."


def test_every_exception_is_one_of_ours_and_of_the_built_in_that_fits() -> None:
    classes = {name: each for name, each in vars(errors).items() if inspect.isclass(each)}
    assert all(issubclass(each, errors.BreakevenError) for each in classes.values())
    assert all(name in (errors.__doc__ or "") for name in classes)
    built_in = {
        "ArgumentError": ValueError,
        "LogError": ValueError,
        "CorruptLogError": errors.LogError,
        "NewerLogError": errors.LogError,
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
