"""YAML as data alone: bombs, depth, tags and sizes, each refused by name."""

import sys

import pytest

from breakeven.errors import LogError, MissingExtraError
from breakeven.readers import safe_yaml
from breakeven.readers.safe_yaml import yaml_value

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def test_plain_data_is_read(tmp_path):
    path = tmp_path / "0.yaml"
    path.write_text("samples: [a, 'b\n\n  c']\ngt_answer: 0.5\nnone: .nan\n", "utf-8")
    value = yaml_value(path)
    assert value["samples"] == ["a", "b\nc"]
    assert value["gt_answer"] == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"0\.yaml, line 2, must hold no alias; got \*a"),
        ("[" * 200 + "]" * 200, r"0\.yaml, line 1, must be nested at most 12 deep"),
        ("a: !!python/object/apply:os.system [exit]", "must be YAML of plain data; got could not determine"),
        ("a: [b", "must be YAML of plain data; got while parsing"),
        ("a: " + "9" * 5000, "must be YAML of plain data; got Exceeds the limit"),
        ("? [a]\n: b", "must be YAML of plain data"),
    ],
)
def test_faults_name_the_file(tmp_path, text, message):
    path = tmp_path / "0.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(LogError, match=message):
        yaml_value(path)


def test_without_pyyaml_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[plan\]'"):
        yaml_value(tmp_path / "0.yaml")


def test_files_that_are_too_large_or_no_text(tmp_path, monkeypatch):
    path = tmp_path / "0.yaml"
    with pytest.raises(LogError, match="readable file; got No such file"):
        yaml_value(path)
    path.write_bytes(b"a: \xff")
    with pytest.raises(LogError, match="must be UTF-8 text"):
        yaml_value(path)
    monkeypatch.setattr(safe_yaml, "MOST_BYTES", 2 << 20)
    path.write_bytes(b"#" * (3 << 20))
    with pytest.raises(LogError, match="at most 2 MiB; got 3 MiB"):
        yaml_value(path)
