"""What the reference model's sampler promises: samples are functions of (seed, problem, number), and training is
left alone.
"""

import math
from collections import Counter

import pytest

pytest.importorskip("torch")

import torch

from breakeven.config import TrainConfig
from breakeven.data.made.countdown import EOS, Countdown
from breakeven.errors import ArgumentError
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import Prefix, Problem, TransformerShape
from breakeven.sampling.collect import collect
from breakeven.sampling.transformer import TransformerSampler
from breakeven.testing import check_sampler
from breakeven.train.step import train_step, training_batches

TASK = Countdown(num_numbers=2, max_number=9, max_target=20)
PROBLEMS = TASK.problems("validation", 6)
SHAPE = TransformerShape(
    num_layers=2,
    embedding=16,
    num_heads=2,
    feed_forward=24,
    vocab_size=TASK.vocab_size,
    max_tokens=TASK.prompt_tokens + TASK.output_tokens,
)


def make_model(spread: float = 0.4) -> Transformer:
    """The larger the spread, the more peaked the logits."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer(SHAPE)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=spread)
    return model


def make_sampler(model: torch.nn.Module, **options) -> TransformerSampler:
    return TransformerSampler(model, TASK, new_cache=lambda: KVCache([], []), **options)


@pytest.fixture
def sampler() -> TransformerSampler:
    return make_sampler(make_model())


# -- a sample is a function of (seed, problem, its number) ------------------------------------------------------------


def test_it_keeps_what_every_sampler_promises(sampler: TransformerSampler) -> None:
    check_sampler(sampler, PROBLEMS)


def test_sample_i_is_the_same_among_4_and_among_16(sampler: TransformerSampler) -> None:
    four = sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3)
    sixteen = sampler.sample(PROBLEMS, 16, temperature=0.8, seed=3)
    assert [draw.completions for draw in four] == [draw.completions[:4] for draw in sixteen]
    assert len({each.text for draw in sixteen for each in draw.completions}) > 30


@pytest.mark.parametrize("max_rows", [1, 7, 24])
def test_decoding_in_chunks_changes_nothing(sampler: TransformerSampler, max_rows: int) -> None:
    chunked = make_sampler(sampler.model, max_rows=max_rows)
    expected = sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3)
    assert chunked.sample(PROBLEMS, 4, temperature=0.8, seed=3) == expected


def test_the_order_of_the_problems_does_not_matter(sampler: TransformerSampler) -> None:
    draws = sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3)
    assert sampler.sample(PROBLEMS[::-1], 4, temperature=0.8, seed=3) == draws[::-1]


def test_prompts_of_several_lengths_keep_their_places() -> None:
    longer = Problem(id="long", prompt="3 4 5 -> 12 =")
    task = Countdown(num_numbers=3, max_number=9, max_target=20)
    model = Transformer(
        TransformerShape(
            num_layers=1, embedding=16, num_heads=2, feed_forward=24, vocab_size=task.vocab_size, max_tokens=20
        )
    )
    sampler = TransformerSampler(model, task, new_cache=lambda: KVCache([], []))
    mixed = (PROBLEMS[0], longer, PROBLEMS[1])
    draws = sampler.sample(mixed, 3, temperature=0.8, seed=0)
    assert [draw.prompt_tokens for draw in draws] == [5, 6, 5]
    assert draws == [sampler.sample([each], 3, temperature=0.8, seed=0)[0] for each in mixed]


@pytest.mark.parametrize("other_seed", [4, 3 + 2**32], ids=["next step", "next run seed"])
def test_the_seed_matters(sampler: TransformerSampler, other_seed: int) -> None:
    draws = sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3)
    assert sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3) == draws
    others = sampler.sample(PROBLEMS, 4, temperature=0.8, seed=other_seed)
    assert all(mine.completions != theirs.completions for mine, theirs in zip(draws, others, strict=True))


def test_the_problem_id_matters(sampler: TransformerSampler) -> None:
    twins = [Problem(id=each, prompt=PROBLEMS[0].prompt) for each in ("a", "b")]
    one, other = sampler.sample(twins, 8, temperature=0.8, seed=3)
    assert one.completions != other.completions


# -- greedy -----------------------------------------------------------------------------------------------------------


def test_greedy_is_the_argmax_of_full_passes(sampler: TransformerSampler) -> None:
    draws = sampler.sample(PROBLEMS, 1, temperature=0.0, seed=9)
    for problem, draw in zip(PROBLEMS, draws, strict=True):
        tokens = TASK.encode_prompt(problem)
        prompt_tokens = len(tokens)
        while len(tokens) < prompt_tokens + TASK.output_tokens:
            with torch.no_grad():
                tokens.append(int(sampler.model(torch.tensor([tokens]))[0, -1].argmax()))
            if tokens[-1] == EOS:
                break
        completion = draw.completions[0]
        assert completion.text == TASK.decode(tokens[prompt_tokens:])
        assert completion.output_tokens == len(tokens) - prompt_tokens
        assert draw.prompt_tokens == prompt_tokens


# -- the distribution -------------------------------------------------------------------------------------------------

LOGITS = (0.0, 1.0, -1.0, 2.0, 0.5)
CHI_SQUARE = {4: 23.5, 24: 58.6}  # the value passed with a chance of 1e-4, by degrees of freedom


class KnownLogits(torch.nn.Module):
    """The same logits at every position, whatever came before."""

    def forward(self, tokens_BT, cache, *, last_only):
        return torch.tensor(LOGITS).repeat(len(tokens_BT), 1, 1)


class NoCache:
    def select(self, rows):
        return self


class TwoWords:
    """Completions of two tokens out of five, none of which ends them."""

    output_tokens = 2
    end_token = 99

    def encode_prompt(self, problem):
        return [0]

    def encode_text(self, text):
        return [int(word) for word in text.split()]

    def decode(self, tokens):
        return " ".join(map(str, tokens))


def chances(temperature: float) -> list[float]:
    weights = [math.exp(logit / temperature) for logit in LOGITS]
    return [weight / sum(weights) for weight in weights]


def chi_square(counts: list[int], expected: list[float]) -> float:
    return sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_their_probability_at_the_temperature(temperature: float) -> None:
    sampler = TransformerSampler(KnownLogits(), TwoWords(), new_cache=NoCache)
    problems = [Problem(id=str(number), prompt="") for number in range(50)]
    draws = sampler.sample(problems, 100, temperature=temperature, seed=0)
    pairs = Counter(each.text for draw in draws for each in draw.completions)
    p = chances(temperature)
    first = [sum(n for text, n in pairs.items() if text.startswith(str(word))) for word in range(5)]
    second = [sum(n for text, n in pairs.items() if text.endswith(str(word))) for word in range(5)]
    assert chi_square(first, [5000 * each for each in p]) < CHI_SQUARE[4]
    assert chi_square(second, [5000 * each for each in p]) < CHI_SQUARE[4]
    joint = [pairs[f"{a} {b}"] for a in range(5) for b in range(5)]  # positions are independent
    assert chi_square(joint, [5000 * a * b for a in p for b in p]) < CHI_SQUARE[24]


@pytest.mark.parametrize("varied", ["seed", "problem", "number"])
def test_neighbours_are_drawn_independently(varied: str) -> None:
    """Two steps, two problems or two samples that differ by one: the pair of their first tokens."""
    sampler = TransformerSampler(KnownLogits(), TwoWords(), new_cache=NoCache)
    pairs: Counter[tuple[str, str]] = Counter()
    for start in range(0, 2000, 2 if varied == "seed" else 200):
        if varied == "seed":
            problems = [Problem(id="p", prompt="")]
            texts = [
                sampler.sample(problems, 1, temperature=1.0, seed=seed)[0].completions[0].text
                for seed in (start, start + 1)
            ]
        elif varied == "problem":
            problems = [Problem(id=f"{number}", prompt="") for number in range(start, start + 200)]
            texts = [draw.completions[0].text for draw in sampler.sample(problems, 1, temperature=1.0, seed=0)]
        else:
            problems = [Problem(id="p", prompt="")]
            (draw,) = sampler.sample(problems, 200, temperature=1.0, seed=start)
            texts = [each.text for each in draw.completions]
        pairs.update((a[0], b[0]) for a, b in zip(texts[::2], texts[1::2], strict=True))
    p = chances(1.0)
    joint = [pairs[str(a), str(b)] for a in range(5) for b in range(5)]
    assert sum(joint) == 1000
    assert chi_square(joint, [1000 * a * b for a in p for b in p]) < CHI_SQUARE[24]


def test_lengths_count_the_end_token_and_stop_at_the_limit() -> None:
    class EndsAtThree(TwoWords):
        end_token = 3

        def decode(self, tokens):
            assert 3 not in tokens[:-1]
            return super().decode(tokens)

    sampler = TransformerSampler(KnownLogits(), EndsAtThree(), new_cache=NoCache)
    (draw,) = sampler.sample([Problem(id="p", prompt="")], 200, temperature=1.0, seed=0)
    for each in draw.completions:
        assert each.output_tokens == (1 if each.text == "3" else 2)
    assert {each.output_tokens for each in draw.completions} == {1, 2}


# -- training is left alone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grad_enabled", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_sampling_leaves_the_state_of_training_as_it_was(temperature: float, grad_enabled: bool) -> None:
    model = make_model()
    model.train()
    model.blocks[0].eval()  # a frozen block must stay frozen
    model(torch.zeros(1, 3, dtype=torch.long)).sum().backward()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    requires_grad = [parameter.requires_grad for parameter in model.parameters()]
    random_state = torch.get_rng_state()
    with torch.set_grad_enabled(grad_enabled):
        make_sampler(model).sample(PROBLEMS, 4, temperature=temperature, seed=0)
        assert torch.is_grad_enabled() == grad_enabled
    assert not torch.is_inference_mode_enabled()
    assert torch.equal(torch.get_rng_state(), random_state)
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == requires_grad
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, gradient)


def test_a_failure_while_sampling_leaves_the_mode_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    model.train()

    def fail(x: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(model.head, "forward", fail)
    with pytest.raises(MemoryError):
        make_sampler(model).sample(TASK.problems("test", 1), 1, temperature=0.8, seed=0)
    assert model.training
    assert torch.is_grad_enabled()


def test_a_word_that_the_task_does_not_have_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"a prompt must be written in the words of its task; got '9999'"):
        make_sampler(make_model()).sample([Problem(id="p", prompt="9999 -> 1 =")], 1, temperature=0.8, seed=0)


def train_six_steps(*, evaluate: bool) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = make_model(0.02)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    batches = training_batches(TASK, TrainConfig(batch_size=8), seed=0)
    for step in range(1, 7):
        train_step(model, optimizer, batches(step), TASK.prompt_tokens, clip_norm=1.0)
        if evaluate:
            collect(make_sampler(model), TASK, PROBLEMS, num_samples=4, temperature=0.8, seed=step)
    return model.state_dict()


def test_training_with_evaluations_in_between_is_bit_identical_to_training_without() -> None:
    with torch.random.fork_rng():
        with_evaluations, without = train_six_steps(evaluate=True), train_six_steps(evaluate=False)
    assert with_evaluations.keys() == without.keys()
    for name, value in without.items():
        assert torch.equal(with_evaluations[name], value), name


# -- what is refused --------------------------------------------------------------------------------------------------


def test_no_samples_are_refused(sampler: TransformerSampler) -> None:
    with pytest.raises(ArgumentError, match=r"^num_samples must be at least 1; got 0\."):
        sampler.sample(PROBLEMS, 0, temperature=0.8, seed=0)


def test_no_problems_give_no_draws(sampler: TransformerSampler) -> None:
    assert sampler.sample([], 4, temperature=0.8, seed=0) == []


# -- the loss of a solution -------------------------------------------------------------------------------------------


def solved(problems) -> list[Prefix]:
    return [Prefix(problem=each.hidden, text=each.solution) for each in problems]


@pytest.mark.parametrize("max_rows", [1, 4, 4096])
def test_the_loss_of_a_solution_is_torchs_cross_entropy_of_the_training_text(max_rows: int) -> None:
    model = make_model().train()
    prefixes = solved(PROBLEMS)
    rows = torch.tensor([[*TASK.encode_text(f"{each.problem.prompt} {each.text}"), EOS] for each in prefixes])
    logits = model(rows[:, :-1])[:, TASK.prompt_tokens - 1 :]
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), rows[:, TASK.prompt_tokens :].flatten(), reduction="none"
    ).reshape(len(PROBLEMS), TASK.output_tokens)
    state = torch.get_rng_state()
    losses = make_sampler(model, max_rows=max_rows).solution_losses(prefixes)
    for loss, wanted in zip(losses, expected, strict=True):
        assert loss.tolist() == pytest.approx(wanted.tolist(), abs=1e-5)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(each.grad is None for each in model.parameters())


def test_the_mean_loss_is_that_of_a_training_step() -> None:
    """Of one solution a problem, all as long: what `train_step` reports."""
    model = make_model()
    rows = torch.tensor([[*TASK.encode_text(f"{each.prompt} {each.solution}"), EOS] for each in PROBLEMS])
    losses = make_sampler(model).solution_losses(solved(PROBLEMS))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    trained = train_step(model, optimizer, rows, TASK.prompt_tokens, 1.0)
    assert sum(map(sum, losses)) / sum(map(len, losses)) == pytest.approx(trained, abs=1e-5)


def test_a_solution_longer_than_a_completion_may_be_has_no_loss(sampler: TransformerSampler) -> None:
    one, other = PROBLEMS[:2]
    prefixes = [Prefix(problem=one, text=f"{one.solution} + 1"), Prefix(problem=other, text=other.solution or "")]
    assert list(map(len, sampler.solution_losses(prefixes))) == [0, TASK.output_tokens]
