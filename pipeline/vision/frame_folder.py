"""Frames extracted before: a folder of numbered pictures, where the number is the second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipeline.errors import MediaError
from pipeline.records import MediaInfo, Notice
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.sampled_frame import (
    FRAMES_PER_RUN,
    FrameRun,
    RunBrokenError,
    SampledFrame,
)
from pipeline.vision.sampling_plan import grid_frames

PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png"))
_LAST_NUMBER = re.compile(r"(\d+)\D*$")
_MS_PER_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    """A picture file and the place of the grid for which it stands."""

    path: Path
    grid_index: int
    time_ms: int


class FolderFrames:
    """The pictures of a folder on a grid of `step_ms`; 00012.jpg or frame_0012.png is second 12.

    Raises MediaError when the folder is missing, holds no numbered pictures, or two of the same
    number.
    """

    def __init__(self, folder: Path, step_ms: float) -> None:
        self._files, self._n_unnumbered = numbered_pictures(folder)
        self._folder = folder
        self._step_ms = step_ms
        self._notices: list[Notice] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        unreadable: list[str] = []
        for place in self._chosen():
            if place.grid_index <= after:
                continue
            frame = _picture_at(place)
            if frame is None:
                unreadable.append(place.path.name)
            else:
                yield frame
        if unreadable:
            shown = ", ".join(unreadable[:3]) + (" ..." if len(unreadable) > 3 else "")
            self._note(
                "unreadable_pictures",
                f"{len(unreadable)} picture(s) cannot be read and were left out: {shown}",
                len(unreadable),
            )

    @contextmanager
    def runs(self) -> Iterator[Sequence[FrameRun]]:
        """A run breaks at a picture that cannot be read: these are told of together."""
        chosen = self._chosen()
        yield [
            partial(_readable_pictures, chosen[start : start + FRAMES_PER_RUN])
            for start in range(0, len(chosen), FRAMES_PER_RUN)
        ]

    def _chosen(self) -> list[_Place]:
        """The picture for each grid time, and notices of what is lacking."""
        self._notices.clear()
        numbers = np.array(sorted(self._files), np.int64)
        times_ms = numbers * _MS_PER_NUMBER
        end_ms = float(times_ms[-1] + _MS_PER_NUMBER)
        grid = grid_frames(times_ms.astype(np.float64), self._step_ms, end_ms)
        n_missing = int(numbers[-1] - numbers[0] + 1 - len(numbers))
        if n_missing:
            self._note(
                "missing_pictures",
                f"{n_missing} second(s) between the first and the last picture have none.",
                n_missing,
            )
        if self._n_unnumbered:
            self._note(
                "unnumbered_pictures",
                f"{self._n_unnumbered} picture(s) have no number in their name and were left out.",
                self._n_unnumbered,
            )
        return [
            _Place(self._files[int(numbers[row])], int(grid_index), int(times_ms[row]))
            for row, grid_index in zip(grid.frame_rows, grid.grid_index, strict=True)
        ]

    def _note(self, code: str, message: str, count: int) -> None:
        self._notices.append(Notice(code, message, count))


def _picture_at(place: _Place) -> SampledFrame | None:
    """None when it cannot be read."""
    try:
        image = read_picture(place.path)
    except (OSError, ValueError, SyntaxError):
        return None
    return SampledFrame(place.grid_index, place.time_ms, image)


def _readable_pictures(places: Sequence[_Place]) -> Iterator[SampledFrame]:
    for place in places:
        frame = _picture_at(place)
        if frame is None:
            raise RunBrokenError
        yield frame


def read_picture(path: Path) -> UInt8Array:
    """A picture file as upright RGB uint8 (h, w, 3).

    Raises OSError, ValueError or SyntaxError (PIL's own) when it is damaged, no picture, or would
    take gigabytes.
    """
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            return np.array(upright.convert("RGB"), dtype=np.uint8)
    except Image.DecompressionBombError as problem:
        raise ValueError(str(problem)) from problem


def frame_folder_info(folder: Path) -> MediaInfo:
    """What is known of a recording of which only pictures exist: they last one second each.

    Raises MediaError as `FolderFrames`, and when no picture can be read.
    """
    files, _ = numbered_pictures(folder)
    for number in sorted(files):
        try:
            height_px, width_px, _ = read_picture(files[number]).shape
        except (OSError, ValueError, SyntaxError):
            continue
        return MediaInfo(
            duration_ms=(max(files) + 1) * _MS_PER_NUMBER,
            width_px=width_px,
            height_px=height_px,
            frame_rate_hz=1000.0 / _MS_PER_NUMBER,
            video_codec=None,
            audio_codec=None,
            notes=("Read from pictures extracted before; there is no video.",),
        )
    raise MediaError(
        f"No picture of the folder {folder.name} can be read.",
        hint="Extract the frames again with: python -m pipeline frames VIDEO --out FOLDER",
    )


def numbered_pictures(folder: Path) -> tuple[dict[int, Path], int]:
    """The pictures of a folder by their number, and how many files have none.

    Raises MediaError as `FolderFrames`.
    """
    if not folder.is_dir():
        raise MediaError(
            f"There is no folder of frames {folder.name}.",
            hint="Put the frames there as 00000.jpg, 00001.jpg and so on.",
        )
    files: dict[int, Path] = {}
    n_unnumbered = 0
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURE_SUFFIXES or path.name.startswith("."):
            continue
        match = _LAST_NUMBER.search(path.stem)
        if match is None:
            n_unnumbered += 1
            continue
        number = int(match.group(1))
        if number in files:
            raise MediaError(
                f"The folder {folder.name} has two pictures with the number {number}: "
                f"{files[number].name} and {path.name}.",
                hint="Keep the frames of one recording in one folder.",
            )
        files[number] = path
    if not files:
        raise MediaError(
            f"The folder {folder.name} holds no numbered pictures.",
            hint="Name the frames 00000.jpg, 00001.jpg and so on; the number is the second.",
        )
    return files, n_unnumbered
