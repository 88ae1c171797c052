"""The frames that fit a word best, wherever they were seen and whatever was said."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.access.session import pictures_opened
from dashboard.components.problems import show_problem
from dashboard.components.sentence_search import seen_with
from dashboard.components.view import View
from dashboard.navigation import open_moment
from dashboard.plain import escaped
from dashboard.queries import words
from dashboard.queries.search import SeenFrame, best_frames
from pipeline.errors import ModelError
from pipeline.media.shown_thumbnails import shown_thumbnails

N_FRAMES = 8
_PER_ROW = 4


def word_frames(view: View, lemma: str) -> None:
    """Pictures of the frames nearest to the word, once asked for: that starts the encoder."""
    st.markdown("**Frames nearest to the word**")
    is_asked = st.toggle(
        "Look for them",
        key="word_frames",
        help="Embeds the word by the model and compares it with every frame of the chosen "
        "children and ages. The first search starts the text encoder, which takes some seconds.",
    )
    if not is_asked:
        return
    try:
        seen = seen_with(view, lemma)
    except ModelError as problem:
        show_problem(problem)
        return
    showable = data.load(view.store, words.showable_recordings, view.filters)
    frames = [f for f in best_frames(seen, showable, N_FRAMES) if f.utterance_number >= 0]
    if not frames:
        st.caption("No frame of the chosen children may be shown.")
        return
    keys = data.load(view.store, words.keys_of, tuple(frame.utterance_number for frame in frames))
    for start in range(0, len(frames), _PER_ROW):
        columns = st.columns(_PER_ROW, gap="small")
        for column, frame, key in zip(
            columns, frames[start : start + _PER_ROW], keys[start : start + _PER_ROW], strict=False
        ):
            with column:
                _picture(view, frame, key)
    st.caption(
        "By the cosine of the word with the frame, at least 10 s apart, whatever was said. "
        "Only recordings whose pictures may be shown. Each opens the utterance nearest in time."
    )


def _picture(view: View, frame: SeenFrame, key: tuple[str, str, str]) -> None:
    recording_id, utterance_id, text = key
    time = labels.clock(frame.time_ms)
    role = view.store.viewer.role.value
    pictures = shown_thumbnails(view.store.study_root, frame.recording_id, [frame.time_ms], role)
    if frame.time_ms in pictures:
        pictures_opened(recording_id, utterance_id)
        st.image(pictures[frame.time_ms])
    st.caption(escaped(f"{frame.cosine:.3f} · {recording_id} {time} · “{text}”"))
    if st.button("Open", key=f"frame_{frame.recording_id}_{frame.time_ms}"):
        open_moment(recording_id, utterance_id)
