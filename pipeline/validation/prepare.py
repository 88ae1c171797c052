"""Making the pictures and sounds of a set before raters come, so that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.errors import DiskFullError, MediaError, RatingError
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_records import Item, TrialMode
from pipeline.people.trial_sets import items_of, trial_set
from pipeline.validation.pictures import picture_file, sound_file
from pipeline.validation.plan import has_sound, image_variant_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """`n_made` pictures and sounds lie ready; `problems` say why others do not, each once, with
    how many they concern."""

    n_made: int
    problems: tuple[tuple[str, int], ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was made and what was not."""
        told = [f"{self.n_made:,} picture(s) and sound(s) are ready."]
        told += [f"{n:,} could not be made: {words}" for words, n in self.problems]
        return tuple(told)


def prepare_set(
    con: DuckDBPyConnection,
    study_root: Path,
    set_id: int,
    on_progress: Callable[[int, int], None] = lambda n_done, n_total: None,
) -> Prepared:
    """Make what the trials of a set show, from the current store; what is there stays.

    What cannot be made is counted. Raises RatingError for a set that is gone, and DiskFullError.
    """
    with people_store(study_root).reading() as people:
        one = trial_set(people, set_id)
        items = items_of(people, set_id).values()
    if one is None:
        raise RatingError("This set of trials was deleted.", hint="Reload the page.")
    variant = image_variant_of(one.settings)
    pictures = sorted(
        {(m.recording_id, at_ms): m for item in items for m, at_ms in _shown(item)}.items()
    )
    sounds = {_place(item.options[0].moment): item.options[0].moment for item in items}
    wanted = sorted(sounds.items()) if has_sound(one.settings) else []
    n_made, n_done, n_total = 0, 0, len(pictures) + len(wanted)
    problems: dict[str, int] = {}

    def count(make: Callable[[], Path]) -> None:
        nonlocal n_made, n_done
        try:
            make()
            n_made += 1
        except DiskFullError:
            raise
        except MediaError as problem:
            problems[problem.message] = problems.get(problem.message, 0) + 1
        n_done += 1
        on_progress(n_done, n_total)

    for (_, frame_ms), moment in pictures:
        count(partial(picture_file, study_root, con, moment, frame_ms, variant))
    for _, moment in wanted:
        count(partial(sound_file, study_root, con, moment))
    return Prepared(n_made, tuple(problems.items()))


def _shown(item: Item) -> Iterable[tuple[MomentRef, int]]:
    """Moments of an item whose picture is shown, with the time of the frame."""
    options = item.options if item.mode is TrialMode.IMAGES else item.options[:1]
    return [(one.moment, one.frame_ms) for one in options if one.frame_ms is not None]


def _place(moment: MomentRef) -> tuple[str, int, int]:
    return moment.recording_id, moment.span.onset_ms, moment.span.offset_ms
