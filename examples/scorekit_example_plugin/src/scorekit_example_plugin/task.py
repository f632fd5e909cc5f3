"""The task code_completion: a model goes on with the beginning of a program, for exactly 32 tokens."""

from collections.abc import Mapping
from typing import Any

from scorekit.tasks import Batch, Encoding, ExtraTask


def encode(batch: Batch, how: Encoding) -> Mapping[str, Any]:
    """Token ids of programs. One that is too long loses its beginning, for its end tells how it goes on."""
    tokenizer = how.processor
    tokenizer.truncation_side = "left"
    encoded: Mapping[str, Any] = tokenizer(
        batch["prompt"],
        truncation=how.longest_input is not None,
        max_length=how.longest_input,
        padding=how.pad,
        return_token_type_ids=False,
    )
    return encoded


TASK = ExtraTask(
    name="code_completion",
    hf_task="text-generation",
    dataset="openai/openai_humaneval",
    columns=("prompt",),
    kind="generate",
    encode=encode,
    dtype="float16",
    new_tokens=32,
    split="test",
    num_samples=164,
)
