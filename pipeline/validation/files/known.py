"""What a study has when a file comes in: its sets, and what its store says about a picture."""

from __future__ import annotations

import re
import sqlite3
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import duckdb

from pipeline.people.raters import raters_of
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import Rater, SetKind, Trial, TrialSet
from pipeline.people.trial_sets import trial_sets, trials_of
from pipeline.records import TimeSpan
from pipeline.score_sql import statistic_sql
from pipeline.validation.files.export import settings_of

IMPORTED_FROM = "imported_from"
"""Key of a set's settings: the file it was made from. Such a set may grow."""

_NAMED = re.compile(r"^(?P<recording>.+)_(?P<ms>\d+)$")
_SECONDS = re.compile(r"^(?:frame_)?(?P<second>\d+)$")
_ANYWHERE_MS = 3000
"""How far from an utterance its picture may lie: windows reach that far."""


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A 4AFC set of this study."""

    one: TrialSet
    trials: tuple[Trial, ...]
    raters: tuple[Rater, ...]

    @property
    def is_imported(self) -> bool:
        """Whether it was made from a file of answers, so that it may grow."""
        return IMPORTED_FROM in settings_of(self.one.settings)


def known_sets(con: sqlite3.Connection) -> tuple[KnownSet, ...]:
    """The 4AFC sets of a study, newest first."""
    return tuple(
        KnownSet(one, trials_of(con, one.set_id), raters_of(con, one.set_id))
        for one in trial_sets(con)
        if one.kind is SetKind.FOUR_CHOICES
    )


@dataclass(frozen=True, slots=True)
class Found:
    """An utterance of this study that a file means. `by` is "image" or "words"."""

    moment: MomentRef
    frame_ms: int | None
    score: float | None
    z: float | None
    by: str


@dataclass(frozen=True, slots=True)
class ScoredMoment:
    """An utterance of the store with the score that validation is about."""

    moment: MomentRef
    text: str
    score: float | None
    z: float | None


@dataclass(frozen=True, slots=True)
class StoreMoments:
    """The utterances of a store, to be found by a picture or by words that occur once."""

    by_recording: Mapping[str, tuple[ScoredMoment, ...]] = field(default_factory=dict)
    by_words: Mapping[str, tuple[ScoredMoment, ...]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    """How the scores were made: keys of a set's settings."""

    def find(self, image: str, text: str) -> Found | None:
        """The utterance of this picture and these words; None when it is not certain.

        A picture names its recording and time: RECORDING_MILLISECONDS.jpg, or, as frames are
        extracted, RECORDING/SECOND.jpg. Of several utterances near it the one with these words is
        meant. Without a picture of this study, words count that occur once in it.
        """
        place = self._place(image)
        words = _plain(text)
        if place is not None:
            recording, frame_ms = place
            near = [
                one
                for one in self.by_recording[recording]
                if _distance_ms(one.moment.span, frame_ms) <= _ANYWHERE_MS
            ]
            same = [one for one in near if _plain(one.text) == words] or [
                one
                for one in near
                if one.moment.span.onset_ms <= frame_ms < one.moment.span.offset_ms
            ]
            if same:
                best = min(same, key=lambda one: _distance_ms(one.moment.span, frame_ms))
                return Found(best.moment, frame_ms, best.score, best.z, "image")
        once = self.by_words.get(words, ())
        if words and len(once) == 1:
            return Found(once[0].moment, None, once[0].score, once[0].z, "words")
        return None

    def _place(self, image: str) -> tuple[str, int] | None:
        for recording, frame_ms in _places(image):
            if recording in self.by_recording:
                return recording, frame_ms
        return None


def moments_of(
    con: duckdb.DuckDBPyConnection,
    images: Iterable[str],
    texts: Iterable[str],
    *,
    scorer: str = "",
    crop: str = "",
    window: str = "",
) -> StoreMoments:
    """The utterances that these pictures or words may mean, with their largest cosine and z.

    Without a scorer the study's own model is meant, without a crop and window the centre crop
    during the utterance.
    """
    crop, window = crop or "center", window or "strict"
    if not scorer:
        row = con.execute(
            "SELECT scorer FROM models ORDER BY weights = 'imported', scorer LIMIT 1"
        ).fetchone()
        scorer = "" if row is None else str(row[0])
    recordings = {name for image in images for name, _ in _places(image)}
    rows = con.execute(
        f"""SELECT CAST(u.recording_id AS VARCHAR), CAST(u.utterance_id AS VARCHAR), u.onset_ms,
                u.offset_ms, u.text, {statistic_sql(crop, window, "max_cosine")} AS score,
                {statistic_sql(crop, window, "z")} AS z
            FROM utterances u LEFT JOIN scores_wide s
                ON s.recording_id = u.recording_id AND s.utterance_id = u.utterance_id
                AND s.scorer = $scorer
            WHERE list_contains($recordings, CAST(u.recording_id AS VARCHAR))
                OR {_PLAIN_SQL} IN (SELECT unnest($words))
            ORDER BY u.recording_id, u.onset_ms""",
        {
            "scorer": scorer,
            "recordings": sorted(recordings),
            "words": sorted({_plain(text) for text in texts}),
        },
    ).fetchall()
    found = store_moments(
        ScoredMoment(
            MomentRef(recording, utterance, TimeSpan(int(onset), int(offset))),
            str(text),
            None if score is None else float(score),
            None if z is None else float(z),
        )
        for recording, utterance, onset, offset, text, score, z in rows
    )
    facts = {"scorer": scorer, "crop": crop, "window": window, "statistic": "max"}
    return replace(found, facts=facts)


def store_moments(moments: Iterable[ScoredMoment]) -> StoreMoments:
    """The moments, ready to be found."""
    by_recording: dict[str, list[ScoredMoment]] = {}
    by_words: dict[str, list[ScoredMoment]] = {}
    for one in moments:
        by_recording.setdefault(one.moment.recording_id, []).append(one)
        by_words.setdefault(_plain(one.text), []).append(one)
    return StoreMoments(
        {name: tuple(found) for name, found in by_recording.items()},
        {words: tuple(found) for words, found in by_words.items()},
    )


_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, " "))
_PLAIN_SQL = (
    "trim(regexp_replace(regexp_replace(lower(u.text), '[[:punct:]]', ' ', 'g'), '\\s+', ' ', 'g'))"
)
"""`_plain` in SQL."""


def _plain(text: str) -> str:
    return " ".join(text.lower().translate(_PUNCTUATION).split())


def _places(image: str) -> Iterator[tuple[str, int]]:
    """What a picture's name may mean: recordings with times in milliseconds."""
    path = PurePosixPath(image.replace("\\", "/"))
    named = _NAMED.match(path.stem)
    if named is not None:
        yield named["recording"], int(named["ms"])
    second = _SECONDS.match(path.stem)
    if second is not None and path.parent.name:
        yield path.parent.name, 1000 * int(second["second"])


def _distance_ms(span: TimeSpan, time_ms: int) -> int:
    return max(span.onset_ms - time_ms, time_ms - span.offset_ms, 0)
