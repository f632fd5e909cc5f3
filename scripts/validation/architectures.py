"""Real architectures with random weights, built from their shapes alone: no network, and nothing trained.

The shapes are those of the models that are named beside them, as their public configs give them. The tokenizers are
those of scorekit's tiny models, whose few hundred words are enough for texts of any length; the models' vocabularies
have their real size. Each comes in a tiny shape too, on which the whole script is rehearsed.

The published figures are Wh of the GPU per 1,000 queries on one NVIDIA H100 80GB, from the AI Energy Score leaderboard
of February 2025 (Hugging Face Space AIEnergyScore/Leaderboard).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scorekit.measuring.tiny import audio_models, diffusion_models, text_models, tokenizer, vision_models
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.text_models import save, silence

Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Architecture:
    """One model to be measured.

    Attributes:
        name: short, as `--only` takes it.
        task: config name of the task that it is measured on.
        like: the model whose shape it has.
        published_wh: published energy of that model, Wh per 1,000 queries on one H100; None where there is none.
        build: fills an empty folder with the model in a shape and dtype, and its tokenizer or processor.
        shape: the real one.
        tiny: the same kind of model, made small.
        size_gb: weights on the disk.
        samples: queries of one pass.
        dtype: what the protocol asks for.
    """

    name: str
    task: str
    like: str
    published_wh: float | None
    build: Callable[..., None]
    shape: Shape
    tiny: Shape
    size_gb: float
    samples: int
    dtype: str = "float32"


def build(architecture: Architecture, folder: Path, *, tiny: bool, device: str) -> None:
    """Fill an empty folder; the weights are made on the device, which takes seconds where a CPU takes minutes."""
    torch = library("torch")
    torch.manual_seed(20250201)
    dtype = "float32" if device == "cpu" else architecture.dtype
    shape = architecture.tiny if tiny else architecture.shape
    with torch.device(device):
        architecture.build(folder, dtype, **shape)


def _bert(folder: Path, _dtype: str, *, head: str, **shape: Any) -> None:
    ids = tokenizer.word_piece(folder)
    transformers = library("transformers")
    config = transformers.BertConfig(**{"vocab_size": ids.size, "pad_token_id": ids.pad, **shape})
    save(getattr(transformers, head)(config), folder)


def _vit(folder: Path, _dtype: str, **shape: Any) -> None:
    config = library("transformers").ViTConfig(**shape)
    save(library("transformers").ViTForImageClassification(config), folder)
    side = {"height": config.image_size, "width": config.image_size}
    vision_models.write_preprocessor(folder, "ViTImageProcessor", size=side, resample=2)


def _detr(folder: Path, _dtype: str, *, backbone: Shape, edges: Shape, **shape: Any) -> None:
    transformers = library("transformers")
    config = transformers.DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=transformers.ResNetConfig(out_features=["stage4"], **backbone),
        **shape,
    )
    save(transformers.DetrForObjectDetection(config), folder)
    imagenet = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    vision_models.write_preprocessor(
        folder, "DetrImageProcessor", size=dict(edges), resample=2, do_pad=True, format="coco_detection", **imagenet
    )


def _bart(folder: Path, _dtype: str, **shape: Any) -> None:
    text_models.write_bart(folder, **shape)
    _holds(folder, shape["max_position_embeddings"])


def _causal(folder: Path, dtype: str, *, kind: str, holds: int, **shape: Any) -> None:
    ids, transformers = tokenizer.byte_level(folder, template="<s> $A"), library("transformers")
    ends = {"pad_token_id": ids.pad, "bos_token_id": ids.bos, "eos_token_id": ids.eos}
    config = getattr(transformers, f"{kind}Config")(**{"vocab_size": ids.size, **shape, **ends})
    model = getattr(transformers, _CAUSAL[kind])(config)
    silence(model, (*ids.silent, ids.eos))
    save(model.to(getattr(library("torch"), dtype)), folder)
    _holds(folder, holds)


_CAUSAL: Final = {"GPT2": "GPT2LMHeadModel", "Olmo": "OlmoForCausalLM", "Llama": "LlamaForCausalLM"}


def _whisper(folder: Path, _dtype: str, **shape: Any) -> None:
    audio_models.write_whisper(folder, **shape)


def _pipeline(folder: Path, _dtype: str, **shape: Any) -> None:
    diffusion_models.write_pipeline(folder, **shape)


def _blip(folder: Path, _dtype: str, **shape: Any) -> None:
    vision_models.write_blip(folder, **shape)


def _holds(folder: Path, tokens: int) -> None:
    """Let a tokenizer cut texts at as many tokens as the model holds."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    tokenizer.write_json(path, {**config, "model_max_length": tokens})


def _stack(hidden: int, layers: int, heads: int) -> dict[str, int]:
    """A transformer stack as BERT, ViT and BLIP name it, with the usual feed-forward layers."""
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
    }


def _two_stacks(width: int, layers: int, heads: int) -> dict[str, int]:
    """An encoder and a decoder as BART and Whisper name them."""
    sides = ("encoder", "decoder")
    return {
        "d_model": width,
        **{f"{side}_layers": layers for side in sides},
        **{f"{side}_attention_heads": heads for side in sides},
        **{f"{side}_ffn_dim": 4 * width for side in sides},
    }


_SMALL: Final = _stack(64, 2, 4)
_SMALL_TWO: Final = _two_stacks(64, 2, 4)
_SMALL_LLAMA: Final = {**_SMALL, "holds": 256, "max_position_embeddings": 512}
_GROUPED: Final = {"kind": "Llama", "holds": 8192, "vocab_size": 128_256, "num_key_value_heads": 8}
_UNET_BLOCKS: Final = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
_UP_BLOCKS: Final = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")

ARCHITECTURES: Final[dict[str, Architecture]] = {
    each.name: each
    for each in (
        Architecture(
            "bert-base", "text_classification", "nlptown/bert-base-multilingual-uncased-sentiment", 0.356581,
            _bert,
            {**_stack(768, 12, 12), "head": "BertForSequenceClassification", "vocab_size": 105_879, "num_labels": 5},
            {**_SMALL, "head": "BertForSequenceClassification"}, 0.7, 256,
        ),
        Architecture(
            "gpt2", "text_generation", "openai-community/gpt2", 2.146239,
            _causal, {"kind": "GPT2", "holds": 1014, "vocab_size": 50_257},
            {"kind": "GPT2", "holds": 256, "n_positions": 512, "n_embd": 64, "n_layer": 2, "n_head": 4},
            0.3, 64, "float16",
        ),
        Architecture(
            "bert-large-qa", "question_answering", "deepset/bert-large-uncased-whole-word-masking-squad2", 1.047537,
            _bert, {**_stack(1024, 24, 16), "head": "BertForQuestionAnswering", "vocab_size": 30_522},
            {**_SMALL, "head": "BertForQuestionAnswering"}, 1.4, 128,
        ),
        Architecture(
            "minilm", "sentence_similarity", "avsolatorio/GIST-all-MiniLM-L6-v2", 0.106329,
            _bert, {**_stack(384, 6, 12), "head": "BertModel", "vocab_size": 30_522},
            {**_SMALL, "head": "BertModel"}, 0.1, 256,
        ),
        Architecture(
            "vit-base", "image_classification", "google/vit-base-patch16-224", 0.582595,
            _vit, {**_stack(768, 12, 12), "image_size": 224, "num_labels": 1000},
            {**_SMALL, "image_size": 64, "num_labels": 10}, 0.4, 64,
        ),
        Architecture(
            "detr", "object_detection", "facebook/detr-resnet-101", 2.531398,
            _detr,
            {
                "backbone": {"depths": [3, 4, 23, 3]}, "edges": {"shortest_edge": 800, "longest_edge": 1333},
                "num_labels": 91,
            },
            {
                "backbone": {"depths": [1] * 4, "hidden_sizes": [16, 32, 48, 64], "embedding_size": 16},
                "edges": {"shortest_edge": 64, "longest_edge": 96}, **_SMALL_TWO, "num_queries": 10, "num_labels": 3,
            },
            0.3, 24,
        ),
        Architecture(
            "whisper-small", "automatic_speech_recognition", "openai/whisper-small", 29.965155,
            _whisper, {**_two_stacks(768, 12, 12), "mels": 80, "window_s": 30, "vocab_size": 51_865},
            {**_SMALL_TWO, "mels": 80, "window_s": 5}, 1.0, 12,
        ),
        Architecture(
            "bart-large", "summarization", "facebook/bart-large-cnn", 2.039253,
            _bart, {**_two_stacks(1024, 12, 16), "vocab_size": 50_264, "max_position_embeddings": 1024},
            {**_SMALL_TWO, "max_position_embeddings": 512}, 1.7, 48,
        ),
        Architecture(
            "blip-base", "image_to_text", "Salesforce/blip-image-captioning-base", 47.11837,
            _blip, {"stack": _stack(768, 12, 12), "image_size": 384, "vocab_size": 30_524},
            {"stack": _SMALL, "image_size": 64}, 1.0, 10,
        ),
        Architecture(
            "stable-diffusion", "text_to_image", "prompthero/openjourney", 196.880224,
            _pipeline,
            {
                "text": {**_stack(768, 12, 12), "projection_dim": 768, "vocab_size": 49_408},
                "unet": {
                    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768,
                    "attention_head_dim": 8, "down_block_types": _UNET_BLOCKS, "up_block_types": _UP_BLOCKS,
                },
                "vae": {"sample_size": 512, "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
            },
            {
                "text": {**_SMALL, "projection_dim": 64},
                "unet": {
                    "sample_size": 16, "block_out_channels": (16, 32), "layers_per_block": 1, "norm_num_groups": 16,
                    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
                    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "cross_attention_dim": 64,
                    "attention_head_dim": 2,
                },
                "vae": {"sample_size": 64, "block_out_channels": (16, 16, 32), "norm_num_groups": 16},
            },
            4.5, 6,
        ),
        Architecture(
            "llama-1b", "text_generation", "allenai/OLMo-1B-hf", 5.593808,
            _causal,
            {
                **_stack(2048, 16, 16), "kind": "Olmo", "holds": 2038, "vocab_size": 50_304,
                "max_position_embeddings": 2048, "tie_word_embeddings": True,
            },
            {**_SMALL_LLAMA, "kind": "Olmo"}, 2.5, 64, "float16",
        ),
        Architecture(
            "llama-8b", "text_generation", "meta-llama/Meta-Llama-3-8B", 17.333139,
            _causal,
            {
                **_stack(4096, 32, 32), **_GROUPED, "intermediate_size": 14_336, "max_position_embeddings": 8202,
                "rope_theta": 500_000.0,
            },
            {**_SMALL_LLAMA, "kind": "Llama"}, 16.2, 48, "float16",
        ),
        Architecture(
            "whisper-large-v3", "automatic_speech_recognition", "openai/whisper-large-v3", 86.679066,
            _whisper, {**_two_stacks(1280, 32, 20), "mels": 128, "window_s": 30, "vocab_size": 51_866},
            {**_SMALL_TWO, "mels": 128, "window_s": 5}, 6.3, 8,
        ),
        Architecture(
            "llama-3b", "text_generation", "meta-llama/Llama-3.2-3B", None,
            _causal,
            {
                **_stack(3072, 28, 24), **_GROUPED, "intermediate_size": 8192, "max_position_embeddings": 8202,
                "rope_theta": 500_000.0, "tie_word_embeddings": True,
            },
            {**_SMALL_LLAMA, "kind": "Llama", "tie_word_embeddings": True}, 6.5, 48, "float16",
        ),
    )
}  # fmt: skip
"""Every architecture by its name, in the order in which they are measured."""
