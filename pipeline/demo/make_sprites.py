"""Rebuild the sprite sheets from the published icon sets.

Run once, by hand, when the vocabulary changes; nothing at run time needs it. Unpack the npm
packages ``@iconify-json/noto``, ``@iconify-json/fluent-emoji`` and ``@iconify-json/twemoji``
side by side, install ``resvg-py`` and run

    python -m pipeline.demo.make_sprites --icons FOLDER

where FOLDER holds ``noto/``, ``fluent-emoji/`` and ``twemoji/``, each with the package's
``icons.json`` (and ``chars.json``, which names the icon of every code point).
"""

import argparse
import io
import json
from pathlib import Path

from PIL import Image

from pipeline.demo.sprite_sheet import CELL_PX, COLUMNS, SPRITE_FOLDER
from pipeline.demo.vocabulary import OBJECT_WORDS, ObjectWord

PACKAGE_BY_DESIGN = {"noto": "noto", "fluent": "fluent-emoji", "twemoji": "twemoji"}
_MARGIN_PX = 2
_OVERSAMPLING = 3
_WEBP_QUALITY = 88


def icon_names(noto_folder: Path) -> dict[str, str]:
    """Icon name by word. The three packages share names; only Noto lists the code points."""
    names: dict[str, str] = json.loads((noto_folder / "chars.json").read_text("utf-8"))
    found: dict[str, str] = {}
    for entry in OBJECT_WORDS:
        code_point = f"{ord(entry.emoji):x}"
        found[entry.word] = names.get(code_point) or names[f"{code_point}-fe0f"]
    return found


def draw(svg: str) -> Image.Image:
    """One sprite: the drawing without its empty border, centred in a square cell."""
    import resvg_py

    large_px = CELL_PX * _OVERSAMPLING
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=large_px, height=large_px))
    drawing = Image.open(io.BytesIO(png)).convert("RGBA")
    box = drawing.getchannel("A").point(lambda alpha: 255 if alpha > 16 else 0).getbbox()
    drawing = drawing.crop(box)
    scale = (CELL_PX - 2 * _MARGIN_PX) / max(drawing.size)
    size = (max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale)))
    drawing = drawing.resize(size, Image.Resampling.LANCZOS)
    cell = Image.new("RGBA", (CELL_PX, CELL_PX))
    cell.paste(drawing, ((CELL_PX - size[0]) // 2, (CELL_PX - size[1]) // 2))
    return cell


def svg_of(icons_path: Path, names: dict[str, str]) -> dict[str, str]:
    """Complete SVG documents by word, from one package's ``icons.json``."""
    package = json.loads(icons_path.read_text("utf-8"))
    documents: dict[str, str] = {}
    for word, name in names.items():
        icon = package["icons"][name]
        height = icon.get("height", package.get("height", 16))
        width = icon.get("width", package.get("width", height))
        documents[word] = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}">'
            f"{icon['body']}</svg>"
        )
    return documents


def sheet(words: tuple[ObjectWord, ...], documents: dict[str, str]) -> Image.Image:
    """All sprites of one design, row by row in the order of the vocabulary."""
    n_rows = -(-len(words) // COLUMNS)
    picture = Image.new("RGBA", (COLUMNS * CELL_PX, n_rows * CELL_PX))
    for index, entry in enumerate(words):
        row, column = divmod(index, COLUMNS)
        picture.paste(draw(documents[entry.word]), (column * CELL_PX, row * CELL_PX))
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the sprite sheets of the toy world.")
    parser.add_argument("--icons", type=Path, required=True, help="folder of unpacked packages")
    icons: Path = parser.parse_args().icons
    names = icon_names(icons / PACKAGE_BY_DESIGN["noto"])
    for design, package in PACKAGE_BY_DESIGN.items():
        documents = svg_of(icons / package / "icons.json", names)
        sheet(OBJECT_WORDS, documents).save(
            SPRITE_FOLDER / f"{design}.webp", quality=_WEBP_QUALITY, method=6
        )
    lines = "".join(f"{entry.word}\n" for entry in OBJECT_WORDS)
    (SPRITE_FOLDER / "words.txt").write_text(lines, "utf-8")


if __name__ == "__main__":
    main()
