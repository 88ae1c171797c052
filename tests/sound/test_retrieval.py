"""Recall within recordings and among all clips, its chance level and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import StudyError
from pipeline.sound.clip_set import Kind
from pipeline.sound.evaluate import evaluate, pooled_warnings
from pipeline.sound.heads import Heads
from pipeline.sound.pair_scores import Pair, Quadrant, pair_scores, quadrants
from pipeline.sound.recall import find_hits, recall_of
from pipeline.sound.retrieval import Query, Scope, retrieve
from pipeline.sound.splits import SplitBy, folds, split_clips
from pipeline.sound.synthetic import room_only_sets
from pipeline.sound.systems import Modality, find_system
from pipeline.sound.training import TrainingSettings, train
from tests.sound.clips import clips

V_BY_A = Query(Modality.VISUAL, Modality.AUDIO)


def _same_space(dim: int = 8) -> Heads:
    return Heads({modality: np.eye(dim, dtype=np.float32) for modality in Modality}, 0.07)


def test_recall_counts_own_clips_among_the_ten_best():
    similarity = np.tile(np.arange(40, dtype=np.float32), (40, 1))
    own = np.arange(40)
    hits = find_hits(similarity, own, np.ones((40, 40), bool))
    assert hits.hit.sum() == 10
    found = recall_of(hits)
    assert found is not None
    assert (found.recall, found.chance, found.n) == (0.25, 0.25, 40)
    assert found.lower < 0.25 < found.upper


def test_equal_similarities_give_exactly_chance():
    hits = find_hits(np.zeros((30, 30), np.float32), np.arange(30), np.ones((30, 30), bool))
    assert hits.hit.mean() == pytest.approx(hits.chance.mean())


def test_queries_with_no_more_than_ten_candidates_are_left_out_and_counted():
    candidates = np.zeros((2, 20), bool)
    candidates[0, :10] = candidates[1, :11] = True
    hits = find_hits(np.zeros((2, 20), np.float32), np.array([0, 1]), candidates)
    assert (len(hits.hit), hits.n_left_out) == (1, 1)
    assert hits.chance.tolist() == [10 / 11]


def test_where_every_clip_is_found_the_interval_still_has_a_lower_end():
    n = 25
    hits = find_hits(np.eye(n, dtype=np.float32), np.arange(n), np.ones((n, n), bool))
    found = recall_of(hits)
    assert found is not None
    assert (found.recall, found.upper) == (1.0, 1.0)
    assert found.lower == pytest.approx(0.025 ** (1 / n))


def test_overlapping_clips_and_equal_texts_are_no_candidates():
    mine = clips(n=30, n_recordings=1, step_ms=5_000, texts=[0] * 5 + list(range(1, 26)))
    by_sound = retrieve(_same_space(), mine, V_BY_A, Scope.POOLED)
    assert set(np.round(10 / by_sound.chance).astype(int)) == {28, 29}
    by_text = retrieve(
        _same_space(), mine, Query(Modality.VISUAL, Modality.TEXT, Kind.UTTERANCE), Scope.POOLED
    )
    n_candidates = np.round(10 / by_text.chance).astype(int).tolist()
    # The third of five clips with one text: without these and its two overlapping neighbours.
    assert (n_candidates[2], n_candidates[15]) == (26, 28)


def test_sound_and_picture_that_share_only_the_room_are_at_chance_within_a_recording():
    sets = room_only_sets(1, n_recordings=45, n_clips=14)
    system = find_system("audio-visual")
    settings = TrainingSettings(n_epochs=6, batch_size=128)
    heads = train(system, sets.train, sets.validation, settings=settings).heads
    rows = evaluate(heads, system.name, sets.test)
    within, pooled = (row for row in rows if row.query == "audio")
    assert (within.scope, pooled.scope) == ("within-recording", "pooled")
    assert within.lower <= within.chance <= within.upper
    assert pooled.recall_at_10 > 3 * pooled.chance
    assert any("the room only" in warning for warning in pooled_warnings(rows))


def test_no_recording_is_both_learnt_from_and_tested_on():
    mine = clips(n=60, n_recordings=10)
    for by in SplitBy:
        sets = split_clips(mine, by, seed=2)
        groups = [
            set((part.recording if by is SplitBy.RECORDING else part.child).tolist())
            for part in (sets.train, sets.validation, sets.test)
        ]
        assert all(groups)
        assert not groups[0] & groups[1]
        assert not (groups[0] | groups[1]) & groups[2]
    parts = folds(mine, SplitBy.RECORDING, 1, 5)
    assert sorted(np.concatenate(parts)) == list(range(10))
    with pytest.raises(StudyError, match="from 1 child"):
        split_clips(clips(n_recordings=2), SplitBy.CHILD, 1)


def test_scores_are_beside_a_null_of_the_same_recording():
    mine = clips(n=80, n_recordings=4, dim=32)
    aligned = clips(n=80, n_recordings=4, dim=32)
    noise = np.random.default_rng(5).normal(size=(80, 32)).astype(np.float32)
    shown = type(mine)(
        mine.clip_ids,
        mine.recording,
        mine.child,
        mine.onset_ms,
        mine.offset_ms,
        aligned.texts[Kind.UTTERANCE].vectors + 0.5 * noise,
        mine.audio,
        mine.texts,
    )
    found = {one.pair: one for one in pair_scores(_same_space(32), shown, Kind.UTTERANCE, 1)}
    assert set(found) == set(Pair)
    assert found[Pair.SEE_SAY].within.z.min() > 2
    assert abs(float(found[Pair.HEAR_SAY].within.z.mean())) < 0.4
    assert set(found[Pair.SEE_SAY].within.n_nulls.tolist()) == {19}
    assert set(found[Pair.SEE_SAY].others.n_nulls.tolist()) == {20}


def test_too_few_nulls_give_no_z():
    found = pair_scores(_same_space(), clips(n=16, n_recordings=4), Kind.UTTERANCE, 1)
    assert all(np.isnan(one.within.z).all() for one in found)
    assert all(np.isfinite(one.cosine).all() for one in found)


def test_quadrants_need_both_scores():
    see = np.array([3.0, 3.0, 0.0, 0.0, np.nan], np.float32)
    hear = np.array([3.0, 0.0, 3.0, 0.0, 3.0], np.float32)
    assert quadrants(see, hear) == [
        Quadrant.BOTH,
        Quadrant.SEEN,
        Quadrant.HEARD,
        Quadrant.NEITHER,
        None,
    ]
