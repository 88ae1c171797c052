"""A study that people can rate in at once: drawn frames, a store of what raters need, one set.

The frames are a folder of pictures, as a study without videos has them. The store holds the three
tables that the rating screen asks: recordings, frames and utterances.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from PIL import Image

from pipeline.people.raters import invite
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_records import (
    N_OPTIONS,
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.store.locate import stores_folder, switch_current_store

RECORDING = "rec1"
CLOSED = "rec2"
"""A recording that may not be shown."""

_STORE = "store-rating.duckdb"


@dataclass(frozen=True, slots=True)
class RatingStudy:
    """A study and one set of it."""

    root: Path
    set_id: int

    @property
    def people(self) -> PeopleStore:
        """The people's store of the study."""
        return people_store(self.root)

    def invite(self, n_raters: int, name: str = "rater") -> tuple[str, ...]:
        """Codes of so many new raters."""
        return tuple(
            invite(self.people, self.set_id, f"{name} {number}")[1] for number in range(n_raters)
        )


def write_rating_study(
    root: Path,
    *,
    n_frames: int = 24,
    n_lists: int = 2,
    n_trials: int = 6,
    n_practice: int = 1,
    size_px: tuple[int, int] = (192, 108),
    consent: str = "",
    closing: str = "",
) -> RatingStudy:
    """Write the study; each list holds every trial, beginning at another one.

    Every third trial shows one picture and four sentences, and the last one is a catch trial.
    """
    _draw_frames(root / "frames" / RECORDING, n_frames, size_px)
    _write_store(root, n_frames)
    items = [_item(number, n_trials, n_practice, n_frames) for number in range(n_trials)]
    rng = np.random.default_rng(1)
    placed = []
    for number in range(1, n_lists + 1):
        later = [n_practice + (at + 7 * number) % (n_trials - n_practice) for at in range(n_trials)]
        order = [*range(n_practice), *later[: n_trials - n_practice]]
        for position, at in enumerate(order, start=1):
            shuffled = tuple(int(one) for one in rng.permutation(N_OPTIONS))
            placed.append(PlacedItem(number, position, items[at].item_id, shuffled))
    set_id = add_set(
        people_store(root),
        name="Load",
        kind=SetKind.FOUR_CHOICES,
        settings=json.dumps(
            {"image_variant": "full_frame", "with_sound": False, "closing": closing}
        ),
        items=items,
        placed=placed,
        consent=consent,
    )
    return RatingStudy(root, set_id)


def moment(number: int, recording_id: str = RECORDING) -> MomentRef:
    """The utterance that lasts through second `number` of a recording."""
    span = TimeSpan(1_000 * number, 1_000 * number + 900)
    return MomentRef(recording_id, f"u{number}", span)


def _item(number: int, n_trials: int, n_practice: int, n_frames: int) -> Item:
    part = Part.PRACTICE if number < n_practice else Part.MAIN
    if number == n_trials - 1:
        part = Part.CATCH
    is_sentences = part is Part.MAIN and number % 3 == 0
    frames = [(N_OPTIONS * number + place) % n_frames for place in range(N_OPTIONS)]
    options = tuple(
        ItemOption(moment(frame), f"Words of second {frame}.", 1_000 * frame, 0.2)
        for frame in frames
    )
    prompt = "Please choose picture 3." if part is Part.CATCH else options[0].text
    return Item(
        f"item{number:04d}",
        TrialMode.UTTERANCES if is_sentences else TrialMode.IMAGES,
        part,
        "" if is_sentences else prompt,
        options,
        0.2,
        1.0,
        0,
    )


def _draw_frames(folder: Path, n_frames: int, size_px: tuple[int, int]) -> None:
    folder.mkdir(parents=True)
    width_px, height_px = size_px
    rng = np.random.default_rng(2)
    for number in range(n_frames):
        blocks = rng.integers(40, 215, size=(9, 16, 3), dtype=np.uint8)
        picture = Image.fromarray(blocks).resize((width_px, height_px), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:05d}.jpg", quality=90)


def _write_store(root: Path, n_frames: int) -> None:
    folder = stores_folder(root)
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / _STORE)) as con:
        con.execute(
            "CREATE TABLE recordings (recording_id VARCHAR, media_path VARCHAR, "
            "frames_path VARCHAR, permission VARCHAR)"
        )
        con.execute("CREATE TABLE frames (recording_id VARCHAR, time_ms INTEGER)")
        con.execute(
            "CREATE TABLE utterances (recording_id VARCHAR, onset_ms INTEGER, offset_ms INTEGER)"
        )
        for name, permission in ((RECORDING, "media"), (CLOSED, "scores_only")):
            path = f"frames/{RECORDING}"
            con.execute("INSERT INTO recordings VALUES (?, NULL, ?, ?)", [name, path, permission])
            con.execute("INSERT INTO frames SELECT ?, 1000 * unnest(range(?))", [name, n_frames])
            con.execute(
                "INSERT INTO utterances SELECT ?, 1000 * n, 1000 * n + 900 "
                "FROM (SELECT unnest(range(?)) AS n)",
                [name, n_frames],
            )
    metadata = root / "metadata"
    metadata.mkdir(exist_ok=True)
    (metadata / "recordings.csv").write_text(
        "child_id,recording_id,recording_filename,permission\n"
        f"C,{RECORDING},{RECORDING}.mp4,media\nC,{CLOSED},{CLOSED}.mp4,scores_only\n",
        encoding="utf-8",
    )
    switch_current_store(root, _STORE)
