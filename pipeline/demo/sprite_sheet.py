"""The drawings of the objects: three designs of every word, cut from small sprite sheets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.vocabulary import word_names
from pipeline.errors import SettingsError, StudyError

SPRITE_FOLDER = Path(__file__).parent / "sprites"
CELL_PX = 128
COLUMNS = 8

TRAINING_DESIGNS: tuple[str, ...] = ("noto", "fluent")
HELD_OUT_DESIGN = "twemoji"
"""The design that no training scene shows: what a model does with it was not memorised."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SpriteSheet:
    """One picture per design; every cell is ``CELL_PX`` square, in the order of ``words``."""

    words: tuple[str, ...]
    designs: tuple[str, ...]
    pictures: tuple[Pixels, ...]

    def sprite(self, word: str, design: str) -> Pixels:
        """The drawing as uint8 RGBA (128, 128, 4), alpha not premultiplied, read-only.

        Raises SettingsError for a word or design that the sheets do not hold.
        """
        if design not in self.designs:
            raise SettingsError(
                f'There is no sprite design "{design}".', hint=f"Use {', '.join(self.designs)}."
            )
        if word not in self.words:
            raise SettingsError(
                f'The sprite sheets hold no drawing of "{word}".',
                hint="Use a word of pipeline.demo.vocabulary.word_names().",
            )
        row, column = divmod(self.words.index(word), COLUMNS)
        top, left = row * CELL_PX, column * CELL_PX
        picture = self.pictures[self.designs.index(design)]
        return picture[top : top + CELL_PX, left : left + CELL_PX]


@cache
def load_sprites() -> SpriteSheet:
    """The shipped sheets, read once per process.

    Raises StudyError when the sheets were made for another vocabulary.
    """
    from PIL import Image

    words = tuple((SPRITE_FOLDER / "words.txt").read_text("utf-8").split())
    if words != word_names():
        raise StudyError(
            f"{SPRITE_FOLDER / 'words.txt'} does not list the words of the vocabulary.",
            hint="Rebuild the sheets with `python -m pipeline.demo.make_sprites`.",
        )
    designs = (*TRAINING_DESIGNS, HELD_OUT_DESIGN)
    pictures: list[Pixels] = []
    for design in designs:
        with Image.open(SPRITE_FOLDER / f"{design}.webp") as image:
            picture = np.asarray(image.convert("RGBA"), dtype=np.uint8)
        picture.flags.writeable = False
        pictures.append(picture)
    return SpriteSheet(words=words, designs=designs, pictures=tuple(pictures))
