"""Films of any length, joined of one block without encoding again, and very short ones."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.records import Float32Array
from pipeline.speech.audio import SAMPLE_RATE_HZ, decoded_sound

if TYPE_CHECKING:
    import av

BLOCK_S = 120
"""Speech fills the beginning of a block, as long as the recording it is taken from lasts."""

_WIDTH_PX, _HEIGHT_PX, _RATE = 320, 240, 5
_HISS = 1e-3


def write_block(source: Path, path: Path, seconds: int = BLOCK_S) -> float:
    """A film of `seconds`: the pictures of `source` over and over, its sound once and then hiss.
    Returns for how many seconds the source is heard."""
    heard = sound_of(source)[: seconds * SAMPLE_RATE_HZ]
    rng = np.random.default_rng(0)
    sound = (_HISS * rng.normal(size=seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    sound[: len(heard)] += heard
    write_sounding_film(source, sound, path)
    return len(heard) / SAMPLE_RATE_HZ


def write_sounding_film(pictures: Path, sound: Float32Array, path: Path) -> None:
    """A film as long as `sound` (n,) at 16 kHz: 320 x 240 at 5 frames a second, H.264 with a key
    frame a second, and AAC; the pictures are another film's, over and over."""
    import av
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

    n_frames = len(sound) * _RATE // SAMPLE_RATE_HZ
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=_RATE)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = _WIDTH_PX, _HEIGHT_PX, "yuv420p"
        video.options = {"preset": "veryfast", "g": str(_RATE), "bf": "0", "crf": "28"}
        audio = output.add_stream("aac", rate=SAMPLE_RATE_HZ)
        assert isinstance(audio, AudioStream)
        audio.layout = "mono"
        for number, picture in zip(range(n_frames), _pictures(pictures), strict=False):
            picture.pts, picture.time_base = number, Fraction(1, _RATE)
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(
                sound[None, start : start + 1024], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
            frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))


def sound_of(film: Path) -> Float32Array:
    """All its sound, (n,) at 16 kHz."""
    return np.concatenate([chunk for chunk in decoded_sound(film, 0) if chunk is not None])


def join_blocks(block: Path, path: Path, n_blocks: int, block_s: int = BLOCK_S) -> None:
    """The block `n_blocks` times behind itself: packets are copied, their times moved on."""
    import av

    with av.open(str(path), "w") as output, av.open(str(block)) as first:
        streams = {
            stream.index: output.add_stream_from_template(stream) for stream in first.streams
        }
        for number in range(n_blocks):
            with av.open(str(block)) as film:
                for packet in film.demux():
                    if packet.dts is None or packet.pts is None or packet.time_base is None:
                        continue
                    ticks = round(block_s / packet.time_base)
                    # What AAC puts before the first and behind the last sample would overlap.
                    if not 0 <= packet.pts < ticks:
                        continue
                    packet.pts += number * ticks
                    packet.dts += number * ticks
                    packet.stream = streams[packet.stream_index]
                    output.mux(packet)


def _pictures(source: Path) -> Iterator[av.VideoFrame]:
    import av

    while True:
        with av.open(str(source)) as film:
            for frame in film.decode(video=0):
                yield frame.reformat(_WIDTH_PX, _HEIGHT_PX, "yuv420p")
