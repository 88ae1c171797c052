"""Experts' labels out of a study and into another, and an export as one zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.errors import RatingError
from pipeline.people.expert_labels import add_labels, labels_of
from pipeline.people.raters import add_rater, raters_of
from pipeline.people.store import people_store
from pipeline.people.trial_records import (
    Item,
    LabelGiven,
    MomentLabel,
    Part,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set, items_of, trial_sets
from pipeline.validation.files.export import export_set
from pipeline.validation.files.import_report import ImportOptions
from pipeline.validation.files.take import import_files
from tests.validation.files.made_sets import SETTINGS, answered_set, option


def labelled_set(root: Path) -> int:
    """Two experts, the second simulated, who label five of six moments."""
    people = people_store(root)
    items = [
        Item(
            f"m{n}", TrialMode.MOMENT, Part.MAIN, f"=words {n}", (option(n, f"=words {n}", None),),
            n / 10, None, n % 2,
        )
        for n in range(6)
    ]  # fmt: skip
    set_id = add_set(people, name="Experts", kind=SetKind.LABELS, settings=SETTINGS, items=items)
    for number in range(2):
        rater_id = add_rater(
            people,
            set_id,
            f"expert {number}",
            list_number=None,
            is_simulated=bool(number),
            source="here",
        )
        add_labels(
            people,
            set_id,
            [
                LabelGiven(
                    rater_id,
                    f"m{n}",
                    list(MomentLabel)[(n + number) % 4],
                    "-the ball" if n else "",
                    None if n == 3 else 900.5 + n,
                    f"2026-05-01T10:0{n}:00+00:00",
                    "0.6.0",
                )
                for n in range(5)
            ],
        )
    return set_id


def told(root: Path) -> list[tuple[object, ...]]:
    """Everything about the labels but the numbers that a study gives anew."""
    with people_store(root).reading() as con:
        (one,) = trial_sets(con)
        raters = {r.rater_id: (r.label, r.is_simulated) for r in raters_of(con, one.set_id)}
        items = items_of(con, one.set_id)
        return sorted(
            (
                *(one.name, one.kind.value, *raters[given.rater_id], given.label.value),
                *(given.referent, str(given.rt_ms), given.answered_at, str(items[given.item_id])),
            )
            for given in labels_of(con, one.set_id)
        )


def test_labels_come_back_as_they_were_and_only_once(tmp_path: Path) -> None:
    set_id = labelled_set(tmp_path / "here")
    exported = export_set(tmp_path / "here", set_id, tmp_path / "out")
    assert (exported.n_answers, exported.n_raters) == (10, 2)
    for n_added in (10, 0):
        (report,) = import_files(tmp_path / "there", tmp_path / "out")
        assert (report.n_answers_added, report.n_known) == (n_added, 10 - n_added)
    assert told(tmp_path / "there") == told(tmp_path / "here")
    (again,) = import_files(tmp_path / "here", tmp_path / "out" / "labels.csv")
    assert (again.n_answers_added, again.is_new_set, again.n_trials_added) == (0, False, 0)
    assert again.lines[0].startswith("labels.csv: 0 new label(s), 0 new rater(s), 0 new moment(s)")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (",aligned,", ",sure,", "label is 'sure'."),
        ("expert 1,m2,", "expert 1,,", "item_id is empty."),
        ("expert 0,m1,", ",m1,", "prolific_pid is empty."),
        ("T10:04:00+00:00", "later", "timestamp: '2026-05-01later' is not a date and time."),
    ],
)
def test_a_bad_label_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    set_id = labelled_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    file = tmp_path / "out" / "labels.csv"
    file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(RatingError) as refused:
        import_files(tmp_path / "there", file)
    assert f": {sentence}" in refused.value.message
    assert refused.value.message.startswith("labels.csv, line ")
    (report,) = import_files(tmp_path / "there", file, ImportOptions(skip_bad_rows=True))
    assert (report.n_answers_added, len(report.problems)) == (9, 1)


def test_labels_of_moments_that_a_set_has_not_are_refused(tmp_path: Path) -> None:
    set_id = labelled_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    file = tmp_path / "out" / "labels.csv"
    file.write_text(file.read_text("utf-8").replace(",m2,", ",m77,"), "utf-8")
    with pytest.raises(
        RatingError, match=r"labels\.csv, line 4: the set 'Experts' has no moment m77"
    ):
        import_files(tmp_path / "here", file)
    (report,) = import_files(tmp_path / "here", file, ImportOptions("Other experts"))
    assert (report.set_name, report.is_new_set, report.n_answers_added) == (
        *("Other experts", True),
        10,
    )


def test_labels_do_not_go_into_a_set_of_choices(tmp_path: Path) -> None:
    set_id = labelled_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    answered_set(tmp_path / "there", name="Experts", n_raters=1)
    with pytest.raises(RatingError, match="is not one of experts' labels"):
        import_files(tmp_path / "there", tmp_path / "out")


def test_an_export_is_read_from_one_zip(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here")
    exported = export_set(tmp_path / "here", set_id, tmp_path / "out")
    packed = tmp_path / "pilot.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../outside.csv", "prolific_pid")
        for file in exported.files:
            archive.write(file, file.name)
    reports = import_files(tmp_path / "there", packed)
    assert sum(report.n_answers_added for report in reports) == 28
    assert not (tmp_path / "outside.csv").exists()
    with people_store(tmp_path / "there").reading() as con:
        (one,) = trial_sets(con)
    assert one.consent == "You may stop at any time."
    packed.write_bytes(b"PK not a zip")
    with pytest.raises(RatingError, match="cannot be unpacked"):
        import_files(tmp_path / "there", packed)
