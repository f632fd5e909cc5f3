"""What a container was asked to do: which command of scorekit, whether it measures, on what, and where it writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.cli import VERBS
from scorekit.measuring import configs, hub

PROGRAM: Final = "scorekit"
CONFIG_DIR: Final = "--config-dir"
_WRITES: Final = frozenset({"bench", "sweep", "demo", "tiny", "worker"})
"""Commands that leave results below the working folder."""
_MEASURES: Final = frozenset({"bench", "sweep", "worker"})
_ONLY_SHOWS: Final = frozenset(
    {"--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--info", "-i", "--plan-only", "--state"}
)
_DEVICE: Final = re.compile(r"\+{0,2}backend\.device=(\w+)$")
_OTHER_BACKEND: Final = re.compile(r"\+{0,2}backend=(?!pytorch$)")
_MODEL: Final = re.compile(r"\+{0,2}backend\.model=(.*)")
_FOLDER: Final = re.compile(r"hydra\.(?:run|sweep)\.dir=['\"]?(/[^'\"]*)")
_OPTION_WITH_VALUE: Final = re.compile(r"(--device|--runs|--config-name|-cn|--config-dir|-cd)(?:=(.*))?$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a container was asked to do.

    Attributes:
        words: the command line for scorekit, its command first.
        writes: whether it leaves results that somebody wants to keep.
        device: cuda or cpu; None where nothing is measured, or where a config must be composed to tell.
        downloads: whether it may ask the Hub for a model: all but a measurement of a model in a folder.
        folder: where it writes, as far as that can be told: an absolute folder, or None for the working folder.
    """

    words: tuple[str, ...]
    writes: bool
    device: str | None
    downloads: bool
    folder: Path | None

    @property
    def verb(self) -> str:
        """The command's name."""
        return self.words[0]


def understand(arguments: Sequence[str], own_configs: Path | None = None) -> Asked:
    """What the words after the image's name ask for; words that name no command are for `bench`.

    Args:
        arguments: at least one word.
        own_configs: a folder with configs that was mounted for `bench`; None where there is none.
    """
    words = list(arguments[1:] if arguments[0] == PROGRAM and len(arguments) > 1 else arguments)
    if words[0] not in VERBS and (words[0].startswith("-") or "=" in words[0]):
        words.insert(0, "bench")
    verb = words[0]
    options = _options(words)
    if verb == "bench" and own_configs is not None and not {CONFIG_DIR, "-cd"} & options.keys():
        options[CONFIG_DIR] = str(own_configs)
        words[1:1] = [CONFIG_DIR, str(own_configs)]
    shows = any(word.partition("=")[0] in _ONLY_SHOWS for word in words)
    measures = verb in _MEASURES and not shows
    models = [found[1].strip("'\"") for word in words if (found := _MODEL.match(word))]
    return Asked(
        words=tuple(words),
        writes=verb in _WRITES and not shows,
        device=_device(words, options) if measures else None,
        downloads=measures and not (models and hub.is_folder(models[-1])),
        folder=_folder(words, options),
    )


def _device(words: Sequence[str], options: dict[str, str]) -> str | None:
    given = [found[1] for word in words if (found := _DEVICE.match(word))]
    if given or "--device" in options:
        return given[-1] if given else options["--device"]
    if any(_OTHER_BACKEND.match(word) for word in words):
        return None
    if words[0] != "bench":
        return "cuda"
    name = options.get("--config-name") or options.get("-cn")
    folders = [Path(options[key]) for key in (CONFIG_DIR, "-cd") if key in options]
    return None if name is None else configs.backend_setting("device", name, *folders, configs.builtin_folder())


def _folder(words: Sequence[str], options: dict[str, str]) -> Path | None:
    given = [found[1] for word in words if (found := _FOLDER.match(word))]
    given += [value for key, value in options.items() if key == "--runs" and value.startswith("/")]
    return Path(given[-1]) if given else None


def _options(words: Sequence[str]) -> dict[str, str]:
    """Those of the options that are looked at, in both spellings: `--option value` and `--option=value`."""
    options: dict[str, str] = {}
    for index, word in enumerate(words):
        found = _OPTION_WITH_VALUE.match(word)
        if found is None:
            continue
        if found[2] is not None:
            options[found[1]] = found[2]
        elif index + 1 < len(words):
            options[found[1]] = words[index + 1]
    return options
