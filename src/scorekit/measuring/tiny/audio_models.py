"""Tiny speech models with their processors: one that writes token by token, and one that labels every frame.

As in `text_models`, the weights come from torch's random generator as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scorekit.measuring.tiny import tokenizer
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.sizes import WIDTHS, Size
from scorekit.measuring.tiny.text_models import save, silence

SAMPLE_RATE_HZ: Final = 16_000

_MELS = 80
_HOP_SAMPLES = 160
# Whisper hears 30 s whatever the clip's length. The clips here are 2 s at most; 5 s keeps it quick.
_WINDOW_S = 5


def whisper(folder: Path, size: Size) -> None:
    """Encoder-decoder for English speech, in windows of 5 s."""
    width = WIDTHS[size]
    write_whisper(
        folder,
        mels=_MELS,
        window_s=_WINDOW_S,
        d_model=width.hidden,
        encoder_layers=width.layers,
        decoder_layers=width.layers,
        encoder_attention_heads=width.heads,
        decoder_attention_heads=width.heads,
        encoder_ffn_dim=width.feed_forward,
        decoder_ffn_dim=width.feed_forward,
    )


def write_whisper(folder: Path, *, mels: int, window_s: int, vocab_size: int | None = None, **shape: int) -> None:
    """A Whisper of any shape that hears English, with its processor.

    Args:
        folder: where the files go.
        mels: bands of the spectrogram.
        window_s: what it hears at once [s].
        vocab_size: None for that of its tokenizer.
        shape: of WhisperConfig.
    """
    transformers, ids = library("transformers"), tokenizer.whisper(folder)
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    frames = window_s * SAMPLE_RATE_HZ // _HOP_SAMPLES
    config = transformers.WhisperConfig(
        vocab_size=vocab_size or max(ids.values()) + 1,
        num_mel_bins=mels,
        **shape,
        max_source_positions=frames // 2,
        max_target_positions=448,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    # What Whisper's own generate reads; without it, it takes the multilingual model's ids.
    generation = model.generation_config
    generation.is_multilingual = False
    generation.no_timestamps_token_id = ids["<|notimestamps|>"]
    generation.prev_sot_token_id = ids["<|startofprev|>"]
    generation.return_timestamps = False
    silence(model, tuple(ids.values()))
    save(model, folder)
    tokenizer.write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "processor_class": "WhisperProcessor",
            "feature_size": mels,
            "sampling_rate": SAMPLE_RATE_HZ,
            "hop_length": _HOP_SAMPLES,
            "chunk_length": window_s,
            "n_samples": window_s * SAMPLE_RATE_HZ,
            "nb_max_frames": frames,
            "n_fft": 400,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": False,
        },
    )


def wav2vec2_ctc(folder: Path, size: Size) -> None:
    """Speech encoder that gives a letter for every frame of 20 ms."""
    transformers, width, ids = library("transformers"), WIDTHS[size], tokenizer.letters(folder)
    config = transformers.Wav2Vec2Config(
        vocab_size=ids.size,
        hidden_size=width.hidden,
        num_hidden_layers=width.layers,
        num_attention_heads=width.heads,
        intermediate_size=width.feed_forward,
        conv_dim=[width.hidden // 2] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        mask_time_prob=0.0,
        pad_token_id=ids.pad,
        bos_token_id=ids.bos,
        eos_token_id=ids.eos,
    )
    save(transformers.Wav2Vec2ForCTC(config), folder)
    tokenizer.write_json(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "processor_class": "Wav2Vec2Processor",
            "feature_size": 1,
            "sampling_rate": SAMPLE_RATE_HZ,
            "padding_side": "right",
            "padding_value": 0.0,
            "do_normalize": True,
            "return_attention_mask": False,
        },
    )
