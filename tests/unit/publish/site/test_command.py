"""`scorekit site` on results and editions as they lie on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import store
from scorekit.cli import main
from scorekit.publish.site.files import is_site
from tests.edition_members import frozen
from tests.sites import faults, members, results


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_site_of_results_and_an_edition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.open("results")
    for result in results():
        folder.add(result)
    frozen(members(), tmp_path / "editions", "mine")
    code = main(["site", "build", "--edition", "mine", "--out", "made/site", "--title", "My scores"])
    out, err = capsys.readouterr()
    assert code == 0
    assert out == "made/site/index.html\n"
    assert "open made/site/index.html in a browser, or: scorekit site serve made/site" in err
    assert is_site(Path("made/site"))
    assert list(faults(Path("made/site"))) == []
    assert "My scores" in Path("made/site/index.html").read_text()
    # Results are found by the ids that the store gives them.
    ids = [row["id"] for row in folder.table().select(["id"]).to_pylist()]
    assert any(identity in page.read_text() for identity in ids for page in Path("made/site/models").iterdir())


def test_without_results_and_editions_there_is_a_site_of_thresholds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "build", "--out", "site"]) == 0
    page = Path("site/index.html").read_text()
    assert "There are no figures of models on this site yet" in page
    assert "What the edition" in page
    assert main(["site", "build", "--edition", "local", "--out", "site"]) == 0
    assert "none: no star on this site is official" in Path("site/index.html").read_text()


def test_every_page_links_to_a_portal_where_one_is_named() -> None:
    assert main(["site", "build", "--out", "site"]) == 0
    assert not any("Submit a measurement" in page.read_text() for page in Path("site").rglob("*.html"))
    assert main(["site", "build", "--out", "site", "--portal-url", "https://example.org/portal/submit"]) == 0
    link = '<a href="https://example.org/portal/submit">Submit a measurement</a>'
    pages = [page.read_text() for page in Path("site").rglob("*.html")]
    assert len(pages) > 5
    assert all(link in page.partition("<nav")[2].partition("</nav>")[0] for page in pages)
    assert link in Path("site/index.html").read_text().partition("Read on")[2]
    assert list(faults(Path("site"))) == []


def test_a_damaged_result_or_edition_is_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.open("results")
    path = folder.root / folder.add(results()[1]).path
    path.chmod(0o644)
    path.write_text(path.read_text().replace("tiny", "huge"))
    folder.add(results()[2])
    Path("editions").mkdir()
    Path("editions/broken.json").write_text("{}")
    assert main(["site", "build", "--out", "site"]) == 0
    err = capsys.readouterr().err
    assert "left out" in err
    assert "edition broken" in err
    assert "small-llama" in Path("site/data/scores.csv").read_text()


def test_a_files_name_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.open("results")
    folder.add(results()[2])
    Path("results/asr").mkdir()
    Path("results/asr/a\x1b[31mred\nerror: forged--0123456789ab.json").write_text("{}")
    assert main(["site", "build", "--out", "site"]) == 0
    err = capsys.readouterr().err
    assert "left out: asr/a?[31mred?error: forged--0123456789ab.json" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build"], "--out"),
        (["build", "--out", "site", "--edition", "none-such"], "there is no edition 'none-such'"),
        (["build", "--out", "site", "--base-url", "nowhere"], "no address of a site"),
        (["build", "--out", "site", "--portal-url", "javascript:alert(1)"], "no address of a portal"),
        (["serve", "."], "is no site of scorekit"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not Path("site").exists()


def test_a_named_results_folder_must_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "build", "--results", "gone", "--out", "site"]) == 1
    assert "there is no results folder gone" in capsys.readouterr().err


def test_a_folder_that_is_no_site_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis").mkdir()
    Path("thesis/text.txt").write_text("years")
    assert main(["site", "build", "--out", "thesis"]) == 2
    assert "is left as it is" in capsys.readouterr().err
