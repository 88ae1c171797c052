"""metadata/redactions.csv: stretches of recordings that nobody may see or hear.

`blackout` takes the pictures of a stretch away, `mute` its sound and its words. What is taken away
is not made, not kept and not shown: frames, vectors, words and scores of the stretch do not come
about, and clips are black or silent there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np

from pipeline.errors import StudyError
from pipeline.records import Notice, TimeSpan
from pipeline.results import CropEmbeddings, FrameEmbeddings, Transcript
from pipeline.textfile import CsvRow, read_csv

_COLUMNS = ("recording_id", "action", "onset_ms", "offset_ms")


class RedactionAction(str, Enum):
    """What is taken away: pictures, or sound and words."""

    BLACKOUT = "blackout"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class Redactions:
    """The stretches of one recording, each list in order and without overlaps."""

    blackout: tuple[TimeSpan, ...] = ()
    mute: tuple[TimeSpan, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blackout or self.mute)

    def within(self, shown: TimeSpan) -> Redactions:
        """Those that a clip of `shown` would show or let hear."""
        return Redactions(
            tuple(span for span in self.blackout if span.overlap_ms(shown)),
            tuple(span for span in self.mute if span.overlap_ms(shown)),
        )

    def is_black(self, time_ms: int) -> bool:
        """Whether the picture of that moment is taken away."""
        return any(span.onset_ms <= time_ms < span.offset_ms for span in self.blackout)

    @property
    def text(self) -> str:
        """The same text whenever the same is taken away, whatever the rows' order."""
        parts = [
            f"{action.value} {span.onset_ms} {span.offset_ms}"
            for action, spans in (
                (RedactionAction.BLACKOUT, self.blackout),
                (RedactionAction.MUTE, self.mute),
            )
            for span in spans
        ]
        return "; ".join(parts)


NOTHING = Redactions()


def redactions_path(study_root: Path) -> Path:
    return study_root / "metadata" / "redactions.csv"


def read_redactions(
    study_root: Path, known: Collection[str] | None = None
) -> dict[str, Redactions]:
    """The redactions of a study by recording; empty without the file.

    known: ids of the study's recordings; a row about another one is refused, because a misspelt
    id would leave a stretch open. Raises StudyError naming the line and the fix.
    """
    path = redactions_path(study_root)
    if not path.is_file():
        if path.exists() or path.is_symlink():
            raise StudyError("metadata/redactions.csv is not a file.", hint="Put the table there.")
        return {}
    table = read_csv(path)
    table.require(_COLUMNS)
    found: dict[str, dict[RedactionAction, list[TimeSpan]]] = {}
    for row in table.rows:
        recording_id = row.text("recording_id")
        where = f"metadata/redactions.csv, line {row.line}"
        if not recording_id or (known is not None and recording_id not in known):
            raise StudyError(
                f"{where}: the study has no recording {recording_id or '(empty)'}.",
                hint="Write the recording's id (its file name without suffix unless "
                "metadata/recordings.csv says otherwise), or remove the row.",
            )
        spans = found.setdefault(recording_id, {action: [] for action in RedactionAction})
        spans[_action(row, where)].append(_span(row, where))
    return {
        recording_id: Redactions(
            merged(spans[RedactionAction.BLACKOUT]), merged(spans[RedactionAction.MUTE])
        )
        for recording_id, spans in sorted(found.items())
    }


def redactions_text(redactions: dict[str, Redactions]) -> str:
    """One line for each recording; equal texts take away the same."""
    return "".join(f"{name}\t{one.text}\n" for name, one in sorted(redactions.items()) if one)


def without_muted(transcript: Transcript, mute: Iterable[TimeSpan]) -> Transcript:
    """The transcript without utterances that overlap a muted stretch, and a notice of how many.

    An utterance goes whole: what is left of it would not be what was said.
    """
    spans = tuple(mute)
    kept = tuple(
        u for u in transcript.utterances if not any(u.span.overlap_ms(span) for span in spans)
    )
    return replace(
        transcript,
        utterances=kept,
        notices=transcript.notices
        + _notices("muted", "utterance", len(transcript.utterances) - len(kept)),
    )


def without_blacked_out(
    frames: FrameEmbeddings, blackout: Iterable[TimeSpan], n_before: int = 0
) -> FrameEmbeddings:
    """The frames whose own time is in no blacked-out stretch, and a notice of how many are.

    Of a recording that comes in pieces, `n_before` of its frames were taken out before; the notice
    counts them, too.
    """
    times = frames.times_ms
    is_kept = np.ones(len(times), dtype=np.bool_)
    for span in blackout:
        is_kept &= (times < span.onset_ms) | (times >= span.offset_ms)
    kept = np.flatnonzero(is_kept)
    n_gone = n_before + len(times) - len(kept)
    if not n_gone:
        return frames
    return replace(
        frames,
        times_ms=times[kept],
        grid_index=frames.grid_index[kept],
        thumbnails=tuple(frames.thumbnails[int(i)] for i in kept),
        crops=tuple(CropEmbeddings(crop.crop, crop.vectors[kept]) for crop in frames.crops),
        notices=frames.notices + _notices("blackout", "frame", n_gone),
    )


def pieces_without_blacked_out(
    pieces: Iterable[FrameEmbeddings], blackout: Sequence[TimeSpan]
) -> Iterator[FrameEmbeddings]:
    """`without_blacked_out` of a recording that comes piece by piece; the last one's notice counts
    the frames taken out of all."""
    n_gone = 0
    for piece in pieces:
        kept = without_blacked_out(piece, blackout, n_gone)
        n_gone += len(piece.times_ms) - len(kept.times_ms)
        yield kept


def _notices(code: str, what: str, n_gone: int) -> tuple[Notice, ...]:
    if not n_gone:
        return ()
    return (Notice(code, f"{n_gone} {what}(s) were taken out by metadata/redactions.csv.", n_gone),)


def _action(row: CsvRow, where: str) -> RedactionAction:
    text = row.text("action").lower()
    try:
        return RedactionAction(text)
    except ValueError:
        raise StudyError(
            f"{where}: action is {text!r}.", hint="Choose blackout (pictures) or mute (sound)."
        ) from None


def _span(row: CsvRow, where: str) -> TimeSpan:
    try:
        onset_ms, offset_ms = (int(row.text(name)) for name in ("onset_ms", "offset_ms"))
    except ValueError:
        raise StudyError(
            f"{where}: {row.text('onset_ms')!r} to {row.text('offset_ms')!r} are not whole "
            "milliseconds.",
            hint="Write onset_ms and offset_ms as milliseconds from the start of the recording.",
        ) from None
    if not 0 <= onset_ms < offset_ms:
        raise StudyError(
            f"{where}: the stretch from {onset_ms} to {offset_ms} ms is empty or begins before 0.",
            hint="offset_ms must be greater than onset_ms.",
        )
    return TimeSpan(onset_ms, offset_ms)


def merged(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """The same stretches in order, those that touch or overlap as one."""
    found: list[TimeSpan] = []
    for span in sorted(spans):
        if found and span.onset_ms <= found[-1].offset_ms:
            last = found.pop()
            found.append(TimeSpan(last.onset_ms, max(last.offset_ms, span.offset_ms)))
        else:
            found.append(span)
    return tuple(found)
