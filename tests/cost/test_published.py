"""Our figures against those that others published: benchmarks/flops.py, which docs/flops.md shows."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from breakeven.cost.decoders import GATED, PLAIN, SPARSE
from breakeven.cost.encoder_decoders import ENCODER_DECODERS
from breakeven.cost.encoders import ENCODERS
from breakeven.cost.images import IMAGES
from breakeven.cost.state_spaces import STATE_SPACES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "flops.md"


@pytest.fixture(scope="module")
def flops() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("flops")


def test_every_figure_is_within_two_percent_and_every_count_within_half_a_percent(flops: ModuleType) -> None:
    assert len({each.model for each in flops.FIGURES}) >= 16
    for each in flops.FIGURES:
        is_count = each.figure == "total" and each.value % 1000
        assert each.ours == pytest.approx(each.value, rel=0.005 if is_count else 0.02), each.model


def test_the_page_names_every_family() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Families")[2].partition("\n## ")[0]
    families = (*GATED, *PLAIN, *SPARSE, *STATE_SPACES, *ENCODERS, *ENCODER_DECODERS, *IMAGES)
    assert {each for each in families if not re.search(rf"(?<![\w-]){each}(?![\w-])", page)} == set()


def test_the_page_shows_the_table_that_the_benchmark_prints(flops: ModuleType) -> None:
    assert "\n".join(flops.table()) in PAGE.read_text(encoding="utf-8")
