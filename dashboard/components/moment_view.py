"""The right half of the Moments page: one moment with everything known about it."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.access.session import pictures_opened
from dashboard.charts.moment import ChanceBand, lag_curve, place_among, place_width
from dashboard.components.captions import threshold_text
from dashboard.components.drives_link import drives_link
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.moment_compared import compared_note
from dashboard.components.moment_facts import moment_scores, moment_title, provenance
from dashboard.components.moment_frames import (
    STRIP_LAG_MS,
    MomentFrames,
    frame_strip,
    model_views,
)
from dashboard.components.moment_marks import marks_row
from dashboard.components.moment_player import (
    NO_SEEK,
    Margins,
    Seek,
    margin_choice,
    player,
    why_no_clip,
)
from dashboard.components.moment_transcript import transcript
from dashboard.components.sound_facts import moment_sounds
from dashboard.components.view import View
from dashboard.navigation import MomentKey
from dashboard.plain import escaped
from dashboard.queries import moment as queries
from dashboard.queries.moment import Moment, Place
from pipeline.media.shown_thumbnails import shown_thumbnails
from pipeline.records import TimeSpan
from pipeline.schema import CROPS
from pipeline.score_columns import window_seconds

_SEEK_STATE = "moment_seek"


@st.fragment
def moment_view(view: View, key: MomentKey, following: MomentKey | None) -> None:
    """Draw a moment. It runs by itself: choosing a lead-in does not ask for the list again."""
    moment = data.load(view.store, queries.moment, key.recording_id, key.utterance_id, view.measure)
    if moment is None:
        st.warning(
            "The open store has no such moment. It may come from another build of the store.",
            icon=":material/search_off:",
        )
        return
    moment_title(moment)
    marks_row(view.store, moment)
    place = data.load(
        view.store, queries.place_in_child, moment.child_id, view.measure, moment.score
    )
    moment_scores(moment, view.measure, place)
    compared_note(view, moment)
    drives_link(view, moment)
    _clip_and_words(view, moment, key, following)
    frames = _frames(view, moment)
    crop = _frames_section(view, frames)
    moment_sounds(view, moment.recording_id, moment.utterance_id)
    _charts(view, frames, crop, place)
    with st.expander("Provenance and confidence", icon=":material/fact_check:"):
        model = next(m for m in view.store.options.models if m.scorer == view.measure.scorer)
        provenance(moment, model)


def _clip_and_words(
    view: View, moment: Moment, key: MomentKey, following: MomentKey | None
) -> None:
    is_tall = (moment.width_px or 16) < (moment.height_px or 9)
    screen, words = st.columns([2, 3] if is_tall else [3, 2], gap="medium")
    reason = why_no_clip(moment)
    with words:
        lines = data.load(
            view.store, queries.transcript_around, moment.recording_id, moment.onset_ms
        )
        transcript(lines, key)
        margins = Margins(0, 0) if reason else margin_choice()
    with screen:
        if reason:
            st.info(reason, icon=":material/videocam_off:")
        else:
            player(moment, margins, following, st.session_state.get(_SEEK_STATE, NO_SEEK))


def _frames(view: View, moment: Moment) -> MomentFrames:
    scorer = view.measure.scorer
    ids = (moment.recording_id, moment.utterance_id)
    rows = data.load(view.store, queries.frame_cosines, *ids, scorer)
    span = TimeSpan(max(0, moment.onset_ms - STRIP_LAG_MS), moment.offset_ms + STRIP_LAG_MS)
    squares = data.load(view.store, queries.best_sub_crops, *ids, scorer, span)
    rows = rows.merge(squares.rename(columns={"crop_index": "sub_crop"}), on="time_ms", how="left")
    pictures: dict[int, bytes] = {}
    if moment.may_be_shown:
        near = rows.loc[rows["lag_ms"].abs() <= STRIP_LAG_MS, "time_ms"]
        pictures = shown_thumbnails(
            view.store.study_root,
            moment.recording_id,
            [int(time) for time in near],
            view.store.viewer.role.value,
        )
        if pictures:
            pictures_opened(moment.recording_id, moment.utterance_id)
    return MomentFrames(moment, view.measure.window, rows, pictures)


def _frames_section(view: View, frames: MomentFrames) -> str:
    """The strip and the model's views; returns the crop that the person looks at."""
    made = [crop for crop in CROPS if crop in view.store.options.crops]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.subheader("What was in view", anchor=False, width="stretch")
        crop = st.segmented_control(
            "Crop",
            made,
            default=view.measure.crop,
            key=f"moment_crop_{view.measure.crop}",
            format_func=lambda name: labels.CROPS[name],
            required=True,
            label_visibility="collapsed",
        )
    crop = crop or view.measure.crop
    if frames.near().empty:
        st.caption("No frame was sampled around this moment.")
        return crop
    frame_strip(frames, crop)
    window = labels.window_frames(frames.window)
    note = f"Cosine under each frame; pale: not among the {window}. A click plays from there."
    if not frames.pictures:
        note += (
            " Pictures may not be shown."
            if not frames.moment.may_be_shown
            else " This study keeps no small pictures of its frames."
        )
    st.caption(escaped(note))
    best_ms = frames.best_time_ms(crop)
    if best_ms is not None and frames.pictures.get(best_ms):
        st.markdown("**The best frame as the model saw it**")
        model_views(frames, best_ms, crop)
    return crop


def _charts(view: View, frames: MomentFrames, crop: str, place: Place) -> None:
    moment, measure, look = frames.moment, view.measure, current_look()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("Before, during and after", anchor=False)
        rows = frames.rows.assign(seconds=(frames.rows["time_ms"] - moment.onset_ms) / 1000)
        clicked = clicked_point(
            lag_curve(
                rows,
                crop,
                duration_ms=moment.span.duration_ms,
                window_s=window_seconds(measure.window),
                best_time_ms=frames.best_time_ms(crop),
                chance=_chance(moment, view, crop),
                look=look,
            ),
            key=f"lag_curve_{moment.recording_id}_{moment.utterance_id}",
            title=f"Cosine before, during and after “{moment.text}”",
            hint="A click on a frame plays from there.",
            caption=f"{_where(moment)} Shaded: the utterance. {labels.CROPS[crop]} crop.",
        )
        _seek(moment.recording_id, clicked)
    with right:
        st.subheader(f"Among {escaped(moment.child_id)}’s utterances", anchor=False)
        width = place_width(place.n, place.low, place.high)
        bins = data.load(view.store, queries.child_bins, moment.child_id, measure, width)
        here = "" if moment.score is None else "Blue line: this moment. "
        show_figure(
            place_among(
                bins,
                width=width,
                score=moment.score,
                threshold=measure.threshold,
                axis_title="Cosine" if measure.scale == "raw" else "z",
                look=look,
            ),
            key="place_among",
            title=f"“{moment.text}” among {moment.child_id}’s utterances",
            caption=f"n = {labels.count(place.n)} scored utterances of this child. {here}"
            f"Dotted: highly aligned from {threshold_text(measure)}.",
        )


def _where(moment: Moment) -> str:
    onset = labels.clock(moment.onset_ms)
    return f"Child {moment.child_id}, recording {moment.recording_id} at {onset}."


def _chance(moment: Moment, view: View, crop: str) -> ChanceBand | None:
    """The stored null belongs to the maximum under the measure's own crop."""
    if crop != view.measure.crop or moment.null_mean is None or moment.null_sd is None:
        return None
    return ChanceBand(moment.null_mean, moment.null_sd)


def _seek(recording_id: str, clicked: list[str] | None) -> None:
    """Send the player to a clicked frame, once for each click."""
    before: Seek = st.session_state.get(_SEEK_STATE, NO_SEEK)
    if clicked is None or (recording_id, int(clicked[0])) == (before.recording_id, before.time_ms):
        return
    st.session_state[_SEEK_STATE] = Seek(recording_id, int(clicked[0]), before.number + 1)
    st.rerun(scope="fragment")
