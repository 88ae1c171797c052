"""What a reader must bear in mind about this store: each caveat with the number that calls for it.

A caveat that does not apply is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline import labels
from pipeline.published import is_published_model
from pipeline.report import numbers, phrases
from pipeline.report.collect import Collected
from pipeline.report.document import Bullets, Paragraph, Section
from pipeline.report.score_queries import flag_counts
from pipeline.schema import UTTERANCE_FLAGS, WINDOWS

FEW_RECORDINGS = 5
FEW_CHILDREN = 20
_WORTH_TELLING = 0.01
_MULTILINGUAL = ("xlm", "multilingual", "webli", "siglip", "nllb", "mclip")

Caveat = tuple[str, str]


def caveats(data: Collected, further: tuple[Caveat, ...] = ()) -> Section:
    """All caveats that apply; `further` are those of the models."""
    found = [caveat for rule in _RULES for caveat in rule(data)]
    found += further
    if not found:
        block = Paragraph("None of the caveats that Coview looks for applies to this store.")
        return Section("caveats", "Caveats", (block,))
    intro = Paragraph("These apply to this study, each for the number given with it.")
    return Section("caveats", "Caveats", (intro, Bullets(tuple(found))))


def _made_up(data: Collected) -> Iterator[Caveat]:
    sources = [source.name for source in data.facts.sources]
    if data.model.name == "demo-clip" or "whisper demo-whisper" in sources:
        yield (
            "Demonstration.",
            f"The scores of {data.model.label} or the transcripts come from the small models "
            "that Coview ships for its made-up demo study. They say nothing about real children.",
        )
    elif data.model.weights in ("none", "synthetic"):
        yield ("No real model.", f"The scores of {data.model.label} were not made by a model.")


def _children(data: Collected) -> Iterator[Caveat]:
    rows = data.scores.by_child
    n = len(rows)
    if n < FEW_CHILDREN:
        yield (
            "Few children.",
            f"{labels.plural(n, 'child')}. The intervals draw recordings, not children: they hold "
            "for these children and are too narrow for children in general.",
        )
    single = rows["n_recordings"] == 1
    if single.any():
        share = rows.loc[single, "n_utterances"].sum() / rows["n_utterances"].sum()
        yield (
            "Children with one recording.",
            f"{int(single.sum())} of {labels.plural(n, 'child')} "
            f"({labels.percent(share)} of the utterances): they have no interval, add no spread to "
            "the overall one, and their chance level comes from the same recording.",
        )
    middle = rows["n_recordings"].median()
    if middle < FEW_RECORDINGS:
        yield (
            "Few recordings per child.",
            f"The median is {middle:g}. Intervals made by drawing so few recordings are rough, "
            "whatever is done about it.",
        )


def _missing(data: Collected) -> Iterator[Caveat]:
    n = data.n_utterances
    for reason, k in numbers.missing_by_reason(data.scores.counts).items():
        if k / n >= _WORTH_TELLING:
            yield (
                f"{labels.MISSING[reason]}.",
                f"{labels.count(k)} of {labels.plural(n, 'utterance')} "
                f"({labels.percent(k / n)}) have no score for this reason and count nowhere."
                + (
                    " They are mostly short, so the scored ones are not a random sample."
                    if reason == "no_frame_in_window"
                    else ""
                ),
            )
    failed = data.sample.failures
    if len(failed):
        n_failed = int(failed["n_recordings"].sum())
        yield (
            "Failures.",
            f"{labels.plural(n_failed, 'recording')} failed in some stage; nothing is known "
            "of what was said or seen there.",
        )


def _chance(data: Collected) -> Iterator[Caveat]:
    n, setting = int(data.scores.share.n), data.request.setting
    if not data.has_chance:
        yield ("No chance level.", phrases.no_chance(data.facts, setting))
        return
    without = n - data.scores.n_with_null
    if n and without / n >= _WORTH_TELLING:
        yield (
            "Chance level of a part.",
            f"{labels.count(without)} of {labels.plural(n, 'scored utterance')} "
            f"({labels.percent(without / n)}) have no matched null; the chance level is that of "
            "the others.",
        )


def _maximum(data: Collected) -> Iterator[Caveat]:
    setting, rows = data.request.setting, data.sample.qualities
    if setting.statistic != "max" or setting.scale != "raw":
        return
    framed = rows[rows["n_frames"] > 0]
    several = framed.loc[framed["n_frames"] > 1, "n"].sum() / max(1, framed["n"].sum())
    if several >= _WORTH_TELLING:
        yield (
            "The maximum grows with the frames.",
            f"{labels.percent(several)} of the utterances with a frame hold two or more. Their "
            "maximum is higher by chance alone; compare long and short utterances, or windows, "
            "only against the matched null.",
        )


def _model(data: Collected) -> Iterator[Caveat]:
    model, setting = data.model, data.request.setting
    if not is_published_model(model):
        yield (
            "Not the model of the paper.",
            f"Scores come from {model.name} ({model.weights or 'weights not named'}), not from "
            "OpenAI's CLIP ViT-B/32: neither scores nor thresholds compare with published ones.",
        )
    default = model.default_threshold
    if setting.threshold_origin == "no_default":
        yield (
            "No threshold known.",
            f"No cosine threshold is known for {model.label}; {phrases.threshold(setting)} of the "
            "matched null is used instead.",
        )
    elif setting.threshold_origin == "simulated":
        yield (
            "A simulated threshold.",
            f"Highly aligned from {setting.threshold:.3g}: threshold {model.threshold_source}. It "
            "says nothing about people.",
        )
    elif setting.threshold_origin == "people":
        yield (
            "A threshold from people.",
            f"Highly aligned from {setting.threshold:.3g}: threshold {model.threshold_source}. It "
            "holds for these raters, these images and these wrong options; shares under it do not "
            "compare with shares under another one.",
        )
    elif setting.scale == "raw" and default is None:
        yield (
            "A threshold of no source.",
            f"{setting.threshold:g} was chosen by hand; no threshold is known for {model.label}, "
            "and those of other models do not carry over.",
        )
    elif setting.scale == "raw" and default is not None and default != setting.threshold:
        yield (
            "Another threshold.",
            f"{setting.threshold:g} was chosen; the default of {model.label} is {default:g} "
            f"({model.threshold_source or 'source not recorded'}).",
        )
    if setting.window not in WINDOWS:
        yield (
            "A window of one's own.",
            f"The window {labels.window(setting.window)} has no matched null: what it gains over "
            "a narrower one may be chance.",
        )


def _own_speech(data: Collected) -> Iterator[Caveat]:
    counts = data.scores.counts
    own = int(counts.loc[counts["speaker"] == "CHI", "n_utterances"].sum())
    if own / data.n_utterances >= _WORTH_TELLING:
        yield (
            "The children's own speech.",
            f"{labels.count(own)} of {labels.plural(data.n_utterances, 'utterance')} "
            f"({labels.percent(own / data.n_utterances)}) were said by the child who wears the "
            "camera. They are counted here; see the shares by speaker.",
        )


def _speakers(data: Collected) -> Iterator[Caveat]:
    origins = data.sample.origins
    if origins.n and origins.n_unknown / origins.n >= _WORTH_TELLING:
        yield (
            "Unknown speakers.",
            f"{labels.percent(origins.n_unknown / origins.n)} of "
            f"{labels.plural(origins.n, 'utterance')} have no known speaker and are missing from "
            "every comparison of speakers.",
        )
    if origins.n and origins.n_by_transcript / origins.n >= _WORTH_TELLING:
        yield (
            "Speakers from transcripts.",
            f"{labels.percent(origins.n_by_transcript / origins.n)} of the utterances take their "
            "speaker from the transcript; how it was decided there is not known to Coview.",
        )


def _transcripts(data: Collected) -> Iterator[Caveat]:
    rows, n = data.sample.qualities, data.n_utterances
    flags = flag_counts(rows)
    doubtful = 0
    for flag in labels.DOUBTFUL_FLAGS:
        doubtful |= 1 << tuple(UTTERANCE_FLAGS).index(flag)
    k = int(rows.loc[(rows["flag_bits"] & doubtful) != 0, "n"].sum())
    if k / n >= _WORTH_TELLING:
        listed = ", ".join(
            f"{labels.FLAGS[name].lower()} {labels.count(flags[name])}"
            for name in labels.DOUBTFUL_FLAGS
            if name in flags
        )
        yield (
            "Doubtful transcripts.",
            f"{labels.count(k)} of {labels.plural(n, 'utterance')} ({labels.percent(k / n)}) may "
            f"not have been said ({listed}). They are counted here.",
        )
    by_machine = any(s.name.startswith("whisper ") for s in data.facts.sources)
    if by_machine and not data.sample.word_errors:
        yield (
            "Words not checked.",
            "The transcripts were made by machine and never compared with a hand-made one, so "
            "their word error rate is not known.",
        )


def _languages(data: Collected) -> Iterator[Caveat]:
    model = data.model
    if not model.dim or any(
        part in f"{model.name} {model.weights}".lower() for part in _MULTILINGUAL
    ):
        return
    known = data.sample.qualities.dropna(subset=["language"])
    other = int(known.loc[~known["language"].str.lower().str.startswith("en"), "n"].sum())
    if other and other / data.n_utterances >= _WORTH_TELLING:
        yield (
            "Not in English.",
            f"{labels.percent(other / data.n_utterances)} of the utterances are in another "
            f"language, and {model.name} learnt from English captions.",
        )


def _pictures(data: Collected) -> Iterator[Caveat]:
    rows, side = data.sample.recordings, data.model.image_size_px
    small = rows["short_side_px"] < side
    if side and small.any():
        yield (
            "Low resolution.",
            f"{int(small.sum())} of {labels.plural(len(rows), 'recording')} are narrower than the "
            f"{side} px that the model looks at.",
        )
    settings = data.facts.run.settings if data.facts.run is not None else None
    if settings is not None and settings.align.sub_second == "nearest":
        yield (
            "Nearest frames.",
            "An utterance that holds no frame takes the nearest one (align.sub_second), which was "
            "not seen while it was said.",
        )


def _comparisons(data: Collected) -> Iterator[Caveat]:
    n = len(data.settings) - 1
    if n > 1:
        yield (
            "Many comparisons.",
            f"{n} settings are compared with the report's own without a correction: one in twenty "
            "intervals misses its mark by design.",
        )


_RULES: tuple[Callable[[Collected], Iterator[Caveat]], ...] = (
    _made_up,
    _model,
    _children,
    _missing,
    _chance,
    _maximum,
    _transcripts,
    _own_speech,
    _speakers,
    _languages,
    _pictures,
    _comparisons,
)
