"""Tables of stages: what is read, and what is refused and why."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.stage_table import read_stages

STAGES = """
unit = "published"
budgets = [900.0]

[[stage]]
name = "retrieval"
samples = [1, 2]
prompt_tokens = 2048
output_tokens = 128
[[stage.model]]
name = "7B"
params = 7e9
accuracy = [0.5, 0.6]
[[stage.model]]
name = "mine"
source = "runs/mine"
step = 240

[[stage]]
name = "answer"
calls = 2
[[stage.model]]
name = "3B"
params = 3_000_000_000
"""


def test_stages_models_and_budgets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "stages.toml"
    path.write_text(STAGES)
    found = read_stages(path)
    assert (found.unit, found.budgets, found.cells) == ("published", (900.0,), "")
    first, second = found.stage
    assert (first.name, first.samples, first.prompt_tokens, first.calls) == ("retrieval", (1, 2), 2048, 1)
    assert first.model[0].accuracy == (0.5, 0.6)
    assert (first.model[1].source, first.model[1].step, first.model[1].strategy) == ("runs/mine", 240, "majority_vote")
    assert (second.calls, second.samples, second.model[0].params) == (2, (1, 2, 4, 8, 16, 32), 3e9)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('unit = "published"', 'unit = "tokens"', "unit"),
        ('unit = "published"', 'unti = "flops"', "unti must be a setting or section; got 'unti'. Did you mean unit?"),
        ("calls = 2", "call = 2", "stage.call must be a setting of [stage]; got 'call'. Did you mean calls?"),
        ("step = 240", "stap = 240", "stage.model.stap must be a setting of [stage.model]; got 'stap'."),
        ("calls = 2", "calls = 0", "calls must be at least 1; got 0."),
        ("samples = [1, 2]", "samples = [2, 1]", "samples must be increasing whole numbers from 1 up; got [2, 1]."),
        ("accuracy = [0.5, 0.6]", "accuracy = [50.0, 60.0]", "accuracy must be a share from 0 to 1; got 50.0. Divide"),
        ("accuracy = [0.5, 0.6]", "accuracy = [0.5, nan]", "accuracy must be a share from 0 to 1; got nan."),
        ('source = "runs/mine"', 'source = "a"\naccuracy = [0.1, 0.2]', "source must be left out where accuracy is"),
        ("params = 7e9", "params = -7e9", "params must be finite and above 0; got -7000000000.0."),
        ('name = "mine"', 'name = "7B"', "model must be at least one, each with a name of its own; got ['7B', '7B']."),
        ('name = "answer"', 'name = "retrieval"', "stage must be at least one, each with a name of its own"),
        ("budgets = [900.0]", "budgets = [-1.0]", "budgets must be finite and above 0; got -1.0."),
        ("budgets = [900.0]", "budgets = [900.0", "must be TOML"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "stages.toml"
    assert before in STAGES
    path.write_text(STAGES.replace(before, after, 1))
    with pytest.raises(LogError) as caught:
        read_stages(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_nothing_and_pickles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="must be a table of stages; got nothing"):
        read_stages(tmp_path / "none.toml")
    (tmp_path / "p.toml").write_bytes(b"\x80\x04")
    with pytest.raises(LogError, match="must be text; got a pickle"):
        read_stages(tmp_path / "p.toml")
