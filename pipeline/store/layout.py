"""Where shards lie: derived/<stage>/<fingerprint>/<recording>~<input digest>.parquet.

The folder's fingerprint stands for the settings, the model and the stages before; the digest in
the file name for this recording's own input. A changed setting is a new folder, a changed input a
new file; nothing is ever mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
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

    def any_shard(self, recording_id: str) -> Path | None:
        """The newest finished shard of a recording, whatever its input; None if there is none."""
        found = self.path.glob(f"{escape(file_stem(recording_id))}~*.parquet")
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)

    def forget_older(self, keep: Path, recording_id: str) -> None:
        """Delete shards and failures of the same recording made from an older input."""
        forget_older(keep, recording_id)

    def write_failure(self, failure: StageFailure, input_digest: str) -> None:
        """Keep why a recording failed until it succeeds."""
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.path / f"{file_stem(failure.recording_id)}~{input_digest}.failed.json"
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(failure)), encoding="utf-8")
        partial.replace(path)

    def forget_failure(self, recording_id: str) -> None:
        """Delete what is kept about a recording that has a finished shard after all."""
        for path in self.path.glob(f"{escape(file_stem(recording_id))}~*.failed.json"):
            path.unlink(missing_ok=True)

    def failures(self) -> Iterator[StageFailure]:
        """Recordings that failed and have not succeeded since."""
        for path in sorted(self.path.glob("*.failed.json")):
            try:
                yield StageFailure(**json.loads(path.read_text(encoding="utf-8")))
            except (OSError, TypeError, json.JSONDecodeError) as problem:
                raise StoreError(
                    f"{path.name} is damaged.", hint="Delete it and run again."
                ) from problem


def forget_older(keep: Path, name: str) -> None:
    """Delete files beside `keep` about the same recording or child, made from an older input."""
    for path in keep.parent.glob(f"{escape(file_stem(name))}~*"):
        if path != keep:
            path.unlink(missing_ok=True)


def vision_shards(derived: Path, recording_id: str) -> list[Path]:
    """Vision shards of a recording under any fingerprint, newest first."""
    pattern = f"{Stage.VISION.value}/*/{escape(file_stem(recording_id))}~*.parquet"
    return sorted(derived.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def file_stem(recording_id: str) -> str:
    """A recording's id as the beginning of a file name."""
    # "~" parts the id from the digest, and quote() never escapes it.
    return quote(recording_id, safe=" ()+,=@").replace("~", "%7E")
