"""The charts of a probe: changed words, sentence forms, added words, chance, settings, children."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.charts.look import Chart
from dashboard.charts.probe_corpus import added_words, carriers_by_frames, true_and_chance
from dashboard.charts.probe_effects import effect_dots
from dashboard.components.drives_choice import sample_note, unit_note
from dashboard.components.drives_words import INDEX_WORDS
from dashboard.components.figure import current_look, show_figure
from dashboard.components.url_choice import url_choice
from dashboard.data import StoreHandle
from dashboard.plain import escaped
from dashboard.queries import probe_corpus as queries
from dashboard.queries.probes import ScorerProbe
from pipeline.probe_tables import CORPUS
from pipeline.probes.measured import Measured
from pipeline.probes.settings import ProbeSettings

_PARTS = {
    "changes": "Changed words",
    "forms": "Sentence forms",
    "added": "Added words",
    "chance": "True against chance",
    "settings": "Other texts, hubs",
    "children": "By child",
}
_MOST_CHILDREN = 11


def corpus_parts(store: StoreHandle, shown: Sequence[ScorerProbe]) -> None:
    """Draw the chosen part, for each scorer in a column of its own."""
    st.subheader("What lies behind the answers", anchor=False)
    part = url_choice(
        "Show", tuple(_PARTS), param="part", default="changes", words=_PARTS.__getitem__
    )
    st.markdown(_INTRO[part])
    index = _index_choice() if part == "children" else ""
    columns = st.columns(len(shown), gap="large") if len(shown) > 1 else [st.container()]
    for column, one in zip(columns, shown, strict=True):
        with column:
            if len(shown) > 1:
                st.markdown(f"**{escaped(one.scorer)}**")
            if part == "children":
                _children(one, index)
            else:
                _DRAW[part](store, one)


def measured_of(store: StoreHandle, one: ScorerProbe) -> Measured:
    """All that a probe measured, read once."""
    assert one.probe is not None
    return data.kept_large(store, f"measured {one.key}", one.probe.measured)


def draw_probe_chart(
    one: ScorerProbe, chart: Chart, name: str, title: str, caption: str, table: pd.DataFrame
) -> None:
    """A chart of a probe: its saved picture says which sample it is of, not which filters."""
    show_figure(
        chart,
        key=f"drives_{name}_{one.scorer}",
        title=f"{title} ({one.scorer})",
        caption=caption,
        setting=sample_note(one),
        subject="",
        table=table,
    )


def _changes(store: StoreHandle, one: ScorerProbe) -> None:
    rows = data.kept(
        store,
        f"effects {one.key}",
        lambda: queries.effects(measured_of(store, one), _settings(one)),
    )
    draw_probe_chart(
        one,
        effect_dots(rows, x_title="Change of the match (SD)", look=current_look()),
        "changes",
        "What changing the words does",
        f"Bars: 95 %, recordings drawn within children. {_ns(rows)} Chance: 0. {unit_note(one)}",
        queries.readable_effects(rows),
    )
    st.caption(queries.impossible_words(measured_of(store, one)))


def _forms(store: StoreHandle, one: ScorerProbe) -> None:
    found = data.kept(
        store,
        f"forms {one.key}",
        lambda: queries.carriers(measured_of(store, one), _settings(one)),
    )
    if not len(found.cosines):
        st.info("No matching utterance of the sample names a visible thing in English.")
        return
    draw_probe_chart(
        one,
        carriers_by_frames(
            found.cosines, found.sentences, found.wins, found.words, look=current_look()
        ),
        "forms",
        "Twelve sentence forms on the frames of matching utterances",
        f"n = {len(found.cosines):,} frames, sorted by their mean. In brackets: for how many "
        f"frames the form is the best of the twelve; by chance {100 / len(found.sentences):.0f} %.",
        queries.readable_carriers(found),
    )


def _added(store: StoreHandle, one: ScorerProbe) -> None:
    points = data.kept(
        store,
        f"added {one.key}",
        lambda: queries.curves(measured_of(store, one), _settings(one), _s0(one)),
    )
    if points.empty:
        st.info("No matching utterance of the sample names a visible thing in English.")
        return
    draw_probe_chart(
        one,
        added_words(points, y_title="Change of the cosine (SD)", look=current_look()),
        "added",
        "What added words do",
        f"Means over matching utterances; {_at_k(points)}. Intervals of the slopes stand in the "
        f"table below (A word … adds). {unit_note(one)}",
        queries.readable_curves(points),
    )


def _chance(store: StoreHandle, one: ScorerProbe) -> None:
    groups = data.kept(
        store,
        f"chance {one.key}",
        lambda: queries.true_and_null(measured_of(store, one), _MOST_CHILDREN),
    )
    n, n_null = len(groups[0][1]), len(groups[0][2])
    draw_probe_chart(
        one,
        true_and_chance(groups, y_title="Cosine with the best frame", look=current_look()),
        "chance",
        "Own frames against chance frames",
        f"n = {n:,} utterances and {n_null:,} chance windows ({n_null // max(1, n)} each, from "
        "other recordings of the child). Thick lines: means. Both sides are maxima over equally "
        "many frames.",
        queries.readable_chance(groups),
    )


def _texts(store: StoreHandle, one: ScorerProbe) -> None:
    probe = one.probe
    assert probe is not None
    rows = data.kept(
        store,
        f"texts {one.key}",
        lambda: queries.settings_rows(measured_of(store, one), probe.scored(), _settings(one)),
    )
    draw_probe_chart(
        one,
        effect_dots(rows, x_title="Mean z (SD of the null above chance)", look=current_look()),
        "settings",
        "How far scores stand above chance under other settings",
        f"Bars: 95 %, recordings drawn within children. {_ns(rows)} Only utterances that have all "
        "three texts. Chance: 0.",
        queries.readable_effects(rows),
    )


def _index_choice() -> str:
    names = tuple(INDEX_WORDS)
    return url_choice(
        "Index",
        tuple(INDEX_WORDS[name].title for name in names),
        param="index",
        default=INDEX_WORDS["ORI"].title,
    )


def _children(one: ScorerProbe, title: str) -> None:
    assert one.probe is not None
    name = next(name for name, words in INDEX_WORDS.items() if words.title == title)
    mine = [index for index in one.probe.indices if index.name == name]
    mine.sort(key=lambda index: (index.scope != CORPUS, index.scope))
    known = [index for index in mine if index.value is not None]
    left_out = len(mine) - len(known)
    words = INDEX_WORDS[name]
    scale = 100 if words.unit in ("percent", "points") else 1
    rows = queries.child_rows(known, scale)
    if rows.empty:
        st.info("No child has enough matching utterances in this sample.")
        return
    unit = {"percent": "%", "points": "percentage points", "r": "r"}.get(words.unit, "SD")
    draw_probe_chart(
        one,
        effect_dots(rows, x_title=f"{words.title} ({unit})", look=current_look()),
        "children",
        words.title,
        f"{words.meaning} n = {known[0].n:,} {words.of} in all; bars: 95 %, none below 20."
        + (f" Not drawn: {left_out} without a value." if left_out else ""),
        queries.readable_effects(rows),
    )


def _settings(one: ScorerProbe) -> ProbeSettings:
    assert one.probe is not None
    return one.probe.identity.settings


def _s0(one: ScorerProbe) -> float:
    assert one.probe is not None
    return one.probe.s0


def _ns(rows: pd.DataFrame) -> str:
    low, high = int(rows["n"].min()), int(rows["n"].max())
    return f"n = {low:,} to {high:,} utterances." if low < high else f"n = {low:,} utterances."


def _at_k(points: pd.DataFrame) -> str:
    low, high = int(points["n"].min()), int(points["n"].max())
    return f"n = {high:,} at none added, {low:,} at the fewest"


_DRAW: dict[str, Callable[[StoreHandle, ScorerProbe], None]] = {
    "changes": _changes,
    "forms": _forms,
    "added": _added,
    "chance": _chance,
    "settings": _texts,
}


_INTRO = {
    "changes": (
        "Left of 0: the change takes something away **that fits this frame**. What the change does "
        "on chance frames (grey) is subtracted from the blue and orange dots."
    ),
    "forms": (
        "Columns that differ: what is in view counts. Rows that differ: the form of the sentence "
        "counts, whatever is in view."
    ),
    "added": (
        "A model that looks rises with words for what is there and falls, or stays, with words for "
        "what is not. A model that counts visible words rises with both."
    ),
    "chance": (
        "How well the words match their own best frame, beside the best frames of chance windows "
        "with equally many frames."
    ),
    "settings": (
        "The same utterances scored by other texts; “hubs taken out” removes what is near to "
        "everything."
    ),
    "children": ("One index for all children and for each child that has enough utterances."),
}
