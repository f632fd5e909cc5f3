"""A measurement of any code as text: its energy and how sure that is, what each meter told, and what was found."""

from __future__ import annotations

from scorekit.layout import Column, Layout, joined, percent, render, significant
from scorekit.messages import counted
from scorekit.records import DeviceEnergy, Measurement


def measurement_table(found: Measurement, layout: Layout) -> str:
    """The energy, a row for each device and meter, what is uncertain, and every check that did not pass."""
    lines = [layout.note(line) for line in (_title(found), _energy(found, layout), *_facts(found), *found.notes)]
    columns = (
        Column("device", flexible=True), Column("meter"), Column("Wh of\none pass", numeric=True), Column("origin"),
        Column("source", flexible=True), Column("counted"),
    )  # fmt: skip
    rows = [
        (
            layout.text(_device(device)),
            layout.text(device.meter),
            "none" if device.energy_wh is None else significant(device.energy_wh),
            device.origin,
            layout.text(device.source or "not told"),
            "yes" if device.counted else "no",
        )
        for device in found.devices
    ]
    parts = ["\n".join(lines), render(columns, rows, layout) if rows else "", _uncertainty(found, layout)]
    return joined(*parts, _checks(found, layout))


def measurement_line(found: Measurement) -> str:
    """The same in a few words of ASCII, as one line."""
    return f"{_name(found)}: {_energy(found, Layout())}"


def _name(found: Measurement) -> str:
    return Layout(unicode=True).text(found.name) if found.name is not None else "code"


def _title(found: Measurement) -> str:
    samples = "" if found.samples is None else f", {counted(found.samples, 'sample')}"
    return f"{_name(found)}{samples}, {counted(len(found.windows), 'repeat')}"


def _energy(found: Measurement, layout: Layout) -> str:
    if found.energy_wh is None:
        return f"no energy: {found.refused}"
    parts = [f"{significant(found.energy_wh)} Wh{_half_width(found, layout)}"]
    if found.wh_per_1000_samples is not None:
        parts.append(f"{significant(found.wh_per_1000_samples)} Wh per 1,000 samples")
    covered = {"gpu": "GPU", "cpu+ram": "CPU and RAM"}.get(found.domain or "", "unknown")
    parts.append(f"{covered}, {found.origin}")
    return ("" if found.valid else "NOT valid: ") + "; ".join(parts)


def _half_width(found: Measurement, layout: Layout) -> str:
    combined = None if found.uncertainty is None else found.uncertainty.combined_95_percent
    if combined is not None:
        # How far a model is off from the true energy is not known, and in no interval.
        shown = "95 %" if found.origin == "measured" else "95 % of repeats; the model's own error is not known"
        return f" {layout.plus_minus} {percent(combined)} % ({shown})"
    if found.meters_95_percent is not None:
        return f" {layout.plus_minus} {percent(found.meters_95_percent)} % by the meters alone"
    return ""


def _facts(found: Measurement) -> list[str]:
    lines = []
    if found.duration_s is not None:
        lines.append(f"one pass took {significant(found.duration_s)} s on {found.hardware or 'unknown hardware'}")
    if found.energy_wh is not None and len(found.windows) == 1:
        lines.append("one window has no spread between repeats: what repeating would show is not known")
    if found.idle_power_w is not None:
        net = "" if found.energy_net_wh is None else f"; without it {significant(found.energy_net_wh)} Wh"
        lines.append(f"idle power {significant(found.idle_power_w)} W{net}")
    return lines


def _device(device: DeviceEnergy) -> str:
    part = device.component.upper()
    return part if device.device == device.component else f"{part} {device.device}"


def _uncertainty(found: Measurement, layout: Layout) -> str:
    if found.uncertainty is None:
        return ""
    columns = (Column("uncertainty"), Column("% at\n95 %", numeric=True), Column("what it is", prose=True))
    rows = [
        (
            term.name,
            "unknown" if term.half_width_95_percent is None else percent(term.half_width_95_percent),
            layout.text(term.source),
        )
        for term in found.uncertainty.terms
    ]
    return render(columns, rows, layout)


def _checks(found: Measurement, layout: Layout) -> str:
    passed = sum(check.passed is True for check in found.checks)
    judged = sum(check.passed is not None for check in found.checks)
    lines = [f"{passed} of {judged} checks passed"]
    lines += [
        layout.note(f"{'FAILED' if check.severity == 'fail' else 'warning'} {check.name}: {check.message}", bullet="  ")
        for check in found.checks
        if check.passed is False
    ]
    return "\n".join(lines)
