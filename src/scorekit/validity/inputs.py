"""How a run's inputs were made otherwise than its task asks: each setting by itself, pure.

A processor of another size, a prefix, or a template that tells a model to think less moves the energy several times
over, and leaves the samples as they are. So each is told in environment.json, and none is left out of the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from scorekit import tasks
from scorekit.records import Reason, RunFacts
from scorekit.validity.options import told

_ALSO: Final[dict[str | None, dict[str, JsonValue]]] = {
    "text_generation": {"chat_template": True, "reasoning_params": {"reasoning_effort": "high"}},
}
"""What optimum-benchmark's own config of a task (0.6.0) says, and the built-in one does not: both are official."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One setting that is not the built-in config's.

    Attributes:
        code: stable; the fact's name in `InputFacts`.
        value: what was set.
        message: what was found and expected.
        official: whether optimum-benchmark's own config of the task says so.
    """

    code: str
    value: JsonValue
    message: str
    official: bool = False

    @property
    def reason(self) -> Reason:
        """Why the score is not comparable for it."""
        return Reason(code=self.code, message=self.message)

    def __str__(self) -> str:
        return f"{self.code}={json.dumps(self.value, ensure_ascii=False)}"


def departures(run: RunFacts) -> tuple[Departure, ...]:
    """Every setting by which inputs were made otherwise than the config of the run's task says, in a fixed order.

    None of a run of before they were recorded, which is not blamed for that. A task that is not the protocol's asks
    for no columns; of it, as of any, a processor of one's own, prefixes and a template are told.
    """
    also = _ALSO.get(run.task, {})
    return tuple(
        replace(found, official=found.code in also and also[found.code] == found.value) for found in _departures(run)
    )


def _departures(run: RunFacts) -> Iterator[Departure]:
    inputs, task = run.inputs, tasks.known(run.task)
    if inputs is None:
        return
    named = "such a task" if task is None else task.name
    if task is not None and inputs.columns != task.columns:
        expected = ", ".join(task.columns)
        yield Departure(
            "columns", [*inputs.columns], f"inputs are made of columns {', '.join(inputs.columns)}, expected {expected}"
        )
    if inputs.dataset_config is not None:
        found = inputs.dataset_config
        yield Departure("dataset_config", found, f"the dataset's config is '{found}', expected none to be named")
    if not inputs.own_processor:
        found = inputs.processor or "another one"
        yield Departure("processor", found, f"the processor is {found}, expected the model's own")
    if inputs.processor_kwargs:
        options = inputs.processor_kwargs
        yield Departure(
            "processor_kwargs", options, f"the processor was loaded with {told(options)}, expected as the model has it"
        )
    prefixes = () if task is None else task.prefixes
    if inputs.prefixes != prefixes:
        yield Departure(
            "prefixes",
            [*inputs.prefixes],
            f"the prefixes of inputs are {_listed(inputs.prefixes)}, expected {_listed(prefixes)} for {named}",
        )
    if inputs.chat_template != (task is not None and task.chat_template):
        how = ("were put", "as they are", "false") if inputs.chat_template else ("were not put", "in it", "true")
        yield Departure(
            "chat_template",
            inputs.chat_template,
            f"prompts {how[0]} into the chat template, expected {how[1]} for {named} (scenario.reasoning={how[2]})",
        )
    if inputs.reasoning_params:
        options = inputs.reasoning_params
        yield Departure(
            "reasoning_params", options, f"the chat template was given {told(options)}, expected nothing of that kind"
        )


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(json.dumps(text, ensure_ascii=False) for text in texts) or "none"
