"""A probe of one scorer of a study, from its store to files under derived/probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import duckdb

from pipeline.errors import ModelError, ProbeError
from pipeline.probes.blocks import measure, sampled_utterances
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.indices import indices
from pipeline.probes.read_material import read_material
from pipeline.probes.results import (
    SEARCH,
    TEXTS,
    FinishedProbe,
    ProbeFacts,
    ProbeFolder,
    ProbeIdentity,
)
from pipeline.probes.score_files import scored_variants
from pipeline.probes.search_sample import search_sample, write_searched
from pipeline.probes.settings import ProbeSettings
from pipeline.records import Float32Array, ModelRef
from pipeline.store.opening import open_current_store
from pipeline.study import Study


class TextModel(Protocol):
    """As much of an image-text model as a probe needs; see `ImageTextModel`."""

    @property
    def ref(self) -> ModelRef: ...

    def embed_texts(self, texts: Sequence[str]) -> Float32Array: ...


LoadModel = Callable[[], TextModel]


def run_probe(
    study: Study,
    settings: ProbeSettings,
    load_model: LoadModel,
    *,
    scorer: str = "",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> FinishedProbe:
    """Probe a scorer ("" for the store's own model), or read the probe if it was made before.

    load_model is called when texts must be encoded. Raises ProbeError for a scorer that is no
    image-text model and when nothing can be probed, ModelError when the model on this machine is
    not the one that scored the store, StoreError without a store.
    """
    with open_current_store(study.root) as con:
        name, revision = probed_scorer(con, scorer)
        found = con.execute("SELECT measured FROM store_info").fetchone()
        identity = ProbeIdentity(name, revision, "" if found is None else str(found[0]), settings)
        folder = ProbeFolder(study.derived, identity)
        finished = folder.finished()
        if finished is not None:
            folder.make_current()
            return finished
        model = checked_model(load_model, name, revision)
        material = read_material(con, name, settings, study.settings.speech.language)
    facts = ProbeFacts(material.counts, material.knowledge_sources)
    folder.begin(sampled_utterances(material), facts)
    encodings = TextEncodings(model.embed_texts)
    measured = measure(material, encodings, settings, folder.keep(), on_progress)
    folder.finish(scored_variants(material, encodings), indices(measured, settings))
    folder.make_current()
    whole = folder.finished()
    assert whole is not None
    return whole


def run_search(
    study: Study,
    probe: FinishedProbe,
    load_model: LoadModel,
    n: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> FinishedProbe:
    """Search favourite sentences for n utterances of a finished probe and write them beside it.

    Texts that were encoded are kept for the next search. Raises ModelError as `run_probe`.
    """
    identity, settings = probe.identity, probe.identity.settings
    model = checked_model(load_model, identity.scorer, identity.revision)
    with open_current_store(study.root) as con:
        language = study.settings.speech.language
        material = read_material(con, identity.scorer, settings, language)
    encodings = TextEncodings(model.embed_texts)
    texts = probe.folder / TEXTS
    encodings.load(texts)
    found = search_sample(material, encodings, probe.s0, settings, n, on_progress)
    encodings.save(texts)
    write_searched(probe.folder / SEARCH, found)
    return probe


def probed_scorer(con: duckdb.DuckDBPyConnection, scorer: str = "") -> tuple[str, str]:
    """Name and revision of a scorer that has a text encoder; "" is the first of the store. Of a
    further setting of a score the model behind it is meant.

    Raises ProbeError for others: their scores were made elsewhere, without vectors.
    """
    rows = con.execute(
        "SELECT scorer, revision, dim, coalesce(base_scorer, scorer) FROM models ORDER BY scorer"
    ).fetchall()
    models = {
        str(name): str(revision) for name, revision, dim, base in rows if dim and name == base
    }
    scorer = next((str(base) for name, _, _, base in rows if name == scorer), scorer)
    if not models:
        raise ProbeError(
            "The store has no scores of an image-text model.",
            hint="Probing changes words and scores them again; imported scores cannot be made "
            "anew. Run the study with a model.",
        )
    if not scorer:
        return next(iter(models.items()))
    if scorer in models:
        return scorer, models[scorer]
    if any(name == scorer for name, *_ in rows):
        raise ProbeError(
            f"The scores of {scorer} were imported: there is no model to score changed words with.",
            hint=f"Scorers that can be probed: {', '.join(models)}.",
        )
    raise ProbeError(
        f"The store has no scorer {scorer!r}.",
        hint=f"Scorers that can be probed: {', '.join(models)}.",
    )


def checked_model(load_model: LoadModel, scorer: str, revision: str) -> TextModel:
    """The model, if it is the one that scored the store."""
    model = load_model()
    if model.ref.scorer != scorer or model.ref.revision != revision:
        is_other = model.ref.scorer != scorer
        raise ModelError(
            f"The frames of this store were embedded by {scorer}; study.toml now names "
            f"{model.ref.scorer if is_other else 'other weights of it'}.",
            hint="Run the study again, or set [model] back to what the store was made by.",
        )
    return model
