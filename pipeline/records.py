"""The value types every stage speaks: frozen, checked when built.

All times are integer milliseconds from the start of the recording; spans are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pipeline.score_settings import ScorerSetting, TextVariant

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]


class Speaker(str, Enum):
    """Who spoke, in ChildProject's terms. CHI is the child who wears the camera."""

    FEM = "FEM"
    MAL = "MAL"
    CHI = "CHI"
    OCH = "OCH"
    NA = "NA"


class Crop(str, Enum):
    """How a frame becomes the square the image encoder sees."""

    CENTER = "center"
    PAD = "pad"
    SQUASH = "squash"
    MULTI = "multi"


class FrameMode(str, Enum):
    """Which frame stands for a grid time: the nearest of all, or the nearest key frame.

    Key frames are cheaper where they are no further apart than the sampling step; each keeps its
    own time, which may be off the grid by half the distance between key frames.
    """

    EXACT = "exact"
    KEYFRAMES = "keyframes"


class Permission(str, Enum):
    """What a family allowed for one recording; the default is the strictest.

    media: words, pictures and sound may be shown here, to those who may open the study. excerpts:
    single moments may be shown outside as well, in talks. scores_only: numbers only.
    """

    MEDIA = "media"
    EXCERPTS = "excerpts"
    SCORES_ONLY = "scores_only"

    @property
    def may_be_shown(self) -> bool:
        """Whether words, pictures and sound may be shown at all."""
        return self is not Permission.SCORES_ONLY

    @property
    def may_leave(self) -> bool:
        """Whether moments may be shown outside: in present mode, and as clips that are exported."""
        return self is Permission.EXCERPTS


MAY_BE_SHOWN = tuple(permission.value for permission in Permission if permission.may_be_shown)
"""The permissions of which `may_be_shown` is true, as a store writes them."""
MAY_LEAVE = tuple(permission.value for permission in Permission if permission.may_leave)
"""The permissions of which `may_leave` is true, as a store writes them."""
MAY_BE_SHOWN_SQL = f"({', '.join(map(repr, MAY_BE_SHOWN))})"
"""The same as a list in SQL."""


@dataclass(frozen=True, slots=True, order=True)
class TimeSpan:
    """Half-open span [onset_ms, offset_ms) of integer milliseconds; never empty."""

    onset_ms: int
    offset_ms: int

    def __post_init__(self) -> None:
        if self.onset_ms < 0:
            raise ValueError(f"onset_ms is {self.onset_ms}; times start at 0 ms")
        if self.offset_ms <= self.onset_ms:
            raise ValueError(
                f"span [{self.onset_ms}, {self.offset_ms}) ms is empty; offset must follow onset"
            )

    @property
    def duration_ms(self) -> int:
        return self.offset_ms - self.onset_ms

    def overlap_ms(self, other: TimeSpan) -> int:
        """Milliseconds shared with `other`, 0 if none."""
        return max(0, min(self.offset_ms, other.offset_ms) - max(self.onset_ms, other.onset_ms))


@dataclass(frozen=True, slots=True)
class Child:
    """A child of the study. No birth date: ages are worked out once and kept in days."""

    child_id: str
    sex: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of one child.

    `media_path` is relative to `recordings/raw` of the study, or None when only frames and
    transcripts exist. `frames_path` is relative to the study and names a folder of frames
    extracted before (one per second). `blackout` and `mute` are the stretches that
    metadata/redactions.csv takes away, in order and without overlaps.
    """

    recording_id: str
    child_id: str
    media_path: PurePosixPath | None
    frames_path: PurePosixPath | None = None
    date: date | None = None
    age_days: int | None = None
    permission: Permission = Permission.SCORES_ONLY
    # Not in the repr, of which digests are made: the digests of shards have them.
    blackout: tuple[TimeSpan, ...] = field(default=(), repr=False)
    mute: tuple[TimeSpan, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the container says about one recording, after rotation is applied."""

    duration_ms: int
    width_px: int
    height_px: int
    frame_rate_hz: float | None
    video_codec: str | None
    audio_codec: str | None
    notes: tuple[str, ...] = ()

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an utterance; times may be unknown, never guessed."""

    text: str
    span: TimeSpan | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said in one stretch of speech.

    `speaker_overlap` is the share (0-1) of the utterance covered by the winning speaker label,
    None when the label came with the transcript. The confidence fields are Whisper's own.
    `flags` are words from `schema.UTTERANCE_FLAGS`.
    """

    utterance_id: str
    recording_id: str
    span: TimeSpan
    text: str
    speaker: Speaker = Speaker.NA
    speaker_overlap: float | None = None
    language: str | None = None
    mean_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    words: tuple[Word, ...] = ()
    flags: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know about one recording that did not stop it."""

    code: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class StageFailure:
    """One recording that a stage could not finish; published, shown in the dashboard."""

    stage: str
    recording_id: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Everything that changes a vector.

    `revision` is a digest of the weight tensors, so that two different files under one name
    never mix. `default_threshold` is the cosine from which a moment counts as highly aligned
    for this model; it never carries over to another model. None = no known value.

    A further setting of the score has the model's facts, a scorer's name of its own, and in
    `base_scorer` that of the model; `base_scorer` "" is the model itself.
    """

    scorer: str
    name: str
    weights: str
    revision: str
    dim: int
    image_size_px: int
    preprocess: str
    precision: str
    default_threshold: float | None = None
    threshold_source: str = ""
    base_scorer: str = ""
    text_variant: str = TextVariant.RAW.value
    is_hub_corrected: bool = False

    @property
    def base(self) -> str:
        """The scorer whose vectors these scores are made of: itself, unless it is a setting."""
        return self.base_scorer or self.scorer

    @property
    def setting(self) -> ScorerSetting:
        """How words and frames are compared."""
        return ScorerSetting(TextVariant(self.text_variant), self.is_hub_corrected)

    @property
    def label(self) -> str:
        """What people read: "demo-clip", or "demo-clip, nouns only, hub-corrected"."""
        return ", ".join(part for part in (self.base, self.setting.label) if part)

    def under(self, setting: ScorerSetting) -> ModelRef:
        """This model as a scorer under a further setting; its threshold does not carry over."""
        return replace(
            self,
            scorer=setting.scorer(self.base),
            default_threshold=None,
            threshold_source="",
            base_scorer=self.base,
            text_variant=setting.text.value,
            is_hub_corrected=setting.is_hub_corrected,
        )


@dataclass(frozen=True, slots=True)
class EmbeddingBlock:
    """Vectors of one model: `vectors` float32 (n, dim) with unit rows, `keys` int64 (n,).

    Keys are `time_ms` for frames and row positions for utterances.
    """

    keys: Int64Array
    vectors: Float32Array
    model: ModelRef = field(repr=False)

    def __post_init__(self) -> None:
        if self.vectors.dtype != np.float32 or self.vectors.ndim != 2:
            raise ValueError(
                f"vectors are {self.vectors.dtype} {self.vectors.shape}; float32 (n, dim) needed"
            )
        if self.vectors.shape != (self.keys.shape[0], self.model.dim):
            raise ValueError(
                f"{self.keys.shape[0]} keys and dim {self.model.dim} do not fit vectors "
                f"{self.vectors.shape}"
            )
        norms = np.linalg.norm(self.vectors, axis=1)
        if not np.all(np.abs(norms - 1.0) < 1e-3):
            raise ValueError("embedding rows are not unit vectors")
