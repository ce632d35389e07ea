"""Passes of tiny classifiers, plain and noisy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Problem
from breakeven.records.protocols import ProbabilitySampler

torch = pytest.importorskip("torch")

from breakeven.sampling.augment import flips, moves, together  # noqa: E402
from breakeven.sampling.classes import ClassSampler, default_collate  # noqa: E402
from breakeven.session.guard import undisturbed  # noqa: E402

CLASSES = ("cat", "dog", "owl")


def made(make: Callable[[], Any]) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def plain_net(dropout: float = 0.5) -> Any:
    """With dropout and running statistics, in training mode."""
    nn = torch.nn
    return made(
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(144, 3)
        )
    )  # fmt: skip


def vit() -> Any:
    """Its attention has dropout as an argument of a function alone."""
    from transformers import ViTConfig, ViTForImageClassification

    return made(
        lambda: ViTForImageClassification(
            ViTConfig(
                hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=8,
                patch_size=4, num_channels=1, num_labels=3, hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.5,
            )
        )
    )  # fmt: skip


def resnet() -> Any:
    from transformers import ResNetConfig, ResNetForImageClassification

    return made(
        lambda: ResNetForImageClassification(
            ResNetConfig(
                num_channels=1, embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic", num_labels=3
            )
        )
    )


def deberta() -> Any:
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    return made(
        lambda: DebertaV2ForSequenceClassification(
            DebertaV2Config(
                vocab_size=16, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
                max_position_embeddings=8, num_labels=3, relative_attention=True, pos_att_type=["p2c", "c2p"],
                position_buckets=4, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.5, pooler_dropout=0.0,
            )
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def images() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    return [{"pixel_values": torch.randn(1, 8, 8, generator=generator), "labels": at % 3} for at in range(20)]


@pytest.fixture(scope="module")
def pairs(images) -> list[tuple[Any, int]]:
    return [(each["pixel_values"], each["labels"]) for each in images]


TEXTS = [{"input_ids": torch.tensor([1 + at % 9, 2, 3 + at % 5, 4]), "labels": at % 3} for at in range(20)]
PROBLEMS = [Problem(id=str(at), prompt=str(at)) for at in range(20)]


def probability_PNC(draws: list[Any]) -> Any:
    return np.array([[each.probabilities for each in draw.completions] for draw in draws])


def noisy(sampler: ClassSampler, num_samples: int = 4, first: int = 0, seed: int = 7, problems: Any = PROBLEMS) -> Any:
    return probability_PNC(sampler.sample(problems, num_samples, temperature=1.0, seed=seed, first=first))


def test_a_plain_pass_is_the_softmax_of_the_logits_in_evaluation_mode(pairs) -> None:
    model = plain_net()
    sampler = ClassSampler(model, pairs, CLASSES, max_rows=7)
    assert isinstance(sampler, ProbabilitySampler)
    draws = sampler.sample(PROBLEMS[3:15], 1, temperature=0.0, seed=1)
    assert model.training
    model.eval()
    expected = torch.softmax(model(torch.stack([each for each, _ in pairs[3:15]])), dim=-1).detach().numpy()
    found = probability_PNC(draws)[:, 0]
    assert found == pytest.approx(expected, abs=1e-6)
    assert found.dtype == np.float32
    assert [draw.completions[0].text for draw in draws] == [CLASSES[at] for at in expected.argmax(axis=1)]
    assert {(draw.prompt_tokens, draw.completions[0].output_tokens) for draw in draws} == {(0, 2)}


@pytest.mark.parametrize("shared", [True, False])
def test_every_pass_is_charged_once(pairs, shared: bool) -> None:
    from breakeven.cost.query import sampling_flops
    from breakeven.cost.tokens import ModelCost

    draw, *_ = ClassSampler(plain_net(), pairs, CLASSES, dropout=True).sample(PROBLEMS, 5, temperature=1.0, seed=1)
    lengths = [each.output_tokens for each in draw.completions]
    cost = ModelCost(body_params=1000 / 2)
    assert sampling_flops(cost, draw.prompt_tokens, lengths, num_samples=5, shared_prefill=shared).total == 5 * 1000


def test_noisy_passes_are_functions_of_seed_batch_and_number(pairs) -> None:
    sampler = ClassSampler(plain_net(), pairs, CLASSES, augment=moves(), dropout=True, max_rows=8)
    whole = noisy(sampler, 6)
    assert np.array_equal(whole, noisy(sampler, 6))
    assert np.array_equal(whole[:, 4:], noisy(sampler, 2, first=4))
    assert np.array_equal(whole[:8], noisy(sampler, 6, problems=PROBLEMS[:8])), "batches are cut in the order asked"
    assert not np.array_equal(whole, noisy(sampler, 6, seed=8))
    assert all(not np.array_equal(whole[:, 0], whole[:, other]) for other in range(1, 6))


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # of later versions alone
def test_gradient_checkpointing_is_in_nobodys_way() -> None:
    pytest.importorskip("transformers")
    model = deberta().train()
    model.gradient_checkpointing_enable()
    assert model.is_gradient_checkpointing
    passes = noisy(ClassSampler(model, TEXTS, CLASSES, dropout=True))
    model.gradient_checkpointing_disable()
    assert np.array_equal(passes, noisy(ClassSampler(model, TEXTS, CLASSES, dropout=True)))


@pytest.mark.parametrize("make", [vit, deberta, plain_net])
def test_dropout_is_that_of_training_wherever_it_is(make: Any, images, pairs) -> None:
    pytest.importorskip("transformers")
    model = make()
    sampler = ClassSampler(model, {vit: images, deberta: TEXTS}.get(make, pairs), CLASSES, dropout=True)
    sampler.try_out(PROBLEMS)
    passes = noisy(sampler)
    assert not np.array_equal(passes[:, 0], passes[:, 1])
    plain = probability_PNC(sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0))
    assert passes.mean(axis=1) == pytest.approx(plain[:, 0], abs=0.2)


def test_batches_of_a_model_of_transformers_go_in_by_name_without_their_labels(images) -> None:
    pytest.importorskip("transformers")
    sampler = ClassSampler(resnet(), images, CLASSES, augment=flips())
    sampler.try_out(PROBLEMS)
    assert noisy(sampler).shape == (20, 4, 3)


def test_the_labels_are_taken_out_by_their_name(pairs) -> None:
    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = plain_net()

        def forward(self, image: Any) -> Any:
            return {"logits": self.inner(image)}

    rows = [{"image": image, "kind": label} for image, label in pairs]
    sampler = ClassSampler(Net(), rows, CLASSES, labels="kind")
    assert len(sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0)) == 20


@pytest.mark.parametrize("training", [True, False])
def test_training_is_left_as_it_was(pairs, training: bool) -> None:
    """Modes, running statistics, buffers, and the random states of everybody."""

    class Counts(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("times", torch.zeros(()))

        def forward(self, given: Any) -> Any:
            if self.training:
                self.times += 1
            return given

    model = torch.nn.Sequential(Counts(), plain_net()).train(training)
    model[1][2].eval()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    modes = [each.training for each in model.modules()]
    sampler = ClassSampler(model, pairs, CLASSES, augment=moves(), dropout=True)
    with undisturbed(model) as disturbed:
        sampler.try_out(PROBLEMS)
        noisy(sampler)
        sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0)
    assert not disturbed.what
    assert modes == [each.training for each in model.modules()]
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert not any(each.grad is not None for each in model.parameters())


def test_running_statistics_are_used_in_noisy_passes(pairs) -> None:
    """One example alone: with statistics of its batch it would be another pass, or none."""
    model = plain_net(dropout=1e-9)
    sampler = ClassSampler(model, pairs, CLASSES, dropout=True, max_rows=1)
    plain = probability_PNC(sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0))
    assert noisy(sampler, 1) == pytest.approx(plain, abs=1e-6)


def test_noise_of_torchs_own_generator_in_an_augmentation_is_reproducible_too(pairs) -> None:
    def shaken(inputs: dict[str, Any], generator: Any) -> dict[str, Any]:
        return {name: each + 0.5 * torch.randn_like(each) for name, each in inputs.items()}

    sampler = ClassSampler(plain_net(), pairs, CLASSES, augment=shaken)
    sampler.try_out(PROBLEMS)
    assert np.array_equal(noisy(sampler), noisy(sampler))


def test_what_its_passes_are_is_said_in_words_that_stay(pairs) -> None:
    def shaken(inputs: Any, generator: Any) -> Any:
        return inputs

    class Shaken:
        def __call__(self, inputs: Any, generator: Any) -> Any:
            return inputs

    def said(**settings: Any) -> str:
        return ClassSampler(plain_net(), pairs, CLASSES, **settings).settings

    assert said(dropout=True, snapshots=3, max_rows=9) == "dropout, 3 snapshots, 9 rows"
    assert said(augment=shaken).startswith("augment=test_what_its_passes_are")
    assert "Shaken" in said(augment=Shaken())
    moving = [said(augment=together(moves(shift=shift), flips())) for shift in (0.1, 0.1, 0.2)]
    assert "0x" not in moving[0]
    assert moving[0] == moving[1] != moving[2]


def test_passes_without_noise_are_refused(pairs) -> None:
    with pytest.raises(ArgumentError, match=r"^augment or dropout must be given where noisy passes are drawn"):
        noisy(ClassSampler(plain_net(), pairs, CLASSES))
    with pytest.raises(ArgumentError, match=r"^dropout must be False for a model without dropout, or every pass would"):
        ClassSampler(plain_net(dropout=0.0), pairs, CLASSES, dropout=True).try_out(PROBLEMS)
    still = ClassSampler(plain_net(), pairs, CLASSES, augment=lambda inputs, generator: inputs)
    with pytest.raises(ArgumentError, match=r"^augment must be random, or every pass would be equal"):
        still.try_out(PROBLEMS)


def test_logits_that_are_none_of_these_classes_are_refused(pairs) -> None:
    sampler = ClassSampler(plain_net(), pairs, CLASSES[:2])
    with pytest.raises(
        ArgumentError, match=r"^classes must name the classes .* have the shape \(20, 3\) for 20 exampl"
    ):
        sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0)
    for changes, message in (
        ({"model": torch.nn.Unflatten(2, (4, 2))}, r"^classes must name"),
        ({"model": type("Said", (torch.nn.Module,), {"forward": lambda self, x: "cat"})()}, r"^model must return logi"),
        ({"collate": lambda rows: "batch"}, r"^collate must make a batch that is a mapping, or a tensor of inputs and"),
        ({"classes": ("cat",)}, r"^classes must be the names of two classes at least"),
        ({"classes": "ab"}, r"^classes must be the names of two classes at least"),
        ({"classes": ("cat", "cat")}, r"^classes must have different names; got 'cat'"),
        ({"snapshots": 0}, r"^snapshots must be"),
        ({"max_rows": 0}, r"^max_rows must be"),
    ):
        parts: dict[str, Any] = {"model": plain_net(), "examples": pairs, "classes": CLASSES} | changes
        with pytest.raises(ArgumentError, match=message):
            ClassSampler(**parts).try_out(PROBLEMS)


def test_logits_that_are_not_finite_fail_the_evaluation(pairs) -> None:
    model = plain_net()
    with torch.no_grad():
        model[-1].bias[1] = torch.nan
    with pytest.raises(SamplerError, match=r"^The model must give finite logits; got .*nan.* for example 3"):
        ClassSampler(model, pairs, CLASSES).sample(PROBLEMS[3:], 1, temperature=0.0, seed=0)


def test_what_collates_is_torchs_own_by_default() -> None:
    assert default_collate([(torch.zeros(2), 1), (torch.ones(2), 0)])[0].shape == (2, 2)
