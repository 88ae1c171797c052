"""Frames of a video at the times of a regular grid, each with its own timestamp.

The packets are listed first: from the file's own index where that says all there is to know, else
by reading them without decoding. Their timestamps say which frame is nearest to each grid time, and
so which packets need decoding: from the key of a group of pictures to its last wanted frame,
leaving out unwanted pictures that nothing refers to. Where the index says where they lie, the
packets between are jumped over, and each packet read is held against it. Memory grows with the
length of the video by the list of packets alone, about 15 MB per hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from pipeline.errors import MediaError
from pipeline.records import FrameMode, Int64Array, Notice
from pipeline.vision.container_index import (
    ContainerIndex,
    container_index,
    index_without_reading,
)
from pipeline.vision.decoding import (
    IndexMismatchError,
    packet_index,
    run_frames,
    timed_frames,
    wanted_frames,
)
from pipeline.vision.sampled_frame import FRAMES_PER_RUN, FrameRun, SampledFrame
from pipeline.vision.sampling_plan import (
    IndependentRun,
    PacketIndex,
    grid_frames,
    independent_runs,
    nearest_in_stream,
)
from pipeline.vision.video_file import RECOPY, VideoFile, open_video

_SHORTFALL_MS = 1000.0


@dataclass(frozen=True, slots=True)
class _ChosenFrames:
    """The m frames to decode, in order of display: packet rows, grid indices, times; all (m,).

    `n_repeated` grid times have no frame of their own; `end_ms` is where the last frame ends.
    """

    packets: Int64Array
    grid_index: Int64Array
    times_ms: Int64Array
    n_repeated: int
    end_ms: float


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of chosen frames, and what is known of its packets alone."""

    run: IndependentRun
    chosen: _ChosenFrames
    index: PacketIndex
    listed: ContainerIndex


class VideoFrames:
    """The frames of a video file on a grid of `step_ms`. Raises MediaError as `open_video`."""

    def __init__(self, path: Path, step_ms: float, mode: FrameMode = FrameMode.EXACT) -> None:
        self._path = path
        self._step_ms = step_ms
        self._mode = mode
        self._notices: list[Notice] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        self._notices.clear()
        last = after
        try:
            for frame in self._sampled(may_jump=True, after=after):
                last = frame.grid_index
                yield frame
        except IndexMismatchError:
            self._notices = [
                Notice(
                    "index_disagrees",
                    "The video's own list of its frames is wrong; the file was read through "
                    "instead.",
                )
            ]
            yield from self._sampled(may_jump=False, after=last)

    @contextmanager
    def runs(self) -> Iterator[Sequence[FrameRun]]:
        """Several where the file's own index says how to get to them, else one."""
        self._notices.clear()
        with ExitStack() as opened:
            video = opened.enter_context(open_video(self._path))
            listed = container_index(video)
            index = None if listed is None else index_without_reading(video, listed)
            if index is None and listed is not None:
                index = packet_index(video)
            runs: list[FrameRun] = []
            if index is not None and listed is not None and len(listed.dts) >= len(index.pts):
                chosen = self._chosen(video, index)
                files: SimpleQueue[VideoFile] = SimpleQueue()
                files.put(video)
                for run in independent_runs(index, chosen.packets, FRAMES_PER_RUN):
                    packets = index.part(run.first, run.end), listed.part(run.first, run.end)
                    part = _Run(run, chosen, *packets)
                    runs.append(partial(self._run, part, files, opened))
            if len(runs) < 2:
                # In order, where the decoder may use several threads of its own.
                opened.close()
                runs = [self.frames]
            yield runs

    def _run(
        self, part: _Run, files: SimpleQueue[VideoFile], opened: ExitStack
    ) -> Iterator[SampledFrame]:
        """The frames of a run; the file is opened once for each thread."""
        try:
            video = files.get_nowait()
        except Empty:
            video = opened.enter_context(open_video(self._path))
        run, chosen = part.run, part.chosen
        wanted = chosen.packets[run.start : run.stop] - run.first
        for row, frame in run_frames(video, part.index, wanted, part.listed):
            grid_index = int(chosen.grid_index[run.start + row])
            time_ms = int(chosen.times_ms[run.start + row])
            yield SampledFrame(grid_index, max(0, time_ms), video.picture(frame))
        files.put(video)

    def _sampled(self, *, may_jump: bool, after: int) -> Iterator[SampledFrame]:
        """Frames after the grid index `after`; `may_jump`: the file's own index is believed."""
        with open_video(self._path) as video:
            listed = container_index(video) if may_jump else None
            index = None if listed is None else index_without_reading(video, listed)
            if index is None:
                index = packet_index(video)
            if index is None:
                yield from self._frames_of_untimed_packets(after)
                return
            if listed is not None and len(listed.dts) < len(index.pts):
                listed = None
            yield from self._frames_of(video, index, listed, after)

    def _frames_of(
        self, video: VideoFile, index: PacketIndex, listed: ContainerIndex | None, after: int
    ) -> Iterator[SampledFrame]:
        chosen = self._chosen(video, index)
        start = int(np.searchsorted(chosen.grid_index, after, side="right"))
        packets = chosen.packets[start:]
        n_found = n_damaged = 0
        for row, source, frame in wanted_frames(video, index, packets, listed):
            n_found += 1
            n_damaged += frame.is_corrupt
            grid_index = int(chosen.grid_index[start + row])
            time_ms = int(chosen.times_ms[start + row])
            yield SampledFrame(grid_index, max(0, time_ms), source.picture(frame))
        self._note_decoding(start + n_found, len(chosen.packets), n_damaged)

    def _chosen(self, video: VideoFile, index: PacketIndex) -> _ChosenFrames:
        """The frames to decode, and notices of grid times that have none."""
        if not index.is_shown.any():
            raise MediaError(f"{self._path.name} holds no picture.", hint=RECOPY)
        chosen = _choose(index, video, self._step_ms, self._mode)
        self._note_grid(chosen, (video.container.duration or 0) / 1000.0)
        return chosen

    def _frames_of_untimed_packets(self, after: int) -> Iterator[SampledFrame]:
        """Every frame decoded, for old formats whose packets carry no display time."""
        n = 0
        with open_video(self._path) as video:
            timed = (
                (time_ms, frame)
                for time_ms, frame in timed_frames(video)
                if frame.key_frame or self._mode is FrameMode.EXACT
            )
            for grid_index, time_ms, frame in nearest_in_stream(timed, self._step_ms):
                if grid_index <= after:
                    continue
                n += 1
                yield SampledFrame(grid_index, max(0, round(time_ms)), video.picture(frame))
        self._notices.append(
            Notice(
                "no_packet_times",
                "The video's packets carry no display times; the times of its frames were taken "
                "from the decoder.",
                n,
            )
        )

    def _note_grid(self, chosen: _ChosenFrames, header_ms: float) -> None:
        end_ms = chosen.end_ms
        if chosen.n_repeated:
            reason = (
                "the video shows one frame for longer than the sampling step"
                if self._mode is FrameMode.EXACT
                else "its key frames lie further apart than the sampling step"
            )
            self._notices.append(
                Notice(
                    "grid_times_without_frame",
                    f"{chosen.n_repeated} sampling time(s) have no frame of their own, because "
                    f"{reason}.",
                    chosen.n_repeated,
                )
            )
        if header_ms - end_ms > max(_SHORTFALL_MS, 2 * self._step_ms):
            n_missing = int((header_ms - end_ms) // self._step_ms)
            self._notices.append(
                Notice(
                    "video_ends_early",
                    f"The video ends at {end_ms / 1000:.1f} s of {header_ms / 1000:.1f} s; about "
                    f"{n_missing} frame(s) after that are missing.",
                    n_missing,
                )
            )

    def _note_decoding(self, n_found: int, n_wanted: int, n_damaged: int) -> None:
        if n_found < n_wanted:
            self._notices.append(
                Notice(
                    "frames_not_decoded",
                    f"{n_wanted - n_found} of {n_wanted} frame(s) could not be decoded.",
                    n_wanted - n_found,
                )
            )
        if n_damaged:
            self._notices.append(
                Notice(
                    "damaged_frames",
                    f"{n_damaged} frame(s) were decoded from damaged data and may look wrong.",
                    n_damaged,
                )
            )


def _choose(index: PacketIndex, video: VideoFile, step_ms: float, mode: FrameMode) -> _ChosenFrames:
    shown = np.flatnonzero(index.is_shown)
    shown = shown[np.argsort(index.pts[shown], kind="stable")]
    exact_ms = video.times_ms(index.pts[shown])
    rounded_ms = np.round(exact_ms).astype(np.int64)
    # Two frames within one millisecond would have one time: the first stands for both.
    is_first = np.diff(rounded_ms, prepend=rounded_ms[0] - 1) > 0
    shown, exact_ms, rounded_ms = shown[is_first], exact_ms[is_first], rounded_ms[is_first]
    frame_ms = float(np.median(np.diff(exact_ms))) if len(exact_ms) > 1 else 1.0
    end_ms = float(exact_ms[-1]) + frame_ms
    if mode is FrameMode.KEYFRAMES:
        is_key = index.is_key[shown]
        shown, exact_ms, rounded_ms = shown[is_key], exact_ms[is_key], rounded_ms[is_key]
    grid = grid_frames(exact_ms, step_ms, end_ms)
    rows = grid.frame_rows
    return _ChosenFrames(shown[rows], grid.grid_index, rounded_ms[rows], grid.n_repeated, end_ms)
