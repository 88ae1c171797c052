"""Where shards lie: derived/<stage>/<fingerprint>/<recording>~<input digest>.parquet.

The folder's fingerprint stands for the settings, the model and the stages before; the digest in
the file name for this recording's own input. A changed setting is a new folder, a changed input a
new file; nothing is ever mixed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from glob import escape
from pathlib import Path
from urllib.parse import quote, unquote

from pipeline.records import StageFailure
from pipeline.store.atomic_files import write_atomically, write_text

BLOCKS = "blocks"
"""Folder, beside speech shards, of the finished blocks of recordings not heard to the end."""


class Stage(str, Enum):
    """The stages that leave shards, in the order they run."""

    SPEECH = "speech"
    VISION = "vision"
    TEXT = "text"
    ALIGN = "align"


def digest_of(*parts: str) -> str:
    """16 hexadecimal digits that change when any part does."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """The shards of one stage under one fingerprint."""

    derived: Path
    stage: Stage
    fingerprint: str

    @property
    def path(self) -> Path:
        return self.derived / self.stage.value / self.fingerprint

    def shard(self, recording_id: str, input_digest: str) -> Path:
        """Path of the shard, whether it exists yet or not."""
        return self.path / f"{file_stem(recording_id)}~{input_digest}.parquet"

    def newest_shards(self) -> dict[str, Path]:
        """The newest finished shard of each recording, whatever its input, by `file_stem`."""
        newest: dict[str, tuple[int, Path]] = {}
        for stem, paths in self.files().items():
            for path in paths:
                if path.suffix == ".parquet":
                    written_ns = path.stat().st_mtime_ns
                    newest[stem] = max(newest.get(stem, (0, path)), (written_ns, path))
        return {stem: path for stem, (_, path) in newest.items()}

    def files(self) -> dict[str, tuple[Path, ...]]:
        """All files of each recording, by `file_stem`: shards and failures of any input. Reads
        the folder once: to look for one recording's files costs as much as for all."""
        return _by_stem(self.path)

    def blocks(self) -> dict[str, tuple[Path, ...]]:
        """Folders of what was heard of recordings whose transcription was cut off."""
        return _by_stem(self.path / BLOCKS)

    def failure(self, recording_id: str, input_digest: str) -> Path:
        """Path of what is kept about a recording that failed."""
        return self.path / f"{file_stem(recording_id)}~{input_digest}.failed.json"

    def write_failure(self, failure: StageFailure, input_digest: str) -> None:
        """Keep why a recording failed until it succeeds."""
        text = json.dumps(asdict(failure))
        write_atomically(
            self.failure(failure.recording_id, input_digest),
            lambda partial: write_text(partial, text),
        )

    def failures(self) -> Iterator[StageFailure]:
        """Recordings that failed and have not succeeded since; why is unknown where that file is
        damaged."""
        for path in sorted(self.path.glob("*.failed.json")):
            try:
                kept = {str(k): str(v) for k, v in json.loads(path.read_text("utf-8")).items()}
                yield StageFailure(**kept)
            except FileNotFoundError:
                continue
            except (OSError, TypeError, AttributeError, ValueError):
                yield StageFailure(
                    self.stage.value,
                    recording_of(path),
                    "unreadable",
                    f"It failed, but why cannot be read: {path.name} is damaged.",
                    "Run again: it is tried anew.",
                )


def _by_stem(folder: Path) -> dict[str, tuple[Path, ...]]:
    """What lies in a folder, by what its name has before the digest."""
    found: dict[str, list[Path]] = {}
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return {}
    for name in names:
        stem, parting, _ = name.partition("~")
        if parting:
            found.setdefault(stem, []).append(folder / name)
    return {stem: tuple(paths) for stem, paths in found.items()}


def forget(paths: Iterable[Path]) -> None:
    """Delete files and folders that may be gone already."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def vision_shards(derived: Path, recording_id: str) -> list[Path]:
    """Vision shards of a recording under any fingerprint, newest first."""
    pattern = f"{Stage.VISION.value}/*/{escape(file_stem(recording_id))}~*.parquet"
    return sorted(derived.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def file_stem(recording_id: str) -> str:
    """A recording's id as the beginning of a file name."""
    # "~" parts the id from the digest, and quote() never escapes it.
    return quote(recording_id, safe=" ()+,=@").replace("~", "%7E")


def recording_of(path: Path) -> str:
    """The recording's id of a shard or of what is kept about a failure: `file_stem` undone."""
    return unquote(path.name.partition("~")[0])
