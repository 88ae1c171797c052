"""Read from a store what a probe works on: a sample, its frames, null windows and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from pipeline.align.null import draw_runs, places_in_others, places_in_same, utterance_keys
from pipeline.align.windows import FrameRanges, Spans, frame_ranges, with_nearest
from pipeline.errors import ProbeError
from pipeline.probes.draws import mixed_keys, stratified
from pipeline.probes.material import (
    Hubs,
    Material,
    ProbeUtterance,
    SampleCounts,
    UtteranceFrames,
)
from pipeline.probes.read_frames import FramesWanted, frame_times, read_mean_text, read_vectors
from pipeline.probes.read_words import read_knowledge
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.word_knowledge import WordKnowledge
from pipeline.records import Int64Array
from pipeline.tokens import tokenize

_NULL_SEED = 7_919
"""Added to the seed, so that the windows are not those that gave the store's z."""


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
    utterances, counts = _sample(con, scorer, settings, knowledge)
    utterances = _with_neighbours(con, scorer, settings, knowledge, utterances)
    kept, frames, hubs = _frames(con, scorer, settings, utterances)
    not_usable = counts.not_usable
    if len(kept) < len(utterances):
        not_usable = (*not_usable, ("no null window could be drawn", len(utterances) - len(kept)))
    counts = replace(counts, n_sampled=len(kept), not_usable=not_usable)
    if not kept:
        raise _nothing(counts)
    return Material(tuple(kept), tuple(frames), hubs, knowledge, counts, sources)


def _sample(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    knowledge: WordKnowledge,
) -> tuple[list[ProbeUtterance], SampleCounts]:
    prefix = f"{settings.crop}_strict"
    usable = f"{prefix}_z IS NOT NULL AND {prefix}_null_sd > 0 AND n_words > 0"
    n_all, n_no_frame, n_no_null, n_no_words = (
        int(value)
        for value in con.execute(
            f"""SELECT count(*), count(*) FILTER ({prefix}_max_cosine IS NULL),
                   count(*) FILTER ({prefix}_max_cosine IS NOT NULL
                                    AND ({prefix}_z IS NULL OR NOT {prefix}_null_sd > 0)),
                   count(*) FILTER ({prefix}_z IS NOT NULL AND {prefix}_null_sd > 0
                                    AND NOT n_words > 0)
                FROM scores_wide WHERE scorer = $scorer""",
            {"scorer": scorer},
        ).fetchall()[0]
    )
    why = (("no score", n_no_frame), ("no null", n_no_null), ("no words", n_no_words))
    found = con.execute(
        f"""SELECT utterance_number AS number, random_key AS key, child_id::VARCHAR AS child
            FROM scores_wide WHERE scorer = $scorer AND {usable} ORDER BY utterance_number""",
        {"scorer": scorer},
    ).fetchnumpy()
    numbers = np.asarray(found["number"], np.int64)
    counts = SampleCounts(
        n_all, len(numbers), 0, tuple((reason, count) for reason, count in why if count)
    )
    if not len(numbers):
        raise _nothing(counts)
    keys = mixed_keys(np.asarray(found["key"], np.uint64), settings.seed)
    rows = stratified(keys, [str(child) for child in found["child"]], settings.n_utterances)
    chosen = con.execute(
        f"""SELECT u.recording_id, u.utterance_id, u.child_id, u.onset_ms, u.offset_ms, u.text,
                   u.language, s.{prefix}_z, s.{prefix}_null_mean, s.{prefix}_null_sd
            FROM utterances u JOIN scores_wide s USING (utterance_number)
            WHERE s.scorer = $scorer AND list_contains($numbers, u.utterance_number)
            ORDER BY u.recording_id, u.onset_ms, u.utterance_id""",
        {"scorer": scorer, "numbers": numbers[rows].tolist()},
    ).fetchall()
    return [_utterance(row, knowledge) for row in chosen], counts


def _utterance(row: Sequence[object], knowledge: WordKnowledge) -> ProbeUtterance:
    recording_id, utterance_id, child_id, onset_ms, offset_ms, text, named, *numbers = row
    language = knowledge.language(None if named is None else str(named))
    z, null_mean, null_sd = (float(str(number)) for number in numbers)
    return ProbeUtterance(
        str(recording_id),
        str(utterance_id),
        str(child_id),
        int(str(onset_ms)),
        int(str(offset_ms)),
        str(text),
        language,
        tuple(knowledge.word(token, language) for token in tokenize(str(text))),
        z,
        null_mean,
        null_sd,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """Another utterance of a recording: when, with what z, and the object nouns in it."""

    onset_ms: int
    offset_ms: int
    utterance_id: str
    is_hit: bool
    objects: tuple[tuple[str, str], ...]

    def gap_ms(self, utterance: ProbeUtterance) -> int:
        """Time between the two; 0 or less when they overlap."""
        return max(utterance.onset_ms - self.offset_ms, self.onset_ms - utterance.offset_ms)


def _with_neighbours(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    knowledge: WordKnowledge,
    utterances: Sequence[ProbeUtterance],
) -> list[ProbeUtterance]:
    """The utterances with what else was said near them."""
    said = _said(con, scorer, settings, knowledge, sorted({u.recording_id for u in utterances}))
    result = []
    for utterance in utterances:
        others = said.get(utterance.recording_id, ())
        near = [other for other in others if other.gap_ms(utterance) < settings.said_ms]
        own = {word.lemma for word in utterance.words}
        nearby = dict.fromkeys(
            token
            for other in near
            if other.is_hit
            and other.utterance_id != utterance.utterance_id
            and other.gap_ms(utterance) < settings.present_ms
            for token, lemma in other.objects
            if lemma not in own
        )
        lemmas = frozenset(lemma for other in near for _, lemma in other.objects)
        result.append(replace(utterance, nearby=tuple(nearby), said_near=lemmas))
    return result


def _said(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    knowledge: WordKnowledge,
    recordings: Sequence[str],
) -> Mapping[str, list[_Said]]:
    rows = con.execute(
        f"""SELECT u.recording_id, u.onset_ms, u.offset_ms, u.utterance_id, u.text, u.language,
                   coalesce(s.{settings.crop}_strict_z >= $hit_z, false)
            FROM utterances u JOIN scores_wide s USING (utterance_number)
            WHERE s.scorer = $scorer AND list_contains($recordings, u.recording_id)
            ORDER BY u.recording_id, u.onset_ms, u.utterance_id""",
        {"scorer": scorer, "recordings": list(recordings), "hit_z": settings.hit_z},
    ).fetchall()
    said: dict[str, list[_Said]] = {}
    for recording_id, onset_ms, offset_ms, utterance_id, text, named, is_hit in rows:
        language = knowledge.language(named)
        words = [knowledge.word(token, language) for token in tokenize(text)]
        objects = tuple((word.token, word.lemma) for word in words if word.is_object)
        if objects:
            said.setdefault(recording_id, []).append(
                _Said(onset_ms, offset_ms, utterance_id, is_hit, objects)
            )
    return said


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
    plans: list[tuple[ProbeUtterance, Int64Array, Int64Array, int, Int64Array]] = []
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
        others = times.others_of(mine[0].child_id, recording_id)
        if others:
            sizes = [len(times.of_recording[other]) for other in others]
            starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
            places = places_in_others(starts, sizes)
            pool = [(other, int(t)) for other in others for t in times.of_recording[other]]
        else:
            places = places_in_same(spans, own)
            pool = [(recording_id, int(t)) for t in own]
        runs = draw_runs(ranges, places, keys, settings.n_null)
        for row, utterance in enumerate(mine):
            if not runs.n_frames[row]:
                continue
            chosen = own[_span(ranges, row)]
            n = len(chosen)
            window = wanted.rows((recording_id, int(t)) for t in chosen)
            null = np.stack(
                [wanted.rows(pool[int(first) : int(first) + n]) for first in runs.first[row]]
            )
            centre = (utterance.onset_ms + utterance.offset_ms - 1) / 2
            middle = int(np.argmin(np.abs(chosen - centre)))
            plans.append((utterance, window, null, middle, chosen))
    if not plans:
        return [], [], {}
    vectors = read_vectors(con, scorer, settings.crop, wanted)
    frames = [
        UtteranceFrames(vectors[window], vectors[null], middle, chosen)
        for _, window, null, middle, chosen in plans
    ]
    kept = [utterance for utterance, *_ in plans]
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


def _nothing(counts: SampleCounts) -> ProbeError:
    reasons = "; ".join(f"{count:,} have {reason}" for reason, count in counts.not_usable)
    return ProbeError(
        f"None of the {counts.n_utterances:,} utterances can be probed"
        + (f": {reasons}." if reasons else "."),
        hint="A probe needs utterances with words, frames and a matched null: run the study whole.",
    )
