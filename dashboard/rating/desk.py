"""What a rater is shown now, and taking their answers: the rating screen without HTTP."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dashboard.rating.held_file import HeldFile
from dashboard.rating.media import StudyMedia, pictures_of
from dashboard.rating.passes import NOT_KNOWN, Pass
from dashboard.rating.screens import (
    CodeScreen,
    ConsentScreen,
    DoneScreen,
    EndedScreen,
    Screen,
    label_screen,
    trial_screen,
)
from pipeline.errors import RatingError
from pipeline.people.answers import (
    is_answered,
    n_answered,
    place_of,
    save_answer,
    waiting_trials,
)
from pipeline.people.expert_labels import is_labelled, label_place, save_label, waiting_items
from pipeline.people.raters import consent, joined_rater, rater_by_code
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import (
    Item,
    MomentLabel,
    Rater,
    SetKind,
    Trial,
    TrialSet,
)
from pipeline.people.trial_sets import item_of, trial_set
from pipeline.validation.plan import has_sound, image_variant_of

NO_MORE = "This study takes no more answers. Thank you for yours."
NOT_HERE = "The pictures of this study cannot be shown here. Tell the person who invited you."
_FRESH_S = 20.0
"""How long what a rater was shown is taken for what they see; answering ends it at once."""
_MAX_REMEMBERED = 2_000


class NotCurrentError(Exception):
    """What was answered or asked for is not what this rater sees now."""


@dataclass(frozen=True, slots=True)
class _Now:
    """A rater and what they see: a trial, a moment, or neither."""

    rater: Rater
    trial_set: TrialSet
    screen: Screen
    trial: Trial | None = None
    following: Trial | None = None
    item: Item | None = None

    def is_of(self, shown_id: str) -> bool:
        """Whether that trial or item is what the rater sees."""
        if self.trial is not None:
            return str(self.trial.trial_id) == shown_id
        return self.item is not None and self.item.item_id == shown_id


class RatingDesk:
    """Serves the raters of the study that `study_root` names; threads may share it."""

    def __init__(
        self, study_root: Callable[[], Path], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._study_root = study_root
        self._now_s = now_s
        self._shown: OrderedDict[str, tuple[float, _Now]] = OrderedDict()
        self._media: dict[Path, StudyMedia] = {}
        self._lock = threading.Lock()
        # Writers wait here in turn; in SQLite they would sleep and try again.
        self._writing = threading.Lock()
        self._held = HeldFile()
        self._labelling: dict[int, str] = {}
        self._version = version("coview")

    @property
    def store(self) -> PeopleStore:
        """The people's store of the study."""
        return people_store(self._study_root())

    def is_known(self, given: Pass) -> bool:
        """Whether a pass lets someone in."""
        with self.store.reading() as con:
            return _rater(con, given) is not None

    def screen(self, given: Pass) -> Screen:
        """What the browser shows now; the next trial's pictures are made meanwhile."""
        now = self._now(given)
        if now is None:
            return CodeScreen(NOT_KNOWN)
        with self._lock:
            self._shown[given.text] = (self._now_s(), now)
            while len(self._shown) > _MAX_REMEMBERED:
                self._shown.popitem(last=False)
        if now.following is not None:
            variant = image_variant_of(now.trial_set.settings)
            self._media_of().prepare(now.following, variant)
        return now.screen

    def agree(self, given: Pass) -> Screen:
        """Note that the rater agreed to the consent text."""
        with self.store.reading() as con:
            rater = _rater(con, given)
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
        now = shown or self._now(given)
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
        now = self._now(given)
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
        with self._lock:
            if self._labelling.get(now.rater.rater_id) == item_id:
                del self._labelling[now.rater.rater_id]
        return self.screen(given)

    def picture(self, given: Pass, shown_id: str, number: int) -> bytes:
        """The JPEG of the `number`-th picture of what the rater sees now, counted from 1.

        `shown_id` is the trial's or item's id. Raises NotCurrentError for any other, and
        MediaError, StoreError, DiskFullError.
        """
        now = self._current(given, shown_id)
        media = self._media_of()
        if now.trial is not None:
            pictures = pictures_of(now.trial)
        else:
            assert now.item is not None
            moment = now.item.options[0].moment
            pictures = tuple((moment, time_ms) for time_ms in media.frame_times(moment))
        if not 1 <= number <= len(pictures):
            raise NotCurrentError
        moment, frame_ms = pictures[number - 1]
        variant = image_variant_of(now.trial_set.settings)
        return media.picture(moment, frame_ms, variant).read_bytes()

    def sound(self, given: Pass, shown_id: str) -> Path:
        """The m4a of what the rater sees now. Raises as `picture`."""
        now = self._current(given, shown_id)
        item = now.item if now.trial is None else now.trial.item
        if item is None or not getattr(now.screen, "has_sound", False):
            raise NotCurrentError
        return self._media_of().sound(item.options[0].moment)

    def _now(self, given: Pass) -> _Now | None:
        """What a rater sees; None for a pass that lets nobody in."""
        with self.store.reading() as con:
            rater = _rater(con, given)
            if rater is None:
                return None
            its_set = trial_set(con, rater.set_id)
            assert its_set is not None
            if its_set.closed_at is not None or rater.closed_at is not None:
                return _Now(rater, its_set, EndedScreen(NO_MORE))
            if its_set.consent.strip() and rater.consented_at is None:
                return _Now(rater, its_set, ConsentScreen(its_set.consent.strip()))
            if its_set.kind is SetKind.LABELS:
                return self._moment_now(con, rater, its_set)
            return self._trial_now(con, rater, its_set)

    def _trial_now(self, con: sqlite3.Connection, rater: Rater, its_set: TrialSet) -> _Now:
        waiting = waiting_trials(con, rater)
        media = self._media_of()
        is_any_waiting = False
        for trial in waiting:
            is_any_waiting = True
            # One whose permission was withdrawn is passed over; it stays unanswered and counted.
            if media.is_showable(trial.item):
                place = place_of(con, rater, trial)
                screen = trial_screen(
                    rater,
                    trial,
                    place,
                    has_sound=has_sound(its_set.settings),
                    has_practised=trial.position > place.number,
                )
                return _Now(rater, its_set, screen, trial=trial, following=next(waiting, None))
        return _Now(rater, its_set, _end(n_answered(con, rater), is_any_waiting))

    def _moment_now(self, con: sqlite3.Connection, rater: Rater, its_set: TrialSet) -> _Now:
        media = self._media_of()
        place = label_place(con, rater)
        item = self._begun(con, rater)
        is_any_waiting = item is not None
        if item is None or not media.is_showable(item):
            item = None
            for other in waiting_items(con, rater):
                is_any_waiting = True
                if media.is_showable(other):
                    item = other
                    break
        if item is None:
            return _Now(rater, its_set, _end(place.number - 1, is_any_waiting))
        with self._lock:
            self._labelling[rater.rater_id] = item.item_id
        times_ms = media.frame_times(item.options[0].moment)
        screen = label_screen(rater, item, place, times_ms, has_sound=has_sound(its_set.settings))
        return _Now(rater, its_set, screen, item=item)

    def _begun(self, con: sqlite3.Connection, rater: Rater) -> Item | None:
        """The moment this rater was shown and did not label yet: it stays, however many others
        label it meanwhile."""
        with self._lock:
            item_id = self._labelling.get(rater.rater_id)
        if item_id is None or is_labelled(con, rater, item_id):
            return None
        return item_of(con, rater.set_id, item_id)

    def _current(self, given: Pass, shown_id: str) -> _Now:
        # The four pictures of a trial are asked for right after its screen.
        now = self._shown_to(given, shown_id) or self._now(given)
        if now is None or not now.is_of(shown_id):
            raise NotCurrentError
        return now

    def _shown_to(self, given: Pass, shown_id: str) -> _Now | None:
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

    def _media_of(self) -> StudyMedia:
        root = self._study_root()
        with self._lock:
            if root not in self._media:
                self._media[root] = StudyMedia(root)
            return self._media[root]


def _rater(con: sqlite3.Connection, given: Pass) -> Rater | None:
    if given.label is None:
        return rater_by_code(con, given.code)
    return joined_rater(con, given.code, given.label)


def _end(n_given: int, is_any_waiting: bool) -> Screen:
    return EndedScreen(NOT_HERE) if is_any_waiting and not n_given else DoneScreen(n_given)
