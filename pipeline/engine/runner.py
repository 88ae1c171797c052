"""A run: bring every stage's shards up to date, then publish the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pipeline.engine.engine import Engine
from pipeline.engine.events import OnEvent, RecordingFinished, Said, StageStarted
from pipeline.engine.groups import groups
from pipeline.engine.local import InProcess, Processes
from pipeline.engine.lock import study_lock
from pipeline.engine.options import RunOptions, RunSummary
from pipeline.engine.plan import (
    Inputs,
    Plan,
    align_input,
    hubs_path,
    make_plan,
    text_input,
    variant_input,
)
from pipeline.engine.progress import remember_plan
from pipeline.engine.publishing import RunFacts, publish_shards, utc_now
from pipeline.engine.tools import Tools
from pipeline.engine.work import HubsWork, Item, Task, TextShard
from pipeline.errors import ModelError, StudyError
from pipeline.in_hand import must_open_one_at_a_time
from pipeline.records import Recording, StageFailure
from pipeline.score_settings import TextVariant
from pipeline.store.fill import ShardSet
from pipeline.store.layout import ShardFolder, Stage, file_stem, forget
from pipeline.study import Study

__all__ = ["Run", "RunOptions", "RunSummary"]

_LANES = (Stage.SPEECH, Stage.VISION)
"""Made from the recording and its files alone, so that neither waits for the other."""


class Run:
    """One run over a study. Stages are brought up to date in order, those that need nothing of
    each other side by side where the engine can; each skips what is done."""

    def __init__(self, study: Study, options: RunOptions, on_event: OnEvent) -> None:
        self.study = study
        self.options = options
        self.on_event = on_event
        self.tools = Tools(study, options.device)
        self.inputs = Inputs(study)
        self.started_at = utc_now()
        self._pools: dict[str, tuple[Path, ...]] = {}
        self._pool_names: dict[str, tuple[str, ...]] = {}
        self._known: dict[tuple[Stage, str], Path] = {}
        self._child_hubs: dict[str, HubsWork] = {}
        self.engine = self._new_engine()

    def _new_engine(self) -> Engine:
        if self.options.engine == "ray":
            from pipeline.engine.ray_engine import RayEngine

            return RayEngine(
                self.study,
                self.options.address,
                self.options.n_workers,
                self.options.device,
                self.on_event,
            )
        if self.options.n_workers > 1:
            return Processes(self.tools, self.options.n_workers, self.on_event)
        # Where one worker was asked for, one task at a time is what is meant.
        is_gpu_free = self.tools.device == "cuda" and self.options.n_workers == 0
        has_lanes = is_gpu_free and not must_open_one_at_a_time()
        return InProcess(self.tools, self.on_event, has_lanes=has_lanes)

    def execute(self) -> RunSummary:
        """Do the work; raises CoviewError for what stops everything."""
        if not self.study.recordings:
            first = self.study.failures[0] if self.study.failures else None
            raise StudyError(
                f"None of the recordings of {self.study.name} can be used."
                + (f" {first.message}" if first else ""),
                hint=first.hint if first else "Add a recording to metadata/recordings.csv.",
            )
        with study_lock(self.study):
            with closing(self.engine):
                plan = self._plan()
                remember_plan(self.study, plan)
                self._ask_who_speaks()
                for notice in self.tools.transcripts.notices:
                    self.on_event(Said(f"Note: {notice.message}"))
                self._check_whisper(plan)
                for stages in self._turns():
                    self._bring_up_to_date(stages, plan)
            failures = self._failures(plan)
            store, is_new = None, False
            if self.options.stage in ("", "publish"):
                store, is_new = self._publish(plan, failures)
        return RunSummary(store, is_new, len(self.study.recordings), failures)

    def _plan(self) -> Plan:
        """The plan; speech alone needs no image-text model, so none is loaded for it."""
        if self.options.stage == Stage.SPEECH.value:
            return make_plan(self.study, None)
        self.on_event(Said("Loading the image-text model"))
        return make_plan(self.study, self.engine.model_ref())

    def _ask_who_speaks(self) -> None:
        """Run the speaker command over recordings that no speaker file is about."""
        if not self.study.settings.speakers.command:
            return
        if self.options.stage not in ("", Stage.SPEECH.value):
            return
        from pipeline.speech.diariser import diarise

        nameless = [
            recording
            for recording in self.study.recordings
            if self.tools.transcripts.speaker_source_for(recording.recording_id) is None
        ]
        if nameless:
            diarise(self.study, nameless, lambda text: self.on_event(Said(text)))
            self.tools.look_again_at_transcripts()

    def _check_whisper(self, plan: Plan) -> None:
        """Stop before any work when every recording needs a Whisper model that is not here."""
        if self.options.stage not in ("", Stage.SPEECH.value):
            return
        pending = [item.recording for item in self._items(Stage.SPEECH, plan)]
        needing = [r for r in pending if self.tools.needs_whisper(r.recording_id)]
        if not needing:
            return
        try:
            _ = self.tools.transcriber
        except ModelError as problem:
            if len(needing) == len(self.study.recordings):
                raise
            self.on_event(
                Said(f"{len(needing)} recording(s) have no transcript: {problem.message}")
            )

    def _turns(self) -> list[tuple[Stage, ...]]:
        """The stages that are wanted, in their order; in one turn, what goes on side by side."""
        wanted = [stage for stage in Stage if self.options.stage in ("", stage.value)]
        if not self.engine.has_lanes:
            return [(stage,) for stage in wanted]
        lanes = tuple(stage for stage in wanted if stage in _LANES)
        turns = [lanes] if lanes else []
        return [*turns, *((stage,) for stage in wanted if stage not in _LANES)]

    def _bring_up_to_date(self, stages: Sequence[Stage], plan: Plan) -> None:
        """Make what is missing of stages of which none needs another."""
        self._pools.clear()
        self._pool_names.clear()
        self._child_hubs.clear()
        self._known.clear()
        tasks: list[Task] = []
        for stage in stages:
            items = list(self._items(stage, plan))
            self.inputs.keep()
            self._forget_left_over(stage, plan)
            n_total = len(self.study.recordings)
            self.on_event(StageStarted(stage.value, n_total, n_total - len(items)))
            tasks += self._tasks(stage, plan, items)
        for found in self.engine.outcomes(plan, tasks):
            self.on_event(
                RecordingFinished(found.stage.value, found.recording_id, found.failure, found.trace)
            )

    def _forget_left_over(self, stage: Stage, plan: Plan) -> None:
        """Delete what lies beside a finished shard: what a run that was killed had still to
        delete, and failures of recordings whose input is again one that was finished before."""
        folders = (plan.folder(stage), *_beside(stage, plan))
        files = [*(folder.files() for folder in folders), folders[0].blocks()]
        for recording in self.study.recordings:
            stem = file_stem(recording.recording_id)
            found = [path for each in files for path in each.get(stem, ())]
            if len(found) <= len(folders):
                continue
            item = self._item(stage, plan, recording)
            if item is not None and _is_done(stage, folders[0], item):
                shards = _shards(stage, folders[0], item)
                forget(path for path in found if path not in shards)

    def _items(self, stage: Stage, plan: Plan) -> Iterator[Item]:
        """Shards still to be made. A recording whose earlier stage failed is not listed."""
        folder = plan.folder(stage)
        files = [each.files() for each in (folder, *_beside(stage, plan))]
        for recording in self.study.recordings:
            item = self._item(stage, plan, recording)
            if item is None or _is_done(stage, folder, item):
                continue
            stem = file_stem(recording.recording_id)
            shards = _shards(stage, folder, item)
            older = (path for each in files for path in each.get(stem, ()) if path not in shards)
            yield replace(item, older=tuple(older))

    def _item(self, stage: Stage, plan: Plan, recording: Recording) -> Item | None:
        if stage is Stage.SPEECH:
            paths = self.tools.transcripts.inputs_for(recording.recording_id)
            is_heard = self.tools.needs_whisper(recording.recording_id)
            model = self.tools.speech_revision if is_heard else ""
            return Item(recording, self.inputs.speech(recording, paths, model))
        if stage is Stage.VISION:
            return Item(recording, self.inputs.vision(recording))
        speech = self._finished(Stage.SPEECH, plan, recording)
        if speech is None:
            return None
        if stage is Stage.TEXT:
            made = self._made_texts(plan, recording, speech)
            return Item(recording, text_input(speech), (speech,), made)
        texts = self._finished(Stage.TEXT, plan, recording)
        if texts is None or self._finished(Stage.VISION, plan, recording) is None:
            return None
        pool = self._names_of_pool(plan, recording.child_id)
        made = self._made_texts(plan, recording, speech)
        hubs = self._hubs(plan, recording.child_id)
        more = [text.path for text in (*made, *(hubs.texts if hubs else ()))]
        return Item(
            recording,
            align_input(texts, pool, more),
            (speech, texts),
            made,
            hubs=hubs.path if hubs else None,
        )

    def _made_texts(self, plan: Plan, recording: Recording, speech: Path) -> tuple[TextShard, ...]:
        """Where the texts lie that settings of the score compare, whether made yet or not."""
        return tuple(
            TextShard(
                variant,
                folder.shard(recording.recording_id, variant_input(speech, self.inputs.norms)),
            )
            for variant, folder in plan.variants
        )

    def _hubs(self, plan: Plan, child_id: str) -> HubsWork | None:
        """Where a child's mean vectors lie and what they are means of; None if no setting of the
        score takes hubs out."""
        corrected = {
            setting.text
            for setting in self.study.settings.align.score_settings
            if setting.is_hub_corrected
        }
        if not corrected:
            return None
        if child_id not in self._child_hubs:
            texts: list[TextShard] = []
            for recording in self.study.recordings:
                if recording.child_id != child_id:
                    continue
                raw = self._finished(Stage.TEXT, plan, recording)
                speech = self._finished(Stage.SPEECH, plan, recording)
                if raw is None or speech is None:
                    continue
                made = (
                    TextShard(TextVariant.RAW, raw),
                    *self._made_texts(plan, recording, speech),
                )
                texts += [text for text in made if text.variant in corrected]
            sources = [*self._pool(plan, child_id), *(text.path for text in texts)]
            path = hubs_path(plan.align, child_id, sources)
            self._child_hubs[child_id] = HubsWork(path, tuple(texts))
        return self._child_hubs[child_id]

    def _finished(self, stage: Stage, plan: Plan, recording: Recording) -> Path | None:
        """The recording's shard of a stage made from its present input, if it is there.

        Asked for many times while a stage is planned, so what was found is kept that long.
        """
        key = (stage, recording.recording_id)
        if key in self._known:
            return self._known[key]
        item = self._item(stage, plan, recording)
        if item is None:
            return None
        folder = plan.folder(stage)
        if not _is_done(stage, folder, item):
            return None
        self._known[key] = folder.shard(recording.recording_id, item.input_digest)
        return self._known[key]

    def _pool(self, plan: Plan, child_id: str) -> tuple[Path, ...]:
        """Vision shards of all recordings of a child; asked for once per recording, so kept."""
        if child_id not in self._pools:
            shards = (
                self._finished(Stage.VISION, plan, recording)
                for recording in self.study.recordings
                if recording.child_id == child_id
            )
            self._pools[child_id] = tuple(shard for shard in shards if shard is not None)
        return self._pools[child_id]

    def _names_of_pool(self, plan: Plan, child_id: str) -> tuple[str, ...]:
        """The pool's files by name, in order; every recording of the child depends on all."""
        if child_id not in self._pool_names:
            pool = self._pool(plan, child_id)
            self._pool_names[child_id] = tuple(sorted(path.name for path in pool))
        return self._pool_names[child_id]

    def _tasks(self, stage: Stage, plan: Plan, items: Sequence[Item]) -> list[Task]:
        """One task per recording; vision takes short ones together, to fill the model's batches,
        align a child's, to read its frames once."""
        if stage is Stage.VISION and not must_open_one_at_a_time():
            sizes = [self._size_bytes(item.recording) for item in items]
            return [Task(stage, group) for group in groups(items, sizes, self.engine.n_workers)]
        if stage is not Stage.ALIGN:
            return [Task(stage, (item,)) for item in items]
        by_child: dict[str, list[Item]] = {}
        for item in items:
            by_child.setdefault(item.recording.child_id, []).append(item)
        return [
            Task(stage, tuple(group), self._pool(plan, child_id), self._hubs(plan, child_id))
            for child_id, group in by_child.items()
        ]

    def _size_bytes(self, recording: Recording) -> int | None:
        """Of the video; None where there is none."""
        media = self.study.media_file(recording)
        return None if media is None else media.stat().st_size

    def _failures(self, plan: Plan) -> tuple[StageFailure, ...]:
        known = {recording.recording_id for recording in self.study.recordings}
        kept = [
            failure
            for stage in Stage
            for failure in plan.folder(stage).failures()
            if failure.recording_id in known
        ]
        return (*self.study.failures, *kept)

    def _publish(self, plan: Plan, failures: tuple[StageFailure, ...]) -> tuple[Path | None, bool]:
        notices = (*self.study.notices, *self.tools.transcripts.notices)
        shards = ShardSet(
            self._finished_shards(Stage.SPEECH, plan),
            self._finished_shards(Stage.VISION, plan),
            self._finished_shards(Stage.TEXT, plan),
            self._finished_shards(Stage.ALIGN, plan),
            variants=self._finished_variants(plan),
            hubs=self._finished_hubs(plan),
        )
        run = RunFacts(self.started_at, self.engine.device, self.options.stage == "publish")
        return publish_shards(self.study, shards, failures, notices, run, self.on_event)

    def _finished_shards(self, stage: Stage, plan: Plan) -> tuple[Path, ...]:
        shards = (self._finished(stage, plan, recording) for recording in self.study.recordings)
        return tuple(shard for shard in shards if shard is not None)

    def _finished_variants(self, plan: Plan) -> tuple[Path, ...]:
        found = []
        for recording in self.study.recordings:
            speech = self._finished(Stage.SPEECH, plan, recording)
            if speech is not None:
                found += [text.path for text in self._made_texts(plan, recording, speech)]
        return tuple(path for path in found if path.exists())

    def _finished_hubs(self, plan: Plan) -> tuple[Path, ...]:
        found = (self._hubs(plan, child.child_id) for child in self.study.children)
        return tuple(hubs.path for hubs in found if hubs is not None and hubs.path.exists())


def _beside(stage: Stage, plan: Plan) -> tuple[ShardFolder, ...]:
    """Folders of further shards that a stage leaves for a recording."""
    return tuple(made for _, made in plan.variants) if stage is Stage.TEXT else ()


def _is_done(stage: Stage, folder: ShardFolder, item: Item) -> bool:
    """Whether everything that a stage leaves for a recording is there."""
    return all(path.exists() for path in _shards(stage, folder, item))


def _shards(stage: Stage, folder: ShardFolder, item: Item) -> tuple[Path, ...]:
    """Everything that a stage leaves for a recording."""
    shard = folder.shard(item.recording.recording_id, item.input_digest)
    made = item.texts if stage is Stage.TEXT else ()
    hubs = () if item.hubs is None else (item.hubs,)
    return (shard, *(text.path for text in made), *hubs)
