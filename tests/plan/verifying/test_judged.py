"""Plans on files: what is measured, what stays when the files are gone, and the released verdicts on GPQA."""

import json
from pathlib import Path

import numpy as np
import pytest

from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.plan.solve_or_verify import Settings

ROW = row_of("solve-or-verify")
GPQA = Path(__file__).parents[4] / "shared/data/genrm_gpqa.json.gz"


def made(path):
    """Twenty problems, eight solutions, four verdicts on each, a little better than chance."""
    rng = np.random.default_rng(0)
    right = rng.random((20, 8)) < 0.5
    chances = rng.random((20, 8, 4)) * 0.5 + 0.4 * right[:, :, None]
    answers = np.where(right, "yes", rng.choice(["no", "maybe"], right.shape)).tolist()
    path.write_text(json.dumps({"answers": answers, "gold": ["yes"] * 20, "scores": chances.tolist()}), "utf-8")
    return path


def test_a_plan_on_a_file_counts_in_solutions_and_needs_it_once(tmp_path):
    file = made(tmp_path / "made.json")
    settings = Settings(draws=100, verdict_ratio=2.0)
    found = run_plan(ROW, tmp_path / "plan", settings=settings, files=[file])
    options = {each.name: each for each in found.answer.options}
    assert options["verifier, best of 4 x 2"].per_query == 4 * (1 + 2 * 2)
    assert options["solver, vote of 8"].per_query == 8
    assert found.answer.pictures[0].x == "solutions a query"
    assert any("third family is missing" in each for each in found.answer.notes)
    assert not any("any verdicts" in each.text for each in found.answer.findings)
    file.unlink()
    again = run_plan(ROW, tmp_path / "plan", settings=settings, files=[file])
    assert again == found


@pytest.mark.skipif(not GPQA.is_file(), reason="needs the shared verdicts on GPQA in ../shared/data")
def test_on_gpqa_verdicts_are_no_finding(tmp_path):
    """Best S x V less the best vote is half a point, five to six points either side."""
    found = run_plan(ROW, tmp_path, settings=Settings(), files=[GPQA])
    findings = {each.text: each for each in found.answer.findings}
    gap = findings["verifier, best less solver, vote, at 2112 solutions a query"]
    assert gap.value == pytest.approx(0.005, abs=0.003)
    assert gap.lo is not None
    assert gap.hi is not None
    assert -0.065 < gap.lo < -0.04
    assert 0.045 < gap.hi < 0.07
    crossed = next(each for text, each in findings.items() if text.startswith("verifier, best: solutions a query from"))
    assert "behind at 0 of" in crossed.text
    assert "ahead at 0" in crossed.text
    assert crossed.value == 264
    options = {each.name: each.quality.value for each in found.answer.options}
    assert options["verifier, weighted vote of 8 x 1"] == pytest.approx(0.500, abs=0.006)
    assert options["verifier, best of 64 x 32"] == pytest.approx(0.513, abs=0.021)
