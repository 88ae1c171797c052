"""Everything that may lie in a study's folder when nobody works on it, and how much of it.

What is not listed is a stray file: half a file, a lock of a program that is gone, a file beside
a store that is no longer there, a temporary folder.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_DIGEST = r"[0-9a-f]{16}"
_ANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Files whose path below the study is as `pattern` says: at most `most` of them."""

    what: str
    pattern: re.Pattern[str]
    most: int = _ANY


def allowed_kinds(n_builds: int, n_narrowed: int, n_days: int) -> tuple[Kind, ...]:
    """What may lie there, where `n_builds` stores are kept, `n_narrowed` groups of people see some
    children only, and people wrote on `n_days` days."""
    kinds = (
        ("what the lab put in", r"(metadata|annotations|recordings)/.+", _ANY),
        ("settings and notes", r"(study\.toml|README\.md|truth\.csv|access\.toml)", 4),
        ("what people wrote", r"people/people\.sqlite", 1),
        ("its lock", r"people/people\.sqlite\.lock", 1),
        ("its daily copies", r"people/people\.sqlite\.bak-\d{4}-\d\d-\d\d", min(60, n_days + 1)),
        ("what a restore put aside", r"people/people\.sqlite\.aside-[0-9T:Z-]+", 1),
        ("its copies before new tables", r"people/people\.sqlite\.bak-\d{4}-\d\d-\d\d-v\d+", 2),
        ("sign-ins that are over", r"sign-ins/[0-9a-f]{64}\.(over|asked)", 10_000),
        ("who opened what", r"audit/.+\.(jsonl|lock)", 20),
        ("the run's lock and plan", r"derived/(run\.lock|plan\.json|media-digests\.json)", 3),
        ("the mark of the last sweep", r"derived/rules-swept\.txt", 1),
        (
            "shards",
            rf"derived/(speech|vision|text|align|variants)/{_DIGEST}/((hubs|blocks)/)?"
            rf"([^/]+~{_DIGEST}/)?[^/]+\.(parquet|json|npy)",
            _ANY,
        ),
        ("stores", r"derived/stores/store-[^/~]+\.duckdb", n_builds),
        ("the name of the current store", r"derived/stores/current", 1),
        ("rules and sums of stores", r"derived/stores/store-[^/~]+\.(rules|sums)", 2 * n_builds),
        ("columns beside stores", r"derived/stores/store-[^/]+~[^/]+\.npy", 200 * n_builds),
        ("stores of some children", r"derived/stores/narrowed/store-[^/~]+\.duckdb", n_narrowed),
        ("their columns", r"derived/stores/narrowed/store-[^/]+~[^/]+\.npy", 200 * n_narrowed),
        ("their lock", r"derived/stores/narrowed/lock", 1),
        ("clips", r"derived/clips/[0-9a-f]{32}\.mp4", _ANY),
        ("locks of clips", r"derived/clips/[0-9a-f]{2}\.lock", 256),
        ("pictures and sounds", r"derived/cache/pictures/[0-9a-f]+\.(jpg|m4a)", _ANY),
        ("their locks", r"derived/cache/pictures/[0-9a-f]{2}\.lock", 256),
        ("logs", r"derived/logs/(clips|exports|run-\d{8}T\d{6}(-\d+)?)\.jsonl", 200),
        ("probes, sound, word errors", r"derived/(probes|sound|word_errors|report)/.+", _ANY),
        ("exports", r"derived/export-[a-z-]+/.+", _ANY),
    )
    return tuple(Kind(what, re.compile(pattern), most) for what, pattern, most in kinds)


_HALF = re.compile(r"\.(partial|restoring|tmp|wal|part)|-(wal|shm|journal)$|/tmp[^/]*$")


def strays(study: Path, kinds: tuple[Kind, ...]) -> tuple[int, list[str]]:
    """How many files were looked at, and those that may not be there or are too many."""
    wrong: list[str] = []
    found: Counter[str] = Counter()
    n_files = 0
    for path in sorted(study.rglob("*")):
        inner = path.relative_to(study).as_posix()
        if path.is_dir():
            if not any(path.iterdir()) and inner.startswith("derived/exports/"):
                wrong.append(f"{inner} is an empty folder")
            continue
        n_files += 1
        kind = next((kind for kind in kinds if kind.pattern.fullmatch(inner)), None)
        if kind is None or _HALF.search(inner):
            wrong.append(f"{inner} may not be there")
            continue
        found[kind.what] += 1
        if found[kind.what] == kind.most + 1:
            wrong.append(f"more than {kind.most} of: {kind.what} ({inner})")
    orphans = [
        path
        for path in (study / "derived" / "stores").rglob("store-*")
        if path.suffix != ".duckdb"
        and not path.with_name(f"{path.stem.partition('~')[0]}.duckdb").is_file()
    ]
    return n_files, wrong + [f"{path.name} has no store" for path in orphans]
