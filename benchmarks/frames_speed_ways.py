"""The ways of taking a frame per second that `frames_speed` compares, each run in its own process.

python -m benchmarks.frames_speed_ways WAY VIDEO
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.numbered_films import RATE, Image, number_of

OURS, KEYS = "Coview", "Coview, key frames"
READ_ALL, GRAB_SKIP = "OpenCV, read every frame", "OpenCV, grab and skip"
PYAV_ALL = "PyAV, every frame"
TORCHCODEC = "torchcodec, approximate"
TORCHCODEC_EXACT = "torchcodec, exact"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a way took: (second, number shown, time in ms or -1 where it tells none) of each frame.

    `n_bytes` read, or -1 where the system does not count them.
    """

    samples: list[tuple[int, int, float]]
    cpu_s: float
    n_bytes: int


def main() -> None:
    """Run one way on one video and print what it took as JSON."""
    way, video = sys.argv[1], Path(sys.argv[2])
    _load(way)
    started_s, n_bytes_before = time.process_time(), _n_bytes_read()
    samples = [(second, number_of(image), time_ms) for second, image, time_ms in WAYS[way](video)]
    cpu_s = time.process_time() - started_s
    n_bytes = _n_bytes_read() - n_bytes_before if n_bytes_before >= 0 else -1
    print(json.dumps(asdict(Taken(samples, cpu_s, n_bytes))))


Samples = Iterator[tuple[int, Image, float]]


def _coview(path: Path, *, is_key_only: bool = False) -> Samples:
    from pipeline.records import FrameMode
    from pipeline.vision.sampling import open_frames

    mode = FrameMode.KEYFRAMES if is_key_only else FrameMode.EXACT
    for frame in open_frames(path, None, 1000.0, mode).frames():
        yield frame.grid_index, frame.image, frame.time_ms


def _coview_keys(path: Path) -> Samples:
    return _coview(path, is_key_only=True)


def _pyav_all(path: Path) -> Samples:
    import av

    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            if n % RATE == 0:
                image = frame.to_ndarray(format="rgb24")
                yield n // RATE, np.rot90(image, frame.rotation // 90), -1.0


def _opencv_all(path: Path) -> Samples:
    import cv2

    capture = cv2.VideoCapture(str(path))
    n = 0
    while True:
        is_read, image = capture.read()
        if not is_read:
            return
        if n % RATE == 0:
            yield n // RATE, np.asarray(image, np.uint8), -1.0
        n += 1


def _opencv_grab(path: Path) -> Samples:
    import cv2

    capture = cv2.VideoCapture(str(path))
    n = 0
    while capture.grab():
        if n % RATE == 0:
            is_read, image = capture.retrieve()
            if is_read:
                yield n // RATE, np.asarray(image, np.uint8), -1.0
        n += 1


def _torchcodec(path: Path, *, seek_mode: str = "approximate") -> Samples:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), seek_mode=seek_mode, dimension_order="NHWC")
    end_s = decoder.metadata.end_stream_seconds or decoder.metadata.duration_seconds
    for second in range(int(end_s)):
        frame = decoder.get_frame_played_at(float(second))
        yield second, frame.data.numpy(), -1.0


def _torchcodec_exact(path: Path) -> Samples:
    return _torchcodec(path, seek_mode="exact")


WAYS: dict[str, Callable[[Path], Samples]] = {
    OURS: _coview,
    KEYS: _coview_keys,
    GRAB_SKIP: _opencv_grab,
    READ_ALL: _opencv_all,
    PYAV_ALL: _pyav_all,
    TORCHCODEC: _torchcodec,
    TORCHCODEC_EXACT: _torchcodec_exact,
}


def _load(way: str) -> None:
    """Load the libraries first, so that no way pays for it."""
    if way in (TORCHCODEC, TORCHCODEC_EXACT):
        import torchcodec.decoders  # noqa: F401
    elif way in (GRAB_SKIP, READ_ALL):
        import cv2  # noqa: F401
    else:
        import av  # noqa: F401

        import pipeline.vision.sampling  # noqa: F401


def _n_bytes_read() -> int:
    counters = Path("/proc/self/io")
    if not counters.is_file():
        return -1
    return int(counters.read_text(encoding="utf-8").split()[1])


if __name__ == "__main__":
    main()
