"""Packets and pictures of a video in their order; which of them are decoded, a plan decides."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import MediaError
from pipeline.media_file import read_packets
from pipeline.records import Int64Array
from pipeline.vision.container_index import ContainerIndex
from pipeline.vision.sampled_frame import RunBrokenError
from pipeline.vision.sampling_plan import (
    REFERENCE,
    SKIP,
    BoolArray,
    DecodePlan,
    PacketIndex,
    decode_plan,
    unbroken_plan,
    without_orphans,
)
from pipeline.vision.video_file import VideoFile, open_video

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MANY_CORES = 4
_LONG_ROW = 16
_JUMP_BYTES = 1 << 17
"""Fewer bytes than this are read on rather than jumped over: they are often in memory already."""

_BACKWARD_S = 0.5


def packet_index(video: VideoFile) -> PacketIndex | None:
    """All packets in decode order, or None when a packet has no display time.

    Raises MediaError when the times of the groups of pictures jump back.
    """
    pts, flags = array("q"), array("B")
    for packet in _packets(video):
        if packet.pts is None:
            return None
        pts.append(packet.pts)
        flags.append(packet.is_keyframe + 2 * packet.is_discard)
    times = np.array(pts, np.int64)
    flag_values = np.array(flags, np.uint8)
    is_key: BoolArray = (flag_values & 1) != 0
    is_cut_away: BoolArray = (flag_values & 2) != 0
    index = PacketIndex(times, is_key, ~is_cut_away)
    starts = times[is_key & ~is_cut_away]
    if len(starts) > 1 and np.diff(starts).min() * video.tick_s < -_BACKWARD_S:
        raise MediaError(
            f"The times of {video.name} jump back: it seems to be joined from several files.",
            hint=f"Give it one clock with: ffmpeg -i {video.name} -c copy NEW.mp4",
        )
    return without_orphans(index)


class IndexMismatchError(Exception):
    """The packets are not those that the file's own index lists."""


def wanted_frames(
    video: VideoFile,
    index: PacketIndex,
    wanted: Int64Array,
    listed: ContainerIndex | None = None,
) -> Iterator[tuple[int, VideoFile, VideoFrame]]:
    """(row of `wanted`, video, frame) for the pictures of the wanted packets that can be decoded.

    wanted: rows of `index` in order of display. With `listed`, packets that are not needed are
    jumped over; without, all are read. When a picture does not come out, everything around it is
    decoded; if that helps, the rest of the file is decoded so, too.

    Raises IndexMismatchError when a packet's times are not those of `index`.
    """
    row_of_pts = {int(pts): row for row, pts in enumerate(index.pts[wanted])}
    row = 0
    is_unbroken, may_retry = False, True
    while row < len(wanted):
        is_wanted = np.zeros(len(index.pts), bool)
        is_wanted[wanted[row:]] = True
        plan = (
            unbroken_plan(index, is_wanted, int(wanted[row]))
            if is_unbroken
            else decode_plan(index, is_wanted)
        )
        first_row = row
        # Where packets can be jumped to, one opening serves; opening takes as long as two pictures.
        with open_video(video.path) if listed is None else nullcontext(video) as source:
            for frame in _planned_frames(
                source, _needed_packets(source, plan, index, listed), plan
            ):
                found = -1 if frame.pts is None else row_of_pts.get(frame.pts, -1)
                if found < row:
                    continue
                if found > row and may_retry:
                    break
                row = found + 1
                yield found, source, frame
        if not may_retry:
            return
        if is_unbroken and row == first_row:
            # The picture itself is damaged: go on without it, as planned.
            row, is_unbroken, may_retry = row + 1, False, False
        elif is_unbroken:
            may_retry = False
        else:
            is_unbroken = True


def run_frames(
    video: VideoFile, index: PacketIndex, wanted: Int64Array, listed: ContainerIndex
) -> Iterator[tuple[int, VideoFrame]]:
    """(row of `wanted`, frame) for packets that are decoded without others, in one thread.

    index, listed: those packets alone. Other runs of the file are decoded beside this one, so the
    decoder gets one thread of its own.

    Raises RunBrokenError when a picture does not come out in its turn and whole.
    """
    is_wanted = np.zeros(len(index.pts), bool)
    is_wanted[wanted] = True
    plan = decode_plan(index, is_wanted)
    context = video.stream.codec_context
    if not context.is_open:
        context.thread_type, context.thread_count = "NONE", 1
    row = 0
    row_of_pts = {int(pts): row for row, pts in enumerate(index.pts[wanted])}
    try:
        for frame in _decoded(video, _needed_packets(video, plan, index, listed), plan):
            found = -1 if frame.pts is None else row_of_pts.get(frame.pts, -1)
            if found < row:
                continue
            if found > row or frame.is_corrupt:
                raise RunBrokenError
            yield row, frame
            row += 1
    except IndexMismatchError as problem:
        raise RunBrokenError from problem
    if row < len(wanted):
        raise RunBrokenError


def timed_frames(video: VideoFile) -> Iterator[tuple[float, VideoFrame]]:
    """(time in ms, frame) of every frame; a frame without a timestamp follows at the frame rate."""
    frame_ms = 1000.0 / float(video.stream.average_rate or video.stream.guessed_rate or 25)
    time_ms = -frame_ms
    everything = DecodePlan(np.zeros(0, np.uint8), np.zeros(0, bool))
    for frame in _planned_frames(video, enumerate(_packets(video)), everything):
        time_ms = time_ms + frame_ms if frame.pts is None else video.time_ms(frame.pts)
        yield time_ms, frame


def _packets(video: VideoFile) -> Iterator[Packet[VideoStream]]:
    """Packets of the video stream up to the end or the first place that cannot be read."""
    from av.error import FFmpegError

    with suppress(FFmpegError):
        for packet in read_packets(video.container, video.stream):
            if packet.size:
                yield packet


def _needed_packets(
    video: VideoFile, plan: DecodePlan, index: PacketIndex, listed: ContainerIndex | None
) -> Iterator[tuple[int, Packet[VideoStream]]]:
    """(row, packet) of the packets that the plan does not skip, in decode order.

    Raises IndexMismatchError as `wanted_frames`.
    """
    if listed is None:
        for n, packet in enumerate(_packets(video)):
            if n >= len(plan.action) or plan.action[n] != SKIP:
                yield n, packet
        return
    rows = np.flatnonzero(plan.action != SKIP)
    if not len(rows):
        return
    n_bytes_before = listed.n_bytes_before
    breaks = np.flatnonzero(np.diff(rows) > 1)
    starts, stops = rows[np.r_[0, breaks + 1]], rows[np.r_[breaks, len(rows) - 1]] + 1
    packets: Iterator[Packet[VideoStream]] = iter(())
    at: int | None = None
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        if at is None or n_bytes_before[start] - n_bytes_before[at] > _JUMP_BYTES:
            # FFmpeg takes the time of display here, and would go to the key before by the other.
            _seek(video, int(index.pts[start]))
            packets = _packets(video)
        at = start
        for packet in packets:
            if packet.dts is not None and packet.dts < listed.dts[at]:
                continue
            if packet.dts != listed.dts[at] or packet.pts != index.pts[at]:
                raise IndexMismatchError
            yield at, packet
            at += 1
            if at == stop:
                break
        else:
            # What lies here cannot be read; there may be more behind it.
            at = None


def _seek(video: VideoFile, pts: int) -> None:
    from av.error import FFmpegError

    try:
        video.container.seek(pts, stream=video.stream)
    except FFmpegError as problem:
        raise IndexMismatchError from problem


def _planned_frames(
    video: VideoFile, packets: Iterable[tuple[int, Packet[VideoStream]]], plan: DecodePlan
) -> Iterator[VideoFrame]:
    """Decoded frames of the packets (row, packet), in order of display; some unwanted among them.

    Packets beyond the plan are decoded whole.
    """
    context = video.stream.codec_context
    if not context.is_open:
        _set_threads(context, plan)
    yield from _decoded(video, packets, plan)


def _decoded(
    video: VideoFile, packets: Iterable[tuple[int, Packet[VideoStream]]], plan: DecodePlan
) -> Iterator[VideoFrame]:
    from av.error import FFmpegError

    context = video.stream.codec_context
    n_planned = len(plan.action)
    is_decoding = False
    for n, packet in packets:
        if is_decoding and n < n_planned and plan.is_start[n]:
            yield from _drained(video)
        is_reference = n < n_planned and plan.action[n] == REFERENCE
        context.skip_frame = "NONREF" if is_reference else "DEFAULT"
        # A packet that cannot be decoded is noticed by the picture that does not come out.
        with suppress(FFmpegError):
            yield from context.decode(packet)
        is_decoding = n + 1 >= n_planned or plan.action[n + 1] != SKIP
        if not is_decoding:
            # Before the next packet: jumping to it would lose what the decoder still holds.
            yield from _drained(video)
    if is_decoding:
        yield from _drained(video)


def _set_threads(context: VideoCodecContext, plan: DecodePlan) -> None:
    """Least CPU time on few cores; on many, several pictures at once where they come in a row.

    Decoding pictures in parallel costs a third more CPU time, and gains nothing where the decoder
    is emptied after every few.
    """
    if (os.cpu_count() or 1) < _MANY_CORES:
        context.thread_type, context.thread_count = "NONE", 1
        return
    n_decoded, n_starts = np.count_nonzero(plan.action), np.count_nonzero(plan.is_start)
    is_in_rows = n_starts == 0 or n_decoded / n_starts >= _LONG_ROW
    context.thread_type = "AUTO" if is_in_rows else "SLICE"


def _drained(video: VideoFile) -> Iterator[VideoFrame]:
    from av.error import FFmpegError

    context = video.stream.codec_context
    with suppress(FFmpegError):
        yield from context.decode(None)
    context.flush_buffers()
