"""Does the memory of a run grow with the length of a film, or with the number of recordings?

    python -m benchmarks.run_memory                  # small: 6 and 24 minutes, 40 and 160 films
    python -m benchmarks.run_memory --full --write   # 1 and 12 hours, 1,000, 3,000 and 10,000

Whole runs (speech, frames, text, scores, store), each in a process of its own. The long films are
one block joined without encoding again; speech of the demo fills the beginning of the block and is
heard by demo-whisper. The short ones are links to one film of 3 seconds with imported transcripts,
100 of a child. The image-text model is tiny, with random weights, but its vectors have 512 numbers
as those of ViT-B-32: what is kept of a frame is as large as in a real study.

Memory is that of the process of the run (RSS). Exits with 1 when the last run of a table takes
more than 1.2 times as much as the first or, of many recordings, when a recording costs more than
1.2 times the CPU time. `--write` keeps the tables in benchmarks/run_memory.md, and
the growth in results.csv.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.long_films import BLOCK_S, join_blocks, write_block
from benchmarks.process_memory import Watched, watch
from benchmarks.results import Result, record

MAX_GROWTH = 1.2
TABLE = Path(__file__).with_suffix(".md")
STAGES = ("speech", "vision", "text", "align", "publish")
_MARK = "BEGIN"
_PER_CHILD = 100
_SHORT_S = 3
_MODEL = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 64,
        "heads": 2,
        "layers": 1,
    },
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: its memory and CPU time as a whole and by stage, start included in `start`."""

    name: str
    n_recordings: int
    wall_s: float
    cpu_s: float
    all_mb: float
    largest_mb: float
    mb_of: dict[str, float]
    cpu_s_of: dict[str, float]


def main() -> int:
    """Print the tables; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_memory", description=__doc__)
    parser.add_argument("--full", action="store_true", help="1 and 12 hours, up to 10,000")
    parser.add_argument("--hours", type=float, nargs="*", help="lengths of the films")
    parser.add_argument("--recordings", type=int, nargs="*", help="numbers of short recordings")
    parser.add_argument("--folder", type=Path, help="work here, on a disk with 10 GB free")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        return _run(asked.one)
    hours = asked.hours if asked.hours is not None else ([1, 12] if asked.full else [0.1, 0.4])
    numbers = (
        asked.recordings
        if asked.recordings is not None
        else ([1_000, 3_000, 10_000] if asked.full else [40, 160])
    )
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        model = _write_model(folder / "model")
        demo = _demo_film(folder)
        block, short = folder / "block.mp4", folder / "short.mp4"
        heard_s = write_block(demo, block)
        write_block(demo, short, _SHORT_S)
        films = [_long_film(folder, block, model, length) for length in hours]
        many = [_many(folder, short, model, n) for n in numbers]
    text, missed = _told(films, many, heard_s)
    print(text)
    if asked.write:
        TABLE.write_text(text + "\n", encoding="utf-8")
        record([*_growth("length of a film", films), *_growth("number of recordings", many)])
    return int(bool(missed))


def _growth(what: str, runs: Sequence[Measured]) -> list[Result]:
    """The line of the last run of a table against its first; none of fewer than two."""
    if len(runs) < 2:
        return []
    first, last = runs[0], runs[-1]
    return [
        Result(
            "Memory of a run",
            f"{what}, {last.name} against {first.name}",
            last.largest_mb / first.largest_mb,
            "times",
            MAX_GROWTH,
            False,
            "",
            f"{last.largest_mb:,.0f} MB against {first.largest_mb:,.0f} MB",
            "python -m benchmarks.run_memory --full --write",
        )
    ]


def _long_film(folder: Path, block: Path, model: Path, hours: float) -> Measured:
    root = folder / f"film-{hours:g}"
    _write_study(root, model, ["R000000"], source="whisper")
    n_blocks = max(1, round(hours * 3600 / BLOCK_S))
    join_blocks(block, root / "recordings" / "raw" / "R000000.mp4", n_blocks)
    return _measured(root, f"{hours:g} h", 1)


def _many(folder: Path, film: Path, model: Path, n: int) -> Measured:
    root = folder / f"many-{n}"
    names = [f"R{number:06d}" for number in range(n)]
    _write_study(root, model, names, source="import")
    transcripts = root / "annotations" / "whisperx" / "raw"
    transcripts.mkdir(parents=True)
    for number, name in enumerate(names):
        os.link(film, root / "recordings" / "raw" / f"{name}.mp4")
        segments = [
            {"start": 0.2, "end": 1.3, "text": f"Look, ball number {number}!"},
            {"start": 1.6, "end": 2.7, "text": "Where is the dog?"},
        ]
        text = json.dumps({"segments": segments, "language": "en"})
        (transcripts / f"{name}.json").write_text(text, encoding="utf-8")
    return _measured(root, f"{n:,}", n)


def _write_study(root: Path, model: Path, names: Sequence[str], source: str) -> None:
    (root / "recordings" / "raw").mkdir(parents=True)
    (root / "metadata").mkdir()
    (root / "study.toml").write_text(
        f'[speech]\nsource = "{source}"\nmodel = "demo-whisper"\nlanguage = "en"\n'
        f'vad_threshold = 0.3\n[model]\nname = "{model.as_posix()}"\nweights = ""\n',
        encoding="utf-8",
    )
    children = [f"C{number:04d}" for number in range(-(-len(names) // _PER_CHILD))]
    (root / "metadata" / "children.csv").write_text(
        "child_id,child_dob\n" + "".join(f"{child},2024-01-01\n" for child in children),
        encoding="utf-8",
    )
    rows = (
        f"{children[number // _PER_CHILD]},{name}.mp4,2025-01-01\n"
        for number, name in enumerate(names)
    )
    (root / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,date_iso\n" + "".join(rows), encoding="utf-8"
    )


def _measured(root: Path, name: str, n_recordings: int) -> Measured:
    """A whole run over a study, which is deleted afterwards."""
    print(f"{name}: running", file=sys.stderr, flush=True)
    found = watch([sys.executable, "-m", "benchmarks.run_memory", "--one", str(root)])
    if found.return_code:
        raise SystemExit(f"The run over {name} failed.")
    shutil.rmtree(root)
    peak = found.peak()
    wall_s = found.samples[-1].at_s
    marks = _marks(found)
    cpu_s = marks[-1][2]
    mb_of, cpu_s_of = {}, {}
    for (stage, from_s, cpu_before_s), (_, to_s, cpu_after_s) in pairwise(marks):
        mb_of[stage] = found.peak(from_s, to_s).largest_mb
        cpu_s_of[stage] = cpu_after_s - cpu_before_s
    measured = Measured(
        name, n_recordings, wall_s, cpu_s, peak.all_mb, peak.largest_mb, mb_of, cpu_s_of
    )
    print(measured, file=sys.stderr, flush=True)
    return measured


def _marks(found: Watched) -> list[tuple[str, float, float]]:
    """What each line that tells a beginning says: stage, when, CPU seconds so far."""
    marks = []
    for at_s, line in found.lines:
        if line.startswith(_MARK):
            _, stage, cpu_s = line.split()
            marks.append((stage, at_s, float(cpu_s)))
    return marks


def _run(root: Path) -> int:
    """A run of one process, which tells when a stage begins and the CPU time until then."""
    from pipeline.engine.events import Event, RecordingFinished, Said, StageStarted
    from pipeline.engine.runner import Run, RunOptions
    from pipeline.study import open_study

    def mark(stage: str) -> None:
        print(_MARK, stage, f"{time.process_time():.2f}", flush=True)

    def on_event(event: Event) -> None:
        if isinstance(event, StageStarted):
            mark(event.stage)
        elif isinstance(event, Said) and event.text == "Building the store":
            mark("publish")
        elif isinstance(event, RecordingFinished) and event.failure is not None:
            print(event.recording_id, event.failure.message, event.trace, file=sys.stderr)

    mark("start")
    summary = Run(open_study(root), RunOptions(device="cpu"), on_event).execute()
    mark("end")
    return int(bool(summary.failures) or not summary.is_new_store)


def _told(
    films: Sequence[Measured], many: Sequence[Measured], heard_s: float
) -> tuple[str, list[str]]:
    missed = []
    lines = [
        "# Memory of a run",
        "",
        "`python -m benchmarks.run_memory --full --write` writes this page. Whole runs of one "
        f"process on {os.cpu_count()} CPUs; memory in MB, of that process (RSS; in brackets less "
        "what other programs share with it), by stage that of the moment when it was largest.",
        "",
        "## One film, joined of the same block",
        "",
        f"320 x 240, one frame a second, all four crops, vectors of 512 numbers. Somebody speaks "
        f"for {heard_s:.0f} of every {BLOCK_S} seconds and is heard by demo-whisper.",
        "",
        *_table("length", films),
    ]
    if len(films) > 1:
        growth = films[-1].largest_mb / films[0].largest_mb
        lines += ["", f"{films[-1].name} against {films[0].name}: {growth:.2f} times the memory."]
        if growth > MAX_GROWTH:
            missed.append(f"memory grows {growth:.2f} times with the length of a film")
    lines += [
        "",
        "## Many short recordings",
        "",
        f"Links to one film of {_SHORT_S} seconds, two imported utterances each, {_PER_CHILD} "
        "recordings of a child.",
        "",
        *_table("recordings", many),
        "",
        "CPU seconds by stage:",
        "",
        f"| recordings | {' | '.join(('start', *STAGES))} | of one recording (ms) |",
        f"|{'---|' * (len(STAGES) + 3)}",
    ]
    each_ms = []
    for one in many:
        spent = [one.cpu_s_of.get(stage, 0.0) for stage in ("start", *STAGES)]
        each_ms.append(1000 * (one.cpu_s - spent[0]) / one.n_recordings)
        cells = " | ".join(f"{cpu_s:.1f}" for cpu_s in spent)
        lines.append(f"| {one.name} | {cells} | {each_ms[-1]:.0f} |")
    if len(many) > 1:
        growth, slower = many[-1].largest_mb / many[0].largest_mb, each_ms[-1] / each_ms[0]
        lines += [
            "",
            f"{many[-1].name} against {many[0].name}: {growth:.2f} times the memory, {slower:.2f} "
            "times the CPU time of a recording.",
        ]
        if growth > MAX_GROWTH:
            missed.append(f"memory grows {growth:.2f} times with the number of recordings")
        if slower > MAX_GROWTH:
            missed.append(f"a recording costs {slower:.2f} times the CPU time among many")
    wanted = f"Wanted: at most {MAX_GROWTH} times."
    lines += ["", *(f"- Missed: {line}" for line in missed), wanted]
    return "\n".join(lines), missed


def _table(first: str, runs: Sequence[Measured]) -> list[str]:
    stages = ("start", *STAGES)
    return [
        f"| {first} | whole run | {' | '.join(stages)} | CPU (s) | wall (s) |",
        f"|{'---|' * (len(stages) + 4)}",
        *(
            f"| {run.name} | {run.largest_mb:.0f} ({run.all_mb:.0f}) | "
            + " | ".join(f"{run.mb_of.get(stage, 0.0):.0f}" for stage in stages)
            + f" | {run.cpu_s:.0f} | {run.wall_s:.0f} |"
            for run in runs
        ),
    ]


def _demo_film(folder: Path) -> Path:
    """A recording of the demo study in which somebody speaks."""
    from pipeline.demo.study_writer import write_demo_study

    write_demo_study(folder / "demo", scale="tiny")
    return sorted((folder / "demo" / "recordings").rglob("*.mp4"))[0]


def _write_model(folder: Path) -> Path:
    import open_clip
    import torch
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = CLIP(**_MODEL)
    folder.mkdir()
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, str(folder / "open_clip_model.safetensors"))
    colours = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    content = {"model_cfg": _MODEL, "preprocess_cfg": colours}
    (folder / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.exit(main())
