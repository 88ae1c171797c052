"""How fast a child's scores and their matched null are computed, and how far from what memory
allows.

    python -m benchmarks.scores_speed [--recordings 300] [--threads 2] [--crops center] [--loop 40]

Ratios are to a plain NumPy loop over utterances on the same data, and to the time that reading
every needed vector once takes on this computer ("floor"). All vectors are random; times are the
best of several turns; on a busy computer trust "CPU us", the CPU time of all threads. The largest
resident memory is told for scoring alone: vectors are made when a crop is asked for, as they are
read from files in a run.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.align.child_frames import ChildFrames, FrameTimes
from pipeline.align.kernels import Int16Array
from pipeline.align.rounded import RoundedTexts
from pipeline.align.stage import ChildTarget, align_child
from pipeline.align.utterances import Utterances, utterances_of
from pipeline.align.window_scores import score_windows
from pipeline.config import AlignSettings
from pipeline.records import Crop, Float32Array, MediaInfo, ModelRef, TimeSpan, Utterance
from pipeline.results import TextEmbeddings, Transcript

_SUB_CROPS = {Crop.MULTI: 3}
_FRAMES = 600
_N_MADE = 3
"""Recordings whose vectors are made; the others repeat them."""
_TARGETS = {"null": 50_000, "windows": 333_000}
"""Utterances a second on two cores: with a null of 100 draws, and all windows of all crops."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Shortest of several turns: seconds by the clock, and of all CPUs together."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Child:
    """Recordings of ten minutes of one child; vectors of their frames are made when asked for."""

    targets: tuple[ChildTarget, ...]
    frames: ChildFrames

    @property
    def n_utterances(self) -> int:
        return sum(len(target.transcript.utterances) for target in self.targets)


def main() -> None:
    options = _options()
    rng = np.random.default_rng(1)
    crops = tuple(Crop(name) for name in options.crops.split(","))
    child = _child(rng, options, crops)
    settings = AlignSettings(crops=[crop.value for crop in crops], null_draws=options.draws)
    bandwidth = _read_bandwidth()
    n = child.n_utterances
    print(
        f"{n:,} utterances in {options.recordings} recordings of one child, "
        f"{int(child.frames.n_frames.sum()):,} frames; crops {options.crops}; dim {options.dim}; "
        f"{options.draws} null windows each; {options.threads} thread(s); "
        f"memory reads {bandwidth / 1e9:.1f} GB/s"
    )
    print(f"{'':24}{'utterances/s':>14}{'us each':>10}{'CPU us':>10}{'loop':>10}{'floor':>10}")
    floor_s = _windows_row(child, settings, bandwidth, options)
    before = _peak_bytes()
    took = _best(
        lambda: align_child(child.targets, child.frames, settings, n_threads=options.threads),
        options.turns,
    )
    _print_row("with null, to the end", n, took, floor_s)
    print(f"largest memory {_peak_bytes() / 1e9:.2f} GB ({before / 1e9:.2f} GB before)")
    print(
        "Wanted on two cores, utterances a second: all windows of all four crops "
        f"{_TARGETS['windows']:,}, with null {_TARGETS['null']:,}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recordings", type=int, default=60, help="of the child, 10 min each")
    parser.add_argument("--utterances", type=int, default=112, help="in each recording")
    parser.add_argument("--crops", default="center", help="e.g. center,pad,squash,multi")
    parser.add_argument("--draws", type=int, default=100, help="null windows of an utterance")
    parser.add_argument("--dim", type=int, default=512, help="length of an embedding")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--loop", type=int, default=300, help="utterances of the NumPy loop")
    return parser.parse_args()


def _windows_row(
    child: Child, settings: AlignSettings, bandwidth: float, options: argparse.Namespace
) -> float:
    """Time all windows and lags of all crops; returns the seconds that reading takes."""
    images = {Crop(name): child.frames.images(Crop(name)) for name in settings.crops}
    utterances = utterances_of(child.frames, [t.transcript for t in child.targets], settings)
    texts = np.concatenate([t.texts.vectors for t in child.targets if t.texts])

    def windows() -> None:
        rounded = RoundedTexts.of(texts)
        for vectors, k in images.values():
            score_windows(rounded, vectors, k, utterances.reach, utterances.windows)

    n_bytes = texts.nbytes + sum(vectors.nbytes for vectors, _ in images.values())
    loop_us = _loop_us(utterances, texts, images, options.loop)
    took = _best(windows, options.turns)
    _print_row("windows and lags", len(texts), took, n_bytes / bandwidth, loop_us)
    return n_bytes / bandwidth


def _print_row(name: str, n: int, took: Timing, floor_s: float, loop_us: float = 0.0) -> None:
    wall_us, cpu_us = 1e6 * took.wall_s / n, 1e6 * took.cpu_s / n
    loop = f"{loop_us / wall_us:9.1f}x" if loop_us else f"{'':>10}"
    print(
        f"{name:24}{1e6 / wall_us:14,.0f}{wall_us:10.1f}{cpu_us:10.1f}{loop}"
        f"{took.wall_s / floor_s:9.1f}x",
        flush=True,
    )


def _loop_us(
    utterances: Utterances,
    texts: Float32Array,
    images: dict[Crop, tuple[Int16Array, int]],
    n_looped: int,
) -> float:
    """Microseconds that a plain loop takes for an utterance."""
    n = min(n_looped, len(texts))
    needed = int((utterances.reach.first + utterances.reach.n_frames)[:n].max())
    floats = [(vectors[: needed * k].astype(np.float32), k) for vectors, k in images.values()]

    def loop() -> None:
        for row in range(n):
            first, n_frames = utterances.reach.first[row, 0], utterances.reach.n_frames[row, 0]
            for vectors, k in floats:
                part = vectors[first * k : (first + n_frames) * k] @ texts[row]
                cosines = part.reshape(-1, k).max(axis=1)
                for window in range(utterances.windows.first.shape[1]):
                    at = utterances.windows.first[row, window] - first
                    inside = cosines[at : at + utterances.windows.n_frames[row, window]]
                    if len(inside):
                        inside.max(), inside.mean(), inside.min()

    took_s: float = _best(loop, 2).wall_s
    return 1e6 * took_s / n


def _child(rng: np.random.Generator, options: argparse.Namespace, crops: tuple[Crop, ...]) -> Child:
    model = ModelRef("random", "random", "", "r", options.dim, 224, "none", "fp32")
    media = MediaInfo(_FRAMES * 1_000, 1080, 1920, 30.0, "h264", "aac")
    made = _unit_rows(rng, _N_MADE * _FRAMES, 1, options.dim)
    times_ms = np.arange(_FRAMES) * 1_000
    sub_crops = {crop: _SUB_CROPS.get(crop, 1) for crop in crops}
    frames, targets = [], []
    for number in range(options.recordings):
        name = f"rec{number:05d}"
        frames.append(FrameTimes(name, model, times_ms, times_ms // 1_000, sub_crops))
        onset_ms = np.sort(rng.integers(0, _FRAMES * 1_000, options.utterances))
        length_ms = np.clip(rng.lognormal(7.2, 0.7, options.utterances), 150, 15_000).astype(int)
        said = tuple(
            Utterance(f"u{row}", name, TimeSpan(int(onset), int(onset + length)), "words")
            for row, (onset, length) in enumerate(zip(onset_ms, length_ms, strict=True))
        )
        ids = tuple(utterance.utterance_id for utterance in said)
        texts = TextEmbeddings(name, model, ids, _unit_rows(rng, len(ids), options.dim))
        targets.append(ChildTarget(Transcript(name, media, said, "random"), texts))

    def read(name: str, crop: Crop) -> Float32Array:
        first = int(name[3:]) % _N_MADE * _FRAMES
        found: Float32Array = np.repeat(
            made[first : first + _FRAMES], _SUB_CROPS.get(crop, 1), axis=1
        )
        return found

    return Child(tuple(targets), ChildFrames.of(frames, read))


def _unit_rows(rng: np.random.Generator, *shape: int) -> Float32Array:
    vectors = rng.standard_normal(shape, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read_bandwidth() -> float:
    """Bytes per second when one thread looks for the largest value of a large array."""
    values = np.ones(1 << 25, np.int64)
    return values.nbytes / _best(values.max, 5).wall_s


def _best(run: Callable[[], object], n_turns: int) -> Timing:
    """The shortest turn, after one that compiles and warms up."""
    run()
    wall_s, cpu_s = [], []
    for _ in range(n_turns):
        started, cpu_started = time.perf_counter(), time.process_time()
        run()
        wall_s.append(time.perf_counter() - started)
        cpu_s.append(time.process_time() - cpu_started)
    return Timing(min(wall_s), min(cpu_s))


if __name__ == "__main__":
    main()
