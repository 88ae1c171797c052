"""Further parts of the page Sound: distributions, moments, what there was to hear, no sound yet."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.charts.sound import level_around, speech_around, z_distribution
from dashboard.components.figure import current_look, show_figure
from dashboard.components.moments_table import moments_table
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.queries import sound
from dashboard.queries.sound import SURE_Z, Z_WIDTH
from pipeline.sound_tables import NULLS

_BESIDE = {"same": "", "others": "others_"}
_BESIDE_NAMES = {"same": "Same recording", "others": "Other recordings of the child"}
_SIDES = {
    "see_say": "words and picture",
    "hear_say": "words and sound",
    "see_hear": "picture and sound",
}
_LISTED = ("seen_and_heard", "heard_only", "seen_only")
_BEST_BY = {
    "seen_and_heard": "the lower of see–say and hear–say",
    "heard_only": "hear–say",
    "seen_only": "see–say",
}


def distribution_section(view: View) -> None:
    """The three scores beside what chance would give."""
    st.subheader("Three scores beside chance", anchor=False)
    beside = url_choice(
        "Beside other moments of the",
        tuple(_BESIDE),
        param="beside",
        default="same",
        words=_BESIDE_NAMES.__getitem__,
    )
    null = _BESIDE[beside]
    bins = data.count(view.store, sound.z_bins, view.filters, view.measure.scorer, null)
    for column, pair in zip(st.columns(3, gap="medium"), _SIDES, strict=True):
        name, rows = labels.SOUND_PAIRS[pair], bins[bins["pair"] == pair]
        n = int(rows["n"].sum())
        with column:
            st.markdown(f"**{name}**: {_SIDES[pair]}")
            if not n:
                st.caption(f"No utterance has this score beside {NULLS[null]}.")
                continue
            is_sure = rows["bin_start"] > SURE_Z - Z_WIDTH / 1000
            share, expected = (rows.loc[is_sure, c].sum() for c in ("share", "expected"))
            show_figure(
                z_distribution(
                    rows, width=Z_WIDTH, threshold=SURE_Z, name=name, look=current_look()
                ),
                key=f"sound_{pair}",
                title=f"{name} z beside {NULLS[null]}",
                caption=f"n = {labels.plural(n, 'utterance')}; "
                f"{labels.percent(float(share))} reach {SURE_Z:g}, against "
                f"{labels.percent(float(expected))} by chance.",
                setting="",
                table=rows[["bin_start", "n", "share", "expected"]].rename(
                    columns={
                        "bin_start": "z from",
                        "n": "Utterances",
                        "share": "Share",
                        "expected": "By chance",
                    }
                ),
            )
    if null:
        st.caption(
            "Moments of other recordings are in other rooms, on other days: what fits the room "
            "alone stands out here. Seen and heard are told by the same recording."
        )


def moment_section(view: View) -> None:
    """The best moments of a quadrant; a chosen row opens and plays its moment."""
    st.subheader("The moments themselves", anchor=False)
    quadrant = url_choice(
        "Moments that are",
        _LISTED,
        param="best",
        default="heard_only",
        words=labels.QUADRANTS.__getitem__,
    )
    rows = data.load_given(
        view.store,
        view.store.arrays,
        sound.best_moments,
        view.filters,
        view.measure.scorer,
        quadrant,
    )
    z = st.column_config.NumberColumn(format="%+.2f", width="small")
    moments_table(
        rows.assign(speech_percent=100 * rows["speech_share"]),
        {
            "Hear–say": "hear_say_z",
            "See–say": "see_say_z",
            "See–hear": "see_hear_z",
            "Level (dBFS)": "level_db",
            "Speech (%)": "speech_percent",
        },
        title=f"Highest by {_BEST_BY[quadrant]}",
        key=f"sound_best_{quadrant}",
        columns={
            **dict.fromkeys(("Hear–say", "See–say", "See–hear"), z),
            "Level (dBFS)": st.column_config.NumberColumn(format="%.0f", width="small"),
            "Speech (%)": st.column_config.NumberColumn(format="%.0f", width="small"),
        },
    )
    st.caption("z beside other moments of the recording. Choose a row to see and hear the moment.")


def surroundings_section(view: View) -> None:
    """Speech and level around the utterances, and why some have no scores."""
    st.subheader("What there was to hear", anchor=False)
    filters, scorer = view.filters, view.measure.scorer
    found = data.count(view.store, sound.surroundings, filters, scorer)
    n_looked_at = int(found.speech[["n_scored", "n_missing"]].to_numpy().sum())
    left, right = st.columns(2, gap="large")
    with left:
        show_figure(
            speech_around(found.speech, look=current_look()),
            key="sound_speech",
            title="Speech in the ten seconds around utterances",
            caption=f"n = {labels.plural(n_looked_at, 'utterance')}; median "
            f"{labels.percent(found.median_speech, 0)}. Where nearly all is speech there is too "
            "little else to hear.",
            setting="",
            table=found.speech.rename(
                columns={
                    "bin_start": "Speech from",
                    "n_scored": "With scores",
                    "n_missing": "Without",
                }
            ),
        )
    with right:
        if found.level.empty:
            st.caption("The level is not known of any of these utterances.")
        else:
            show_figure(
                level_around(found.level, look=current_look()),
                key="sound_level",
                title="Level of the ten seconds around utterances",
                caption=f"n = {labels.plural(int(found.level['n'].sum()), 'utterance')}; median "
                f"{found.median_level:.0f} dB. 0 would be the loudest that the recording can hold; "
                "speech is included.",
                setting="",
                table=found.level.rename(columns={"bin_start": "Level from", "n": "Utterances"}),
            )
    missing = data.count(view.store, sound.missing_counts, filters, scorer)
    if missing:
        lines = (f"- {labels.count(n)}: {_WHY[reason]}" for reason, n in missing.items())
        st.markdown("**Utterances without scores, and why**\n" + "\n".join(lines))


_WHY: dict[str, str] = {
    **labels.SOUND_MISSING,
    "no_null": "Too few other moments in the recording to compare with (fewer than eight)",
    "not_looked_at": "Not looked at: new or changed since, or the recording could not be read; "
    "`sound score` again includes them",
}


def no_sound_yet(view: View, *, is_trained: bool) -> None:
    """What sound would add and the commands that make it."""
    study = view.store.study_root.name
    if is_trained:
        st.info(
            "Systems were trained and tested, but no utterance has scores yet.",
            icon=":material/hearing:",
        )
        st.code(f"python -m pipeline sound score {study} --system slava-av3", language=None)
        return
    st.info(
        "Sound adds what a child hears besides words: a dog that barks, water that runs, a phone "
        "that rings. For each utterance it tells whether the words go with the sounds around, and "
        "with what was in view, better than with other moments of the recording. This study has "
        "no scores of sound yet; these commands make them:",
        icon=":material/hearing:",
    )
    st.code(
        'pip install "coview[sound]"\n'
        f"python -m pipeline sound train {study} --system all\n"
        f"python -m pipeline sound score {study} --system slava-av3",
        language=None,
    )
    st.caption(
        "The extra [sound] installs the package that runs the sound encoder CLAP. Nothing is "
        "downloaded: the encoder must lie on this machine (--encoder names its folder). The "
        "encoder hears sounds, not words."
    )
