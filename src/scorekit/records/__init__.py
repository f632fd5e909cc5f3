"""The records at every file boundary: frozen, versioned, and refusing what they do not know.

Each record that is a file, or a line of one, carries `schema_version`. A reader meets an older version with an upgrade
and a newer one with an error; golden files of every version stand in tests/golden. Missing is None, never 0.
"""

from scorekit.records.base import Record, first_complaint
from scorekit.records.edition import EDITION_SCHEMA, Edition, EditionSource, LeftOut, Member, Thresholds
from scorekit.records.environment import ENVIRONMENT_SCHEMA, DatasetFacts, Environment, ModelFacts, RunFacts
from scorekit.records.gpus import GPU_STATE_SCHEMA, POWER_SCHEMA, GpuFacts, GpuState
from scorekit.records.manifest import MANIFEST_SCHEMA, Manifest, ManifestEntry
from scorekit.records.result import RESULT_SCHEMA, Fault, FaultCode, Figure, PhaseEnergy, Result, Source
from scorekit.records.score import (
    SCORE_SCHEMA,
    Conditions,
    PhaseScore,
    Provenance,
    Reason,
    RepeatScore,
    Score,
    Uncertainty,
    UncertaintyTerm,
)
from scorekit.records.validity import VALIDITY_SCHEMA, Check, Severity, Validity
from scorekit.records.windows import WINDOW_SCHEMA, Component, CounterEvidence, MeterReading, Phase, Window

__all__ = [
    "EDITION_SCHEMA",
    "ENVIRONMENT_SCHEMA",
    "GPU_STATE_SCHEMA",
    "MANIFEST_SCHEMA",
    "POWER_SCHEMA",
    "RESULT_SCHEMA",
    "SCORE_SCHEMA",
    "VALIDITY_SCHEMA",
    "WINDOW_SCHEMA",
    "Check",
    "Component",
    "Conditions",
    "CounterEvidence",
    "DatasetFacts",
    "Edition",
    "EditionSource",
    "Environment",
    "Fault",
    "FaultCode",
    "Figure",
    "GpuFacts",
    "GpuState",
    "LeftOut",
    "Manifest",
    "ManifestEntry",
    "Member",
    "MeterReading",
    "ModelFacts",
    "Phase",
    "PhaseEnergy",
    "PhaseScore",
    "Provenance",
    "Reason",
    "Record",
    "RepeatScore",
    "Result",
    "RunFacts",
    "Score",
    "Severity",
    "Source",
    "Thresholds",
    "Uncertainty",
    "UncertaintyTerm",
    "Validity",
    "Window",
    "first_complaint",
]
