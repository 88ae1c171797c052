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
from dashboard.queries.arrays import Numbers, ScoreArrays
from dashboard.queries.told import most_listed, told
from pipeline.sound_results import RecallRow
from pipeline.sound_tables import PAIRS, QUADRANTS, SOUND_RECALL, pair_column
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
    cell = arrays.recording[chosen].astype(np.int64) * len(names) + arrays.group(split)[chosen]
    n_cells = len(recordings.child) * len(names)
    state = _states(arrays)[chosen]
    counts = np.bincount(cell * _N_STATES + state, minlength=n_cells * _N_STATES)
    counts = counts.reshape(n_cells, _N_STATES)
    is_scored = state < len(QUADRANTS)
    seen, heard = (_by_chance(arrays, pair, chosen[is_scored]) for pair in ("see_say", "hear_say"))
    expected = [
        np.bincount(cell[is_scored], weights, n_cells) for weights in (seen, heard, seen * heard)
    ]
    by_name = counts.sum(axis=1).reshape(-1, len(names))[recordings.by_name]
    place, group = np.nonzero(by_name)
    code = recordings.by_name[place]
    found = code * len(names) + group
    n_utterances = counts[found].sum(axis=1)
    rows = recordings.frame.take(code).reset_index(drop=True)
    return rows.assign(
        grp=pd.Series(names, dtype="str").take(group).array,
        n_utterances=n_utterances,
        n_scored=n_utterances - counts[found, len(QUADRANTS)],
        **{name: counts[found, number] for number, name in enumerate(QUADRANTS)},
        expected_seen=expected[0][found],
        expected_heard=expected[1][found],
        expected_seen_and_heard=expected[2][found],
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
        z = arrays.sound(pair_column(pair, "z", null))[chosen]
        is_known = z == z  # NaN is the only value unequal to itself.
        counts = np.bincount(_z_places(z[is_known]), minlength=_N_Z)
        n_nulls = arrays.sound(pair_column(pair, "n_nulls", null))[chosen][is_known]
        n = int(counts.sum())
        tables.append(
            pd.DataFrame(
                {
                    "pair": pair,
                    "bin_start": _Z_STARTS,
                    "n": counts,
                    "share": counts / max(1, n),
                    "expected": _expected_bins(np.bincount(n_nulls.astype(np.int64))),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def joint_bins(arrays: ScoreArrays, filters: Filters, scorer: str) -> pd.DataFrame:
    """See-say z by hear-say z within the recording, in squares two bins wide: see, hear (their
    lower edges), quadrant (of the square), n."""
    chosen = arrays.chosen(filters, scorer)
    see, hear = (arrays.sound(pair_column(pair, "z"))[chosen] for pair in ("see_say", "hear_say"))
    is_known = (see == see) & (hear == hear)
    places = [_z_places(z[is_known]) // 2 for z in (see, hear)]
    n_wide = _N_Z // 2
    counts = np.bincount(places[0] * n_wide + places[1], minlength=n_wide * n_wide)
    found = np.flatnonzero(counts)
    starts = _Z_STARTS[::2]
    rows = pd.DataFrame(
        {"see": starts[found // n_wide], "hear": starts[found % n_wide], "n": counts[found]}
    )
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
    share, level = (arrays.sound(name)[chosen] for name in ("speech_share", "level_db"))
    is_scored = _states(arrays)[chosen] < len(QUADRANTS)
    is_known = share == share
    tenths = np.minimum(share[is_known] * 10 + 1e-4, 9).astype(np.int64)
    is_scored = is_scored[is_known]
    level_known = level[level == level]
    levels, n = np.unique(np.floor(level_known / 5), return_counts=True)
    return Surroundings(
        pd.DataFrame(
            {
                "bin_start": np.arange(10) / 10,
                "n_scored": np.bincount(tenths[is_scored], minlength=10),
                "n_missing": np.bincount(tenths[~is_scored], minlength=10),
            }
        ),
        pd.DataFrame({"bin_start": 5 * levels, "n": n}),
        float(np.median(level_known)) if len(level_known) else np.nan,
        float(np.median(share[is_known])) if is_known.any() else np.nan,
    )


_N_BELOW = 40
_Z_STARTS = SURE_Z + Z_WIDTH * (np.arange(_N_BELOW + 26) - _N_BELOW)
"""Lower edges of bins of z, from about -8 to 8."""
_N_Z = len(_Z_STARTS)


def _z_places(z: NDArray[np.float32]) -> NDArray[np.int64]:
    places = np.floor((z.astype(np.float64) - _Z_STARTS[0]) / Z_WIDTH)
    inside: NDArray[np.int64] = np.clip(places, 0, _N_Z - 1).astype(np.int64)
    return inside


def _states(arrays: ScoreArrays) -> NDArray[np.uint16]:
    """Place of every utterance's quadrant in QUADRANTS; behind the last without one."""
    order = list(QUADRANTS)
    places = [*(order.index(name) for name in arrays.names("quadrant")), len(order)]
    return np.array(places, np.uint16)[arrays.codes("quadrant")]


def _by_chance(arrays: ScoreArrays, pair: str, numbers: Numbers) -> NDArray[np.float64]:
    """Chance of each utterance to reach SURE_Z."""
    n_nulls = arrays.sound(pair_column(pair, "n_nulls"))[numbers].astype(np.int64)
    top = int(n_nulls.max(initial=0))
    return z_above_by_chance(np.arange(top + 1), SURE_Z)[n_nulls]


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
