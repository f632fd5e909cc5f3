"""CodeCarbon's data as JSON: the `<pass>_codecarbon.json` that optimum-benchmark leaves beside its report.

Such a file is one pass of a run (load_model, prefill, generate, forward, call), which only its name tells. Loading, and
passes that only split another, are no energy of the task.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.errors import LogError
from scorekit.logs.fields import Field
from scorekit.logs.foreign import codecarbon_run
from scorekit.logs.foreign.codecarbon_run import NUMBERS, TEXTS, Told
from scorekit.logs.places import Place
from scorekit.records import Fault, Result

FORMAT: Final = "codecarbon-json/1"
DESCRIPTION: Final = "a *_codecarbon.json of CodeCarbon's data, as optimum-benchmark writes it"


_SUFFIX: Final = "_codecarbon.json"
_LOADING: Final = frozenset({"load", "load_model", "load_dataset"})
_SPLITS: Final = frozenset({"prefill", "decode", "per_token"})
"""Passes that split the generating one, which has a file of its own."""


def recognises(place: Place) -> bool:
    """Whether it is JSON with CodeCarbon's names of energies."""
    head = place.head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith(b"{") and b'"energy_consumed"' in head and b'"cpu_energy"' in head


def read(place: Place) -> Iterator[Result]:
    """One result, of the pass that the file is of.

    Raises:
        LogError: it is no such JSON, or a field is not of its kind.
    """
    content, sha256 = place.read_json()
    root = Field(content, place.label)
    if "energy_consumed" not in root:
        raise LogError(f"{place.label}: there is no energy_consumed", mend="give a *_codecarbon.json")
    told = Told(
        numbers={name: root[name].number() if root[name].value != "" else None for name in NUMBERS},
        texts={name: root[name].text() for name in TEXTS},
        where=lambda field: f"{place.label}: {field}",
    )
    phase = _phase(place.label)
    why_not = _why_not(phase)
    faults = [] if why_not is None else [Fault(code="missing_energy", message=why_not, phase=phase, spoils=True)]
    yield codecarbon_run.result(
        told,
        name=place.label,
        row=None,
        format_=FORMAT,
        sha256=sha256,
        faults=faults,
        phase=phase,
        counted=why_not is None,
    )


def _phase(label: str) -> str | None:
    name = label.rsplit("/", 1)[-1]
    return name.removesuffix(_SUFFIX) or None if name.endswith(_SUFFIX) else None


def _why_not(phase: str | None) -> str | None:
    """Why a pass is no energy of the task; None where it is one."""
    if phase in _LOADING:
        return f"'{phase}' is loading, which no score counts; give the folder of the run, or the pass that answers"
    if phase in _SPLITS:
        return f"'{phase}' only splits the generating pass; give the folder of the run, or generate{_SUFFIX}"
    return None
