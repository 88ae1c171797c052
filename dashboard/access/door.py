"""Decides who is let in: one door for all pages and routes of a server."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from dashboard.access.identity import Identity, identity_of
from dashboard.access.sign_ins import SignIns
from dashboard.access.viewer import LOCAL_VIEWER, NotLetInError, Refusal, Viewer
from pipeline.access.table import Access, access_path, read_access
from pipeline.errors import AccessError

_MAX_SESSIONS = 10_000
_NOTED_EACH_S = 60.0


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
        self._sign_ins = SignIns(study_root)
        self._lock = Lock()
        self._read: tuple[Path, tuple[int, ...], Access | AccessError] | None = None
        self._is_guarded: set[Path] = set()
        self._last_asked_s: OrderedDict[str, float] = OrderedDict()
        self._noted_s: OrderedDict[str, float] = OrderedDict()
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
        if is_out or (identity.since_s is not None and self._sign_ins.is_over(identity.session)):
            raise NotLetInError(Refusal.SIGNED_OUT, person.email)
        if self._is_idle(identity, access.idle_minutes * 60.0, is_activity):
            raise NotLetInError(Refusal.IDLE, person.email)
        return Viewer(person)

    def come_back(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Somebody whose sign-in is a proxy's says that they are there again."""
        access = self.access()
        identity = None if access is None else identity_of(access, headers, cookies)
        if identity is not None and identity.since_s is None:
            now_s = self._now_s()
            with self._lock:
                self._last_asked_s[identity.session] = now_s
            self._sign_ins.note_asked(identity.session, now_s)

    def sign_out(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """This sign-in is over, also for whoever kept a copy of its cookie.

        A proxy's sign-in has no end of its own here. What is over stays so when a server is started
        anew.
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
            self._sign_ins.end(identity.session, self._now_s())

    def _is_idle(self, identity: Identity, limit_s: float, is_activity: bool) -> bool:
        now_s, is_proxys = self._now_s(), identity.since_s is None
        with self._lock:
            is_known = identity.session in self._last_asked_s
        begun_s = now_s if is_known else min(now_s, self._begun_s(identity, now_s))
        is_due = False
        with self._lock:
            last_s = self._last_asked_s.get(identity.session, begun_s)
            is_idle = now_s - last_s > limit_s
            if is_idle and is_proxys:
                _keep(self._last_asked_s, identity.session, last_s)
            elif is_activity and not is_idle:
                _keep(self._last_asked_s, identity.session, now_s)
                noted_s = self._noted_s.get(identity.session, -math.inf)
                is_due = is_proxys and now_s - noted_s >= min(_NOTED_EACH_S, limit_s / 10)
                if is_due:
                    _keep(self._noted_s, identity.session, now_s)
        if is_due:
            self._sign_ins.note_asked(identity.session, now_s)
        return is_idle

    def _begun_s(self, identity: Identity, now_s: float) -> float:
        """From when a sign-in counts that this server has not seen, as after a restart: a cookie
        from when it was made, a proxy's from when it was last used. So none comes to life again."""
        if identity.since_s is not None:
            return identity.since_s
        asked_s = self._sign_ins.last_asked_s(identity.session)
        return now_s if asked_s is None else asked_s


def _keep(times_s: OrderedDict[str, float], session: str, time_s: float) -> None:
    times_s[session] = time_s
    times_s.move_to_end(session)
    while len(times_s) > _MAX_SESSIONS:
        times_s.popitem(last=False)
