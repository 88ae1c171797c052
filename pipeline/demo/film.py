"""One recording of the toy world as a file: H.264 picture, AAC sound, written by PyAV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.scenes import Backdrop, Placement, render
from pipeline.demo.sound_recipes import object_sound, room_bed
from pipeline.demo.voices import SAMPLE_RATE_HZ, SpeechBank, line_samples, load_speech_bank
from pipeline.demo.world import FRAME_MS, Appearance, DemoRecording, RoomVisit
from pipeline.errors import MediaError
from pipeline.records import Float32Array, Speaker

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

WIDTH_PX, HEIGHT_PX = 270, 480
_FRAME_RATE_HZ = 1000 // FRAME_MS
_GROUP_FRAMES = 15
_LOUDNESS = {Speaker.FEM: 0.5, Speaker.MAL: 0.5, Speaker.CHI: 0.65, Speaker.OCH: 0.4}
_ECHO_MS = 23
_TONE_LEVEL = {"garden": 0.008, "street": 0.012}
_QUIET_TONE_LEVEL = 0.004
_HUM_HZ = {"kitchen": 100.0, "bathroom": 150.0}
_FADE_MS = 60
OBJECT_LEVEL = 0.006
"""Root mean square of the louder half of an object's sound; that of a sentence is about .06. More
would mislead the demo's speech model, which knows nothing but speech over the tone of a room."""

Pixels = NDArray[np.uint8]


def placements_at(recording: DemoRecording, time_ms: int) -> tuple[Placement, ...]:
    """The objects in view at one moment, swaying a little (.003 of the height, 2 degrees)."""
    return tuple(
        _swayed(appearance, time_ms)
        for appearance in recording.appearances
        if appearance.span.onset_ms <= time_ms < appearance.span.offset_ms
    )


def _swayed(appearance: Appearance, time_ms: int) -> Placement:
    turn = 2 * math.pi * 0.4 * time_ms / 1000 + appearance.phase
    return Placement(
        word=appearance.word,
        design=appearance.design,
        center_x=appearance.center_x + 0.008 * math.sin(turn),
        center_y=appearance.center_y + 0.003 * math.cos(1.3 * turn),
        width=appearance.width,
        angle_deg=appearance.angle_deg + 2.0 * math.sin(0.7 * turn),
    )


def blur_px(recording: DemoRecording, time_ms: int) -> float:
    """Blur of a frame: slight at all times, strong for a moment when the head turns fast."""
    start = recording.recorded.toordinal() % 97
    speed = math.sin(0.83 * time_ms / 1000 + start) * math.sin(2.17 * time_ms / 1000 + 2 * start)
    return 0.3 + 1.4 * max(0.0, abs(speed) - 0.85) / 0.15


def draw_frame(recording: DemoRecording, backdrops: Sequence[Backdrop], time_ms: int) -> Pixels:
    """One frame: uint8 RGB (`HEIGHT_PX`, `WIDTH_PX`, 3). `backdrops` go with the visits."""
    visit = next(
        i for i, v in enumerate(recording.visits) if v.span.onset_ms <= time_ms < v.span.offset_ms
    )
    # Each recording sees another stretch of the camera's wandering through the same room.
    world_s = time_ms / 1000 + 211.0 * (recording.recorded.toordinal() % 89)
    return render(
        backdrops[visit],
        world_s,
        placements_at(recording, time_ms),
        WIDTH_PX,
        HEIGHT_PX,
        blur_px=blur_px(recording, time_ms),
    )


@dataclass(frozen=True, slots=True)
class PlacedSpeech:
    """A sentence's sound, float32 (n,) at `SAMPLE_RATE_HZ`, who says it and when."""

    onset_ms: int
    speaker: Speaker
    samples: Float32Array


def sound_track(recording: DemoRecording, bank: SpeechBank, seed: int) -> Float32Array:
    """All that is heard: float32 (n,) at `SAMPLE_RATE_HZ`; speech over the tone of each room,
    with the soft sound of the room and of objects between sentences.
    """
    spoken = (
        PlacedSpeech(line.span.onset_ms, line.speaker, line_samples(bank, line.bank_line))
        for line in recording.lines
    )
    rng = np.random.default_rng([seed, *recording.recording_id.encode()])
    track = mixed_sound(spoken, recording.visits, recording.duration_ms, rng)
    for visit in recording.visits:
        first = visit.span.onset_ms * SAMPLE_RATE_HZ // 1000
        bed = room_bed(visit.room, visit.span.duration_ms * SAMPLE_RATE_HZ // 1000, rng)
        track[first : first + len(bed)] += bed[: len(track) - first]
    for sounding in recording.soundings:
        first = sounding.span.onset_ms * SAMPLE_RATE_HZ // 1000
        n_samples = sounding.span.duration_ms * SAMPLE_RATE_HZ // 1000
        heard = object_sound(sounding.word, n_samples, rng)[: len(track) - first]
        track[first : first + len(heard)] += np.float32(OBJECT_LEVEL * sounding.loudness) * heard
    return np.clip(track, -0.98, 0.98)


def mixed_sound(
    spoken: Iterable[PlacedSpeech],
    visits: Iterable[RoomVisit],
    duration_ms: int,
    rng: np.random.Generator,
) -> Float32Array:
    """Speech with a slight echo, each sentence at its own loudness, over the tone of each room."""
    n_samples = duration_ms * SAMPLE_RATE_HZ // 1000
    track = np.zeros(n_samples, np.float32)
    for line in spoken:
        speech = line.samples * np.float32(_LOUDNESS[line.speaker] * rng.uniform(0.75, 1.25))
        for delay_ms, gain in ((0, 1.0), (_ECHO_MS, 0.12)):
            first = (line.onset_ms + delay_ms) * SAMPLE_RATE_HZ // 1000
            heard = speech[: n_samples - first]
            track[first : first + len(heard)] += np.float32(gain) * heard
    for visit in visits:
        first = visit.span.onset_ms * SAMPLE_RATE_HZ // 1000
        tone = _room_tone(visit, rng)
        track[first : first + len(tone)] += tone
    return np.clip(track, -0.98, 0.98)


def _room_tone(visit: RoomVisit, rng: np.random.Generator) -> Float32Array:
    """The sound of a room nobody speaks in: float32 (n,), falling with frequency, never silent."""
    n_samples = visit.span.duration_ms * SAMPLE_RATE_HZ // 1000
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    hz = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE_HZ)
    tone = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 40.0)), n_samples)
    tone *= _TONE_LEVEL.get(visit.room, _QUIET_TONE_LEVEL) / tone.std()
    if visit.room in _HUM_HZ:
        seconds = np.arange(n_samples) / SAMPLE_RATE_HZ
        tone += 0.003 * np.sin(2 * math.pi * _HUM_HZ[visit.room] * seconds)
    fade = min(_FADE_MS * SAMPLE_RATE_HZ // 1000, n_samples // 2)
    ramp = np.linspace(0.2, 1.0, fade)
    tone[:fade] *= ramp
    tone[-fade:] *= ramp[::-1]
    return np.asarray(tone, dtype=np.float32)


def is_filmed(path: Path, fingerprint: str) -> bool:
    """Whether `path` is the finished film of exactly this plan."""
    import av

    if not path.is_file():
        return False
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment") == fingerprint
    except (OSError, av.FFmpegError):
        return False


def film(recording: DemoRecording, path: Path, *, seed: int, fingerprint: str) -> None:
    """Write the recording to `path`, which appears only when it is complete.

    `fingerprint` is kept in the file's comment. Raises MediaError if it cannot be written.
    """
    import av

    partial = path.with_name(path.name + ".partial")
    try:
        with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            output.metadata["comment"] = fingerprint
            _write(recording, output, seed)
        partial.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise MediaError(
            f"{path.name} could not be written ({error}).",
            hint="Check that the disk has room and that the folder may be written to.",
        ) from error


def _write(recording: DemoRecording, output: OutputContainer, seed: int) -> None:
    """Encode picture and sound side by side, second by second."""
    from av.video.frame import VideoFrame

    video = output.add_stream("libx264", rate=_FRAME_RATE_HZ)
    video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    video.time_base = Fraction(1, _FRAME_RATE_HZ)
    video.codec_context.time_base = Fraction(1, _FRAME_RATE_HZ)
    video.codec_context.thread_count = 1
    video.options = {
        "preset": "superfast",
        "crf": "28",
        "g": str(_GROUP_FRAMES),
        "bf": "0",
    }
    audio = _add_sound(output)
    track = sound_track(recording, load_speech_bank(), seed)
    painted: dict[tuple[int, str], Backdrop] = {}
    for visit in recording.visits:
        key = (visit.backdrop_seed, visit.room)
        if key not in painted:
            painted[key] = Backdrop(visit.backdrop_seed, visit.room)
    backdrops = [painted[v.backdrop_seed, v.room] for v in recording.visits]
    n_written = 0
    for number in range(recording.n_frames):
        picture = VideoFrame.from_ndarray(
            draw_frame(recording, backdrops, number * FRAME_MS), format="rgb24"
        )
        picture.pts = number
        picture.time_base = Fraction(1, _FRAME_RATE_HZ)
        output.mux(video.encode(picture))
        due = (number + 1) * FRAME_MS * SAMPLE_RATE_HZ // 1000
        _write_sound(output, audio, track[n_written:due], n_written)
        n_written = due
    output.mux(video.encode(None))
    output.mux(audio.encode(None))


def write_sound_file(path: Path, samples: Float32Array) -> None:
    """A file with the sound of a recording alone: `samples` (n,) coded as `film` codes them."""
    import av

    step = FRAME_MS * SAMPLE_RATE_HZ // 1000
    with av.open(str(path), "w", format="mp4") as output:
        audio = _add_sound(output)
        for first in range(0, len(samples), step):
            _write_sound(output, audio, samples[first : first + step], first)
        output.mux(audio.encode(None))


def _add_sound(output: OutputContainer) -> AudioStream:
    audio = output.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
    audio.bit_rate = 40_000
    audio.options = {"aac_coder": "fast"}
    return audio


def _write_sound(
    output: OutputContainer, audio: AudioStream, samples: Float32Array, position: int
) -> None:
    from av.audio.frame import AudioFrame

    sound = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[None, :]), format="fltp", layout="mono"
    )
    sound.sample_rate = SAMPLE_RATE_HZ
    sound.pts = position
    sound.time_base = Fraction(1, SAMPLE_RATE_HZ)
    output.mux(audio.encode(sound))
