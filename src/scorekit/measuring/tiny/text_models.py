"""Tiny text models: a causal one, two encoder-decoders, and three heads on BERT.

Each function fills an empty folder with the weights, configs and tokenizer of one model. The weights come
from torch's random generator as it stands when the function is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from scorekit.measuring.tiny import tokenizer
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.sizes import WIDTHS, Size

_END_WEIGHT: Final = 2.0
_EMBEDDING_SCALE: Final[dict[Size, float]] = {"tiny": 1.0, "small": 10.0}


def llama(folder: Path, size: Size) -> None:
    """Causal language model with a chat template, 512 positions.

    Left to itself it ends most answers after a few to some hundred tokens, and never ends the others: a run
    whose number of tokens is only limited, such as reasoning, has both kinds to count.
    """
    width, ids = WIDTHS[size], tokenizer.byte_level(folder, template="<s> $A", chat=True)
    transformers = library("transformers")
    config = transformers.LlamaConfig(
        vocab_size=ids.size,
        hidden_size=width.hidden,
        intermediate_size=width.feed_forward,
        num_hidden_layers=width.layers,
        num_attention_heads=width.heads,
        num_key_value_heads=width.heads // 2,
        max_position_embeddings=tokenizer.MAX_LENGTH,
        pad_token_id=ids.pad,
        bos_token_id=ids.bos,
        eos_token_id=ids.eos,
    )
    model = transformers.LlamaForCausalLM(config)
    silence(model, ids.silent)
    _let_answers_end(model, ids, _EMBEDDING_SCALE[size])
    save(model, folder)


def bart(folder: Path, size: Size) -> None:
    """Encoder-decoder language model, 512 positions."""
    width = WIDTHS[size]
    write_bart(
        folder,
        d_model=width.hidden,
        encoder_layers=width.layers,
        decoder_layers=width.layers,
        encoder_attention_heads=width.heads,
        decoder_attention_heads=width.heads,
        encoder_ffn_dim=width.feed_forward,
        decoder_ffn_dim=width.feed_forward,
        max_position_embeddings=tokenizer.MAX_LENGTH,
    )


def write_bart(folder: Path, *, vocab_size: int | None = None, **shape: int) -> None:
    """A BART of any shape, with its tokenizer.

    Args:
        folder: where the files go.
        vocab_size: None for that of its tokenizer.
        shape: of BartConfig.
    """
    ids = tokenizer.byte_level(folder, template="<s> $A </s>")
    transformers = library("transformers")
    config = transformers.BartConfig(
        vocab_size=vocab_size or ids.size,
        **shape,
        pad_token_id=ids.pad,
        bos_token_id=ids.bos,
        eos_token_id=ids.eos,
        decoder_start_token_id=ids.eos,
        forced_eos_token_id=None,
    )
    model = transformers.BartForConditionalGeneration(config)
    silence(model, (*ids.silent, ids.eos))
    save(model, folder)


def t5(folder: Path, size: Size) -> None:
    """Text-to-text model; its positions are relative, so that only its tokenizer cuts a text."""
    width, ids = WIDTHS[size], tokenizer.byte_level(folder, template="$A </s>")
    transformers = library("transformers")
    config = transformers.T5Config(
        vocab_size=ids.size,
        d_model=width.hidden,
        d_kv=width.hidden // width.heads,
        d_ff=width.feed_forward,
        num_layers=width.layers,
        num_heads=width.heads,
        pad_token_id=ids.pad,
        eos_token_id=ids.eos,
        decoder_start_token_id=ids.pad,
    )
    model = transformers.T5ForConditionalGeneration(config)
    silence(model, (*ids.silent, ids.eos))
    save(model, folder)


def bert_question_answering(folder: Path, size: Size) -> None:
    """BERT that marks the answer in a context."""
    config = _bert_config(folder, size)
    save(library("transformers").BertForQuestionAnswering(config), folder)


def bert_classifier(folder: Path, size: Size) -> None:
    """BERT with two classes."""
    config = _bert_config(
        folder, size, id2label={0: "NEGATIVE", 1: "POSITIVE"}, label2id={"NEGATIVE": 0, "POSITIVE": 1}
    )
    save(library("transformers").BertForSequenceClassification(config), folder)


def bert_sentence(folder: Path, size: Size) -> None:
    """BERT without a head, for sentence embeddings."""
    config = _bert_config(folder, size)
    save(library("transformers").BertModel(config), folder)


def _bert_config(folder: Path, size: Size, **extra: Any) -> Any:
    width, ids = WIDTHS[size], tokenizer.word_piece(folder)
    return library("transformers").BertConfig(
        vocab_size=ids.size,
        hidden_size=width.hidden,
        num_hidden_layers=width.layers,
        num_attention_heads=width.heads,
        intermediate_size=width.feed_forward,
        max_position_embeddings=tokenizer.MAX_LENGTH,
        pad_token_id=ids.pad,
        **extra,
    )


def silence(model: Any, tokens: tuple[int, ...]) -> None:
    """Keep a model of random weights from generating `tokens`: padding must not pass for an answer.

    Their score becomes 0, and among hundreds of random scores the best one lies above that.
    """
    with library("torch").no_grad():
        model.get_output_embeddings().weight[list(tokens)] = 0.0


def _let_answers_end(model: Any, ids: tokenizer.TokenIds, embedding_scale: float) -> None:
    """Make the end token win now and then, by what the last token is; both numbers were found by trial."""
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with library("torch").no_grad():
        embedding *= embedding_scale
        head[ids.eos] *= _END_WEIGHT
        # The chat template ends in a line break: there every answer would end before it began, or none would.
        line_break = embedding[ids.newline] / embedding[ids.newline].norm()
        head[ids.eos] -= line_break * (head[ids.eos] @ line_break)


def save(model: Any, folder: Path) -> None:
    """Write a model's weights (safetensors, float32) and configs into `folder`, without a progress bar.

    Raises:
        OSError: they cannot be written.
    """
    bars = library("transformers.utils.logging")
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        model.eval().save_pretrained(folder)
    except library("safetensors").SafetensorError as error:
        # A full disk, for one: safetensors has an error of its own for it.
        raise OSError(str(error)) from error
    finally:
        if shown:
            bars.enable_progress_bar()
