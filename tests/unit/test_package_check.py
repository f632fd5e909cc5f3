"""What scripts/check_package.py finds amiss: stray files, folders of a machine, wrong words, a false bill."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from scripts import check_package
from scripts.image.engine import Ended, UnavailableError
from scripts.package import behaviour, bill, contents, example, pythons
from scripts.package.building import Built
from scripts.package.installing import Environment

TRACKED = ["configs/energy_star/a.yaml", "pyproject.toml", "src/scorekit/a.py", "tests/test_a.py"]


def _built(folder: Path, wheel: dict[str, bytes], sdist: dict[str, bytes]) -> Built:
    folder.mkdir()
    made = Built(folder / "scorekit.tar.gz", folder / "scorekit.whl")
    with zipfile.ZipFile(made.wheel, "w") as archive:
        for name, content in wheel.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    with tarfile.open(made.sdist, "w") as packed:
        for name, content in sdist.items():
            member = tarfile.TarInfo(f"scorekit-0/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return made


def test_a_file_that_does_not_belong_one_that_is_missing_and_a_folder_of_the_machine_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_twine", lambda _built: iter(()))
    monkeypatch.setattr(contents, "judge_metadata", lambda _text: iter(()))
    monkeypatch.setattr(contents, "NEEDED", ("scorekit/a.py",))
    wheel = dict.fromkeys(contents.in_wheel(TRACKED), b"")
    sdist = dict.fromkeys(contents.in_sdist(TRACKED), b"")
    whole = _built(tmp_path / "whole", wheel, sdist)
    assert list(contents.judge(whole, whole, TRACKED, [tmp_path])) == []
    del wheel["scorekit/configs/energy_star/a.yaml"]
    wheel["tests/test_a.py"] = b""
    wheel["scorekit/a.py"] = f"# {tmp_path}/a.py".encode()
    faults = list(contents.judge(_built(tmp_path / "broken", wheel, sdist), whole, TRACKED, [tmp_path]))
    assert faults == [
        "the wheel has tests/test_a.py, which is not expected",
        "the wheel lacks scorekit/configs/energy_star/a.yaml",
        "the wheel that is built out of the sdist is another one than that of the repository",
        f"scorekit/a.py names {tmp_path}, a folder of this machine",
    ]


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        (b"in /app/src", True),
        (b'"file:///app"', True),
        (b"/app.", True),
        (b"/appending.py", False),
        (b"web/app/", False),
    ],
)
def test_a_folder_is_named_where_it_stands_by_itself(text: bytes, is_named: bool) -> None:
    assert contents.names(text, Path("/app")) is is_named


def test_a_folder_that_holds_more_than_a_release_is_not_emptied(tmp_path: Path) -> None:
    assert check_package.stranger(tmp_path / "dist") is None
    for name in ("SHA256SUMS", "scorekit-0.1.0.tar.gz"):
        (tmp_path / name).touch()
    assert check_package.stranger(tmp_path) is None
    (tmp_path / "letters").mkdir()
    assert check_package.stranger(tmp_path) == "letters"


def test_words_of_the_metadata_are_held_against_pyproject() -> None:
    faults = list(contents.judge_metadata("Name: scorekit\nVersion: 0.0.1\n\n# scorekit\n\n| a\n\n    ```\n"))
    assert any(fault.startswith("METADATA says Version: 0.0.1, expected ") for fault in faults)
    assert any("License-Expression: None" in fault for fault in faults)
    assert "METADATA does not say that scorekit is typed" in faults
    assert "METADATA has other extras than pyproject.toml" in faults
    assert "the README in METADATA has a block or heading that is not shown as one" in faults


def test_a_bill_that_differs_from_what_is_installed_or_is_none_is_refused() -> None:
    there = Environment(Path("python"), Path(), packages={"scorekit": "1", "rich": "15"})
    ours = {"type": "application", "name": "scorekit", "version": "1", "bom-ref": "scorekit"}
    other = {"type": "library", "name": "Rich", "version": "14", "bom-ref": "rich", "licenses": []}
    found: bill.Bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": ours},
        "components": [other],
        "dependencies": [{"ref": "scorekit", "dependsOn": ["rich"]}],
    }
    assert list(bill.judge(found, there, [])) == [
        "the SBOM lacks rich 15",
        "the SBOM has rich 14, which is not installed",
        "in the SBOM Rich has no hash",
    ]
    assert bill.unlicensed(found) == ["scorekit 1", "Rich 14"]
    found["components"][0]["type"] = "nothing of the kind"
    assert any(fault.startswith("the SBOM is not CycloneDX 1.6") for fault in bill.judge(found, there, []))


@pytest.mark.parametrize(
    ("ended", "is_fault"),
    [
        (Ended(0, "made", ""), False),
        (Ended(1, "made", ""), True),
        (Ended(0, "", ""), True),
        (Ended(0, "made", "Traceback (most recent call last)"), True),
    ],
)
def test_another_code_missing_words_and_tracebacks_are_faults(ended: Ended, is_fault: bool) -> None:
    assert bool(list(behaviour.expect("it", ended, 0, "made"))) is is_fault


def test_another_python_tells_its_version_and_what_is_none_is_refused() -> None:
    assert pythons.version_of(Path(sys.executable)) == "{}.{}".format(*sys.version_info)
    for stranger in ("/bin/false", "/bin/echo", "/nowhere/python3"):
        with pytest.raises(UnavailableError, match=stranger):
            pythons.version_of(Path(stranger))


def test_an_example_that_does_not_build_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "examples" / "broken"
    broken.mkdir(parents=True)
    (broken / "pyproject.toml").write_text('[project]\nname = "broken"\n[project.entry-points]\n', encoding="utf-8")
    monkeypatch.setattr(example, "EXAMPLE", broken)
    (fault,) = example.judge(Environment(Path(sys.executable), tmp_path), tmp_path)
    assert fault.startswith("the example of a plugin: the build failed")
