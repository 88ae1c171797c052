"""What does a frame per second cost, in CPU time and bytes, and is it the right one?

    python -m benchmarks.frames_speed                                  # small pictures, seconds
    python -m benchmarks.frames_speed --full --repeats 3 --write       # 1080p, 1440p; the table

Films moving pictures whose frames carry their number, and takes a frame for each second from them
in several ways, each in a process of its own, in turn. CPU time is user and system time once the
libraries are loaded, the least of `--repeats`, scaled to an hour of video. Bytes are what the
process asked the system for, as a share of the file. Exits with 1 when Coview takes a frame that is
not the nearest, or misses one of the targets that are set at full size.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.frames_speed_films import FULL_FILMS, SMALL_FILMS, MadeFilm, TimedFilm, make_film
from benchmarks.frames_speed_ways import (
    GRAB_SKIP,
    KEYS,
    OURS,
    TORCHCODEC,
    TORCHCODEC_EXACT,
    WAYS,
    Taken,
)
from benchmarks.results import Result, record

TABLE = Path(__file__).with_suffix(".md")
_TIE_MS = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """One way on one film. `bytes_share` is NaN where the system does not count them."""

    cpu_s_per_hour: float
    bytes_share: float
    n_frames: int
    n_off: int
    worst_off: int


def main() -> int:
    """Run the comparison; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames_speed", description=__doc__)
    parser.add_argument("--full", action="store_true", help="real sizes, a minute of each video")
    parser.add_argument("--films", nargs="*", help="only these films, by name")
    parser.add_argument("--repeats", type=int, default=1, help="the least of so many runs counts")
    parser.add_argument("--folder", type=Path, help="keep the films here and use them again")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    parser.add_argument("--torchcodec", help="a Python that can import torchcodec, to compare it")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), help="only these besides Coview's")
    options = parser.parse_args()
    pythons = {
        way: options.torchcodec if way in (TORCHCODEC, TORCHCODEC_EXACT) else sys.executable
        for way in WAYS
        if way in (OURS, KEYS, GRAB_SKIP) or way in options.ways
    }
    pythons = {way: python for way, python in pythons.items() if python is not None}
    sections: list[str] = []
    results: list[Result] = []
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for timed in FULL_FILMS if options.full else SMALL_FILMS:
            if options.films and timed.film.name not in options.films:
                continue
            made = make_film(timed, folder)
            costs = _costs(made, pythons, options.repeats)
            results += _results(timed, made, costs)
            sections.append(_section(timed, made, costs))
            print(sections[-1], flush=True)
            missed += [f"{timed.title}: {text}" for text in _missed(timed, made, costs)]
    print("\n".join(f"Missed: {text}" for text in missed) or "Nothing missed.")
    if options.write:
        TABLE.write_text(_page(sections, missed, options.repeats), encoding="utf-8")
        record(results)
    return int(bool(missed))


def _costs(made: MadeFilm, pythons: dict[str, str], n_repeats: int) -> dict[str, Cost]:
    """Each way in turn, over and over, so that what else the machine does hits all alike."""
    best: dict[str, Cost] = {}
    for _ in range(n_repeats):
        for way, python in pythons.items():
            command = [python, "-m", "benchmarks.frames_speed_ways", way, str(made.path)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            cost = _judged(Taken(**json.loads(output)), made, way)
            if way not in best or cost.cpu_s_per_hour < best[way].cpu_s_per_hour:
                best[way] = cost
    return best


def _judged(taken: Taken, made: MadeFilm, way: str) -> Cost:
    """Frames between the one taken and the one nearest to its second, or to the time it tells."""
    off: list[int] = []
    for second, number, time_ms in taken.samples:
        # A key frame stands for another time than the second's, and says for which.
        distance = np.abs(made.times_ms - (time_ms if way == KEYS else 1000.0 * second))
        tolerance_ms = 0.5 if way == KEYS else _TIE_MS
        nearest = made.numbers[distance <= distance.min() + tolerance_ms]
        off.append(int(np.abs(nearest - number).min()))
    return Cost(
        taken.cpu_s * 3_600_000 / _length_ms(made),
        taken.n_bytes / made.path.stat().st_size if taken.n_bytes >= 0 else float("nan"),
        len(off),
        sum(frames > 0 for frames in off),
        max(off, default=0),
    )


def _length_ms(made: MadeFilm) -> float:
    return float(made.times_ms[-1] + np.median(np.diff(made.times_ms)))


def _missed(timed: TimedFilm, made: MadeFilm, costs: dict[str, Cost]) -> list[str]:
    ours, missed = costs[OURS], []
    n_wanted = int(np.ceil(_length_ms(made) / 1000 - 0.001))
    if ours.n_off or costs[KEYS].n_off or ours.n_frames != n_wanted:
        missed.append(f"{ours.n_off} of {n_wanted} frames are not the nearest")
    gain = costs[GRAB_SKIP].cpu_s_per_hour / ours.cpu_s_per_hour
    if gain < timed.min_gain:
        missed.append(f"{gain:.2f} times below grab-and-skip, not {timed.min_gain:g}")
    if timed.max_bytes_share and ours.bytes_share > timed.max_bytes_share:
        missed.append(f"{ours.bytes_share:.1%} of the bytes read")
    return missed


def _results(timed: TimedFilm, made: MadeFilm, costs: dict[str, Cost]) -> list[Result]:
    """CPU time against each other way, and the share of bytes read."""
    ours = costs[OURS]
    size = f"{timed.title}, {_length_ms(made) / 1000:.0f} s"
    command = "python -m benchmarks.frames_speed --full --write"
    limits = {GRAB_SKIP: timed.min_gain or math.nan}
    if timed.min_gain >= 14:
        limits[TORCHCODEC_EXACT] = limits[TORCHCODEC] = 2.3
    found = [
        Result(
            "Frames",
            f"{timed.title}: {way}",
            cost.cpu_s_per_hour / ours.cpu_s_per_hour,
            "times the CPU time",
            limits.get(way, math.nan),
            True,
            "",
            size,
            command,
        )
        for way, cost in costs.items()
        if way not in (OURS, KEYS)
    ]
    share, limit = 100 * ours.bytes_share, 100 * timed.max_bytes_share or math.nan
    name = f"{timed.title}: bytes read"
    return [*found, Result("Frames", name, share, "%", limit, False, "", size, command)]


def _section(timed: TimedFilm, made: MadeFilm, costs: dict[str, Cost]) -> str:
    megabits = made.path.stat().st_size * 8 / 1e3 / _length_ms(made)
    lines = [
        f"### {timed.title}",
        "",
        f"{_length_ms(made) / 1000:.0f} s at {megabits:.1f} Mbit/s; key frames hold "
        f"{_key_share(made.path):.0%} of the bytes.",
        "",
        "| way | CPU-s per hour | times Coview's | bytes read | frames | off | worst |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, cost in costs.items():
        ratio = cost.cpu_s_per_hour / costs[OURS].cpu_s_per_hour
        lines.append(
            f"| {way} | {cost.cpu_s_per_hour:.0f} | {ratio:.1f} | {cost.bytes_share:.0%} | "
            f"{cost.n_frames} | {cost.n_off} | {cost.worst_off} |"
        )
    return "\n".join([*lines, ""])


def _key_share(path: Path) -> float:
    import av

    n_bytes = {False: 0, True: 0}
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            n_bytes[bool(packet.is_keyframe)] += packet.size
    return n_bytes[True] / (n_bytes[True] + n_bytes[False])


def _page(sections: list[str], missed: list[str], n_repeats: int) -> str:
    import av

    return "\n".join(
        [
            "# Frames: what one per second costs",
            "",
            "`python -m benchmarks.frames_speed --full --write` writes this page. Least of "
            f'{n_repeats} run(s), {os.cpu_count()} cores, PyAV {av.__version__}. "Off" counts '
            "frames other than the nearest to the second; for key frames, other than the one at "
            "the time they tell. Trust ratios within a table, not times between machines.",
            "",
            *sections,
            *([f"- Missed: {text}" for text in missed] or ["No target was missed."]),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
