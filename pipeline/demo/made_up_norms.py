"""Made-up word norms for the demo, in the shapes of the published files.

They are not data: nobody rated anything, and the demo's words match the view or not by its plan
alone. Things that can be seen are given high concreteness and all other words low; as only things
can match, concreteness may go with how far scores stand above chance. Frequency, age and babiness
follow concreteness and each other a little, as real norms do; beyond that they are chance.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.demo.chance import between, normal, stream
from pipeline.demo.vocabulary import word_names
from pipeline.demo.world import DemoWorld
from pipeline.parts_of_speech import is_function_word
from pipeline.tokens import tokenize

NORMS_FOLDER = "metadata/norms"
MADE_UP = "made up for the demo"
_RATINGS = 3

_NAMES = {
    "Noun": "bit dada goodness job mama minute point sweetie time tomorrow yesterday",
    "Verb": "bring come coming feeling find finish finished get give go going happened help hold "
    "hurt hurts know laugh let look looks love need point put remember say see set show sit sleep "
    "start stay tell thank think thought throw turn turns wait want wants",
    "Adjective": "big careful easy funny gentle good late little loud nice pretty ready right "
    "silly slow tired",
    "Adverb": "almost maybe next now soon well",
    "Interjection": "bye hi oh okay please uh wow yeah yes",
    "Number": "two three",
}
_PART_OF = {word: part for part, words in _NAMES.items() for word in words.split()}
_CONCRETE = {"Noun": 2.8, "Verb": 2.9, "Adjective": 2.6, "Number": 3.2}
_OTHERWISE = 1.9


@dataclass(frozen=True, slots=True)
class _MadeUp:
    """What is made up of one word; `log_count` is log10 of a count."""

    word: str
    part: str
    concreteness: float
    log_count: float
    years: float
    babiness: float


def norm_texts(world: DemoWorld) -> Iterator[tuple[str, str]]:
    """Every file of norms of a demo study: path within it and content."""
    words = [_made_up(word, stream(world.seed, f"norms/{word}")) for word in _spoken(world)]
    yield f"{NORMS_FOLDER}/made-up-concreteness.txt", _concreteness(world, words)
    yield f"{NORMS_FOLDER}/made-up-counts.csv", _counts(words)
    yield f"{NORMS_FOLDER}/made-up-ages.csv", _ages(words)
    yield f"{NORMS_FOLDER}/made-up-babiness.csv", _babiness(world, words)
    yield f"{NORMS_FOLDER}/mapping.csv", _MAPPING


def _spoken(world: DemoWorld) -> list[str]:
    lines = (line.text for recording in world.recordings for line in recording.lines)
    return sorted({token for text in lines for token in tokenize(text)} | set(word_names()))


def _made_up(word: str, rng: random.Random) -> _MadeUp:
    is_thing = word in word_names()
    part = "Noun" if is_thing else _PART_OF.get(word, "0")
    level = 4.7 if is_thing else _CONCRETE.get(part, _OTHERWISE)
    concreteness = min(5.0, max(1.0, level + 0.25 * normal(rng)))
    log_count = 2.6 + 1.4 * is_function_word(word) + 0.5 * normal(rng)
    years = 6.5 - 0.5 * concreteness - 0.5 * log_count + 0.5 * normal(rng)
    babiness = 4.0 + 0.6 * concreteness - 0.4 * years + 0.8 * normal(rng)
    return _MadeUp(word, part, concreteness, log_count, max(1.5, years), babiness)


def _concreteness(world: DemoWorld, words: Sequence[_MadeUp]) -> str:
    """In the shape of Brysbaert et al. 2014, two-word entries included."""
    rng = stream(world.seed, "norms/spread")
    rows = [
        (made.word, 0, f"{made.concreteness:.2f}", f"{between(0.2, 1.4, rng):.2f}", made.part)
        for made in words
    ]
    rows.append(("teddy bear", 1, "4.90", "0.40", "0"))
    return _table(("Word", "Bigram", "Conc.M", "Conc.SD", "Dom_Pos"), rows, "\t")


def _counts(words: Sequence[_MadeUp]) -> str:
    """In the shape of counts from CHILDES, where some spellings have a row of their own."""
    rows = [(made.word, round(10**made.log_count)) for made in words]
    rows += [(made.word.capitalize(), 2) for made in words if made.word in word_names()]
    return _table(("word", "word_count"), rows)


def _ages(words: Sequence[_MadeUp]) -> str:
    """In the shape of Kuperman et al. 2012; some words have no age there."""
    rows = [
        (made.word, made.part, "#N/A" if made.part == "0" else f"{made.years:.2f}")
        for made in words
    ]
    return _table(("Word", "Dom_PoS_SUBTLEX", "AoA_Kup_lem"), rows)


def _babiness(world: DemoWorld, words: Sequence[_MadeUp]) -> str:
    """A row for each rating, as babiness is passed on."""
    rng = stream(world.seed, "norms/ratings")
    rows = [
        (rater, made.word, round(min(10, max(1, made.babiness + between(-1, 1, rng))), 1))
        for rater in range(1, _RATINGS + 1)
        for made in words
    ]
    return _table(("subject", "word", "babyAVG"), rows)


def _table(
    columns: Sequence[str], rows: Iterable[Sequence[str | int | float]], delimiter: str = ","
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


_MAPPING = f"""\
file,word,value,norm,unit,count
made-up-concreteness.txt,Word,Conc.M,concreteness,"1 to 5, {MADE_UP}",
made-up-counts.csv,word,word_count,frequency,"log10 of a count, {MADE_UP}",yes
made-up-ages.csv,Word,AoA_Kup_lem,age of acquisition,"years, {MADE_UP}",
made-up-babiness.csv,word,babyAVG,babiness,"mean rating, {MADE_UP}",
"""
