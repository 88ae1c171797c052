"""Five days of use with a clock that is set: caches keep to their size and nothing is left over."""

from __future__ import annotations

import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipeline.media.apart import APART
from pipeline.people.copies import damage, opened_copy
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from pipeline.store.fill import ShardSet
from pipeline.store.locate import current_store_path
from pipeline.store.publish import clean_up
from pipeline.study import open_study
from tests.torture import Count, Plan
from tests.torture.days.allowed import allowed_kinds, strays
from tests.torture.days.day import Lab, Watchable
from tests.torture.watching.study import CACHE_MB, moments_to_watch, study_to_watch

TITLE = "Five days"
WEIGHT = 2.0
_N_DAYS, _N_BUILDS = 5, 2
_CLIP_MARGIN_BYTES = 3_000_000


def run(plan: Plan) -> Iterator[Count]:
    """Use a study for five days, then look at everything that lies in it."""
    study = study_to_watch(plan.folder / "study", plan.study)
    scratch = plan.folder / "tmp"
    scratch.mkdir()
    tempfile.tempdir, before = str(scratch), tempfile.tempdir
    try:
        lab = _lab(study, plan.seed)
        # As many days end with a run as there is time for.
        runs_end = time.monotonic() + 0.9 * plan.seconds
        run_s, n_runs = 0.0, 0
        for number in range(_N_DAYS):
            lab.rate(4)
            lab.day(
                1 if plan.small else 8,
                1 if plan.small else 5,
                0.08 * plan.seconds,
                is_killed_before=not plan.small or number % 4 == 0,
            )
            days_left_s = 0.1 * plan.seconds * (_N_DAYS - number)
            is_real = (
                plan.study is not None
                and not plan.small
                and time.monotonic() + 1.5 * run_s + days_left_s < runs_end
            )
            began = time.monotonic()
            _publish(lab, number, is_real=is_real)
            run_s = max(run_s, time.monotonic() - began)
            n_runs += is_real
            if not plan.small or number in (1, _N_DAYS - 1):
                lab.narrow()
            if number == 2:
                lab.command("export", str(study), "--to", "srt")
            if number == 3:
                lab.command("restore", str(study), "--from", f"{lab.copied_on:%Y-%m-%d}", "--yes")
        # What those that were killed left goes with the next start.
        lab.day(1, 1, 0.0, is_killed_before=False)
        APART.close()
    finally:
        tempfile.tempdir = before
    yield Count(
        f"things done in five days ({n_runs} runs)",
        lab.n_done,
        lab.n_done - len(lab.wrong),
        (*lab.wrong,),
    )
    kinds = allowed_kinds(_N_BUILDS, 1, _N_DAYS + 1)
    n_files, wrong = strays(study, kinds)
    yield Count(
        "files that lie in the study may lie there", n_files, n_files - len(wrong), (*wrong,)
    )
    # Torch keeps one folder for each user of the machine; it is not of the study.
    left = [path.name for path in scratch.iterdir() if not path.name.startswith("torchinductor_")]
    yield Count("temporary folder is empty", 1, int(not left), tuple(left[:1]))
    yield _clips(lab)
    yield _copies(study)


def _lab(study: Path, seed: int) -> Lab:
    store = current_store_path(study)
    assert store is not None
    keys = {(key.recording_id, key.utterance_id) for key in moments_to_watch(study)}
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "SELECT recording_id, utterance_id, onset_ms, offset_ms, media_path, u.child_id "
            "FROM utterances u JOIN recordings USING (recording_id) ORDER BY ALL"
        ).fetchall()
    moments = [
        Watchable(MomentRef(str(r), str(u), TimeSpan(int(onset), int(offset))), str(media))
        for r, u, onset, offset, media, _ in rows
        if (r, u) in keys
    ]
    return Lab(study, moments, sorted({str(row[5]) for row in rows}), random.Random(seed))


def _publish(lab: Lab, number: int, *, is_real: bool) -> None:
    """A run that publishes a new build; where that takes too long or there is nothing to run on, a
    copy of the build before and what publishing clears away."""
    if is_real:
        table = lab.study / "metadata" / "recordings.csv"
        lines = table.read_text(encoding="utf-8").splitlines()
        column = f"checked_{number}"
        table.write_text(
            "\n".join([f"{lines[0]},{column}", *(f"{line},yes" for line in lines[1:])]) + "\n",
            encoding="utf-8",
        )
        settings = lab.study / "study.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(
            re.sub(r"(?m)^name = .*$", f'name = "Day {number}"', text, count=1), encoding="utf-8"
        )
        lab.command("run", str(lab.study), "--quiet")
        return
    store = current_store_path(lab.study)
    assert store is not None
    build = f"store-day-{number}"
    for path in store.parent.glob(f"{store.stem}*"):
        shutil.copyfile(path, store.with_name(path.name.replace(store.stem, build)))
    new = store.with_name(f"{build}.duckdb")
    (store.parent / "current").write_text(new.name, encoding="utf-8")
    clean_up(open_study(lab.study), new, ShardSet((), (), (), ()))
    lab.n_done += 1


def _clips(lab: Lab) -> Count:
    most = CACHE_MB * 1e6 + _CLIP_MARGIN_BYTES
    wrong = () if lab.largest_bytes <= most else (f"{lab.largest_bytes / 1e6:.1f} MB",)
    return Count(f"clips kept never take more than {CACHE_MB:g} MB", 1, 1 - len(wrong), wrong)


def _copies(study: Path) -> Count:
    wrong: list[str] = []
    copies = people_store(study).backups()
    for copy in copies:
        with opened_copy(copy) as con:
            problem = damage(con)
        if problem is not None:
            wrong.append(f"{copy.name}: {problem}")
    n_wanted = max(len(copies), _N_DAYS)
    wrong += ["fewer copies than days"] * (n_wanted - len(copies))
    return Count("a whole copy of each day", n_wanted, n_wanted - len(wrong), tuple(wrong))
