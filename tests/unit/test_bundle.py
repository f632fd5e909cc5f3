"""A run folder is claimed once, sealed once, and tells every later change of what was measured."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.errors import BundleError
from tests.bundles import edit_json, environment, official_windows, write_bundle


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "run", environment(), official_windows(runs=2))


def test_a_claimed_folder_is_incomplete_until_it_is_sealed(tmp_path: Path) -> None:
    folder = bundle.claim(tmp_path / "run")
    assert (folder / bundle.INCOMPLETE).is_file()
    assert not bundle.is_complete(folder)
    (folder / bundle.WINDOWS).write_text("")
    bundle.seal(folder)
    assert bundle.is_complete(folder)


def test_a_rerun_stands_beside_the_first(tmp_path: Path, sealed: Path) -> None:
    assert bundle.claim(tmp_path / "run") == tmp_path / "run.2"
    assert bundle.claim(tmp_path / "run") == tmp_path / "run.3"
    assert bundle.is_complete(sealed)


def test_runs_that_start_at_once_never_share_a_folder(tmp_path: Path) -> None:
    claimed: list[Path] = []
    threads = [threading.Thread(target=lambda: claimed.append(bundle.claim(tmp_path / "run"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(claimed)) == 8


def test_mark_incomplete_says_why_and_never_raises(tmp_path: Path) -> None:
    bundle.mark_incomplete(tmp_path, "interrupted")
    assert "interrupted" in (tmp_path / bundle.INCOMPLETE).read_text()
    bundle.mark_incomplete(tmp_path / "nowhere", "interrupted")


def test_the_manifest_tells_raw_from_derived(sealed: Path) -> None:
    (sealed / bundle.SCORE).write_text("{}")
    manifest = bundle.record_derived(sealed)
    assert set(manifest.measured) == {bundle.WINDOWS, bundle.ENVIRONMENT}
    assert set(manifest.derived) == {bundle.SCORE}
    assert bundle.read_manifest(sealed) == manifest
    bundle.check(sealed, manifest)


def test_a_changed_and_a_missing_file_are_named(sealed: Path) -> None:
    manifest = bundle.read_manifest(sealed)
    (sealed / bundle.WINDOWS).write_text("")
    (sealed / bundle.ENVIRONMENT).unlink()
    with pytest.raises(BundleError, match=r"changed: windows\.jsonl; missing: environment\.json"):
        bundle.check(sealed, manifest)
    with pytest.raises(BundleError):
        bundle.record_derived(sealed)


def test_an_added_file_is_named_but_not_logs_and_dot_files(sealed: Path) -> None:
    manifest = bundle.read_manifest(sealed)
    for name in (bundle.LOG, "bench.log", ".DS_Store", bundle.SCORE):
        (sealed / name).write_text("late")
    (sealed / "folder").mkdir()
    bundle.check(sealed, manifest)
    (sealed / "call_codecarbon.json").write_text("{}")
    with pytest.raises(BundleError, match=r"\(added: call_codecarbon\.json\)") as caught:
        bundle.check(sealed, manifest)
    assert "out of the run's folder" in str(caught.value.mend)
    with pytest.raises(BundleError, match="added"):
        bundle.record_derived(sealed)


def test_logs_are_not_sealed(tmp_path: Path) -> None:
    folder = bundle.claim(tmp_path / "run")
    for name in (bundle.LOG, "bench.log", bundle.WINDOWS):
        (folder / name).write_text("")
    assert set(bundle.seal(folder).measured) == {bundle.WINDOWS}


@pytest.mark.parametrize("part", ["measured", "derived"])
@pytest.mark.parametrize("name", ["../windows.jsonl", "/etc/passwd", "a/b", "..", ".", "", "..\\x", "C:x", "a\0b"])
def test_a_manifest_that_names_what_lies_elsewhere_is_refused(name: str, part: str, sealed: Path) -> None:
    entries = {name: {"sha256": "0" * 64, "size_bytes": 1}}
    edit_json(sealed / bundle.MANIFEST, **{part: entries})
    with pytest.raises(BundleError, match="no plain file name"):
        bundle.read_manifest(sealed)


def test_a_run_without_a_manifest_did_not_end(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="did not end"):
        bundle.read_manifest(tmp_path)


def test_a_manifest_of_another_version_is_told(sealed: Path) -> None:
    edit_json(sealed / bundle.MANIFEST, schema_version="scorekit.manifest/99")
    with pytest.raises(BundleError, match="not a manifest of this version"):
        bundle.read_manifest(sealed)
