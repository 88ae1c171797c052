"""Further settings of the score against their definition, and against the plain score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.align.child_frames import ChildFrames
from pipeline.align.hubs import mean_frames, mean_text, utterance_vectors
from pipeline.align.stage import AlignInput, SettingInput, align_recording, align_settings
from pipeline.config import AlignSettings
from pipeline.errors import AlignmentError
from pipeline.records import Crop
from pipeline.results import ChildHubs, TextEmbeddings, Transcript, VariantTexts
from pipeline.schema import SCORE_STATISTICS
from pipeline.score_settings import SETTING_NAMES, TextVariant
from tests.align import reference
from tests.align.worlds import (
    DIM,
    MODEL,
    frames_at,
    random_spans,
    texts_for,
    transcript_of,
    unit_rows,
)

ALL = AlignSettings(null_draws=12, settings=list(SETTING_NAMES))
STATISTIC = {column.name: index for index, column in enumerate(SCORE_STATISTICS)}


def made_texts(rng, transcript, variant, has_text):
    """Made texts of the utterances that `has_text`; two of them share one."""
    row = np.full(len(has_text), -1)
    row[has_text] = np.maximum(np.arange(has_text.sum()) - 1, 0)
    return VariantTexts(
        transcript.recording_id,
        MODEL,
        variant,
        tuple(u.utterance_id for u in transcript.utterances),
        tuple(f"text {place}" if place >= 0 else "" for place in row),
        tuple("" if place >= 0 else "no_noun" for place in row),
        row,
        unit_rows(rng, row.max() + 1, DIM),
    )


@pytest.fixture
def world():
    rng = np.random.default_rng(7)
    transcript = transcript_of("a", random_spans(rng, 14, 80_000))
    frames = frames_at("a", np.arange(80) * 1000 + 33, rng)
    target = AlignInput(transcript, frames, texts_for(transcript, rng))
    pool = [frames, frames_at("b", np.arange(50) * 1000, rng)]
    has_noun = rng.random(14) < 0.6
    variants = tuple(made_texts(rng, transcript, v, has_noun) for v in list(TextVariant)[1:])
    texts = {TextVariant.RAW: mean_text([target.texts.vectors, unit_rows(rng, 5, DIM)], DIM)}
    for variant in variants:
        texts[variant.variant] = mean_text([utterance_vectors(variant)], DIM)
    hubs = ChildHubs("child", MODEL, mean_frames(ChildFrames.in_memory(pool)), texts)
    return target, pool, SettingInput(variants, hubs)


def by_scorer(found):
    return {alignment.model.scorer: alignment for alignment in found}


def test_the_plain_score_does_not_know_of_settings(world):
    target, pool, extra = world
    plain = align_recording(target, pool, AlignSettings(null_draws=12))
    found = align_settings(target, pool, ALL, extra)
    assert [one.model.scorer for one in found] == [
        "toy",
        "toy~hub",
        "toy~nouns",
        "toy~photo",
        "toy~nouns~hub",
        "toy~photo~hub",
    ]
    assert np.array_equal(found[0].statistics, plain.statistics, equal_nan=True)
    assert np.array_equal(found[0].lags.cosines, plain.lags.cosines)
    assert found[0].model == MODEL


def test_hub_corrected_scores_are_products_of_centred_vectors(world):
    target, pool, extra = world
    hubs = extra.hubs
    found = by_scorer(align_settings(target, pool, ALL, extra))["toy~hub"]

    def centred(text, frames, crop, row):
        mine = text - hubs.texts[TextVariant.RAW].vector
        taken_off = mine.astype(float) @ hubs.frames[crop].vector
        return float(reference.product(mine, frames.vectors(crop)[row]).max() - taken_off)

    _, expected, missing = reference.scores(target, pool, ALL, centred)
    assert list(found.missing_reason) == missing
    for name, index in STATISTIC.items():
        np.testing.assert_allclose(
            found.statistics[..., index],
            expected[..., index],
            atol=3e-4 if "z" in name.split("_") else 3e-6,
            err_msg=name,
        )
    row, at_ms = found.lags.utterance_row[0], found.lags.time_ms[0]
    frame = target.frames.times_ms.tolist().index(at_ms)
    for place, crop in enumerate(found.crops):
        expected_lag = centred(target.texts.vectors[row], target.frames, crop, frame)
        assert found.lags.cosines[0, place] == pytest.approx(expected_lag, abs=1e-6)


def test_the_mean_frame_changes_scores_and_no_z(world):
    target, pool, extra = world
    elsewhere = {
        crop: replace(mean, vector=mean.vector + 1) for crop, mean in extra.hubs.frames.items()
    }
    moved = replace(extra, hubs=replace(extra.hubs, frames=elsewhere))
    one = by_scorer(align_settings(target, pool, ALL, extra))["toy~hub"].statistics
    two = by_scorer(align_settings(target, pool, ALL, moved))["toy~hub"].statistics
    assert np.array_equal(one[..., STATISTIC["z"]], two[..., STATISTIC["z"]], equal_nan=True)
    assert np.nanmax(np.abs(one - two)[..., STATISTIC["max_cosine"]]) > 0.01


def test_a_made_text_is_scored_as_if_it_had_been_said(world):
    target, pool, extra = world
    nouns = extra.variants[0]
    found = by_scorer(align_settings(target, pool, ALL, extra))["toy~nouns"]
    rows = np.flatnonzero(nouns.vector_row >= 0)
    said = Transcript(
        "a",
        target.transcript.media,
        tuple(target.transcript.utterances[row] for row in rows),
        "test",
    )
    vectors = TextEmbeddings(
        "a",
        MODEL,
        tuple(utterance.utterance_id for utterance in said.utterances),
        nouns.vectors[nouns.vector_row[rows]],
    )
    direct = align_recording(replace(target, transcript=said, texts=vectors), pool, ALL)
    assert np.array_equal(found.statistics[rows], direct.statistics, equal_nan=True)
    is_said = np.isin(found.lags.utterance_row, rows)
    assert is_said.all()
    assert np.array_equal(found.lags.cosines, direct.lags.cosines)


def test_an_utterance_without_a_noun_has_no_score_and_a_reason(world):
    target, pool, extra = world
    found = by_scorer(align_settings(target, pool, ALL, extra))
    without = np.flatnonzero(extra.variants[0].vector_row < 0)
    assert len(without) > 2
    for scorer in ("toy~nouns", "toy~photo~hub"):
        assert np.isnan(found[scorer].statistics[without]).all()
        assert {found[scorer].missing_reason[row] for row in without} == {"no_noun"}
    assert "no_noun" not in found["toy~hub"].missing_reason
    assert np.array_equal(found["toy~nouns"].n_frames, found["toy"].n_frames)


def test_what_belongs_to_something_else_is_refused(world):
    target, pool, extra = world
    nouns, photo = extra.variants
    for wrong in (
        replace(extra, variants=(photo,)),
        replace(extra, variants=(replace(nouns, recording_id="b"), photo)),
        replace(extra, hubs=None),
        replace(extra, hubs=replace(extra.hubs, model=replace(MODEL, revision="other"))),
    ):
        with pytest.raises(AlignmentError):
            align_settings(target, pool, ALL, wrong)


def test_means_do_not_depend_on_the_order_of_recordings(world):
    _, pool, _ = world
    one, two = (mean_frames(ChildFrames.in_memory(p)) for p in (pool, pool[::-1]))
    assert np.array_equal(one[Crop.MULTI].vector, two[Crop.MULTI].vector)
    assert one[Crop.MULTI].n == 130
    everything = np.concatenate([frames.vectors(Crop.MULTI).reshape(-1, DIM) for frames in pool])
    np.testing.assert_allclose(one[Crop.MULTI].vector, everything.mean(axis=0), atol=1e-6)


def test_a_recording_without_any_noun_has_rows_and_no_scores(world):
    target, pool, extra = world
    rng = np.random.default_rng(3)
    none = np.zeros(len(target.transcript.utterances), bool)
    variants = tuple(made_texts(rng, target.transcript, v, none) for v in list(TextVariant)[1:])
    found = by_scorer(align_settings(target, pool, ALL, replace(extra, variants=variants)))
    assert set(found["toy~nouns~hub"].missing_reason) == {"no_noun"}
    assert np.isnan(found["toy~nouns~hub"].statistics).all()
    assert len(found["toy~nouns~hub"].lags.time_ms) == 0
    assert np.array_equal(
        found["toy"].statistics, align_recording(target, pool, ALL).statistics, equal_nan=True
    )
