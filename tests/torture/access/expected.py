"""What a server of the dashboard hands to whom: the one table that `who_may_what` compares with.

`python -m tests.torture.access.expected` writes it into docs/access.md; a test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

DOC = Path(__file__).parents[3] / "docs" / "access.md"
BEGIN, END = "<!-- answers: begin -->", "<!-- answers: end -->"


class Who(Enum):
    """Who asks. A limited person has a list of children, another one sees all."""

    NOBODY = "not signed in"
    STRANGER = "not in the file"
    BLIND = "viewer-without-media"
    VIEWER = "viewer"
    RATER = "rater"
    ADMIN = "admin"


class May(Enum):
    """What an answer is."""

    YES = "yes"
    NO = "no"
    FRAME = "with OIDC"
    THEIRS = "their children"
    ALL_CHILDREN = "if all children"
    OWN = "own"
    CONFIRMED = "after confirming"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of thing that is asked for. `example` is an address of it, with * for what differs;
    empty for what a page holds."""

    what: str
    example: str
    answers: tuple[May, May, May, May, May, May]

    def may(self, who: Who) -> May:
        return self.answers[list(Who).index(who)]


_YES, _NO, _FRAME, _THEIRS = May.YES, May.NO, May.FRAME, May.THEIRS
_ALL, _OWN, _CONFIRMED = May.ALL_CHILDREN, May.OWN, May.CONFIRMED

FRAME = Row("Empty frame of a page", "/moments", (_FRAME, _FRAME, _YES, _YES, _YES, _YES))
STATIC = Row("Scripts of every page", "/static/*", (_FRAME, _FRAME, _YES, _YES, _YES, _YES))
CONTENT = Row("What a page shows", "", (_NO, _NO, _THEIRS, _THEIRS, _NO, _YES))
WHOLE = Row("Pages about all children together", "", (_NO, _NO, _ALL, _ALL, _NO, _YES))
MANAGED = Row("Rate, Who opened what", "", (_NO, _NO, _NO, _NO, _NO, _YES))
STREAM = Row("Connection of a page", "/_stcore/stream", (_FRAME, _FRAME, _YES, _YES, _YES, _YES))
CLIP = Row("Clip", "/clips/*.mp4", (_NO, _NO, _NO, _THEIRS, _NO, _YES))
TALK = Row("Clip in present mode, `excerpts`", "/clips/*.mp4", (_NO, _NO, _NO, _THEIRS, _NO, _YES))
LAB = Row("Clip in present mode, `media`", "/clips/*.mp4", (_NO, _NO, _NO, _NO, _NO, _CONFIRMED))
TABLE = Row("Exported tables", "/exports/*", (_NO, _NO, _OWN, _OWN, _NO, _OWN))
CLIPS = Row("Exported clips, `excerpts`", "/exports/*", (_NO, _NO, _NO, _OWN, _NO, _OWN))
LAB_CLIPS = Row("Exported clips, `media`", "/exports/*", (_NO, _NO, _NO, _NO, _NO, _OWN))
FILE = Row("Files that a page shows", "/media/*", (_NO, _NO, _OWN, _OWN, _NO, _OWN))
UPLOAD = Row("Files sent to a page", "/_stcore/upload_file/*", (_NO, _NO, _OWN, _OWN, _NO, _OWN))
RATING = Row("Rating screen", "/rate/", (_NO, _NO, _NO, _NO, _YES, _YES))
PICTURE = Row("Picture that a rater is asked about", "/rate/picture/*", (_NO,) * 4 + (_OWN, _OWN))
HEALTH = Row("Whether the server runs", "/_stcore/health", (_YES,) * 6)
SETTINGS = Row("Settings of a page", "/_stcore/host-config", (_FRAME, _FRAME) + (_YES,) * 4)
NUMBERS = Row("The server's own numbers", "/_stcore/metrics", (_NO,) * 6)
AGENTS = Row("Anything else of Streamlit's own", "/_stcore/agent/*", (_NO,) * 6)

ROWS = (
    *(FRAME, STATIC, STREAM, CONTENT, WHOLE, MANAGED, CLIP, TALK, LAB, TABLE, CLIPS, LAB_CLIPS),
    *(FILE, UPLOAD, RATING, PICTURE, HEALTH, SETTINGS, NUMBERS, AGENTS),
)


class Link(Enum):
    """What has become of a link to a clip or an export, or of who uses it."""

    OWN = "made for this person, within its time"
    OTHERS = "made for another person"
    OLD = "too old (clips 15 minutes, exports an hour)"
    ALTERED = "altered, or made up"
    SIGNED_OUT = "used with the cookie of a sign-in that ended (OIDC)"
    AWAY = "used after a long absence"
    REMOVED = "of somebody who was taken out of the file"
    LESS = "of somebody who may see other children or has another role since then"
    WITHDRAWN = "to a child that was withdrawn"
    STRICTER = "to a recording that is `scores_only` since then"


LINKS = {link: May.YES if link is Link.OWN else May.NO for link in Link}


def markdown() -> str:
    """Both tables as the docs have them."""
    heads = [who.value for who in Who]
    lines = ["| asked for | address | " + " | ".join(heads) + " |"]
    lines.append("| :-- | :-- |" + " :--: |" * len(heads))
    for row in ROWS:
        address = f"`{row.example}`" if row.example else "over the page's connection"
        cells = [row.may(who).value for who in Who]
        lines.append(f"| {row.what} | {address} | " + " | ".join(cells) + " |")
    lines += ["", "| a link that is | answered |", "| :-- | :--: |"]
    lines += [f"| {link.value} | {may.value} |" for link, may in LINKS.items()]
    return "\n".join(lines)


def written(text: str) -> str:
    """The text of the docs with the tables in their place."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOC.name} has no place for the tables")
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    DOC.write_text(written(DOC.read_text(encoding="utf-8")), encoding="utf-8")
