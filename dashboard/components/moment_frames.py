"""The frames around a moment, with what the model saw of each and how well it matched."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard import labels
from dashboard.components.moment_web import Json, Piece
from dashboard.queries.moment import Moment
from pipeline.records import Crop
from pipeline.schema import CROPS
from pipeline.score_columns import window_seconds
from pipeline.vision.crop_boxes import Box, boxes, crop_box

STRIP_LAG_MS = 5_000
"""The strip shows frames up to this far from the utterance."""

_STRIP = Piece("frame_strip", html='<div class="strip"></div>')
_VIEWS = Piece("model_view", html='<div class="views"></div>')


@dataclass(frozen=True, slots=True)
class MomentFrames:
    """Frames of one moment under one model.

    `rows`: time_ms, lag_ms, one column of cosines per crop, and sub_crop (which square of the
    multi crop suits best, NA when unknown). `pictures`: JPEGs by time_ms, fewer when some are
    missing or may not be shown. `best` is the time of the best frame by crop, within `window`.
    """

    moment: Moment
    window: str
    rows: pd.DataFrame
    pictures: dict[int, bytes]

    def best_time_ms(self, crop: str) -> int | None:
        """Time of the frame with the largest cosine in the window, None without one."""
        cosines = self.rows[crop].to_numpy(np.float64, na_value=np.nan).copy()
        is_counted = [self.is_counted(lag_ms) for lag_ms in self.rows["lag_ms"].tolist()]
        cosines[~np.array(is_counted, np.bool_)] = np.nan
        if np.isnan(cosines).all():
            return None
        return int(self.rows["time_ms"].iloc[int(np.nanargmax(cosines))])

    def is_counted(self, lag_ms: int) -> bool:
        """Whether a frame at this lag lies in the window."""
        before_s, after_s = window_seconds(self.window)
        return -1_000 * before_s <= lag_ms <= 1_000 * after_s

    def near(self) -> pd.DataFrame:
        """The rows that the strip shows."""
        return self.rows[self.rows["lag_ms"].abs() <= STRIP_LAG_MS]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the upright frame."""
        return self.moment.width_px or 1_280, self.moment.height_px or 720


def frame_strip(frames: MomentFrames, crop: str) -> None:
    """Draw the strip: best frame marked, crop outlined, frames outside the window paler."""
    width_px, height_px = frames.size_px
    best_ms = frames.best_time_ms(crop)
    drawn: list[Json] = []
    for row in frames.near().to_dict("records"):
        time_ms, lag_ms = int(row["time_ms"]), int(row["lag_ms"])
        cosine = labels.NO_VALUE if pd.isna(row[crop]) else f"{row[crop]:.3f}"
        drawn.append(
            {
                "time_ms": time_ms,
                "cosine": cosine,
                "lag": _lag(time_ms, frames.moment),
                "title": f"Frame at {labels.clock(time_ms)}, cosine {cosine}",
                "is_best": time_ms == best_ms,
                "is_counted": frames.is_counted(lag_ms),
                "is_near": abs(lag_ms) <= 1_000,
                "picture": _text(frames.pictures.get(time_ms)),
                "boxes": _boxes(crop, row["sub_crop"], width_px, height_px),
            }
        )
    _STRIP.draw(
        key="moment_strip",
        data={
            "key": f"{frames.moment.recording_id}/{frames.moment.utterance_id}/{frames.window}",
            "aspect": width_px / height_px,
            "frames": drawn,
        },
    )


def model_views(frames: MomentFrames, time_ms: int, crop: str) -> None:
    """Draw one frame as the model saw it under each crop, with its cosine."""
    width_px, height_px = frames.size_px
    row = frames.rows[frames.rows["time_ms"] == time_ms].iloc[0]
    views: list[Json] = []
    for name in CROPS:
        if pd.isna(row[name]):
            continue
        square = _square(Crop(name), row["sub_crop"], width_px, height_px)
        views.append(
            {
                "name": labels.CROPS[name],
                "title": labels.CROPS_LONG[name],
                "cosine": f"{row[name]:.3f}",
                "is_chosen": name == crop,
                "box": square,
            }
        )
    _VIEWS.draw(
        key="moment_views", data={"picture": _text(frames.pictures.get(time_ms)), "views": views}
    )


def _boxes(crop: str, sub_crop: object, width_px: int, height_px: int) -> list[Json]:
    """Boxes as [left, top, width, height] in shares of the frame, the one that counts first."""
    found = boxes(Crop(crop), width_px, height_px)
    if len(found) > 1 and isinstance(sub_crop, int | float) and not pd.isna(sub_crop):
        found.insert(0, found.pop(int(sub_crop)))
    return [
        [
            box.left_px / width_px,
            box.top_px / height_px,
            box.width_px / width_px,
            box.height_px / height_px,
        ]
        for box in found
    ]


def _square(crop: Crop, sub_crop: object, width_px: int, height_px: int) -> list[Json]:
    """Where the whole frame lies, in percent of the square that the model sees."""
    if crop is Crop.SQUASH:
        return [0, 0, 100, 100]
    if crop is Crop.PAD:
        side = max(width_px, height_px)
        wide, high = 100 * width_px / side, 100 * height_px / side
        return [(100 - wide) / 2, (100 - high) / 2, wide, high]
    box: Box = crop_box(Crop.CENTER, width_px, height_px)
    if crop is Crop.MULTI and isinstance(sub_crop, int | float) and not pd.isna(sub_crop):
        box = boxes(crop, width_px, height_px)[int(sub_crop)]
    side = box.width_px
    return [
        -100 * box.left_px / side,
        -100 * box.top_px / side,
        100 * width_px / side,
        100 * height_px / side,
    ]


def _lag(time_ms: int, moment: Moment) -> str:
    seconds = round((time_ms - moment.onset_ms) / 1000, 1) + 0.0  # No minus before a zero.
    return f"{seconds:+.1f} s"


def _text(picture: bytes | None) -> str | None:
    return None if picture is None else base64.b64encode(picture).decode()
