"""Signatures by SSH keys, made and checked by ssh-keygen: over the manifest, in the namespace scorekit.

Source: OpenSSH, ssh-keygen(1), -Y sign, find-principals, verify and check-novalidate; PROTOCOL.sshsig.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from scorekit.errors import InputError, ScorekitError
from scorekit.records import Signed

NAMESPACE: Final = "scorekit"
MOST_SIGNATURE_BYTES: Final = 16 * 1024
_PROGRAM: Final = "ssh-keygen"
_LONGEST_S: Final = 20.0
_SIGNER: Final = "the key that was given"
_KEY: Final = re.compile(r"using (\S+) key (SHA256:\S+)|with (\S+) key (SHA256:\S+)")
_INSTALL: Final = "install OpenSSH's client (on Debian: apt-get install openssh-client)"


class NoSshKeygenError(ScorekitError):
    """There is no ssh-keygen on this machine."""

    def __init__(self) -> None:
        super().__init__(f"there is no {_PROGRAM} here, by which submissions are signed", mend=_INSTALL)


def sign(manifest: bytes, key: Path) -> bytes:
    """The signature of a manifest.

    Args:
        manifest: its bytes.
        key: private SSH key, or a public one whose private half an agent holds. A passphrase is asked on the terminal.

    Raises:
        InputError: there is no such key, or it cannot be used.
        NoSshKeygenError: there is no ssh-keygen.
    """
    if not key.is_file():
        raise InputError(f"there is no key {key}", mend=f"make one: ssh-keygen -t ed25519 -f {key}")
    with tempfile.TemporaryDirectory(prefix="scorekit-") as made:
        path = Path(made) / "manifest.json"
        path.write_bytes(manifest)
        done = _run(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(path)], b"", asks=True)
        signature = path.with_name(path.name + ".sig")
        if done.returncode or not signature.is_file():
            raise InputError(
                f"{key} cannot sign: {_first_line(done.stderr)}", mend="give a private SSH key that is yours"
            )
        return signature.read_bytes()


def check(manifest: bytes, signature: bytes | None, *, allowed_signers: str | None, public_key: str | None) -> Signed:
    """What the signature of a manifest says.

    Args:
        manifest: its bytes.
        signature: None where there is none.
        allowed_signers: text of a file as ssh-keygen(1) has it under ALLOWED SIGNERS.
        public_key: one line of a public key, in place of such a file.
    """
    if signature is None:
        return Signed(state="unsigned")
    allowed = allowed_signers
    if public_key is not None:
        allowed = f'key namespaces="{NAMESPACE}" {public_key.strip()}\n'
    try:
        with tempfile.TemporaryDirectory(prefix="scorekit-") as made:
            return _check(manifest, signature, allowed, Path(made), by_key=public_key is not None)
    except NoSshKeygenError:
        return Signed(state="unchecked")
    except subprocess.TimeoutExpired:
        return Signed(state="wrong")


def _check(manifest: bytes, signature: bytes, allowed: str | None, folder: Path, *, by_key: bool) -> Signed:
    signed = folder / "signature"
    signed.write_bytes(signature[:MOST_SIGNATURE_BYTES])
    holds = _run(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(signed)], manifest)
    key = _key_of(holds.stdout)
    if holds.returncode:
        return Signed(state="wrong", key=key)
    if allowed is None:
        return Signed(state="unknown_key", key=key)
    signers = folder / "allowed"
    signers.write_text(allowed, encoding="utf-8")
    found = _run(["-Y", "find-principals", "-s", str(signed), "-f", str(signers)], manifest)
    for principal in found.stdout.decode("utf-8", "replace").splitlines():
        arguments = ["-Y", "verify", "-n", NAMESPACE, "-s", str(signed), "-f", str(signers), "-I", principal]
        if not _run(arguments, manifest).returncode:
            return Signed(state="allowed", signer=_SIGNER if by_key else principal[:200], key=key)
    return Signed(state="wrong", key=key)


def _run(arguments: list[str], stdin: bytes, *, asks: bool = False) -> subprocess.CompletedProcess[bytes]:
    environment = None if asks else {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        return subprocess.run(
            [_PROGRAM, *arguments],
            input=None if asks else stdin,
            capture_output=True,
            check=False,
            env=environment,
            timeout=None if asks else _LONGEST_S,
        )
    except FileNotFoundError as error:
        raise NoSshKeygenError from error


def _key_of(output: bytes) -> str | None:
    found = _KEY.search(output.decode("utf-8", "replace"))
    return None if found is None else " ".join(part for part in found.groups() if part)


def _first_line(output: bytes) -> str:
    return next(iter(output.decode("utf-8", "replace").strip().splitlines()), "ssh-keygen does not say why")
