"""Read from a store what a probe works on: a sample, its frames, null windows and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from pipeline.align.null import draw_runs, places_in_others, places_in_same, utterance_keys
from pipeline.align.windows import FrameRanges, Spans, frame_ranges, with_nearest
from pipeline.probes.material import (
    Hubs,
    Material,
    ProbeUtterance,
    SampleCounts,
    UtteranceFrames,
)
from pipeline.probes.read_frames import FramesWanted, frame_times, read_mean_text, read_vectors
from pipeline.probes.read_sample import nothing_usable, sample, sampled, usable, with_neighbours
from pipeline.probes.read_words import read_knowledge
from pipeline.probes.settings import ProbeSettings
from pipeline.records import Int64Array
from pipeline.word_knowledge import WordKnowledge

Words = tuple[WordKnowledge, str]
"""What is known of the words of a study, and where from."""

_NULL_SEED = 7_919
"""Added to the seed, so that the windows are not those that gave the store's z."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Which frames belong to an utterance: rows of the vectors, as `UtteranceFrames` has them."""

    utterance: ProbeUtterance
    window: Int64Array
    null: Int64Array
    middle: int
    times_ms: Int64Array
    null_frames: tuple[tuple[tuple[str, int], ...], ...]


def read_material(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    default_language: str = "",
) -> Material:
    """Draw the sample and read all that belongs to it.

    Raises ProbeError when no utterance has words, a score and a null.
    """
    knowledge, sources = read_knowledge(con, default_language)
    numbers, counts = sample(con, scorer, settings)
    return _material(con, scorer, settings, numbers, counts, knowledge, sources)


def read_moment(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    recording_id: str,
    utterance_id: str,
    words: Words,
) -> Material:
    """What a probe of one utterance needs, whether it is in a sample or not.

    words: as `read_knowledge` gives them. Raises ProbeError when the utterance has no words, no
    score or no null.
    """
    knowledge, sources = words
    prefix = f"{settings.crop}_strict"
    rows = con.execute(
        f"""SELECT utterance_number, {usable(settings)}, {prefix}_z IS NULL FROM scores_wide
            WHERE scorer = $scorer AND recording_id = $recording AND utterance_id = $utterance""",
        {"scorer": scorer, "recording": recording_id, "utterance": utterance_id},
    ).fetchall()
    numbers = [int(number) for number, is_usable, _ in rows if is_usable]
    why = "no score or null" if rows and rows[0][2] else "no words"
    counts = SampleCounts(len(rows), len(numbers), 0, () if numbers else ((why, len(rows)),))
    if not numbers:
        raise nothing_usable(counts)
    return _material(con, scorer, settings, numbers, counts, knowledge, sources)


def _material(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    numbers: Sequence[int],
    counts: SampleCounts,
    knowledge: WordKnowledge,
    sources: str,
) -> Material:
    utterances = sampled(con, scorer, settings, knowledge, numbers)
    utterances = with_neighbours(con, scorer, settings, knowledge, utterances)
    kept, frames, hubs = _frames(con, scorer, settings, utterances)
    not_usable = counts.not_usable
    if len(kept) < len(utterances):
        not_usable = (*not_usable, ("no null window could be drawn", len(utterances) - len(kept)))
    counts = replace(counts, n_sampled=len(kept), not_usable=not_usable)
    if not kept:
        raise nothing_usable(counts)
    return Material(tuple(kept), tuple(frames), hubs, knowledge, counts, sources)


def _frames(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    utterances: Sequence[ProbeUtterance],
) -> tuple[list[ProbeUtterance], list[UtteranceFrames], dict[str, Hubs]]:
    """Utterances whose null windows could be drawn, and their frames, in the same order; and the
    hubs of each child."""
    children = sorted({utterance.child_id for utterance in utterances})
    times = frame_times(con, children)
    wanted = FramesWanted()
    plans: list[_Plan] = []
    by_recording: dict[str, list[ProbeUtterance]] = {}
    for utterance in utterances:
        by_recording.setdefault(utterance.recording_id, []).append(utterance)
    for recording_id, mine in by_recording.items():
        own = times.of_recording[recording_id]
        spans = Spans(
            np.array([u.onset_ms for u in mine], np.int64),
            np.array([u.offset_ms for u in mine], np.int64),
        )
        ranges = frame_ranges(spans, own, (0,))
        # A score without a frame inside took the nearest one.
        ranges = with_nearest(ranges, spans, own, float(np.iinfo(np.int64).max))
        keys = utterance_keys(
            recording_id, [u.utterance_id for u in mine], settings.seed + _NULL_SEED
        )
        pool = times.others_of(mine[0].child_id, recording_id)
        if pool:
            sizes = [len(times.of_recording[other]) for other in pool]
            starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
            places = places_in_others(starts, sizes, np.full(len(mine), -1, np.int64))
        else:
            pool = (recording_id,)
            places = places_in_same(spans, own)
        runs = draw_runs(ranges, places, keys, settings.n_null)
        for row, utterance in enumerate(mine):
            if not runs.n_frames[row]:
                continue
            chosen = own[_span(ranges, row)]
            n = len(chosen)
            window = wanted.rows((recording_id, int(t)) for t in chosen)
            elsewhere = tuple(tuple(times.run(pool, int(one), n)) for one in runs.first[row])
            null = np.stack([wanted.rows(frames) for frames in elsewhere])
            centre = (utterance.onset_ms + utterance.offset_ms - 1) / 2
            middle = int(np.argmin(np.abs(chosen - centre)))
            plans.append(_Plan(utterance, window, null, middle, chosen, elsewhere))
    if not plans:
        return [], [], {}
    vectors = read_vectors(con, scorer, settings.crop, wanted)
    frames = [
        UtteranceFrames(
            vectors[plan.window], vectors[plan.null], plan.middle, plan.times_ms, plan.null_frames
        )
        for plan in plans
    ]
    kept = [plan.utterance for plan in plans]
    text = read_mean_text(con, scorer, [(u.recording_id, u.utterance_id) for u in kept])
    owner = np.array([times.child_of(recording) for recording, _ in wanted.frames()], object)
    hubs = {
        child: Hubs(text, vectors[owner == child].mean(axis=0))
        for child in sorted({utterance.child_id for utterance in kept})
    }
    return kept, frames, hubs


def _span(ranges: FrameRanges, row: int) -> slice:
    first = int(ranges.first[row, 0])
    return slice(first, first + int(ranges.n_frames[row, 0]))
