"""Journeys to a moment in a real browser, on a real study with real clips."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pipeline.store.locate import current_store_path
from tests.browser.conftest import Watched, watch

pytestmark = pytest.mark.browser
Study = tuple[Path, str]

LONG_MS = 60_000
expect.set_options(timeout=LONG_MS)


def ready_video(page: Page) -> Locator:
    """The player, when its clip can be shown."""
    video = page.locator("video")
    expect(video).to_have_count(1)
    page.wait_for_function("video => video.readyState >= 2", arg=video.element_handle())
    return video


def wait_until(page: Page, video: Locator, condition: str, value: object = None) -> None:
    """Asks the page's present player each time: a new clip may bring a new element."""
    deadline = time.monotonic() + LONG_MS / 1000
    while not video.evaluate(f"(video, value) => {condition}", value):
        assert time.monotonic() < deadline, f"not within {LONG_MS} ms: {condition} with {value}"
        page.wait_for_timeout(100)


def open_row(page: Page) -> Locator:
    return page.locator(".row[aria-current='true']")


def opened(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["utt"][0]


def query(study: Study, sql: str, *params: object) -> list[tuple]:
    store = current_store_path(study[0])
    with duckdb.connect(str(store), read_only=True) as con:
        return con.execute(sql, list(params)).fetchall()


def click_point(page: Page, point: Locator) -> None:
    """Click a mark of a chart; Plotly must have noticed the pointer over it before."""
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    expect(page.locator(".hoverlayer .hovertext")).not_to_have_count(0)
    page.mouse.down()
    page.mouse.up()


def playable_child(study: Study) -> str:
    """A child all of whose recordings may be played."""
    return query(study, "SELECT min(child_id) FROM children")[0][0]


def moments(study: Study) -> str:
    """Address of the Moments page of that child."""
    return f"{study[1]}/moments?child={playable_child(study)}"


def test_a_filtered_moment_is_opened_seen_and_heard(watched: Watched, served_study: Study):
    page = watched.page
    child = playable_child(served_study)
    page.goto(f"{served_study[1]}/moments")
    page.get_by_role("combobox", name="Children").click()
    page.get_by_role("option", name=child).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=f"Child: {child}")).to_be_visible()
    expect(page.locator(".row .meta").first).to_contain_text(child)
    texts = page.locator(".row .meta").all_inner_texts()
    assert texts
    assert all(child in text for text in texts)

    row = page.locator(".row").nth(1)
    utterance = row.get_attribute("data-utterance")
    row.click()
    page.wait_for_url(re.compile(f"utt={utterance}"))
    expect(open_row(page)).to_have_attribute("data-utterance", str(utterance))
    video = ready_video(page)
    wait_until(page, video, "video.currentTime > 0.3")
    assert video.evaluate("video => video.webkitAudioDecodedByteCount") > 0
    assert video.evaluate("video => video.webkitVideoDecodedByteCount") > 0
    assert not video.evaluate("video => video.muted")

    span = query(
        served_study,
        "SELECT onset_ms, offset_ms FROM utterances WHERE utterance_id = ?",
        utterance,
    )[0]
    length_ms = 1000 * float(video.evaluate("video => video.duration"))
    expected_ms = span[1] + 1_000 - max(0, span[0] - 1_000)
    assert length_ms <= expected_ms + 60
    assert length_ms >= span[1] - max(0, span[0] - 1_000) - 60
    logged = (served_study[0] / "derived/logs/clips.jsonl").read_text().splitlines()
    assert json.loads(logged[-1])["utterance_id"] == utterance
    assert watched.foreign == []
    assert watched.refused == []
    assert watched.errors == []


def test_keys_go_through_the_list_and_play_the_utterance_alone(
    watched: Watched, served_study: Study
):
    page = watched.page
    page.goto(moments(served_study))
    ready_video(page)
    rows = page.locator(".row")
    ids = [row.get_attribute("data-utterance") for row in rows.all()[:3]]
    assert opened(page) == ids[0]
    for key, wanted in (("n", ids[1]), ("n", ids[2]), ("p", ids[1])):
        page.keyboard.press(key)
        expect(open_row(page)).to_have_attribute("data-utterance", str(wanted))
        page.wait_for_url(re.compile(f"utt={wanted}"))
    video = ready_video(page)
    wait_until(page, video, "!video.paused")
    page.keyboard.press(" ")
    wait_until(page, video, "video.paused")
    onset, offset = query(
        served_study, "SELECT onset_ms, offset_ms FROM utterances WHERE utterance_id = ?", ids[1]
    )[0]
    begins = max(0, onset - 1_000)
    video.evaluate(
        """video => {
            const note = (name) => video.addEventListener(
                name, () => { video.dataset[name] = video.currentTime; }, { once: true });
            note("play");
            note("pause");
        }"""
    )
    page.keyboard.press("u")
    wait_until(page, video, "video.dataset.pause !== undefined")
    # On a busy machine a picture may be late, and the clip stops at a picture.
    played_from = float(str(video.get_attribute("data-play")))
    assert played_from == pytest.approx((onset - begins) / 1000, abs=0.1)
    paused_at = float(str(video.get_attribute("data-pause")))
    assert paused_at == pytest.approx((offset - begins) / 1000, abs=0.5)
    assert paused_at < video.evaluate("video => video.duration") - 0.3
    assert watched.errors == []


def test_a_frame_and_a_point_of_the_curve_take_the_player_there(
    watched: Watched, served_study: Study
):
    page = watched.page
    page.goto(moments(served_study))
    video = ready_video(page)
    frame = page.locator(".frame.best")
    expect(frame.locator("img")).to_have_count(1)
    begins = max(0, _span(served_study, opened(page))[0] - 1_000)
    wanted = (int(str(frame.get_attribute("data-time"))) - begins) / 1000
    frame.click()
    wait_until(page, video, "Math.abs(video.currentTime - value) < 0.06", wanted)
    expect(frame).to_have_class(re.compile("now"))

    page.locator(".frame").first.click()
    wait_until(page, video, "Math.abs(video.currentTime - value) > 0.06", wanted)
    star = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace").last
    click_point(page, star.locator(".point").first)
    wait_until(page, video, "Math.abs(video.currentTime - value) < 0.06", wanted)
    assert watched.errors == []


def test_a_longer_lead_in_makes_a_longer_clip_of_the_same_moment(
    watched: Watched, served_study: Study
):
    page = watched.page
    utterance, recording = query(
        served_study,
        "SELECT utterance_id, recording_id FROM utterances WHERE onset_ms > 6000 AND recording_id "
        "IN (SELECT recording_id FROM recordings WHERE permission <> 'scores_only') "
        "ORDER BY 1 LIMIT 1",
    )[0]
    page.goto(f"{served_study[1]}/moments?rec={recording}&utt={utterance}")
    video = ready_video(page)
    before = float(video.evaluate("video => video.duration"))
    page.get_by_role("combobox", name="Lead-in").click()
    page.get_by_role("option", name="5.0 s before").click()
    wait_until(page, video, "video.duration > value", before + 3.5)
    assert video.evaluate("video => video.duration") == pytest.approx(before + 4, abs=0.1)
    assert opened(page) == utterance


def test_a_copied_link_restores_the_view_elsewhere(
    watched: Watched, served_study: Study, chromium: Browser
):
    page = watched.page
    page.goto(moments(served_study) + "&speaker=FEM&order=lowest&crop=pad&lead=2.0+s+before")
    ready_video(page)
    page.locator(".row").nth(2).click()
    expect(page.locator(".row").nth(2)).to_have_attribute("aria-current", "true")
    ready_video(page)
    link, rows = page.url, page.locator(".row").all_inner_texts()

    elsewhere = chromium.new_context(viewport={"width": 1440, "height": 1000})
    elsewhere.set_default_timeout(LONG_MS)
    other = watch(elsewhere.new_page(), served_study[1])
    other.page.goto(link)
    ready_video(other.page)
    expect(other.page.locator(".row").nth(2)).to_have_attribute("aria-current", "true")
    assert other.page.locator(".row").all_inner_texts() == rows
    expect(other.page.get_by_role("button", name="Speaker: Female adult")).to_be_visible()
    expect(other.page.get_by_role("combobox", name="Lead-in")).to_have_value("2.0 s before")
    assert other.page.url == link
    assert other.foreign == []
    assert other.errors == []
    elsewhere.close()


def test_a_recording_that_may_not_be_played_has_no_player_and_no_pictures(
    watched: Watched, served_study: Study
):
    page = watched.page
    recording, utterance = query(
        served_study,
        "SELECT recording_id, min(utterance_id) FROM utterances WHERE recording_id IN "
        "(SELECT recording_id FROM recordings WHERE permission = 'scores_only') GROUP BY 1",
    )[0]
    page.goto(f"{served_study[1]}/moments?rec={recording}&utt={utterance}")
    expect(page.get_by_text("Neither words, pictures nor sound")).to_be_visible()
    expect(page.locator(".line[aria-current='true']")).to_have_count(1)
    expect(page.locator("video")).to_have_count(0)
    expect(page.locator(".frame img")).to_have_count(0)


def test_a_link_that_expired_meanwhile_is_renewed_unnoticed(watched: Watched, served_study: Study):
    page = watched.page
    refused: list[str] = []

    def refuse_once(route) -> None:
        # The player asks twice before it knows: once to play, once for the reason.
        if len(refused) < 2:
            refused.append(route.request.url)
            route.fulfill(status=403, body="This link to a clip has expired.")
        else:
            route.continue_()

    page.route("**/clips/*.mp4", refuse_once)
    page.goto(moments(served_study))
    video = ready_video(page)
    assert len(refused) == 2
    assert str(video.get_attribute("src")) not in refused


def test_a_clip_that_cannot_be_cut_says_why_where_the_clip_would_be(
    watched: Watched, served_study: Study
):
    page = watched.page
    page.route(
        "**/clips/*.mp4",
        lambda route: route.fulfill(status=404, body="rec.mp4 is not where the study says."),
    )
    page.goto(moments(served_study))
    expect(page.locator(".waiting")).to_have_text("rec.mp4 is not where the study says.")
    expect(page.locator(".frame.best")).to_have_count(1)


def _span(study: Study, utterance: str) -> tuple[int, int]:
    onset, offset = query(
        study, "SELECT onset_ms, offset_ms FROM utterances WHERE utterance_id = ?", utterance
    )[0]
    return onset, offset
