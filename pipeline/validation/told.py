"""What came of making a set, in sentences: for the command and for the dashboard."""

from __future__ import annotations

from pipeline.labels import plural
from pipeline.validation.trial_set import NewSet


def sentences(new: NewSet) -> tuple[str, ...]:
    """What was made, what runs short, and what was left out; nothing is dropped untold."""
    made, pool = new.made, new.pool
    found = []
    if made.list_lengths:
        shortest, longest = min(made.list_lengths), max(made.list_lengths)
        length = f"{longest}" if shortest == longest else f"{shortest} to {longest}"
        found.append(
            f"{plural(made.n_main, 'item')} in {plural(len(made.list_lengths), 'list')} of "
            f"{length} trials, practice and catch trials not counted."
        )
    else:
        found.append(f"{plural(made.n_main, 'moment')}.")
    short = {one.bin for one in made.strata if one.n_made < one.n_wanted}
    if short:
        found.append(
            f"{made.n_wanted - made.n_main:,} of {made.n_wanted:,} could not be made: "
            f"{plural(len(short), 'score bin')} ran short. No other bin filled their place"
            + (", so lists are shorter." if made.list_lengths else ".")
        )
    if made.n_without_foils:
        found.append(
            f"{plural(made.n_without_foils, 'moment')} passed over: no three wrong options suit."
        )
    if made.n_unmatched_foils:
        found.append(
            f"{plural(made.n_unmatched_foils, 'wrong option')} could not be matched on length; the "
            "nearest was taken."
        )
    if made.n_unplaced:
        found.append(f"{plural(made.n_unplaced, 'trial')} found no list that could take them.")
    if pool.left_out:
        told = "; ".join(one.sentence for one in pool.left_out)
        found.append(f"Of {plural(pool.n_all, 'utterance')} not used: {told}.")
    return tuple(found)
