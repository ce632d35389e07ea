"""Records: what they derive, that they are frozen, and how argument errors are worded."""

import dataclasses
import inspect

import pytest

from breakeven import errors, records
from breakeven.records import (
    Action,
    Decision,
    FitStatus,
    Made,
    Problem,
    QueryFlops,
    Reason,
    SampleBank,
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
        ({"correct_PN": ()}, "correct_PN must hold P rows of one length, at least 1; got"),
        ({"correct_PN": ("",) * 3}, "correct_PN must hold P rows of one length, at least 1; got"),
        ({"correct_PN": ("10", "1", "0")}, "correct_PN must hold P rows of one length, at least 1; got"),
        ({"correct_PN": ("10", "1x", "00")}, "correct_PN and greedy_correct_P must hold only the characters 0 and 1"),
        ({"greedy_correct_P": "0?1"}, "correct_PN and greedy_correct_P must hold only the characters 0 and 1"),
        ({"greedy_correct_P": "01"}, "greedy_correct_P must have one character for each of the 3 problems; got 2."),
    ],
)
def test_bank_refuses_rows_that_are_no_verdicts(changed: dict, message: str) -> None:
    with pytest.raises(errors.ArgumentError) as error:
        dataclasses.replace(BANK, **changed)
    assert str(error.value).startswith(message)


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
    }
    assert classes.keys() == built_in.keys() | {"BreakevenError"}
    assert all(issubclass(classes[name], each) for name, each in built_in.items())
