"""Write docs/comparison.md from scripts/comparison.yaml: `python -m scripts.comparison_page`, from the root of the
repository.

Each cell of a peer names the sources that show it, each of ours a command that runs here; where what was read does not
tell, the cell says in what. A test fails when the page is stale.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BeforeValidator, Field, StringConstraints, UrlConstraints, model_validator
from pydantic_core import Url

from scorekit.records import Record

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "scripts" / "comparison.yaml"
PAGE: Final = ROOT / "docs" / "comparison.md"
OURS: Final = "scorekit"
"""The tool whose cells are shown by commands."""
MORE: Final = "▲"
"""Marks what a peer does and scorekit does not."""

Text = Annotated[str, StringConstraints(min_length=2, max_length=110, pattern=r"^[^|\n]+$")]
Https = Annotated[Url, UrlConstraints(allowed_schemes=["https"], host_required=True)]


class Source(Record):
    """What was read of a peer.

    Attributes:
        title: what it is.
        read: which version or commit of it.
        url: where a reader finds it.
    """

    title: Text
    read: Text
    url: Https

    @property
    def version(self) -> str:
        """What was read, and whether the address shows the same for good."""
        host, path = str(self.url.host), str(self.url.path)
        fixed = host != "github.com" or re.search(r"/(blob|tree|releases/tag)/[^/]*\d[^/]*", path)
        return self.read if fixed else f"{self.read}; the address shows the newest"


class Shown(Record):
    """A cell of ours.

    Attributes:
        says: the answer.
        command: what shows it, from the root of the repository.
        page: where it is told, from docs/, with a heading after `#` where it is one of many; None where nowhere.
    """

    says: Text
    command: Annotated[str, StringConstraints(pattern=r"^[^|`\n]+$")]
    page: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.md(#[a-z0-9-]+)?$")] | None = None


class Cell(Record):
    """A cell of a peer: what it does by some sources, or the sources in which nothing of it was found.

    Attributes:
        says: the answer; None where nothing was found.
        by: sources that show it.
        not_found_in: sources that were read in vain.
        more: whether the peer does there what scorekit does not, or does it better.
    """

    says: Text | None = None
    by: tuple[str, ...] = Field(default=(), alias="from")
    not_found_in: tuple[str, ...] = ()
    more: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Cell:
        if (self.says is None) != bool(self.not_found_in) or bool(self.says) != bool(self.by):
            raise ValueError("a cell says something by its sources, or names those in which it was not found")
        if self.more and self.says is None:
            raise ValueError("what was not found is no more than what scorekit does")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that it rests on."""
        return self.by or self.not_found_in


def _long_form(value: object) -> object:
    """`[says, source, ...]` is short for a cell."""
    return {"says": value[0], "from": tuple(value[1:])} if isinstance(value, list) and value else value


class Feature(Record):
    """One question, answered for each tool.

    Attributes:
        name: of the column.
        ours: our cell.
        peers: the peers' cells, by the tool's key.
    """

    name: Text
    ours: Shown
    peers: dict[str, Annotated[Cell, BeforeValidator(_long_form)]]

    @model_validator(mode="before")
    @classmethod
    def _peers_apart(cls, value: Any) -> Any:
        own = ("name", "ours")
        peers = {key: cell for key, cell in value.items() if key not in own}
        return {key: value[key] for key in own if key in value} | {"peers": peers}


class Theme(Record):
    """A table of the page.

    Attributes:
        title: its heading.
        about: one sentence before it.
        features: its columns.
    """

    title: Text
    about: Text
    features: tuple[Feature, ...] = Field(min_length=1)


class Comparison(Record):
    """All that the page tells.

    Attributes:
        tools: names by key, ours first, in the order of the rows.
        looked_at: the day on which the sources were read.
        sources: by key.
        themes: the tables.
    """

    tools: dict[str, Text]
    looked_at: datetime.date
    sources: dict[str, Source]
    themes: tuple[Theme, ...]

    @property
    def peers(self) -> tuple[str, ...]:
        """Keys of all tools but ours."""
        return tuple(key for key in self.tools if key != OURS)

    @property
    def features(self) -> tuple[Feature, ...]:
        """Those of all tables."""
        return tuple(feature for theme in self.themes for feature in theme.features)

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each source, in the order in which the page names them."""
        named = [
            source
            for theme in self.themes
            for tool in self.peers
            for feature in theme.features
            for source in feature.peers[tool].sources
        ]
        return {source: number for number, source in enumerate(dict.fromkeys(named), start=1)}

    @model_validator(mode="after")
    def _whole(self) -> Comparison:
        for feature in self.features:
            if tuple(feature.peers) != self.peers:
                told, expected = ", ".join(feature.peers), ", ".join(self.peers)
                raise ValueError(f"{feature.name}: cells of {told}; expected {expected}")
        if self.numbers.keys() != self.sources.keys():
            odd = sorted(self.numbers.keys() ^ self.sources.keys())
            raise ValueError(f"named and not listed, or listed and not named: {', '.join(odd)}")
        return self


def comparison() -> Comparison:
    """The data of the page, checked."""
    return Comparison.model_validate(yaml.safe_load(DATA.read_text(encoding="utf-8")))


def page(found: Comparison) -> str:
    """The page as it should be."""
    numbers = found.numbers
    parts = [
        "<!-- Written by scripts/comparison_page from scripts/comparison.yaml, do not edit. -->",
        "# Beside other tools",
        _INTRODUCTION.format(day=found.looked_at.isoformat(), more=MORE),
    ]
    for theme in found.themes:
        ours = (found.tools[OURS], *(_own_cell(feature.ours) for feature in theme.features))
        peers = [
            (found.tools[key], *(_cell(feature.peers[key], numbers) for feature in theme.features))
            for key in found.peers
        ]
        parts += [
            f"## {theme.title}",
            theme.about,
            _table(("tool", *(feature.name for feature in theme.features)), [ours, *peers]),
        ]
    parts += [
        "## Commands that show ours",
        _COMMANDS,
        _table(("what", "command"), [(each.name, f"`{each.ours.command}`") for each in found.features]),
        "## What was read",
        f"All on {found.looked_at.isoformat()}.",
        _table(
            ("no", "source", "version"),
            [
                (str(number), f"[{found.sources[key].title}][s{number}]", found.sources[key].version)
                for key, number in numbers.items()
            ],
        ),
        "\n".join(f"[s{number}]: {found.sources[key].url}" for key, number in numbers.items()),
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = """\
What other projects do about the energy of AI, and what scorekit does. They are made for unlike ends: CodeCarbon and
Zeus meter any code, EcoLogits estimates calls of models that nobody outside can meter, MLPerf Power meters whole
systems, and AI Energy Score is the protocol that scorekit carries out; where its versions 1 and 2 differ, its row says
so. A short answer is not a bad one.

A number is a source that shows the answer, as it was on {day}. *Not found in* names what was read in vain, which is no
proof that it is not there. {more} marks what a peer does and scorekit does not, or does better. A cell that is wrong or
old stands in `scripts/comparison.yaml`; `python -m scripts.comparison_page` writes this page from there."""
_COMMANDS: Final = (
    "From the root of the repository. Runs, results and the portal's folder are those that README makes. "
    "Where scorekit does not do something, the command shows what it does in that place."
)


def _own_cell(cell: Shown) -> str:
    return cell.says if cell.page is None else f"{cell.says} ([told]({cell.page}))"


def _cell(cell: Cell, numbers: dict[str, int]) -> str:
    links = " ".join(f"[\\[{numbers[source]}\\]][s{numbers[source]}]" for source in cell.sources)
    return f"{f'{MORE} ' if cell.more else ''}{cell.says or '*not found in*'} {links}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


def main() -> None:
    PAGE.write_text(page(comparison()), encoding="utf-8")


if __name__ == "__main__":
    main()
