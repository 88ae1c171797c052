"""Every page in both themes and at three widths: calm, in its place, and open to everybody.

axe-core looks for barriers (contrast, names of controls, structure), and the Tab key has to come
by every control.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipeline.people.marks import star
from pipeline.people.store import MomentRef, people_store
from pipeline.probes.run import run_probe
from pipeline.probes.settings import ProbeSettings
from pipeline.records import TimeSpan
from pipeline.study import open_study
from pipeline.vision.open_clip_model import OpenClipModel
from tests.browser.conftest import LONG_MS, open_page, served, settle, watch
from tests.validation.simulated_set import add_simulated_set

pytestmark = pytest.mark.browser
Study = tuple[Path, str]

WIDTHS = (1440, 1024)
PHONE = 390
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stop:
    """A page, or a state of one; `has_clips` asks for the study with media, `last_words` are
    those that it shows when its work is done."""

    name: str
    link: str
    title: str
    has_clips: bool = False
    last_words: str = ""


STOPS = (
    Stop("overview", "/", "Overview"),
    Stop("children", "/children?open=C02&split=speaker", "Children"),
    Stop("moments", "/moments?words=1", "Moments", has_clips=True),
    Stop("pairs", "/moments?view=pairs", "Moments", has_clips=True),
    Stop("words", "/words", "Words", has_clips=True),
    Stop("saved", "/saved", "Saved", has_clips=True),
    Stop("windows", "/crops-and-windows?b_window=-3%2B1&child=C02", "Crops and windows"),
    Stop("lags", "/crops-and-windows?part=lags", "Crops and windows"),
    Stop("thresholds", "/crops-and-windows?part=sweep", "Crops and windows"),
    Stop("models", "/models", "Models"),
    Stop("one model", "/models", "Models", has_clips=True),
    Stop("rate", "/rating", "Rate", has_clips=True),
    Stop("human agreement", "/human-agreement", "Human agreement", has_clips=True),
    Stop("predictors", "/predictors", "Predictors", last_words="The same in R"),
    Stop("drives", "/drives", "What drives the score", has_clips=True, last_words="Every index"),
    Stop("drives, a moment", "/drives?about=moment", "What drives the score", has_clips=True),
    Stop("sound", "/sound", "Sound", has_clips=True),
    Stop("quality", "/quality", "Quality", has_clips=True),
    Stop("provenance", "/provenance", "Provenance", has_clips=True),
    Stop("export", "/export", "Export"),
    Stop("nothing left", "/?child=C02&words=99", "Overview"),
)

NOT_OURS = {
    # Streamlit's own menu of pages: it puts the headings and a div of each section into the ul.
    ("list", "stSidebarNavItems"),
    ("listitem", "stSidebarNavItems"),
}
"""Rules of axe and the part of Streamlit (data-testid) in which they cannot be kept from outside:
there is no setting for the mark-up of these parts."""

_VIOLATIONS = """async () => {
    const part = (target) => {
        let root = document, element = null;
        for (const selector of [target].flat(Infinity)) {
            element = root.querySelector(selector);
            root = element?.shadowRoot ?? root;
        }
        const parts = [];
        for (; element; element = element.parentElement ?? element.getRootNode().host)
            if (element.dataset?.testid) parts.push(element.dataset.testid);
        return parts;
    };
    const found = await axe.run({ resultTypes: ["violations"] });
    return found.violations
        .filter((rule) => ["serious", "critical"].includes(rule.impact))
        .flatMap((rule) => rule.nodes.map((node) => ({
            rule: rule.id, html: node.html.slice(0, 160), why: node.failureSummary,
            parts: part(node.target),
        })));
}"""

_CROWDED = """() => {
    const found = [];
    for (const chart of document.querySelectorAll("[data-testid=stPlotlyChart]")) {
        const whole = chart.getBoundingClientRect();
        const titles = [...chart.querySelectorAll(".infolayer text[class*=title]")].map((title) =>
            [title.textContent, title.getBoundingClientRect()]);
        titles.forEach(([text, box], i) => {
            if (box.left < whole.left - 1 || box.right > whole.right + 1)
                found.push(`cut: ${text}`);
            for (const [other, its] of titles.slice(i + 1))
                if (box.left < its.right && its.left < box.right
                        && box.top < its.bottom && its.top < box.bottom)
                    found.push(`${text} over ${other}`);
        });
    }
    return found;
}"""
"""Titles of axes that are cut off or lie over one another."""

_CONTROLS = """() => {
    const wanted = "a[href], button, input, select, textarea, summary, video[controls], "
        + "[role=button], [role=slider], [role=combobox], [role=radio], [tabindex='0']";
    const missed = [];
    const is_shown = (element) => element.checkVisibility({ visibilityProperty: true })
        && element.getClientRects().length && !element.closest("[aria-hidden=true], [inert]");
    const walk = (root) => root.querySelectorAll("*").forEach((element) => {
        if (element.shadowRoot) walk(element.shadowRoot);
        // Spin buttons and arrows of menus repeat what the arrow keys do in their field.
        const is_left_out = element.disabled || element.tabIndex < 0;
        if (!element.matches(wanted) || is_left_out || !is_shown(element)) return;
        // Within a group of toggles the arrow keys move, and Tab stops once.
        const group = element.closest("[role=radiogroup]");
        const is_reached = element.__reached
            || (group && [...group.querySelectorAll("*")].some((other) => other.__reached));
        if (!is_reached) missed.push(element.outerHTML.slice(0, 160));
    });
    walk(document);
    return missed;
}"""

_FOCUS = """() => {
    let here = document.activeElement;
    while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
    if (!here || here === document.body) return "outside";
    const was = here.__reached, is_first = !window.__first || window.__first === here;
    window.__first ??= here;
    here.__reached = true;
    return was && is_first ? "around" : "on";
}"""


_FORGET = """() => {
    const walk = (root) => root.querySelectorAll("*").forEach((element) => {
        if (element.shadowRoot) walk(element.shadowRoot);
        delete element.__reached;
    });
    walk(document);
    delete window.__first;
}"""


@pytest.fixture(scope="module")
def starred(served_study: Study) -> Study:
    """The study with media, with something on its Saved page, answers of simulated raters and a
    probe."""
    import duckdb

    from pipeline.store.locate import current_store_path

    with duckdb.connect(str(current_store_path(served_study[0])), read_only=True) as con:
        rows = con.execute(
            "SELECT recording_id, utterance_id, onset_ms, offset_ms FROM utterances "
            "ORDER BY utterance_number DESC LIMIT 2"
        ).fetchall()
    for recording, utterance, onset_ms, offset_ms in rows:
        ref = MomentRef(recording, utterance, TimeSpan(onset_ms, offset_ms))
        star(people_store(served_study[0]), ref)
    add_simulated_set(people_store(served_study[0]))
    study = open_study(served_study[0])
    run_probe(
        study,
        ProbeSettings(n_utterances=24, n_draws=1),
        lambda: OpenClipModel(study.settings.model, study.root, "cpu"),
    )
    return served_study


@pytest.fixture(scope="module")
def profile(chromium: Browser) -> Iterator[BrowserContext]:
    """One profile for all pages, so that scripts are fetched once."""
    context = chromium.new_context(
        viewport={"width": WIDTHS[0], "height": 900}, color_scheme="light"
    )
    context.set_default_timeout(LONG_MS)
    yield context
    context.close()


def barriers(page: Page) -> list[str]:
    """Serious and critical violations that are ours and stay when the page is let settle, in words:
    letters that fade because the page is run again are hard to read for a moment."""
    page.evaluate(AXE)
    if found := _barriers_now(page):
        page.wait_for_timeout(1_000)
        settle(page)
        found = _barriers_now(page)
    return found


def _barriers_now(page: Page) -> list[str]:
    return [
        f"{found['rule']}: {found['why']} {found['html']}"
        for found in page.evaluate(_VIOLATIONS)
        if not any((found["rule"], part) in NOT_OURS for part in found["parts"])
    ]


def passed_over(page: Page) -> list[str]:
    """The controls that Tab does not come by, even when the page is let settle and Tab goes
    around once more: a table drawn anew behind it would otherwise count as one."""
    missed = once_around(page)
    if missed:
        settle(page)
        page.evaluate(_FORGET)
        page.evaluate(_FOCUS)  # where the first round ended, the next begins
        missed = once_around(page)
    return missed


def once_around(page: Page) -> list[str]:
    """Press Tab until it comes around; the controls that it did not come by."""
    for _ in range(250):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUS) in ("around", "outside"):
            return [str(control) for control in page.evaluate(_CONTROLS)]
    raise AssertionError("the Tab key does not come around")


def turn_dark(page: Page) -> None:
    """The system changes to its dark theme while the page is open, and the page follows."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        """() => {
            const app = document.querySelector("[data-testid=stApp]");
            const [red, green, blue] = getComputedStyle(app).backgroundColor.match(/\\d+/g);
            return Number(red) + Number(green) + Number(blue) < 180;
        }""",
        timeout=LONG_MS,
    )
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stPlotlyChart] .xtitle")].every(
            (title) => Math.max(...getComputedStyle(title).fill.match(/\\d+/g).slice(0, 3)) > 100
        )""",
        timeout=LONG_MS,
    )
    # What is chosen in the sidebar: dark letters on the light accent.
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-tag] span[title]")].every(
            (tag) => Math.max(...getComputedStyle(tag).color.match(/\\d+/g).slice(0, 3)) < 100
        )""",
        timeout=LONG_MS,
    )
    settle(page)


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_a_page_is_calm_in_its_place_and_open_to_everybody(
    profile: BrowserContext, starred: Study, served_synthetic: Study, stop: Stop
):
    visit(profile, (starred if stop.has_clips else served_synthetic)[1], stop)


def test_the_page_before_there_is_a_study_is_too(profile: BrowserContext, tmp_path: Path):
    with served(tmp_path) as address:
        visit(profile, address, Stop("welcome", "/", "Coview"))


def visit(profile: BrowserContext, address: str, stop: Stop) -> None:
    """Look at a page in all widths and both themes."""
    page = profile.new_page()
    watched = watch(page, address)
    open_page(page, f"{address}{stop.link}", stop.title)
    if stop.last_words:
        expect(page.get_by_text(stop.last_words)).to_be_visible(timeout=LONG_MS)
    for width in WIDTHS:
        assert_it_fits(page, width)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Traceback (most recent call last)")).to_have_count(0)
    assert barriers(page) == []
    assert passed_over(page) == []
    turn_dark(page)
    assert barriers(page) == []
    assert_it_fits(page, PHONE)
    watched.assert_calm()
    page.close()


def assert_it_fits(page: Page, width: int) -> None:
    """Nothing to scroll sideways, and every title of an axis in its place."""
    page.set_viewport_size({"width": width, "height": 900})
    settle(page)
    for part in ("html", "[data-testid=stMain]"):
        too_wide = page.locator(part).evaluate("part => part.scrollWidth - part.clientWidth")
        assert too_wide <= 0, f"{part} can be scrolled sideways at {width} px"
    assert page.evaluate(_CROWDED) == [], f"at {width} px"
