"""One line of a list of models: what it may say, and what it means for the job."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from scorekit import tasks
from scorekit.errors import UsageError

ModelClass = Literal["A", "B", "C"]

_HOSTS: Final = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_PART: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_HUB_ID: Final = re.compile(rf"(?:{_PART}/)?{_PART}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_BATCH_NAMES: Final = {"text_gen": "text_generation", "image_gen": "text_to_image"}
"""AI Energy Score's batch list calls two tasks otherwise than the leaderboard."""
_EFFORTS: Final = ("low", "medium", "high")
_SETTING: Final = re.compile(r"^\s*(?P<key>[A-Za-z_]+)\s*[:=]\s*(?P<value>[A-Za-z0-9_.-]*)\s*$")
_NOTHING: Final = frozenset({"", "n/a", "n/a (default)", "default", "none"})
_SWITCHES: Final = frozenset({"reasoning", "enable_thinking"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one job.

    Attributes:
        model: Hub id, or the whole path of a folder.
        place: file and line, or the word of the command line, for messages.
        revision: commit, branch or tag; None for the newest.
        task: config name.
        model_class: size class; None where the list tells none.
        reasoning: the state as the list calls it; None where it calls none.
        reasoning_params: what the chat template is given beside enable_thinking.
        priority: 1 comes first.
        parameters: of the model, where the list tells them.
        overrides: Hydra overrides of this job alone.
        notes: what of the line has no meaning for a job.
    """

    model: str
    place: str
    task: str
    revision: str | None = None
    model_class: ModelClass | None = None
    reasoning: str | None = None
    reasoning_params: tuple[tuple[str, str], ...] = ()
    priority: int = 1
    parameters: int | None = None
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)


def model_of(text: str) -> tuple[str, str | None]:
    """The model and revision that a cell or word names.

    Args:
        text: Hub id (`ORG/NAME`, `ORG/NAME@REVISION`), its link, or a folder.

    Raises:
        UsageError: it is none of them.
    """
    name = text.strip()
    if not name:
        raise UsageError("names no model", mend="ORG/NAME, its link on the Hub, or ./FOLDER")
    if name.startswith(("http://", "https://")):
        return _linked(name)
    if name.startswith((".", "/", "~")) or os.path.isdir(name):
        folder = os.path.abspath(os.path.expanduser(name))
        if not os.path.isdir(folder):
            raise UsageError(f"there is no model folder {name}", mend="check the path; a Hub id is written ORG/NAME")
        return folder, None
    model, _, revision = name.partition("@")
    return _checked(model, revision or None, name)


def task_of(text: str) -> str:
    """The config name of a task in any spelling that lists use.

    Raises:
        UsageError: there is no such task.
    """
    name = text.strip()
    return tasks.config_name(_BATCH_NAMES.get(name, name))


def class_of(text: str) -> ModelClass | None:
    """The size class of a cell; None for an empty one.

    Raises:
        UsageError: it is none of A, B and C.
    """
    name = text.strip().upper()
    if name in ("", "N/A"):
        return None
    if name in ("A", "B", "C"):
        return name  # type: ignore[return-value]
    raise UsageError(f"there is no class '{text.strip()}'; valid: A, B, C, or nothing where the task has no classes")


def priority_of(text: str) -> int:
    """The priority of a cell: 1 for an empty one.

    Raises:
        UsageError: it is no whole number from 1.
    """
    value = text.strip()
    if not value:
        return 1
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) < 10**6:
        raise UsageError(f"the priority '{value[:40]}' is no whole number from 1")
    return int(value)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a reasoning state and a chat template come to.

    Attributes:
        state: `on` or `off`, with the effort; None where none is told.
        task: the config that measures it.
        params: for scenario.reasoning_params.
        notes: what cannot be set.
    """

    state: str | None
    task: str
    params: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def reasoning_of(task: str, state: str, template: str) -> Reasoning:
    """The config and settings of a reasoning state.

    A text generation with reasoning on is measured by the config `reasoning`; with reasoning off by `text_generation`,
    which takes prompts as they are, so that no chat template has a say.

    Args:
        task: config name, as the list says.
        state: `On`, `Off`, `On (High)`, `Off (N/A)`, or nothing.
        template: settings of the chat template, a line each (`reasoning_effort: high`, `enable_thinking=True`), words
            that no setting takes, or nothing.

    Raises:
        UsageError: the state is none of these, or fits no such task.
    """
    words = state.strip().lower().replace("(", " ").replace(")", " ").split()
    if not words or words[0] in ("n/a", "none"):
        on = task == "reasoning"
        effort = None
    elif words[0] in ("on", "off", "true", "false"):
        on = words[0] in ("on", "true")
        effort = words[1] if len(words) > 1 and words[1] in _EFFORTS else None
        if on and len(words) > 1 and effort is None:
            raise UsageError(
                f"the reasoning state '{state.strip()}' is not known; valid: On, Off, On (Low), On (Medium), On (High)"
            )
    else:
        raise UsageError(
            f"the reasoning state '{state.strip()}' is not known; valid: On, Off, On (Low), On (Medium), On (High)"
        )
    if task not in ("text_generation", "reasoning"):
        if on:
            raise UsageError(f"{task} knows no reasoning; text_generation and reasoning do")
        return Reasoning(None, task, (), ())
    if not on and words and task == "reasoning":
        raise UsageError("the task reasoning with reasoning off", mend="name the task text_generation, or state On")
    settings, notes = _template(template)
    if not on:
        thinks = settings.get("enable_thinking", settings.get("reasoning", "")).lower() == "true"
        notes += ["the state is Off, but the chat template switches thinking on"] if words and thinks else []
        return Reasoning("off" if words else None, "text_generation", (), tuple(notes))
    if settings.get("enable_thinking", settings.get("reasoning", "")).lower() == "false":
        raise UsageError("the reasoning state is On, but the chat template switches thinking off")
    params = {key: value for key, value in settings.items() if key not in _SWITCHES}
    if effort is not None and params.setdefault("reasoning_effort", effort) != effort:
        raise UsageError(f"the reasoning state says {effort}, but the chat template {params['reasoning_effort']}")
    effort = params.get("reasoning_effort")
    return Reasoning(f"on, {effort}" if effort else "on", "reasoning", tuple(sorted(params.items())), tuple(notes))


def params_of(value: Any) -> str:
    """A YAML list's reasoning_params as the lines of a chat template's settings.

    Raises:
        UsageError: they are no plain settings.
    """
    if value is None:
        return ""
    if not isinstance(value, dict) or any(isinstance(each, (dict, list)) for each in value.values()):
        raise UsageError("reasoning_params must be plain settings, e.g. {reasoning_effort: high}")
    return "\n".join(f"{key}: {each}" for key, each in value.items())


def _template(text: str) -> tuple[dict[str, str], list[str]]:
    settings: dict[str, str] = {}
    words: list[str] = []
    for line in text.splitlines():
        if line.strip().lower() in _NOTHING:
            continue
        found = _SETTING.match(line)
        if found is None:
            words.append(line.strip())
        elif found["value"]:
            settings[found["key"]] = found["value"]
        elif found["key"] != "reasoning_params":
            words.append(line.strip())
    shown = " ".join(words)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return settings, [f"the chat template is told in words, which no setting takes: {shown}"] if words else []


def _linked(link: str) -> tuple[str, str | None]:
    parts = urlsplit(link)
    path = [part for part in parts.path.split("/") if part]
    if parts.hostname not in _HOSTS or not path or path[0] in ("datasets", "spaces"):
        raise UsageError(
            f"{link} is no link to a model of the Hub", mend="expected https://huggingface.co/ORG/NAME, or ORG/NAME"
        )
    if "tree" in path[1:3]:
        at = path.index("tree", 1)
        return _checked("/".join(path[:at]), "/".join(path[at + 1 :]) or None, link)
    return _checked("/".join(path), None, link)


def _checked(model: str, revision: str | None, told: str) -> tuple[str, str | None]:
    if not _HUB_ID.fullmatch(model) or "--" in model or ".." in model:
        raise UsageError(
            f"'{told[:120]}' is neither a Hub id (ORG/NAME) nor a folder that is there",
            mend="check the path of a folder, or the spelling of ORG/NAME",
        )
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(f"'{revision[:120]}' is no revision", mend="a revision is a commit, a branch or a tag")
    return model, revision
