"""Small pictures of frames as people may see them: with faces hidden where the study says so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pipeline.faces.blur import FaceBlur
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media.face_hiding import jpeg_without_faces
from pipeline.store.thumbnails import read_thumbnails

_MAX_REMEMBERED = 500


def shown_thumbnails(
    study_root: Path, recording_id: str, times_ms: Sequence[int], role: str
) -> dict[int, bytes]:
    """`read_thumbnails` for a person of this role.

    Each picture is searched by itself, without the film around it: more faces are missed than in
    clips. Raises SettingsError when the study's settings cannot be read.
    """
    pictures = read_thumbnails(study_root, recording_id, times_ms)
    blur = face_blur(study_root, ShownIn.VIEWING, role)
    if blur is FaceBlur.OFF:
        return pictures
    return {time_ms: _hidden(picture, blur) for time_ms, picture in pictures.items()}


@lru_cache(maxsize=_MAX_REMEMBERED)
def _hidden(picture: bytes, blur: FaceBlur) -> bytes:
    return jpeg_without_faces(picture, blur)
