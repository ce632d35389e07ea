"""GLUE's tasks in the layout of its archives, and as exported; what their files refuse."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError

Read: TypeAlias = Callable[..., Examples]

MNLI = "index promptID pairID genre sentence1_binary_parse sentence2_binary_parse sentence1_parse sentence2_parse"
ARCHIVE = {
    "cola": "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tThey drank the pub.\n",
    "sst2": "sentence\tlabel\nhide new secretions \t0\nwell \"worth\" it \t1\n",
    "mrpc": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
    "1\t7\t8\tHe said \"no .\tNo , he said .\r\n0\t9\t10\tA\tB\r\n",
    "qqp": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tWhy so?\t1\n4\t5\t6\tWho?\tWhat?\t0\n",
    "mnli": "\t".join([*MNLI.split(), "sentence1", "sentence2", "label1", "gold_label"])
    + "\n"
    + "".join(f"{row}\t1\t1e\tfiction\t(\t(\t(\t(\tPremise {row}\tHypothesis\tneutral\t{label}\n" for row, label in
              enumerate(["entailment", "neutral", "contradiction"])),
    "qnli": "index\tquestion\tsentence\tlabel\n0\tWhen?\tIn 1900.\tentailment\n1\tWho?\tA dog.\tnot_entailment\n",
    "rte": "index\tsentence1\tsentence2\tlabel\n0\tIt rains.\tIt is wet.\tentailment\n1\tA\tB\tnot_entailment\n",
    "wnli": "index\tsentence1\tsentence2\tlabel\n0\tThe cup fell.\tThe cup broke.\t1\n1\tA\tB\t0\n",
}  # fmt: skip
EXPECTED = {
    "cola": ([1, 0], ("Our friends won't buy this.",), ("matthews",)),
    "sst2": ([0, 1], ("hide new secretions",), ("accuracy",)),
    "mrpc": ([1, 0], ('He said "no .', "No , he said ."), ("accuracy", "f1")),
    "qqp": ([1, 0], ("Why?", "Why so?"), ("accuracy", "f1")),
    "mnli": ([0, 1, 2], ("Premise 0", "Hypothesis"), ("accuracy",)),
    "qnli": ([0, 1], ("When?", "In 1900."), ("accuracy",)),
    "rte": ([0, 1], ("It rains.", "It is wet."), ("accuracy",)),
    "wnli": ([1, 0], ("The cup fell.", "The cup broke."), ("accuracy",)),
}
EXPORTED = {
    "cola": ("sentence",),
    "sst2": ("sentence",),
    "mrpc": ("sentence1", "sentence2"),
    "qqp": ("question1", "question2"),
    "mnli": ("premise", "hypothesis"),
    "qnli": ("question", "sentence"),
    "rte": ("sentence1", "sentence2"),
    "wnli": ("sentence1", "sentence2"),
}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def made(task: str, text: str, name: str = "dev.tsv") -> Examples:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return load_examples(f"glue:{task}:{path}")

    return made


@pytest.mark.parametrize("task", ARCHIVE)
def test_the_layout_of_the_archives(task: str, read: Read) -> None:
    labels, first, metrics = EXPECTED[task]
    found = read(task, ARCHIVE[task])
    assert found.name.startswith(f"glue:{task}:")
    assert found.label_P.tolist() == labels
    assert found.texts[0] == first
    assert found.metrics == metrics
    assert found.image_PHWC is None
    assert len(found.classes) == (3 if task == "mnli" else 2)


def test_ids_are_the_lines_of_the_file(read: Read) -> None:
    assert read("cola", ARCHIVE["cola"]).ids == ("1", "2")
    assert read("sst2", ARCHIVE["sst2"]).ids == ("2", "3")


@pytest.mark.parametrize("task", EXPORTED)
@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl", "a.jsonl.gz"])
def test_what_is_exported_from_datasets(task: str, name: str, read: Read) -> None:
    columns = EXPORTED[task]
    rows = [{**dict.fromkeys(columns, f"Text {label}"), "label": label, "idx": label} for label in (1, 0)]
    mark = "," if ".csv" in name else "\t"
    table = "\n".join([mark.join(rows[0]), *(mark.join(map(str, row.values())) for row in rows)])
    lines = "\n".join(map(json.dumps, rows))
    found = read(task, lines if "jsonl" in name else table, name)
    assert found.label_P.tolist() == [1, 0]
    assert found.texts[0] == ("Text 1",) * len(columns)


def test_csv_is_quoted_and_tsv_is_not(read: Read) -> None:
    found = read("sst2", 'sentence,label\n"Good, ""really"" good\nindeed",1\nbad,0\n', "a.csv")
    assert found.texts == (('Good, "really" good\nindeed',), ("bad",))
    assert read("sst2", 'sentence\tlabel\n"Good\t1\n"bad"\t0\n').texts == (('"Good',), ('"bad"',))
    with pytest.raises(ArgumentError, match=r"be a CSV file; got '.*after line"):
        read("sst2", 'sentence,label\n"open,1\n', "a.csv")


def test_labels_are_numbers_or_names_of_classes(read: Read) -> None:
    assert read("sst2", "sentence\tlabel\na\tpositive\nb\t0\n").label_P.tolist() == [1, 0]
    with pytest.raises(ArgumentError, match=r"line 2, must have a label of 0 to 1, or of negative, positive; got '2'"):
        read("sst2", "sentence\tlabel\na\t2\n")


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("sst2", "index\tsentence\n0\tuneasy mishmash\n"),
        ("cola", "index\tsentence\n0\tBill whistled past the house.\n"),
        ("sst2", "sentence\tlabel\tidx\nuneasy mishmash\t-1\t0\n"),
        ("qqp", "id\tquestion1\tquestion2\n0\tWhy?\tHow?\n"),
        ("mnli", "premise\thypothesis\tlabel\na\tb\t-\n"),
        ("mrpc", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta\tb\n"),
    ],
)
def test_test_sets_without_labels_are_refused(task: str, text: str, read: Read) -> None:
    with pytest.raises(ArgumentError, match=r"test\.tsv, line 2, must have .*does not publish the labels of its test"):
        read(task, text, "test.tsv")


def test_rows_that_are_broken(read: Read) -> None:
    """Those of the published QQP are left out, and counted."""
    found = read("qqp", ARCHIVE["qqp"] + "7\t8\t9\tCut\n\nin two?\t1\n7\t8\t9\tWhy?\tHow?\t\n")
    assert len(found) == 2
    assert found.left_out == ("3 broken rows",)
    with pytest.raises(ArgumentError, match="line 4, must have 2 fields, one a column; got '1'"):
        read("sst2", ARCHIVE["sst2"] + "short\n")
    with pytest.raises(ArgumentError, match="line 4, must have 2 fields, one a column; got '3'"):
        read("sst2", ARCHIVE["sst2"] + "long\t1\t2\n")
    with pytest.raises(ArgumentError, match=r"line 2, must have sentence; got \['label', 'text'\]. Is it a file of"):
        read("sst2", "text\tlabel\na\t1\n")
    with pytest.raises(ArgumentError, match="line 1, must have text in sentence; got 7"):
        read("sst2", '{"sentence": 7, "label": 1}\n', "a.jsonl")
    with pytest.raises(ArgumentError, match="hold at least one example"):
        read("sst2", "sentence\tlabel\n")
    with pytest.raises(ArgumentError, match="hold at least one example"):
        read("sst2", "")


def test_a_folder_has_training_and_validation_rows(tmp_path: Path) -> None:
    rows = "".join(f"text {row}\t{row % 2}\n" for row in range(100))
    (tmp_path / "train.tsv").write_text(f"sentence\tlabel\n{rows}")
    (tmp_path / "dev.tsv").write_text(ARCHIVE["sst2"])
    name = f"glue:sst2:{tmp_path}"
    assert len(load_examples(name, split="validation")) == 2
    train, test = load_examples(name, split="train"), load_examples(name, split="test")
    assert len(train) + len(test) == 100
    assert not set(train.texts) & set(test.texts)
    with pytest.raises(ArgumentError, match=r"split must be named for glue:sst2:.*, which has train, validation"):
        load_examples(name)


def test_mnli_is_evaluated_on_matched_genres(tmp_path: Path) -> None:
    for name in ("train", "dev_matched"):
        (tmp_path / f"{name}.tsv").write_text(ARCHIVE["mnli"])
    assert len(load_examples(f"glue:mnli:{tmp_path}", split="validation")) == 3
    (tmp_path / "dev_matched.tsv").unlink()
    with pytest.raises(ArgumentError, match="hold dev_matched or validation_matched as TSV, CSV or JSONL"):
        load_examples(f"glue:mnli:{tmp_path}", split="validation")


def test_tasks_and_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="have classes; STS-B rates similarity from 0 to 5, a regression"):
        load_examples(f"glue:stsb:{tmp_path}")
    with pytest.raises(ArgumentError, match=r"task must be one of cola, .*; got 'sst-2'\. Did you mean sst2"):
        load_examples(f"glue:sst-2:{tmp_path}")
    with pytest.raises(ArgumentError, match=r"the end of dev\.parquet must be one of \.tsv, \.txt, \.csv, \.jsonl"):
        load_examples(f"glue:sst2:{tmp_path}/dev.parquet")
    with pytest.raises(ArgumentError, match=r"none\.tsv must be a readable file"):
        load_examples(f"glue:sst2:{tmp_path}/none.tsv")
