"""Published shares beside one's own, where they can be compared at all."""

from __future__ import annotations

from dashboard.charts.shares import ReferenceLine
from dashboard.components.view import View
from dashboard.queries.selection import Measure
from pipeline.published import (
    PUBLISHED_SETTING,
    PUBLISHED_SHARE,
    PUBLISHED_SWEEP,
    PUBLISHED_THRESHOLD,
    PublishedShare,
    is_published_model,
)
from pipeline.records import ModelRef


def reference_line(view: View) -> ReferenceLine | None:
    """The published share, or None when this page measures something else."""
    if not is_published_model(_model(view)) or not _same_setting(view.measure):
        return None
    return ReferenceLine(PUBLISHED_SHARE, "Tan et al. 2025: 12.6 %")


def reference_note(view: View) -> str:
    """Why the published value is shown, or is not."""
    if not is_published_model(_model(view)):
        return (
            "Tan et al. 2025 report 12.64 % for OpenAI's CLIP ViT-B/32 at .24; it is not drawn, "
            f"because cosines of {view.measure.label} cannot be compared with it."
        )
    if not _same_setting(view.measure):
        return (
            "Tan et al. 2025 report 12.64 % for the centre crop, strict window, maximum cosine at "
            ".24; it is not drawn for other settings."
        )
    return (
        "Dashed: Tan et al. 2025, 12.64 % over 325 hours of 19 children, with the same model, crop "
        "and threshold."
    )


def sweep_anchors(view: View, measure: Measure) -> tuple[PublishedShare, ...]:
    """Published shares at their thresholds, where the model is the same; else none."""
    plain = (measure.crop, measure.window, measure.statistic, measure.scale)
    if not is_published_model(_model(view)) or plain != PUBLISHED_SETTING:
        return ()
    return PUBLISHED_SWEEP


def sweep_note(view: View, measure: Measure) -> str:
    """What the anchors are, or why they are not drawn."""
    listed = "; ".join(
        f"{100 * a.share:g} % at {a.threshold:g} ({a.text})" for a in PUBLISHED_SWEEP
    )
    if sweep_anchors(view, measure):
        return f"Crosses: published shares: {listed}."
    return (
        f"Published shares for OpenAI's CLIP ViT-B/32, centre crop: {listed}. They are not drawn: "
        "another model or setting has other cosines."
    )


def _model(view: View) -> ModelRef:
    return next(m for m in view.store.options.models if m.scorer == view.measure.scorer)


def _same_setting(measure: Measure) -> bool:
    setting = (measure.crop, measure.window, measure.statistic, measure.scale)
    at_threshold = abs(measure.threshold - PUBLISHED_THRESHOLD) < 1e-9
    return setting == PUBLISHED_SETTING and at_threshold
