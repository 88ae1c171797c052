"""What does Coview's speech stage cost over plain batched faster-whisper?

    python -m benchmarks.transcribe_speed                  # a few minutes of the demo's voices
    python -m benchmarks.transcribe_speed --minutes 20 --rounds 5 --write

The same file, model and options, in one process and in turn: `BatchedInferencePipeline.transcribe`
called on the file as its README does, with its own voice filter; and the stage, which besides marks
voices itself, keeps what is heard after every ten minutes, asks in which language each stretch is,
and cuts and checks utterances. The demo's model is small, so that what is done around it weighs
more than with a model that people use. Exits with 1 when the stage takes more than 1.1 times the
CPU time, by the median of rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.long_films import sound_of, write_sounding_film
from benchmarks.results import Result, record
from pipeline.config import SpeechSettings
from pipeline.engine.tools import Tools
from pipeline.engine.work import media_info
from pipeline.speech.audio import SAMPLE_RATE_HZ
from pipeline.speech.kept_blocks import KeptBlocks
from pipeline.speech.stage import transcribe_recording
from pipeline.speech.whisper_files import DEMO_SPEECH_MODEL, speech_model_folder
from pipeline.study import Study, open_study

MAX_RATIO = 1.1
TABLE = Path(__file__).with_suffix(".md")
_RECORDING = "R000000"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU (all threads) and wall seconds, and how many words were heard."""

    cpu_s: float
    wall_s: float
    n_words: int


def main() -> int:
    """Print the table; the exit code is 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transcribe_speed")
    parser.add_argument("--minutes", type=float, default=3.0, help="of sound")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = _study(Path(folder), asked.minutes)
        plain, ours = _plain(study), _stage(study)
        plain(), ours()  # the first time loads what is loaded once
        rounds = [(_timed(plain), _timed(ours)) for _ in range(asked.rounds)]
    cpu, wall = (_ratio(rounds, kind) for kind in ("cpu_s", "wall_s"))
    text = _told(rounds, asked.minutes, cpu, wall)
    print(text)
    if asked.write:
        TABLE.write_text(text + "\n", encoding="utf-8")
        size = f"{asked.minutes:g} minutes of speech, {DEMO_SPEECH_MODEL}"
        record([_result("CPU time", cpu, size), _result("wall time", wall, size)])
    return int(cpu > MAX_RATIO)


def _ratio(rounds: Sequence[tuple[Spent, Spent]], kind: str) -> float:
    """Stage against plain, median of rounds; kind: "cpu_s" or "wall_s"."""
    ratios = [getattr(ours, kind) / getattr(plain, kind) for plain, ours in rounds]
    return float(statistics.median(ratios))


def _result(what: str, ratio: float, size: str) -> Result:
    return Result(
        "Transcription",
        f"{what} of the stage",
        ratio,
        "times",
        MAX_RATIO,
        False,
        "plain batched faster-whisper",
        size,
        "python -m benchmarks.transcribe_speed --minutes 20 --rounds 5 --write",
    )


def _plain(study: Study) -> Callable[[], int]:
    """faster-whisper on the file, with the options that the study's settings ask for."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    settings = study.settings.speech
    folder = speech_model_folder(settings.model, study.root, settings.cache_dir)
    model = WhisperModel(
        str(folder), device="cpu", cpu_threads=os.cpu_count() or 1, local_files_only=True
    )
    pipeline = BatchedInferencePipeline(model)
    path = str(study.media_file(study.recordings[0]))

    def transcribe() -> int:
        segments, _ = pipeline.transcribe(
            path,
            language=settings.language,
            beam_size=settings.beam_size,
            batch_size=settings.batch_size,
            word_timestamps=True,
            without_timestamps=False,
            vad_filter=True,
            vad_parameters={"threshold": settings.vad_threshold},
        )
        return sum(len(segment.words or ()) for segment in segments)

    return transcribe


def _stage(study: Study) -> Callable[[], int]:
    tools = Tools(study, "cpu")
    recording = study.recordings[0]

    def transcribe() -> int:
        kept = KeptBlocks(study.derived / "blocks")
        media = media_info(recording, tools)
        found = transcribe_recording(
            study, recording, media, tools.transcripts, tools.transcriber, kept
        )
        kept.forget()
        return sum(len(utterance.words) for utterance in found.utterances)

    return transcribe


def _timed(run: Callable[[], int]) -> Spent:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    n_words = run()
    return Spent(time.process_time() - cpu_s, time.perf_counter() - wall_s, n_words)


def _told(rounds: Sequence[tuple[Spent, Spent]], minutes: float, cpu: float, wall: float) -> str:
    hours = minutes / 60
    lines = [
        "# Transcription: the speech stage against plain batched faster-whisper",
        "",
        "`python -m benchmarks.transcribe_speed --minutes 20 --rounds 5 --write` writes this page. "
        f"{minutes:g} minutes of the demo's voices in one file, {DEMO_SPEECH_MODEL} on "
        f"{os.cpu_count()} CPUs, both ways in turn in one process.",
        "",
        "| round | plain: CPU (s) | wall (s) | words | stage: CPU (s) | wall (s) | words |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {number} | "
            + " | ".join(f"{s.cpu_s:.1f} | {s.wall_s:.1f} | {s.n_words}" for s in pair)
            + " |"
            for number, pair in enumerate(rounds, start=1)
        ),
        "",
        f"Stage against plain, median of rounds: CPU {cpu:.2f}, wall {wall:.2f}. "
        f"Wanted: at most {MAX_RATIO}.",
        "",
        f"CPU seconds per hour of recording: plain {_per_hour(rounds, 0, hours):.0f}, stage "
        f"{_per_hour(rounds, 1, hours):.0f}.",
    ]
    return "\n".join([*lines, *(["", "Missed."] if cpu > MAX_RATIO else [])])


def _per_hour(rounds: Sequence[tuple[Spent, Spent]], way: int, hours: float) -> float:
    return statistics.median(pair[way].cpu_s for pair in rounds) / hours


def _study(folder: Path, minutes: float) -> Study:
    """A study of one film, in which the demo's recordings are heard one behind the other, over
    and over."""
    from pipeline.demo.study_writer import write_demo_study

    write_demo_study(folder / "demo", scale="tiny")
    root = folder / "study"
    (root / "recordings" / "raw").mkdir(parents=True)
    (root / "metadata").mkdir()
    settings = SpeechSettings(model=DEMO_SPEECH_MODEL)
    (root / "study.toml").write_text(
        f'[speech]\nsource = "whisper"\nmodel = "{settings.model}"\nlanguage = "en"\n'
        "vad_threshold = 0.3\n",
        encoding="utf-8",
    )
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nC,2024-01-01\n")
    (root / "metadata" / "recordings.csv").write_text(
        f"child_id,recording_filename,date_iso\nC,{_RECORDING}.mp4,2025-01-01\n"
    )
    films = sorted((folder / "demo" / "recordings").rglob("*.mp4"))
    voices = np.concatenate([sound_of(film) for film in films])
    sound = np.resize(voices, round(minutes * 60 * SAMPLE_RATE_HZ))
    write_sounding_film(films[0], sound, root / "recordings" / "raw" / f"{_RECORDING}.mp4")
    study = open_study(root)
    study.derived.mkdir(parents=True, exist_ok=True)
    return study


if __name__ == "__main__":
    sys.exit(main())
