"""How long a store takes to build, and how much memory, at the size of the largest public corpus.

    python -m benchmarks.publish_speed [--recordings 16000] [--utterances 112] [--frames 110]
        [--folder FOLDER] [--keep]

Shards of every stage are written with the pipeline's own writers (random vectors and scores, one
crop, lags to 10 s), then the store is built from them by `publish` in a process of its own, whose
largest resident memory is told. With --folder shards of the same sizes are written once and kept.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.results import Result, record
from pipeline.records import (
    Crop,
    Float32Array,
    MediaInfo,
    ModelRef,
    Speaker,
    TimeSpan,
    Utterance,
)
from pipeline.store.layout import ShardFolder, Stage

N_CHILDREN = 51
DIM = 512
WORDS = ("look", "the", "ball", "is", "here", "a", "dog", "where", "do", "you", "want", "cup")
MEDIA = MediaInfo(600_000, 1080, 1920, 30.0, "h264", "aac")
MODEL = ModelRef(
    scorer="synthetic",
    name="synthetic-512",
    weights="none",
    revision="0" * 16,
    dim=DIM,
    image_size_px=224,
    preprocess="none",
    precision="fp32",
    default_threshold=0.24,
    threshold_source="made up",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many recordings, and what each holds; at most one frame a second."""

    n_recordings: int
    n_utterances: int
    n_frames: int


def main() -> int:
    options = _options()
    size = Size(options.recordings, options.utterances, options.frames)
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        started = time.perf_counter()
        write_study(root, size)
        print(f"shards written or found in {time.perf_counter() - started:.0f} s", flush=True)
        # A process of its own, so that the memory told is that of publishing alone.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            took_s, cpu_s, peak_bytes, store = process.submit(build, root).result()
        print(_line("utterances", size.n_recordings * size.n_utterances))
        print(_line("frames", size.n_recordings * size.n_frames))
        print(f"{'time':>24} {took_s:14,.1f} s ({cpu_s:,.1f} s of all CPUs)")
        print(f"{'largest memory':>24} {peak_bytes / 1e9:14,.2f} GB")
        print(f"{'shards':>24} {_bytes_below(root / 'derived', 'parquet') / 1e9:14,.2f} GB")
        store_gb = store.stat().st_size / 1e9
        print(f"{'store':>24} {store_gb:14,.2f} GB")
        store.unlink()
        if options.write:
            record(_results(size, took_s, peak_bytes / 1e9, store_gb))
        is_missed = took_s > 600 or peak_bytes > 8e9
        print("Targets: at most 600 s and 8 GB: " + ("MISSED" if is_missed else "met"))
    return int(is_missed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--utterances", type=int, default=112, help="of each recording")
    parser.add_argument("--frames", type=int, default=110, help="of each recording")
    parser.add_argument("--write", action="store_true", help="add the figures to results.csv")
    parser.add_argument("--folder", type=Path, help="keep the shards here for the next time")
    return parser.parse_args()


def _results(size: Size, took_s: float, memory_gb: float, store_gb: float) -> list[Result]:
    on = f"{size.n_recordings * size.n_utterances:,} utterances, {size.n_recordings:,} recordings"
    command = f"python -m benchmarks.publish_speed --recordings {size.n_recordings} --write"
    figures = (
        ("time", took_s, "s", 600.0),
        ("largest memory", memory_gb, "GB", 8.0),
        ("size of the store", store_gb, "GB", math.nan),
    )
    return [
        Result("Store", f"publishing: {name}", value, unit, limit, False, "", on, command)
        for name, value, unit, limit in figures
    ]


def _line(name: str, n: int) -> str:
    return f"{name:>24} {n:14,}"


def _bytes_below(folder: Path, suffix: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(f"*.{suffix}"))


def recording_ids(size: Size) -> list[str]:
    return [f"rec{number:05d}" for number in range(size.n_recordings)]


def write_study(root: Path, size: Size) -> None:
    """Metadata and shards; those that are there stay."""
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    (root / "study.toml").write_text('[study]\nname = "Publishing"\n', encoding="utf-8")
    children = [f"C{number:02d}" for number in range(N_CHILDREN)]
    (root / "metadata" / "children.csv").write_text(
        "child_id,child_dob\n" + "".join(f"{child},2023-01-01\n" for child in children),
        encoding="utf-8",
    )
    ids = recording_ids(size)
    (root / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,date_iso\n"
        + "".join(
            f"{children[number % N_CHILDREN]},{name}.mp4,2024-{1 + number % 12:02d}-01\n"
            for number, name in enumerate(ids)
        ),
        encoding="utf-8",
    )
    for name in ids:
        (raw / f"{name}.mp4").touch()
    with ProcessPoolExecutor() as processes:
        for _ in processes.map(partial(write_shards, root, size), ids, chunksize=16):
            pass


def shard_paths(root: Path, recording_id: str) -> dict[Stage, Path]:
    return {
        stage: ShardFolder(root / "derived", stage, "benchmark").shard(recording_id, "0")
        for stage in Stage
    }


def write_shards(root: Path, size: Size, recording_id: str) -> None:
    """Every stage's shard of one recording."""
    from pipeline.align.stage import AlignInput, align_recording
    from pipeline.config import AlignSettings
    from pipeline.results import CropEmbeddings, FrameEmbeddings, TextEmbeddings, Transcript
    from pipeline.store import shards
    from pipeline.store.align_shards import write_alignment

    paths = shard_paths(root, recording_id)
    if all(path.exists() for path in paths.values()):
        return
    rng = np.random.default_rng([7, *recording_id.encode()])
    onsets = np.sort(rng.integers(0, size.n_frames * 1_000, size.n_utterances))
    said = Transcript(
        recording_id,
        MEDIA,
        tuple(
            Utterance(
                f"{recording_id}-{number:04d}",
                recording_id,
                TimeSpan(int(onset), int(onset) + int(rng.integers(300, 3_000))),
                " ".join(rng.choice(WORDS, rng.integers(1, 8))),
                speaker=Speaker.FEM if number % 3 else Speaker.CHI,
                language="en",
                mean_logprob=-0.3,
            )
            for number, onset in enumerate(onsets)
        ),
        "made up",
    )
    ids = tuple(utterance.utterance_id for utterance in said.utterances)
    texts = TextEmbeddings(recording_id, MODEL, ids, _unit_rows(rng, len(ids)))
    frames = FrameEmbeddings(
        recording_id,
        MEDIA,
        MODEL,
        np.arange(size.n_frames) * 1_000,
        np.arange(size.n_frames),
        (b"",) * size.n_frames,
        (CropEmbeddings(Crop.CENTER, _unit_rows(rng, size.n_frames)[:, None, :]),),
    )
    # One recording alone, and few null windows: this is about building stores from scores.
    aligned = align_recording(
        AlignInput(said, frames, texts), [frames], AlignSettings(crops=["center"], null_draws=10)
    )
    shards.write_transcript(paths[Stage.SPEECH], said)
    shards.write_frames(paths[Stage.VISION], frames)
    shards.write_texts(paths[Stage.TEXT], texts)
    write_alignment(paths[Stage.ALIGN], aligned)


def build(root: Path) -> tuple[float, float, int, Path]:
    """Publish; seconds by the clock and of all CPUs, largest resident memory, the store."""
    from pipeline.store.fill import RunRecord, ShardSet
    from pipeline.store.publish import publish
    from pipeline.study import open_study

    study = open_study(root)
    by_recording = [shard_paths(root, one.recording_id) for one in study.recordings]
    shards = ShardSet(*(tuple(paths[stage] for paths in by_recording) for stage in Stage))
    now = datetime(2026, 1, 1)
    cpu, started = time.process_time(), time.perf_counter()
    store = publish(study, shards, [], [], RunRecord("benchmark", now, now, "0", "{}", "{}", "cpu"))
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return took_s, cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, store


def _unit_rows(rng: np.random.Generator, n: int) -> Float32Array:
    vectors = rng.normal(size=(n, DIM)).astype(np.float32)
    found: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
