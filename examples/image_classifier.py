"""An image classifier in the `Trainer` of transformers: may it stop, and be served with K passes or as an ensemble?

    python examples/image_classifier.py

Trains a small ResNet on the 1,797 digits of scikit-learn to the end, and holds the stop that breakeven would have made
against the fully trained model. Needs `pip install 'breakeven[hf,images]'`.
"""

import tempfile

from transformers import ResNetConfig, ResNetForImageClassification, Trainer, TrainingArguments, set_seed

from breakeven.data.labelled.named import load_examples
from breakeven.report import explain
from breakeven.sampling.augment import moves
from breakeven.transformers import Classification, EarlyStop


def rows(split):
    examples = load_examples("digits", split=split)
    images = examples.image_PHWC.transpose(0, 3, 1, 2)
    return [{"pixel_values": image, "labels": label} for image, label in zip(images, examples.label_P, strict=True)]


set_seed(0)
config = ResNetConfig(
    num_channels=1, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=10
)
passes = Classification(  # <-
    rows("validation"), test_examples=rows("test"), augment=moves(degrees=8, shift=0.06), snapshots=4
)
stop = EarlyStop(classification=passes, mode="shadow", evaluate_every=50)  # <-
trainer = Trainer(
    model=ResNetForImageClassification(config),
    args=TrainingArguments(
        output_dir=tempfile.mkdtemp(),  # your own
        max_steps=1000,
        per_device_train_batch_size=32,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        save_strategy="steps",
        save_steps=50,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    ),
    train_dataset=rows("train"),
    callbacks=[stop],  # <-
)
trainer.train()
print(explain((stop.session.stopped_at or stop.session.checkpoints[-1]).decision))
