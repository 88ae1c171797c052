"""Do the sound systems stand to each other as they must, on made-up clips of known truth?

    python -m benchmarks.sound_invariants --seeds 5 --write benchmarks/sound_invariants.md

Clips have the sizes of AVCaps (1,661 to learn from, 200 to stop by, 200 to test on) and of the
features of CLIP and CLAP. The exit code is 1 when a statement fails for any seed, or when a system
needs more than a minute of processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.sound.evaluate import evaluate, pooled_warnings
from pipeline.sound.invariants import Invariant, invariants, synthetic_runs
from pipeline.sound.retrieval import Scope
from pipeline.sound.synthetic import room_only_sets
from pipeline.sound.systems import SYSTEMS, find_system
from pipeline.sound.training import TrainingSettings, train
from pipeline.sound_results import RecallRow

LIMIT_S = 60.0
_COLUMNS = (
    ("visual", "visual captions"),
    ("visual", "audio captions"),
    ("visual", "audio-visual captions"),
    ("visual", "audio"),
    ("audio", "audio captions"),
    ("audio", "visual captions"),
    ("audio", "audio-visual captions"),
)


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed: recall rows, the statements, and seconds of each system (processor, wall)."""

    seed: int
    rows: list[RecallRow]
    statements: list[Invariant]
    cpu_s: dict[str, float]
    wall_s: dict[str, float]


def run_seed(seed: int) -> SeedResult:
    """Train all systems on the clips of one seed."""
    rows: list[RecallRow] = []
    cpu_s: dict[str, float] = {}
    wall_s: dict[str, float] = {}
    runs = synthetic_runs(seed)
    for system in SYSTEMS:
        cpu, wall = time.process_time(), time.perf_counter()
        rows += next(runs)
        cpu_s[system.name] = time.process_time() - cpu
        wall_s[system.name] = time.perf_counter() - wall
    return SeedResult(seed, rows, invariants(rows), cpu_s, wall_s)


def room_only(seed: int) -> tuple[list[RecallRow], list[str]]:
    """Picture and sound that share only the room: rows of the reference, and what is warned of."""
    sets = room_only_sets(seed)
    system = find_system("audio-visual")
    settings = TrainingSettings(n_epochs=20)
    trained = train(system, sets.train, sets.validation, seed=seed, settings=settings)
    rows = evaluate(trained.heads, system.name, sets.test, seed=seed)
    return rows, pooled_warnings(rows)


def recall_table(results: Sequence[SeedResult]) -> Iterator[str]:
    """Markdown: mean pooled recall of each system and query over seeds."""
    yield "| system | " + " | ".join(f"{g} by {q}" for g, q in _COLUMNS) + " |"
    yield "|---" * (len(_COLUMNS) + 1) + "|"
    for system in SYSTEMS:
        cells = []
        for gallery, query in _COLUMNS:
            found = [
                row.recall_at_10
                for result in results
                for row in result.rows
                if (row.system, row.gallery, row.query) == (system.name, gallery, query)
                and row.scope == Scope.POOLED.value
            ]
            cells.append(f"{sum(found) / len(found):.2f}" if found else "")
        yield f"| {system.name} | " + " | ".join(cells) + " |"


def report(results: Sequence[SeedResult], rooms: tuple[list[RecallRow], list[str]]) -> str:
    """The committed page."""
    n = len(results)
    lines = [
        "# Sound systems on made-up clips",
        "",
        f"Made by `python -m benchmarks.sound_invariants --seeds {n} --write",
        "benchmarks/sound_invariants.md`. Clips have the sizes of AVCaps (1,661 to learn from, 200",
        "to stop by, 200 to test on); what picture and sound share and what captions mention is",
        "known (`pipeline/sound/synthetic.py`). The figures say that training and testing do what",
        "they should. They say nothing about real sound: how often captions mention what was set",
        "so that the systems can differ at all.",
        "",
        f"## Statements that must hold: how far each is from failing, over {n} seeds",
        "",
        "| statement | holds | least margin | "
        + " | ".join(f"seed {r.seed}" for r in results)
        + " |",
        "|---" * (n + 3) + "|",
    ]
    for number, first in enumerate(results[0].statements):
        margins = [result.statements[number].margin for result in results]
        n_holds = sum(result.statements[number].holds for result in results)
        cells = " | ".join(f"{margin:+.3f}" for margin in margins)
        lines.append(f"| {first.name} | {n_holds} of {n} | {min(margins):+.3f} | {cells} |")
    lines += ["", f"## Recall at 10 among all 200 test clips (chance .05), mean of {n} seeds", ""]
    lines += recall_table(results)
    lines += [
        "",
        "## Seconds to train and test one system on one thread",
        "",
        "| system | processor, mean | processor, most | wall clock, most |",
        "|---|---|---|---|",
    ]
    for system in SYSTEMS:
        cpu = [result.cpu_s[system.name] for result in results]
        wall = max(result.wall_s[system.name] for result in results)
        lines.append(f"| {system.name} | {sum(cpu) / n:.1f} | {max(cpu):.1f} | {wall:.1f} |")
    rows, warnings = rooms
    lines += ["", "## Picture and sound that share nothing but the room", ""]
    lines += ["| among | recall at 10 | 95 % interval | chance | clips |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row.scope} | {row.recall_at_10:.2f} | {row.lower:.2f} to {row.upper:.2f} | "
            f"{row.chance:.2f} | {row.n} |"
        )
    lines += ["", *(f"> {warning}" for warning in warnings), ""]
    return "\n".join(lines)


def main() -> int:
    """Print the page; 1 when a statement or the time limit is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sound_invariants", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds 1 to N")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--write", type=Path, help="write the page to this file")
    asked = parser.parse_args()
    results = [run_seed(seed) for seed in range(asked.first, asked.first + asked.seeds)]
    text = report(results, room_only(asked.first))
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")
    is_missed = False
    for result in results:
        for statement in result.statements:
            if not statement.holds:
                is_missed = True
                print(f"MISSED, seed {result.seed}: {statement.name} ({statement.margin:+.3f})")
        for name, seconds in result.cpu_s.items():
            if seconds > LIMIT_S:
                is_missed = True
                print(f"MISSED, seed {result.seed}: {name} took {seconds:.0f} s")
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
