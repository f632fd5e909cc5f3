"""The parts of a validation, in the order of what is most worth knowing, and the work of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.validation import bundles, samples
from scripts.validation.architectures import ARCHITECTURES, Architecture
from scripts.validation.running import PartError, last_lines, run

from scorekit.errors import EXIT_DONE, EXIT_INVALID
from scorekit.measuring.tiny.datasets import TRAIN_FILE

_IMPORT_S, _REPEATS, _MANY_REPEATS = 52.0, 2, 10
"""The first is of three processes: one builds the model, one starts the measurement, one measures."""
STARTED_AFRESH = "is started afresh"
"""What the launcher says when it cannot fork: its own process has used CUDA already."""
_HEADROOM = 1.1
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Setup:
    """How all parts are measured.

    Attributes:
        device: cuda, or cpu for a rehearsal.
        gpu: its number as in nvidia-smi.
        tiny: tiny shapes and short windows: a rehearsal, which says nothing of a GPU.
        out: folder of the report, the bundles and the logs.
        cache: folder of the models while they are measured.
        disk_gb: most that a model may take there.
        keep_models: leave them there.
    """

    device: str
    gpu: int
    tiny: bool
    out: Path
    cache: Path
    disk_gb: float
    keep_models: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What makes a part's results another's."""
        return {"device": self.device, "gpu": self.gpu, "tiny": self.tiny}

    @property
    def window_s(self) -> float:
        """Least length of a window: a hundred ticks of the counter, and some more."""
        return 1.2 if self.tiny else 11.0


Work = Callable[["Part", Setup, Path], dict[str, Any]]
"""Does a part, with its log in a file, and returns its data."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        name: as `--only` takes it.
        what: in a few words.
        estimate_s: on one H100.
        work: does it.
        model: the architecture that it measures.
        repeats: of its measurement.
        start_method: how the measuring process begins; None for as the config has it, which is spawn.
    """

    name: str
    what: str
    estimate_s: float
    work: Work
    model: str | None = None
    repeats: int = 0
    start_method: str | None = None

    def in_the_way(self, setup: Setup) -> str | None:
        """Why it cannot be done on this machine; None where it can."""
        if self.model is None or setup.tiny:
            return None
        need_gb = ARCHITECTURES[self.model].size_gb * _HEADROOM
        free_gb = shutil.disk_usage(setup.cache).free / GIGABYTE
        if need_gb > setup.disk_gb:
            return f"its weights take {need_gb:.1f} GB, and --disk allows {setup.disk_gb:g}"
        if need_gb > free_gb:
            return f"its weights take {need_gb:.1f} GB, and {free_gb:.1f} are free (--cache names another folder)"
        return None


def _limit_s(part: Part, setup: Setup) -> float:
    # A rehearsal may run on a machine that is busy with much else.
    return 3600.0 if setup.tiny else 4 * part.estimate_s + 240


def machine(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
    """What is on the machine, and what is in the way of a run on it."""
    run(["-m", "scorekit", "doctor", "--json", "--torch"], log, _limit_s(part, setup), accept=(0, 1))
    text = log.read_text(encoding="utf-8")
    begin, end = text.find("{"), text.rfind("}")
    try:
        found: dict[str, Any] = json.loads(text[begin : end + 1])
    except ValueError as error:
        raise PartError("scorekit doctor --json printed no JSON", last_lines(log)) from error
    return {"doctor": found}


def ticks(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
    """How often the counter and the power reading change, and the power at rest."""
    file = log.with_suffix(".json")
    load = ["--load", "cuda"] if setup.device == "cuda" else []
    seconds = "2" if setup.tiny else "8"
    arguments = ["-m", "scripts.validation.ticks", str(file), "--seconds", seconds, "--gpu", str(setup.gpu), *load]
    run(arguments, log, _limit_s(part, setup), gpu=setup.gpu)
    return _taken(file)


def overhead(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
    """The same work with meters and without, in turn."""
    architecture = _architecture(part)
    _build(architecture, setup, log, part)
    file = log.with_suffix(".json")
    arguments = ["-m", "scripts.validation.overhead", str(setup.cache / architecture.name / "model"), str(file)]
    arguments += ["--device", setup.device, "--gpu", str(setup.gpu)]
    arguments += ["--seconds", "1", "--pairs", "1"] if setup.tiny else ["--seconds", "4"]
    try:
        run(arguments, log, _limit_s(part, setup), gpu=setup.gpu)
    finally:
        _clear(architecture, setup)
    return {"rows": _taken(file)}


def bench(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
    """One architecture on its task through `scorekit bench`."""
    architecture = _architecture(part)
    bundle = setup.out / "bundles" / part.name
    # What a try that failed has left there is no part of this one.
    shutil.rmtree(bundle, ignore_errors=True)
    _build(architecture, setup, log, part)
    try:
        arguments = bench_arguments(architecture, setup, bundle, repeats=part.repeats, start_method=part.start_method)
        code = run(["-m", "scorekit", "bench", *arguments], log, _limit_s(part, setup), (EXIT_DONE, EXIT_INVALID))
    finally:
        _clear(architecture, setup)
    found, why = bundles.readable(bundle)
    if found is None:
        raise PartError(f"its bundle makes no score (exit code {code}): {why}", last_lines(log))
    if part.start_method == "fork" and STARTED_AFRESH in log.read_text(encoding="utf-8", errors="replace"):
        raise PartError("nothing was forked: the process that starts the measurement had used CUDA", last_lines(log))
    return {
        "task": architecture.task,
        "like": architecture.like,
        # Tiny shapes stand beside nothing that was published.
        "published_wh": None if setup.tiny else architecture.published_wh,
        "data": "tiny lengths" if setup.tiny else samples.LENGTHS[architecture.task],
        **found,
    }


def bench_arguments(
    architecture: Architecture, setup: Setup, bundle: Path, *, repeats: int, start_method: str | None = None
) -> list[str]:
    """Arguments after `scorekit bench`: the official config of the task, with fewer queries and repeats."""
    folder = (setup.cache / architecture.name).absolute()
    arguments = [
        "--config-name", architecture.task,
        f"backend.model={folder / 'model'}",
        f"scenario.dataset_name={folder / 'data'}",
        f"scenario.num_samples={_count(folder / 'data')}",
        f"scenario.runs={repeats}",
        "scenario.phases=false",
        f"scenario.min_window_s={setup.window_s:g}",
        "scenario.max_gap_s=0.5",
        "scenario.cool_down_s=15",
        "scenario.meters=[nvml,codecarbon]",
        f"hydra.run.dir={bundle.absolute()}",
    ]  # fmt: skip
    if setup.device == "cuda":
        arguments += ["backend.device=cuda", f"backend.device_ids={setup.gpu}"]
    else:
        # GPUs are named by hand beside a model on the CPU, whose float16 is another thing than a GPU's.
        arguments += ["backend.device=cpu", "backend.torch_dtype=float32", f"scenario.gpus=[{setup.gpu}]"]
    if start_method is not None:
        arguments.append(f"launcher.start_method={start_method}")
    if not setup.tiny:
        return [*arguments, "scenario.idle_s=5"]
    arguments += ["scenario.idle_s=0.5", "scenario.warmup_runs=1"]
    if start_method is None:
        arguments.append("launcher=inline")
    lengths = {
        "text_to_image": ["scenario.call_kwargs.num_inference_steps=2"],
        **{
            task: ["scenario.generate_kwargs.max_new_tokens=5", "scenario.generate_kwargs.min_new_tokens=5"]
            for task in ("automatic_speech_recognition", "image_to_text")
        },
    }
    return [*arguments, *lengths.get(architecture.task, [])]


def _count(data: Path) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(data / TRAIN_FILE).num_rows)


def _architecture(part: Part) -> Architecture:
    assert part.model is not None
    return ARCHITECTURES[part.model]


def _build(architecture: Architecture, setup: Setup, log: Path, part: Part) -> None:
    arguments = ["-m", "scripts.validation.build", str(setup.cache), architecture.name]
    arguments += ["--device", setup.device, *(["--tiny"] if setup.tiny else [])]
    run(arguments, log, _limit_s(part, setup), gpu=setup.gpu)


def _clear(architecture: Architecture, setup: Setup) -> None:
    if not setup.keep_models:
        shutil.rmtree(setup.cache / architecture.name, ignore_errors=True)


def _taken(file: Path) -> Any:
    """What a command has left in a file of its own, which goes into the part's."""
    found = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return found


def _measured(name: str) -> Part:
    architecture = ARCHITECTURES[name]
    what = f"{architecture.task} with the shape of {architecture.like}"
    load_s = 2.5 * architecture.size_gb
    return Part(name, what, _IMPORT_S + load_s + 12 * _REPEATS, bench, name, _REPEATS)


_TASKS = ("gpt2", "vit-base", "bert-base", "whisper-small", "stable-diffusion")
_OTHER_TASKS = ("bart-large", "bert-large-qa", "minilm", "detr", "blip-base")
_MORE = ("llama-8b", "whisper-large-v3", "llama-3b")
_FORKED_S = _IMPORT_S * 2 / 3 + 2.5 * ARCHITECTURES["gpt2"].size_gb + 12 * _REPEATS
"""A copy of the process that starts the measurement has the libraries already."""
_TEN_REPEATS_S = _IMPORT_S + 12 * _MANY_REPEATS

PARTS: Sequence[Part] = (
    Part("machine", "what is on the machine", 15.0, machine),
    Part("ticks", "how often counter and power change, and the power at rest", 35.0, ticks),
    *(_measured(name) for name in (*_TASKS, *_OTHER_TASKS)),
    Part("fork", "gpt2 again, in a measuring process that is forked", _FORKED_S, bench, "gpt2", _REPEATS, "fork"),
    Part("repeatability", "ten repeats of one measurement", _TEN_REPEATS_S, bench, "llama-1b", _MANY_REPEATS),
    Part("overhead", "the same work with meters and without", 125.0, overhead, "gpt2"),
    *(_measured(name) for name in _MORE),
)
"""All parts in the order in which they are done; where the time does not suffice, the last ones are left out."""
