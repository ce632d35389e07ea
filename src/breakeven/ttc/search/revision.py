"""Sequential revision: the model reads its earlier attempts and tries again."""

from collections.abc import Callable, Sequence

from breakeven import check
from breakeven.records import Completion, Draw, Problem, SearchCost
from breakeven.records.asking import check_draws
from breakeven.records.protocols import RewardModel, Sampler
from breakeven.ttc.search.trees import SearchResult, check_problems, path_of, with_rewards

REVISE = "{problem}\n\nEarlier attempts, which may be wrong:\n{attempts}\n\nTry again, and correct what was wrong."


def revise(
    problems: Sequence[Problem],
    sampler: Sampler,
    *,
    attempts: int,
    temperature: float,
    seed: int,
    prompt: Callable[[Problem, Sequence[str]], str] | None = None,
    enough: Callable[[Problem, str], bool] | None = None,
    reward_model: RewardModel | None = None,
) -> list[SearchResult]:
    """Up to `attempts` solutions a problem, one after another, each with the earlier ones in its prompt.

    Choose among them by `select`: by "last", the majority or, with a reward model, the best or the weighted vote. All
    problems' attempts of one round are one call of the sampler. Attempt k > 1 is sampled under the problem id
    `<id> (attempt k)`, since it asks another question.

    Args:
        attempts: K, at least 1.
        prompt: the prompt of the next attempt, from the problem (its reference answer removed) and the attempts so
            far, at least one; None: REVISE. The first attempt is made on the problem as it is.
        enough: no further attempt is made after a solution for which it is true, such as a verifier's `check`. It sees
            the problem whole.
        reward_model: scores the attempts in the end, in one call, each as a solution of the problem itself.

    Returns:
        The cost's `unshared_prefill_tokens` hold every prompt whole; `shared_prefill_tokens` leave out the part that a
        prompt has in common with the one before, where it goes on from it word for word.

    Raises:
        ArgumentError: fewer than 1 attempt, or two problems with one id.
        SamplerError: the sampler or the reward model returned another number of results than asked for.

    Source:
        Snell et al., arXiv 2408.03314, section 6.
    """
    check.at_least("attempts", attempts, 1)
    check_problems(problems)
    shown = [problem.hidden for problem in problems]
    made: list[list[Completion]] = [[] for _ in problems]
    cost = [SearchCost() for _ in problems]
    asked: list[Problem] = list(shown)
    read: list[tuple[str, int]] = [("", 0) for _ in problems]  # the prompt before, and its tokens
    active = list(range(len(problems)))
    for number in range(1, attempts + 1):
        if number > 1:
            for index in active:
                text = (prompt or revised)(shown[index], [each.text for each in made[index]])
                asked[index] = Problem(id=f"{problems[index].id} (attempt {number})", prompt=text)
        if not active:
            break
        draws = sampler.sample([asked[index] for index in active], 1, temperature=temperature, seed=seed)
        check_draws(draws, len(active), 1)
        for index, draw in zip(active, draws, strict=True):
            made[index].append(draw.completions[0])
            cost[index] += _attempt_cost(draw, asked[index].prompt, *read[index])
            read[index] = asked[index].prompt, draw.prompt_tokens
        active = [each for each in active if not (enough and enough(problems[each], made[each][-1].text))]
    results = [
        SearchResult(problem=problem, candidates=tuple(map(path_of, completions)), cost=spent)
        for problem, completions, spent in zip(problems, made, cost, strict=True)
    ]
    return results if reward_model is None else with_rewards(results, reward_model)


def revised(problem: Problem, attempts: Sequence[str]) -> str:
    """REVISE with the problem and all attempts in it."""
    listed = "\n\n".join(f"Attempt {number}:\n{text}" for number, text in enumerate(attempts, 1))
    return REVISE.replace("{problem}", problem.prompt).replace("{attempts}", listed)


def _attempt_cost(draw: Draw, prompt: str, prompt_before: str, tokens_before: int) -> SearchCost:
    output_tokens = draw.completions[0].output_tokens
    goes_on = prompt.startswith(prompt_before)
    return SearchCost(
        num_samples=1,
        num_prompts=1,
        output_tokens=output_tokens,
        shared_prefill_tokens=max(0, draw.prompt_tokens - (tokens_before if goes_on else 0)),
        unshared_prefill_tokens=draw.prompt_tokens,
        sequential_tokens=output_tokens,
        num_rounds=1,
    )
