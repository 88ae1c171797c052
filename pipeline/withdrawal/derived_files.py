"""What goes from derived/: everything, but what is known to be of other recordings alone.

Naming what stays, not what goes, means that a cache nobody thought of here goes too. All of it
can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from pipeline.store.layout import Stage, file_stem
from pipeline.withdrawal.doomed import Cut, Doomed, DoomedFile
from pipeline.withdrawal.line_files import lines_cut
from pipeline.withdrawal.target import STAGE_FOLDERS, Target

_DIGESTS = "media-digests.json"
_KEPT_WHOLE = ("plan.json", "run.lock")
_WHY = {
    "stores": "store builds",
    "clips": "clips that were cut (of all recordings: their names say nothing of whose they are)",
    "cache": "pictures and sounds kept for showing (of all recordings)",
    "exports": "exports waiting to be fetched",
    "report": "report",
    "probes": "probes of what drives the score (they mix recordings)",
    "sound": "sound: features, trained heads and scores that used the recording",
    "speakers": "speaker files of the speaker command",
    "word_errors": "word error rates",
    "logs": "logs",
}


def doomed_derived(root: Path, target: Target) -> Doomed:
    """Files of derived/ that go, store builds first, and logs that lose lines."""
    derived = root / "derived"
    found: list[DoomedFile] = []
    cuts: list[Cut] = []
    keeps_speakers = _speaker_files_tell(derived, target)
    for path in _files(derived):
        inner = PurePosixPath(path.relative_to(derived).as_posix())
        top = inner.parts[0]
        if str(inner) in _KEPT_WHOLE:
            continue
        if str(inner) == _DIGESTS:
            cuts += _digests_cut(path, target)
        elif top == "logs" and path.suffix == ".jsonl":
            cuts += lines_cut(path, target, "log lines that name the recording")
        elif top == "speakers" and keeps_speakers and not _names_a_gone(path, target):
            continue
        elif not _is_of_others(inner, target):
            found.append(DoomedFile(path, _why(inner)))
    found.sort(key=lambda file: (file.why != _WHY["stores"], file.path))
    return Doomed(tuple(found), tuple(cuts))


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (p for p in sorted(folder.rglob("*")) if p.is_symlink() or not p.is_dir())


def _is_of_others(inner: PurePosixPath, target: Target) -> bool:
    """Whether a file of derived/ was made from recordings that stay, and from nothing else."""
    parts = inner.parts
    is_stage = parts[0] in STAGE_FOLDERS and len(parts) >= 3
    is_sound = parts[:2] == ("sound", "features") and len(parts) == 4
    if not is_stage and not is_sound:
        return False
    stem, tilde, _ = inner.name.partition("~")
    if is_stage and parts[2] == "blocks":
        stem, tilde, _ = (parts[3] if len(parts) > 3 else "").partition("~")
    if not tilde:
        return False
    if is_stage and parts[2] == "hubs":
        staying = {r.child_id for r in target.others} - target.children
        return stem in {file_stem(child) for child in staying}
    ids = {r.recording_id for r in target.others}
    if parts[0] == Stage.ALIGN.value:
        # Its chance levels were drawn from all frames of the child, the withdrawn ones too.
        ids -= target.siblings
    return stem in {file_stem(recording_id) for recording_id in ids}


def _why(inner: PurePosixPath) -> str:
    top = inner.parts[0]
    if top in STAGE_FOLDERS:
        return f"shards of the stage {top}"
    if top.startswith("export-"):
        return "exports"
    return _WHY.get(top, "other files of derived/, which can be made again")


def _digests_cut(path: Path, target: Target) -> list[Cut]:
    """The kept digests of videos without those that go; a damaged file loses everything."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {"": ""}
    entries = content if isinstance(content, dict) else {"": ""}
    kept = {
        name: value
        for name, value in entries.items()
        if name and not target.names_gone(PurePosixPath(name).name) and not _inside(name, target)
    }
    if len(kept) == len(entries):
        return []
    text = json.dumps(kept)
    return [
        Cut(
            path,
            "kept digests of videos",
            len(entries) - len(kept),
            partial(_write_text, text=text),
        )
    ]


def _inside(name: str, target: Target) -> bool:
    """Whether the path lies at a gone recording's place below recordings/raw."""
    return any(r.media and name.endswith(f"/recordings/raw/{r.media}") for r in target.gone)


def _write_text(path: Path, *, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _speaker_files_tell(derived: Path, target: Target) -> bool:
    """Whether each speaker file says inside which recording it is about.

    Their names are digests. A file that names neither a recording that goes nor one that stays
    might be of either: then all go.
    """
    return all(
        any(map(target.names_gone, names)) or any(map(target.names_other, names))
        for path in _files(derived / "speakers")
        if (names := _rttm_names(path)) is not None
    )


def _names_a_gone(path: Path, target: Target) -> bool:
    return any(map(target.names_gone, _rttm_names(path) or ()))


def _rttm_names(path: Path) -> set[str] | None:
    """The recordings that an RTTM file names; None for an empty one, which says nothing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {""}
    rows = [line.split() for line in lines if line.strip()]
    return {row[1] if len(row) > 1 else "" for row in rows} if rows else None
