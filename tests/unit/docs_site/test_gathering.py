"""What the generator is given: links as they are in the site, commands as links, pictures in their places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from scripts.docs_site import checks, gathering, notebooks, screenshots
from scripts.docs_site.markdown import plain, table
from scripts.docs_site.pictures import Picture

ROOT = Path(__file__).parents[3]
PLACES = {"docs/a.md": "a.md", "docs/how/b.md": "how/b.md", **gathering.REPOSITORY_PAGES}


def rewritten(text: str, name: str = "docs/how/b.md") -> str:
    return gathering._rewritten(text, name, PLACES[name], PLACES).rstrip("\n")


def test_every_page_that_somebody_wrote_is_in_the_navigation() -> None:
    docs = ROOT / "docs"
    written = {
        path.relative_to(docs).with_suffix(".md").as_posix()
        for path in docs.rglob("*")
        if path.suffix in (".md", ".ipynb")
    }
    assert {"index.md", "how-to/edition.md"} <= written
    told = set(re.findall(r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert written | set(gathering.REPOSITORY_PAGES.values()) <= told


def test_links_lead_to_pages_of_the_site() -> None:
    assert rewritten("[a](../a.md#x)") == "[a](../a.md#x)"
    assert rewritten("[log](../../CHANGELOG.md)") == "[log](../changelog.md)"
    assert rewritten("[a](docs/a.md#x)", "CONTRIBUTING.md") == "[a](a.md#x)"
    assert rewritten("[out](https://example.org/a.md) [here](#x)") == "[out](https://example.org/a.md) [here](#x)"


def test_a_link_to_what_is_no_page_becomes_text_and_a_wrong_one_stays_to_be_refused() -> None:
    assert rewritten("see [the example](../../examples/plugin)") == "see the example"
    assert rewritten("[gone](../gone.md)") == "[gone](../gone.md)"


def test_a_command_leads_to_its_reference_once_on_a_page() -> None:
    told = rewritten("`scorekit parse RUN` and `scorekit parse`, `scorekit results add X`, `scorekit nothing`")
    assert told == (
        "[`scorekit parse RUN`](../reference/commands.md#scorekit-parse) and `scorekit parse`, "
        "[`scorekit results add X`](../reference/commands.md#scorekit-results-add), `scorekit nothing`"
    )


def test_code_and_headings_stay_as_they_are() -> None:
    text = "# `scorekit parse`\n\n```console\n$ scorekit parse `x` [a](b.md)\n```\n\n    `scorekit parse` [a](gone.md)"
    assert rewritten(text) == text


def test_a_picture_stands_with_its_words_in_light_and_dark() -> None:
    told = gathering._figure("chart", "how/b.md", {"chart": Picture("a chart", "The chart.", has_looks=True)}, {})
    assert "![a chart](../pictures/chart-light.svg#only-light)" in told
    assert "![a chart](../pictures/chart-dark.svg#only-dark)" in told
    assert "*The chart.*" in told


def test_a_picture_that_is_left_out_is_told_and_one_that_nobody_makes_is_refused() -> None:
    assert "left out" in gathering._figure("site-model", "a.md", {}, screenshots.SHOTS)
    with pytest.raises(gathering.SourceError, match=r"a\.md asks for the picture nothing"):
        gathering._figure("nothing", "a.md", {}, screenshots.SHOTS)


def test_a_notebook_is_a_page_of_texts_code_and_what_it_told_and_drew(tmp_path: Path) -> None:
    def code(source: str, **output: Any) -> dict[str, Any]:
        return {"cell_type": "code", "source": source, "outputs": [output] if output else []}

    shown = {"text/html": '<pre style="x">a &lt; b\nc</pre>', "text/plain": "<Measurement>"}
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Text."]},
        code("print(1)", output_type="stream", text=["1\n"]),
        code(""),
        code("it", data=shown),
        code("1 + 1", data={"text/html": "<b>2</b>", "text/plain": "2"}),
        code("draw", data={"image/svg+xml": ["<svg ", "/>"], "text/plain": "<SVG>"}),
    ]
    told = notebooks.markdown(cells, "a", tmp_path / "pictures", "../pictures")
    assert told == (
        f"# Title\nText.\n\n{notebooks._NOTE}\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n"
        "```python\nit\n```\n\n```text\na < b\nc\n```\n\n```python\n1 + 1\n```\n\n```text\n2\n```\n\n"
        "```python\ndraw\n```\n\n![What the code above has drawn](../pictures/a-5.svg)\n{: .picture .on-light }\n"
    )
    assert (tmp_path / "pictures" / "a-5.svg").read_text(encoding="utf-8") == "<svg />"


def test_texts_of_the_code_mean_nothing_in_markdown() -> None:
    assert plain("a|b <x> *y* `c|d *e*`  _f_") == r"a\|b \<x> \*y\* `c|d *e*` \_f\_"
    assert plain("one ` alone_") == r"one \` alone\_"
    assert table(("h",), [("a|b",), (r"c\|d",)]).splitlines()[2:] == [r"| a\|b |", r"| c\|d |"]


def site(folder: Path, **pages: str) -> Path:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<html><body>{body}</body></html>")
    return folder


ALL = "<a href='index.html'></a><a href='other.html'></a>"


def test_a_sound_site_has_no_fault(tmp_path: Path) -> None:
    sound = site(
        tmp_path, index=f"{ALL}<h1 id='top'></h1>", other=f"{ALL}<a href='index.html#top'></a><a href='https://x.org'>"
    )
    assert list(checks.faults(sound)) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<a href='gone.html'>", "leads nowhere"),
        ("<a href='index.html#gone'>", "names no id"),
        ("<a href='#gone'>", "names no id"),
        ("<a href='../x.html'>", "leads out of the site"),
        ("<a href='/index.html'>", "is not relative"),
        ("<script src='https://cdn.example.org/x.js'></script>", "is asked of another host"),
        ("<link rel='stylesheet' href='//fonts.example.org/x.css'>", "is asked of another host"),
        ("<img src='http://example.org/x.png'>", "is asked of another host"),
        ("<img srcset='https://example.org/x.png 2x'>", "is asked of another host"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, body: str, fault: str) -> None:
    (found,) = checks.faults(site(tmp_path, index=ALL, other=body))
    assert found.startswith("other.html: ")
    assert found.endswith(fault)


def test_a_style_that_asks_elsewhere_and_a_page_outside_the_navigation_are_found(tmp_path: Path) -> None:
    folder = site(tmp_path, index=ALL, other="", lost="")
    (folder / "a.css").write_text("@import 'https://example.org/a.css'; b { background: url(//example.org/b.png) }")
    told = list(checks.faults(folder))
    assert [one.partition(":")[0] for one in told] == ["a.css", "a.css", "lost.html"]
    assert told[-1] == "lost.html: is not in the navigation"
