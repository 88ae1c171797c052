"""Which sign-ins are over, kept in the study's folder: a server that is started anew knows them.

`sign-ins/` holds one empty file for each, so that servers at once lose nothing of each other and a
server that is killed leaves no half of one. Its name is a digest, its time when it was.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.store.atomic_files import sync_folder

FOLDER_NAME = "sign-ins"
KEPT_S = 31 * 86_400.0
"""No longer than this does a cookie of Streamlit's hold."""
MAX_KEPT = 10_000
"""Files of each kind; beyond that the oldest go."""
_OVER, _ASKED = ".over", ".asked"
_OURS = re.compile(rf"[0-9a-f]{{64}}({re.escape(_OVER)}|{re.escape(_ASKED)})")
_LOG = logging.getLogger(__name__)


class SignIns:
    """Sign-ins of a study that are over, and when those that have no end were last used.

    Nothing here raises: what cannot be written is kept by the caller's memory alone, and logged.
    """

    def __init__(self, study_root: Callable[[], Path]) -> None:
        self._study_root = study_root

    def end(self, session: str, now_s: float) -> None:
        """This sign-in is over."""
        if self._write(session, _OVER, now_s):
            self._prune(now_s)

    def is_over(self, session: str) -> bool:
        """Whether it was ended, by whichever server. True also where nobody can tell."""
        try:
            self._path(session, _OVER).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def note_asked(self, session: str, now_s: float) -> None:
        """Somebody showed that they are there."""
        self._write(session, _ASKED, now_s)

    def last_asked_s(self, session: str) -> float | None:
        """When they last did, in seconds of the epoch; None for nobody that is known."""
        try:
            return self._path(session, _ASKED).stat().st_mtime
        except OSError:
            return None

    def _path(self, session: str, kind: str) -> Path:
        name = hashlib.sha256(session.encode()).hexdigest()
        return self._study_root() / FOLDER_NAME / f"{name}{kind}"

    def _write(self, session: str, kind: str, now_s: float) -> bool:
        path = self._path(session, kind)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if path.parent.is_symlink():
                raise NotADirectoryError(f"{FOLDER_NAME} is a link")
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            os.utime(path, (now_s, now_s))
            if kind == _OVER:
                sync_folder(path.parent)
        except OSError as problem:
            _LOG.warning("Who signed out cannot be kept in %s/: %s", FOLDER_NAME, problem)
            return False
        return True

    def _prune(self, now_s: float) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        files: dict[str, list[tuple[float, str]]] = {_OVER: [], _ASKED: []}
        with suppress(OSError), os.scandir(self._study_root() / FOLDER_NAME) as entries:
            for entry in entries:
                if match := _OURS.fullmatch(entry.name):
                    with suppress(FileNotFoundError):
                        files[match[1]].append((entry.stat().st_mtime, entry.path))
        for found in files.values():
            found.sort(reverse=True)
            for place, (at_s, path) in enumerate(found):
                if place >= MAX_KEPT or now_s - at_s > KEPT_S:
                    with suppress(OSError):
                        Path(path).unlink()
