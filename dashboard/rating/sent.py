"""What the page sends, checked: only from our own page, small, JSON, and of the right types."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from pipeline.people.trial_records import N_OPTIONS, MomentLabel

MAX_BODY_BYTES = 4_096
_LONGEST_RT_MS = 24 * 3_600_000.0


class RefusedError(Exception):
    """A request that our page does not send; `status` is the answer's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """An answer as the page sends it; `rt_ms` is None where it cannot be trusted."""

    trial_id: int
    selected_position: int
    rt_ms: float | None


@dataclass(frozen=True, slots=True)
class SentLabel:
    """A label as the page sends it."""

    item_id: str
    label: MomentLabel
    referent: str
    rt_ms: float | None


async def fields_of(request: Request) -> dict[str, object]:
    """The JSON object of a request. Raises RefusedError."""
    _check_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "Only JSON is taken here.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(413, "This is too long.")
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise RefusedError(400, "This is not JSON.") from problem
    if not isinstance(found, dict):
        raise RefusedError(400, "This is not an object.")
    return found


def code_of(fields: dict[str, object]) -> str:
    """The code that was typed."""
    return _text(fields, "code", 100)


def answer_of(fields: dict[str, object]) -> SentAnswer:
    """An answer. Raises RefusedError."""
    position = _whole(fields, "selected_position")
    if not 1 <= position <= N_OPTIONS:
        raise RefusedError(400, f"A position is 1 to {N_OPTIONS}.")
    return SentAnswer(_whole(fields, "trial_id"), position, _rt_ms(fields))


def label_of(fields: dict[str, object]) -> SentLabel:
    """A label. Raises RefusedError."""
    try:
        label = MomentLabel(_text(fields, "label", 20))
    except ValueError as problem:
        raise RefusedError(400, "There is no such label.") from problem
    return SentLabel(
        _text(fields, "item_id", 200), label, _text(fields, "referent", 2_000), _rt_ms(fields)
    )


def _check_origin(request: Request) -> None:
    """Refuse what another site's page makes a browser send.

    Browsers say where a request comes from, in Sec-Fetch-Site where the connection is safe and
    else in Origin. A program that is no browser sends neither and has no cookie to misuse.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
    if not is_ours:
        raise RefusedError(403, "This is taken from the rating screen only.")


def _text(fields: dict[str, object], name: str, longest: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise RefusedError(400, f"{name} is not a text of at most {longest} characters.")
    return value


def _whole(fields: dict[str, object], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise RefusedError(400, f"{name} is not a whole number.")
    return value


def _rt_ms(fields: dict[str, object]) -> float | None:
    value = fields.get("rt_ms")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(400, "rt_ms is not a number.")
    is_time = math.isfinite(value) and 0 <= value <= _LONGEST_RT_MS
    return float(value) if is_time else None
