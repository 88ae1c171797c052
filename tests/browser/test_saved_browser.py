"""Journeys with what people save, and present mode, in a real browser on real clips."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from pipeline.people.marks import star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from pipeline.store.locate import current_store_path
from tests.browser.conftest import Watched, free_port, settle, wait_for, watch

pytestmark = pytest.mark.browser
Study = tuple[Path, str]

LONG_MS = 60_000
expect.set_options(timeout=LONG_MS)
_VIDEOS = """() => {
    const found = [];
    const walk = (node) => node.querySelectorAll("*").forEach((element) => {
        if (element.tagName === "VIDEO") found.push(!element.paused);
        if (element.shadowRoot) walk(element.shadowRoot);
    });
    walk(document);
    return JSON.stringify(found);
}"""


@pytest.fixture(scope="module")
def own_study(
    tiny_demo_study: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """A copy of the demo study that these tests write beside and rebuild, and its address."""
    root = tmp_path_factory.mktemp("saved") / "study"
    shutil.copytree(tiny_demo_study, root)
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "serve", str(root), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield root, f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture
def visit(context: BrowserContext, own_study: Study) -> Watched:
    return watch(context.new_page(), own_study[1])


def best_moments(study: Study, n: int) -> list[MomentRef]:
    """Scored utterances, best first: the order of the list."""
    store = current_store_path(study[0])
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "SELECT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms FROM utterances u "
            "JOIN scores_wide s USING (utterance_number) "
            "WHERE s.center_strict_max_cosine IS NOT NULL "
            "ORDER BY s.center_strict_max_cosine DESC, u.utterance_number LIMIT ?",
            [n],
        ).fetchall()
    return [MomentRef(r, u, TimeSpan(a, b)) for r, u, a, b in rows]


def row_of(page: Page, utterance: str) -> Locator:
    return page.locator(f".row[data-utterance='{utterance}']")


def has_star(page: Page, utterance: str) -> None:
    # For a moment a list that is drawn anew stands beside the one before.
    expect(row_of(page, utterance)).to_have_count(1)
    expect(row_of(page, utterance).locator(".star")).to_have_text("★")


def star_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^(Star|Starred) Shortcut S$"))


def open_moments(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/moments{query}")
    expect(page.locator(".row[aria-current='true']")).to_have_count(1)
    expect(star_button(page)).to_be_visible()
    # A key that comes while the page is still being made may find nothing that hears it.
    settle(page)


def param(page: Page, name: str) -> str | None:
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def test_a_star_stays_on_its_moment_when_the_store_is_rebuilt(visit: Watched, own_study: Study):
    page, (root, address) = visit.page, own_study
    first, second = best_moments(own_study, 2)
    open_moments(page, address)
    # A property that only lives as long as the row: the list must not be drawn anew.
    row_of(page, first.utterance_id).evaluate("row => { row.untouched = true; }")
    page.keyboard.press("s")
    has_star(page, first.utterance_id)
    expect(star_button(page)).to_contain_text("Starred")
    assert row_of(page, first.utterance_id).evaluate("row => row.untouched === true")
    page.keyboard.press("n")
    expect(row_of(page, second.utterance_id)).to_have_attribute("aria-current", "true")
    page.wait_for_url(re.compile(f"utt={second.utterance_id}"))
    expect(star_button(page)).not_to_contain_text("Starred")
    page.keyboard.press("s")
    has_star(page, second.utterance_id)
    assert len(read_marks(people_store(root)).stars) == 2

    # Another setting, and another transcription of the second moment's recording: all its
    # utterances are 60 ms later, so none keeps its id.
    settings = root / "study.toml"
    settings.write_text(settings.read_text() + "\n[align]\nnull_draws = 40\nseed = 5\n")
    transcript = root / "annotations" / "whisperx" / "raw" / f"{second.recording_id}.json"
    content = json.loads(transcript.read_text())
    for segment in content["segments"]:
        for timed in (segment, *segment.get("words", ())):
            for end in ("start", "end"):
                timed[end] = round(timed[end] + 0.06, 3)
    transcript.write_text(json.dumps(content))
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", str(root), "--device", "cpu", "--quiet"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    # The session stays with its build until the person switches.
    page.keyboard.press("p")
    page.get_by_role("button", name="Switch to it").click()
    expect(page.get_by_role("button", name="Switch to it")).to_have_count(0)
    renewed = best_moments(own_study, 30)
    ids = {moment.utterance_id for moment in renewed}
    assert second.utterance_id not in ids
    (moved,) = (
        m
        for m in renewed
        if m.recording_id == second.recording_id
        and m.span.overlap_ms(second.span) > second.span.duration_ms / 2
    )
    if first.recording_id != second.recording_id:
        has_star(page, first.utterance_id)
    has_star(page, moved.utterance_id)
    open_moments(page, address, f"?rec={moved.recording_id}&utt={moved.utterance_id}")
    expect(star_button(page)).to_contain_text("Starred")
    expect(page.get_by_text("Re-attached")).to_be_visible()
    page.goto(f"{address}/saved")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert visit.errors == []
    assert visit.foreign == []


def test_present_mode_works_by_keyboard_only(visit: Watched, own_study: Study):
    page, (_, address) = visit.page, own_study
    best = best_moments(own_study, 3)
    open_moments(page, address)
    page.keyboard.press("f")
    shown = page.locator(".present")
    expect(shown).to_be_visible()
    expect(shown.locator(".place")).to_have_text(re.compile(r"^1 of \d+$"))
    for hidden in ("stSidebar", "stHeader", "stToolbar"):
        expect(page.get_by_test_id(hidden)).to_be_hidden()
    box = shown.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1440, 1000)
    for key, place in (("ArrowRight", 2), ("n", 3), ("ArrowLeft", 2), ("p", 1), ("ArrowRight", 2)):
        page.keyboard.press(key)
        expect(shown.locator(".place")).to_have_text(re.compile(f"^{place} of "))
        expect(shown).to_have_attribute("data-moment", re.compile(best[place - 1].utterance_id))
    page.wait_for_function(f"() => ({_VIDEOS})() === '[true]'")
    page.keyboard.press(" ")
    page.wait_for_function(f"() => ({_VIDEOS})() === '[false]'")
    page.keyboard.press(" ")
    page.wait_for_function(f"() => ({_VIDEOS})() === '[true]'")
    assert param(page, "present") == "1"
    page.keyboard.press("Escape")
    expect(shown).to_have_count(0)
    expect(row_of(page, best[1].utterance_id)).to_have_attribute("aria-current", "true")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert param(page, "present") is None
    assert visit.errors == []
    assert visit.refused == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_playlist_is_presented_in_its_order_in_both_themes(
    chromium: Browser, own_study: Study, scheme: str
):
    root, address = own_study
    best = best_moments(own_study, 3)
    box = people_store(root)
    order = [best[2], best[0], best[1]]
    add_to_playlist(box, make_playlist(box, "Lab meeting"), order)
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/moments?present=1&playlist=Lab+meeting")
    shown = page.locator(".present")
    for place, moment in enumerate(order, start=1):
        expect(shown.locator(".place")).to_have_text(f"{place} of 3")
        expect(shown).to_have_attribute("data-moment", re.compile(moment.utterance_id))
        expect(shown.locator(".words")).not_to_be_empty()
        page.keyboard.press("ArrowRight")
    colour = shown.evaluate("element => getComputedStyle(element).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert brightness < 60 if scheme == "dark" else brightness > 220
    page.keyboard.press("Escape")
    expect(page.locator(".row")).to_have_count(3)
    assert param(page, "playlist") == "Lab meeting"
    context.close()


def test_a_saved_playlist_is_ordered_by_keyboard_and_opened(visit: Watched, own_study: Study):
    page, (root, address) = visit.page, own_study
    best = best_moments(own_study, 3)
    box = people_store(root)
    number = make_playlist(box, "Order")
    add_to_playlist(box, number, best)
    page.goto(f"{address}/saved?show=playlist&playlist=Order")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)

    def order() -> list[str]:
        marks = read_marks(box)
        ids = {m.moment_id: m.ref.utterance_id for m in marks.moments}
        playlist = next(p for p in marks.playlists if p.playlist_id == number)
        return [ids[i] for i in playlist.moment_ids]

    a, b, c = (moment.utterance_id for moment in best)
    words = rows.nth(0).locator(".words button").inner_text()
    rows.nth(0).get_by_role("button", name=re.compile("down$")).focus()
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator(".words button")).to_have_text(words)
    page.keyboard.press("Enter")
    expect(rows.nth(2).locator(".words button")).to_have_text(words)
    assert order() == [b, c, a]
    rows.nth(0).get_by_role("button", name=re.compile("^Take out")).click()
    expect(rows).to_have_count(2)
    assert order() == [c, a]
    rows.nth(1).locator(".words button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Moments")
    page.wait_for_url(re.compile(f"utt={a}"))
    assert visit.errors == []


def test_tags_and_notes_are_written_without_drawing_the_list_again(
    visit: Watched, own_study: Study
):
    page, (root, address) = visit.page, own_study
    open_moments(page, address, "?order=lowest")
    row = page.locator(".row").first
    row.evaluate("row => { row.untouched = true; }")
    tags = page.get_by_role("combobox", name="Tags")
    tags.click()
    tags.fill("pointing")
    page.keyboard.press("Enter")
    expect(row.locator(".marks")).to_have_text("#pointing")
    page.keyboard.press("Escape")
    page.locator(".st-key-moment_notes").get_by_role("button").first.click()
    page.get_by_label("New note").fill("looks at <b>it</b>")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(row.locator(".marks")).to_have_text("#pointing 1 note")
    assert row.evaluate("row => row.untouched === true")
    assert [note.text for note in read_marks(people_store(root)).notes] == ["looks at <b>it</b>"]
    assert visit.errors == []


def test_letters_typed_into_a_note_are_no_commands(visit: Watched, own_study: Study):
    page, (root, address) = visit.page, own_study
    open_moments(page, address, "?order=lowest")
    here = param(page, "utt")
    n_stars = len(read_marks(people_store(root)).stars)
    page.locator(".st-key-moment_notes").get_by_role("button").first.click()
    page.get_by_label("New note").press_sequentially("snpfu? l")
    page.wait_for_timeout(500)
    expect(page.get_by_label("New note")).to_have_value("snpfu? l")
    assert param(page, "utt") == here
    assert len(read_marks(people_store(root)).stars) == n_stars
    expect(page.locator(".present")).to_have_count(0)


def test_a_question_mark_shows_the_keys(visit: Watched, own_study: Study):
    page, (_, address) = visit.page, own_study
    open_moments(page, address)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Present mode")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_of_a_pair_one_clip_plays_at_a_time(visit: Watched, own_study: Study):
    page, (_, address) = visit.page, own_study
    page.goto(f"{address}/moments?view=pairs&words=1")
    expect(page.locator(".pair").first).to_be_visible()
    expect(page.locator("video")).to_have_count(2)
    page.wait_for_function(
        """() => {
            let n = 0;
            const walk = (node) => node.querySelectorAll("*").forEach((element) => {
                if (element.tagName === "VIDEO" && element.readyState >= 2) n += 1;
                if (element.shadowRoot) walk(element.shadowRoot);
            });
            walk(document);
            return n === 2;
        }"""
    )
    page.keyboard.press("1")
    page.wait_for_function(f"() => ({_VIDEOS})() === '[true,false]'")
    page.keyboard.press("2")
    page.wait_for_function(f"() => ({_VIDEOS})() === '[false,true]'")
    page.get_by_role("button", name="Open").last.click()
    expect(star_button(page)).to_be_visible()
    expect(page.locator("video")).to_have_count(1)
    assert param(page, "view") is None
    assert visit.errors == []


def test_stars_of_others_are_seen_at_the_next_look(visit: Watched, own_study: Study):
    page, (root, address) = visit.page, own_study
    moment = best_moments(own_study, 5)[4]
    star(people_store(root), moment)
    open_moments(page, address)
    has_star(page, moment.utterance_id)
    expect(row_of(page, moment.utterance_id)).to_have_attribute("aria-current", "false")
