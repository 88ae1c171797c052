"""Write the built-in demo study: a ChildProject dataset of invented children with known truth."""

from __future__ import annotations

import csv
import hashlib
import io
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from pipeline.demo.by_hand import chat_text
from pipeline.demo.chance import stream
from pipeline.demo.film import film, is_filmed
from pipeline.demo.households import Scale
from pipeline.demo.made_up_captions import (
    CAPTION_COLUMNS,
    CAPTION_FILE,
    caption_rows,
    heard_ms,
    seen_ms,
)
from pipeline.demo.made_up_norms import norm_texts
from pipeline.demo.rater import RATER_COLUMNS, RATER_FILE, rater_rows
from pipeline.demo.sound_plan import around
from pipeline.demo.timeline import DEMO_SEED, plan_world
from pipeline.demo.transcripts import heard_segments, rttm_text, speaker_turns, whisperx_json
from pipeline.demo.world import DemoRecording, DemoWorld
from pipeline.errors import StudyError

TRUTH_COLUMNS = (
    "recording_id",
    "onset_ms",
    "offset_ms",
    "speaker",
    "text",
    "named_word",
    "case",
    "sounding_words",
    "named_heard_ms",
    "named_seen_ms",
)
EXPERIMENT = "coview_demo"
REFERENCE_SET = "written-by-hand"

_FILM_VERSION = 2
"""Raise it when films of an unchanged plan would look or sound different."""

_STUDY_TOML = """\
# The built-in demo study. Every child, voice and room in it is invented.

[study]
name = "Coview demo"
default_permission = "excerpts"

[speech]
{source}
reference = ["written-by-hand"]    # to compare with: python -m pipeline wer

[model]
name = "demo-clip"
weights = ""
"""
_SCORE_SETTINGS = """
[align]
settings = ["hub", "nouns", "photo", "nouns+hub", "photo+hub"]
"""
"""The tiny study, made to be quick, has the plain score only."""

_SOURCES: dict[Scale, str] = {
    "full": """\
source = "whisper"       # hear it; "import" takes the transcripts under annotations/whisperx
model = "demo-whisper"
language = "en"
vad_threshold = 0.3      # the synthesised children's voices are high""",
    "tiny": 'source = "import"',
}

_README = """\
# Coview's demo study

Everything here is made by a program: the children, their voices (synthesised), the rooms and the
objects. It is laid out as a ChildProject dataset.

truth.csv says for every utterance what the camera saw when it was spoken:

- center: the named object is in the middle of the picture during the whole utterance
- edge: it is in the picture, but above or below what a centre crop keeps
- lagged: it is in the middle only 1-2 s before the onset or after the offset
- absent: it is named, and not in the picture within 3 s
- none: nothing visible is named

Its last columns are about the ten seconds around the middle of the utterance: sounding_words, the
objects that sound in them (all sounds are synthesised), the longest first; named_heard_ms, how long
the named object sounds; named_seen_ms, how long it is in the middle of the picture. Things sound
between sentences, in view or off screen, and half of the objects never sound.

metadata/captions/made-up-captions.csv says of stretches of five seconds what is seen and heard in
them, written by the program from its own plan.

Coview hears the recordings with a small speech model that knows nothing but such sentences. The
transcripts under annotations/whisperx, simulated with missed and wrong words and shifted times, can
be used instead (study.toml). Those under annotations/written-by-hand, of one recording of each
child, have no errors: they are there to measure the others (`python -m pipeline wer`).

metadata/scores/made-up-rater.csv holds a second score for each utterance, from 1 to 5, made by the
program from truth.csv and chance, to show two scorers side by side. Nobody rated anything. It goes
by the true times, so where the transcripts have errors, rows match no utterance, and the store
says how many.

people/people.sqlite holds, after `make demo`, two sets of trials that a program answered from
truth.csv, chance and made-up habits, to show what validation looks like: 12 simulated raters, one
of whom does not attend, and 3 simulated experts. The scores have no part in their answers. Nobody
was asked. Delete the sets on the page Rate; the next `make demo` makes them again.

metadata/norms holds word norms in the shapes of the published files, made up by the program:
concreteness, counts, ages and babiness that nobody rated or counted. mapping.csv names them as made
up. Nothing is planted in the scores for them. Things that can be seen are given high concreteness
and all other words low; as only things can match the view, concreteness may go with how far scores
stand above chance (the z scale). Among things it is chance, as the other three norms are but for
what they share with concreteness.
"""

_METANNOTS = {
    "whisperx": "segmentation: whisperx\nsegmentation_type: permissive\nmethod: automated\n"
    "has_transcription: Y\nhas_speaker_type: N\n"
    "notes: simulated output of WhisperX, errors included\n",
    "vtc": "segmentation: vtc\nsegmentation_type: permissive\nmethod: automated\n"
    "has_transcription: N\nhas_speaker_type: Y\n"
    "notes: simulated output of the Voice Type Classifier 1.x, errors included\n",
    REFERENCE_SET: "segmentation: chat\nsegmentation_type: permissive\nmethod: manual\n"
    "has_transcription: Y\nhas_speaker_type: Y\nnotes: the words as they are in truth.csv\n",
}


def write_demo_study(
    study_dir: Path,
    *,
    seed: int = DEMO_SEED,
    scale: Scale = "full",
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the study, or whatever of it is missing, into `study_dir`.

    `scale` "full": 6 children, 14 recordings, 25 minutes, a second scorer and word norms; "tiny":
    2 children, 4 recordings of about 20 s. A recording appears when it is whole, and one that is
    there already is kept, so an interrupted call is finished by the same call. study.toml is not
    touched if it exists.
    `on_progress` gets recordings done and in all. With `workers` > 1, recordings are filmed in
    that many processes.

    Raises StudyError for a folder that holds something else, MediaError if a film cannot be
    written, SettingsError for an unknown scale.
    """
    _refuse_other_content(study_dir)
    world = plan_world(seed=seed, scale=scale)
    _refuse_other_recordings(study_dir, world)
    for path, text in _texts(world, scale):
        if path != "study.toml" or not (study_dir / path).exists():
            _write_text(study_dir / path, text)
    if scale == "full":
        _write_text(study_dir / RATER_FILE, _csv(RATER_COLUMNS, rater_rows(world)))
        _write_text(study_dir / CAPTION_FILE, _csv(CAPTION_COLUMNS, caption_rows(world)))
        for path, text in norm_texts(world):
            _write_text(study_dir / path, text)
    raw = study_dir / "recordings" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    jobs = [(r, raw / f"{r.recording_id}.mp4", _fingerprint(r, seed)) for r in world.recordings]
    waiting = [job for job in jobs if not is_filmed(job[1], job[2])]
    n_done = len(jobs) - len(waiting)
    if on_progress is not None:
        on_progress(n_done, len(jobs))
    for _ in _filmed(waiting, seed, workers):
        n_done += 1
        if on_progress is not None:
            on_progress(n_done, len(jobs))


def _filmed(
    jobs: Sequence[tuple[DemoRecording, Path, str]], seed: int, workers: int
) -> Iterator[Path]:
    """Film the recordings, in this process or several; yields each file when it is whole."""
    if workers <= 1 or len(jobs) <= 1:
        for recording, path, fingerprint in jobs:
            film(recording, path, seed=seed, fingerprint=fingerprint)
            yield path
        return
    # Forking a process that has loaded FFmpeg or OpenCV can hang; a fresh one cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=context, initializer=_draw_with_one_thread
    ) as pool:
        longest_first = sorted(jobs, key=lambda job: -job[0].duration_ms)
        running = {
            pool.submit(film, recording, path, seed=seed, fingerprint=fingerprint): path
            for recording, path, fingerprint in longest_first
        }
        try:
            for finished in as_completed(running):
                finished.result()
                yield running[finished]
        finally:
            pool.shutdown(cancel_futures=True)


def _draw_with_one_thread() -> None:
    """The processes share the cores already; OpenCV's own threads would only get in the way."""
    import cv2

    cv2.setNumThreads(1)


def _fingerprint(recording: DemoRecording, seed: int) -> str:
    """Digest of everything that a film depends on."""
    return hashlib.sha256(f"{_FILM_VERSION}/{seed}/{recording!r}".encode()).hexdigest()[:24]


def _refuse_other_content(study_dir: Path) -> None:
    """Never write into a folder of something else; truth.csv marks a demo study."""
    if not study_dir.exists():
        return
    if not study_dir.is_dir():
        raise StudyError(f"{study_dir.name} is a file.", hint="Name a folder for the demo study.")
    is_demo = (study_dir / "truth.csv").is_file()
    if not is_demo and any(study_dir.iterdir()):
        raise StudyError(
            f"The folder {study_dir.name} is not empty and is not a demo study.",
            hint="Choose a new or empty folder for the demo study.",
        )


def _refuse_other_recordings(study_dir: Path, world: DemoWorld) -> None:
    """Never mix two plans in one study, whose metadata would list only one."""
    known = {recording.recording_id for recording in world.recordings}
    others = sorted(
        path.name
        for path in (study_dir / "recordings" / "raw").glob("*.mp4")
        if path.stem not in known
    )
    if others:
        raise StudyError(
            f"The folder {study_dir.name} holds recordings of another study ({others[0]}).",
            hint="Choose a new or empty folder for the demo study.",
        )


def _texts(world: DemoWorld, scale: Scale) -> Iterator[tuple[str, str]]:
    """Every text file of the study: path within it and content; truth.csv marks the demo, first."""
    yield "truth.csv", _csv(TRUTH_COLUMNS, _truth_rows(world))
    settings = _SCORE_SETTINGS if scale == "full" else ""
    yield "study.toml", _STUDY_TOML.format(source=_SOURCES[scale]) + settings
    yield "README.md", _README
    yield (
        "metadata/children.csv",
        _csv(
            ("experiment", "child_id", "child_dob", "child_sex"),
            ((EXPERIMENT, c.child_id, c.born.isoformat(), c.sex) for c in world.children),
        ),
    )
    yield (
        "metadata/recordings.csv",
        _csv(
            (
                "experiment",
                "child_id",
                "date_iso",
                "start_time",
                "recording_device_type",
                "recording_filename",
            ),
            (
                (
                    EXPERIMENT,
                    r.child_id,
                    r.recorded.isoformat(),
                    r.start_time,
                    "unknown",
                    f"{r.recording_id}.mp4",
                )
                for r in world.recordings
            ),
        ),
    )
    yield (
        "metadata/contexts.csv",
        _csv(
            ("recording_id", "onset_ms", "offset_ms", "location", "activity"),
            (
                (
                    r.recording_id,
                    v.span.onset_ms,
                    v.span.offset_ms,
                    v.room.replace("_", " "),
                    v.activity,
                )
                for r in world.recordings
                for v in r.visits
            ),
        ),
    )
    for name, text in _METANNOTS.items():
        yield f"annotations/{name}/metannots.yml", text
    for recording in world.recordings:
        name = recording.recording_id
        heard = heard_segments(recording, stream(world.seed, f"{name}/heard"))
        yield f"annotations/whisperx/raw/{name}.json", whisperx_json(heard)
        turns = speaker_turns(recording, stream(world.seed, f"{name}/turns"))
        yield f"annotations/vtc/raw/{name}.rttm", rttm_text(name, turns)
    first_of = {recording.child_id: recording for recording in reversed(world.recordings)}
    for recording in first_of.values():
        path = f"annotations/{REFERENCE_SET}/raw/{recording.recording_id}.cha"
        yield path, chat_text(recording)


def _truth_rows(world: DemoWorld) -> Iterator[tuple[str | int, ...]]:
    for recording in world.recordings:
        for line in recording.lines:
            heard, seen = (count(recording, around(line)) for count in (heard_ms, seen_ms))
            word = line.named_word
            yield (
                recording.recording_id,
                line.span.onset_ms,
                line.span.offset_ms,
                line.speaker.value,
                line.text,
                word or "",
                line.case.value,
                " ".join(sounding for sounding, _ in heard.most_common()),
                "" if word is None else heard[word],
                "" if word is None else seen[word],
            )


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
