"""The config classes behind `backend: openai` and `scenario: serving`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from omegaconf import MISSING

from scorekit.errors import UsageError, nearest
from scorekit.measuring import bridge
from scorekit.measuring.serving import prompt_cache
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.tasks import DEFAULT_NEW_TOKENS

bridge.apply()

from optimum_benchmark.backends.config import BackendConfig  # noqa: E402

BACKEND: Final = "openai"
SCENARIO: Final = "serving"
APIS: Final = ("completions", "chat")


@dataclass
class OpenAISettings(BackendConfig):  # type: ignore[misc]
    """`backend: openai`: a server of this machine that speaks OpenAI's protocol.

    Attributes:
        url: its address, with or without /v1, e.g. http://127.0.0.1:8000.
        api: completions gives it the samples as they are; chat as a user's message, to which the server applies the
            model's template.
        ignore_eos: whether to ask the server to go on to the most tokens: true, false, or auto to ask and do without
            where it refuses.
        no_cache: request fields that keep the server from answering out of its cache of prompts: auto for those of a
            server that is known by its list of models, vllm, sglang, llama.cpp, a mapping, or false for none.
        timeout_s: longest time for one answer.
    """

    name: str = BACKEND
    version: str = "v1"
    _target_: str = "scorekit.measuring.serving.backend.OpenAIBackend"

    url: str | None = None
    api: str = "completions"
    ignore_eos: Any = "auto"
    no_cache: Any = prompt_cache.AUTO
    timeout_s: float = 600.0

    def __post_init__(self) -> None:
        # The parent's would look for the model's files, and set which GPUs this process sees.
        if self.api not in APIS:
            close = nearest(str(self.api), list(APIS))
            raise UsageError(
                f"there is no backend.api '{self.api}'; valid: {', '.join(APIS)}",
                mend=f"backend.api={close or APIS[0]}",
            )
        if self.ignore_eos not in (True, False, "auto"):
            raise UsageError(
                f"backend.ignore_eos={self.ignore_eos} is none of true, false and auto", mend="backend.ignore_eos=auto"
            )
        prompt_cache.check(self.no_cache)
        if not 0 < self.timeout_s < math.inf:
            raise UsageError(f"backend.timeout_s={self.timeout_s:g} is no time", mend="backend.timeout_s=600")


@dataclass
class ServingSettings(EnergyStarSettings):
    """`scenario: serving`: the steady state of a server, in windows one after the other.

    Of the parent's options those of the dataset, of meters and of windows hold: a repeat is one window, of at least
    one pass over the samples and min_window_s.

    Attributes:
        concurrency: queries in flight.
        max_tokens: most tokens of an answer.
        warmup_queries: queries answered before the first window; None for two for each in flight.
        gpus_from, server_pids: filled in beforehand: how the GPUs were chosen, and the processes of the server.
    """

    name: str = SCENARIO
    _target_: str = "scorekit.measuring.serving.scenario.ServingScenario"

    # A YAML file cannot take a default away, so there is none here.
    concurrency: int = MISSING
    max_tokens: int = DEFAULT_NEW_TOKENS
    warmup_queries: int | None = None
    gpus_from: str | None = None
    server_pids: list[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.concurrency < 1:
            raise UsageError(
                f"scenario.concurrency={self.concurrency} keeps no query in flight", mend="scenario.concurrency=8"
            )
        if self.num_samples != -1:
            check_concurrency(self.concurrency, self.num_samples)
        if self.max_tokens < 1:
            raise UsageError(
                f"scenario.max_tokens={self.max_tokens} lets the server answer nothing", mend="scenario.max_tokens=100"
            )
        if self.warmup_queries is not None and self.warmup_queries < self.concurrency:
            raise UsageError(
                f"scenario.warmup_queries={self.warmup_queries} ends before all {self.concurrency} queries in flight "
                "have been answered once",
                mend=f"scenario.warmup_queries={2 * self.concurrency}, or leave it out",
            )
        if self.target_ci is not None:
            raise UsageError(
                "scenario.target_ci is for runs that load a model; a server's steady state has a stated length",
                mend="leave it out; scenario.runs and scenario.min_window_s set the length",
            )

    @property
    def warmup(self) -> int:
        """Queries answered before the first window."""
        return 2 * self.concurrency if self.warmup_queries is None else self.warmup_queries


def check_concurrency(concurrency: int, prompts: int) -> None:
    """Refuse more queries in flight than there are prompts: one prompt would be asked several times at once.

    Raises:
        UsageError: there are fewer prompts.
    """
    if concurrency > prompts:
        raise UsageError(
            f"scenario.concurrency={concurrency} is more than the {prompts} prompts: the same one would be in flight "
            "twice, and answered from the server's cache",
            mend=f"scenario.concurrency={prompts} or less, or more prompts by scenario.num_samples",
        )
