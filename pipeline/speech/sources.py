"""Which of the files that concern a recording are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.records import Notice


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """The files chosen for one recording: one, or several that cover parts of it."""

    recording_id: str
    set_name: str
    paths: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def label(self) -> str:
        """Set and file, as people know them: "whisperx rec01.json"."""
        others = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.set_name} {self.paths[0].name}{others}".strip()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that says something about one recording; a lower `rank` says more."""

    recording_id: str
    set_name: str
    path: Path
    is_converted: bool
    is_named_after_it: bool
    rank: int


def choose_sources(
    candidates: Sequence[Candidate], preferred: Sequence[str], what: str
) -> dict[str, TranscriptSource]:
    """The source of each recording. `what` is "transcript" or "speaker", for notices.

    The first set of `preferred` that has the recording, else the first of the alphabet.
    """
    by_recording: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_recording.setdefault(candidate.recording_id, []).append(candidate)
    return {
        recording_id: _choose(recording_id, found, preferred, what)
        for recording_id, found in by_recording.items()
    }


def _choose(
    recording_id: str, candidates: Sequence[Candidate], preferred: Sequence[str], what: str
) -> TranscriptSource:
    sets = sorted({candidate.set_name for candidate in candidates})
    wanted = [name for name in preferred if name in sets]
    set_name = wanted[0] if wanted else sets[0]
    notices: list[Notice] = []
    if len(sets) > 1 and not wanted:
        others = ", ".join(name or "annotations/" for name in sets[1:])
        notices.append(
            Notice(
                f"several_{what}_sets",
                f"{recording_id} has {what} files in several sets; used "
                f"{set_name or 'annotations/'}, not {others}. To choose, name a set in "
                "speech.transcripts.",
                len(sets) - 1,
            )
        )
    of_set = [candidate for candidate in candidates if candidate.set_name == set_name]
    if converted := [candidate for candidate in of_set if candidate.is_converted]:
        # ChildProject writes one converted file for each annotated part of a recording.
        paths = tuple(sorted(candidate.path for candidate in converted))
        return TranscriptSource(recording_id, set_name, paths, tuple(notices))
    first, *rest = sorted(
        of_set, key=lambda c: (not c.is_named_after_it, c.rank, len(c.path.name), c.path)
    )
    # One run of a transcriber leaves several formats of the same text; that needs no notice.
    if same := [c.path.name for c in rest if c.rank == first.rank]:
        notices.append(
            Notice(
                f"several_{what}_files",
                f"{recording_id} has several {what} files in one set; used {first.path.name}, "
                f"not {', '.join(same)}.",
                len(same),
            )
        )
    return TranscriptSource(recording_id, set_name, (first.path,), tuple(notices))
