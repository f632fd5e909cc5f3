"""The energy_star scenario: the protocol's passes over the samples, each in a measured window.

Order, as in optimum-benchmark: load the dataset, preprocess it (once for each repeat), load the model, warm up, then
the repeats. With `phases`, each repeat has a pass of prefill before its pass of generation. The score needs only the
generation, which holds the prefill; the split costs one more pass.

Where GPUs are measured, an idle baseline stands before the first repeat and after the last, each window is drawn out
to a least length by further passes, and random gaps and cool-downs stand between them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scorekit import atomic, bundle
from scorekit.errors import ScorekitError
from scorekit.measure import (
    adaptive,
    bridge,
    data,
    environment,
    gpus,
    loading,
    meters,
    pacing,
    passes,
    power_log,
    preprocess,
    report,
    tokens,
)
from scorekit.measure.kinds import kind_of
from scorekit.measure.run_facts import run_facts
from scorekit.measure.settings import CALL_DEFAULTS, GENERATE_DEFAULTS, EnergyStarSettings
from scorekit.measure.windows import Counts, Recorder
from scorekit.records import Phase
from scorekit.tasks import Kind

bridge.apply()

from optimum_benchmark.scenarios.base import Scenario  # noqa: E402

LOGGER = logging.getLogger("scorekit")


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
        self.passes: dict[Phase, int] = {}
        data.columns_of(self.task, self.config)
        if self.kind == "generate":
            self.config.generate_kwargs = {**GENERATE_DEFAULTS, **self.config.generate_kwargs}
        elif self.kind == "call":
            self.config.call_kwargs = {**CALL_DEFAULTS, **self.config.call_kwargs}
        config = backend.config
        self.gpu_ids = gpus.resolve(self.config.gpus, config.device, config.device_ids, os.environ)
        meter_names = meters.resolve(self.config.meters, gpus=bool(self.gpu_ids))
        replay = None if self.config.replay is None else Path(self.config.replay)
        request = meters.MeterRequest(self.gpu_ids, self.config.country_iso_code, self.folder, replay)
        self.pacer = self._pacer()
        self.states = power_log.StateLog(self.gpu_ids, self.folder)
        active = meters.start(meter_names, request)
        try:
            self.recorder = Recorder(active, self.folder, _synchronizer(backend.config.device))
            with tempfile.TemporaryDirectory(prefix=bundle.SCRATCH_PREFIX, dir=self.folder) as cache:
                self.cache = Path(cache)
                self.samples = self._load_dataset()
                self._preprocess_all()
                self._load_model()
                self._write_environment(meter_names)
                memory = self._track_memory(self._warm_up)
                self._size_windows()
                self._idle("idle_before")
                self.states.record("start")
                self._repeat_all()
                self._idle("idle_after")
                self.states.record("end")
                self.encoded = self.rows = None  # gives the files in the cache folder back
        finally:
            # Also of a run that did not end well.
            power_log.write_traces(active, self.folder)
            for meter in active:
                with contextlib.suppress(Exception):
                    meter.stop()
        return report.build(self.recorder.windows, self.kind, meter_names, memory)

    def _pacer(self) -> pacing.Pacer:
        measured = bool(self.gpu_ids)
        return pacing.Pacer(
            self.config.max_gap_s if measured else 0.0,
            self.config.cool_down_s if measured else 0.0,
            lambda: [gpus.temperature_c(uuid) for uuid in self.gpu_ids],
            self.backend.config.seed,
        )

    def _load_dataset(self) -> data.Samples:
        LOGGER.info("loading the dataset %s", self.config.dataset_name)
        dataset = self.recorder.measure("load_dataset", None, lambda: data.load(self.config))
        samples = data.choose(dataset, self.task, self.config)
        self.num_samples = len(samples.rows)
        return samples

    def _preprocess_all(self) -> None:
        """Preprocess for every repeat that may come, before the model is loaded: a GPU that holds one idles higher."""
        for repeat in range(self.config.runs):
            self.encoded = self._preprocess(repeat)
            # Only the last one is used; the others were made to be measured.
            (self.cache / f"{repeat - 1}.arrow").unlink(missing_ok=True)
        self.rows = passes.rows_of(self.encoded)
        self.sizes = preprocess.input_sizes(self.encoded, self.batch_size) if self.kind == "generate" else None
        self.cut = preprocess.count_cut(
            self.samples.rows,
            self.task,
            self.config,
            self.backend.pretrained_processor,
            self.backend.pretrained_config,
        )

    def _preprocess(self, repeat: int) -> Any:
        LOGGER.info("repeat %d/%d: preprocess %d samples", repeat + 1, self.config.runs, self.num_samples)
        encode = partial(
            preprocess.preprocess,
            self.samples.rows,
            self.task,
            self.config,
            self.backend.pretrained_processor,
            self.backend.pretrained_config,
            self.cache / f"{repeat}.arrow",
        )
        with _quiet_datasets():
            return self.recorder.measure(
                "preprocess",
                repeat,
                encode,
                lambda encoded: Counts(passes=1, samples=len(encoded)),
                log_name="preprocess_dataset",
            )

    def _load_model(self) -> None:
        LOGGER.info("loading the model %s", self.backend.config.model)
        loading.load(self.backend, partial(self.recorder.measure, "load_model", None))
        if not self._by_hand:
            environment.check_gpus(self.gpu_ids)

    @property
    def _by_hand(self) -> bool:
        return self.config.gpus is not None and self.config.gpus != gpus.AUTO

    def _write_environment(self, meter_names: tuple[str, ...]) -> None:
        run = run_facts(
            self.config,
            self.backend.config,
            self.kind,
            folder=self.folder,
            num_samples=self.num_samples,
            meters=meter_names,
            min_window_s=self.config.min_window_s if self.gpu_ids else None,
            gpus_by_hand=self._by_hand,
        )
        facts = environment.collect(
            run,
            environment.model_facts(self.backend),
            self.samples.facts,
            self.gpu_ids,
            environment.model_gpus(self.backend.pretrained_model),
        )
        atomic.write_text(self.folder / bundle.ENVIRONMENT, facts.model_dump_json(indent=2) + "\n")

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

    def _size_windows(self) -> None:
        """Find out how many passes each answering window needs; without GPUs every window is one pass."""
        for phase, call in self._calls():
            pass_s = self._pass_length_s(phase, call) if self.gpu_ids and self.config.min_window_s > 0 else 0.0
            self.passes[phase] = pacing.passes_for(self.config.min_window_s, pass_s)

    def _pass_length_s(self, phase: Phase, call: Callable[[dict[str, Any]], Any]) -> float:
        title = f"timing a pass of {phase}"
        return pacing.pass_length_s(
            self.config.min_window_s,
            batches=-(-self.num_samples // self.batch_size),
            call=lambda batch: call(self._inputs(batch * self.batch_size)),
            whole=lambda: passes.run_pass(
                self.rows, self.batch_size, self.backend.prepare_inputs, call, title=title, keep=None
            ),
            wait=_synchronizer(self.backend.config.device),
        )

    def _idle(self, phase: Phase) -> None:
        """Measure the GPUs with the model loaded and nothing asked of it."""
        if self.gpu_ids and self.config.idle_s > 0:
            LOGGER.info("measuring the GPU at rest for %g s", self.config.idle_s)
            # Clocks, and with them power, come down some seconds after the last work only.
            time.sleep(self.config.idle_s / 2)
            self.recorder.measure(phase, None, lambda: time.sleep(self.config.idle_s))

    def _repeat_all(self) -> None:
        for repeat in range(self.config.runs):
            target = self.config.target_ci
            if target is not None and repeat >= adaptive.LEAST_REPEATS:
                why = adaptive.why_end(self.recorder.windows, self.kind, target, gpu=bool(self.gpu_ids))
                if why is not None:
                    LOGGER.info("after %d repeats: %s", repeat, why)
                    return
            self._repeat(repeat)

    def _calls(self) -> list[tuple[Phase, Callable[[dict[str, Any]], Any]]]:
        """The passes of one repeat, in their order."""
        calls: list[tuple[Phase, Callable[[dict[str, Any]], Any]]] = [(self.kind, self._call)]
        if self.kind == "generate" and self.config.phases:
            options = {**self.config.generate_kwargs, **_exactly(1)}
            calls.insert(0, ("prefill", lambda inputs: self.backend.prefill(inputs, options)))
        return calls

    def _repeat(self, repeat: int) -> None:
        self.pacer.cool_down()
        self.states.record("repeat", repeat)
        for phase, call in self._calls():
            self.pacer.gap()
            self._measure(phase, repeat, call)

    def _measure(self, phase: Phase, repeat: int, call: Callable[[dict[str, Any]], Any]) -> None:
        count = self.passes.get(phase, 1)
        LOGGER.info(
            "repeat %d/%d: %s, %d samples%s",
            repeat + 1,
            self.config.runs,
            phase,
            self.num_samples,
            f" x {count}" if count > 1 else "",
        )
        keep = {"generate": tokens.ids_of, "call": _image_count}.get(self.kind)
        work = partial(
            passes.run_pass,
            self.rows,
            self.batch_size,
            self.backend.prepare_inputs,
            call,
            title=f"repeat {repeat + 1}/{self.config.runs} {phase}",
            keep=keep,
            passes=count,
            # Should the passes go faster than they did when they were timed.
            least_s=self.config.min_window_s if self.gpu_ids else 0.0,
        )
        self.recorder.measure(phase, repeat, work, partial(self._count, phase))
        for reading in self.recorder.windows[-1].readings:
            if reading.problem is not None:
                LOGGER.warning(
                    "repeat %d, %s: %s gave no energy of %s: %s. The run will not be scored as it is; "
                    "Ctrl-C ends it",
                    repeat, phase, reading.meter, reading.device, reading.problem,
                )  # fmt: skip

    def _count(self, phase: Phase, outcome: passes.Outcome) -> Counts:
        generated = early = images = None
        if self.kind == "call":
            images = sum(outcome.outputs)
        elif self.rule is not None:
            widths = self.sizes.widths * outcome.passes if self.sizes is not None else (0,) * outcome.batches
            leading = [self.rule.length(width) for width in widths]
            lengths = tokens.new_lengths(outcome.outputs, leading, tokens.end_tokens(self.backend.pretrained_model))
            generated = sum(lengths)
            if phase == "generate":
                early = sum(length < self.config.generate_kwargs["max_new_tokens"] for length in lengths)
        return Counts(
            passes=outcome.passes,
            samples=outcome.samples,
            batches=outcome.batches,
            failures=0,
            input_tokens=self.sizes.tokens * outcome.passes if self.sizes is not None else None,
            output_tokens=generated,
            early_ends=early,
            truncated_inputs=None if self.cut is None else self.cut * outcome.passes,
            images=images,
        )


def _exactly(count: int) -> dict[str, int]:
    return {"max_new_tokens": count, "min_new_tokens": count}


def _image_count(output: Any) -> int:
    return len(output.images)


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
