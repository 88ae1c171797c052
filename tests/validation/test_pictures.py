"""Raters are shown the very frame that was scored, and nothing that may not be shown."""

from __future__ import annotations

from pathlib import Path

import av
import duckdb
import numpy as np
import pytest
from PIL import Image

from pipeline.errors import MediaError, RatingError
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_records import (
    ImageVariant,
    Item,
    ItemOption,
    Part,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.validation.pictures import MAX_SIDE_PX, picture_file, sound_file
from pipeline.validation.prepare import prepare_set
from tests.media.recordings import number_of, picture, record

FULL, SQUARE = ImageVariant.FULL_FRAME, ImageVariant.MODEL_INPUT
RECORDINGS = (
    ("film", "film.mp4", None, "media"),
    ("closed", "film.mp4", None, "scores_only"),
    ("excerpt", "film.mp4", None, "excerpts"),
    ("stills", None, "frames/stills", "media"),
    ("outside", "../../secret.mp4", None, "media"),
    ("gone", "gone.mp4", None, "media"),
    ("turned", "turned.mp4", None, "media"),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "recordings" / "raw").mkdir(parents=True)
    rows = [f"C,{name},{media or name}.mp4,{allowed}" for name, media, _, allowed in RECORDINGS]
    header = "child_id,recording_id,recording_filename,permission"
    (folder / "metadata").mkdir()
    (folder / "metadata" / "recordings.csv").write_text("\n".join([header, *rows]))
    record(folder / "recordings" / "raw" / "film.mp4", seconds=4, fps=30)
    record(folder / "recordings" / "raw" / "turned.mp4", seconds=2, fps=10, rotation=90)
    stills = folder / "frames" / "stills"
    stills.mkdir(parents=True)
    for second in (3, 5):
        Image.fromarray(picture(second)).resize((1_600, 1_200)).save(stills / f"{second:05d}.png")
    return folder


@pytest.fixture(scope="module")
def store() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE recordings (recording_id VARCHAR, media_path VARCHAR, frames_path VARCHAR, "
        "permission VARCHAR)"
    )
    con.executemany("INSERT INTO recordings VALUES (?, ?, ?, ?)", RECORDINGS)
    con.execute("CREATE TABLE frames (recording_id VARCHAR, time_ms INTEGER)")
    con.execute(
        "CREATE TABLE utterances (recording_id VARCHAR, onset_ms INTEGER, offset_ms INTEGER)"
    )
    for name, *_ in RECORDINGS:
        con.execute(
            "INSERT INTO frames SELECT ?, unnest([0, 1000, 2000, 2033, 3000, 5000])", [name]
        )
        con.execute("INSERT INTO utterances VALUES (?, 1000, 1800)", [name])
    return con


def moment(recording_id: str, onset_ms: int = 1_000, offset_ms: int = 1_800) -> MomentRef:
    return MomentRef(recording_id, "u1", TimeSpan(onset_ms, offset_ms))


@pytest.mark.parametrize(("frame_ms", "number"), [(0, 0), (1_000, 30), (2_000, 60), (2_033, 61)])
def test_the_picture_is_the_frame_with_that_time(root, store, frame_ms, number):
    path = picture_file(root, store, moment("film"), frame_ms, FULL)
    with Image.open(path) as shown:
        assert shown.format == "JPEG"
        assert number_of(np.asarray(shown)) == number
    assert path.parent == root / "derived" / "cache" / "pictures"
    assert "film" not in path.name


def test_a_picture_that_is_stored_turned_is_shown_upright(root, store):
    with Image.open(picture_file(root, store, moment("turned"), 1_000, FULL)) as shown:
        assert shown.size == (160, 96)
        assert number_of(np.asarray(shown)) == 10


def test_the_models_square_is_the_middle_of_the_frame(root, store):
    with Image.open(picture_file(root, store, moment("film"), 1_000, FULL)) as whole:
        full = np.asarray(whole).astype(int)
    with Image.open(picture_file(root, store, moment("film"), 1_000, SQUARE)) as middle:
        square = np.asarray(middle).astype(int)
    side = min(full.shape[:2])
    left = (full.shape[1] - side) // 2
    assert square.shape == (side, side, 3)
    assert np.abs(square - full[:, left : left + side]).mean() < 4


def test_pictures_of_a_folder_are_found_by_their_second_and_made_smaller(root, store):
    with Image.open(picture_file(root, store, moment("stills"), 5_000, FULL)) as shown:
        assert max(shown.size) == MAX_SIDE_PX
        assert number_of(np.asarray(shown)) == 5
    with pytest.raises(MediaError, match="no picture of second 2"):
        picture_file(root, store, moment("stills"), 2_000, FULL)
    with pytest.raises(MediaError, match="frames but no sound"):
        sound_file(root, store, moment("stills"))


def test_a_picture_is_made_once(root, store):
    first = picture_file(root, store, moment("film"), 3_000, FULL)
    inode = first.stat().st_ino
    assert picture_file(root, store, moment("film"), 3_000, FULL) == first
    assert first.stat().st_ino == inode
    assert not list(first.parent.glob("*.partial"))


def test_the_sound_is_the_utterance_alone(root, store):
    path = sound_file(root, store, moment("film"))
    with av.open(str(path)) as heard:
        assert [stream.type for stream in heard.streams] == ["audio"]
        assert abs(heard.duration / 1_000 - 800) < 30


@pytest.mark.parametrize("name", ["closed"])
def test_what_may_not_be_shown_is_not_made(root, store, name):
    with pytest.raises(MediaError, match="may not be shown"):
        picture_file(root, store, moment(name), 1_000, FULL)
    with pytest.raises(MediaError, match="may not be shown"):
        sound_file(root, store, moment(name))


def test_what_may_be_shown_in_talks_may_be_shown_to_raters(root, store):
    assert picture_file(root, store, moment("excerpt"), 1_000, FULL).is_file()


def test_a_withdrawn_permission_counts_although_the_picture_lies_in_the_cache(root, store):
    assert picture_file(root, store, moment("film"), 1_000, FULL).is_file()
    store.execute("UPDATE recordings SET permission = 'scores_only' WHERE recording_id = 'film'")
    try:
        with pytest.raises(MediaError, match="may not be shown"):
            picture_file(root, store, moment("film"), 1_000, FULL)
    finally:
        store.execute("UPDATE recordings SET permission = 'media' WHERE recording_id = 'film'")


@pytest.mark.parametrize(
    ("name", "frame_ms", "words"),
    [
        ("unknown", 1_000, "not in the current store"),
        ("", 1_000, "names no recording"),
        ("film", 1_234, "is not in the current store"),
        ("film", 5_000, "cannot be decoded"),
        ("outside", 1_000, "outside the study"),
        ("gone", 1_000, "not where the study says"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(root, store, name, frame_ms, words):
    with pytest.raises(MediaError, match=words) as problem:
        picture_file(root, store, moment(name), frame_ms, FULL)
    assert problem.value.hint


def test_sound_of_a_time_without_an_utterance_is_refused(root, store):
    with pytest.raises(MediaError, match="Nothing is said"):
        sound_file(root, store, moment("film", 2_500, 2_900))


def test_a_sets_pictures_are_made_ahead_and_what_cannot_be_made_is_counted(root, store):
    def option(name: str, frame_ms: int | None) -> ItemOption:
        return ItemOption(moment(name), "words", frame_ms, None)

    shown = [option("film", 0), option("film", 3_000), option("stills", 5_000)]
    items = (
        Item("a", TrialMode.IMAGES, Part.MAIN, "words", (*shown, option("closed", 0))),
        Item("b", TrialMode.UTTERANCES, Part.MAIN, "", (shown[1], *[option("film", None)] * 3)),
    )
    set_id = add_set(
        people_store(root),
        name="Ahead",
        kind=SetKind.FOUR_CHOICES,
        settings='{"image_variant": "model_input", "with_sound": true}',
        items=items,
    )
    told: list[tuple[int, int]] = []
    found = prepare_set(store, root, set_id, lambda done, total: told.append((done, total)))
    assert found.n_made == 4
    assert [n for _, n in found.problems] == [1]
    assert "may not be shown" in found.sentences[1]
    assert told == [(done, 5) for done in range(1, 6)]
    for name, frame_ms in (("film", 0), ("film", 3_000), ("stills", 5_000)):
        with Image.open(picture_file(root, store, moment(name), frame_ms, SQUARE)) as square:
            assert square.size[0] == square.size[1]
    with pytest.raises(RatingError):
        prepare_set(store, root, set_id + 1)
