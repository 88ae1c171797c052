"""A small study in which everything that can leave traces of a child was done, with marks that
occur nowhere else."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import duckdb
from typer.testing import CliRunner

from pipeline.access.audit import Opened, write_opened
from pipeline.cli import app
from pipeline.media.study_clips import StudyClips
from pipeline.people.answers import save_answer
from pipeline.people.marks import add_note, add_tag, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.raters import add_rater
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_records import (
    ImageVariant,
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan
from pipeline.validation.pictures import picture_file, sound_file

CHILD, OTHER = "C01", "C02"
PLANTED = ("zyxplace", "zyxnote", "zyxtag", "zyxplaylist", "zyxscore", "zyxcaption", "zyxheard")


def leave_traces(root: Path) -> set[str]:
    """Do it all in the copy of the tiny demo study at `root`; the words that only the child C01
    may have there: ids, file names, planted words, and utterances nobody else heard."""
    store = root / "derived" / "stores" / (root / "derived/stores/current").read_text().strip()
    with duckdb.connect(str(store), read_only=True) as con:
        said = con.execute(
            "SELECT text FROM utterances WHERE child_id = $c AND length(text) > 12 AND text NOT IN "
            "(SELECT text FROM utterances WHERE child_id <> $c)",
            {"c": CHILD},
        ).fetchall()
        moments = {
            child: MomentRef(recording, utterance, TimeSpan(onset, offset))
            for child, recording, utterance, onset, offset in con.execute(
                "SELECT child_id, min(recording_id), arg_min(utterance_id, recording_id), "
                "arg_min(onset_ms, recording_id), arg_min(offset_ms, recording_id) "
                "FROM utterances GROUP BY child_id"
            ).fetchall()
        }
        frames = dict(
            con.execute("SELECT recording_id, min(time_ms) FROM frames GROUP BY 1").fetchall()
        )
        _show(root, con, moments, frames)
    shutil.copyfile(store, store.with_name("store-20200101T000000-older000.duckdb"))
    _write_about(root, moments)
    _plant_files(root)
    for arguments in (("--to", "csv"), ("--to", "eaf")):
        done = CliRunner().invoke(app, ["export", str(root), *arguments, "--quiet"])
        assert done.exit_code == 0, done.output
    truth = (root / "truth.csv").read_text(encoding="utf-8").splitlines()
    of_others = "\n".join(line for line in truth if line.startswith(OTHER))
    own = {str(text) for (text,) in said if str(text) not in of_others}
    assert own
    return {CHILD, *PLANTED, *own}


def _show(
    root: Path,
    con: duckdb.DuckDBPyConnection,
    moments: dict[str, MomentRef],
    frames: dict[str, int],
) -> None:
    """Clips, pictures and sounds of both children, and their log."""
    clips = StudyClips(root)
    for moment in moments.values():
        media = f"{moment.recording_id}.mp4"
        clips.clip(media, moment.span, lead_ms=0, lag_ms=0)
        clips.log_opened(moment.recording_id, moment.utterance_id)
        write_opened(
            root,
            Opened("pi@example.org", "admin", "clip", moment.recording_id, moment.utterance_id),
        )
        frame_ms = frames[moment.recording_id]
        picture_file(root, con, moment, frame_ms, ImageVariant.FULL_FRAME)
        sound_file(root, con, moment)


def _write_about(root: Path, moments: dict[str, MomentRef]) -> None:
    """Marks, a playlist, questions and answers, a day apart so that a copy is kept."""
    for day in (1, 2, 3):
        now = datetime(2026, 1, day, tzinfo=timezone.utc)
        store = PeopleStore(people_store(root).path, partial(_given, now))
        for child, moment in moments.items():
            mark = "zyx" if child == CHILD else "kept"
            add_note(store, moment, f"{mark}note {day}")
            add_tag(store, moment, f"{mark}tag")
            star(store, moment)
            add_to_playlist(store, make_playlist(store, f"{mark}playlist"), [moment])
        if day == 1:
            _ask(store, moments)
    playlist = f"both, {CHILD} first"
    add_to_playlist(store, make_playlist(store, playlist), [moments[CHILD], moments[OTHER]])


def _given(now: datetime) -> datetime:
    return now


def _ask(store: PeopleStore, moments: dict[str, MomentRef]) -> None:
    def question(name: str, first: str, other: str) -> Item:
        options = tuple(
            ItemOption(moments[child], "zyxheard" if child == CHILD else "ball", 500, 0.2)
            for child in (first, other, other, other)
        )
        return Item(name, TrialMode.IMAGES, Part.MAIN, options[0].text, options)

    items = [
        question("i1", CHILD, OTHER),
        question("i2", OTHER, CHILD),
        question("i3", OTHER, OTHER),
    ]
    set_id = add_set(
        store,
        name="Set",
        kind=SetKind.FOUR_CHOICES,
        settings=json.dumps({"children": [CHILD]}),
        items=items,
        placed=[PlacedItem(0, i + 1, item.item_id, (0, 1, 2, 3)) for i, item in enumerate(items)],
    )
    rater_id = add_rater(store, set_id, "r", list_number=0, is_simulated=True, source="test")
    with store.reading() as con:
        trials = [int(row[0]) for row in con.execute("SELECT trial_id FROM trials")]
    for trial_id in trials:
        save_answer(
            store,
            rater_id,
            trial_id,
            selected_position=1,
            rt_ms=900.0,
            app_version="test",
        )


def _plant_files(root: Path) -> None:
    """Files that hold both children, and things a lab may keep beside them."""
    metadata, sets = root / "metadata", root / "annotations"
    with (metadata / "contexts.csv").open("a") as file:
        file.write(f"{CHILD}_01,70000,71000,zyxplace,zyxplace\r\n")
        file.write(f"{OTHER}_01,70000,71000,keptplace,keptplace\r\n")
    _write(
        metadata / "scores" / "other.csv",
        "video_name,utterance_start_time,utterance_end_time,utterance,clip_score_max\n"
        f'{CHILD}_01.mp4,1,2,zyxscore,0.1\n{OTHER}_01.mp4,1,2,"kept,\nscore",0.1\n',
    )
    _write(
        metadata / "captions" / "val_captions.json",
        json.dumps(
            {
                f"{CHILD}_01": {"audio_captions": ["zyxcaption"]},
                f"{OTHER}_01": {"audio_captions": ["keptcaption"]},
            }
        ),
    )
    _write(
        sets / "both" / "raw" / "everybody.rttm",
        f"SPEAKER {CHILD}_01 1 1.0 1.0 <NA> <NA> KCHI <NA> <NA>\n"
        f"SPEAKER {OTHER}_01 1 1.0 1.0 <NA> <NA> KCHI <NA> <NA>\n",
    )
    _write(
        sets / "saycam" / "raw" / "train.json",
        json.dumps(
            {
                "data": [
                    {"video_filename": f"{child}_01.mp4", "utterance": word}
                    for child, word in ((CHILD, "zyxheard"), (OTHER, "keptheard"))
                ]
            }
        ),
    )
    _write(
        sets / "eaf" / "raw" / "first visit.eaf",
        f'<A MEDIA_URL="file:///x/{CHILD}_02.mp4"/>zyxheard',
    )
    _write(root / "derived" / "probes" / "m" / "x" / "texts.txt", "zyxheard")
    _write(root / "derived" / "something new" / "kept.bin", "zyxheard")
    _write(root / "derived" / "word_errors" / "set.csv", f"recording_id\n{CHILD}_01\n")
    _write(root / "derived" / "logs" / "more.jsonl", json.dumps({"of": f"{CHILD}_02"}) + "\n{}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
