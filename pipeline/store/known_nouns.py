"""What the study's norms say of words, before there is a store: which are nouns, which visible.

The same as `probes.read_words` reads from the store, but over all words of the norms and not only
those that are heard, so that it depends on the files of norms alone.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.store.fill_imported import file_digest
from pipeline.store.fill_norms import (
    lemma_parts,
    lemma_values,
    norm_files,
    read_files,
)
from pipeline.store.layout import digest_of
from pipeline.word_knowledge import SCALE_TOP, VISUAL_FROM, WordKnowledge


def known_nouns(study_root: Path, default_language: str = "") -> WordKnowledge:
    """Parts of speech and visual words by lemma, without counts. Where the norms know no noun, or
    no concreteness on a scale of 1 to 5, the own list of English words stands in.

    Files that cannot be used are passed over; the store says so when it is built.
    """
    parts: dict[str, str] = {}
    ratings: dict[str, list[float]] = {}
    for _, read in read_files(study_root)[0]:
        for lemma, part in lemma_parts(read.parts_of_speech).items():
            parts.setdefault(lemma, part)
        for norm in read.norms:
            if norm.name.lower() != "concreteness":
                continue
            values = lemma_values(norm)
            if values and min(values.values()) >= 1 and max(values.values()) <= SCALE_TOP:
                for lemma, value in values.items():
                    ratings.setdefault(lemma, []).append(value)
    visual = (lemma for lemma, rated in ratings.items() if sum(rated) / len(rated) >= VISUAL_FROM)
    return WordKnowledge(
        parts,
        frozenset(visual),
        {},
        default_language,
        is_own_parts="noun" not in parts.values(),
        is_own_visual=not ratings,
    )


def nouns_digest(study_root: Path) -> str:
    """Digest of the files that `known_nouns` reads."""
    return digest_of(*(f"{path.name} {file_digest(path)}" for path in norm_files(study_root)))
