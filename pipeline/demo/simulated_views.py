"""What a simulated rater sees: the demo's own truth at the moments of a set of trials.

Neither scores nor what the speech model heard enter: an option is found in the plan of the toy
world by recording and time.
"""

from __future__ import annotations

from pipeline.demo.world import Case, DemoRecording, DemoWorld, SpokenLine, Zone, in_view
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import Item, ItemOption, TrialMode
from pipeline.records import TimeSpan

_FRAME = 100
_IN_MIDDLE, _AT_EDGE, _NOWHERE = 1.0, 0.7, 0.0
"""How plainly a thing is seen: objects above or below the middle are easily overlooked."""


class WorldViews:
    """The toy world, looked up by recording and time."""

    def __init__(self, world: DemoWorld) -> None:
        self._recordings = {recording.recording_id: recording for recording in world.recordings}

    def line_of(self, moment: MomentRef) -> SpokenLine | None:
        """The line that was spoken at a moment: the one that shares most time with it."""
        recording = self._recordings.get(moment.recording_id)
        if recording is None:
            return None
        best = max(recording.lines, key=lambda line: line.span.overlap_ms(moment.span))
        return best if best.span.overlap_ms(moment.span) > 0 else None

    def case_of(self, moment: MomentRef) -> Case:
        """What the camera saw of what was said; NONE where nothing was said."""
        line = self.line_of(moment)
        return Case.NONE if line is None else line.case

    def fits(self, item: Item) -> tuple[float, ...]:
        """How well words and picture of each option go together, from 0 to 1.

        In images mode the target's words meet each picture, in utterances mode each option's words
        meet the target's picture.
        """
        target = item.options[0]
        if item.mode is TrialMode.IMAGES:
            return tuple(self._fit(target.moment, option) for option in item.options)
        return tuple(self._fit(option.moment, target) for option in item.options)

    def _fit(self, words: MomentRef, picture: ItemOption) -> float:
        line = self.line_of(words)
        recording = self._recordings.get(picture.moment.recording_id)
        if line is None or line.named_word is None or recording is None:
            return _NOWHERE
        if picture.frame_ms is None:
            return _NOWHERE
        return _seen(recording, line.named_word, picture.frame_ms)


def _seen(recording: DemoRecording, word: str, frame_ms: int) -> float:
    frame = TimeSpan(frame_ms, frame_ms + _FRAME)
    if in_view(recording, word, frozenset({Zone.MIDDLE}), frame):
        return _IN_MIDDLE
    if in_view(recording, word, frozenset({Zone.TOP, Zone.BOTTOM}), frame):
        return _AT_EDGE
    return _NOWHERE
