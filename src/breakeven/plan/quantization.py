from dataclasses import dataclass, fields
from breakeven.plan.quantizing.grid import Grid
from breakeven.plan.quantizing.measured import courses_of
from breakeven.plan.row import Asked, Row
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Grid):
    pass


_FREE = tuple(each.name for each in fields(Settings) if each.name not in {own.name for own in fields(Grid)})


def answer(asked: Asked) -> PlanAnswer:
    courses_of(asked.settings, asked.cells)
    return PlanAnswer(options=())


ROW = Row(name="quantization", settings=Settings, answer=answer, free=_FREE)
