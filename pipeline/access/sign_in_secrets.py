"""The study's own .streamlit/secrets.toml: what it may hold, and when it counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.access.table import Access, SignIn
from pipeline.errors import AccessError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PART = "auth"
_MAX_BYTES = 100_000
_OTHERS = 0o007


def study_secrets(study_root: Path, access: Access | None) -> Path | None:
    """The secrets of a study with which people sign in; None where it has none or needs none.

    Streamlit makes an environment variable of each value at the top of such a file. A study that
    somebody else made could so name programs for the server to load, or another study to show:
    the file counts for `how = "oidc"` alone, and may hold nothing but [auth].

    Raises AccessError for a file that holds more, cannot be read, or can be by everybody.
    """
    path = study_root / ".streamlit" / "secrets.toml"
    if access is None or access.sign_in is not SignIn.OIDC or not path.is_file():
        return None
    try:
        status = path.stat()
        if os.name == "posix" and status.st_mode & _OTHERS:
            raise AccessError(
                ".streamlit/secrets.toml of the study is open to every account of this machine, "
                "and whoever reads it can sign in as anybody.",
                hint="Close it with: chmod 600 STUDY/.streamlit/secrets.toml; then change "
                "cookie_secret.",
            )
        if status.st_size > _MAX_BYTES:
            raise AccessError("secrets.toml is larger than 100 kB.", hint="Keep only [auth] in it.")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        # Its words are secret, so none of them are told.
        raise AccessError(
            ".streamlit/secrets.toml of the study cannot be read.",
            hint="docs/access.md shows the whole file.",
        ) from problem
    others = sorted(name for name in content if name != _PART)
    if others or not isinstance(content.get(_PART, {}), dict):
        raise AccessError(
            f".streamlit/secrets.toml of the study holds more than the part [{_PART}]"
            + (f": {others[0]!r}." if others else "."),
            hint=f"Keep only [{_PART}] in it; docs/access.md shows the whole file.",
        )
    return path
