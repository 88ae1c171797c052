"""The numbers of a moment, and where its words and scores come from."""

from __future__ import annotations

import streamlit as st

from dashboard import labels
from dashboard.components.captions import threshold_text
from dashboard.plain import escaped
from dashboard.queries.moment import Moment, Place
from dashboard.queries.selection import Measure, is_high
from pipeline.records import ModelRef

_METRIC_PX = 113


def moment_title(moment: Moment) -> None:
    """The words, who said them, to which child, when."""
    words = f"“{escaped(moment.text)}”" if moment.text else labels.NO_WORDS
    if moment.is_wordless:
        words = f"{labels.plural(moment.n_words, 'word')}, not shown"
    st.subheader(words, anchor=False)
    parts = [
        labels.SPEAKERS.get(moment.speaker, moment.speaker),
        f"child {moment.child_id}",
        *([f"{labels.months(moment.age_days)} months"] if moment.age_days is not None else []),
        *(part for part in (moment.activity, moment.location) if part),
        f"recording {moment.recording_id} at {labels.clock(moment.onset_ms)}",
        f"{moment.span.duration_ms / 1000:.1f} s",
    ]
    st.caption(escaped(" · ".join(parts)))


def moment_scores(moment: Moment, measure: Measure, place: Place) -> None:
    """Score, chance, surplus and rank; or why there is no score."""
    if moment.score is None:
        st.info(missing_note(moment), icon=":material/info:")
        return
    is_max = measure.statistic == "max"
    cosine = moment.max_cosine if is_max else moment.mean_cosine
    z = moment.z if is_max else moment.mean_z
    # A row that breaks: four columns would cut the numbers off in a small window.
    row = st.container(horizontal=True, gap="small")
    side = "at or above" if is_high(moment.score, measure) else "below"
    verdict = f"{side} {threshold_text(measure)}"
    n_frames = f"over {labels.plural(moment.n_frames or 0, 'frame')}"
    _metric(
        row,
        f"{labels.STATISTICS[measure.statistic]} cosine",
        _number(cosine, "{:.3f}"),
        verdict if measure.scale == "raw" else n_frames,
    )
    has_null = moment.null_mean is not None and moment.null_sd is not None
    chance = f"{moment.null_mean:.3f}" if is_max and has_null else labels.NO_VALUE
    spread = f"SD {moment.null_sd:.3f}" if is_max and has_null else "not kept for the mean"
    if not has_null:
        spread = "no matched null"
    _metric(row, "Expected by chance", chance, spread)
    p = f"p = {moment.p:.3f}" if is_max and moment.p is not None else "SD above chance"
    surplus = p if measure.scale == "raw" else verdict
    _metric(row, "z", _number(z, "{:+.2f}"), "no matched null" if z is None else surplus)
    if place.n > 1:
        share = f"{100 * place.n_below / (place.n - 1):.0f} %"
        _metric(row, "Higher than", share, f"of {moment.child_id}’s scores")
    else:
        _metric(row, "Frames", str(moment.n_frames or 0), "that count")


def missing_note(moment: Moment) -> str:
    """Why this moment has no score, in words."""
    reason = labels.MISSING.get(moment.missing_reason or "not_scored", "No score")
    note = f"No score. {reason}."
    if moment.missing_reason == "no_frame_in_window":
        note += (
            f" It lasts {moment.span.duration_ms / 1000:.2f} s. A wider window, in the sidebar, "
            "takes in the frames beside it."
        )
    return note


def provenance(moment: Moment, model: ModelRef) -> None:
    """Speech confidence, source and model, as two short tables."""
    heard, scored = st.columns(2, gap="large")
    heard.markdown("**How the words were obtained**")
    heard.table(
        _filled(
            {
                "Source": moment.source,
                "Language": moment.language,
                "Mean log-probability": _number(moment.mean_logprob, "{:.2f}"),
                "No-speech probability": _number(moment.no_speech_prob, "{:.2f}"),
                "Compression ratio": _number(moment.compression_ratio, "{:.2f}"),
                "Speaker label covers": _share(moment.speaker_overlap),
                "Marks": ", ".join(labels.FLAGS.get(flag, flag) for flag in moment.flags),
                "Utterance": moment.utterance_id,
            }
        ),
        border="horizontal",
    )
    scored.markdown("**How the score was made**")
    scored.table(
        _filled(
            {
                "Scorer": model.label,
                "Model": f"{model.name} {model.weights}".strip(),
                "Revision of the weights": model.revision[:16],
                "Preprocessing": model.preprocess,
                "Precision": model.precision,
                "Threshold from": model.threshold_source or "not known for this model",
                "Chance level": labels.MISSING["no_null"] if moment.null_mean is None else "",
                "Permission": moment.permission,
            }
        ),
        border="horizontal",
    )


def _filled(facts: dict[str, str | None]) -> dict[str, str]:
    return {
        f"{name}": escaped(value)
        for name, value in facts.items()
        if value and value != labels.NO_VALUE
    }


def _metric(row: st.delta_generator.DeltaGenerator, label: str, value: str, note: str) -> None:
    row.metric(label, value, delta=note, delta_color="off", delta_arrow="off", width=_METRIC_PX)


def _number(value: float | None, pattern: str) -> str:
    return labels.NO_VALUE if value is None else pattern.format(value)


def _share(value: float | None) -> str:
    return labels.NO_VALUE if value is None else labels.percent(value, 0)
