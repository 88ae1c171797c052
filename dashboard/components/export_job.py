"""An export that is being made: in a thread of its own, with its progress on the page.

A person who leaves the page stops it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import duckdb
import streamlit as st

from dashboard import labels
from dashboard.access.session import confirmed
from dashboard.components.moment_web import Piece
from dashboard.data import StoreHandle
from dashboard.export_desk import DESK, ReadyExport
from pipeline.exchange.table_export import Bundle

_READY_STATE = "ready_exports"
_POLL_S = 0.15
_LINK = Piece("download_link", html='<a class="link" download></a>')


@dataclass(slots=True)
class Work:
    """What an export is given: a cursor, a folder, a way to tell how far it is."""

    cursor: duckdb.DuckDBPyConnection
    folder: Path
    stopped: Event = field(default_factory=Event)
    step: str = "Starting"
    share: float | None = None

    def on_step(self, step: str, share: float | None) -> None:
        self.step, self.share = step, share

    def progress(self) -> tuple[str, float]:
        """The step and how far it is, 0-1; DuckDB knows how far a table is."""
        share = self.share
        if share is None:
            share = max(0.0, self.cursor.query_progress()) / 100
        return f"{self.step} …", min(1.0, share)


def export_button(
    label: str,
    *,
    key: str,
    store: StoreHandle,
    what: str,
    identity: str,
    make: Callable[[Work], Bundle],
    is_disabled: bool = False,
    is_confirmed: bool = False,
) -> None:
    """A button that makes an export, then the link to it.

    `what` is logged when the file is fetched. `identity` says what exactly is exported: the link
    disappears when it changes. `make` runs in a thread of its own and raises CoviewError.
    `is_confirmed`: it holds what only an admin may take out, which is written down.
    """
    ready: dict[str, tuple[str, ReadyExport]] = st.session_state.setdefault(_READY_STATE, {})
    if st.button(label, key=key, icon=":material/download:", disabled=is_disabled):
        ready.pop(key, None)
        if is_confirmed:
            confirmed("an export with clips of recordings that are not for talks")
        ready[key] = (identity, _make(store, what, make, is_confirmed=is_confirmed))
    made_for, export = ready.get(key, ("", None))
    if export is not None and made_for == identity and DESK.find(export.token) is not None:
        _link(key, export)


def _make(
    store: StoreHandle, what: str, make: Callable[[Work], Bundle], *, is_confirmed: bool
) -> ReadyExport:
    folder = DESK.new_folder(store.study_root)
    cursor = store.cursor()
    cursor.execute("SET enable_progress_bar = true")
    cursor.execute("SET enable_progress_bar_print = false")
    work, bar, is_done = Work(cursor, folder), st.progress(0.0, "Starting …"), False
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(make, work)
        try:
            while not wait([future], timeout=_POLL_S).done:
                words, share = work.progress()
                bar.progress(share, words)
            bundle = future.result()
            is_done = True
        finally:
            if not is_done:
                work.stopped.set()
                cursor.interrupt()
                wait([future], timeout=10)
                shutil.rmtree(folder, ignore_errors=True)
            bar.empty()
    return DESK.offer(
        bundle.path,
        what,
        bundle.n_rows,
        store.viewer,
        is_confirmed=is_confirmed,
        build=store.build,
    )


def _link(key: str, export: ReadyExport) -> None:
    size = export.path.stat().st_size
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    rows = labels.plural(export.n_rows, "row")
    words = f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{max(1, size // 1000)} kB"
    _LINK.draw(
        key=f"link_{key}",
        data={
            "address": f"/{base}{export.address}" if base else export.address,
            "name": export.file_name,
            "words": f"Download {export.file_name} ({words}, {rows})",
        },
    )
