"""How fast scores and their matched null are computed, and how far from what memory allows.

    python -m benchmarks.scores_speed [--hours 17] [--recordings 20] [--threads 2]

Ratios are to a plain NumPy loop over utterances on the same data, and to the time that reading
every needed vector once takes on this computer. All vectors are random; times are the best of
several turns; on a busy computer trust "CPU us", the CPU time of all threads. Set
OMP_NUM_THREADS=1 to give the NumPy loop one thread as well.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.align.checks import texts_in_order
from pipeline.align.null import draw_runs, places_in_others, utterance_keys
from pipeline.align.null_scores import NullPool
from pipeline.align.stage import AlignInput, align_recording
from pipeline.align.window_scores import score_windows
from pipeline.align.windows import FrameRanges, Spans, frame_ranges
from pipeline.config import AlignSettings
from pipeline.records import Crop, Float32Array, MediaInfo, ModelRef, TimeSpan, Utterance
from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
from pipeline.schema import WINDOWS

_WIDTHS_MS = tuple(WINDOWS.values())
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Timing:
    """Shortest of several turns: seconds by the clock, and of all CPUs together."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `took` is for n_utterances, `loop` for n_looped."""

    name: str
    n_utterances: int
    took: Timing
    n_looped: int
    loop: Timing
    floor_s: float

    def text(self) -> str:
        wall_us = 1e6 * self.took.wall_s / self.n_utterances
        cpu_us = 1e6 * self.took.cpu_s / self.n_utterances
        loop_us = 1e6 * self.loop.wall_s / self.n_looped
        return (
            f"{self.name:34} {1e6 / wall_us:12,.0f} {wall_us:10.1f} {cpu_us:10.1f} "
            f"{loop_us / wall_us:10.1f}x {self.took.wall_s / self.floor_s:10.1f}x"
        )


@dataclass(frozen=True, slots=True)
class World:
    """One target recording and the pool of the same child."""

    target: AlignInput
    pool: tuple[FrameEmbeddings, ...]
    texts: Float32Array
    spans: Spans
    windows: FrameRanges

    def crops(self) -> tuple[Crop, ...]:
        return tuple(entry.crop for entry in self.target.frames.crops)


def main() -> None:
    options = _options()
    rng = np.random.default_rng(1)
    world = _world(rng, options)
    center = replace(world, target=_center_only(world.target), pool=_pool_center_only(world.pool))
    bandwidth = _read_bandwidth()
    n_frames = sum(len(frames.times_ms) for frames in world.pool)
    print(
        f"{len(world.spans)} utterances of {_mean_ms(world.spans):.0f} ms in a recording of "
        f"{options.minutes} min; pool {n_frames} frames ({n_frames / 3600:.1f} h); "
        f"dim {options.dim}; multi = {options.sub_crops} sub-crops; K = {options.draws}; "
        f"{options.threads} thread(s); memory reads {bandwidth / 1e9:.1f} GB/s"
    )
    print(
        f"{'':34} {'utterances/s':>12} {'us each':>10} {'CPU us':>10} "
        f"{'NumPy loop':>11} {'floor':>11}"
    )
    for name, part in (("center", center), ("all crops", world)):
        print(_windows_row(f"3 windows + lag table, {name}", part, bandwidth).text(), flush=True)
    for name, part in (("center", center), ("all crops", world)):
        print(_null_row(f"with null, {name}", part, options, bandwidth).text(), flush=True)
    _print_memory(world, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=int, default=20, help="length of each recording")
    parser.add_argument("--hours", type=float, default=2.0, help="frames in the null's pool")
    parser.add_argument("--utterances", type=int, default=500, help="utterances per recording")
    parser.add_argument("--recordings", type=int, default=5, help="recordings scored for memory")
    parser.add_argument("--draws", type=int, default=100, help="null windows per utterance")
    parser.add_argument("--dim", type=int, default=512, help="length of an embedding")
    parser.add_argument("--sub-crops", type=int, default=3, help="sub-crops of the multi crop")
    parser.add_argument("--threads", type=int, default=1, help="threads for the null")
    return parser.parse_args()


def _windows_row(name: str, world: World, bandwidth: float) -> Row:
    frames, crops = world.target.frames, world.crops()

    def run() -> None:
        windows = frame_ranges(world.spans, frames.times_ms, _WIDTHS_MS)
        score_windows(world.texts, frames, crops, world.spans, windows)

    def loop() -> None:
        wide = frame_ranges(world.spans, frames.times_ms, (10_000,))
        for row in range(n_looped):
            for crop in crops:
                vectors = frames.vectors(crop)
                first, end = wide.first[row, 0], wide.first[row, 0] + wide.n_frames[row, 0]
                cosines = (vectors[first:end] @ world.texts[row]).max(axis=1)
                for window in range(len(_WIDTHS_MS)):
                    at = world.windows.first[row, window] - first
                    part = cosines[at : at + world.windows.n_frames[row, window]]
                    if len(part):
                        part.max(), part.mean(), part.min()

    n_looped = min(500, len(world.spans))
    needed = world.texts.nbytes + _vector_bytes((frames,))
    return Row(name, len(world.spans), _best(run, 7), n_looped, _best(loop, 3), needed / bandwidth)


def _null_row(name: str, world: World, options: argparse.Namespace, bandwidth: float) -> Row:
    settings = AlignSettings(null_draws=options.draws)
    crops = world.crops()
    pool = NullPool.of(world.pool)
    n_looped = min(30, len(world.spans))
    utterances = world.target.transcript.utterances[:n_looped]
    keys = utterance_keys("target", [u.utterance_id for u in utterances], settings.seed)
    places = places_in_others(pool.starts, [len(f.times_ms) for f in world.pool])
    runs = draw_runs(world.windows.of(slice(0, n_looped)), places, keys, options.draws)

    def run() -> None:
        align_recording(world.target, world.pool, settings, n_threads=options.threads)

    def loop() -> None:
        for row in range(n_looped):
            for start in runs.first[row]:
                index = int(np.searchsorted(pool.starts, start, "right")) - 1
                first = start - pool.starts[index]
                for crop in crops:
                    vectors = world.pool[index].vectors(crop)
                    cosines = (vectors[first : first + runs.n_frames[row]] @ world.texts[row]).max(
                        axis=1
                    )
                    for window in range(len(_WIDTHS_MS)):
                        at = runs.window_first[row, window]
                        part = cosines[at : at + world.windows.n_frames[row, window]]
                        if at >= 0:
                            part.max(), part.mean()

    needed = world.texts.nbytes + _vector_bytes((world.target.frames, *world.pool))
    return Row(name, len(world.spans), _best(run, 5), n_looped, _best(loop, 2), needed / bandwidth)


def _print_memory(world: World, options: argparse.Namespace) -> None:
    """Score several recordings one after the other; print the rate and the memory added."""
    settings = AlignSettings(null_draws=options.draws)

    def run() -> None:
        align_recording(world.target, world.pool, settings, n_threads=options.threads)

    started = time.perf_counter()
    for _ in range(options.recordings):
        run()
    took_s = time.perf_counter() - started
    tracemalloc.start()
    for _ in range(2):
        run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n = options.recordings * len(world.spans)
    inputs = world.texts.nbytes + _vector_bytes((world.target.frames, *world.pool))
    print(
        f"{n:,} utterances in {options.recordings} recordings, all crops, with null: "
        f"{took_s:.1f} s, {n / took_s:,.0f} utterances/s; inputs {inputs / _MIB:,.0f} MiB, "
        f"at most {peak / _MIB:,.0f} MiB on top of them at any time"
    )


def _world(rng: np.random.Generator, options: argparse.Namespace) -> World:
    model = ModelRef("random", "random", "", "r", options.dim, 224, "none", "fp32")
    duration_ms = options.minutes * 60_000
    onset_ms = np.sort(rng.integers(0, duration_ms, options.utterances))
    length_ms = np.clip(rng.lognormal(7.2, 0.7, options.utterances), 150, 15_000).astype(int)
    media = MediaInfo(duration_ms, 1080, 1920, 30.0, "h264", "aac")
    utterances = tuple(
        Utterance(f"u{row}", "target", TimeSpan(int(onset), int(onset + length)), "words")
        for row, (onset, length) in enumerate(zip(onset_ms, length_ms, strict=True))
    )
    transcript = Transcript("target", media, utterances, "random")
    ids = tuple(utterance.utterance_id for utterance in utterances)
    texts = TextEmbeddings("target", model, ids, _unit_rows(rng, len(ids), options.dim))

    def frames(name: str) -> FrameEmbeddings:
        times_ms = np.arange(0, duration_ms, 1000)
        return FrameEmbeddings(
            name,
            media,
            model,
            times_ms,
            times_ms // 1000,
            (b"",) * len(times_ms),
            tuple(
                CropEmbeddings(crop, _unit_rows(rng, len(times_ms), k, options.dim))
                for crop, k in zip(Crop, (1, 1, 1, options.sub_crops), strict=True)
            ),
        )

    target = AlignInput(transcript, frames("target"), texts)
    n_others = max(1, round(options.hours * 60 / options.minutes))
    spans = Spans.of(utterances)
    return World(
        target,
        tuple(frames(f"other{number:04d}") for number in range(n_others)),
        texts_in_order(transcript, texts, options.dim),
        spans,
        frame_ranges(spans, target.frames.times_ms, _WIDTHS_MS),
    )


def _unit_rows(rng: np.random.Generator, *shape: int) -> Float32Array:
    vectors = rng.standard_normal(shape, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors


def _center_only(target: AlignInput) -> AlignInput:
    return replace(target, frames=replace(target.frames, crops=target.frames.crops[:1]))


def _pool_center_only(pool: tuple[FrameEmbeddings, ...]) -> tuple[FrameEmbeddings, ...]:
    return tuple(replace(frames, crops=frames.crops[:1]) for frames in pool)


def _vector_bytes(recordings: tuple[FrameEmbeddings, ...]) -> int:
    return sum(entry.vectors.nbytes for frames in recordings for entry in frames.crops)


def _mean_ms(spans: Spans) -> float:
    return float(np.mean(spans.offset_ms - spans.onset_ms))


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
