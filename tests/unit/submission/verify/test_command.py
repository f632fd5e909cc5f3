"""`scorekit verify`: what it prints, what it compares with, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import cli
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID
from scorekit.records import Verdict
from tests.unit.submission.made import changed, codes, edit_lines
from tests.unit.submission.verify.made import WINDOWS, scale_energies


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_command(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: bool) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(content)
    more = [] if sandbox else ["--no-sandbox"]
    assert cli.main(["verify", str(path), *more]) == EXIT_DONE
    told = capsys.readouterr().out
    assert "Verdict: ACCEPTED" in told
    assert "Not signed." in told
    path.write_bytes(changed(content, edit_lines(WINDOWS, scale_energies), sealed=True))
    assert cli.main(["verify", str(path), "--json", *more]) == EXIT_INVALID
    verdict = Verdict.model_validate_json(capsys.readouterr().out)
    assert verdict.verdict == "refused"
    assert bool(verdict.confinement) is sandbox
    path.write_bytes(content[:1000])
    assert cli.main(["verify", str(path), *more]) == EXIT_FAILED
    assert "cut off" in capsys.readouterr().out


def test_results_and_earlier_ones_are_looked_at(
    run: Path, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(content)
    assert cli.main(["results", "add", str(run), "--results", str(tmp_path / "results")]) == EXIT_DONE
    capsys.readouterr()
    results = ["--results", str(tmp_path / "results"), "--no-sandbox", "--json"]
    assert cli.main(["verify", str(path), *results]) == EXIT_INVALID
    assert codes(Verdict.model_validate_json(capsys.readouterr().out)) == {"replayed"}


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(tmp_path / "no.zip")]) == EXIT_FAILED
    assert "no.zip" in capsys.readouterr().err
