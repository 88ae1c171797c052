"""Open a study's store and choose the clips that a command asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.errors import SettingsError
from pipeline.media.clip_choice import (
    ChoiceCounts,
    ClipChoice,
    WantedClip,
    all_utterances,
    top_utterances,
    utterances_of_playlist,
)
from pipeline.people.store import people_store
from pipeline.store.opening import open_current_store


@dataclass(frozen=True, slots=True)
class ChoiceOptions:
    """A playlist, or a child, or the `top` best (of a child), or everything."""

    playlist: str = ""
    child_id: str = ""
    top: int = 0
    is_all: bool = False

    def __post_init__(self) -> None:
        n_ways = bool(self.playlist) + self.is_all + bool(self.child_id or self.top)
        if n_ways != 1:
            raise SettingsError(
                "It is not clear which clips to cut."
                if n_ways
                else "It was not said which clips to cut.",
                hint="Give one of --playlist NAME, --child ID, --top N, --all; only --top and "
                "--child go together.",
            )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The clips to cut, while the store is open, and how many of the choice have none."""

    wanted: Iterator[WantedClip]
    counts: ChoiceCounts
    n_lost: int


@contextmanager
def chosen_clips(study_root: Path, options: ChoiceOptions) -> Iterator[Chosen]:
    """The clips that `options` ask for, of the current store.

    Raises StoreError without a store, StudyError for an unknown child or playlist.
    """
    with open_current_store(study_root) as con:
        choice = _choice(con, study_root, options)
        yield Chosen(choice.wanted(con.cursor()), choice.counts(con), choice.n_lost)


def _choice(con: duckdb.DuckDBPyConnection, study_root: Path, options: ChoiceOptions) -> ClipChoice:
    if options.playlist:
        return utterances_of_playlist(con, people_store(study_root), options.playlist)
    if options.top:
        return top_utterances(con, options.top, options.child_id)
    return all_utterances(con, options.child_id)
