"""Lists of models: CSV in the shape of AI Energy Score's batch list, YAML, or names on the command line.

Source of the CSV's columns: scottcha/AIEnergyScore, "AI Energy Score (Oct 2025) - Models.csv".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from scorekit.errors import InputError, UsageError, nearest
from scorekit.sweep import entries
from scorekit.sweep.entries import Entry

_MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_TOLD: Final = 10
_LISTS: Final = (".csv", ".yaml", ".yml")
_COLUMNS: Final = {
    "model": ("model", "models", "modelstoadd", "modellink", "modelid", "link"),
    "priority": ("priority", "priority1hi"),
    "class": ("class", "modelclass"),
    "task": ("task",),
    "reasoning": ("reasoningstate", "reasoning"),
    "template": ("chattemplate", "reasoningparams"),
    "revision": ("revision", "commit"),
    "parameters": ("parameters",),
}
"""Names of columns in letters and digits, as lists in the wild write them."""
_BATCH_COLUMNS: Final = "Models to Add, Priority (1=hi), Class, Task, Reasoning State, Chat Template"
_KEYS: Final = frozenset({*_COLUMNS, "reasoning_params", "overrides"} - {"template"})


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists and names come to.

    Attributes:
        entries: the jobs, in the order of the lists, each once.
        notes: duplicates, and what has no meaning for a job, with file and line.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


def read(words: Iterable[str], task: str | None = None) -> Listed:
    """The jobs that words of the command line name.

    Args:
        words: paths of lists (.csv, .yaml), Hub ids, links and folders.
        task: of models that name none; of lists that name tasks only the rows of this one are taken. None where every
            row names its own.

    Raises:
        UsageError: no task is told, or nothing is left.
        InputError: a list cannot be read, or has lines that are wrong; names the first of them, with file and line.
    """
    wanted = None if task is None else entries.task_of(task)
    found: list[Entry] = []
    wrong: list[str] = []
    notes: list[str] = []
    for word in words:
        rows = _list_rows(Path(word), notes) if word.lower().endswith(_LISTS) else _word_rows(word)
        for place, row in rows:
            try:
                entry = _entry(place, row, wanted)
            except UsageError as error:
                wrong.append(f"{place}: {error.message}" + (f" ({error.mend})" if error.mend else ""))
                continue
            if entry is not None:
                found.append(entry)
    if wrong:
        shown = "".join(f"\n  {line}" for line in wrong[:_MOST_TOLD])
        more = f"\n  and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        raise InputError(
            f"{len(wrong)} line{'' if len(wrong) == 1 else 's'} of the list cannot be planned:{shown}{more}",
            mend="mend these lines and plan again",
        )
    listed = _once(found, notes)
    if not listed.entries:
        raise UsageError(
            "the list names no model" + (f" for {wanted}" if wanted else ""),
            mend="name models (ORG/NAME), or a list: scorekit sweep LIST.csv",
        )
    return listed


def _once(found: Iterable[Entry], notes: list[str]) -> Listed:
    first: dict[tuple[Any, ...], Entry] = {}
    for entry in found:
        same = (entry.model, entry.revision, entry.task, entry.reasoning, entry.reasoning_params, entry.overrides)
        before = first.get(same)
        if before is None:
            first[same] = entry
            notes += [f"{entry.place}: {note}" for note in entry.notes]
        else:
            first[same] = replace(before, priority=min(before.priority, entry.priority))
            notes.append(f"{entry.place}: the same job as {before.place} ({entry.model}); it is planned once")
    return Listed(tuple(first.values()), tuple(notes))


def _entry(place: str, row: Mapping[str, Any], wanted: str | None) -> Entry | None:
    model, revision = entries.model_of(row["model"])
    told = row.get("revision", "").strip()
    if told and revision is not None and told != revision:
        raise UsageError(f"two revisions are told: {revision} and {told}")
    if told:
        model, revision = entries.model_of(f"{model}@{told}")
    task = entries.task_of(row["task"]) if row.get("task", "").strip() else wanted
    if task is None:
        raise UsageError("no task is told", mend="--task text_generation")
    reasoning = entries.reasoning_of(task, row.get("reasoning", ""), row.get("template", ""))
    if wanted is not None and wanted not in (task, reasoning.task):
        return None
    return Entry(
        model=model,
        place=place,
        task=reasoning.task,
        revision=revision,
        model_class=entries.class_of(row.get("class", "")),
        reasoning=reasoning.state,
        reasoning_params=reasoning.params,
        priority=entries.priority_of(row.get("priority", "")),
        parameters=_parameters(row.get("parameters", "")),
        overrides=tuple(row.get("overrides", ())),
        notes=reasoning.notes,
    )


def _parameters(text: str) -> int | None:
    value = text.strip().replace("_", "").replace(",", "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or not 0 < int(value[:19]) < 10**16:
        raise UsageError(f"'{text.strip()[:40]}' is no number of parameters", mend="write it out: 8000000000")
    return int(value)


def _word_rows(word: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield word, {"model": word}


def _list_rows(path: Path, notes: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    text = _text(path)
    return _csv_rows(path, text, notes) if path.suffix.lower() == ".csv" else _yaml_rows(path, text)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no list {path}", mend="check the path") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise InputError(f"{path} is larger than {_MOST_BYTES // 1024**2} MiB; expected a list of models")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8", mend="save it as UTF-8") from error


def _csv_rows(path: Path, text: str, notes: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "\0" in text:
        raise InputError(f"{path} has zero bytes; expected text", mend="save it as CSV in UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""))
    columns: dict[str, int] | None = None
    width = begins = 0
    try:
        while True:
            begins = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not any(cell.strip() for cell in cells):
                continue
            place = f"{path}, line {begins}"
            if columns is None:
                columns, width = _header(path, begins, cells), len(cells)
                notes += [f"{place}: {note}" for note in _misspelt(cells, columns)]
                continue
            if len(cells) > width:
                raise InputError(
                    f"{place}: {len(cells)} cells, expected {width} as in the header",
                    mend="put a cell that holds a comma into quotes",
                )
            row = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
            if not row["model"].strip():
                yield place, {**row, "model": ""}
                continue
            yield place, row
    except csv.Error as error:
        raise InputError(f"{path}, line {begins}: {error}", mend="save it as CSV again") from error
    if columns is None:
        raise InputError(f"{path} is empty; expected a list of models", mend=f"its columns: {_BATCH_COLUMNS}")


def _header(path: Path, line: int, cells: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells]
    found: dict[str, int] = {}
    for name, spellings in _COLUMNS.items():
        places = [at for at, cell in enumerate(plain) if cell in spellings]
        if len(places) > 1:
            raise InputError(
                f"{path}, line {line}: two columns for the {name}: "
                f"'{cells[places[0]].strip()}' and '{cells[places[1]].strip()}'",
                mend="keep one of them",
            )
        if places:
            found[name] = places[0]
    if "model" not in found:
        told = ", ".join(cell.strip() for cell in cells if cell.strip())[:200]
        raise InputError(
            f"{path}, line {line}: there is no column for the model; found: {told}",
            mend=f"name one 'model', or take the batch list's columns: {_BATCH_COLUMNS}",
        )
    return found


def _misspelt(cells: list[str], columns: Mapping[str, int]) -> Iterator[str]:
    """Columns that are not read, and are called nearly as one that is missing; a list may have others of its own."""
    missing = sorted(set(_COLUMNS) - set(columns))
    for at, cell in enumerate(cells):
        close = None if at in columns.values() else nearest(cell.strip().lower(), missing, cutoff=0.75)
        if close is not None:
            yield f"the column '{cell.strip()[:60]}' is not read; did you mean '{close}'?"


def _yaml_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise InputError(f"{path}{where}: {getattr(error, 'problem', None) or 'no YAML'}") from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply; expected a list of models") from error
    if isinstance(content, dict) and set(content) == {"models"}:
        content, node = content["models"], node.value[0][1]
    if content is None:
        return
    if not isinstance(content, list):
        raise InputError(f"{path}: expected a list of models", mend="begin each with a dash: - ORG/NAME")
    for item, value in zip(node.value, content, strict=True):
        place = f"{path}, line {item.start_mark.line + 1}"
        if value is not None:
            yield place, _yaml_row(place, value)


def _yaml_row(place: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"model": value}
    if not isinstance(value, dict) or not isinstance(value.get("model"), str):
        raise InputError(f"{place}: expected a model's name, or settings with `model`", mend="- model: ORG/NAME")
    strange = sorted(str(key) for key in value if key not in _KEYS)
    if strange:
        close = nearest(strange[0], sorted(_KEYS))
        raise InputError(
            f"{place}: there is no '{strange[0][:60]}'; valid: {', '.join(sorted(_KEYS))}",
            mend=f"did you mean '{close}'?" if close else None,
        )
    row: dict[str, Any] = {}
    for key in _KEYS & set(value) - {"reasoning_params", "overrides"}:
        each = value[key]
        if isinstance(each, (dict, list, float)):
            raise InputError(f"{place}: {key} must be one word or whole number")
        # YAML reads On and Off as true and false.
        row[key] = "" if each is None else ("On" if each else "Off") if isinstance(each, bool) else str(each)
    try:
        row["template"] = entries.params_of(value.get("reasoning_params"))
    except UsageError as error:
        raise InputError(f"{place}: {error.message}") from error
    overrides = value.get("overrides") or []
    if not isinstance(overrides, list) or not all(isinstance(each, str) and "=" in each for each in overrides):
        raise InputError(f"{place}: overrides must be a list of SETTING=VALUE", mend="overrides: [backend.seed=1]")
    row["overrides"] = tuple(overrides)
    return row
