"""The search probe over some utterances of a sample, and over one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.probes.draws import stream
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.material import Material
from pipeline.probes.rows_files import damaged
from pipeline.probes.search import Favourite, SearchFrame, SearchSettings, favourite_sentence
from pipeline.probes.settings import ProbeSettings
from pipeline.store.sealed_files import read_summed_text, write_summed_text
from pipeline.word_knowledge import WordFacts, WordKnowledge

FEWEST_TIMES = 2
"""How often a word must be said to be in the vocabulary: misheard words are said once."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The favourite sentence for the best frame of one utterance."""

    recording_id: str
    utterance_id: str
    child_id: str
    text: str
    favourite: Favourite


def search_vocabulary(knowledge: WordKnowledge, language: str) -> tuple[WordFacts, ...]:
    """Words said at least FEWEST_TIMES in the language, without contractions, by alphabet."""
    tokens = sorted(
        token
        for (token, said_in), n in knowledge.counts.items()
        if said_in == language and n >= FEWEST_TIMES and "'" not in token
    )
    return tuple(knowledge.word(token, language) for token in tokens)


def search_utterance(
    material: Material,
    place: int,
    encodings: TextEncodings,
    s0: float,
    settings: SearchSettings = SearchSettings(),
) -> Searched:
    """Search for the best frame of one utterance."""
    utterance, frames = material.utterances[place], material.frames[place]
    said = search_vocabulary(material.knowledge, utterance.language)
    # Its own words too, however rare: the search must be able to say what was said.
    vocabulary = tuple(dict.fromkeys((*said, *utterance.words)))
    best = int(np.argmax(frames.window @ encodings.of([utterance.text])[0]))
    frame = SearchFrame(frames.window[best], material.hubs[utterance.child_id].frame, s0)
    found = favourite_sentence(frame, utterance.words, vocabulary, encodings, settings)
    return Searched(
        utterance.recording_id, utterance.utterance_id, utterance.child_id, utterance.text, found
    )


def search_sample(
    material: Material,
    encodings: TextEncodings,
    s0: float,
    settings: ProbeSettings,
    n: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Searched, ...]:
    """Search for n hits of the sample, drawn by the seed; fewer where there are not so many.

    The carriers and the words are English; utterances in other languages are not drawn.
    """
    hits = [
        place
        for place, utterance in enumerate(material.utterances)
        if utterance.z >= settings.hit_z and utterance.language in ("en", "")
    ]
    drawn = stream(settings.seed, "search").permutation(len(hits))[:n]
    places = sorted(hits[int(one)] for one in drawn)
    found = []
    for done, place in enumerate(places):
        on_progress(done, len(places))
        found.append(search_utterance(material, place, encodings, s0))
    on_progress(len(places), len(places))
    return tuple(found)


def write_searched(path: Path, searched: Sequence[Searched]) -> None:
    """Write what was found; see `read_searched`."""
    text = json.dumps([asdict(one) for one in searched], indent=1)
    write_summed_text(path, text)


def read_searched(path: Path) -> tuple[Searched, ...]:
    """What was found, empty when nobody searched; StoreError when the file is damaged."""
    if not path.is_file():
        return ()
    try:
        rows = json.loads(read_summed_text(path))
        return tuple(_searched(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise damaged(path) from problem


def _searched(row: dict[str, object]) -> Searched:
    favourite = row["favourite"]
    assert isinstance(favourite, dict)
    found = Favourite(
        **{**favourite, "words": tuple(favourite["words"]), "shared": tuple(favourite["shared"])}
    )
    return Searched(
        str(row["recording_id"]),
        str(row["utterance_id"]),
        str(row["child_id"]),
        str(row["text"]),
        found,
    )
