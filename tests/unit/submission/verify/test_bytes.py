"""Bytes and files that somebody changed, cut off, added or left out are found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.submission.made import Files, changed, codes, files_of, judge
from tests.unit.submission.verify.made import OWN, POWER, WINDOWS, refused

once = settings(deadline=None, max_examples=40)


@once
@given(data=st.data())
def test_one_byte_changed_in_any_file_is_found(content: bytes, data: st.DataObject) -> None:
    files = files_of(content)
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    sign = data.draw(st.integers(1, 255))

    def change(found: Files) -> None:
        was = found[name]
        found[name] = was[:at] + bytes([was[at] ^ sign]) + was[at + 1 :]

    verdict = judge(changed(content, change, sealed=False))
    assert verdict.verdict == "refused"
    if name != "manifest.json":
        assert name in {reason.file for reason in verdict.reasons if reason.weight == "refuse"}


@once
@given(data=st.data())
def test_one_byte_changed_anywhere_in_the_zip_changes_nothing_or_is_found(content: bytes, data: st.DataObject) -> None:
    at, sign = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
    other = content[:at] + bytes([content[at] ^ sign]) + content[at + 1 :]
    verdict = judge(other)
    assert verdict.verdict == "refused" or files_of(other) == files_of(content)


@once
@given(length=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_told(content: bytes, length: float) -> None:
    verdict = judge(content[: int(length * len(content))])
    assert verdict.verdict == "refused"
    assert not verdict.readable
    assert codes(verdict) <= {"broken", "empty"}


def test_zero_bytes() -> None:
    verdict = judge(b"")
    assert not verdict.readable
    refused(verdict, "empty")


def test_a_file_more_and_a_file_less(content: bytes) -> None:
    def add(files: Files) -> None:
        files["runs/1/notes.txt"] = b"by the way"

    refused(judge(changed(content, add, sealed=False)), "extra_file", "runs/1/notes.txt")
    refused(judge(changed(content, add, sealed=True)), "extra_file", "runs/1/notes.txt")
    refused(judge(changed(content, lambda files: files.pop(POWER), sealed=False)), "missing_file", POWER)
    refused(judge(changed(content, lambda files: files.pop(WINDOWS), sealed=True)), "schema", WINDOWS)
    refused(judge(changed(content, lambda files: files.pop(OWN), sealed=True)), "schema", OWN)
