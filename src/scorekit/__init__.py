"""scorekit: a task config in, a trustworthy energy star out.

In Python: `load` reads logs of any kind, `measure` measures any code, `rate` gives stars, `impact` tells what an energy
means in a country (docs/python.md). Each is imported when it is first used, so that `import scorekit` takes no time;
their types stand in `__init__.pyi`.
"""

from typing import Any

__version__ = "0.1.0"

__all__ = ["Measurement", "__version__", "impact", "load", "measure", "rate"]

_MODULES = {
    "Measurement": "measurement",
    "impact": "footprints",
    "load": "loading",
    "measure": "measure",
    "rate": "ratings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'scorekit' has no attribute '{name}'")
    import importlib

    found = getattr(importlib.import_module(f"scorekit.api.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
