"""How the image behaves as a container: what it tells, whose its results are, and how it ends."""

from __future__ import annotations

import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.image.building import TOKEN
from scripts.image.engine import PATIENCE_S, Ended, Engine

from scorekit import bundle
from scorekit.container.preflight import SMOKE_TEST

SOMEBODY: Final = 4711
"""A user that the image has never heard of."""
AS_SOMEBODY: Final = f"{SOMEBODY}:{SOMEBODY}"
TASK: Final = ("--config-name", "text_classification", "backend.model=demo/tiny/models/tiny-bert-classifier")
STOPS_WITHIN_S: Final = 300.0
"""Longer hangs; the launcher itself kills a measuring process that has not heard two signals in 40 s."""


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
        "the doctor", engine.run("doctor", user=_config_user(engine)), 0, "in a container", "optimum-benchmark"
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


def _config_user(engine: Engine) -> str:
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
