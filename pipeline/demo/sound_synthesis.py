"""Three ways in which the toy world sounds: things are struck, animals call, air and water rush.

Everything is made of sines and noise by numpy, at `SAMPLE_RATE_HZ`, from a seeded generator. Each
sound is drawn anew: pitch, speed and colour vary by about a tenth around its recipe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.voices import SAMPLE_RATE_HZ
from pipeline.records import Float32Array

Floats = NDArray[np.float64]

_PITCH_SD = 0.06
_SPEED_SD = 0.10
_HIGHEST_HZ = 7_600.0
_CONTOUR_POINTS = 65
_FAINTEST = 0.003
_FADE_SAMPLES = SAMPLE_RATE_HZ // 50


@dataclass(frozen=True, slots=True)
class Struck:
    """Blows on something that rings: damped sines at `modes_hz` with a burst of noise.

    `decay_ms` is the time in which they fall to 1/e; blows come `per_second`, each up to `jitter`
    of a period off; `attack` is the burst's share.
    """

    modes_hz: tuple[float, ...]
    decay_ms: float
    per_second: float
    jitter: float = 0.1
    attack: float = 0.3

    def render(self, n_samples: int, rng: np.random.Generator) -> Floats:
        """Samples (n_samples,), at no particular level."""
        sound = np.zeros(n_samples)
        pitch, speed = _varied(rng)
        period = SAMPLE_RATE_HZ / (self.per_second * speed)
        decay = self.decay_ms / 1000 * SAMPLE_RATE_HZ
        reach = int(6 * decay) + 1
        time = np.arange(reach)
        blow_at = rng.uniform(0.0, 0.25) * period
        while blow_at < n_samples:
            first = int(blow_at)
            phase = rng.uniform(0, 2 * math.pi, len(self.modes_hz))
            weight = rng.uniform(0.5, 1.0, len(self.modes_hz))
            blow = np.zeros(reach)
            for mode_hz, start, share in zip(self.modes_hz, phase, weight, strict=True):
                turn = 2 * math.pi * min(mode_hz * pitch, _HIGHEST_HZ) / SAMPLE_RATE_HZ
                blow += share * np.sin(turn * time + start)
            blow *= np.exp(-time / decay)
            burst = rng.normal(size=reach) * np.exp(-time / (0.004 * SAMPLE_RATE_HZ))
            blow += 3 * self.attack * burst
            heard = blow[: n_samples - first] * rng.uniform(0.6, 1.0)
            sound[first : first + len(heard)] += heard
            blow_at += period * (1 + rng.uniform(-self.jitter, self.jitter))
        return sound


@dataclass(frozen=True, slots=True)
class Called:
    """Calls of a voice or a horn: harmonics of a pitch that goes through `contour_hz`.

    A call lasts `length_ms`, the next comes after `pause_ms`. Harmonics near `formant_hz` are the
    strongest; `roughness` (0-1) is the share of noise; `warble_hz` shakes pitch and level.
    """

    contour_hz: tuple[float, ...]
    length_ms: float
    pause_ms: float
    formant_hz: float
    roughness: float = 0.1
    warble_hz: float = 0.0
    n_harmonics: int = 12

    def render(self, n_samples: int, rng: np.random.Generator) -> Floats:
        """Samples (n_samples,), at no particular level."""
        sound = np.zeros(n_samples)
        pitch, speed = _varied(rng)
        cursor = 0
        while cursor < n_samples:
            length = int(self.length_ms / 1000 / speed * SAMPLE_RATE_HZ * rng.uniform(0.9, 1.1))
            heard = self._call(length, pitch * rng.uniform(0.97, 1.03), rng)[: n_samples - cursor]
            sound[cursor : cursor + len(heard)] += heard * rng.uniform(0.7, 1.0)
            pause = self.pause_ms / 1000 / speed * rng.uniform(0.8, 1.2)
            cursor += length + max(1, int(pause * SAMPLE_RATE_HZ))
        return sound

    def _call(self, length: int, pitch: float, rng: np.random.Generator) -> Floats:
        time = np.arange(length) / SAMPLE_RATE_HZ
        place = np.linspace(0, len(self.contour_hz) - 1, _CONTOUR_POINTS)
        points = np.linspace(0, length - 1, _CONTOUR_POINTS)
        contour = pitch * np.interp(place, np.arange(len(self.contour_hz)), self.contour_hz)
        shake = np.sin(2 * math.pi * self.warble_hz * time) if self.warble_hz else np.zeros(length)
        hz = np.interp(np.arange(length), points, contour) * (1 + 0.05 * shake)
        turn = 2 * math.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
        call = np.zeros(length)
        for harmonic in range(1, self.n_harmonics + 1):
            at_hz = harmonic * contour
            strength = np.exp(-(np.log2(at_hz / self.formant_hz) ** 2)) / math.sqrt(harmonic)
            strength *= at_hz < _HIGHEST_HZ
            if strength.max() > _FAINTEST:
                level = np.interp(np.arange(length), points, strength)
                call += level * np.sin(harmonic * turn)
        breath = rng.normal(size=length) * np.abs(np.sin(turn / 2))
        loud = float(np.abs(call).max()) or 1.0
        call = (1 - self.roughness) * call / loud + 0.6 * self.roughness * breath
        return call * (1 + 0.6 * shake) * np.hanning(length + 2)[1:-1] ** 0.4


@dataclass(frozen=True, slots=True)
class Rushing:
    """Noise between `low_hz` and `high_hz`, steady or in strokes, over the drone of an engine.

    `strokes_hz` (0: steady) strokes a second, each `stroke_share` of a period long; `drone_hz`
    (0: none) is the pitch of a drone whose level beside the noise is `drone`.
    """

    low_hz: float
    high_hz: float
    strokes_hz: float = 0.0
    stroke_share: float = 0.5
    drone_hz: float = 0.0
    drone: float = 0.0

    def render(self, n_samples: int, rng: np.random.Generator) -> Floats:
        """Samples (n_samples,), at no particular level."""
        pitch, speed = _varied(rng)
        noise = band_noise(n_samples, self.low_hz * pitch, self.high_hz * pitch, rng)
        time = np.arange(n_samples) / SAMPLE_RATE_HZ
        sound = noise / max(float(noise.std()), 1e-9)
        if self.drone_hz:
            # A little unsteady, as engines are.
            sway = 1 + 0.02 * np.sin(2 * math.pi * 0.9 * time + rng.uniform(0, 6))
            turn = 2 * math.pi * np.cumsum(self.drone_hz * pitch * sway) / SAMPLE_RATE_HZ
            hum = sum(np.sin(k * turn + rng.uniform(0, 6)) / k for k in range(1, 9))
            sound = sound + self.drone * np.asarray(hum)
        if self.strokes_hz:
            place = (time * self.strokes_hz * speed + rng.uniform(0, 0.3)) % 1.0
            inside = place < self.stroke_share
            stroke = np.sin(math.pi * np.minimum(place / self.stroke_share, 1.0)) * inside
            sound = sound * (0.04 + stroke)
        return np.asarray(sound, dtype=np.float64)


Recipe = Struck | Called | Rushing


def sounded(recipe: Recipe, n_samples: int, rng: np.random.Generator) -> Float32Array:
    """A stretch of sound, float32 (n_samples,), whose root mean square is 1; ends fade over 20 ms.

    The root mean square is taken over its louder half, so that knocks are not louder than hums.
    """
    sound = recipe.render(n_samples, rng)
    power = np.sort(np.square(sound))[n_samples // 2 :]
    sound = sound / max(math.sqrt(float(power.mean())) if len(power) else 0.0, 1e-9)
    fade = min(_FADE_SAMPLES, n_samples // 2)
    ramp = np.linspace(0.0, 1.0, fade)
    sound[:fade] *= ramp
    sound[n_samples - fade :] *= ramp[::-1]
    return np.asarray(np.clip(sound, -4.0, 4.0), dtype=np.float32)


def band_noise(n_samples: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> Floats:
    """Noise (n_samples,) between two frequencies, its edges a third of an octave soft."""
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    hz = np.maximum(np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE_HZ), 1.0)
    above = 1 / (1 + (low_hz / hz) ** 6)
    below = 1 / (1 + (hz / high_hz) ** 6)
    return np.asarray(np.fft.irfft(spectrum * above * below, n_samples), dtype=np.float64)


def _varied(rng: np.random.Generator) -> tuple[float, float]:
    """Factors of pitch and speed of one sound."""
    pitch, speed = rng.normal(0.0, (_PITCH_SD, _SPEED_SD))
    return math.exp(pitch), math.exp(speed)
