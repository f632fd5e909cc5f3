"""How the model is called in a run: on which inputs, with which options, in which passes, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from scorekit.errors import ScorekitError
from scorekit.measuring import pacing, passes, tokens
from scorekit.measuring.preprocess import InputSizes
from scorekit.measuring.settings import CALL_DEFAULTS, GENERATE_DEFAULTS, EnergyStarSettings
from scorekit.measuring.windows import Counts
from scorekit.records import Phase
from scorekit.tasks import Kind

LOGGER = logging.getLogger("scorekit")

Call = Callable[[dict[str, Any]], Any]


class ModelCalls:
    """The calls of one model.

    Args:
        backend: optimum-benchmark's, whose model may be loaded later.
        kind: how the model answers.
        settings: the scenario's; options that it leaves out are filled in.

    Attributes:
        rows: encoded samples, from `passes.rows_of`.
        sizes: of the encoded text; None where there is none.
        cut: samples whose text was cut; None where it is not known.
    """

    def __init__(self, backend: Any, kind: Kind, settings: EnergyStarSettings) -> None:
        self._backend, self._kind, self._settings = backend, kind, settings
        self._batch_size = int(settings.input_shapes["batch_size"])
        self._rule: tokens.PromptRule | None = None
        self.rows: Any = None
        self.sizes: InputSizes | None = None
        self.cut: int | None = None
        if kind == "generate":
            settings.generate_kwargs = {**GENERATE_DEFAULTS, **settings.generate_kwargs}
        elif kind == "call":
            settings.call_kwargs = {**CALL_DEFAULTS, **settings.call_kwargs}

    def inputs(self, start: int) -> dict[str, Any]:
        """The batch that begins at a sample, on the device."""
        inputs: dict[str, Any] = self._backend.prepare_inputs(self.rows[start : start + self._batch_size])
        return inputs

    def answer(self, inputs: dict[str, Any]) -> Any:
        """Call the model as the task asks."""
        if self._kind == "generate":
            return self._backend.generate(inputs, self._settings.generate_kwargs)
        if self._kind == "call":
            return self._backend.call(inputs, self._settings.call_kwargs)
        return self._backend.forward(inputs, self._settings.forward_kwargs)

    def of_repeat(self) -> list[tuple[Phase, Call]]:
        """The passes of one repeat, in their order."""
        calls: list[tuple[Phase, Call]] = [(self._kind, self.answer)]
        if self._kind == "generate" and self._settings.phases:
            options = {**self._settings.generate_kwargs, **_exactly(1)}
            calls.insert(0, ("prefill", lambda inputs: self._backend.prefill(inputs, options)))
        return calls

    def warm_up(self) -> None:
        """Run the first batches: the first in full length, each once more in short.

        Each run takes the next batch: libraries choose their kernels anew for each shape of input, and that first time
        should not be in a window.
        """
        start = 0
        short = {**self._settings.generate_kwargs, **_exactly(2)}
        try:
            if self._kind == "generate":
                self._rule = tokens.find_rule(self._backend.generate, self.inputs(start), short)
            if self._settings.warmup_runs:
                self.answer(self.inputs(start))
            for run in range(self._settings.warmup_runs):
                start = run * self._batch_size % len(self.rows)
                inputs = self.inputs(start)
                if self._kind == "generate":
                    self._backend.generate(inputs, short)
                elif self._kind == "call":
                    self._backend.call(inputs, {**self._settings.call_kwargs, "num_inference_steps": 2})
                else:
                    self.answer(inputs)
        except (ScorekitError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise passes.sample_error(start, error) from error

    def run_pass(self, call: Call, title: str, *, count: int = 1, least_s: float = 0.0) -> passes.Outcome:
        """Call the model on all samples.

        Args:
            call: one of `of_repeat`.
            title: shown on the progress bar.
            count: how often to go over the samples.
            least_s: go over them once more, until this time is over.
        """
        keep = {"generate": tokens.ids_of, "call": _image_count}.get(self._kind)
        return passes.run_pass(
            self.rows,
            self._batch_size,
            self._backend.prepare_inputs,
            call,
            title=title,
            keep=keep,
            passes=count,
            least_s=least_s,
        )

    def pass_length_s(self, phase: Phase, call: Call, wait: Callable[[], None]) -> float:
        """Length of one pass, outside of any window; `wait` waits for the device."""
        return pacing.pass_length_s(
            self._settings.min_window_s,
            batches=-(-len(self.rows) // self._batch_size),
            call=lambda batch: self._call(call, batch * self._batch_size),
            whole=lambda: self.run_pass(call, f"timing a pass of {phase}"),
            wait=wait,
        )

    def _call(self, call: Call, start: int) -> object:
        try:
            return call(self.inputs(start))
        except ScorekitError:
            raise
        except Exception as error:
            raise passes.sample_error(start, error) from error

    def count(self, phase: Phase, outcome: passes.Outcome) -> Counts:
        """What a pass has done, counted from what the model returned."""
        generated = early = images = None
        if self._kind == "call":
            images = sum(outcome.outputs)
        elif self._rule is not None:
            widths = self.sizes.widths * outcome.passes if self.sizes is not None else (0,) * outcome.batches
            leading = [self._rule.length(width) for width in widths]
            lengths = tokens.new_lengths(outcome.outputs, leading, tokens.end_tokens(self._backend.pretrained_model))
            generated = sum(lengths)
            if phase == "generate":
                early = sum(length < self._settings.generate_kwargs["max_new_tokens"] for length in lengths)
        return Counts(
            passes=outcome.passes,
            samples=outcome.samples,
            batches=outcome.batches,
            failures=0,
            input_tokens=None if self.sizes is None else self.sizes.tokens * outcome.passes,
            output_tokens=generated,
            early_ends=early,
            truncated_inputs=None if self.cut is None else self.cut * outcome.passes,
            images=images,
        )


def _exactly(count: int) -> dict[str, int]:
    return {"max_new_tokens": count, "min_new_tokens": count}


def _image_count(output: Any) -> int:
    return len(output.images)
