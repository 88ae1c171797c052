"""How exact and how costly is it to take one frame per second from a video?

    python -m benchmarks.frames_exact --seconds 60

Films a moving texture whose frames carry their number, and takes a frame for each second from it
in four ways: Coview's, PyAV decoding everything, OpenCV decoding everything, and OpenCV seeking.
Prints for each the frames that are off and the CPU seconds per hour of video, then the memory that
a 1-hour and a 12-hour video take. Exits with 1 if Coview takes a wrong frame, is not the cheapest
exact way, or its memory grows by more than the list of packets (250 MB for 11 h).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
RATE = 30
N_BITS = 16
SIZES = {"1080p": (1920, 1080), "360p": (640, 360)}
GROUPS = {
    "GOP 15, no B-frames": {"g": "15", "bf": "0"},
    "GOP 250, B-frames": {"g": "250", "bf": "3"},
}
MAX_GROWTH_MB = 250.0


def main() -> int:
    """Run the comparison; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames_exact", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="length of the test videos")
    parser.add_argument("--size", choices=sorted(SIZES), default="1080p")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of is not None:
        from pipeline.vision.sampling import sampled_frames

        n_frames = sum(1 for _ in sampled_frames(options.memory_of, 10_000.0))
        print(n_frames, _peak_mb())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        is_missed = False
        for title, group in GROUPS.items():
            path = Path(folder) / "video.mp4"
            _film(path, options.seconds, SIZES[options.size], group)
            is_missed |= _compare(f"{options.size}, {title}", path, options.seconds)
        return int(is_missed | _memory(Path(folder)))


def _compare(title: str, path: Path, seconds: int) -> bool:
    import av  # noqa: F401 - so that no way pays for loading it
    import cv2  # noqa: F401

    print(f"\n{title}, {seconds} s at {RATE} Hz")
    print(f"{'way':26}{'frames':>8}{'off':>6}{'worst':>7}{'CPU-s per hour':>16}")
    costs: dict[str, float] = {}
    for name, frames in WAYS.items():
        before = _cpu_s()
        numbers = {second: _number_of(image) for second, image in frames(path)}
        cost = (_cpu_s() - before) * 3600 / seconds
        distances = [abs(number - RATE * second) for second, number in numbers.items()]
        n_off = sum(distance > 0 for distance in distances) + abs(seconds - len(numbers))
        print(f"{name:26}{len(numbers):8}{n_off:6}{max(distances):7}{cost:16.0f}")
        if n_off == 0:
            costs[name] = cost
    return min(costs, key=lambda name: costs[name], default="") != "Coview"


def _coview(path: Path) -> Iterator[tuple[int, Image]]:
    from pipeline.vision.sampling import sampled_frames

    for frame in sampled_frames(path, 1000.0):
        yield frame.grid_index, frame.image


def _pyav_all(path: Path) -> Iterator[tuple[int, Image]]:
    import av

    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            if n % RATE == 0:
                yield n // RATE, frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def _opencv_all(path: Path) -> Iterator[tuple[int, Image]]:
    import cv2

    capture = cv2.VideoCapture(str(path))
    n = 0
    while True:
        is_read, image = capture.read()
        if not is_read:
            return
        if n % RATE == 0:
            yield n // RATE, np.asarray(image, np.uint8)
        n += 1


def _opencv_seek(path: Path) -> Iterator[tuple[int, Image]]:
    import cv2

    capture = cv2.VideoCapture(str(path))
    for second in range(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // RATE):
        capture.set(cv2.CAP_PROP_POS_FRAMES, second * RATE)
        is_read, image = capture.read()
        if is_read:
            yield second, np.asarray(image, np.uint8)


WAYS: dict[str, Callable[[Path], Iterator[tuple[int, Image]]]] = {
    "Coview": _coview,
    "PyAV, every frame": _pyav_all,
    "OpenCV, every frame": _opencv_all,
    "OpenCV, seeking": _opencv_seek,
}


def _memory(folder: Path) -> bool:
    """Peak memory for 1 h and 12 h of the same pictures; True when it grows too much."""
    if sys.platform == "win32":
        print("\nPeak memory is not measured on Windows.")
        return False
    minute = folder / "minute.mp4"
    _film(minute, 60, (320, 180), {"g": "30", "bf": "2"})
    peaks: list[float] = []
    is_missed = False
    print()
    for hours in (1, 12):
        path = folder / f"{hours}h.mp4"
        _repeat(minute, path, 60 * hours)
        command = [sys.executable, "-m", "benchmarks.frames_exact", "--memory-of", str(path)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        n_frames, peak_mb = output.split()
        print(f"peak memory for {n_frames} frames of {hours:2} h: {float(peak_mb):.0f} MB")
        is_missed |= int(n_frames) != 360 * hours
        peaks.append(float(peak_mb))
        path.unlink()
    return is_missed or peaks[1] - peaks[0] > MAX_GROWTH_MB


def _film(path: Path, seconds: int, size: tuple[int, int], group: dict[str, str]) -> None:
    """A texture that drifts as in a walk, with the frame's number in bars along the top."""
    import av

    width, height = size
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 210, (height // 8 + 64, width // 8 + 64, 3), np.uint8)
    texture = coarse.repeat(8, axis=0).repeat(8, axis=1)
    texture = np.clip(texture + rng.normal(0, 8, texture.shape), 0, 255).astype(np.uint8)
    edges = np.linspace(0, width, N_BITS + 1).astype(int)
    with av.open(str(path), "w") as output:
        options = {"preset": "veryfast", "crf": "23", **group}
        stream = output.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * RATE):
            x = int(200 + 180 * np.sin(number / 40))
            y = int(200 + 180 * np.cos(number / 55))
            image = texture[y : y + height, x : x + width].copy()
            for bit in range(N_BITS):
                image[: height // 8, edges[bit] : edges[bit + 1]] = 235 * (number >> bit & 1)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _repeat(source: Path, target: Path, times: int) -> None:
    """The source's packets over and over, without encoding them again."""
    import av

    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        length = round(60 / float(stream.time_base or 1))
        for repetition in range(times):
            container.seek(0)
            for packet in container.demux(stream):
                if not packet.size or packet.pts is None or packet.dts is None:
                    continue
                packet.pts += repetition * length
                packet.dts += repetition * length
                packet.stream = copy
                output.mux(packet)


def _number_of(image: Image) -> int:
    height, width = image.shape[:2]
    row = image[height // 40 : height // 10].mean(axis=(0, 2))
    centres = (np.arange(N_BITS) + 0.5) * width / N_BITS
    return sum(int(row[int(centre)] > 120) << bit for bit, centre in enumerate(centres))


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def _peak_mb() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used / 1e3


if __name__ == "__main__":
    sys.exit(main())
