"""Bytes that change on the disk: in shards of every kind, in the store and the files beside it, and
in the small files a run keeps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.torture import Count
from tests.torture.faults.kills import References
from tests.torture.faults.running import command
from tests.torture.faults.small_study import OLD, SmallStudy
from tests.torture.faults.views import Content, content_of, store_view

_MAX_RUNS = 4
"""A run that stops at damage says so; each next one must come further."""


def count_damaged(
    study: SmallStudy, known: References, n: int, seconds: float, seed: int
) -> Iterator[Count]:
    """Damage `n` files of each kind, or as many as there is time for, and run until all is well."""
    yield count_damaged_shards(study, known, n, seconds * 0.5, seed)
    stores = _kinds(known.old_derived, "stores/*")
    what = "the store or a file beside it changed or cut short, then run"
    yield _count(what, _store, study, known, stores, n, seconds * 0.35, seed)
    small = [["plan.json"], ["media-digests.json"], ["rules-swept.txt"], ["stores/current"]]
    what = "a small file that a run keeps changed or cut short, then run"
    yield _count(what, _store, study, known, small, min(n, 12), seconds * 0.15, seed)


def count_damaged_shards(
    study: SmallStudy, known: References, n: int, seconds: float, seed: int
) -> Count:
    """Damage `n` shards, of each stage in turn."""
    shards = _kinds(known.old_derived, "*/*/*.parquet")
    what = "a shard with changed bytes or cut short, then run"
    return _count(what, _shard, study, known, shards, n, seconds, seed)


def _kinds(derived: Path, pattern: str) -> list[list[str]]:
    """Names of files by kind: stage or ending."""
    found: dict[str, list[str]] = {}
    paths = [*derived.glob(pattern), *derived.glob(pattern.replace("*.parquet", "hubs/*.parquet"))]
    for path in sorted(set(paths)):
        name = path.relative_to(derived).as_posix()
        kind = path.suffix if name.startswith("stores") else str(Path(name).parent)
        found.setdefault(kind, []).append(name)
    return list(found.values())


def _count(
    what: str,
    tried: Callable[[SmallStudy, References, random.Random, list[str]], str],
    study: SmallStudy,
    known: References,
    kinds: Sequence[list[str]],
    n: int,
    seconds: float,
    seed: int,
) -> Count:
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    told: list[str] = []
    while len(told) < n and (not told or time.monotonic() < ends):
        told.append(tried(study, known, chance, kinds[len(told) % len(kinds)]))
    wrong = tuple(sentence for sentence in told if sentence)
    return Count(what, len(told), len(told) - len(wrong), wrong)


def _shard(study: SmallStudy, known: References, chance: random.Random, kind: list[str]) -> str:
    """Damage one shard; its stage is not run again by itself, but one after it is, so it is read:
    another store is due, as the store's settings changed."""
    study.become(OLD)
    study.reset(known.old_derived)
    name = chance.choice(kind)
    how = _damage(study.derived / name, chance)
    for later in _made_from(study, name, chance):
        later.unlink()
    (study.derived / "stores" / "current").unlink()
    return _healed(study, known.old, f"{name} {how}", may_be_silent=False)


def _made_from(study: SmallStudy, name: str, chance: random.Random) -> list[Path]:
    """Shards to be made again from a damaged one, or none, so that only publishing reads it."""
    stages = ("speech", "text", "align")
    stage = name.split("/", 1)[0]
    after = stages[stages.index(stage) + 1 :] if stage in stages else ("align",)
    chosen = chance.choice(("", *after))
    return list((study.derived / chosen).glob("*/*.parquet")) if chosen else []


def _store(study: SmallStudy, known: References, chance: random.Random, kind: list[str]) -> str:
    study.become(OLD)
    study.reset(known.old_derived)
    name = chance.choice(kind)
    how = _damage(study.derived / name, chance)
    try:
        store_view(study.root)
    except Exception as problem:  # noqa: BLE001 - the dashboard tells DuckDB's errors kindly
        if not type(problem).__module__.startswith(("duckdb", "_duckdb", "numpy")):
            return f"{name} {how}: looking at it gives {type(problem).__name__}: {problem}"
    return _healed(study, known.old, f"{name} {how}", may_be_silent=True)


def _healed(study: SmallStudy, expected: Content, name: str, *, may_be_silent: bool) -> str:
    """Run until a run goes well; "" when each said clearly what was wrong and all is as before."""
    for number in range(_MAX_RUNS):
        told = command("run", str(study.root), "--device", "cpu", "--quiet")
        if told.code == 0:
            if number == 0 and not may_be_silent:
                return f"{name}: the run took it for whole"
            difference = expected.difference(content_of(study.root))
            return f"{name}: {difference}" if difference else ""
        if not told.is_clear:
            return f"{name}: run {number + 1} ended with {told.code} and said {told.text[-800:]}"
    return f"{name}: not mended by {_MAX_RUNS} runs: {told.text[-800:]}"


def _damage(path: Path, chance: random.Random) -> str:
    """Change a file and say how."""
    raw = bytearray(path.read_bytes())
    how = chance.choice(("flip", "flip", "cut", "zeros", "empty"))
    if how == "flip" or not raw:
        places = [chance.randrange(max(1, len(raw))) for _ in range(chance.choice((1, 1, 8)))]
        for place in places if raw else []:
            raw[place] ^= 1 << chance.randrange(8)
        done = f"with bits flipped at {places}"
    elif how == "zeros":
        first = chance.randrange(len(raw))
        n = min(4096, len(raw) - first)
        raw[first : first + n] = b"\0" * n
        done = f"with zeros in {n} bytes from {first}"
    else:
        n = 0 if how == "empty" else chance.randrange(len(raw))
        del raw[n:]
        done = f"cut to {n} bytes"
    if bytes(raw) == path.read_bytes():
        raw += b"\0"
        done = "with a byte added"
    path.write_bytes(raw)
    return done
