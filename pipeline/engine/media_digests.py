"""Digests of videos, kept between runs: a study of 16,000 videos has 48 GB to read otherwise."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.store.atomic_files import write_atomically, write_text
from pipeline.store.layout import digest_of
from pipeline.study import media_digest

_NAME = "media-digests.json"


class MediaDigests:
    """A file whose size and time of change are those of the last run keeps its digest.

    Folders of frames are looked at each time: their own time says nothing of their files'.
    """

    def __init__(self, derived: Path) -> None:
        self._path = derived / _NAME
        self._kept = self._read()
        self._is_new = False

    def of(self, media: Path) -> str:
        """See `study.media_digest`."""
        if media.is_dir():
            return media_digest(media)
        status = media.stat()
        state = f"{status.st_size} {status.st_mtime_ns}"
        key = str(media)
        known = self._kept.get(key)
        if known is not None and known[0] == state:
            return known[1]
        digest = media_digest(media)
        self._kept[key] = (state, digest)
        self._is_new = True
        return digest

    def keep(self) -> None:
        """Write down what is new."""
        if not self._is_new:
            return
        content = {
            name: (state, digest, digest_of(name, state, digest))
            for name, (state, digest) in self._kept.items()
        }
        text = json.dumps(content)
        write_atomically(self._path, lambda partial: write_text(partial, text))
        self._is_new = False

    def _read(self) -> dict[str, tuple[str, str]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                str(name): (str(state), str(digest))
                for name, (state, digest, check) in content.items()
                if digest_of(str(name), str(state), str(digest)) == check
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # none yet, or damaged: the files are read again
