"""How fast a child's scores and their matched null are computed, and how far from what memory
allows.

    python -m benchmarks.scores_speed [--recordings 300] [--threads 2] [--crops center] [--loop 40]
    python -m benchmarks.scores_speed --write

Ratios are to a plain NumPy loop over utterances on the same data, and to the time that one thread
takes to read every needed vector once on this computer ("floor"). All vectors are random; times
are the best of several turns; on a busy computer trust "CPU us", the CPU time of all threads. The
largest resident memory is told for scoring alone: vectors are made when a crop is asked for, as
they are read from files in a run.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.results import Result, record
from pipeline.align.child_frames import ChildFrames, FrameTimes
from pipeline.align.kernels import Int16Array
from pipeline.align.scores import Scores
from pipeline.align.stage import ChildTarget, align_child
from pipeline.align.threads import threads_of
from pipeline.align.utterances import Utterances, utterances_of
from pipeline.config import AlignSettings
from pipeline.records import Crop, Float32Array, MediaInfo, ModelRef, TimeSpan, Utterance
from pipeline.results import TextEmbeddings, Transcript

_SUB_CROPS = {Crop.MULTI: 3}
_FRAMES = 600
_N_MADE = 3
"""Recordings whose vectors are made; the others repeat them."""
_HEADS = ("utterances/s", "us each", "CPU us each", "loop", "floor")
_WRITTEN = ((60, "center"), (60, "center,pad,squash,multi"), (300, "center"))
"""Recordings and crops of the table."""
_STUDY = (31, 520)
"""Children and recordings of each, of a study of 1.8 million utterances; see `_study_row`."""
TABLE = Path(__file__).with_name("scores_speed.md")
_BOUNDS = """\
What bounds them, counted for vectors of 512 numbers of 16 bits:

- A product is 16 multiplications of 32 pairs where the processor has AVX-512, 32 of 16 with AVX2,
  64 of 8 otherwise. With AVX-512 it took 8 to 15 ns with the images in the processor's memory (8
  images at once) and 34 ns with images from far memory, read one behind the other (30 GB/s; eight
  side by side come at 9 GB/s, because their lines arrive in no order that a processor foresees).
- Windows and lags: 21.5 products for each utterance and square. Each image comes from far memory
  once and is compared with the four utterances near it, whose texts are at hand: 5.4 images for
  each utterance and square, 32 with four crops (6 squares), 1.2 us of reading for both cores.
- Null: 568 products for each utterance (100 runs of 5.7 frames) at 16 to 28 ns, as they read images
  of a tile of 1,024 in random order. In a child of 50 hours a tile holds half a run of an
  utterance, so that each run also reads its text from far memory, 130 bytes a product: a tile
  cannot be larger than the processor's second memory. To that come 3 to 5 us of adding up, 1 to 2
  of drawing and ordering, 5 of reading and rounding the vectors, and about 6 in Python for the
  recordings, which is on one thread."""
_TARGETS = {"null": 50_000, "windows": 333_000}
"""Utterances a second on two cores: with a null of 100 draws, and all windows of all crops."""
_TURNS_OF_WINDOWS = 5
_MOST_GB = 2.0
"""Of memory for a study of 1.8 million utterances."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """What was timed of n utterances; loop_us: what a NumPy loop takes for one, 0 = not timed."""

    name: str
    n: int
    took: Timing
    floor_s: float
    loop_us: float = 0.0

    @property
    def is_windows(self) -> bool:
        """Whether no null was drawn."""
        return self.loop_us > 0

    @property
    def cells(self) -> tuple[str, ...]:
        wall_us, cpu_us = 1e6 * self.took.wall_s / self.n, 1e6 * self.took.cpu_s / self.n
        loop = f"{self.loop_us / wall_us:.1f}x" if self.loop_us else ""
        floor = f"{self.took.wall_s / self.floor_s:.1f}x"
        return f"{1e6 / wall_us:,.0f}", f"{wall_us:.1f}", f"{cpu_us:.1f}", loop, floor


def main() -> None:
    options = _options()
    sizes = _WRITTEN if options.write else ((options.recordings, options.crops),)
    lines, results = [], []
    for recordings, crops in sizes:
        title, rows = _measure(recordings, crops, options)
        print(title)
        print(f"{'':24}" + "".join(f"{head:>15}" for head in _HEADS))
        for row in rows:
            print(f"{row.name:24}" + "".join(f"{cell:>15}" for cell in row.cells), flush=True)
            lines.append(f"| {title} | {row.name} | " + " | ".join(row.cells) + " |")
            results.append(_result(row, recordings, crops, options))
    if options.write:
        title, row = _study_row(options)
        print(title, *row.cells)
        lines.append(f"| {title} | {row.name} | " + " | ".join(row.cells) + " |")
        results.append(_memory_result(title))
    memory = f"Largest memory {_peak_bytes() / 1e9:.2f} GB."
    wanted = (
        "Wanted on two cores, utterances a second: all windows of all four crops "
        f"{_TARGETS['windows']:,}, with null {_TARGETS['null']:,}."
    )
    print(memory, wanted)
    if options.write:
        TABLE.write_text(
            "# Scores of a child and their matched null\n\n"
            "`python -m benchmarks.scores_speed --write` writes this. Random vectors of "
            f"{options.dim} numbers, {options.draws} null windows for each utterance, "
            f"{options.threads} threads; best of {options.turns} turns, of windows and lags alone "
            f"of {_TURNS_OF_WINDOWS * options.turns}.\n\n"
            "| study | what | " + " | ".join(_HEADS) + " |\n"
            "|" + "---|" * (len(_HEADS) + 2) + "\n" + "\n".join(lines) + "\n\n"
            'Ratios are by the clock: "loop" is a plain NumPy loop over utterances with float32 '
            'vectors, "floor" one thread reading every needed vector once. '
            f"{memory} {wanted}\n\n{_BOUNDS}\n",
            "utf-8",
        )
        record(results)


def _result(row: Row, recordings: int, crops: str, options: argparse.Namespace) -> Result:
    n_crops = len(crops.split(","))
    limit = math.nan
    if row.is_windows and n_crops == 4:
        limit = _TARGETS["windows"]
    if not row.is_windows and n_crops == 1:
        limit = _TARGETS["null"]
    hours = recordings * _FRAMES / 3600
    return Result(
        "Scores",
        f"{row.name}, {n_crops} crop{'s' * (n_crops > 1)}, {hours:.0f} h",
        row.n / row.took.wall_s,
        "utterances/s",
        limit,
        True,
        "",
        f"{row.n:,} utterances, vectors of {options.dim}, {options.threads} threads",
        "python -m benchmarks.scores_speed --write",
    )


def _memory_result(title: str) -> Result:
    return Result(
        "Scores",
        "with null, a study: largest memory",
        _peak_bytes() / 1e9,
        "GB",
        _MOST_GB,
        False,
        "",
        title,
        "python -m benchmarks.scores_speed --write",
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
    parser.add_argument("--write", action="store_true", help=f"sizes of {TABLE.name}, and write it")
    return parser.parse_args()


def _measure(
    recordings: int, crop_names: str, options: argparse.Namespace
) -> tuple[str, tuple[Row, ...]]:
    """What was measured, and how long it took: all windows and lags, and with the null."""
    crops = tuple(Crop(name) for name in crop_names.split(","))
    child = _child(np.random.default_rng(1), recordings, options, crops)
    settings = AlignSettings(crops=[crop.value for crop in crops], null_draws=options.draws)
    bandwidth = _read_bandwidth()
    n_frames = int(child.frames.n_frames.sum())
    title = (
        f"{child.n_utterances:,} utterances, {n_frames:,} frames, crops {crop_names} "
        f"(memory reads {bandwidth / 1e9:.1f} GB/s)"
    )
    windows = _windows_row(child, settings, bandwidth, options)
    took = _best(
        lambda: align_child(child.targets, child.frames, settings, n_threads=options.threads),
        options.turns,
    )
    return title, (windows, Row("with null, to the end", windows.n, took, windows.floor_s))


def _study_row(options: argparse.Namespace) -> tuple[str, Row]:
    """All children of a study in turn, each from its vectors to its scores, as a run does it."""
    n_children, recordings = _STUDY
    settings = AlignSettings(crops=[Crop.CENTER.value], null_draws=options.draws)
    bandwidth = _read_bandwidth()
    n, wall_s, cpu_s, n_bytes = 0, 0.0, 0.0, 0
    for seed in range(n_children):
        child = _child(np.random.default_rng(seed), recordings, options, (Crop.CENTER,))
        started, cpu_started = time.perf_counter(), time.process_time()
        align_child(child.targets, child.frames, settings, n_threads=options.threads)
        wall_s += time.perf_counter() - started
        cpu_s += time.process_time() - cpu_started
        n += child.n_utterances
        n_bytes += (2 * int(child.frames.n_frames.sum()) + 4 * child.n_utterances) * options.dim
    title = f"{n:,} utterances of {n_children} children, crop center"
    return title, Row("with null, to the end", n, Timing(wall_s, cpu_s), n_bytes / bandwidth)


def _windows_row(
    child: Child, settings: AlignSettings, bandwidth: float, options: argparse.Namespace
) -> Row:
    """All windows and lags of all crops, with the threads of a run."""
    images = {Crop(name): child.frames.images(Crop(name)) for name in settings.crops}
    utterances = utterances_of(child.frames, [t.transcript for t in child.targets], settings)
    texts = np.concatenate([t.texts.vectors for t in child.targets if t.texts])

    def windows() -> None:
        with threads_of(options.threads) as threads:
            scores = Scores.empty(utterances, texts, len(images), threads)
            for crop, (vectors, k) in enumerate(images.values()):
                scores.fill(crop, vectors, k, 0, threads)

    n_bytes = texts.nbytes + sum(vectors.nbytes for vectors, _ in images.values())
    loop_us = _loop_us(utterances, texts, images, options.loop)
    # Each takes hundredths of a second, so that a moment's other work would decide.
    took = _best(windows, _TURNS_OF_WINDOWS * options.turns)
    return Row("windows and lags", len(texts), took, n_bytes / bandwidth, loop_us)


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


def _child(
    rng: np.random.Generator,
    recordings: int,
    options: argparse.Namespace,
    crops: tuple[Crop, ...],
) -> Child:
    model = ModelRef("random", "random", "", "r", options.dim, 224, "none", "fp32")
    media = MediaInfo(_FRAMES * 1_000, 1080, 1920, 30.0, "h264", "aac")
    made = _unit_rows(rng, _N_MADE * _FRAMES, 1, options.dim)
    times_ms = np.arange(_FRAMES) * 1_000
    sub_crops = {crop: _SUB_CROPS.get(crop, 1) for crop in crops}
    frames, targets = [], []
    for number in range(recordings):
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

    def read(name: str, crop: Crop) -> list[Float32Array]:
        first = int(name[3:]) % _N_MADE * _FRAMES
        return [np.repeat(made[first : first + _FRAMES], _SUB_CROPS.get(crop, 1), axis=1)]

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
