"""What the generator gets: pages of docs/ with their pictures, and pages that are made here, as one folder of Markdown.

In pages of docs/

- `<!-- picture: NAME -->` on a line of its own stands for a picture that is made here, with its caption;
- a command in backticks leads to the page of commands, where it stands first on a page;
- links to files of the repository that are pages here lead to those, and other links out of docs/ become plain text.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.docs_site import api_pages, commands_page, notebooks, pictures, schemas, screenshots, tasks_page

from scorekit import cli

REPOSITORY_PAGES: Final = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "README.md": "index.md",
    "benchmarks/REPORT.md": "benchmarks.md",
}
"""Files of the repository beside docs/, and what they are in the site."""
_NO_REPORT: Final = "# Benchmarks\n\nThis checkout has no report of its benchmarks: `make bench` writes it.\n"
_PICTURE: Final = re.compile(r"^<!-- picture: ([\w-]+) -->$", re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE: Final = re.compile(r"^( *)(```|~~~)")
_COMMAND: Final = re.compile(r"(?<![\[`\w])`scorekit ([a-z]+)((?: [a-z-]+)*)([^`\n]*)`")


class SourceError(Exception):
    """A page asks for what is not there."""


def gather(root: Path, folder: Path, *, with_screenshots: bool) -> None:
    """Write everything that the generator gets.

    Raises:
        SourceError: a page asks for a picture that is not made, a picture is on no page, or a notebook does not run.
        NoBrowserError: pictures need a browser, and there is none.
    """
    made = pictures.make(folder / "pictures")
    if with_screenshots:
        made |= screenshots.make(folder / "pictures")
    left_out = {} if with_screenshots else screenshots.SHOTS
    used: set[str] = set()
    for path, text in _pages(root, folder / "pictures"):
        used |= set(_PICTURE.findall(text))
        page = _PICTURE.sub(lambda found, path=path: _figure(found[1], path, made, left_out), text)  # type: ignore[misc]
        _write(folder / path, page)
    if unused := sorted(set(made) - used):
        raise SourceError(f"no page shows these pictures: {', '.join(unused)}")
    for path, text in _made_pages(root):
        _write(folder / path, text)
    for name, content in schemas.files():
        target = folder / schemas.FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    shutil.copytree(root / "docs" / "assets", folder / "assets")


def _pages(root: Path, drawn: Path) -> Iterator[tuple[str, str]]:
    """Pages that somebody wrote, by their place in the site; what notebooks draw is written to a folder."""
    docs = root / "docs"
    written = [*docs.rglob("*.md"), *docs.rglob("*.ipynb")]
    found = {
        path.relative_to(root).as_posix(): path.relative_to(docs).with_suffix(".md").as_posix() for path in written
    }
    found |= {
        name: place for name, place in REPOSITORY_PAGES.items() if name != "README.md" and (root / name).is_file()
    }
    for name, place in sorted(found.items()):
        path = root / name
        text = _notebook(path, root, place, drawn) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
        yield place, _rewritten(text, name, place, found | REPOSITORY_PAGES)


def _notebook(path: Path, root: Path, place: str, drawn: Path) -> str:
    try:
        cells = notebooks.run(path, root)
    except notebooks.NotebookError as error:
        raise SourceError(str(error)) from None
    return notebooks.markdown(cells, f"notebook-{path.stem}", drawn, _relative("pictures", place))


def _made_pages(root: Path) -> Iterator[tuple[str, str]]:
    if not (root / "benchmarks" / "REPORT.md").is_file():
        yield REPOSITORY_PAGES["benchmarks/REPORT.md"], _NO_REPORT
    yield "reference/commands.md", commands_page.page()
    yield "reference/tasks.md", tasks_page.page()
    yield "reference/schemas.md", schemas.page()
    yield from ((f"reference/api/{name}.md", api_pages.markdown(page)) for name, page in api_pages.PAGES.items())


def _rewritten(text: str, name: str, place: str, places: dict[str, str]) -> str:
    """A page with its links as they are in the site, and its commands as links."""
    linked: set[str] = set()
    lines, fence = [], ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip() == fence):
            fence = "" if fence else mark[2]
        elif not fence and not line.startswith("    "):
            line = _LINK.sub(lambda found: _link(found[1], found[2], name, place, places), line)
            if not line.startswith("#"):
                line = _COMMAND.sub(lambda found: _command(found, place, linked), line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _link(text: str, target: str, name: str, place: str, places: dict[str, str]) -> str:
    path, hash_sign, anchor = target.partition("#")
    if "://" in target or target.startswith("mailto:") or not path:
        return f"[{text}]({target})"
    there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    found = places.get(there)
    if found is None:
        # What is wrong within docs/ is for the generator to say.
        return f"[{text}]({target})" if there.startswith("docs/") else text
    return f"[{text}]({_relative(found, place)}{hash_sign}{anchor})"


def _command(found: re.Match[str], place: str, linked: set[str]) -> str:
    verb, nested = found[1], found[2].split()
    if verb not in cli.VERBS:
        return found[0]
    names = [f"scorekit {verb}"]
    if nested and f"{verb} {nested[0]}" in commands_page.nested():
        names.append(f"scorekit {verb} {nested[0]}")
    if names[-1] in linked:
        return found[0]
    linked.add(names[-1])
    return f"[{found[0]}]({_relative('reference/commands.md', place)}#{commands_page.anchor(names[-1])})"


def _figure(name: str, place: str, made: dict[str, pictures.Picture], left_out: dict[str, screenshots.Shot]) -> str:
    if name in left_out:
        return f"*(A picture of {left_out[name].about} is left out of this build.)*"
    if name not in made:
        raise SourceError(f"{place} asks for the picture {name}; there are: {', '.join(sorted(made))}")
    picture = made[name]
    folder = _relative("pictures", place)
    if picture.has_looks:
        drawn = " ".join(
            f"![{picture.about}]({folder}/{name}-{look}.{picture.suffix}#only-{look})" for look in ("light", "dark")
        )
    else:
        drawn = f"![{picture.about}]({folder}/{name}.{picture.suffix})"
    return f"{drawn}\n{{: .picture }}\n\n*{picture.caption}*{{: .caption }}"


def _relative(target: str, place: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(place) or ".")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
