"""The energy_star scenario: the protocol's passes over the samples, each in a measured window.

Order, as in optimum-benchmark: load the dataset, preprocess it (once for each repeat), load the model, warm up, then
the repeats. With `phases`, each repeat has a pass of prefill before its pass of generation. The score needs only the
generation, which holds the prefill; the split costs one more pass.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from scorekit import atomic, bundle
from scorekit.errors import ModelError, ScorekitError
from scorekit.measure import bridge, data, environment, hub, meters, passes, preprocess, report, tokens
from scorekit.measure.settings import CALL_DEFAULTS, GENERATE_DEFAULTS, EnergyStarSettings
from scorekit.measure.windows import Counts, Recorder
from scorekit.records import Phase, RunFacts
from scorekit.tasks import TASKS, Kind

bridge.apply()

from optimum_benchmark.scenarios.base import Scenario  # noqa: E402
from optimum_benchmark.task_utils import IMAGE_DIFFUSION_TASKS, TEXT_GENERATION_TASKS  # noqa: E402

LOGGER = logging.getLogger("scorekit")

# optimum-benchmark's list lacks summarization and so never lets it generate.
GENERATE_TASKS = frozenset({*TEXT_GENERATION_TASKS, "summarization"})


def kind_of(task: str, loader_name: str) -> Kind:
    """How the model is called for a Hugging Face task.

    Args:
        task: Hugging Face task.
        loader_name: the auto class that loads the model; CTC speech models transcribe in one forward pass.
    """
    if task in IMAGE_DIFFUSION_TASKS:
        return "call"
    return "generate" if task in GENERATE_TASKS and loader_name != "AutoModelForCTC" else "forward"


def task_name(task: str, settings: EnergyStarSettings) -> str | None:
    """The registry's name of what is measured, told from the task's options and not from the config's name."""
    if task == "text2text-generation":
        name = f"t5_{settings.t5_task}"
        return name if name in TASKS else None
    if task == "text-generation":
        # Chat models are measured for text generation through their template too, but with an exact length.
        return "reasoning" if settings.reasoning and settings.exact_new_tokens is None else "text_generation"
    return next((name for name, entry in TASKS.items() if entry.hf_task == task), None)


class EnergyStarScenario(Scenario):  # type: ignore[misc]
    """optimum-benchmark's scenario protocol: `run(backend)` returns its report. The bundle is written on the way."""

    NAME = "energy_star"

    config: EnergyStarSettings

    def run(self, backend: Any) -> Any:
        """Measure; the current folder is the run folder."""
        self.backend = backend
        self.encoded: Any = None
        self.rows: Any = None
        self.folder = Path.cwd()
        self.task = str(backend.config.task)
        self.batch_size = int(self.config.input_shapes["batch_size"])
        self.kind: Kind = kind_of(self.task, getattr(backend.automodel_loader, "__name__", ""))
        data.columns_of(self.task, self.config)
        if self.kind == "generate":
            self.config.generate_kwargs = {**GENERATE_DEFAULTS, **self.config.generate_kwargs}
        elif self.kind == "call":
            self.config.call_kwargs = {**CALL_DEFAULTS, **self.config.call_kwargs}
        meter_names = meters.resolve(self.config.meters)
        gpu_ids = gpus_in_use(backend.config)
        request = meters.MeterRequest(gpu_ids, self.config.country_iso_code, self.folder)
        active = meters.start(meter_names, request)
        try:
            self.recorder = Recorder(active, self.folder, _synchronizer(backend.config.device))
            with tempfile.TemporaryDirectory(prefix=bundle.SCRATCH_PREFIX, dir=self.folder) as cache:
                samples = self._load_dataset()
                self._preprocess(samples, Path(cache))
                self._load_model()
                self._write_environment(samples, meter_names, gpu_ids)
                memory = self._track_memory(self._warm_up)
                for repeat in range(self.config.runs):
                    self._repeat(repeat)
                self.encoded = self.rows = None  # gives the files in the cache folder back
        finally:
            for meter in active:
                with contextlib.suppress(Exception):
                    meter.stop()
        return report.build(self.recorder.windows, self.kind, meter_names[0], memory)

    def _load_dataset(self) -> data.Samples:
        LOGGER.info("loading the dataset %s", self.config.dataset_name)
        dataset = self.recorder.measure("load_dataset", None, lambda: data.load(self.config))
        samples = data.choose(dataset, self.task, self.config)
        self.num_samples = len(samples.rows)
        return samples

    def _preprocess(self, samples: data.Samples, cache: Path) -> None:
        for repeat in range(self.config.runs):
            LOGGER.info("repeat %d/%d: preprocess %d samples", repeat + 1, self.config.runs, self.num_samples)
            encode = partial(
                preprocess.preprocess,
                samples.rows,
                self.task,
                self.config,
                self.backend.pretrained_processor,
                self.backend.pretrained_config,
                cache / f"{repeat}.arrow",
            )
            with _quiet_datasets():
                self.encoded = self.recorder.measure(
                    "preprocess",
                    repeat,
                    encode,
                    lambda encoded: Counts(samples=len(encoded)),
                    log_name="preprocess_dataset",
                )
            # Only the last one is used; the others were made to be measured.
            (cache / f"{repeat - 1}.arrow").unlink(missing_ok=True)
        self.rows = passes.rows_of(self.encoded)
        self.sizes = preprocess.input_sizes(self.encoded, self.batch_size) if self.kind == "generate" else None

    def _load_model(self) -> None:
        LOGGER.info("loading the model %s", self.backend.config.model)
        try:
            self.recorder.measure("load_model", None, self.backend.load)
        except (ScorekitError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise _load_error(self.backend.config, error) from error
        environment.check_gpus(gpus_in_use(self.backend.config))
        model = self.backend.pretrained_model
        if self.kind == "call" and hasattr(model, "set_progress_bar_config"):
            model.set_progress_bar_config(disable=True)
        settings = getattr(model, "generation_config", None)
        if settings is not None and settings.pad_token_id is None:
            # generate() would choose the same, with a warning at each call.
            end = settings.eos_token_id
            settings.pad_token_id = end[0] if isinstance(end, (list, tuple)) else end

    def _write_environment(self, samples: data.Samples, meter_names: tuple[str, ...], gpu_ids: tuple[str, ...]) -> None:
        settings = self.config
        run = RunFacts(
            task=task_name(self.task, settings),
            config_name=self._config_name(),
            hf_task=self.task,
            kind=self.kind,
            device=str(self.backend.config.device),
            num_samples=self.num_samples,
            batch_size=self.batch_size,
            runs=settings.runs,
            phases=settings.phases and self.kind == "generate",
            seed=self.backend.config.seed,
            new_tokens=settings.exact_new_tokens if self.kind == "generate" else None,
            max_new_tokens=settings.generate_kwargs.get("max_new_tokens") if self.kind == "generate" else None,
            image_steps=settings.call_kwargs.get("num_inference_steps") if self.kind == "call" else None,
            warmup_runs=settings.warmup_runs,
            generate_kwargs=_plain(settings.generate_kwargs) if self.kind == "generate" else {},
            call_kwargs=_plain(settings.call_kwargs) if self.kind == "call" else {},
            forward_kwargs=_plain(settings.forward_kwargs) if self.kind == "forward" else {},
            backend_switches={
                **backend_switches(self.backend.config),
                **({} if settings.truncation is True else {"scenario.truncation": str(settings.truncation)}),
            },
            meters=meter_names,
            country_iso_code=settings.country_iso_code,
        )
        facts = environment.collect(run, environment.model_facts(self.backend), samples.facts, gpu_ids)
        atomic.write_text(self.folder / bundle.ENVIRONMENT, facts.model_dump_json(indent=2) + "\n")

    def _config_name(self) -> str:
        # The launcher gives the scenario its own part of the config only; the whole lies in the run folder.
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((self.folder / bundle.CONFIG).read_text(encoding="utf-8"))["name"])
        return self.task

    def _track_memory(self, work: Callable[[], None]) -> Any:
        """Do the work, with optimum-benchmark's memory tracker around it where `scenario.memory` asks for it.

        It watches the warm-up only: it polls from a process of its own, whose energy would be in a window.
        """
        if not self.config.memory:
            work()
            return None
        from optimum_benchmark.trackers.memory import MemoryTracker

        config = self.backend.config
        tracker = MemoryTracker(backend=config.name, device=config.device, device_ids=config.device_ids)
        with tracker.track():
            work()
        return tracker.get_max_memory()

    def _warm_up(self) -> None:
        """Run the first batches outside of any window: the first in full length, each once more in short.

        Each run takes the next batch: libraries choose their kernels anew for each shape of input, and that first time
        should not be in a window.
        """
        LOGGER.info("warming up")
        short = {**self.config.generate_kwargs, **_exactly(2)}
        self.rule: tokens.PromptRule | None = None
        start = 0
        try:
            if self.kind == "generate":
                self.rule = tokens.find_rule(self.backend.generate, self._inputs(start), short)
            if self.config.warmup_runs:
                self._call(self._inputs(start))
            for run in range(self.config.warmup_runs):
                start = run * self.batch_size % self.num_samples
                inputs = self._inputs(start)
                if self.kind == "generate":
                    self.backend.generate(inputs, short)
                elif self.kind == "call":
                    self.backend.call(inputs, {**self.config.call_kwargs, "num_inference_steps": 2})
                else:
                    self._call(inputs)
        except (ScorekitError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise passes.sample_error(start, error) from error

    def _inputs(self, start: int) -> dict[str, Any]:
        """The batch that begins at a sample, on the device."""
        inputs: dict[str, Any] = self.backend.prepare_inputs(self.rows[start : start + self.batch_size])
        return inputs

    def _call(self, inputs: dict[str, Any]) -> Any:
        if self.kind == "generate":
            return self.backend.generate(inputs, self.config.generate_kwargs)
        if self.kind == "call":
            return self.backend.call(inputs, self.config.call_kwargs)
        return self.backend.forward(inputs, self.config.forward_kwargs)

    def _repeat(self, repeat: int) -> None:
        if self.kind == "generate" and self.config.phases:
            options = {**self.config.generate_kwargs, **_exactly(1)}
            self._measure("prefill", repeat, lambda inputs: self.backend.prefill(inputs, options))
        self._measure(self.kind, repeat, self._call)

    def _measure(self, phase: Phase, repeat: int, call: Callable[[dict[str, Any]], Any]) -> None:
        LOGGER.info("repeat %d/%d: %s, %d samples", repeat + 1, self.config.runs, phase, self.num_samples)
        keep = {"generate": tokens.ids_of, "call": _image_count}.get(self.kind)
        work = partial(
            passes.run_pass,
            self.rows,
            self.batch_size,
            self.backend.prepare_inputs,
            call,
            title=f"repeat {repeat + 1}/{self.config.runs} {phase}",
            keep=keep,
        )
        self.recorder.measure(phase, repeat, work, self._count)

    def _count(self, outcome: passes.Outcome) -> Counts:
        generated = images = None
        if self.kind == "call":
            images = sum(outcome.outputs)
        elif self.rule is not None:
            widths = self.sizes.widths if self.sizes is not None else (0,) * outcome.batches
            leading = [self.rule.length(width) for width in widths]
            generated = tokens.count_new(outcome.outputs, leading, tokens.end_tokens(self.backend.pretrained_model))
        return Counts(
            samples=outcome.samples,
            batches=outcome.batches,
            failures=0,
            input_tokens=self.sizes.tokens if self.sizes is not None else None,
            output_tokens=generated,
            images=images,
        )


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(options), default=str))
    return plain


_TOLD_ELSEWHERE = frozenset(
    {"name", "version", "_target_", "model", "processor", "task", "library", "model_type", "device", "device_ids"}
    | {"seed", "no_weights", "torch_dtype", "device_map", "model_kwargs", "processor_kwargs"}
)


def backend_switches(config: Any) -> dict[str, Any]:
    """Options of the backend that differ from its defaults and change how a model runs."""
    switches = {}
    for field in dataclasses.fields(config):
        default = field.default if field.default is not dataclasses.MISSING else None
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        value = getattr(config, field.name)
        if field.name not in _TOLD_ELSEWHERE and value != default:
            switches[field.name] = value
    extra = {key: value for key, value in (config.model_kwargs or {}).items() if key not in ("revision", "cache_dir")}
    return _plain({**switches, **({"model_kwargs": extra} if extra else {})})


def _exactly(count: int) -> dict[str, int]:
    return {"max_new_tokens": count, "min_new_tokens": count}


def _image_count(output: Any) -> int:
    return len(output.images)


def gpus_in_use(config: Any) -> tuple[str, ...]:
    """The GPUs that the backend may use, as given (index or UUID); empty for a run on the CPU."""
    if config.device != "cuda" or config.device_ids is None:
        return ()
    return tuple(part.strip() for part in str(config.device_ids).split(",") if part.strip())


def _synchronizer(device: str | None) -> Callable[[], None]:
    """What waits for the device: a window must not end while the GPU still works."""
    import torch

    def wait() -> None:
        if device == "cuda":
            for index in range(torch.cuda.device_count()):
                torch.cuda.synchronize(index)
        elif device == "mps":
            torch.mps.synchronize()

    return wait


@contextlib.contextmanager
def _quiet_datasets() -> Iterator[None]:
    """No progress bar of datasets' own inside of a window."""
    from datasets.utils.logging import disable_progress_bar, enable_progress_bar

    disable_progress_bar()
    try:
        yield
    finally:
        enable_progress_bar()


def _load_error(config: Any, error: Exception) -> ModelError:
    lines = str(error).strip().splitlines()
    first = lines[0] if lines else type(error).__name__
    if type(error).__name__ == "OutOfMemoryError":
        return ModelError(
            f"the model {config.model} does not fit into the GPU's memory: {first}",
            mend='use several GPUs (backend.device_ids="0,1" backend.device_map=auto) or a smaller dtype',
        )
    if "Unrecognized configuration class" in str(error):
        return ModelError(
            f"the model {config.model} is not made for {config.task}",
            mend="choose the config of the task that it does: `scorekit tasks` lists them",
        )
    cause = hub.cause_in_hub(error)
    if cause is not None:
        message, mend = hub.hub_error("model", str(config.model), cause)
        return ModelError(message, mend=mend)
    return ModelError(
        f"the model {config.model} could not be loaded: {type(error).__name__}: {first}",
        mend="check that the folder or repository is whole; the traceback is in benchmark.log",
    )
