"""The versions of each question: formulas, and what sets them apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.predictors.analysis import Analysis, PublishedEffect
from pipeline.predictors.choice import ScoreChoice
from pipeline.predictors.columns import CHILDREN, RECORDINGS, UTTERANCES
from pipeline.stats.mixed.result import BINOMIAL, GAUSSIAN

SOURCE = "Tan et al. 2025"

_COUNTS = "cbind(n_high, n_low)"


@dataclass(frozen=True, slots=True)
class Grouping:
    """Random effects that this choice of utterances can carry."""

    n_children: int
    n_recordings: int
    most_per_child: int

    def of_rows_within_recordings(self) -> str:
        """For tables with several rows of one recording."""
        if self.n_children == 1:
            return "(1 | recording)"
        if self.most_per_child == 1:
            return "(1 | child)"
        return "(1 | child) + (1 | recording)"

    def note(self, formula: str) -> str:
        """Why a formula has less random effects than elsewhere; "" where it has them all."""
        if self.n_children == 1 and "(1 | child)" not in formula:
            return "One child: this speaks of its recordings, not of children."
        if self.most_per_child == 1 and "recording" not in formula:
            return "Every child has one recording, so children and recordings are the same groups."
        return ""


def about_speakers(choice: ScoreChoice, grouping: Grouping, is_same: bool) -> list[Analysis]:
    """Adults against children: shares, counts, and scores against chance."""
    asks = "Is the speech of adults aligned more often than that of children?"
    within = grouping.of_rows_within_recordings()
    plain = PublishedEffect(
        "speaker",
        0.039,
        0.018,
        0.060,
        SOURCE,
        "Adult minus child, share of high alignment, 19 children.",
        is_same,
        True,
    )

    def version(key: str, name: str, formula: str, unit: str, family: str, note: str) -> Analysis:
        return Analysis(
            key, "speaker", asks, name, formula, unit, family, ("speaker",), note, choice, plain
        )

    return [
        version(
            "speaker",
            "Shares by child",
            "share ~ speaker + (1 | child)",
            CHILDREN,
            GAUSSIAN,
            "As in the paper: two shares of each child, which count alike however many utterances "
            "they rest on.",
        ),
        version(
            "speaker-utterances",
            "Every utterance counts alike",
            f"is_high ~ speaker + {within}",
            UTTERANCES,
            GAUSSIAN,
            "A linear model of 0 and 1: shares weighted by their number of utterances.",
        ),
        version(
            "speaker-binomial",
            "Binomial, on counts",
            f"{_COUNTS} ~ speaker + {within}",
            RECORDINGS,
            BINOMIAL,
            "Highly aligned utterances out of scored ones, by recording and speaker; the "
            "difference is drawn as one of predicted shares.",
        ),
        version(
            "speaker-chance",
            "Score against chance",
            f"above_chance ~ speaker + {within}",
            UTTERANCES,
            GAUSSIAN,
            "Adults speak longer, and a longer utterance has more frames and a higher maximum; "
            "against chance that is taken out.",
        ),
    ]


def about_duration(choice: ScoreChoice, grouping: Grouping, is_same: bool) -> list[Analysis]:
    """The slope of duration, under four scores."""
    within = grouping.of_rows_within_recordings()
    published = PublishedEffect(
        "duration_s",
        9.46e-4,
        7.92e-4,
        1.10e-3,
        SOURCE,
        "Raw maximum. The unit is taken to be a second, as frames are sampled one a second.",
        is_same,
        False,
    )
    versions = (
        (
            "duration",
            "Raw maximum",
            "max_cosine ~ duration_s",
            "As in the paper. Rises with duration by chance alone.",
        ),
        (
            "duration-frames",
            "With frames as covariate",
            "max_cosine ~ duration_s + n_frames",
            "Frames and duration go together closely, so its interval is wide.",
        ),
        (
            "duration-chance",
            "Against chance",
            "above_chance ~ duration_s",
            "The maximum minus the mean of its matched null, which has as many frames.",
        ),
        (
            "duration-mean",
            "Mean over frames",
            "mean_cosine ~ duration_s",
            "A mean does not grow with the number of frames.",
        ),
    )
    return [
        Analysis(
            key,
            "duration",
            "Are longer utterances aligned better?",
            name,
            f"{fixed} + {within}",
            UTTERANCES,
            GAUSSIAN,
            ("duration_s",),
            note,
            choice,
            published,
        )
        for key, name, fixed, note in versions
    ]


def about_words(choice: ScoreChoice, grouping: Grouping) -> list[Analysis]:
    """The slope of the number of words, under four scores."""
    within = grouping.of_rows_within_recordings()
    versions = (
        ("words", "Raw maximum", "max_cosine ~ n_words", "More words take longer: more frames."),
        ("words-frames", "With frames as covariate", "max_cosine ~ n_words + n_frames", ""),
        ("words-chance", "Against chance", "above_chance ~ n_words", ""),
        ("words-mean", "Mean over frames", "mean_cosine ~ n_words", ""),
    )
    return [
        Analysis(
            key,
            "words",
            "Are utterances of more words aligned better?",
            name,
            f"{fixed} + {within}",
            UTTERANCES,
            GAUSSIAN,
            ("n_words",),
            note,
            choice,
        )
        for key, name, fixed, note in versions
    ]


def about_age(choice: ScoreChoice, grouping: Grouping) -> list[Analysis]:
    """The slope of age, and age within and between children."""
    within = grouping.of_rows_within_recordings()
    versions = (
        (
            "age",
            "Shares by recording",
            "share ~ age_months + (1 | child)",
            RECORDINGS,
            GAUSSIAN,
            ("age_months",),
            "Every recording counts alike.",
        ),
        (
            "age-binomial",
            "Binomial, on counts",
            f"{_COUNTS} ~ age_months + {within}",
            RECORDINGS,
            BINOMIAL,
            ("age_months",),
            "Recordings count by their utterances.",
        ),
        (
            "age-chance",
            "Score against chance",
            f"above_chance ~ age_months + {within}",
            UTTERANCES,
            GAUSSIAN,
            ("age_months",),
            "",
        ),
        (
            "age-within",
            "Within and between children",
            "share ~ age_own_months + age_mean_months + (1 | child)",
            RECORDINGS,
            GAUSSIAN,
            ("age_own_months", "age_mean_months"),
            "Change as a child grows, and difference between younger and older children.",
        ),
    )
    return [
        Analysis(
            key,
            "age",
            "Does alignment change with age?",
            name,
            formula,
            unit,
            family,
            focus,
            note,
            choice,
        )
        for key, name, formula, unit, family, focus, note in versions
    ]


def about_contexts(name: str, choice: ScoreChoice, grouping: Grouping) -> list[Analysis]:
    """Levels of `name`, "activity" or "location"."""
    asks = {
        "activity": "Does alignment differ between activities?",
        "location": "Does alignment differ between places?",
    }[name]
    within = grouping.of_rows_within_recordings()
    versions = (
        (
            name,
            "Shares by recording",
            f"share ~ {name} + {within}",
            RECORDINGS,
            GAUSSIAN,
            "Every recording counts alike in each level it holds.",
        ),
        (
            f"{name}-binomial",
            "Binomial, on counts",
            f"{_COUNTS} ~ {name} + {within}",
            RECORDINGS,
            BINOMIAL,
            "Recordings count by their utterances.",
        ),
        (
            f"{name}-chance",
            "Score against chance",
            f"above_chance ~ {name} + {within}",
            UTTERANCES,
            GAUSSIAN,
            "",
        ),
    )
    return [
        Analysis(key, name, asks, version, formula, unit, family, (name,), note, choice)
        for key, version, formula, unit, family, note in versions
    ]


def about_speakers_by_age(choice: ScoreChoice, grouping: Grouping) -> list[Analysis]:
    """Whether the difference between adults and children changes with age."""
    within = grouping.of_rows_within_recordings()
    focus = ("speaker:age_months", "speaker", "age_months")
    versions = (
        (
            "speaker-age",
            "Shares by recording",
            f"share ~ speaker * age_months + {within}",
            GAUSSIAN,
            "Each recording has one row for adults and one for children.",
        ),
        (
            "speaker-age-binomial",
            "Binomial, on counts",
            f"{_COUNTS} ~ speaker * age_months + {within}",
            BINOMIAL,
            "Recordings count by their utterances.",
        ),
    )
    return [
        Analysis(
            key,
            "speaker-age",
            "Does the difference between adults and children change with age?",
            version,
            formula,
            RECORDINGS,
            family,
            focus,
            note,
            choice,
        )
        for key, version, formula, family, note in versions
    ]


def for_imported_scores(choice: ScoreChoice, grouping: Grouping) -> list[Analysis]:
    """The same questions for scores that were imported: one value for each utterance, without
    frames, chance level or published values."""
    kept = [
        replace(one, published=None)
        for one in (
            *about_speakers(choice, grouping, False),
            *about_age(choice, grouping),
            *about_contexts("activity", choice, grouping),
            *about_contexts("location", choice, grouping),
            *about_speakers_by_age(choice, grouping),
        )
        if not one.formula.startswith("above_chance")
    ]
    slopes = [
        replace(
            one,
            version="Score as imported",
            formula=one.formula.replace("max_cosine", "score"),
            note="Imported scores have neither frames nor a chance level.",
            published=None,
        )
        for one in (
            about_duration(choice, grouping, False)[0],
            about_words(choice, grouping)[0],
        )
    ]
    return [*kept, *slopes]
