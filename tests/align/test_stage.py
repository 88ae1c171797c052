"""Scores of whole recordings against a slow reference and against what chance must give."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from pipeline.align.stage import AlignInput, align_recording
from pipeline.align.windows import used_nearest
from pipeline.config import AlignSettings
from pipeline.errors import AlignmentError
from pipeline.records import Crop
from pipeline.results import CropEmbeddings
from pipeline.schema import SCORE_STATISTICS, WINDOWS
from tests.align import reference
from tests.align.worlds import (
    MODEL,
    frames_at,
    random_spans,
    texts_for,
    transcript_of,
    unit_rows,
)

STATISTIC = {column.name: index for index, column in enumerate(SCORE_STATISTICS)}


def an_input(rng, recording_id="a", n=20, seconds=120, **kwargs):
    transcript = transcript_of(recording_id, random_spans(rng, n, seconds * 1000))
    frames = frames_at(recording_id, np.arange(seconds) * 1000 + 33, rng, **kwargs)
    return AlignInput(transcript, frames, texts_for(transcript, rng))


def assert_same_scores(alignment, expected):
    n_frames, statistics, missing = expected
    assert np.array_equal(alignment.n_frames, n_frames)
    assert list(alignment.missing_reason) == missing
    for name, index in STATISTIC.items():
        slack = 2e-4 if "z" in name.split("_") else 3e-6
        np.testing.assert_allclose(
            alignment.statistics[..., index], statistics[..., index], atol=slack, err_msg=name
        )


def assert_identical(one, other):
    assert one.missing_reason == other.missing_reason
    assert np.array_equal(one.statistics, other.statistics, equal_nan=True)
    assert np.array_equal(one.lags.cosines, other.lags.cosines)


@pytest.mark.parametrize("sub_second", ["null", "nearest"])
def test_every_statistic_agrees_with_the_definition(sub_second):
    rng = np.random.default_rng(1)
    target = an_input(rng, n=25, seconds=90)
    pool = [
        target.frames,
        frames_at("c", np.arange(40) * 1000, rng),
        frames_at("b", np.arange(7) * 1000, rng),
        frames_at("empty", [], rng),
    ]
    settings = AlignSettings(null_draws=12, sub_second=sub_second)
    alignment = align_recording(target, pool, settings)
    assert alignment.crops == tuple(Crop)
    assert_same_scores(alignment, reference.scores(target, pool, settings))
    reasons = set(alignment.missing_reason)
    assert reasons == ({"", "no_frame_in_window"} if sub_second == "null" else {""})


def test_sparse_and_irregular_frames_agree_with_the_definition():
    rng = np.random.default_rng(2)
    transcript = transcript_of("a", random_spans(rng, 30, 200_000, longest_ms=9_000))
    times = np.sort(rng.choice(200_000, 60, replace=False))
    target = AlignInput(transcript, frames_at("a", times, rng), texts_for(transcript, rng))
    pool = [frames_at("b", np.sort(rng.choice(90_000, 30, replace=False)), rng)]
    settings = AlignSettings(null_draws=10, seed=9)
    alignment = align_recording(target, pool, settings)
    assert_same_scores(alignment, reference.scores(target, pool, settings))
    assert not np.any(alignment.n_frames[:, 2] == 0) or "no_frame_in_window" in (
        alignment.missing_reason
    )


def test_the_lag_table_holds_every_frame_within_ten_seconds():
    rng = np.random.default_rng(3)
    target = an_input(rng, n=12, seconds=60)
    lags = align_recording(target, [], AlignSettings()).lags
    spans = [(u.span.onset_ms, u.span.offset_ms) for u in target.transcript.utterances]
    rows = list(zip(lags.utterance_row, lags.time_ms, lags.lag_ms, strict=True))
    assert rows == reference.lag_rows(target.frames, spans)
    at = len(rows) // 2
    frame = int(np.flatnonzero(target.frames.times_ms == lags.time_ms[at])[0])
    text = target.texts.vectors[lags.utterance_row[at]]
    for index, crop in enumerate(Crop):
        expected = reference.cosine(text, target.frames, crop, frame)
        assert lags.cosines[at, index] == pytest.approx(expected, abs=1e-6)


def test_the_score_is_exactly_the_largest_cosine_of_the_lag_table():
    rng = np.random.default_rng(4)
    alignment = align_recording(an_input(rng, n=30), [], AlignSettings())
    lags = alignment.lags
    for row in range(30):
        for window, width in enumerate(WINDOWS.values()):
            members = (lags.utterance_row == row) & (np.abs(lags.lag_ms) <= width)
            assert alignment.n_frames[row, window] == members.sum()
            if members.any():
                largest = lags.cosines[members].max(axis=0)
                assert np.array_equal(alignment.statistics[row, :, window, 0], largest)


def test_results_depend_neither_on_order_nor_threads_nor_the_targets_place_in_the_pool():
    rng = np.random.default_rng(5)
    target = an_input(rng, n=40)
    pool = [frames_at(name, np.arange(50 + 9 * i) * 1000, rng) for i, name in enumerate("dbc")]
    settings = AlignSettings(null_draws=20)
    first = align_recording(target, pool, settings)
    assert_identical(first, align_recording(target, [*pool[::-1], target.frames], settings))
    assert_identical(first, align_recording(target, pool, settings, n_threads=3))


def test_an_utterances_scores_do_not_depend_on_the_others():
    rng = np.random.default_rng(6)
    target = an_input(rng, n=30)
    pool = [frames_at("b", np.arange(80) * 1000, rng)]
    whole = align_recording(target, pool, AlignSettings())
    kept = [3, 11, 12, 29]
    fewer = AlignInput(
        replace(
            target.transcript,
            utterances=tuple(target.transcript.utterances[row] for row in kept),
        ),
        target.frames,
        replace(
            target.texts,
            utterance_ids=tuple(target.texts.utterance_ids[row] for row in kept),
            vectors=target.texts.vectors[kept],
        ),
    )
    part = align_recording(fewer, pool, AlignSettings())
    assert np.array_equal(part.statistics, whole.statistics[kept], equal_nan=True)


def test_another_seed_gives_another_null_and_the_same_scores():
    rng = np.random.default_rng(7)
    target = an_input(rng)
    pool = [frames_at("b", np.arange(80) * 1000, rng)]
    one = align_recording(target, pool, AlignSettings(seed=1)).statistics
    two = align_recording(target, pool, AlignSettings(seed=2)).statistics
    assert np.array_equal(one[..., :3], two[..., :3], equal_nan=True)
    has_score = ~np.isnan(one[..., 0])
    assert np.mean(one[has_score][:, 3] == two[has_score][:, 3]) < 0.01


def test_text_embeddings_are_matched_by_id():
    rng = np.random.default_rng(8)
    target = an_input(rng)
    order = rng.permutation(len(target.texts.utterance_ids))
    shuffled = replace(
        target.texts,
        utterance_ids=tuple(target.texts.utterance_ids[row] for row in order),
        vectors=target.texts.vectors[order],
    )
    pool = [frames_at("b", np.arange(80) * 1000, rng)]
    assert_identical(
        align_recording(target, pool, AlignSettings()),
        align_recording(replace(target, texts=shuffled), pool, AlignSettings()),
    )


def test_without_other_recordings_null_windows_are_over_a_minute_away():
    rng = np.random.default_rng(9)
    target = an_input(rng, n=40, seconds=150)
    settings = AlignSettings(null_draws=15)
    alignment = align_recording(target, [target.frames], settings)
    assert_same_scores(alignment, reference.scores(target, [target.frames], settings))


def test_frames_within_a_minute_never_enter_the_null_of_the_same_recording():
    rng = np.random.default_rng(10)
    frames = frames_at("a", np.arange(400) * 1000, rng, crops=(Crop.CENTER,))
    transcript = transcript_of("a", [(200_000, 203_000)])
    texts = texts_for(transcript, rng)
    vectors = frames.vectors(Crop.CENTER).copy()
    lags = np.array([reference.lag(int(t), 200_000, 203_000) for t in frames.times_ms])
    vectors[np.abs(lags) <= 60_000] = texts.vectors[0]
    frames = replace(frames, crops=(CropEmbeddings(Crop.CENTER, vectors),))
    alignment = align_recording(
        AlignInput(transcript, frames, texts), [], AlignSettings(null_draws=2_000)
    )
    assert alignment.statistics[0, 0, :, STATISTIC["max_cosine"]] == pytest.approx(1.0, abs=1e-4)
    assert alignment.statistics[0, 0, :, STATISTIC["p"]] == pytest.approx(1 / 2_001)


def test_without_any_place_for_a_null_the_score_stays_and_the_reason_is_given():
    rng = np.random.default_rng(11)
    target = an_input(rng, n=30, seconds=50)
    alignment = align_recording(target, [], AlignSettings())
    has_score = alignment.n_frames[:, 0] > 0
    assert {alignment.missing_reason[row] for row in np.flatnonzero(has_score)} == {"no_null"}
    assert not np.isnan(alignment.statistics[has_score][..., :3]).any()
    assert np.isnan(alignment.statistics[..., 3:]).all()


def test_a_window_longer_than_every_other_recording_loses_only_its_own_null():
    rng = np.random.default_rng(12)
    transcript = transcript_of("a", [(20_000, 25_000)])
    target = AlignInput(
        transcript, frames_at("a", np.arange(60) * 1000, rng), texts_for(transcript, rng)
    )
    pool = [frames_at("b", np.arange(8) * 1000, rng), frames_at("c", np.arange(3) * 1000, rng)]
    settings = AlignSettings(null_draws=11)
    alignment = align_recording(target, pool, settings)
    assert alignment.n_frames.tolist() == [[5, 7, 9]]
    null_mean = alignment.statistics[0, :, :, STATISTIC["null_mean"]]
    assert np.isnan(null_mean).tolist() == [[False, False, True]] * 4
    assert alignment.missing_reason == ("",)
    assert_same_scores(alignment, reference.scores(target, pool, settings))


def test_scores_of_random_vectors_are_standard_normal_against_their_null():
    rng = np.random.default_rng(13)
    model = replace(MODEL, dim=128)
    target_transcript = transcript_of("a", random_spans(rng, 3_000, 1_500_000))
    target = AlignInput(
        target_transcript,
        frames_at("a", np.arange(1_500) * 1000, rng, crops=(Crop.CENTER,), model=model),
        texts_for(target_transcript, rng, model=model),
    )
    pool = [
        frames_at(name, np.arange(1_200) * 1000, rng, crops=(Crop.CENTER,), model=model)
        for name in "bcde"
    ]
    alignment = align_recording(target, pool, AlignSettings())
    for window in range(len(WINDOWS)):
        scores = alignment.statistics[:, 0, window]
        scores = scores[~np.isnan(scores[:, 0])]
        for name in ("z", "mean_z"):
            z = scores[:, STATISTIC[name]]
            assert abs(z.mean()) < 0.08, name
            assert 0.95 < z.std() < 1.08, name
        p = scores[:, STATISTIC["p"]]
        shares = np.histogram(p, np.linspace(0, 1, 6))[0] / len(p)
        assert np.abs(shares - 0.2).max() < 0.04
        assert p.min() >= 1 / 101


def test_the_null_takes_the_number_of_frames_out_of_the_score():
    rng = np.random.default_rng(14)
    transcript = transcript_of("a", random_spans(rng, 2_000, 900_000, longest_ms=12_000))
    frames = frames_at("a", np.arange(900) * 1000, rng, crops=(Crop.CENTER,))
    target = AlignInput(transcript, frames, texts_for(transcript, rng))
    pool = [frames_at("b", np.arange(900) * 1000, rng, crops=(Crop.CENTER,))]
    alignment = align_recording(target, pool, AlignSettings())
    has_score = alignment.n_frames[:, 0] > 0
    n_frames = alignment.n_frames[has_score, 0]
    scores = alignment.statistics[has_score, 0, 0]
    assert np.corrcoef(n_frames, scores[:, STATISTIC["max_cosine"]])[0, 1] > 0.4
    assert abs(np.corrcoef(n_frames, scores[:, STATISTIC["z"]])[0, 1]) < 0.08


def test_a_camera_that_never_moves_has_p_one_and_no_z():
    rng = np.random.default_rng(15)
    target = an_input(rng, crops=(Crop.CENTER,))
    picture = unit_rows(rng, 1, 1, MODEL.dim)

    def still(frames):
        n = len(frames.times_ms)
        return replace(frames, crops=(CropEmbeddings(Crop.CENTER, np.repeat(picture, n, axis=0)),))

    pool = [still(frames_at("b", np.arange(90) * 1000, rng))]
    alignment = align_recording(replace(target, frames=still(target.frames)), pool, AlignSettings())
    has_score = alignment.n_frames > 0
    scores = alignment.statistics[:, 0][has_score]
    assert (scores[:, STATISTIC["p"]] == 1).all()
    assert (scores[:, STATISTIC["null_sd"]] < 1e-6).all()
    assert np.isnan(scores[:, [STATISTIC["z"], STATISTIC["mean_z"]]]).all()


def test_an_utterance_between_two_frames_uses_the_nearest_only_if_asked():
    rng = np.random.default_rng(16)
    transcript = transcript_of("a", [(5_100, 5_400), (5_900, 6_100), (15_300, 15_500)])
    frames = frames_at("a", [4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000], rng)
    target = AlignInput(transcript, frames, texts_for(transcript, rng))
    strict = align_recording(target, [], AlignSettings(sub_second="null"))
    assert strict.missing_reason[0] == "no_frame_in_window"
    assert strict.n_frames[0].tolist() == [0, 2, 4]
    assert not used_nearest(strict).any()
    nearest = align_recording(target, [], AlignSettings(sub_second="nearest"))
    assert nearest.n_frames[0].tolist() == [1, 2, 4]
    assert used_nearest(nearest).tolist() == [True, False, False]
    at = (nearest.lags.utterance_row == 0) & (nearest.lags.time_ms == 5_000)
    assert np.array_equal(nearest.statistics[0, :, 0, 0], nearest.lags.cosines[at][0])
    assert nearest.n_frames[2].tolist() == [0, 0, 0]
    assert nearest.missing_reason[2] == "no_frame_in_window"


def test_only_crops_that_were_made_and_asked_for_are_scored():
    rng = np.random.default_rng(17)
    target = an_input(rng, crops=(Crop.MULTI, Crop.CENTER, Crop.PAD))
    settings = AlignSettings(crops=["center", "multi", "squash"])
    alignment = align_recording(target, [], settings)
    assert alignment.crops == (Crop.CENTER, Crop.MULTI)
    assert alignment.statistics.shape[1] == alignment.lags.cosines.shape[1] == 2


def test_recordings_with_fewer_sub_crops_may_stand_in_the_pool():
    rng = np.random.default_rng(18)
    target = an_input(rng, crops=(Crop.CENTER, Crop.MULTI))
    wide = frames_at("b", np.arange(30) * 1000, rng, crops=(Crop.CENTER,))
    multi = CropEmbeddings(Crop.MULTI, unit_rows(rng, 30, 2, MODEL.dim))
    pool = [replace(wide, crops=(*wide.crops, multi))]
    settings = AlignSettings(null_draws=10)
    alignment = align_recording(target, pool, settings)
    assert_same_scores(alignment, reference.scores(target, pool, settings))


def test_a_recording_without_speech_gives_an_empty_result():
    rng = np.random.default_rng(19)
    transcript = transcript_of("a", [])
    target = AlignInput(transcript, frames_at("a", np.arange(9) * 1000, rng), None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alignment = align_recording(target, [], AlignSettings())
    assert alignment.utterance_ids == ()
    assert alignment.statistics.shape == (0, 4, len(WINDOWS), len(SCORE_STATISTICS))
    assert len(alignment.lags.lag_ms) == 0


def test_read_only_vectors_are_accepted():
    rng = np.random.default_rng(20)
    target = an_input(rng)
    expected = align_recording(target, [], AlignSettings())
    for entry in target.frames.crops:
        entry.vectors.flags.writeable = False
    target.texts.vectors.flags.writeable = False
    assert_identical(expected, align_recording(target, [], AlignSettings()))


def test_vectors_may_stay_in_a_file(tmp_path):
    rng = np.random.default_rng(23)
    target = an_input(rng)
    pool = frames_at("b", np.arange(60) * 1000, rng)
    mapped = []
    for entry in pool.crops:
        np.save(tmp_path / f"{entry.crop.value}.npy", entry.vectors)
        vectors = np.load(tmp_path / f"{entry.crop.value}.npy", mmap_mode="r")
        mapped.append(CropEmbeddings(entry.crop, vectors))
    assert_identical(
        align_recording(target, [pool], AlignSettings()),
        align_recording(target, [replace(pool, crops=tuple(mapped))], AlignSettings()),
    )


def _with_other_weights(entry):
    return replace(entry, model=replace(entry.model, revision="r2"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t: replace(t, texts=_with_other_weights(t.texts)), "different models"),
        (lambda t: replace(t, texts=None), "not embedded"),
        (lambda t: replace(t, texts=replace(t.texts, recording_id="z")), "text embeddings of z"),
        (lambda t: replace(t, frames=replace(t.frames, recording_id="z")), "frames of z"),
        (
            lambda t: replace(
                t, texts=replace(t.texts, utterance_ids=("x", *t.texts.utterance_ids[1:]))
            ),
            "do not match",
        ),
        (lambda t: replace(t, texts=replace(t.texts, vectors=t.texts.vectors * 2)), "unit"),
        (
            lambda t: replace(t, frames=frames_at("a", [], np.random.default_rng(0))),
            "no sampled frames",
        ),
    ],
)
def test_inputs_that_do_not_belong_together_are_refused(spoil, words):
    target = an_input(np.random.default_rng(21))
    with pytest.raises(AlignmentError, match=words) as caught:
        align_recording(spoil(target), [], AlignSettings())
    assert caught.value.hint


def test_a_pool_from_another_model_or_without_a_crop_is_refused():
    rng = np.random.default_rng(22)
    target = an_input(rng)
    other = frames_at("b", np.arange(30) * 1000, rng)
    with pytest.raises(AlignmentError, match="a and b were embedded by different models"):
        align_recording(target, [_with_other_weights(other)], AlignSettings())
    with pytest.raises(AlignmentError, match="frames of b lack the crop multi"):
        align_recording(target, [replace(other, crops=other.crops[:3])], AlignSettings())
