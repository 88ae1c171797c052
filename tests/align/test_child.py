"""A child scored as a whole: each recording as if it were scored alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.align.child_frames import ChildFrames
from pipeline.align.hubs import mean_frames, mean_text, utterance_vectors
from pipeline.align.rounded import empty_rows, round_images
from pipeline.align.stage import (
    AlignInput,
    ChildTarget,
    SettingInput,
    align_child,
    align_settings,
)
from pipeline.config import AlignSettings
from pipeline.errors import AlignmentError
from pipeline.records import Crop
from pipeline.results import ChildHubs, RecordingAlignment
from pipeline.score_settings import SETTING_NAMES, TextVariant
from pipeline.store.shards import write_frames
from tests.align.test_score_settings import made_texts
from tests.align.worlds import DIM, MODEL, frames_at, random_spans, texts_for, transcript_of

ALL = AlignSettings(null_draws=10, settings=list(SETTING_NAMES))


@pytest.fixture(scope="module")
def child():
    """Three recordings with speech, one without, one without frames; targets and mean vectors."""
    rng = np.random.default_rng(11)
    seconds = {"a": 70, "b": 40, "c": 55, "silent": 30, "empty": 0}
    frames = [frames_at(name, np.arange(n) * 1000 + 7, rng) for name, n in seconds.items()]
    targets = []
    for name, n_said in (("a", 12), ("b", 7), ("c", 9), ("silent", 0)):
        transcript = transcript_of(name, random_spans(rng, n_said, seconds[name] * 1000))
        has_noun = rng.random(n_said) < 0.6
        variants = (
            tuple(made_texts(rng, transcript, v, has_noun) for v in list(TextVariant)[1:])
            if has_noun.any()
            else tuple(nothing_made(transcript, v) for v in list(TextVariant)[1:])
        )
        targets.append(ChildTarget(transcript, texts_for(transcript, rng), variants))
    texts = {TextVariant.RAW: mean_text([target.texts.vectors for target in targets], DIM)}
    for place, variant in enumerate(list(TextVariant)[1:]):
        made = [utterance_vectors(target.variants[place]) for target in targets]
        texts[variant] = mean_text(made, DIM)
    hubs = ChildHubs("child", MODEL, mean_frames(ChildFrames.in_memory(frames)), texts)
    return frames, targets, hubs


def nothing_made(transcript, variant):
    rng = np.random.default_rng(0)
    made = made_texts(rng, transcript_of("x", [(0, 1)]), variant, np.array([True]))
    nothing = replace(
        made, utterance_ids=(), texts=(), missing_reason=(), vector_row=np.zeros(0, int)
    )
    return replace(nothing, recording_id=transcript.recording_id, vectors=made.vectors[:0])


def assert_same(one: RecordingAlignment, other: RecordingAlignment) -> None:
    assert one.model == other.model
    assert (one.utterance_ids, one.missing_reason) == (other.utterance_ids, other.missing_reason)
    assert one.crops == other.crops
    assert np.array_equal(one.n_frames, other.n_frames)
    assert np.array_equal(one.statistics, other.statistics, equal_nan=True)
    for name in ("utterance_row", "time_ms", "lag_ms", "cosines"):
        assert np.array_equal(getattr(one.lags, name), getattr(other.lags, name)), name


@pytest.mark.parametrize("n_threads", [1, 3])
def test_every_recording_is_scored_as_if_alone(child, n_threads: int):
    frames, targets, hubs = child
    found = align_child(targets, ChildFrames.in_memory(frames), ALL, hubs, n_threads=n_threads)
    own = {one.recording_id: one for one in frames}
    for target, mine in zip(targets, found, strict=True):
        alone = AlignInput(target.transcript, own[target.transcript.recording_id], target.texts)
        expected = align_settings(alone, frames, ALL, SettingInput(target.variants, hubs))
        assert len(mine) == 6
        for one, other in zip(mine, expected, strict=True):
            assert_same(one, other)


def test_vectors_are_read_from_shards_a_crop_at_a_time(child, tmp_path: Path):
    frames, targets, hubs = child
    paths = [tmp_path / f"{one.recording_id}.parquet" for one in frames]
    for path, one in zip(paths, frames, strict=True):
        write_frames(path, one)
    in_memory = align_child(targets, ChildFrames.in_memory(frames), ALL, hubs)
    in_shards = align_child(targets, ChildFrames.in_shards(paths), ALL, hubs)
    for one, other in zip(in_memory, in_shards, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)


def test_a_recording_that_cannot_be_scored_costs_itself_only(child):
    frames, targets, hubs = child
    wrong = replace(targets[1], texts=targets[0].texts)
    found = align_child([targets[0], wrong, targets[2]], ChildFrames.in_memory(frames), ALL, hubs)
    whole = align_child(targets, ChildFrames.in_memory(frames), ALL, hubs)
    assert isinstance(found[1], AlignmentError)
    assert "b" in found[1].message
    for place in (0, 2):
        for one, other in zip(found[place], whole[place], strict=True):
            assert_same(one, other)


def test_fewer_squares_of_one_recording_change_no_maximum(child):
    frames, _, _ = child
    few = replace(
        frames[1],
        crops=tuple(
            replace(entry, vectors=entry.vectors[:, :1]) if entry.crop is Crop.MULTI else entry
            for entry in frames[1].crops
        ),
    )
    together = ChildFrames.in_memory([frames[0], few, *frames[2:]])
    images, k = together.images(Crop.MULTI)
    assert k == 3
    start = int(together.starts[together.places()["b"]])
    own = images.reshape(-1, k, DIM)[start : start + 40]
    squares = few.vectors(Crop.MULTI)[:, 0]
    rounded = empty_rows(*squares.shape)
    round_images(squares, rounded)
    assert np.array_equal(own, np.repeat(rounded[:, None], 3, axis=1))
