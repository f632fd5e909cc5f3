"""ai_energy_benchmarks' own way to answer a prompt, in turn with a bare loop over the same model and options.

python -m benchmarks.ai_energy_loop MODEL PROMPTS PASSES

Runs in ai_energy_benchmarks' own environment (`benchmarks.peers`). MODEL is a folder, PROMPTS a JSON file of texts.
Prints, for each pass, its wall time and the bare loop's in s, and the ratios of wall and CPU time, as JSON.

Its `run_inference` is what its runner times and measures for each prompt: it makes tokens of the prompt, generates by
sampling, and makes text of the answer. The bare loop has its tokens beforehand, and generates with the same options.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.timing import in_order
from benchmarks.turns import SLICE, Pass, Times, timed

NEW_TOKENS = 10


def measure(model: str, prompts: list[str], passes: int) -> list[tuple[float, float, float, float]]:
    """One more pass comes first for nothing."""
    import torch
    from ai_energy_benchmarks.backends.pytorch import PyTorchBackend

    torch.set_num_threads(1)
    backend = PyTorchBackend(model=model, device="cpu", torch_dtype="float32", device_map="cpu")
    with contextlib.redirect_stdout(io.StringIO()):
        if not backend.health_check():
            raise SystemExit("its backend could not load the model")
    # With a chat template it fails under transformers 5: it takes what comes of it for a tensor.
    backend.tokenizer.chat_template = None
    # As its runner calls it, with a length that no answer falls short of.
    options = {"max_tokens": NEW_TOKENS, "temperature": 0.7, "min_new_tokens": NEW_TOKENS}
    bare_options = {
        "max_new_tokens": NEW_TOKENS,
        "min_new_tokens": NEW_TOKENS,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 50,
        "do_sample": True,
        "pad_token_id": backend.tokenizer.pad_token_id,
    }
    inputs = [_tokens(backend.tokenizer, prompt) for prompt in prompts]

    def theirs(numbers: range) -> None:
        for number in numbers:
            told = backend.run_inference(prompts[number], **options)
            if not told["success"]:
                raise SystemExit(f"its backend failed: {told['error']}")

    def bare(numbers: range) -> None:
        with torch.no_grad():
            for number in numbers:
                backend.model.generate(**inputs[number], **bare_options)

    # It prints lines for each prompt, as into a file.
    with Path(os.devnull).open("w", encoding="utf-8") as nothing, contextlib.redirect_stdout(nothing):
        done = [_in_turn(theirs, bare, len(prompts)) for _ in range(passes + 1)][1:]
    return [(one.wall_s(), one.wall_s("bare"), one.wall_ratio(), one.cpu_ratio()) for one in done]


def _tokens(tokenizer: Any, prompt: str) -> dict[str, Any]:
    made = dict(tokenizer(prompt, return_tensors="pt", padding=True, truncation=True))
    made.pop("token_type_ids", None)
    return made


def _in_turn(theirs: Callable[[range], None], bare: Callable[[range], None], count: int) -> Pass:
    times: dict[str, list[Times]] = {"theirs": [], "bare": []}
    works = [("bare", bare), ("theirs", theirs)]
    for start in range(0, count, SLICE):
        numbers = range(start, min(start + SLICE, count))
        for name, work in in_order(works, start // SLICE):
            times[name].append(timed(partial(work, numbers)))
    return Pass(tuple(times["theirs"]), {"bare": tuple(times["bare"])})


if __name__ == "__main__":
    _, _model, _prompts, _passes = sys.argv
    _found = measure(_model, json.loads(Path(_prompts).read_text(encoding="utf-8")), int(_passes))
    print(json.dumps(_found))
