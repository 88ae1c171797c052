"""The methods paragraph of a paper, from what the store says and nothing else."""

from __future__ import annotations

from pipeline.exchange.citations import citations, has_citation
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.selection import ScoreSetting, Selection, SelectionCounts
from pipeline.records import ModelRef
from pipeline.schema import NULL_MIN_LAG_MS
from pipeline.score_settings import TextVariant

_STATISTICS = {"max": "maximum", "mean": "mean"}
_PACKAGES = ("python", "torch", "open_clip_torch", "faster-whisper", "av", "duckdb")


def methods_text(
    facts: StoreFacts, setting: ScoreSetting, selection: Selection, counts: SelectionCounts
) -> str:
    """Paragraphs on data, score, chance level and software, then the works to cite.

    Plain text; paragraphs are parted by empty lines.
    """
    listed = "\n".join(["References", *references(facts, setting)])
    return "\n\n".join([*methods_paragraphs(facts, setting, selection, counts), listed]) + "\n"


_TEXTS = {
    TextVariant.RAW: "the words of each utterance",
    TextVariant.NOUNS: "the nouns of each utterance",
    TextVariant.PHOTO: "the sentence “a photo of” with the first noun of each utterance that names "
    "something visible",
}
"""What is compared with the frames; parts of speech as in the store’s norms."""


def methods_paragraphs(
    facts: StoreFacts, setting: ScoreSetting, selection: Selection, counts: SelectionCounts
) -> list[str]:
    """Paragraphs on data, score, chance level and software."""
    model = facts.model(setting.scorer)
    paragraphs = (
        _data(facts, selection, counts),
        _score(facts, model, setting, counts),
        _chance(facts, setting),
        _software(facts, model),
    )
    return [paragraph for paragraph in paragraphs if paragraph]


def references(facts: StoreFacts, setting: ScoreSetting) -> tuple[str, ...]:
    """The works to cite for what was run, in the alphabet's order."""
    version = facts.run.coview_version if facts.run is not None else ""
    sources = [source.name for source in facts.sources]
    return citations(version or "unknown", facts.model(setting.scorer), sources)


def _data(facts: StoreFacts, selection: Selection, counts: SelectionCounts) -> str:
    n_missing = counts.n_utterances - counts.n_scored
    sentences = [
        f"The analysis rests on {_n(counts.n_utterances, 'utterance')} in "
        f"{_n(counts.n_recordings, 'recording')} ({counts.total_ms / 3_600_000:,.1f} h) of "
        f"{_n(counts.n_children, 'child', 'children')} of {facts.study_name}.",
        f"Utterances: {selection.words}.",
    ]
    if facts.sources:
        listed = ", ".join(
            f"{source.name} ({_n(source.n_recordings, 'recording')})" for source in facts.sources
        )
        sentences.append(f"Sources of the transcripts in the whole study: {listed}.")
    if n_missing:
        sentences.append(
            f"{_n(n_missing, 'utterance')} without a score under the setting below "
            f"{'enters' if n_missing == 1 else 'enter'} no share and no mean."
        )
    return " ".join(sentences)


def _score(
    facts: StoreFacts, model: ModelRef, setting: ScoreSetting, counts: SelectionCounts
) -> str:
    statistic = _STATISTICS[setting.statistic]
    sentences = []
    if model.dim:
        sentences += [
            f"One frame was taken every {facts.frame_step_ms / 1000:g} s and reduced to "
            f"{setting.crop_words}.",
            f"Frames and {_TEXTS[model.setting.text]} were embedded with {_model_words(model)}.",
            f"The score of an utterance is the {statistic} of the cosines of its words with the "
            f"frames {setting.window_words}"
            + ("." if setting.scale == "raw" else ", expressed as z against chance."),
        ]
        if model.is_hub_corrected:
            sentences.append(
                "Before texts and frames were compared, the mean text of the child’s utterances "
                "was taken off each text and the mean of the child’s frames off each frame, so "
                "that scores are inner products and no cosines."
            )
        settings = facts.run.settings if facts.run is not None else None
        if settings is not None and settings.align.sub_second == "nearest":
            sentences.append("An utterance that holds no frame takes the nearest one.")
    else:
        sentences.append(
            f"Scores named {model.scorer} were made elsewhere and imported "
            f"({model.name} {model.weights}".rstrip()
            + f"); the {statistic} over the frames of an utterance is used."
        )
    sentences.append(
        f"Utterances with a score of {_threshold(setting)} or more count as highly aligned "
        f"({_origin(model, setting)}): {counts.n_high:,} of {counts.n_scored:,} scored utterances."
    )
    return " ".join(sentences)


def _chance(facts: StoreFacts, setting: ScoreSetting) -> str:
    if not facts.null_draws or not setting.has_null:
        return ""
    return (
        f"Chance level: for each utterance, {facts.null_draws} windows with as many frames were "
        "drawn from other recordings of the same child (of a child with one recording, from more "
        f"than {NULL_MIN_LAG_MS // 1000} s away in it; seed {facts.null_seed}), and the "
        f"{_STATISTICS[setting.statistic]} of their cosines with the words was taken; z is the "
        "distance of a score from the mean of these, in their standard deviations."
    )


def _software(facts: StoreFacts, model: ModelRef) -> str:
    run = facts.run
    sentences = []
    if run is not None:
        parts = [f"{name} {run.versions[name]}" for name in _PACKAGES if name in run.versions]
        parts += [f"device {run.device}"] if run.device else []
        listed = f" ({', '.join(parts)})" if parts else ""
        sentences.append(f"Computed with Coview {run.coview_version}{listed}.")
    sentences.append(
        f"Store build {facts.build or 'unknown'}, digest of its inputs "
        f"{facts.inputs_digest or 'unknown'}."
    )
    if model.dim and not has_citation(model):
        sentences.append(
            f"Cite the source of the weights {model.weights or model.name} too; Coview does not "
            "know it."
        )
    return " ".join(sentences)


def _model_words(model: ModelRef) -> str:
    details = [
        f"weights {model.weights}" if model.weights else "",
        f"revision {model.revision}" if model.revision else "",
        model.precision,
        f"preprocessing: {model.preprocess}" if model.preprocess else "",
    ]
    return f"{model.name} ({'; '.join(part for part in details if part)})"


def _threshold(setting: ScoreSetting) -> str:
    return f"z = {setting.threshold:g}" if setting.scale == "z" else f"{setting.threshold:g}"


def _origin(model: ModelRef, setting: ScoreSetting) -> str:
    if setting.threshold_origin in ("people", "simulated"):
        return f"threshold {model.threshold_source}"
    if setting.threshold_origin == "model":
        return f"default of this model: {model.threshold_source or 'source not recorded'}"
    if setting.threshold_origin == "no_default":
        return "default of the z scale, because no threshold is known for this model"
    return {"z": "default of the z scale"}.get(
        setting.threshold_origin, "threshold chosen for this analysis"
    )


def _n(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
