"""A rater in a real browser: a whole list by keyboard, two devices, and nothing else to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
import duckdb
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipeline.people.answers import answers_of
from pipeline.people.raters import invite, raters_of
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_records import (
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.store.locate import current_store_path
from tests.browser.conftest import LONG_MS, watch

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
FIND_BARRIERS = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`)"""
PARTS = (Part.PRACTICE, Part.MAIN, Part.CATCH, Part.MAIN)
MODES = (TrialMode.IMAGES, TrialMode.UTTERANCES, TrialMode.IMAGES, TrialMode.IMAGES)


@dataclass(frozen=True, slots=True)
class Ratable:
    """A set of four trials in the served study."""

    people: PeopleStore
    set_id: int
    address: str

    def link(self, label: str) -> str:
        return f"{self.address}/rate/k/{invite(self.people, self.set_id, label)[1]}"

    def positions(self, label: str) -> list[int]:
        with self.people.reading() as con:
            (rater,) = [r for r in raters_of(con, self.set_id) if r.label == label]
            given = [a for a in answers_of(con, self.set_id) if a.rater_id == rater.rater_id]
        assert all(one.rt_ms is None or 0 < one.rt_ms < LONG_MS for one in given)
        return [one.selected_position for one in given]


@pytest.fixture(scope="module")
def ratable(served_study: tuple[Path, str]) -> Ratable:
    root, address = served_study
    with duckdb.connect(str(current_store_path(root)), read_only=True) as con:
        rows = con.execute(
            "SELECT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms, u.text, "
            "min(f.time_ms) AS frame_ms FROM utterances u "
            "JOIN recordings r ON r.recording_id = u.recording_id "
            "JOIN frames f ON f.recording_id = u.recording_id AND f.time_ms >= u.onset_ms "
            "WHERE r.permission <> 'scores_only' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2 LIMIT 16"
        ).fetchall()
    options = [
        ItemOption(MomentRef(r, u, TimeSpan(a, b)), text, frame_ms, 0.2)
        for r, u, a, b, text, frame_ms in rows
    ]
    items = []
    for number, (part, mode) in enumerate(zip(PARTS, MODES, strict=True)):
        four = tuple(options[4 * number : 4 * number + 4])
        prompt = "Please choose picture 3." if part is Part.CATCH else four[0].text
        items.append(
            Item(f"i{number}", mode, part, "" if mode is TrialMode.UTTERANCES else prompt, four)
        )
    people = people_store(root)
    set_id = add_set(
        people,
        name="Browser",
        kind=SetKind.FOUR_CHOICES,
        settings='{"with_sound": true}',
        items=items,
        placed=[PlacedItem(1, at + 1, one.item_id, (1, 2, 0, 3)) for at, one in enumerate(items)],
        consent="You may stop at any time.\n\n<img src=x onerror=alert(1)>",
    )
    return Ratable(people, set_id, address)


@pytest.fixture
def other_device(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    context.set_default_timeout(LONG_MS)
    yield context
    context.close()


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def trial_open(page: Page, place: str) -> None:
    """Wait until a trial stands, with its pictures, and takes an answer."""
    expect(page.locator("#place")).to_have_text(place, timeout=LONG_MS)
    expect(page.locator(".trial:not(.is-coming)")).to_be_visible(timeout=LONG_MS)
    page.wait_for_timeout(400)
    assert page.evaluate(
        "[...document.querySelectorAll('.trial img')].every((one) => one.naturalWidth > 50)"
    )


def begin(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Start practice").click()
    trial_open(page, "Practice: 1 of 1")


def test_a_list_by_keyboard_paused_and_gone_on_with_on_another_device(
    context: BrowserContext, other_device: BrowserContext, ratable: Ratable
):
    watched = watch(context.new_page(), ratable.address)
    page, link = watched.page, ratable.link("keys")
    page.goto(link)
    expect(page).to_have_url(f"{ratable.address}/rate/")
    expect(page.locator(".consent")).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("How it works")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    trial_open(page, "Practice: 1 of 1")
    # A double press, and a key that is held, answer one trial only.
    page.keyboard.press("2")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Now it begins")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    trial_open(page, "1 of 3")
    assert ratable.positions("keys") == [2]
    words = page.locator(".sentence").all_inner_texts()
    page.reload()
    page.get_by_role("button", name="Start").click()
    trial_open(page, "1 of 3")
    assert page.locator(".sentence").all_inner_texts() == words
    page.keyboard.press("4")
    trial_open(page, "2 of 3")
    expect(page.get_by_role("heading", level=1)).to_have_text("Please choose picture 3.")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paused")

    tablet = other_device.new_page()
    tablet.goto(link)
    trial_open(tablet, "2 of 3")
    tablet.get_by_role("button", name="Picture 3").tap()
    trial_open(tablet, "3 of 3")
    page.get_by_role("button", name="Go on").click()
    trial_open(page, "3 of 3")
    page.keyboard.press("1")
    expect(page.get_by_role("heading", level=1)).to_have_text("That was the last one")
    # The tablet still shows the last trial; its answer comes too late and is not kept.
    tablet.get_by_role("button", name="Picture 4").tap()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("That was the last one")
    assert ratable.positions("keys") == [2, 4, 3, 1]
    watched.assert_calm()


def test_an_answer_is_sent_again_until_it_is_saved_and_nothing_else_can_be_seen(
    context: BrowserContext, ratable: Ratable
):
    page = context.new_page()
    begin(page, ratable.link("lost"))
    picture = page.locator(".picture img").first.get_attribute("src")
    assert picture is not None
    trial_id = int(re.findall(r"picture/(\d+)/", picture)[0])
    replies: list[int] = []

    def lose_reply(route):
        # Once the server does not get it, once it does and the reply is lost.
        replies.append(0)
        if len(replies) == 2:
            route.fetch()
        if len(replies) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/rate/answer", lose_reply)
    page.keyboard.press("3")
    expect(page.get_by_text("Not saved yet, trying again")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    trial_open(page, "1 of 3")
    assert len(replies) == 3
    assert ratable.positions("lost") == [3]

    ask = context.request
    for number in (trial_id, trial_id + 2):
        assert ask.get(f"{ratable.address}/rate/picture/{number}/1.jpg").status == 404
    assert ask.get(f"{ratable.address}/rate/picture/{trial_id + 1}/1.jpg").status == 200
    assert ask.get(f"{ratable.address}/clips/any.mp4").status == 403
    assert ask.get(f"{ratable.address}/exports/any/any.zip").status == 403
    for path in ("/", "/moments", "/provenance?x=1"):
        page.goto(f"{ratable.address}{path}")
        expect(page.get_by_role("link", name="Go to the rating screen")).to_be_visible(
            timeout=LONG_MS
        )
        assert heading(page) == "Rating"
        expect(page.get_by_test_id("stSidebar")).to_have_count(0)


def test_the_rating_screen_is_open_to_everybody_in_both_themes(
    context: BrowserContext, ratable: Ratable
):
    page = context.new_page()

    def check() -> None:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(AXE)
            assert page.evaluate(FIND_BARRIERS) == [], (theme, heading(page))

    page.goto(f"{ratable.address}/rate/")
    expect(page.get_by_label("Your code")).to_be_focused()
    page.get_by_label("Your code").fill("nobody's")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known")
    check()
    page.goto(ratable.link("axe"))
    expect(page.locator(".consent")).to_be_visible()
    check()
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How it works")
    check()
    page.get_by_role("button", name="Start practice").click()
    for place in ("Practice: 1 of 1", "1 of 3", "2 of 3", "3 of 3"):
        trial_open(page, place)
        if place != "3 of 3":
            check()
        page.keyboard.press("1")
        if place.startswith("Practice"):
            page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("That was the last one")
    check()
