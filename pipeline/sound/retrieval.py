"""Retrieving clips by heads: who is a candidate, and recall in one recording or in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pipeline.records import Float32Array, Int64Array
from pipeline.sound.clip_set import Booleans, ClipSet, Kind
from pipeline.sound.heads import Heads
from pipeline.sound.recall import Hits, find_hits
from pipeline.sound.systems import Modality, Term


class Scope(str, Enum):
    """Among which clips is searched."""

    WITHIN = "within-recording"
    POOLED = "pooled"


@dataclass(frozen=True, slots=True)
class Query:
    """Texts of a kind, or the other modality of the clips, that look for clips of `gallery`."""

    gallery: Modality
    by: Modality
    kind: Kind | None = None


def retrieve(heads: Heads, clips: ClipSet, query: Query, scope: Scope) -> Hits:
    """Hits of every query of the clips.

    Clips that overlap the own one, and in queries by text those with an equal text, would be
    right answers too: they are no candidates.
    """
    gallery = heads.place(query.gallery, _features(clips, query.gallery))
    if query.by is Modality.TEXT:
        assert query.kind is not None
        block = clips.texts[query.kind]
        asking = heads.place(Modality.TEXT, block.vectors)
        own = np.repeat(np.arange(len(clips)), block.counts).astype(np.int64)
        is_right = clips.overlaps()[own] | _equal_texts(block.group, own, len(clips))
    else:
        asking = heads.place(query.by, _features(clips, query.by))
        own = np.arange(len(clips), dtype=np.int64)
        is_right = clips.overlaps()
    is_candidate = ~is_right
    is_candidate[np.arange(len(own)), own] = True
    if scope is Scope.WITHIN:
        is_candidate &= clips.recording[own][:, None] == clips.recording[None, :]
    return find_hits(asking @ gallery.T, own, is_candidate)


def selection_recall(heads: Heads, terms: Sequence[Term], validation: ClipSet) -> float:
    """Mean recall over the terms, both ways round; what the kept epoch is chosen by.

    Within recordings where at least half of the clips have enough others there, else pooled: a
    model must not be chosen for knowing rooms apart.
    """
    scope = Scope.WITHIN
    recalls = []
    for term in terms:
        for gallery, by in ((term.x, term.y), (term.y, term.x)):
            if gallery is Modality.TEXT:
                continue
            query = Query(gallery, by, term.kind if by is Modality.TEXT else None)
            hits = retrieve(heads, validation, query, scope)
            if len(hits.hit) < hits.n_left_out:
                scope = Scope.POOLED
                hits = retrieve(heads, validation, query, scope)
            recalls.append(float(hits.hit.mean()) if len(hits.hit) else 0.0)
    return float(np.mean(recalls))


def _features(clips: ClipSet, modality: Modality) -> Float32Array:
    return clips.visual if modality is Modality.VISUAL else clips.audio


def _equal_texts(group: Int64Array, own: Int64Array, n_clips: int) -> Booleans:
    """Whether clip j has a text equal to query i: bool (q, n_clips)."""
    _, number = np.unique(group, return_inverse=True)
    has = np.zeros((int(number.max(initial=-1)) + 1, n_clips), np.bool_)
    has[number, own] = True
    return has[number]
