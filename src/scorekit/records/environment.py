"""environment.json: the machine, the software, the model and the data of a run."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, JsonValue, model_validator

from scorekit.records.base import Count, Finite, Record
from scorekit.records.gpus import GpuFacts

ENVIRONMENT_SCHEMA: Final = "scorekit.environment/2"
SERVING_ENVIRONMENT_SCHEMA: Final = "scorekit.environment/3"
"""Of runs that measure a server. Others are still written as version 2, which they are."""


class ModelFacts(Record):
    """The model as it was loaded, read from the loaded object and not from the config."""

    name: str = Field(description="Hub id, or a local folder's last part.")
    local: bool = Field(description="Whether it came from a folder.")
    revision: str | None = Field(default=None, description="Commit on the Hub; None for a local folder.")
    library: str
    architecture: str = Field(description="Class of the loaded model.")
    parameters: Count | None = None
    model_class: Literal["A", "B", "C"] | None = Field(
        default=None, description="By parameters: A up to 20 billion, B up to 66 billion, C above."
    )
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
    rows: Count = Field(description="Rows of the split before empty ones were left out.")
    columns: tuple[str, ...]
    fingerprint: str = Field(description="sha256 over the measured samples' content, in order.")


class InputFacts(Record):
    """How inputs were made of the samples: what changes them is told, for it changes the energy."""

    columns: tuple[str, ...] = Field(description="Columns that inputs were made of, in their order.")
    dataset_config: str | None = Field(default=None, description="Config of the dataset; None where none was named.")
    own_processor: bool = Field(description="Whether the tokenizer or processor was the model's own.")
    processor: str | None = Field(
        default=None, description="Another one than that: its Hub id, or a local folder's last part."
    )
    processor_kwargs: dict[str, JsonValue] = Field(
        default_factory=dict, description="Options that it was loaded with and the model was not."
    )
    prefixes: tuple[str, ...] = Field(
        default=(), description="Texts before the columns in the input of a T5-like model; empty of any other."
    )
    chat_template: bool = Field(description="Whether prompts were put into the model's chat template, thinking on.")
    reasoning_params: dict[str, JsonValue] = Field(
        default_factory=dict, description="What that template was given beside them (scenario.reasoning_params)."
    )


class RunFacts(Record):
    """What was asked of the run."""

    task: str | None = Field(description="Config name if it is one of the registry's; None otherwise.")
    config_name: str = Field(description="The `name` in the config.")
    hf_task: str
    kind: Literal["generate", "forward", "call", "serve"]
    device: str
    num_samples: int = Field(description="Samples in one repeat, after empty ones were left out.")
    batch_size: int
    runs: int = Field(description="Repeats that were asked for; the most, where target_ci ends them.")
    phases: bool = Field(description="Whether prefill was measured as a pass of its own.")
    seed: int
    new_tokens: int | None = Field(default=None, description="Exact number of tokens asked for, where it is exact.")
    max_new_tokens: int | None = None
    image_steps: int | None = None
    warmup_runs: int
    torch_dtype: str | None = Field(
        default=None,
        description="dtype that was asked for, without the torch prefix; auto where the library chooses, None where it "
        "was not recorded.",
    )
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
    inputs: InputFacts | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="How inputs were made; None of a server, and in files of before this was recorded.",
    )
    meters: tuple[str, ...]
    country_iso_code: str | None = None
    gpus_by_hand: bool | None = Field(
        default=None, description="Whether scenario.gpus named the GPUs, instead of those that the model uses."
    )
    gpus_watched: bool | None = Field(
        default=None,
        description="Whether somebody was to look once a second for others on the GPUs (launcher.device_isolation); "
        "what was seen, and until when, stands in gpu_states.jsonl.",
    )
    min_window_s: Finite | None = Field(default=None, description="Length that answering windows were drawn out to.")
    target_ci: Finite | None = Field(
        default=None,
        description="Relative half-width of the 95 % interval at which repeats end; None for a fixed count.",
    )


class ServingFacts(Record):
    """How a server was measured."""

    protocol: Literal["serving-1"]
    concurrency: int = Field(ge=1, description="Queries in flight: an answer that ends is followed by the next query.")
    api: Literal["completions", "chat"] = Field(description="Which of the server's endpoints was asked.")
    path: str = Field(description="Path of that endpoint.")
    told_owner: str | None = Field(
        default=None, description="What the server's list of models calls their owner, which often is the software."
    )
    max_tokens: int = Field(ge=1, description="Most tokens of an answer, as asked.")
    ignore_eos: bool = Field(
        description="Whether the server took the request to go on to the most tokens (`ignore_eos`)."
    )
    distinct_prompts: Count | None = Field(
        default=None,
        description="Prompts among the samples that are unlike each other; None in files of before this was recorded, "
        "as the next two.",
    )
    no_cache: dict[str, JsonValue] | None = Field(
        default=None,
        description="Request fields by which the server was asked to leave its cache of prompts alone, and which it "
        "took; `SALT` stands for another random text with each query. Empty where none were sent.",
    )
    tells_cached: bool | None = Field(
        default=None,
        description="Whether the server tells how many tokens of a prompt came from its cache, as one that was asked "
        "twice showed beforehand.",
    )
    warmup_queries: Count = Field(description="Queries answered before the first window.")
    timeout_s: Finite = Field(description="Longest time for an answer; one that takes longer ends the run.")
    gpus_from: Literal["by_hand", "listening_process"] | None = Field(
        description="How the GPUs were chosen: by scenario.gpus, or as those on which the processes behind the port "
        "compute. None where none was measured."
    )
    server_gpus: tuple[str, ...] | None = Field(
        default=None,
        description="UUIDs of the GPUs on which the processes behind the port compute; None where nobody can tell.",
    )
    server_processes: Count | None = Field(default=None, description="Processes of the server; None likewise.")


class Environment(Record):
    """environment.json: the machine, the software, the model and the data of a run."""

    schema_version: Literal["scorekit.environment/1", "scorekit.environment/2", "scorekit.environment/3"] = (
        ENVIRONMENT_SCHEMA
    )
    created_utc: str
    scorekit_version: str
    git_commit: str | None = None
    python: str
    platform: str = Field(description="Operating system, kernel and machine; never the host's name.")
    cpu: str | None = None
    cpu_count: int | None = None
    ram_gib: float | None = None
    gpus: tuple[GpuFacts, ...] = Field(description="GPUs measured in the run; empty when it used none.")
    other_gpus: tuple[GpuFacts, ...] = Field(default=(), description="GPUs of the machine that the run does not use.")
    torch_gpus: tuple[str, ...] | None = Field(
        default=None, description="UUIDs of the GPUs that torch computes on; None where it was not recorded."
    )
    model_gpus: tuple[str, ...] | None = Field(
        default=None,
        description="UUIDs of the GPUs that hold parameters of the model; None where it was not recorded.",
    )
    container_image: str | None = Field(
        default=None, description="Image named by the SCOREKIT_IMAGE variable, which our Dockerfile sets."
    )
    in_container: bool | None = None
    topology: tuple[str, ...] = Field(
        default=(), description="How used GPUs are linked, one pair a line, e.g. '0-1: nvlink'."
    )
    packages: dict[str, str]
    run: RunFacts
    model: ModelFacts
    dataset: DatasetFacts
    serving: ServingFacts | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Of runs that measure a server, from version 3 on. Of its model `model` tells the name alone.",
    )

    @model_validator(mode="after")
    def _serving_where_a_server_is_measured(self) -> Environment:
        serves = (self.run.kind == "serve", self.serving is not None)
        if any(serves) and not (all(serves) and self.schema_version == SERVING_ENVIRONMENT_SCHEMA):
            raise ValueError(f"kind serve and serving stand together, in {SERVING_ENVIRONMENT_SCHEMA}")
        return self
