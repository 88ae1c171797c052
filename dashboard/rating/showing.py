"""What a rater sees now: the first trial not answered, or the moment that needs a label most."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from itertools import chain

from dashboard.rating.media import Pictures, StudyMedia, pictures_of
from dashboard.rating.passes import Pass
from dashboard.rating.screens import (
    ConsentScreen,
    EndedScreen,
    Screen,
    done_screen,
    label_screen,
    trial_screen,
)
from pipeline.people.answers import n_answered, place_of, waiting_trials
from pipeline.people.expert_labels import is_labelled, label_place, waiting_items
from pipeline.people.raters import joined_rater, rater_by_code
from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import Item, Rater, SetKind, Trial, TrialSet
from pipeline.people.trial_sets import item_of, trial_set
from pipeline.validation.plan import closing_of, has_sound

NO_MORE = "This study takes no more answers. Thank you for yours."
NOT_HERE = "The pictures of this study cannot be shown here. Tell the person who invited you."


@dataclass(frozen=True, slots=True)
class Shown:
    """A rater and what they see: a trial, a moment, or neither, with the pictures of it and
    those of what comes next."""

    rater: Rater
    trial_set: TrialSet
    screen: Screen
    trial: Trial | None = None
    item: Item | None = None
    pictures: Pictures = ()
    following: Pictures = ()

    def is_of(self, shown_id: str) -> bool:
        """Whether that trial or item is what the rater sees."""
        if self.trial is not None:
            return str(self.trial.trial_id) == shown_id
        return self.item is not None and self.item.item_id == shown_id


class Showing:
    """Finds what each rater of a study sees; threads may share it."""

    def __init__(self, store: PeopleStore, media: StudyMedia) -> None:
        self.media = media
        self._store = store
        self._lock = threading.Lock()
        self._labelling: dict[int, str] = {}

    def to(self, given: Pass) -> Shown | None:
        """What a rater sees; None for a pass that lets nobody in."""
        with self._store.reading() as con:
            rater = rater_of(con, given)
            if rater is None:
                return None
            its_set = trial_set(con, rater.set_id)
            assert its_set is not None
            if its_set.closed_at is not None or rater.closed_at is not None:
                return Shown(rater, its_set, EndedScreen(NO_MORE))
            if its_set.consent.strip() and rater.consented_at is None:
                return Shown(rater, its_set, ConsentScreen(its_set.consent.strip()))
            if its_set.kind is SetKind.LABELS:
                return self._moment_now(con, rater, its_set)
            return self._trial_now(con, rater, its_set)

    def _trial_now(self, con: sqlite3.Connection, rater: Rater, its_set: TrialSet) -> Shown:
        waiting = waiting_trials(con, rater)
        media = self.media
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
                later = next(waiting, None)
                return Shown(
                    rater,
                    its_set,
                    screen,
                    trial=trial,
                    pictures=pictures_of(trial),
                    following=() if later is None else pictures_of(later),
                )
        return Shown(rater, its_set, _end(its_set, n_answered(con, rater), is_any_waiting))

    def _moment_now(self, con: sqlite3.Connection, rater: Rater, its_set: TrialSet) -> Shown:
        media = self.media
        place = label_place(con, rater)
        begun = self._begun(con, rater)
        waiting = waiting_items(con, rater)
        choice = waiting if begun is None else chain([begun], waiting)
        is_any_waiting = False
        for item in choice:
            is_any_waiting = True
            if media.is_showable(item):
                break
        else:
            return Shown(rater, its_set, _end(its_set, place.number - 1, is_any_waiting))
        with self._lock:
            self._labelling[rater.rater_id] = item.item_id
        pictures = media.strip(item)
        times_ms = tuple(time_ms for _, time_ms in pictures)
        screen = label_screen(rater, item, place, times_ms, has_sound=has_sound(its_set.settings))
        later = next((other for other in waiting if other.item_id != item.item_id), None)
        return Shown(
            rater,
            its_set,
            screen,
            item=item,
            pictures=pictures,
            following=() if later is None else media.strip(later),
        )

    def _begun(self, con: sqlite3.Connection, rater: Rater) -> Item | None:
        """The moment this rater was shown and did not label yet: it stays, however many others
        label it meanwhile."""
        with self._lock:
            item_id = self._labelling.get(rater.rater_id)
        if item_id is None or is_labelled(con, rater, item_id):
            return None
        return item_of(con, rater.set_id, item_id)


def rater_of(con: sqlite3.Connection, given: Pass) -> Rater | None:
    """Whom a pass lets in, or None."""
    if given.label is None:
        return rater_by_code(con, given.code)
    return joined_rater(con, given.code, given.label)


def _end(its_set: TrialSet, n_given: int, is_any_waiting: bool) -> Screen:
    if is_any_waiting and not n_given:
        return EndedScreen(NOT_HERE)
    return done_screen(n_given, closing_of(its_set.settings))
