"""Clips with features of picture, sound and text: what the systems are trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array, Int64Array

Booleans = NDArray[np.bool_]


class Kind(str, Enum):
    """What a text says about its clip: what is seen, what is heard, both, or what was said in it.

    An utterance is no description; where a study has no captions it stands in for one, and every
    row made so says it.
    """

    VISUAL = "visual"
    AUDIO = "audio"
    AUDIO_VISUAL = "audio_visual"
    UTTERANCE = "utterance"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """The texts of one kind of n clips: every clip has at least one.

    vectors: float32 (m, dim), rows sorted by clip. group: int64 (m,), equal for equal texts.
    start: int64 (n + 1,), the texts of clip i are rows start[i] to start[i + 1].
    """

    vectors: Float32Array
    group: Int64Array
    start: Int64Array

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.group) or self.start[-1] != len(self.group):
            raise ValueError(
                f"{len(self.vectors)} text vectors, {len(self.group)} groups, "
                f"{int(self.start[-1])} texts of clips"
            )
        if len(self.start) > 1 and int(np.diff(self.start).min()) < 1:
            raise ValueError("a clip has no text of this kind")

    @property
    def counts(self) -> Int64Array:
        """Texts of each clip, int64 (n,)."""
        return np.diff(self.start)

    def of(self, rows: Int64Array) -> TextBlock:
        """The texts of some clips, in their order."""
        counts = self.counts[rows]
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        within = np.arange(start[-1]) - np.repeat(start[:-1], counts)
        texts = np.repeat(self.start[rows], counts) + within
        return TextBlock(self.vectors[texts], self.group[texts], start)


@dataclass(frozen=True, slots=True)
class ClipSet:
    """n clips. visual and audio: float32 (n, dim), means over the clip of *unnormalised* features.

    recording, child: int64 (n,) numbers of the clip's recording and child. onset_ms, offset_ms:
    int64 (n,) the stretch of the recording whose picture and sound the clip is.
    """

    clip_ids: tuple[str, ...]
    recording: Int64Array
    child: Int64Array
    onset_ms: Int64Array
    offset_ms: Int64Array
    visual: Float32Array
    audio: Float32Array
    texts: Mapping[Kind, TextBlock]

    def __post_init__(self) -> None:
        n = len(self.clip_ids)
        columns = (self.recording, self.child, self.onset_ms, self.offset_ms)
        lengths = {len(values) for values in (*columns, self.visual, self.audio)}
        lengths |= {len(block.start) - 1 for block in self.texts.values()}
        if lengths - {n}:
            raise ValueError(f"{n} clips but columns of {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.clip_ids)

    def of(self, rows: Int64Array) -> ClipSet:
        """Some of the clips, in the order of `rows`."""
        return ClipSet(
            tuple(self.clip_ids[row] for row in rows.tolist()),
            self.recording[rows],
            self.child[rows],
            self.onset_ms[rows],
            self.offset_ms[rows],
            self.visual[rows],
            self.audio[rows],
            {kind: block.of(rows) for kind, block in self.texts.items()},
        )

    def overlaps(self) -> Booleans:
        """Which clips share picture and sound: bool (n, n), true on the diagonal."""
        same = self.recording[:, None] == self.recording[None, :]
        starts_before = self.onset_ms[:, None] < self.offset_ms[None, :]
        return np.asarray(same & starts_before & starts_before.T)


@dataclass(frozen=True, slots=True)
class SplitSets:
    """The clips to learn from, to stop by and to test on; no recording is in two of them."""

    train: ClipSet
    validation: ClipSet
    test: ClipSet
