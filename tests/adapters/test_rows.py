"""Rows of a classifier's data set: which are taken, and what is in them."""

from typing import Any

import numpy as np
import pytest

from breakeven.adapters.rows import Joined, Rows
from breakeven.errors import ArgumentError

torch = pytest.importorskip("torch")

TEXTS: list[dict[str, Any]] = [{"input_ids": [at, at + 1], "idx": at, "label": at % 2} for at in range(40)]


def of(data: Any, most: int = 10, seed: int = 0) -> Rows:
    return Rows.of("examples", data, "labels", most, seed)


def test_which_are_taken_is_a_function_of_the_seed_and_more_hold_fewer() -> None:
    few, more, others = of(TEXTS, 5), of(TEXTS, 10), of(TEXTS, 5, seed=1)
    assert few.places == more.places[:5]
    assert set(few.places) != set(others.places)
    assert len(of(TEXTS, 100).places) == 40


def test_a_problem_is_its_number_and_its_content_without_the_label() -> None:
    (first, *_), (turned, *_) = (
        of(data).problems(("no", "yes"), ["input_ids"])
        for data in (TEXTS, [each | {"label": 1 - each["label"], "idx": 7} for each in TEXTS])
    )
    assert first.prompt == turned.prompt
    assert {first.reference, turned.reference} == {"no", "yes"}
    assert of(TEXTS).problems(("no", "yes"), [], before=40)[0].id == str(40 + int(first.id))
    other = of([each | {"input_ids": [3]} for each in TEXTS]).problems(("no", "yes"), ["input_ids"])[0]
    assert other.prompt != first.prompt
    assert other.prompt.split()[0] == first.id


@pytest.mark.parametrize(
    "make",
    [
        lambda at: torch.full((2, 2), at, dtype=torch.bfloat16),
        lambda at: np.full((2, 2), at),
        lambda at: [np.full(2, at), "and"],
        lambda at: bytes([at]),
        lambda at: {"deep": [at, 1.5, None]},
        lambda at: f"text {at}",
    ],
)
def test_contents_of_all_kinds_are_told_apart(make: Any) -> None:
    data = [{"x": make(at), "labels": 0} for at in range(4)]
    assert len({of(data).checksum(each) for each in data}) == 4
    assert of(data).checksum(data[1]) == of(data).checksum({"x": make(1), "labels": 1})


def test_images_are_told_apart_by_their_pixels_and_size() -> None:
    image = pytest.importorskip("PIL.Image")
    data = [(image.new("L", size, shade), 0) for size, shade in (((2, 3), 0), ((3, 2), 0), ((2, 3), 1))]
    assert len({of(data).checksum(each) for each in data}) == 3


def test_data_sets_are_read_without_their_format_and_found_in_each_other() -> None:
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset.from_list(TEXTS)
    rows = of(whole.with_format("torch"), 40)
    assert rows.label(3) == 1
    assert rows.found_in(whole.select(range(10)), ["input_ids"]) == (10, 10)
    assert rows.found_in(whole.with_transform(lambda batch: 1 / 0), ["input_ids"]) == (40, 40)
    assert of(TEXTS, 40).found_in(whole, ["input_ids"]) == (40, 40)


def test_only_what_runs_nobodys_code_is_looked_through() -> None:
    class Own:
        def __len__(self) -> int:
            return 4

        def __getitem__(self, place: int) -> Any:
            raise AssertionError

    tensors = torch.utils.data.TensorDataset(torch.arange(8.0).reshape(4, 2), torch.tensor([0, 1, 0, 1]))
    assert of(tensors).found_in(tensors, []) == (4, 4)
    assert of(tensors).found_in(Own(), []) == of(tensors).found_in(None, []) == (0, 0)


def test_labels_are_whole_numbers_under_one_of_their_names() -> None:
    for given in (1, np.int64(1), torch.tensor(1)):
        for name in ("labels", "label", "label_ids"):
            assert of([{"x": 0, name: given}]).label(0) == 1
    for wrong in (True, 1.0, np.float64(1), torch.tensor([1]), "1", None, -1):
        with pytest.raises(ArgumentError, match=r"^the label of examples\[0\] must be a whole number from 0"):
            of([(0, wrong)]).label(0)
    with pytest.raises(ArgumentError, match=r"got 'ant'\. Number the classes in the data, and name them by classes="):
        of([(0, "ant")]).label(0)
    with pytest.raises(ArgumentError, match=r"from 0 to 1, as .* 2 classes; got 2\. Number the classes from 0"):
        of([(0, 2)]).problems(["ant", "bee"], [])


def test_one_data_set_goes_on_behind_another() -> None:
    both = Joined("abc", "de")
    assert [both[place] for place in range(5)] == list("abcde")
