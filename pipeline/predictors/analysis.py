"""A question put to a store as a model, and what the model answers, as values."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.predictors.choice import ScoreChoice
from pipeline.predictors.columns import UTTERANCES
from pipeline.predictors.contrasts import Effect, JointTest
from pipeline.predictors.diagnosing import Diagnostics
from pipeline.predictors.predicting import Curve
from pipeline.predictors.tables import TableFacts
from pipeline.stats.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class PublishedEffect:
    """A published coefficient with its 95 % interval: a difference of shares (0-1) where
    `is_share`, else cosine per unit of the predictor.

    `is_same_measure` says whether the study's scores were made as those published: the same
    model, crop, window, statistic and threshold. Otherwise only the direction can be compared.
    """

    predictor: str
    estimate: float
    lower: float
    upper: float
    source: str
    note: str
    is_same_measure: bool
    is_share: bool


@dataclass(frozen=True, slots=True)
class Analysis:
    """One model for one question.

    `question` is a short name that the versions of a question share, `asks` the question in
    words, `version` what sets this model apart from the others. `formula` is in lme4's syntax, over
    the table `unit` (see `columns`); `focus` are the predictors that answer the question.
    """

    key: str
    question: str
    asks: str
    version: str
    formula: str
    unit: str
    family: str
    focus: tuple[str, ...]
    note: str
    choice: ScoreChoice
    published: PublishedEffect | None = None

    @property
    def is_by_utterance(self) -> bool:
        """Whether every row of the table is an utterance."""
        return self.unit == UTTERANCES


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """A fitted model and what can be said of it.

    Where the data cannot carry the model, `fit` is None, `problem` says why in one sentence and
    `hint` what would help. `sentences` are the answer in plain words, the main one first; none
    where there is no fit.
    """

    analysis: Analysis
    fit: MixedFit | None
    sentences: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""
    facts: TableFacts | None = None
    effects: tuple[Effect, ...] = ()
    joint_tests: tuple[JointTest, ...] = ()
    curves: tuple[Curve, ...] = ()
    diagnostics: Diagnostics | None = None

    @property
    def sentence(self) -> str:
        """The main answer, or the problem."""
        return self.sentences[0] if self.sentences else self.problem
