"""One moment as a probe sees it: its frames, its chance frames, and its variants."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.probes.blocks import measure
from pipeline.probes.encodings import Encode, TextEncodings
from pipeline.probes.material import Material
from pipeline.probes.measured import Measured, SampledUtterances, VariantRows
from pipeline.probes.read_material import Words, read_moment
from pipeline.probes.results import ProbeIdentity
from pipeline.probes.search_sample import Searched, search_utterance
from pipeline.records import MAY_BE_SHOWN


@dataclass(frozen=True, slots=True)
class MomentFrame:
    """A frame of some recording."""

    recording_id: str
    time_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class MomentMaterial:
    """What a moment is compared with, and which of it the page shows: the frame that fits the
    utterance best, and the best frame of each chance window."""

    material: Material
    best: MomentFrame
    chance: tuple[MomentFrame, ...]


def moment_material(
    con: DuckDBPyConnection,
    identity: ProbeIdentity,
    recording_id: str,
    utterance_id: str,
    words: Words,
) -> MomentMaterial:
    """Read a moment under the settings of a probe.

    Raises ProbeError when it has no words, no score or no null.
    """
    material = read_moment(
        con, identity.scorer, identity.settings, recording_id, utterance_id, words
    )
    row = con.execute(
        "SELECT embedding FROM utterance_embeddings WHERE scorer = $scorer "
        "AND recording_id = $recording AND utterance_id = $utterance",
        {"scorer": identity.scorer, "recording": recording_id, "utterance": utterance_id},
    ).fetchone()
    assert row is not None
    text = np.asarray(row[0], np.float32)
    frames = material.frames[0]
    best = int(np.argmax(frames.window @ text))
    places = np.argmax(frames.null @ text, axis=1).tolist()
    return MomentMaterial(
        material,
        MomentFrame(recording_id, int(frames.times_ms[best])),
        tuple(
            MomentFrame(*window[place])
            for window, place in zip(frames.null_frames, places, strict=True)
        ),
    )


def showable(con: DuckDBPyConnection, recordings: tuple[str, ...]) -> frozenset[str]:
    """Those of the recordings whose pictures may be shown."""
    rows = con.execute(
        "SELECT recording_id FROM recordings WHERE list_contains($permissions, permission) "
        "AND recording_id IN (SELECT unnest($recordings))",
        {"permissions": list(MAY_BE_SHOWN), "recordings": list(recordings)},
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def place_in_sample(
    utterances: SampledUtterances, recording_id: str, utterance_id: str
) -> int | None:
    """Place of a moment among the sampled utterances, None when it was not drawn."""
    pairs = zip(utterances.recording_ids, utterances.utterance_ids, strict=True)
    wanted = (recording_id, utterance_id)
    return next((place for place, pair in enumerate(pairs) if pair == wanted), None)


def of_sample(measured: Measured, place: int) -> Measured:
    """One utterance of a probe, as if it had been probed alone."""
    rows, utterances = measured.rows, measured.utterances
    mine = np.flatnonzero(rows.utterance == place)
    first, stop = int(mine[0]), int(mine[-1]) + 1
    assert len(mine) == stop - first
    part = {field.name: getattr(rows, field.name)[first:stop] for field in fields(VariantRows)}
    part["utterance"] = np.zeros(len(mine), np.int64)
    alone = {
        field.name: getattr(utterances, field.name)[place : place + 1]
        for field in fields(SampledUtterances)
    }
    return Measured(SampledUtterances(**alone), VariantRows(**part))


def probe_moment(found: MomentMaterial, identity: ProbeIdentity, encode: Encode) -> Measured:
    """Score every variant of a moment; `encode` may raise ModelError."""
    return measure(found.material, TextEncodings(encode), identity.settings)


def search_moment(found: MomentMaterial, s0: float, encode: Encode) -> Searched:
    """The sentence that the model likes best for the moment's best frame."""
    return search_utterance(found.material, 0, TextEncodings(encode), s0)
