"""`breakeven demo`: a recorded run that ships, and its page."""

import subprocess
import sys
from pathlib import Path


def test_it_shows_a_decision_what_came_of_it_and_a_page(cli, tmp_path: Path) -> None:
    page = tmp_path / "demo.html"
    result = cli("demo", "--out", page)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Decision  Stop at step" in result.stdout
    assert "Verified on" in result.stdout
    assert result.stdout.endswith(f"Page: {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "Was it right?" in text
    assert "A sample, right" in text or "a sample, right" in text


def test_it_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from breakeven.cli import app\n"
        f"app(['demo', '--out', {str(tmp_path / 'demo.html')!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo.html").exists()
