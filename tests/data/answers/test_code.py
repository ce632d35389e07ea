"""Code is found in what models write, cut where the answer ends, and joined to its prompt."""

import pytest

from breakeven.data.answers.code import completed, cut_off, extract_code, normalised

PROMPT = 'import math\n\ndef helper(x):\n    return x\n\n\ndef f(x):\n    """Twice x."""\n'
WHOLE = "def f(x):\n    y = 2 * x\n    return y\n"
BODY = "    y = 2 * x\n    return y\n"


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{WHOLE}```",
        f"Here it is:\n\n```python\n{WHOLE}```\nIt doubles x.",
        f"```Python3\n{WHOLE}```\n",
        f"```\n{WHOLE}```",
        f"~~~py\n{WHOLE}~~~",
        f"````python\n{WHOLE}````",
        f"```python\r\n{WHOLE}```".replace("\n", "\r\n"),
        f"Run it:\n```sh\npython f.py\n```\nThe code:\n```python\n{WHOLE}```",
        f"```python\n{WHOLE}```\nUse:\n```python\nprint(f(1))\n```",
        f"Sure.\n```python\n{WHOLE}",
        f"Here it is: ```python\n{WHOLE}```\nIt doubles x.",
        f"<answer>```python\n{WHOLE}```</answer>",
        WHOLE,
        f"\n\n{WHOLE}",
        f"{WHOLE}\nThis function doubles its argument.",
        f"{WHOLE}\nprint(f(1))",
        f"{WHOLE}\nif __name__ == '__main__':\n    f(1)",
        f"{WHOLE}\nassert f(1) == 2",
    ],
)
def test_whole_function_is_found(text: str, chat: bool) -> None:
    assert extract_code(text, chat=chat) == WHOLE


def test_chat_models_may_write_prose_before_a_function_without_a_block() -> None:
    text = f"Of course. The function is:\n\n{WHOLE}\nHope it helps!"
    assert extract_code(text, chat=True) == WHOLE
    assert extract_code(text, chat=False) == cut_off(text, ("\ndef",))


DRAFT = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\n```python\n{DRAFT}```\n</think>\n```python\n{WHOLE}```",
        f"```python\n{DRAFT}```\nNo.\n</think>\n{WHOLE}",
        f"First try:\n```python\n{DRAFT}```\nCorrected:\n```python\n{WHOLE}```",
        f"```python\n{DRAFT}```\nCorrected:\n```python\n{WHOLE}",
        f"```python\n{WHOLE}```\nUse:\n```python\ndef main():\n    print(f(1))\n```",
        f'```python\n{WHOLE}```\nIts head:\n```python\ndef f(x):\n    """Twice."""\n    ...\n```',
        f"```python\n{WHOLE}```\nOr also:\n```python\ndef f(x):\n    y =",
    ],
)
def test_of_several_blocks_the_last_whole_one_that_defines_the_function_is_taken(text: str) -> None:
    found = extract_code(text, chat=True, name="f")
    assert found == (DRAFT if text.endswith(f"Corrected:\n```python\n{WHOLE}") else WHOLE)


def test_a_thinking_that_was_cut_off_is_no_code() -> None:
    assert extract_code(f"<think>\n```python\n{WHOLE}```", chat=True, name="f") is None


def test_what_other_blocks_define_for_the_function_comes_with_it() -> None:
    helper, use = "import math\n\ndef g(x):\n    return 2 * x\n", "print(g(1))\n"
    text = f"```python\n{helper}```\nTry:\n```python\n{use}```\n```python\ndef f(x):\n    return g(x)\n```"
    assert extract_code(text, chat=True, name="f") == helper + "def f(x):\n    return g(x)\n"
    one_line = "```\ndef f(x): return 2 * x\n```"
    assert extract_code(one_line, chat=True, name="f") == "def f(x): return 2 * x\n"


def test_a_body_in_a_block_is_taken_where_no_block_defines_the_function() -> None:
    assert extract_code(f"```python\n{BODY}```\n```\nout\n```", chat=True, name="f") == BODY


def test_what_belongs_to_a_function_stays() -> None:
    code = (
        "from typing import List\nimport math\n\nLIMIT: int = 3\nnames = [\n    1,\n]\n\n@cache\ndef g():\n"
        '    """Text\nat the left.\n    """\n\n# f\nclass A:\n    pass\n\nasync def h():\n    pass\n'
    )
    assert extract_code(f"{code}\nAnd that is it.", chat=True) == code
    assert extract_code(f"{code}\nAnd that is it.", chat=False) == code


@pytest.mark.parametrize("end", ["\nclass A:", "\ndef g():", "\n# next", "\nif x:", "\nprint(f(1))"])
def test_body_ends_where_the_next_thing_begins(end: str) -> None:
    assert extract_code(BODY + end, chat=False) == BODY
    assert extract_code(BODY + end, chat=True) == BODY


def test_fence_after_a_body_ends_it() -> None:
    assert extract_code(f"{BODY}```\nThis doubles x.\n```python\nf(1)\n```", chat=False) == BODY


@pytest.mark.parametrize("text", ["", " \n\t\n", "```python\n```", "\n# nothing"])
@pytest.mark.parametrize("chat", [False, True])
def test_no_code_is_none(text: str, chat: bool) -> None:
    found = extract_code(text, chat=chat)
    assert found is None or found == "# nothing"


def doubles(code: str) -> bool:
    namespace: dict = {}
    exec(completed(PROMPT, code, "f"), namespace)  # written here, not by a model
    return bool(namespace["f"](3) == 6 and namespace["helper"](1) == 1 and namespace["math"])


@pytest.mark.parametrize(
    "code",
    [
        BODY,
        BODY.lstrip(),  # the first line lost its indentation, as tokenizers and chat templates do
        BODY[1:],  # one space of it
        "\n" + BODY,
        "y = 2 * x\nreturn y",  # all lines lost it
        "  y = 2 * x\n  return y",  # two spaces
        "\ty = 2 * x\n\treturn y",
        "        y = 2 * x\n        return y",
        "return 2 * x",
        "   return 2 * x",
        "for _ in [1]:\n    return 2 * x",
        "for _ in [1]:\n        return 2 * x",  # the first line alone lost it
        "if x:\n        y = 2 * x\n    else:\n        y = 0\n    return y",
        "if x:\n    y = 2 * x\nelse:\n    y = 0\nreturn y",
        '    """Again."""\n\n    return 2 * x\n',
        "    def g(y):\n        return 2 * y\n    return g(x)",
        WHOLE,
        "  def f(x):\n      return 2 * x",
        f"import math\n\n{WHOLE}",
        "def g(y):\n    return 2 * y\n\ndef f(x):\n    return g(x)\n",
    ],
)
def test_code_completes_its_prompt(code: str) -> None:
    assert doubles(code)


def test_function_of_a_similar_name_is_not_the_function() -> None:
    assert completed("def f(x):\n", "def f2(x):\n    pass", "f").startswith("def f(x):\n")


def test_prompt_without_the_function_is_left_out_where_the_answer_has_it() -> None:
    assert completed("import math\n", WHOLE, "f") == WHOLE
    assert completed("def f(x):\n", "", "f") == "def f(x):\n"


def test_normalised_code_ignores_blank_lines_and_trailing_space() -> None:
    assert normalised("a = 1  \r\n\n\tb = 2\n\n") == normalised("a = 1\n    b = 2") == "a = 1\n    b = 2"
    assert normalised("a = 1") != normalised("a = 2")
