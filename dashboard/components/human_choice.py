"""Which answers the page Human agreement is about, kept in the address bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import labels
from dashboard.components.url_choice import keep_in_url, url_choice, url_value
from dashboard.plain import escaped
from dashboard.queries.human_answers import AnsweredSet, is_of_kind
from pipeline.people.trial_records import SetKind, TrialMode
from pipeline.validation.exclusions import ExclusionRule
from pipeline.validation.results import ResultChoice, Scale

MODES = {
    "all": "Both kinds of trial",
    TrialMode.IMAGES.value: "Four images",
    TrialMode.UTTERANCES.value: "Four utterances",
}
_SCALES = {Scale.SCORE.value: "Cosine", Scale.Z.value: "z against chance"}
_KINDS = {SetKind.FOUR_CHOICES.value: "Choices of four", SetKind.LABELS.value: "Experts' labels"}
_DEFAULT_CATCH = 50


@dataclass(frozen=True, slots=True)
class HumanChoice:
    """The chosen sets, all of one kind, and how their answers are counted."""

    sets: tuple[AnsweredSet, ...]
    kind: SetKind
    results: ResultChoice

    @property
    def set_ids(self) -> tuple[int, ...]:
        return tuple(one.set.set_id for one in self.sets)

    @property
    def is_simulated(self) -> bool:
        return any(one.is_simulated for one in self.sets)

    @property
    def scorer(self) -> str:
        """The scorer of all chosen sets, empty where they differ or do not tell."""
        scorers = {one.scorer for one in self.sets}
        return scorers.pop() if len(scorers) == 1 else ""

    @property
    def setting(self) -> tuple[str, str, str]:
        """Crop, window and statistic of all chosen sets, empty where they differ."""
        settings = {one.setting for one in self.sets}
        return settings.pop() if len(settings) == 1 else ("", "", "")


def human_choice(sets: Sequence[AnsweredSet]) -> HumanChoice | None:
    """Draw the choices; None when no set was answered."""
    kinds = [kind for kind in SetKind if any(is_of_kind(one, kind) for one in sets)]
    if not kinds:
        return None
    top = st.container(horizontal=True, vertical_alignment="bottom")
    kind = kinds[0]
    if len(kinds) > 1:
        kind = SetKind(
            url_choice(
                "Kind of set",
                [one.value for one in kinds],
                param="kind",
                default=kinds[0].value,
                words=_KINDS.__getitem__,
                place=top,
            )
        )
    chosen = _sets([one for one in sets if is_of_kind(one, kind)])
    if kind is SetKind.LABELS:
        return HumanChoice(chosen, kind, ResultChoice())
    scale = Scale(
        url_choice(
            "Score",
            tuple(_SCALES),
            param="by",
            default=Scale.SCORE.value,
            words=_SCALES.__getitem__,
            place=top,
        )
    )
    mode = url_choice(
        "Trials",
        tuple(MODES),
        param="mode",
        default="all",
        words=MODES.__getitem__,
        place=top,
    )
    with st.sidebar:
        st.subheader("Leave raters out", anchor=False)
        rule = _rule()
    return HumanChoice(
        chosen, kind, ResultChoice(scale, None if mode == "all" else TrialMode(mode), rule)
    )


def simulated_banner(choice: HumanChoice) -> None:
    """Say loudly that answers are not people's."""
    names = [one.set.name for one in choice.sets if one.is_simulated]
    if not names:
        return
    part = "" if len(names) == len(choice.sets) else " Others of the chosen sets are not."
    st.warning(
        f"**Simulated answers.** {escaped(', '.join(names))}: made by a program to show what this "
        f"page does. No person gave them; nothing here says anything about people.{part}",
        icon=":material/smart_toy:",
    )


def stop_when_mixed(choice: HumanChoice) -> None:
    """End the page when cosines of several models or settings would be thrown together."""
    told = {(one.scorer, one.setting) for one in choice.sets}
    if len(told) < 2 or choice.results.scale is Scale.Z:
        return
    names = "; ".join(
        f"{one.set.name}: {one.scorer or 'model not known'}, {' '.join(one.setting).strip()}"
        for one in choice.sets
    )
    st.info(
        f"The scores of these sets were not made in the same way ({escaped(names)}), so their "
        "cosines cannot stand on one axis. Choose sets of one model and setting, or z.",
        icon=":material/compare_arrows:",
    )
    st.stop()


def _sets(usable: Sequence[AnsweredSet]) -> tuple[AnsweredSet, ...]:
    by_id = {str(one.set.set_id): one for one in usable}
    real = [one for one in usable if not one.is_simulated]
    default = str((real or list(usable))[0].set.set_id)

    def known(text: str) -> list[str]:
        return [number for number in text.split(",") if number in by_id]

    current = known(url_value("sets", default, lambda text: bool(known(text))))
    key = f"human_sets_{usable[0].set.kind.value}"
    st.session_state[key] = current

    def take() -> None:
        kept = [number for number in st.session_state[key] if number in by_id]
        keep_in_url("sets", ",".join(kept) or default, default)

    st.multiselect(
        "Sets", list(by_id), key=key, format_func=lambda n: _name(by_id[n]), on_change=take
    )
    return tuple(by_id[number] for number in current)


def _name(one: AnsweredSet) -> str:
    what = "label" if one.set.kind is SetKind.LABELS else "answer"
    said = f"{one.set.name} ({labels.plural(one.n_raters, 'rater')}, "
    said += f"{labels.plural(one.n_answers, what)})"
    return f"SIMULATED: {said}" if one.is_simulated else said


def _rule() -> ExclusionRule:
    catch = _number(
        "catch", "Below this share of catch trials right (%)", 0, 100, 5, _DEFAULT_CATCH
    )
    fast = _number("fast", "Below this median time per trial (ms)", 0, 3_000, 100, 0)
    return ExclusionRule(catch / 100, float(fast))


def _number(param: str, label: str, low: int, high: int, step: int, default: int) -> int:
    def is_allowed(text: str) -> bool:
        return text.isdecimal() and low <= int(text) <= high

    current = int(url_value(param, str(default), is_allowed))
    key = f"human_{param}"
    st.session_state[key] = current

    def take() -> None:
        keep_in_url(param, str(st.session_state[key]), str(default))

    st.slider(label, low, high, step=step, key=key, on_change=take)
    return current
