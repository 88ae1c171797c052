"""Takes answers and hands out pictures: the rating screen without HTTP."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from dashboard.rating.held_file import HeldFile
from dashboard.rating.media import StudyMedia
from dashboard.rating.passes import NOT_KNOWN, Pass
from dashboard.rating.screens import (
    CodeScreen,
    ConsentScreen,
    LabelScreen,
    Screen,
    TrialScreen,
)
from dashboard.rating.showing import Showing, Shown, rater_of
from dashboard.rating.shown_log import ShownLog
from pipeline.errors import RatingError
from pipeline.people.answers import is_answered, save_answer
from pipeline.people.expert_labels import save_label
from pipeline.people.raters import consent
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import MomentLabel
from pipeline.validation.plan import image_variant_of

_FRESH_S = 20.0
"""How long what a rater was shown is taken for what they see; answering ends it at once."""
_MAX_REMEMBERED = 2_000


class NotCurrentError(Exception):
    """What was answered or asked for is not what this rater sees now."""


class RatingDesk:
    """Serves the raters of the study that `study_root` names; threads may share it."""

    def __init__(
        self, study_root: Callable[[], Path], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._study_root = study_root
        self._now_s = now_s
        self._shown: OrderedDict[str, tuple[float, Shown]] = OrderedDict()
        self._studies: dict[Path, Showing] = {}
        self._lock = threading.Lock()
        # Writers wait here in turn; in SQLite they would sleep and try again.
        self._writing = threading.Lock()
        self._held = HeldFile()
        self._shown_log = ShownLog(study_root)
        self._version = version("coview")

    @property
    def store(self) -> PeopleStore:
        """The people's store of the study."""
        return people_store(self._study_root())

    def is_known(self, given: Pass) -> bool:
        """Whether a pass lets someone in."""
        with self.store.reading() as con:
            return rater_of(con, given) is not None

    def screen(self, given: Pass) -> Screen:
        """What the browser shows now; the next trial's pictures are made meanwhile."""
        now = self._showing().to(given)
        if now is None:
            return CodeScreen(NOT_KNOWN)
        with self._lock:
            self._shown[given.text] = (self._now_s(), now)
            while len(self._shown) > _MAX_REMEMBERED:
                self._shown.popitem(last=False)
        if now.following:
            variant = image_variant_of(now.trial_set.settings)
            self._showing().media.prepare(now.following, variant)
        return now.screen

    def agree(self, given: Pass) -> Screen:
        """Note that the rater agreed to the consent text."""
        with self.store.reading() as con:
            rater = rater_of(con, given)
        if rater is not None:
            with self._saving() as store:
                consent(store, rater.rater_id)
        return self.screen(given)

    def answer(
        self, given: Pass, trial_id: int, *, selected_position: int, rt_ms: float | None
    ) -> Screen:
        """Save an answer; what comes next. An answer that is sent again changes nothing.

        Raises NotCurrentError for a trial that the rater does not see now and did not answer
        before, and as `PeopleStore.writing`.
        """
        # What was shown just now needs no second look: saving checks the rest once more.
        shown = self._shown_to(given, str(trial_id)) if self.is_known(given) else None
        now = shown or self._showing().to(given)
        if now is None:
            return CodeScreen(NOT_KNOWN)
        if now.is_of(str(trial_id)):
            try:
                with self._saving() as store:
                    save_answer(
                        store,
                        now.rater.rater_id,
                        trial_id,
                        selected_position=selected_position,
                        rt_ms=rt_ms,
                        app_version=self._version,
                    )
            except RatingError:
                pass  # Closed meanwhile: the screen says so.
        else:
            with self.store.reading() as con:
                if not is_answered(con, now.rater, trial_id):
                    raise NotCurrentError
        return self.screen(given)

    def label(
        self, given: Pass, item_id: str, *, label: MomentLabel, referent: str, rt_ms: float | None
    ) -> Screen:
        """Save a label; what comes next. Raises RatingError, and as `PeopleStore.writing`."""
        now = self._showing().to(given)
        if now is None:
            return CodeScreen(NOT_KNOWN)
        if isinstance(now.screen, ConsentScreen):
            raise NotCurrentError
        with self._saving() as store:
            save_label(
                store,
                now.rater.rater_id,
                item_id,
                label=label,
                referent=referent,
                rt_ms=rt_ms,
                app_version=self._version,
            )
        return self.screen(given)

    def picture(self, given: Pass, shown_id: str, number: int, who: str = "") -> bytes:
        """The JPEG of the `number`-th picture of what the rater sees now, counted from 1.

        `shown_id` is the trial's or item's id; `who` is how the rater signed in, if they had to.
        Raises NotCurrentError for any other, and MediaError, StoreError, DiskFullError, and
        AuditError when it cannot be written down who sees it.
        """
        now = self._current(given, shown_id)
        if not 1 <= number <= len(now.pictures):
            raise NotCurrentError
        moment, frame_ms = now.pictures[number - 1]
        variant = image_variant_of(now.trial_set.settings)
        picture = self._showing().media.jpeg(moment, frame_ms, variant)
        self._shown_log.note(now, "picture", tuple(one for one, _ in now.pictures), who)
        return picture

    def sound(self, given: Pass, shown_id: str, who: str = "") -> Path:
        """The m4a of what the rater sees now. Raises as `picture`."""
        now = self._current(given, shown_id)
        item = now.item if now.trial is None else now.trial.item
        is_heard = isinstance(now.screen, TrialScreen | LabelScreen) and now.screen.has_sound
        if item is None or not is_heard:
            raise NotCurrentError
        path = self._showing().media.sound(item.options[0].moment)
        self._shown_log.note(now, "sound", (item.options[0].moment,), who)
        return path

    def _current(self, given: Pass, shown_id: str) -> Shown:
        # The four pictures of a trial are asked for right after its screen.
        now = self._shown_to(given, shown_id) or self._showing().to(given)
        if now is None or not now.is_of(shown_id):
            raise NotCurrentError
        return now

    def _shown_to(self, given: Pass, shown_id: str) -> Shown | None:
        """What a rater was shown just now, if it is that trial or item."""
        with self._lock:
            shown_s, now = self._shown.get(given.text, (0.0, None))
        if now is None or self._now_s() - shown_s > _FRESH_S or not now.is_of(shown_id):
            return None
        return now

    @contextmanager
    def _saving(self) -> Iterator[PeopleStore]:
        """The store, for one writer at a time."""
        store = self.store
        self._held.touch(store.path)
        with self._writing:
            yield store

    def _showing(self) -> Showing:
        root = self._study_root()
        with self._lock:
            if root not in self._studies:
                self._studies[root] = Showing(people_store(root), StudyMedia(root))
            return self._studies[root]
