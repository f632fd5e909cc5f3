"""The colours of the three kinds of label. Every text keeps WCAG AA's contrast on what lies below it (a test)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scorekit.publish.label.facts import Kind


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are of; `on_` is of text, `soft` of text that is less important."""

    background: str
    border: str
    header: str
    on_header: str
    on_header_soft: str
    header_star: str
    text: str
    soft: str
    rule: str
    star: str
    no_star: str
    bar: str
    on_bar: str
    on_bar_soft: str
    code_dark: str
    code_light: str


_OFFICIAL: Final = Palette(
    background="#ffffff",
    border="#c9d1d9",
    header="#14211c",
    on_header="#ffffff",
    on_header_soft="#c3d2ca",
    header_star="#4ade80",
    text="#313131",
    soft="#5c6560",
    rule="#d9dfdc",
    star="#15803d",
    no_star="#ffffff",
    bar="#14211c",
    on_bar="#ffffff",
    on_bar_soft="#c3d2ca",
    code_dark="#000000",
    code_light="#ffffff",
)

_UNRATED: Final = Palette(
    background="#ffffff",
    border="#c9d1d9",
    header="#3d4852",
    on_header="#ffffff",
    on_header_soft="#dbe1e6",
    header_star="#ffffff",
    text="#313131",
    soft="#5b636a",
    rule="#d9dee2",
    star="#3d4852",
    no_star="#ffffff",
    bar="#3d4852",
    on_bar="#ffffff",
    on_bar_soft="#dbe1e6",
    code_dark="#000000",
    code_light="#ffffff",
)

# Light where an official label is dark, so that a copy in black and white is told apart too.
_LOCAL: Final = Palette(
    background="#fffdf7",
    border="#b45309",
    header="#fde7b8",
    on_header="#6b3a06",
    on_header_soft="#6b3a06",
    header_star="#6b3a06",
    text="#313131",
    soft="#6b5f50",
    rule="#ead9b5",
    star="#6b3a06",
    no_star="#fffdf7",
    bar="#fdf0d2",
    on_bar="#6b3a06",
    on_bar_soft="#5c4520",
    code_dark="#000000",
    code_light="#ffffff",
)

PALETTES: Final[dict[Kind, Palette]] = {"official": _OFFICIAL, "unrated": _UNRATED, "local": _LOCAL}
