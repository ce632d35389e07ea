"""Where the torch extra is not installed: what needs it names it, and the rest works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({missing}))  # importing one of these now fails as if it were not installed
from breakeven.cli import app
app({arguments})
"""


def run_without(missing: list[str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    code = WITHOUT.format(missing=missing, arguments=[str(each) for each in arguments])
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False, env=environment
    )


@pytest.mark.parametrize("missing", [["torch"], ["safetensors", "safetensors.torch"]])
def test_run_names_the_extra(missing: list[str], tmp_path: Path) -> None:
    if missing != ["torch"]:
        pytest.importorskip("torch")
    result = run_without(missing, "run", "countdown", "--out", tmp_path / "run")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == "error: breakeven run needs PyTorch: pip install 'breakeven[torch]'\n"
    assert not (tmp_path / "run").exists()


def test_flops_of_a_module_name_the_extra_and_those_of_a_config_need_none(tmp_path: Path) -> None:
    missing = ["torch", "safetensors", "safetensors.torch", "transformers"]
    counted = run_without(missing, "flops", "math:pi")
    assert (counted.returncode, counted.stdout) == (2, "")
    assert counted.stderr == "error: counting a module needs PyTorch: pip install 'breakeven[torch]'\n"
    config = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 9}
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 8}), encoding="utf-8")
    read = run_without(missing, "flops", tmp_path)
    assert (read.returncode, read.stderr) == (0, "")


def test_a_recorded_run_is_replayed_and_reported(recorded: Path) -> None:
    missing = ["torch", "safetensors", "safetensors.torch"]
    replayed = run_without(missing, "replay", recorded)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "equal the recorded ones bit for bit" in replayed.stdout
    reported = run_without(missing, "report", recorded)
    assert (reported.returncode, reported.stderr) == (0, "")
    assert (recorded / "report.html").exists()
