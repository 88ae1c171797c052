"""Which utterances a probe is about: drawn by child, with what was said near them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from pipeline.errors import ProbeError
from pipeline.probes.draws import mixed_keys, stratified
from pipeline.probes.material import ProbeUtterance, SampleCounts
from pipeline.probes.settings import ProbeSettings
from pipeline.tokens import tokenize
from pipeline.word_knowledge import WordKnowledge


def sample(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
) -> tuple[list[int], SampleCounts]:
    """Utterance numbers of the sample, and why others could not be drawn."""
    prefix = f"{settings.crop}_strict"
    n_all, n_no_frame, n_no_null, n_no_words = (
        int(value)
        for value in con.execute(
            f"""SELECT count(*), count(*) FILTER ({prefix}_max_cosine IS NULL),
                   count(*) FILTER ({prefix}_max_cosine IS NOT NULL
                                    AND ({prefix}_z IS NULL OR NOT {prefix}_null_sd > 0)),
                   count(*) FILTER ({prefix}_z IS NOT NULL AND {prefix}_null_sd > 0
                                    AND NOT {_HAS_WORDS})
                FROM scores_wide WHERE scorer = $scorer""",
            {"scorer": scorer},
        ).fetchall()[0]
    )
    why = (("no score", n_no_frame), ("no null", n_no_null), ("no words", n_no_words))
    found = con.execute(
        f"""SELECT utterance_number AS number, random_key AS key, child_id::VARCHAR AS child
            FROM scores_wide WHERE scorer = $scorer AND {usable(settings)}
            ORDER BY utterance_number""",
        {"scorer": scorer},
    ).fetchnumpy()
    numbers = np.asarray(found["number"], np.int64)
    counts = SampleCounts(
        n_all, len(numbers), 0, tuple((reason, count) for reason, count in why if count)
    )
    if not len(numbers):
        raise nothing_usable(counts)
    keys = mixed_keys(np.asarray(found["key"], np.uint64), settings.seed)
    rows = stratified(keys, [str(child) for child in found["child"]], settings.n_utterances)
    return numbers[rows].tolist(), counts


_HAS_WORDS = """(n_words > 0 AND recording_id::VARCHAR NOT IN
    (SELECT recording_id FROM recordings WHERE permission = 'scores_only'))"""


def usable(settings: ProbeSettings) -> str:
    """SQL condition on scores_wide: words that may be shown, a score and a null."""
    prefix = f"{settings.crop}_strict"
    return f"({prefix}_z IS NOT NULL AND {prefix}_null_sd > 0 AND {_HAS_WORDS})"


def sampled(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    settings: ProbeSettings,
    knowledge: WordKnowledge,
    numbers: Sequence[int],
) -> list[ProbeUtterance]:
    """Utterances by their numbers, in order of recording and time."""
    prefix = f"{settings.crop}_strict"
    chosen = con.execute(
        f"""SELECT u.recording_id, u.utterance_id, u.child_id, u.onset_ms, u.offset_ms, u.text,
                   u.language, s.{prefix}_z, s.{prefix}_null_mean, s.{prefix}_null_sd
            FROM utterances u JOIN scores_wide s USING (utterance_number)
            WHERE s.scorer = $scorer AND u.utterance_number IN (SELECT unnest($numbers))
            ORDER BY u.recording_id, u.onset_ms, u.utterance_id""",
        {"scorer": scorer, "numbers": list(numbers)},
    ).fetchall()
    return [_utterance(row, knowledge) for row in chosen]


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


def with_neighbours(
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
            WHERE s.scorer = $scorer AND u.recording_id IN (SELECT unnest($recordings))
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


def nothing_usable(counts: SampleCounts) -> ProbeError:
    """The error for a store in which nothing can be probed."""
    reasons = "; ".join(f"{count:,} have {reason}" for reason, count in counts.not_usable)
    return ProbeError(
        f"None of the {counts.n_utterances:,} utterances can be probed"
        + (f": {reasons}." if reasons else "."),
        hint="A probe needs utterances with words, frames and a matched null: run the study whole.",
    )
