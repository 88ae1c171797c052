"""Put word norms and parts of speech beside the lemmas of the study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import StudyError
from pipeline.lemmas import lemma_of, named_language
from pipeline.norm_columns import Norm
from pipeline.norm_mapping import MAPPING_FILE, NormMapping, read_norm_mapping
from pipeline.norm_tables import SUFFIXES
from pipeline.norms import NormFile, log10_of_count, read_norms
from pipeline.parts_of_speech import FUNCTION, OWN_LIST, is_function_word
from pipeline.records import Notice
from pipeline.schema import NORMS, PARTS_OF_SPEECH, WORD_NORMS, Table

NORMS_FOLDER = "metadata/norms"
_ENGLISH = "en"

Languages = Mapping[str, frozenset[str]]
"""Lemma -> codes of the languages of the utterances it is heard in, "" for unknown."""

_Row = tuple[str | float | int, ...]


def norm_files(study_root: Path) -> list[Path]:
    """The study's files of word norms, by name, with mapping.csv among them."""
    folder = study_root / NORMS_FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


@dataclass(slots=True)
class _Found:
    """Rows of the tables, as they are collected."""

    values: list[_Row]
    norms: list[_Row]
    parts: dict[str, tuple[str, str]]


def insert_word_norms(
    con: duckdb.DuckDBPyConnection, study_root: Path, default_language: str = ""
) -> tuple[Notice, ...]:
    """Fill `word_norms`, `norms` and `parts_of_speech` for the lemmas of `word_index`, which must
    be in, as `utterances` must.

    A norm is for the lemmas that are heard in its language, or in an utterance of unknown
    language; default_language: of utterances that name none. A lemma has the value of the word
    that is spelled like it, else the mean over the words it is the lemma of; of counts always the
    sum over these. A file that cannot be used becomes a notice of store_info; the notices are
    returned.
    """
    heard = _languages(con, default_language)
    found = _Found([], [], _own_parts(heard))
    files, notices = read_files(study_root)
    for path, read in files:
        _take(found, read, path.name, heard)
    _insert(con, WORD_NORMS, sorted(found.values))
    _insert(con, NORMS, sorted(found.norms))
    _insert(con, PARTS_OF_SPEECH, [(lemma, *part) for lemma, part in sorted(found.parts.items())])
    if notices:
        con.execute(
            "UPDATE store_info SET notices = list_concat(coalesce(notices, []), ?)",
            [[notice.message for notice in notices]],
        )
    return tuple(notices)


def read_files(study_root: Path) -> tuple[list[tuple[Path, NormFile]], list[Notice]]:
    """The study's files of norms with what they give, and why others cannot be used."""
    notices: list[Notice] = []
    mapping = _mapping(study_root, notices)
    files = [path for path in norm_files(study_root) if path.name != MAPPING_FILE]
    for missing in sorted({row.file for row in mapping} - {path.name for path in files}):
        notices.append(_left_out(MAPPING_FILE, f"it names {missing}, which is not there."))
    found = []
    for path in files:
        try:
            found.append(
                (path, read_norms(path, [row for row in mapping if row.file == path.name]))
            )
        except StudyError as problem:
            notices.append(_left_out(path.name, str(problem)))
    return found, notices


def _languages(con: duckdb.DuckDBPyConnection, default_language: str) -> Languages:
    rows = con.execute(
        """SELECT DISTINCT i.lemma, coalesce(nullif(u.language, ''), $default)
           FROM word_index i LEFT JOIN utterances u USING (utterance_number)""",
        {"default": default_language},
    ).fetchall()
    heard: dict[str, set[str]] = {}
    for lemma, language in rows:
        heard.setdefault(str(lemma), set()).add(named_language(str(language)) if language else "")
    return {lemma: frozenset(codes) for lemma, codes in heard.items()}


def _is_heard(heard: Languages | None, lemma: str, language: str) -> bool:
    if heard is None:
        return True
    codes = heard.get(lemma, frozenset())
    return language in codes or "" in codes


def _own_parts(heard: Languages) -> dict[str, tuple[str, str]]:
    return {
        lemma: (FUNCTION, OWN_LIST)
        for lemma in heard
        if is_function_word(lemma) and _is_heard(heard, lemma, _ENGLISH)
    }


def _mapping(study_root: Path, notices: list[Notice]) -> tuple[NormMapping, ...]:
    path = study_root / NORMS_FOLDER / MAPPING_FILE
    if not path.is_file():
        return ()
    try:
        return read_norm_mapping(path)
    except StudyError as problem:
        notices.append(_left_out(MAPPING_FILE, str(problem)))
        return ()


def _left_out(name: str, reason: str) -> Notice:
    return Notice("norms_left_out", f"{NORMS_FOLDER}/{name} was left out: {reason}")


def _take(found: _Found, read: NormFile, source: str, heard: Languages) -> None:
    """Add what one file gives; parts of speech that are known already stay."""
    taken: dict[tuple[str, str], list[float]] = {}
    for norm in read.norms:
        values = lemma_values(norm, heard)
        for lemma, value in values.items():
            taken.setdefault((lemma, norm.name), []).append(value)
        found.norms.append(
            (
                norm.name,
                source,
                norm.language,
                norm.unit,
                len(norm.values),
                len(values),
                read.n_passed_over,
            )
        )
    # A lemma that is heard in two languages of one file has the mean of both.
    found.values += [
        (lemma, norm, sum(values) / len(values), source) for (lemma, norm), values in taken.items()
    ]
    for lemma, part in lemma_parts(read.parts_of_speech, heard).items():
        found.parts.setdefault(lemma, (part, source))


def lemma_values(norm: Norm, heard: Languages | None = None) -> dict[str, float]:
    """Values of the lemmas that have one; counts as log10. Of all lemmas, or of those heard."""
    own: dict[str, float] = {}
    forms: dict[str, list[float]] = {}
    for word, value in norm.values.items():
        if not norm.is_count and _is_heard(heard, word, norm.language):
            own[word] = value
        lemma = lemma_of(word, norm.language)
        if _is_heard(heard, lemma, norm.language):
            forms.setdefault(lemma, []).append(value)
    if norm.is_count:
        return {lemma: log10_of_count(sum(values)) for lemma, values in forms.items()}
    return {**{lemma: sum(values) / len(values) for lemma, values in forms.items()}, **own}


def lemma_parts(parts: Mapping[str, str], heard: Languages | None = None) -> dict[str, str]:
    """Part of speech of the word spelled like the lemma, else of most of its forms. Of all lemmas,
    or of those heard."""
    own: dict[str, str] = {}
    forms: dict[str, Counter[str]] = {}
    for word, part in parts.items():
        if _is_heard(heard, word, _ENGLISH):
            own[word] = part
        lemma = lemma_of(word, _ENGLISH)
        if _is_heard(heard, lemma, _ENGLISH):
            forms.setdefault(lemma, Counter())[part] += 1
    usual = {lemma: min(c, key=lambda part: (-c[part], part)) for lemma, c in forms.items()}
    return {**usual, **own}


def _insert(con: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[_Row]) -> None:
    types = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "INTEGER": pa.int32()}
    columns = {
        column.name: pa.array([row[place] for row in rows], types[column.type])
        for place, column in enumerate(table.columns)
    }
    con.register("rows_read", pa.table(columns))
    con.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM rows_read")
    con.unregister("rows_read")
