"""Reading the candidates of a store in SQL.

A large store is sampled: utterances are ranked by a digest of seed and ids, so that neither the
order of rows nor the machine changes who is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.errors import MediaError, SettingsError
from pipeline.labels import DOUBTFUL_FLAGS
from pipeline.lemmas import lemma_of
from pipeline.media.study_clips import recording_file
from pipeline.people.store import MomentRef
from pipeline.records import MAY_BE_SHOWN, TimeSpan
from pipeline.schema import UTTERANCE_FLAGS
from pipeline.score_columns import window_seconds
from pipeline.score_sql import statistic_sql
from pipeline.tokens import tokenize
from pipeline.validation.candidates import Candidate, LeftOut, Pool
from pipeline.validation.plan import TrialPlan

EDGE_QUANTILES = (0.005, 0.995)
"""The bins lie between these; the first and the last also take what lies beyond."""
_DRAWN_PER_WANTED = 4
_MIN_PER_BIN = 200
_MIN_PER_CHILD = 100
_MAX_FOIL_POOL = 30_000

_CLOSED = "are of recordings whose permission is scores_only"
_NO_PICTURE = "are of recordings without video or frames"
_SILENT = "are of recordings without sound"
_NO_SCORE = "have no score under this setting"
_DOUBTFUL = "are doubtful: perhaps nobody said them"
_SHORT = "have too few words"
_NO_FRAME = "of those drawn have no frame in the window"
_REASONS = (_CLOSED, _NO_PICTURE, _SILENT, _NO_SCORE, _DOUBTFUL, _SHORT)

Params = dict[str, str | int | float | list[str]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """SQL whose table `judged` has every utterance of the scorer: utterance_number, score, z and
    reason, NULL for one that can be used."""

    sql: str
    params: Params


def read_pool(
    con: DuckDBPyConnection, study_root: Path, plan: TrialPlan, *, n_targets: int
) -> Pool:
    """The candidates of the current store, enough for `n_targets` targets and their foils.

    Raises SettingsError for a scorer that the store does not have or that looks at no frames, and
    when no utterance can be used.
    """
    scorer, revision = _scorer(con, plan.scorer)
    judged = _judged(con, study_root, plan, scorer)
    counts: dict[str | None, int] = {
        reason: int(n)
        for reason, n in con.execute(
            f"{judged.sql} SELECT reason, count(*) FROM judged GROUP BY reason", judged.params
        ).fetchall()
    }
    left_out = tuple(LeftOut(reason, counts[reason]) for reason in _REASONS if reason in counts)
    if not counts.get(None):
        told = "; ".join(one.sentence for one in left_out) or "there is none"
        raise SettingsError(
            f"No utterance can be shown to raters: {told}.",
            hint="Raters see pictures: set the permission of recordings to media in "
            "metadata/recordings.csv, and choose a scorer, crop and window with scores.",
        )
    edges = _edges(con, judged, plan.bins)
    per_bin = max(_MIN_PER_BIN, _DRAWN_PER_WANTED * -(-n_targets // plan.bins))
    n_by_bin = _binned(con, judged, plan, edges, per_bin)
    candidates, n_without_frame = _candidates(con, plan, scorer)
    if n_without_frame:
        left_out = (*left_out, LeftOut(_NO_FRAME, n_without_frame))
    build = con.execute("SELECT build FROM store_info").fetchone()
    return Pool(
        candidates,
        edges,
        n_by_bin,
        sum(counts.values()),
        left_out,
        scorer,
        revision,
        str(build[0]) if build else "",
    )


def _scorer(con: DuckDBPyConnection, wanted: str) -> tuple[str, str]:
    """Name and revision of the scorer; the first that looked at frames if none is named."""
    rows = con.execute(
        "SELECT scorer, coalesce(revision, ''), weights = 'imported' FROM models ORDER BY 3, 1"
    ).fetchall()
    for scorer, revision, is_imported in rows:
        if wanted in ("", scorer):
            if is_imported:
                raise SettingsError(
                    f"{scorer} is imported: it says nothing about single frames, so it does not "
                    "say which to show.",
                    hint="Choose a model that looked at the frames.",
                )
            return str(scorer), str(revision)
    raise SettingsError(
        f"The store has no scorer {wanted!r}.",
        hint=f"It has: {', '.join(str(row[0]) for row in rows)}.",
    )


def _judged(con: DuckDBPyConnection, study_root: Path, plan: TrialPlan, scorer: str) -> _Judged:
    barred: dict[str, str] = {}
    for recording_id, media_path, frames_path, audio, permission in con.execute(
        "SELECT recording_id, media_path, frames_path, audio_codec, permission FROM recordings"
    ).fetchall():
        if permission not in MAY_BE_SHOWN:
            barred[recording_id] = _CLOSED
        elif not _has_picture(study_root, media_path, frames_path):
            barred[recording_id] = _NO_PICTURE
        elif plan.with_sound and (media_path is None or audio is None):
            barred[recording_id] = _SILENT
    is_max = plan.statistic == "max"
    score = statistic_sql(plan.crop, plan.window, "max_cosine" if is_max else "mean_cosine")
    z = statistic_sql(plan.crop, plan.window, "z" if is_max else "mean_z")
    doubtful = sum(1 << tuple(UTTERANCE_FLAGS).index(flag) for flag in DOUBTFUL_FLAGS)
    sql = f"""
        WITH barred AS (SELECT unnest($barred) AS recording_id, unnest($why) AS why),
        judged AS (
            SELECT utterance_number, CAST({score} AS DOUBLE) AS score, CAST({z} AS DOUBLE) AS z,
                CAST(s.recording_id AS VARCHAR) AS recording_id, utterance_id,
                CAST(child_id AS VARCHAR) AS child_id,
                CASE WHEN why IS NOT NULL THEN why
                    WHEN {score} IS NULL THEN '{_NO_SCORE}'
                    WHEN flag_bits & $doubtful != 0 THEN '{_DOUBTFUL}'
                    WHEN n_words < $min_words THEN '{_SHORT}' END AS reason
            FROM scores_wide s
            LEFT JOIN barred ON barred.recording_id = CAST(s.recording_id AS VARCHAR)
            WHERE scorer = $scorer)"""
    return _Judged(
        sql,
        {
            "barred": list(barred),
            "why": list(barred.values()),
            "doubtful": 0 if plan.with_doubtful else doubtful,
            "min_words": plan.min_words,
            "scorer": scorer,
        },
    )


def _has_picture(study_root: Path, media_path: str | None, frames_path: str | None) -> bool:
    if media_path is not None:
        try:
            return recording_file(study_root, media_path).is_file()
        except MediaError:
            return False
    return frames_path is not None and (study_root / frames_path).is_dir()


def _edges(con: DuckDBPyConnection, judged: _Judged, n_bins: int) -> tuple[float, ...]:
    """Borders of bins of equal width between the EDGE_QUANTILES of the usable scores."""
    row = con.execute(
        f"{judged.sql} SELECT quantile_cont(score, {EDGE_QUANTILES[0]}), "
        f"quantile_cont(score, {EDGE_QUANTILES[1]}) FROM judged WHERE reason IS NULL",
        judged.params,
    ).fetchone()
    assert row is not None
    return tuple(float(edge) for edge in np.linspace(row[0], row[1], n_bins + 1))


def _binned(
    con: DuckDBPyConnection,
    judged: _Judged,
    plan: TrialPlan,
    edges: tuple[float, ...],
    per_bin: int,
) -> tuple[int, ...]:
    """Keep the drawn utterances in the table `drawn`; how many usable ones each bin has."""
    width = (edges[-1] - edges[0]) / plan.bins
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE drawn AS {judged.sql},
            ranked AS (
                SELECT *, md5($seed || ':' || recording_id || ':' || utterance_id) AS ticket,
                    CASE WHEN $width = 0 THEN 0 ELSE greatest(0, least($n_bins - 1,
                        CAST(floor((score - $low) / $width) AS INTEGER))) END AS bin
                FROM judged WHERE reason IS NULL)
            SELECT utterance_number, score, z, bin,
                row_number() OVER (PARTITION BY bin ORDER BY ticket, utterance_number) AS in_bin,
                count(*) OVER (PARTITION BY bin) AS n_in_bin
            FROM ranked
            QUALIFY in_bin <= $per_bin OR row_number() OVER
                (PARTITION BY child_id ORDER BY ticket, utterance_number)
                <= greatest({_MIN_PER_CHILD}, {_MAX_FOIL_POOL}
                    // (SELECT count(DISTINCT child_id) FROM ranked))""",
        {
            **judged.params,
            "seed": str(plan.seed),
            "low": edges[0],
            "width": width,
            "n_bins": plan.bins,
            "per_bin": per_bin,
        },
    )
    n_by_bin = dict(con.execute("SELECT bin, any_value(n_in_bin) FROM drawn GROUP BY 1").fetchall())
    return tuple(int(n_by_bin.get(number, 0)) for number in range(plan.bins))


def _candidates(
    con: DuckDBPyConnection, plan: TrialPlan, scorer: str
) -> tuple[tuple[Candidate, ...], int]:
    """The drawn utterances by their ids, and how many were drawn without a frame or a word."""
    before_s, after_s = window_seconds(plan.window)
    rows = con.execute(
        f"""WITH near AS (
                SELECT l.utterance_number, unnest(time_ms) AS time_ms, unnest(lag_ms) AS lag_ms,
                    unnest({plan.crop}) AS cosine
                FROM lags l JOIN drawn d ON d.utterance_number = l.utterance_number
                WHERE l.scorer = $scorer),
            best AS (
                SELECT utterance_number, time_ms FROM near
                WHERE lag_ms BETWEEN $from_ms AND $to_ms AND cosine IS NOT NULL
                QUALIFY row_number() OVER
                    (PARTITION BY utterance_number ORDER BY cosine DESC, time_ms) = 1)
            SELECT u.recording_id, u.utterance_id, u.child_id, u.onset_ms, u.offset_ms, u.text,
                coalesce(u.language, ''), u.n_words, d.score, d.z, d.bin, best.time_ms
            FROM drawn d JOIN utterances u ON u.utterance_number = d.utterance_number
            LEFT JOIN best ON best.utterance_number = d.utterance_number
            ORDER BY u.recording_id, u.utterance_id""",
        {"scorer": scorer, "from_ms": -1_000 * before_s, "to_ms": 1_000 * after_s},
    ).fetchall()
    con.execute("DROP TABLE drawn")
    found: list[Candidate] = []
    for (
        recording,
        utterance,
        child,
        onset,
        offset,
        text,
        language,
        n,
        score,
        z,
        bin_,
        frame,
    ) in rows:
        tokens = tokenize(text or "")
        if frame is None or not tokens:
            continue
        found.append(
            Candidate(
                MomentRef(recording, utterance, TimeSpan(onset, offset)),
                child,
                text,
                " ".join(tokens),
                frozenset(lemma_of(token, language) for token in tokens),
                n,
                score,
                z,
                frame,
                bin_,
            )
        )
    return tuple(found), len(rows) - len(found)
