"""The folder that Coview's packages lie in."""

from __future__ import annotations

from pathlib import Path

OWN_FOLDER = Path(__file__).resolve().parent.parent
"""Where processes of Coview's own start: `python -m` takes modules, and Streamlit settings and
secrets, from the working folder first, which could be a study that somebody else made."""
