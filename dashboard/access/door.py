"""Decides who is let in: one door for all pages and routes of a server."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from dashboard.access.identity import Identity, identity_of
from dashboard.access.viewer import LOCAL_VIEWER, NotLetInError, Refusal, Viewer
from pipeline.access.table import Access, access_path, read_access
from pipeline.errors import AccessError

_MAX_SESSIONS = 10_000


class Door:
    """Lets in whoever the study's access.toml names; threads may share it.

    The file is looked at for every question, so that a change counts at once. Without one, the
    only person is the one at this machine; a server that once had one stays shut when it goes.
    """

    def __init__(
        self, study_root: Callable[[], Path], now_s: Callable[[], float] = time.time
    ) -> None:
        self._study_root = study_root
        self._now_s = now_s
        self._lock = Lock()
        self._read: tuple[Path, tuple[int, ...], Access | AccessError] | None = None
        self._is_guarded: set[Path] = set()
        self._last_asked_s: OrderedDict[str, float] = OrderedDict()
        self._signed_out: OrderedDict[str, None] = OrderedDict()

    def access(self) -> Access | None:
        """What access.toml says now; None where there is none, which is for this machine alone.

        Raises AccessError for a file that cannot be used, or went away while serving.
        """
        path = access_path(self._study_root())
        try:
            found = path.stat()
        except FileNotFoundError:
            if path in self._is_guarded or path.is_symlink():
                raise AccessError(f"{path.name} is no longer there.") from None
            return None
        except OSError as problem:
            raise AccessError(f"{path.name} cannot be read.") from problem
        state = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        with self._lock:
            self._is_guarded.add(path)
            if self._read is not None and self._read[:2] == (path, state):
                read = self._read[2]
            else:
                try:
                    read = read_access(path)
                except AccessError as problem:
                    read = problem
                self._read = (path, state, read)
        if isinstance(read, AccessError):
            raise read
        return read

    def viewer(
        self,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        *,
        is_activity: bool = True,
    ) -> Viewer:
        """Who asks. Raises NotLetInError.

        is_activity: whether the question shows that somebody is there.
        """
        try:
            access = self.access()
        except AccessError:
            raise NotLetInError(Refusal.CLOSED) from None
        if access is None:
            return LOCAL_VIEWER
        identity = identity_of(access, headers, cookies)
        if identity is None:
            raise NotLetInError(Refusal.SIGNED_OUT)
        person = access.person(identity.email)
        if person is None:
            raise NotLetInError(Refusal.UNKNOWN, identity.email)
        with self._lock:
            is_out = identity.session in self._signed_out
        if is_out:
            raise NotLetInError(Refusal.SIGNED_OUT, person.email)
        if self._is_idle(identity, access.idle_minutes * 60.0, is_activity):
            raise NotLetInError(Refusal.IDLE, person.email)
        return Viewer(person)

    def come_back(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Somebody whose sign-in is a proxy's says that they are there again."""
        access = self.access()
        identity = None if access is None else identity_of(access, headers, cookies)
        if identity is not None and identity.since_s is None:
            with self._lock:
                self._last_asked_s[identity.session] = self._now_s()

    def sign_out(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """This sign-in is over, also for whoever kept a copy of its cookie.

        A proxy's sign-in has no end of its own here.
        """
        try:
            access = self.access()
        except AccessError:
            return
        identity = None if access is None else identity_of(access, headers, cookies)
        if identity is not None and identity.since_s is not None:
            with self._lock:
                self._signed_out[identity.session] = None
                while len(self._signed_out) > _MAX_SESSIONS:
                    self._signed_out.popitem(last=False)

    def _is_idle(self, identity: Identity, limit_s: float, is_activity: bool) -> bool:
        now_s = self._now_s()
        with self._lock:
            last_s = self._last_asked_s.get(identity.session)
            if last_s is None:
                # After a restart an old cookie counts from when it was made, so that it does not
                # come to life again.
                last_s = now_s if identity.since_s is None else min(now_s, identity.since_s)
            if now_s - last_s > limit_s:
                if identity.since_s is None:
                    self._last_asked_s[identity.session] = last_s
                return True
            if is_activity:
                self._last_asked_s[identity.session] = now_s
                self._last_asked_s.move_to_end(identity.session)
                while len(self._last_asked_s) > _MAX_SESSIONS:
                    self._last_asked_s.popitem(last=False)
        return False
