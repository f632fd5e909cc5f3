"""Build the container image without an engine, run it as one would, and end with code 1 when something is amiss:
`python -m scripts.check_image [--full] [--base FOLDER] [--work FOLDER] [--keep]`, as root, from the repository's root.
Code 2 says that it cannot be checked here, for want of a program, a right, memory, room or a source of packages.

It needs hadolint (extra dev), and Debian's buildah, debootstrap, util-linux and iproute2. The base is a bare Debian, of
packages from the sources that this machine itself is set up with; pip gets this machine's settings. Of every step the
seconds are told: of the wall, and of all processors together. No limit in time is tight: they end what hangs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from scripts.image import behaviour, building, contents
from scripts.image.engine import Buildah, Clock, Engine, UnavailableError, children

NEEDED_BYTES: Final = 12 * 10**9
PROGRAMS: Final = ("buildah", "debootstrap", "unshare", "setpriv", "chroot", "ip", "hadolint")
ALONE: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Processes and mounts of its own: with the first process all others end, and every mount is gone."""

_LEAST_LEFT_BYTES: Final = 10**9
"""Of the disk: with less, something may have failed for want of it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"all that the Dockerfile puts in by default (default: the extras {building.EXTRAS}, no bytecode)",
    )
    parser.add_argument(
        "--base", type=Path, help="a root folder of Debian to build on (default: debootstrap makes one)"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("/var/tmp"), help="where to make a folder of some GB (default: /var/tmp)"
    )
    parser.add_argument("--keep", action="store_true", help="leave that folder, and the image in it")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.inside:
            return report(options)
        # Whoever is ended tidies up.
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
        go_first()
        look_around(options.work)
        options.work.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="check-image-", dir=options.work)).resolve()
        try:
            code = alone([*sys.argv[1:], "--inside", str(work)])
            if code not in (0, 1, 2):
                raise UnavailableError(f"the check itself was ended from outside, with code {code}")
            return code
        finally:
            if options.keep:
                print(f"left: {work}")
            else:
                shutil.rmtree(work, ignore_errors=True)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        # Of the image nothing is known: faults are told, not raised.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"{traceback.format_exc()}\nthe image was NOT CHECKED: {reason}", flush=True)
        return 2
    except UnavailableError as error:
        reason, _, details = str(error).partition("\n")
        print(f"{details}\nthe image was NOT CHECKED: {reason}".strip(), flush=True)
        return 2


def go_first() -> None:
    """Where memory runs out, the kernel is to end this check and what it starts, and not what runs beside it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def look_around(work: Path) -> None:
    """Whether this machine has what the check needs.

    Raises:
        UnavailableError: with what is missing.
    """
    if os.geteuid():
        raise UnavailableError("only root can\n  mend: sudo .venv/bin/python -m scripts.check_image")
    missing = [name for name in PROGRAMS if shutil.which(name, path=building.programs_path()) is None]
    if missing:
        raise UnavailableError(
            f"not installed: {', '.join(missing)}\n  mend: apt-get install buildah debootstrap util-linux iproute2; "
            'for hadolint pip install -c constraints.txt -e ".[dev]"'
        )
    tried = subprocess.run([*ALONE, "--net", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise UnavailableError(f"this machine gives no namespaces: {tried.stderr.strip()}")
    there = next(folder for folder in (work.absolute(), *work.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    wanted = NEEDED_BYTES * building.room()
    if free < wanted:
        raise UnavailableError(
            f"{there} has {free / 1e9:.1f} GB free, and {wanted / 1e9:.0f} are needed\n  mend: --work FOLDER"
        )


def alone(arguments: Sequence[str]) -> int:
    """This check with processes and mounts of its own, none of which outlives it, however it ends. Gives its code."""
    command = ["setpriv", "--pdeathsig", "KILL", *ALONE, sys.executable, "-m", "scripts.check_image", *arguments]
    # A group of its own: Ctrl-C is for this process alone, which tidies up.
    process = subprocess.Popen(command, cwd=building.ROOT, process_group=0)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            # With its first process a namespace of processes ends; that this one has ended says that all have.
            for first in children(process.pid) or [process.pid]:
                os.kill(first, signal.SIGKILL)
            process.wait()


def report(options: argparse.Namespace) -> int:
    """Check, and tell of it. Gives the code to end with."""
    buildah, clock, killed = Buildah(options.inside), Clock(), out_of_memory()
    faults = list(check(buildah, clock, options))
    if faults and out_of_memory() > killed:
        raise UnavailableError("the machine ran out of memory\n" + "\n".join(faults))
    if faults and shutil.disk_usage(options.inside).free < _LEAST_LEFT_BYTES:
        raise UnavailableError("the disk is full\n" + "\n".join(faults))
    if options.keep:
        for container in buildah("containers", "--quiet").split():
            buildah("rm", container)
    wall_s, cpu_s = sum(step[1] for step in clock.steps), sum(step[2] for step in clock.steps)
    print(f"{'all':60} {wall_s:6.1f} s wall {cpu_s:6.1f} s CPU")
    for fault in faults:
        print(f"FAULT: {fault}")
    if faults:
        print(f"the image has {len(faults)} fault{'s' if len(faults) > 1 else ''}", flush=True)
        return 1
    print(
        "the image is as it should be: linted, built, looked through, run without a network by a user whom it does not "
        f"know, and ended by SIGTERM in mid-run, in {wall_s:.0f} s, {cpu_s:.0f} of one processor",
        flush=True,
    )
    return 0


def out_of_memory() -> int:
    """How many processes this machine's kernel has killed for want of memory; 0 where it does not tell."""
    with suppress(OSError):
        found = re.search(r"(?m)^oom_kill (\d+)$", Path("/proc/vmstat").read_text(encoding="ascii"))
        return int(found[1]) if found else 0
    return 0


def check(buildah: Buildah, clock: Clock, options: argparse.Namespace) -> Iterator[str]:
    """Everything, told fault by fault."""
    work: Path = options.inside
    yield from building.lint()
    clock.lap("hadolint")
    volumes = building.make_base(buildah, clock, work, options.base)
    try:
        building.build(buildah, work, volumes, full=options.full)
    except RuntimeError as error:
        yield str(error)
        return
    clock.lap("buildah build")
    config = buildah.config(building.IMAGE)
    yield from contents.judge_config(config)
    yield from contents.judge_layers(buildah, clock)
    results, bytecode = work / "results", work / "bytecode"
    for folder in (results, bytecode):
        folder.mkdir()
        os.chown(folder, behaviour.SOMEBODY, behaviour.SOMEBODY)
    engine = Engine(Path(buildah("mount", buildah("from", building.IMAGE))), config["config"])
    if not options.full:
        # What the image lacks is made once for all containers.
        engine = replace(engine, mounts={bytecode: "/bytecode"}, environ={"PYTHONPYCACHEPREFIX": "/bytecode"})
    tried = engine.run(user=behaviour.AS_SOMEBODY, entrypoint=["true"])
    if tried.code:
        raise UnavailableError(f"nothing runs as in a container on this machine\n{tried.told}")
    yield from behaviour.judge_what_is_told(engine, work, results)
    clock.lap("what was forgotten is told; the doctor")
    yield from behaviour.judge_smoke_test(engine, work, results)
    clock.lap("the smoke test, with the network cut")
    yield from behaviour.judge_signal(engine, results)
    clock.lap("SIGTERM in mid-run")
    yield from behaviour.judge_results(results)


if __name__ == "__main__":
    sys.exit(main())
