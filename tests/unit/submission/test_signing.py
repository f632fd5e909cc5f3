"""Signatures: whose key it is, and that it is over what was packed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scorekit import cli, submission
from scorekit.errors import EXIT_DONE, EXIT_FAILED, InputError
from scorekit.records import Terms
from scorekit.submission import signing, zip_form
from tests.unit.submission.made import ADA, NOW, changed, codes, edit_json, files_of, judge, request, terms

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="not applicable: there is no ssh-keygen here")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two private keys with their public halves beside them."""
    folder = tmp_path_factory.mktemp("keys")
    found = folder / "ada", folder / "eve"
    for path in found:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return found


@pytest.fixture(scope="module")
def signed(run: Path, keys: tuple[Path, Path]) -> bytes:
    return submission.pack([run], request(key=keys[0])).content


def public(key: Path) -> str:
    return key.with_suffix(".pub").read_text(encoding="utf-8")


def signers(**keys: Path) -> str:
    return "".join(f'{name}@example.org namespaces="scorekit" {public(key)}' for name, key in keys.items())


@needs_ssh
def test_a_signature_by_an_allowed_signer_holds(signed: bytes, keys: tuple[Path, Path]) -> None:
    verdict = judge(signed, allowed_signers=signers(eve=keys[1], ada=keys[0]))
    assert verdict.verdict == "accepted", verdict.reasons
    assert (verdict.signed.state, verdict.signed.signer) == ("allowed", "ada@example.org")
    assert (verdict.signed.key or "").startswith("ED25519 SHA256:")
    assert judge(signed, public_key=public(keys[0])).signed.state == "allowed"


@needs_ssh
def test_a_signature_by_another_key_refuses(signed: bytes, keys: tuple[Path, Path]) -> None:
    for by in ({"allowed_signers": signers(eve=keys[1])}, {"public_key": public(keys[1])}):
        verdict = judge(signed, **by)
        assert verdict.signed.state == "wrong"
        assert codes(verdict) == {"signature"}


@needs_ssh
def test_a_key_that_nobody_named_is_told(signed: bytes) -> None:
    verdict = judge(signed)
    assert verdict.verdict == "accepted"
    assert verdict.signed.state == "unknown_key"
    assert codes(verdict, "note") == {"unknown_key"}


@needs_ssh
def test_a_signature_is_over_what_was_packed(signed: bytes, content: bytes) -> None:
    files = files_of(signed)
    other = files_of(
        changed(content, edit_json("submission.json", lambda own: own["submitter"].update(name="Eve")), sealed=True)
    )
    moved = zip_form.write({**other, "manifest.json.sig": files["manifest.json.sig"]})
    assert codes(judge(moved)) == {"signature"}
    assert codes(judge(zip_form.write({**files, "manifest.json.sig": b"no signature"}))) == {"signature"}


@needs_ssh
def test_another_namespace_is_no_signature(signed: bytes, keys: tuple[Path, Path], tmp_path: Path) -> None:
    files = files_of(signed)
    (tmp_path / "m").write_bytes(files["manifest.json"])
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(keys[0]), "-n", "git", str(tmp_path / "m")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    moved = zip_form.write({**files, "manifest.json.sig": (tmp_path / "m.sig").read_bytes()})
    assert codes(judge(moved, public_key=public(keys[0]))) == {"signature"}


def test_unsigned_where_keys_were_given_wants_a_look(content: bytes) -> None:
    verdict = judge(content, allowed_signers="ada@example.org ssh-ed25519 AAAA\n")
    assert verdict.verdict == "needs review"
    assert codes(verdict, "review") == {"unsigned"}


@needs_ssh
def test_without_ssh_keygen_it_is_told(
    run: Path, signed: bytes, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    verdict = judge(signed)
    assert verdict.verdict == "needs review"
    assert verdict.signed.state == "unchecked"
    with pytest.raises(signing.NoSshKeygenError, match="no ssh-keygen"):
        submission.pack([run], request(key=keys[0]))


@needs_ssh
def test_keys_that_cannot_be_used(run: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no key"):
        submission.pack([run], request(key=tmp_path / "none"))
    (tmp_path / "text").write_text("no key\n")
    with pytest.raises(InputError, match="cannot sign"):
        submission.pack([run], request(key=tmp_path / "text"))
    with pytest.raises(InputError, match="private key") as caught:
        submission.terms_for(terms().edition, public_key=keys[0])
    assert f"{keys[0]}.pub" in str(caught.value)


@needs_ssh
def test_the_commands_sign_and_check(
    run: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepts = ["--accept-public-data", "--accept-integrity", "--accept-representation"]
    out = tmp_path / "s.zip"
    who = ["--name", ADA.name, "--date", NOW.isoformat(), "--sign", str(keys[0])]
    assert cli.main(["pack", str(run), "-o", str(out), *who, *accepts]) == EXIT_DONE
    # In a confined process, which starts ssh-keygen all the same.
    assert cli.main(["verify", str(out), "--key", f"{keys[0]}.pub"]) == EXIT_DONE
    assert "Signed by the key that was given (ED25519 SHA256:" in capsys.readouterr().out
    assert cli.main(["verify", str(out), "--key", str(tmp_path / "none")]) == EXIT_FAILED


def test_terms_are_a_record() -> None:
    assert Terms.model_validate_json(terms().model_dump_json()) == terms()
