"""Results of a probe on disk: derived/probes/<scorer>/<fingerprint>/.

settings.json says what was asked and of what; utterances.parquet, block-NNNN.parquet and
scores.parquet hold what was measured; indices.json is written last and says that the probe is
whole. The fingerprint stands for settings, model and store, so nothing is ever mixed; the file
`current` beside the folders names the last finished one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from pipeline.errors import StoreError
from pipeline.probe_tables import PROBE_VERSION
from pipeline.probes.blocks import Keep, joined
from pipeline.probes.material import SampleCounts
from pipeline.probes.measured import Measured, SampledUtterances, VariantRows
from pipeline.probes.rows_files import (
    damaged,
    read_rows,
    read_utterances,
    write_rows,
    write_utterances,
)
from pipeline.probes.score_files import ScoredVariant, read_scored, write_scored
from pipeline.probes.search_sample import Searched, read_searched
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.verdicts import Index
from pipeline.store.atomic_files import write_atomically, write_text
from pipeline.store.layout import digest_of
from pipeline.store.sealed_files import read_summed_text, write_summed_text

FOLDER = "probes"
_SETTINGS, _INDICES, _CURRENT = "settings.json", "indices.json", "current"
SEARCH, TEXTS = "search.json", "texts.parquet"
_UTTERANCES, _SCORES = "utterances.parquet", "scores.parquet"


@dataclass(frozen=True, slots=True)
class ProbeIdentity:
    """What a probe is of: scorer, revision of its model, digest of the store's inputs."""

    scorer: str
    revision: str
    inputs: str
    settings: ProbeSettings

    @property
    def fingerprint(self) -> str:
        """Name of the folder."""
        return digest_of(self.scorer, self.revision, self.inputs, self.settings.to_json())


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """What is told beside the numbers: how the sample came about, and where words are known
    from."""

    counts: SampleCounts
    knowledge_sources: str


@dataclass(frozen=True, slots=True)
class FinishedProbe:
    """A probe that is whole: `identity`, `facts` and all `indices`; `folder` holds the rest."""

    folder: Path
    identity: ProbeIdentity
    facts: ProbeFacts
    indices: tuple[Index, ...]

    @property
    def s0(self) -> float:
        """The unit of effects: SD of the cosines of null pairs."""
        return next(index.value for index in self.indices if index.name == "s0") or math.nan

    def measured(self) -> Measured:
        """Every variant of every utterance."""
        return Measured(
            read_utterances(self.folder / _UTTERANCES),
            joined([read_rows(path) for path in sorted(self.folder.glob("block-*.parquet"))]),
        )

    def scored(self) -> tuple[ScoredVariant, ...]:
        """Scores of the sample by other texts, and hub-corrected."""
        return read_scored(self.folder / _SCORES)

    def searched(self) -> tuple[Searched, ...]:
        """The model's favourite sentences for some frames; empty when none were searched."""
        return read_searched(self.folder / SEARCH)


class ProbeFolder:
    """The folder of one probe, whether finished or not."""

    def __init__(self, derived: Path, identity: ProbeIdentity) -> None:
        self.identity = identity
        self._scorer = scorer_folder(derived, identity.scorer)
        self.path = self._scorer / identity.fingerprint

    def keep(self) -> Keep:
        """Finished blocks as files; a damaged one is made again."""
        return Keep(self._read_block, self._write_block)

    def begin(self, utterances: SampledUtterances, facts: ProbeFacts) -> None:
        """Write what was asked and which utterances were drawn."""
        identity = self.identity
        content = {
            "scorer": identity.scorer,
            "revision": identity.revision,
            "inputs": identity.inputs,
            "settings": asdict(identity.settings),
            "version": PROBE_VERSION,
            "counts": asdict(facts.counts),
            "knowledge_sources": facts.knowledge_sources,
        }
        write_summed_text(self.path / _SETTINGS, json.dumps(content, indent=1, sort_keys=True))
        write_utterances(self.path / _UTTERANCES, utterances)

    def finish(self, scored: tuple[ScoredVariant, ...], indices: Sequence[Index]) -> None:
        """Write scores and, last, the indices: the probe is whole."""
        write_scored(self.path / _SCORES, scored)
        content = json.dumps([asdict(index) for index in indices], indent=1)
        write_summed_text(self.path / _INDICES, content)

    def finished(self) -> FinishedProbe | None:
        """The probe, if it is whole."""
        return _read_folder(self.path) if (self.path / _INDICES).is_file() else None

    def make_current(self) -> None:
        """Make this the probe that `read_probe` gives for its scorer."""
        name = self.path.name + "\n"
        write_atomically(self._scorer / _CURRENT, lambda partial: write_text(partial, name))

    def _block(self, number: int) -> Path:
        return self.path / f"block-{number:04}.parquet"

    def _read_block(self, number: int) -> VariantRows | None:
        path = self._block(number)
        if not path.is_file():
            return None
        try:
            return read_rows(path)
        except StoreError:
            return None

    def _write_block(self, number: int, rows: VariantRows) -> None:
        write_rows(self._block(number), rows)


def scorer_folder(derived: Path, scorer: str) -> Path:
    """Folder of a scorer's probes."""
    return derived / FOLDER / quote(scorer, safe=" ()+,=@")


def read_probe(derived: Path, scorer: str) -> FinishedProbe | None:
    """The scorer's last finished probe, None if it has none or another version of Coview made it.
    Whether it is of the present store and model, its `identity` tells.

    Raises StoreError when it is damaged.
    """
    folder = scorer_folder(derived, scorer)
    try:
        name = (folder / _CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    if not name or Path(name).name != name:
        raise damaged(folder / _CURRENT)
    return _read_folder(folder / name)


def read_probes(derived: Path) -> tuple[FinishedProbe, ...]:
    """The last finished probe of every scorer that has one, by scorer."""
    found = (read_probe(derived, scorer) for scorer in probed_scorers(derived))
    return tuple(probe for probe in found if probe is not None)


def probed_scorers(derived: Path) -> tuple[str, ...]:
    """Scorers that have a finished probe, by name."""
    folders = (path.parent.name for path in (derived / FOLDER).glob(f"*/{_CURRENT}"))
    return tuple(sorted(unquote(name) for name in folders))


def _read_folder(folder: Path) -> FinishedProbe | None:
    path = folder / _SETTINGS
    try:
        content = json.loads(read_summed_text(path))
        if content["version"] != PROBE_VERSION:
            return None
        identity = ProbeIdentity(
            content["scorer"],
            content["revision"],
            content["inputs"],
            ProbeSettings(**content["settings"]),
        )
        counts = content["counts"]
        not_usable = tuple((str(reason), int(n)) for reason, n in counts.pop("not_usable"))
        facts = ProbeFacts(
            SampleCounts(**counts, not_usable=not_usable), content["knowledge_sources"]
        )
        path = folder / _INDICES
        rows = json.loads(read_summed_text(path))
        return FinishedProbe(folder, identity, facts, tuple(Index(**row) for row in rows))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise damaged(path) from problem
