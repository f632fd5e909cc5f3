"""How a model is called for a task, and which of the registry's tasks a run is: told from its options."""

from __future__ import annotations

from scorekit import tasks
from scorekit.measuring import bridge
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.tasks import TASKS, Kind

bridge.apply()

from optimum_benchmark.task_utils import IMAGE_DIFFUSION_TASKS, TEXT_GENERATION_TASKS  # noqa: E402

# optimum-benchmark's list lacks summarization and so never lets it generate.
GENERATE_TASKS = frozenset({*TEXT_GENERATION_TASKS, "summarization"})


def kind_of(task: str, loader_name: str, settings: EnergyStarSettings) -> Kind:
    """How the model is called for a Hugging Face task.

    Args:
        task: Hugging Face task.
        loader_name: the auto class that loads the model; CTC speech models transcribe in one forward pass.
        settings: the scenario's, which may name a plugin's task.
    """
    if settings.extra_task is not None:
        return tasks.extra_task(settings.extra_task).kind
    if task in IMAGE_DIFFUSION_TASKS:
        return "call"
    return "generate" if task in GENERATE_TASKS and loader_name != "AutoModelForCTC" else "forward"


def task_name(task: str, settings: EnergyStarSettings) -> str | None:
    """The registry's name of what is measured, told from the task's options and not from the config's name."""
    if settings.extra_task is not None:
        return settings.extra_task
    if task == "text2text-generation":
        name = f"t5_{settings.t5_task}"
        return name if name in TASKS else None
    if task == "text-generation":
        # Chat models are measured for text generation through their template too, but with an exact length.
        return "reasoning" if settings.reasoning and settings.exact_new_tokens is None else "text_generation"
    return next((name for name, entry in TASKS.items() if entry.hf_task == task), None)
