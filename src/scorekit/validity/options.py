"""Options with which the model and its backend were called, against the protocol's: pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from scorekit.records import Reason, RunFacts

_GREEDY: Final[dict[str, JsonValue]] = {
    "do_sample": False,
    "num_beams": 1,
    "num_return_sequences": 1,
    "use_cache": True,
}
"""Options of generate() that make it greedy decoding of one answer a query, as the protocol asks."""
_LENGTHS: Final = frozenset({"max_new_tokens", "min_new_tokens"})
_ONE_IMAGE: Final[dict[str, JsonValue]] = {"num_images_per_prompt": 1}


def departing(run: RunFacts) -> Iterator[Reason]:
    """A reason for each kind of options that are not the protocol's.

    Environments of before these options were recorded hold none of them, and are not blamed for that.
    """
    found = _departing(run.generate_kwargs, _GREEDY, _LENGTHS)
    if found:
        yield Reason(code="generation", message=f"generated with {found}, expected plain greedy decoding")
    found = _departing(run.call_kwargs, _ONE_IMAGE, frozenset({"num_inference_steps"}))
    if found:
        yield Reason(
            code="pipeline", message=f"the pipeline was called with {found}, expected its defaults and one image"
        )
    found = _departing(run.forward_kwargs, {}, frozenset())
    if found:
        yield Reason(code="forward", message=f"the forward pass was called with {found}, expected no options")
    found = _departing(run.backend_switches, {}, frozenset())
    if found:
        yield Reason(code="backend", message=f"the backend was set to {found}, expected its defaults")


def _departing(
    options: Mapping[str, JsonValue], expected: Mapping[str, JsonValue], judged_elsewhere: Collection[str]
) -> str:
    """The options that are not as expected, or of which nothing is expected, as text; empty when all are."""
    return told(
        {
            name: value
            for name, value in options.items()
            if name not in judged_elsewhere and not (name in expected and value == expected[name])
        }
    )


def told(options: Mapping[str, JsonValue]) -> str:
    """Options as text, by their names; empty where there are none."""
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(options.items()))
