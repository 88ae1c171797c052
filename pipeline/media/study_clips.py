"""The clips of one study: where its recordings lie, which sound to take, what was shown."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from pipeline.config import load_settings
from pipeline.current_rules import rules_now
from pipeline.errors import MediaError
from pipeline.faces.blur import FaceBlur
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media.clip_cache import ClipCache
from pipeline.media.clips import ClipSettings
from pipeline.media.turns import WAITING, Asking
from pipeline.records import TimeSpan

LOG_PATH = PurePosixPath("derived/logs/clips.jsonl")


class StudyClips:
    """Cuts, keeps and logs clips of the study at `root`; SettingsError when its settings are bad.

    `max_bytes` of None is the study's own limit. Faces are hidden where the study hides them:
    `shown_in` says where the clips are shown, `role` (of `clip`) to whom.
    """

    def __init__(
        self,
        root: Path,
        *,
        max_bytes: int | None = None,
        shown_in: ShownIn = ShownIn.VIEWING,
    ) -> None:
        self._root = root
        self._shown_in = shown_in
        if max_bytes is None:
            max_bytes = int(load_settings(root / "study.toml").clips.cache_gb * 1e9)
        self.max_bytes = max_bytes
        self._cache = ClipCache(root, max_bytes=max_bytes)
        self._logging = threading.Lock()

    def clip(
        self,
        media_path: str,
        span: TimeSpan,
        *,
        lead_ms: int,
        lag_ms: int,
        role: str = "",
        asking: Asking = WAITING,
    ) -> Path:
        """File of the clip around `span` of a recording, cut now if needed.

        `media_path` is relative to recordings/raw, as the store has it. Raises MediaError when
        it leaves that folder or cannot be cut, and when the metadata do not allow it now, and
        NotWantedError as `FileCache.file`.
        """
        source = recording_file(self._root, media_path)
        return self._cache.clip(
            source, span, self._settings(media_path, lead_ms, lag_ms, role), asking
        )

    def is_kept(self, media_path: str, span: TimeSpan, *, lead_ms: int, lag_ms: int) -> bool:
        """Whether that clip was cut before and is still there."""
        settings = self._settings(media_path, lead_ms, lag_ms)
        source = recording_file(self._root, media_path)
        return self._cache.path_of(source, span, settings).is_file()

    def may_leave(self, media_path: str) -> bool:
        """Whether clips of a recording may be handed out, as the metadata say now.

        Raises MediaError when it may not even be shown.
        """
        return rules_now(self._root).shown_media(media_path).permission.may_leave

    @property
    def hides_faces(self) -> bool:
        """Whether faces are hidden, as far as they are found, for those of no special role."""
        return face_blur(self._root, self._shown_in) is not FaceBlur.OFF

    def n_kept(self) -> int:
        """How many clips are kept."""
        return self._cache.n_kept()

    def _settings(self, media_path: str, lead_ms: int, lag_ms: int, role: str = "") -> ClipSettings:
        rule = rules_now(self._root).shown_media(media_path)
        chosen = load_settings(self._root / "study.toml")
        return ClipSettings(
            lead_ms=lead_ms,
            lag_ms=lag_ms,
            max_lines=chosen.clips.lines,
            audio_track=chosen.speech.audio_track,
            redactions=rule.redactions,
            face_blur=face_blur(self._root, self._shown_in, role),
        )

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


def recording_file(study_root: Path, media_path: str) -> Path:
    """A recording's file from its path relative to recordings/raw, as the store has it.

    Raises MediaError when that leaves the folder.
    """
    relative = PurePosixPath(media_path)
    if relative.is_absolute() or ".." in relative.parts:
        raise MediaError(
            "The store names a video outside the study.",
            hint="Mend recording_filename in metadata/recordings.csv and publish again.",
        )
    return study_root / "recordings" / "raw" / relative
