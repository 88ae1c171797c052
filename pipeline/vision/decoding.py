"""Packets and pictures of a video in their order; which of them are decoded, a plan decides."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import MediaError
from pipeline.records import Int64Array
from pipeline.vision.sampling_plan import (
    SKIP,
    WANTED,
    BoolArray,
    DecodePlan,
    PacketIndex,
    decode_plan,
    groups_of_pictures,
    leading_pictures,
    unbroken_plan,
)
from pipeline.vision.video_file import VideoFile, open_video

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MANY_CORES = 4
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
    group = groups_of_pictures(index)
    # What the first key's leading pictures refer to is not in the file.
    is_decodable = (group > 0) | ((group == 0) & ~leading_pictures(index))
    return PacketIndex(times, is_key, index.is_shown & is_decodable)


def wanted_frames(
    path: Path, index: PacketIndex, wanted: Int64Array
) -> Iterator[tuple[int, VideoFile, VideoFrame]]:
    """(row of `wanted`, video, frame) for the pictures of the wanted packets that can be decoded.

    wanted: rows of `index` in order of display. When a picture does not come out, everything
    around it is decoded; if that helps, the rest of the file is decoded so, too.
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
        with open_video(path) as video:
            for frame in _planned_frames(video, plan):
                found = -1 if frame.pts is None else row_of_pts.get(frame.pts, -1)
                if found < row:
                    continue
                if found > row and may_retry:
                    break
                row = found + 1
                yield found, video, frame
        if not may_retry:
            return
        if is_unbroken and row == first_row:
            # The picture itself is damaged: go on without it, as planned.
            row, is_unbroken, may_retry = row + 1, False, False
        elif is_unbroken:
            may_retry = False
        else:
            is_unbroken = True


def timed_frames(video: VideoFile) -> Iterator[tuple[float, VideoFrame]]:
    """(time in ms, frame) of every frame; a frame without a timestamp follows at the frame rate."""
    frame_ms = 1000.0 / float(video.stream.average_rate or video.stream.guessed_rate or 25)
    time_ms = -frame_ms
    everything = DecodePlan(np.zeros(0, np.uint8), np.zeros(0, bool))
    for frame in _planned_frames(video, everything):
        time_ms = time_ms + frame_ms if frame.pts is None else video.time_ms(frame.pts)
        yield time_ms, frame


def _packets(video: VideoFile) -> Iterator[Packet[VideoStream]]:
    """Packets of the video stream up to the end or the first place that cannot be read."""
    from av.error import FFmpegError

    with suppress(FFmpegError):
        for packet in video.container.demux(video.stream):
            if packet.size:
                yield packet


def _planned_frames(video: VideoFile, plan: DecodePlan) -> Iterator[VideoFrame]:
    """Decoded frames of the plan's packets, in order of display; some unwanted ones among them.

    Packets beyond the plan are decoded whole.
    """
    from av.error import FFmpegError

    context = video.stream.codec_context
    # Decoding frames in parallel costs a third more CPU time; few cores have none to spare.
    context.thread_type = "AUTO" if (os.cpu_count() or 1) >= _MANY_CORES else "SLICE"
    is_decoding = False
    for n, packet in enumerate(_packets(video)):
        action = int(plan.action[n]) if n < len(plan.action) else WANTED
        is_start = n < len(plan.is_start) and bool(plan.is_start[n])
        if is_start or (action == SKIP and is_decoding):
            if is_decoding:
                yield from _drained(video)
            is_decoding = False
        if action == SKIP:
            continue
        is_decoding = True
        context.skip_frame = "DEFAULT" if action == WANTED else "NONREF"
        # A packet that cannot be decoded is noticed by the picture that does not come out.
        with suppress(FFmpegError):
            yield from context.decode(packet)
    if is_decoding:
        yield from _drained(video)


def _drained(video: VideoFile) -> Iterator[VideoFrame]:
    from av.error import FFmpegError

    context = video.stream.codec_context
    with suppress(FFmpegError):
        yield from context.decode(None)
    context.flush_buffers()
