"""Which model an evaluation was of: its name as others know it, its revision, and whether it is that of a result; pure.

lm-evaluation-harness names the model by the first of six of its arguments (`_get_model_name` in its file
evaluation_tracker.py, 0.4.13): an adapter before the model that it is put on. Arguments may hold addresses, paths and
keys: of them no more is kept than is told here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from scorekit.logs.fields import Field
from scorekit.records.quality import COMMIT

_NAMES: Final = ("peft", "delta", "pretrained", "model", "path", "engine")
_QUANTISING: Final = ("load_in_4bit", "load_in_8bit", "autogptq", "gptqmodel", "gguf_file", "quantization")
_AT_LOAD: Final = "load_in_"
_NO: Final = frozenset({"", "false", "none", "null", "0"})
_HUB: Final = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/", re.IGNORECASE)
_CACHED: Final = re.compile(r"models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})")
_LOCAL: Final = re.compile(r"[/~.\\]|[A-Za-z]:[/\\]")
_COMMIT: Final = re.compile(COMMIT)
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TYPES: Final = {"half": "float16", "fp16": "float16", "bf16": "bfloat16", "float": "float32", "fp32": "float32"}
"""Other names that backends take for a type."""
_NOT_QUANTISED: Final = frozenset({"bfloat16", "float16", "float32", "float64"})


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """The model of an evaluation.

    Attributes:
        name: Hub id, or the name of a folder without where it lies; None where the file does not tell.
        is_local: whether it is a folder's name, which any files may be in.
        revision: commit; None where the file does not tell.
        dtype: of the weights; None where the file does not tell.
        quantized: settings that quantise the weights.
    """

    name: str | None
    is_local: bool
    revision: str | None
    dtype: str | None
    quantized: tuple[str, ...]

    def is_model(self, name: str | None) -> bool:
        """Whether a result's model of this name is it; upper and lower case are one, as on the Hub."""
        return name is not None and self.name is not None and self.name.casefold() == name.casefold()

    def is_revision(self, revision: str | None) -> bool | None:
        """Whether a result's revision is its; None where one of them is not known. A commit may be cut to 7 digits."""
        if self.revision is None or revision is None or not _COMMIT.fullmatch(revision.lower()):
            return None
        shorter, longer = sorted((self.revision, revision.lower()), key=len)
        return longer.startswith(shorter)

    def is_weights(self, dtype: str | None) -> bool | None:
        """Whether a result's weights, of this type, were of its type and quantised as they; None if that is unknown.

        Of quantised weights a result tells the type that they are packed in, or that of what is not quantised. So an
        evaluation of a checkpoint that was quantised before is like it or not; one that quantised on loading is not.
        """
        measured = _type(dtype or "")
        if measured not in _NOT_QUANTISED:
            return None
        if self.quantized:
            return False if any(setting.startswith(_AT_LOAD) for setting in self.quantized) else None
        return None if self.dtype is None else self.dtype == measured


def evaluated_model(log: Field) -> EvaluatedModel:
    """The model of a results file.

    Raises:
        LogError: a field is not what the harness writes.
    """
    config = log["config"]
    arguments = _arguments(config["model_args"])
    chosen = next((key for key in _NAMES if arguments.get(key)), None)
    told = arguments[chosen] if chosen is not None else log["model_name"].text()
    name, cached, is_local = (None, None, False) if told is None else _public(told)
    # `peft_sha` and `delta_sha` stand for adapters, `model_sha` for the model below; empty where the Hub was not asked.
    commit = _commit(config[f"{chosen if chosen in ('peft', 'delta') else 'model'}_sha"].text())
    if commit is None and chosen not in ("peft", "delta"):
        commit = cached or _commit(config["model_revision"].text()) or _commit(arguments.get("revision"))
    return EvaluatedModel(
        name=name,
        is_local=is_local,
        revision=commit,
        dtype=_type(config["model_dtype"].text() or arguments.get("dtype") or ""),
        quantized=tuple(_setting(key, arguments[key]) for key in _QUANTISING if _is_set(arguments.get(key))),
    )


def _arguments(given: Field) -> dict[str, str]:
    """The arguments of the model: a text `a=b,c=d`, or since 0.4.9 a mapping."""
    if isinstance(given.value, str):
        pairs = (part.partition("=") for part in given.value.split(","))
        return {key.strip(): value.strip() for key, _, value in pairs}
    return {key: str(value).strip() for key, value in given.mapping().items() if value is not None}


def _public(told: str) -> tuple[str | None, str | None, bool]:
    """A name without where it lies on a machine, the commit that its path tells, and whether it is a folder's."""
    cached = _CACHED.search(told)
    if cached is not None:
        return f"{cached[1]}/{cached[2]}", cached[3], False
    name = _HUB.sub("", told.strip()).rstrip("/\\")
    if _LOCAL.match(name) or "\\" in name or name.count("/") > 1:
        return re.split(r"[/\\]", name)[-1] or None, None, True
    return name or None, None, False


def _commit(text: str | None) -> str | None:
    found = (text or "").lower()
    return found if _COMMIT.fullmatch(found) else None


def _type(told: str) -> str | None:
    """A type of weights by its one name; None where the library chose it, or what is told is none."""
    name = told.removeprefix("torch.")
    return _TYPES.get(name, name) if name != "auto" and _WORD.fullmatch(name) else None


def _is_set(value: str | None) -> bool:
    return value is not None and value.lower() not in _NO


def _setting(key: str, value: str) -> str:
    return f"{key}={value}" if key == "quantization" and _WORD.fullmatch(value) else key
