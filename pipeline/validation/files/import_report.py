"""What is asked of an import, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.errors import RatingError
from pipeline.validation.files.plan import Sources
from pipeline.validation.files.read import Problem


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`set_name` puts the rows into this set, or a new one of this name. Bad rows stop the import
    unless `skip_bad_rows`. `is_trial` only looks."""

    set_name: str = ""
    skip_bad_rows: bool = False
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was taken from one file into one set.

    `n_known` answers were there before, `n_repeated` were to a question the rater had answered.
    `is_labels`: the answers are experts' labels, the trials moments.
    """

    file_name: str
    set_name: str
    is_new_set: bool
    n_rows: int
    n_trials_added: int
    n_raters_added: int
    n_answers_added: int
    n_known: int
    n_repeated: int
    n_other: int
    problems: tuple[Problem, ...]
    sources: Sources = field(default_factory=Sources)
    counts_from: int = 1
    is_labels: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """What happened, in sentences."""
        is_new = "new set" if self.is_new_set else "set"
        given, asked = ("label(s)", "moment(s)") if self.is_labels else ("answer(s)", "trial(s)")
        found = [
            f"{self.file_name}: {self.n_answers_added:,} new {given}, "
            f"{self.n_raters_added:,} new rater(s), {self.n_trials_added:,} new {asked} in the "
            f"{is_new} {self.set_name!r}.",
            *_counted(self.n_known, f"{given} were there already."),
            *_counted(
                self.n_repeated,
                "answer(s) were to a question that the same rater had answered: the first counts.",
            ),
            *_counted(self.n_other, "entries are no trials, such as instructions."),
            *_counted(len(self.problems), "row(s) cannot be taken."),
        ]
        if self.is_new_set or self.n_trials_added:
            found += _counted(
                self.sources.n_by_image, "question(s) have the score of the utterance in the image."
            )
            found += _counted(
                self.sources.n_by_words,
                "question(s) have the score of the only utterance with the same words.",
            )
            found += _counted(
                self.sources.n_missing,
                "question(s) have no score; catch and practice trials need none.",
            )
        if not self.counts_from:
            found.append("Positions in this file count from 0; they are kept from 1.")
        return tuple(found)


def _counted(n: int, rest: str) -> list[str]:
    return [f"{n:,} {rest}"] if n else []


def refused(problems: Sequence[Problem]) -> RatingError:
    """The first problem as an error, with how many more there are."""
    first, n_more = problems[0], len(problems) - 1
    more = f" {n_more} more row(s) cannot be taken." if n_more else ""
    return RatingError(
        f"{first.place}: {first.sentence}{more}",
        hint=f"{first.fix} Or leave such rows out (--skip-bad-rows); --dry-run lists them.",
    )
