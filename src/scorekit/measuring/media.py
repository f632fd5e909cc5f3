"""Encoders of images and audio, which are decoded as a part of the preprocessing that is measured."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from scorekit.errors import DatasetError, ModelError
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.tasks import Batch

Encode = Callable[[Batch], Mapping[str, Any]]
"""Makes of samples what the model takes."""


def image_encoder(settings: EnergyStarSettings, processor: Any, *, keyword: bool) -> Encode:
    """Decodes images and gives them to the processor, by the name of its argument where `keyword` says so."""
    from PIL import Image, UnidentifiedImageError

    column = settings.image_column_name

    def decode(value: Any) -> Any:
        try:
            if isinstance(value, Mapping):
                value = Image.open(io.BytesIO(value["bytes"]) if value.get("bytes") else value["path"])
            return value.convert("RGB")
        except (UnidentifiedImageError, OSError, AttributeError) as error:
            raise DatasetError(
                f"column '{column}' holds something that is not an image: {error}",
                mend="name the column with the images: scenario.image_column_name=COLUMN",
            ) from error

    def encode(batch: Batch) -> Mapping[str, Any]:
        images = [decode(value) for value in batch[column]]
        encoded: Mapping[str, Any] = processor(images=images) if keyword else processor(images)
        return encoded

    return encode


def audio_encoder(settings: EnergyStarSettings, processor: Any) -> Encode:
    """Decodes audio, brings it to the rate of the processor, and gives it to it.

    Raises:
        ModelError: the processor takes no audio.
    """
    column = settings.audio_column_name
    extractor = getattr(processor, "feature_extractor", processor)
    rate = getattr(extractor, "sampling_rate", None)
    if rate is None:
        raise ModelError(
            f"the model's processor ({type(processor).__name__}) has no feature extractor for audio",
            mend="give one with backend.processor=ORG/NAME",
        )

    def encode(batch: Batch) -> Mapping[str, Any]:
        encoded: Mapping[str, Any] = processor(
            [_decode_audio(value, int(rate), column) for value in batch[column]], sampling_rate=int(rate)
        )
        return encoded

    return encode


def _decode_audio(value: Any, rate: int, column: str) -> Any:
    import soundfile

    try:
        source = io.BytesIO(value["bytes"]) if value.get("bytes") else value["path"]
        wave, found_rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, AttributeError, TypeError) as error:
        raise DatasetError(
            f"column '{column}' holds something that is not audio: {error}",
            mend="name the column with the audio: scenario.audio_column_name=COLUMN",
        ) from error
    mono = wave.mean(axis=1)
    if found_rate != rate:
        import soxr

        mono = soxr.resample(mono, found_rate, rate)
    return mono
