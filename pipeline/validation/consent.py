"""The text that raters agree to, read from a file."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import SettingsError

MAX_CONSENT = 50_000
_HINT = "Save it as plain text (UTF-8)."


def read_consent(path: Path) -> str:
    """The text of a file. Raises SettingsError as `consent_of`, and when it cannot be read."""
    try:
        content = path.expanduser().read_bytes()
    except OSError as problem:
        raise SettingsError(
            f"The consent text {path.name} cannot be read: {problem.strerror}.",
            hint="Name a text file.",
        ) from problem
    return consent_of(content, path.name)


def consent_of(content: bytes, name: str) -> str:
    """The text in a file's bytes, with line ends of one kind.

    Raises SettingsError when it is empty, no text, or longer than MAX_CONSENT.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise SettingsError(f"{name} is not plain text.", hint=_HINT) from problem
    text = "\n".join(text.splitlines()).strip()
    if not text or "\0" in text:
        raise SettingsError(f"{name} holds no text.", hint=_HINT)
    if len(text) > MAX_CONSENT:
        raise SettingsError(
            f"The consent text {name} has {len(text):,} characters.",
            hint=f"Shorten it to {MAX_CONSENT:,}; nobody reads more before a study.",
        )
    return text
