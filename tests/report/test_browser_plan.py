"""The page of a plan in a real browser: its slider says what is the cheapest, by mouse and by keyboard."""

import pytest

from breakeven.plan.conclude import conclude
from breakeven.plan.wanted import Wanted
from breakeven.records.options import Option, Quality
from breakeven.records.plans import PlanAnswer
from breakeven.report.page import render_page
from breakeven.report.plan import plan_document

OPTIONS = (
    Option(name="early </script>", train_flops=1e12, query_flops=9e6, quality=Quality(value=0.8)),
    Option(name="later", train_flops=4e12, query_flops=3e6, quality=Quality(value=0.85)),
    Option(name="full", train_flops=1e13, query_flops=1e6, quality=Quality(value=0.9)),
)


@pytest.fixture(scope="module")
def page(opened):
    result = conclude("options", PlanAnswer(options=OPTIONS), Wanted(target=0.8, queries=1e6))
    return opened(render_page(plan_document(result)))


def test_the_slider_says_what_is_the_cheapest_at_so_many_queries(page, complaints):
    complaints.clear()
    verdict, said = page.locator("#verdict-of-workload"), page.locator("#served-said")
    assert said.text_content() == "1.00 million queries"
    # 4e12 + 3e12 = 7e12; 1e12 + 9e12 = 1e13 is 43 % more
    assert verdict.text_content() == "later is the cheapest: 7 TFLOPs in all. Then early </script>, for 43 % more."
    page.locator("#served").press("End")
    assert verdict.text_content().startswith("full is the cheapest: ")
    page.locator("#served").press("Home")
    assert said.text_content() == "10,000 queries"
    assert verdict.text_content().startswith("early </script> is the cheapest: 1.09 TFLOPs in all. Then later, for ")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not complaints
