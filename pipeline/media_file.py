"""Opening a lab's media for reading: files only, and only the containers that cameras write.

FFmpeg knows some three hundred kinds of file, among them play lists that name other files or
addresses. None of those is a recording, so none is opened, whatever a file is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.in_hand import in_hand

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

OneStream = TypeVar("OneStream", bound="Stream")

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


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a recording. Metadata that is no text is read with marks in place of what is not.

    Raises av.error.FFmpegError when it is damaged or of no container listed in FORMATS, OSError
    when it cannot be opened, and MediaError as `in_hand`.
    """
    import av

    with (
        in_hand(path),
        av.open(str(path), mode="r", options=_ONLY_FILES, metadata_errors="replace") as container,
    ):
        yield container


def read_packets(container: InputContainer, *streams: OneStream) -> Iterator[Packet[OneStream]]:
    """Packets of some streams from where the container stands, in their order; an empty one each
    at the end. Raises av.error.FFmpegError where the file cannot be read on.
    """
    # av knows only the streams that were there at the start. When all is read and the last empty
    # packet given, it stumbles over those that began amid the file.
    with suppress(IndexError):
        # Their types do not say that packets are of the streams that were asked for.
        yield from container.demux(*streams)  # type: ignore[misc]


class SteadyResampler:
    """Sound as one format, layout and rate, also where a file changes its own in between.

    That happens in files joined from several, and in damaged ones.
    """

    def __init__(self, sample_format: str, layout: str, rate_hz: int) -> None:
        self._target = (sample_format, layout, rate_hz)
        self._given: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def resample(self, frame: AudioFrame | None) -> list[AudioFrame]:
        """The frame as wanted; None gives what is still held back at the end."""
        import av

        if frame is None:
            return [] if self._resampler is None else self._resampler.resample(None)
        given = (frame.format.name, frame.layout.name, frame.sample_rate)
        held_back = []
        if given != self._given or self._resampler is None:
            held_back = self.resample(None)
            sample_format, layout, rate_hz = self._target
            self._resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate_hz)
            self._given = given
        return [*held_back, *self._resampler.resample(frame)]
