"""Build wheel and sdist as they would be published, install the wheel where nothing else is, try it as its users would,
and end with code 1 when something is amiss:
`python -m scripts.check_package [--dist FOLDER | --python VERSION | --interpreter FILE]`.

Code 2 says that it cannot be checked here: the source of packages is out of reach, or that Python cannot be had.
It needs the extras dev and release. With --dist what was found good is written to a folder: sdist, wheel, SBOM and
SHA256SUMS.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.image.engine import Clock, UnavailableError
from scripts.package import behaviour, bill, building, contents, example, installing, pythons, typed
from scripts.package.building import Built
from scripts.package.installing import Environment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dist", type=Path, help="write what was found good to this folder, new or of a release")
    what.add_argument(
        "--python",
        metavar="VERSION",
        choices=sorted(pythons.SYSTEMS),
        help=f"try it on another Python, which debootstrap brings, as root: {', '.join(pythons.SYSTEMS)}",
    )
    what.add_argument("--interpreter", metavar="FILE", type=Path, help="try it on another Python, installed here")
    options = parser.parse_args()
    if options.dist is not None and (name := stranger(options.dist)) is not None:
        parser.error(f"{options.dist} would be emptied, and holds {name}, which is of no release; name another folder")
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="check-package-") as folder:
        try:
            faults = list(check(Path(folder), clock, options.python or options.interpreter, options.dist))
        except UnavailableError as error:
            print(f"the package was NOT CHECKED: {error}", flush=True)
            return 2
        except RuntimeError as error:
            faults = [str(error)]
    wall_s, cpu_s = sum(step[1] for step in clock.steps), sum(step[2] for step in clock.steps)
    print(f"{'all':60} {wall_s:6.1f} s wall {cpu_s:6.1f} s CPU")
    for fault in faults:
        print(f"FAULT: {fault}")
    if faults:
        print(f"the package has {len(faults)} fault{'s' if len(faults) > 1 else ''}", flush=True)
        return 1
    print("the package is as it should be", flush=True)
    return 0


def check(work: Path, clock: Clock, other: str | Path | None, dist: Path | None) -> Iterator[str]:
    """Everything, told fault by fault.

    Args:
        work: an empty folder.
        clock: told of each step.
        other: the version of another Python, or its interpreter; None for this one's whole check.
        dist: where to write what is good; None for nowhere.

    Raises:
        RuntimeError: it cannot be built or installed.
        UnavailableError: something that is needed cannot be had here.
    """
    built = building.build(building.copy(work / "copy"), work / "built")
    clock.lap("sdist and wheel of the tracked files")
    if other is not None:
        yield from _elsewhere(built, work, clock, other)
        return
    faults = []
    again = building.build(building.unpacked(built.sdist, work / "unpacked"), work / "again")
    clock.lap("both again, out of the sdist")
    places = [building.ROOT, work]
    faults += contents.judge(built, again, building.tracked(), places)
    _tell_files(built)
    clock.lap("what they hold and say")
    environment = installing.make(work / "clean", built.wheel)
    faults += installing.judge(environment)
    _tell_packages(environment)
    clock.lap("the wheel in an environment of its own, without extras")
    faults += behaviour.judge(environment)
    clock.lap("what works there, and what is told of the rest")
    faults += typed.judge(environment, work)
    clock.lap("a user's program under mypy")
    found = bill.bill(environment, built.wheel)
    faults += bill.judge(found, environment, places)
    without = ", ".join(bill.unlicensed(found)) or "none"
    print(f"SBOM: {len(found['components'])} components beside scorekit; without a licence: {without}")
    clock.lap("the SBOM")
    faults += example.judge(environment, work)
    clock.lap("the example of a plugin, installed beside it")
    if dist is not None and not faults:
        write(dist, built, bill.text(found))
    yield from faults


def stranger(dist: Path) -> str | None:
    """The name of something in a folder that is of no release of scorekit; None where there is nothing else."""
    names = sorted(path.name for path in dist.iterdir()) if dist.is_dir() else []
    return next((name for name in names if not name.startswith("scorekit-") and name != "SHA256SUMS"), None)


def write(dist: Path, built: Built, sbom: str) -> None:
    """Put a release into a folder of its own, with the hashes of its files."""
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    for path in (built.sdist, built.wheel):
        shutil.copyfile(path, dist / path.name)
    (dist / f"{built.sdist.name.removesuffix('.tar.gz')}.cdx.json").write_text(sbom, encoding="utf-8")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(dist.iterdir())]
    (dist / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    print(f"written to {dist}: {', '.join(path.name for path in sorted(dist.iterdir()))}")


def _elsewhere(built: Built, work: Path, clock: Clock, other: str | Path) -> Iterator[str]:
    """On another Python: what can be installed, and what works without extras."""
    version = other if isinstance(other, str) else pythons.version_of(other)
    for extra, why in pythons.installable(version, work, built.wheel):
        print(f"Python {version}: {f'scorekit[{extra}]' if extra else 'scorekit':20} {why or 'can be installed'}")
    clock.lap("what pip can install there")
    if isinstance(other, str):
        environment = pythons.make(other, work / "other", built.wheel)
    else:
        environment = pythons.of(other, work / "other", built.wheel)
    _tell_packages(environment)
    clock.lap(f"Python {version} with scorekit")
    yield from behaviour.judge(environment)
    clock.lap("what works there, and what is told of the rest")


def _tell_files(built: Built) -> None:
    for path in (built.sdist, built.wheel):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def _tell_packages(environment: Environment) -> None:
    named = ", ".join(f"{name} {version}" for name, version in sorted(environment.packages.items()))
    print(f"{len(environment.packages)} packages, {environment.size_bytes / 1e6:.0f} MB: {named}")
    if not environment.prefix:
        print("the network could NOT be cut off: this machine gives no namespaces")


if __name__ == "__main__":
    sys.exit(main())
