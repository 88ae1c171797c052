"""Zip files from elsewhere: none is unpacked that would fill the memory or the disk."""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile, LargeZipFile, ZipFile

MAX_BYTES = 500_000_000
"""Unpacked, all files together: hundreds of times what rating files and tables of norms take."""
MAX_FILES = 10_000
BROKEN_ZIP = (
    BadZipFile,
    LargeZipFile,
    zlib.error,
    EOFError,
    # A password, and a way of packing that Python does not know.
    RuntimeError,
    OSError,
    ValueError,
)
"""What reading a zip may raise when it is damaged; the last three also for odd contents."""


class TooLargeError(Exception):
    """Unpacked, the zip would be larger than anything it could be."""


def check_size(packed: ZipFile, path: Path) -> None:
    """Raise TooLargeError for a zip that says it holds more than MAX_BYTES or MAX_FILES.

    Python unpacks no file further than the zip says it is long, so what it says can be believed.
    """
    listed = packed.infolist()
    if len(listed) > MAX_FILES or sum(one.file_size for one in listed) > MAX_BYTES:
        raise TooLargeError(path.name)
