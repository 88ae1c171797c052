"""What trials can be made from: utterances with a score, words, and a frame that may be shown."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.people.store import MomentRef


@dataclass(frozen=True, slots=True)
class Candidate:
    """An utterance with its best frame. `words` are its tokens, parted by spaces; `bin` counts
    from 0."""

    moment: MomentRef
    child_id: str
    text: str
    words: str
    lemmas: frozenset[str]
    n_words: int
    score: float
    z: float | None
    frame_ms: int
    bin: int

    @property
    def key(self) -> tuple[str, str]:
        """The ids: the same in every reading of the store."""
        return self.moment.recording_id, self.moment.utterance_id


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Utterances that cannot be asked about, and why."""

    reason: str
    n: int

    @property
    def sentence(self) -> str:
        """'12 have no score'."""
        return f"{self.n:,} {self.reason}"


@dataclass(frozen=True, slots=True)
class Pool:
    """What trials can be made from. `candidates` by their ids, a sample of a large store.

    `edges` (n_bins + 1) are the borders of the score bins, `n_by_bin` counts every usable
    utterance of the store, `n_all` every utterance of the scorer.
    """

    candidates: tuple[Candidate, ...]
    edges: tuple[float, ...]
    n_by_bin: tuple[int, ...]
    n_all: int
    left_out: tuple[LeftOut, ...]
    scorer: str
    model_revision: str
    store_build: str

    @property
    def n_usable(self) -> int:
        """Usable utterances of the store."""
        return sum(self.n_by_bin)
