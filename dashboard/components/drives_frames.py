"""The frame that fits a moment best, and some of the chance frames it is compared with."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.data import StoreHandle
from dashboard.queries.probe_moment import MomentFrame, MomentMaterial, showable
from pipeline.store.thumbnails import read_thumbnails

_CHANCE_SHOWN = 6
_PER_ROW = 3


def moment_frames(store: StoreHandle, found: MomentMaterial) -> None:
    """Draw the pictures that may be shown."""
    frames = (found.best, *found.chance)
    recordings = tuple(sorted({frame.recording_id for frame in frames}))
    allowed = data.load(store, showable, recordings)
    own = _picture(store, found.best) if found.best.recording_id in allowed else None
    st.markdown("**Its own best frame**")
    if own is None:
        st.caption("The picture may not be shown, or this study keeps none.")
    else:
        st.image(own, width="stretch")
    shown = [frame for frame in found.chance if frame.recording_id in allowed]
    pictures = [_picture(store, frame) for frame in shown[:_CHANCE_SHOWN]]
    there = [picture for picture in pictures if picture is not None]
    if not there:
        return
    st.markdown("**Chance frames**")
    for start in range(0, len(there), _PER_ROW):
        columns = st.columns(_PER_ROW, gap="small")
        for column, picture in zip(columns, there[start : start + _PER_ROW], strict=False):
            column.image(picture, width="stretch")
    st.caption(
        f"{len(there)} of the {labels.plural(len(found.chance), 'chance window')}: of each the "
        "frame that fits the words best. They come from other recordings of the child, or from "
        "over a minute away."
    )


def _picture(store: StoreHandle, frame: MomentFrame) -> bytes | None:
    found = read_thumbnails(store.study_root, frame.recording_id, [frame.time_ms])
    return found.get(frame.time_ms)
