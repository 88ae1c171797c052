"""What the model says to the same questions: the cosine of what is asked with each option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.people.trial_records import Item, Part, TrialMode
from pipeline.records import Float32Array
from pipeline.score_settings import TextVariant

_DIGITS = 6
"""Sums of products differ in the last bits from machine to machine; the lists must not."""

Texts = dict[tuple[str, str], Float32Array]
Frames = dict[tuple[str, int], Float32Array]


def with_cosines(
    con: DuckDBPyConnection, items: Sequence[Item], *, scorer: str, crop: str
) -> tuple[Item, ...]:
    """The items with the cosine of the prompt (an utterance, or an image) with every option.

    Under the multi crop the largest of a frame's squares counts; of a hub-corrected scorer it is
    the product of the centred vectors. A catch item has none, and so has an option whose vector is
    not in the store: all options of a scorer that compares other texts than what was said.
    """
    asked = [item for item in items if item.part is not Part.CATCH]
    moments = {
        (option.moment.recording_id, option.moment.utterance_id)
        for item in asked
        for option in item.options
    }
    frames = {
        (option.moment.recording_id, option.frame_ms)
        for item in asked
        for option in item.options
        if option.frame_ms is not None
    }
    base, has_vectors = _base(con, scorer)
    texts = _texts(con, moments, base) if has_vectors else {}
    pictures = _frames(con, frames, base, crop)
    hubs = _hubs(con, scorer, crop)
    if hubs:
        texts = {key: vector - hubs[key[0]][0] for key, vector in texts.items()}
        pictures = {key: vectors - hubs[key[0]][1] for key, vectors in pictures.items()}
    return tuple(
        item if item.part is Part.CATCH else _answered(item, texts, pictures) for item in items
    )


def _answered(item: Item, texts: Texts, pictures: Frames) -> Item:
    target = item.options[0]
    options = []
    for option in item.options:
        said, seen = (target, option) if item.mode is TrialMode.IMAGES else (option, target)
        text = texts.get((said.moment.recording_id, said.moment.utterance_id))
        picture = pictures.get((seen.moment.recording_id, seen.frame_ms or 0))
        cosine = None
        if text is not None and picture is not None:
            products = picture.astype(np.float64) @ text.astype(np.float64)
            cosine = round(float(products.max()), _DIGITS)
        options.append(replace(option, cosine=cosine))
    return replace(item, options=tuple(options))


def _base(con: DuckDBPyConnection, scorer: str) -> tuple[str, bool]:
    """The scorer of the model, and whether the store keeps the vectors of what it compares."""
    row = con.execute(
        "SELECT coalesce(base_scorer, scorer), coalesce(text_variant, 'raw') FROM models "
        "WHERE scorer = $scorer",
        {"scorer": scorer},
    ).fetchone()
    return (scorer, True) if row is None else (str(row[0]), row[1] == TextVariant.RAW.value)


def _hubs(
    con: DuckDBPyConnection, scorer: str, crop: str
) -> dict[str, tuple[Float32Array, Float32Array]]:
    """Mean text and mean frame (dim,) of each recording's child; empty of other scorers."""
    rows = con.execute(
        """SELECT r.recording_id, h.text_mean, h.frame_mean
           FROM hubs h JOIN recordings r USING (child_id)
           WHERE h.scorer = $scorer AND h.crop = $crop""",
        {"scorer": scorer, "crop": crop},
    ).fetchall()
    return {
        str(recording): (np.array(text, np.float32), np.array(frame, np.float32))
        for recording, text, frame in rows
    }


def _texts(con: DuckDBPyConnection, wanted: set[tuple[str, str]], scorer: str) -> Texts:
    keys = sorted(wanted)
    rows = con.execute(
        """SELECT e.recording_id, e.utterance_id, e.embedding FROM utterance_embeddings e
           JOIN (SELECT unnest($recordings) AS recording_id, unnest($utterances) AS utterance_id) k
               ON k.recording_id = e.recording_id AND k.utterance_id = e.utterance_id
           WHERE e.scorer = $scorer""",
        {
            "recordings": [key[0] for key in keys],
            "utterances": [key[1] for key in keys],
            "scorer": scorer,
        },
    ).fetchall()
    return {(recording, utterance): np.array(v, np.float32) for recording, utterance, v in rows}


def _frames(
    con: DuckDBPyConnection, wanted: set[tuple[str, int]], scorer: str, crop: str
) -> Frames:
    """Vectors (n_squares, dim) of each frame: one, or three under the multi crop."""
    keys = sorted(wanted)
    rows = con.execute(
        """SELECT e.recording_id, e.time_ms, e.embedding FROM frame_embeddings e
           JOIN (SELECT unnest($recordings) AS recording_id, unnest($times) AS time_ms) k
               ON k.recording_id = e.recording_id AND k.time_ms = e.time_ms
           WHERE e.scorer = $scorer AND e.crop = $crop ORDER BY e.crop_index""",
        {
            "recordings": [key[0] for key in keys],
            "times": [key[1] for key in keys],
            "scorer": scorer,
            "crop": crop,
        },
    ).fetchall()
    squares: dict[tuple[str, int], list[Float32Array]] = {}
    for recording_id, time_ms, vector in rows:
        squares.setdefault((recording_id, time_ms), []).append(np.array(vector, np.float32))
    return {key: np.stack(vectors) for key, vectors in squares.items()}
