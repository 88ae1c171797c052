"""A study in which everything that people write is made to be run, fetched or laid out."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import duckdb
import numpy as np

from pipeline.people.marks import add_note, add_tag, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from tests import factories, synthetic_facts
from tests.synthetic_world import Plan, SyntheticRecording, synthetic_recordings

MARKUP = (
    "<script>window.ran=1</script>",
    "<img src=http://127.0.0.1:9/leak.png onerror=window.ran=1>",
    "![leak](http://127.0.0.1:9/leak.png)",
    "[open](javascript:window.ran=1)",
    "**bold** _slanted_ `code` ~~struck~~",
    ":material/face: :red[coloured] :streamlit:",
    "$x^2$ and $$y$$",
    "# title",
    "| a | b |",
    "&lt;b&gt; &amp;",
)
SQL = (
    "'; DROP TABLE utterances; --",
    '" OR 1=1 --',
    "') UNION SELECT * FROM recordings --",
    "%",
    "_",
    "\\",
    "$1",
    "?",
    "{0}",
    "\u0000",
    "a" * 5_000,
    "ATTACH '/tmp/x.db'",
    "COPY utterances TO '/tmp/x.csv'",
    "(((((((((",
    "[[[",
    ".*",
    "\ud83d",
)
NAME = "*x* ![l](q) :red[r] $y$ <b>"
"""In the middle of every id; ids hold no slash."""

# Each is what one of MARKUP or NAME is as long as nothing in it was escaped.
_UNESCAPED = re.compile(
    r"(?<!\\)<script>|(?<!\\)<img|(?<!\\)!\[l|(?<!\\)\]\((?:http|javascript|q)|(?<!\\)\*\*bold|(?<!\\)\*x\*"
    r"|(?<!\\):material/face:|(?<!\\):red\[|(?<!\\)\$x\^2|(?<!\\)\$y\$|^# title",
    re.MULTILINE,
)


def unescaped(text: str) -> str:
    """The first piece of hostile text in Markdown that is not escaped, "" for none."""
    found = _UNESCAPED.search(text)
    return "" if found is None else text[max(0, found.start() - 20) : found.end() + 40]


def make_hostile_study(root: Path) -> Path:
    """A study with a store, marks and playlists whose every text is hostile; returns the store."""

    def renamed(
        rng: np.random.Generator, plan: Plan, n_children: int, n_recordings: int, n: int
    ) -> list[SyntheticRecording]:
        made = synthetic_recordings(rng, plan, n_children, n_recordings, n)
        for recording in made:
            recording.recording_id = f"{recording.recording_id} {NAME}"
            recording.texts = [
                f"{MARKUP[place % len(MARKUP)]} {text}"
                for place, text in enumerate(recording.texts)
            ]
        return made

    child_id = synthetic_facts._child_id
    with (
        patch.object(factories, "synthetic_recordings", renamed),
        patch.object(synthetic_facts, "_child_id", lambda child: f"{child_id(child)} {NAME}"),
    ):
        store = factories.write_synthetic_study(
            root, n_children=2, n_recordings=4, n_utterances=80, scorers=(f"model {NAME}",)
        )
    _write_marks(root, opened(store))
    return store


def opened(store: Path) -> MomentRef:
    """A moment of the store."""
    with duckdb.connect(str(store), read_only=True) as con:
        row = con.execute(
            "SELECT CAST(recording_id AS VARCHAR), CAST(utterance_id AS VARCHAR), onset_ms, "
            "offset_ms FROM utterances ORDER BY utterance_number LIMIT 1"
        ).fetchone()
    assert row is not None
    return MomentRef(str(row[0]), str(row[1]), TimeSpan(int(row[2]), int(row[3])))


def _write_marks(root: Path, moment: MomentRef) -> None:
    people = people_store(root)
    star(people, moment)
    for text in MARKUP:
        add_note(people, moment, text)
        add_tag(people, moment, text[:30])
        add_to_playlist(people, make_playlist(people, text), [moment])
