"""What is written for annotators' tools comes back as it was, and opens in their libraries."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree
from praatio import textgrid
from pympi import Eaf

from pipeline.exchange.childproject import annotation_filename, segment_lines
from pipeline.exchange.eaf import EafHeader, eaf_lines
from pipeline.exchange.recording_files import FileStyle, media_folder, write_recording_files
from pipeline.exchange.scored_recordings import (
    RecordingFacts,
    ScoreChoice,
    ScoredRecording,
    ScoredUtterance,
    UtteranceScore,
)
from pipeline.exchange.subtitles import ScoresIn
from pipeline.exchange.tiers import speaker_tiers
from pipeline.speech.readers import reader_for
from tests.exchange.recordings_to_write import recording, recordings

SCHEMA = etree.XMLSchema(file=str(Path(__file__).with_name("eaf.xsd")))
MADE_AT = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def style(export_format: str, scores_in: ScoresIn = ScoresIn.NOWHERE) -> FileStyle:
    return FileStyle(
        export_format,
        ScoreChoice("clip"),
        "Coview 0",
        MADE_AT,
        'A & B "study"',
        scores_in=scores_in,
    )


def written(made: ScoredRecording, folder: Path, chosen: FileStyle) -> Path:
    (file,) = write_recording_files([made], chosen, folder)
    assert file.n_utterances == len(made.utterances)
    return file.path


def heard(path: Path) -> list[tuple[int | None, int | None, str, str]]:
    """Onset, offset, speaker and text of every segment our own reader finds in a file."""
    reader = reader_for(path.read_text(encoding="utf-8")[:60_000])
    assert reader is not None, path.name
    return sorted(
        (s.onset_ms or 0, s.offset_ms or 0, s.speaker or "NA", s.text)
        for s in reader.read(path).segments
    )


def said(made: ScoredRecording, replaced: str = "") -> list[tuple[int, int, str, str]]:
    return sorted(
        (
            u.onset_ms,
            u.offset_ms,
            u.speaker,
            "".join("\ufffd" if c in replaced else c for c in u.text),
        )
        for u in made.utterances
    )


@settings(max_examples=40)
@given(recordings)
def test_elan_files_are_valid_and_come_back_as_they_were(tmp_path_factory, made):
    path = written(made, tmp_path_factory.mktemp("eaf"), style("eaf"))
    SCHEMA.assertValid(etree.parse(str(path)))
    # XML has no place for these two; everything else is kept.
    assert heard(path) == said(made, "\ufffe\uffff")


@settings(max_examples=40)
@given(recordings)
def test_textgrids_come_back_as_they_were(tmp_path_factory, made):
    path = written(made, tmp_path_factory.mktemp("tg"), style("textgrid"))
    assert heard(path) == said(made)


@pytest.mark.parametrize(
    ("export_format", "scores_in"), [("srt", ScoresIn.NOWHERE), ("vtt", ScoresIn.NOTES)]
)
def test_subtitles_come_back_as_they_were(tmp_path_factory, export_format, scores_in):
    folder = tmp_path_factory.mktemp(export_format)

    @settings(max_examples=40)
    @given(recordings)
    def check(made: ScoredRecording) -> None:
        path = written(made, folder, style(export_format, scores_in))
        if made.utterances:
            assert heard(path) == said(made)

    check()


@settings(max_examples=40)
@given(recordings)
def test_childproject_segments_come_back_as_they_were(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("cp") / annotation_filename(made)
    path.write_text("".join(segment_lines(made, with_text=True)), encoding="utf-8", newline="")
    # ChildProject's words for "nothing was said".
    expected = [row for row in said(made) if row[3] not in ("NA", "NaN")]
    assert [row for row in heard(path) if row[3]] == expected


@settings(max_examples=40)
@given(recordings)
def test_no_tier_holds_overlapping_utterances_and_none_is_lost(made):
    tiers = speaker_tiers(made.utterances)
    assert {"FEM", "MAL", "CHI", "OCH", "NA"} <= {tier.name for tier in tiers}
    assert len({tier.name for tier in tiers}) == len(tiers)
    for tier in tiers:
        assert {u.speaker for u in tier.utterances} <= {tier.speaker}
        for first, second in pairwise(tier.utterances):
            assert first.offset_ms <= second.onset_ms
    placed = [u.utterance_id for tier in tiers for u in tier.utterances]
    assert sorted(placed) == sorted(u.utterance_id for u in made.utterances)


def two_at_once() -> ScoredRecording:
    score = UtteranceScore(2, 0.31249, 0.2, 0.1, 0.05, 4.2, 0.01)
    return recording(
        ScoredUtterance("u1", 1_000, 2_500, 'Look, a "ball" & <dog>', "FEM", score=score),
        ScoredUtterance("u2", 2_000, 2_001, "mm", "FEM", flags=("overlapping", "repetitive")),
        ScoredUtterance("u3", 2_500, 61_000, "ja — ſo", "FEM", score=score),
    )


def test_pympi_opens_the_elan_file_and_finds_scores_below_the_words(tmp_path: Path):
    path = written(two_at_once(), tmp_path, style("eaf"))
    eaf = Eaf(str(path))
    assert eaf.get_annotation_data_for_tier("FEM") == [
        (1_000, 2_500, 'Look, a "ball" & <dog>'),
        (2_500, 61_000, "ja — ſo"),
    ]
    assert eaf.get_annotation_data_for_tier("FEM-2") == [(2_000, 2_001, "mm")]
    assert eaf.get_ref_annotation_data_for_tier("max_cosine@FEM") == [
        (1_000, 2_500, "0.3125", 'Look, a "ball" & <dog>'),
        (2_500, 61_000, "0.3125", "ja — ſo"),
    ]
    assert [row[2] for row in eaf.get_ref_annotation_data_for_tier("max_z_sd@FEM")] == ["4.20"] * 2
    assert [row[2] for row in eaf.get_ref_annotation_data_for_tier("flags@FEM-2")] == [
        "overlapping repetitive"
    ]
    assert "max_cosine@FEM-2" not in eaf.get_tier_names()
    assert eaf.get_parameters_for_tier("FEM-2")["PARTICIPANT"] == "FEM"
    assert dict(eaf.properties)["Score"] == "clip, center crop, strict window"


def test_praatio_opens_the_textgrid_and_finds_the_same_tiers(tmp_path: Path):
    path = written(two_at_once(), tmp_path, style("textgrid"))
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True)
    assert grid.minTimestamp == 0
    assert grid.maxTimestamp == 61.0
    assert grid.tierNames[:5] == ("FEM", "max_cosine@FEM", "max_z_sd@FEM", "FEM-2", "flags@FEM-2")
    assert [tuple(entry) for entry in grid.getTier("FEM").entries] == [
        (0.0, 1.0, ""),
        (1.0, 2.5, 'Look, a "ball" & <dog>'),
        (2.5, 61.0, "ja — ſo"),
    ]
    for name in grid.tierNames:
        entries = grid.getTier(name).entries
        assert (entries[0].start, entries[-1].end) == (0.0, 61.0)
        assert all(a.end == b.start for a, b in pairwise(entries))


def test_a_recording_without_speech_gives_empty_tiers(tmp_path: Path):
    empty = recording()
    path = written(empty, tmp_path, style("textgrid"))
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == ("FEM", "MAL", "CHI", "OCH", "NA")
    assert grid.maxTimestamp == 60.0
    SCHEMA.assertValid(etree.parse(str(written(empty, tmp_path, style("eaf")))))


def test_scores_stand_in_notes_or_in_the_text_where_asked(tmp_path: Path):
    made = two_at_once()
    note = written(made, tmp_path, style("vtt", ScoresIn.NOTES)).read_text(encoding="utf-8")
    assert "\n\nNOTE max_cosine 0.3125, z 4.20\n\nu1\n00:00:01.000 --> 00:00:02.500\n" in note
    assert "NOTE no score (not scored)" in note
    text = written(made, tmp_path, style("srt", ScoresIn.TEXT)).read_text(encoding="utf-8")
    assert text.startswith("1\n00:00:01,000 --> 00:00:02,500\nFEM: Look, a")
    assert "[max_cosine 0.3125, z 4.20]\n" in text


def header_of(facts: RecordingFacts, folder: Path, study: Path) -> etree._Element:
    chosen = FileStyle("eaf", ScoreChoice("s"), "c", MADE_AT, "n", media_folder(folder, study))
    path = written(ScoredRecording(facts, ()), folder, chosen)
    document = etree.parse(str(path))
    SCHEMA.assertValid(document)
    return document.getroot().find("HEADER")


def test_media_are_linked_by_a_way_that_tells_nothing_about_the_machine(tmp_path: Path):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    inside = study / "derived" / "export-eaf"
    inside.mkdir(parents=True)
    elsewhere.mkdir()
    facts = RecordingFacts("r1", "C", 9, media_path="day 1/r1.MOV", permission="media")
    (media,) = header_of(facts, inside, study).findall("MEDIA_DESCRIPTOR")
    assert media.get("MEDIA_URL") == "../../recordings/raw/day%201/r1.MOV"
    assert media.get("MIME_TYPE") == "video/quicktime"
    (media,) = header_of(facts, elsewhere, study).findall("MEDIA_DESCRIPTOR")
    assert media.get("RELATIVE_MEDIA_URL") == media.get("MEDIA_URL") == "./r1.MOV"
    for path in (*inside.iterdir(), *elsewhere.iterdir()):
        assert str(tmp_path) not in path.read_text(encoding="utf-8")


def test_media_that_may_not_be_shown_are_not_linked(tmp_path: Path):
    facts = RecordingFacts("r1", "C", 9, media_path="r1.mp4", permission="scores_only")
    assert header_of(facts, tmp_path, tmp_path / "study").find("MEDIA_DESCRIPTOR") is None


def test_time_slots_are_in_order_of_time_and_every_id_is_used_once():
    text = "".join(eaf_lines(two_at_once(), EafHeader("c", MADE_AT)))
    root = etree.fromstring(text.encode())
    times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    assert times == sorted(times)
    assert len(times) == 6
    ids = [a.get("ANNOTATION_ID") for a in root.iter() if a.get("ANNOTATION_ID")]
    assert sorted(ids, key=lambda i: int(i[1:])) == [f"a{n}" for n in range(1, len(ids) + 1)]
    last = root.find("HEADER/PROPERTY[@NAME='lastUsedAnnotationId']")
    assert last is not None
    assert last.text == str(len(ids))


@pytest.mark.parametrize("export_format", ["eaf", "textgrid"])
def test_tiers_of_scores_are_counted_and_not_taken_for_speech(tmp_path: Path, export_format: str):
    path = written(two_at_once(), tmp_path, style(export_format))
    reader = reader_for(path.read_text(encoding="utf-8"))
    assert reader is not None
    reading = reader.read(path)
    assert len(reading.segments) == 3
    (notice,) = reading.notices
    assert (notice.code, notice.count) == ("tiers_not_speech", 5)


@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ('LINGUISTIC_TYPE_ID="score"', 'LINGUISTIC_TYPE_ID="scores"'),
        ('TIME_SLOT_REF2="ts6"', 'TIME_SLOT_REF2="ts7"'),
        ('ANNOTATION_ID="a2"', 'ANNOTATION_ID="a1"'),
        ('PARENT_REF="FEM"', 'PARENT_REF="MOT"'),
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a9"'),
        ('TIME_VALUE="1000"', 'TIME_VALUE="1.0"'),
    ],
)
def test_the_schema_sees_what_elan_would_refuse(part: str, broken: str):
    text = "".join(eaf_lines(two_at_once(), EafHeader("c", MADE_AT)))
    assert SCHEMA.validate(etree.fromstring(text.encode()))
    assert part in text
    assert not SCHEMA.validate(etree.fromstring(text.replace(part, broken).encode()))
