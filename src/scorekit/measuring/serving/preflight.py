"""What can be known to be wrong with a server before a measuring process is started."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

from scorekit.errors import HardwareError, UsageError
from scorekit.measuring import configs, driver, gpus
from scorekit.measuring.serving import address, client, server_gpus, settings
from scorekit.measuring.serving.waiting import wait_for

_DEVICES = ("cuda", "cpu")
_ANY_PROMPT: Final = "Hello"


def is_serving(config: DictConfig) -> bool:
    """Whether a run measures a server.

    Raises:
        UsageError: its backend measures a server and its scenario does not, or the other way round.
    """
    backend, scenario = config.backend.get("name"), config.scenario.get("name")
    if (backend == settings.BACKEND) != (scenario == settings.SCENARIO):
        raise UsageError(
            f"backend={backend} and scenario={scenario} do not go together: a server is measured by both "
            f"backend={settings.BACKEND} and scenario={settings.SCENARIO}",
            mend=configs.SERVE,
        )
    return bool(backend == settings.BACKEND)


def prepare(config: DictConfig, environ: Mapping[str, str]) -> None:
    """Check the config of a run that measures a server, ask the server whether it is there, and find its GPUs.

    Args:
        config: open for changes; scenario.gpus becomes the UUIDs of the GPUs that are measured.
        environ: variables, for the token.

    Raises:
        UsageError, ServerError, HardwareError: what is wrong, and how to mend it.
    """
    backend, scenario = config.backend, config.scenario
    if OmegaConf.is_missing(backend, "url") or not backend.get("url"):
        raise UsageError("no server is given", mend="backend.url=http://127.0.0.1:8000")
    if OmegaConf.is_missing(scenario, "concurrency") or scenario.get("concurrency") is None:
        raise UsageError("it is not said how many queries are in flight", mend="scenario.concurrency=8")
    if backend.get("device") not in _DEVICES:
        raise UsageError(
            f"backend.device={backend.get('device')}: a server runs on cuda or cpu", mend="backend.device=cuda"
        )
    if backend.get("device_ids") is not None:
        raise UsageError(
            "backend.device_ids chooses where a model is loaded, and a server has loaded its own",
            mend="leave it out: the server's GPUs are found by its port, or name them with scenario.gpus=[0]",
        )
    endpoint = address.parse(str(backend.url), str(backend.get("api")))
    addresses = address.require_here(endpoint.host)
    # As it was meant, so that the run's files tell where it was asked.
    backend.url = endpoint.origin + endpoint.base
    if "device_isolation" in config.launcher:
        # The launcher takes every process but the measuring one for a stranger, and the server is one.
        config.launcher.device_isolation = False
        config.launcher.device_isolation_action = None
    wait_for(_look(endpoint, environ))

    def wake() -> None:
        wait_for(_ask(endpoint, str(backend.model), float(backend.timeout_s), environ))

    _find_gpus(scenario, str(backend.device), addresses, endpoint.port, wake)


async def _look(endpoint: address.Endpoint, environ: Mapping[str, str]) -> None:
    """Whether the server is there and takes the token; what it says of its models is looked at when one is unknown."""
    async with client.Client(endpoint, "", max_tokens=1, timeout_s=10.0, environ=environ) as asked:
        await asked.models()


async def _ask(endpoint: address.Endpoint, model: str, timeout_s: float, environ: Mapping[str, str]) -> None:
    """One short query, whose answer is of no interest."""
    async with client.Client(endpoint, model, max_tokens=1, timeout_s=timeout_s, environ=environ) as asked:
        await asked.ask(_ANY_PROMPT)


def _find_gpus(scenario: Any, device: str, addresses: tuple[str, ...], port: int, wake: Callable[[], None]) -> None:
    if scenario.get("gpus") not in (None, gpus.AUTO):
        scenario.gpus_from, scenario.server_pids = "by_hand", None
        # What listens may be a proxy of another container's server, beside which the server itself were a stranger.
        with contextlib.suppress(HardwareError, ModuleNotFoundError):
            scenario.server_pids = list(_find(addresses, port, wake).pids)
        return
    scenario.server_pids = list(server_gpus.listening_pids(addresses, port)) or None
    if device != "cuda":
        return
    try:
        found = _find(addresses, port, wake)
    except HardwareError as error:
        if error.mend is not None and "scenario.gpus" in error.mend:
            raise
        raise HardwareError(
            error.message, mend=f"{error.mend}; or backend.device=cpu where the server runs on the CPU"
        ) from error
    scenario.gpus = list(found.uuids)
    scenario.server_pids = list(found.pids)
    scenario.gpus_from = "listening_process"


def _find(addresses: tuple[str, ...], port: int, wake: Callable[[], None]) -> server_gpus.Found:
    """The server's GPUs, also of one that loads its model at the first query for it, as Ollama does."""
    try:
        return server_gpus.find(addresses, port)
    except driver.NoDriverError:
        raise
    except HardwareError:
        if not server_gpus.listening_pids(addresses, port):
            raise
    wake()
    return server_gpus.find(addresses, port)
