"""Archives that harm, hide something, or are of another form are refused before they are read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scorekit.submission import zip_form
from tests.unit.submission.made import files_of, judge, raw_zip
from tests.unit.submission.verify.made import refused


def test_a_thousand_tiny_files() -> None:
    refused(judge(raw_zip((f"runs/1/{number:04}", b"x") for number in range(1000))), "too_many")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/cron.d/x", "path"),
        ("/etc/passwd", "path"),
        ("C:/windows/x", "path"),
        ("runs\\..\\x", "path"),
        ("runs/1/\x1b[2J", "path"),
        ("runs//x", "path"),
        ("runs/1/2/3/4/x", "depth"),
        ("MANIFEST.json", "duplicate_name"),
        ("manifest.json", "duplicate_name"),
    ],
)
def test_names_that_harm(content: bytes, name: str, code: str) -> None:
    verdict = judge(raw_zip([*files_of(content).items(), (name, b"x")]))
    refused(verdict, code)
    assert not verdict.readable


def test_archives_within_the_archive(content: bytes) -> None:
    inner = zip_form.write({"x": b"y"})
    entries = sorted([*files_of(content).items(), ("runs/1/windows.zip", inner)])
    refused(judge(raw_zip(entries)), "nested", "runs/1/windows.zip")


def central(content: bytes, at: int, value: bytes) -> bytes:
    """The content with bytes of its first directory entry changed."""
    start = content.index(zip_form.CENTRAL_SIGN) + at
    return content[:start] + value + content[start + len(value) :]


def test_a_damaged_byte_is_told_in_plain_words(content: bytes) -> None:
    at = zip_form.LOCAL.size + int.from_bytes(content[26:28], "little")
    # No block of deflate begins so.
    verdict = judge(content[:at] + b"\xff" + content[at + 1 :])
    refused(verdict, "broken")
    (told,) = [reason.message for reason in verdict.reasons if reason.code == "broken"]
    assert told == "its bytes are damaged: what is packed there cannot be unpacked any more"


def test_encrypted_entries_links_and_other_methods(content: bytes) -> None:
    refused(judge(central(content, 8, b"\x01\x00")), "encrypted")
    refused(judge(central(content, 38, (0o120777 << 16).to_bytes(4, "little"))), "link")
    refused(judge(central(content, 38, (0o020666 << 16).to_bytes(4, "little"))), "link")
    refused(judge(central(content, 10, b"\x0e\x00")), "form")


def test_a_bomb_is_not_unpacked() -> None:
    refused(judge(raw_zip([("runs/1/windows.jsonl", b"\0" * 20_000_000)])), "ratio")


def test_what_is_larger_than_it_says(content: bytes) -> None:
    small = zip_form._deflated("x", b"a" * 100)
    lying = zip_form.Packed("x", small.data, small.crc, 10)
    refused(judge(b"".join(bytes(part) for part in zip_form.parts([lying]))), "broken")


@pytest.mark.parametrize("strange", [lambda c: b"MZ" + c, lambda c: c + b"x", lambda c: c[:-2] + b"\x05\x00hello"])
def test_nothing_hides_before_or_behind(content: bytes, strange: Callable[[bytes], bytes]) -> None:
    assert judge(strange(content)).verdict == "refused"


def test_a_zip_by_another_tool_is_told_to_be_packed_again(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files_of(content).items():
            out.writestr(name, data)
    verdict = judge(path.read_bytes())
    refused(verdict, "form")
    assert "scorekit pack" in (verdict.reasons[0].mend or "")
