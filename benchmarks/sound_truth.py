"""Does sound find what is known to be heard in the demo study?

    python -m benchmarks.sound_truth demo-study [--write benchmarks/sound_truth.md]

Matches truth.csv to the store's utterances, and says how well the scores of sound tell what was
seen and heard, how often the quadrant is right, and what the systems recall. Nothing here has to
come out well: what does not hold is printed as it is. Exits with 1 only if it cannot be measured.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.demo_truth import Floats, StoredUtterance, TruthRow, auc, matches
from pipeline.errors import CoviewError, StoreError
from pipeline.records import TimeSpan
from pipeline.sound_tables import QUADRANTS
from pipeline.store.locate import current_store_path

_SEEN_MS, _HEARD_MS = 500, 300
_DRAWS = 2_000
_SEE, _HEAR = ("see_say", "within"), ("hear_say", "within")
_KEY_QUERIES = (
    ("visual", "audio"),
    ("visual", "audio-visual captions"),
    ("audio", "audio captions"),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A matched utterance: what is true of the thing it names in the ten seconds around it, and
    the scores; NaN where there is none.
    """

    recording_id: str
    word: str
    can_sound: bool
    heard_ms: int
    seen_ms: int
    see_z: float
    hear_z: float
    quadrant: str

    @property
    def is_heard(self) -> bool:
        return self.heard_ms >= _HEARD_MS

    @property
    def is_seen(self) -> bool:
        return self.seen_ms >= _SEEN_MS

    @property
    def true_quadrant(self) -> str:
        if self.is_seen:
            return "seen_and_heard" if self.is_heard else "seen_only"
        return "heard_only" if self.is_heard else "neither"


@dataclass(frozen=True, slots=True)
class Separation:
    """How well a z tells two kinds of utterances apart; the interval draws recordings."""

    name: str
    auc: float
    lower: float
    upper: float
    n: tuple[int, int]

    @property
    def row(self) -> str:
        return (
            f"| {self.name} | {self.auc:.2f} | {self.lower:.2f} to {self.upper:.2f} | .50 | "
            f"{self.n[0]}, {self.n[1]} |"
        )


def read_heard(study: Path, store: duckdb.DuckDBPyConnection) -> list[Heard]:
    """All truth rows that name something and match an utterance of the store."""
    from pipeline.demo.sound_recipes import OBJECT_SOUNDS

    with (study / "truth.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if "named_heard_ms" not in rows[0]:
        raise StoreError(
            f"truth.csv of {study.name} does not say what was heard.",
            hint="It is an older demo study; make it again: python -m pipeline demo FOLDER",
        )
    truth = [
        TruthRow(
            row["recording_id"],
            TimeSpan(int(row["onset_ms"]), int(row["offset_ms"])),
            row["named_word"],
            row["case"],
        )
        for row in rows
    ]
    about = {(t.recording_id, t.span): row for t, row in zip(truth, rows, strict=True)}
    found = store.execute(
        """
        SELECT u.recording_id, u.onset_ms, u.offset_ms, s.see_say_z, s.hear_say_z, s.quadrant
        FROM utterances u LEFT JOIN sound_scores s USING (utterance_number)
        ORDER BY u.recording_id, u.onset_ms
        """
    ).fetchall()
    quadrant = {(row[0], TimeSpan(row[1], row[2])): row[5] or "no score" for row in found}
    stored = [
        StoredUtterance(
            name, "", TimeSpan(onset, offset), {_SEE: _number(see), _HEAR: _number(hear)}, np.nan
        )
        for name, onset, offset, see, hear, _ in found
    ]
    heard: list[Heard] = []
    for match in matches(truth, stored):
        row = about[match.truth.recording_id, match.truth.span]
        if row["named_word"]:
            z = match.utterance.z
            heard.append(
                Heard(
                    match.truth.recording_id,
                    row["named_word"],
                    row["named_word"] in OBJECT_SOUNDS,
                    int(row["named_heard_ms"]),
                    int(row["named_seen_ms"]),
                    z[_SEE],
                    z[_HEAR],
                    quadrant[match.utterance.recording_id, match.utterance.span],
                )
            )
    return heard


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def separation(
    name: str,
    heard: Sequence[Heard],
    z_of: Callable[[Heard], float],
    is_positive: Callable[[Heard], bool],
    is_negative: Callable[[Heard], bool],
) -> Separation:
    """AUC of z between positives and negatives with a bootstrap interval over recordings."""
    scored = [one for one in heard if not np.isnan(z_of(one))]
    recordings = sorted({one.recording_id for one in scored})
    pairs: list[tuple[Floats, Floats]] = []
    for recording in recordings:
        mine = [one for one in scored if one.recording_id == recording]
        pairs.append(
            (
                np.array([z_of(one) for one in mine if is_positive(one)]),
                np.array([z_of(one) for one in mine if is_negative(one)]),
            )
        )

    def of(chosen: NDArray[np.int64]) -> float:
        positives = np.concatenate([pairs[number][0] for number in chosen])
        negatives = np.concatenate([pairs[number][1] for number in chosen])
        return auc(positives, negatives) if len(positives) and len(negatives) else float("nan")

    rng = np.random.default_rng(1)
    drawn = [of(rng.integers(len(pairs), size=len(pairs))) for _ in range(_DRAWS)]
    lower, upper = np.nanquantile(drawn, [0.025, 0.975])
    n = (sum(len(pair[0]) for pair in pairs), sum(len(pair[1]) for pair in pairs))
    return Separation(name, of(np.arange(len(pairs))), float(lower), float(upper), n)


def separations(heard: Sequence[Heard]) -> list[Separation]:
    """What should be told apart, then what should not."""
    able = [one for one in heard if one.can_sound]

    def hear(one: Heard) -> float:
        return one.hear_z

    def see(one: Heard) -> float:
        return one.see_z

    return [
        separation("hear-say z: named thing sounds, against silent", able, hear,
                   lambda one: one.is_heard, lambda one: not one.heard_ms),
        separation("the same, named thing not seen", [o for o in able if not o.seen_ms], hear,
                   lambda one: one.is_heard, lambda one: not one.heard_ms),
        separation("see-say z: named thing seen, against not seen", heard, see,
                   lambda one: one.is_seen, lambda one: not one.seen_ms),
        separation("chance: hear-say z of silent things, seen against not seen",
                   [o for o in able if not o.heard_ms], hear,
                   lambda one: one.is_seen, lambda one: not one.seen_ms),
        separation("chance: see-say z of unseen things, sounding against silent",
                   [o for o in able if not o.seen_ms], see,
                   lambda one: one.is_heard, lambda one: not one.heard_ms),
    ]  # fmt: skip


def quadrant_lines(heard: Sequence[Heard]) -> list[str]:
    """True quadrants in rows, found ones in columns."""
    names = [*QUADRANTS, "no score"]
    title = " | ".join(QUADRANTS.get(name, name) for name in names)
    lines = [f"| truth | {title} | right |", "|---" * (len(names) + 2) + "|"]
    for true in QUADRANTS:
        mine = [one.quadrant for one in heard if one.can_sound and one.true_quadrant == true]
        counts = [mine.count(name) for name in names]
        n_scored = len(mine) - counts[-1]
        right = f"{mine.count(true) / n_scored:.2f}" if n_scored else "-"
        lines.append(f"| {QUADRANTS[true]} | {' | '.join(map(str, counts))} | {right} |")
    return lines


def recall_lines(store: duckdb.DuckDBPyConnection) -> list[str]:
    """Recall at 10 of each system within recordings, for the queries that tell most."""
    lines = ["| system | retrieve | by | recall@10 | 95 % interval | chance | clips |"]
    lines.append("|---" * 7 + "|")
    for gallery, query in _KEY_QUERIES:
        rows = store.execute(
            "SELECT system, recall_at_10, lower, upper, chance, n FROM sound_recall "
            "WHERE scope = 'within-recording' AND gallery = ? AND query = ? ORDER BY system, seed",
            [gallery, query],
        ).fetchall()
        lines += [
            f"| {system} | {gallery} | {query} | {recall:.2f} | {low:.2f} to {high:.2f} | "
            f"{chance:.2f} | {n} |"
            for system, recall, low, high, chance, n in rows
        ]
    return lines


def report(study: Path) -> str:
    """The whole table. Raises StoreError when the study has no store or no scores of sound."""
    path = current_store_path(study)
    if path is None:
        raise StoreError(
            f"{study.name} has no store yet.", hint="Run: python -m pipeline demo FOLDER"
        )
    with duckdb.connect(str(path), read_only=True) as store:
        found = store.execute("SELECT system FROM sound_systems").fetchone()
        if found is None:
            raise StoreError(
                f"The store of {study.name} has no scores of sound.",
                hint="Run: python -m pipeline sound score STUDY",
            )
        heard = read_heard(study, store)
        recall = recall_lines(store)
    parts = [
        "# What sound finds in the demo study, whose truth is known",
        "Made by `python -m benchmarks.sound_truth demo-study`. Nothing was chosen by these "
        f"figures. Scores are those of {found[0]}, learnt from the program's own captions of other "
        "recordings.",
        "## Told apart",
        "\n".join(
            [
                "| z within the recording | AUC | 95 % interval (recordings) | chance | n |",
                "|---" * 5 + "|",
                *(one.row for one in separations(heard)),
            ]
        ),
        f'"Sounds": {_HEARD_MS} ms or more in the ten seconds around the utterance; "seen": '
        f"{_SEEN_MS} ms or more in the middle of the picture; silent and not seen: 0 ms. Only "
        "things that can sound, but in the third row.",
        "## Quadrants",
        "\n".join(quadrant_lines(heard)),
        "## Recall at 10 within recordings",
        "\n".join(recall),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--write", type=Path, help="write the table to this file")
    chosen = parser.parse_args()
    try:
        text = report(chosen.study)
    except CoviewError as problem:
        print(problem, file=sys.stderr)
        return int(problem.exit_code)
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
