"""Features on disk: `derived/sound/features/<fingerprint>/<recording>~<input>.parquet`.

The folder's fingerprint stands for models and settings, the file's digest for the recording's own
input. A file is there only when it is whole, so a stopped command goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.errors import StoreError
from pipeline.records import Float32Array, ModelRef, TimeSpan
from pipeline.sound.chunks import LONGEST_MS
from pipeline.sound.encoder import SoundModelRef
from pipeline.sound.features import ClipSource, ClipSpan, RecordingFeatures
from pipeline.store.layout import digest_of, file_stem
from pipeline.store.sealed_files import read_sealed_table, write_sealed_table

_VERSION = 1
_META = b"coview"


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """All that changes the features of every recording."""

    sound_model: SoundModelRef
    image_model: ModelRef
    frame_step_ms: float
    keep_speech: bool
    longest_ms: int = LONGEST_MS

    @property
    def fingerprint(self) -> str:
        return digest_of("sound", str(_VERSION), json.dumps(asdict(self), sort_keys=True))


@dataclass(frozen=True, slots=True)
class FeatureFolder:
    """The feature files of one study under one fingerprint."""

    derived: Path
    fingerprint: str

    @property
    def path(self) -> Path:
        return self.derived / "sound" / "features" / self.fingerprint

    def file(self, recording_id: str, input_digest: str) -> Path:
        """Path of a recording's features, whether they exist yet or not."""
        return self.path / f"{file_stem(recording_id)}~{input_digest}.parquet"

    def forget_older(self, keep: Path, recording_id: str) -> None:
        """Delete features of the same recording made from an older input."""
        stem = f"{file_stem(recording_id)}~"
        for path in self.path.iterdir():
            if path.name.startswith(stem) and path != keep:
                path.unlink(missing_ok=True)


def write_features(path: Path, features: RecordingFeatures, settings: FeatureSettings) -> None:
    """Write one recording's features; missing ones are NULL."""
    table = pa.table(
        {
            "recording_id": pa.array([features.recording_id] * len(features.clips), pa.string()),
            "clip_id": pa.array([clip.clip_id for clip in features.clips], pa.string()),
            "source": pa.array([clip.source.value for clip in features.clips], pa.string()),
            "onset_ms": pa.array([clip.span.onset_ms for clip in features.clips], pa.int32()),
            "offset_ms": pa.array([clip.span.offset_ms for clip in features.clips], pa.int32()),
            "level_db": pa.array(features.level_db, pa.float32(), from_pandas=True),
            "speech_share": pa.array(features.speech_share, pa.float32(), from_pandas=True),
            "heard_ms": pa.array(features.heard_ms, pa.int32()),
            "n_frames": pa.array(features.n_frames, pa.int32()),
            "visual": _lists(features.visual),
            "audio": _lists(features.audio),
        }
    )
    meta = {
        "recording_id": features.recording_id,
        "settings": asdict(settings),
        "visual_dim": features.visual.shape[1],
        "audio_dim": features.audio.shape[1],
    }
    table = table.replace_schema_metadata({_META: json.dumps(meta, sort_keys=True).encode()})
    write_sealed_table(path, table)


def read_features(path: Path) -> RecordingFeatures:
    """Read one recording's features; StoreError when the file is damaged."""
    try:
        table = read_sealed_table(path)
        meta = json.loads((table.schema.metadata or {})[_META])
        return _features(table, meta)
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as problem:
        raise StoreError(
            f"The features {path.name} are damaged.",
            hint="Delete this file under derived/sound/features and give the command again (python "
            "-m pipeline sound train or sound score STUDY); only this recording is done anew.",
        ) from problem


def _features(table: pa.Table, meta: Mapping[str, object]) -> RecordingFeatures:
    def numbers(name: str) -> Float32Array:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float32)

    clips = tuple(
        ClipSpan(str(clip_id), ClipSource(source), TimeSpan(onset, offset))
        for clip_id, source, onset, offset in zip(
            table["clip_id"].to_pylist(),
            table["source"].to_pylist(),
            table["onset_ms"].to_pylist(),
            table["offset_ms"].to_pylist(),
            strict=True,
        )
    )
    return RecordingFeatures(
        recording_id=str(meta["recording_id"]),
        clips=clips,
        visual=_matrix(table["visual"], int(str(meta["visual_dim"]))),
        audio=_matrix(table["audio"], int(str(meta["audio_dim"]))),
        level_db=numbers("level_db"),
        speech_share=numbers("speech_share"),
        heard_ms=table["heard_ms"].to_numpy().astype(np.int64),
        n_frames=table["n_frames"].to_numpy().astype(np.int64),
    )


def _lists(matrix: Float32Array) -> pa.Array:
    """Rows as lists; a row with NaN is NULL."""
    known = np.isfinite(matrix).all(axis=1)
    offsets = np.concatenate([[0], np.cumsum(np.where(known, matrix.shape[1], 0))])
    values = pa.array(np.ascontiguousarray(matrix[known]).reshape(-1), pa.float32())
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), values, mask=pa.array(~known)
    )


def _matrix(column: pa.ChunkedArray, dim: int) -> Float32Array:
    array = column.combine_chunks()
    known = array.is_valid().to_numpy(zero_copy_only=False)
    rows = np.full((len(array), dim), np.nan, np.float32)
    rows[known] = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    return rows
