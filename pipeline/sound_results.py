"""What the commands `sound ...` leave in a study: recall tables and scores of utterances.

They lie under `derived/sound`: `heads/<system>-seed<N>-<inputs>/recall.json` and
`scores/<system>-seed<N>-<inputs>/scores.parquet` with `scores.json`, which is written last.
"""

from __future__ import annotations

from dataclasses import dataclass

RECALL_FILE = "recall.json"
SCORES_FILE, SCORES_ABOUT_FILE = "scores.parquet", "scores.json"
AVCAPS_PREFIX = "avcaps-"
"""How the file names of captions begin that were imported from AVCaps."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One line of the table: `gallery` is what is searched, `query` what it is searched by.

    `n` counts clips whose queries tell something, `n_left_out` queries with at most ten
    candidates. `text` says what the system learnt from where a study has no captions.
    """

    system: str
    gallery: str
    query: str
    scope: str
    recall_at_10: float
    lower: float
    upper: float
    chance: float
    n: int
    n_left_out: int
    seed: int
    text: str = ""
