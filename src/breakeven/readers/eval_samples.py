"""The samples in a directory of `breakeven eval`, as attempts, with the searches that were run beside them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from breakeven.readers.attempts import Attempt, Attempts, Found, Ran, refused
from breakeven.records import CHECK_FAILED, SearchCost
from breakeven.store import SampleFile, Searched
from breakeven.ttc.search.select import SelectionRule, chance_right
from breakeven.ttc.strategies.named import STRATEGIES

_BY_REWARD: Final[tuple[SelectionRule, ...]] = ("best_of_n", "weighted_vote")


def read_eval_samples(directory: Path) -> Attempts:
    """What `breakeven eval` left of its samples.

    Samples whose check failed are left out, and said.

    Raises:
        LogError: no sample file, a damaged one, or nothing graded in it. RunInUseError: it is being written.
    """
    attempts, greedy = defaultdict[str, list[Attempt]](list), dict[str, Attempt]()
    prompts, num_failed, oracle = dict[str, int](), 0, False
    with SampleFile.open(directory) as file:
        reward_models = sorted({name for name, _, _ in file.scored})
        for key in sorted(file.graded, key=lambda each: (each[0], each[2])):
            drawn, graded = file.drawn[key], file.graded[key]
            prompts[drawn.problem] = drawn.prompt_tokens
            oracle |= bool(graded.reference_crc32)
            scored = {
                name: file.scored[name, drawn.problem, drawn.first].rewards
                for name in reward_models
                if not drawn.greedy and (name, drawn.problem, drawn.first) in file.scored
            }
            rows = zip(drawn.completions, graded.verdicts, graded.answers, strict=True)
            for place, (completion, verdict, answer) in enumerate(rows):
                if verdict == CHECK_FAILED:
                    num_failed += 1
                    continue
                each = Attempt(
                    answer=answer,
                    right=verdict == "1",
                    output_tokens=completion.output_tokens,
                    rewards={name: rewards[place] for name, rewards in scored.items()},
                )
                if drawn.greedy:
                    greedy[drawn.problem] = each
                else:
                    attempts[drawn.problem].append(each)
        searches = tuple(_searches(file.searched.values()))
    if not attempts:
        raise refused(directory, "its sample file", "hold graded samples", "none", "Let breakeven eval finish it.")
    return Attempts(
        path=directory,
        attempts={problem: tuple(rows) for problem, rows in attempts.items()},
        greedy=greedy,
        prompt_tokens=prompts,
        ran=searches,
        oracle=oracle,
        notes=(f"{directory}: {num_failed} samples left out, whose check failed",) if num_failed else (),
    )


def _searches(searched: Iterable[Searched]) -> Iterator[Ran]:
    """Each search with each of its rules of choice; of one that asked no reward model, as a revision may, with some."""
    found: dict[tuple[str, int], list[Searched]] = defaultdict(list)
    for each in searched:
        found[each.setting, each.k].append(each)
    for (label, k), rows in sorted(found.items()):
        search, _, settings = label.partition(" ")
        unscored = any(each.reward is None for row in rows for each in row.candidates)
        for strategy in STRATEGIES.values():
            if unscored and strategy.rule in _BY_REWARD:
                continue
            if strategy.search == search and strategy.rule is not None:
                yield Ran(
                    strategy=f"{strategy.name} {settings.rpartition(' ')[0]}".strip(),
                    k=k,
                    reward_model=settings.rpartition(" ")[2],
                    found={row.problem: _found(row, strategy.rule) for row in rows},
                )


def _found(row: Searched, rule: SelectionRule) -> Found:
    cost = SearchCost(**row.cost)
    return Found(
        accuracy=chance_right(
            [each.answer for each in row.candidates],
            [math.nan if each.reward is None else each.reward for each in row.candidates],
            [None if each.verdict == CHECK_FAILED else each.verdict == "1" for each in row.candidates],
            rule,
        ),
        output_tokens=cost.output_tokens,
        read_tokens=cost.reward_tokens + cost.reward_output_tokens,
        prompt_tokens=cost.shared_prefill_tokens or None,
    )
