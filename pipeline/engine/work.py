"""What one stage does for one recording (align: one child), from shard to shard.

Runs in the main process or in a worker; everything it needs is in its arguments and everything
it leaves is a shard or a failure file.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine.plan import Plan
from pipeline.engine.tools import Tools
from pipeline.errors import CoviewError, DiskFullError, ModelError, SettingsError
from pipeline.records import (
    Crop,
    Float32Array,
    FrameMode,
    MediaInfo,
    Recording,
    StageFailure,
)
from pipeline.redactions import pieces_without_blacked_out, without_muted
from pipeline.results import ChildHubs, FrameEmbeddings, RecordingAlignment
from pipeline.score_settings import TextVariant
from pipeline.store.align_shards import write_alignment
from pipeline.store.layout import BLOCKS, Stage, forget
from pipeline.store.setting_shards import read_variant, write_hubs, write_variant
from pipeline.store.shards import (
    forget_damaged,
    read_texts,
    read_transcript,
    write_frame_pieces,
    write_texts,
    write_transcript,
)

if TYPE_CHECKING:
    from pipeline.align.child_frames import ChildFrames
    from pipeline.vision.sampled_frame import FrameSource

OnProgress = Callable[[int], None]
"""Told how far the task at hand is: frames of vision, milliseconds of speech."""

_Aligned = dict[str, "tuple[RecordingAlignment, ...] | Exception"]


@dataclass(frozen=True, slots=True)
class TextShard:
    """A shard of texts: as transcribed, or made from the words."""

    variant: TextVariant
    path: Path


@dataclass(frozen=True, slots=True)
class HubsWork:
    """Where a child's mean vectors belong, and the text shards they are means of."""

    path: Path
    texts: tuple[TextShard, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One shard to be made: for whom, under which name, from which shards.

    `texts`: shards of made texts, if settings of the score ask for any: the text stage makes them
    beside its own, the align stage reads them. `older`: files about the same recording made from
    an older input, to be deleted once the shard is there. `hubs`: where the align stage leaves its
    child's mean vectors as well.
    """

    recording: Recording
    input_digest: str
    sources: tuple[Path, ...] = ()
    texts: tuple[TextShard, ...] = ()
    older: tuple[Path, ...] = ()
    hubs: Path | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Items of one stage that are done together: short recordings (vision), a child (align).

    `pool` are the child's vision shards and `hubs` its mean vectors, where hubs are taken out
    (align). `n_tries`: how often a worker was lost that had it in hand.
    """

    stage: Stage
    items: tuple[Item, ...]
    pool: tuple[Path, ...] = ()
    hubs: HubsWork | None = None
    n_tries: int = 0

    def apart(self) -> tuple[Task, ...]:
        """The same as tasks of which the loss of one costs nothing beside."""
        if self.stage is Stage.ALIGN:
            return (self,)
        return tuple(replace(self, items=(item,)) for item in self.items)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item; `trace` is kept for the log when Coview itself is at fault."""

    stage: Stage
    recording_id: str
    failure: StageFailure | None = None
    trace: str = ""


def perform(
    task: Task, plan: Plan, tools: Tools, on_progress: OnProgress | None = None
) -> Iterator[Outcome]:
    """Make the shards of a task, one by one; one recording's failure leaves the others alone.

    Raises what must stop the whole run: a full disk, a missing model, a wrong setting.
    """
    with closing(_embedded_together(task, tools, on_progress)) as together:
        yield from _outcomes(task, plan, tools, together, on_progress)


def _outcomes(
    task: Task,
    plan: Plan,
    tools: Tools,
    together: Iterator[FrameEmbeddings | None],
    on_progress: OnProgress | None,
) -> Iterator[Outcome]:
    folder = plan.folder(task.stage)
    aligned = _aligned(task, tools) if task.stage is Stage.ALIGN else {}
    for item in task.items:
        recording_id = item.recording.recording_id
        shard = folder.shard(recording_id, item.input_digest)
        try:
            if task.stage is Stage.SPEECH:
                _speech(item, shard, tools, on_progress)
            elif task.stage is Stage.VISION:
                _vision(item, shard, tools, next(together, None), on_progress)
            elif task.stage is Stage.TEXT:
                _text(item, shard, tools)
            else:
                found = aligned[recording_id]
                if isinstance(found, Exception):
                    raise found
                write_alignment(shard, found[0], found[1:])
            # A worker that was lost may have kept a failure that the plan did not know of.
            forget((*item.older, folder.failure(recording_id, item.input_digest)))
            yield Outcome(task.stage, recording_id)
        except (DiskFullError, SettingsError):
            raise
        except CoviewError as problem:
            if isinstance(problem, ModelError) and task.stage is not Stage.SPEECH:
                raise
            failure = StageFailure(
                task.stage.value, recording_id, problem.code, problem.message, problem.hint
            )
            folder.write_failure(failure, item.input_digest)
            yield Outcome(task.stage, recording_id, failure)
        except Exception as defect:  # noqa: BLE001 - a defect of ours must cost one recording only
            failure = StageFailure(
                task.stage.value,
                recording_id,
                "defect",
                f"Coview failed on this recording: {type(defect).__name__}: {defect}",
                "Please report this with the log of the run (derived/logs).",
            )
            folder.write_failure(failure, item.input_digest)
            yield Outcome(task.stage, recording_id, failure, traceback.format_exc())


def media_info(recording: Recording, tools: Tools) -> MediaInfo:
    """What the container (or the frame folder) says."""
    from pipeline.vision.probe import frame_folder_info, probe_media

    media = tools.study.media_file(recording)
    if media is not None:
        return probe_media(media, audio_track=tools.study.settings.speech.audio_track)
    folder = tools.study.frames_folder(recording)
    assert folder is not None
    return frame_folder_info(folder)


def _speech(item: Item, shard: Path, tools: Tools, on_heard: OnProgress | None) -> None:
    from pipeline.speech.kept_blocks import KeptBlocks
    from pipeline.speech.stage import transcribe_recording

    recording = item.recording
    needs_whisper = tools.needs_whisper(recording.recording_id)
    kept = KeptBlocks(shard.parent / BLOCKS / shard.stem)
    transcript = transcribe_recording(
        tools.study,
        recording,
        media_info(recording, tools),
        tools.transcripts,
        tools.transcriber if needs_whisper else None,
        kept,
        on_heard,
    )
    write_transcript(shard, without_muted(transcript, recording.mute))
    kept.forget()


def _vision(
    item: Item,
    shard: Path,
    tools: Tools,
    embedded: FrameEmbeddings | None,
    on_frame: OnProgress | None,
) -> None:
    """`embedded`: the frames, if they have been embedded together with others'."""
    from pipeline.vision.stage import embedded_pieces

    recording, settings = item.recording, tools.study.settings
    pieces: Iterable[FrameEmbeddings]
    if embedded is not None:
        pieces = [embedded]
    else:
        pieces = embedded_pieces(
            recording.recording_id,
            *_opened(recording, tools),
            tools.model,
            settings.frames,
            _crops(tools),
            batch_size=settings.model.batch_size,
            on_frame=on_frame,
        )
    write_frame_pieces(shard, pieces_without_blacked_out(pieces, recording.blackout))


def _embedded_together(
    task: Task, tools: Tools, on_frame: OnProgress | None
) -> Generator[FrameEmbeddings | None, None, None]:
    """The frames of each recording of a task that has several, None for one to be made alone;
    nothing where all are."""
    from pipeline.vision.together import ShortRecording, embed_together

    if task.stage is not Stage.VISION or len(task.items) == 1:
        return
    settings = tools.study.settings
    recordings = [
        ShortRecording(item.recording.recording_id, partial(_opened, item.recording, tools))
        for item in task.items
    ]
    try:
        yield from embed_together(
            recordings,
            tools.model,
            settings.frames,
            _crops(tools),
            crosses_ends=tools.device == "cuda",
            batch_size=settings.model.batch_size,
            on_frame=on_frame,
        )
    except (ModelError, SettingsError):
        raise
    except Exception:  # noqa: BLE001 - whose fault it is shows where each is made alone
        return


def _opened(recording: Recording, tools: Tools) -> tuple[FrameSource, MediaInfo]:
    from pipeline.vision.sampling import open_frames

    study = tools.study
    source = open_frames(
        study.media_file(recording),
        study.frames_folder(recording),
        study.settings.frames.step_ms,
        FrameMode(study.settings.frames.mode),
    )
    return source, media_info(recording, tools)


def _crops(tools: Tools) -> tuple[Crop, ...]:
    return tuple(Crop(name) for name in tools.study.settings.align.crops)


def _text(item: Item, shard: Path, tools: Tools) -> None:
    """Embed the transcript and the texts made of it; what is there already stays."""
    forget_damaged(item.sources)
    from pipeline.vision.stage import embed_utterances
    from pipeline.vision.variant_texts import embed_variants

    transcript = read_transcript(item.sources[0])
    if not shard.exists():
        write_texts(shard, embed_utterances(transcript, tools.model))
    lacking = {text.variant: text.path for text in item.texts if not text.path.exists()}
    if lacking:
        for found in embed_variants(transcript, tools.model, tools.nouns, tuple(lacking)):
            write_variant(lacking[found.variant], found)


def _aligned(task: Task, tools: Tools) -> _Aligned:
    """Scores of a child's recordings, or why one has none."""
    import torch

    from pipeline.align.child_frames import ChildFrames
    from pipeline.align.stage import ChildTarget, align_child

    found: _Aligned = {}
    targets = []
    for item in task.items:
        try:
            forget_damaged((*item.sources, *(text.path for text in item.texts)))
            transcript, texts = read_transcript(item.sources[0]), read_texts(item.sources[1])
            made = tuple(read_variant(text.path) for text in item.texts)
        except CoviewError as problem:
            found[item.recording.recording_id] = problem
            continue
        targets.append(ChildTarget(transcript, texts, made))
    try:
        forget_damaged(
            (*task.pool, *(text.path for text in (task.hubs.texts if task.hubs else ())))
        )
        frames = ChildFrames.in_shards(task.pool)
        hubs = _hubs(task, frames)
        align = tools.study.settings.align
        scored = align_child(targets, frames, align, hubs, n_threads=torch.get_num_threads())
    except Exception as problem:  # noqa: BLE001 - told for each recording, as in `perform`
        return {item.recording.recording_id: problem for item in task.items}
    for target, one in zip(targets, scored, strict=True):
        found[target.transcript.recording_id] = one
    return found


def _hubs(task: Task, frames: ChildFrames) -> ChildHubs | None:
    """A child's mean vectors, kept as a file from which the store is filled."""
    from pipeline.align.hubs import mean_frames, mean_text, utterance_vectors

    if task.hubs is None:
        return None
    by_variant: dict[TextVariant, list[Float32Array]] = {}
    for text in task.hubs.texts:
        if text.variant is TextVariant.RAW:
            vectors = read_texts(text.path).vectors
        else:
            vectors = utterance_vectors(read_variant(text.path))
        by_variant.setdefault(text.variant, []).append(vectors)
    model = frames.recordings[0].model
    hubs = ChildHubs(
        child_id=task.items[0].recording.child_id,
        model=model,
        frames=mean_frames(frames),
        texts={name: mean_text(parts, model.dim) for name, parts in by_variant.items()},
    )
    write_hubs(task.hubs.path, hubs)
    return hubs
