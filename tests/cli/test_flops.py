"""`breakeven flops`: what a recipe costs, before anything is spent."""

import json
import re

import pytest

from breakeven.config import load_recipe
from breakeven.cost.tokens import ModelCost
from breakeven.records import NOT_COUNTED

# Counted by hand for E = 16, one layer, F = 16, 2 numbers: 5 prompt and 4 output tokens, 31 words.
BODY = 4 * 16**2 + 3 * 16 * 16
HEAD = 16 * (10 + 21)
PAIR = 4 * 16
PREFILL = 2 * BODY * 5 + 2 * HEAD + PAIR * 15
DECODE = 2 * (BODY + HEAD) * 3 + PAIR * (3 * 5 + 6)  # the first token comes from the prefill, the last is not fed
TRAIN_SEQUENCE = 3 * (2 * (BODY + HEAD) * 8 + PAIR * 36)


def test_json_has_every_number_unrounded(cli, recipe) -> None:
    numbers = json.loads(cli("flops", recipe, "--samples", 8, "--json").stdout)
    assert numbers["matmul_params"] == BODY + HEAD
    assert numbers["train_flops"] == 12 * 8 * TRAIN_SEQUENCE
    assert numbers["train_flops_per_token"] == pytest.approx(TRAIN_SEQUENCE / 8)
    assert numbers["evaluation_flops"] == 6 * (2 * PREFILL + 5 * DECODE)
    assert numbers["evaluation_share_of_interval"] == pytest.approx(
        6 * (2 * PREFILL + 5 * DECODE) / (2 * 8 * TRAIN_SEQUENCE)
    )
    assert numbers["query_flops_one_sample"] == PREFILL + DECODE
    assert numbers["samples"] == 8
    assert numbers["query_flops_shared_prefill"] == PREFILL + 8 * DECODE
    assert numbers["query_flops_unshared_prefill"] == 8 * (PREFILL + DECODE)


def test_text_names_what_is_counted_and_what_is_not(cli) -> None:
    result = cli("flops")
    assert result.exit_code == 0
    config = load_recipe("countdown")
    cost = ModelCost.of(config.model.shape_for(config.task))
    assert f"{cost.body_params + cost.head_params:,.0f}" in result.stdout
    assert f"full run, {config.train.steps} steps" in result.stdout
    assert "one query, 8 samples, shared prefill" in result.stdout
    lines = result.stdout.splitlines()
    assert lines[-2] == "Counted: matrix multiplies and convolutions, attention over the context, the output head."
    assert lines[-1] == f"Not counted: {NOT_COUNTED}."


def test_of_a_number_of_parameters_it_says_that_attention_is_not_counted(cli) -> None:
    lines = cli("flops", "--params", "7B", "--sequence-tokens", "512").stdout.splitlines()
    assert lines[-2].startswith("Counted: 2 for every parameter and token, ")
    assert lines[-2].endswith("; attention is not.")
    assert "7.17 TFLOPs" in lines[4]  # 2 x 7e9 x 512


def test_a_budget_below_one_evaluation_is_refused_as_run_refuses_it(refused, recipe) -> None:
    options = ["--set", "train.steps=2", "--set", "train.batch_size=1"]
    assert refused("flops", recipe, *options).startswith("train.steps must make a budget above one evaluation, ")


def test_an_override_changes_the_price(cli) -> None:
    def train_flops(*overrides: str) -> float:
        options = [part for each in overrides for part in ("--set", each)]
        return float(json.loads(cli("flops", "countdown", *options, "--json").stdout)["train_flops"])

    assert train_flops("train.steps=4000") == 2 * train_flops("train.steps=2000")
    assert train_flops("train.steps=2000", "train.batch_size=512") == 2 * train_flops("train.steps=2000")


def test_an_unknown_recipe_is_refused_with_the_nearest_name(refused) -> None:
    message = refused("flops", "countdwon")
    assert message.startswith("RECIPE must be a shipped name or the path of a .toml file; got 'countdwon'.")
    assert "Did you mean countdown" in message


def test_no_samples_is_a_usage_error(cli) -> None:
    result = cli("flops", "--samples", 0)
    assert result.exit_code == 2
    assert "--samples" in result.stderr


# -- of a model -------------------------------------------------------------------------------------------------------

LLAMA = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100}
LLAMA |= {"intermediate_size": 10}
WEIGHTS, LOGITS, PAIR_FLOPS = 2 * (4 * 64 + 3 * 80), 800, 4 * 2 * 8
MODULE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.layer = torch.nn.Embedding(9, 4), torch.nn.Linear(4, 6, bias=False)

    def forward(self, ids):
        return self.layer(self.embedding(ids))

image = torch.nn.Conv2d(3, 5, 2, bias=False)
"""


@pytest.fixture
def model(tmp_path):
    """Writes a config into a folder of the working directory."""

    def write(folder: str = "model", **changes: object) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "config.json").write_text(json.dumps(LLAMA | changes), encoding="utf-8")
        return folder

    return write


def test_a_config_or_its_folder(cli, model) -> None:
    folder = model()
    options = ["--sequence-tokens", 10, "--train-tokens", "1K", "--prompt-tokens", 5, "--output-tokens", 4, "--json"]
    numbers = json.loads(cli("flops", folder, *options).stdout)
    assert numbers == json.loads(cli("flops", f"{folder}/config.json", *options).stdout)
    forward = 2 * (WEIGHTS + LOGITS) * 10 + PAIR_FLOPS * 55
    assert numbers["family"] == "llama"
    assert numbers["total_params"] == numbers["active_params"] == numbers["trained_params"] == WEIGHTS + 2 * LOGITS
    assert (numbers["forward_flops_per_sequence"], numbers["train_flops_per_sequence"]) == (forward, 3 * forward)
    assert (numbers["train_flops_per_token"], numbers["train_flops"]) == (0.3 * forward, 300 * forward)
    prefill, decode = 2 * (WEIGHTS * 5 + LOGITS) + PAIR_FLOPS * 15, 2 * (WEIGHTS + LOGITS) * 3 + PAIR_FLOPS * (15 + 6)
    assert (numbers["prefill_flops"], numbers["query_flops_one_sample"]) == (prefill, prefill + decode)
    assert numbers["query_flops_shared_prefill"] == prefill + 8 * decode


def test_a_path_wins_over_a_recipe_of_its_name(cli, model, tmp_path) -> None:
    assert json.loads(cli("flops", model("countdown"), "--json").stdout)["family"] == "llama"
    (tmp_path / "countdown" / "config.json").unlink()
    assert "family" not in json.loads(cli("flops", "countdown", "--json").stdout)  # a folder that holds no model


def test_text_names_units_and_what_is_spent(cli, model) -> None:
    options = ["--train-tokens", "1T", "--peak-flops", "1e12", "--efficiency", 0.5, "--hour-price", 2, "--watts", 400]
    lines = cli("flops", model(), "--sequence-tokens", 10, *options).stdout.splitlines()
    flops = 3e11 * (2 * (WEIGHTS + LOGITS) * 10 + PAIR_FLOPS * 55)
    hours = flops / 0.5e12 / 3600
    shown = dict(re.split(r"\s{2,}", line.strip()) for line in lines[:-2])
    assert shown["forward pass, one sequence of 10 tokens"].endswith("kFLOPs")
    assert shown["whole run, time of one accelerator"] == f"{hours:.3g} hours"
    assert shown["whole run, energy"] == f"{hours * 0.4:.3g} kWh"
    assert shown["whole run, money"] == f"{hours * 2:.3g}, in the unit of --hour-price"
    assert lines[-1] == f"Not counted: {NOT_COUNTED}."


def test_a_recipe_is_priced_too(cli, recipe) -> None:
    price = ["--peak-flops", "1e12", "--efficiency", 1, "--hour-price", 3600]
    numbers = json.loads(cli("flops", recipe, *price, "--json").stdout)
    assert numbers["train_money"] == pytest.approx(numbers["train_flops"] / 1e12)
    assert numbers["query_hours"] == pytest.approx(numbers["query_flops_shared_prefill"] / 1e12 / 3600)
    assert numbers["train_kilowatt_hours"] is None
    assert "a million queries, money" in cli("flops", recipe, *price).stdout


def test_what_is_trained_padded_and_packed(cli, model) -> None:
    def numbers(*options: object) -> dict[str, float]:
        return json.loads(cli("flops", model(), "--sequence-tokens", 10, *options, "--json").stdout)

    whole = numbers()
    assert numbers("--padded-to", 20)["forward_flops_per_sequence"] == 2 * (WEIGHTS + LOGITS) * 20 + PAIR_FLOPS * 210
    assert numbers("--packed-to", 20)["forward_flops_per_sequence"] == 2 * (WEIGHTS + LOGITS) * 10 + PAIR_FLOPS * 105
    assert numbers("--lora-rank", 2)["trained_params"] == 2 * 2 * 2 * 16
    assert numbers("--lora-rank", 2, "--lora-targets", "o_proj")["trained_params"] == 2 * 2 * 16
    assert numbers("--frozen-layers", 2)["backward_flops_per_sequence"] == 2 * 2 * LOGITS * 10
    again = numbers("--recompute", "layers")
    assert again["recomputed_flops_per_sequence"] == whole["forward_flops_per_sequence"] - 2 * LOGITS * 10
    assert "computed anew, one sequence" in cli("flops", model(), "--recompute", "attention").stdout


def test_images_and_pairs_of_texts(cli, model) -> None:
    sizes = {"image_size": 24, "patch_size": 8, "num_labels": 3}
    folder = model(model_type="vit", **sizes)
    numbers = json.loads(cli("flops", folder, "--train-images", "10M", "--json").stdout)
    assert numbers["train_flops"] == 1e7 * numbers["train_flops_per_image"]
    larger = json.loads(cli("flops", folder, "--image-size", "48,24", "--num-labels", 5, "--json").stdout)
    assert larger["forward_flops_per_image"] > 1.9 * numbers["forward_flops_per_image"]
    assert "training, one image" in cli("flops", folder).stdout
    assert "forward pass, one image of 24 x 24" in cli("flops", folder).stdout
    assert numbers["image_pixels"] == "24 x 24"
    t5 = model("t5", model_type="t5", d_kv=2, d_ff=10)
    text = cli("flops", t5, "--sequence-tokens", 5, "--source-tokens", 20, "--prompt-tokens", 20, "--output-tokens", 5)
    assert "forward pass, 20 tokens read, 5 written" in text.stdout
    assert "one query, 8 samples, shared prefill" in text.stdout


def test_parameters_alone(cli) -> None:
    numbers = json.loads(cli("flops", "--params", "2B", "--train-tokens", "1M", "--json").stdout)
    assert (numbers["train_flops"], numbers["train_flops_per_token"]) == (6 * 2e9 * 1e6, 12e9)
    assert "of so many parameters" in cli("flops", "--params", "2B").stdout


def test_a_module_by_its_name(cli, tmp_path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "counted_by_name.py").write_text(MODULE, encoding="utf-8")
    numbers = json.loads(cli("flops", "counted_by_name:Net", "--sequence-tokens", 100, "--json").stdout)
    assert numbers["forward_flops_per_sequence"] == pytest.approx(2 * 24 * 100)
    assert numbers["train_flops_per_token"] == pytest.approx(6 * 24)
    assert (numbers["total_params"], numbers["active_params"]) == (36 + 24, None)
    image = json.loads(cli("flops", "counted_by_name:image", "--input-shape", "3x4x4", "--json").stdout)
    assert image["forward_flops_per_image"] == 2 * 60 * 9
    assert image["backward_flops_per_image"] == 2 * 60 * 9  # pixels have no gradient


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model", "--set", "train.steps=3"], "--set must be left out of a model, which has no settings; got 'train.s"),
        (
            ["--sequence-tokens", "9"],
            "--sequence-tokens must be left out of a recipe, which says it itself; got 9.0. Use",
        ),
        (["model", "--params", "7B"], "--params must be left out where a model is given; got '7B'"),
        (["--params", "0"], "--params must be finite and above 0; got 0.0. For example 1.1B."),
        (["--params", "7B", "--lora-rank", "4"], "--lora-rank must be left out of a number of parameters; got 4"),
        (["model", "--image-size", "24"], "model/config.json, image_size must be left out of a llama"),
        (["model", "--image-size", "1,2,3"], "--image-size must be one number, or HEIGHT,WIDTH; got '1,2,3'."),
        (["model", "--image-size", "a"], "--image-size must be whole numbers with commas between them; got 'a'."),
        (["model", "--train-images", "9"], "--train-images must be left out of text; got '9'."),
        (
            ["model", "--source-tokens", "9"],
            "--source-tokens must be left out of a model that reads one text; got 9.0.",
        ),
        (["model", "--input-shape", "3"], "--input-shape must be left out of a config; got '3'."),
        (["model", "--sequence-tokens", "0"], "--sequence-tokens must be finite and above 0; got 0.0."),
        (["model", "--train-tokens", "-1"], "--train-tokens must be finite and above 0; got -1.0. For example 300B."),
        (["model", "--batch-size", "0"], "--batch-size must be a whole number of at least 1; got 0."),
        (["model", "--output-tokens", "3"], "--prompt-tokens must be given with --output-tokens; got None."),
        (["model", "--lora-targets", "q_proj"], "--lora-targets must be given with --lora-rank; got 'q_proj'."),
        (["model", "--recompute", "all"], "--recompute must be one of nothing, attention, layers; got 'all'."),
        (
            ["model", "--peak-flops", "1e12"],
            "--efficiency must be finite and above 0; got None. Hours follow from both",
        ),
        (
            ["model", "--peak-flops", "1", "--efficiency", "40"],
            "--efficiency must be a share up to 1; got 40.0. Divide",
        ),
        (["model", "--frozen-layers", "3"], "--frozen-layers must be at most the 2 layers of the network; got 3."),
        (
            ["model", "--padded-to", "9"],
            "--padded-to must be finite and at least the 512 tokens of a sequence; got 9.0.",
        ),
        (["none/config.json"], "none/config.json must be a readable file"),
        (["math:pi"], "MODEL must name a torch module, or a function that makes one; got 'math:pi'."),
        (["math:tau2"], "MODEL must name something in math, which has no tau2; got 'math:tau2'. Did you mean tau"),
        (
            ["math:pi", "--lora-rank", "3"],
            "--lora-rank must be left out of a module, which is counted as it is; got 3.",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(refused, model, arguments: list[str], message: str) -> None:
    model()
    assert refused("flops", *arguments).startswith(message)


def test_an_encoder_writes_no_text(refused, model) -> None:
    folder = model(model_type="bert")
    assert refused("flops", folder, "--prompt-tokens", 9, "--output-tokens", 3).startswith(
        "--output-tokens must be left out of a model that writes no text; got 3.0."
    )
    unknown = refused("flops", model(model_type="lama"))
    assert "got 'lama'. Did you mean llama" in unknown
    assert "The module itself can be counted: breakeven flops package.module:name." in unknown
