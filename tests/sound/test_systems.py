"""Losses, batches and training of the sound systems."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pipeline.errors import SettingsError, StudyError
from pipeline.sound.batches import batches_of_epoch
from pipeline.sound.clip_set import ClipSet, Kind, TextBlock
from pipeline.sound.heads import Heads, new_heads
from pipeline.sound.invariants import invariants, synthetic_rows
from pipeline.sound.losses import info_nce, projected
from pipeline.sound.synthetic import synthetic_sets
from pipeline.sound.systems import SYSTEMS, Modality, System, find_system, with_stand_in
from pipeline.sound.training import TrainingSettings, train
from tests.sound.clips import QUICK, SMALL, clips

TAU = torch.tensor(0.07)


@pytest.mark.parametrize("n", [2, 7, 256])
def test_the_loss_is_ln_n_where_all_similarities_are_equal(n):
    same = torch.nn.functional.normalize(torch.ones(n, 5), dim=1)
    assert float(info_nce(same, same, TAU)) == pytest.approx(math.log(n), rel=1e-5)


def test_the_loss_is_the_mean_of_rows_and_columns_of_cross_entropy():
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(6, 4)) for _ in range(2))
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    logits = x @ y.T / 0.07
    rows = np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)
    columns = np.log(np.exp(logits).sum(axis=0)) - np.diag(logits)
    found = info_nce(torch.tensor(x), torch.tensor(y), TAU.double())
    assert float(found) == pytest.approx((rows.mean() + columns.mean()) / 2, rel=1e-5)


def test_a_masked_pair_counts_neither_in_its_row_nor_in_its_column():
    same = torch.nn.functional.normalize(torch.ones(4, 3), dim=1)
    masked = torch.zeros(4, 4, dtype=torch.bool)
    masked[0, 1] = masked[1, 0] = True
    expected = (2 * math.log(3) + 2 * math.log(4)) / 4
    assert float(info_nce(same, same, TAU, masked)) == pytest.approx(expected, rel=1e-5)


def test_projected_rows_have_unit_length_whatever_the_features_length():
    features = torch.randn(5, 7) * 40
    weight = torch.randn(3, 7)
    rows = projected(features, weight)
    assert torch.allclose(rows.norm(dim=1), torch.ones(5), atol=1e-6)
    assert torch.allclose(rows, projected(features / 10, weight), atol=1e-5)


def test_a_head_commutes_with_the_mean_of_frames():
    frames = np.random.default_rng(2).normal(size=(30, 9)).astype(np.float32)
    heads = Heads(new_heads({Modality.VISUAL: 9}, 1), 0.07)
    of_mean = heads.project(Modality.VISUAL, frames.mean(axis=0, keepdims=True))
    mean_of = heads.project(Modality.VISUAL, frames).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(of_mean, mean_of, atol=1e-5)


def test_batches_hold_every_clip_once_and_depend_on_the_seed_alone():
    mine = clips(n=23)
    first, again, other = (
        list(batches_of_epoch(mine, 5, seed, epoch)) for seed, epoch in ((1, 0), (1, 0), (2, 0))
    )
    assert sorted(np.concatenate([batch.rows for batch in first])) == list(range(23))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.rows, two.rows)
        np.testing.assert_array_equal(one.text_rows[Kind.UTTERANCE], two.text_rows[Kind.UTTERANCE])
        assert one.choice == two.choice
    assert not np.array_equal(first[0].rows, other[0].rows)
    later = next(iter(batches_of_epoch(mine, 5, 1, 1)))
    assert not np.array_equal(first[0].rows, later.rows)


def test_a_clip_with_three_captions_is_seen_with_each_of_them():
    mine = clips(n=4)
    block = TextBlock(
        np.zeros((12, 8), np.float32), np.arange(12), np.array([0, 3, 6, 9, 12], np.int64)
    )
    several = ClipSet(
        mine.clip_ids,
        mine.recording,
        mine.child,
        mine.onset_ms,
        mine.offset_ms,
        mine.visual,
        mine.audio,
        {Kind.AUDIO: block},
    )
    seen = {0: set(), 1: set(), 2: set(), 3: set()}
    for epoch in range(40):
        for batch in batches_of_epoch(several, 4, 1, epoch):
            for clip, text in zip(batch.rows, batch.text_rows[Kind.AUDIO], strict=True):
                seen[int(clip)].add(int(text))
    assert seen == {clip: set(range(3 * clip, 3 * clip + 3)) for clip in range(4)}


def test_a_frozen_text_head_is_bitwise_the_same_after_the_second_stage():
    sets = synthetic_sets(1, SMALL)
    short = TrainingSettings(n_epochs=2, patience=2, batch_size=200)
    system = find_system("wav2clip-frozen")
    first_only = System(system.name, system.title, system.stages[:1])
    before = train(first_only, sets.train, sets.validation, settings=short).heads.weights
    after = train(system, sets.train, sets.validation, settings=short).heads.weights
    for modality in (Modality.TEXT, Modality.VISUAL):
        assert before[modality].tobytes() == after[modality].tobytes()
    assert Modality.AUDIO in after
    learnt = train(find_system("wav2clip"), sets.train, sets.validation, settings=short)
    assert before[Modality.TEXT].tobytes() != learnt.heads.weights[Modality.TEXT].tobytes()
    assert before[Modality.VISUAL].tobytes() == learnt.heads.weights[Modality.VISUAL].tobytes()


def test_the_same_seed_gives_the_same_heads():
    sets = synthetic_sets(1, SMALL)
    short = TrainingSettings(n_epochs=1, batch_size=200)
    one, two = (
        train(SYSTEMS[5], sets.train, sets.validation, seed=3, settings=short) for _ in range(2)
    )
    for modality in Modality:
        assert one.heads.weights[modality].tobytes() == two.heads.weights[modality].tobytes()


def test_the_seven_statements_hold_on_small_made_up_clips():
    found = invariants(synthetic_rows(1, SMALL, QUICK))
    assert len(found) == 7
    assert [one.name for one in found if not one.holds] == []


def test_a_system_that_lacks_its_captions_says_so_and_utterances_can_stand_in():
    mine = clips()
    system = find_system("slava-a-and-v")
    with pytest.raises(StudyError, match=r"captions that are missing here: audio, visual"):
        train(system, mine, mine)
    fitted = with_stand_in(system, frozenset(system.kinds), Kind.UTTERANCE)
    assert fitted.kinds == (Kind.UTTERANCE,)
    assert [term.choice for term in fitted.stages[0].terms] == [None, 1, 0]


def test_every_system_of_the_table_is_there_and_an_unknown_one_is_refused():
    assert [system.name for system in SYSTEMS] == [
        "wav2clip-frozen",
        "wav2clip",
        "audioclip",
        "slava-a-and-v",
        "slava-av2",
        "slava-av3",
        "audio-visual",
    ]
    with pytest.raises(SettingsError, match="slava"):
        find_system("slava")
