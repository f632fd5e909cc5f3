"""Reading what a model is from its files, in a folder or on the Hub, before anything heavy is loaded.

optimum-benchmark asks the Hub first even for a folder, and finds nothing in the cache when offline. Here a folder is
a folder, and a Hub id goes through huggingface_hub's cache, which works with HF_HUB_OFFLINE=1.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorekit.errors import ModelError

_SWITCHED_ON = ("1", "ON", "YES", "TRUE")  # as huggingface_hub reads it

TINY_MARKER = "tiny.json"
"""File in a model folder that says that scorekit made it with random weights."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What a model's config files say.

    Attributes:
        name: Hub id, or the folder's last part.
        local: whether it is a folder.
        revision: commit on the Hub, None for a folder.
        loader: the library that loads it: transformers, diffusers or timm.
        architecture: class name in the config, None where it names none.
        model_type: transformers' model type, or timm's architecture.
        random_weights: whether scorekit made the weights at random.
        quantization: method that the config names, None for an unquantised model.
    """

    name: str
    local: bool
    revision: str | None
    loader: str
    architecture: str | None
    model_type: str | None
    random_weights: bool
    quantization: str | None = None


def is_folder(model: str) -> bool:
    """Whether a model or dataset is meant as a path: it exists as one, or is written like one."""
    return os.path.isdir(model) or model.startswith(("/", "./", "../", "~"))


def read_model(model: str, *, revision: str | None = None, cache_dir: str | None = None) -> ModelFiles:
    """What the model's files say.

    Raises:
        ModelError: the folder or repository is not there, is gated, cannot be reached, or holds no model.
    """
    if is_folder(model):
        folder = Path(model).expanduser()
        if not folder.is_dir():
            raise ModelError(
                f"the model folder {model} is not there",
                mend="check backend.model; a Hub id is written ORG/NAME",
            )
        pipeline, config, commit = _local(folder, "model_index.json"), _local(folder, "config.json"), None
        name, local = Path(os.path.abspath(folder)).name, True
        random_weights = (folder / TINY_MARKER).is_file()
    else:
        pipeline, commit = _remote(model, "model_index.json", revision, cache_dir, optional=True)
        config = None
        if pipeline is None:
            config, commit = _remote(model, "config.json", revision, cache_dir, optional=False)
        name, local, random_weights = model, False, False
    if pipeline is not None:
        return ModelFiles(name, local, commit, "diffusers", pipeline.get("_class_name"), None, random_weights)
    if config is None:
        raise ModelError(
            f"{model} holds neither config.json nor model_index.json, so it is no model that can be loaded",
            mend="give a folder written by save_pretrained(), or a Hub id",
        )
    if "pretrained_cfg" in config:
        return ModelFiles(
            name,
            local,
            commit,
            "timm",
            config.get("architecture"),
            config.get("architecture"),
            random_weights,
        )
    architectures = config.get("architectures") or [None]
    quantization = (config.get("quantization_config") or {}).get("quant_method")
    return ModelFiles(
        name,
        local,
        commit,
        "transformers",
        architectures[0],
        config.get("model_type"),
        random_weights,
        str(quantization) if quantization else None,
    )


def check_processor(processor: str) -> None:
    """Make sure that a processor's folder or repository can be read: optimum-benchmark takes any failure for "none".

    Raises:
        ModelError: it is not there, is gated, cannot be reached, or holds no tokenizer or processor.
    """
    names = ("tokenizer_config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json")
    if is_folder(processor):
        folder = Path(processor).expanduser()
        if not folder.is_dir():
            raise ModelError(
                f"the processor folder {processor} is not there",
                mend="check backend.processor, or leave it out to use the model's own",
            )
        found = any((folder / name).is_file() for name in names)
    else:
        found = any(_remote(processor, name, None, None, optional=True)[0] is not None for name in names)
    if not found:
        raise ModelError(
            f"{processor} holds no tokenizer and no processor",
            mend="check backend.processor, or leave it out to use the model's own",
        )


def cause_in_hub(error: BaseException | None) -> Exception | None:
    """The error of the Hub or of the connection among the causes of an error; None where there is none."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    while error is not None:
        missing_file = isinstance(error, EntryNotFoundError) and not isinstance(error, FileNotFoundError)
        if isinstance(error, (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, ConnectionError)):
            return None if missing_file else error if isinstance(error, Exception) else None
        if isinstance(error, OSError) and "couldn't connect" in str(error):
            return ConnectionError(str(error))
        error = error.__cause__ or error.__context__
    return None


def is_full_disk(error: BaseException) -> bool:
    """Whether an error, or one that led to it, says that there is no room on a disk."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        # datasets looks beforehand whether there is room, and tells it in words.
        if "Not enough disk space" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def hub_error(what: str, name: str, error: Exception) -> tuple[str, str]:
    """Message and mend for an error of huggingface_hub, told apart by its class.

    Args:
        what: `model` or `dataset`.
        name: the Hub id that was asked for.
        error: what huggingface_hub or datasets raised.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    folder = "a folder (scenario.dataset_name=FOLDER)" if what == "dataset" else "a folder"
    if is_full_disk(error):
        return (
            f"the disk is full: the {what} {name} could not be written to the local cache",
            "free some space, or choose a cache on another disk: HF_HOME=FOLDER",
        )
    if _is_refused_token(error):
        return (
            f"the Hub does not take the token that was given, so it does not give the {what} {name}",
            "make a new token in the settings of your account at the Hub and set HF_TOKEN to it; for what is public "
            "unset HF_TOKEN",
        )
    if isinstance(error, GatedRepoError):
        return (
            f"the {what} {name} is gated: the Hub gives it only to those who were granted access",
            f"ask for access on the page of {name}, then set HF_TOKEN to a token of that account",
        )
    if isinstance(error, RevisionNotFoundError):
        return f"the {what} {name} has no such revision", "check the revision; without one, main is taken"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"there is no {what} {name} on the Hub, or it is private",
            "check the spelling (ORG/NAME); for a private one set HF_TOKEN; for a folder write ./FOLDER",
        )
    if isinstance(error, HFValidationError):
        return (
            f"'{name}' is neither a folder that exists nor a Hub id (ORG/NAME)",
            f"check the spelling of the {what}; a folder is written ./FOLDER or with its full path",
        )
    if isinstance(error, OfflineModeIsEnabled) or os.environ.get("HF_HUB_OFFLINE", "").upper() in _SWITCHED_ON:
        return (
            f"the {what} {name} is not in the local cache, and HF_HUB_OFFLINE is set",
            f"unset HF_HUB_OFFLINE to download it, or give {folder}; `hf download {name}` fills the cache",
        )
    if isinstance(error, (LocalEntryNotFoundError, ConnectionError, TimeoutError)):
        return (
            f"the Hub cannot be reached for the {what} {name}, and it is not in the local cache",
            f"check the network; on a machine without one give {folder} and set HF_HUB_OFFLINE=1; "
            "a gated or private one also needs HF_TOKEN",
        )
    return f"the {what} {name} could not be read: {error}", f"check the {what}, the network and HF_TOKEN"


def _is_refused_token(error: Exception) -> bool:
    """Whether the Hub refused whoever asks, and not only what was asked for: it then names no cause of its own."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError)):
        return False
    return getattr(getattr(error, "response", None), "status_code", None) == 401


def _local(folder: Path, filename: str) -> dict[str, Any] | None:
    path = folder / filename
    return _read(path) if path.is_file() else None


def _remote(
    model: str, filename: str, revision: str | None, cache_dir: str | None, *, optional: bool
) -> tuple[dict[str, Any] | None, str | None]:
    """The parsed file and the commit it is from; None for an optional file that the repository does not have."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        cached = try_to_load_from_cache(model, "config.json", revision=revision, cache_dir=cache_dir)
        if optional and isinstance(cached, str):
            # A transformers model; asking the Hub for a pipeline index would only cost time, or fail offline.
            return None, None
        path = Path(hf_hub_download(model, filename, revision=revision, cache_dir=cache_dir))
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _model_error(model, error) from error
    except EntryNotFoundError as error:
        if optional:
            return None, None
        raise ModelError(
            f"the model {model} holds neither config.json nor model_index.json",
            mend="choose a model that transformers, diffusers or timm can load",
        ) from error
    except Exception as error:
        raise _model_error(model, error) from error
    # In the cache a file lies under snapshots/<commit>/.
    parts = path.parts
    commit = parts[parts.index("snapshots") + 1] if "snapshots" in parts else None
    return _read(path), commit


def _model_error(model: str, error: Exception) -> ModelError:
    message, mend = hub_error("model", model, error)
    return ModelError(message, mend=mend)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}", mend="restore the file and run again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a JSON object", mend="restore the file and run again")
    return content
