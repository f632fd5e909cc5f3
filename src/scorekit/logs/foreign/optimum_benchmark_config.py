"""What a config of optimum-benchmark tells of a run: model, task, queries, GPUs. What it leaves out stays unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scorekit import tasks
from scorekit.logs.fields import Field
from scorekit.records import Conditions

UNKNOWN_FINGERPRINT: Final = "unknown"
"""The tool takes no fingerprint of what it loaded."""
_MOST_SAMPLES: Final = 1_000_000_000
_BY_HF_TASK: Final = {
    hf_task: tuple(task for task in tasks.TASKS.values() if task.hf_task == hf_task)
    for hf_task in {task.hf_task for task in tasks.TASKS.values()}
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a config tells; None for what it does not.

    Attributes:
        model: Hub id or path.
        model_revision: commit, branch or tag.
        task: config name of the registry.
        device: cuda, cpu, mps or another.
        device_ids: GPUs whose energy is read, as the config spells them.
        gpu_names: of those GPUs, or of all of the machine where they are alike.
        cpu: its name.
        queries: samples of one pass.
        batch_size: samples in one call.
        dtype: as asked; the model's own where it is not.
        conditions: of what the model was asked, where dataset and batch size are told.
        tool: what wrote the log, with its version.
        ours: whether the run was measured by scorekit.
        runs: repeats that the report is the mean of.
        image_count: images made of one prompt.
        one_gpu: whether the model is loaded on a single GPU, however many are listed.
    """

    model: str | None = None
    model_revision: str | None = None
    task: str | None = None
    device: str | None = None
    device_ids: tuple[str, ...] | None = None
    gpu_names: tuple[str, ...] = ()
    cpu: str | None = None
    queries: int | None = None
    batch_size: int | None = None
    dtype: str | None = None
    conditions: Conditions | None = None
    tool: str | None = None
    ours: bool | None = None
    runs: int | None = None
    one_gpu: bool = False


def read_setup(config: Field) -> Setup:
    """What a config tells.

    Args:
        config: content of experiment_config.json or benchmark_config.json; may be missing.

    Raises:
        LogError: a value is of the wrong kind; names it.
    """
    if config.missing:
        return Setup()
    backend, environment, launcher = config["backend"], config["environment"], config["launcher"]
    scenario = config["scenario"] if "scenario" in config else config["benchmark"]
    name = (config["name"] if "name" in config else config["experiment_name"]).text()
    device, ids = _device(backend)
    batch_size = scenario["input_shapes"]["batch_size"].integer()
    queries = _positive(scenario["num_samples"])
    target = _text(scenario, "_target_")
    ours = None if target is None else target.startswith("scorekit.")
    return Setup(
        model=_text(backend, "model"),
        model_revision=_revision(backend),
        task=_task(name, backend, scenario),
        device=device,
        device_ids=ids,
        gpu_names=_gpu_names(environment, ids),
        cpu=_text(environment, "cpu"),
        queries=queries,
        batch_size=batch_size,
        dtype=_text(backend, "torch_dtype"),
        conditions=_conditions(scenario, batch_size),
        tool=_tool(environment, ours),
        ours=ours,
        runs=_runs(scenario, ours),
        one_gpu=_one_gpu(backend, launcher),
    )


def _device(backend: Field) -> tuple[str | None, tuple[str, ...] | None]:
    device, ids = _text(backend, "device"), backend["device_ids"]
    if device is not None and ":" in device:
        device, _, number = device.partition(":")
        return device, (number,)
    if ids.missing:
        return device, None
    if isinstance(ids.value, str):
        return device, tuple(part.strip() for part in ids.value.split(",") if part.strip()) or None
    if isinstance(ids.value, list):
        return device, tuple(str(number.integer()) for number in ids.items()) or None
    return device, (str(ids.integer()),)


def _gpu_names(environment: Field, ids: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of the GPUs whose energy was read; empty where the log cannot tell.

    The machine's GPUs stand in the order of NVML, which is what `device_ids` count: the tool sets
    CUDA_DEVICE_ORDER=PCI_BUS_ID.
    """
    gpus = environment["gpu"]
    listed = [gpus.text()] if isinstance(gpus.value, str) else [gpu.text() for gpu in gpus.items()]
    names = [name for name in listed if name is not None]
    numbers = {str(number): name for number, name in enumerate(names)}
    if ids is not None and all(part in numbers for part in ids):
        return tuple(dict.fromkeys(numbers[part] for part in ids))
    return (names[0],) if len(set(names)) == 1 else ()


def _one_gpu(backend: Field, launcher: Field) -> bool:
    """Whether the PyTorch backend put the whole model on one GPU: it does so unless told to spread it."""
    told = backend.mapping()
    spread = (
        "device_map" not in told
        or any(told.get(name) is not None for name in ("device_map", "tp_plan"))
        or any(told.get(name) for name in ("deepspeed_inference", "data_parallel"))
    )
    return (
        not spread
        and told.get("name") == "pytorch"
        and told.get("device") == "cuda"
        and launcher["name"].value in ("process", "inline")
    )


def _revision(backend: Field) -> str | None:
    for section in ("model_kwargs", "hub_kwargs"):
        revision = _text(backend[section], "revision")
        if revision is not None:
            return revision
    return _text(backend, "revision")


def _task(name: str | None, backend: Field, scenario: Field) -> str | None:
    """Config name of the task: by the HF task that ran, and where several have it, by what else the config tells."""
    hf_task = _text(backend, "task")
    if hf_task is None:
        return name if name in tasks.TASKS else None
    fitting = _BY_HF_TASK.get(hf_task, ())
    if not fitting:
        return None
    if hf_task == "text-generation":
        return "reasoning" if scenario["reasoning"].value in (True, "true", "True") else "text_generation"
    if len(fitting) == 1:
        return fitting[0].name
    if any(task.name == name for task in fitting):
        return name
    t5_task, dataset = _text(scenario, "t5_task"), _text(scenario, "dataset_name")
    told = [task.name for task in fitting if task.name == f"t5_{t5_task}"] or [
        task.name for task in fitting if dataset in tasks.official_dataset_ids(task)
    ]
    return told[0] if len(told) == 1 else None


def _conditions(scenario: Field, batch_size: int | None) -> Conditions | None:
    dataset = _text(scenario, "dataset_name")
    if dataset is None or batch_size is None:
        return None
    generate = scenario["generate_kwargs"]
    most, least = generate["max_new_tokens"].integer(), generate["min_new_tokens"].integer()
    return Conditions(
        dataset=dataset,
        dataset_fingerprint=UNKNOWN_FINGERPRINT,
        batch_size=batch_size,
        new_tokens=most if most == least else None,
        max_new_tokens=most,
        image_steps=scenario["call_kwargs"]["num_inference_steps"].integer(),
    )


def _tool(environment: Field, ours: bool | None) -> str | None:
    version = _text(environment, "optimum_benchmark_version")
    told = "optimum-benchmark" if version is None else f"optimum-benchmark {version}"
    return f"scorekit, with {told}" if ours else told


def _runs(scenario: Field, ours: bool | None) -> int | None:
    if ours:
        # Repeats that end when they suffice are not counted in the config.
        return None if not scenario["target_ci"].missing else _positive(scenario["runs"])
    return _positive(scenario["iterations"]) if "iterations" in scenario else None


def _text(section: Field, name: str) -> str | None:
    """`section[name].text()`, without a Field for what is text: of 10,000 logs each has a dozen of them."""
    value = section.mapping().get(name)
    if value is None:
        return None
    return value.strip() or None if type(value) is str else section[name].text()


def _positive(field: Field) -> int | None:
    """A count; None where it is missing, or -1, which means all."""
    count = field.integer()
    if count is None or count == -1:
        return None
    if not 0 < count <= _MOST_SAMPLES:
        field.refuse("a number of samples or repeats, or -1 for all")
    return count
