"""Make the pictures of the guide: `python -m docs.guide.make_pictures STUDY`.

Serves the study, drives Chromium through it and writes one small PNG for each view. Made for the
demo study; needs the development requirements and Chromium. Writes nothing into the study.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from pipeline.demo.simulated_study import add_simulated_study
from pipeline.people.marks import star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from pipeline.report.folder import PAGE, report_study
from pipeline.report.request import SettingWishes
from pipeline.serving import STUDY_VARIABLE, dashboard_command
from pipeline.store.locate import current_store_path

PICTURES = Path(__file__).parent / "pictures"
WIDTH_PX = 1200
MAX_BYTES = 150_000
_LONG_MS = 90_000
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLAYLIST = "Lab meeting"
REPORT = "report"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its name, where to go, and how much of the page it shows.

    `n_videos` clips are waited for and shown at their middle, where the words are. `last_words`
    are those that a page shows when its work is done.
    """

    name: str
    link: str
    height_px: int
    n_videos: int = 0
    is_dark: bool = False
    last_words: str = ""


SHOTS = (
    Shot("answer", "/", 840),
    Shot("children", "/children", 800),
    Shot("moments", "/moments?words=3", 980, n_videos=1),
    Shot("pairs", "/moments?view=pairs", 860, n_videos=2),
    Shot("present", "/moments?words=3&present=1", 760, n_videos=1, is_dark=True),
    Shot("windows", "/crops-and-windows?b_crop=center&b_window=-3%2B3", 900),
    Shot("words", "/words", 900),
    Shot("predictors", "/predictors", 900, last_words="The same in R"),
    Shot("drives", "/drives", 900, last_words="Every index"),
    Shot("drives-moment", "/drives?about=moment", 1100, last_words="If other words had been said"),
    Shot("sound", "/sound", 900, last_words="Seen, heard, both or neither"),
    Shot("sound-moments", "/moments?heard=seen_and_heard", 980, n_videos=1),
    Shot("saved", f"/saved?show=playlist&playlist={_PLAYLIST.replace(' ', '+')}", 520),
    Shot("export", "/export", 900),
    Shot("rate", "/rating?set=1", 900),
    Shot("human-agreement", "/human-agreement", 980),
    Shot("quality", "/quality", 900),
    Shot("word-errors", "/quality?part=words", 780),
)


def main() -> None:
    """Read the command line and make every picture, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    names = [*(shot.name for shot in SHOTS), REPORT]
    parser.add_argument("--only", nargs="*", default=[], choices=names)
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # A copy, because the playlist in the pictures belongs to nobody.
        study = Path(folder) / arguments.study.resolve().name
        shutil.copytree(arguments.study, study, ignore=shutil.ignore_patterns("people"))
        make_examples(study)
        with served(study) as address, sync_playwright() as playwright:
            found = next(filter(None, map(shutil.which, _NAMES)), None)
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"]
            )
            for shot in SHOTS:
                if arguments.only and shot.name not in arguments.only:
                    continue
                context = browser.new_context(
                    viewport={"width": WIDTH_PX, "height": shot.height_px},
                    color_scheme="dark" if shot.is_dark else "light",
                )
                picture = taken(context, address, shot)
                (PICTURES / f"{shot.name}.png").write_bytes(small(picture, shot.name))
                context.close()
            if not arguments.only or REPORT in arguments.only:
                context = browser.new_context(viewport={"width": 900, "height": 900})
                picture = report_top(context, study, Path(folder) / "report")
                (PICTURES / f"{REPORT}.png").write_bytes(small(picture, REPORT))
            browser.close()


def make_examples(study: Path) -> None:
    """A playlist, two stars and simulated raters, so that their pages have something to show."""
    import duckdb

    store = current_store_path(study)
    if store is None:
        raise SystemExit(f"{study.name} has no finished store: run it first.")
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "SELECT recording_id, utterance_id, onset_ms, offset_ms FROM scores_wide "
            "JOIN utterances USING (recording_id, utterance_id, onset_ms, offset_ms) "
            "WHERE center_strict_max_cosine IS NOT NULL "
            "AND scores_wide.n_words > 2 "
            "AND scorer = (SELECT min(scorer) FROM models WHERE default_threshold IS NOT NULL) "
            "ORDER BY center_strict_max_cosine DESC LIMIT 4"
        ).fetchall()
    moments = [MomentRef(r, u, TimeSpan(onset, offset)) for r, u, onset, offset in rows]
    box = people_store(study)
    for moment in moments[:2]:
        star(box, moment)
    add_to_playlist(box, make_playlist(box, _PLAYLIST), moments)
    add_simulated_study(study)


@contextmanager
def served(study: Path) -> Iterator[str]:
    """The address of a server that shows the study until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        dashboard_command(port),
        env={**os.environ, STUDY_VARIABLE: str(study)},
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _LONG_MS / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise SystemExit("The dashboard did not start.")


def taken(context: BrowserContext, address: str, shot: Shot) -> bytes:
    """The picture of one view, when everything in it is drawn."""
    page = context.new_page()
    page.goto(f"{address}{shot.link}")
    if shot.name != "present":
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=_LONG_MS)
    if shot.last_words:
        expect(page.get_by_text(shot.last_words)).to_be_visible(timeout=_LONG_MS)
    for part in ("stStatusWidget", "stSkeleton"):
        expect(page.get_by_test_id(part)).to_have_count(0, timeout=_LONG_MS)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=_LONG_MS)
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stPlotlyChart]")]
            .every((chart) => chart.querySelector(".main-svg .xtitle"))""",
        timeout=_LONG_MS,
    )
    _show_middles(page, shot.n_videos)
    # The room that the page leaves for its menu says nothing.
    page.add_style_tag(
        content="[data-testid=stMainBlockContainer] { padding-top: 2rem !important; }"
        "[data-testid=stHeader], [data-testid=stSidebarHeader] { display: none !important; }"
    )
    page.wait_for_timeout(600)
    return page.screenshot(animations="disabled")


def report_top(context: BrowserContext, study: Path, target: Path) -> bytes:
    """The top of the study's report."""
    report_study(study, SettingWishes(), target)
    page = context.new_page()
    page.goto((target / PAGE).as_uri())
    return page.screenshot()


def _show_middles(page: Page, n_videos: int) -> None:
    """Wait for the clips of the page and stop each in its middle."""
    videos = page.locator("video")
    expect(videos).to_have_count(n_videos, timeout=_LONG_MS)
    for i in range(n_videos):
        videos.nth(i).evaluate(
            """async (video) => {
                const once = (name) => new Promise((done) => {
                    video.addEventListener(name, done, { once: true });
                });
                if (video.readyState < 2) await once("loadeddata");
                video.pause();
                const seeked = once("seeked");
                video.currentTime = video.duration / 2;
                await seeked;
            }"""
        )


def small(picture: bytes, name: str) -> bytes:
    """The picture in 128 colours or fewer, so that it stays below MAX_BYTES."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (128, 64, 32):
        written = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        if written.tell() <= MAX_BYTES:
            return written.getvalue()
    raise SystemExit(f"The picture {name} is larger than {MAX_BYTES // 1000} kB: show less.")


if __name__ == "__main__":
    main()
