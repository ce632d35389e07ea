"""What a sample file holds of a task's problems, as the arrays that strategies and prices are computed from."""

from dataclasses import dataclass

from breakeven.data.answers.agree import label_answers
from breakeven.data.task import TextTask
from breakeven.records import NO_ANSWER, Finish, Problem, Reward, SampleBank, answer_label
from breakeven.store import SampleFile


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSamples:
    """All graded samples of P problems."""

    problems: tuple[Problem, ...]
    bank: SampleBank
    prompt_tokens_P: tuple[int, ...]
    greedy_tokens_P: tuple[int, ...]
    output_tokens_PN: tuple[tuple[int, ...], ...]
    """Tokens of each sample at the bank's temperature."""
    rewards_PN: tuple[tuple[Reward, ...], ...]
    """Empty where nothing scored them."""
    num_truncated: int
    """Samples cut off by the limit of tokens, greedy ones included, as in `num_unanswered`."""
    num_unanswered: int
    num_uncompared: int
    """Pairs of answers whose comparison failed."""


def drawn_samples(file: SampleFile, task: TextTask, *, reward_source: str | None = None) -> DrawnSamples:
    """The samples of `task`'s problems in `file`, each of them graded, and scored where `reward_source` is named."""
    verdicts, greedy, labels, lengths, rewards, prompt_tokens = [], "", [], [], [], []
    num_truncated = num_unanswered = num_uncompared = num_prefills = 0
    greedy_tokens = list[int]()
    for problem in task.problems:
        row, row_lengths, row_rewards, answers = "", list[int](), list[Reward](), list[str | None]()
        first = 0
        while first < file.num_drawn(problem.id):
            drawn, graded = file.drawn[problem.id, False, first], file.graded[problem.id, False, first]
            row += graded.verdicts
            answers += graded.answers
            row_lengths += [each.output_tokens for each in drawn.completions]
            num_truncated += sum(each.finish is Finish.LENGTH for each in drawn.completions)
            if reward_source is not None:
                row_rewards += file.scored[reward_source, problem.id, first].rewards
            first += len(drawn.completions)
            num_prefills += 1
        single = file.drawn[problem.id, True, 0]
        num_prefills += 1
        labelled = label_answers(answers, task)
        greedy += file.graded[problem.id, True, 0].verdicts
        greedy_tokens.append(single.completions[0].output_tokens)
        num_truncated += single.completions[0].finish is Finish.LENGTH
        num_unanswered += file.graded[problem.id, True, 0].answers[0] is None
        prompt_tokens.append(single.prompt_tokens)
        verdicts.append(row)
        lengths.append(tuple(row_lengths))
        rewards.append(tuple(row_rewards))
        labels.append("".join(NO_ANSWER if each < 0 else answer_label(each) for each in labelled.labels))
        num_unanswered += labels[-1].count(NO_ANSWER)
        num_uncompared += labelled.num_failed
    bank = SampleBank(
        correct_PN=tuple(verdicts),
        greedy_correct_P=greedy,
        temperature=file.header.temperature,
        seed=file.header.seed,
        prompt_tokens=sum(prompt_tokens),
        output_tokens=sum(map(sum, lengths)),
        greedy_output_tokens=sum(greedy_tokens),
        oracle=any(each.reference is not None for each in task.problems),
        num_prefills=num_prefills,
        answer_PN=tuple(labels),
        score_PN=tuple(tuple(each.value for each in row) for row in rewards) if reward_source is not None else (),
    )
    return DrawnSamples(
        problems=task.problems,
        bank=bank,
        prompt_tokens_P=tuple(prompt_tokens),
        greedy_tokens_P=tuple(greedy_tokens),
        output_tokens_PN=tuple(lengths),
        rewards_PN=tuple(rewards) if reward_source is not None else (),
        num_truncated=num_truncated,
        num_unanswered=num_unanswered,
        num_uncompared=num_uncompared,
    )
