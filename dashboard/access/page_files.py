"""Whose are the files that Streamlit serves under /media: pictures and downloads of a page.

Streamlit gives such a file to everyone who has its address. Here it goes only to a viewer on one
of whose open pages it stands.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import PurePosixPath
from threading import Lock

_MAX_SESSIONS = 10_000


class PageFiles:
    """Remembers which open page is whose; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._viewers: OrderedDict[str, str] = OrderedDict()

    def note_session(self, session_id: str, viewer: str) -> None:
        """The page of this session is this viewer's from now on."""
        with self._lock:
            self._viewers[session_id] = viewer
            self._viewers.move_to_end(session_id)
            while len(self._viewers) > _MAX_SESSIONS:
                self._viewers.popitem(last=False)

    def is_page_of(self, viewer: str, session_id: str) -> bool:
        """Whether an open page is this viewer's."""
        with self._lock:
            return self._viewers.get(session_id) == viewer

    def is_on_a_page_of(self, viewer: str, file_name: str) -> bool:
        """Whether a file stands on a page that this viewer has open now."""
        from streamlit import runtime

        if not runtime.exists():
            return False
        # Streamlit has no question for it. Should it keep its list elsewhere one day, no file is
        # handed out, and a test says so.
        by_session = getattr(
            runtime.get_instance().media_file_mgr, "_files_by_session_and_coord", {}
        )
        file_id = PurePosixPath(file_name).stem
        with self._lock:
            own = [session for session, name in self._viewers.items() if name == viewer]
        return any(file_id in tuple(by_session.get(session, {}).values()) for session in own)
