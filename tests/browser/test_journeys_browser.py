"""Journeys from a number to the moments behind it, each against a query on the store."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pipeline.store.locate import current_store_path
from tests.browser.conftest import LONG_MS, Watched, open_page, settle, watch

pytestmark = pytest.mark.browser
Study = tuple[Path, str]

THRESHOLD = 0.24
_POINT = """(chart, x) => {
    const axis = chart._fullLayout.xaxis, box = chart.getBoundingClientRect();
    return box.left + axis._offset + axis.d2p(x);
}"""
_HEARS = """({minimum}) => {
    const found = [];
    const walk = (node) => node.querySelectorAll("*").forEach((element) => {
        if (element.tagName === "VIDEO") found.push(element);
        if (element.shadowRoot) walk(element.shadowRoot);
    });
    walk(document);
    return found.length === 1 && !found[0].paused && !found[0].muted
        && found[0].currentTime > minimum && found[0].webkitAudioDecodedByteCount > 0;
}"""


def query(study: Study, sql: str, *params: object) -> list[tuple]:
    store = current_store_path(study[0])
    with duckdb.connect(str(store), read_only=True) as con:
        return con.execute(sql, list(params)).fetchall()


def best_first(study: Study, child: str) -> list[str]:
    """Scored utterances of a child, in the order of the list."""
    rows = query(
        study,
        "SELECT u.utterance_id FROM utterances u JOIN scores_wide s USING (utterance_number) "
        "WHERE u.child_id = ? AND s.center_strict_max_cosine IS NOT NULL "
        "ORDER BY s.center_strict_max_cosine DESC, u.utterance_number",
        child,
    )
    return [row[0] for row in rows]


def param(page: Page, name: str) -> str | None:
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def hear(page: Page, minimum: float = 0.25) -> None:
    """Wait until the one player of the page runs with sound."""
    page.wait_for_function(_HEARS, arg={"minimum": minimum}, timeout=LONG_MS)


def wait_until_asked(page: Page, study: Study, utterance_id: str) -> None:
    """Wait until the server has written down that the clip of this moment was opened."""
    log = study[0] / "derived/logs/clips.jsonl"
    for _ in range(LONG_MS // 100):
        if log.is_file() and utterance_id in log.read_text(encoding="utf-8"):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the clip of {utterance_id} was never asked for")


def listed(page: Page) -> list[str]:
    return [str(row.get_attribute("data-utterance")) for row in page.locator(".row").all()]


def chart_of(page: Page, key: str) -> Locator:
    chart = page.locator(f".st-key-{key} .js-plotly-plot")
    expect(chart.locator(".main-svg").first).to_be_visible(timeout=LONG_MS)
    return chart


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_the_best_moment_of_a_child_is_found_from_its_dot_and_heard(
    watched: Watched, served_study: Study
):
    page = watched.page
    child = query(served_study, "SELECT min(child_id) FROM children")[0][0]
    open_page(page, f"{served_study[1]}/children", "Children")
    chart = chart_of(page, "children_rows")
    dots = chart.evaluate(
        "chart => chart._fullData.flatMap(trace => trace.mode === 'markers' && trace.customdata "
        "? Array.from(trace.customdata, (data) => String([].concat(data)[0])) : [])"
    )
    dot = chart.locator(".scatterlayer .trace").last.locator(".point").nth(dots.index(child))
    heading = page.get_by_role("heading", level=1)
    for _ in range(4):
        # The chart may be drawn anew under the pointer while the rest of the page comes.
        settle(page)
        dot.scroll_into_view_if_needed()
        box = dot.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x + 4, y)
        page.mouse.move(x, y, steps=3)
        expect(page.locator(".hoverlayer .hovertext")).not_to_have_count(0)
        page.mouse.down()
        page.mouse.up()
        try:
            expect(heading).to_have_text("Moments", timeout=15_000)
            break
        except AssertionError:
            continue
    expect(heading).to_have_text("Moments")
    best = best_first(served_study, child)
    page.wait_for_url(re.compile(f"utt={best[0]}"))
    assert param(page, "child") == child
    expect(page.locator(".row[aria-current='true']")).to_have_attribute("data-utterance", best[0])
    assert listed(page) == best[:20]
    # Nobody asked for sound yet: the clip waits.
    assert page.locator("video").evaluate("video => video.paused")
    page.keyboard.press(" ")
    hear(page)
    watched.assert_calm()


def test_ten_moments_in_a_row_play_without_a_failed_request(watched: Watched, served_study: Study):
    page = watched.page
    child = query(served_study, "SELECT min(child_id) FROM children")[0][0]
    best = best_first(served_study, child)
    assert len(best) > 10
    open_page(page, f"{served_study[1]}/moments?child={child}", "Moments")
    row = page.locator(".row[aria-current='true']")
    for wanted in best[1:11]:
        page.keyboard.press("n")
        expect(row).to_have_attribute("data-utterance", wanted, timeout=LONG_MS)
        page.wait_for_url(re.compile(f"utt={wanted}"))
        # The player of the moment before goes on until the new one stands in its place.
        wait_until_asked(page, served_study, wanted)
        hear(page)
    watched.assert_calm()


def test_a_range_dragged_in_the_distribution_lists_exactly_its_moments(
    chromium: Browser, context, served_synthetic: Study
):
    watched = watch(context.new_page(), served_synthetic[1])
    page = watched.page
    open_page(page, f"{served_synthetic[1]}/?speaker=FEM", "Overview")
    chart = chart_of(page, "distribution")
    bars = sorted(
        tuple(bar)
        for trace in chart.evaluate(
            "chart => chart._fullData.filter(trace => trace.type === 'bar')"
            ".map(trace => Array.from(trace.customdata, (data) => Array.from(data)))"
        )
        for bar in trace
    )
    # The highest bars but one, as many as fill more than one page of the list.
    last = len(bars) - 2
    first = next(i for i in range(last, -1, -1) if sum(bar[2] for bar in bars[i : last + 1]) > 25)
    low, high, n = bars[first][0], bars[last][1], sum(bar[2] for bar in bars[first : last + 1])
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    width = high - bars[last][0]
    from_px, to_px = (chart.evaluate(_POINT, x) for x in (low + 0.1 * width, high - 0.1 * width))
    page.mouse.move(from_px, y)
    page.mouse.down()
    page.mouse.move((from_px + to_px) / 2, y + 5, steps=4)
    page.mouse.move(to_px, y, steps=4)
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_have_text("Moments", timeout=LONG_MS)
    expect(page.locator(".row[aria-current='true']")).to_have_count(1, timeout=LONG_MS)
    bounds = [float(str(param(page, name))) for name in ("from", "to")]
    assert bounds == pytest.approx([low, high], abs=1e-5)
    wanted = [
        row[0]
        for row in query(
            served_synthetic,
            "SELECT u.utterance_id FROM utterances u JOIN scores_wide s USING (utterance_number) "
            "WHERE s.scorer = 'synthetic' AND u.speaker = 'FEM' "
            "AND s.center_strict_max_cosine >= ? AND s.center_strict_max_cosine < ? "
            "ORDER BY s.center_strict_max_cosine DESC, u.utterance_number",
            *bounds,
        )
    ]
    assert len(wanted) == n > 20
    expect(page.get_by_text(re.compile(f"^{n} utterances with a score"))).to_be_visible()
    found = listed(page)
    for number in range(1, -(-n // 20)):
        page.get_by_role("button", name="Later").click()
        page.wait_for_url(re.compile(rf"[?&]p={number}(&|$)"))
        expect(page.locator(".row").first).to_have_attribute(
            "data-utterance", wanted[20 * number], timeout=LONG_MS
        )
        found += listed(page)
    assert found == wanted

    settle(page)
    rows = listed(page)
    page.locator(".row").last.click()
    page.wait_for_url(re.compile(f"utt={rows[-1]}"))
    settle(page)
    link = page.url
    elsewhere = chromium.new_context(viewport={"width": 1440, "height": 1000})
    other = elsewhere.new_page()
    open_page(other, link, "Moments")
    expect(other.locator(".row[aria-current='true']")).to_have_attribute(
        "data-utterance", rows[-1], timeout=LONG_MS
    )
    assert listed(other) == rows
    expect(other.get_by_role("button", name=re.compile(r"^Scores from \d"))).to_be_visible()
    expect(other.get_by_role("button", name="Speaker: Female adult")).to_be_visible()
    assert other.url == link
    elsewhere.close()
    # This study has no media, so its clips are rightly refused.
    assert watched.foreign == watched.errors == []


def test_another_crop_and_window_give_the_numbers_of_a_direct_query(
    context, served_synthetic: Study
):
    watched = watch(context.new_page(), served_synthetic[1])
    page = watched.page
    open_page(page, f"{served_synthetic[1]}/?child=C02", "Overview")
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("radio", name="Padded").click()
    page.wait_for_url(re.compile("crop=pad"))
    sidebar.get_by_role("radio", name="± 1 s").click()
    page.wait_for_url(re.compile("window=1s"))
    expect(page.get_by_text("padded crop, model").first).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("1 s before").first).to_be_visible(timeout=LONG_MS)
    settle(page)
    columns = "count(*), count(score), avg((score >= ?)::INT) FILTER (score IS NOT NULL)"
    stored = query(
        served_synthetic,
        f"SELECT {columns} FROM (SELECT pad_1s_max_cosine AS score FROM scores_wide "
        "WHERE scorer = 'synthetic' AND child_id = 'C02')",
        THRESHOLD,
    )[0]
    assert_answer(page, *stored)

    sidebar.get_by_role("radio", name="Other").click()
    page.wait_for_url(re.compile(r"window=-3(%2B|\+)3"))
    start = sidebar.locator("input[aria-label='Seconds around the utterance — start']")
    end = sidebar.locator("input[aria-label='Seconds around the utterance — end']")
    start.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"window=-4(%2B|\+)3"), timeout=LONG_MS)
    expect(end).to_have_value("3")
    end.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"window=-4(%2B|\+)2"), timeout=LONG_MS)
    expect(page.get_by_text("4 s before").first).to_be_visible(timeout=LONG_MS)
    settle(page)
    # Another way to the same scores: the frames one by one.
    free = query(
        served_synthetic,
        f"""SELECT {columns} FROM (
            SELECT max(f.pad) FILTER (f.lag_ms BETWEEN -4000 AND 2000) AS score
            FROM utterances u LEFT JOIN lag_cosines f ON f.recording_id = u.recording_id
                AND f.utterance_id = u.utterance_id AND f.scorer = 'synthetic'
            WHERE u.child_id = 'C02' GROUP BY u.utterance_number)""",
        THRESHOLD,
    )[0]
    assert free != stored
    assert_answer(page, *free)
    watched.assert_calm()


def assert_answer(page: Page, n: int, n_scored: int, share: float) -> None:
    """The numbers at the top of the Overview."""
    shown = [numbers(text) for text in page.get_by_test_id("stMetric").all_inner_texts()]
    assert shown[0][0] == pytest.approx(100 * share, abs=0.051)
    assert shown[2] == [n, n_scored]
