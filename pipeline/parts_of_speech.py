"""Parts of speech of words without a tagger: from files of norms, and a closed list of our own.

A word has the part of speech it has most often, whatever the sentence. Function words are few and
no new ones are made, so English ones are listed here; norms often leave them out.
"""

from __future__ import annotations

from types import MappingProxyType

FUNCTION = "function word"
PARTS_OF_SPEECH = (
    "noun",
    "verb",
    "adjective",
    "adverb",
    "name",
    "number",
    "interjection",
    FUNCTION,
)
OWN_LIST = "Coview's list of English function words"
"""Source of what is told by `is_function_word`."""

_NAMED = MappingProxyType(
    {
        **{name: name for name in PARTS_OF_SPEECH},
        "adj": "adjective",
        "adp": FUNCTION,
        "adv": "adverb",
        "article": FUNCTION,
        "aux": FUNCTION,
        "auxiliary": FUNCTION,
        "cconj": FUNCTION,
        "conj": FUNCTION,
        "conjunction": FUNCTION,
        "det": FUNCTION,
        "determiner": FUNCTION,
        "ex": FUNCTION,
        "intj": "interjection",
        "not": FUNCTION,
        "num": "number",
        "numeral": "number",
        "part": FUNCTION,
        "particle": FUNCTION,
        "prep": FUNCTION,
        "preposition": FUNCTION,
        "pron": FUNCTION,
        "pronoun": FUNCTION,
        "propn": "name",
        "proper noun": "name",
        "sconj": FUNCTION,
        "to": FUNCTION,
    }
)
"""What lists call a part of speech (Dom_Pos of SUBTLEX, tags of Universal Dependencies)."""

_LISTED = """
a an the this that these those some any no every each either neither both all half such another
other much many more most few less least several enough
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself
it its itself we us our ours ourselves they them their theirs themselves one oneself
who whom whose which what whoever whatever whichever someone somebody something anyone anybody
anything everyone everybody everything nobody nothing none
be am is are was were been being do does did doing done have has had having can could will
would shall should may might must ought
of in on at to from by with without for about into onto out off up down over under above below
behind beside between among through across along around after before during since until till
against inside outside toward towards upon within beyond as than per via despite
except
and or but nor so yet if because while though although unless whether when where why how
whenever wherever then there here
not n't too very just also only even again still already ever never
"""
_FUNCTION_WORDS = frozenset(_LISTED.split())


def part_of_speech(name: str) -> str:
    """One of PARTS_OF_SPEECH for what a list calls it; "" for what says nothing (0, #N/A)."""
    return _NAMED.get(name.strip().lower().replace("_", " "), "")


def is_function_word(token: str) -> bool:
    """Whether an English token (lower case) belongs to the closed classes of words."""
    return token in _FUNCTION_WORDS
