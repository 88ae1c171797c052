"""When an MP4 or MOV file shows each packet after decoding it, from the file's own table.

PyAV gives the times of decoding that the header lists, but not those of display, which differ from
them where pictures are decoded in another order than shown (B-frames). The header has these in a
box of its own: ISO/IEC 14496-12, section 8.6.1.3 (`ctts`), as pairs of a count and an offset.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline.records import Int64Array

_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16
_TO_TABLE = (b"mdia", b"minf", b"stbl")


def display_offsets(path: Path, track_id: int, n_packets: int) -> Int64Array | None:
    """Ticks (n_packets,) from decoding to display of a track's packets, up to one constant.

    None when the file has no such table for exactly so many packets, or one that cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            for start, end in _boxes(file, 0, size, b"moov"):
                for first, last in _boxes(file, start, end, b"trak"):
                    if _track_id(file, first, last) == track_id:
                        return _offsets(file, first, last, n_packets)
    except (OSError, struct.error):
        return None
    return None


def _boxes(file: BinaryIO, start: int, end: int, name: bytes) -> Iterator[tuple[int, int]]:
    """[start, end) of what is in each box of that name among the boxes of a part of the file."""
    while start + _HEADER_BYTES <= end:
        file.seek(start)
        size, found = struct.unpack(">I4s", file.read(_HEADER_BYTES))
        n_header = _HEADER_BYTES
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(_HEADER_BYTES))
            n_header = _LONG_HEADER_BYTES
        elif size == 0:
            size = end - start
        if size < n_header or start + size > end:
            return
        if found == name:
            yield start + n_header, start + size
        start += size


def _track_id(file: BinaryIO, start: int, end: int) -> int | None:
    for first, _ in _boxes(file, start, end, b"tkhd"):
        file.seek(first)
        # Version 1 has times of creation and change of eight bytes each, version 0 of four.
        n_before = 20 if file.read(1) == b"\x01" else 12
        file.seek(first + n_before)
        (track_id,) = struct.unpack(">I", file.read(4))
        return int(track_id)
    return None


def _offsets(file: BinaryIO, start: int, end: int, n_packets: int) -> Int64Array | None:
    for name in _TO_TABLE:
        inner = next(_boxes(file, start, end, name), None)
        if inner is None:
            return None
        start, end = inner
    table = next(_boxes(file, start, end, b"ctts"), None)
    if table is None:
        return None
    file.seek(table[0])
    # Version 0 says that offsets have no sign, but writers give them one all the same.
    _, n_pairs = struct.unpack(">II", file.read(8))
    content = file.read(min(8 * n_pairs, table[1] - table[0]))
    if len(content) < 8 * n_pairs:
        return None
    pairs = np.frombuffer(content, np.dtype([("n", ">u4"), ("offset", ">i4")]))
    if int(pairs["n"].sum(dtype=np.int64)) != n_packets:
        return None
    offsets: Int64Array = np.repeat(pairs["offset"].astype(np.int64), pairs["n"].astype(np.int64))
    return offsets
