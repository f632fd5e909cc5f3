"""What an install without extras does, and what it says of the rest: every command that its users would try first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Final

from scripts.image.engine import Ended
from scripts.package import commands
from scripts.package.building import ROOT
from scripts.package.installing import Environment

from scorekit import __version__
from scorekit.cli import VERBS

GOLDEN: Final = ROOT / "tests" / "golden"
ABSENT: Final = ("datasets", "huggingface_hub", "hydra", "numpy", "pandas", "torch", "transformers", "vl_convert")
"""Imports that an install without extras has no need of."""

_FIRST: Final = """
import importlib.util, json, sys
import scorekit
from scorekit import cli, editions, impacts, logs, rating, store
from scorekit.publish import charts, label, site
found = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is not None]
print(json.dumps([scorekit.__version__, scorekit.__file__, found]))
"""


def judge(environment: Environment) -> Iterator[str]:
    """What does not work, or is not told as it should be."""
    left_out = shutil.ignore_patterns("*.py", "__pycache__", "*.expected.json")
    shutil.copytree(GOLDEN, environment.folder / "golden", ignore=left_out)
    for part in (_import, _help, _logs, _commands):
        yield from part(environment)


def _import(environment: Environment) -> Iterator[str]:
    ended = environment.run("-c", _FIRST, *ABSENT)
    if ended.code:
        yield _fault("importing scorekit", ended)
        return
    version, place, found = json.loads(ended.out)
    if version != __version__:
        yield f"the installed scorekit says that it is {version}, expected {__version__}"
    if "site-packages" not in place:
        yield f"scorekit is imported from {place}, not from where it is installed"
    yield from (f"{name} is installed, and nothing of scorekit without extras needs it" for name in found)
    ended = environment.run("-c", "import torch")
    if ended.code == 0 or "No module named 'torch'" not in ended.err:
        yield _fault("importing torch, which should not be there", ended)
    yield from expect("--version", environment.scorekit("--version"), 0, f"scorekit {__version__}")


def _help(environment: Environment) -> Iterator[str]:
    yield from expect("--help", environment.scorekit("--help"), 0, *VERBS)
    for verb, ended in zip(VERBS, environment.typed(*([verb, "--help"] for verb in VERBS)), strict=True):
        # The arguments of bench are Hydra's, and its help is a text of our own.
        yield from expect(f"{verb} --help", ended, 0, "--config-name" if verb == "bench" else f"usage: scorekit {verb}")


def _logs(environment: Environment) -> Iterator[str]:
    """Logs of every format that there are golden ones of."""
    formats = sorted(path.name for path in (environment.folder / "golden" / "logs").iterdir())
    ended = environment.scorekit("parse", "golden/logs", "--read-only", "--format", "jsonl")
    # Some are there to be refused: measured, but invalid.
    yield from expect("parsing logs of other tools", ended, 3)
    read = {json.loads(one)["source"]["name"] for one in ended.out.splitlines()}
    missing = [name for name in formats if not any(f"logs/{name}/" in source for source in read)]
    yield from (f"nothing was read of golden/logs/{name}" for name in missing)


def _commands(environment: Environment) -> Iterator[str]:
    """What its users type, each with the exit code that it must have and words that it must say."""
    _write_another(environment)
    ended = environment.typed(*(command for command, _, _ in commands.EXPECTED))
    for (command, code, words), one in zip(commands.EXPECTED, ended, strict=True):
        yield from expect(" ".join(command), one, code, *words)
    for name, begins in commands.WRITTEN.items():
        path = environment.folder / name
        if not path.is_file() or not path.read_bytes().startswith(begins):
            yield f"{name} was not written, or does not begin with {begins!r}"


def _write_another(environment: Environment) -> None:
    """A score of another model beside the golden one, so that there are two to rate among themselves."""
    score = json.loads((environment.folder / commands.RUN / "score.json").read_text(encoding="utf-8"))
    for name, energy_wh in (("one", 7.0), ("other", 9.0)):
        told = json.dumps({**score, "model": f"example/{name}", "wh_per_1000_queries": energy_wh})
        (environment.folder / f"{name}.json").write_text(told, encoding="utf-8")


def expect(what: str, ended: Ended, code: int, *words: str) -> Iterator[str]:
    """Whether something ended with the code that it should, said what it should, and broke nowhere."""
    lacking = [word for word in words if word not in ended.told]
    if ended.code != code or lacking or "Traceback" in ended.err:
        yield _fault(what, ended, f", expected {code}" + (f" and: {'; '.join(lacking)}" if lacking else ""))


def _fault(what: str, ended: Ended, expected: str = "") -> str:
    return f"{what} ended with {ended.code}{expected}; it said: {ended.told.strip()[-1500:] or 'nothing'}"
