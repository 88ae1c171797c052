"""Does a probe give back what was planted, and nothing where nothing was planted?

    python -m benchmarks.probe_truth [--planted 30] [--deaf 100] [--write FILE]

Made worlds with encoders made by hand (see planted_probe.py), probed as a study is. Prints tables
as Markdown; the exit code is 1 when fewer than 93 % of the intervals hold a planted value or, with
the deaf encoder, the value of chance, or more than 5 % of its runs support a finding, beyond what
so many runs can tell.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.planted_probe import Deaf, Encoder, Planted, world
from pipeline.probe_tables import CORPUS
from pipeline.probes.blocks import measure
from pipeline.probes.changes import Change
from pipeline.probes.effects import Effects
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.indices import effect_rows, indices
from pipeline.probes.measured import Measured
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index

_SETTINGS = ProbeSettings()
_COVERED, _FOUND = 0.93, 0.05
_NULL_AT_0 = (
    "surplus",
    "surplus, middle frame",
    "hits beyond chance",
    "ORI",
    "GSI",
    "GSI r",
    "OSI",
    "OSI size",
    "VWS",
    "VWS absent - function",
)
_JUDGED = ("ORI", "GSI", "OSI", "TCI", "TCI absent", "VWS", "VWS absent - function")


@dataclass(slots=True)
class Tally:
    """How a number fared over runs. `truth` of each run; `n_known` had an interval."""

    truths: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    n_known: int = 0
    n_held: int = 0
    n_supported: int = 0
    n: int = 0

    def add(self, index: Index, truth: float) -> None:
        self.n += 1
        self.truths.append(truth)
        self.n_supported += index.supports is True
        if index.value is not None:
            self.values.append(index.value)
        if index.lower is not None and index.upper is not None:
            self.n_known += 1
            self.n_held += index.lower - 1e-6 <= truth <= index.upper + 1e-6

    @property
    def null(self) -> float:
        """Share of runs that tell nothing or hold the truth."""
        return (self.n - self.n_known + self.n_held) / self.n

    @property
    def held(self) -> float:
        return self.n_held / self.n_known if self.n_known else math.nan

    def misses(self) -> bool:
        """Whether too few intervals hold the truth, beyond two Monte-Carlo errors."""
        if not self.n_known:
            return False
        error = math.sqrt(_COVERED * (1 - _COVERED) / self.n_known)
        return self.held < _COVERED - 2 * error

    def is_found(self) -> bool:
        """Whether too few runs are null, beyond two Monte-Carlo errors."""
        return self.null < _COVERED - 2 * math.sqrt(_COVERED * (1 - _COVERED) / self.n)

    def finds(self) -> bool:
        """Whether too many runs support a finding, beyond two Monte-Carlo errors."""
        error = math.sqrt(_FOUND * (1 - _FOUND) / self.n)
        return self.n_supported / self.n > _FOUND + 2 * error


def probed(encoder: Encoder, seed: int, n_each: int, most_frames: int) -> Measured:
    """One world of an encoder, probed."""
    material = world(encoder, seed, n_each=n_each, most_frames=most_frames)
    return measure(material, TextEncodings(encoder.encode), _SETTINGS)


def planted_truths(planted: Planted, s0: float) -> dict[str, float]:
    """Planted values by name of index."""
    return {
        "ORI": planted.reliance,
        "GSI": planted.beyond_nouns / s0,
        "OSI": 0.0,
        "OSI size": 0.0,
        "TCI absent": planted.template_eta2,
        "TCI absent share": planted.first_kind,
        "VWS": planted.added_present / s0,
        "VWS absent": planted.added_absent / s0,
        "VWS function": 0.0,
    }


def planted_tallies(n: int) -> dict[str, Tally]:
    """Planted worlds; frames one to an utterance, so that nothing is gained by choosing one."""
    planted = Planted()
    tallies: dict[str, Tally] = {}
    for run in range(n):
        measured = probed(planted, 1_000 + run, 20, 1)
        s0 = Effects(measured, _SETTINGS.hit_z).s0
        rows = {row.change: row for row in effect_rows(measured, _SETTINGS)}
        about = planted.aligned
        for change, truth in (
            (Change.WORDS_SHUFFLED, 0.0),
            (Change.WITHIN_TRIGRAMS_SHUFFLED, 0.0),
            (Change.NOUN_SWAPPED, -planted.named * planted.noun_effect / s0),
            (Change.VERB_SWAPPED, -about * planted.verb_effect / s0),
            (Change.NOUNS_ONLY, -about * planted.beyond_nouns / s0),
            (Change.NO_FUNCTION_WORDS, 0.0),
        ):
            tallies.setdefault(f"G, {change.label}", Tally()).add(rows[change].best, truth)
        truths = planted_truths(planted, s0)
        for index in indices(measured, _SETTINGS):
            if index.scope == CORPUS and index.name in truths:
                tallies.setdefault(index.name, Tally()).add(index, truths[index.name])
        print(f"planted {run + 1} of {n}", file=sys.stderr, flush=True)
    return tallies


def deaf_tallies(n: int) -> dict[str, Tally]:
    """Worlds with the deaf encoder; one to three frames an utterance, so choosing matters."""
    tallies: dict[str, Tally] = {}
    for run in range(n):
        measured = probed(Deaf(2_000 + run), 2_000 + run, 12, 3)
        for index in indices(measured, _SETTINGS):
            if index.scope == CORPUS and index.name in {*_NULL_AT_0, *_JUDGED}:
                # Where there is nothing to explain, ORI has no value at all.
                truth = index.chance or 0.0
                tallies.setdefault(index.name, Tally()).add(index, truth)
        print(f"deaf {run + 1} of {n}", file=sys.stderr, flush=True)
    return tallies


def lines(planted: dict[str, Tally], deaf: dict[str, Tally]) -> Iterator[str]:
    """The tables."""
    if planted:
        n = next(iter(planted.values())).n
        yield f"## Planted encoder ({n} worlds of 360 utterances, 6 children x 3 recordings)\n"
        yield "| | planted | found (mean) | intervals that hold it (%) | supported (%) |"
        yield "|---|---|---|---|---|"
        for name, tally in planted.items():
            held = f"{100 * tally.held:.0f}"
            yield (
                f"| {name} | {_mean(tally.truths)} | {_mean(tally.values)} | "
                f"{f'**{held}**' if tally.misses() else held} | "
                f"{100 * tally.n_supported / tally.n:.0f} |"
            )
    if deaf:
        n = next(iter(deaf.values())).n
        yield f"\n## Deaf encoder ({n} worlds of 216 utterances, 6 children x 3 recordings)\n"
        yield (
            "| | chance | found (mean) | cannot be told (%) | interval holds chance, or cannot be "
            "told (%) | supported (%) |"
        )
        yield "|---|---|---|---|---|---|"
        for name, tally in deaf.items():
            share = f"{100 * tally.n_supported / tally.n:.0f}"
            null = f"{100 * tally.null:.0f}"
            yield (
                f"| {name} | {_mean(tally.truths)} | {_mean(tally.values)} | "
                f"{100 * (1 - tally.n_known / tally.n):.0f} | "
                f"{f'**{null}**' if tally.is_found() else null} | "
                f"{f'**{share}**' if tally.finds() else share} |"
            )


def _mean(values: list[float]) -> str:
    return "–" if not values else f"{sum(values) / len(values):.3f}"


def main() -> int:
    """Run, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe_truth", description=__doc__)
    parser.add_argument("--planted", type=int, default=30)
    parser.add_argument("--deaf", type=int, default=100)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    planted, deaf = planted_tallies(asked.planted), deaf_tallies(asked.deaf)
    text = "\n".join(lines(planted, deaf)) + "\n"
    print(text)
    if asked.write:
        command = f"python -m benchmarks.probe_truth --planted {asked.planted} --deaf {asked.deaf}"
        asked.write.write_text(
            f"# What a probe finds in worlds that are known\n\nMade by `{command}\n--write "
            f"benchmarks/probe_truth.md`. What each row means stands in docs/probing.md.\n\n{text}",
            encoding="utf-8",
        )
    is_missed = any(tally.misses() for tally in planted.values())
    return int(is_missed or any(tally.finds() or tally.is_found() for tally in deaf.values()))


if __name__ == "__main__":
    sys.exit(main())
