"""Options of the user's own: which is the cheapest, and from how many queries on."""

from dataclasses import dataclass

from breakeven.errors import argument_error
from breakeven.plan.row import Asked, Row
from breakeven.readers.option_table import read_options
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Nothing is computed that could be set."""


def answer(asked: Asked) -> PlanAnswer:
    """The options of all files."""
    if not asked.files:
        raise argument_error("--from", "name a table of options, an evaluation or a run", None)
    options = [option for file in asked.files for option in read_options(file)]
    return PlanAnswer(options=tuple(options))


ROW = Row(name="options", settings=Settings, answer=answer, takes_files="a table of options, CSV or JSON")
