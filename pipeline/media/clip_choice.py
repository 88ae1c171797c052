"""Which utterances to cut clips of, and which of them may be shown at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection

from pipeline.errors import StudyError
from pipeline.people.attach import attach
from pipeline.people.marks import SavedMoment
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, PeopleStore
from pipeline.records import MAY_BE_SHOWN_SQL, Permission, TimeSpan

Key = tuple[str, str]
"""recording_id, utterance_id."""

_FETCHED_AT_ONCE = 10_000
_HAS_CLIP = f"r.permission IN {MAY_BE_SHOWN_SQL} AND r.media_path IS NOT NULL"


@dataclass(frozen=True, slots=True)
class WantedClip:
    """An utterance whose clip may be cut; `media_path` is relative to recordings/raw."""

    recording_id: str
    utterance_id: str
    media_path: str
    span: TimeSpan
    permission: Permission


@dataclass(frozen=True, slots=True)
class ChoiceCounts:
    """How many utterances were chosen, and how many of them can have no clip and why."""

    n_chosen: int
    n_not_permitted: int
    n_without_video: int

    @property
    def n_wanted(self) -> int:
        return self.n_chosen - self.n_not_permitted - self.n_without_video


@dataclass(frozen=True, slots=True)
class ClipChoice:
    """A choice of utterances: rows of `utterances u` joined with `recordings r`.

    `n_lost` moments were meant too but are not in this store.
    """

    tail: str
    params: Mapping[str, str | int | list[str] | list[int]] = field(default_factory=dict)
    n_lost: int = 0

    def counts(self, con: DuckDBPyConnection) -> ChoiceCounts:
        """Count the choice; nothing that is left out goes uncounted."""
        row = con.execute(
            f"""SELECT count(*), count(*) FILTER (permission IS NULL OR permission = 'scores_only'),
                    count(*) FILTER (permission <> 'scores_only' AND media_path IS NULL)
                FROM (SELECT r.permission, r.media_path {self.tail})""",
            dict(self.params),
        ).fetchone()
        assert row is not None
        return ChoiceCounts(*(int(value) for value in row))

    def wanted(self, con: DuckDBPyConnection) -> Iterator[WantedClip]:
        """Those that may be cut, in the order of the choice, without holding all in memory."""
        rows = con.execute(
            f"""SELECT recording_id, utterance_id, media_path, onset_ms, offset_ms, permission
                FROM (SELECT u.recording_id, u.utterance_id, r.media_path, u.onset_ms, u.offset_ms,
                        r.permission, {_HAS_CLIP} AS has_clip {self.tail})
                WHERE has_clip""",
            dict(self.params),
        )
        while batch := rows.fetchmany(_FETCHED_AT_ONCE):
            for recording_id, utterance_id, media_path, onset_ms, offset_ms, permission in batch:
                yield WantedClip(
                    recording_id,
                    utterance_id,
                    media_path,
                    TimeSpan(onset_ms, offset_ms),
                    Permission(permission),
                )


_FIRST_SCORER = "SELECT scorer FROM models ORDER BY weights = 'imported', scorer LIMIT 1"
_FROM = "FROM utterances u JOIN recordings r ON r.recording_id = u.recording_id"


def all_utterances(con: DuckDBPyConnection, child_id: str = "") -> ClipChoice:
    """Every utterance, or every utterance of one child, in order of time."""
    order = "ORDER BY u.utterance_number"
    if not child_id:
        return ClipChoice(f"{_FROM} {order}")
    _check_child(con, child_id)
    return ClipChoice(f"{_FROM} WHERE u.child_id = $child_id {order}", {"child_id": child_id})


def top_utterances(con: DuckDBPyConnection, n: int, child_id: str = "") -> ClipChoice:
    """The n best of the study, or of one child, the best first.

    By the score that the dashboard opens with: maximum cosine of the first model that is not
    imported, centre crop, strict window.
    """
    condition, params = "", dict[str, str | int | list[str] | list[int]](n=n)
    if child_id:
        _check_child(con, child_id)
        condition = "AND CAST(child_id AS VARCHAR) = $child_id"
        params["child_id"] = child_id
    best = f"""(SELECT utterance_number AS number, center_strict_max_cosine AS score
        FROM scores_wide WHERE scorer = ({_FIRST_SCORER})
            AND center_strict_max_cosine IS NOT NULL {condition}
        ORDER BY score DESC, number LIMIT $n)"""
    return ClipChoice(
        f"{_FROM} JOIN {best} b ON b.number = u.utterance_number ORDER BY b.score DESC, b.number",
        params,
    )


def utterances_named(keys: Sequence[Key], n_lost: int = 0) -> ClipChoice:
    """These utterances in this order; those that the store does not know are left out."""
    named = """(SELECT unnest($recording_ids) AS recording_id,
        unnest($utterance_ids) AS utterance_id, unnest(range(len($recording_ids))) AS place)"""
    return ClipChoice(
        f"{_FROM} JOIN {named} k ON k.recording_id = u.recording_id "
        "AND k.utterance_id = u.utterance_id ORDER BY k.place",
        {"recording_ids": [key[0] for key in keys], "utterance_ids": [key[1] for key in keys]},
        n_lost,
    )


def utterances_of_playlist(con: DuckDBPyConnection, people: PeopleStore, name: str) -> ClipChoice:
    """The moments of a playlist in its order. Raises StudyError when there is no such playlist."""
    keys, n_lost = playlist_keys(con, people, name)
    return utterances_named(keys, n_lost)


def playlist_keys(
    con: DuckDBPyConnection, people: PeopleStore, name: str
) -> tuple[tuple[Key, ...], int]:
    """Utterances of this build that a playlist stands for, and how many could not be found."""
    marks = read_marks(people)
    named = {playlist.name.casefold(): playlist for playlist in marks.playlists}
    playlist = named.get(name.casefold())
    if playlist is None:
        known = ", ".join(p.name for p in marks.playlists) or "none yet"
        raise StudyError(f"There is no playlist {name!r}.", hint=f"Playlists: {known}.")
    moments = {moment.moment_id: moment for moment in marks.moments}
    saved = [moments[number] for number in playlist.moment_ids]
    found = attach(saved, list(_near(con, saved)))
    keys = dict.fromkeys(
        (place.moment.recording_id, place.moment.utterance_id) for place in found if place.moment
    )
    return tuple(keys), sum(place.moment is None for place in found)


def _near(con: DuckDBPyConnection, saved: Sequence[SavedMoment]) -> Iterator[MomentRef]:
    """Utterances that share time with a saved moment."""
    rows = con.execute(
        """SELECT DISTINCT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms
           FROM utterances u JOIN (
               SELECT unnest($recording_ids) AS recording_id, unnest($onsets_ms) AS onset_ms,
                   unnest($offsets_ms) AS offset_ms) s
               ON u.recording_id = s.recording_id
               AND u.onset_ms < s.offset_ms AND u.offset_ms > s.onset_ms""",
        {
            "recording_ids": [moment.ref.recording_id for moment in saved],
            "onsets_ms": [moment.ref.span.onset_ms for moment in saved],
            "offsets_ms": [moment.ref.span.offset_ms for moment in saved],
        },
    )
    for recording_id, utterance_id, onset_ms, offset_ms in rows.fetchall():
        yield MomentRef(recording_id, utterance_id, TimeSpan(onset_ms, offset_ms))


def _check_child(con: DuckDBPyConnection, child_id: str) -> None:
    known = [row[0] for row in con.execute("SELECT child_id FROM children").fetchall()]
    if child_id not in known:
        listed = ", ".join(sorted(known)[:20])
        raise StudyError(f"There is no child {child_id!r}.", hint=f"Children: {listed}.")
