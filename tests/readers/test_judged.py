"""Solutions and verdicts of others: both layouts, what is unequal, and each fault by file and value."""

import gzip
import json
import pickle

import numpy as np
import pytest

from breakeven.errors import CheckFailedError, LogError, MissingExtraError
from breakeven.readers import graded
from breakeven.readers.judged import read_judged

TWO = [["So it is \\boxed{12}.", "The answer is $7$.", "I do not know."], ["\\boxed{5}", "\\boxed{6}", "\\boxed{5}"]]
GOLD = ["12", "We find \\boxed{5}."]


def verification(yes=-1.0, no=-1.0, text=""):
    return {"verification": text, "p(yes)": yes, "p(no)": no}


def plain(values):
    assert values is not None
    return values.tolist()


def yaml_of(verifications):
    return json.dumps({"prompt": "p", "verifications": verifications}).replace("NaN", ".nan")  # JSON is YAML


def folders(root, samples=TWO, gold=GOLD, verdicts=None):
    """Both folders, with two verdicts on each of the first two solutions unless told otherwise."""
    (root / "solved").mkdir(parents=True)
    for number, (texts, answer) in enumerate(zip(samples, gold, strict=True)):
        content = {"prompt": "p", "question": "q", "samples": texts, "gt_answer": answer}
        (root / "solved" / f"{number}.yaml").write_text(json.dumps(content), "utf-8")
    each = [[verification(0.9), verification(0.8)], [verification(no=0.75), verification(0.0)]]
    for number, rows in enumerate(verdicts or [each] * len(samples)):
        folder = root / "judged" / f"problem_{number}"
        folder.mkdir(parents=True)
        for place, row in enumerate(rows):
            (folder / f"solution_{place}.yaml").write_text(yaml_of(row), "utf-8")
    return root


def test_folders_become_a_pool_of_all_and_one_of_those_judged(tmp_path):
    found = read_judged([folders(tmp_path)])
    assert found.voted.correct_PN.tolist() == [[True, False, False], [True, False, True]]
    assert plain(found.voted.label_PN) == [[0, 1, -1], [0, 1, 0]]
    assert found.judged.correct_PN.shape == (2, 2)
    assert plain(found.judged.verdict_PNV)[0] == [[0.9, 0.8], [0.25, 0.0]]
    assert found.notes == ()
    apart = read_judged([tmp_path / "judged", tmp_path / "solved"])
    assert plain(apart.judged.verdict_PNV) == plain(found.judged.verdict_PNV)


def test_a_verdict_without_chances_is_read_from_its_text(tmp_path):
    row = [
        verification(text="It adds up. Is the answer correct (Yes/No)? Yes"),
        verification(text="Is the solution correct? **No**"),
        verification(text="Is the answer correct (Yes/No)? No, wait. Is the answer correct (Yes/No)? Yes"),
        verification(text="I cannot tell."),
        verification(yes=float("nan")),
    ]
    found = read_judged([folders(tmp_path, verdicts=[[row, row], [row, row]])])
    assert plain(found.judged.verdict_PNV)[0][0] == [1.0, 0.0, 1.0, -1.0, -1.0]
    assert found.notes == ("8 of 20 verdicts are not known, and left out of their solution's score.",)


def test_of_what_is_unequal_as_many_are_taken_as_all_have(tmp_path):
    yes = verification(0.9)
    found = read_judged([folders(tmp_path, verdicts=[[[yes], [yes, yes], [yes]], [[yes, yes], [yes, yes]]])])
    assert np.shape(plain(found.judged.verdict_PNV)) == (2, 2, 1)
    assert found.notes == (
        "Unequal numbers of judged solutions, 2 to 3: the first 2 are taken.",
        "Unequal numbers of verdicts, 1 to 2: the first 1 are taken.",
    )


def test_problems_without_verdicts_are_left_out_and_said_to_be(tmp_path):
    row = [verification(0.9)]
    found = read_judged([folders(tmp_path, verdicts=[[row, row]])])
    assert found.voted.num_problems == 1
    assert found.notes == ("1 problems without verdicts are left out.",)


def test_answers_that_only_a_symbolic_checker_equates(tmp_path):
    """As text they differ; math-verify, where it is installed, makes them right. Votes stay on texts."""
    pytest.importorskip("math_verify")
    samples = [["\\boxed{\\sqrt{8}}", "\\boxed{2\\sqrt{2}}", "\\boxed{3}"]]
    found = read_judged([folders(tmp_path, samples, ["2\\sqrt{2}"])])
    assert found.voted.correct_PN.tolist() == [[True, True, False]]
    assert plain(found.voted.label_PN) == [[0, 1, 2]]
    assert found.notes == ("1 answers are right by math-verify alone; in a vote each way of writing stands apart.",)


def test_without_a_symbolic_checker_it_is_said_how_many_are_left_as_text(tmp_path, monkeypatch):
    def missing():
        raise MissingExtraError("not installed")

    monkeypatch.setattr(graded, "MathVerifier", missing)
    samples = [
        ["\\boxed{\\sqrt{8}}", "\\boxed{2\\sqrt{2}}", "\\boxed{2\\sqrt{2}}"],
        ["\\boxed{1/2}", "\\boxed{0.5}", "\\boxed{7}"],
    ]
    found = read_judged([folders(tmp_path, samples, ["2\\sqrt{2}", "0.50"])])
    assert found.voted.correct_PN.tolist() == [[False, True, True], [True, True, False]]
    assert found.notes[0].startswith("1 answers differ from the gold answer as text, and count as wrong: math-verify")


def test_answers_that_cannot_be_checked_are_wrong_and_said_to_be(tmp_path, monkeypatch):
    class Breaks:
        def verify(self, gold, answer):
            raise CheckFailedError("late")

        def close(self):
            pass

    monkeypatch.setattr(graded, "MathVerifier", Breaks)
    found = read_judged([folders(tmp_path, [["\\boxed{x^2}", "\\boxed{x}"]], ["x \\cdot x"])])
    assert not found.voted.correct_PN.any()
    assert found.notes == ("2 answers could not be checked by math-verify, and count as wrong.",)


def put(name, text):
    return lambda root: (root / name).write_text(text, "utf-8")


SOLVED, JUDGED = "solved/1.yaml", "judged/problem_1/solution_1.yaml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "judged/problem_0/solution_0.yaml").unlink(), r"solution_0\.yaml must be there, for sol"),
        (lambda root: (root / SOLVED).unlink(), r"solved/1\.yaml must be there, for .*problem_1 judges its samples"),
        (put(SOLVED, "samples: [1, 2]"), "must hold samples, a list of texts; got list"),
        (put(SOLVED, "[]"), "must hold samples, a list of texts; got NoneType"),
        (put(SOLVED, "samples: [a, b]\ngt_answer: No"), "got False. Quote it"),
        (put(SOLVED, "samples: [a, b]"), r"must hold gt_answer, .* got None"),
        (put(SOLVED, "samples: [a, b]\ngt_answer: ' '"), "gt_answer, must be an answer"),
        (put(SOLVED, "samples: [a]\ngt_answer: 5"), r"solution_1\.yaml must be of one of the 1"),
        (put(JUDGED, "verifications: {a: b}"), "a list of mappings; got dict"),
        (put(JUDGED, "verifications: []"), "at least one of its verdicts; got none"),
        (put(JUDGED, "verifications: [{p(yes): 1.2}]"), r"verification 0, p\(yes\), must be from 0 to 1, .*; got 1\.2"),
        (put(JUDGED, "verifications: [{p(no): yes}]"), r"p\(no\), must be from 0 to 1, .* got True"),
        (
            lambda root: [each.unlink() for each in (root / "judged/problem_1").iterdir()],
            r"problem_1 must hold solution_0\.yaml and so on; it holds none",
        ),
        (lambda root: (root / "judged").rename(root / "solved/judged"), "one folder with problem_I; got none"),
    ],
)
def test_faults_of_folders_name_the_file(tmp_path, change, message):
    change(folders(tmp_path))
    with pytest.raises(LogError, match=message):
        read_judged([tmp_path])


# -- one JSON file -----------------------------------------------------------------------------------------------------

JSON = {
    "source": "made here",
    "answers": [["A", "B", "", "A"], ["other:1", "C", "C", "D"]],
    "gold": ["A", "C"],
    "scores": [[[1.0, 0.0], [0.25, None]], [[0.0, 0.0], [1.0, 1.0]]],
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_json_file_has_answers_gold_and_scores(tmp_path, packed):
    text = json.dumps(JSON).encode()
    path = tmp_path / ("a.json.gz" if packed else "a.json")
    path.write_bytes(gzip.compress(text) if packed else text)
    found = read_judged([path])
    assert found.voted.correct_PN.tolist() == [[True, False, False, True], [False, True, True, False]]
    assert plain(found.voted.label_PN) == [[0, 1, -1, 0], [0, 1, 1, 2]]
    assert plain(found.judged.verdict_PNV) == [[[1.0, 0.0], [0.25, -1.0]], [[0.0, 0.0], [1.0, 1.0]]]
    assert found.notes == ("1 of 8 verdicts are not known, and left out of their solution's score.",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": ["A"]}, r"must hold lists answers, gold and scores of as many problems; got \[2, 1, 2\]"),
        ({"scores": None}, "NoneType"),
        ({"gold": ["A", 3]}, "problem 1 must have texts as answers, a text as gold"),
        (
            {"scores": [[[1.0, 0.0], 3], [[0.0], [0.0]]]},
            "problem 0 must have a list of scores for each solution; got 3",
        ),
        ({"scores": [[[1.5]], [[0.0]]]}, r"problem 0/solution 0, a score, must be from 0 to 1, .* got 1\.5"),
        ({"scores": [[["1"]], [[0.0]]]}, "got '1'"),
        ({"scores": [[[]], [[0.0]]]}, "problem 0 must have at least one of its verdicts; got none"),
        ({"scores": [[], [[0.0]]]}, "problem 0 must have at least one of its judged solutions; got none"),
        ({"scores": [[[0.1]] * 5, [[0.0]] * 5]}, "must have a solution for each judged one; got 4 for 5"),
    ],
)
def test_faults_of_a_json_file_name_the_place(tmp_path, change, message):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(JSON | change), "utf-8")
    with pytest.raises(LogError, match=message):
        read_judged([path])


@pytest.mark.parametrize("name", ["raw.pickle", "raw.pkl", "raw.json"])
def test_pickles_are_refused_by_name_and_never_loaded(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(np.zeros(3)))
    with pytest.raises(LogError, match=f"{name} must be text; got a pickle, which may run code when it is read"):
        read_judged([path])


def test_what_is_neither_file_nor_folder(tmp_path):
    with pytest.raises(LogError, match=r"gone must be a folder of YAML files, or a JSON file .*; got nothing"):
        read_judged([tmp_path / "gone"])
    with pytest.raises(LogError, match=r"must hold one folder with samples as I\.yaml; got none"):
        read_judged([tmp_path])
    (tmp_path / "a.json").write_text("{", "utf-8")
    with pytest.raises(LogError, match="must be JSON"):
        read_judged([tmp_path / "a.json"])
