"""Turning samples into what the model takes; measured as the phase `preprocess`.

The same calls of tokenizers and processors as optimum-benchmark's, so that the figures compare. What differs is told
in docs/methodology.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scorekit import atomic, tasks
from scorekit.errors import DatasetError, ModelError
from scorekit.measuring import media
from scorekit.measuring.media import Encode
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.tasks import Batch, Encoding

_FALLBACK_LENGTH = 512
_REASONING_LENGTH = 2048
_NO_TEXT = frozenset(
    {"image-classification", "object-detection", "image-to-text", "automatic-speech-recognition", "text-to-image"}
)


def preprocess(
    rows: Any, task: str, settings: EnergyStarSettings, processor: Any, model_config: Any, cache_file: Path
) -> Any:
    """All samples, encoded, as a dataset of tensors.

    Args:
        rows: chosen samples (data.Samples.rows).
        task: Hugging Face task.
        settings: the scenario's.
        processor: tokenizer, image processor or processor of the model; None for diffusers.
        model_config: the model's config, for its longest input.
        cache_file: where the encoded rows are kept while they are measured.

    Raises:
        ModelError: the model's processor is missing or cannot encode this kind of sample.
        DatasetError: a sample cannot be decoded.
        BundleError: the encoded rows cannot be written.
    """
    if task == "text-to-image":
        # A pipeline takes its prompts as text, under the name `prompt` whatever the column is called.
        column = settings.text_column_name
        return rows if column == "prompt" else rows.rename_column(column, "prompt")
    encode = _encoder(task, settings, processor, model_config)
    try:
        encoded = rows.map(
            encode,
            batched=True,
            # As optimum-benchmark; but a batch that is padded is the model's.
            batch_size=settings.input_shapes["batch_size"] if _pads(settings) else 1000,
            remove_columns=rows.column_names,
            writer_batch_size=50,
            # A cached result would make the next repeat's preprocessing free.
            load_from_cache_file=False,
            cache_file_name=str(cache_file),
            desc=None,
        )
    except (DatasetError, ModelError):
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        full = _os_error_behind(error)
        if full is not None:
            raise atomic.write_error(cache_file, full) from error
        raise ModelError(
            f"the model's processor ({type(processor).__name__}) cannot encode samples for {task}: {error}",
            mend="the protocol gives images alone; a model that needs a prompt with them cannot be measured here"
            if task == "image-to-text"
            else "give the processor of this model and task with backend.processor=ORG/NAME",
        ) from error
    except OSError as error:
        raise atomic.write_error(cache_file, error) from error
    return encoded.with_format("torch")


def _os_error_behind(error: BaseException) -> OSError | None:
    """The error of the file system that led to another: datasets closes its file twice where a disk is full."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


@dataclass(frozen=True, slots=True)
class InputSizes:
    """Sizes of the encoded text.

    Attributes:
        tokens: tokens of all samples, padding left out.
        widths: for each batch the width of its input ids, padding included.
    """

    tokens: int
    widths: tuple[int, ...]


def input_sizes(encoded: Any, batch_size: int) -> InputSizes | None:
    """Sizes of the encoded text of all samples; None where there is no text."""
    if "input_ids" not in encoded.column_names:
        return None
    plain = encoded.with_format(None)
    lengths = [len(ids) for ids in plain["input_ids"]]
    masked = "attention_mask" in encoded.column_names
    return InputSizes(
        tokens=sum(sum(mask) for mask in plain["attention_mask"]) if masked else sum(lengths),
        widths=tuple(max(lengths[start : start + batch_size]) for start in range(0, len(lengths), batch_size)),
    )


def count_cut(rows: Any, task: str, settings: EnergyStarSettings, processor: Any, model_config: Any) -> int | None:
    """Samples whose text was cut at what the model holds; None where the input is no text.

    Counted by encoding every text once more without a limit, outside of any window.
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    if task in _NO_TEXT or tokenizer is None:
        return None
    if not settings.truncation:
        return 0
    if settings.extra_task is not None:
        limit = _input_limit(task, settings, tokenizer, model_config)
        whole = tasks.extra_task(settings.extra_task).encode(rows[:], Encoding(processor, None, False))
        return sum(len(ids) > limit for ids in whole["input_ids"]) if "input_ids" in whole else None
    if task == "text-generation" and settings.reasoning:
        room = _chat_room(settings, tokenizer, model_config)
        texts = rows[settings.text_column_name]
        lengths = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
        return sum(length > room for length in lengths)
    limit = _input_limit(task, settings, tokenizer, model_config)
    columns = rows[:]
    encoded = tokenizer(*_texts(task, columns, settings), truncation=False, padding=False, verbose=False)
    return sum(len(ids) > limit for ids in encoded["input_ids"])


def _encoder(task: str, settings: EnergyStarSettings, processor: Any, model_config: Any) -> Encode:
    if processor is None:
        raise ModelError(
            "the model has no tokenizer or processor that can be loaded",
            mend="name one with backend.processor=ORG/NAME or a folder",
        )
    if settings.extra_task is not None:
        return _extra_encoder(tasks.extra_task(settings.extra_task), task, settings, processor, model_config)
    if task in ("image-classification", "object-detection", "image-to-text"):
        return media.image_encoder(settings, processor, keyword=task == "image-to-text")
    if task == "automatic-speech-recognition":
        return media.audio_encoder(settings, processor)
    tokenizer = _ready_tokenizer(task, processor)
    if task == "text-generation" and settings.reasoning:
        return _chat_encoder(settings, tokenizer, model_config)
    return _text_encoder(task, settings, tokenizer, model_config)


def _ready_tokenizer(task: str, processor: Any) -> Any:
    """The tokenizer of a processor, able to pad, and on the side from which a model goes on to write."""
    tokenizer = getattr(processor, "tokenizer", processor)
    if getattr(tokenizer, "pad_token", None) is None and getattr(tokenizer, "eos_token", None) is not None:
        tokenizer.pad_token = tokenizer.eos_token
    if task == "text-generation":
        tokenizer.padding_side = "left"
    return tokenizer


def _extra_encoder(
    extra: tasks.ExtraTask, task: str, settings: EnergyStarSettings, processor: Any, model_config: Any
) -> Encode:
    tokenizer = _ready_tokenizer(task, processor)
    longest = _input_limit(task, settings, tokenizer, model_config) if settings.truncation else None
    how = Encoding(processor, longest, _pads(settings))
    return lambda batch: extra.encode({column: batch[column] for column in extra.columns}, how)


def _text_encoder(task: str, settings: EnergyStarSettings, tokenizer: Any, model_config: Any) -> Encode:
    generates = task in ("text-generation", "text2text-generation")
    options: dict[str, Any] = {
        "truncation": settings.truncation,
        "max_length": _input_limit(task, settings, tokenizer, model_config),
        "padding": _pads(settings),
    }
    if generates:
        options["return_token_type_ids"] = False

    def encode(batch: Batch) -> Mapping[str, Any]:
        encoded: Mapping[str, Any] = tokenizer(*_texts(task, batch, settings), **options)
        return encoded

    return encode


def _texts(task: str, batch: Batch, settings: EnergyStarSettings) -> list[list[str]]:
    """What the tokenizer is given: one list of texts, or two of pairs."""
    if task == "question-answering":
        return [batch[settings.question_column_name], batch[settings.context_column_name]]
    if task == "sentence-similarity":
        return [batch[settings.sentence1_column_name], batch[settings.sentence2_column_name]]
    if task == "text2text-generation":
        return [_prefixed(batch, settings)]
    return [batch[settings.text_column_name]]


def _input_limit(task: str, settings: EnergyStarSettings, tokenizer: Any, model_config: Any) -> int:
    """Tokens at which an input is cut."""
    length = _longest_input(model_config, tokenizer)
    if task == "text-generation":
        # Prompt and answer share the positions of a decoder; an encoder's input has them for itself.
        return max(1, length - int(settings.generate_kwargs["max_new_tokens"]))
    return length


def _prefixed(batch: Batch, settings: EnergyStarSettings) -> list[str]:
    if settings.t5_task == "question_answering":
        return [
            f"{settings.dataset_prefix1}{question}{settings.dataset_prefix2}{context}"
            for question, context in zip(
                batch[settings.question_column_name], batch[settings.context_column_name], strict=True
            )
        ]
    return [settings.dataset_prefix1 + text for text in batch[settings.text_column_name]]


def _chat_encoder(settings: EnergyStarSettings, tokenizer: Any, model_config: Any) -> Encode:
    if getattr(tokenizer, "chat_template", None) is None:
        raise ModelError(
            "scenario.reasoning is on, but the model's tokenizer has no chat template",
            mend="choose a chat model, name its tokenizer with backend.processor, or scenario.reasoning=false",
        )
    template = partial(_in_template, settings, tokenizer)
    room = _chat_room(settings, tokenizer, model_config)

    def encode(batch: Batch) -> Mapping[str, Any]:
        texts = batch[settings.text_column_name]
        # The question is cut, not the template around it, whose end tells the model to answer.
        return template([cut(text) for text in texts] if settings.truncation else texts)

    def cut(text: str) -> str:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return text if len(ids) <= room else str(tokenizer.decode(ids[:room]))

    return encode


def _in_template(settings: EnergyStarSettings, tokenizer: Any, texts: list[str]) -> Mapping[str, Any]:
    encoded: Mapping[str, Any] = tokenizer.apply_chat_template(
        [[{"role": "user", "content": text}] for text in texts],
        padding=_pads(settings),
        add_generation_prompt=True,
        enable_thinking=True,
        tokenize=True,
        return_dict=True,
        **settings.reasoning_params,
    )
    return encoded


def _chat_room(settings: EnergyStarSettings, tokenizer: Any, model_config: Any) -> int:
    """Tokens of a question beyond which it is cut."""
    longest = _longest_input(model_config, tokenizer)
    answer = int(settings.generate_kwargs["max_new_tokens"])
    # optimum-benchmark's rule first; an answer longer than that leaves it no room, and then the prompt keeps 2,048.
    room = (min(longest, _REASONING_LENGTH) - answer, min(longest - answer, _REASONING_LENGTH), longest // 2)
    length = next((tokens for tokens in room if tokens > 0), 1)
    frame = len(_in_template(settings, tokenizer, [""])["input_ids"][0])
    return max(length - frame, 1)


def _pads(settings: EnergyStarSettings) -> bool:
    return bool(settings.input_shapes["batch_size"] != 1)


def _longest_input(model_config: Any, tokenizer: Any) -> int:
    """Tokens that the model can hold: its positions, else the tokenizer's limit if it states a real one."""
    text_config = getattr(model_config, "text_config", None) or model_config
    for source, name in ((model_config, "max_position_embeddings"), (text_config, "max_position_embeddings")):
        value = getattr(source, name, None)
        if isinstance(value, int) and value > 0:
            return _without_offset(value, model_config)
    limit = getattr(tokenizer, "model_max_length", None)
    return int(limit) if isinstance(limit, int) and 0 < limit < 1_000_000 else _FALLBACK_LENGTH


def _without_offset(positions: int, model_config: Any) -> int:
    # RoBERTa-like models number positions from the padding index on, so two of their 514 cannot be used.
    if positions % 512 == 2 and getattr(model_config, "pad_token_id", None) == 1:
        return positions - 2
    return positions
