"""Which processes and GPUs are taken for the server's before anything is measured."""

from __future__ import annotations

import os
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from scorekit.errors import HardwareError
from scorekit.measuring.serving import preflight
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.serving import fake_server
from tests.unit.measuring.serving.fake_server import Asked, FakeServer


def prepared(server: FakeServer, **scenario: Any) -> DictConfig:
    backend = {"url": server.url, "model": fake_server.MODEL, "device": "cuda", "api": "completions", "timeout_s": 60.0}
    config = OmegaConf.create({"backend": backend, "scenario": {"concurrency": 2, **scenario}, "launcher": {}})
    preflight.prepare(config, {})
    return config


def test_a_server_that_is_on_a_gpu_is_asked_nothing(server: FakeServer, fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(processes=[os.getpid()])
    found = prepared(server).scenario
    assert (found.gpus, found.server_pids, found.gpus_from) == (
        [fake_nvml_here.uuid(0)],
        [os.getpid()],
        "listening_process",
    )
    assert server.requests == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_server_that_loads_its_model_at_the_first_query_is_asked_one(
    server: FakeServer, fake_nvml_here: FakeNvml, by_hand: bool
) -> None:
    def loads(asked: Asked) -> None:
        fake_nvml_here.set(processes=[os.getpid()])
        fake_server.answers(asked)

    server.answer = loads
    found = prepared(server, **({"gpus": [0]} if by_hand else {})).scenario
    assert found.server_pids == [os.getpid()]
    assert found.gpus == ([0] if by_hand else [fake_nvml_here.uuid(0)])
    assert [asked["max_tokens"] for asked in server.requests] == [1]


def test_what_listens_and_is_on_no_gpu_is_not_taken_for_the_server_where_its_gpus_are_named(
    server: FakeServer, fake_nvml_here: FakeNvml
) -> None:
    """An engine's proxy listens, and the server is in a container: its processes are told from nobody's."""
    fake_nvml_here.set(processes=[os.getppid()])
    found = prepared(server, gpus=[0]).scenario
    assert (found.gpus, found.server_pids, found.gpus_from) == ([0], None, "by_hand")


def test_a_server_that_is_on_no_gpu_even_then_is_refused(server: FakeServer, fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(processes=[])
    with pytest.raises(HardwareError, match="computes on no GPU that NVML tells of"):
        prepared(server)
