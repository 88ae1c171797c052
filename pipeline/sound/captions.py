"""Captions of stretches of recordings: AVCaps' files or any CSV that says what kind they are.

Imported captions lie in `metadata/captions/NAME.csv` with the columns recording_id, onset_ms,
offset_ms, kind, text and split ("" where the study is to choose).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StudyError
from pipeline.recording_names import RecordingNames
from pipeline.records import Notice, Recording, TimeSpan
from pipeline.sound.clip_set import Kind
from pipeline.sound_results import AVCAPS_PREFIX
from pipeline.spreadsheet import CsvWriter
from pipeline.store.shards import write_atomically
from pipeline.textfile import CsvRow, read_csv, read_text

SPLITS = ("train", "validation", "test")
_COLUMNS = ("recording_id", "onset_ms", "offset_ms", "kind", "text", "split")
_AVCAPS_KINDS = {
    "audio_captions": Kind.AUDIO,
    "visual_captions": Kind.VISUAL,
    "audio_visual_captions": Kind.AUDIO_VISUAL,
}
_SPLIT_WORDS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
_KIND_WORDS = {
    **{kind.value: kind for kind in Kind},
    "audio-visual": Kind.AUDIO_VISUAL,
    "av": Kind.AUDIO_VISUAL,
}


@dataclass(frozen=True, slots=True)
class Caption:
    """One text about one stretch of one recording; `span` None means the whole recording."""

    recording_id: str
    kind: Kind
    text: str
    span: TimeSpan | None = None
    split: str = ""


@dataclass(frozen=True, slots=True)
class FoundCaptions:
    """Captions of a file and what was left out of it, counted."""

    captions: tuple[Caption, ...]
    notices: tuple[Notice, ...]


def read_captions(
    path: Path, recordings: Sequence[Recording], kind: Kind | None = None
) -> FoundCaptions:
    """Read AVCaps JSON or a CSV of captions.

    `kind` holds for a CSV without a kind column. Raises StudyError for a file of neither form, an
    unknown kind or split, impossible times, or when no caption belongs to a recording.
    """
    names = RecordingNames(recordings)
    is_json = path.suffix.lower() == ".json"
    found = list(_avcaps(path) if is_json else _csv_captions(path, kind))
    captions: dict[Caption, None] = {}
    n_strangers = n_repeated = 0
    for caption in found:
        recording_id = names.match(caption.recording_id)
        if recording_id is None:
            n_strangers += 1
            continue
        mine = Caption(recording_id, caption.kind, caption.text, caption.span, caption.split)
        n_repeated += mine in captions
        captions[mine] = None
    if not captions:
        raise StudyError(
            f"{path.name}: none of its {len(found)} caption(s) is of a recording of the study.",
            hint="Its recording_id (AVCaps: clip id) must be a recording's id or file name.",
        )
    notices = [
        Notice(code, f"{path.name}: {n} caption(s) {why} left out.", n)
        for code, n, why in (
            ("no_recording", n_strangers, "of recordings that are not in the study"),
            ("repeated_caption", n_repeated, "that say the same of the same stretch again"),
        )
        if n
    ]
    return FoundCaptions(tuple(captions), tuple(notices))


def _avcaps(path: Path) -> Iterator[Caption]:
    """AVCaps: {clip id: {audio_captions, visual_captions, audio_visual_captions, ...}}.

    Captions written by a language model (GPT_AV_captions) are passed over. Line breaks within a
    caption are spaces. The split is the first word of the file's name.
    """
    problem = StudyError(
        f"{path.name} is not AVCaps' file of captions.",
        hint="It maps each clip id to lists named audio_captions, visual_captions and "
        "audio_visual_captions; other captions can be imported as CSV.",
    )
    try:
        content = json.loads(read_text(path).text)
    except json.JSONDecodeError as damage:
        raise problem from damage
    if not isinstance(content, dict):
        raise problem
    split = _SPLIT_WORDS.get(path.stem.partition("_")[0].lower(), "")
    for clip_id, lists in content.items():
        if not isinstance(lists, dict) or not lists.keys() & _AVCAPS_KINDS.keys():
            raise problem
        for name, kind in _AVCAPS_KINDS.items():
            texts = lists.get(name, [])
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise problem
            for text in texts:
                if cleaned := " ".join(text.split()):
                    yield Caption(str(clip_id), kind, cleaned, None, split)


def _csv_captions(path: Path, kind: Kind | None) -> Iterator[Caption]:
    table = read_csv(path)
    table.require(("recording_id", "text", *(() if kind else ("kind",))))
    for row in table.rows:
        where = f"{path.name}, line {row.line}"
        text = " ".join(row.text("text").split())
        if not text:
            continue
        word = row.text("kind").lower()
        row_kind = _KIND_WORDS.get(word) if word else kind
        if row_kind is None:
            raise StudyError(
                f"{where}: the kind of caption is {word!r}.",
                hint=f"Choose one of: {', '.join(kind.value for kind in Kind)}.",
            )
        split = row.text("split").lower()
        if split and split not in _SPLIT_WORDS:
            raise StudyError(
                f"{where}: split is {split!r}.", hint=f"Choose one of: {', '.join(SPLITS)}."
            )
        yield Caption(
            row.text("recording_id"), row_kind, text, _span(row, where), _SPLIT_WORDS.get(split, "")
        )


def _span(row: CsvRow, where: str) -> TimeSpan | None:
    onset, offset = row.text("onset_ms"), row.text("offset_ms")
    if not onset and not offset:
        return None
    try:
        return TimeSpan(round(float(onset)), round(float(offset)))
    except ValueError:
        raise StudyError(
            f"{where}: the caption is of {onset or '(empty)'} to {offset or '(empty)'} ms.",
            hint="Give onset_ms and a later offset_ms, or neither for the whole recording.",
        ) from None


def kept_name(path: Path) -> str:
    """What an imported file is called in the study: AVCaps' files are known by their prefix."""
    is_avcaps = path.suffix.lower() == ".json"
    return f"{AVCAPS_PREFIX}{path.stem}" if is_avcaps else path.stem


def captions_folder(study_root: Path) -> Path:
    """Where a study's captions lie."""
    return study_root / "metadata" / "captions"


def write_captions(study_root: Path, name: str, captions: Sequence[Caption]) -> Path:
    """Keep captions as `metadata/captions/NAME.csv`; the file that was there is replaced."""
    text = io.StringIO()
    writer = CsvWriter(text)
    writer.writerow(_COLUMNS)
    for caption in captions:
        span = caption.span
        times = ("", "") if span is None else (span.onset_ms, span.offset_ms)
        writer.writerow(
            (caption.recording_id, *times, caption.kind.value, caption.text, caption.split)
        )
    path = captions_folder(study_root) / f"{name}.csv"

    def write(to: Path) -> None:
        to.write_text(text.getvalue(), encoding="utf-8", newline="\n")

    write_atomically(path, write)
    return path


def study_captions(study_root: Path, recordings: Sequence[Recording]) -> FoundCaptions:
    """All imported captions; empty when there are none."""
    captions: list[Caption] = []
    notices: list[Notice] = []
    for path in sorted(captions_folder(study_root).glob("*.csv")):
        found = read_captions(path, recordings)
        captions += found.captions
        notices += found.notices
    return FoundCaptions(tuple(captions), tuple(notices))
