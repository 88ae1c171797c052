"""Every way Coview refuses input, each with a sentence for the person and a fix.

A `CoviewError` is expected: its message names the file (or setting) and its hint says what to do.
Anything else that is raised is a defect of Coview.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells the shell."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USE = 2


class CoviewError(Exception):
    """Something the person can mend: `message` says what, `hint` says how."""

    code = "error"
    exit_code = ExitCode.WRONG_USE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process borders; the default drops keyword-only arguments.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[CoviewError], message: str, hint: str) -> CoviewError:
    return kind(message, hint=hint)


class SettingsError(CoviewError):
    """A setting is unknown or has an impossible value."""

    code = "settings"


class StudyError(CoviewError):
    """The study folder or its metadata cannot be used."""

    code = "study"


class MediaError(CoviewError):
    """A video or audio file cannot be read as it should."""

    code = "media"
    exit_code = ExitCode.SOME_FAILED


class TranscriptError(CoviewError):
    """A transcript or speaker file cannot be read as it should."""

    code = "transcript"
    exit_code = ExitCode.SOME_FAILED


class ModelError(CoviewError):
    """A model is missing, incomplete or unknown."""

    code = "model"


class AlignmentError(CoviewError):
    """Scores cannot be computed from what the earlier stages left."""

    code = "alignment"
    exit_code = ExitCode.SOME_FAILED


class StoreError(CoviewError):
    """A shard or store is missing, damaged, of another version, or cannot be written."""

    code = "store"


class EngineError(CoviewError):
    """What was asked to do the work (a Ray cluster) is not there or cannot do it."""

    code = "engine"


class DiskFullError(StoreError):
    """Nothing more can be written; the run stops and can be resumed."""

    code = "disk_full"
    exit_code = ExitCode.SOME_FAILED


class BusyError(CoviewError):
    """Another command is working on the same study."""

    code = "busy"


class FitError(CoviewError):
    """A statistical model cannot be fitted to these rows."""

    code = "fit"


class RatingError(CoviewError):
    """An answer or a rater cannot be taken: the set is closed or full, or it is another's."""

    code = "rating"


class ProbeError(CoviewError):
    """What drives a score cannot be probed with this study or this scorer."""

    code = "probe"


class AccessError(CoviewError):
    """Nobody can be let in: who may see what is not said, or not said clearly."""

    code = "access"


class AuditError(CoviewError):
    """Who opened what cannot be written down or read."""

    code = "audit"
