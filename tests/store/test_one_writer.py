"""Only the store writes files: everybody else hands it the content."""

import ast
from collections.abc import Iterator
from pathlib import Path

import breakeven

SOURCE = Path(breakeven.__file__).parent
ALLOWED = {
    "checking/memory.py: write_text": "limits of a control group, which are files of the kernel",
    "cli/stdin.py: open": "a temporary copy of standard input, which is read more than once",
    "checking/worker_main.py: os.open": "/dev/null, in place of the standard output of code under test",
}
"""What writes outside the store, each with its reason."""
WRITERS = (
    "write_text",
    "write_bytes",
    "touch",
    "save_file",
    "mkstemp",
    "NamedTemporaryFile",
    "TemporaryFile",
    "memmap",
)
FLAGS = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND")


def writes(tree: ast.AST) -> Iterator[str]:
    """The calls that open a file to be written, each by its name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        words = [*node.args, *(each.value for each in node.keywords)]
        if last in WRITERS:
            yield last
        elif name == "os.open":
            if any(flag in ast.unparse(word) for word in words for flag in FLAGS):
                yield name
        elif last in ("open", "fdopen"):
            modes = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            if any(set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in modes):
                yield last


def test_no_other_module_opens_a_file_to_write() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        if SOURCE / "store" not in path.parents
        for name in writes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(ALLOWED)


def test_the_search_finds_what_it_is_for() -> None:
    bad = [
        'open(path, "w")',
        'path.open(mode="ab")',
        'path.open("x")',
        'gzip.open(path, "wt")',
        "path.write_text(text)",
        "path.write_bytes(data)",
        "save_file(tensors, path)",
        "os.open(path, os.O_RDWR | os.O_CREAT)",
    ]
    good = ["open(path)", 'path.open("rb")', 'os.open("/dev/null", os.O_RDONLY)', "RunLog.open(run_dir)", "is_open()"]
    assert [len(list(writes(ast.parse(each)))) for each in (*bad, *good)] == [1] * len(bad) + [0] * len(good)
