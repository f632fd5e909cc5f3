"""Tiny vision models with their image processors: a classifier, a detector and a captioner.

The preprocessor configs are written by hand, under the class names that both transformers 4 and 5 read, with
or without torchvision. As in `text_models`, the weights come from torch's random generator as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scorekit.measuring.tiny import tokenizer
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.sizes import WIDTHS, Size
from scorekit.measuring.tiny.text_models import save, silence

PATCH = 16
"""Side of the square that one token of an image stands for, in pixels."""

_BILINEAR, _BICUBIC = 2, 3


def vit(folder: Path, size: Size) -> None:
    """Vision transformer with ten classes."""
    transformers, width = library("transformers"), WIDTHS[size]
    names = {index: f"shape {index}" for index in range(10)}
    config = transformers.ViTConfig(
        **_stack(size),
        image_size=width.image,
        patch_size=PATCH,
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )
    save(transformers.ViTForImageClassification(config), folder)
    side = {"height": width.image, "width": width.image}
    write_preprocessor(folder, "ViTImageProcessor", size=side, resample=_BILINEAR)


def yolos(folder: Path, size: Size) -> None:
    """Object detector on a plain transformer, with three classes; images keep their aspect."""
    transformers, width = library("transformers"), WIDTHS[size]
    names = {0: "circle", 1: "square", 2: "triangle"}
    config = transformers.YolosConfig(
        **_stack(size),
        image_size=[width.image, width.image * 3 // 2],
        patch_size=PATCH,
        num_detection_tokens=20,
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )
    save(transformers.YolosForObjectDetection(config), folder)
    edges = {"shortest_edge": width.image, "longest_edge": width.image * 3 // 2}
    imagenet = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    write_preprocessor(
        folder,
        "YolosImageProcessor",
        size=edges,
        resample=_BILINEAR,
        do_pad=True,
        format="coco_detection",
        **imagenet,
    )


def blip(folder: Path, size: Size) -> None:
    """Captioning model: a vision transformer and a text decoder that looks at it."""
    stack = {key: value for key, value in _stack(size).items() if not key.endswith("dropout_prob")}
    write_blip(folder, stack=stack, image_size=WIDTHS[size].image)


def write_blip(folder: Path, *, stack: dict[str, Any], image_size: int, vocab_size: int | None = None) -> None:
    """A BLIP of any shape, with its processor.

    Args:
        folder: where the files go.
        stack: shape of its vision and its text transformer, which are alike.
        image_size: side of the image that it sees, in pixels.
        vocab_size: None for that of its tokenizer.
    """
    transformers, hidden = library("transformers"), stack["hidden_size"]
    ids = tokenizer.word_piece(folder, processor="BlipProcessor")
    config = transformers.BlipConfig(
        vision_config={**stack, "image_size": image_size, "patch_size": PATCH},
        text_config={
            **stack,
            "vocab_size": vocab_size or ids.size,
            "encoder_hidden_size": hidden,
            "projection_dim": hidden,
            "max_position_embeddings": tokenizer.MAX_LENGTH,
            "pad_token_id": ids.pad,
            "bos_token_id": ids.bos,
            "eos_token_id": ids.eos,
            "sep_token_id": ids.eos,
        },
        projection_dim=hidden,
        image_text_hidden_size=hidden,
    )
    model = transformers.BlipForConditionalGeneration(config)
    silence(model.text_decoder, (*ids.silent, ids.eos))
    save(model, folder)
    side = {"height": image_size, "width": image_size}
    clip = {
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "processor_class": "BlipProcessor",
    }
    write_preprocessor(folder, "BlipImageProcessor", size=side, resample=_BICUBIC, do_convert_rgb=True, **clip)


def _stack(size: Size) -> dict[str, Any]:
    width = WIDTHS[size]
    return {
        "hidden_size": width.hidden,
        "num_hidden_layers": width.layers,
        "num_attention_heads": width.heads,
        "intermediate_size": width.feed_forward,
    }


def write_preprocessor(folder: Path, kind: str, **settings: Any) -> None:
    """The image processor of a vision model: resizes and normalises.

    Args:
        folder: where the file goes.
        kind: class of the processor.
        settings: beside or instead of the common ones.
    """
    common = {
        "image_processor_type": kind,
        "do_resize": True,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    tokenizer.write_json(folder / "preprocessor_config.json", common | settings)
