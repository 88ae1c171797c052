"""The tables of the people's store, as the steps that make them.

A step that was released is never edited: what changes is a new step at the end. To add a table,
append a step whose rows name a `moment_id` (see `moments.moment_id_of`), and write a module beside
`marks` with its functions.
"""

from __future__ import annotations

APPLICATION_ID = 0x636F7677
"""Marks the SQLite file as ours: "covw"."""

_MARKS = (
    """
    CREATE TABLE moments (
        moment_id INTEGER PRIMARY KEY,
        recording_id TEXT NOT NULL,
        utterance_id TEXT NOT NULL,
        onset_ms INTEGER NOT NULL CHECK (onset_ms >= 0),
        offset_ms INTEGER NOT NULL CHECK (offset_ms > onset_ms),
        UNIQUE (recording_id, utterance_id, onset_ms, offset_ms))
    """,
    """
    CREATE TABLE stars (
        moment_id INTEGER PRIMARY KEY REFERENCES moments,
        created_at TEXT NOT NULL)
    """,
    """
    CREATE TABLE tags (
        moment_id INTEGER NOT NULL REFERENCES moments,
        tag TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (moment_id, tag))
    """,
    """
    CREATE TABLE notes (
        note_id INTEGER PRIMARY KEY AUTOINCREMENT,
        moment_id INTEGER NOT NULL REFERENCES moments,
        text TEXT NOT NULL,
        created_at TEXT NOT NULL,
        edited_at TEXT)
    """,
    "CREATE INDEX notes_of_moment ON notes (moment_id)",
    """
    CREATE TABLE playlists (
        playlist_id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL)
    """,
    """
    CREATE TABLE playlist_moments (
        playlist_id INTEGER NOT NULL REFERENCES playlists ON DELETE CASCADE,
        moment_id INTEGER NOT NULL REFERENCES moments,
        position INTEGER NOT NULL,
        PRIMARY KEY (playlist_id, moment_id))
    """,
)

_VALIDATION = (
    """
    CREATE TABLE trial_sets (
        set_id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('4afc', 'labels')),
        settings TEXT NOT NULL,
        consent TEXT NOT NULL,
        is_simulated INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        closed_at TEXT)
    """,
    """
    CREATE TABLE items (
        set_id INTEGER NOT NULL REFERENCES trial_sets ON DELETE CASCADE,
        item_id TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('images', 'utterances', 'moment')),
        part TEXT NOT NULL CHECK (part IN ('main', 'practice', 'catch')),
        prompt TEXT NOT NULL,
        score REAL,
        z REAL,
        bin INTEGER,
        PRIMARY KEY (set_id, item_id))
    """,
    """
    CREATE TABLE item_options (
        set_id INTEGER NOT NULL,
        item_id TEXT NOT NULL,
        option INTEGER NOT NULL CHECK (option BETWEEN 0 AND 3),
        recording_id TEXT NOT NULL,
        utterance_id TEXT NOT NULL,
        onset_ms INTEGER NOT NULL,
        offset_ms INTEGER NOT NULL,
        text TEXT NOT NULL,
        frame_ms INTEGER,
        cosine REAL,
        image TEXT NOT NULL,
        PRIMARY KEY (set_id, item_id, option),
        FOREIGN KEY (set_id, item_id) REFERENCES items ON DELETE CASCADE)
    """,
    """
    CREATE TABLE trials (
        trial_id INTEGER PRIMARY KEY AUTOINCREMENT,
        set_id INTEGER NOT NULL,
        list_number INTEGER NOT NULL,
        position INTEGER NOT NULL,
        item_id TEXT NOT NULL,
        option_order TEXT NOT NULL,
        UNIQUE (set_id, list_number, position),
        FOREIGN KEY (set_id, item_id) REFERENCES items ON DELETE CASCADE)
    """,
    """
    CREATE TABLE raters (
        rater_id INTEGER PRIMARY KEY AUTOINCREMENT,
        set_id INTEGER NOT NULL REFERENCES trial_sets ON DELETE CASCADE,
        label TEXT NOT NULL,
        code_digest TEXT UNIQUE,
        list_number INTEGER,
        is_simulated INTEGER NOT NULL,
        source TEXT NOT NULL,
        created_at TEXT NOT NULL,
        consented_at TEXT,
        closed_at TEXT,
        UNIQUE (set_id, label))
    """,
    """
    CREATE TABLE open_links (
        code_digest TEXT PRIMARY KEY,
        set_id INTEGER NOT NULL REFERENCES trial_sets ON DELETE CASCADE,
        max_raters INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        closed_at TEXT)
    """,
    """
    CREATE TABLE answers (
        rater_id INTEGER NOT NULL REFERENCES raters ON DELETE CASCADE,
        trial_id INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE,
        selected_position INTEGER NOT NULL CHECK (selected_position BETWEEN 1 AND 4),
        rt_ms REAL,
        answered_at TEXT NOT NULL,
        app_version TEXT NOT NULL,
        PRIMARY KEY (rater_id, trial_id))
    """,
    """
    CREATE TABLE expert_labels (
        rater_id INTEGER NOT NULL REFERENCES raters ON DELETE CASCADE,
        set_id INTEGER NOT NULL,
        item_id TEXT NOT NULL,
        label TEXT NOT NULL CHECK (label IN ('aligned', 'partly', 'not', 'cannot_tell')),
        referent TEXT NOT NULL,
        rt_ms REAL,
        answered_at TEXT NOT NULL,
        app_version TEXT NOT NULL,
        PRIMARY KEY (rater_id, set_id, item_id),
        FOREIGN KEY (set_id, item_id) REFERENCES items ON DELETE CASCADE)
    """,
    """
    CREATE TABLE chosen_thresholds (
        scorer TEXT PRIMARY KEY,
        threshold REAL NOT NULL,
        lower REAL,
        upper REAL,
        source TEXT NOT NULL,
        created_at TEXT NOT NULL)
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (_MARKS, _VALIDATION)
"""Statements that lead from version n to version n + 1 of the file."""

VERSION = len(STEPS)
