"""What an MP4 or MOV file says of its packets before any of them is read.

Their header lists every packet: place, size, decoding time, key or not. With it the frames can be
chosen without reading the file, and the packets between them are jumped over.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media_file import read_packets
from pipeline.records import Int64Array
from pipeline.vision.composition_times import display_offsets
from pipeline.vision.sampling_plan import BoolArray, PacketIndex, without_orphans
from pipeline.vision.video_file import VideoFile

if TYPE_CHECKING:
    from av.index import IndexEntries

_LISTS_ALL_PACKETS = "mov"
"""The demuxer, by its first name, whose index holds every packet; that of others the keys only."""

_LEAST_COVERED = 0.9
"""Share of the stream's length; a list that covers less is continued elsewhere in the file."""


@dataclass(frozen=True, slots=True)
class ContainerIndex:
    """The video packets that the header lists, in decode order (n,).

    dts: decoding times in ticks, rising; sizes in bytes; is_key: decoding can start here; is_shown:
    not cut away by an edit list.
    """

    dts: Int64Array
    sizes: Int64Array
    is_key: BoolArray
    is_shown: BoolArray

    def part(self, first: int, end: int) -> ContainerIndex:
        """The packets [first, end)."""
        rows = slice(first, end)
        return ContainerIndex(
            self.dts[rows], self.sizes[rows], self.is_key[rows], self.is_shown[rows]
        )

    @property
    def n_bytes_before(self) -> Int64Array:
        """Bytes of the packets before each one and, last, of all packets (n + 1,)."""
        before: Int64Array = np.r_[0, np.cumsum(self.sizes)].astype(np.int64)
        return before


def container_index(video: VideoFile) -> ContainerIndex | None:
    """The header's list of packets, or None when there is none that is complete.

    A list that names packets beyond the end of the file (a copy broken off) ends before them.
    """
    stream = video.stream
    entries: IndexEntries | None = getattr(stream, "index_entries", None)
    if entries is None or video.container.format.name.split(",")[0] != _LISTS_ALL_PACKETS:
        return None
    # Edits may leave out packets at both ends; a file in fragments counts none in its header.
    n = len(entries)
    if not 0 < n <= stream.frames:
        return None
    table = np.array(
        [(e.timestamp, e.size, e.pos, e.is_keyframe, e.is_discard) for e in entries], np.int64
    )
    dts, sizes, places = table[:, 0], table[:, 1], table[:, 2]
    if dts[-1] - dts[0] < _LEAST_COVERED * (stream.duration or 0):
        return None
    is_beyond = places + sizes > video.container.size
    n_whole = int(np.argmax(is_beyond)) if is_beyond.any() else n
    is_key = table[:n_whole, 3] != 0
    if n_whole == 0 or not is_key[0] or np.any(np.diff(dts) <= 0) or np.any(sizes <= 0):
        return None
    return ContainerIndex(dts[:n_whole], sizes[:n_whole], is_key, table[:n_whole, 4] == 0)


def index_without_reading(video: VideoFile, listed: ContainerIndex) -> PacketIndex | None:
    """Display times of the listed packets, or None where they cannot be known from the header.

    They follow the times of decoding by what the header's own table says or, without one, by the
    same amount throughout, unless there are B-frames. The first packet says from where the times
    count. Reads that packet only. That they hold is checked at every packet read later.
    """
    from av.error import FFmpegError

    # A track's number in the file; a list that ends early has fewer packets than the table.
    delays = display_offsets(video.path, video.stream.id, len(listed.dts))
    if delays is None and video.stream.codec_context.has_b_frames:
        return None
    try:
        first = next(read_packets(video.container, video.stream))
    except (FFmpegError, StopIteration):
        return None
    pts = listed.dts if delays is None else listed.dts + (delays - delays[0])
    is_first = first.dts is not None and first.dts == listed.dts[0]
    if first.pts is None or first.dts is None or not is_first or len(np.unique(pts)) < len(pts):
        with suppress(FFmpegError):
            video.container.seek(int(listed.dts[0]), stream=video.stream)
        return None
    index = PacketIndex(pts + (first.pts - first.dts), listed.is_key, listed.is_shown)
    return without_orphans(index)
