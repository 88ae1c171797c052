"""What the toy world's objects and rooms sound like; half of the objects make no sound."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.demo.sound_synthesis import Called, Recipe, Rushing, Struck, band_noise, sounded
from pipeline.demo.voices import SAMPLE_RATE_HZ
from pipeline.records import Float32Array


@dataclass(frozen=True, slots=True)
class ObjectSound:
    """How an object sounds; `verb` says it in the third person ("barks")."""

    verb: str
    recipe: Recipe


OBJECT_SOUNDS: dict[str, ObjectSound] = {
    "dog": ObjectSound("barks", Called((380, 620, 420), 170, 240, 900, 0.45)),
    "cat": ObjectSound("meows", Called((480, 780, 700, 520), 600, 250, 1500, 0.05)),
    "cow": ObjectSound("moos", Called((130, 165, 150, 115), 1000, 250, 400, 0.15, 0.0, 20)),
    "horse": ObjectSound("neighs", Called((1200, 1500, 900, 600), 800, 200, 1600, 0.1, 14.0, 6)),
    "pig": ObjectSound("grunts", Called((210, 330, 180), 150, 120, 700, 0.8, 0.0, 20)),
    "duck": ObjectSound("quacks", Called((300, 340, 280), 220, 160, 1250, 0.45, 0.0, 22)),
    "frog": ObjectSound("croaks", Called((95, 130), 240, 180, 500, 0.5, 28.0, 30)),
    "monkey": ObjectSound("chatters", Called((500, 950), 130, 90, 1100, 0.1, 0.0, 5)),
    "elephant": ObjectSound(
        "trumpets", Called((350, 620, 560, 420), 850, 200, 1900, 0.35, 0.0, 18)
    ),
    "chicken": ObjectSound("clucks", Called((650, 900, 700), 80, 140, 1700, 0.2, 0.0, 8)),
    "train": ObjectSound("whistles", Called((720, 740, 740), 700, 180, 1450, 0.25, 6.0, 3)),
    "boat": ObjectSound("honks", Called((112, 112), 1300, 250, 300, 0.05, 0.0, 14)),
    "phone": ObjectSound("rings", Called((1850, 1850), 650, 300, 1900, 0.0, 22.0, 2)),
    "balloon": ObjectSound("squeaks", Called((900, 2300, 1500), 330, 170, 1800, 0.05, 0.0, 3)),
    "ball": ObjectSound("bounces", Struck((140, 265), 70, 2.4, 0.1, 0.4)),
    "drum": ObjectSound("beats", Struck((95, 183, 274), 150, 3.6, 0.05, 0.2)),
    "cup": ObjectSound("clinks", Struck((1900, 3100, 5200), 140, 1.8, 0.2, 0.1)),
    "spoon": ObjectSound("rattles", Struck((2600, 4300, 6100), 40, 6.0, 0.4, 0.2)),
    "key": ObjectSound("jingles", Struck((3400, 4700, 5600, 6900), 45, 13.0, 0.7, 0.1)),
    "clock": ObjectSound("ticks", Struck((2400, 3600), 10, 4.0, 0.0, 0.5)),
    "bicycle": ObjectSound("rings", Struck((2150, 2320, 4500), 300, 2.6, 0.1, 0.05)),
    "door": ObjectSound("knocks", Struck((210, 420, 660), 35, 4.2, 0.1, 0.5)),
    "box": ObjectSound("thumps", Struck((75, 150), 85, 1.5, 0.2, 0.8)),
    "foot": ObjectSound("taps", Struck((330, 900), 15, 2.6, 0.15, 1.0)),
    "hand": ObjectSound("claps", Struck((1300, 1750), 9, 3.2, 0.1, 1.5)),
    "car": ObjectSound("hums", Rushing(60, 420, drone_hz=84, drone=1.4)),
    "bus": ObjectSound("rumbles", Rushing(30, 200, 6.0, 0.9, 47, 1.0)),
    "airplane": ObjectSound("roars", Rushing(250, 1500, drone_hz=190, drone=0.4)),
    "toothbrush": ObjectSound("brushes", Rushing(3000, 7000, 5.0, 0.6)),
    "scissors": ObjectSound("snip", Rushing(4200, 7600, 2.6, 0.16)),
    "book": ObjectSound("rustles", Rushing(1600, 6000, 1.5, 0.4)),
    "milk": ObjectSound("pours", Rushing(650, 1700, 17.0, 0.8)),
    "umbrella": ObjectSound("whooshes", Rushing(180, 2500, 1.1, 0.9)),
    "tree": ObjectSound("sways", Rushing(2400, 7400, 0.6, 1.0)),
    "kite": ObjectSound("flutters", Rushing(150, 900, 12.0, 0.5)),
    "cookie": ObjectSound("crunches", Rushing(1100, 4600, 4.6, 0.25)),
    "chair": ObjectSound("scrapes", Rushing(500, 1500, 1.4, 0.7, 235, 0.8)),
}

_BED_LEVEL = {
    "kitchen": 0.0018,
    "living_room": 0.0012,
    "bedroom": 0.0012,
    "bathroom": 0.0015,
    "garden": 0.0030,
    "street": 0.0035,
}
_BED_FADE_MS = 200


def room_bed(room: str, n_samples: int, rng: np.random.Generator) -> Float32Array:
    """What a room sounds like besides its tone, float32 (n_samples,): soft, all the time.

    A refrigerator in the kitchen, a fan in the living room, a music box in the bedroom, drops in
    the bathroom, wind and birds in the garden, traffic in the street.
    """
    seconds = np.arange(n_samples) / SAMPLE_RATE_HZ
    if room == "kitchen":
        hum = sum(np.sin(2 * math.pi * 50 * k * seconds + k) / k for k in range(1, 7))
        bed = np.asarray(hum) + 0.2 * rng.normal(size=n_samples)
    elif room == "living_room":
        bed = band_noise(n_samples, 300, 900, rng)
        bed *= 1 + 0.5 * np.sin(2 * math.pi * 3.1 * seconds)
    elif room == "bedroom":
        bed = Struck((1046, 1568), 260, 1.2, 0.5, 0.0).render(n_samples, rng)
    elif room == "bathroom":
        bed = Struck((1100, 1450), 35, 1.0, 0.4, 0.1).render(n_samples, rng)
    elif room == "garden":
        wind = band_noise(n_samples, 60, 400, rng)
        wind *= 1 + 0.7 * np.sin(2 * math.pi * 0.23 * seconds + rng.uniform(0, 6))
        birds = Called((3200, 4400, 3600), 120, 1400, 4000, 0.0, 30.0, 1).render(n_samples, rng)
        bed = wind / max(float(wind.std()), 1e-9) + 1.2 * birds
    else:
        bed = band_noise(n_samples, 40, 250, rng)
        bed *= 1 + 0.6 * np.sin(2 * math.pi * 0.11 * seconds + rng.uniform(0, 6))
    bed = bed * _BED_LEVEL[room] / max(float(bed.std()), 1e-9)
    fade = min(_BED_FADE_MS * SAMPLE_RATE_HZ // 1000, n_samples // 2)
    ramp = np.linspace(0.0, 1.0, fade)
    bed[:fade] *= ramp
    bed[n_samples - fade :] *= ramp[::-1]
    return np.asarray(bed, dtype=np.float32)


def object_sound(word: str, n_samples: int, rng: np.random.Generator) -> Float32Array:
    """The sound of an object, float32 (n_samples,), its louder half of root mean square 1."""
    return sounded(OBJECT_SOUNDS[word].recipe, n_samples, rng)
