"""One training loop for every system: features in, heads out.

Our settings, as the published ones are not public: AdamW at 1e-3 with weight decay 1e-4, batches
of 256, 40 epochs a stage, a learnable temperature from .07, and the epoch that retrieves best in
the validation clips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import StudyError
from pipeline.records import Float32Array
from pipeline.sound.batches import Batch, batches_of_epoch
from pipeline.sound.clip_set import Booleans, ClipSet, Kind
from pipeline.sound.heads import Heads, new_heads
from pipeline.sound.losses import info_nce, projected
from pipeline.sound.retrieval import selection_recall
from pipeline.sound.systems import Modality, System, Term, TrainingStage
from pipeline.sound.threads import one_thread

if TYPE_CHECKING:
    from torch import Tensor

_MIN_TAU, _MAX_TAU = 0.01, 1.0


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How heads are trained; kept with them. A stage ends early after `patience` epochs that
    retrieve no better.
    """

    n_epochs: int = 40
    patience: int = 12
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    first_tau: float = 0.07


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What happened in one stage: validation recall after each epoch, and the epoch kept."""

    validation_recall: tuple[float, ...]
    best_epoch: int


@dataclass(frozen=True, slots=True)
class Trained:
    """Heads of one system and seed, and how they came about."""

    system: System
    seed: int
    settings: TrainingSettings
    heads: Heads
    stages: tuple[StageRecord, ...]


OnEpoch = Callable[[int, int], None]
"""Told (epochs done, epochs in all)."""


def train(
    system: System,
    learn: ClipSet,
    validation: ClipSet,
    *,
    seed: int = 1,
    settings: TrainingSettings | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train the heads of `system`. The same clips, seed and settings give the same heads.

    Raises StudyError when clips or a kind of text are missing.
    """
    settings = settings or TrainingSettings()
    _check(system, learn, validation)
    dims = {
        modality: features.shape[1]
        for modality, features in _features_of(learn).items()
        if any(modality in stage.heads for stage in system.stages)
    }
    weights = new_heads(dims, seed)
    tau = settings.first_tau
    records: list[StageRecord] = []
    n_epochs = settings.n_epochs * len(system.stages)
    with one_thread():
        for number, stage in enumerate(system.stages):
            done = number * settings.n_epochs

            def told(epoch: int, done: int = done) -> None:
                if on_epoch is not None:
                    on_epoch(done + epoch, n_epochs)

            run = _StageRun(stage, learn, validation, weights, settings, seed)
            weights, tau, record = run.execute(told)
            records.append(record)
    return Trained(system, seed, settings, Heads(weights, tau), tuple(records))


class _StageRun:
    """One stage: heads that learn are copied, the others are handed on as they are."""

    def __init__(
        self,
        stage: TrainingStage,
        learn: ClipSet,
        validation: ClipSet,
        weights: dict[Modality, Float32Array],
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        import torch

        self._stage, self._learn, self._validation = stage, learn, validation
        self._given, self._settings, self._seed = weights, settings, seed
        self._sources = {m: torch.from_numpy(_scaled(f)) for m, f in _features_of(learn).items()}
        self._texts = {
            kind: torch.from_numpy(_scaled(block.vectors)) for kind, block in learn.texts.items()
        }
        self._weights = {
            modality: torch.tensor(weight, requires_grad=modality in stage.heads)
            for modality, weight in weights.items()
        }
        self._log_tau = torch.tensor(float(np.log(settings.first_tau)), requires_grad=True)
        # Decay would pull the temperature towards 1.
        decayed: dict[str, object] = {"params": [self._weights[m] for m in stage.heads]}
        free: dict[str, object] = {"params": [self._log_tau], "weight_decay": 0.0}
        self._optimizer = torch.optim.AdamW(
            [decayed, free], lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def execute(
        self, told: Callable[[int], None]
    ) -> tuple[dict[Modality, Float32Array], float, StageRecord]:
        recalls: list[float] = []
        best = self._now()
        best_epoch = 0
        for epoch in range(self._settings.n_epochs):
            for batch in batches_of_epoch(
                self._learn, self._settings.batch_size, self._seed, epoch
            ):
                self._step(batch)
            now = self._now()
            recall = selection_recall(now, self._stage.terms, self._validation)
            # The first of equals: more training that shows no gain is not kept.
            if not recalls or recall > max(recalls):
                best, best_epoch = now, epoch + 1
            recalls.append(recall)
            told(epoch + 1)
            if epoch + 1 - best_epoch >= self._settings.patience:
                break
        return best.weights, best.tau, StageRecord(tuple(recalls), best_epoch)

    def _step(self, batch: Batch) -> None:
        import torch

        self._optimizer.zero_grad()
        tau = self._log_tau.exp()
        overlaps = self._learn_overlaps(batch)
        placed: dict[tuple[Modality, Kind | None], Tensor] = {}
        total = torch.zeros(())
        for term in self._stage.terms:
            if term.choice is not None and term.choice != batch.choice:
                continue
            x = self._placed(placed, term.x, term.kind, batch)
            y = self._placed(placed, term.y, term.kind, batch)
            total = total + info_nce(x, y, tau, self._mask(term, batch, overlaps))
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        with torch.no_grad():
            self._log_tau.clamp_(float(np.log(_MIN_TAU)), float(np.log(_MAX_TAU)))

    def _placed(
        self,
        placed: dict[tuple[Modality, Kind | None], Tensor],
        modality: Modality,
        kind: Kind | None,
        batch: Batch,
    ) -> Tensor:
        import torch

        key = (modality, kind if modality is Modality.TEXT else None)
        if key not in placed:
            if modality is Modality.TEXT:
                assert kind is not None
                source, rows = self._texts[kind], batch.text_rows[kind]
            else:
                source, rows = self._sources[modality], batch.rows
            placed[key] = projected(source[torch.from_numpy(rows)], self._weights[modality])
        return placed[key]

    def _learn_overlaps(self, batch: Batch) -> Booleans:
        clips, rows = self._learn, batch.rows
        recording, onset, offset = (
            values[rows] for values in (clips.recording, clips.onset_ms, clips.offset_ms)
        )
        same = recording[:, None] == recording[None, :]
        starts_before = onset[:, None] < offset[None, :]
        shared: Booleans = same & starts_before & starts_before.T
        np.fill_diagonal(shared, False)
        return shared

    def _mask(self, term: Term, batch: Batch, overlaps: Booleans) -> Tensor | None:
        """Pairs that are no true negatives: overlapping clips, and equal texts in terms of text."""
        import torch

        masked = overlaps
        if term.kind is not None:
            group = self._learn.texts[term.kind].group[batch.text_rows[term.kind]]
            same_text = group[:, None] == group[None, :]
            np.fill_diagonal(same_text, False)
            masked = masked | same_text
        return torch.from_numpy(masked) if masked.any() else None

    def _now(self) -> Heads:
        weights = {
            modality: weight.detach().numpy().copy()
            if modality in self._stage.heads
            else self._given[modality]
            for modality, weight in self._weights.items()
        }
        return Heads(weights, float(self._log_tau.detach().exp()))


def _features_of(clips: ClipSet) -> dict[Modality, Float32Array]:
    features = {Modality.VISUAL: clips.visual, Modality.AUDIO: clips.audio}
    for block in clips.texts.values():
        features[Modality.TEXT] = block.vectors
    return features


def _scaled(features: Float32Array) -> Float32Array:
    """Features over their root mean square length, so that one learning rate suits any encoder.

    A head without bias gives the same cosines for both.
    """
    length = float(np.sqrt(np.square(features, dtype=np.float64).sum(axis=1).mean()))
    return np.ascontiguousarray(features / max(length, 1e-12), np.float32)


def _check(system: System, learn: ClipSet, validation: ClipSet) -> None:
    if len(learn) < 2 or len(validation) < 2:
        raise StudyError(
            f"{len(learn)} clip(s) to learn from and {len(validation)} to stop by are too few.",
            hint="Sound needs at least two clips with picture, sound and text in each part.",
        )
    for clips in (learn, validation):
        missing = [kind.value for kind in system.kinds if kind not in clips.texts]
        if missing:
            raise StudyError(
                f"{system.title} learns from captions that are missing here: {', '.join(missing)}.",
                hint="Import captions with: python -m pipeline sound captions STUDY FILE",
            )
