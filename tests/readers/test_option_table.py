"""Tables of options: CSV, JSON, JSONL and another plan's; every fault by file, row, column, rule and value."""

import gzip
import json
import math
import pickle
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import LogError
from breakeven.readers.option_table import read_options
from breakeven.records.curves import Made

CSV = """name,accuracy,lo,hi,made,train_flops,one_off.teacher,query_flops,reward_flops,seconds,k,strategy
small,0.6,0.55,0.65,measured,1e12,,1e6,0,,32,pass@k
large,0.7,,,published,9e12,5e11,2e6,3e6,0.5,1,greedy
"""


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def table(tmp_path: Path, rows: str, name: str = "t.csv") -> Path:
    return write(tmp_path / name, rows)


def test_every_column_has_its_place(tmp_path: Path) -> None:
    read = read_options(table(tmp_path, CSV))
    small, large = read.options
    assert (read.quality, read.not_counted) == ("accuracy", ())
    assert (small.name, small.train_flops, small.one_off, small.query_flops) == ("small", 1e12, {}, 1e6)
    assert (small.quality.value, small.quality.lo, small.quality.hi) == (0.6, 0.55, 0.65)
    assert small.settings == {"k": 32, "strategy": "pass@k"}
    assert (large.one_off, large.reward_flops, large.seconds) == ({"teacher": 5e11}, 3e6, 0.5)
    assert (large.quality.made, large.quality.lo) == (Made.PUBLISHED, None)


def test_the_same_as_json_as_lines_and_packed(tmp_path: Path) -> None:
    rows = [
        {
            "name": "small",
            "accuracy": 0.6,
            "train_flops": 1e12,
            "query_flops": 1e6,
            "one_off": {"teacher": 2.0},
            "k": 8,
        },
        {"name": "large", "accuracy": 0.7, "train_flops": 9e12, "query_flops": 2e6, "settings": {"flops share": 0.5}},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    packed = tmp_path / "t.jsonl.gz"
    packed.write_bytes(gzip.compress(lines.encode()))
    read = [
        read_options(path)
        for path in (
            write(tmp_path / "a.json", rows),
            write(tmp_path / "b.json", {"options": rows}),
            write(tmp_path / "indented.json", json.dumps(rows, indent=1)),
            write(tmp_path / "t.jsonl", lines),
            packed,
        )
    ]
    assert all(each.options == read[0].options for each in read)
    assert read[0].options[0].one_off == {"teacher": 2.0}
    assert [each.settings for each in read[0].options] == [{"k": 8}, {"flops_share": 0.5}]


def test_another_plans_options_are_read_as_they_were_written(tmp_path: Path) -> None:
    quality = {"value": 0.5, "lo": 0.4, "hi": 0.6, "made": "forecast", "value_P": [0.0, 1.0], "problems": "test 2"}
    option = {"name": "one", "settings": {"quality": "high"}, "train_flops": 5.0, "one_off": {}, "query_flops": 1.0}
    rest = {"reward_flops": 0.0, "bytes_moved": None, "quality": quality}
    read = read_options(write(tmp_path / "plan.json", {"answer": {"options": [option | rest], "quality": "score"}}))
    (one,) = read.options
    assert (read.quality, one.settings, one.bytes_moved) == ("score", {"quality": "high"}, None)
    assert (one.quality.made, one.quality.lo, one.quality.value_P) == (Made.FORECAST, 0.4, (0.0, 1.0))
    assert one.quality.problems == "test 2"


def test_values_per_problem_give_quality_interval_and_pairing(tmp_path: Path) -> None:
    rows = [
        {"name": "a", "values": {"p2": 1.0, "p1": 0.0}, "query_flops": 1},
        {"name": "b", "values": {"p1": 1.0, "p2": 1.0}, "query_flops": 2},
        {"name": "c", "values": {"p1": 1.0, "p3": 1.0}, "query_flops": 2},
    ]
    a, b, c = (each.quality for each in read_options(write(tmp_path / "t.json", rows)).options)
    assert (a.value, a.value_P) == (0.5, (0.0, 1.0))  # in the order of the problems' names
    assert a.pairs_with(b)
    assert not a.pairs_with(c)
    assert a.hi is not None
    assert a.hi - 0.5 == pytest.approx(1.6448536 * math.sqrt(0.5) / math.sqrt(2))


def test_a_standard_error_is_an_interval(tmp_path: Path) -> None:
    (one,) = read_options(table(tmp_path, "name,accuracy,stderr,query_flops\na,0.98,0.02,1\n")).options
    assert one.quality.lo == pytest.approx(0.98 - 1.6448536 * 0.02)
    assert one.quality.hi == 1.0


def test_costs_that_no_column_names_are_said_not_to_be_counted(tmp_path: Path) -> None:
    assert read_options(table(tmp_path, "name,score,query_flops\na,1800,1\n")).not_counted == (
        "training: t.csv has no train_flops",
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("name,query_flops\na,1\n", "must have a column quality (or accuracy or score); it has name, query_flops."),
        ("model,quality,query_flops\na,1,1\n", "must have a column name; it has model, quality, query_flops."),
        (
            "model,pass@1,query_flops\na,1,1\n",
            "must have a column name and a column quality (or accuracy or score); it has model, pass@1, query_flops. "
            "Rename yours.",
        ),
        ("name,qualty,query_flops\na,1,1\n", "it has name, qualty, query_flops. Did you mean qualty?"),
        ("name,quality\na,1\n", "must have a column of FLOPs: train_flops, query_flops, reward_flops or one_off.NAME"),
        ("name,quality,accuracy,query_flops\na,1,1,1\n", "must have one column of quality, accuracy, score"),
        ("name,quality,train_flop,query_flops\na,1,1,1\n", "column train_flop, must be one of train_flops"),
        (
            "name,quality,query_flops\na,1,1\na,2,2\n",
            "t.csv, row 3, name, must be of one option; 'a' is that of t.csv, row 2 too.",
        ),
        ("name,quality,query_flops\n,1,1\n", "row 2, name, must name the option; got None."),
        ("name,quality,query_flops\na,,1\n", "row 2 (a), quality, must be given"),
        ("name,quality,query_flops\na,good,1\n", "row 2 (a), quality, must be a number; got 'good'."),
        (
            'name,quality,query_flops\na,1,"1,200,000"\n',
            "query_flops, must be a number; got '1,200,000'. Write it as 0.612 or 1.2e21: a point, no other separators",
        ),
        ("name,accuracy,query_flops\na,61.2 %,1\n", "accuracy, must be a number; got '61.2 %'. Write it as 0.612"),
        ("name,accuracy,lo,hi,query_flops\na,0.7,0.6,78,1\n", "row 2 (a), hi, must be a share from 0 to 1, as the"),
        ("name,quality,query_flops\na,nan,1\n", "row 2 (a): quality must be finite; got nan."),
        ("name,quality,query_flops\na,1,nan\n", "row 2 (a): query_flops must be finite and at least 0; got nan."),
        ("name,quality,query_flops\na,1,-2\n", "row 2 (a): query_flops must be finite and at least 0; got -2.0."),
        ("name,quality,train_flops\na,1,inf\n", "row 2 (a): train_flops must be finite and at least 0; got inf."),
        ("name,quality,one_off.teacher\na,1,-1\n", "one_off['teacher'] must be finite and at least 0; got -1.0."),
        ("name,quality,one_off.training\na,1,1\n", "one_off of a must not have a line training, which it has apart"),
        ("name,quality,query_flops\na,1,\nb,1,2\n", "row 2 (a), query_flops, must be a number, as in other rows"),
        ("name,accuracy,query_flops\na,83,1\n", "must be a share from 0 to 1; got 83.0. Divide percentages by 100"),
        ("name,quality,lo,query_flops\na,1,0.5,1\n", "quality must have both ends of its interval or neither"),
        ("name,quality,lo,hi,query_flops\na,1,2,3,1\n", "quality must be within its interval, 2.0 to 3.0; got 1.0."),
        ("name,quality,stderr,query_flops\na,1,-1,1\n", "stderr, must be finite and at least 0; got -1.0."),
        ("name,quality,made,query_flops\na,1,guessed,1\n", "made, must be one of measured, forecast, extrapolated"),
        ("name,quality,query_flops\na,1\n", "row 2, must have one value for each of the 3 columns; got 2."),
        ("name,quality,query_flops\n", "must hold at least one option; it is empty."),
        ("", "must hold at least one row; it is empty."),
    ],
)
def test_what_is_wrong_with_a_csv_is_said_by_its_row(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        read_options(table(tmp_path, rows))
    said = str(caught.value).replace(f"{tmp_path}/", "")
    assert said.startswith("t.csv")
    assert message in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"name": "a", "quality": NaN, "query_flops": 1}]', "must be JSON, which holds neither NaN nor infinity"),
        ('{"rows": []}', "must hold a list of options, each an object"),
        ("[1, 2]", "must hold a list of options, each an object"),
        ('[{"name": "a", "quality": 1, "query_flops": "many"}]', "query_flops, must be a number; got 'many'."),
        ('[{"name": "a", "quality": true, "query_flops": 1}]', "quality, must be a number; got 'True'."),
        ('[{"name": ["a"], "quality": 1, "query_flops": 1}]', "name, must name the option; got ['a']."),
        ('[{"name": "a", "quality": 1, "query_flops": 1, "k": [1]}]', "k, must be a text, a number, true or false"),
        (
            '[{"name": "a", "quality": 1, "query_flops": 1, "k": {"a": 1}}]',
            "k, must be a text, a number, true or false",
        ),
        ('[{"name": "a", "values": "many", "query_flops": 1}]', "values, must be a list of numbers, or an object"),
        ('[{"name": "a", "values": [0, "x"], "query_flops": 1}]', "values, must be a number; got 'x'."),
        ('[{"name": "a", "quality": 0.9, "values": [0, 1], "query_flops": 1}]', "must be the mean of its values, 0.5"),
    ],
)
def test_what_is_wrong_with_json_is_said_by_its_option(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        read_options(write(tmp_path / "t.json", content))
    assert message in str(caught.value)


def test_what_would_run_code_is_refused_by_its_name_and_by_its_first_byte(tmp_path: Path) -> None:
    (tmp_path / "t.pkl").write_text("name,quality,query_flops\n")
    (tmp_path / "t.csv").write_bytes(pickle.dumps({"name": "a"}))
    for name in ("t.pkl", "t.csv"):
        with pytest.raises(LogError, match="must be text; got a pickle, which may run code when it is read"):
            read_options(tmp_path / name)


def test_what_is_no_file_binary_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LogError, match="must be a table of options; got nothing"):
        read_options(tmp_path / "none.csv")
    with pytest.raises(LogError, match="must be a table of options; got a folder"):
        read_options(tmp_path)
    (tmp_path / "binary.csv").write_bytes(b"name\xff\xfe\n")
    with pytest.raises(LogError, match="must be UTF-8 text"):
        read_options(tmp_path / "binary.csv")
    monkeypatch.setattr("breakeven.readers.option_table._LARGEST", 10)
    with pytest.raises(LogError, match="must be at most 0 MiB"):
        read_options(table(tmp_path, CSV))
    monkeypatch.undo()
    monkeypatch.setattr("breakeven.readers.option_table._MOST", 1)
    with pytest.raises(LogError, match="must hold at most 1 options; got more"):
        read_options(table(tmp_path, CSV))


CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
NESTED = CELLS | st.lists(CELLS, max_size=3) | st.dictionaries(st.text(max_size=3), CELLS, max_size=3)
FIELDS = [
    "lo",
    "hi",
    "stderr",
    "made",
    "values",
    "problems",
    "train_flops",
    "one_off",
    "reward_flops",
    "settings",
    "seconds",
    "accuracy",
    "k",
]
ROWS = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=3) | NESTED, "quality": st.floats(-2, 2) | NESTED, "query_flops": CELLS},
    optional=dict.fromkeys(FIELDS, NESTED),
)


@settings(derandomize=True, max_examples=300)
@given(st.lists(ROWS, max_size=3))
def test_values_of_any_type_in_any_place_are_read_or_refused(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = write(Path(place) / "t.json", rows)
        with suppress(LogError):
            assert all(math.isfinite(each.quality.value) for each in read_options(path).options)
