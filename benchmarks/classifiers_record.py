"""Train classifiers to their end in shadow mode, keep their logs, and measure their checkpoints on the test examples.

    python benchmarks/classifiers_record.py --movies vaderSentiment-0.5.zip

Leaves in benchmarks/classifiers what classifiers.py prints, and a line a run for families.py.
"""

import argparse
import gzip
import logging
import sys
from itertools import product
from pathlib import Path
from typing import Any

import families
import numpy as np
from classifiers import DYNAMIC, FOLDER, K_VALUES, At, Measured, encoded, recorded
from shadowed import scratch, seen_by

from breakeven.adapters.asked import RightIf
from breakeven.classifiers.data import Splits, load_splits
from breakeven.classifiers.models import rows_of
from breakeven.classifiers.recipe import ClassifierConfig, classifier_from
from breakeven.classifiers.saved import load_model, start_run, tokenizer_of
from breakeven.classifiers.train import augmentation_of, run
from breakeven.config import CLASSIFIERS, recipe_names, recipe_settings
from breakeven.records import Problem, SampleBank
from breakeven.records.agree import SameText
from breakeven.sampling.classes import ClassSampler, default_collate
from breakeven.sampling.collect import Collector
from breakeven.seeds import verification_seed
from breakeven.store import LOG_NAME, RunRecord, read_log
from breakeven.ttc.pool import pool_of
from breakeven.ttc.strategies.on_pool import measure
from breakeven.ttc.strategies.soft_vote import snapshot_ensemble, soft_vote

SEEDS = (0, 1, 2)
NUM_PASSES = max(K_VALUES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", default="", help="where vaderSentiment-0.5.zip is")
    parser.add_argument("--most", type=int, default=1000, help="runs to train at most")
    asked = parser.parse_args()
    logging.getLogger("breakeven").setLevel(logging.ERROR)
    done = {(each.task, each.seed) for each in recorded()}
    missing = [each for each in product(recipe_names(CLASSIFIERS), SEEDS) if each not in done]
    for name, seed in missing[: asked.most]:
        overrides = [f"seed={seed}", "mode=shadow"]
        overrides += [f"data.path={asked.movies}"] if asked.movies and "movies" in name else []
        trained(classifier_from(recipe_settings(name, overrides)))
        sys.stdout.write(f"{name}, seed {seed}\n")
        sys.stdout.flush()


def trained(config: ClassifierConfig) -> None:
    """Train to the end, and leave log and records."""
    splits = load_splits(config)
    with scratch() as place:
        run_dir = place / "run"
        start_run(config, run_dir)
        run(config, splits, run_dir, mode="shadow")
        record = read_log(run_dir)
        test = Test(config, splits, run_dir, record)
        seen = seen_by(record)
        stop, end = seen["stop"], config.train.steps
        at = {end // 4, end // 2} | ({stop} if stop else set())
        steps = sorted(step for step in at if step in test.steps and step < end)
        checkpoints = [test.at(step) for step in (*steps, end)]
        shared: dict[str, Any] = {
            "seed": config.seed,
            "parameters": sum(each.numel() for each in test.model(end).parameters()),
            "steps": end,
            **seen,
        }
        bank = test.plain_bank(stop or end)
        log = gzip.compress((run_dir / LOG_NAME).read_bytes(), mtime=0)
    for folder in (FOLDER, families.FOLDER):
        folder.mkdir(exist_ok=True)
    (FOLDER / f"{config.name}-{config.seed}.log.gz").write_bytes(log)
    own = Measured(
        task=config.name, family=config.model.family, num_test=len(splits.test), checkpoints=checkpoints, **shared
    )
    row = families.Record(
        task=config.data.set.rpartition(":")[2],
        family=config.model.family,
        output="classification",
        active_parameters=shared["parameters"],
        bank=bank,
        **shared,
    )
    for path, each in ((FOLDER / "runs.jsonl", own), (families.FOLDER / "classifiers.jsonl", row)):
        with path.open("ab") as file:
            file.write(encoded(each))


class Test:
    """The test examples of a run, and what its kept checkpoints make of them."""

    def __init__(self, config: ClassifierConfig, splits: Splits, run_dir: Path, record: RunRecord) -> None:
        self.config, self.splits, self.run_dir = config, splits, run_dir
        self.tokenizer = tokenizer_of(config, splits, run_dir)
        self.rows = rows_of(splits.test, self.tokenizer)
        classes = splits.train.classes
        labels = splits.test.label_P.tolist()
        self.problems = [
            Problem(id=str(place), prompt=str(place), reference=classes[label]) for place, label in enumerate(labels)
        ]
        self.right_PC = splits.test.label_P[:, None] == np.arange(len(classes))
        self.steps = [each.observation.step for each in record.checkpoints]
        self.plain: dict[int, Any] = {}

    def model(self, step: int) -> Any:
        """As it was at an evaluation."""
        return load_model(self.config, self.splits, self.run_dir, step)

    def sampler(self, step: int) -> ClassSampler:
        """Of its passes, as in the run."""
        collate = default_collate
        if self.tokenizer is not None:
            from transformers import DataCollatorWithPadding

            collate = DataCollatorWithPadding(self.tokenizer)
        passes = self.config.passes
        return ClassSampler(
            self.model(step),
            self.rows,
            self.splits.train.classes,
            collate,
            augment=augmentation_of(passes),
            dropout=passes.dropout,
            max_rows=self.config.evaluate.batch_size,
        )

    def collector(self, step: int) -> Collector:
        """Draws and grades them, with seeds that no evaluation used."""
        return Collector(
            self.sampler(step),
            RightIf(lambda problem, text: text == problem.reference),
            self.problems,
            temperature=1.0,
            seed=verification_seed(self.config.seed, 3),
            answers=SameText(str),
        )

    def plain_bank(self, step: int) -> SampleBank:
        """Of plain passes alone."""
        return families.compact(self.collector(step).bank())

    def plain_PC(self, step: int) -> Any:
        """Class probabilities of the plain passes."""
        if step not in self.plain:
            draws = self.sampler(step).sample(self.problems, 1, temperature=0.0, seed=0)
            self.plain[step] = np.array([each.completions[0].probabilities for each in draws])  # type: ignore[attr-defined]
        return self.plain[step]

    def at(self, step: int) -> At:
        """One checkpoint: its noisy passes, and the plain ones of it and those before it."""
        collector = self.collector(step)
        collector.draw(len(self.problems), NUM_PASSES)
        bank = collector.bank()
        probability_PNC = np.array(
            [
                [each.probabilities for part in row for each in part.draw.completions]
                for row in collector.samples.sampled
            ]
        )
        before = [each for each in self.steps if each < step][-(self.config.passes.snapshots - 1) :]
        stacked_PSC = np.stack([self.plain_PC(each) for each in (step, *reversed(before))], axis=1)
        pool, ways = pool_of(bank), families.ways(bank)
        assert pool is not None, "it has answers"
        assert pool.greedy_P is not None, "and plain passes"
        plain_P = pool.greedy_P.astype(float)
        found = {
            "soft vote": soft_vote(probability_PNC, self.right_PC, K_VALUES),
            "majority vote": measure(pool, "majority_vote", K_VALUES),
            "snapshot ensemble": snapshot_ensemble(stacked_PSC, self.right_PC),
        }
        return At(
            step=step,
            plain=float(plain_P.mean()),
            gain={
                name: {
                    k: _paired(measured.accuracy_PK[:, place] - plain_P)
                    for place, k in enumerate(measured.k_values)
                    if k in K_VALUES
                }
                for name, measured in found.items()
            },
            dynamic={name: (ways[name].accuracy, ways[name].samples) for name in DYNAMIC},
        )


def _paired(difference_P: Any) -> tuple[float, float]:
    return round(float(difference_P.mean()), 6), round(float(difference_P.std(ddof=1) / len(difference_P) ** 0.5), 6)


if __name__ == "__main__":
    main()
