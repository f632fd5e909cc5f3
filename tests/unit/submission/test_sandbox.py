"""The confined process: the same verdict, and a refusal whatever becomes of it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scorekit import submission
from scorekit.errors import InputError
from scorekit.records import Verdict
from scorekit.submission import Confinement, sandbox
from tests.unit.submission.made import codes, judge, terms

CONFINED = "from scorekit.submission.confinement import confine; print(confine(1 << 30, 20)[0], flush=True)\n"


@pytest.fixture
def path(content: bytes, tmp_path: Path) -> Path:
    found = tmp_path / "s.zip"
    found.write_bytes(content)
    return found


def test_the_verdict_is_that_of_this_process(content: bytes, path: Path) -> None:
    confined = submission.verify_confined(path, terms())
    own = judge(content)
    assert confined.model_dump(exclude={"confinement", "verified_utc"}) == own.model_dump(
        exclude={"confinement", "verified_utc"}
    )
    told = "\n".join(confined.confinement)
    for what in ("network: ", "memory: 1536 MiB", "CPU", "not filtered"):
        assert what in told


def test_too_little_memory_is_a_refusal(path: Path) -> None:
    verdict = submission.verify_confined(path, terms(), Confinement(memory_bytes=64 * 1024**2))
    assert verdict.verdict == "refused"
    assert not verdict.readable
    assert codes(verdict) <= {"memory", "crashed"}


def test_too_little_time_is_a_refusal(path: Path) -> None:
    verdict = submission.verify_confined(path, terms(), Confinement(wall_s=0.01))
    assert codes(verdict) == {"timeout"}
    assert verdict.sha256 == hashlib.sha256(path.read_bytes()).hexdigest(), "a verdict tells of which file it is"


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (f"kill -{signal.SIGSEGV.value} $$", "crashed"),
        (f"kill -{signal.SIGXCPU.value} $$", "limit"),
        ("exit 40", "memory"),
        ("exit 1", "crashed"),
        ("echo '{}'", "crashed"),
    ],
)
def test_whatever_ends_it_is_a_refusal(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, code: str
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{ending}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sandbox.sys, "executable", str(program))
    verdict = submission.verify_confined(path, terms())
    assert verdict.verdict == "refused"
    assert codes(verdict) == {code}


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        submission.verify_confined(tmp_path / "none.zip", terms())


def confined(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CONFINED + code],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_a_confined_process_reaches_nothing() -> None:
    code = """
import os, pickle, resource, subprocess
def tried(what):
    try:
        what()
    except Exception as error:
        return type(error).__name__
    return "done"
import_socket = lambda: __import__("socket").create_connection(("127.0.0.1", 9))
write = lambda: open("/dev/shm/scorekit-too-much", "wb").write(b"x" * (4 << 20))
import json
print(json.dumps({
    "socket": tried(import_socket),
    "pickle": tried(lambda: pickle.loads(b"cposix\\nsystem\\n(S'true'\\ntR.")),
    "program": tried(lambda: subprocess.run(["true"])),
    "system": tried(lambda: os.system("true")),
    "memory": tried(lambda: bytearray(2 << 30)),
    "large": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
}))
"""
    done = confined(code)
    assert done.returncode == 0, done.stderr
    network, found = done.stdout.splitlines()
    assert network.startswith("network: ")
    assert json.loads(found) == {
        "socket": "PermissionError",
        "pickle": "PermissionError",
        "program": "PermissionError",
        "system": "PermissionError",
        "memory": "MemoryError",
        "large": 1024**2,
    }


def test_secrets_of_the_environment_do_not_come_along(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = tmp_path / "seen"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nenv > {seen}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sandbox.sys, "executable", str(program))
    assert isinstance(submission.verify_confined(path, terms()), Verdict)
    assert "PATH=" in seen.read_text()
    assert "hf_secret" not in seen.read_text()
