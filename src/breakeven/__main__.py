"""`python -m breakeven` is the `breakeven` command."""

from breakeven.cli import app

app()
