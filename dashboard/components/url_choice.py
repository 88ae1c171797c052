"""A choice that is kept in the address bar, so that a view has a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

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
    is_menu: bool = False,
) -> str:
    """One of `choices`: what URL parameter `param` says, else what was chosen last, else default.

    Few choices are toggles, many (or with `is_menu`) a menu. `place` is a container to draw in.
    """
    key = f"choice_{param}"
    current = url_value(
        param, default if default in choices else choices[0], lambda value: value in choices
    )
    st.session_state[key] = current

    def take() -> None:
        keep_in_url(param, str(st.session_state[key]), default)

    draw = place if place is not None else st
    if words is str or is_menu:
        draw.selectbox(label, choices, key=key, format_func=words, on_change=take)
    else:
        draw.segmented_control(
            label, choices, key=key, format_func=words, required=True, on_change=take
        )
    return current


def url_value(param: str, default: str, is_allowed: Callable[[str], bool]) -> str:
    """What URL parameter `param` says, else what was chosen last, else default."""
    asked = (st.query_params.get(param), st.session_state.get(f"saved_{param}"))
    current = next((str(v) for v in asked if v is not None and is_allowed(str(v))), default)
    keep_in_url(param, current, default)
    return current


def keep_in_url(param: str, value: str, default: str) -> None:
    """Remember a choice, and name it in the address bar unless it is the default."""
    st.session_state[f"saved_{param}"] = value
    if value != default:
        st.query_params[param] = value
    elif param in st.query_params:
        del st.query_params[param]


def keep_list_in_url(wanted: Mapping[str, str], names: Iterable[str]) -> None:
    """Make the parameters `names` of the address bar say what is wanted, and no more."""
    for name in names:
        if st.query_params.get(name) == wanted.get(name):
            continue
        if name in wanted:
            st.query_params[name] = wanted[name]
        elif name in st.query_params:
            del st.query_params[name]
