"""A tiny text-to-image pipeline in Stable Diffusion's layout.

As in `text_models`, the weights come from torch's random generator as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from scorekit.measuring.tiny import tokenizer
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.sizes import WIDTHS, Size
from scorekit.measuring.tiny.text_models import save

_LATENT: Final = 4
"""Channels of the latent image."""

_CHANNELS: Final[dict[Size, tuple[int, int]]] = {"tiny": (16, 32), "small": (64, 128)}
"""Channels of the denoiser's two blocks; multiples of 16, the groups of its normalisation."""


def stable_diffusion(folder: Path, size: Size) -> None:
    """Denoiser, image decoder, text encoder, tokenizer and scheduler, for images of 64 x 64 pixels.

    There is no safety checker: what it draws is noise.
    """
    width = WIDTHS[size]
    write_pipeline(
        folder,
        text={
            "hidden_size": width.hidden,
            "num_hidden_layers": width.layers,
            "num_attention_heads": width.heads,
            "intermediate_size": width.feed_forward,
            "projection_dim": width.hidden,
        },
        unet={
            "sample_size": 16,
            "block_out_channels": _CHANNELS[size],
            "layers_per_block": 1,
            "norm_num_groups": 16,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "cross_attention_dim": width.hidden,
            # The heads' number, whatever diffusers calls it.
            "attention_head_dim": _CHANNELS[size][0] // 8,
        },
        vae={"sample_size": 64, "block_out_channels": (16, 16, 32), "norm_num_groups": 16},
    )


def write_pipeline(folder: Path, *, text: dict[str, Any], unet: dict[str, Any], vae: dict[str, Any]) -> None:
    """A pipeline in Stable Diffusion's layout of any shape.

    Args:
        folder: where the files go.
        text: shape of CLIPTextConfig; its vocabulary is that of the tokenizer where it names none.
        unet: shape of UNet2DConditionModel.
        vae: shape of AutoencoderKL; as many blocks as it has `block_out_channels`.
    """
    transformers, diffusers = library("transformers"), library("diffusers")
    for part in ("tokenizer", "text_encoder", "unet", "vae", "scheduler"):
        (folder / part).mkdir()
    ids = tokenizer.clip(folder / "tokenizer")
    text_config = transformers.CLIPTextConfig(
        **{"vocab_size": ids.size, **text},
        max_position_embeddings=77,
        pad_token_id=ids.pad,
        bos_token_id=ids.bos,
        eos_token_id=ids.eos,
    )
    save(transformers.CLIPTextModel(text_config), folder / "text_encoder")
    _name_as_on_the_hub(folder / "text_encoder" / "model.safetensors")
    denoiser = diffusers.UNet2DConditionModel(in_channels=_LATENT, out_channels=_LATENT, **unet)
    save(denoiser, folder / "unet")
    blocks = len(vae["block_out_channels"])
    decoder = diffusers.AutoencoderKL(
        latent_channels=_LATENT,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        **vae,
    )
    save(decoder, folder / "vae")
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1,
        set_alpha_to_one=False,
    )  # fmt: skip
    scheduler.save_pretrained(folder / "scheduler")
    # The index alone makes these folders a pipeline; importing the pipeline's class would take seconds.
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        # With True, every load would warn of the missing checker.
        "requires_safety_checker": False,
    }
    tokenizer.write_json(folder / "model_index.json", index)


def _name_as_on_the_hub(weights: Path) -> None:
    """Give a CLIP text encoder's weights the prefix that all published ones have.

    transformers 5 saves them without it, and transformers 4 then starts from random weights with no more than
    a warning. Both read them with it.
    """
    torch_files, prefix = library("safetensors.torch"), "text_model."
    tensors = torch_files.load_file(weights)
    named = {name if name.startswith(prefix) else prefix + name: tensor for name, tensor in tensors.items()}
    torch_files.save_file(named, weights, metadata={"format": "pt"})
