"""Where shards lie: derived/<stage>/<fingerprint>/<recording>~<input digest>.parquet.

The folder's fingerprint stands for the settings, the model and the stages before; the digest in
the file name for this recording's own input. A changed setting is a new folder, a changed input a
new file; nothing is ever mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from glob import escape
from pathlib import Path
from urllib.parse import quote

from pipeline.errors import StoreError
from pipeline.records import StageFailure


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
        found: dict[str, list[Path]] = {}
        try:
            names = sorted(path.name for path in self.path.iterdir())
        except FileNotFoundError:
            return {}
        for name in names:
            stem, parting, _ = name.partition("~")
            if parting:
                found.setdefault(stem, []).append(self.path / name)
        return {stem: tuple(paths) for stem, paths in found.items()}

    def failure(self, recording_id: str, input_digest: str) -> Path:
        """Path of what is kept about a recording that failed."""
        return self.path / f"{file_stem(recording_id)}~{input_digest}.failed.json"

    def write_failure(self, failure: StageFailure, input_digest: str) -> None:
        """Keep why a recording failed until it succeeds."""
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.failure(failure.recording_id, input_digest)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(failure)), encoding="utf-8")
        partial.replace(path)

    def forget_failures(self, recording_ids: Iterable[str]) -> None:
        """Delete what is kept about recordings that have a finished shard after all."""
        stems = {file_stem(recording_id) for recording_id in recording_ids}
        if stems:
            files = self.files()
            for stem in stems & files.keys():
                forget(path for path in files[stem] if path.name.endswith(".failed.json"))

    def failures(self) -> Iterator[StageFailure]:
        """Recordings that failed and have not succeeded since."""
        for path in sorted(self.path.glob("*.failed.json")):
            try:
                yield StageFailure(**json.loads(path.read_text(encoding="utf-8")))
            except (OSError, TypeError, json.JSONDecodeError) as problem:
                raise StoreError(
                    f"{path.name} is damaged.", hint="Delete it and run again."
                ) from problem


def forget(paths: Iterable[Path]) -> None:
    """Delete files that may be gone already."""
    for path in paths:
        path.unlink(missing_ok=True)


def vision_shards(derived: Path, recording_id: str) -> list[Path]:
    """Vision shards of a recording under any fingerprint, newest first."""
    pattern = f"{Stage.VISION.value}/*/{escape(file_stem(recording_id))}~*.parquet"
    return sorted(derived.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def file_stem(recording_id: str) -> str:
    """A recording's id as the beginning of a file name."""
    # "~" parts the id from the digest, and quote() never escapes it.
    return quote(recording_id, safe=" ()+,=@").replace("~", "%7E")
