"""The files that a score leaves in its run folder."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Final

from scorekit import atomic, bundle
from scorekit.records import Score
from scorekit.units import wh_to_kwh

_SUMMARY_FORMAT: Final = "scorekit.gpu-energy/1"


def write_score(folder: Path, score: Score) -> list[Path]:
    """Write score.json and the two files that users of AI Energy Score know, and renew the manifest.

    `GPU_ENERGY_WH.txt` holds one number: GPU energy in Wh of the counted phases, as the mean over the
    repeats, at full precision. Where no GPU was read, or the run is invalid, it holds `None` and, on a second line,
    why: `float()` of it fails loudly and shows the reason, while a 0 or a nan would pass for a result.

    Returns:
        The files that were written.

    Raises:
        BundleError: a file cannot be written, or a measured file was changed meanwhile.
    """
    files = {
        bundle.SCORE: score.model_dump_json(indent=2) + "\n",
        bundle.GPU_WH: gpu_wh_text(score),
        bundle.GPU_SUMMARY: json.dumps(gpu_summary(score), indent=2, allow_nan=False) + "\n",
    }
    for name, text in files.items():
        atomic.write_text(folder / name, text)
    bundle.record_derived(folder)
    return [folder / name for name in files]


def withdraw_score(folder: Path) -> None:
    """Take away the score that an earlier reading of a run left, where the run is refused now, and renew the manifest.

    Raises:
        BundleError: a file cannot be removed, or a measured file was changed meanwhile.
    """
    left = [path for name in (bundle.SCORE, bundle.GPU_WH, bundle.GPU_SUMMARY) if (path := folder / name).exists()]
    for path in left:
        try:
            path.unlink()
        except OSError as error:
            raise atomic.write_error(path, error) from error
    if left:
        bundle.record_derived(folder)


def gpu_wh_text(score: Score) -> str:
    """Contents of GPU_ENERGY_WH.txt."""
    total_wh = _gpu_total_wh(score)
    why = _why_no_gpu(score) if total_wh is None else _why_invalid(score)
    return f"None\n{why}\n" if why is not None else f"{total_wh!r}\n"


def gpu_summary(score: Score) -> dict[str, object]:
    """Contents of GPU_ENERGY_SUMMARY.json.

    `units`, `total` and `<phase>_wh` are the keys that AI Energy Score's own tools write; the others are
    ours. All are means over the repeats. `total` is the energy of the phases in `counted_phases`; prefill and
    decode split generate and are not added to it. An energy of the GPU that is not known is null.
    `valid` is false where a check of the run failed: its figures are told, but are no result.
    """
    total_wh = _gpu_total_wh(score)
    phases_wh = {p.phase: p.energy_wh if score.domain == "gpu" else None for p in score.phases}
    return {
        "units": "Wh",
        "total": total_wh,
        **{f"{phase}_wh": energy_wh for phase, energy_wh in phases_wh.items()},
        "format": _SUMMARY_FORMAT,
        "total_kwh": None if total_wh is None else wh_to_kwh(total_wh),
        **{f"{phase}_kwh": None if wh is None else wh_to_kwh(wh) for phase, wh in phases_wh.items()},
        "counted_phases": [phase.phase for phase in score.phases if phase.counted],
        "total_by_repeat_wh": [repeat.gpu_wh for repeat in score.repeats],
        "wh_per_1000_queries": score.wh_per_1000_queries if score.domain == "gpu" else None,
        "queries": score.queries,
        "repeats": score.runs,
        "model": score.model,
        "task": score.task,
        "valid": score.valid,
        "note": _why_no_gpu(score) if total_wh is None else _why_invalid(score),
    }


def _gpu_total_wh(score: Score) -> float | None:
    """Mean over the repeats, from their Wh: through kWh and back it would lose its last digit."""
    energies_wh = [repeat.gpu_wh for repeat in score.repeats if repeat.gpu_wh is not None]
    if score.domain != "gpu" or not energies_wh or len(energies_wh) != len(score.repeats):
        return None
    return statistics.fmean(energies_wh)


def _why_invalid(score: Score) -> str | None:
    if score.valid is not False:
        return None
    return f"the run is invalid: {', '.join(reason.code for reason in score.invalid_because)}"


def _why_no_gpu(score: Score) -> str:
    return f"no GPU was read: the energy in {bundle.SCORE} is that of {score.domain}"
