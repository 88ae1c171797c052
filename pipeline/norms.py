"""Word norms from the files that the field shares: concreteness, age of acquisition, frequency.

The files themselves are not shipped, because their licences differ; people put them into
metadata/norms of their study. A file is known by its columns, whatever it is called; of others
mapping.csv says what their columns mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StudyError
from pipeline.lemmas import named_language
from pipeline.norm_columns import Norm, NormColumn
from pipeline.norm_mapping import PART_OF_SPEECH, NormMapping
from pipeline.norm_tables import read_table_lines
from pipeline.textfile import CsvLines

_WORD = ("word", "lemma", "item_definition", "uni_lemma")
_OTHER_SPELLING = "alternative.spelling"
_POS = ("dom_pos", "dom_pos_subtlex", "spacy_pos")


@dataclass(frozen=True, slots=True)
class NormFile:
    """What one file gives: norms, parts of speech by word (one of PARTS_OF_SPEECH), and how many
    of its rows were passed over because they hold several words or no value."""

    norms: tuple[Norm, ...]
    parts_of_speech: Mapping[str, str]
    n_rows: int
    n_passed_over: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A column of a published file and what it is called here.

    is_log: the file holds log10 of counts (or of counts + 1).
    """

    column: str
    norm: str
    unit: str
    is_count: bool = False
    is_log: bool = False
    beside: str = ""


_WARRINER = "1 to 9, Warriner et al. 2013"
_KUPERMAN = "years, Kuperman et al. 2012"
_KNOWN = (
    _Known("conc.m", "concreteness", "1 to 5, Brysbaert et al. 2014"),
    _Known("aoa_kup_lem", "age of acquisition", _KUPERMAN),
    _Known("rating.mean", "age of acquisition", _KUPERMAN, beside="dunno"),
    _Known("babyavg", "babiness", "mean rating"),
    _Known("babiness", "babiness", "mean rating"),
    _Known("v.mean.sum", "valence", _WARRINER),
    _Known("a.mean.sum", "arousal", _WARRINER),
    _Known("word_count", "CHILDES frequency", "log10 of the count", is_count=True),
    _Known(
        "lg10wf",
        "SUBTLEX frequency",
        "log10 of the count + 1 in SUBTLEX-US",
        is_count=True,
        is_log=True,
    ),
)
_WORDBANK = "Wordbank age, "


def read_norms(path: Path, mapping: Sequence[NormMapping] = ()) -> NormFile:
    """All norms of one file; mapping: the rows of mapping.csv for this file, which go before.

    Known by their columns: Brysbaert (Conc.M, Dom_Pos), Kuperman (AoA_Kup_lem), babiness (one row
    per rating), Warriner (V.Mean.Sum, A.Mean.Sum), CHILDES counts (word_count), SUBTLEX-US
    (Lg10WF), Wordbank (item_definition, measure, aoa, language). Any other norm: columns word,
    norm, value. Rows of the same word are summed if counts, else averaged. "dog (animal)" is dog,
    "soda/pop" is both; entries of several words are passed over and counted.

    Raises StudyError naming the file, the line and the fix.
    """
    lines = read_table_lines(path)
    names = {name.lower(): place for place, name in enumerate(lines.columns)}
    if mapping:
        wanted = [_mapped(path, names, row) for row in mapping]
    else:
        wanted = _recognised(lines, names)
    word_places = {column.word for column in wanted}
    pos_place = next((names[name] for name in _POS if name in names), None)
    if pos_place is not None and not any(column.is_pos for column in wanted) and word_places:
        wanted.append(NormColumn(min(word_places), pos_place, PART_OF_SPEECH, "", is_pos=True))
    other = names.get(_OTHER_SPELLING)
    n_rows = n_passed_over = 0
    for line, cells in lines.rows:
        n_rows += 1
        is_used = False
        for column in wanted:
            is_used |= column.take(lines, line, cells, other)
        n_passed_over += not is_used
    norms = tuple(norm for column in wanted for norm in column.norms())
    parts = {word: pos for column in wanted for word, pos in column.parts.items()}
    if not norms and not parts:
        raise StudyError(
            f"{path.name} gives no word a value.", hint="Export the norms again, or remove it."
        )
    return NormFile(norms, parts, n_rows, n_passed_over)


def log10_of_count(count: float) -> float:
    """A count as it is kept; a word that was never heard counts as half a time."""
    return math.log10(max(count, 0.5))


def _recognised(lines: CsvLines, names: Mapping[str, int]) -> list[NormColumn]:
    """The norms of a file that is known by its columns."""
    word = next((names[name] for name in _WORD if name in names), None)
    if word is None:
        raise StudyError(
            f"{lines.path.name} has no column of words; it has {', '.join(lines.columns)}.",
            hint="Name that column word, or describe the file in mapping.csv.",
        )
    language = names.get("language")
    if {"norm", "value"} <= names.keys():
        return [
            NormColumn(word, names["value"], "", "", label=names["norm"], language_place=language)
        ]
    if {"measure", "aoa"} <= names.keys():
        return [
            NormColumn(
                word,
                names["aoa"],
                _WORDBANK,
                "months, Wordbank",
                label=names["measure"],
                language_place=language,
            )
        ]
    found = {
        known.norm: known
        for known in _KNOWN
        if known.column in names and (not known.beside or known.beside in names)
    }
    if not found and not any(name in names for name in _POS):
        raise StudyError(
            f"{lines.path.name} holds no norm that is known; it has {', '.join(lines.columns)}.",
            hint="Give it the columns word, norm and value, or describe it in mapping.csv.",
        )
    columns = [
        NormColumn(
            word,
            names[known.column],
            known.norm,
            known.unit,
            rows="sum" if known.is_count else "mean",
            is_count=known.is_count,
            is_log=known.is_log,
            language_place=language,
        )
        for known in found.values()
    ]
    if not columns:
        place = next(names[name] for name in _POS if name in names)
        columns.append(NormColumn(word, place, PART_OF_SPEECH, "", is_pos=True))
    return columns


def _mapped(path: Path, names: Mapping[str, int], row: NormMapping) -> NormColumn:
    """A norm as mapping.csv describes it."""
    for column in (row.word, row.value, *(row.only[:1] if row.only else ())):
        if column.lower() not in names:
            raise StudyError(
                f"{path.name} has no column {column}, which mapping.csv names.",
                hint=f"It has: {', '.join(names)}.",
            )
    return NormColumn(
        names[row.word.lower()],
        names[row.value.lower()],
        row.norm,
        row.unit,
        row.rows,
        row.is_count,
        is_pos=row.norm.lower() == PART_OF_SPEECH,
        language=named_language(row.language),
        only=(names[row.only[0].lower()], row.only[1]) if row.only else None,
    )
