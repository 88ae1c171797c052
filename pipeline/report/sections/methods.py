"""How it was done, in words that can go into a paper, and the works to cite."""

from __future__ import annotations

import json

from pipeline import labels
from pipeline.exchange.methods import methods_paragraphs, references
from pipeline.exchange.selection import ScoreSetting, Selection, SelectionCounts
from pipeline.report.collect import Collected
from pipeline.report.document import Block, Bullets, Heading, Paragraph, Section, Verbatim
from pipeline.stats.drawn import DRAWS

SEED = 1
"""Of every bootstrap here: the default of `pipeline.stats`."""


def methods(data: Collected) -> Section:
    """The paragraphs on data, speech, score, chance, statistics and software."""
    paragraphs = methods_paragraphs(
        data.facts, data.request.setting, data.request.scope.selection, selection_counts(data)
    )
    # Data first, software last; what this report adds stands between them.
    added = [_speech(data), _statistics(data)]
    ordered = [*paragraphs[:-1], *(words for words in added if words), paragraphs[-1]]
    return Section("methods", "Methods", tuple(Paragraph(words) for words in ordered))


def selection_counts(data: Collected) -> SelectionCounts:
    """What the report rests on. Hours are those of recordings with a chosen utterance."""
    counts, rows = data.scores.counts, data.sample.recordings
    spoken = rows[rows["recording_id"].isin(set(counts["recording_id"]))]
    return SelectionCounts(
        counts["child_id"].nunique(),
        counts["recording_id"].nunique(),
        int(spoken["duration_ms"].sum()),
        data.n_utterances,
        int(data.scores.share.n),
        int(counts["n_high"].sum()),
    )


def _speech(data: Collected) -> str:
    settings = data.facts.run.settings if data.facts.run is not None else None
    sentences = []
    transcribers = [s.name for s in data.facts.sources if s.name.startswith("whisper ")]
    if transcribers and settings is not None:
        speech = settings.speech
        details = [
            f"beam size {speech.beam_size}",
            f"language {speech.language}" if speech.language else "language detected",
            f"voice detection on, threshold {speech.vad_threshold:g}"
            if speech.vad
            else "voice detection off",
            "segments split after . ! or ?" if speech.split_sentences else "segments not split",
        ]
        sentences.append(
            f"Speech was transcribed with {', '.join(transcribers)} ({'; '.join(details)})."
        )
    origins = data.sample.origins
    if origins.n:
        parts = [
            f"{words} {labels.percent(k / origins.n)}"
            for words, k in (
                ("the speaker label that covers most of the utterance", origins.n_by_overlap),
                ("the transcript itself", origins.n_by_transcript),
                ("not known", origins.n_unknown),
            )
            if k
        ]
        sentences.append(
            f"Speakers of the {labels.plural(origins.n, 'utterance')} of the study come from: "
            f"{'; '.join(parts)}."
        )
    return " ".join(sentences)


def _statistics(data: Collected) -> str:
    return (
        "Statistics: intervals of shares, means and differences are 95 % bootstrap intervals over "
        f"recordings within each child ({DRAWS:,} draws, seed {SEED}; of many recordings by "
        "formula), widened by Student's t where there are few; they speak about these children, "
        "not about children in general. The share expected by chance is the mean, over "
        "the scored utterances, of the probability that a null window of the utterance reaches "
        "the threshold. Paired comparisons rest on the utterances that have both scores. Mixed "
        "models are described with their tables."
    )


def citing(data: Collected) -> Section:
    """How to cite, and what is needed to make the report again."""
    blocks: list[Block] = [
        Paragraph("Please cite Coview, the method, and the models that made these numbers:"),
        Bullets(tuple(("", work) for work in references(data.facts, data.request.setting))),
        Heading("To make this report again"),
        Paragraph(
            "The same store, answers and settings give this report byte for byte, but for the day "
            "it was made."
        ),
        *_way(data),
        Verbatim(_reproducible(data)),
    ]
    if data.facts.run is not None and data.facts.run.settings is not None:
        blocks.append(Paragraph("The settings of the study, as study.toml would say them:"))
        blocks.append(Verbatim("\n".join(_settings_lines(data.facts.run.settings_json))))
    return Section("citing", "How to cite, and how to make this again", tuple(blocks))


def _way(data: Collected) -> list[Block]:
    """The command; what filters chose can be chosen again on the dashboard only."""
    words = data.request.scope.selection.words
    if words != Selection().words:
        return [
            Paragraph(
                f"The utterances were chosen by filters ({words}): set these and the score as "
                "below on the dashboard, and make the report under Export."
            )
        ]
    setting = data.request.setting
    command = (
        f"python -m pipeline report STUDY --scorer {_quoted(setting.scorer)} "
        f"--crop {setting.crop} --window={setting.window} --statistic {setting.statistic}"
    )
    # A threshold or scale that is given counts as chosen, and the report says so.
    if setting.threshold_origin != "no_default":
        command += f" --scale {setting.scale}"
    if setting.threshold_origin == "chosen":
        command += f" --threshold {setting.threshold!r}"
    if not data.request.with_models:
        command += " --no-models"
    return [Verbatim(command)]


def _quoted(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name)


def _reproducible(data: Collected) -> str:
    facts, setting = data.facts, data.request.setting
    lines = [
        "[store]",
        f"build = {_toml(facts.build)}",
        f"inputs = {_toml(facts.inputs_digest)}",
        f"schema_version = {facts.schema_version}",
        f"null_draws = {facts.null_draws}",
        f"null_seed = {facts.null_seed}",
        "",
        "[report]",
        *_setting_lines(setting),
        f"utterances = {_toml(data.request.scope.selection.words)}",
        f"bootstrap_draws = {DRAWS}",
        f"bootstrap_seed = {SEED}",
    ]
    for model in facts.models:
        lines += [
            "",
            "[[scorers]]",
            f"scorer = {_toml(model.scorer)}",
            f"name = {_toml(model.name)}",
            f"weights = {_toml(model.weights)}",
            f"revision = {_toml(model.revision)}",
            f"preprocess = {_toml(model.preprocess)}",
            f"precision = {_toml(model.precision)}",
        ]
    if facts.run is not None:
        versions = facts.run.versions
        lines += ["", "[versions]", f"coview = {_toml(facts.run.coview_version)}"]
        lines += [f"{_key(name)} = {_toml(versions[name])}" for name in sorted(versions)]
    return "\n".join(lines)


def _setting_lines(setting: ScoreSetting) -> list[str]:
    return [
        f"scorer = {_toml(setting.scorer)}",
        f"crop = {_toml(setting.crop)}",
        f"window = {_toml(setting.window)}",
        f"statistic = {_toml(setting.statistic)}",
        f"scale = {_toml(setting.scale)}",
        f"threshold = {setting.threshold!r}",
        f"threshold_origin = {_toml(setting.threshold_origin)}",
    ]


def _settings_lines(settings_json: str) -> list[str]:
    """The settings of the study as TOML, which has no null: what has no value is left out."""
    sections: dict[str, dict[str, object]] = json.loads(settings_json)
    lines: list[str] = []
    for section in sorted(sections):
        values = {key: value for key, value in sections[section].items() if value is not None}
        if values:
            lines += [f"[{_key(section)}]"]
            lines += [f"{_key(key)} = {_toml(values[key])}" for key in sorted(values)]
            lines += [""]
    return lines[:-1]


def _toml(value: object) -> str:
    """A value as TOML; texts, numbers and lists are written as in JSON."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in sorted(value.items()))
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else json.dumps(name, ensure_ascii=False)
