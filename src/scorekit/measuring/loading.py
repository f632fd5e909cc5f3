"""Loading the model through optimum-benchmark's backend, and what to say where that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scorekit.errors import ModelError, ScorekitError
from scorekit.measuring import hub
from scorekit.measuring.memory import is_out_of_memory


def load(backend: Any, measured: Callable[[Callable[[], None]], object]) -> None:
    """Load the backend's model and make it ready for the passes.

    Args:
        backend: optimum-benchmark's.
        measured: runs the loading in a window.

    Raises:
        ModelError: the model cannot be loaded.
    """
    try:
        measured(backend.load)
    except (ScorekitError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise _load_error(backend.config, error) from error
    model = backend.pretrained_model
    if hasattr(model, "set_progress_bar_config"):
        model.set_progress_bar_config(disable=True)
    settings = getattr(model, "generation_config", None)
    if settings is not None and settings.pad_token_id is None:
        # generate() would choose the same, with a warning at each call.
        end = settings.eos_token_id
        settings.pad_token_id = end[0] if isinstance(end, (list, tuple)) else end


def _load_error(config: Any, error: Exception) -> ModelError:
    lines = str(error).strip().splitlines()
    first = lines[0] if lines else type(error).__name__
    if is_out_of_memory(error):
        return ModelError(
            f"the model {config.model} does not fit into the GPU's memory: {first}",
            mend="use several GPUs (backend.device_ids=\"'0,1'\" backend.device_map=auto) or a smaller dtype",
        )
    if "Unrecognized configuration class" in str(error):
        return ModelError(
            f"the model {config.model} is not made for {config.task}",
            mend="choose the config of the task that it does: `scorekit tasks` lists them",
        )
    cause = hub.cause_in_hub(error)
    if cause is not None:
        message, mend = hub.hub_error("model", str(config.model), cause)
        return ModelError(message, mend=mend)
    return ModelError(
        f"the model {config.model} could not be loaded: {type(error).__name__}: {first}",
        mend="check that the folder or repository is whole; the traceback is in benchmark.log",
    )
