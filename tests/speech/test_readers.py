from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import TranscriptError
from pipeline.records import TimeSpan
from pipeline.speech.readers import READERS, reader_for
from pipeline.speech.readers.childproject_csv import ChildProjectCsv
from pipeline.speech.readers.reading import Reading
from pipeline.speech.readers.subtitles import Subtitles
from pipeline.speech.readers.whisper_json import WhisperJson
from pipeline.speech.segment import milliseconds

SRT = """1
00:00:01,000 --> 00:00:02,500
Look at the <i>ball</i>.

2
00:01:02,030 --> 01:00:00,000
FEM: Where is
it?
"""


def _read(reader, tmp_path: Path, content: str | bytes) -> Reading:
    path = tmp_path / "rec01.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reader.read(path)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('{"segments": []}', "Whisper JSON"),
        ('\n {"text": "long", "segments"', "Whisper JSON"),
        ("segment_onset,segment_offset,transcription\n", "ChildProject CSV"),
        ('"raw_filename";"segment_onset";"segment_offset";"transcription"\n', "ChildProject CSV"),
        (SRT, "subtitles"),
        ("WEBVTT\n\n", "subtitles"),
        ('{"name": "something else"}', None),
        ("segment_onset,segment_offset,speaker_type\n", None),
        ("SPEAKER rec01 1 0.5 1.0 <NA> <NA> FEM <NA> <NA>\n", None),
        ("Dear all,\n", None),
        ("", None),
    ],
)
def test_a_format_is_recognised_by_its_content(head: str, name: str | None) -> None:
    reader = reader_for(head)
    assert (reader.name if reader else None) == name


def test_every_reader_has_a_name_of_its_own() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, 0),
        (1.2345, 1_234),
        (0.0005, 0),
        (0.0015, 2),
        (1.0006, 1_001),
        (0.1 + 0.2, 300),
        (-0.5, -500),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (None, None),
    ],
)
def test_seconds_become_the_nearest_millisecond(seconds, expected) -> None:
    assert milliseconds(seconds) == expected


# Subtitles


def test_subtitles_give_text_times_and_speaker(tmp_path: Path) -> None:
    first, second = _read(Subtitles(), tmp_path, SRT).segments
    assert (first.row, first.onset_ms, first.offset_ms, first.text, first.speaker) == (
        2,
        1_000,
        2_500,
        "Look at the ball.",
        "",
    )
    assert (second.row, second.onset_ms, second.offset_ms) == (6, 62_030, 3_600_000)
    assert (second.text, second.speaker) == ("Where is it?", "FEM")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_line_end_and_encoding_reads_the_same(
    tmp_path: Path, line_end: str, encoding: str
) -> None:
    plain = _read(Subtitles(), tmp_path, SRT)
    content = SRT.replace("\n", line_end).encode(encoding)
    assert _read(Subtitles(), tmp_path, content) == plain


def test_latin1_is_read_and_said_so(tmp_path: Path) -> None:
    reading = _read(Subtitles(), tmp_path, "00:01.0 --> 00:02.0\nÜber café".encode("latin-1"))
    assert reading.is_latin1
    assert reading.segments[0].text == "Über café"
    windows = _read(Subtitles(), tmp_path, b"00:01.0 --> 00:02.0\ndon\x92t \x96 caf\xe9")
    assert windows.segments[0].text == "don’t – café"


@pytest.mark.parametrize(
    ("written", "text", "speaker"),
    [
        ("CHI:  ba ba", "ba ba", "CHI"),
        ("OCH: no", "no", "OCH"),
        ("MOT: here you go", "MOT: here you go", ""),
        ("Note: the dog", "Note: the dog", ""),
        ("[SPEAKER_01]: hi there", "hi there", "SPEAKER_01"),
        ('<font color="#fff">red</font> {\\an8}sky', "red sky", ""),
        ("3 < 4 and <laughs> stay", "3 < 4 and <laughs> stay", ""),
        ("- Yes.\n- No.", "- Yes. - No.", ""),
        ("AT&amp;T", "AT&amp;T", ""),
    ],
)
def test_prefixes_and_markup_of_subtitles(
    tmp_path: Path, written: str, text: str, speaker: str
) -> None:
    content = f"1\n00:00:01,000 --> 00:00:02,000\n{written}\n"
    (segment,) = _read(Subtitles(), tmp_path, content).segments
    assert (segment.text, segment.speaker) == (text, speaker)


def test_numbers_of_subtitles_are_not_taken_for_speech(tmp_path: Path) -> None:
    content = (
        "1\n00:00:01,000 --> 00:00:02,000\n3\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\nfour\n\nfive\n\n"
        "00:00:07,000 --> 00:00:08,000\n7\n"
    )
    assert [s.text for s in _read(Subtitles(), tmp_path, content).segments] == [
        "3",
        "",
        "four five",
        "7",
    ]


def test_webvtt_has_voices_notes_names_and_entities(tmp_path: Path) -> None:
    content = """WEBVTT - a talk
Language: en

NOTE
this is not said

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:0%
<v.loud Mother>Tom &amp; <c.yellow>Jerry</c> &lt;i&gt;

NOTE also not said

second
1:00:02.000 --> 1:00:03.000
<00:01:02.000>FEM: yes
"""
    first, second = _read(Subtitles(), tmp_path, content).segments
    assert (first.text, first.speaker, first.language) == ("Tom & Jerry <i>", "Mother", "en")
    assert (first.onset_ms, first.offset_ms, first.row) == (1_000, 2_500, 11)
    assert (second.text, second.speaker) == ("yes", "FEM")
    assert (second.onset_ms, second.offset_ms) == (3_602_000, 3_603_000)


def test_an_empty_webvtt_is_a_transcript_without_speech(tmp_path: Path) -> None:
    assert _read(Subtitles(), tmp_path, "WEBVTT\n").segments == ()


def test_times_of_subtitles_that_are_none_are_kept_as_a_problem_with_their_line(
    tmp_path: Path,
) -> None:
    content = SRT + "\n3\n00:00:xx,000 --> 00:00:09,000\nlost?\n"
    segment = _read(Subtitles(), tmp_path, content).segments[2]
    assert (segment.row, segment.onset_ms, segment.text) == (11, None, "lost?")
    assert "00:00:xx,000" in segment.problem


def test_a_file_without_subtitles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"rec01\.txt holds no subtitle"):
        _read(Subtitles(), tmp_path, "hello\n")


# Whisper JSON


def test_whisper_keeps_words_and_confidence(tmp_path: Path) -> None:
    document = {
        "text": " Look here.",
        "language": "en",
        "segments": [
            {
                "id": 0,
                "start": 1.0,
                "end": 2.5,
                "text": " Look here.",
                "avg_logprob": -0.3,
                "no_speech_prob": 0.02,
                "compression_ratio": 1.1,
                "words": [
                    {"word": " Look", "start": 1.0, "end": 1.4, "probability": 0.9},
                    {"word": " here.", "start": 1.4, "end": 1.4, "probability": 0.8},
                ],
            }
        ],
    }
    reading = _read(WhisperJson(), tmp_path, json.dumps(document))
    (segment,) = reading.segments
    assert (segment.onset_ms, segment.offset_ms, segment.text) == (1_000, 2_500, "Look here.")
    assert (segment.mean_logprob, segment.no_speech_prob) == (-0.3, 0.02)
    assert (segment.compression_ratio, segment.language) == (1.1, "en")
    look, here = segment.words
    assert (look.text, look.span, look.probability) == ("Look", TimeSpan(1_000, 1_400), 0.9)
    assert (here.text, here.span, here.probability) == ("here.", None, 0.8)


def test_whisperx_words_may_lack_times_and_have_speakers(tmp_path: Path) -> None:
    document = {
        "segments": [
            {
                "start": 0.5,
                "end": 1.5,
                "text": "see 3 cats",
                "speaker": "SPEAKER_00",
                "words": [
                    {"word": "see", "start": 0.5, "end": 0.7, "score": 0.0, "speaker": "x"},
                    {"word": "3"},
                    {"word": "cats", "start": 1.0, "end": 0.9, "score": 0.8},
                    {"word": " "},
                    "junk",
                ],
            }
        ],
        "word_segments": [],
        "language": "de",
    }
    (segment,) = _read(WhisperJson(), tmp_path, json.dumps(document)).segments
    assert [(w.text, w.span, w.probability) for w in segment.words] == [
        ("see", TimeSpan(500, 700), 0.0),
        ("3", None, None),
        ("cats", None, 0.8),
    ]
    assert (segment.speaker, segment.language, segment.mean_logprob) == ("SPEAKER_00", "de", None)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('{"start": NaN, "end": 2, "text": "a"}', "start is nan"),
        ('{"start": 1, "end": Infinity, "text": "a"}', "end is inf"),
        ('{"start": 1, "text": "a"}', "end is missing"),
        ('{"start": "one", "end": 2, "text": "a"}', "start is 'one'"),
        ('{"start": true, "end": 2, "text": "a"}', "start is True"),
        ('{"start": 1, "end": 2, "text": ["a"]}', "text is a list"),
        ('{"start": 1e400, "end": 2, "text": "a"}', "start is inf"),
        (f'{{"start": 1{"0" * 400}, "end": 2, "text": "a"}}', "start is 1000"),
        ('"a"', "not an object"),
        ("null", "not an object"),
    ],
)
def test_a_bad_segment_of_json_is_kept_as_a_problem(
    tmp_path: Path, entry: str, problem: str
) -> None:
    good = '{"start": 0, "end": 1, "text": "fine"}'
    reading = _read(WhisperJson(), tmp_path, f'{{"segments": [{good}, {entry}]}}')
    assert reading.row_noun == "segment"
    assert [s.row for s in reading.segments] == [1, 2]
    assert not reading.segments[0].problem
    assert problem in reading.segments[1].problem


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"segments": [{"start": 1', "not valid JSON"),
        ('{"text": "no list"}', 'no list "segments"'),
        ('{"segments": {}}', 'no list "segments"'),
        ("[1, 2]", 'no list "segments"'),
        ("[" * 200_000, "not valid JSON"),
        ("9" * 5_000, "not valid JSON"),
        (b"\x00\x01\x02", "not a text file"),
        (b"", "not valid JSON"),
    ],
)
def test_json_that_is_no_transcript_is_refused_by_name(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(TranscriptError, match=message) as refusal:
        _read(WhisperJson(), tmp_path, content)
    assert "rec01.txt" in refusal.value.message
    assert refusal.value.hint


def test_a_missing_file_is_a_transcript_error(tmp_path: Path) -> None:
    for reader in READERS:
        with pytest.raises(TranscriptError, match=r"gone\.json cannot be read"):
            reader.read(tmp_path / "gone.json")


# ChildProject CSV

HEADER = "raw_filename,segment_onset,segment_offset,speaker_type,transcription\n"


def test_childproject_rows_give_times_in_ms_speaker_and_recording(tmp_path: Path) -> None:
    content = HEADER + 'rec01.cha,1000,2500.4,FEM,"Look, a ball."\nrec02.cha,0,10,NA,hm\n'
    first, second = _read(ChildProjectCsv(), tmp_path, content).segments
    assert (first.row, first.onset_ms, first.offset_ms) == (2, 1_000, 2_500)
    assert (first.text, first.speaker, first.belongs_to) == ("Look, a ball.", "FEM", "rec01.cha")
    assert (second.row, second.speaker, second.belongs_to) == (3, "", "rec02.cha")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_childproject_csv_in_any_dialect(tmp_path: Path, delimiter: str, line_end: str) -> None:
    content = (HEADER + "rec01,0,900,CHI,no\n").replace(",", delimiter).replace("\n", line_end)
    (segment,) = _read(ChildProjectCsv(), tmp_path, b"\xef\xbb\xbf" + content.encode()).segments
    assert (segment.offset_ms, segment.text) == (900, "no")


@pytest.mark.parametrize(
    ("cell", "text"), [("NA", ""), ("", ""), ("NaN", ""), ("none", "none"), ("nan", "nan")]
)
def test_words_that_look_like_missing_values_are_words(
    tmp_path: Path, cell: str, text: str
) -> None:
    (segment,) = _read(ChildProjectCsv(), tmp_path, f"{HEADER}r,0,9,NA,{cell}\n").segments
    assert segment.text == text


@pytest.mark.parametrize("cell", ["", "NA", "nan", "inf", "1:02", "1e99"])
def test_a_time_that_is_no_number_is_a_problem_with_its_line(tmp_path: Path, cell: str) -> None:
    content = f'{HEADER}r,5,10,NA,"two\nlines"\nr,5,{cell},FEM,hi\n'
    segment = _read(ChildProjectCsv(), tmp_path, content).segments[1]
    assert segment.row == 4
    assert segment.problem == f"segment_offset is {cell!r}, not a time in ms"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("segment_onset,segment_offset\n1,2\n", "lacks the column transcription"),
        ("", "is empty"),
        (HEADER + "r,0,9,NA,hi,there,you\n", "line 2: 7 cells under 5 columns"),
        ("segment_onset,segment_onset,transcription\n", "twice"),
        (HEADER + 'r,0,9,NA,"' + "x" * 200_000 + '"\n', "field larger"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(TranscriptError, match=message):
        _read(ChildProjectCsv(), tmp_path, content)
