"""What a decision recorded, as sentences, tables, charts and one self-contained page. Recomputes nothing."""

from breakeven.report.brief import brief
from breakeven.report.continued import start_words
from breakeven.report.cooldown import branch_words, cooldown_words, outcome_words
from breakeven.report.decided import Beside, decided_document
from breakeven.report.explain import explain, progress_line
from breakeven.report.hindsight import hindsight_words
from breakeven.report.outlook import outlook_words
from breakeven.report.page import render_page
from breakeven.report.shown import Evaluated
from breakeven.report.table import decision_rows, decision_table
from breakeven.report.verification import verification_lines
from breakeven.report.words import headline

__all__ = [
    "Beside",
    "Evaluated",
    "branch_words",
    "brief",
    "cooldown_words",
    "decided_document",
    "decision_rows",
    "decision_table",
    "explain",
    "headline",
    "hindsight_words",
    "outcome_words",
    "outlook_words",
    "progress_line",
    "render_page",
    "start_words",
    "verification_lines",
]
