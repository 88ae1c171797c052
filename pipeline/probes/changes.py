"""The ways an utterance is changed, each with a name for files and words for people."""

from __future__ import annotations

from enum import Enum


class Change(str, Enum):
    """What was done to an utterance. Values stand in files, so they are never renamed.

    RAW is the transcript as it is; PLAIN its words in lower case without punctuation, which every
    other change starts from: so that only the change itself tells the two apart.
    """

    RAW = "raw"
    PLAIN = "plain"
    WORDS_SHUFFLED = "words_shuffled"
    NOUNS_ADJECTIVES_SHUFFLED = "nouns_adjectives_shuffled"
    OTHERS_SHUFFLED = "others_shuffled"
    WITHIN_TRIGRAMS_SHUFFLED = "within_trigrams_shuffled"
    TRIGRAMS_SHUFFLED = "trigrams_shuffled"
    NO_FUNCTION_WORDS = "no_function_words"
    NOUNS_ONLY = "nouns_only"
    NO_NOUNS = "no_nouns"
    NOUN_SWAPPED = "noun_swapped"
    VERB_SWAPPED = "verb_swapped"
    ADJECTIVE_SWAPPED = "adjective_swapped"
    PHOTO_OF_NOUN = "photo_of_noun"
    WORD_LEFT_OUT = "word_left_out"
    PRESENT_ADDED = "present_added"
    ABSENT_ADDED = "absent_added"
    FUNCTION_ADDED = "function_added"
    CARRIER_PRESENT = "carrier_present"
    CARRIER_ABSENT = "carrier_absent"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    Change.RAW: "as transcribed",
    Change.PLAIN: "without capitals and punctuation",
    Change.WORDS_SHUFFLED: "words shuffled",
    Change.NOUNS_ADJECTIVES_SHUFFLED: "nouns and adjectives shuffled",
    Change.OTHERS_SHUFFLED: "all but nouns and adjectives shuffled",
    Change.WITHIN_TRIGRAMS_SHUFFLED: "shuffled within groups of three words",
    Change.TRIGRAMS_SHUFFLED: "groups of three words shuffled",
    Change.NO_FUNCTION_WORDS: "function words removed",
    Change.NOUNS_ONLY: "nouns only",
    Change.NO_NOUNS: "nouns removed",
    Change.NOUN_SWAPPED: "nouns swapped for others as frequent",
    Change.VERB_SWAPPED: "verbs swapped for others as frequent",
    Change.ADJECTIVE_SWAPPED: "adjectives swapped for others as frequent",
    Change.PHOTO_OF_NOUN: "a photo of a NOUN",
    Change.WORD_LEFT_OUT: "one word left out",
    Change.PRESENT_ADDED: "words for what is there added",
    Change.ABSENT_ADDED: "words for what is not there added",
    Change.FUNCTION_ADDED: "function words added",
    Change.CARRIER_PRESENT: "noun of the moment in a carrier sentence",
    Change.CARRIER_ABSENT: "noun of another moment in a carrier sentence",
}

PERTURBATIONS = (
    Change.WORDS_SHUFFLED,
    Change.NOUNS_ADJECTIVES_SHUFFLED,
    Change.OTHERS_SHUFFLED,
    Change.WITHIN_TRIGRAMS_SHUFFLED,
    Change.TRIGRAMS_SHUFFLED,
    Change.NO_FUNCTION_WORDS,
    Change.NOUNS_ONLY,
    Change.NO_NOUNS,
    Change.NOUN_SWAPPED,
    Change.VERB_SWAPPED,
    Change.ADJECTIVE_SWAPPED,
    Change.PHOTO_OF_NOUN,
)
"""Changes of the whole utterance, compared with PLAIN."""

CURVES = (Change.PRESENT_ADDED, Change.ABSENT_ADDED, Change.FUNCTION_ADDED)
"""k words after a stem; the number of a variant is k, from 0."""

TEMPLATES = (Change.CARRIER_PRESENT, Change.CARRIER_ABSENT)
"""A noun in each carrier; the number of a variant is the carrier's place."""
