"""`breakeven bound`: the paper's numbers, and ours with every FLOP charged."""

import itertools
import json

import pytest

TOKENS = {"--train-tokens": "3e12", "--output-tokens": "1024", "--used": "0.2", "--cost-ratio": "1.2"}
FLOPS = {"--budget-flops": "100", "--train-flops": "20", "--query-flops": "4", "--baseline-query-flops": "1"}


def flat(options: dict[str, str], **changes: str) -> list[str]:
    named = {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [part for option in (options | named).items() for part in option]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (flat(TOKENS), "7.03e10 queries"),  # 0.8 x 6 x 3e12 / (0.2 x 1024)
        (flat(TOKENS, train_to_inference="6"), "7.03e10 queries"),
        (flat(TOKENS, train_to_inference="3"), "3.52e10 queries"),
        (flat(TOKENS, cost_ratio="1.0"), "never"),
        (flat(TOKENS, cost_ratio="0.5"), "never"),
        (flat(TOKENS, used="1"), "0.00e0 queries"),
        (flat(FLOPS), "2.67e1 queries"),  # 80 / 3
        (flat(FLOPS, evaluation_flops="5"), "2.50e1 queries"),  # 75 / 3
        (flat(FLOPS, evaluation_flops="90"), "0.00e0 queries"),  # nothing saved
        (flat(FLOPS, query_flops="1"), "never"),
    ],
)
def test_it_prints_the_break_even(cli, options: list[str], printed: str) -> None:
    result = cli("bound", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, printed + "\n", "")


@pytest.mark.parametrize(
    ("options", "queries"), [(flat(FLOPS, evaluation_flops="5"), 25.0), (flat(FLOPS, query_flops="1"), None)]
)
def test_json_has_the_number_or_null_for_never(cli, options: list[str], queries: float | None) -> None:
    assert json.loads(cli("bound", *options, "--json").stdout) == {"break_even_queries": queries}


@pytest.mark.parametrize("form", [TOKENS, FLOPS], ids=["tokens", "FLOPs"])
@pytest.mark.parametrize("num_missing", [1, 2, 3])
def test_options_that_are_missing_are_named_and_no_others(refused, form: dict[str, str], num_missing: int) -> None:
    for missing in itertools.combinations(form, num_missing):
        given = [name for name in form if name not in missing]
        message = f"{', '.join(missing)} must be given; got 'none'. Together with {', '.join(given)}."
        assert refused("bound", *flat({name: form[name] for name in given})) == message


def test_no_option_at_all_is_refused_with_those_of_the_paper(refused) -> None:
    assert refused("bound") == f"{', '.join(TOKENS)} must be given; got 'none'."


@pytest.mark.parametrize(
    ("options", "stray"),
    [
        (flat(FLOPS, used="0.2"), "--used"),
        (flat(FLOPS, train_to_inference="3"), "--train-to-inference"),
        (flat(FLOPS, train_to_inference="6"), "--train-to-inference"),  # also where it says the default
        (flat(TOKENS, evaluation_flops="5"), "--evaluation-flops"),
    ],
)
def test_an_option_of_the_other_form_is_refused_and_not_ignored(refused, options: list[str], stray: str) -> None:
    assert refused("bound", *options).startswith(f"{stray} must be left out when ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (flat(TOKENS, used="1.5"), "used must be a share from 0 to 1; got 1.5."),
        (flat(TOKENS, used="nan"), "used must be a share from 0 to 1; got nan."),
        (flat(TOKENS, train_tokens="0"), "train_tokens must be finite and above 0; got 0.0."),
        (flat(TOKENS, cost_ratio="inf"), "cost_ratio must be finite and above 0; got inf."),
        (flat(FLOPS, train_flops="-1"), "train_flops must be finite and at least 0; got -1.0."),
        (flat(FLOPS, evaluation_flops="nan"), "evaluation_flops must be finite and at least 0; got nan."),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(refused, options: list[str], message: str) -> None:
    assert refused("bound", *options).startswith(message)


def test_text_in_place_of_a_number_is_a_usage_error(cli) -> None:
    result = cli("bound", *flat(TOKENS, used="some"))
    assert result.exit_code == 2
    assert "--used" in result.stderr
    assert result.stdout == ""
