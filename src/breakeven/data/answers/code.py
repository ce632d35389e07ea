"""Python code in what a model wrote: found, cut off where the answer ends, and joined to the function it completes.

Works on lines and indentation alone. Model-written text is never parsed as Python here: a parser can be made to crash.
"""

import re
import textwrap
from typing import Final

from breakeven.data.answers.said import said

COMPLETION_STOPS: Final = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
"""Where the body of a function ends that a base model goes on writing after.

Source: M. Chen et al., Evaluating Large Language Models Trained on Code (2021), section 2.1.
"""
_INDENT: Final = 4
_FENCE: Final = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*(\w*)[^\n]*$", re.MULTILINE)
_BEGINS: Final = re.compile(r"(?<=[^\s`])[ \t]*(```+(?:python3?|py)[ \t]*\n)", re.IGNORECASE)
"""A block that begins behind something else on its line: `<answer>```python`."""
_DEFINITION: Final = re.compile(r"^(async def|def|class|import|from \S+ import|@\w)", re.MULTILINE)
_HEAD: Final = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)([^\n]*)", re.MULTILINE)
_DOCSTRING: Final = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''", re.DOTALL)
_BODY: Final = re.compile(r"^[ \t]+(?!\.\.\.|pass\b)[^\s#]", re.MULTILINE)
_TOP_LEVEL: Final = re.compile(
    r"(async def|def|class|import|from \S+ import|@\w|#|[)\]}]|\"\"\"|'''|[A-Za-z_][\w.]*\s*(:[^=]+)?=[^=])"
)


def extract_code(text: str, *, chat: bool, name: str = "") -> str | None:
    r"""The code of an answer: its block if it has one, else a function with what belongs to it, else a body.

    Args:
        text: the answer; what a model thinks before it is left out.
        chat: whether there may be prose before a function that stands in no block.
        name: the function that is asked for; of several blocks the last that defines it is taken, "": any function.

    >>> extract_code("Sure!\n```python\ndef f():\n    return 1\n```\nIt returns 1.", chat=True)
    'def f():\n    return 1\n'
    >>> extract_code("    return 1\n\ndef g():\n    return 2\n", chat=False)
    '    return 1\n'
    """
    text = _BEGINS.sub(r"\n\1", said(text).replace("\r\n", "\n"))
    code = _block(text, name)
    if code is None:
        code = text.lstrip("\n")
        start = _DEFINITION.search(code) if chat and not code[:1].isspace() else _DEFINITION.match(code)
        code = _leading_code(code[start.start() :]) if start else cut_off(code, COMPLETION_STOPS)
    return code if code.strip() else None


def cut_off(text: str, stops: tuple[str, ...]) -> str:
    """`text` before the first of `stops`."""
    return text[: min((place for place in map(text.find, stops) if place >= 0), default=len(text))]


def _block(text: str, name: str) -> str | None:
    """The last fenced block that defines `name`, with what others define for it; else the first that defines anything.

    None: no block. One that the limit of tokens cut off is taken only where no other will do.
    """
    fences = list(_FENCE.finditer(text))
    if not fences:
        return None
    before = text[: fences[0].start()].lstrip("\n")
    if not fences[0][2] and before[:1].isspace() and before.strip():  # a body, and the fence that ends it
        return before
    blocks, opened = [], None
    for fence in fences:
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2]:
            blocks.append(text[opened.end() + 1 : fence.start()])
            opened = None
    whole = len(blocks)
    if opened is not None:
        blocks.append(text[opened.end() + 1 :])
    defining = {place for place, block in enumerate(blocks) if _defines(block, name)}
    last = max((place for place in defining if place < whole), default=max(defining, default=-1))
    if last < 0:
        return next((block for block in blocks if _HEAD.search(block)), blocks[0])
    helpers = [
        each for place, each in enumerate(blocks[:last]) if name and place not in defining and _only_defines(each)
    ]
    return "".join([*helpers, blocks[last]])


def _defines(block: str, name: str) -> bool:
    """Whether `block` defines function `name` with more than a docstring; "": any function."""
    heads = [head for head in _HEAD.finditer(block) if name in ("", head[1])]
    if not heads:
        return False
    rest = heads[-1][2].rpartition(":")[2] + _DOCSTRING.sub("", block[heads[-1].end() :])
    return _BODY.search(rest) is not None


def _only_defines(block: str) -> bool:
    lines = [line for line in block.splitlines() if line.strip() and not line[0].isspace()]
    return all(_DEFINITION.match(line) or line[0] in "#)]}" for line in lines) and bool(_DEFINITION.search(block))


def _leading_code(text: str) -> str:
    """`text` up to the first line, outside strings of many lines, that begins with neither space nor a definition."""
    kept, in_string = [], False
    for line in text.splitlines(keepends=True):
        if not (in_string or not line.strip() or line[0].isspace() or _TOP_LEVEL.match(line)):
            break
        in_string ^= (line.count('"""') + line.count("'''")) % 2 == 1
        kept.append(line)
    return "".join(kept).rstrip() + "\n"


def completed(prompt: str, code: str, name: str) -> str:
    r"""A program of `prompt`, the head of function `name`, and `code`: either its body or the whole function again.

    A function written again replaces the one of the prompt; imports and helpers before it stay.

    >>> completed("import math\ndef f(x):\n", "return x\n", "f")
    'import math\ndef f(x):\n    return x\n'
    >>> completed("import math\ndef f(x):\n", "def f(y):\n    return y\n", "f")
    'import math\ndef f(y):\n    return y\n'
    """
    head = re.compile(rf"^(async\s+)?def\s+{re.escape(name)}\b", re.MULTILINE)
    whole = textwrap.dedent(code)
    if not head.search(whole):
        return f"{prompt.rstrip()}\n{_indented(code)}"
    start = head.search(prompt)
    return (prompt[: start.start()] if start else "") + whole


def _indented(body: str) -> str:
    """`body` at the depth of a function, also if its first line or all of it lost that depth."""
    lines = [line for line in re.sub(r"^[ \t]+", _spaces, body, flags=re.MULTILINE).splitlines() if line.strip()]
    if not lines or _depth(lines[0]) == _INDENT:
        return re.sub(r"^[ \t]+", _spaces, body.lstrip("\n"), flags=re.MULTILINE)
    first, rest = lines[0], lines[1:]
    opens, least = first.rstrip().endswith(":"), min(map(_depth, rest), default=_INDENT)
    alone = _depth(first) < _INDENT or _depth(first) > least  # not shifted along with the rest
    if alone and least >= _INDENT and (not rest or _depth(rest[0]) >= _INDENT * (1 + opens)):
        return "\n".join([" " * _INDENT + first.lstrip(), *rest]) + "\n"
    return textwrap.indent(textwrap.dedent("\n".join(lines)), " " * _INDENT) + "\n"


def _spaces(indentation: re.Match[str]) -> str:
    return indentation[0].expandtabs(_INDENT)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def normalised(code: str) -> str:
    r"""`code` without blank lines and without space at the ends of lines.

    >>> normalised("a = 1  \n\n\tb = 2\n")
    'a = 1\n    b = 2'
    """
    return "\n".join(line.rstrip() for line in code.expandtabs(_INDENT).splitlines() if line.strip())
