"""The clip of a moment, or the reason why there is none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from dashboard.access.session import current_viewer
from dashboard.clip_tokens import Purpose, clip_path
from dashboard.components.moment_state import was_opened_by_hand
from dashboard.components.moment_web import Piece
from dashboard.navigation import MomentKey
from dashboard.queries.moment import Moment
from pipeline.media.clips import ClipSettings, clip_span

_KEY = "moment_player"
MARGINS_MS = (0, 500, 1_000, 2_000, 5_000, 10_000)
"""Lead-ins and lead-outs to choose from."""
_DEFAULT_MARGIN_MS = 1_000
_MARGINS_STATE = "moment_margins"

_PLAYER = Piece("moment_player")


@dataclass(frozen=True, slots=True)
class Margins:
    """How much of the recording the clip shows before and after the utterance."""

    lead_ms: int
    lag_ms: int


@dataclass(frozen=True, slots=True)
class Seek:
    """An instant of a recording that a click asked for; each click has another `number`."""

    recording_id: str
    time_ms: int
    number: int


NO_SEEK = Seek("", 0, 0)


def margin_choice() -> Margins:
    """Let the person choose the lead-in and the lead-out."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Clip from", width="content")
        lead_ms = _margin("Lead-in", "lead", "before")
        lag_ms = _margin("Lead-out", "tail", "after")
    st.session_state[_MARGINS_STATE] = margins = Margins(lead_ms, lag_ms)
    return margins


def kept_margins() -> Margins:
    """The lead-in and lead-out chosen last, where they cannot be chosen."""
    margins: Margins = st.session_state.get(
        _MARGINS_STATE, Margins(_DEFAULT_MARGIN_MS, _DEFAULT_MARGIN_MS)
    )
    return margins


def why_no_clip(moment: Moment) -> str:
    """Why this moment has no clip, in words; empty when it has one."""
    if not moment.may_be_shown and not current_viewer().role.sees_media:
        kept = " Its words are shown to nobody: its permission is `scores_only`."
        return f"Your role plays no clips and shows no pictures.{kept * moment.is_wordless}"
    if not moment.may_be_shown:
        return (
            "Neither words, pictures nor sound of this recording may be shown: its permission in "
            "metadata/recordings.csv is `scores_only`. Its scores and counts of words stay."
        )
    if moment.media_path is None:
        return "This recording has frames but no video, so there is no clip."
    return ""


def player(
    moment: Moment,
    margins: Margins,
    following: MomentKey | None = None,
    seek: Seek = NO_SEEK,
    play_key: str = " ",
) -> None:
    """Draw the player. The clip of the `following` moment is cut while this one plays.

    The clip is cut when the browser asks for it, so the page is there before it. Of several
    players on a page each has its own `play_key`; one that starts stops the others.
    """
    settings = ClipSettings(margins.lead_ms, margins.lag_ms)
    shown = clip_span(moment.span, settings)
    key = MomentKey(moment.recording_id, moment.utterance_id)
    identity = f"{key} {shown}"
    silent = "" if moment.audio_codec else "This recording has no sound. "
    _PLAYER.draw(
        key=_KEY if play_key == " " else f"{_KEY}_{play_key}",
        data={
            "play_key": play_key,
            "key": hashlib.sha256(identity.encode()).hexdigest()[:16],
            "source": clip_source(key, margins),
            "next_source": None if following is None else clip_source(following, margins),
            "begins_ms": shown.onset_ms,
            "ends_ms": shown.offset_ms,
            "onset_ms": moment.onset_ms,
            "offset_ms": moment.offset_ms,
            "autoplay": was_opened_by_hand(key),
            "legend": f"{silent}Shaded: the utterance, {_seconds(moment.span.duration_ms)}",
            "seek_ms": seek.time_ms,
            "seek_id": seek.number,
        },
        on_expired=_renew,
    )


def _renew() -> None:
    """Nothing to do: running the page again makes a fresh link."""


def clip_source(key: MomentKey, margins: Margins, purpose: Purpose = Purpose.DESK) -> str:
    """A fresh link to the clip of a moment; it is cut when the browser asks for it."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    path = clip_path(
        key,
        current_viewer().name,
        lead_ms=margins.lead_ms,
        lag_ms=margins.lag_ms,
        purpose=purpose,
    )
    return f"/{base}{path}" if base else path


def _margin(label: str, key: str, where: str) -> int:
    chosen: int = st.selectbox(
        label,
        MARGINS_MS,
        index=MARGINS_MS.index(_DEFAULT_MARGIN_MS),
        key=key,
        format_func=lambda milliseconds: f"{_seconds(milliseconds)} {where}",
        bind="query-params",
        label_visibility="collapsed",
        width=128,
        help=f"{label} of the clip",
    )
    return chosen


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"
