"""Tokenizers for the tiny models, as the files that a model folder on the Hub has.

The files are written by hand, not by `save_pretrained`: transformers 4 and 5 save the same tokenizer under
different class names and file names, and each must be able to read what the other's environment wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.sentences import corpus, words

MERGES: Final = 700
"""Pairs learnt by the byte-level tokenizers; with the 256 bytes that is a vocabulary of about a thousand."""

MAX_LENGTH: Final = 512
"""Positions of the tiny text models, and the length that their tokenizers cut a text to."""

CHAT_TEMPLATE: Final = """\
{{- bos_token }}
{%- if reasoning_effort is defined and reasoning_effort %}
{{- '<|system|>\\nReasoning: ' ~ reasoning_effort ~ eos_token ~ '\\n' }}
{%- endif %}
{%- for message in messages %}
{{- '<|' ~ message['role'] ~ '|>\\n' }}
{%- if message['content'] is string %}
{{- message['content'] }}
{%- else %}
{%- for part in message['content'] if part['text'] is defined %}{{- part['text'] }}{%- endfor %}
{%- endif %}
{{- eos_token ~ '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|assistant|>\\n' }}
{{- '<think>\\n' if enable_thinking is not defined or enable_thinking else '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
"""


@dataclass(frozen=True, slots=True)
class TokenIds:
    """What a model must know of its tokenizer: the vocabulary's size, and the ids of tokens with a meaning.

    Attributes:
        size: tokens in the vocabulary.
        pad: fills a batch up.
        bos: begins a text.
        eos: ends a text.
        silent: control tokens that are never part of a text, without `eos`.
        newline: the line break; None where it is not a token of its own.
    """

    size: int
    pad: int
    bos: int
    eos: int
    silent: tuple[int, ...] = ()
    newline: int | None = None


def byte_level(folder: Path, *, template: str, chat: bool = False) -> TokenIds:
    """Byte-level BPE in one tokenizer.json: any text can be encoded, and English takes a token or two a word.

    Args:
        folder: where the files go.
        template: special tokens around a text, such as "<s> $A </s>".
        chat: whether it has a chat template; that takes `enable_thinking` and `reasoning_effort`.
    """
    specials = ["<pad>", "<s>", "</s>", "<unk>"]
    vocabulary, merges = _byte_pairs(first=specials)
    tokenizer = _byte_level_tokenizer(vocabulary, merges, specials)
    tokenizer.post_processor = library("tokenizers.processors").TemplateProcessing(
        single=template, special_tokens=[(token, vocabulary[token]) for token in specials]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_LENGTH,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "pad_token": "<pad>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    write_json(folder / "tokenizer_config.json", config | ({"chat_template": CHAT_TEMPLATE} if chat else {}))
    # "\u010a" is how byte-level vocabularies write a line break.
    return TokenIds(len(vocabulary), pad=0, bos=1, eos=2, silent=(0, 1, 3), newline=vocabulary["\u010a"])


def word_piece(folder: Path, *, processor: str | None = None) -> TokenIds:
    """BERT's kind: whole lower-case words, and single characters for the others.

    Args:
        folder: where the files go.
        processor: class of the processor that the tokenizer is part of, if any.
    """
    processors = library("tokenizers.processors")
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    printable = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = dict.fromkeys([*specials, *printable, *(f"##{letter}" for letter in printable), *words()])
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    model = library("tokenizers.models").WordPiece(vocabulary, unk_token="[UNK]")  # noqa: S106 - not a secret
    tokenizer = library("tokenizers").Tokenizer(model)
    tokenizer.normalizer = library("tokenizers.normalizers").BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = library("tokenizers.pre_tokenizers").BertPreTokenizer()
    tokenizer.decoder = library("tokenizers.decoders").WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.add_special_tokens(specials)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in vocabulary), encoding="utf-8")
    config = {
        "tokenizer_class": "BertTokenizer",
        "model_max_length": MAX_LENGTH,
        "do_lower_case": True,
        "clean_up_tokenization_spaces": False,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    write_json(folder / "tokenizer_config.json", config | ({"processor_class": processor} if processor else {}))
    return TokenIds(len(vocabulary), pad=0, bos=2, eos=3, silent=(0, 1, 2, 4))


def clip(folder: Path) -> TokenIds:
    """CLIP's kind: byte pairs in which the end of a word is marked, 77 tokens at most."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary, merges = _byte_pairs(suffix="</w>", last=[start, end])
    _write_byte_pairs(folder, vocabulary, merges)
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        "do_lower_case": True,
        "clean_up_tokenization_spaces": False,
        "bos_token": start,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
    }
    write_json(folder / "tokenizer_config.json", config)
    return TokenIds(len(vocabulary), pad=vocabulary[end], bos=vocabulary[start], eos=vocabulary[end])


def whisper(folder: Path) -> dict[str, int]:
    """Whisper's kind, English only and without time stamps: byte pairs and its control tokens.

    Returns:
        The id of each control token.
    """
    end = "<|endoftext|>"
    controls = ["<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    controls += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    vocabulary, merges = _byte_pairs(last=[end])
    ids = {token: len(vocabulary) - 1 + index for index, token in enumerate([end, *controls])}
    _write_byte_pairs(folder, vocabulary, merges)
    tokenizer = _byte_level_tokenizer(vocabulary, merges, [end, *controls])
    tokenizer.post_processor = library("tokenizers.processors").TemplateProcessing(
        single=f"<|startoftranscript|> <|notimestamps|> $A {end}", special_tokens=list(ids.items())
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    flags = {"special": True, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
    config = {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "model_max_length": 448,
        "clean_up_tokenization_spaces": False,
        "bos_token": end,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
        "additional_special_tokens": [end, *controls],
        "added_tokens_decoder": {str(index): {"content": token} | flags for token, index in ids.items()},
    }
    write_json(folder / "tokenizer_config.json", config)
    return ids


def letters(folder: Path) -> TokenIds:
    """Wav2Vec2's kind: one token a letter, for connectionist temporal classification."""
    tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", "'", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    config = {
        "tokenizer_class": "Wav2Vec2CTCTokenizer",
        "processor_class": "Wav2Vec2Processor",
        "clean_up_tokenization_spaces": False,
        "pad_token": "<pad>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "word_delimiter_token": "|",
    }
    write_json(folder / "tokenizer_config.json", config)
    return TokenIds(len(tokens), pad=0, bos=1, eos=2)


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON whose bytes depend on nothing else."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


Pairs = list[tuple[str, str]]


def _byte_pairs(
    *, first: list[str] | None = None, suffix: str = "", last: list[str] | None = None
) -> tuple[dict[str, int], Pairs]:
    """Vocabulary and merges learnt from the corpus, with the special tokens `first` and `last` around."""
    alphabet = library("tokenizers.pre_tokenizers").ByteLevel.alphabet()
    tokenizer = library("tokenizers").Tokenizer(library("tokenizers.models").BPE())
    tokenizer.pre_tokenizer = library("tokenizers.pre_tokenizers").ByteLevel(add_prefix_space=False)
    trainer = library("tokenizers.trainers").BpeTrainer(
        vocab_size=len(alphabet) + MERGES,
        initial_alphabet=alphabet,
        show_progress=False,
        **({"end_of_word_suffix": suffix} if suffix else {}),
    )
    # CLIP splits at blanks and drops them: its words must be learnt without a blank in front.
    tokenizer.train_from_iterator([text.lower().split() if suffix else [text] for text in corpus()], trainer)
    merges: Pairs = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    tokens = [
        *(first or []),
        *sorted(alphabet),
        *(sorted(f"{one}{suffix}" for one in alphabet) if suffix else []),
    ]
    tokens += [one + two for one, two in merges]
    # Two merges can make the same token; the first of them keeps it.
    return {token: index for index, token in enumerate(dict.fromkeys([*tokens, *(last or [])]))}, merges


def _byte_level_tokenizer(vocabulary: dict[str, int], merges: Pairs, specials: list[str]) -> Any:
    tokenizer = library("tokenizers").Tokenizer(library("tokenizers.models").BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = library("tokenizers.pre_tokenizers").ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library("tokenizers.decoders").ByteLevel()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def _write_byte_pairs(folder: Path, vocabulary: dict[str, int], merges: Pairs) -> None:
    write_json(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2", *(f"{one} {two}" for one, two in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
