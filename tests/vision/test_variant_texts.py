"""Texts made from the nouns of an utterance, and the norms that say which words are nouns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import Crop, Float32Array, ModelRef, TimeSpan, Utterance
from pipeline.results import ChildHubs, MeanVector, Transcript
from pipeline.score_settings import MADE_TEXTS, TextVariant
from pipeline.store.known_nouns import known_nouns, nouns_digest
from pipeline.store.setting_shards import read_hubs, read_variant, write_hubs, write_variant
from pipeline.vision.variant_texts import embed_variants, made_text
from tests import fakes

NOUNS, PHOTO = MADE_TEXTS


class CountingModel:
    """Gives every text a vector of its own and counts the batches."""

    ref: ModelRef = fakes.MODEL

    def __init__(self) -> None:
        self.batches: list[tuple[str, ...]] = []

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        self.batches.append(tuple(texts))
        seeds = [np.random.default_rng(list(text.encode())) for text in texts]
        return np.concatenate([fakes.unit_rows(seed, 1) for seed in seeds])


def write_norms(root: Path, rows: str) -> None:
    folder = root / "metadata" / "norms"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.csv").write_text("Word,Conc.M,Dom_Pos\n" + rows)


def said(*texts: str, language: str = "en") -> Transcript:
    utterances = tuple(
        Utterance(f"u{i}", "r", TimeSpan(i * 1000, i * 1000 + 500), text, language=language)
        for i, text in enumerate(texts)
    )
    return Transcript("r", fakes.MEDIA, utterances, "made up")


@pytest.mark.parametrize(
    ("text", "nouns", "photo"),
    [
        ("Look, a ball!", "ball", "a photo of a ball"),
        ("The DOGS and the apple?", "dogs apple", "a photo of some dogs"),
        ("Do you want some help?", "", ""),
        ("Ball.", "ball", "a photo of a ball"),
    ],
)
def test_texts_are_made_from_the_nouns(tmp_path: Path, text: str, nouns: str, photo: str) -> None:
    words = known_nouns(tmp_path)
    assert made_text(text, "en", NOUNS, words) == nouns
    assert made_text(text, "en", PHOTO, words) == photo
    assert made_text(text, "es", NOUNS, words) == made_text(text, "es", PHOTO, words) == ""


def test_norms_of_the_study_go_before_the_own_list(tmp_path: Path) -> None:
    before = nouns_digest(tmp_path)
    write_norms(tmp_path, "idea,1.6,Noun\nwug,4.9,Noun\nball,4.8,Verb\n")
    assert nouns_digest(tmp_path) != before
    words = known_nouns(tmp_path)
    assert made_text("an idea: two wugs, a ball", "en", NOUNS, words) == "idea"
    # An unknown form is its own lemma; the visible thing is named, though it comes second.
    assert made_text("an idea, a wug", "en", PHOTO, words) == "a photo of a wug"


def test_equal_texts_are_embedded_once_and_kept_in_files(tmp_path: Path) -> None:
    model = CountingModel()
    transcript = said("a ball", "The ball!", "oh", "ball and dog", "my ball")
    found = embed_variants(transcript, model, known_nouns(tmp_path), MADE_TEXTS)
    assert model.batches == [("ball", "ball dog", "a photo of a ball")]
    nouns, photo = found
    assert nouns.texts == ("ball", "ball", "", "ball dog", "ball")
    assert nouns.missing_reason == ("", "", "no_noun", "", "")
    assert nouns.vector_row.tolist() == [0, 0, -1, 1, 0]
    assert len(photo.vectors) == 1
    for one in found:
        path = tmp_path / f"{one.variant.value}.parquet"
        write_variant(path, one)
        back = read_variant(path)
        assert (back.texts, back.missing_reason) == (one.texts, one.missing_reason)
        assert (back.variant, back.model, back.utterance_ids) == (
            one.variant,
            one.model,
            one.utterance_ids,
        )
        assert np.array_equal(back.vector_row, one.vector_row)
        assert np.array_equal(back.vectors, one.vectors)


def test_a_recording_without_any_noun_is_kept_too(tmp_path: Path) -> None:
    model = CountingModel()
    for transcript in (said("oh", "no"), said()):
        (found,) = embed_variants(transcript, model, known_nouns(tmp_path), [NOUNS])
        write_variant(tmp_path / "x.parquet", found)
        back = read_variant(tmp_path / "x.parquet")
        assert back.vectors.shape == (0, fakes.DIM)
        assert back.texts == ("",) * len(transcript.utterances)
    assert model.batches == []


def test_mean_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    mean = MeanVector(np.linspace(0, 1, fakes.DIM).astype(np.float32), 7)
    hubs = ChildHubs("c/1", fakes.MODEL, {Crop.PAD: mean}, {TextVariant.PHOTO: mean})
    write_hubs(tmp_path / "h.parquet", hubs)
    back = read_hubs(tmp_path / "h.parquet")
    assert (back.child_id, back.model) == ("c/1", fakes.MODEL)
    for found in (back.frames[Crop.PAD], back.texts[TextVariant.PHOTO]):
        assert found.n == 7
        assert np.array_equal(found.vector, mean.vector)
