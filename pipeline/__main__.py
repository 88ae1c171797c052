"""`python -m pipeline COMMAND`.

Commands that read media and can be started again are watched over by this process, which therefore
imports as little as it can.
"""

import os
import sys

from pipeline.own_folder import OWN_FOLDER
from pipeline.watched import begin_watched, watch

_WATCHED = (("run",), ("sound", "train"), ("sound", "score"))
_AGAIN = (
    "import sys; sys.path[0], __file__ = sys.argv[1:3]; sys.argv[:3] = ['coview']; "
    "from pipeline.__main__ import main; main()"
)
"""As `python -m pipeline`, but with no module taken from the working folder. Without a `__file__`
DuckDB would take the process for one where somebody types, and print bars of its own. Worker
processes import it, so it is this file's."""


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def main() -> None:
    """Do the command, or watch over the process that does it."""
    reads_media = any(tuple(sys.argv[1 : 1 + len(words)]) == words for words in _WATCHED)
    if not begin_watched() and reads_media and os.name == "posix":
        command = [sys.executable, "-c", _AGAIN, str(OWN_FOLDER), __file__, *sys.argv[1:]]
        sys.exit(watch(command, _say))
    from pipeline.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
