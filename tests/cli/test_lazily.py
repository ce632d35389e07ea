"""What is imported when: nothing heavy for the help of the whole, nor by `import breakeven` alone."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import breakeven
from breakeven.cli.lazily import COMMANDS

HEAVY = ("jinja2", "msgspec", "numpy", "scipy", "torch")


@pytest.mark.parametrize(
    "code",
    [
        "import breakeven",
        "from breakeven.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass",
        "from breakeven.cli import app\ntry: app(['--version'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    code = (
        f"import sys\n{code}\nsys.exit(str({{*sys.modules}} & {{*{HEAVY}}}) if {{*sys.modules}} & {{*{HEAVY}}} else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_help_of_the_whole_is_the_first_of_the_command(name: str) -> None:
    where, line = COMMANDS[name]
    module, _, function = where.partition(":")
    command = getattr(import_module(f"breakeven.cli.{module}"), function)
    assert str(inspect.getdoc(command)).partition("\n\n")[0] == line


def test_the_package_gives_what_it_names() -> None:
    assert {"Session", "decide"} <= {*dir(breakeven)}
    for name in breakeven.__all__:
        assert getattr(breakeven, name) is not None
    room = getattr(breakeven, "session")  # noqa: B009, imported where it is named
    assert room.session.Session is breakeven.Session
    with pytest.raises(AttributeError, match="no attribute 'sesion'"):
        getattr(breakeven, "sesion")  # noqa: B009
