"""A population made of files: samples of breakeven eval, of search-and-learn, and results of compute-optimal-tts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from breakeven import check
from breakeven.cost.tokens import ModelCost
from breakeven.errors import LogError, argument_error
from breakeven.plan.by_difficulty.drawn import Scored, Split, difficulties_of, population_of
from breakeven.plan.by_difficulty.population import Population, Setting, joined
from breakeven.readers.attempts import Attempt, Attempts, Ran
from breakeven.readers.eval_samples import read_eval_samples
from breakeven.readers.lines import first_row
from breakeven.readers.optimal_tts import holds_questions, read_optimal_tts
from breakeven.readers.search_and_learn import is_search_and_learn, read_search_and_learn
from breakeven.records import SampleBank
from breakeven.records.agree import SameText, label_answers
from breakeven.store import SAMPLES_NAME


def population_from(
    files: Sequence[Path], *, split: Split, k_values: Sequence[int], params: float, reward_params: float
) -> Population:
    """The settings of all files, on the problems that all of them have.

    Args:
        files: directories of breakeven eval, trees of compute-optimal-tts, JSONL of search-and-learn; of one model.
        split: of each problem's independent samples, how many tell its difficulty.
        k_values: at which settings are measured on the others.
        params: of the model: a token costs 2 FLOPs for each.
        reward_params: of the reward model; 0: none was asked.

    Raises:
        LogError: a file that is none of these, or has a fault.
        ArgumentError: no parameters, nothing to tell difficulty by, or files that share too few problems.
    """
    check.positive("params", params, "Say how large the sampled model is: --set params=1e9.")
    check.finite("reward_params", reward_params)
    parts = [each for file in files for each in _read(file)]
    trees = [each for each in parts if each.ran and each.attempts and not each.greedy and not each.prompt_tokens]
    probe = min(trees, key=_size) if trees and len(trees) == len(parts) else None
    if probe is not None and len(parts) < 2:
        rule = "hold a setting beside the one that tells difficulty"
        raise argument_error("--from", rule, str(probe.path), "Its samples are not scored too.")
    populations = [
        _population(each, split, k_values, params, reward_params, sampled=each not in trees)
        for each in parts
        if each is not probe
    ]
    told = [place for place, each in enumerate(populations) if each.difficulties]
    if probe is not None:
        return joined([_told_by(probe, populations[0], params, reward_params), *populations[1:]])
    if not told:
        rule = "hold independent samples, by which difficulty is told"
        raise argument_error("--from", rule, [str(each) for each in files], "Add those of best-of-N.")
    return joined([populations[told[0]], *(each for place, each in enumerate(populations) if place != told[0])])


def _read(path: Path) -> list[Attempts]:
    if not path.exists():
        raise LogError(f"--from {path}: there is no such file.")
    if path.is_file() and is_search_and_learn(first_row(path)):
        return [read_search_and_learn(path)]
    if path.is_dir() and (path / SAMPLES_NAME).is_file():
        return [read_eval_samples(path)]
    if path.is_dir() and holds_questions(path):
        return read_optimal_tts(path)
    raise LogError(
        f"--from {path} must be a directory of breakeven eval, a folder with question_*/*.jsonl, or a JSONL file with "
        f"problem, answer, completions and completion_tokens; it is none of them."
    )


def _size(each: Attempts) -> tuple[float, str]:
    """By which the setting is found that tells difficulty: the one of the fewest tokens, of at least two paths."""
    few = min(map(len, each.attempts.values())) < 2
    tokens = np.mean([found.output_tokens for ran in each.ran[:1] for found in ran.found.values()])
    return float("inf") if few else float(tokens), str(each.path)


def _population(
    given: Attempts, split: Split, k_values: Sequence[int], params: float, reward_params: float, *, sampled: bool
) -> Population:
    """Settings on independent samples, and those that were run for themselves."""
    ran = list(given.ran)
    if not given.attempts or not sampled:
        ids = tuple(each for each in ran[0].found if all(each in other.found for other in ran))
        settings = [_setting(each, ids, {}, params, reward_params) for each in ran]
        tokens = np.mean([each.found[name].output_tokens / each.k for each in ran[:1] for name in ids])
        return Population(
            of=str(given.path),
            ids=ids,
            settings=tuple(settings),
            difficulties=(),
            sample_flops=float(2 * params * tokens),
            notes=given.notes,
        )
    least = split.held + k_values[0]
    ids = tuple(
        name
        for name, rows in given.attempts.items()
        if len(rows) >= least
        and (not given.greedy or name in given.greedy)
        and all(name in each.found for each in given.ran)
    )
    if len(ids) < 2:
        rule = f"have at least 2 problems with {least} graded samples each ({split.held} of them tell difficulty)"
        raise argument_error(str(given.path), rule, len(ids), "Lower held (--set held=8), or draw more.")
    notes = given.notes
    if len(ids) < len(given.attempts):
        left_out = len(given.attempts) - len(ids)
        notes = (*notes, f"{given.path}: {left_out} problems left out, with too few graded samples or no greedy one")
    bank, scored = _bank(given, ids, params, reward_params)
    population = population_of(
        bank,
        ids,
        of=str(given.path),
        cost=ModelCost(body_params=params),
        scored=scored,
        split=split,
        k_values=k_values,
    )
    searches = [_setting(each, ids, given.prompt_tokens, params, reward_params) for each in ran]
    return replace(population, settings=(*population.settings, *searches), notes=notes)


def _bank(
    given: Attempts, ids: Sequence[str], params: float, reward_params: float
) -> tuple[SampleBank, Mapping[str, Scored]]:
    """The first samples of each problem, as many of each."""
    size = min(len(given.attempts[each]) for each in ids)
    rows = [given.attempts[each][:size] for each in ids]
    greedy = [given.greedy[each] for each in ids] if given.greedy else []
    tokens_PN = tuple(tuple(each.output_tokens for each in row) for row in rows)
    prompts = tuple(given.prompt_tokens.get(each, 0) for each in ids)
    bank = SampleBank(
        correct_PN=tuple(_verdicts(row) for row in rows),
        greedy_correct_P=_verdicts(greedy),
        temperature=1.0,
        seed=0,
        prompt_tokens=sum(prompts),
        output_tokens=sum(map(sum, tokens_PN)),
        greedy_output_tokens=sum(each.output_tokens for each in greedy),
        oracle=given.oracle,
        answer_PN=tuple(label_answers([each.answer for each in row], SameText(str)).row for row in rows),
        prompt_tokens_P=prompts,
        greedy_tokens_P=tuple(each.output_tokens for each in greedy),
        output_tokens_PN=tokens_PN,
    )
    names = sorted({name for row in rows for each in row for name in each.rewards})
    whole = [name for name in names if all(name in each.rewards for row in rows for each in row)]
    if whole:
        _check_reward_params(reward_params, str(given.path))
    scored = {
        name: Scored(
            rewards_PN=[[each.rewards[name] for each in row] for row in rows], cost=ModelCost(body_params=reward_params)
        )
        for name in whole
    }
    return bank, scored


def _verdicts(row: Sequence[Attempt]) -> str:
    return "".join("01"[each.right] for each in row)


def _check_reward_params(reward_params: float, where: str) -> None:
    check.positive("reward_params", reward_params, f"Rewards in {where} are not free: --set reward_params=7e9.")


def _setting(
    ran: Ran, ids: Sequence[str], prompt_tokens: Mapping[str, int], params: float, reward_params: float
) -> Setting:
    if ran.reward_model:
        _check_reward_params(reward_params, ran.strategy)
    found = [ran.found[each] for each in ids]
    own = [
        prompt_tokens.get(name, 0) if each.prompt_tokens is None else each.prompt_tokens
        for name, each in zip(ids, found, strict=True)
    ]
    read = 2 * reward_params if ran.reward_model else 0.0
    return Setting(
        strategy=ran.strategy,
        k=ran.k,
        reward_model=ran.reward_model,
        accuracy_P=tuple(each.accuracy for each in found),
        model_flops_P=tuple(
            2 * params * (each.output_tokens + prompts) for each, prompts in zip(found, own, strict=True)
        ),
        reward_flops_P=tuple(read * each.read_tokens for each in found),
    )


def _told_by(probe: Attempts, population: Population, params: float, reward_params: float) -> Population:
    """The population with the difficulty that the paths of a setting tell, which is not scored itself."""
    ids = tuple(each for each in population.ids if each in probe.attempts)
    if len(ids) < 2:
        rule = f"share at least 2 problems with {population.of}"
        raise argument_error(str(probe.path), rule, len(ids), "Its paths are to tell how difficult they are.")
    bank, scored = _bank(probe, ids, params, reward_params)
    split = Split(held=bank.num_samples, probe=bank.num_samples)
    place = {name: at for at, name in enumerate(population.ids)}
    note = f"difficulty is told by the {bank.num_samples} paths of {probe.path}, the setting of the fewest tokens"
    told = population.keeping([place[each] for each in ids], f"{note}, which is not scored")
    return replace(told, difficulties=difficulties_of(bank, ModelCost(body_params=params), scored, split))
