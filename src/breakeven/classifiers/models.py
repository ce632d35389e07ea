"""Models of recipes: those of transformers from a config of their own, and a small network for series."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.classifiers.families import Conv1d, Deberta, ModelSettings, ResNet, ViT
from breakeven.data.labelled.examples import Examples
from breakeven.errors import MissingExtraError


def make_model(settings: ModelSettings, examples: Examples, tokenizer: Any = None) -> Any:
    """A new torch module, its weights drawn from torch's global generator.

    Args:
        settings: family and sizes.
        examples: whose classes it tells apart, and whose shape its inputs have.
        tokenizer: of texts.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    try:
        import transformers as hf
    except ImportError as error:
        raise MissingExtraError("classifiers need: pip install 'breakeven[hf]'") from error
    names = dict(enumerate(examples.classes))
    classes = {"id2label": names, "label2id": {name: number for number, name in names.items()}}
    _, height, width, channels = (0, 0, 0, 0) if examples.image_PHWC is None else examples.image_PHWC.shape
    match settings:
        case ResNet():
            return hf.ResNetForImageClassification(
                hf.ResNetConfig(
                    num_channels=channels,
                    embedding_size=settings.embedding,
                    hidden_sizes=list(settings.widths),
                    depths=list(settings.depths),
                    layer_type="basic",
                    **classes,
                )
            )
        case ViT():
            return hf.ViTForImageClassification(
                hf.ViTConfig(
                    image_size=(height, width),
                    patch_size=settings.patch,
                    num_channels=channels,
                    **_sizes(settings),
                    **classes,
                )
            )
        case Deberta():
            return hf.DebertaV2ForSequenceClassification(
                hf.DebertaV2Config(
                    vocab_size=len(tokenizer),
                    max_position_embeddings=settings.max_tokens,
                    pad_token_id=tokenizer.pad_token_id,
                    relative_attention=True,
                    pos_att_type=["p2c", "c2p"],
                    pooler_dropout=settings.dropout,
                    pooler_hidden_size=settings.embedding,
                    **_sizes(settings),
                    **classes,
                )
            )
        case Conv1d():
            return SeriesNet(settings, channels=channels, length=width, num_classes=len(names))
    raise AssertionError(settings)


class SeriesNet(nn.Module):
    """Convolutions, each with BatchNorm and ReLU, that halve a series' length; then a linear layer.

    Args:
        settings: sizes.
        channels: of a series.
        length: of it.
        num_classes: logits.
    """

    def __init__(self, settings: Conv1d, *, channels: int, length: int, num_classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in pairwise((channels, *settings.widths)):
            layers += [
                nn.Conv1d(inner, outer, settings.kernel, stride=2, padding=settings.kernel // 2),
                nn.BatchNorm1d(outer),
                nn.ReLU(),
            ]
            length = -(-length // 2)
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(settings.dropout))
        self.classifier = nn.Linear(settings.widths[-1] * length, num_classes)

    def forward(self, series: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Logits of shape (B, C) of `series` of shape (B, channels, length), and the loss where labels are given."""
        logits: Tensor = self.classifier(self.features(series))
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def rows_of(examples: Examples, tokenizer: Any = None) -> list[dict[str, Any]]:
    """A row an example, as the models take it: an image (channels, height, width), a series or tokens, and a label."""
    labels = examples.label_P.tolist()
    if examples.image_PHWC is None:
        encoded = tokenizer(*map(list, zip(*examples.texts, strict=True)), truncation=True)
        return [
            {"input_ids": ids, "attention_mask": mask, "labels": label}
            for ids, mask, label in zip(encoded["input_ids"], encoded["attention_mask"], labels, strict=True)
        ]
    given = torch.from_numpy(examples.image_PHWC)
    image_PCHW = (given / 255 if given.dtype == torch.uint8 else given).permute(0, 3, 1, 2).contiguous()
    name = "pixel_values"
    if image_PCHW.shape[2] == 1:
        name, image_PCHW = "series", image_PCHW[:, :, 0]
    return [{name: each, "labels": label} for each, label in zip(image_PCHW, labels, strict=True)]


def _sizes(settings: ViT | Deberta) -> dict[str, Any]:
    return {
        "hidden_size": settings.embedding,
        "num_hidden_layers": settings.num_layers,
        "num_attention_heads": settings.num_heads,
        "intermediate_size": settings.feed_forward,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
    }
