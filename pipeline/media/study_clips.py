"""The clips of one study: where its recordings lie, which sound to take, what was shown."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from pipeline.config import load_settings
from pipeline.errors import MediaError
from pipeline.media.clip_cache import DEFAULT_MAX_BYTES, ClipCache
from pipeline.media.clips import ClipSettings
from pipeline.records import TimeSpan

LOG_PATH = PurePosixPath("derived/logs/clips.jsonl")


class StudyClips:
    """Cuts, keeps and logs clips of the study at `root`."""

    def __init__(self, root: Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._root = root
        self._cache = ClipCache(root, max_bytes=max_bytes)
        self._logging = threading.Lock()

    def clip(self, media_path: str, span: TimeSpan, *, lead_ms: int, lag_ms: int) -> Path:
        """File of the clip around `span` of a recording, cut now if needed.

        `media_path` is relative to recordings/raw, as the store has it. Raises MediaError when
        it leaves that folder or cannot be cut.
        """
        relative = PurePosixPath(media_path)
        if relative.is_absolute() or ".." in relative.parts:
            raise MediaError(
                "The store names a video outside the study.",
                hint="Mend recording_filename in metadata/recordings.csv and publish again.",
            )
        settings = ClipSettings(
            lead_ms=lead_ms,
            lag_ms=lag_ms,
            audio_track=load_settings(self._root / "study.toml").speech.audio_track,
        )
        return self._cache.clip(self._root / "recordings" / "raw" / relative, span, settings)

    def log_opened(self, recording_id: str, utterance_id: str) -> None:
        """Append who-saw-what: the time and the ids, never a word of the transcript."""
        path = self._root / LOG_PATH
        row = {
            "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "recording_id": recording_id,
            "utterance_id": utterance_id,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._logging, path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
