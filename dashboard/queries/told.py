"""What was said in a few utterances, given their numbers."""

from __future__ import annotations

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.queries.arrays import Numbers, ScoreArrays

COLUMNS = ("utterance_id", "speaker", "onset_ms", "text")

_MANY_UTTERANCES = 200_000


def most_listed(arrays: ScoreArrays) -> int:
    """How many moments of a kind a page lists: fewer where reading them takes long."""
    return 200 if arrays.n_utterances <= _MANY_UTTERANCES else 12


def told(
    con: DuckDBPyConnection, arrays: ScoreArrays, rows: pd.DataFrame, *columns: str
) -> pd.DataFrame:
    """The rows, by their column utterance_number, with child_id, recording_id and `columns` (of
    COLUMNS), in the same order.

    Texts lie scattered over the whole file: reading one takes a third of a millisecond.
    """
    if not set(columns) <= set(COLUMNS):
        raise ValueError(f"{', '.join(columns)} are not all of {', '.join(COLUMNS)}")
    numbers: Numbers = rows["utterance_number"].to_numpy()
    names = arrays.recordings.frame.take(arrays.recording[numbers])
    found = con.execute(
        f"""SELECT utterance_number, {", ".join(columns)} FROM utterances
            WHERE utterance_number IN (SELECT unnest($numbers::INTEGER[]))""",
        {"numbers": numbers.tolist()},
    ).df()
    with_names = rows.assign(
        child_id=names["child_id"].array, recording_id=names["recording_id"].array
    )
    return with_names.merge(found, on="utterance_number", how="left")
