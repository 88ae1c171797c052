"""What raters see and hear: a frame as a JPEG, an utterance as sound, made when first asked for.

The current store decides: a recording, frame or utterance that is no longer in it, or whose
permission was withdrawn, is not shown, also not from the cache.
"""

from __future__ import annotations

import errno
import hashlib
import uuid
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePosixPath

from duckdb import DuckDBPyConnection
from PIL import Image

from pipeline.current_rules import rules_now
from pipeline.errors import DiskFullError, MediaError
from pipeline.faces.blur import FaceBlur
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media.apart import APART, Job
from pipeline.media.clip_cache import content_of
from pipeline.media.face_hiding import grey_of, without_faces
from pipeline.media.face_search import FACES_FORMAT, faces_at, faces_of
from pipeline.media.file_cache import FileCache
from pipeline.media.source import open_source, video_frames
from pipeline.media.study_clips import recording_file
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import ImageVariant
from pipeline.records import MAY_BE_SHOWN, Crop, TimeSpan
from pipeline.validation.sounds import write_sound
from pipeline.vision.crop_boxes import crop_box
from pipeline.vision.frame_folder import numbered_pictures, read_picture
from pipeline.vision.orientation import UInt8Array
from pipeline.vision.video_file import open_video

MAX_SIDE_PX = 960
_QUALITY = 85
_FORMAT = 1
"""Raised when the same picture or sound would be written differently."""
_MAX_CACHE_BYTES = 2_000_000_000
_PRUNE_EVERY = 50
_CLOCK_MS = 2
"""Frame times are kept in whole milliseconds: the frame itself lies this close."""
_MAX_APART_MS = 100.0


def picture_file(
    study_root: Path,
    store_con: DuckDBPyConnection,
    moment: MomentRef,
    frame_ms: int,
    variant: ImageVariant,
) -> Path:
    """The frame of `moment`'s recording at `frame_ms` as an upright JPEG, at most MAX_SIDE_PX.

    `model_input` is the centre square that the model saw, at the resolution of the display. Faces
    are hidden where study.toml hides them while rating.
    Raises MediaError when the current store has no such frame, when the recording may not be
    shown, and when its video or folder of frames cannot be read; DiskFullError.
    """
    media_path, frames_path = _permitted_source(store_con, moment.recording_id)
    if rules_now(study_root).shown(moment.recording_id).redactions.is_black(frame_ms):
        raise _taken_away(moment)
    found = store_con.execute(
        "SELECT count(*) FROM frames WHERE recording_id = ? AND time_ms = ?",
        [moment.recording_id, frame_ms],
    ).fetchone()
    if found is None or not found[0]:
        raise MediaError(
            f"The frame of {moment.recording_id} at {frame_ms / 1000:.1f} s is not in the current "
            "store.",
            hint="Make a new set of trials from the current store.",
        )
    blur = face_blur(study_root, ShownIn.RATING)
    hidden = () if blur is FaceBlur.OFF else ("faces", blur.value, str(FACES_FORMAT))
    if media_path is not None:
        source = recording_file(study_root, media_path)
        return _cached(
            study_root,
            ("picture", content_of(source), str(frame_ms), variant.value, *hidden),
            ".jpg",
            lambda path: APART.do(
                _job(
                    source,
                    "write_frame",
                    out=path,
                    frame_ms=frame_ms,
                    blur=blur.value,
                    variant=variant.value,
                )
            ),
        )
    if frames_path is not None:
        folder = _frames_folder(study_root, frames_path)
        return _cached(
            study_root,
            ("picture", content_of(folder), str(frame_ms), variant.value, *hidden),
            ".jpg",
            lambda path: _write_picture(_shown_picture(folder, frame_ms, blur), variant, path),
        )
    raise MediaError(
        f"{moment.recording_id} has neither a video nor a folder of frames.",
        hint="Put its video under recordings/raw.",
    )


def sound_file(study_root: Path, store_con: DuckDBPyConnection, moment: MomentRef) -> Path:
    """The sound of `moment` alone, as m4a.

    Raises MediaError when the current store has no utterance at that time, when the recording may
    not be shown or has no sound, and when it cannot be read; DiskFullError.
    """
    media_path, _ = _permitted_source(store_con, moment.recording_id)
    span = moment.span
    if rules_now(study_root).shown(moment.recording_id).redactions.within(span).mute:
        raise _taken_away(moment)
    found = store_con.execute(
        "SELECT count(*) FROM utterances WHERE recording_id = ? AND onset_ms < ? AND offset_ms > ?",
        [moment.recording_id, span.offset_ms, span.onset_ms],
    ).fetchone()
    if found is None or not found[0]:
        raise MediaError(
            f"Nothing is said in {moment.recording_id} at {span.onset_ms / 1000:.1f} s in the "
            "current store.",
            hint="Make a new set of trials from the current store.",
        )
    if media_path is None:
        raise MediaError(
            f"{moment.recording_id} has frames but no sound.", hint="Put its video there, too."
        )
    source = recording_file(study_root, media_path)
    track = _audio_track(study_root)
    return _cached(
        study_root,
        ("sound", content_of(source), str(span.onset_ms), str(span.offset_ms), str(track)),
        ".m4a",
        lambda path: APART.do(
            _job(
                source,
                "write_heard",
                out=path,
                onset_ms=span.onset_ms,
                offset_ms=span.offset_ms,
                audio_track=track,
            )
        ),
    )


def write_frame(*, source: str, out: str, frame_ms: int, blur: str, variant: str) -> None:
    """What another process does for `picture_file`."""
    image = _shown_frame(Path(source), frame_ms, FaceBlur(blur))
    _write_picture(image, ImageVariant(variant), Path(out))


def write_heard(*, source: str, out: str, onset_ms: int, offset_ms: int, audio_track: int) -> None:
    """What another process does for `sound_file`."""
    write_sound(Path(source), TimeSpan(onset_ms, offset_ms), audio_track, Path(out))


def _job(source: Path, function: str, *, out: Path, **values: str | int) -> Job:
    paths = {"source": str(source.absolute()), "out": str(out.absolute())}
    return Job(f"{__name__}:{function}", source, {**paths, **values})


def _taken_away(moment: MomentRef) -> MediaError:
    return MediaError(
        f"This moment of {moment.recording_id} was taken away by metadata/redactions.csv.",
        hint="Make a new set of trials from the current store.",
    )


def _permitted_source(con: DuckDBPyConnection, recording_id: str) -> tuple[str | None, str | None]:
    """(media_path, frames_path) of a recording that may be shown."""
    if not recording_id:
        raise MediaError(
            "This question came from a file and names no recording of this study.",
            hint="Show it in the study it was made from.",
        )
    row = con.execute(
        "SELECT media_path, frames_path, permission FROM recordings WHERE recording_id = ?",
        [recording_id],
    ).fetchone()
    if row is None:
        raise MediaError(
            f"{recording_id} is not in the current store.",
            hint="Make a new set of trials from the current store.",
        )
    media_path, frames_path, permission = row
    if permission not in MAY_BE_SHOWN:
        raise MediaError(
            f"{recording_id} may not be shown: its permission is scores_only.",
            hint="Make a new set of trials, which leaves it out.",
        )
    return media_path, frames_path


def _frames_folder(study_root: Path, frames_path: str) -> Path:
    relative = PurePosixPath(frames_path)
    if relative.is_absolute() or ".." in relative.parts:
        raise MediaError(
            "The store names a folder of frames outside the study.",
            hint="Mend metadata/recordings.csv and publish again.",
        )
    return study_root / relative


def _audio_track(study_root: Path) -> int:
    from pipeline.config import load_settings

    return load_settings(study_root / "study.toml").speech.audio_track


def _shown_frame(source: Path, frame_ms: int, blur: FaceBlur) -> UInt8Array:
    image = _video_frame(source, frame_ms)
    if blur is FaceBlur.OFF:
        return image
    return without_faces(image, faces_at(source, frame_ms), blur)


def _shown_picture(folder: Path, frame_ms: int, blur: FaceBlur) -> UInt8Array:
    image = _folder_frame(folder, frame_ms)
    if blur is FaceBlur.OFF:
        return image
    return without_faces(image, faces_of(grey_of(image)), blur)


def _video_frame(source: Path, frame_ms: int) -> UInt8Array:
    """The frame whose own time is nearest to `frame_ms`, upright uint8 (h, w, 3)."""
    around = TimeSpan(max(0, frame_ms - _CLOCK_MS), frame_ms + _CLOCK_MS)
    # `open_source` turns what FFmpeg reports while it decodes into sentences.
    with open_source(source), open_video(source) as video:
        best, best_apart_ms = None, _MAX_APART_MS
        for time_ms, frame in video_frames(video.container, video.stream, around):
            apart_ms = abs(max(0.0, time_ms) - frame_ms)
            if apart_ms <= best_apart_ms:
                best, best_apart_ms = video.picture(frame), apart_ms
    if best is None:
        raise MediaError(
            f"The frame of {source.name} at {frame_ms / 1000:.1f} s cannot be decoded.",
            hint="Check that the file plays, and copy it again if it does not.",
        )
    return best


def _folder_frame(folder: Path, frame_ms: int) -> UInt8Array:
    files, _ = numbered_pictures(folder)
    path = files.get(frame_ms // 1_000)
    if path is None:
        raise MediaError(
            f"The folder {folder.name} has no picture of second {frame_ms // 1_000}.",
            hint="Put the picture back, or run the study again.",
        )
    try:
        return read_picture(path)
    except (OSError, ValueError, SyntaxError) as problem:
        raise MediaError(
            f"The picture {path.name} of the folder {folder.name} cannot be read.",
            hint="Extract the frames again.",
        ) from problem


def _write_picture(image: UInt8Array, variant: ImageVariant, path: Path) -> None:
    picture = Image.fromarray(image)
    if variant is ImageVariant.MODEL_INPUT:
        box = crop_box(Crop.CENTER, picture.width, picture.height)
        right, bottom = box.left_px + box.width_px, box.top_px + box.height_px
        picture = picture.crop((box.left_px, box.top_px, right, bottom))
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    picture.save(path, format="JPEG", quality=_QUALITY)


def _cached(
    study_root: Path, parts: tuple[str, ...], suffix: str, write: Callable[[Path], None]
) -> Path:
    digest = hashlib.sha256(":".join((str(_FORMAT), *parts)).encode()).hexdigest()[:32]

    def make(path: Path) -> None:
        partial = path.with_name(f"{path.stem}-{uuid.uuid4().hex[:8]}.partial")
        try:
            write(partial)
            partial.replace(path)
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(
                    "The disk is full: no picture or sound could be written.",
                    hint="Free some space and try again.",
                ) from problem
            raise MediaError(
                f"A picture or sound could not be kept: {problem.strerror}.",
                hint="Check the rights of the study's folder derived.",
            ) from problem
        finally:
            partial.unlink(missing_ok=True)

    return _cache_of(study_root.resolve()).file(f"{digest}{suffix}", make)


@lru_cache(maxsize=8)
def _cache_of(study_root: Path) -> FileCache:
    return FileCache(
        study_root / "derived" / "cache" / "pictures",
        suffixes=(".jpg", ".m4a"),
        max_bytes=_MAX_CACHE_BYTES,
        prune_every=_PRUNE_EVERY,
    )
