"""Cells of a table of text: read as numbers and times."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone

_MISSING = frozenset({"", "na", "nan", "none", "null"})
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})


class CellError(ValueError):
    """A cell that cannot be read as what its column holds; the message says why."""


def is_missing(cell: str) -> bool:
    """Whether a cell of a column that is not text says nothing."""
    return cell.strip().lower() in _MISSING


def whole(cell: str) -> int | None:
    """A whole number, None for an empty cell. Raises CellError."""
    number = real(cell)
    if number is None:
        return None
    if number != int(number):
        raise CellError(f"{cell.strip()!r} is not a whole number")
    return int(number)


def real(cell: str) -> float | None:
    """A number, None for an empty cell. Raises CellError."""
    if is_missing(cell):
        return None
    try:
        number = float(cell)
    except ValueError:
        raise CellError(f"{cell.strip()!r} is not a number") from None
    if not math.isfinite(number):
        raise CellError(f"{cell.strip()!r} is not a number")
    return number


def yes_no(cell: str) -> bool | None:
    """True or False, None for an empty cell. Raises CellError."""
    if is_missing(cell):
        return None
    word = cell.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError(f"{cell.strip()!r} is neither true nor false")


def moment_of(cell: str) -> str:
    """A time of the day as text in UTC, as it stands where it is in UTC; "" for an empty cell.

    Raises CellError for anything that is not a date with a time.
    """
    text = "" if is_missing(cell) else cell.strip()
    if not text:
        return ""
    # Before Python 3.11, Z and fractions of other than 3 or 6 digits are not understood.
    plain = re.sub(r"(\.\d{1,6})\d*", lambda found: found[1].ljust(7, "0"), text)
    plain = re.sub(r"[zZ]$", "+00:00", plain)
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        raise CellError(f"{text!r} is not a date and time") from None
    if found.tzinfo is None or found.utcoffset() == timezone.utc.utcoffset(None):
        return text
    return found.astimezone(timezone.utc).isoformat()


def order_of(cell: str) -> tuple[int, ...] | None:
    """The order of the options, None for an empty cell. Raises CellError."""
    if is_missing(cell):
        return None
    found = tuple(int(digit) for digit in re.findall(r"\d", cell))
    if sorted(found) != [0, 1, 2, 3]:
        raise CellError(f"{cell.strip()!r} is not an order of 0, 1, 2 and 3")
    return found


def written(value: str | float | bool | None) -> str:
    """A value as its cell; text is not yet guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)
