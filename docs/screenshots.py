"""Pictures of the demo's page, into docs/images: `python docs/screenshots.py`. Needs Chromium."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from breakeven.cli.report import write_report

HERE = Path(__file__).parent
RUN = HERE.parent / "src" / "breakeven" / "recorded" / "countdown"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURES = {  # name: (width, height, theme, what is at the top)
    "report": (1280, 900, "light", "main"),
    "report-dark": (1280, 900, "dark", "figure:has([data-chart=learning])"),
    "report-costs": (1280, 900, "light", "section:has(.workload)"),
    "report-phone": (390, 844, "light", "main"),
    "report-phone-dark": (390, 844, "dark", "section:has(.workload)"),
}
DRAWN = """() => document.documentElement.dataset.drawn && [...document.querySelectorAll('.chart')].every(
    each => !each.clientWidth || Number(each.querySelector('svg')?.getAttribute('width')) === each.clientWidth)"""


def main() -> None:
    """Write all pictures."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit(f"install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(write_report(RUN, Path(place) / "report.html").as_uri())
        for name, (width, height, theme, top) in PICTURES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.wait_for_function(DRAWN)
            page.evaluate(
                "top => window.scrollTo(0, document.querySelector(top).getBoundingClientRect().y + scrollY)", top
            )
            page.screenshot(path=HERE / "images" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
