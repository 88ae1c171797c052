"""Many arrays in one file, each of which is there as soon as the file is mapped.

The file is a plain NumPy file of bytes: the arrays one behind the other, then a directory of them
as text, its length and its checksum. An array's own checksum, the sum of its bytes as 64-bit
numbers, is compared when the array is first asked for: that takes as long as reading it, and
makes a damaged file an error instead of a wrong number.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StoreError

_HEADER_BYTES = 128
_ALIGNED_BYTES = 64
_TAIL = np.dtype([("length", "<u8"), ("checksum", "<u8")])

Array = NDArray[np.generic]
Bytes = NDArray[np.uint8]


class ColumnWriter:
    """Writes arrays to a file that is whole when the block ends without an error."""

    def __init__(self, path: Path, about: str) -> None:
        """about: text that the reader gets back."""
        self._path, self._about = path, about
        self._entries: list[tuple[str, str, tuple[int, ...], int, int]] = []

    def __enter__(self) -> ColumnWriter:
        self._file = self._path.open("wb")
        self._file.write(bytes(_HEADER_BYTES))
        return self

    def add(self, name: str, array: Array) -> None:
        """Write an array, which is found again by its name."""
        values = np.ascontiguousarray(array)
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        self._pad()
        offset = self._file.tell()
        self._file.write(values.reshape(-1).view(np.uint8).data)
        entry = (name, values.dtype.str, values.shape, offset, _sum_of(values))
        self._entries.append(entry)

    def _pad(self) -> None:
        self._file.write(bytes(-self._file.tell() % _ALIGNED_BYTES))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file as file:
            if kind is not None:
                return
            self._pad()
            text = json.dumps({"about": self._about, "arrays": self._entries}).encode()
            file.write(text)
            file.write(np.array([(len(text), zlib.crc32(text))], _TAIL).tobytes())
            shape = (file.tell() - _HEADER_BYTES,)
            file.seek(0)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            if file.tell() != _HEADER_BYTES:
                raise ValueError(f"the header has {file.tell()} bytes instead of {_HEADER_BYTES}")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: str
    shape: tuple[int, ...]
    offset: int
    checksum: int


@dataclass(frozen=True, slots=True, eq=False)
class ColumnFile:
    """An open file of arrays; `about` is the text that it was written with."""

    path: Path
    about: str
    _content: Bytes
    _entries: dict[str, _Entry]
    _checked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def array(self, name: str) -> Array | None:
        """The array of this name, mapped and not to be changed; None where there is none.

        Raises StoreError when it is damaged.
        """
        entry = self._entries.get(name)
        if entry is None:
            return None
        dtype = np.dtype(entry.dtype)
        n_bytes = dtype.itemsize * int(np.prod(entry.shape, dtype=np.int64))
        part = self._content[entry.offset - _HEADER_BYTES :][:n_bytes]
        if len(part) != n_bytes:
            raise damaged(self.path)
        if name not in self._checked:
            if _sum_of(part) != entry.checksum:
                raise damaged(self.path)
            with self._lock:
                self._checked.add(name)
        return part.view(dtype).reshape(entry.shape)


def open_column_file(path: Path) -> ColumnFile | None:
    """The file of arrays at `path`; None when there is none. StoreError when it is damaged."""
    try:
        # Mapped to be copied on writing: to the compiler of loops these are arrays like others.
        found = np.load(path, mmap_mode="c", allow_pickle=False)
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError) as problem:
        raise damaged(path) from problem
    if not isinstance(found, np.memmap) or found.dtype != np.uint8 or found.ndim != 1:
        raise damaged(path)
    if found.offset != _HEADER_BYTES or len(found) < _TAIL.itemsize:
        raise damaged(path)
    content = np.asarray(found)
    (length, checksum) = content[-_TAIL.itemsize :].view(_TAIL)[0].tolist()
    text = content[-_TAIL.itemsize - length : -_TAIL.itemsize].tobytes()
    if len(text) != length or zlib.crc32(text) != checksum:
        raise damaged(path)
    directory = json.loads(text)
    entries = {
        str(name): _Entry(str(dtype), tuple(shape), int(offset), int(total))
        for name, dtype, shape, offset, total in directory["arrays"]
    }
    return ColumnFile(path, str(directory["about"]), content, entries)


def part_name(name: str, place: int) -> str:
    """The name of one of several arrays that belong together."""
    return f"{name} #{place}"


def damaged(path: Path) -> StoreError:
    """What a reader is told of a file beside a store that cannot be right."""
    return StoreError(
        f"{path.name} is damaged.",
        hint="Build the store again with: python -m pipeline run STUDY --stage publish",
    )


def _sum_of(array: Array) -> int:
    """The sum of an array's bytes as 64-bit numbers, of which the last may be filled up."""
    content = array.reshape(-1).view(np.uint8)
    whole = len(content) // 8 * 8
    last = int.from_bytes(content[whole:].tobytes(), "little")
    total = int(np.add.reduce(content[:whole].view("<u8"), dtype=np.uint64)) if whole else 0
    return (total + last) % 2**64
