"""The frames of all recordings of a child, laid one behind the other, one crop at a time.

Null windows come from all recordings of a child, so that a child is scored as a whole. Under one
crop its vectors may take a gigabyte; under all crops at once they would take several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.align.kernels import Int16Array
from pipeline.align.rounded import empty_rows, round_images
from pipeline.align.threads import ALONE, Threads
from pipeline.records import Crop, Float32Array, Int64Array, ModelRef
from pipeline.results import FrameEmbeddings
from pipeline.store.shards import meta_model, read_crop, read_frame_times, read_meta

ReadCrop = Callable[[str, Crop], Iterable[Float32Array]]
"""Vectors (m, k, dim) of a recording's frames under a crop, in order, some frames at a time."""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """When the frames of one recording were taken, and which crops were made of them.

    times_ms, grid_index: int64 (n,), as in FrameEmbeddings. n_sub_crops: of each crop.
    """

    recording_id: str
    model: ModelRef
    times_ms: Int64Array
    grid_index: Int64Array
    n_sub_crops: Mapping[Crop, int]

    @classmethod
    def of(cls, frames: FrameEmbeddings) -> FrameTimes:
        made = {entry.crop: entry.vectors.shape[1] for entry in frames.crops}
        return cls(frames.recording_id, frames.model, frames.times_ms, frames.grid_index, made)

    @property
    def crops(self) -> frozenset[Crop]:
        return frozenset(self.n_sub_crops)

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True)
class ChildFrames:
    """Recordings of one child by id, those without frames among them; `read` gives vectors.

    starts: int64 (n_recordings,) where each recording's frames begin among all of the child's.
    """

    recordings: tuple[FrameTimes, ...]
    starts: Int64Array
    read: ReadCrop

    @classmethod
    def of(cls, recordings: Sequence[FrameTimes], read: ReadCrop) -> ChildFrames:
        ordered = tuple(sorted(recordings, key=lambda frames: frames.recording_id))
        n_frames = np.array([len(frames) for frames in ordered], np.int64)
        return cls(ordered, np.cumsum(n_frames) - n_frames, read)

    @classmethod
    def in_memory(cls, recordings: Sequence[FrameEmbeddings]) -> ChildFrames:
        by_id = {frames.recording_id: frames for frames in recordings}
        times = [FrameTimes.of(frames) for frames in by_id.values()]
        return cls.of(times, lambda name, crop: [by_id[name].vectors(crop)])

    @classmethod
    def in_shards(cls, paths: Sequence[Path]) -> ChildFrames:
        """Frames that stay in their vision shards until a crop is asked for. Raises StoreError
        when a shard is damaged."""
        times = [_times_in_shard(path) for path in paths]
        path_of = {frames.recording_id: path for frames, path in zip(times, paths, strict=True)}
        return cls.of(times, lambda name, crop: read_crop(path_of[name], crop))

    @property
    def n_frames(self) -> Int64Array:
        """int64 (n_recordings,)."""
        return np.array([len(frames) for frames in self.recordings], np.int64)

    def places(self) -> dict[str, int]:
        """Where each recording stands among the recordings."""
        return {frames.recording_id: place for place, frames in enumerate(self.recordings)}

    def images(self, crop: Crop, threads: Threads = ALONE) -> tuple[Int16Array, int]:
        """Rounded vectors (n_frames * k, dim) of all recordings, a frame's k sub-crops side by
        side, and k.

        Where a recording has fewer sub-crops than others its last one stands several times, which
        changes no maximum. A recording without the crop is left at 0.
        """
        made = [frames for frames in self.recordings if len(frames) and crop in frames.crops]
        k = max((frames.n_sub_crops[crop] for frames in made), default=1)
        dim = made[0].model.dim if made else 0
        images = empty_rows(int(self.n_frames.sum()) * k, dim)

        def fill(one: tuple[FrameTimes, int]) -> None:
            frames, start = one
            own = images[start * k : (start + len(frames)) * k]
            if crop not in frames.n_sub_crops:
                own[:] = 0
                return
            row = 0
            for vectors in self.read(frames.recording_id, crop):
                n_made = vectors.shape[1]
                if n_made < k:
                    vectors = vectors[:, np.minimum(np.arange(k), n_made - 1)]
                n_rows = len(vectors) * k
                round_images(vectors.reshape(-1, dim), own[row : row + n_rows])
                row += n_rows

        every = zip(self.recordings, self.starts.tolist(), strict=True)
        threads.each(fill, [one for one in every if len(one[0])])
        return images, k


def _times_in_shard(path: Path) -> FrameTimes:
    meta = read_meta(path)
    times_ms, grid_index = read_frame_times(path)
    made = meta["sub_crops"]
    assert isinstance(made, dict)
    n_sub_crops = {Crop(name): int(n) for name, n in made.items()}
    return FrameTimes(
        str(meta["recording_id"]), meta_model(meta), times_ms, grid_index, n_sub_crops
    )
