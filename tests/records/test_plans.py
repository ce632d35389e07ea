"""What a plan found, as plan.json keeps it."""

import msgspec

from breakeven.records import Made, Option, Quality
from breakeven.records.plans import Cheapest, Choice, Finding, Line, Picture, PlanAnswer, PlanResult, PlanTable

OPTIONS = (
    Option(
        name="step 120, pass@32",
        settings={"step": 120, "strategy": "pass@k", "k": 32, "deployable": True, "temperature": 0.7},
        train_flops=1e12,
        one_off={"evaluation": 2e9},
        query_flops=3e8,
        quality=Quality(value=0.5, lo=0.25, hi=0.75, value_P=(1.0, 0.0), problems="test"),
    ),
    Option(name="a paper's", query_flops=1e8, quality=Quality(value=0.9, made=Made.PUBLISHED)),
)
ANSWER = PlanAnswer(
    options=OPTIONS,
    findings=(
        Finding(text="where lines cross (they do not)", value=None),
        Finding(text="gap", value=0.1, lo=0, hi=0.2),
    ),
    tables=(PlanTable(label="laws", headings=("form", "error"), rows=(("additive", "6.4"),)),),
    pictures=(
        Picture(
            name="gap",
            title="Gap",
            x="FLOPs per query",
            y="accuracy",
            lines=(Line(label="vote", points=((1.0, 0.5),), intervals=((0.4, 0.6),), made=Made.EXTRAPOLATED),),
        ),
    ),
    target=0.5,
)
CHOICE = Choice(verdict="It is the cheapest.", lead="", chosen="step 120, pass@32")


def test_a_result_reads_back_as_it_was_with_every_number_and_kind():
    result = PlanResult(
        row="options",
        settings={"sizes": ["S", "M"], "seed": 0},
        answer=ANSWER,
        queries=1e5,
        without=("evaluation",),
        full=CHOICE,
        verdict=CHOICE.verdict,
        lead="",
        chosen=CHOICE.chosen,
        frontier=("step 120, pass@32",),
        envelope=(Cheapest(option="step 120, pass@32", queries=0.0),),
        shares=(1.0, 0.0),
    )
    assert msgspec.json.decode(msgspec.json.encode(result), type=PlanResult) == result
