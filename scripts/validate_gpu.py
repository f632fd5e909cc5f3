"""What measuring on this machine's GPU is worth, in one command and without a network.

python -m scripts.validate_gpu [--only NAME ...] [--minutes 25] [--out results/h200]

Real architectures with random weights go through `scorekit bench`, each on its task; the ticks of the GPU's counter,
its power at rest, what meters take, and how well a measurement repeats are measured beside them. The report is written
after each part; a part that is done is not done again. docs/gpu.md tells what it holds.

Exit codes: 0 all parts done, 1 a part failed, 2 usage, 3 a run was measured but is not valid, 130 interrupted.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.validation import records, report
from scripts.validation.parts import PARTS, Part, Setup
from scripts.validation.records import Outcome
from scripts.validation.running import ROOT, PartError

import scorekit
from scorekit import atomic
from scorekit.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_INVALID,
    EXIT_USAGE,
    HardwareError,
    ScorekitError,
    UsageError,
    install_line,
)

_NAMES = [part.name for part in PARTS]
_BELOW_THE_FAKE = "VALIDATION_FAKE_NVML"
_REHEARSE = "rehearse without a GPU: --tiny --device cpu --fake-nvml"


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    options = _parser().parse_args(arguments)
    if options.list:
        for part in PARTS:
            print(f"{part.name:18} {part.estimate_s:4.0f} s  {part.what}")
        return EXIT_DONE
    if options.fake_nvml and _BELOW_THE_FAKE not in os.environ:
        return _below_the_fake(arguments)
    try:
        gpu = _gpu(options.gpu, options.device, os.environ)
    except (ScorekitError, ModuleNotFoundError) as error:
        mend = getattr(error, "mend", None) or install_line("bench")
        print(f"error: {getattr(error, 'message', error)} ({mend}; or {_REHEARSE})", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    if options.device == "cuda" and not _torch_computes_on_gpus():
        print(
            f"error: torch finds no CUDA GPU (install a CUDA build of torch that the driver can run; or {_REHEARSE})",
            file=sys.stderr,
        )
        return EXIT_FAILED
    try:
        published = {} if options.tiny else _published(options.reference)
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = "expected a CSV with the columns model and gpu_energy_wh_per_1000_queries"
        print(f"error: --reference {options.reference} cannot be read: {error}; {expected}", file=sys.stderr)
        return EXIT_USAGE
    for folder in (options.out, options.cache):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            told = f"{folder} cannot be made: {error.strerror} (choose another with --out or --cache)"
            print(f"error: {told}", file=sys.stderr)
            return EXIT_FAILED
    setup = Setup(options.device, gpu, options.tiny, options.out, options.cache, options.disk, options.keep_models)
    with (options.out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"error: another validation writes to {options.out} (wait for it, or choose --out)", file=sys.stderr)
            return EXIT_FAILED
        return validate(setup, [part for part in PARTS if part.name in options.only], options.minutes, published)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.validate_gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=_NAMES, default=_NAMES, help="these parts alone")
    parser.add_argument("--list", action="store_true", help="name the parts, with what each takes on an H100")
    parser.add_argument(
        "--minutes",
        type=float,
        default=25.0,
        help="begin no real part that would end later (default: %(default)g)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/gpu"), help="folder of the report (default: %(default)s)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "scorekit-validation",
        help="folder of the models while they are measured (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--disk", metavar="GB", type=float, default=40.0, help="most that a model may take there")
    parser.add_argument("--keep-models", action="store_true", help="leave them there")
    parser.add_argument(
        "--reference", metavar="CSV", type=Path,
        help="published energies: columns model and gpu_energy_wh_per_1000_queries (default: those in the script)",
    )  # fmt: skip
    parser.add_argument(
        "--gpu", help="its number in nvidia-smi, its UUID or the beginning of that (default: the first that "
        "CUDA_VISIBLE_DEVICES leaves)",
    )  # fmt: skip
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu is for a rehearsal")
    parser.add_argument("--tiny", action="store_true", help="tiny shapes and short windows: a rehearsal")
    parser.add_argument("--fake-nvml", action="store_true", help="a rehearsal with the NVML of the tests")
    return parser


def validate(setup: Setup, parts: Sequence[Part], minutes: float, published: dict[str, float]) -> int:
    """Do the parts one after the other, and write the report after each."""
    begun_s = time.monotonic()
    before = ((part.name, records.load(part.name, setup.out, setup.settings)) for part in PARTS)
    # Parts that were done by an earlier call stand in the report too.
    outcomes = {name: known for name, known in before if known is not None}
    interrupted = False
    for number, part in enumerate(parts, start=1):
        if part.name in outcomes and outcomes[part.name].state == "done":
            _tell(f"[{number}/{len(parts)}] {part.name}: done before")
            continue
        spent_s = time.monotonic() - begun_s
        left_out = part.in_the_way(setup)
        if spent_s + part.estimate_s > 60 * minutes and not setup.tiny:
            left_out = (
                f"{minutes:g} minutes do not suffice: {spent_s:.0f} s were over, and it takes {part.estimate_s:.0f}"
            )
        if left_out is not None:
            outcomes[part.name] = Outcome(part.name, "left out", left_out)
            _tell(f"[{number}/{len(parts)}] {part.name}: left out: {left_out}")
            continue
        _tell(f"[{number}/{len(parts)}] {part.name}: {part.what} ...")
        try:
            outcomes[part.name] = _do(part, setup)
        except KeyboardInterrupt:
            interrupted = True
            break
        records.save(outcomes[part.name], setup.out)
        _write(setup, outcomes, published)
    _write(setup, outcomes, published)
    _tell(f"report: {setup.out / 'report.md'}")
    return EXIT_INTERRUPTED if interrupted else exit_code(outcomes[part.name] for part in parts)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """What became of the parts, as one code."""
    found = [*outcomes]
    if any(outcome.state == "failed" for outcome in found):
        return EXIT_FAILED
    return EXIT_INVALID if any(outcome.data.get("valid") is False for outcome in found) else EXIT_DONE


def _do(part: Part, setup: Setup) -> Outcome:
    begun_s = time.monotonic()
    log = setup.out / "logs" / f"{part.name}.log"
    log.unlink(missing_ok=True)
    try:
        data, why, lines = part.work(part, setup, log), None, []
    except PartError as error:
        data, why, lines = {}, str(error), error.last_lines
    except Exception as error:  # noqa: BLE001 - whatever it is, the report tells it and the other parts go on
        data, why, lines = {}, f"{type(error).__name__}: {error}", []
    took_s = round(time.monotonic() - begun_s, 1)
    _tell(f"  {'done' if why is None else f'failed: {why}'} ({took_s:.0f} s)")
    return Outcome(
        part.name,
        "done" if why is None else "failed",
        why,
        took_s,
        datetime.now(UTC).isoformat(timespec="seconds"),
        setup.settings,
        data,
        tuple(lines),
    )


def _write(setup: Setup, outcomes: dict[str, Outcome], published: dict[str, float]) -> None:
    rehearsal = [name for name, given in (("tiny shapes", setup.tiny), ("the CPU", setup.device == "cpu")) if given]
    about = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "scorekit": scorekit.__version__,
        "python": platform.python_version(),
        "took": f"{sum(outcome.took_s for outcome in outcomes.values()):.0f} s",
        "measured": f"a rehearsal on {' and '.join(rehearsal)}: no figure says anything of a GPU"
        if rehearsal
        else f"{setup.device}, GPU {setup.gpu}",
    }
    whole = {
        "schema_version": records.SCHEMA,
        **about,
        "settings": setup.settings,
        "parts": [
            {"name": one.name, "state": one.state, "why": one.why, "took_s": one.took_s, "data": one.data,
             "last_lines": one.last_lines}
            for one in outcomes.values()
        ],
    }  # fmt: skip
    atomic.write_text(setup.out / "report.json", json.dumps(whole, indent=2) + "\n")
    atomic.write_text(setup.out / "report.md", report.markdown(outcomes, about, published))


def _published(reference: Path | None) -> dict[str, float]:
    """Published energies of a CSV by the model's name; none beside those in the script where there is no file."""
    if reference is None:
        return {}
    with reference.open(encoding="utf-8", newline="") as file:
        return {row["model"]: float(row["gpu_energy_wh_per_1000_queries"]) for row in csv.DictReader(file)}


def _gpu(named: str | None, device: str, environ: Mapping[str, str]) -> int:
    """NVML's number of the GPU that is validated: the one that is named, or the first that this process was given.

    Raises:
        ScorekitError: there is none, or it is not clear which; it is never another one than was named.
    """
    from scorekit.measuring import gpus

    if named is not None:
        return gpus.number(named.strip(), "--gpu")
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    # Beside a model on the CPU, to hide all GPUs from CUDA hides none from the rehearsal.
    if visible is None or (device == "cpu" and not gpus.visible_ids(visible)):
        return gpus.number("0", "--gpu")
    try:
        first = gpus.resolve(gpus.AUTO, "cuda", None, environ)[0]
    except HardwareError as error:
        raise HardwareError(error.message, mend=f"name it: --gpu 0; {error.mend}") from error
    return gpus.indices([first])[0]


def _torch_computes_on_gpus() -> bool:
    ask = "import torch, sys; sys.exit(0 if torch.cuda.is_available() else 1)"
    return subprocess.run([sys.executable, "-c", ask], check=False, capture_output=True).returncode == 0


def _below_the_fake(arguments: Sequence[str]) -> int:
    """Run this module in a process whose NVML is the fake: libraries ask for NVML as soon as they are imported."""
    sys.path.insert(0, str(ROOT))
    from tests.fake_nvml import FakeNvml

    with tempfile.TemporaryDirectory() as name:
        # A quick tick makes short windows of a hundred of them.
        fake = FakeNvml(Path(name), tick_ms=10, power_w=[(0, 90), (7200, 690)])
        environment = {**os.environ, **fake.environment(), _BELOW_THE_FAKE: "1"}
        return subprocess.run([sys.executable, "-m", "scripts.validate_gpu", *arguments], env=environment).returncode


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
