"""Words of recordings that allow scores only are in no store, and a store that has them closes."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import StoreError
from pipeline.store import shards
from pipeline.store.align_shards import write_alignment
from pipeline.store.fill import ShardSet
from pipeline.store.layout import ShardFolder, Stage
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.publish import publish
from pipeline.study import Study, open_study
from tests import fakes
from tests.store.test_publish import run_record

IDS = ("r1", "r2", "r3")
ROOT = Path(__file__).parents[2]


def study_with(root: Path, permissions: tuple[str, str, str]) -> Study:
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    (root / "metadata" / "children.csv").write_text("child_id\nC1\n")
    rows = [f"C1,{name}.mp4,{p}" for name, p in zip(IDS, permissions, strict=True)]
    header = "child_id,recording_filename,permission"
    (root / "metadata" / "recordings.csv").write_text("\n".join([header, *rows]) + "\n")
    for name in IDS:
        path = root / "recordings" / "raw" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return open_study(root)


def published(study: Study, second: int) -> Path:
    paths: dict[Stage, list[Path]] = {stage: [] for stage in Stage}
    for recording_id, result in zip(IDS, fakes.alignment(IDS), strict=True):
        said = fakes.transcript(recording_id)
        for stage in Stage:
            paths[stage].append(ShardFolder(study.derived, stage, "f").shard(recording_id, "d"))
        shards.write_transcript(paths[Stage.SPEECH][-1], said)
        shards.write_frames(paths[Stage.VISION][-1], fakes.frames(recording_id))
        shards.write_texts(paths[Stage.TEXT][-1], fakes.texts(said))
        write_alignment(paths[Stage.ALIGN][-1], result)
    found = ShardSet(*(tuple(paths[stage]) for stage in Stage))
    return publish(study, found, [], [], run_record(second))


def words_of(store: Path) -> dict[str, tuple[int, int, int]]:
    """(utterances, those with a text, rows of words) by recording."""
    with duckdb.connect(str(store), read_only=True) as con:
        return {
            str(row[0]): (int(row[1]), int(row[2]), int(row[3]))
            for row in con.execute(
                "SELECT recording_id, count(*), count(*) FILTER (text <> ''), "
                "(SELECT count(*) FROM words w WHERE w.recording_id = u.recording_id) "
                "FROM utterances u GROUP BY recording_id"
            ).fetchall()
        }


def test_a_store_has_numbers_but_no_words_where_only_scores_are_allowed(tmp_path: Path) -> None:
    store = published(study_with(tmp_path / "s", ("media", "scores_only", "excerpts")), 0)
    counts = words_of(store)
    assert {name: n for name, (n, _, _) in counts.items()} == dict.fromkeys(IDS, 4)
    assert counts["r2"] == (4, 0, 0)
    for name in ("r1", "r3"):
        assert counts[name][1] == 4
        assert counts[name][2] > 0
    with duckdb.connect(str(store), read_only=True) as con:
        scored = con.execute(
            "SELECT count(DISTINCT recording_id::VARCHAR), sum(n_words) FROM scores_wide"
        ).fetchone()
    assert scored is not None
    assert scored[0] == 3


def test_a_store_with_words_that_may_not_be_shown_any_more_is_closed_until_published_anew(
    tmp_path: Path,
) -> None:
    root = tmp_path / "s"
    first = published(study_with(root, ("media", "media", "media")), 0)
    assert current_store_path(root) == first
    cut = root / "derived" / "clips" / "0.mp4"
    cut.parent.mkdir(parents=True)
    cut.write_bytes(b"clip")
    stricter = study_with(root, ("media", "scores_only", "media"))
    with pytest.raises(StoreError, match="1 recording"):
        current_store_path(root)
    second = published(stricter, 1)
    assert current_store_path(root) == second
    assert words_of(second)["r2"] == (4, 0, 0)
    assert list(stores_folder(root).glob("store-*.duckdb")) == [second]
    assert not cut.exists()

    cut.parent.mkdir(parents=True)
    cut.write_bytes(b"clip")
    looser = study_with(root, ("media", "excerpts", "media"))
    assert current_store_path(root) == second
    assert words_of(published(looser, 2))["r2"][1] == 4
    assert cut.exists()
    with (root / "metadata" / "recordings.csv").open("a") as file:
        file.write("C1,r4.mp4,scores_only\n")
    assert current_store_path(root) is not None


def test_nothing_opens_while_the_metadata_cannot_be_read(tmp_path: Path) -> None:
    root = tmp_path / "s"
    published(study_with(root, ("media", "media", "media")), 0)
    (root / "metadata" / "recordings.csv").write_text("nothing,useful\n1,2\n")
    with pytest.raises(StoreError, match="nothing is shown"):
        current_store_path(root)


def test_every_test_that_the_page_about_privacy_names_exists() -> None:
    text = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert len(named) >= 5
    for name in named:
        # A `conftest.py` holds what every test beside it does: the watch over a page's requests.
        folder = (ROOT / name).parent if name.endswith("/conftest.py") else ROOT / name
        texts = folder.glob("test_*.py") if folder.is_dir() else [folder]
        assert any("def test_" in path.read_text(encoding="utf-8") for path in texts), name
