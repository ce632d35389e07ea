"""What K passes of a classifier buy on top of its plain pass, and what training on buys.

    python benchmarks/classifier_passes.py    about 4 minutes of one core

A ResNet with augmented inputs and a ViT with its dropout are trained on the digits of scikit-learn, three times each,
and measured on others at ten checkpoints: the plain pass, the mean of K noisy ones, and the mean of the plain ones of
the last checkpoints. Shown are points of accuracy against the plain pass of the same checkpoint, mean over the runs,
with the standard error between them.
"""

import logging
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from transformers import (
    ResNetConfig,
    ResNetForImageClassification,
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
    set_seed,
)

from breakeven import PaperPolicy
from breakeven.data.labelled.named import load_examples
from breakeven.records import SampleBank
from breakeven.sampling.augment import moves
from breakeven.transformers import Classification, EarlyStop

RUNS, STEPS, EVERY, SNAPSHOTS = 3, 1500, 150, 4
SHOWN = (1, 4, 9)
"""Places of checkpoints."""


def resnet() -> Any:
    return ResNetForImageClassification(
        ResNetConfig(
            num_channels=1, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=10
        )
    )


def vit() -> Any:
    return ViTForImageClassification(
        ViTConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=8,
            patch_size=2, num_channels=1, num_labels=10, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
        )
    )  # fmt: skip


MODELS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "ResNet, augmented": (resnet, {"augment": moves(degrees=8, shift=0.06)}),
    "ViT, dropout 0.1": (vit, {"dropout": True}),
}


def rows(split: Any) -> list[dict[str, Any]]:
    examples = load_examples("digits", split=split)
    assert examples.image_PHWC is not None
    images = examples.image_PHWC.transpose(0, 3, 1, 2)
    return [{"pixel_values": image, "labels": label} for image, label in zip(images, examples.label_P, strict=True)]


def banks(make: Callable[[], Any], passes: dict[str, Any], seed: int, directory: str) -> list[SampleBank]:
    """Of each checkpoint of one run."""
    set_seed(seed)
    others = rows("validation") + rows("test")
    stop = EarlyStop(
        classification=Classification(others, snapshots=SNAPSHOTS, num_examples=len(others), **passes),
        evaluate_every=EVERY,
        policy=PaperPolicy(),  # which draws all passes at every checkpoint
        baseline="greedy",
    )
    args = TrainingArguments(
        output_dir=directory, max_steps=STEPS, per_device_train_batch_size=32, learning_rate=1e-3,
        lr_scheduler_type="constant", report_to=[], disable_tqdm=True, use_cpu=True, seed=seed, logging_strategy="no",
        save_steps=EVERY, save_total_limit=SNAPSHOTS, save_only_model=True, dataloader_drop_last=True,
    )  # fmt: skip
    Trainer(model=make(), args=args, train_dataset=rows("train"), callbacks=[stop]).train()
    assert stop.session is not None
    return [each.observation.bank for each in stop.session.checkpoints]


def accuracies(bank: SampleBank) -> dict[str, float]:
    """In points."""
    votes = {each.strategy: each for each in bank.soft_votes or ()}
    found = {"plain": bank.greedy_accuracy}
    for name, strategy, k in (
        *((f"{k} noisy", "soft_vote", k) for k in (1, 4, 16)),
        (f"last {SNAPSHOTS}", "snapshot_ensemble", SNAPSHOTS),
    ):
        vote = votes[strategy]
        place = vote.k_values.index(k) if k in vote.k_values else None
        found[name] = np.nan if place is None else float(np.mean([row[place] for row in vote.accuracy_PK]))
    return {name: 100 * each for name, each in found.items()}


def main() -> None:
    logging.getLogger("breakeven").addHandler(logging.NullHandler())
    logging.getLogger("transformers").setLevel(logging.ERROR)
    print("| model | step | plain pass | 1 noisy | mean of 4 | mean of 16 | last 4 checkpoints | trained to the end |")
    print("|---|---|---|---|---|---|---|---|")
    for model, (make, passes) in MODELS.items():
        runs = []
        for seed in range(RUNS):
            with tempfile.TemporaryDirectory() as directory:
                runs.append([accuracies(each) for each in banks(make, passes, seed, directory)])
        for at in SHOWN:
            plain = np.array([run[at]["plain"] for run in runs])
            gains = [[run[at][name] for run in runs] - plain for name in runs[0][at] if name != "plain"]
            gains.append([run[-1]["plain"] for run in runs] - plain)
            shown = [f"{each.mean():+.1f} ({each.std(ddof=1) / RUNS**0.5:.1f})" for each in gains]
            cells = [each.replace("+nan (nan)", "-") for each in shown]
            print(f"| {model} | {EVERY * (at + 1)} | {plain.mean():.1f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
