"""scorekit as the first program of a container: what was forgotten on the engine's command line is told at once."""

from __future__ import annotations

from scorekit.container.start import main

__all__ = ["main"]
