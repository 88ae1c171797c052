"""What a lab does with a study on a day, with a clock that is set, not waited for."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from typer.testing import CliRunner

from dashboard.access.viewer import LOCAL_VIEWER
from dashboard.export_desk import ExportDesk, sweep_exports
from dashboard.keeping import Keeper
from pipeline.cli import app
from pipeline.media.file_cache import sweep_clips
from pipeline.media.study_clips import StudyClips
from pipeline.people.answers import save_answer
from pipeline.people.marks import add_note, add_tag, delete_note, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.raters import add_rater
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_sets import trials_of
from pipeline.store.locate import current_store_path
from pipeline.store.narrowed import narrowed_store
from tests.people.rating_sets import four_choices

_HALF_WRITTEN = """
import os, sys, time
from pathlib import Path
from pipeline.people.served import mark_served
root = Path(sys.argv[1])
mark = mark_served(root)
folder = root / "derived" / "clips"
folder.mkdir(parents=True, exist_ok=True)
(folder / f"{os.getpid():032x}-12345678.partial").write_bytes(b"half a clip")
(root / "people" / "people.sqlite.partial").write_bytes(b"half a copy")
print("ready", flush=True)
time.sleep(60)
"""


@dataclass(frozen=True, slots=True)
class Watchable:
    """A moment with a clip: what was said when, and in which file."""

    ref: MomentRef
    media_path: str


@dataclass(slots=True)
class Lab:
    """The study, its clock, and what was done so far; `wrong` are sentences."""

    study: Path
    moments: Sequence[Watchable]
    children: Sequence[str]
    rng: random.Random
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    n_done: int = 0
    wrong: list[str] = field(default_factory=list)
    largest_bytes: int = 0
    _dated: dict[Path, int] = field(default_factory=dict)

    @property
    def people(self) -> PeopleStore:
        return PeopleStore(people_store(self.study).path, lambda: self.now)

    def day(
        self, n_hours: int, n_clips: int, seconds: float, *, is_killed_before: bool = True
    ) -> None:
        """A server that starts, is used for some hours and ends; one is killed before it.

        Each hour has `n_clips` clips, or one when the `seconds` that the day may take are over.
        """
        ends = time.monotonic() + seconds
        if is_killed_before:
            self._killed_server()
        keeper = Keeper(self.study, (sweep_exports, sweep_clips), now=lambda: self.now)
        desk, clips = ExportDesk(), StudyClips(self.study)
        for _ in range(n_hours):
            keeper.look()
            self._view(clips, n_clips, ends)
            self._write()
            self._export(desk)
            self._pass_time(timedelta(hours=8 / n_hours))
        keeper.look()
        keeper.close()
        self._pass_time(timedelta(hours=16))

    @property
    def copied_on(self) -> datetime:
        """The day of the newest copy of what people wrote."""
        newest = self.people.backups()[-1].name.rpartition(".bak-")[2]
        return datetime.fromisoformat(newest)

    def rate(self, n_answers: int) -> None:
        """A set of trials and the answers of one rater."""
        store = self.people
        name = f"{self.now:%Y-%m-%d}"
        set_id = four_choices(store, n_trials=n_answers, name=name)
        rater = add_rater(store, set_id, name, list_number=0, is_simulated=True, source="torture")
        with store.reading() as con:
            trials = [trial for trial in trials_of(con, set_id) if trial.list_number == 0]
        for trial in trials:
            save_answer(
                store,
                rater,
                trial.trial_id,
                selected_position=self.rng.randint(1, 4),
                rt_ms=900.0,
                app_version="torture",
            )
            self.n_done += 1

    def narrow(self) -> None:
        """Somebody who may see one child opens the dashboard."""
        store = current_store_path(self.study)
        assert store is not None
        narrowed_store(store, self.study, [self.children[0]])
        self.n_done += 1

    def command(self, *arguments: str) -> None:
        """A command of the pipeline, in this process."""
        result = CliRunner().invoke(app, list(arguments))
        self.n_done += 1
        if result.exit_code:
            self.wrong.append(f"{' '.join(arguments[:1])}: {result.output[-300:]}")

    def _view(self, clips: StudyClips, n: int, ends: float) -> None:
        chosen = self.rng.sample(list(self.moments), min(n, len(self.moments)))
        for number, moment in enumerate(chosen):
            if number and time.monotonic() > ends:
                return
            path = clips.clip(
                moment.media_path,
                moment.ref.span,
                lead_ms=self.rng.choice((0, 500, 1_000)),
                lag_ms=500,
            )
            clips.log_opened(moment.ref.recording_id, moment.ref.utterance_id)
            self.n_done += 1
            size = sum(one.stat().st_size for one in path.parent.glob("*.mp4"))
            self.largest_bytes = max(self.largest_bytes, size)

    def _write(self) -> None:
        store = self.people
        first, second = (one.ref for one in self.rng.sample(list(self.moments), 2))
        star(store, first)
        add_tag(store, second, self.rng.choice(("pointing", "look again")))
        note = add_note(store, first, f"Seen at {self.now:%H:%M}")
        if self.rng.random() < 0.3:
            delete_note(store, note)
        playlist = make_playlist(store, f"Week of {self.now:%d %B}")
        add_to_playlist(store, playlist, [first, second])
        self.n_done += 5

    def _export(self, desk: ExportDesk) -> None:
        folder = desk.new_folder(self.study)
        path = folder / "utterances.zip"
        path.write_bytes(b"PK\x05\x06" + bytes(18))
        ready = desk.offer(path, "table", 0, LOCAL_VIEWER)
        self.n_done += 1
        if desk.find(ready.token) is None:
            self.wrong.append("an export was gone before it could be fetched")

    def _killed_server(self) -> None:
        """A server that was killed while it cut a clip and copied what people wrote."""
        with subprocess.Popen(
            [sys.executable, "-c", _HALF_WRITTEN, str(self.study)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        self.n_done += 1

    def _pass_time(self, passed: timedelta) -> None:
        """What was written since this was called last was written now; then the clock goes on."""
        now_ns = int(self.now.timestamp() * 1e9)
        for path in self.study.rglob("*"):
            inner = path.relative_to(self.study).parts
            # Clips are not dated anew: their times say which was used least recently.
            if path.suffix == ".mp4" or inner[0] not in ("people", "derived"):
                continue
            seen = self._dated.get(path)
            try:
                if path.stat().st_mtime_ns != seen:
                    os.utime(path, ns=(now_ns, now_ns))
                    self._dated[path] = now_ns
            except FileNotFoundError:
                continue
        self.now += passed
