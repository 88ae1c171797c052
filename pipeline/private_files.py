"""Files that Coview writes are closed to other accounts of the machine."""

from __future__ import annotations

import os

_OTHERS = 0o007


def close_to_others() -> None:
    """From now on, what this process and those that it starts write can be read by its account and
    its group, as far as they let their group, and by nobody else.

    Folders that were there before stay as they are.
    """
    before = os.umask(_OTHERS)
    os.umask(before | _OTHERS)
