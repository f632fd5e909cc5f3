"""What stands in for a loaded model where a server has it: as much of optimum-benchmark's backend as is asked."""

from __future__ import annotations

from scorekit.measuring.serving.settings import BACKEND, OpenAISettings


class OpenAIBackend:
    """Holds the config; the scenario `serving` asks the server.

    Args:
        config: of the server.
    """

    NAME = BACKEND

    def __init__(self, config: OpenAISettings) -> None:
        self.config = config
