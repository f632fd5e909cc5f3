"""A measurement as Python and a notebook see it."""

from __future__ import annotations

from pathlib import Path

from scorekit import atomic, logs
from scorekit.api.kinds import PathLike, path_of
from scorekit.api.shown import Shown
from scorekit.layout import Layout
from scorekit.logs.places import Place
from scorekit.records import Measurement as Record
from scorekit.records import Result
from scorekit.tables.measurement import measurement_line, measurement_table


class Measured(Shown):
    """What has a result: a measurement, or the block that made one."""

    @property
    def result(self) -> Result:
        """The record that logs of every format become: never official, never comparable."""
        raise NotImplementedError


class Measurement(Measured, Record):
    """The energy of one pass of some code, with its uncertainty and checks. Its fields stand in docs/formats.md.

    `energy_wh` is that of one pass over the samples, the mean over the repeats; None where there is none, and
    `refused` then says why.
    """

    @property
    def result(self) -> Result:
        """As a result, for `scorekit.rate`, `scorekit.impact` and the results store."""
        return logs.result_of_measurement(self, self.name or "measurement")

    @property
    def interval_95_wh(self) -> tuple[float, float] | None:
        """Where the energy lies with 95 % confidence, but for the gain of the board; None where that is not known.

        Of a modelled energy, in part or whole, it holds what the repeats show: how far the model is off is not known.
        """
        combined = None if self.uncertainty is None else self.uncertainty.combined_95_percent
        if combined is None or self.energy_wh is None:
            return None
        half_wh = self.energy_wh * combined / 100
        # No energy is below 0, however few repeats tell of it.
        return max(0.0, self.energy_wh - half_wh), self.energy_wh + half_wh

    def save(self, path: PathLike) -> Path:
        """Write it as JSON, wholly or not at all, in place of a file that may be there.

        `scorekit.load` gives the result of it; `read` gives it back as it is.

        Raises:
            BundleError: it cannot be written.
        """
        target = path_of(path)
        text = self.model_dump_json(indent=2) + "\n"
        atomic.write_bytes(target, text.encode(), elsewhere="save it in another folder")
        return target

    @classmethod
    def read(cls, path: PathLike) -> Measurement:
        """A measurement that was saved.

        Raises:
            LogError: the file is none of this version.
        """
        place = Place.of_file(path_of(path))
        return cls.of(logs.read_measurement(place)[0])

    @classmethod
    def of(cls, record: Record) -> Measurement:
        """A record with this face."""
        return cls(**{name: getattr(record, name) for name in Record.model_fields})

    def __str__(self) -> str:
        return measurement_table(self, Layout())

    def __repr__(self) -> str:
        return f"<Measurement {measurement_line(self)}>"
