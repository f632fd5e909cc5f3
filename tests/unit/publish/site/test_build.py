"""The site is written whole or not at all, and every page of it keeps to the rules."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from scorekit.editions import FEBRUARY_2025
from scorekit.errors import BundleError, UsageError
from scorekit.publish.site import build as building
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site
from scorekit.publish.site.files import MARK, is_site
from scorekit.publish.site.gathering import gather
from tests.sites import HOSTILE, TIME, built, edition, empty_site, faults, full_site, local_site, results


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(full_site(), tmp_path_factory.mktemp("full"))


def test_every_link_leads_somewhere_and_nothing_is_inline(full: Path) -> None:
    assert list(faults(full)) == []


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(empty_site(), id="nothing"),
        pytest.param(local_site(), id="results only"),
        pytest.param(gather([], FEBRUARY_2025, [FEBRUARY_2025]), id="thresholds only"),
        pytest.param(gather(results()[:1], None, []), id="one model"),
        pytest.param(gather(results()[-1:], None, []), id="refused only"),
        pytest.param(gather([], edition(), [edition()]), id="edition only"),
    ],
)
def test_a_site_of_little_still_stands(site: Site, tmp_path: Path) -> None:
    folder = built(site, tmp_path)
    assert list(faults(folder)) == []
    assert (folder / "index.html").is_file()


def test_a_fault_is_found(tmp_path: Path) -> None:
    folder = built(empty_site(), tmp_path)
    page = folder / "index.html"
    bad = '<p style="x" onclick="y"><a href="gone.html">a</a><a href="#gone">b</a><img src="https://example.org/x.png">'
    page.write_text(page.read_text().replace("</main>", f"{bad}<script>x</script></main>"))
    assert len(list(faults(folder))) == 6


def test_names_are_text_and_never_markup(full: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in full.rglob("*.html")]
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in text for text in texts)
    for text in texts:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
        assert not any(sign in text for sign in ("\x00", "\x07", "\x7f", "\x9b"))
    # No name is a template: it would have been worked out.
    assert any("{{ 7*7 }}" in text for text in texts)


def test_every_model_has_a_page(full: Path) -> None:
    site = full_site()
    pages = {path.name for path in (full / "models").iterdir()}
    assert len(pages) == len(set(site.models) | set(site.refused_of))
    assert set(HOSTILE) <= set(site.models)
    assert {entry.page.removeprefix("models/") for entry in site.entries} <= pages


def test_every_page_has_the_policy_first_and_a_language(full: Path) -> None:
    for path in full.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        policy = text.index("Content-Security-Policy")
        assert "default-src 'none'" in text
        assert "unsafe" not in text[policy : text.index(">", policy)]
        assert policy < text.index("<title>") < text.index("<link") < text.index("<script")
        assert '<html lang="en">' in text
        assert 'class="skip" href="#content"' in text


def test_the_same_site_is_the_same_bytes(full: Path, tmp_path: Path) -> None:
    again = built(full_site(), tmp_path)
    files = sorted(path.relative_to(full) for path in full.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((full / path).read_bytes() == (again / path).read_bytes() for path in files)


def test_the_time_of_a_build_may_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    build(empty_site(), tmp_path / "site")
    assert '<time datetime="2023-11-14">' in (tmp_path / "site" / "index.html").read_text()
    build(empty_site(), tmp_path / "site", time=TIME)
    assert '<time datetime="2026-01-02">' in (tmp_path / "site" / "index.html").read_text()


def test_an_older_site_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(full_site(), out, time=TIME)
    (out / "left-over.html").write_text("old")
    build(empty_site(), out, time=TIME)
    assert is_site(out)
    assert not (out / "left-over.html").exists()
    assert not (out / "models").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_is_no_site_is_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="something else than a site"):
        build(empty_site(), out)
    assert (out / "thesis.txt").read_text() == "years"
    (out / MARK).write_text('{"schema_version": "another/1"}')
    with pytest.raises(UsageError, match="something else"):
        build(empty_site(), out)
    with pytest.raises(UsageError, match="no folder"):
        build(empty_site(), out / "thesis.txt")


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    real = built(empty_site(), tmp_path)
    link = tmp_path / "link"
    link.symlink_to(real)
    with pytest.raises(UsageError, match="no folder"):
        build(empty_site(), link)


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    out = tmp_path / "empty"
    out.mkdir()
    assert is_site(build(empty_site(), out).folder)


def test_a_build_that_fails_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = built(empty_site(), tmp_path)
    before = (out / "index.html").read_bytes()

    def full_disk(self: object, path: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building._Writer, "write", full_disk)
    with pytest.raises(BundleError, match="the disk is full"):
        build(full_site(), out)
    assert (out / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_swap_that_fails_brings_the_old_site_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = built(empty_site(), tmp_path)
    rename = Path.rename

    def once(self: Path, target: Path) -> Path:
        if self.name.endswith(".part") and not self.name.endswith(".old.part") and target == out:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(BundleError):
        build(full_site(), out)
    assert is_site(out)
    assert not (out / "models").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".hidden", "a/../b", "a\\b", "", "a b", "x\n"])
def test_no_page_leads_out_of_the_site(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no path of the site"):
        building._Writer(tmp_path).write(path, b"")


def test_no_page_is_written_twice(tmp_path: Path) -> None:
    writer = building._Writer(tmp_path)
    writer.write("a.html", b"")
    with pytest.raises(ValueError, match="twice"):
        writer.write("A.html", b"")


@pytest.mark.parametrize("url", ["example.org", "javascript:alert(1)", 'https://x/"', "https://x/?q", "ftp://x/", ""])
def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no address"):
        build(empty_site(), tmp_path / "site", base_url=url)


def test_an_address_stands_on_labels(tmp_path: Path) -> None:
    site = gather(results()[:1], edition(), [edition()])
    out = build(site, tmp_path / "site", base_url="https://example.org/scores", time=TIME).folder
    entry = next(entry for entry in site.entries if entry.result is not None)
    assert f"https://example.org/scores/{entry.page}" in (out / "labels" / f"{entry.id}.svg").read_text()
    assert "https://example.org/scores/" in (out / "data.html").read_text()


def test_times_are_in_utc() -> None:
    assert building._now().tzinfo is datetime.UTC
