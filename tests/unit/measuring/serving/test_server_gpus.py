"""From the port of a server to the GPUs of its processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from scorekit.errors import HardwareError
from scorekit.measuring.serving import server_gpus
from tests.fake_nvml import FakeNvml
from tests.ports import free_port

HERE = ("127.0.0.1",)

LISTENS = """
import socket, subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], worker.pid, flush=True)
sys.stdin.read()
"""
"""A server whose work is done by a process of its own, as vLLM's and Ollama's is."""

LAUNCHES = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
router = subprocess.Popen([sys.executable, "-c", "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
                           "print(s.getsockname()[1], flush=True); sys.stdin.read()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(router.stdout.readline().strip(), worker.pid, router.pid, flush=True)
sys.stdin.read()
"""
"""A launcher of a router that listens and of a worker beside it, as TGI's is."""

MANAGES = LAUNCHES.replace("stdin=subprocess.PIPE, stdout", "process_group=0, stdin=subprocess.PIPE, stdout")


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", request.param], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, [int(word) for word in process.stdout.readline().split()]
    # Each of its children ends with the pipe that it was given.
    process.communicate()


@pytest.mark.parametrize("program", [LISTENS], indirect=True)
def test_the_gpus_are_those_of_the_processes_behind_the_port(
    program: tuple[subprocess.Popen[str], list[int]], fake_nvml_here: FakeNvml
) -> None:
    process, (port, worker) = program
    fake_nvml_here.set(gpus=3)
    fake_nvml_here.set(0, processes=[os.getppid()])
    fake_nvml_here.set(2, processes=[worker])
    found = server_gpus.find(HERE, port)
    assert found.uuids == (fake_nvml_here.uuid(2),)
    assert found.pids == (process.pid,)
    assert found.processes == 2
    assert server_gpus.look(found.pids) == (found.uuids, 2)


@pytest.mark.parametrize("program", [LAUNCHES], indirect=True)
def test_the_workers_of_a_router_are_found_beside_it(
    program: tuple[subprocess.Popen[str], list[int]], fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, (port, worker, router) = program
    fake_nvml_here.set(processes=[worker])
    assert server_gpus.listening_pids(HERE, port) == (router,)
    found = server_gpus.find(HERE, port)
    assert found.uuids == (fake_nvml_here.uuid(0),)
    assert found.pids == (process.pid,)


@pytest.mark.parametrize("program", [MANAGES], indirect=True)
def test_what_a_manager_of_services_has_started_beside_it_is_not_the_server(
    program: tuple[subprocess.Popen[str], list[int]], fake_nvml_here: FakeNvml
) -> None:
    """It starts each service in a process group of its own."""
    _, (port, worker, router) = program
    assert os.getpgid(router) == router
    fake_nvml_here.set(processes=[worker])
    with pytest.raises(HardwareError, match=r"computes on no GPU that NVML tells of"):
        server_gpus.find(HERE, port)


@pytest.mark.parametrize("program", [LISTENS], indirect=True)
def test_a_neighbour_that_the_same_shell_has_started_is_not_the_server(
    program: tuple[subprocess.Popen[str], list[int]], fake_nvml_here: FakeNvml
) -> None:
    """The test stands for the shell: it has started the server, and another process that uses a GPU."""
    _, (port, _) = program
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as neighbour:
        fake_nvml_here.set(processes=[neighbour.pid])
        with pytest.raises(HardwareError, match=r"computes on no GPU that NVML tells of") as caught:
            server_gpus.find(HERE, port)
        neighbour.communicate()
    assert "scenario.gpus=[0]" in str(caught.value.mend)
    assert "backend.device=cpu" in str(caught.value.mend)


def test_a_port_of_nobody_known_wants_the_gpus_by_hand(fake_nvml_here: FakeNvml) -> None:
    with pytest.raises(HardwareError, match="which process listens on port") as caught:
        server_gpus.find(HERE, free_port())
    assert "scenario.gpus=[0]" in str(caught.value.mend)


def test_only_a_listener_of_that_address_counts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("0.0.0.0", 0)) as every:
        assert server_gpus.listening_pids(HERE, one.getsockname()[1]) == (os.getpid(),)
        assert server_gpus.listening_pids(("127.0.0.9",), one.getsockname()[1]) == ()
        assert server_gpus.listening_pids(HERE, every.getsockname()[1]) == (os.getpid(),)


def test_of_a_server_that_is_not_known_nothing_is_told() -> None:
    assert server_gpus.look(()) == (None, None)
