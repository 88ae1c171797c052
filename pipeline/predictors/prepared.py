"""The questions of the paper (Tan et al. 2025) and those a reviewer asks next, as models.

Every question has several versions that stand side by side: a claim that holds in one only is no
claim. Formulas are written as the lab writes them for lme4; on a study of one child, or with one
recording of each child, the random effects that cannot be told apart are left out, and the
version says so.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb

from pipeline.predictors.analysis import Analysis
from pipeline.predictors.choice import ScoreChoice
from pipeline.predictors.columns import CHILDREN
from pipeline.predictors.questions import (
    Grouping,
    about_age,
    about_contexts,
    about_duration,
    about_speakers,
    about_speakers_by_age,
    about_words,
    for_imported_scores,
)
from pipeline.published import PUBLISHED_SETTING, PUBLISHED_THRESHOLD, is_published_model
from pipeline.records import ModelRef

FRAMES_NOTE = (
    "The raw maximum grows with the number of frames even where nothing is aligned: the largest "
    "of ten cosines is larger than the largest of two. A longer utterance has more frames, so its "
    "raw maximum rises by chance alone. Only what is left with the frames as a covariate, against "
    "chance or in the mean over frames speaks for duration."
)
AGE_NOTE = (
    "A slope over ages mixes how each child changes with how children of different ages differ; "
    "the last version takes the two apart."
)


MAIN_VERSIONS = {
    question: tuple(f"{question}-{version}" for version in ("chance", "mean", "frames"))
    for question in ("duration", "words")
}
"""Question -> versions that answer it, the best first, where the first one, the paper's, cannot."""

QUESTION_NOTES = {"duration": FRAMES_NOTE, "words": FRAMES_NOTE, "age": AGE_NOTE}
"""What the reader of a question must know to read its versions."""


def prepared_analyses(con: duckdb.DuckDBPyConnection, choice: ScoreChoice) -> tuple[Analysis, ...]:
    """Every prepared question in all its versions, for one choice of utterances and score.

    Cheap: reads which model the scorer is and how many children and recordings there are. Whether
    the store holds speakers, ages or contexts is told when an analysis runs.
    """
    grouping = _grouping(con, choice)
    model = _model(con, choice.scorer)
    if model is not None and not model.dim:
        found = for_imported_scores(choice, grouping)
    else:
        found = [
            *about_speakers(choice, grouping, _is_published_share(model, choice)),
            *about_duration(choice, grouping, _is_published_score(model, choice)),
            *about_words(choice, grouping),
            *about_age(choice, grouping),
            *about_contexts("activity", choice, grouping),
            *about_contexts("location", choice, grouping),
            *about_speakers_by_age(choice, grouping),
        ]
    return tuple(
        replace(one, note=" ".join(filter(None, (one.note, grouping.note(one.formula)))))
        if one.unit != CHILDREN
        else one
        for one in found
    )


def _grouping(con: duckdb.DuckDBPyConnection, choice: ScoreChoice) -> Grouping:
    row = con.execute(
        f"""SELECT count(*), coalesce(CAST(sum(n) AS INTEGER), 0), coalesce(max(n), 0) FROM (
                SELECT child_id, count(DISTINCT recording_id) AS n FROM scores_wide
                WHERE scorer = $scorer AND {choice.condition.sql} GROUP BY child_id)""",
        {**choice.condition.params, "scorer": choice.scorer},
    ).fetchone()
    assert row is not None
    return Grouping(*row)


def _model(con: duckdb.DuckDBPyConnection, scorer: str) -> ModelRef | None:
    row = con.execute(
        "SELECT scorer, name, weights, revision, dim, image_size_px, preprocess, precision, "
        "default_threshold, threshold_source, coalesce(base_scorer, ''), "
        "coalesce(text_variant, 'raw'), coalesce(is_hub_corrected, FALSE) "
        "FROM models WHERE scorer = $scorer",
        {"scorer": scorer},
    ).fetchone()
    return ModelRef(*row) if row is not None else None


def _is_published_share(model: ModelRef | None, choice: ScoreChoice) -> bool:
    setting = (choice.crop, choice.window, choice.statistic, choice.scale)
    at_threshold = abs(choice.threshold - PUBLISHED_THRESHOLD) < 1e-9
    return _is_published_score(model, choice) and setting == PUBLISHED_SETTING and at_threshold


def _is_published_score(model: ModelRef | None, choice: ScoreChoice) -> bool:
    """Whether maxima over frames are those published; they do not depend on a threshold."""
    is_known = model is not None and is_published_model(model)
    return is_known and (choice.crop, choice.window) == PUBLISHED_SETTING[:2]
