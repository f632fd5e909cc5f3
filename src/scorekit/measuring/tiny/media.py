"""Images and sounds made from numbers, as encoded bytes."""

from __future__ import annotations

import io
import random
from typing import Any

from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.audio_models import SAMPLE_RATE_HZ

_SIDES = ((64, 64), (96, 64), (64, 96), (128, 96), (160, 120), (120, 160))
"""Widths and heights of the images, in pixels."""


def image_png(chance: random.Random) -> bytes:
    """A few coloured shapes on a shaded ground, as PNG.

    One in eight is greyscale, as in real sets: a processor that takes only RGB must not pass unnoticed.
    """
    numpy, pil, draw_on = library("numpy"), library("PIL.Image"), library("PIL.ImageDraw")
    width, height = chance.choice(_SIDES)
    ground = numpy.empty((height, width, 3), dtype=numpy.uint8)
    from_colour, to_colour = _colour(chance), _colour(chance)
    for channel in range(3):
        shade = numpy.linspace(from_colour[channel], to_colour[channel], width)
        ground[:, :, channel] = shade.astype(numpy.uint8)[None, :]
    image = pil.fromarray(ground)
    draw = draw_on.Draw(image)
    for _ in range(chance.randint(1, 5)):
        radius = chance.randint(6, min(width, height) // 3)
        x, y = chance.randint(radius, width - radius), chance.randint(radius, height - radius)
        box = (x - radius, y - radius, x + radius, y + radius)
        shape = chance.choice(("circle", "square", "triangle"))
        if shape == "circle":
            draw.ellipse(box, fill=_colour(chance))
        elif shape == "square":
            draw.rectangle(box, fill=_colour(chance))
        else:
            draw.polygon(((x, y - radius), (x - radius, y + radius), (x + radius, y + radius)), fill=_colour(chance))
    buffer = io.BytesIO()
    (image.convert("L") if chance.random() < 0.125 else image).save(buffer, format="PNG")
    return buffer.getvalue()


def sound_flac(chance: random.Random) -> bytes:
    """Two to four tones that swell and fade, with noise: 0.5 to 2 s, 16 kHz, mono, as 16-bit FLAC."""
    numpy, soundfile = library("numpy"), library("soundfile")
    seconds = numpy.arange(int(chance.uniform(0.5, 2.0) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave: Any = numpy.random.default_rng(chance.getrandbits(63)).normal(0.0, 0.01, seconds.shape)
    for _ in range(chance.randint(2, 4)):
        pitch_hz, swell_hz, phase = (
            chance.uniform(90, 1800),
            chance.uniform(0.5, 4.0),
            chance.uniform(0.0, 6.28),
        )
        wave += 0.15 * numpy.sin(2 * numpy.pi * pitch_hz * seconds + phase) * numpy.sin(numpy.pi * swell_hz * seconds)
    buffer = io.BytesIO()
    soundfile.write(buffer, numpy.clip(wave, -1.0, 1.0), SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)
