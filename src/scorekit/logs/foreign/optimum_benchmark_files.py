"""Which files make one log of optimum-benchmark, told from their content, and what they hold.

The tool leaves `benchmark_report.json` and a config beside it (`experiment_config.json` at first, since then
`benchmark_config.json`); `benchmark.json` holds both. CodeCarbon's own data of each pass stand in
`<pass>_codecarbon.json`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from scorekit import bundle
from scorekit.errors import LogError
from scorekit.logs.fields import Field
from scorekit.logs.places import HEAD_BYTES, Place

Generation = Literal["v0", "0.5"]
Claim = Literal["v0", "0.5", "config", "blank"]
"""What the beginning of a file shows: a report of a generation, a config alone, or nothing at all."""
OLD_CONFIG: Final = "experiment_config.json"
_REPORTS: Final = (bundle.REPORT, bundle.BENCHMARK)
_CONFIGS: Final = (bundle.CONFIG, OLD_CONFIG)
_OTHERS: Final = frozenset({bundle.REPORT, bundle.BENCHMARK, bundle.CONFIG, OLD_CONFIG})
_PARTS: Final = rb'\s*:\s*\{\s*"(?:memory|latency|throughput|energy|efficiency|measures)"\s*:'
_NEW_PHASE: Final = re.compile(rb'"(?:preprocess_dataset|load_dataset|load_model)"' + _PARTS)
_OLD_PHASE: Final = re.compile(rb'"(?:preprocess|load|prefill|decode|per_token|forward|call)"' + _PARTS)
_CONFIG: Final = re.compile(rb'"_target_"\s*:\s*"(?:optimum_benchmark|scorekit)\.')
_IDENTITY: Final = (
    ("backend", "model"),
    ("backend", "task"),
    ("backend", "device"),
    ("scenario", "num_samples"),
    ("benchmark", "num_samples"),
)
"""Settings in which two configs of one run must agree."""


@dataclass(slots=True)
class Log:
    """One log, with the files that it was read from.

    Attributes:
        place: the folder or file.
        report: phases and what was measured of them.
        config: what was asked; missing where no config was found.
        files: sha256 of each file, by name.
    """

    place: Place
    report: Field
    config: Field
    files: dict[str, str] = field(default_factory=dict)

    def pass_file(self, name: str) -> Field:
        """CodeCarbon's data of a pass, e.g. `generate`; missing where the folder has no such file.

        Raises:
            LogError: it cannot be read.
        """
        file_name = f"{name}{bundle.CODECARBON_SUFFIX}"
        if self.place.names is None or file_name not in self.place.names:
            return Field(None, file_name)
        return _read(self.place, file_name, self.files)


def generation_of(place: Place) -> Generation | None:
    """Which generation of the tool a place claims to be from; None where it is no log of it.

    A report that is broken is claimed by its name where its config or an empty file leaves no other reading.
    """
    if place.names is None:
        claim = _claim_of_head(place.head)
        if claim == "v0" or claim == "0.5":
            return claim
        return "0.5" if claim == "blank" and place.path.name in _REPORTS else None
    names = place.names
    if bundle.is_run(names):
        return None
    blank = False
    for name in _REPORTS:
        if name in names:
            told = _claim(place.file(name))
            if told in ("v0", "0.5"):
                return told
            blank = blank or told == "blank"
    configs = [name for name in _CONFIGS if name in names and _claim(place.file(name)) == "config"]
    if configs:
        return "v0" if configs == [OLD_CONFIG] else "0.5"
    return "0.5" if blank else None


def load(place: Place) -> Log:
    """The files of one log.

    Raises:
        LogError: a file cannot be read; there is no report; or two reports or configs contradict each other.
    """
    files: dict[str, str] = {}
    if place.names is None:
        return _load_file(place, files)
    reports: dict[str, Field] = {}
    configs: dict[str, Field] = {}
    for name in _report_names(place, place.names):
        report, config = _split(_read(place, name, files))
        reports[name] = report
        if not config.missing:
            configs[name] = config
    if not reports:
        raise LogError(
            f"{place.label} has a config of optimum-benchmark and no {bundle.REPORT}: the run did not end",
            mend="measure again, or leave the folder out",
        )
    for name in _CONFIGS:
        if name in place.names:
            configs[name] = _read(place, name, files)
    report = _agreed(place, reports, "reports", _same)
    config = _agreed(place, configs, "configs", _same_run) if configs else Field(None, bundle.CONFIG)
    return Log(place, report, config, files)


def _load_file(place: Place, files: dict[str, str]) -> Log:
    value, digest = place.read_json()
    files[place.path.name] = digest
    report, config = _split(Field(value, place.label))
    if config.missing and place.path.name == bundle.REPORT:
        # Written together with its config, under these names; of any other name it is not known what lies beside it.
        folder = Place(place.path.parent, place.label.removesuffix(bundle.REPORT).rstrip("/"))
        beside = [name for name in _CONFIGS if (place.path.parent / name).is_file()]
        found = {name: _read(folder, name, files) for name in beside}
        if found:
            config = _agreed(place, found, "configs", _same_run)
    return Log(place, report, config, files)


def _report_names(place: Place, names: frozenset[str]) -> list[str]:
    """Files with a report, the tool's own names first."""
    others = [
        name
        for name in names - _OTHERS
        if name.endswith(".json")
        and not name.endswith(bundle.CODECARBON_SUFFIX)
        and _claim(place.file(name)) in ("v0", "0.5")
    ]
    return [name for name in _REPORTS if name in names] + sorted(others)


def _split(content: Field) -> tuple[Field, Field]:
    """Report and config; the config is missing where the file holds a report alone."""
    if isinstance(content.value, dict) and "report" in content.value and "config" in content.value:
        return content["report"], content["config"]
    if content.missing:
        content.refuse("a report: a mapping of phases")
    content.mapping()
    return content, Field(None, content.file)


def _agreed(place: Place, found: dict[str, Field], what: str, agree: Any) -> Field:
    """The first of several that must tell the same."""
    (first, one), *others = found.items()
    for name, other in others:
        if not agree(one, other):
            raise LogError(
                f"{place.label} has two {what} that contradict each other: {first} and {name}",
                mend="leave the one that belongs to the run, in a folder of its own",
            )
    return one


def _same(one: Field, other: Field) -> bool:
    # NaN is unlike itself, and written alike.
    return bool(one.value == other.value) or repr(one.value) == repr(other.value)


def _same_run(one: Field, other: Field) -> bool:
    return all(
        one[section][name].value == other[section][name].value
        for section, name in _IDENTITY
        if section in one and section in other
    )


def _read(folder: Place, name: str, files: dict[str, str]) -> Field:
    """The content of a file of a folder, whose sha256 is noted."""
    place = folder.file(name)
    value, files[name] = place.read_json()
    return Field(value, place.label)


def _claim(place: Place) -> Claim | None:
    path = str(place.path)
    try:
        told = os.stat(path)
        return _cached_claim(path, told.st_mtime_ns, told.st_size, told.st_ino)
    except OSError:
        # Whoever reads it is told why.
        return None


@lru_cache(maxsize=8)
def _cached_claim(path: str, *_version: int) -> Claim | None:
    """What a file in one state of it is: the readers of both generations ask, one after the other."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return _claim_of_head(os.read(descriptor, HEAD_BYTES))
    finally:
        os.close(descriptor)


def _claim_of_head(head: bytes) -> Claim | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    if _NEW_PHASE.search(head):
        return "0.5"
    if _OLD_PHASE.search(head):
        return "v0"
    if _CONFIG.search(head):
        return "config"
    return None if head.strip(b"\0\r\n\t ") else "blank"
