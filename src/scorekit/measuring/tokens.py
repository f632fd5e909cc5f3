"""Counting generated tokens in what generate() returns, instead of assuming that the limit was reached.

generate() returns prompt and answer in one row of ids, and how long the prompt is depends on the model: a decoder
repeats its input, an encoder-decoder puts its start tokens first, Whisper a language and a task. The rule is found
once, in the warm-up, by counting the steps of decoding beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PromptRule:
    """How many leading ids of a row are not new.

    Attributes:
        follows_input: the input's ids stand first, so the number is their width.
        offset: ids that stand first besides.
    """

    follows_input: bool
    offset: int

    def length(self, input_width: int) -> int:
        """Leading ids of a batch whose input ids are `input_width` wide."""
        return (input_width if self.follows_input else 0) + self.offset


def ids_of(output: Any) -> Any:
    """The token ids in generate()'s output, a tensor of shape (samples, prompt + new)."""
    return getattr(output, "sequences", output)


def input_width(inputs: dict[str, Any]) -> int:
    """Width of a batch's input ids; 0 where the input is no text."""
    ids = inputs.get("input_ids")
    return int(ids.shape[1]) if ids is not None else 0


def find_rule(generate: Callable[..., Any], inputs: dict[str, Any], options: dict[str, Any]) -> PromptRule:
    """Generate once with a counter of decoding steps and derive the rule.

    Args:
        generate: the backend's generate, called as `generate(inputs, options)`.
        inputs: one batch, on the device.
        options: keyword arguments of generate().
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class StepCounter(StoppingCriteria):
        steps = 0

        def __call__(self, input_ids: Any, *_: Any, **__: Any) -> Any:
            self.steps += 1
            return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    counter = StepCounter()
    ids = ids_of(generate(inputs, {**options, "stopping_criteria": StoppingCriteriaList([counter])}))
    leading = int(ids.shape[1]) - counter.steps
    width = input_width(inputs)
    # Widths alone could mislead: a decoder's own start tokens may be as many as a short input has.
    if 0 < width <= leading and bool(torch.equal(ids[:, :width], inputs["input_ids"].to(ids.device))):
        return PromptRule(True, leading - width)
    return PromptRule(False, max(0, leading))


def end_tokens(model: Any) -> frozenset[int]:
    """Ids that end a sequence, from the model's generation config."""
    value = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, (list, tuple)) else frozenset({int(value)})


def new_lengths(sequences: Sequence[Any], leading: Sequence[int], ends: frozenset[int]) -> list[int]:
    """Tokens that were generated for each sample.

    Args:
        sequences: for each batch the ids, of shape (samples, prompt + new).
        leading: for each batch how many leading ids are not new.
        ends: ids that end a sequence; in a batch of several, what follows the first one in a row is padding.
    """
    lengths = []
    for ids, prompt in zip(sequences, leading, strict=True):
        rows, width = int(ids.shape[0]), int(ids.shape[1])
        if rows == 1 or not ends:
            lengths += [max(0, width - prompt)] * rows
            continue
        for row in ids[:, prompt:].tolist():
            stops = [index for index, token in enumerate(row) if token in ends]
            lengths.append(stops[0] + 1 if stops else len(row))
    return lengths
