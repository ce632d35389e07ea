"""Problems that are trained on as well are found where the training data says so word for word."""

import logging

import pytest

from breakeven.adapters import overlap as room
from breakeven.adapters.overlap import overlap, warn_of_overlap
from breakeven.records import Problem
from breakeven.sampling.prompts import PromptEncoder

QUESTION = "How many apples do four trees bear in five years?"
PROBLEMS = [
    Problem(id="template", prompt=f"Question: {QUESTION}\nAnswer:"),
    Problem(id="sum", prompt="3 + 4 ="),
    Problem(id="word", prompt="say a"),
]


@pytest.mark.parametrize(
    ("row", "num_found"),
    [
        ({"prompt": "3 + 4 ="}, 1),
        ({"text": " 3 + 4 = 7"}, 1),
        ({"text": "13 + 4 = 17"}, 0),
        ({"text": "say apple"}, 0),
        ({"text": "say a."}, 1),
        ("say a", 1),
        ({"question": QUESTION, "answer": "Answer:"}, 1),
        ({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say a"}]}, 1),
        ({"label": 3, "text": None}, 0),
    ],
)
def test_a_row_holds_a_problem_word_for_word_or_does_not(row, num_found: int) -> None:
    found = overlap(PROBLEMS, [{"text": "another"}, row], None)
    assert (found.num_found, found.num_problems, found.num_rows, found.is_whole) == (num_found, 3, 2, True)


def test_a_text_that_is_in_several_prompts_is_their_instruction() -> None:
    told = "Solve this step by step, please."
    problems = [Problem(id=each, prompt=f"{told} {each}") for each in "ab"]
    assert overlap(problems, [{"system": told}], None).num_found == 0


def test_token_ids_are_compared_where_there_are_no_texts(tokenizer) -> None:
    torch = pytest.importorskip("torch")
    prompts = PromptEncoder(tokenizer, chat=None, system=None)
    problems = [Problem(id=each, prompt=f"{each} b =") for each in "acd"]
    ids = [tokenizer(f"{each} = b")["input_ids"] for each in ("a b", "b b")]
    rows = [{"input_ids": ids[0]}, {"input_ids": torch.tensor(ids[1])}]
    assert overlap(problems, rows, prompts).num_found == 1


def test_data_sets_are_read_without_their_transforms() -> None:
    datasets = pytest.importorskip("datasets")

    def never(rows):
        raise AssertionError

    data = datasets.Dataset.from_list([{"prompt": each.prompt, "image": 0} for each in PROBLEMS])
    assert overlap(PROBLEMS, data.select_columns(["image"]), None).num_rows == 0
    assert overlap(PROBLEMS, data.to_iterable_dataset(), None).num_rows == 0
    data.set_transform(never)
    assert overlap(PROBLEMS, data, None).num_found == 3


def test_it_is_bounded_and_says_so(monkeypatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(room, "_MOST_ROWS", 2)
    rows = [{"text": "3 + 4 = 7"}, {"text": "other"}, {"text": "say a"}]
    found = overlap(PROBLEMS, rows, None)
    assert (found.num_found, found.num_rows, found.is_whole) == (1, 2, False)
    with caplog.at_level(logging.WARNING):
        warn_of_overlap(PROBLEMS, rows, None)
    assert "1 of the 3 problems that are decided on are in the first 2 rows of the training data" in caplog.text


def test_rows_that_cannot_be_read_are_in_nobodys_way(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(list):
        def __iter__(self):
            raise OSError("gone")

    warn_of_overlap(PROBLEMS, Broken([1]), None)
    assert "the problems were not looked for in the training data: OSError: gone" in caplog.text
    warn_of_overlap(PROBLEMS, object(), None)
    assert caplog.text.count("\n") == 1
