"""Every accommodation to optimum-benchmark 0.6.0, the newest release, each with its reason.

optimum-benchmark was written for transformers 4. Under transformers 5 its backends do not import, and some of its
paths assume a connection. The changes below are made on the imported modules, once in a process, before a backend
is used. `needed` looks at the unchanged libraries; a test fails as soon as one
is needed no longer.

Nothing else in scorekit may patch optimum-benchmark.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scorekit.errors import UsageError
from scorekit.measuring import late_imports

OPTIMUM_BENCHMARK: Final = "0.6.0"

# Read by the libraries when they are imported: hints about optional image libraries on every start are noise here,
# and forked tokenizer threads only warn.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# The Hub's client tells of every retry; what came of them is told by our own error.
os.environ.setdefault("HF_HUB_VERBOSITY", "error")


ALWAYS: Final = "always"
BEFORE: Final = "before the backends"
AFTER: Final = "after the backends"
BACKENDS: Final = "optimum_benchmark.backends.base"


@dataclass(frozen=True, slots=True)
class Accommodation:
    """One change to optimum-benchmark.

    Attributes:
        name: short and stable.
        reason: what breaks without it.
        transformers_5_only: whether it is for transformers 5 alone.
        when: BEFORE and AFTER are made around the import of the backends, which takes seconds and of which a process
            that only starts another one has no need; ALWAYS at once.
        needed: true as long as the libraries, unchanged, still have the fault.
        apply: makes the change.
    """

    name: str
    reason: str
    transformers_5_only: bool
    when: str
    needed: Callable[[], bool]
    apply: Callable[[], None]


def _transformers() -> Any:
    # transformers 5 replaces its own entry in sys.modules while it loads, so a reference taken earlier is another
    # object than the one `from transformers import X` will ask.
    import transformers  # noqa: F401

    return sys.modules["transformers"]


def transformers_major() -> int:
    """Major version of the installed transformers."""
    return int(str(_transformers().__version__).split(".")[0])


def _special_tokens_mixin_needed() -> bool:
    return not hasattr(_transformers(), "SpecialTokensMixin")


def _special_tokens_mixin() -> None:
    # It loads, and replaces, transformers once more.
    import transformers.processing_utils  # noqa: F401

    module = _transformers()
    # Only named in a type annotation there; its methods now live in the tokenizers' base class.
    module.SpecialTokensMixin = module.PreTrainedTokenizerBase


def _vision2seq_needed() -> bool:
    from optimum_benchmark import task_utils

    name = task_utils.TASKS_TO_AUTO_MODEL_CLASS_NAMES["image-to-text"]
    return isinstance(name, str) and not hasattr(_transformers(), name)


def _vision2seq() -> None:
    from optimum_benchmark import task_utils

    name = "AutoModelForImageTextToText"
    task_utils.TASKS_TO_AUTO_MODEL_CLASS_NAMES["image-to-text"] = name
    mapping = getattr(_transformers(), name)._model_mapping._model_mapping
    task_utils.TASKS_TO_MODEL_TYPES_TO_MODEL_CLASS_NAMES["image-to-text"].update(mapping)


def _processor_attributes_needed() -> bool:
    from transformers import ProcessorMixin

    return not hasattr(ProcessorMixin, "attributes")


def _processor_attributes() -> None:
    from transformers import ProcessorMixin

    ProcessorMixin.attributes = property(lambda self: list(self.get_attributes()))  # type: ignore[attr-defined]


def _no_weights_needed() -> bool:
    import optimum_benchmark

    # The source is the fault here: a fresh cache folder can never be served offline, nor a local folder downloaded.
    # It is read as text, because the module itself cannot be imported before other changes are made.
    source = Path(optimum_benchmark.__path__[0]) / "backends" / "base.py"
    return "cache_dir=self.tmpdir.name" in source.read_text(encoding="utf-8")


def _no_weights() -> None:
    from optimum_benchmark.backends.base import Backend

    Backend.create_no_weights_model_fast = _create_no_weights_model


def _create_no_weights_model(self: Any) -> None:
    """Put the model's config, processor and one dummy weight in the backend's temporary folder."""
    from huggingface_hub import hf_hub_download
    from safetensors.torch import save_model
    from torch.nn import Linear

    folder = Path(self.tmpdir.name) / "no_weights"
    folder.mkdir()
    source = Path(self.config.model) / "config.json"
    if not source.is_file():
        source = Path(
            hf_hub_download(self.config.model, "config.json", revision=(self.config.model_kwargs or {}).get("revision"))
        )
    shutil.copyfile(source, folder / "config.json")
    if self.pretrained_processor is not None:
        self.pretrained_processor.save_pretrained(folder)
    save_model(Linear(1, 1), str(folder / "model.safetensors"), metadata={"format": "pt"})
    if self.generation_config is not None:
        # A random model must not end early by chance: what is measured is the number of tokens asked for.
        self.generation_config.eos_token_id = None
        self.generation_config.pad_token_id = None
        if getattr(self.generation_config, "decoder_start_token_id", None) is None:
            raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self.generation_config.decoder_start_token_id = raw.get("decoder_start_token_id")
        self.generation_config.save_pretrained(folder)
    self.no_weights_model_path = folder


def _later_diffusers_needed() -> bool:
    import optimum_benchmark

    source = (Path(optimum_benchmark.__path__[0]) / "task_utils.py").read_text(encoding="utf-8")
    return "\n    from diffusers.pipelines.auto_pipeline import (" in source


def _later_diffusers() -> None:
    from optimum_benchmark import task_utils

    task_utils.TASKS_TO_PIPELINE_TYPES_TO_PIPELINE_CLASS_NAMES = late_imports.PipelineNames()


def _lost_gpus_needed() -> bool:
    import optimum_benchmark

    source = (Path(optimum_benchmark.__path__[0]) / "system_utils.py").read_text(encoding="utf-8")
    body = source.partition("def get_gpus()")[2].partition("\ndef ")[0]
    return "nvmlDeviceGetName" in body and "except" not in body


def _lost_gpus() -> None:
    from optimum_benchmark import system_utils

    # What the GPUs are is told in environment.json; whoever needs one is told by our own errors.
    system_utils.get_gpus = _or_nothing(system_utils.get_gpus, [])
    system_utils.get_gpu_vram_mb = _or_nothing(system_utils.get_gpu_vram_mb, None)


def _or_nothing(ask: Callable[[], Any], nothing: Any) -> Callable[[], Any]:
    """The same question, answered with nothing where NVML answers with an error."""

    def asked() -> Any:
        import pynvml

        try:
            return ask()
        except pynvml.NVMLError:
            return nothing

    return asked


ACCOMMODATIONS: Final[tuple[Accommodation, ...]] = (
    Accommodation(
        "special_tokens_mixin",
        "backends/transformers_utils.py imports SpecialTokensMixin, which transformers 5 removed",
        True,
        BEFORE,
        _special_tokens_mixin_needed,
        _special_tokens_mixin,
    ),
    Accommodation(
        "vision2seq",
        "image-to-text is loaded by AutoModelForVision2Seq, which transformers 5 removed",
        True,
        ALWAYS,
        _vision2seq_needed,
        _vision2seq,
    ),
    Accommodation(
        "processor_attributes",
        "shapes are read through ProcessorMixin.attributes, which transformers 5 replaced by get_attributes()",
        True,
        BEFORE,
        _processor_attributes_needed,
        _processor_attributes,
    ),
    Accommodation(
        "no_weights",
        "random weights are made from a config downloaded into an empty cache: neither offline nor a folder works",
        False,
        AFTER,
        _no_weights_needed,
        _no_weights,
    ),
    Accommodation(
        "later_diffusers",
        "all pipelines of diffusers are imported to list their names, which is half of the start of every run",
        False,
        ALWAYS,
        _later_diffusers_needed,
        _later_diffusers,
    ),
    Accommodation(
        "lost_gpus",
        "its config asks every GPU of the machine for its name: one that is lost or forbidden ends CPU runs too",
        False,
        ALWAYS,
        _lost_gpus_needed,
        _lost_gpus,
    ),
)

_applied = False


def refuse_broken_amdsmi() -> None:
    """Say in plain words what would else be optimum-benchmark's KeyError: 'libamd_smi.so'.

    Raises:
        UsageError: the package amdsmi is installed, and fails when it is imported, as it does without AMD's library.
    """
    try:
        # It prints where it looked for the library.
        with contextlib.redirect_stdout(None):
            importlib.import_module("amdsmi")
    except ModuleNotFoundError:
        return
    except Exception as error:
        raise UsageError(
            f"the package amdsmi fails on this machine ({type(error).__name__}: {error}), and optimum-benchmark "
            "imports it wherever it is installed; Zeus pulls it in",
            mend="pip uninstall --yes amdsmi",
        ) from error


def _make(when: str) -> None:
    major = transformers_major()
    for one in ACCOMMODATIONS:
        if one.when == when and (major >= 5 or not one.transformers_5_only):
            one.apply()


def apply() -> None:
    """Make optimum-benchmark usable with the installed transformers; a second call does nothing.

    Raises:
        UsageError: amdsmi is installed on a machine without AMD's library.
    """
    global _applied
    if _applied:
        return
    refuse_broken_amdsmi()
    with late_imports.stood_in():
        import optimum_benchmark  # noqa: F401
    _make(ALWAYS)
    late_imports.when_imported(BACKENDS, lambda: _make(BEFORE), lambda: _make(AFTER))
    # optimum-benchmark passes the older name of an argument, which both libraries still take.
    warnings.filterwarnings("ignore", message="`torch_dtype` is deprecated")
    _applied = True
