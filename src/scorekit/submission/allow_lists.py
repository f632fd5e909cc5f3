"""What of a run may leave its machine: fields that are named here, and nothing that is not.

There are two forms. The open one holds what a reader needs to measure the same again, without places, host names and
people. The confidential one holds the energy evidence, what the checks and rules need, and the name that the submitter
gives; architecture, number of parameters, library, revision and all settings of the submitter's own stay back. A field
that a later version of a record brings is left out until somebody writes it down here; a test asks for that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PureWindowsPath
from typing import Any, Final, Literal, TypeVar

from pydantic import JsonValue

from scorekit import tasks
from scorekit.records import (
    CounterEvidence,
    DatasetFacts,
    Environment,
    GpuFacts,
    GpuState,
    InputFacts,
    MeterReading,
    ModelFacts,
    Record,
    RunFacts,
    Window,
)

R = TypeVar("R", bound=Record)
Form = Literal["open", "confidential"]

WITHHELD: Final = "withheld"
"""Stands where a record asks for a text that is not handed in."""

ENVIRONMENT: Final[dict[Form, frozenset[str]]] = {
    "open": frozenset({"created_utc", "scorekit_version", "git_commit", "python", "platform", "cpu", "cpu_count"})
    | {"ram_gib"}
    | {"gpus", "torch_gpus", "model_gpus", "in_container", "topology", "packages", "run", "model", "dataset"}
    | {"schema_version"},
    "confidential": frozenset({"created_utc", "scorekit_version", "python", "platform", "cpu", "gpus", "torch_gpus"})
    | {"model_gpus", "packages", "run", "model", "dataset", "schema_version"},
}  # fmt: skip
PACKAGES: Final[dict[Form, frozenset[str]]] = {
    "open": frozenset({"torch", "transformers", "diffusers", "datasets", "accelerate", "tokenizers", "numpy"})
    | {"huggingface-hub", "optimum-benchmark", "hydra-core", "codecarbon", "nvidia-ml-py", "pyarrow"},
    "confidential": frozenset({"optimum-benchmark", "codecarbon", "nvidia-ml-py"}),
}
RUN: Final[dict[Form, frozenset[str]]] = {
    form: frozenset({"task", "config_name", "hf_task", "kind", "device", "num_samples", "batch_size", "runs", "phases"})
    | {"seed", "new_tokens", "max_new_tokens", "image_steps", "warmup_runs", "torch_dtype", "generate_kwargs"}
    | {"call_kwargs", "forward_kwargs", "backend_switches", "meters", "gpus_by_hand", "gpus_watched", "min_window_s"}
    | {"target_ci", "inputs"}
    | ({"country_iso_code"} if form == "open" else frozenset())
    for form in ("open", "confidential")
}  # fmt: skip
INPUTS: Final = (
    frozenset({"columns", "dataset_config", "own_processor", "processor", "processor_kwargs", "prefixes"})
    | {"chat_template", "reasoning_params"}
)  # fmt: skip
MODEL: Final[dict[Form, frozenset[str]]] = {
    "open": frozenset({"name", "local", "revision", "library", "architecture", "parameters", "model_class", "dtype"})
    | {"quantization", "declared_quantization", "attention", "random_weights"},
    "confidential": frozenset({"model_class", "dtype", "quantization", "declared_quantization", "attention"})
    | {"random_weights"},
}
DATASET: Final = frozenset({"name", "local", "revision", "split", "rows", "columns", "fingerprint"})
GPU: Final[dict[Form, frozenset[str]]] = {
    "open": frozenset({"index", "name", "uuid", "memory_mib", "driver", "vbios", "architecture", "compute_capability"})
    | {"power_limit_default_w", "power_limit_min_w", "power_limit_max_w", "sm_clock_max_mhz", "mem_clock_max_mhz"}
    | {"mig", "virtualization", "counter_scope", "nvlinks", "pcie"},
    "confidential": frozenset({"index", "name", "uuid", "memory_mib", "driver", "architecture", "compute_capability"})
    | {"power_limit_default_w", "power_limit_min_w", "power_limit_max_w", "sm_clock_max_mhz", "mem_clock_max_mhz"}
    | {"mig", "virtualization", "counter_scope"},
}
WINDOW: Final = (
    frozenset({"phase", "repeat", "start_monotonic_s", "end_monotonic_s", "start_utc", "end_utc", "start_boottime_s"})
    | {"end_boottime_s", "readings", "passes", "samples", "batches", "failures", "input_tokens", "output_tokens"}
    | {"early_ends", "truncated_inputs", "images", "schema_version"}
)
READING: Final = frozenset(
    {"meter", "component", "device", "energy_wh", "origin", "source", "standard_uncertainty_wh"}
) | {"problem", "counter"}
COUNTER: Final = frozenset(CounterEvidence.model_fields)
"""Numbers and times of one counter only."""
STATE: Final = (
    frozenset({"when", "repeat", "monotonic_s", "utc", "device", "driver", "temperature_c", "power_w", "power_limit_w"})
    | {"sm_clock_mhz", "mem_clock_mhz", "clocks_locked", "reasons", "utilization_percent", "persistence", "ecc", "mig"}
    | {"foreign_processes", "looks", "schema_version", "unwatched_s"}
)
_OPTIONS: Final = frozenset(
    {"num_return_sequences", "max_new_tokens", "min_new_tokens", "max_length", "min_length", "do_sample", "use_cache"}
    | {"num_beams", "temperature", "top_k", "top_p", "num_inference_steps", "num_images_per_prompt", "guidance_scale"}
    | {"torch_compile", "allow_tf32", "autocast_enabled", "cudnn_benchmark", "cudnn_deterministic"}
    | {"deepspeed_inference", "attn_implementation", "quantization_scheme", "low_cpu_mem_usage"}
    | {"eval_mode", "model_kwargs", "reasoning_effort"}
)  # fmt: skip
"""Options that are told by name in the confidential form: the protocol's rules ask for them."""
_WORDS: Final = frozenset(
    {"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention", "float32", "float16", "bfloat16"}
    | {"auto"}
    | {"bitsandbytes", "gptq", "awq", "fp8", "compressed-tensors", "hqq", "quanto", "torchao", "mxfp4", "cpu", "cuda"}
    | {"train", "validation", "test", "high", WITHHELD}
)  # fmt: skip
"""Texts that options and facts of the confidential form may be."""
_TELLING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+:()#,@=*\[\]/-]{0,199}")
_DEVICE: Final = re.compile(r"(cpu|ram|dram|[0-9]{1,3}|(package|core|dram|psys)[-:0-9]*)")


class AllowList:
    """Packs the records of one run in one form.

    Args:
        form: open or confidential.
        model_name: the name that the submitter gives; None for that of the run.
        environment: of the run.
    """

    def __init__(self, form: Form, model_name: str | None, environment: Environment) -> None:
        self.form, self.model_name = form, model_name
        devices = [*(gpu.uuid for gpu in environment.gpus), *(environment.torch_gpus or ())]
        named = dict.fromkeys(uuid for uuid in (*devices, *(environment.model_gpus or ())) if uuid)
        self._devices = {
            uuid: uuid if form == "open" else f"GPU-{WITHHELD}-{number}" for number, uuid in enumerate(named)
        }

    def environment(self, found: Environment) -> Environment:
        """environment.json as it is handed in."""
        devices = {"torch_gpus": self._uuids(found.torch_gpus), "model_gpus": self._uuids(found.model_gpus)}
        packages = {name: found.packages[name] for name in sorted(PACKAGES[self.form] & set(found.packages))}
        return only(
            found,
            ENVIRONMENT[self.form],
            platform=_text(found.platform) if self.form == "open" else found.platform.partition(" ")[0],
            # The CPU is the score's hardware where no GPU was used.
            cpu=_text(found.cpu) if self.form == "open" or not found.gpus else None,
            gpus=tuple(self._gpu(gpu) for gpu in found.gpus),
            packages=packages,
            run=self._run(found.run),
            model=self._model(found.model),
            dataset=self._dataset(found.dataset, found.run.task),
            **devices,
        )

    def window(self, found: Window) -> Window:
        """A line of windows.jsonl as it is handed in."""
        return only(found, WINDOW, readings=tuple(self._reading(reading) for reading in found.readings))

    def state(self, found: GpuState) -> GpuState:
        """A line of gpu_states.jsonl as it is handed in."""
        return only(found, STATE, device=self.device(found.device))

    def device(self, name: str) -> str:
        """What a device is called."""
        if name in self._devices or _DEVICE.fullmatch(name):
            return self._devices.get(name, name)
        if self.form == "open" and _TELLING.fullmatch(name) and "/" not in name:
            return name
        return self._devices.setdefault(name, f"{WITHHELD}-{len(self._devices)}")

    def _reading(self, found: MeterReading) -> MeterReading:
        problem = None if found.problem is None else _text(found.problem) if self.form == "open" else WITHHELD
        return only(
            found,
            READING,
            device=self.device(found.device),
            source=_text(found.source),
            problem=problem,
            counter=None if found.counter is None else only(found.counter, COUNTER),
        )

    def _gpu(self, found: GpuFacts) -> GpuFacts:
        return only(found, GPU[self.form], uuid=None if found.uuid is None else self.device(found.uuid))

    def _uuids(self, found: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if found is None else tuple(self.device(uuid) for uuid in found)

    def _run(self, found: RunFacts) -> RunFacts:
        options = ("generate_kwargs", "call_kwargs", "forward_kwargs", "backend_switches")
        name = _text(found.config_name) if self.form == "open" else found.task
        return only(
            found,
            RUN[self.form],
            config_name=name or WITHHELD,
            device=self._word(found.device.partition(":")[0]),
            torch_dtype=self._word(found.torch_dtype),
            inputs=None if found.inputs is None else self._inputs(found.inputs, found.task),
            **{name: self._options(getattr(found, name)) for name in options},
        )

    def _inputs(self, found: InputFacts, task: str | None) -> InputFacts:
        known = tasks.known(task)
        columns, prefixes = ((), ()) if known is None else (known.columns, known.prefixes)
        return only(
            found,
            INPUTS,
            # What the task itself says tells nobody anything; that another text stood there decides the verdict.
            columns=tuple(self._own_text(column, columns) for column in found.columns),
            prefixes=tuple(self._own_text(prefix, prefixes) for prefix in found.prefixes),
            dataset_config=None if found.dataset_config is None else self._own_text(found.dataset_config),
            processor=None if found.processor is None else self._own_text(found.processor),
            processor_kwargs=self._options(found.processor_kwargs),
            reasoning_params=self._options(found.reasoning_params),
        )

    def _own_text(self, value: str, of_task: Collection[str] = ()) -> str:
        """A text of the submitter's own, unless it is one of the task's."""
        return value if value in of_task else (_text(value) if self.form == "open" else None) or WITHHELD

    def _model(self, found: ModelFacts) -> ModelFacts:
        open_form = self.form == "open"
        facts = {name: self._word(getattr(found, name)) for name in ("dtype", "quantization", "attention")}
        facts["declared_quantization"] = self._word(found.declared_quantization)
        kinds = ("library", "architecture")
        facts |= {name: _text(getattr(found, name)) if open_form else WITHHELD for name in kinds}
        return only(
            found,
            MODEL[self.form],
            # A name that the submitter gives is none that a model could be loaded by.
            name=self.model_name or found.name,
            local=found.local if open_form and self.model_name is None else True,
            model_class=tasks.class_of(found),
            **facts,
        )

    def _dataset(self, found: DatasetFacts, task: str | None) -> DatasetFacts:
        known = tasks.known(task)
        official = known is not None and found.name in tasks.official_dataset_ids(known) and not found.local
        if official or self.form == "open":
            return only(found, DATASET, name=_text(found.name), split=_text(found.split))
        columns = tuple(column for column in found.columns if known is not None and column in known.columns)
        facts = {"name": WITHHELD, "revision": None, "split": self._word(found.split), "columns": columns}
        return only(found, DATASET, **facts)

    def _word(self, value: str | None) -> str | None:
        if value is None or value in _WORDS:
            return value
        return _text(value) if self.form == "open" else WITHHELD

    def _options(self, options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        kept: dict[str, JsonValue] = {}
        for name, value in sorted(options.items()):
            if (name in _OPTIONS) if self.form == "confidential" else (_TELLING.fullmatch(name) is not None):
                kept[name] = self._option(value)
            else:
                # That there was one decides whether the run is comparable.
                kept[WITHHELD] = True
        return kept

    def _option(self, value: JsonValue) -> JsonValue:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return self._options(value)
        return (self._word(value) if isinstance(value, str) else None) or WITHHELD


def left_out(whole: Environment, packed: Environment) -> tuple[str, ...]:
    """Names of the facts of an environment that were known and are not handed in as they were."""
    return tuple(_differences(whole.model_dump(mode="json"), packed.model_dump(mode="json"), ""))


def _differences(whole: Any, packed: Any, path: str) -> list[str]:
    if isinstance(whole, dict):
        others = packed if isinstance(packed, dict) else {}
        return [
            name
            for key, value in whole.items()
            for name in _differences(value, others.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(whole, list) and isinstance(packed, list) and len(whole) == len(packed):
        found = [name for a, b in zip(whole, packed, strict=True) for name in _differences(a, b, path)]
        return list(dict.fromkeys(found))
    known = whole is not None and whole != [] and whole != packed
    return [path] if known else []


def only(record: R, allowed: Collection[str], **changes: Any) -> R:
    """A record of its allowed fields; a field that is given takes the place of the record's."""
    facts = {name: getattr(record, name) for name in allowed if name in record.model_fields_set}
    # Not every default is the record's own value: what is left out must be valid without it.
    return type(record)(**{**facts, **changes})


def _text(value: str | None) -> str | None:
    """A text that holds no path of a machine; another one is withheld."""
    if value is None:
        return None
    path = value.startswith(("/", "~", "\\")) or bool(PureWindowsPath(value).drive) or "\\" in value
    inside = re.search(r"(^|[\s'\"(=:])(/|~/|[A-Za-z]:\\)[^\s/]", value)
    return WITHHELD if path or inside or not _TELLING.fullmatch(value) else value
