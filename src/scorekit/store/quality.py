"""Quality figures beside the results: files of their own in `_quality/`, added and never changed, as results are.

A file is named by its whole sha256. A later file may replace figures of an earlier one, which stays where it is. Of two
figures of one result and metric, neither of which replaces the other, none is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pydantic import ValidationError

from scorekit import atomic
from scorekit.errors import BundleError
from scorekit.records import Quality, QualityFigure, first_complaint
from scorekit.store import files, names
from scorekit.store.files import QUALITY_FOLDER, Added, Skipped

TABLE: Final = "quality"
_MOST_FILES: Final = 100_000
_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("benchmark", "metric", "filter")),
        *(pa.field(name, pa.float64()) for name in ("value", "stderr")),
        pa.field("higher_is_better", pa.bool_()),
        *(pa.field(name, pa.int64()) for name in ("samples", "samples_of", "num_fewshot")),
        *(pa.field(name, pa.bool_()) for name in ("chat_template", "limited", "same_weights")),
        *(
            pa.field(name, pa.string())
            for name in (
                "task_version", "harness_version", "evaluated_utc", "matched_by", "source_name", "source_sha256",
                "source_url", "file",
            )
        ),
    ]
)  # fmt: skip
"""The table `quality`: `id` is that of `results`; `benchmark` is the task of the harness, to be told from our tasks."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of figures.

    Attributes:
        quality: what it holds.
        sha256: of its content.
    """

    quality: Quality
    sha256: str

    @property
    def path(self) -> str:
        """Below the results folder."""
        return f"{QUALITY_FOLDER}/{names.attached_name(self.quality.model, self.sha256)}"


@dataclass(frozen=True, slots=True)
class InForce:
    """A figure that stands, and the file that it is in."""

    figure: QualityFigure
    attached: Attached

    @property
    def key(self) -> tuple[object, ...]:
        """What its result has one value of."""
        return self.figure.key(self.attached.quality.chat_template)

    @property
    def is_limited(self) -> bool:
        """Whether only a part of the task was asked."""
        return self.attached.quality.is_limited(self.figure)


def add(root: Path, quality: Quality) -> Added:
    """Add a file of figures; the same content is one file.

    Raises:
        BundleError: it cannot be written, or its name is taken by a file that was changed.
    """
    content = quality.model_dump_json(indent=1).encode() + b"\n"
    attached = Attached(quality, names.digest(content))
    path = attached.path
    files.make_folder(root / QUALITY_FOLDER)
    try:
        new = atomic.create_bytes(root / path, content, elsewhere=files.ELSEWHERE)
    except atomic.NoLinksError:
        # The whole hash in the name: whoever writes to it at the same time writes the same content.
        new = not (root / path).exists()
        atomic.write_bytes(root / path, content, elsewhere=files.ELSEWHERE)
    found = _read(root, path)
    if isinstance(found, Skipped):
        raise BundleError(f"{path} is in the way: {found.reason}", mend="move the file out of the results folder")
    return Added(path, new)


def read_all(root: Path) -> tuple[list[Attached], list[Skipped]]:
    """Every file of figures, by name, and what is left out."""
    found: list[Attached] = []
    skipped: list[Skipped] = []
    for entry in _entries(root):
        one = entry if isinstance(entry, Skipped) else _read(root, entry)
        if isinstance(one, Skipped):
            skipped.append(one)
        else:
            found.append(one)
    return found, skipped


def remove(root: Path, result_sha256: str) -> list[str]:
    """Remove every file of figures of a result, those that were replaced as well: none of them shows again.

    Returns:
        The paths of the files, below the results folder.

    Raises:
        BundleError: one cannot be removed.
    """
    own = [one.path for one in read_all(root)[0] if one.quality.result_sha256 == result_sha256]
    for path in own:
        try:
            (root / path).unlink(missing_ok=True)
        except OSError as error:
            raise BundleError(
                f"{path} cannot be removed: {error.strerror or error}",
                mend="it has to be yours to remove; mend the folder and run again",
            ) from error
    return own


def in_force(attached: Iterable[Attached]) -> tuple[dict[str, tuple[InForce, ...]], list[Skipped]]:
    """The figures that stand, by the sha256 of their result, and those that contradict each other."""
    by_result: dict[str, list[Attached]] = {}
    for one in attached:
        by_result.setdefault(one.quality.result_sha256, []).append(one)
    standing: dict[str, tuple[InForce, ...]] = {}
    skipped: list[Skipped] = []
    for result, own in by_result.items():
        by_key = not_replaced(own)
        for same in by_key.values():
            if len(same) > 1:
                what = f"{same[0].figure.task} {same[0].figure.metric},{same[0].figure.filter}"
                skipped.append(
                    Skipped(same[0].attached.path, f"{what} has {len(same)} values, and none replaces others")
                )
        kept = tuple(same[0] for same in by_key.values() if len(same) == 1)
        if kept:
            standing[result] = tuple(sorted(kept, key=lambda one: tuple(map(str, one.key))))
    return standing, skipped


def not_replaced(own: Sequence[Attached]) -> dict[object, list[InForce]]:
    """Figures of one result that no later file replaces, by their key: one each, or several that contradict each other.

    Args:
        own: all files of the result.
    """
    every = [InForce(figure, one) for one in own for figure in one.quality.figures]
    replaced = {(older, newer.key) for newer in every for older in newer.attached.quality.replaces}
    found: dict[object, list[InForce]] = {}
    for figure in every:
        if (figure.attached.sha256, figure.key) not in replaced:
            found.setdefault(figure.key, []).append(figure)
    return found


def table(standing: Iterable[tuple[str, Sequence[InForce]]]) -> Any:
    """Figures by the id of their result as a `pyarrow.Table`, a row each."""
    rows = [_row(identity, one) for identity, figures in standing for one in figures]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _row(identity: str, one: InForce) -> dict[str, Any]:
    quality, figure = one.attached.quality, one.figure
    source = quality.source
    told = {name: getattr(figure, name) for name in _SCHEMA.names if hasattr(figure, name)}
    return told | {
        "id": identity,
        "benchmark": figure.task,
        "chat_template": quality.chat_template,
        "limited": one.is_limited,
        "same_weights": quality.same_weights,
        "harness_version": source.harness_version,
        "evaluated_utc": source.evaluated_utc,
        "matched_by": quality.matched_by,
        "source_name": source.name,
        "source_sha256": source.sha256,
        "source_url": source.url,
        "file": one.attached.path,
    }


def _entries(root: Path) -> Iterator[str | Skipped]:
    folder = root / QUALITY_FOLDER
    if folder.is_symlink():
        yield Skipped(QUALITY_FOLDER, "it is a link; links are not followed")
        return
    try:
        found = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Skipped(QUALITY_FOLDER, f"it cannot be read: {error.strerror or error}")
        return
    if len(found) > _MOST_FILES:
        yield Skipped(QUALITY_FOLDER, f"it has {len(found):,} files; the first {_MOST_FILES:,} are read")
    for name in found[:_MOST_FILES]:
        yield f"{QUALITY_FOLDER}/{name}"


def _read(root: Path, path: str) -> Attached | Skipped:
    try:
        content, _ = files.read_regular(os.path.join(root, path))
    except FileNotFoundError:
        return Skipped(path, "it is gone")
    except files.UnusableError as error:
        return Skipped(path, str(error))
    try:
        attached = Attached(Quality.model_validate_json(content), names.digest(content))
    except ValidationError as error:
        return Skipped(path, f"it is no quality of this version: {first_complaint(error)}")
    return attached if attached.path == path else Skipped(path, f"its content is not what was added: {attached.path}")
