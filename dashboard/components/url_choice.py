"""A choice that is kept in the address bar, so that a view has a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def url_choice(
    label: str,
    choices: Sequence[str],
    *,
    param: str,
    default: str,
    words: Callable[[str], str] = str,
    place: DeltaGenerator | None = None,
) -> str:
    """One of `choices`: what URL parameter `param` says, else what was chosen last, else default.

    Few choices are toggles, many a menu. `place` is a container to draw in.
    """
    key, saved_key = f"choice_{param}", f"saved_{param}"
    asked = (st.query_params.get(param), st.session_state.get(saved_key), default)
    current = next((str(value) for value in asked if value in choices), choices[0])
    _keep(param, current, default)
    st.session_state[key] = current

    def take() -> None:
        _keep(param, str(st.session_state[key]), default)

    draw = place if place is not None else st
    if words is str:
        draw.selectbox(label, choices, key=key, on_change=take)
    else:
        draw.segmented_control(
            label, choices, key=key, format_func=words, required=True, on_change=take
        )
    return current


def _keep(param: str, value: str, default: str) -> None:
    st.session_state[f"saved_{param}"] = value
    if value != default:
        st.query_params[param] = value
    elif param in st.query_params:
        del st.query_params[param]
