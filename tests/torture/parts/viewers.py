"""Twenty people watch clips at once: no error, quick starts, and a server that does not grow."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from dashboard.navigation import MomentKey
from tests.torture import Count, Plan
from tests.torture.watching.server import Held, Server, running
from tests.torture.watching.session import Session
from tests.torture.watching.study import CACHE_MB, moments_to_watch, study_to_watch
from tests.torture.watching.viewer import Seen, Viewer

TITLE = "Viewers"
WEIGHT = 6.0
_N_VIEWERS, _N_SESSIONS, _N_SMALL = 20, 3, 4
_MOST_KEPT_MS, _MOST_CUT_MS = 500.0, 2_000.0
_MOST_GROWTH = 1.10
_START_S = 12.0


def run(plan: Plan) -> Iterator[Count]:
    """Serve a study to viewers and a few sessions, and look at the server before and after."""
    study = study_to_watch(plan.folder / "study", plan.study)
    moments = moments_to_watch(study)
    watched_s = 2.5 if plan.small else max(30.0, plan.seconds - _START_S)
    with running(study, plan.folder) as server:
        watch = _Watch(server, study, moments, plan)
        asyncio.run(watch.for_seconds(watched_s))
        yield from watch.counts(watched_s)


class _Watch:
    def __init__(
        self, server: Server, study: Path, moments: Sequence[MomentKey], plan: Plan
    ) -> None:
        self._server, self._study, self._small = server, study, plan.small
        self._seen = Seen()
        n_viewers = _N_SMALL if plan.small else _N_VIEWERS
        self._viewers = [
            Viewer(
                f"http://127.0.0.1:{server.port}",
                server.link,
                # People look at much the same moments: each at most of a few hundred.
                moments[:300],
                random.Random(f"{plan.seed} {number}"),
                self._seen,
            )
            for number in range(n_viewers)
        ]
        self._sessions = [
            Session(server.port, moments[:300], random.Random(f"{plan.seed} page {number}"))
            for number in range(1 if plan.small else _N_SESSIONS)
        ]
        self._held: list[Held] = []
        self._n_looks, self._over_mb = 0, 0.0

    async def for_seconds(self, seconds: float) -> None:
        """Watch; what the server holds is taken after a quarter of the time and at the end."""
        pause_s = 0.1 if self._small else 4.0
        until = time.monotonic() + seconds
        people = [viewer.watch(until, pause_s) for viewer in self._viewers]
        people += [session.look(until, pause_s) for session in self._sessions]
        await asyncio.gather(*people, self._look(until, seconds))
        await asyncio.sleep(0.5)  # The last answers end.
        self._held.append(await asyncio.to_thread(self._server.held))

    async def _look(self, until: float, seconds: float) -> None:
        while (left_s := until - time.monotonic()) > 0:
            if not self._held and left_s < 0.75 * seconds:
                self._held.append(await asyncio.to_thread(self._server.held))
            self._n_looks += 1
            clips = self._study / "derived" / "clips"
            size = sum(_size(path) for path in clips.glob("*.mp4")) if clips.is_dir() else 0
            self._over_mb = max(self._over_mb, size / 1e6)
            await asyncio.sleep(0.25)

    def counts(self, seconds: float) -> Iterator[Count]:
        """The rows of the table."""
        seen = self._seen
        n_people = len(self._viewers)
        yield _counted(
            f"requests of {n_people} viewers in {seconds / 60:.1f} min ({seen.n_left} left early)",
            seen.n_asked + seen.n_left,
            seen.wrong,
        )
        pages = [problem for session in self._sessions for problem in session.wrong]
        n_pages = sum(session.n_pages for session in self._sessions)
        yield _counted(f"pages of {len(self._sessions)} session(s)", n_pages, pages)
        if not self._small:  # A server that has just begun is slow and still loads what it needs.
            for what, took_ms, most_ms in (
                ("kept", seen.kept_ms, _MOST_KEPT_MS),
                ("cut", seen.cut_ms, _MOST_CUT_MS),
            ):
                if took_ms:
                    yield _start_times(what, took_ms, most_ms)
            first, last = self._held
            yield self._growth(first, last)
        over = (
            []
            if self._over_mb <= CACHE_MB + 3 * self._largest_mb()
            else [f"{self._over_mb:.1f} MB"]
        )
        yield _counted(
            f"looks at the clips kept, at most {CACHE_MB:g} MB and those being cut",
            self._n_looks,
            over,
        )
        yield _counted("the server's log without an error", 1, self._server.errors()[:1])

    def _growth(self, first: Held, last: Held) -> Count:
        most_mb = first.memory_mb * _MOST_GROWTH
        wrong = []
        if last.memory_mb > most_mb:
            wrong.append(f"{first.memory_mb:.0f} MB grew to {last.memory_mb:.0f} MB")
        if last.n_threads > first.n_threads + 25:
            wrong.append(f"{first.n_threads} threads became {last.n_threads}")
        if last.n_files > first.n_files + 20:
            wrong.append(f"{first.n_files} open files became {last.n_files}")
        return _counted(
            f"memory ({first.memory_mb:.0f} to {last.memory_mb:.0f} MB), threads "
            f"({first.n_threads} to {last.n_threads}), open files ({first.n_files} to "
            f"{last.n_files}) stay",
            3,
            wrong,
        )

    def _largest_mb(self) -> float:
        clips = (self._study / "derived" / "clips").glob("*.mp4")
        return max((_size(path) for path in clips), default=0) / 1e6


def _start_times(what: str, took_ms: Sequence[float], most_ms: float) -> Count:
    middle = statistics.median(took_ms)
    late = sorted(took_ms)[int(0.95 * (len(took_ms) - 1))]
    wrong = [] if middle <= most_ms else [f"the median is {middle:.0f} ms"]
    return _counted(
        f"median start of {len(took_ms)} clips {what}: {middle:.0f} ms (95 %: {late:.0f} ms; "
        f"at most {most_ms:.0f} ms wanted)",
        1,
        wrong,
    )


def _counted(what: str, tried: int, wrong: Sequence[str]) -> Count:
    return Count(what, tried, tried - len(wrong), tuple(wrong))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
