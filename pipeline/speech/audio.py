"""The sound of a recording as 16 kHz mono blocks, each sample at its own time.

Times come from the frames' timestamps, not from counting samples, so that speech stays in step
with the picture when the audio starts late or has gaps. Blocks end in a quiet moment and bound
the memory a recording of many hours needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import MediaError
from pipeline.media_file import SteadyResampler, open_media, read_packets
from pipeline.records import Float32Array

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

SAMPLE_RATE_HZ = 16_000
BLOCK_S = 600
_QUIET_SEARCH_S = 30
_QUIET_WINDOW_S = 0.1
_TOLERATED_S = 0.1
_LONGEST_GAP_S = 6 * 3_600
_SILENCE_PIECE = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Samples (float32, -1 to 1) from `onset_ms` on; `n_bad_packets` could not be decoded."""

    onset_ms: int
    samples: Float32Array
    n_bad_packets: int = 0

    @property
    def offset_ms(self) -> int:
        return self.onset_ms + _ms(len(self.samples))


def audio_blocks(path: Path, audio_track: int = 0, block_s: int = BLOCK_S) -> Iterator[AudioBlock]:
    """Decode one audio track in blocks of about `block_s` seconds.

    Raises MediaError when the file cannot be opened, has no audio or not that track.
    """
    buffer: list[Float32Array] = []
    n_buffered = n_given = n_bad = 0
    for chunk in decoded_sound(path, audio_track):
        if chunk is None:
            n_bad += 1
            continue
        buffer.append(chunk)
        n_buffered += len(chunk)
        while n_buffered >= block_s * SAMPLE_RATE_HZ:
            samples = np.concatenate(buffer)
            cut = quiet_moment(samples[: block_s * SAMPLE_RATE_HZ], min(_QUIET_SEARCH_S, block_s))
            yield AudioBlock(_ms(n_given), samples[:cut], n_bad)
            n_given, n_bad = n_given + cut, 0
            buffer, n_buffered = [samples[cut:]], len(samples) - cut
    samples = np.concatenate(buffer) if buffer else np.empty(0, dtype=np.float32)
    if len(samples) or n_bad:
        yield AudioBlock(_ms(n_given), samples, n_bad)


def quiet_moment(samples: Float32Array, search_s: float) -> int:
    """Sample index in the middle of the quietest 100 ms of the last `search_s` seconds.

    Samples shorter than one window give their length.
    """
    window = round(_QUIET_WINDOW_S * SAMPLE_RATE_HZ)
    start = max(0, len(samples) - round(search_s * SAMPLE_RATE_HZ))
    n_windows = (len(samples) - start) // window
    if not n_windows:
        return len(samples)
    tail = samples[start : start + n_windows * window].reshape(n_windows, window)
    loudness = np.einsum("ij,ij->i", tail, tail)
    # The last of equals: silence throughout should give long blocks.
    quietest = n_windows - 1 - int(loudness[::-1].argmin())
    return start + quietest * window + window // 2


def quiet_pieces(samples: Float32Array, longest_s: float) -> list[tuple[float, float]]:
    """Cut samples at quiet moments into (start, end) seconds, none longer than `longest_s`."""
    longest = round(longest_s * SAMPLE_RATE_HZ)
    pieces = []
    start = 0
    while len(samples) - start > longest:
        end = start + max(1, quiet_moment(samples[start : start + longest], longest_s / 3))
        pieces.append((start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
        start = end
    if start < len(samples):
        pieces.append((start / SAMPLE_RATE_HZ, len(samples) / SAMPLE_RATE_HZ))
    return pieces


def decoded_sound(
    path: Path, audio_track: int, rate_hz: int = SAMPLE_RATE_HZ
) -> Iterator[Float32Array | None]:
    """Consecutive mono samples from time 0; None for each packet that could not be decoded.

    Raises MediaError when the file cannot be opened, has no audio or not that track.
    """
    import av

    with ExitStack() as opened:
        try:
            container = opened.enter_context(open_media(path))
        except (av.error.FFmpegError, OSError) as problem:
            raise MediaError(
                f"{path.name} cannot be opened: {problem}.",
                hint="Check that the file plays; it may be damaged or still being copied.",
            ) from problem
        tracks = container.streams.audio
        if not tracks:
            raise MediaError(
                f"{path.name} has no audio track.",
                hint="Import a transcript for it under annotations/.",
            )
        if audio_track >= len(tracks):
            raise MediaError(
                f"{path.name} has {len(tracks)} audio track(s); speech.audio_track is "
                f"{audio_track}.",
                hint=f"Choose 0 to {len(tracks) - 1}.",
            )
        stream = tracks[audio_track]
        origin_s = (container.start_time or 0) / av.time_base
        resampler = SteadyResampler("flt", "mono", rate_hz)
        n_done = 0
        read = read_packets(container, stream)
        while True:
            try:
                packet = next(read)
                frames = packet.decode()
            except StopIteration:
                break
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                yield None
                continue
            for frame in frames:
                if frame.pts is not None and frame.time_base is not None:
                    due = round((float(frame.pts * frame.time_base) - origin_s) * rate_hz)
                    gap = due - n_done
                    if _TOLERATED_S < gap / rate_hz <= _LONGEST_GAP_S:
                        yield from _silence(gap)
                        n_done += gap
                frame.pts = None
                for piece in _resampled(resampler.resample(frame)):
                    n_done += len(piece)
                    yield piece
        yield from _resampled(resampler.resample(None))


def _silence(n_samples: int) -> Iterator[Float32Array]:
    """Silence in pieces, so that a long gap does not fill the memory."""
    for start in range(0, n_samples, _SILENCE_PIECE):
        yield np.zeros(min(_SILENCE_PIECE, n_samples - start), dtype=np.float32)


def _resampled(frames: list[AudioFrame]) -> Iterator[Float32Array]:
    for frame in frames:
        samples = np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)
        if len(samples):
            yield samples


def _ms(n_samples: int) -> int:
    return round(n_samples * 1000 / SAMPLE_RATE_HZ)
