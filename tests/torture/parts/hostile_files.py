"""Files made to hurt: each is read right or refused in a sentence, and none takes others along."""

from __future__ import annotations

import io
import random
import shutil
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from tests.torture import Count, Plan
from tests.torture.hostile.databases import make_studies as make_people
from tests.torture.hostile.documents import (
    Document,
    archives,
    crafted_annotations,
    whole_documents,
)
from tests.torture.hostile.reading import HostileFile, Reader
from tests.torture.hostile.recordings import KINDS, make_recording, make_recordings
from tests.torture.hostile.spoilt import WAYS
from tests.torture.hostile.studies import make_studies

TITLE = "Hostile files"
_SMALL_KINDS = ("mpeg4.avi", "mpeg2.ts", "pcm.wav")
_SMALL_SPOILT = 8
_SPOILT_DATABASES = 400


def run(plan: Plan) -> Iterator[Count]:
    """Rows of recordings, pictures, transcripts and tables, archives, and metadata."""
    began = time.monotonic()
    chance = random.Random(plan.seed)
    n = _SMALL_SPOILT if plan.small else None
    # What was made by hand comes first, as it comes to an end by itself.
    rows: tuple[tuple[str, float, Iterator[HostileFile]], ...] = (
        ("studies that name what they should not", 0.3, _studies(plan, n)),
        ("people's files spoilt and made to hurt", 0.4, _people(plan, chance, n)),
        ("transcripts made to hurt", 0.5, _written(plan, _few(crafted_annotations(), n))),
        ("zips and workbooks made to hurt", 0.6, _written(plan, _few(archives(), n))),
        ("pictures spoilt", 0.65, _pictures(plan, chance, n)),
        ("transcripts and tables spoilt", 0.75, _spoilt_documents(plan, chance, n)),
        ("recordings spoilt", 1.0, _recordings(plan, chance, n)),
    )
    reader = Reader(plan.folder / "reader")
    try:
        for what, share, files in rows:
            # A small run is bounded by its numbers.
            until_s = began + (60.0 if plan.small else plan.seconds * share)
            yield reader.read_all(files, until_s).count(what)
    finally:
        reader.close()


def _recordings(plan: Plan, chance: random.Random, n: int | None) -> Iterator[HostileFile]:
    folder = _folder(plan, "recordings")
    if plan.small:
        whole = [make_recording(kind, folder / kind) for kind in _SMALL_KINDS if kind in KINDS]
    else:
        whole = list(make_recordings(folder))
    contents = [path.read_bytes() for path in whole]
    names = [path.name for path in whole]
    yield from _spoilt(folder, "recording", names, contents, chance, n)


def _pictures(plan: Plan, chance: random.Random, n: int | None) -> Iterator[HostileFile]:
    folder = _folder(plan, "pictures")
    contents = []
    for kind in ("JPEG", "PNG"):
        out = io.BytesIO()
        Image.effect_noise((64, 48), 90).convert("RGB").save(out, format=kind)
        contents.append(out.getvalue())
    # A picture of 60,000 x 60,000 in a few kilobytes.
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = contents[-1]
    bomb = folder / "bomb.png"
    bomb.write_bytes(png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:])
    yield HostileFile("picture", bomb)
    limit = n if n is not None else 2_000
    yield from _spoilt(folder, "picture", ("0.jpg", "0.png"), contents, chance, limit)


def _spoilt_documents(plan: Plan, chance: random.Random, n: int | None) -> Iterator[HostileFile]:
    whole = whole_documents(3 if plan.small else 30)
    contents = list(whole.values())
    # Without a seed of the whole ones, "half a UTF-16 file" would never be tried.
    contents += [one.decode().encode("utf-16") for one in contents]
    names = [f"rec01-{place}" for place in range(len(contents))]
    limit = 4 * n if n is not None else None
    folder = _folder(plan, "documents")
    yield from _spoilt(folder, "annotations", names, contents, chance, limit)


def _studies(plan: Plan, n: int | None) -> Iterator[HostileFile]:
    for place, root in enumerate(make_studies(_folder(plan, "studies"))):
        if n is None or place % 6 == 0:
            yield HostileFile("study", root)


def _people(plan: Plan, chance: random.Random, n: int | None) -> Iterator[HostileFile]:
    limit = n if n is not None else _SPOILT_DATABASES
    for root in make_people(_folder(plan, "people"), chance, limit, is_small=plan.small):
        yield HostileFile("people", root)
        shutil.rmtree(root)


def _spoilt(
    folder: Path,
    kind: str,
    names: Sequence[str],
    contents: Sequence[bytes],
    chance: random.Random,
    limit: int | None,
) -> Iterator[HostileFile]:
    """Files spoilt in each way in turn, without end unless there is a limit."""
    number = 0
    while limit is None or number < limit:
        place = number % len(contents)
        way = WAYS[(number // len(contents) + number) % len(WAYS)]
        path = folder / f"{number}-{way.__name__}-{names[place]}"
        path.write_bytes(way(contents[place], contents, chance))
        yield HostileFile(kind, path)
        path.unlink()
        number += 1


def _written(plan: Plan, documents: Iterator[Document]) -> Iterator[HostileFile]:
    folder = _folder(plan, "made")
    for name, kind, content in documents:
        path = folder / name
        path.write_bytes(content)
        yield HostileFile(kind, path)
        path.unlink()


def _few(documents: Iterator[Document], n: int | None) -> Iterator[Document]:
    """All, or every so many of the smaller ones."""
    if n is None:
        return documents
    return (one for place, one in enumerate(documents) if place % 3 == 0 and len(one[2]) < 1 << 20)


def _folder(plan: Plan, name: str) -> Path:
    folder = plan.folder / name
    folder.mkdir(exist_ok=True)
    return folder
