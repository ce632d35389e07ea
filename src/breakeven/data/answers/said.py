"""What of a completion is the answer: not what was thought before, nor what runs on into the next question."""

import re
from typing import Final

_THOUGHT: Final = re.compile(
    r"</(?:seed:)?(?:think|thinking|thought|reason|reasoning)>|\[/THINK\]|<\|end_of_thought\|>|\u25c1/think\u25b7"
    r"|<\|channel\|>final<\|message\|>|assistantfinal",
    re.IGNORECASE,
)
_THINKS: Final = re.compile(
    r"<(?:seed:)?(?:think|thinking|thought|reason|reasoning)>|\[THINK\]|<\|begin_of_thought\|>|\u25c1think\u25b7"
    r"|<\|channel\|>analysis<\|message\|>",
    re.IGNORECASE,
)
_TURN: Final = re.compile(
    r"<\|(?:im_end|im_start|endoftext|end_of_text|eot_id|eom_id|start_header_id|end|return|user|system)\|>"
    r"|<(?:end|start)_of_turn>|\[INST\]|</s>(?=\s*(?:<s>|$))"
)
_QUESTION: Final = re.compile(
    r"^[ \t]*(?:\*\*|\[|#{1,6}[ \t])?(?:question|problem|exercise|example|q|user|human|assistant|instruction)"
    r"(?:[ \t]*[:\]]|\.[ \t]|[ \t]*(?P<number>[0-9]+)?[ \t]*(?:$|(?(number)[:.)\]]|:)))",
    re.IGNORECASE | re.MULTILINE,
)


def said(completion: str) -> str:
    """`completion` after its thinking, up to the end of its turn; empty where the thinking was cut off.

    >>> said("<think>Is it 6?</think>It is 7.<|im_end|>user"), said("<think>Is it 6?"), said("Is it 6?</think> 7")
    ('It is 7.', '', ' 7')
    """
    start = 0
    # What a template opened in the prompt is only closed here. Without its special tokens, a channel is its name.
    for closed in _THOUGHT.finditer(completion):
        if closed[0].lower() != "assistantfinal" or completion.startswith("analysis"):
            start = closed.end()
    text = completion[start:]
    whole = text if text.strip() else completion  # reasons may also be given after the answer
    if opened := _THINKS.search(whole):
        text = whole[: opened.start()]
    ends = (each.start() for each in _TURN.finditer(text))
    return text[: next((end for end in ends if text[:end].strip()), None)]


def before_next_question(text: str, *, numbered: bool = True) -> str | None:
    r"""What stands before a heading like `Question:`, where a base model runs on; None if there is none, or nothing.

    Args:
        text: an answer, as of `said`.
        numbered: whether `Question 2:` is such a heading, too: it may also be a part of the answer.

    >>> before_next_question("It is 7.\n\nQ: And 3 + 5?\nA: 8"), before_next_question("Q: 3 + 4?\nA: 7")
    ('It is 7.\n\n', None)
    """
    headings = (each for each in _QUESTION.finditer(text) if numbered or each["number"] is None)
    first = next(headings, None)
    return text[: first.start()] if first and text[: first.start()].strip() else None
