"""The records at every file boundary: frozen, versioned, and refusing what they do not know.

Each record that is a file, or a line of one, carries `schema_version`. A reader meets an older version with an upgrade
and a newer one with an error; golden files of every version stand in tests/golden. Missing is None, never 0.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

WINDOW_SCHEMA: Final = "scorekit.window/1"
ENVIRONMENT_SCHEMA: Final = "scorekit.environment/1"
SCORE_SCHEMA: Final = "scorekit.score/1"
MANIFEST_SCHEMA: Final = "scorekit.manifest/1"

Component = Literal["gpu", "cpu", "ram"]
Phase = Literal["load_dataset", "load_model", "preprocess", "prefill", "generate", "forward", "call"]
"""What a window holds. `generate` is prefill and decode together; decode alone is never a window."""

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


class Record(BaseModel):
    """Base of all records: immutable, and strict about names, so that a typo in a file is an error."""

    # A meter may say NaN. As "NaN" it stays what it was in a file that is still JSON; the default would write null,
    # which means missing.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), ser_json_inf_nan="strings")


def first_complaint(error: ValidationError) -> str:
    """The first thing that is wrong with a file's content, with the field it is about."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}" if field else problem["msg"]


class MeterReading(Record):
    """What one meter saw of one device over one window."""

    meter: str = Field(description="Name of the meter, e.g. codecarbon.")
    component: Component = Field(description="What the device is.")
    device: str = Field(description="Which one: a GPU's UUID or index, else the component's name.")
    energy_wh: float = Field(description="Energy in Wh, as the meter gave it, even where it cannot be true.")
    origin: Literal["measured", "modelled", "unknown"] = Field(description="Whether a sensor was read.")
    source: str | None = Field(default=None, description="The sensor or model behind it, e.g. nvml or cpu_load.")


class Window(Record):
    """One line of windows.jsonl: one stretch of time in which energy was measured."""

    schema_version: Literal["scorekit.window/1"] = WINDOW_SCHEMA
    phase: Phase
    repeat: _Count | None = Field(description="Number of the repeat from 0; None for loading, which is not repeated.")
    start_monotonic_s: _Finite
    end_monotonic_s: _Finite
    start_utc: str = Field(description="Wall clock at the start, ISO 8601 with UTC offset.")
    end_utc: str
    readings: tuple[MeterReading, ...]
    samples: _Count | None = Field(default=None, description="Queries counted in the window; None for loading.")
    batches: _Count | None = Field(default=None, description="Calls of the model; None where it is not called.")
    failures: _Count | None = Field(default=None, description="Queries that failed; None where none are asked.")
    input_tokens: _Count | None = Field(default=None, description="Tokens given to a text model.")
    output_tokens: _Count | None = Field(default=None, description="Tokens counted in what was generated.")
    images: _Count | None = Field(default=None, description="Images made.")

    @property
    def duration_s(self) -> float:
        """Length by the monotonic clock."""
        return self.end_monotonic_s - self.start_monotonic_s


class GpuFacts(Record):
    """One GPU that the run could use."""

    index: int
    name: str
    uuid: str | None = None
    memory_mib: int | None = None
    driver: str | None = None


class ModelFacts(Record):
    """The model as it was loaded, read from the loaded object and not from the config."""

    name: str = Field(description="Hub id, or a local folder's last part.")
    local: bool = Field(description="Whether it came from a folder.")
    revision: str | None = Field(default=None, description="Commit on the Hub; None for a local folder.")
    library: str
    architecture: str = Field(description="Class of the loaded model.")
    parameters: _Count | None = None
    dtype: str | None = Field(default=None, description="dtype of most parameters, without the torch prefix.")
    quantization: str | None = Field(default=None, description="Method in use, read from the loaded model.")
    declared_quantization: str | None = Field(default=None, description="Method that the model's own files name.")
    attention: str | None = Field(default=None, description="Attention implementation in use.")
    random_weights: bool = Field(description="True for no_weights and for models that scorekit made itself.")


class DatasetFacts(Record):
    """The dataset as it was read."""

    name: str = Field(description="Hub id, or a local folder's last part.")
    local: bool
    revision: str | None = None
    split: str
    rows: _Count = Field(description="Rows of the split before empty ones were left out.")
    columns: tuple[str, ...]
    fingerprint: str = Field(description="sha256 over the measured samples' content, in order.")


class RunFacts(Record):
    """What was asked of the run."""

    task: str | None = Field(description="Config name if it is one of the registry's; None otherwise.")
    config_name: str = Field(description="The `name` in the config.")
    hf_task: str
    kind: Literal["generate", "forward", "call"]
    device: str
    num_samples: int = Field(description="Samples in one repeat, after empty ones were left out.")
    batch_size: int
    runs: int = Field(description="Repeats that were asked for.")
    phases: bool = Field(description="Whether prefill was measured as a pass of its own.")
    seed: int
    new_tokens: int | None = Field(default=None, description="Exact number of tokens asked for, where it is exact.")
    max_new_tokens: int | None = None
    image_steps: int | None = None
    warmup_runs: int
    generate_kwargs: dict[str, JsonValue] = Field(
        default_factory=dict, description="All that generate() was called with; empty where nothing is generated."
    )
    call_kwargs: dict[str, JsonValue] = Field(default_factory=dict, description="The same for a pipeline's call.")
    forward_kwargs: dict[str, JsonValue] = Field(default_factory=dict, description="The same for a forward pass.")
    backend_switches: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Options of the backend that differ from its defaults and change how a model runs "
        "(torch_compile, allow_tf32, autocast_enabled, ...); dtype, device and model are told elsewhere.",
    )
    meters: tuple[str, ...]
    country_iso_code: str | None = None


class Environment(Record):
    """environment.json: the machine, the software, the model and the data of a run."""

    schema_version: Literal["scorekit.environment/1"] = ENVIRONMENT_SCHEMA
    created_utc: str
    scorekit_version: str
    git_commit: str | None = None
    python: str
    platform: str = Field(description="Operating system, kernel and machine; never the host's name.")
    cpu: str | None = None
    cpu_count: int | None = None
    ram_gib: float | None = None
    gpus: tuple[GpuFacts, ...] = Field(description="GPUs used by the run; empty when it used none.")
    packages: dict[str, str]
    run: RunFacts
    model: ModelFacts
    dataset: DatasetFacts


class Reason(Record):
    """Why a score is not comparable with the official ones."""

    code: str
    message: str


class PhaseScore(Record):
    """Energy of one phase over the repeats. None where a repeat does not have it."""

    phase: Literal["preprocess", "prefill", "decode", "generate", "forward", "call"]
    counted: bool = Field(description="Whether it is a term of the score; prefill and decode split generate.")
    energy_wh: float | None = Field(
        description="Mean over the repeats that have it; of decode, over those in which generate and prefill do."
    )
    energy_wh_by_repeat: tuple[float | None, ...]
    duration_s_by_repeat: tuple[float | None, ...]
    output_tokens_by_repeat: tuple[int | None, ...] = Field(description="Tokens generated, as counted.")
    duration_s: float | None = Field(default=None, description="Mean, over the repeats as for the energy.")
    output_tokens: float | None = Field(default=None, description="Mean tokens generated, over the repeats likewise.")
    note: str | None = None


class RepeatScore(Record):
    """One repeat of the whole task."""

    repeat: _Count
    samples: int
    duration_s: float
    gpu_wh: float | None
    cpu_wh: float | None
    ram_wh: float | None
    wh_per_1000_queries: float
    output_tokens: int | None = None


class Conditions(Record):
    """What was asked of the model beside its task: scores measured under unlike conditions are not rated together."""

    dataset: str
    dataset_fingerprint: str
    batch_size: int
    new_tokens: int | None = None
    max_new_tokens: int | None = None
    image_steps: int | None = None


class Provenance(Record):
    """From what a score was computed."""

    run: str = Field(description="The run folder's last part.")
    created_utc: str
    scorekit_version: str
    log_format: str
    protocol: str
    files: dict[str, str] = Field(description="sha256 of each file that was read.")


class Score(Record):
    """score.json: the energy of one model on one task, in Wh per 1,000 queries."""

    schema_version: Literal["scorekit.score/1"] = SCORE_SCHEMA
    model: str
    model_revision: str | None = None
    task: str | None = Field(description="Config name; None when the log does not tell.")
    cohort: str | None = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = None
    parameters: int | None = None
    hardware: str = Field(description="The GPU's name, or the CPU's when no GPU was used; 'unknown' if not logged.")
    domain: Literal["gpu", "cpu+ram"] = Field(description="What the score's energy covers; official ones: gpu.")
    origin: Literal["measured", "modelled", "mixed", "unknown"]
    meter: str
    wh_per_1000_queries: float
    wh_per_1000_queries_std: float | None = Field(description="Sample standard deviation over repeats; None for one.")
    wh_per_1000_output_tokens: float | None = None
    energy_kwh: float = Field(description="Mean over the repeats, of the domain, for the queries of one repeat.")
    gpu_kwh: float | None
    cpu_kwh: float | None
    ram_kwh: float | None
    cpu_origin: Literal["measured", "modelled", "unknown"] | None = None
    ram_origin: Literal["measured", "modelled", "unknown"] | None = None
    queries: int = Field(description="Queries in one repeat, as counted.")
    conditions: Conditions | None = Field(default=None, description="None where the log does not tell.")
    output_tokens: float | None = Field(default=None, description="Mean tokens generated in one repeat, as counted.")
    runs: int
    phases: tuple[PhaseScore, ...]
    repeats: tuple[RepeatScore, ...]
    comparable: bool
    not_comparable_because: tuple[Reason, ...]
    provenance: Provenance


class ManifestEntry(Record):
    """One file of a bundle."""

    sha256: str
    size_bytes: _Count


class Manifest(Record):
    """manifest.json: every file of a bundle, so that a change is seen."""

    schema_version: Literal["scorekit.manifest/1"] = MANIFEST_SCHEMA
    measured: dict[str, ManifestEntry] = Field(description="Raw files, never edited after the run.")
    derived: dict[str, ManifestEntry] = Field(description="Files computed from them; may be made again.")
