"""Features of picture and sound of one recording's clips: means of unnormalised features.

A clip is the ten seconds around an utterance, a stretch that has captions, or a tile of the
recording. Heads are linear, so the mean of a clip's features is all they need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.records import Crop, Float32Array, Int64Array, ModelRef, TimeSpan
from pipeline.sound.chunks import SHORTEST_HEARD_MS, HeardChunk, centred, heard_chunks, tiles
from pipeline.sound.encoder import SoundEncoder
from pipeline.speech.coverage import Coverage
from pipeline.vision.crops import model_inputs
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.sampled_frame import FrameSource

_SOUNDS_AT_ONCE = 8
_FRAMES_AT_ONCE = 32


class PictureEncoder(Protocol):
    """An image-text model that also gives features before they are made unit vectors.

    image_features: float32 (n, width) of n model inputs; embed_texts: float32 (n, ref.dim).
    """

    @property
    def ref(self) -> ModelRef: ...

    def image_features(self, images: Sequence[UInt8Array]) -> Float32Array: ...

    def embed_texts(self, texts: Sequence[str]) -> Float32Array: ...


class ClipSource(str, Enum):
    """Why a stretch of a recording is a clip."""

    UTTERANCE = "utterance"
    CAPTION = "caption"
    TILE = "tile"


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """A stretch of a recording; `clip_id` is unique in it (an utterance's own id)."""

    clip_id: str
    source: ClipSource
    span: TimeSpan


@dataclass(frozen=True, slots=True)
class RecordingFeatures:
    """Features of one recording's n clips.

    visual, audio: float32 (n, dim), rows of NaN where there is no frame or too little sound.
    level_db: float32 (n,) of the whole clip, NaN where nothing is heard; speech_share: float32
    (n,), 0-1; heard_ms: int64 (n,) of sound given to the encoder; n_frames: int64 (n,).
    """

    recording_id: str
    clips: tuple[ClipSpan, ...]
    visual: Float32Array
    audio: Float32Array
    level_db: Float32Array
    speech_share: Float32Array
    heard_ms: Int64Array
    n_frames: Int64Array

    def __post_init__(self) -> None:
        lengths = {
            len(self.visual),
            len(self.audio),
            len(self.level_db),
            len(self.speech_share),
            len(self.heard_ms),
            len(self.n_frames),
        }
        if lengths != {len(self.clips)}:
            raise ValueError(f"{len(self.clips)} clips but columns of {sorted(lengths)}")


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """Where a recording's sound is, when somebody speaks in it, and whether speech is kept."""

    path: Path
    audio_track: int
    speech: Coverage
    keep_speech: bool


@dataclass(frozen=True, slots=True)
class HeardFeatures:
    """What `sound_features` finds for n clips; see `RecordingFeatures`."""

    audio: Float32Array
    level_db: Float32Array
    speech_share: Float32Array
    heard_ms: Int64Array


def clip_spans(
    utterances: Sequence[tuple[str, TimeSpan]], captioned: Sequence[TimeSpan], duration_ms: int
) -> tuple[ClipSpan, ...]:
    """All clips of a recording by onset. Utterances outside the recording have none."""
    clips = [
        ClipSpan(utterance_id, ClipSource.UTTERANCE, around)
        for utterance_id, span in utterances
        if (around := centred(span, duration_ms)) is not None
    ]
    clips += [
        ClipSpan(f"{span.onset_ms}-{span.offset_ms}", ClipSource.CAPTION, span)
        for span in sorted(set(captioned))
    ]
    clips += [
        ClipSpan(f"tile-{span.onset_ms}", ClipSource.TILE, span)
        for span in tiles(TimeSpan(0, duration_ms))
    ]
    return tuple(sorted(clips, key=lambda clip: (clip.span, clip.source.value, clip.clip_id)))


def sound_features(
    clips: Sequence[ClipSpan],
    track: SoundTrack,
    encoder: SoundEncoder,
    on_progress: Callable[[int], None] | None = None,
) -> HeardFeatures:
    """Mean features of the sound of each clip. `on_progress` is told the milliseconds passed.

    Raises MediaError when the recording has no such sound.
    """
    parts = sorted((part, row) for row, clip in enumerate(clips) for part in tiles(clip.span))
    n = len(clips)
    total = np.zeros((n, encoder.ref.dim), np.float64)
    n_encoded = np.zeros(n, np.int64)
    heard_ms = np.zeros(n, np.int64)
    power = np.zeros(n)
    spoken_ms = np.zeros(n)
    length_ms = np.zeros(n)
    waiting: list[tuple[int, HeardChunk]] = []

    def encode() -> None:
        vectors = encoder.encode([chunk.samples for _, chunk in waiting])
        for (row, chunk), vector in zip(waiting, vectors, strict=True):
            total[row] += vector
            n_encoded[row] += 1
            heard_ms[row] += chunk.heard_ms
        if on_progress is not None:
            on_progress(waiting[-1][1].span.offset_ms)
        waiting.clear()

    spans = [part for part, _ in parts]
    for place, chunk in heard_chunks(
        track.path, track.audio_track, spans, track.speech, keep_speech=track.keep_speech
    ):
        row = parts[place][1]
        duration_ms = chunk.span.duration_ms
        length_ms[row] += duration_ms
        power[row] += 10 ** (chunk.level_db / 10) * duration_ms
        spoken_ms[row] += chunk.speech_share * duration_ms
        if chunk.heard_ms >= SHORTEST_HEARD_MS:
            waiting.append((row, chunk))
        if len(waiting) == _SOUNDS_AT_ONCE:
            encode()
    if waiting:
        encode()
    with np.errstate(divide="ignore", invalid="ignore"):
        level_db = np.where(length_ms > 0, 10 * np.log10(power / length_ms), np.nan)
        audio = total / n_encoded[:, None]
        speech_share = spoken_ms / length_ms
    return HeardFeatures(
        audio.astype(np.float32),
        level_db.astype(np.float32),
        speech_share.astype(np.float32),
        heard_ms,
    )


def picture_features(
    clips: Sequence[ClipSpan], source: FrameSource, model: PictureEncoder
) -> tuple[Float32Array, Int64Array]:
    """Mean features (n, dim) of the frames in each clip, and how many frames there are (n,).

    Frames are the centre crop, as sampled for the study's scores.
    """
    times: list[int] = []
    blocks: list[Float32Array] = []
    waiting: list[UInt8Array] = []
    for frame in source.frames():
        times.append(frame.time_ms)
        waiting += model_inputs(frame.image, (Crop.CENTER,), model.ref.image_size_px)[Crop.CENTER]
        if len(waiting) == _FRAMES_AT_ONCE:
            blocks.append(model.image_features(waiting))
            waiting.clear()
    if waiting:
        blocks.append(model.image_features(waiting))
    features = np.concatenate(blocks).astype(np.float64)
    sums = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0)])
    onsets = np.array([clip.span.onset_ms for clip in clips], np.int64)
    offsets = np.array([clip.span.offset_ms for clip in clips], np.int64)
    first, last = (np.searchsorted(np.array(times), edge, "left") for edge in (onsets, offsets))
    n_frames = (last - first).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums[last] - sums[first]) / n_frames[:, None]
    return means.astype(np.float32), n_frames
