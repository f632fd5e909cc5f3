"""Write the golden run folders: `python -m tests.golden.make [FOLDER]` from the root of the repository.

Every figure is chosen so that the scores can be worked out by hand; README.md does so. The folders are
committed, and a test checks that this module still makes the same bytes. Those below v1 are files of version 1 of every
format and are made by nothing any more.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from scorekit import bundle
from scorekit.logs import read_score, write_score
from scorekit.measuring.power_log import write_power
from scorekit.records import MeterReading, Window
from tests.bundles import H100, NVML_GPU, environment, reading, window, write_bundle, write_unsealed
from tests.golden.clock import Clock
from tests.serving_runs import serving_environment, serving_windows

HERE = Path(__file__).parent
_PERIOD_S = 0.5
GOOD = (
    "generate_h100", "generate_h100_counter", "forward_cpu", "call_h100", "call_h100_short_preprocess", "serve_h100",
)  # fmt: skip
FAULTY = (
    "zero_repeat", "negative_energy", "nan_energy", "incomplete", "changed_file", "truncated_line",
)  # fmt: skip


def main(folder: Path) -> None:
    """Write every golden run folder below `folder`; those that are there are replaced."""
    for name in (*GOOD, *FAULTY):
        shutil.rmtree(folder / name, ignore_errors=True)
    _generate_h100(folder / "generate_h100")
    _generate_h100_counter(folder / "generate_h100_counter")
    _forward_cpu(folder / "forward_cpu")
    _call_h100(folder / "call_h100")
    _call_h100_short_preprocess(folder / "call_h100_short_preprocess")
    # A server at work, which version 3 of the formats is for.
    write_bundle(folder / "serve_h100", serving_environment(), serving_windows())
    _faulty_energies(folder)
    _broken_files(folder)
    for name in GOOD:
        write_score(folder / name, read_score(folder / name))


def _generate_h100(folder: Path) -> None:
    """Text generation as the protocol asks: 10 repeats of 1,000 queries on one H100."""
    windows = [_load("load_dataset", "gpu"), _load("load_model", "gpu")]
    for repeat in range(10):
        # Odd repeats take 0.2 Wh more; in repeat 9 prefill took more than generate, so it has no decode of its own.
        generate_wh = 7.6 if repeat % 2 else 7.4
        prefill_wh = 7.8 if repeat == 9 else 3.0
        windows += [
            _window("preprocess", repeat, 2.0, (0.5, 0.1, 0.05)),
            _window("prefill", repeat, 20.0, (prefill_wh, 1.0, 0.5), batches=1000),
            _window(
                "generate",
                repeat,
                50.0,
                (generate_wh, 2.0, 1.0),
                batches=1000,
                failures=0,
                output_tokens=10_000,
            ),
        ]
    write_bundle(folder, environment("text_generation"), windows)


def _generate_h100_counter(folder: Path) -> None:
    """Text generation with all that a run records today: a counter read at its ticks, two passes, idle windows."""
    clock = Clock(tick_s=0.1)
    windows = [clock.window("load_model", None, 20.0, 2.0, 0.0), clock.idle("idle_before")]
    states = [clock.state("start")]
    for repeat in range(10):
        # Idle power, 60 W, while the inputs are prepared: 0.06 Wh in 3.6 s.
        windows.append(clock.window("preprocess", repeat, 3.6, 0.06, 0.00075, samples=1000, passes=1))
        states.append(clock.state("repeat", repeat))
        counts = {"samples": 2000, "passes": 2, "batches": 2000, "failures": 0, "input_tokens": 60_000,
                  "output_tokens": 20_000, "early_ends": 0, "truncated_inputs": 0}  # fmt: skip
        windows.append(clock.window("generate", repeat, 120.0, 15.28 if repeat % 2 else 14.88, 0.002, **counts))
    windows.append(clock.idle("idle_after"))
    states.append(clock.state("end"))
    gpu = H100.model_copy(
        update={
            "power_limit_default_w": 700.0,
            "power_limit_min_w": 200.0,
            "power_limit_max_w": 700.0,
            "sm_clock_max_mhz": 1980,
            "mem_clock_max_mhz": 2619,
            "architecture": "hopper",
            "compute_capability": "9.0",
            "mig": False,
            "virtualization": "none",
            "counter_scope": "gpu",
        }
    )
    run = {"meters": ("nvml",), "min_window_s": 60.0, "torch_dtype": "float16"}
    facts = environment("text_generation", gpus=(gpu,), run=run)
    facts = facts.model_copy(update={"torch_gpus": (NVML_GPU,), "model_gpus": (NVML_GPU,)})
    write_unsealed(folder, facts, windows)
    lines = "".join(state.model_dump_json() + "\n" for state in states)
    (folder / bundle.GPU_STATES).write_text(lines, encoding="utf-8")
    write_power(clock.trace(_PERIOD_S), folder, period_s=_PERIOD_S, sampler_cpu_s=0.5, sampler_wall_s=1500.0)
    bundle.seal(folder)


def _forward_cpu(folder: Path) -> None:
    """Text classification on a CPU: 3 repeats of 20 queries, modelled energy."""
    facts = environment(
        "text_classification",
        gpus=(),
        run={"num_samples": 20, "runs": 3},
        model={
            "name": "tiny-bert",
            "local": True,
            "revision": None,
            "parameters": 100_000,
            "random_weights": True,
        },
        dataset={"name": "text_classification", "local": True, "revision": None, "rows": 20},
    )
    windows = [_load("load_model", "cpu")]
    for repeat in range(3):
        cpu_wh = 0.010 + 0.001 * repeat
        windows += [
            _window("preprocess", repeat, 0.25, (None, 0.001, 0.0005), samples=20),
            _window("forward", repeat, 1.5, (None, cpu_wh, 0.0025), samples=20, batches=20, failures=0),
        ]
    write_bundle(folder, facts, windows)


def _call_h100(folder: Path) -> None:
    """Image generation as the protocol asks, with a second meter whose readings must not be added."""
    windows = []
    for repeat in range(10):
        for phase, seconds, energy_wh in (("preprocess", 1.0, 2.0), ("call", 3600.0, 498.0)):
            made = _window(phase, repeat, seconds, (energy_wh, 1.0, 0.5))
            second = reading("gpu", energy_wh * 1.01, meter="second")
            changes: dict[str, object] = {"readings": (second, *made.readings)}
            if phase == "call":
                changes |= {"images": 1000, "batches": 1000, "failures": 0}
            windows.append(made.model_copy(update=changes))
    facts = environment("text_to_image", gpus=(H100,), run={"meters": ("codecarbon", "second")})
    write_bundle(folder, facts, windows)


def _call_h100_short_preprocess(folder: Path) -> None:
    """Image generation as it really is: preparing prompts takes 1 ms, and the GPU's counter does not move in it."""
    windows = []
    for repeat in range(10):
        windows += [
            _window("preprocess", repeat, 0.001, (0.0, 1e-6, 5e-7)),
            _window("call", repeat, 3600.0, (500.0, 1.0, 0.5), images=1000, batches=1000, failures=0),
        ]
    write_bundle(folder, environment("text_to_image"), windows)


def _faulty_energies(folder: Path) -> None:
    for name, energy_wh in (("zero_repeat", 0.0), ("negative_energy", -1.5), ("nan_energy", float("nan"))):
        windows = []
        for repeat in range(3):
            generate_wh = energy_wh if repeat == 1 else 7.5
            windows += [
                _window("preprocess", repeat, 2.0, (0.5, 0.1, 0.05)),
                _window("generate", repeat, 50.0, (generate_wh, 2.0, 1.0), failures=0, output_tokens=10_000),
            ]
        write_bundle(folder / name, environment("text_generation", run={"runs": 3}), windows)


def _broken_files(folder: Path) -> None:
    facts = environment("text_classification", run={"runs": 2})
    windows = []
    for repeat in range(2):
        windows += [
            _window("preprocess", repeat, 2.0, (0.5, 0.1, 0.05)),
            _window("forward", repeat, 50.0, (7.5, 2.0, 1.0), failures=0),
        ]
    # The process was killed while it wrote its last line.
    write_unsealed(folder / "incomplete", facts, windows)
    _cut_last_line(folder / "incomplete")
    (folder / "incomplete" / bundle.INCOMPLETE).write_text("This run has not ended (or was killed).\n")

    write_bundle(folder / "changed_file", facts, windows)
    lines = (folder / "changed_file" / bundle.WINDOWS).read_text().replace('"energy_wh":7.5', '"energy_wh":6.5')
    (folder / "changed_file" / bundle.WINDOWS).write_text(lines)

    # A torn line under a manifest that agrees with it: the files hold together, but are not a log.
    write_unsealed(folder / "truncated_line", facts, windows)
    _cut_last_line(folder / "truncated_line")
    bundle.seal(folder / "truncated_line")


def _cut_last_line(folder: Path) -> None:
    path = folder / bundle.WINDOWS
    path.write_bytes(path.read_bytes()[:-40])


def _load(phase: str, component: str) -> Window:
    readings = [reading("gpu", 5.0)] if component == "gpu" else [reading("cpu", 0.05), reading("ram", 0.01)]
    return window(phase, None, readings, samples=None)


def _window(
    phase: str, repeat: int, seconds: float, energies_wh: tuple[float | None, float, float], **changes: Any
) -> Window:
    components = zip(("gpu", "cpu", "ram"), energies_wh, strict=True)
    readings: list[MeterReading] = [reading(name, wh) for name, wh in components if wh is not None]
    facts: dict[str, Any] = {"end_monotonic_s": 100.0 + seconds, "batches": None, "failures": None}
    return window(phase, repeat, readings, **facts | changes)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
