"""Hostile texts typed into every text box of every page, in a real Chromium.

After each: no script ran, no element was made of the text, nothing was asked of another host, no
error trace is shown. After each page: it still answers.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Dialog, Error, Locator, Page, sync_playwright

from tests.torture.hostile.texts import MARKUP

TEXTS = (
    *MARKUP[:4],
    '"><svg onload=window.ran=1>',
    "'; DROP TABLE utterances; --",
    "../../../../etc/passwd",
    "C:\\..\\..\\windows\\win.ini",
    "{{7*7}} ${7*7} {0.__class__} %s %n <%= 7 %>",
    "\u202eright to left\u202c \u200b\u200d\ufeff zero width",
    "a NUL \u0000 and \u0007 a bell",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e" + "\u0301" * 50,
    '=HYPERLINK("http://127.0.0.1:9/leak")',
    ":material/face: :red[red] $x^2$ **bold**",
    "A" * 1_000_000,
)
PATHS = (
    *("/", "/children", "/moments", "/moments?view=pairs", "/words", "/words?tab=norms", "/saved"),
    *("/crops-and-windows", "/models", "/rating", "/human-agreement", "/predictors"),
    *("/drives?about=moment", "/sound", "/quality", "/provenance", "/export"),
)
_BOXES = ":is(input[type=text], input:not([type]), textarea):not([readonly], [disabled])"
_MADE = """() => {
    const wanted = "[onload], [onerror], [src*='127.0.0.1:9/'], [href*='127.0.0.1:9/'], "
        + "[href^='javascript:'], main script, [data-testid=stMain] script";
    const made = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
        [...(one.matches(wanted) ? [one] : []), ...(one.shadowRoot ? made(one.shadowRoot) : [])]);
    return made(document.body).map((one) => one.outerHTML.slice(0, 100));
}"""
"""Elements that only a hostile text can have made: the pages have none of the kind."""
_OPENED = "[data-testid=stPopoverBody]"
_LONG_MS = 60_000
_MOST_IN_AREA = 30_000
"""Chromium takes minutes to lay out a million letters in a text area, whatever the page does."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True, slots=True)
class Box:
    """A text box of a page: its label, and the label of the popover it lies in, "" for none."""

    label: str
    popover: str = ""


@dataclass(slots=True)
class Typist:
    """Types into the pages of a dashboard at `address`, and notes what was not as it should be."""

    page: Page
    address: str
    n_typed: int = 0
    wrong: list[str] = field(default_factory=list)
    _foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        own = urlsplit(self.address).netloc

        def asked(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in ("data", "blob") and parts.netloc != own:
                self._foreign.append(url)

        def dismissed(dialog: Dialog) -> None:
            self.wrong.append(f"a dialog opened: {dialog.message[:100]}")
            dialog.dismiss()

        self.page.set_default_timeout(_LONG_MS)
        self.page.on("request", lambda request: asked(request.url))
        self.page.on("websocket", lambda socket: asked(socket.url))
        self.page.on("dialog", dismissed)

    def type_into_page(self, path: str, texts: Sequence[str], until_s: float) -> bool:
        """Type each text into each box of the page at `path`; False when the time is up before
        (`until_s` of time.monotonic). A page that does not answer any more is wrong and left."""
        try:
            return self._type_all(path, texts, until_s)
        except Error as problem:
            self.wrong.append(f"{path} does not answer: {problem.message[:200]}")
            return True

    def _type_all(self, path: str, texts: Sequence[str], until_s: float) -> bool:
        self._open(path)
        for box in self._boxes(path):
            for text in texts:
                if time.monotonic() > until_s:
                    return False
                self._type(path, box, text)
        self._open(path)
        return True

    def _open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        self.page.get_by_role("heading", level=1).wait_for()
        self._calm()
        for expander in self.page.locator("[data-testid=stExpander] summary").all():
            expander.click()
        self._calm()

    def _boxes(self, path: str) -> list[Box]:
        # The sidebar is the same on every page.
        place = "body" if path == PATHS[0] else "[data-testid=stMain]"
        found = [Box(label) for label in _labels(self.page.locator(place).locator(_BOXES))]
        for button in self.page.get_by_test_id("stPopoverButton").all():
            name = _name(button)
            button.click()
            self.page.locator(_OPENED).wait_for()
            inside = self.page.locator(_OPENED).locator(_BOXES)
            found += [Box(label, name) for label in _labels(inside)]
            self.page.keyboard.press("Escape")
            self.page.locator(_OPENED).wait_for(state="hidden")
        return found

    def _type(self, path: str, box: Box, text: str) -> None:
        try:
            field = self._found(box)
            if field is None:
                self._open(path)  # What was typed before may have left nothing to show.
                field = self._found(box)
            if field is None:
                return
            is_area = field.evaluate("field => field.tagName") == "TEXTAREA"
            field.fill(text[:_MOST_IN_AREA] if is_area else text)
            field.press("Control+Enter" if box.popover else "Enter")
            self._wait()
        except Error as problem:
            self.wrong.append(f"{path}, {box.label!r}, {text[:40]!r}: {problem.message[:200]}")
            self._open(path)
            return
        self.n_typed += 1
        if said := self._what_is_wrong():
            self.wrong.append(f"{path}, {box.label!r}, {text[:40]!r}: {said}")
            self._open(path)

    def _found(self, box: Box) -> Locator | None:
        place = self.page.locator("body")
        if box.popover:
            if not self.page.locator(_OPENED).count():
                buttons = self.page.get_by_test_id("stPopoverButton").all()
                button = next((one for one in buttons if _name(one) == box.popover), None)
                if button is None:
                    return None
                button.click()
                self.page.locator(_OPENED).wait_for()
            place = self.page.locator(_OPENED)
        named = f"[aria-label={json.dumps(box.label)}]"
        found = place.locator(f":is(input, textarea){named}:not([disabled])").first
        return found if found.count() and found.is_visible() else None

    def _calm(self) -> None:
        """Until the page was run and its boxes stay the same for a second."""
        seen: list[int] = []
        ends = time.monotonic() + _LONG_MS / 1_000
        while time.monotonic() < ends and (len(seen) < 4 or len(set(seen[-4:])) > 1):
            self._wait()
            self.page.wait_for_timeout(200)
            seen.append(self.page.locator(_BOXES).count())

    def _wait(self) -> None:
        """Until the page was run to its end: what is typed is sent within this time, too."""
        self.page.wait_for_timeout(150)
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.page.locator("[data-testid=stMain] [data-stale=true]").first.wait_for(state="detached")

    def _what_is_wrong(self) -> str:
        if self.page.evaluate("() => window.ran !== undefined"):
            return "a script ran"
        if made := self.page.evaluate(_MADE):
            return f"an element was made: {made[0]}"
        if self._foreign:
            return f"{self._foreign.pop()[:100]} was asked for"
        if self.page.get_by_test_id("stException").count():
            return f"an error: {self.page.get_by_test_id('stException').first.inner_text()[:200]}"
        if self.page.get_by_text("Traceback (most recent call last)").count():
            return "an error trace"
        return ""


def _labels(boxes: Locator) -> list[str]:
    """The labels of boxes that can be seen, each once."""
    labels = [box.get_attribute("aria-label") for box in boxes.all() if box.is_visible()]
    return list(dict.fromkeys(label for label in labels if label))


def _name(popover: Locator) -> str:
    """What a popover's button says, without the names of its icons."""
    return " ".join(word for word in popover.inner_text().split() if "_" not in word)


def chromium_path() -> str | None:
    """A Chromium on this computer, None for none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def typist(browser: Browser, address: str) -> Iterator[Typist]:
    """Somebody with a fresh profile of a browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    try:
        yield Typist(context.new_page(), address)
    finally:
        context.close()


@contextmanager
def own_browser(path: Path | str) -> Iterator[Browser]:
    """The Chromium at `path`, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(path), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()
