"""Follow faces over a film, so that one that is missed for a moment does not flash up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.faces.boxes import FaceBox, between, overlap


@dataclass(frozen=True, slots=True)
class Sighting:
    """The faces that were found in the picture at `time_ms`."""

    time_ms: float
    boxes: tuple[FaceBox, ...]


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """When two sightings are one face, and how long a face is hidden unseen.

    A face seen twice at most `gap_ms` apart is hidden between; `hold_ms` before its first and
    after its last sighting, too. `margin` is what is hidden around a box, in shares of it;
    `margin_per_s` comes on top for each second that the nearest sighting is away.
    """

    hold_ms: float = 600.0
    gap_ms: float = 2_000.0
    min_overlap: float = 0.1
    margin: float = 0.2
    margin_per_s: float = 0.4

    def __post_init__(self) -> None:
        if min(self.hold_ms, self.gap_ms, self.margin, self.margin_per_s) < 0:
            raise ValueError(f"times and margins must be 0 or more, not {self}")
        if not 0.0 < self.min_overlap <= 1.0:
            raise ValueError(f"min_overlap must be above 0 and at most 1, not {self.min_overlap}")

    @property
    def reach_ms(self) -> float:
        """A sighting changes nothing that is hidden longer before it."""
        return max(self.hold_ms, self.gap_ms)


@dataclass(slots=True)
class _Track:
    times_ms: list[float]
    boxes: list[FaceBox]

    def expected(self, time_ms: float) -> FaceBox:
        """Where the face is by now when it goes on as it moved between its last sightings."""
        last = self.boxes[-1]
        if len(self.boxes) == 1:
            return last
        (x0, y0), (x1, y1) = self.boxes[-2].center, last.center
        share = (time_ms - self.times_ms[-1]) / (self.times_ms[-1] - self.times_ms[-2])
        share = min(share, 2.0)
        return last.moved((x1 - x0) * share, (y1 - y0) * share)

    def at(self, time_ms: float, settings: FollowSettings) -> FaceBox | None:
        times, boxes = self.times_ms, self.boxes
        if not times[0] - settings.hold_ms <= time_ms <= times[-1] + settings.hold_ms:
            return None
        after = next((i for i, seen_ms in enumerate(times) if seen_ms >= time_ms), len(times))
        if after == 0 or after == len(times):
            nearest = 0 if after == 0 else -1
            box, away_ms = boxes[nearest], abs(times[nearest] - time_ms)
        else:
            before_ms, after_ms = times[after - 1], times[after]
            share = (time_ms - before_ms) / (after_ms - before_ms)
            box = between(boxes[after - 1], boxes[after], share)
            away_ms = min(time_ms - before_ms, after_ms - time_ms)
        return box.grown(settings.margin + settings.margin_per_s * away_ms / 1000.0)


class FacesOverTime:
    """Where faces are to be hidden, at any time of a film."""

    def __init__(self, sightings: Iterable[Sighting], settings: FollowSettings) -> None:
        """`sightings` in the order of time."""
        self._settings = settings
        self._tracks: list[_Track] = []
        self._last_ms = float("-inf")
        for sighting in sightings:
            self.add(sighting)

    def add(self, sighting: Sighting) -> None:
        """One more sighting, later than all before; what is hidden `reach_ms` before it stays."""
        if sighting.time_ms <= self._last_ms:
            raise ValueError(f"sightings must be in order of time, not {sighting.time_ms} ms again")
        self._last_ms = sighting.time_ms
        gap_ms = self._settings.gap_ms
        open_tracks = [t for t in self._tracks if sighting.time_ms - t.times_ms[-1] <= gap_ms]
        pairs = _pairs(open_tracks, sighting, self._settings.min_overlap)
        for number, box in enumerate(sighting.boxes):
            if number in pairs:
                pairs[number].times_ms.append(sighting.time_ms)
                pairs[number].boxes.append(box)
            else:
                self._tracks.append(_Track([sighting.time_ms], [box]))

    @property
    def n_tracks(self) -> int:
        return len(self._tracks)

    def at(self, time_ms: float) -> tuple[FaceBox, ...]:
        """The boxes to hide at `time_ms`, margins included."""
        found = (track.at(time_ms, self._settings) for track in self._tracks)
        return tuple(box for box in found if box is not None)


def _pairs(tracks: Sequence[_Track], sighting: Sighting, min_overlap: float) -> dict[int, _Track]:
    """Which track each box goes on with: those that overlap most find each other first."""
    candidates = sorted(
        (
            (overlap(track.expected(sighting.time_ms), box), -number, -place)
            for number, box in enumerate(sighting.boxes)
            for place, track in enumerate(tracks)
        ),
        reverse=True,
    )
    found: dict[int, _Track] = {}
    taken: set[int] = set()
    for share, minus_number, minus_place in candidates:
        number, place = -minus_number, -minus_place
        if share >= min_overlap and number not in found and place not in taken:
            found[number] = tracks[place]
            taken.add(place)
    return found
