"""What a recording's video file or folder of frames holds, before any work on it starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import MediaError
from pipeline.media_file import read_packets
from pipeline.records import MediaInfo
from pipeline.vision.frame_folder import frame_folder_info
from pipeline.vision.video_file import RECOPY, VideoFile, open_video

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame

__all__ = ["frame_folder_info", "probe_media"]

_TAIL_S = 5.0
_TOLERANCE_S = 1.0
_MAX_PACKETS_TO_FIRST_PICTURE = 2000


def probe_media(path: Path, *, audio_track: int = 0) -> MediaInfo:
    """Duration, upright size, frame rate and codecs of a video.

    The duration is the container's, unless the packets at the end of the file disagree by more
    than a second (truncated copies, wrong headers): then the file is read through and its last
    timestamp counts, with a note. `audio_track` is the position among the audio tracks.

    Raises MediaError for a missing, empty or unreadable file, one without a video track, and one
    of which no picture can be decoded.
    """
    notes: list[str] = []
    with open_video(path) as video:
        width_px, height_px = video.picture_size(_first_picture(video))
        stream = video.stream
        rate = stream.average_rate or stream.guessed_rate
        tracks = video.container.streams.audio
        audio_codec = None
        if audio_track < len(tracks):
            context = tracks[audio_track].codec_context
            audio_codec = context.name if context is not None else None
        elif tracks:
            notes.append(
                f"The file has {len(tracks)} audio track(s); track {audio_track} does not exist."
            )
        header_s = _header_duration_s(video.container)
        video_codec = stream.codec_context.name
        duration_s = _duration_s(video, header_s)
    if header_s is not None and abs(duration_s - header_s) > _TOLERANCE_S:
        notes.append(
            f"The header says {header_s:.1f} s; the file holds {duration_s:.1f} s, which is used."
        )
    return MediaInfo(
        duration_ms=max(1, round(duration_s * 1000)),
        width_px=width_px,
        height_px=height_px,
        frame_rate_hz=float(rate) if rate else None,
        video_codec=video_codec,
        audio_codec=audio_codec,
        notes=tuple(notes),
    )


def _first_picture(video: VideoFile) -> VideoFrame:
    from av.error import FFmpegError

    for n, packet in enumerate(read_packets(video.container, video.stream)):
        try:
            for frame in packet.decode():
                return frame
        except FFmpegError:
            continue
        if n > _MAX_PACKETS_TO_FIRST_PICTURE:
            break
    raise MediaError(
        f"No picture of {video.name} can be decoded.",
        hint=RECOPY,
    )


def _header_duration_s(container: InputContainer) -> float | None:
    duration: int | None = container.duration
    return None if duration is None or duration <= 0 else duration / 1_000_000


def _duration_s(video: VideoFile, header_s: float | None) -> float:
    if header_s is not None:
        tail_s = _last_timestamp_s(video, from_s=max(0.0, header_s - _TAIL_S))
        if tail_s is not None and abs(tail_s - header_s) <= _TOLERANCE_S:
            return header_s
    with open_video(video.path) as anew:
        last_s = _last_timestamp_s(anew, from_s=None)
    return last_s if last_s is not None else (header_s or 0.0)


def _last_timestamp_s(video: VideoFile, *, from_s: float | None) -> float | None:
    """End of the last audio or video packet, s from the start; None when nothing can be read."""
    from av.error import FFmpegError

    streams: list[Stream] = [video.stream, *video.container.streams.audio]
    last_s: float | None = None
    try:
        if from_s is not None:
            video.container.seek(int((from_s + video.start_s) * 1_000_000))
        for packet in read_packets(video.container, *streams):
            if packet.pts is None or packet.is_discard or packet.time_base is None:
                continue
            end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - video.start_s
            last_s = end_s if last_s is None else max(last_s, end_s)
    except FFmpegError:
        # A damaged tail ends the reading; what came before it counts.
        return last_s
    return last_s
