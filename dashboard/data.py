"""The open store and the cached answers to queries: the one place with st.cache_*.

A store is opened once for its resolved file name, because a published build never changes; a new
build has a new name. DuckDB connections may not be shared by threads: every query gets a cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import duckdb
import pandas as pd
import streamlit as st

from dashboard.access.copies import COPIES
from dashboard.access.session import current_viewer
from dashboard.access.viewer import LOCAL_VIEWER, NotLetInError, Refusal, Viewer
from dashboard.place import study_root
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.opening import StoreConnection, open_store
from dashboard.queries.options import StoreOptions
from pipeline.errors import CoviewError, StoreError
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.people.store import people_store
from pipeline.people.thresholds import ChosenThreshold, thresholds_of_study, with_chosen
from pipeline.records import ModelRef
from pipeline.store.build_rules import refuse_if_rules_changed
from pipeline.store.locate import current_store_path
from pipeline.vision.text_client import TextEncoder

_CACHED_ANSWERS = 150
"""At 16,000 recordings an answer by recording takes about 2 MB."""
_SHARED_RESOURCES = 8
"""Largest at 1.8 million utterances: 45 MB each for the index of words and the timeline."""
_OPEN_STORES = 6
"""Builds, and copies for people who may see some children only: each keeps up to 300 MB of arrays;
with more of them in use at once pages get slower, not wrong."""
_OPENED_STATE, _HANDLE_STATE = "opened_store", "opened_handle"

_NO_MEDIA = """CREATE TEMP VIEW recordings AS
    SELECT * REPLACE ('scores_only' AS permission) FROM {}.main.recordings"""

Answer = TypeVar("Answer")
Arguments = ParamSpec("Arguments")
Resource = TypeVar("Resource")


@dataclass(frozen=True, slots=True)
class StoreHandle:
    """An open store: read-only, shared by all sessions. `key` changes when the file does.

    `build` is the published file. For a viewer who may see some children only, `path` is a copy
    that holds these alone (see `pipeline.store.narrowed`): nothing asked of the handle can tell of
    others.

    The models of `options` have the thresholds that people gave them, `thresholds`, as they were at
    `people_state`; `own_models` are as in the store. `thresholds_problem` says why people's could
    not be read.
    """

    path: Path
    key: str
    study_root: Path
    connection: StoreConnection
    options: StoreOptions
    arrays: ScoreArrays
    own_models: tuple[ModelRef, ...] = ()
    thresholds: Mapping[str, ChosenThreshold] = field(default_factory=dict)
    thresholds_problem: str = ""
    people_state: tuple[int, ...] = ()
    build: Path = Path()
    viewer: Viewer = LOCAL_VIEWER

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query."""
        cursor = self.connection.cursor()
        if not self.viewer.role.sees_media:
            # To this viewer every recording is one that may not be shown.
            name = str(cursor.execute("SELECT current_database()").fetchall()[0][0])
            cursor.execute(_NO_MEDIA.format('"' + name.replace('"', '""') + '"'))
        return cursor

    @property
    def is_whole(self) -> bool:
        """Whether it holds all children. Files beside the store are about all of them, so that
        nothing of such a file may be shown where it does not."""
        return self.viewer.children is None


def find_store() -> StoreHandle | None:
    """The store this session looks at, or None when the study has none yet.

    A session stays with the build it opened until the person switches. Raises StoreError for a
    store that is missing, damaged or of another version, while a withdrawal is unfinished, and
    when metadata/ take away more than it was built without;
    NotLetInError for whoever may see no page; BeingMadeError while what this viewer may see is
    made ready.
    """
    root = study_root()
    refuse_while_pending(root)
    viewer = current_viewer()
    if not viewer.role.opens_pages:
        raise NotLetInError(Refusal.NOT_ALLOWED)
    opened: Path | None = st.session_state.get(_OPENED_STATE)
    # Asked many times in every run of a page: the same file is not looked for anew.
    handle: StoreHandle | None = st.session_state.get(_HANDLE_STATE)
    kept = None if handle is None else (handle.build, handle.study_root, handle.viewer)
    if handle is not None and kept == (opened, root, viewer):
        try:
            if handle.key == _key(handle.path, handle.path.stat().st_mtime_ns, viewer):
                refuse_if_rules_changed(root, handle.build)
                return _kept(handle)
        except FileNotFoundError:
            pass
    if opened is None or not opened.is_file() or not opened.is_relative_to(root):
        opened = current_store_path(root)
    if opened is None:
        return None
    opened = opened.resolve()
    refuse_if_rules_changed(root, opened)
    st.session_state[_OPENED_STATE] = opened
    return _kept(_opened_for(viewer, opened, root))


def _opened_for(viewer: Viewer, build: Path, root: Path) -> StoreHandle:
    """What this viewer may see of a build."""
    path = build if viewer.children is None else COPIES.copy(build, root, viewer.children)
    modified_ns = path.stat().st_mtime_ns
    handle = _open(str(path), modified_ns, str(root))
    return replace(handle, key=_key(path, modified_ns, viewer), build=build, viewer=viewer)


def _kept(handle: StoreHandle) -> StoreHandle:
    """The handle with the thresholds that people chose, kept for this session."""
    handle = _with_peoples_thresholds(handle)
    st.session_state[_HANDLE_STATE] = handle
    return handle


def _with_peoples_thresholds(handle: StoreHandle) -> StoreHandle:
    """The handle with the thresholds that people chose, which are read when their file changed."""
    state = people_store(handle.study_root).state()
    if state == handle.people_state:
        return handle
    thresholds: dict[str, ChosenThreshold] = {}
    problem = ""
    try:
        thresholds = thresholds_of_study(handle.study_root)
    except CoviewError as found:
        problem = str(found)
    models = with_chosen(handle.own_models, thresholds)
    return replace(
        handle,
        options=replace(handle.options, models=models),
        thresholds=thresholds,
        thresholds_problem=problem,
        people_state=state,
    )


def open_ahead(root: Path) -> StoreHandle | None:
    """The store that the first session will look at, opened outside of any session.

    None when the study has none yet; raises StoreError as `find_store`.
    """
    path = current_store_path(root)
    if path is None:
        return None
    path = path.resolve()
    return _with_peoples_thresholds(_opened_for(LOCAL_VIEWER, path, root))


def _key(path: Path, modified_ns: int, viewer: Viewer) -> str:
    """What answers are remembered under: the file tells the children, and the key the rest."""
    return f"{path}:{modified_ns}" + ("" if viewer.role.sees_media else ":without media")


def current_store() -> StoreHandle:
    """The store this session looks at; StoreError when there is none."""
    store = find_store()
    if store is None:
        raise StoreError(
            f"{study_root().name} has no store yet.",
            hint="Build it with: python -m pipeline run STUDY",
        )
    return store


def is_ready() -> bool:
    """Whether there is a store that this version can show."""
    try:
        return find_store() is not None
    except StoreError:
        return False


def newer_store(store: StoreHandle) -> Path | None:
    """A build published after the one that is open, or None."""
    path = current_store_path(store.study_root)
    return path if path is not None and path.resolve() != store.build else None


def switch_store(path: Path) -> None:
    """Look at another build from the next run of the page on."""
    st.session_state[_OPENED_STATE] = path


def load(
    store: StoreHandle,
    query: Callable[Concatenate[duckdb.DuckDBPyConnection, Arguments], Answer],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Answer:
    """What `query(cursor, *args)` returns, remembered for this store and these arguments.

    Only for small aggregates: the answers of all sessions share a bounded cache.
    """
    name = f"{query.__module__}.{query.__qualname__}"
    answer = _answer(
        store.key, _question(name, args, kwargs), lambda: query(store.cursor(), *args, **kwargs)
    )
    return cast(Answer, _own(answer))


def count(
    store: StoreHandle,
    query: Callable[Concatenate[ScoreArrays, Arguments], Answer],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Answer:
    """`load` for `query(arrays, *args)`, which counts over the store's arrays."""
    name = f"{query.__module__}.{query.__qualname__}"
    answer = _answer(
        store.key, _question(name, args, kwargs), lambda: query(store.arrays, *args, **kwargs)
    )
    return cast(Answer, _own(answer))


def load_given(
    store: StoreHandle,
    resource: Resource,
    query: Callable[Concatenate[duckdb.DuckDBPyConnection, Resource, Arguments], Answer],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Answer:
    """`load` for `query(cursor, resource, *args)`, where the store and `args` decide `resource`
    (see `shared`), so that it need not be looked at to know the answer."""
    name = f"{query.__module__}.{query.__qualname__}"
    answer = _answer(
        store.key,
        _question(name, args, kwargs),
        lambda: query(store.cursor(), resource, *args, **kwargs),
    )
    return cast(Answer, _own(answer))


def shared(
    store: StoreHandle,
    read: Callable[Concatenate[duckdb.DuckDBPyConnection, Arguments], Resource],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Resource:
    """What `read(cursor, *args)` returns, kept once for all sessions and never copied.

    For arrays of the size of the store; nobody may change them.
    """
    name = f"{read.__module__}.{read.__qualname__}"
    resource = _shared(store.key, name, args, kwargs, lambda: read(store.cursor(), *args, **kwargs))
    return cast(Resource, resource)


def kept(store: StoreHandle, what: str, make: Callable[[], Answer]) -> Answer:
    """What `make()` returns, remembered for this store under the name `what`.

    For small answers from files beside the store; `what` must name the state of these files.
    """
    return cast(Answer, _own(_answer(store.key, what, make)))


def kept_large(store: StoreHandle, what: str, make: Callable[[], Resource]) -> Resource:
    """`kept` for arrays: few of them are, and nobody may change them."""
    return cast(Resource, _shared(store.key, what, (), {}, make))


def text_encoder(store: StoreHandle) -> TextEncoder:
    """The text side of the study's model, in a process of its own."""
    return _encoder(str(store.study_root))


def sentence_vector(store: StoreHandle, sentence: str, model: ModelRef) -> tuple[float, ...]:
    """Unit vector of a sentence, from the text encoder's own process.

    Raises ModelError when the study's model is not on this machine.
    """
    encoder = text_encoder(store)
    vector = _answer(
        store.key,
        _question("sentence_vector", (sentence, model), {}),
        lambda: encoder.embed(sentence, model),
    )
    return cast("tuple[float, ...]", vector)


def _own(answer: object) -> object:
    """A frame that its page may change: it shares the numbers until something is written.

    Copying every answer, as st.cache_data does, takes longer than most queries.
    """
    return answer.copy(deep=False) if isinstance(answer, pd.DataFrame) else answer


@st.cache_resource(max_entries=_CACHED_ANSWERS, show_spinner=False)
def _answer(store_key: str, question: str, _ask: Callable[[], object]) -> object:
    return _ask()


def _question(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """What is asked, as text: filters and measures say all of themselves in their repr, and
    Streamlit takes milliseconds to hash what it does not know."""
    return f"{name}{args!r}{kwargs!r}"


@st.cache_resource(max_entries=_SHARED_RESOURCES, show_spinner=False)
def _shared(
    store_key: str,
    name: str,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    _read: Callable[[], object],
) -> object:
    return _read()


@st.cache_resource(max_entries=4, show_spinner=False)
def _encoder(study_root: str) -> TextEncoder:
    return TextEncoder(Path(study_root))


@st.cache_resource(max_entries=_OPEN_STORES, show_spinner=False)
def _open(path: str, modified_ns: int, root: str) -> StoreHandle:
    connection, options, arrays = open_store(Path(path))
    return StoreHandle(
        Path(path),
        f"{path}:{modified_ns}",
        Path(root),
        connection,
        options,
        arrays,
        own_models=options.models,
    )
