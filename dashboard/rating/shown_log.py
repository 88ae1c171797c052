"""Writes into the audit what raters were shown and heard: once for each question and rater."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from dashboard.rating.showing import Shown
from pipeline.access.audit import Opened, write_all_opened
from pipeline.people.store import MomentRef

_MAX_REMEMBERED = 20_000


class ShownLog:
    """Remembers what is written down already; threads may share it.

    A browser asks for the pictures of a question singly and sometimes twice.
    """

    def __init__(self, study_root: Callable[[], Path]) -> None:
        self._study_root = study_root
        self._written: OrderedDict[tuple[int, str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, now: Shown, what: str, moments: tuple[MomentRef, ...], who: str) -> None:
        """One line for each recording of `moments`. what: picture or sound; who: as they signed
        in, empty where nobody has to.

        Raises AuditError when it cannot be written: then nothing is shown.
        """
        question = _question(now)
        key = (now.rater.rater_id, question, what)
        if key in self._written:
            return
        rater = f"rater {now.rater.rater_id}"
        detail = f"{rater}, {question}" if who else question
        by_recording: dict[str, set[str]] = {}
        for moment in moments:
            by_recording.setdefault(moment.recording_id, set()).add(moment.utterance_id)
        with self._lock:
            if key in self._written:
                return
            write_all_opened(
                self._study_root(),
                [
                    # Several moments of one recording are in the set, under the question's number.
                    Opened(who or rater, "rater", what, recording_id, _only(ids), detail)
                    for recording_id, ids in by_recording.items()
                ],
            )
            self._written[key] = None
            while len(self._written) > _MAX_REMEMBERED:
                self._written.popitem(last=False)


def _question(now: Shown) -> str:
    if now.trial is not None:
        return f"trial {now.trial.trial_id} of set {now.trial_set.set_id}"
    assert now.item is not None
    return f"a moment of set {now.trial_set.set_id}"


def _only(ids: set[str]) -> str:
    return next(iter(ids)) if len(ids) == 1 else ""
