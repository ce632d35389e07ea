"""Which metrics are taken for the verdict on one sample, and which never are."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.metrics import choose_metric, no_verdict


def choose(*names: str, asked: str | None = None, higher: dict | None = None) -> str:
    return choose_metric(names, asked, where=Path("f.json"), task="t", higher=higher)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("acc_norm", "acc"), "acc"),
        (("acc_norm", "likelihood_diff"), "acc_norm"),
        (("mc1", "mc2"), "mc1"),
        (("f1", "em"), "em"),
        (("qem", "rouge1"), "qem"),
        (("em_with_normalize_gold&normalize_pred", "f1_score"), "em_with_normalize_gold&normalize_pred"),
        (("loglikelihood_acc",), "loglikelihood_acc"),
        (("extractive_match",), "extractive_match"),
        (("math_pass@1:1_samples", "maj@8"), "math_pass@1:1_samples"),
        (("pass@k:k=1&n=8", "pass@k:k=8&n=8"), "pass@k:k=1&n=8"),
        (("pass@1", "pass@10"), "pass@1"),
        (("inst_level_strict_acc", "prompt_level_strict_acc", "prompt_level_loose_acc"), "prompt_level_strict_acc"),
    ],
)
def test_a_metric_known_to_be_a_verdict_is_taken_unasked(names: tuple[str, ...], chosen: str) -> None:
    assert choose(*names) == chosen


NO_VERDICTS = """
pass@2 pass@10 pass@64 pass_at_8 pass^8 maj@8 maj@4_8_samples majority_vote pass@8:32_samples pass@k:k=8&n=32
g-pass@16:48_samples cons@64 best_of_8 mc2 pct_stereotype likelihood_difference likelihood_diff amb_bias_score bleu
sacrebleu bleu_acc f1 HasAns_f1 rouge1 rougeL chrf bert_score mcc word_perplexity ppl bits_per_byte brier_score ter
loss eval_loss inst_level_strict_acc accuracy_amb recall mrr r@2 acc_logprob
"""


@pytest.mark.parametrize("name", NO_VERDICTS.split())
def test_what_is_no_verdict_on_one_sample_is_refused_asked_for_or_not(name: str) -> None:
    assert no_verdict(name)
    for asked in (None, name):
        with pytest.raises(
            LogError, match="must have a metric in which each problem is right or wrong; got "
        ) as caught:
            choose(name, asked=asked)
        assert name in str(caught.value)


def test_an_unknown_metric_is_taken_where_it_is_asked_for() -> None:
    with pytest.raises(LogError, match=r"task t, must have a metric known to say right .* If found does, add --metric"):
        choose("found", "bleu")
    assert choose("found", "bleu", asked="found") == "found"
    with pytest.raises(LogError, match="has several metrics: acc_bytes, acc_norm"):
        choose("acc_norm", "acc_bytes")


def test_what_the_log_says_of_the_direction_counts() -> None:
    with pytest.raises(LogError, match="got acc, where lower is better"):
        choose("acc", higher={"acc": False})
    assert choose("acc", higher={"acc": True}) == "acc"
