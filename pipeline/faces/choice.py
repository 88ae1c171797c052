"""Where a study hides faces, and from whom."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from pipeline.config import load_settings
from pipeline.faces.blur import FaceBlur


class ShownIn(str, Enum):
    """Where a picture or a clip is shown, as study.toml calls it."""

    VIEWING = "viewing"
    RATING = "rating"
    EXPORTS = "exports"


def face_blur(study_root: Path, shown_in: ShownIn, role: str = "") -> FaceBlur:
    """What the study's settings say now for this place.

    role: of the person who looks on; the roles of `privacy.clear_for` see faces while viewing,
    never in exports or while rating. Raises SettingsError.
    """
    privacy = load_settings(study_root / "study.toml").privacy
    if shown_in.value not in privacy.blur_faces:
        return FaceBlur.OFF
    if shown_in is ShownIn.VIEWING and role in privacy.clear_for:
        return FaceBlur.OFF
    return FaceBlur(privacy.face_blur)
