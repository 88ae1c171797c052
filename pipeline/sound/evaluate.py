"""The recall table of a system: within recordings first, then pooled, each beside chance."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sound.clip_set import ClipSet, Kind
from pipeline.sound.heads import Heads
from pipeline.sound.recall import K, recall_of
from pipeline.sound.retrieval import Query, Scope, retrieve
from pipeline.sound.systems import Modality
from pipeline.sound.threads import one_thread
from pipeline.sound_results import RecallRow

QUERY_NAMES: dict[Kind, str] = {
    Kind.VISUAL: "visual captions",
    Kind.AUDIO: "audio captions",
    Kind.AUDIO_VISUAL: "audio-visual captions",
    Kind.UTTERANCE: "utterances",
}

QUERIES: tuple[Query, ...] = (
    *(Query(Modality.VISUAL, Modality.TEXT, kind) for kind in Kind),
    Query(Modality.VISUAL, Modality.AUDIO),
    *(Query(Modality.AUDIO, Modality.TEXT, kind) for kind in Kind),
)


def query_name(query: Query) -> str:
    """The query in words, as the table shows it."""
    return query.by.value if query.kind is None else QUERY_NAMES[query.kind]


def evaluate(
    heads: Heads, system: str, test: ClipSet, *, seed: int = 1, text: str = ""
) -> list[RecallRow]:
    """Rows of one system for every query that its heads and the clips' texts allow."""
    with one_thread():
        return _rows(heads, system, test, seed, text)


def _rows(heads: Heads, system: str, test: ClipSet, seed: int, text: str) -> list[RecallRow]:
    rows = []
    for query in QUERIES:
        if query.kind is not None and query.kind not in test.texts:
            continue
        if not heads.has(query.gallery, query.by):
            continue
        for scope in Scope:
            hits = retrieve(heads, test, query, scope)
            found = recall_of(hits)
            if found is not None:
                rows.append(
                    RecallRow(
                        system=system,
                        gallery=query.gallery.value,
                        query=query_name(query),
                        scope=scope.value,
                        recall_at_10=found.recall,
                        lower=found.lower,
                        upper=found.upper,
                        chance=found.chance,
                        n=found.n,
                        n_left_out=hits.n_left_out,
                        seed=seed,
                        text=text,
                    )
                )
    return rows


_GALLERY_WORDS = {Modality.VISUAL.value: "the picture", Modality.AUDIO.value: "the sound"}


def _query_words(query: str) -> str:
    return "sound" if query == Modality.AUDIO.value else query


def pooled_warnings(rows: Sequence[RecallRow]) -> list[str]:
    """Where pooled recall is above chance although recall within recordings is not.

    Sound and picture of one recording share a room; telling rooms apart is no alignment.
    """
    within = {
        (row.system, row.seed, row.gallery, row.query): row
        for row in rows
        if row.scope == Scope.WITHIN.value
    }
    warnings = []
    for row in rows:
        if row.scope != Scope.POOLED.value or row.lower <= row.chance:
            continue
        same = within.get((row.system, row.seed, row.gallery, row.query))
        if same is not None and same.lower <= same.chance:
            warnings.append(
                f"{row.system} finds {_GALLERY_WORDS[row.gallery]} by {_query_words(row.query)} "
                f"among all recordings (recall at {K} {row.recall_at_10:.2f}, chance "
                f"{row.chance:.2f}) but not within one ({same.recall_at_10:.2f}, chance "
                f"{same.chance:.2f}): what it recognises may be the room only."
            )
    return warnings
