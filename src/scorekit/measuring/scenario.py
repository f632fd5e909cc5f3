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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scorekit import atomic, bundle
from scorekit.measuring import (
    adaptive,
    bridge,
    data,
    environment,
    gpus,
    loading,
    meters,
    pacing,
    passes,
    placement,
    power_log,
    preprocess,
    report,
    several_gpus,
)
from scorekit.measuring.calls import Call, ModelCalls
from scorekit.measuring.kinds import kind_of
from scorekit.measuring.run_facts import run_facts
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.measuring.windows import Counts, Recorder
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
        self.folder = Path.cwd()
        self.task = str(backend.config.task)
        self.kind: Kind = kind_of(self.task, getattr(backend.automodel_loader, "__name__", ""), self.config)
        self.passes: dict[Phase, int] = {}
        data.columns_of(self.task, self.config)
        self.calls = ModelCalls(backend, self.kind, self.config)
        config = backend.config
        self.gpu_ids = gpus.resolve(self.config.gpus, config.device, config.device_ids, os.environ)
        meter_names = meters.resolve(self.config.meters, gpus=bool(self.gpu_ids))
        replay = None if self.config.replay is None else Path(self.config.replay)
        request = meters.MeterRequest(self.gpu_ids, self.config.country_iso_code, self.folder, replay)
        self.pacer = self._pacer()
        self.states = power_log.StateLog(self.gpu_ids, self.folder)
        active = meters.start(meter_names, request)
        with power_log.traced(active, self.folder):
            self.wait = _synchronizer(backend.config.device)
            self.recorder = Recorder(active, self.folder, self.wait)
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
                self.encoded = self.calls.rows = None  # gives the files in the cache folder back
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
        self.calls.rows = passes.rows_of(self.encoded)
        if self.kind == "generate":
            batch_size = int(self.config.input_shapes["batch_size"])
            self.calls.sizes = preprocess.input_sizes(self.encoded, batch_size)
        self.calls.cut = preprocess.count_cut(
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
            environment.check_placement(self.gpu_ids, self.backend.pretrained_model)
            if len(self.gpu_ids) > 1 and not placement.is_shared():
                facts = environment.model_facts(self.backend)
                several_gpus.check_loaded(self.config, self.backend.config, facts, len(self.gpu_ids))

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
        LOGGER.info("warming up")
        self.calls.warm_up()

    def _size_windows(self) -> None:
        """Find out how many passes each answering window needs; without GPUs every window is one pass."""
        for phase, call in self.calls.of_repeat():
            pass_s = 0.0
            if self.gpu_ids and self.config.min_window_s > 0:
                pass_s = self.calls.pass_length_s(phase, call, self.wait)
            self.passes[phase] = pacing.passes_for(self.config.min_window_s, pass_s)

    def _idle(self, phase: Phase) -> None:
        """Measure the GPUs with the model loaded and nothing asked of it."""
        if self.gpu_ids and self.config.idle_s > 0:
            LOGGER.info("measuring the GPU at rest for %g s", self.config.idle_s)
            pacing.rest(self.recorder, phase, self.config.idle_s)

    def _repeat_all(self) -> None:
        for repeat in range(self.config.runs):
            target = self.config.target_ci
            if target is not None and repeat >= adaptive.LEAST_REPEATS:
                why = adaptive.why_end(self.recorder.windows, self.kind, target, gpu=bool(self.gpu_ids))
                if why is not None:
                    LOGGER.info("after %d repeats: %s", repeat, why)
                    return
            self._repeat(repeat)

    def _repeat(self, repeat: int) -> None:
        self.pacer.cool_down()
        self.states.record("repeat", repeat)
        for phase, call in self.calls.of_repeat():
            self.pacer.gap()
            self._measure(phase, repeat, call)

    def _measure(self, phase: Phase, repeat: int, call: Call) -> None:
        count = self.passes.get(phase, 1)
        LOGGER.info(
            "repeat %d/%d: %s, %d samples%s",
            repeat + 1,
            self.config.runs,
            phase,
            self.num_samples,
            f" x {count}" if count > 1 else "",
        )
        work = partial(
            self.calls.run_pass,
            call,
            f"repeat {repeat + 1}/{self.config.runs} {phase}",
            count=count,
            # Should the passes go faster than they did when they were timed.
            least_s=self.config.min_window_s if self.gpu_ids else 0.0,
        )
        self.recorder.measure(phase, repeat, work, partial(self.calls.count, phase))
        for reading in self.recorder.windows[-1].readings:
            if reading.problem is not None:
                LOGGER.warning(
                    "repeat %d, %s: %s gave no energy of %s: %s. The run will not be scored as it is; "
                    "Ctrl-C ends it",
                    repeat, phase, reading.meter, reading.device, reading.problem,
                )  # fmt: skip


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
