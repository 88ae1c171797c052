"""The videos that `frames_speed` compares ways on: as head cameras and telephones write them.

A camera's encoder looks at one picture at a time and spends little more on key pictures; files that
were encoded again have long groups and B-frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.numbered_films import Film, write_film

_CAMERA = "scenecut=0:rc-lookahead=0:mbtree=0:ipratio=1.1"
_SHORT: Mapping[str, str] = {"preset": "veryfast", "g": "15", "bf": "0", "x264-params": _CAMERA}
_LONG: Mapping[str, str] = {"preset": "medium", "g": "250", "bf": "3"}
_HEVC: Mapping[str, str] = {
    "preset": "ultrafast",
    "x265-params": "keyint=15:min-keyint=15:bframes=0:scenecut=0:log-level=none",
}
HD, QHD, SMALL = (1920, 1080), (2560, 1440), (640, 360)


@dataclass(frozen=True, slots=True)
class TimedFilm:
    """A film, the seconds of it that are encoded, and how often these are repeated.

    A film of uneven times has no repetitions: it does not end on a whole second.

    At least so many times less CPU time than OpenCV's grab-and-skip, and at most that share of the
    file read, are asked of Coview; 0 asks nothing.
    """

    title: str
    film: Film
    seconds: int
    n_repeats: int = 3
    min_gain: float = 0.0
    max_bytes_share: float = 0.0


FULL_FILMS: tuple[TimedFilm, ...] = (
    TimedFilm(
        "H.264 1080p, 30 Mbit/s, groups of 15",
        Film("h264_1080p_gop15", "libx264", HD, _SHORT, 30.0),
        10,
        6,
        min_gain=14.0,
        max_bytes_share=0.10,
    ),
    TimedFilm(
        "H.264 1440p, 50 Mbit/s, groups of 15",
        Film("h264_1440p_gop15", "libx264", QHD, _SHORT, 50.0),
        10,
        6,
        min_gain=14.0,
        max_bytes_share=0.10,
    ),
    TimedFilm(
        "HEVC 1080p, 20 Mbit/s, groups of 15",
        Film("hevc_1080p_gop15", "libx265", HD, _HEVC, 20.0),
        10,
        6,
        min_gain=10.0,
        max_bytes_share=0.10,
    ),
    TimedFilm(
        "H.264 1080p, 4 Mbit/s, groups of 250 with B-frames",
        Film("h264_1080p_gop250", "libx264", HD, _LONG, 4.0),
        25,
        min_gain=1.9,
    ),
    TimedFilm(
        "H.264 1080p, 15 Mbit/s, groups of 30 with B-frames",
        Film(
            "h264_1080p_gop30_b",
            "libx264",
            HD,
            {"preset": "veryfast", "g": "30", "bf": "2", "x264-params": "scenecut=0"},
            15.0,
        ),
        10,
        6,
        min_gain=1.9,
    ),
    TimedFilm(
        "H.264 1080p, 30 Mbit/s, groups of 15, uneven times, turned by 90 degrees",
        Film(
            "h264_uneven_turned",
            "libx264",
            HD,
            _SHORT,
            30.0,
            is_uneven=True,
            rotation_degrees=90,
        ),
        20,
        1,
    ),
)

SMALL_FILMS: tuple[TimedFilm, ...] = tuple(
    replace(
        timed,
        film=replace(timed.film, size=SMALL, megabits=timed.film.megabits / 9),
        seconds=6,
        n_repeats=min(2, timed.n_repeats),
        min_gain=0.0,
        max_bytes_share=0.0,
    )
    for timed in FULL_FILMS
)


@dataclass(frozen=True, slots=True)
class MadeFilm:
    """A film on disk: the true time of each frame in ms (n,), and the number it shows (n,)."""

    path: Path
    times_ms: np.ndarray[tuple[int], np.dtype[np.float64]]
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]]


def make_film(timed: TimedFilm, folder: Path) -> MadeFilm:
    """Write a film into `folder`, unless it is there, and say what its frames are."""
    width, height = timed.film.size
    name = f"{timed.film.name}_{width}x{height}_{timed.seconds * timed.n_repeats}s"
    path, times_file = folder / f"{name}.mp4", folder / f"{name}.json"
    if not times_file.is_file():
        once = folder / f"{name}_once.mp4"
        written = write_film(timed.film, once, timed.seconds)
        _repeat(once, path, timed)
        once.unlink()
        times_file.write_text(json.dumps(written), encoding="utf-8")
    once_ms = np.array(json.loads(times_file.read_text(encoding="utf-8")), np.float64)
    starts = np.arange(timed.n_repeats) * timed.seconds * 1000.0
    times_ms = (starts[:, None] + once_ms[None, :]).ravel()
    return MadeFilm(path, times_ms, np.tile(np.arange(len(once_ms)), timed.n_repeats))


def _repeat(source: Path, target: Path, timed: TimedFilm) -> None:
    """The source's packets over and over, without encoding them again."""
    import av

    with (
        av.open(str(source)) as container,
        av.open(str(target), "w", options={"movflags": "faststart"}) as output,
    ):
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        if timed.film.rotation_degrees:
            copy.set_display_rotation(timed.film.rotation_degrees)
        length = round(Fraction(timed.seconds) / (stream.time_base or 1))
        for repetition in range(timed.n_repeats):
            container.seek(0, stream=stream)
            for packet in container.demux(stream):
                if not packet.size or packet.pts is None or packet.dts is None:
                    continue
                packet.pts += repetition * length
                packet.dts += repetition * length
                packet.stream = copy
                output.mux(packet)
