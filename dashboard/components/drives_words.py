"""What the indices of a probe mean, in words."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import labels
from pipeline.probes.findings import FindingAnswer
from pipeline.probes.verdicts import Index

VERDICTS = {True: "yes", False: "no", None: "cannot be told"}
_WHY = "cannot be told: "


@dataclass(frozen=True, slots=True)
class IndexWords:
    """An index for people: `unit` is percent, points, SD, SD a word or r; `line` says from where
    on the finding holds ("" where the index has no line); `of` is what n counts."""

    title: str
    meaning: str
    unit: str
    of: str = "matching utterances"
    line: str = ""


INDEX_WORDS: dict[str, IndexWords] = {
    "surplus": IndexWords(
        "Match above chance",
        "How far utterances stand above chance frames, at their best frame.",
        "SD",
        "utterances",
    ),
    "surplus, middle frame": IndexWords(
        "Match above chance, middle frame",
        "The same at the frame in the middle of the utterance, which nobody chose.",
        "SD",
        "utterances",
    ),
    "hits beyond chance": IndexWords(
        "Matching utterances",
        "Share of utterances with z of 1 or more, less the share of chance windows that have it.",
        "points",
        "utterances",
    ),
    "ORI": IndexWords(
        "Nouns carry the match (ORI)",
        "Part of the match that is lost when each noun is swapped for another, as frequent.",
        "percent",
        line="60 % or more",
    ),
    "ORI verbs": IndexWords(
        "Verbs carry the match",
        "The same for verbs, in utterances that also name a thing.",
        "percent",
    ),
    "ORI adjectives": IndexWords(
        "Adjectives carry the match",
        "The same for adjectives, in utterances that also name a thing.",
        "percent",
    ),
    "GSI": IndexWords(
        "Other words add (GSI)",
        "Match that is lost when only the nouns are kept.",
        "SD",
        line="below 0.25 SD, and r of 0.8 or more",
    ),
    "GSI r": IndexWords(
        "Nouns alone agree",
        "Correlation between the match of utterances and that of their nouns alone.",
        "r",
        "utterances",
    ),
    "OSI": IndexWords(
        "Word order counts (OSI)",
        "How much more often the right order beats a shuffled one on the own frame than on "
        "chance frames.",
        "points",
        line="15 points or less",
    ),
    "OSI size": IndexWords(
        "What a shuffle costs", "Match that is lost when the words are shuffled.", "SD"
    ),
    "TCI": IndexWords(
        "Sentence form counts (TCI)",
        "Part of the differences between cosines that lies between twelve sentence forms, with "
        "the noun of the moment in each.",
        "percent",
        "matching frames",
        "5 % or more, and 25 % of the frames",
    ),
    "TCI share": IndexWords(
        "One form wins",
        "Share of frames for which the most frequent winner of the twelve forms is the best.",
        "percent",
        "matching frames",
    ),
    "TCI absent": IndexWords(
        "Sentence form counts, other noun",
        "As TCI, with a noun of another moment.",
        "percent",
        "matching frames",
        "5 % or more, and 25 % of the frames",
    ),
    "TCI absent share": IndexWords(
        "One form wins, other noun",
        "As above, with a noun of another moment.",
        "percent",
        "matching frames",
    ),
    "VWS": IndexWords(
        "A word for what is there adds (VWS)",
        "What each added word for something that is there does to the match.",
        "SD a word",
        line="above 0",
    ),
    "VWS absent": IndexWords(
        "A word for what is not there adds",
        "What each added word for something that nobody spoke of does to the score.",
        "SD a word",
    ),
    "VWS function": IndexWords(
        "A function word adds",
        "What each added word such as “of” does to the score.",
        "SD a word",
    ),
    "VWS absent - function": IndexWords(
        "Words beat truth",
        "A word for what is not there, compared with a function word.",
        "SD a word",
        line="above 0",
    ),
}

_SENTENCES = {
    "ORI": "Swapping the nouns takes away **{value}** of the match.",
    "GSI": "Keeping the nouns alone takes away **{value}**.",
    "TCI": "The sentence form makes **{value}** of the differences in cosine.",
    "OSI": "The right word order beats a shuffled one **{value}** more often than by chance.",
    "VWS": "Each word for what is there adds **{value}**.",
    "VWS absent - function": "Each word for what is not there adds **{value}** beyond a function "
    "word.",
}

_GLOSSES: dict[str, dict[bool | None, str]] = {
    "ORI": {
        True: "The match rests on the nouns",
        False: "The match does not rest on the nouns alone",
        None: "Whether the match rests on the nouns cannot be told",
    },
    "GSI": {
        True: "other words add little",
        False: "other words add to it",
        None: "whether other words add to it cannot be told",
    },
    "TCI": {
        True: "Some sentence forms score higher whatever is in view",
        False: "No sentence form is preferred",
        None: "Whether some sentence forms are preferred cannot be told",
    },
    "OSI": {
        True: "word order is ignored",
        False: "word order matters",
        None: "whether word order matters cannot be told",
    },
    "VWS": {
        True: "Naming more of what is there raises the score",
        False: "Naming more of what is there does not raise the score",
        None: "Whether naming more of what is there raises the score cannot be told",
    },
    "VWS absent - function": {
        True: "naming what is not there raises it too",
        False: "naming what is not there does not",
        None: "whether naming what is not there does so cannot be told",
    },
}


def gloss(found: FindingAnswer) -> str:
    """The answer to a finding as a sentence about the model."""
    first, second = (_GLOSSES[one.name][one.supports] for one in (found.first, found.second))
    return f"{first}; {second}."


def sentence(index: Index) -> str:
    """What an index of a finding says, or why it says nothing."""
    if index.value is None:
        return f"{INDEX_WORDS[index.name].title}: {why_unknown(index)}."
    return _SENTENCES[index.name].format(value=value_text(index))


def small_print(index: Index) -> str:
    """Interval, n, chance and line of an index."""
    words = INDEX_WORDS[index.name]
    chance = "no chance level" if index.chance is None else f"chance {chance_text(index)}"
    if index.name == "ORI":
        chance = "no chance level, as without a match nothing can be lost"
    interval = f"95 %: {interval_text(index)}" if index.lower is not None else "no interval"
    line = f"; yes if {words.line}" if words.line else ""
    return f"{interval}; n = {index.n:,} {words.of}; {chance}{line}."


def why_unknown(index: Index) -> str:
    """Why an index has no value, interval or verdict; "" when it has all."""
    if _WHY in index.note:
        return index.note.split(_WHY, 1)[1]
    return "no utterance to tell it from" if index.value is None else ""


def value_text(index: Index) -> str:
    """The value with its unit, or a dash."""
    return _number(index.value, index.name)


def chance_text(index: Index) -> str:
    """The chance level with its unit, or a dash."""
    return labels.NO_VALUE if index.chance is None else _number(index.chance, index.name)


def interval_text(index: Index) -> str:
    """The 95 % interval with its unit, or a dash."""
    if index.lower is None or index.upper is None:
        return labels.NO_VALUE
    unit = INDEX_WORDS[index.name].unit
    low, high = (_bare(one, unit) for one in (index.lower, index.upper))
    return f"{low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high}{_SUFFIXES[unit]}"


_SUFFIXES = {
    "percent": "\N{NO-BREAK SPACE}%",
    "points": "\N{NO-BREAK SPACE}points",
    "SD": "\N{NO-BREAK SPACE}SD",
    "SD a word": "\N{NO-BREAK SPACE}SD",
    "r": "",
}


def _number(value: float | None, name: str) -> str:
    if value is None:
        return labels.NO_VALUE
    unit = INDEX_WORDS[name].unit
    return f"{_bare(value, unit)}{_SUFFIXES[unit]}"


def _bare(value: float, unit: str) -> str:
    scaled = 100 * value if unit in ("percent", "points") else value
    digits = 1 if unit in ("percent", "points") else 3 if unit == "r" else 2
    # No minus before a zero.
    return f"{round(scaled, digits) + 0.0:.{digits}f}".replace("-", "−")
