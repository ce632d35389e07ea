"""`breakeven init` on scripts as people write them: read, never run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from breakeven.cli import app

TASK = 'task="gsm8k:validation.jsonl"'
SCRIPTS = {
    "transformers": (
        "from transformers import Trainer\nraise SystemExit\nhis = Trainer(model=m, args=a)\n",
        ["transformers, Trainer, line 3:", f"his = Trainer(..., callbacks=[breakeven.transformers.EarlyStop({TASK})])"],
    ),
    "its own trainer, with callbacks": (
        "import transformers as hf\nclass Mine(hf.Trainer): pass\nt = Mine(callbacks=[hf.EarlyStoppingCallback(3)])\n",
        [f"t = Mine(..., callbacks=[breakeven.transformers.EarlyStop({TASK}), hf.EarlyStoppingCallback(3)])"],
    ),
    "TRL": (
        "from trl import SFTTrainer, GRPOTrainer\ns = SFTTrainer(callbacks=mine)\nGRPOTrainer(m)\n",
        [
            "TRL, SFTTrainer, line 2:",
            f"s = SFTTrainer(..., callbacks=[breakeven.transformers.EarlyStop({TASK}), *mine])",
            "TRL, GRPOTrainer, line 3:",
            f"GRPOTrainer(..., callbacks=[breakeven.transformers.EarlyStop({TASK})])",
        ],
    ),
    "Lightning": (
        "import lightning as L, torch\nfrom transformers import AutoTokenizer\n"
        "tok = AutoTokenizer.from_pretrained('x')\n"
        "class M(L.LightningModule):\n    def configure_optimizers(self):\n        o = torch.optim.SGD([])\n"
        "L.Trainer(max_steps=3).fit(M())\n",
        ["Lightning, line 7:", f"L.Trainer(..., callbacks=[breakeven.lightning.EarlyStop({TASK}, tokenizer=tok)])"],
    ),
    "pytorch_lightning": (
        "from pytorch_lightning import Trainer\ntrainer: Trainer = Trainer()\n",
        [f"trainer = Trainer(..., callbacks=[breakeven.lightning.EarlyStop({TASK})])"],
    ),
    "Accelerate": (
        "from accelerate import Accelerator\nfrom torch.optim import AdamW\nfrom transformers import *\n"
        "from transformers import AutoModelForCausalLM as A, get_scheduler\nacc = Accelerator()\n"
        "lm = A.from_pretrained('x')\nopt = AdamW(lm.parameters())\nsched = get_scheduler('linear', opt)\n",
        [
            "Accelerate, line 5:",
            f'with breakeven.torch.EarlyStop(lm, tokenizer, steps=..., scheduler=sched, {TASK}, log="runs/mine") as',
            "if early_stop.step(loss): break  # in it, after opt.step()",
        ],
    ),
    "PyTorch": (
        "import torch\nself.opt = torch.optim.SGD(p)\n",
        ["PyTorch, line 2:", "EarlyStop(model, tokenizer, steps=..., task=", "after self.opt.step()"],
    ),
    "Ray Tune": (
        "from ray import tune\nt = tune.Tuner(f)\n",
        ["Ray Tune, line 2:", "t = tune.Tuner(..., run_config=RunConfig(stop=breakeven.ray.Stopper(steps=..., metric="],
    ),
    "Ray Tune, with a config": (
        "import ray.tune\nray.tune.Tuner(f, run_config=ray.tune.RunConfig(name='x'))\n",
        ["ray.tune.RunConfig(..., stop=breakeven.ray.Stopper("],
    ),
}


def init(script: Path, *options: str):
    return CliRunner().invoke(app, ["init", str(script), *options])


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_lines_have_the_names_of_the_script(name: str, tmp_path: Path) -> None:
    source, lines = SCRIPTS[name]
    (tmp_path / "train.py").write_text(source)
    result = init(tmp_path / "train.py")
    assert result.exit_code == 0, result.output
    assert "import breakeven" in result.output
    for line in lines:
        assert line in result.output, result.output
    assert ("PyTorch" in result.output) is (name == "PyTorch")


def test_as_json(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPTS["transformers"][0])
    found = json.loads(init(tmp_path / "train.py", "--json").stdout)["found"]
    assert [each["line"] for each in found] == [3]
    assert found[0]["lines"][0] == "import breakeven"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import numpy, jax\n", "SCRIPT must train with a framework that is known; got '"),
        ("", "no imports"),
        ("def\n", "SCRIPT must be Python; got"),
        (None, "SCRIPT must be a file of Python that can be read; got"),
    ],
)
def test_what_it_cannot_tell_is_said(source: str | None, message: str, tmp_path: Path) -> None:
    if source is not None:
        (tmp_path / "train.py").write_text(source)
    result = init(tmp_path / "train.py")
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("example", "line"),
    [
        ("transformers_trainer.py", "trainer = Trainer(..., callbacks=[breakeven.transformers.EarlyStop("),
        ("grpo_trainer.py", "trainer = GRPOTrainer(..., callbacks=[breakeven.transformers.EarlyStop("),
        ("lightning_module.py", "trainer = Trainer(..., callbacks=[breakeven.lightning.EarlyStop("),
        ("accelerate_loop.py", "if early_stop.step(loss): break  # in it, after optimizer.step()"),
        ("ray_tune.py", "stop=breakeven.ray.Stopper("),
    ],
)
def test_our_own_examples_are_recognised(example: str, line: str) -> None:
    result = init(Path(__file__).parents[2] / "examples" / example)
    assert line in result.output, result.output
    assert result.output.count("EarlyStop(") < 2, "in place of the one that is there"
    assert "tokenizer=inner" not in result.output, "what the tokenizer of transformers is made of"
