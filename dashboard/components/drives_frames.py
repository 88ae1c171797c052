"""The frame that fits a moment best, and some of the chance frames it is compared with."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import streamlit as st

from dashboard import data, labels
from dashboard.access.session import pictures_opened
from dashboard.data import StoreHandle
from dashboard.queries.probe_moment import MomentFrame, MomentMaterial, showable
from pipeline.media.shown_thumbnails import shown_thumbnails

_CHANCE_SHOWN = 6
_OWN_PX = 340


def own_frame(store: StoreHandle, found: MomentMaterial) -> None:
    """Draw the moment's best frame, if its picture may be shown."""
    pictures = _pictures(store, (found.best,))
    st.markdown("**Its own best frame**")
    if pictures:
        st.html(_image(pictures[0], "The best frame of this moment", f"max-width: {_OWN_PX}px"))
    else:
        st.caption("The picture may not be shown, or this study keeps none.")


def chance_frames(store: StoreHandle, found: MomentMaterial) -> None:
    """Draw some of the chance frames in a row."""
    pictures = _pictures(store, found.chance)[:_CHANCE_SHOWN]
    if not pictures:
        return
    st.markdown("**Chance frames**")
    for column, picture in zip(st.columns(_CHANCE_SHOWN, gap="small"), pictures, strict=False):
        column.html(_image(picture, "A chance frame"))
    st.caption(
        f"{len(pictures)} of the {labels.plural(len(found.chance), 'chance window')}: of each the "
        "frame that fits the words best. They come from other recordings of the child, or from "
        "over a minute away."
    )


def _image(picture: bytes, name: str, style: str = "") -> str:
    """A picture within the page: Streamlit's own would have no name for those who cannot see it,
    and an address that anybody could open."""
    content = base64.b64encode(picture).decode()
    return (
        f'<img src="data:image/jpeg;base64,{content}" alt="{name}" '
        f'style="width: 100%; border-radius: 0.3rem; {style}">'
    )


def _pictures(store: StoreHandle, frames: Sequence[MomentFrame]) -> list[bytes]:
    """Pictures that are there and may be shown."""
    recordings = tuple(sorted({frame.recording_id for frame in frames}))
    allowed = data.load(store, showable, recordings)
    role = store.viewer.role.value
    found = (
        shown_thumbnails(store.study_root, frame.recording_id, [frame.time_ms], role).get(
            frame.time_ms
        )
        for frame in frames
        if frame.recording_id in allowed
    )
    pictures = [picture for picture in found if picture is not None]
    for recording_id in sorted({f.recording_id for f in frames} & set(allowed)) if pictures else ():
        pictures_opened(recording_id)
    return pictures
