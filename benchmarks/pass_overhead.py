"""What a measured pass costs beyond the model: a real one, beside a bare loop over the same model and samples.

The scenario runs as it always does: its dataset, preprocessing, backend, warm-up, windows and CodeCarbon. Only that
other loops take turns with its passes of generation (see turns.py). What a pass does once (open and close the meters,
count tokens, write the window) counts as the pass's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.comparison import Comparison, Goal
from benchmarks.program import ROOT
from benchmarks.turns import Loop, Pass, Turns
from scorekit.measuring import bridge
from scorekit.measuring.scenario import EnergyStarScenario
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.measuring.tiny import write_tiny

bridge.apply()

import torch  # noqa: E402
from optimum_benchmark import PyTorchConfig  # noqa: E402
from optimum_benchmark.backends.pytorch.backend import PyTorchBackend  # noqa: E402

GOAL = Goal(1.02)
SAMPLES = 200
NEW_TOKENS = 10
EXPLAINING_PASSES = 5

Kind = Literal["warm-up", "goal", "explain", "clocks"]


def ai_energy_benchmarks(folder: Path, passes: int) -> Comparison:
    """Its way to answer a prompt beside the bare loop, in its own environment.

    Args:
        folder: of its interpreter.
        passes: one more comes first for nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        tiny = write_tiny(Path(name) / "tiny", tasks=["text_generation"], samples=SAMPLES)["text_generation"]
        texts = [f"Sentence number {number} of the benchmark says nothing." for number in range(SAMPLES)]
        prompts = Path(name) / "prompts.json"
        prompts.write_text(json.dumps(texts), encoding="utf-8")
        command = [
            str(folder / "python"),
            "-m",
            "benchmarks.ai_energy_loop",
            str(tiny.model),
            str(prompts),
            str(passes),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=name, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the loop of ai_energy_benchmarks failed:\n{done.stderr}")
    found = json.loads(done.stdout)
    return Comparison(
        key="loop_ai_energy_benchmarks",
        what="  ai_energy_benchmarks' prompts, not measured",
        reference="bare loop, same options",
        unit="s",
        ours=tuple(one[0] for one in found),
        theirs=tuple(one[1] for one in found),
        ratios=tuple(one[2] for one in found),
        cpu_ratios=tuple(one[3] for one in found),
    )


def measure(passes: int, *, explain: bool) -> list[Comparison]:
    """Run the passes; one more comes first for nothing.

    Args:
        passes: measured passes of 200 samples each, each with as many of the bare loop.
        explain: further passes that say where the time goes.

    Returns:
        The comparison with the goal, and with `explain` those that explain it.
    """
    plan: tuple[tuple[Kind, int], ...] = (("warm-up", 1), ("goal", passes))
    if explain:
        plan += (("explain", EXPLAINING_PASSES), ("clocks", EXPLAINING_PASSES))
    done = _run([kind for kind, count in plan for _ in range(count)])
    rows = [_goal(done.with_bare)]
    if explain:
        rows += [
            _clocks(done.clocks),
            _loop(done.explained, "fetching", "  a bare loop that fetches its rows too"),
            _loop(done.explained, "theirs", "  optimum-benchmark's loop, not measured"),
        ]
    return rows


def _goal(passes: Sequence[Pass]) -> Comparison:
    return _beside_bare(passes, None, "pass_overhead", f"measured pass of {SAMPLES} samples", GOAL)


def _loop(passes: Sequence[Pass], loop: str, what: str) -> Comparison:
    return _beside_bare(passes, loop, f"loop_{loop}", what)


def _beside_bare(passes: Sequence[Pass], loop: str | None, key: str, what: str, goal: Goal | None = None) -> Comparison:
    return Comparison(
        key=key,
        what=what,
        reference="bare loop",
        unit="s",
        ours=tuple(one.wall_s(loop) for one in passes),
        theirs=tuple(one.wall_s("bare") for one in passes),
        goal=goal,
        ratios=tuple(one.wall_ratio(loop) for one in passes),
        cpu_ratios=tuple(one.cpu_ratio(loop) for one in passes),
    )


def _clocks(passes: Sequence[tuple[float, float]]) -> Comparison:
    return Comparison(
        key="pass_by_clocks",
        what="  the same, by clocks around generate()",
        reference="inside generate()",
        unit="s",
        ours=tuple(whole for whole, _ in passes),
        theirs=tuple(model for _, model in passes),
    )


class _Scenario(EnergyStarScenario):
    """The scenario, in whose passes other loops take turns.

    Attributes:
        kinds: of each repeat, what it is for.
        with_bare: passes that took turns with the bare loop alone.
        explained: passes that took turns with all loops.
        clocks: of each pass on its own, its wall time and the part of it inside of generate(), in s.
    """

    kinds: Sequence[Kind] = ()

    def _load_model(self) -> None:
        super()._load_model()
        self.with_bare: list[Pass] = []
        self.explained: list[Pass] = []
        self.clocks: list[tuple[float, float]] = []
        # The bare loop's inputs are on the device before it starts.
        self.inputs = [self.backend.prepare_inputs(self.calls.rows[at : at + 1]) for at in range(self.num_samples)]
        self.plain_rows = self.calls.rows

    def _repeat(self, repeat: int) -> None:
        kind = self.kinds[repeat]
        if kind == "clocks":
            self.clocks.append(self._with_clocks(repeat))
        elif kind == "explain":
            # The bare loop in the middle, so that each of the others is next to it.
            loops: dict[str, Loop] = {"fetching": self._fetching, "bare": self._bare, "theirs": self._theirs}
            self.explained.append(self._taking_turns(repeat, loops))
        else:
            found = self._taking_turns(repeat, {"bare": self._bare})
            if kind == "goal":
                self.with_bare.append(found)

    def _taking_turns(self, repeat: int, loops: dict[str, Loop]) -> Pass:
        self.calls.rows = turns = Turns(self.plain_rows, loops)
        try:
            return turns.around(partial(self._one_pass, repeat))
        finally:
            self.calls.rows = self.plain_rows

    def _one_pass(self, repeat: int) -> tuple[float, float]:
        self._measure("generate", repeat, self.calls.answer)
        window = self.recorder.windows[-1]
        assert window.output_tokens == NEW_TOKENS * SAMPLES
        return window.start_monotonic_s, window.end_monotonic_s

    def _with_clocks(self, repeat: int) -> tuple[float, float]:
        model, inside = self.backend.pretrained_model, 0.0
        generate: Callable[..., Any] = model.generate

        def clocked(*arguments: Any, **options: Any) -> Any:
            nonlocal inside
            begun = time.perf_counter()
            output = generate(*arguments, **options)
            inside += time.perf_counter() - begun
            return output

        model.generate = clocked
        try:
            begun = time.perf_counter()
            self._one_pass(repeat)
            return time.perf_counter() - begun, inside
        finally:
            del model.generate

    def _bare(self, samples: range) -> None:
        model, inputs, options = self.backend.pretrained_model, self.inputs, self.config.generate_kwargs
        with torch.inference_mode():
            for number in samples:
                model.generate(**inputs[number], **options)

    def _fetching(self, samples: range) -> None:
        model, rows, options = self.backend.pretrained_model, self.plain_rows, self.config.generate_kwargs
        with torch.inference_mode():
            for number in samples:
                model.generate(**rows[number : number + 1], **options)

    def _theirs(self, samples: range) -> None:
        # What its energy_star scenario does in a pass of generation, less progress bar and trackers.
        backend, dataset, options = self.backend, self.encoded, self.config.generate_kwargs
        for number in samples:
            inputs = backend.prepare_inputs(dataset[number : number + 1])
            backend.generate(inputs, options)


def _run(kinds: Sequence[Kind]) -> _Scenario:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, _inside(Path(name)) as folder:
        tiny = write_tiny(folder / "tiny", tasks=["text_generation"], samples=SAMPLES)["text_generation"]
        backend = PyTorchBackend(
            PyTorchConfig(
                model=str(tiny.model),
                processor=str(tiny.model),
                task="text-generation",
                device="cpu",
                torch_dtype="float32",
            )
        )
        scenario = _Scenario(
            EnergyStarSettings(
                dataset_name=str(tiny.dataset),
                num_samples=SAMPLES,
                truncation=True,
                input_shapes={"batch_size": 1},
                generate_kwargs={"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS},
                runs=len(kinds),
                phases=False,
            )
        )
        scenario.kinds = kinds
        scenario.run(backend)
        return scenario


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
