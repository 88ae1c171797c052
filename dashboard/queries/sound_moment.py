"""The scores of sound of one moment."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from dashboard.queries.moment import utterance_number
from pipeline.sound_tables import PAIRS, pair_column

_STATISTICS = (("z", ""), ("n_nulls", ""), ("z", "others_"), ("n_nulls", "others_"))


@dataclass(frozen=True, slots=True)
class PairScore:
    """One pair: z beside n_nulls other moments of the recording, and beside other recordings.

    None where fewer than eight moments could serve, or the pair was not scored.
    """

    pair: str
    cosine: float | None
    z: float | None
    n_nulls: int
    others_z: float | None
    others_n_nulls: int


@dataclass(frozen=True, slots=True)
class MomentSound:
    """What `sound_scores` holds of a moment; `quadrant` is None where a z is missing."""

    pairs: tuple[PairScore, ...]
    quadrant: str | None
    level_db: float | None
    speech_share: float | None
    heard_ms: int
    missing_reason: str | None


def moment_sound(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str
) -> MomentSound | None:
    """The moment's scores of sound; None when it was not looked at."""
    number = utterance_number(con, recording_id, utterance_id)
    columns = ", ".join(
        name
        for pair in PAIRS
        for name in (
            pair_column(pair, "cosine"),
            *(pair_column(pair, statistic, null) for statistic, null in _STATISTICS),
        )
    )
    row = con.execute(
        f"""SELECT quadrant, level_db, speech_share, heard_ms, missing_reason, {columns}
            FROM sound_scores WHERE utterance_number = ?""",
        [-1 if number is None else number],
    ).fetchone()
    if row is None:
        return None
    quadrant, level_db, speech_share, heard_ms, missing_reason, *values = row
    n = len(_STATISTICS) + 1
    pairs = tuple(
        PairScore(pair, *values[n * place : n * (place + 1)]) for place, pair in enumerate(PAIRS)
    )
    return MomentSound(pairs, quadrant, level_db, speech_share, heard_ms, missing_reason)
