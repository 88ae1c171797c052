"""Opening a lab's media for reading: files only, and only the containers that cameras write.

FFmpeg knows some three hundred kinds of file, among them play lists that name other files or
addresses. None of those is a recording, so none is opened, whatever a file is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "h264",
    "hevc",
    "m4v",
    "mxf",
    "asf",
    "flv",
    "dv",
    "ivf",
    "ogg",
    "wav",
    "w64",
    "aiff",
    "caf",
    "flac",
    "mp3",
    "aac",
    "amr",
)
"""FFmpeg's names of the containers read: video of cameras and telephones, sound of recorders."""
_ONLY_FILES = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}


def open_media(path: Path) -> InputContainer:
    """Open a recording. Metadata that is no text is read with marks in place of what is not.

    Raises av.error.FFmpegError when it is damaged or of no container listed in FORMATS, and
    OSError when it cannot be opened.
    """
    import av

    return av.open(str(path), mode="r", options=_ONLY_FILES, metadata_errors="replace")
