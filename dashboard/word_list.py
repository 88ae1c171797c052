"""Which words the Words page lists and in what order, with a form in the address bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from pipeline.parts_of_speech import PARTS_OF_SPEECH

SORTS = ("n", "word", "mean", "z", "share")
NORM_PREFIX = "norm:"
PAGE_WORDS = 20
DEFAULT_MIN_COUNT = 10
MAX_MIN_COUNT = 100_000
_MAX_PAGE = 1_000_000
_MAX_TEXT = 60

URL_KEYS: dict[str, str] = {
    "sort": "sort",
    "is_ascending": "up",
    "min_count": "min",
    "search": "find",
    "page": "p",
    "is_shrunk": "shrink",
    "part_of_speech": "pos",
}
LEMMA_PARAM = "lemma"


@dataclass(frozen=True, slots=True)
class WordList:
    """`sort` is one of SORTS, or NORM_PREFIX and the name of a norm.

    Words heard in fewer than `min_count` scored utterances are hidden. `search` is part of a
    word or of one of its forms; `page` counts from 0. `is_shrunk`: means are shrunken ones;
    `part_of_speech` is one of PARTS_OF_SPEECH, or "" for all words.
    """

    sort: str = "n"
    is_ascending: bool = False
    min_count: int = DEFAULT_MIN_COUNT
    search: str = ""
    page: int = 0
    is_shrunk: bool = False
    part_of_speech: str = ""

    def __post_init__(self) -> None:
        if self.sort not in SORTS and not self.sort.startswith(NORM_PREFIX):
            raise ValueError(f"sort is {self.sort!r}; allowed: {', '.join(SORTS)}")
        if self.part_of_speech and self.part_of_speech not in PARTS_OF_SPEECH:
            raise ValueError(
                f"part_of_speech is {self.part_of_speech!r}; allowed: {', '.join(PARTS_OF_SPEECH)}"
            )
        if not 1 <= self.min_count <= MAX_MIN_COUNT or not 0 <= self.page <= _MAX_PAGE:
            raise ValueError(f"min_count {self.min_count} or page {self.page} is out of range")

    @property
    def norm(self) -> str:
        """Norm that the list is sorted by, or ""."""
        return self.sort[len(NORM_PREFIX) :] if self.sort.startswith(NORM_PREFIX) else ""


def to_params(listing: WordList) -> dict[str, str]:
    """URL parameters of everything that differs from the default."""
    params = {}
    for field in fields(WordList):
        value = getattr(listing, field.name)
        if value != field.default:
            params[URL_KEYS[field.name]] = "1" if value is True else str(value)
    return params


def from_params(params: Mapping[str, str], norms: tuple[str, ...] = ()) -> WordList:
    """The list that URL parameters ask for; what is unknown or impossible is ignored.

    norms: names of the norms that the open store has.
    """
    listing = WordList()
    if params.get("sort") in (*SORTS, *(NORM_PREFIX + norm for norm in norms)):
        listing = replace(listing, sort=params["sort"])
    if params.get("up") == "1":
        listing = replace(listing, is_ascending=True)
    if params.get("shrink") == "1":
        listing = replace(listing, is_shrunk=True)
    if params.get("pos") in PARTS_OF_SPEECH:
        listing = replace(listing, part_of_speech=params["pos"])
    for name, low, high in (("min_count", 1, MAX_MIN_COUNT), ("page", 0, _MAX_PAGE)):
        text = params.get(URL_KEYS[name], "")
        if text.isascii() and text.isdigit() and low <= int(text[:9]) <= high:
            number = int(text[:9])
            listing = (
                replace(listing, min_count=number)
                if name == "min_count"
                else replace(listing, page=number)
            )
    search = params.get("find", "")
    if search.isprintable():
        listing = replace(listing, search=search[:_MAX_TEXT])
    return listing
