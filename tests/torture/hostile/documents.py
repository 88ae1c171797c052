"""Transcripts, tables and archives made to hurt."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from benchmarks.import_speed import WRITERS

_BIG = 10_000_000
_MB = 1 << 20

Document = tuple[str, str, bytes]
"""File name, kind as in `reading_child.KINDS`, content."""


def whole_documents(n_rows: int = 30) -> dict[str, bytes]:
    """One whole file of each format that is read."""
    return {name: "".join(write(n_rows)).encode() for name, write in WRITERS.items()}


def crafted_annotations() -> Iterator[Document]:
    """Files made by hand to take memory, time or other files."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    eaf = '<ANNOTATION_DOCUMENT xmlns:x="y"><HEADER/><TIME_ORDER/>{}</ANNOTATION_DOCUMENT>'
    texts = {
        "laughs.eaf": f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'
        + eaf.format("&l11;"),
        "external.eaf": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">'
        "]>" + eaf.format("&x;"),
        "parameter.eaf": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY % x SYSTEM '
        '"http://127.0.0.1:9/x.dtd">%x;]>' + eaf.format(""),
        "dtd.eaf": '<?xml version="1.0"?><!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">'
        + eaf.format(""),
        "deep.eaf": "<ANNOTATION_DOCUMENT>" + "<TIER>" * 200_000,
        "wide.eaf": "<ANNOTATION_DOCUMENT " + " ".join(f'a{n}="1"' for n in range(50_000)) + "/>",
        "quadratic.eaf": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "'
        + "a" * 100_000
        + '">]>'
        + eaf.format("&a;" * 10_000),
        "deep.json": '{"segments": ' + "[" * 500_000,
        "deep-objects.json": '{"segments": ' + '{"a":' * 200_000,
        "digits.json": '{"segments": [{"start": ' + "9" * 100_000 + ', "end": 1, "text": "a"}]}',
        "infinite.json": '{"segments": [{"start": -Infinity, "end": 1e999, "text": "a"}, '
        '{"start": NaN, "end": 2, "text": "b"}]}',
        "field.json": '{"segments": [{"start": 0, "end": 1, "text": "' + "a" * _BIG + '"}]}',
        "surrogate.json": '{"segments": [{"start": 0, "end": 1, "text": "\\ud800"}]}',
        "field.csv": "segment_onset,segment_offset,speaker_type,transcription\n0,1000,FEM,"
        + "a" * _BIG,
        "columns.csv": "segment_onset,segment_offset,speaker_type,transcription,"
        + ",".join(f"c{n}" for n in range(200_000))
        + "\n0,1,FEM,a",
        "quote.csv": 'segment_onset,segment_offset,speaker_type,transcription\n0,1,FEM,"'
        + "a\n" * 2_000_000,
        "short.csv": "segment_onset,segment_offset,speaker_type,transcription\n0\n\n1,2\n",
        "huge.csv": "segment_onset,segment_offset,speaker_type,transcription\n"
        "1e308,1e309,FEM,a\n-1e308,inf,FEM,b\nnan,nan,FEM,c\n99999999999999999999,1,FEM,d\n",
        "line.srt": "1\n00:00:01,000 --> 00:00:02,000\n" + "a" * _BIG,
        "huge.srt": "1\n99999999999:00:01,000 --> 99999999999:00:02,000\nhi\n",
        "tags.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<v a>" * 200_000,
        "huge.TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n'
        "xmax = 1e308\ntiers? <exists>\nsize = 999999999999\nitem []:\n",
        "short.TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\nnan\n'
        "<exists>\n9",
        "bullets.cha": "@UTF8\n@Begin\n*CHI:\t" + "hi \x1599999999999999_1\x15 " * 20_000,
        "brackets.cha": "@UTF8\n@Begin\n@Participants:\tCHI\n*CHI:\t" + "[" * 200_000 + "\n@End",
        "numbers.rttm": "SPEAKER a 1 1e308 1e308 <NA> <NA> FEM <NA> <NA>\n"
        "SPEAKER a 1 inf nan <NA> <NA> FEM <NA> <NA>\nSPEAKER a 1\n",
        "fields.rttm": "SPEAKER " + "a " * 1_000_000,
    }
    for name, text in texts.items():
        yield name, "annotations", text.encode("utf-8", "surrogatepass")
    yield "nulls.srt", "annotations", b"1\n00:00:01,000 --> 00:00:02,000\nhi\0there\n" * 1_000
    yield "only-nulls.csv", "annotations", bytes(_BIG)
    yield "utf16-half.srt", "annotations", b"\xff\xfe1\x00\n\x000"
    yield "utf32.vtt", "annotations", "WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n".encode("utf-32")
    yield "empty", "annotations", b""
    yield (
        "contexts.csv",
        "contexts",
        (
            b"recording_id,onset_ms,offset_ms,activity\nrec01,1e308,inf,eat\nrec01,0,"
            + b"9" * 5_000
            + b",x\nrec01\n"
        ),
    )


def archives() -> Iterator[Document]:
    """Zips that unpack to much, elsewhere, or not at all."""
    bomb = _zip({"trials.csv": bytes(600 * _MB)})
    yield "bomb.zip", "rating files", bomb
    yield "bomb.xlsx", "table", _zip({"xl/worksheets/sheet1.xml": bytes(600 * _MB)})
    yield "nested.zip", "rating files", _zip({"a.zip": bomb, "trials.csv": b"set\n"})
    many = _zip({f"{n}.csv": b"" for n in range(20_000)})
    yield "many.zip", "rating files", many
    yield (
        "slip.zip",
        "rating files",
        _zip({"../../trials.csv": b"x", "/trials.csv": b"x", "..\\trials.csv": b"x"}),
    )
    yield "link.zip", "rating files", _zip_with_link("trials.csv", "/etc/passwd")
    whole = _zip({"trials.csv": b"set,list\n" * 1_000, "set.json": b"{}"})
    yield "cut.zip", "rating files", whole[: len(whole) // 2]
    for place in range(0, len(whole), 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        yield f"spoilt-{place}.zip", "rating files", bytes(spoilt)
    lying = whole.replace((9_000).to_bytes(4, "little"), (5).to_bytes(4, "little"))
    yield "lying.zip", "rating files", lying
    yield "not.xlsx", "table", b"PK\x03\x04" + bytes(1_000)
    book = _workbook()
    for place in range(0, len(book), 53):
        spoilt = bytearray(book)
        spoilt[place] ^= 0xFF
        yield f"spoilt-{place}.xlsx", "table", bytes(spoilt)


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _zip_with_link(name: str, target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        packed.writestr(link, target)
    return out.getvalue()


def _workbook() -> bytes:
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book = Workbook()
    book.active.append(["word", "aoa"])
    book.active.append(["dog", 12])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
