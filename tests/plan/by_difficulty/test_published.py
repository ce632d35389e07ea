"""Tables of arXiv 2502.06703: the printed numbers follow from the parameters and tokens, and leave something out."""

import pytest

from breakeven.choice.choose import choosable
from breakeven.plan.by_difficulty.published import published_by_flops, published_options, published_tables
from breakeven.records.curves import Made


def test_pretraining_flops_of_table_4() -> None:
    """6 N D with the models' published sizes and tokens; of R1 with all 671e9 parameters, not the active ones."""
    again = [each.train_flops_again for each in published_tables().flops]
    assert again == pytest.approx([1.62e23, 3.645e25, 7.56e23, 5.958e25], rel=1e-3)
    assert [f"{each:.3g}" for each in again][:1] == ["1.62e+23"]
    for each in published_tables().flops:
        assert each.train_flops == pytest.approx(each.train_flops_again, rel=2e-3)


def test_gains_of_table_5() -> None:
    gains = published_tables().gains
    assert [round(each.gain_again, 1) for each in gains] == [
        154.6,
        88.9,
        61.8,
        141.8,
        57.4,
        36.9,
        18.5,
        13.5,
        10.0,
        9.5,
    ]
    assert [each.gain for each in gains] == [round(each.gain_again, 1) for each in gains]


def test_inference_flops_of_table_4_hold_no_reward_model() -> None:
    """By hand: 3.07e17 / (2 x 3e9) / 500 = 102,333 tokens, 256 samples of 400; 8.15e17 of a 7B 116,429, 256 of 455."""
    tables = published_tables()
    tokens = {each.model: each.inference_tokens / tables.problems for each in tables.flops}
    assert tokens["Llama-3.2-3B"] == pytest.approx(256 * 400, rel=1e-3)
    assert tokens["DeepSeek-R1-Distill-7B"] == pytest.approx(256 * 455, rel=1e-3)
    assert tokens["Llama-3.1-405B"] == pytest.approx(1049, abs=1)
    assert tokens["DeepSeek-R1"] == pytest.approx(6006, abs=1)
    small = tables.flops[0]
    assert small.reward_flops(7e9) / small.inference_flops == pytest.approx(7 / 3)
    assert small.reward_flops(72e9) / small.inference_flops == pytest.approx(24)
    assert [each.reward_flops(7e9) for each in tables.flops if not each.searches] == [0.0, 0.0]


def test_the_claim_with_and_without_the_reward_model() -> None:
    """A 3B answers MATH-500 for fewer FLOPs than a 405B as printed, and for more with any reward model it uses."""
    small, large = published_options()[:2]
    assert small.quality.value > large.quality.value
    assert small.without("reward model").per_query < large.per_query < small.per_query


def test_published_points_are_labelled_and_not_chosen() -> None:
    options = published_options()
    assert {each.quality.made for each in options} == {Made.PUBLISHED}
    assert choosable(options) == []
    assert all("2502.06703" in str(each.settings["source"]) for each in options)
    table = published_by_flops()
    assert "2502.06703" in table.label
    assert {len(row) for row in table.rows} == {len(table.headings)}
