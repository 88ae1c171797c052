"""Who was recorded, how much, and what is missing and why."""

from __future__ import annotations

import pandas as pd

from pipeline import labels
from pipeline.published import PUBLISHED_WORD_ERROR_RATE
from pipeline.records import Permission
from pipeline.report import numbers
from pipeline.report.collect import Collected
from pipeline.report.document import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    ReportTable,
    Section,
    ages,
    count,
    hours,
    interval,
    percent,
    text,
)
from pipeline.report.score_queries import flag_counts
from pipeline.schema import UTTERANCE_FLAGS
from pipeline.stats.word_errors import error_rates

_QUOTES_NOTHING = "This report quotes no utterance and shows no picture."
_PERMISSIONS = {
    Permission.MEDIA.value: "words, pictures and sound may be shown in the lab",
    Permission.EXCERPTS.value: "excerpts may be shown in talks as well",
    Permission.SCORES_ONLY.value: "only scores may be shown",
}


def sample(data: Collected) -> Section:
    """Children, missing data, transcripts."""
    blocks: list[Block] = [
        Paragraph(_words(data)),
        _children(data),
        Heading("What is missing"),
        _missing(data),
    ]
    if len(data.sample.failures):
        blocks.append(_failures(data.sample.failures))
    blocks += [Heading("Quality of the transcripts"), *_quality(data)]
    return Section("sample", "Sample", tuple(blocks))


def _words(data: Collected) -> str:
    rows, totals = data.sample.recordings, data.sample.totals
    known = rows["age_days"].dropna()
    sentences = [
        f"{labels.plural(totals.n_children, 'child')}, "
        f"{labels.plural(totals.n_recordings, 'recording')}, {labels.hours(totals.total_ms)}."
    ]
    if len(known):
        of = "" if len(known) == len(rows) else f" ({len(known)} of {len(rows)} recordings)"
        sentences.append(
            f"Age at recording: {labels.months(known.min())} to {labels.months(known.max())} "
            f"months{of}, median {labels.months(known.median())}."
        )
    else:
        sentences.append("The age of the children is not known.")
    return " ".join(sentences)


def _children(data: Collected) -> ReportTable:
    frame = children_frame(data)
    speakers = [name for name in labels.SPEAKERS if f"n_{name}" in frame]
    return ReportTable(
        "sample-by-child",
        "The sample by child. Recorded: whole recordings. Scored: utterances with a score under "
        "the setting of this report. The last columns count utterances by speaker.",
        frame,
        (
            text("Child", "child_id"),
            ages("Age (months)", ("min_age_days", "max_age_days")),
            count("Recordings", "n_recordings"),
            hours("Recorded", "total_ms"),
            count("Utterances", "n_utterances"),
            count("Scored", "n_scored"),
            *(count(labels.SPEAKERS[name], f"n_{name}") for name in speakers),
        ),
    )


def children_frame(data: Collected) -> pd.DataFrame:
    """One row per child with a recording: child_id, min_age_days, max_age_days, n_recordings,
    total_ms, n_utterances, n_scored, and n_<speaker> for each speaker that occurs."""
    recorded = data.sample.recordings.groupby("child_id", sort=True).agg(
        min_age_days=("age_days", "min"),
        max_age_days=("age_days", "max"),
        n_recordings=("recording_id", "size"),
        total_ms=("duration_ms", "sum"),
    )
    counts = data.scores.counts
    said = counts.groupby("child_id")[["n_utterances", "n_scored"]].sum()
    by_speaker = counts.pivot_table(
        index="child_id", columns="speaker", values="n_utterances", aggfunc="sum", fill_value=0
    ).add_prefix("n_")
    found = (
        recorded.join(said, how="outer")
        .join(by_speaker)
        .fillna(dict.fromkeys(["n_recordings", "total_ms", *said.columns, *by_speaker.columns], 0))
    )
    whole = ["n_recordings", "total_ms", *said.columns, *by_speaker.columns]
    return found.astype(dict.fromkeys(whole, "int64")).reset_index()


def _missing(data: Collected) -> Bullets:
    n = data.n_utterances
    rows = data.sample.recordings
    items = [
        (f"{labels.MISSING[reason]}.", f"{labels.plural(count_, 'utterance')}{_of(count_, n)}.")
        for reason, count_ in numbers.missing_by_reason(data.scores.counts).items()
    ]
    if not items:
        items.append(("Scores.", f"All {labels.plural(n, 'utterance')} have one."))
    for topic, is_so in (
        ("No utterance in the recording.", rows["n_utterances"] == 0),
        ("No sound in the recording.", ~rows["has_audio"]),
        ("Age not known.", rows["age_days"].isna()),
        ("Something to know was noted on building.", rows["has_notice"]),
    ):
        n_so = int(is_so.sum())
        if n_so:
            words = f"{labels.plural(n_so, 'recording')}{_of(n_so, len(rows))}."
            items.append((topic, words))
    if not len(data.sample.failures):
        items.append(("Failures.", "No recording failed in any stage."))
    permitted = rows["permission"].value_counts().sort_index()
    words = "; ".join(
        f"{_PERMISSIONS.get(str(name), str(name))}: {labels.plural(int(k), 'recording')}"
        for name, k in permitted.items()
    )
    items.append(("Permission.", f"{words[:1].upper()}{words[1:]}. {_QUOTES_NOTHING}"))
    items += [("Noted on building.", notice) for notice in data.facts.notices]
    return Bullets(tuple(items))


def _failures(failures: pd.DataFrame) -> ReportTable:
    frame = failures.assign(stage_name=[labels.STAGES.get(s, s) for s in failures["stage"]])
    return ReportTable(
        "failures",
        "What a stage could not finish, in the whole study. The recordings and messages stand "
        "under Quality in the dashboard.",
        frame,
        (text("Stage", "stage_name"), text("Kind", "code"), count("Recordings", "n_recordings")),
    )


def _quality(data: Collected) -> list[Block]:
    rows = data.sample.qualities
    n = data.n_utterances
    flags = flag_counts(rows)
    blocks: list[Block] = [Paragraph(_languages(rows))]
    if flags:
        frame = pd.DataFrame(
            {
                "flag": [labels.FLAGS[name] for name in flags],
                "meaning": [UTTERANCE_FLAGS[name] for name in flags],
                "n_utterances": list(flags.values()),
                "share": [k / n for k in flags.values()],
            }
        ).sort_values(["n_utterances", "flag"], ascending=[False, True], ignore_index=True)
        caption = f"Flags of the transcript. n = {labels.plural(n, 'utterance')}; none is left out."
        shown = (
            text("Flag", "flag"),
            text("Meaning", "meaning"),
            count("Utterances", "n_utterances"),
            percent("Share", "share"),
        )
        blocks.append(ReportTable("flags", caption, frame, shown))
    else:
        blocks.append(Paragraph("No utterance carries a flag."))
    return [*blocks, *_word_errors(data)]


def _languages(rows: pd.DataFrame) -> str:
    by_language = rows.assign(language=rows["language"].fillna("not known"))
    found = by_language.groupby("language")["n"].sum().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{name} ({labels.count(int(k))})" for name, k in found.items())
    return f"Language of the utterances: {listed}."


def _word_errors(data: Collected) -> list[Block]:
    blocks: list[Block] = []
    for errors in data.sample.word_errors:
        rates = error_rates(errors)
        if rates[0].rate is None:
            continue
        frame = pd.DataFrame(
            {
                "of": [labels.SPEAKERS.get(rate.of, rate.of) for rate in rates],
                "rate": [rate.rate for rate in rates],
                "low": [rate.low for rate in rates],
                "high": [rate.high for rate in rates],
                "n_words": [rate.counts.n_reference for rate in rates],
                "n_wrong": [rate.counts.n_substituted for rate in rates],
                "n_missed": [rate.counts.n_deleted for rate in rates],
                "n_added": [rate.counts.n_inserted for rate in rates],
                "n_recordings": [rate.n_recordings for rate in rates],
            }
        ).astype({"rate": float, "low": float, "high": float})
        caption = (
            f"Word error rate against the reference {errors.reference}: wrong, missed and added "
            "words per word of the reference, with 95 % intervals (bootstrap of recordings). "
            "Whole study. Tan et al. 2025 report "
            f"{PUBLISHED_WORD_ERROR_RATE} for distil-large-v3 on head-camera speech."
        )
        shown = (
            text("Of", "of"),
            interval("Word error rate", ("rate", "low", "high")),
            count("Words", "n_words"),
            count("Wrong", "n_wrong"),
            count("Missed", "n_missed"),
            count("Added", "n_added"),
            count("Recordings", "n_recordings"),
        )
        name = (
            f"word-errors-{len(blocks) + 1}" if len(data.sample.word_errors) > 1 else "word-errors"
        )
        blocks.append(ReportTable(name, caption, frame, shown))
    if not blocks:
        blocks.append(
            Paragraph(
                "How many words the transcripts get wrong was not measured: no hand-made "
                "reference was compared with them."
            )
        )
    return blocks


def _of(k: int, n: int) -> str:
    return f" ({labels.percent(k / n)})" if n else ""
