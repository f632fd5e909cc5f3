"""The serving scenario: windows on the steady state of a server that is asked in a closed loop.

Order: load the samples, one query or three to find out what the server takes and tells, idle baseline (GPUs only), then
the loop: warm-up queries until every slot of it has been through its first, the repeats as windows one after the other
while it goes on, the drain outside of any window, and the idle baseline again.
"""

from __future__ import annotations

import logging
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from scorekit import atomic, bundle
from scorekit.measuring import bridge, data, gpus, isolation, meters, pacing, power_log, report
from scorekit.measuring.serving import address, counting, facts, server_gpus, settings
from scorekit.measuring.serving.client import Client
from scorekit.measuring.serving.loop import ClosedLoop
from scorekit.measuring.serving.probing import Probed, probe
from scorekit.measuring.serving.waiting import wait_for
from scorekit.measuring.windows import Counts, Recorder
from scorekit.records import Phase, Served

bridge.apply()

from optimum_benchmark.scenarios.base import Scenario  # noqa: E402

LOGGER = logging.getLogger("scorekit")

_TASK = "text-generation"
Stretch = tuple[float, float]
"""From when to when, by the monotonic clock."""


class ServingScenario(Scenario):  # type: ignore[misc]
    """optimum-benchmark's scenario protocol: `run(backend)` returns its report. The bundle is written on the way."""

    NAME = settings.SCENARIO

    config: settings.ServingSettings

    def run(self, backend: Any) -> Any:
        """Measure; the current folder is the run folder."""
        self.backend: settings.OpenAISettings = backend.config
        self.folder = Path.cwd()
        self.endpoint = address.parse(str(self.backend.url), self.backend.api)
        self.gpu_ids = gpus.resolve(self.config.gpus, self.backend.device, None, os.environ)
        self.pids = tuple(self.config.server_pids or ())
        meter_names = meters.resolve(self.config.meters, gpus=bool(self.gpu_ids))
        replay = None if self.config.replay is None else Path(self.config.replay)
        active = meters.start(
            meter_names, meters.MeterRequest(self.gpu_ids, self.config.country_iso_code, self.folder, replay)
        )
        with power_log.traced(active, self.folder):
            self.recorder = Recorder(active, self.folder, lambda: None)
            self._measure(meter_names)
        return report.build(self.recorder.windows, "serve", meter_names)

    def _measure(self, meter_names: tuple[str, ...]) -> None:
        LOGGER.info("loading the dataset %s", self.config.dataset_name)
        dataset = self.recorder.measure("load_dataset", None, lambda: data.load(self.config))
        samples = data.choose(dataset, _TASK, self.config)
        self.prompts = [str(text) for text in samples.rows[samples.columns[0]]]
        settings.check_concurrency(self.config.concurrency, len(self.prompts))
        self.probed = wait_for(self._probe())
        environment = facts.collect(
            self.config,
            self.backend,
            self.endpoint,
            samples.facts,
            prompts=self.prompts,
            gpu_ids=self.gpu_ids,
            meters=meter_names,
            probed=self.probed,
        )
        atomic.write_text(self.folder / bundle.ENVIRONMENT, environment.model_dump_json(indent=2) + "\n")
        self.states = power_log.StateLog(self.gpu_ids, self.folder, self._own, self._computing)
        loop = ClosedLoop(self._probed_client, self.prompts, self.config.concurrency)
        with self._watch():
            self._idle("idle_before")
            self.states.record("start")
            try:
                self._steady_state(loop)
            finally:
                loop.abort()
            self._idle("idle_after")
            self.states.record("end")

    def _client(self) -> Client:
        return Client(
            self.endpoint,
            str(self.backend.model),
            max_tokens=self.config.max_tokens,
            timeout_s=self.backend.timeout_s,
        )

    def _probed_client(self) -> Client:
        """One that asks as the server takes it."""
        client = self._client()
        client.ignore_eos, client.no_cache = self.probed.ignore_eos, self.probed.no_cache
        return client

    async def _probe(self) -> Probed:
        async with self._client() as client:
            probed = await probe(client, self.prompts, self.backend.ignore_eos, self.backend.no_cache)
        LOGGER.info(
            "%s answers: %d tokens in, %d out of at most %d%s",
            self.endpoint.url,
            probed.answer.input_tokens,
            probed.answer.output_tokens,
            self.config.max_tokens,
            "" if probed.ignore_eos else "; it may end answers earlier (no ignore_eos)",
        )
        LOGGER.info(
            "its cache of prompts: %s; it %s how many tokens came from there",
            f"asked to leave it alone ({', '.join(probed.no_cache)})" if probed.no_cache else "not spoken of",
            "tells" if probed.tells_cached else "does not tell",
        )
        return probed

    def _own(self) -> set[int] | None:
        """The processes of the run; None where the server's are not known, so that others cannot be told from them."""
        return facts.own_processes(self.pids) if self.pids else None

    def _computing(self) -> int:
        """How many of them may compute: the server's, for this one computes nothing."""
        return len(server_gpus.family(self.pids))

    def _watch(self) -> isolation.Watch:
        """A look at the GPUs once a second for others' processes, where the server's own are known."""
        watched = self.gpu_ids if self.pids else ()
        own = partial(facts.own_processes, self.pids)
        return isolation.Watch(os.getpid(), watched, "warn", self.folder, own, self._computing)

    def _idle(self, phase: Phase) -> None:
        if self.gpu_ids and self.config.idle_s > 0:
            LOGGER.info("measuring the GPU at rest for %g s", self.config.idle_s)
            pacing.rest(self.recorder, phase, self.config.idle_s)

    def _steady_state(self, loop: ClosedLoop) -> None:
        LOGGER.info("%d queries in flight; warming up with %d", self.config.concurrency, self.config.warmup)
        loop.start()
        loop.wait_ended(self.config.warmup)
        for repeat in range(self.config.runs):
            self.states.record("repeat", repeat)
            LOGGER.info("repeat %d/%d: %d samples", repeat + 1, self.config.runs, len(self.prompts))
            self.recorder.measure(
                "serve", repeat, partial(self._window, loop), partial(self._count, loop), readings_first=True
            )
            for reading in self.recorder.windows[-1].readings:
                if reading.problem is not None:
                    LOGGER.warning(
                        "repeat %d: %s gave no energy of %s: %s. The run will not be scored as it is; Ctrl-C ends it",
                        repeat, reading.meter, reading.device, reading.problem,
                    )  # fmt: skip
        loop.drain()

    def _window(self, loop: ClosedLoop) -> Stretch:
        """Let as many queries begin as make a pass over the samples, and more passes until the window is long enough.

        As each pass has every sample once, all windows hold the same work.
        """
        start_s, target = time.monotonic(), loop.begun
        least_s = self.config.min_window_s if self.gpu_ids else 0.0
        while True:
            target += len(self.prompts)
            loop.wait_begun(target)
            end_s = time.monotonic()
            if end_s - start_s >= least_s:
                return start_s, end_s

    def _count(self, loop: ClosedLoop, stretch: Stretch) -> Counts:
        """What was served, when all queries that the window has a part of are answered; the loop goes on meanwhile."""
        start_s, end_s = stretch
        queries = loop.in_flight_during(start_s, end_s)
        found: Served = counting.served(
            queries, start_s, end_s, len(self.prompts), tells_cached=self.probed.tells_cached
        )
        early = sum(
            1
            for query in queries
            if query.ended_s is not None
            and start_s <= query.ended_s < end_s
            and query.answer is not None
            and query.answer.output_tokens < self.config.max_tokens
        )
        return Counts(
            samples=round(found.queries),
            failures=0,
            input_tokens=round(found.input_tokens),
            output_tokens=round(found.output_tokens),
            early_ends=early,
            served=found,
        )
