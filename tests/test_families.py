"""`benchmarks/families.py`: its tables are those of the page, and each record is of a run as it was verified."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from breakeven.records import SampleBank, Verification

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "families.md"
NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("families")


def on_page(line: str, lines: list[str]) -> bool:
    """Whether the page has a line of the same words, whose numbers differ by a unit of their last digit at most."""
    for other in lines:
        if NUMBER.sub("", line) == NUMBER.sub("", other):
            pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
            if all(abs(float(one) - float(two)) < 1.1 * 10 ** -len(one.partition(".")[2]) for one, two in pairs):
                return True
    return False


def test_page_holds_what_the_script_prints(families: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    families.main()
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    page = PAGE.read_text("utf-8").splitlines()
    # Paragraphs of the page are wrapped; lines of its tables are not.
    wrapped = re.sub(r"\n  ", " ", PAGE.read_text("utf-8")).splitlines()
    assert len(printed) > len(families.recorded()) + len(families.sampled(families.recorded()))
    assert [line for line in printed if not on_page(line, page) and not on_page(line, wrapped)] == []


def test_runs_are_recorded_once_and_small(families: ModuleType) -> None:
    records = families.recorded()
    keys = {(each.task, each.family, each.seed) for each in records}
    assert len(keys) == len(records)
    assert sum(path.stat().st_size for path in families.FOLDER.iterdir()) < 20_000 * len(records)


def test_a_record_is_of_the_stop_that_was_verified(families: ModuleType) -> None:
    for each in families.recorded():
        assert each.active_parameters <= each.parameters
        assert (each.stop is None) == (each.verification is None) == (each.serving is None) == (each.forecast is None)
        drawn = 0 if each.output == "classification" else families.NUM_SAMPLES
        assert {len(row) for row in (*each.bank.correct_PN, *each.bank.answer_PN)} == {drawn}
        if each.verification is not None:
            assert each.verification.stopped_step == each.stop == each.serving.step
            assert each.verification.stopped_greedy_accuracy == pytest.approx(each.bank.greedy_accuracy)
            assert each.verification.num_problems == each.bank.num_problems


def test_ways_to_answer_keep_what_they_promise(families: ModuleType) -> None:
    bank = families.sampled(families.recorded())[0].bank
    found = families.ways(bank)
    at_once, safe = found[families.VOTE], found[families.SAFE]
    assert at_once.accuracy_P.tolist() == safe.accuracy_P.tolist()
    assert safe.samples <= at_once.samples == families.NUM_SAMPLES
    assert found[families.UNTIL_RIGHT].accuracy == pytest.approx(
        sum("1" in row for row in bank.correct_PN) / bank.num_problems
    )
    assert found["greedy"].accuracy == pytest.approx(bank.greedy_accuracy)


def test_a_compact_bank_has_the_first_samples_of_each_problem(families: ModuleType) -> None:
    bank = SampleBank(
        correct_PN=("1" * 20, "0" * 15 + "1" * 5),
        answer_PN=("0" * 20, "1" * 20),
        greedy_correct_P="10",
        temperature=0.8,
        seed=0,
        prompt_tokens=7,
        output_tokens=20 + 40,
        greedy_output_tokens=3,
        output_tokens_PN=((1,) * 20, (2,) * 20),
    )
    compact = families.compact(bank)
    assert compact.correct_PN == ("1" * 16, "0" * 15 + "1")
    assert compact.answer_PN == ("0" * 16, "1" * 16)
    assert (compact.output_tokens, compact.prompt_tokens, compact.output_tokens_PN) == (16 + 32, 7, ())


def run(families: ModuleType, difference: float, error: float) -> object:
    """A recorded run whose stop was verified to be so much better than the end."""
    found = Verification(
        num_problems=200,
        num_samples=64,
        stopped_step=10,
        k=1,
        stopped_accuracy=0.5,
        stopped_greedy_accuracy=0.5,
        full_greedy_accuracy=0.5 - difference,
        full_sampled_accuracy=0.1,
        difference=difference,
        difference_standard_error=error,
        gross_saving=0.5,
        net_saving=0.4,
        evaluation_share=0.02,
        verification_flops=1.0,
    )
    return msgspec.structs.replace(families.recorded()[0], verification=found)


def test_violations_are_tallied_against_the_declared_risk(families: ModuleType) -> None:
    """Of two: the exact interval is 1 - .95^(1/2) to .95^(1/2)."""
    said = families.tally([run(families, 0.1, 0.01), run(families, -0.05, 0.01)])
    assert said.startswith("2 of 2 runs stop; mean net saving of all 40%; 1 violations of the margin of one point, 1")
    assert "50.0% of the runs (exact binomial interval, 90 %: 2.5% to 97.5%), at a declared risk of 10%" in said
    within = families.tally([run(families, 0.1, 0.01), run(families, -0.009, 0.01)])
    assert "0 violations" in within


@pytest.mark.slow
def test_a_mixture_of_experts_is_trained_measured_and_recorded(
    families: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the Trainer, with the loss of its router, which no evaluation may fail on."""
    pytest.importorskip("transformers")
    decoders = importlib.import_module("families_decoders")
    monkeypatch.setitem(decoders.STEPS, "countdown", 20)
    monkeypatch.setattr(decoders, "PROBLEMS", 8)
    found = decoders.trained("countdown", 0, "qwen3_moe")
    assert {step for step, _ in found.curve} >= {1, 20}
    assert found.parameters - found.active_parameters == 2 * 6 * 3 * 64 * 88  # six of eight experts in two layers
    assert found.bank.num_problems == 8
    assert msgspec.json.decode(msgspec.json.encode(found), type=families.Record) == found
