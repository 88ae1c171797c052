"""Recordings of a store with their utterances and one score for each: what most exports write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from duckdb import DuckDBPyConnection

from pipeline.errors import StoreError
from pipeline.exchange.table_file import Value
from pipeline.records import MAY_BE_SHOWN, Permission
from pipeline.score_sql import missing_reason_sql, n_frames_sql, statistic_sql

_UTTERANCES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class ScoreChoice:
    """Which score of an utterance is meant; `window` is stored or free, such as "-3+1"."""

    scorer: str
    crop: str = "center"
    window: str = "strict"

    @property
    def words(self) -> str:
        """The choice in one line, for people."""
        return f"{self.scorer}, {self.crop} crop, {self.window} window"


@dataclass(frozen=True, slots=True)
class ChosenUtterances:
    """A SELECT of utterance_number, with its bound values; $first, $last, $recordings and $scorer
    are taken.
    """

    sql: str
    params: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class UtteranceScore:
    """The score of one utterance; None is missing, and `missing_reason` says why.

    Cosines are of all frames of the window; `z` is in SD of the matched null of the maximum.
    """

    n_frames: int | None = None
    max_cosine: float | None = None
    mean_cosine: float | None = None
    null_mean: float | None = None
    null_sd: float | None = None
    z: float | None = None
    p: float | None = None
    missing_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ScoredUtterance:
    """One utterance with its score. `text` is on one line; `speaker` is FEM, MAL, CHI, OCH, NA."""

    utterance_id: str
    onset_ms: int
    offset_ms: int
    text: str
    speaker: str
    language: str | None = None
    n_words: int | None = None
    flags: tuple[str, ...] = ()
    score: UtteranceScore = UtteranceScore()


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """A recording as the store has it. `media_path` is relative to recordings/raw."""

    recording_id: str
    child_id: str
    duration_ms: int
    date: date | None = None
    age_days: int | None = None
    media_path: str | None = None
    permission: str = Permission.SCORES_ONLY.value
    n_utterances: int = 0
    first_utterance_number: int | None = None

    @property
    def shown_media_path(self) -> str | None:
        """`media_path` if pictures and sound may be shown, else None."""
        return self.media_path if self.permission in MAY_BE_SHOWN else None


@dataclass(frozen=True, slots=True)
class ScoredRecording:
    """A recording and its utterances, by onset."""

    facts: RecordingFacts
    utterances: tuple[ScoredUtterance, ...]

    @property
    def end_ms(self) -> int:
        """End of the recording, or of its last utterance where that is later; at least 1."""
        return max(1, self.facts.duration_ms, *(u.offset_ms for u in self.utterances))


def read_recordings(
    con: DuckDBPyConnection, children: Sequence[str] = (), recordings: Sequence[str] = ()
) -> tuple[RecordingFacts, ...]:
    """The recordings of these children and with these ids, by id; without either, all.

    Raises StoreError for a child or recording that the store does not have.
    """
    _check_names(con, "child_id", children, "child")
    _check_names(con, "recording_id", recordings, "recording")
    rows = con.execute(
        """SELECT recording_id, coalesce(child_id, ''), coalesce(duration_ms, 0), date, age_days,
               media_path, coalesce(permission, 'scores_only'), coalesce(n_utterances, 0),
               first_utterance_number
           FROM recordings
           WHERE (len($children::VARCHAR[]) = 0 OR list_contains($children::VARCHAR[], child_id))
             AND (len($recordings::VARCHAR[]) = 0
                  OR list_contains($recordings::VARCHAR[], recording_id))
           ORDER BY recording_id""",
        {"children": list(children), "recordings": list(recordings)},
    ).fetchall()
    if not rows and (children or recordings):
        raise StoreError(
            "No recording is of that child and has that name.",
            hint="Leave out --child or --recording.",
        )
    return tuple(RecordingFacts(*row) for row in rows)


def scored_recordings(
    con: DuckDBPyConnection,
    recordings: Sequence[RecordingFacts],
    choice: ScoreChoice,
    chosen: ChosenUtterances | None = None,
) -> Iterator[ScoredRecording]:
    """The recordings with utterances and scores; memory grows with the longest one only.

    With `chosen`, only its utterances are given.
    """
    for batch in _batches(recordings):
        by_recording = _utterances(con, batch, choice, chosen)
        for facts in batch:
            yield ScoredRecording(facts, by_recording.get(facts.recording_id, ()))


def scores_sql(choice: ScoreChoice) -> str:
    """SELECT of utterance_number and the fields of UtteranceScore, one row per utterance.

    The scorer is bound as $scorer. Raises ValueError for a crop or window that does not exist.
    """

    def of(statistic: str) -> str:
        return statistic_sql(choice.crop, choice.window, statistic)

    return f"""SELECT utterance_number, {n_frames_sql(choice.window)} AS n_frames,
            CAST({of("max_cosine")} AS FLOAT) AS max_cosine,
            CAST({of("mean_cosine")} AS FLOAT) AS mean_cosine,
            {of("null_mean")} AS null_mean, {of("null_sd")} AS null_sd, {of("z")} AS z,
            {of("p")} AS p,
            {missing_reason_sql(choice.crop, choice.window, of("max_cosine"))} AS missing_reason
        FROM scores_wide WHERE scorer = $scorer"""


def _batches(recordings: Sequence[RecordingFacts]) -> Iterator[list[RecordingFacts]]:
    """Recordings in pieces of some ten thousand utterances, which one query reads."""
    batch: list[RecordingFacts] = []
    n = 0
    for facts in recordings:
        if batch and n + facts.n_utterances > _UTTERANCES_AT_ONCE:
            yield batch
            batch, n = [], 0
        batch.append(facts)
        n += facts.n_utterances
    if batch:
        yield batch


def _utterances(
    con: DuckDBPyConnection,
    batch: Sequence[RecordingFacts],
    choice: ScoreChoice,
    chosen: ChosenUtterances | None,
) -> dict[str, tuple[ScoredUtterance, ...]]:
    numbers = [
        (facts.first_utterance_number, facts.first_utterance_number + facts.n_utterances - 1)
        for facts in batch
        if facts.first_utterance_number is not None and facts.n_utterances
    ]
    if not numbers:
        return {}
    only = "" if chosen is None else f"AND u.utterance_number IN ({chosen.sql})"
    # The store lies in order of utterance_number: a range of numbers reads only its own part.
    rows = con.execute(
        f"""SELECT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms, coalesce(u.text, ''),
                coalesce(u.speaker, 'NA'), u.language, u.n_words, coalesce(u.flags, []),
                s.n_frames, s.max_cosine, s.mean_cosine, s.null_mean, s.null_sd, s.z, s.p,
                coalesce(s.missing_reason,
                         CASE WHEN s.max_cosine IS NULL THEN 'not_scored' END)
            FROM (SELECT * FROM utterances WHERE utterance_number BETWEEN $first AND $last) u
            LEFT JOIN ({scores_sql(choice)} AND utterance_number BETWEEN $first AND $last) s
                ON s.utterance_number = u.utterance_number
            WHERE u.recording_id IN (SELECT unnest($recordings::VARCHAR[])) {only}
            ORDER BY u.utterance_number""",
        {
            **(chosen.params if chosen is not None else {}),
            "first": min(first for first, _ in numbers),
            "last": max(last for _, last in numbers),
            "recordings": [facts.recording_id for facts in batch],
            "scorer": choice.scorer,
        },
    ).fetchall()
    return {
        recording_id: tuple(_utterance(*row[1:]) for row in group)
        for recording_id, group in groupby(rows, key=lambda row: str(row[0]))
    }


def _utterance(
    utterance_id: str,
    onset_ms: int,
    offset_ms: int,
    text: str,
    speaker: str,
    language: str | None,
    n_words: int | None,
    flags: list[str],
    *score: float | str | None,
) -> ScoredUtterance:
    return ScoredUtterance(
        utterance_id,
        onset_ms,
        offset_ms,
        text,
        speaker,
        language,
        n_words,
        tuple(flags),
        UtteranceScore(*score),  # type: ignore[arg-type]
    )


def _check_names(con: DuckDBPyConnection, column: str, names: Sequence[str], noun: str) -> None:
    if not names:
        return
    rows = con.execute(f"SELECT DISTINCT {column} FROM recordings ORDER BY 1").fetchall()
    known = [str(row[0]) for row in rows]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            shown = ", ".join(known[:5]) + (" ..." if len(known) > 5 else "")
            raise StoreError(
                f"The store has no {noun} {name!r}.",
                hint=f"Did you mean {near[0]}?" if near else f"It has: {shown}.",
            )
