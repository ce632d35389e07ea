"""Sequence classifiers of transformers as reward models: problem and solution in, the chance of being right out."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch

from breakeven import check
from breakeven.errors import SamplerError, argument_error
from breakeven.records import Prefix, Reward
from breakeven.sampling.modes import evaluating


class SequenceClassifier:
    """A `RewardModel` around an `AutoModelForSequenceClassification` and its tokenizer.

    The value is the sigmoid of a single logit, or the probability of `positive_label` among several. Rows are padded
    on the right whatever side the tokenizer is set to, so that positions, and with them values, do not depend on
    what else is scored. The model is used without gradients in evaluation mode and left as it was.

    Args:
        model: loaded by the caller, on its device and in its precision.
        tokenizer: the model's own. Its pad token has to be the one in the model's config: decoders look for the last
            token before the padding by it.
        kind: "process" for a model trained on beginnings of solutions: the score of a beginning is that of the text
            so far, so that the steps of a search need no marks.
        positive_label: name or number of the label that means right; None: the second of two.
        max_rows: rows computed at once.
        chat: whether problem and solution go through the tokenizer's chat template, as a user's and an assistant's
            turn, instead of being a pair of texts.

    Raises:
        ArgumentError: no pad token or another than the model's, no chat template, or a label the model does not have.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        kind: Literal["outcome", "process"] = "outcome",
        positive_label: str | int | None = None,
        max_rows: int = 32,
        chat: bool = False,
    ) -> None:
        check.either("kind", kind, "outcome", "process")
        check.at_least("max_rows", max_rows, 1)
        pad_token = tokenizer.pad_token_id
        if pad_token is None:
            remedy = "Set tokenizer.pad_token = tokenizer.eos_token and model.config.pad_token_id to its id."
            raise argument_error("tokenizer.pad_token", "be set", None, remedy)
        if (own := getattr(model.config, "pad_token_id", None)) != pad_token:
            rule, remedy = f"be {pad_token}, the tokenizer's", "The model finds the end of a solution by it."
            raise argument_error("model.config.pad_token_id", rule, own, remedy)
        if chat and not tokenizer.chat_template:
            raise argument_error("chat", "be False for a tokenizer without a chat template", chat)
        self.model = model
        self.tokenizer = tokenizer
        self.kind: Literal["outcome", "process"] = kind
        self.max_rows = max_rows
        self.chat = chat
        self._positive = _label_number(model.config, positive_label)
        self._max_tokens = min(
            getattr(tokenizer, "model_max_length", None) or math.inf,
            getattr(model.config, "max_position_embeddings", None) or math.inf,
        )

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        """See `breakeven.records.protocols.RewardModel.score`.

        Raises:
            ArgumentError: a solution does not fit into the model; nothing is scored then, and nothing truncated.
            SamplerError: a value is not a finite number.
        """
        rows = [self._encode(each) for each in prefixes]
        by_length = sorted(range(len(rows)), key=lambda index: len(rows[index]["input_ids"]))
        values: dict[int, float] = {}
        with evaluating(self.model):
            for start in range(0, len(by_length), self.max_rows):
                part = by_length[start : start + self.max_rows]
                values.update(zip(part, self._values([rows[index] for index in part]), strict=True))
        for index, prefix in enumerate(prefixes):
            if not math.isfinite(values[index]):
                raise SamplerError(
                    f"A reward must be a finite number; got {values[index]} for problem {prefix.problem.id!r}. "
                    f"Load the model in another precision."
                )
        return [Reward(value=values[index], read_tokens=len(row["input_ids"])) for index, row in enumerate(rows)]

    def _encode(self, prefix: Prefix) -> dict[str, list[int]]:
        if self.chat:
            turns = [
                {"role": "user", "content": prefix.problem.prompt},
                {"role": "assistant", "content": prefix.text},
            ]
            text = self.tokenizer.apply_chat_template(turns, tokenize=False)
            encoded = self.tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)
        else:
            encoded = self.tokenizer(prefix.problem.prompt, prefix.text, truncation=False, verbose=False)
        row: dict[str, list[int]] = {name: list(encoded[name]) for name in encoded if name != "attention_mask"}
        num_tokens = len(row["input_ids"])
        if not 1 <= num_tokens <= self._max_tokens:
            rule = f"take 1 to {self._max_tokens} tokens of the reward model"
            remedy = "Limit the solutions (max_tokens), or use a reward model that reads more."
            raise argument_error(f"problem {prefix.problem.id!r} with its solution", rule, num_tokens, remedy)
        return row

    def _values(self, rows: Sequence[dict[str, list[int]]]) -> list[float]:
        width = max(len(row["input_ids"]) for row in rows)
        fill = {"input_ids": self.tokenizer.pad_token_id}
        inputs = {
            name: [row[name] + [fill.get(name, 0)] * (width - len(row[name])) for row in rows] for name in rows[0]
        }
        inputs["attention_mask"] = [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in rows]
        device = self.model.device
        logits_BL = self.model(**{name: torch.tensor(each, device=device) for name, each in inputs.items()}).logits
        logits_BL = logits_BL.float()
        if logits_BL.shape[1] == 1:
            values_B = logits_BL[:, 0].sigmoid()
        else:
            values_B = logits_BL.softmax(dim=-1)[:, self._positive]
        values: list[float] = values_B.tolist()
        return values


def _label_number(config: Any, label: str | int | None) -> int:
    """The column of the logits that means right."""
    names: dict[str, int] = dict(config.label2id or {})
    num_labels: int = config.num_labels
    if label is None and num_labels <= 2:
        return num_labels - 1
    if isinstance(label, str) and label in names:
        return names[label]
    if isinstance(label, int) and 0 <= label < num_labels:
        return label
    raise argument_error("positive_label", f"be one of the model's labels, {', '.join(names)} or its number", label)
