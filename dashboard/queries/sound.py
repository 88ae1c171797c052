"""Scores of sound: what made them, how often systems find what belongs together, and counts over
the chosen utterances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.told import most_listed, told
from pipeline.compiled import adding_up
from pipeline.sound_results import RecallRow
from pipeline.sound_tables import PAIRS, QUADRANTS, SOUND_RECALL, pair_column
from pipeline.stats import sound_counts
from pipeline.stats.chance import z_above_by_chance

SURE_Z = 1.645
"""A z from which words count as seen or heard; `sound score` uses the same."""
OUTERMOST_Z = 8.0
"""What lies further out is counted in the last bin: with few, alike nulls a z can be huge."""
Z_WIDTH = 0.25
MISSING = ("too_little_sound", "no_frame", "no_text", "no_null", "not_looked_at")
"""Why an utterance is in no quadrant, in the order in which it is told."""

_REASON = "CASE missing_reason " + " ".join(
    f"WHEN '{reason}' THEN {place}" for place, reason in enumerate(MISSING[:3])
)
_N_STATES = len(QUADRANTS) + 1
_LOWEST_DB = 120
_MOST_NULLS = 128
"""More than `sound score` draws."""


@dataclass(frozen=True, slots=True)
class SoundSystem:
    """What made the scores: a row of `sound_systems`. Names are None when they are not known."""

    system: str
    seed: int
    encoder: str | None
    encoder_revision: str | None
    image_model: str | None
    hears_speech: bool | None
    text: str
    split_by: str
    n_folds: int
    n_utterances: int
    n_matched: int
    left_out: list[str]


def sound_system(con: DuckDBPyConnection) -> SoundSystem | None:
    """What scored the utterances of this store for sound, None when nothing did."""
    row = con.execute("SELECT * FROM sound_systems").fetchone()
    return None if row is None else SoundSystem(*row)


@dataclass(frozen=True, slots=True)
class Recalls:
    """The recall table. `corpus` names the published corpus that its captions are from, or ""."""

    rows: tuple[RecallRow, ...]
    corpus: str


def recalls(con: DuckDBPyConnection) -> Recalls:
    """Recall of every trained system; no rows when none was trained."""
    names = [name for name in SOUND_RECALL.column_names if name != "corpus"]
    found = con.execute(f"SELECT {', '.join(names)}, corpus FROM sound_recall").fetchall()
    rows = tuple(RecallRow(**dict(zip(names, row, strict=False))) for row in found)
    return Recalls(rows, next((str(row[-1]) for row in found if row[-1]), ""))


def quadrant_counts(
    arrays: ScoreArrays, filters: Filters, scorer: str, split: str = "none"
) -> pd.DataFrame:
    """Per recording and group: n_utterances chosen, n_scored (in a quadrant), one column for each
    quadrant with its utterances, and expected_seen, expected_heard and expected_seen_and_heard:
    how many utterances chance alone would put there, given how many nulls each had.

    Columns: child_id, recording_id, age_days, grp (NULL when unknown) and the counts.
    """
    chosen, names = arrays.chosen(filters, scorer), [*arrays.group_names(split), None]
    recordings = arrays.recordings
    counts = np.zeros((len(recordings.child), len(names), _N_STATES), np.int64)
    expected = np.zeros((len(recordings.child), len(names), 3))
    adding_up(sound_counts.count_states, len(chosen))(
        chosen,
        arrays.recording,
        arrays.group(split),
        _states(arrays),
        arrays.sound(pair_column("see_say", "n_nulls")),
        arrays.sound(pair_column("hear_say", "n_nulls")),
        z_above_by_chance(np.arange(_MOST_NULLS), SURE_Z),
        counts,
        expected,
    )
    n_utterances = counts.sum(axis=2)
    place, group = np.nonzero(n_utterances[recordings.by_name])
    code = recordings.by_name[place]
    rows = recordings.frame.take(code).reset_index(drop=True)
    return rows.assign(
        grp=pd.Series(names, dtype="str").take(group).array,
        n_utterances=n_utterances[code, group],
        n_scored=n_utterances[code, group] - counts[code, group, len(QUADRANTS)],
        **{name: counts[code, group, number] for number, name in enumerate(QUADRANTS)},
        expected_seen=expected[code, group, 0],
        expected_heard=expected[code, group, 1],
        expected_seen_and_heard=expected[code, group, 2],
    )


def missing_counts(arrays: ScoreArrays, filters: Filters, scorer: str) -> dict[str, int]:
    """Chosen utterances in no quadrant by reason, those reasons that hold, in order."""
    chosen = arrays.chosen(filters, scorer)
    chosen = chosen[_states(arrays)[chosen] == len(QUADRANTS)]
    reason = arrays.sound(f"{_REASON} ELSE 3 END")[chosen]
    places = np.nan_to_num(reason, nan=4).astype(np.int64)
    counts = np.bincount(places, minlength=len(MISSING)).tolist()
    return {name: n for name, n in zip(MISSING, counts, strict=True) if n}


def z_bins(arrays: ScoreArrays, filters: Filters, scorer: str, null: str) -> pd.DataFrame:
    """Distribution of each pair's z beside a null ("" same recording, "others_"): pair, bin_start,
    n (utterances with this z), share, and expected: the share that chance would put there.

    Bins are Z_WIDTH wide; SURE_Z is an edge. The outermost hold what lies beyond.
    """
    chosen = arrays.chosen(filters, scorer)
    tables = []
    for pair in PAIRS:
        found = np.zeros((2, _MOST_NULLS), np.int64)
        adding_up(sound_counts.count_z, len(chosen))(
            chosen,
            arrays.sound(pair_column(pair, "z", null)),
            arrays.sound(pair_column(pair, "n_nulls", null)),
            float(_Z_STARTS[0]),
            Z_WIDTH,
            _N_Z,
            found,
        )
        counts = found[0, :_N_Z]
        tables.append(
            pd.DataFrame(
                {
                    "pair": pair,
                    "bin_start": _Z_STARTS,
                    "n": counts,
                    "share": counts / max(1, int(counts.sum())),
                    "expected": _expected_bins(found[1]),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def joint_bins(arrays: ScoreArrays, filters: Filters, scorer: str) -> pd.DataFrame:
    """See-say z by hear-say z within the recording, in squares two bins wide: see, hear (their
    lower edges), quadrant (of the square), n."""
    chosen = arrays.chosen(filters, scorer)
    counts = np.zeros((_N_Z // 2, _N_Z // 2), np.int64)
    adding_up(sound_counts.count_squares, len(chosen))(
        chosen,
        arrays.sound(pair_column("see_say", "z")),
        arrays.sound(pair_column("hear_say", "z")),
        float(_Z_STARTS[0]),
        2 * Z_WIDTH,
        counts,
    )
    see, hear = np.nonzero(counts)
    starts = _Z_STARTS[::2]
    rows = pd.DataFrame({"see": starts[see], "hear": starts[hear], "n": counts[see, hear]})
    is_seen, is_heard = rows["see"] > SURE_Z - 1e-6, rows["hear"] > SURE_Z - 1e-6
    names = list(QUADRANTS)
    code = np.select([is_seen & is_heard, is_seen, is_heard], [0, 1, 2], 3)
    return rows.assign(quadrant=[names[place] for place in code])


def best_moments(
    con: DuckDBPyConnection, arrays: ScoreArrays, filters: Filters, scorer: str, quadrant: str
) -> pd.DataFrame:
    """The moments of a quadrant with the highest z, best first: recording_id, utterance_id,
    child_id, text, see_say_z, hear_say_z, see_hear_z, level_db, speech_share.

    "Seen only" goes by see-say, "seen and heard" by the lower of both, the others by hear-say.
    """
    chosen = arrays.chosen(filters, scorer)
    chosen = chosen[_states(arrays)[chosen] == list(QUADRANTS).index(quadrant)]
    see, hear = (arrays.sound(pair_column(pair, "z")) for pair in ("see_say", "hear_say"))
    key = {"seen_only": see[chosen], "seen_and_heard": np.minimum(see, hear)[chosen]}.get(
        quadrant, hear[chosen]
    )
    numbers = chosen[np.lexsort((chosen, -key))[: most_listed(arrays)]]
    names = [*(pair_column(pair, "z") for pair in PAIRS), "level_db", "speech_share"]
    rows = pd.DataFrame(
        {"utterance_number": numbers, **{name: arrays.sound(name)[numbers] for name in names}}
    )
    return told(con, arrays, rows, "utterance_id", "text").drop(columns="utterance_number")


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What there was to hear around the chosen utterances that were looked at.

    speech: bin_start (share of speech, tenths), n_scored, n_missing. level: bin_start (dBFS, 5 dB
    wide), n. median_level, median_speech: NaN without any.
    """

    speech: pd.DataFrame
    level: pd.DataFrame
    median_level: float
    median_speech: float


def surroundings(arrays: ScoreArrays, filters: Filters, scorer: str) -> Surroundings:
    """Speech and level around the chosen utterances."""
    chosen = arrays.chosen(filters, scorer)
    counts = np.zeros((3, _LOWEST_DB + 1), np.int64)
    adding_up(sound_counts.count_around, len(chosen))(
        chosen, arrays.sound("speech_share"), arrays.sound("level_db"), _states(arrays), counts
    )
    n_scored, n_missing = counts[:2, :100].reshape(2, 10, 10).sum(axis=2)
    counts[2, _LOWEST_DB - 1] += counts[2, _LOWEST_DB]  # A level of exactly 0.
    counts[2, _LOWEST_DB] = 0
    levels = counts[2, :_LOWEST_DB].reshape(-1, 5).sum(axis=1)
    known = np.flatnonzero(levels)
    return Surroundings(
        pd.DataFrame(
            {"bin_start": np.arange(10) / 10, "n_scored": n_scored, "n_missing": n_missing}
        ),
        pd.DataFrame({"bin_start": 5.0 * known - _LOWEST_DB, "n": levels[known]}),
        _middle(counts[2]) - _LOWEST_DB,
        _middle(counts[0] + counts[1]) / 100,
    )


def _middle(counts: NDArray[np.int64]) -> float:
    """Median of values counted in bins of width 1 from 0; NaN without any."""
    before = np.cumsum(counts)
    if not before[-1]:
        return np.nan
    return float(np.searchsorted(before, before[-1] / 2)) + 0.5


_N_BELOW = 40
_Z_STARTS = SURE_Z + Z_WIDTH * (np.arange(_N_BELOW + 26) - _N_BELOW)
"""Lower edges of bins of z, from about -8 to 8."""
_N_Z = len(_Z_STARTS)


def _states(arrays: ScoreArrays) -> NDArray[np.uint8]:
    """Place of every utterance's quadrant in QUADRANTS; behind the last without one."""
    order = list(QUADRANTS)
    places = [*(order.index(name) for name in arrays.names("quadrant")), len(order)]
    return np.array(places, np.uint8)[arrays.codes("quadrant")]


def _expected_bins(n_of_nulls: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of utterances that chance puts into each bin of z. n_of_nulls: utterances by their
    number of nulls."""
    known = np.flatnonzero(n_of_nulls)
    if not len(known):
        return np.full(_N_Z, np.nan)
    weights = n_of_nulls[known] / n_of_nulls[known].sum()
    above = [float(weights @ z_above_by_chance(known, edge)) for edge in _Z_STARTS[1:]]
    edges = np.array([1.0, *above, 0.0])
    shares: NDArray[np.float64] = edges[:-1] - edges[1:]
    return shares
