"""From a word as it was said to the form a dictionary lists: went -> go, doggie's -> doggy.

One lemma per token, without looking at the sentence: "left" is left whether it means the side or
leaving. Lists of forms come from simplemma, which carries them for about fifty languages and
works offline. English contractions are taken apart first, because a word and its clitic are two
words: "it's" counts as it and "don't" as do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

_THREE_LETTERS = MappingProxyType(
    {
        "ces": "cs",
        "cym": "cy",
        "dan": "da",
        "deu": "de",
        "ell": "el",
        "eng": "en",
        "fas": "fa",
        "fin": "fi",
        "fra": "fr",
        "fre": "fr",
        "ger": "de",
        "gle": "ga",
        "hin": "hi",
        "hun": "hu",
        "ind": "id",
        "isl": "is",
        "ita": "it",
        "kat": "ka",
        "lit": "lt",
        "nld": "nl",
        "dut": "nl",
        "nob": "nb",
        "nor": "nb",
        "pol": "pl",
        "por": "pt",
        "ron": "ro",
        "rus": "ru",
        "spa": "es",
        "swe": "sv",
        "tur": "tr",
        "ukr": "uk",
    }
)
"""ISO 639-3 (and older 639-2) codes, as ChildProject and CHAT write them."""

_NAMED_LANGUAGES = MappingProxyType(
    {
        "catalan": "ca",
        "croatian": "hr",
        "czech": "cs",
        "danish": "da",
        "dutch": "nl",
        "english": "en",
        "estonian": "et",
        "finnish": "fi",
        "french": "fr",
        "german": "de",
        "greek": "el",
        "hebrew": "he",
        "hungarian": "hu",
        "irish": "ga",
        "italian": "it",
        "japanese": "ja",
        "korean": "ko",
        "latvian": "lv",
        "mandarin": "zh",
        "norwegian": "nb",
        "persian": "fa",
        "polish": "pl",
        "portuguese": "pt",
        "russian": "ru",
        "slovak": "sk",
        "spanish": "es",
        "swedish": "sv",
        "turkish": "tr",
    }
)
"""First word of a language's name, as Wordbank writes it: "English (American)"."""

_ENGLISH = MappingProxyType(
    {
        "ain't": "be",
        "can't": "can",
        "cannot": "can",
        "shan't": "shall",
        "won't": "will",
        "y'all": "you",
        "dunno": "know",
        "gimme": "give",
        "gonna": "go",
        "gotta": "get",
        "lemme": "let",
        "wanna": "want",
        "gone": "go",
        "loaves": "loaf",
        "stocking": "stocking",
        "stockings": "stocking",
    }
)
"""English forms that the rules below or the lists get wrong in speech to children."""

_CLITICS = ("n't", "'s", "'ll", "'ve", "'re", "'d", "'m")


def lemma_of(token: str, language: str) -> str:
    """Lemma of a token (as `tokens.tokenize` spells it), in lower case.

    `language` is a code such as "en", "eng" or "en-US". With "" or a language without a list of
    forms the token is its own lemma.
    """
    code = language_code(language)
    if not code or not token or not any(character.isalpha() for character in token):
        return token
    return _lemma(token, code)


def language_code(language: str) -> str:
    """The two-letter code of a language whose forms are known, else ""."""
    code = language.strip().lower().replace("_", "-").split("-")[0]
    code = _THREE_LETTERS.get(code, code)
    return code if code in _languages() else ""


def named_language(name: str) -> str:
    """Code of a language from its name or code: "English (American)", "eng" and "en-US" are en;
    an unknown name stays as it is, in lower case."""
    text = name.strip().lower()
    first = re.split(r"[\s(_-]", text, maxsplit=1)[0]
    return _NAMED_LANGUAGES.get(first) or language_code(text) or first


@lru_cache(maxsize=500_000)
def _lemma(token: str, code: str) -> str:
    from simplemma import lemmatize

    if code == "en":
        if token in _ENGLISH:
            return _ENGLISH[token]
        token = _without_clitics(token)
        if token in _ENGLISH:
            return _ENGLISH[token]
    lemma = lemmatize(token, lang=code).lower() or token
    if code == "en" and lemma.endswith("ie"):
        # doggies -> doggie, but doggie -> doggy: one step more makes them one word.
        lemma = lemmatize(lemma, lang=code).lower()
    return lemma


def _without_clitics(token: str) -> str:
    """she'd've -> she; a token that is nothing but a clitic stays."""
    for clitic in _CLITICS:
        if token.endswith(clitic) and len(token) > len(clitic):
            return _without_clitics(token[: -len(clitic)])
    return token


@lru_cache(maxsize=1)
def _languages() -> frozenset[str]:
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return frozenset(SUPPORTED_LANGUAGES)
