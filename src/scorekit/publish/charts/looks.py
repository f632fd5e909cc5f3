"""The two looks of the charts, light and dark: colours that keep apart for colour-blind eyes, and the type.

A page's charts are written once, with names in the place of colours (`BY_NAME`); its script puts in those of the theme.
Series are told apart by shape too. Signs keep a contrast of 3 to 1 and texts of 4.5 to 1 on the background (a test).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

FONT: Final = "Inter, system-ui, sans-serif"
NAMED: Final = "theme:"
"""Before the name of a colour, where a specification is for both looks."""
HATCH: Final = "url(#scorekit-hatch)"
"""The fill of what has no data: a pattern that whoever draws the chart brings along."""
SERIES_SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left")
STAR_SHAPES: Final = ("triangle-down", "diamond", "square", "triangle-up", "circle")
"""From one star to five."""


@dataclass(frozen=True, slots=True)
class Look:
    """Colours by what they are of.

    Attributes:
        name: light or dark.
        background: what lies below; in a page that is the page.
        text, soft: of words that are more and less important.
        grid, line: of the grid, and of lines and ticks.
        accent: of the one series that needs no other.
        series1 to series7: of series, after Okabe and Ito, made darker or lighter for the background.
        star1 to star5: from one star to five, after a palette that runs from brown through grey to green.
        step1 to step6: of amounts from low to high, after viridis.
        outline: of countries.
    """

    name: str
    background: str
    text: str
    soft: str
    grid: str
    line: str
    accent: str
    series1: str
    series2: str
    series3: str
    series4: str
    series5: str
    series6: str
    series7: str
    star1: str
    star2: str
    star3: str
    star4: str
    star5: str
    step1: str
    step2: str
    step3: str
    step4: str
    step5: str
    step6: str
    outline: str

    @property
    def series(self) -> list[str]:
        """Colours of series, in order."""
        return [getattr(self, f"series{number}") for number in range(1, 8)]

    @property
    def stars(self) -> list[str]:
        """Colours of one star to five."""
        return [getattr(self, f"star{number}") for number in range(1, 6)]

    @property
    def steps(self) -> list[str]:
        """Colours of amounts, from low to high."""
        return [getattr(self, f"step{number}") for number in range(1, 7)]

    def colours(self) -> dict[str, str]:
        """Every colour by its name."""
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "name"}


LIGHT: Final = Look(
    name="light",
    background="#ffffff",
    text="#1c2421",
    soft="#55605b",
    grid="#e3e8e5",
    line="#7d8782",
    accent="#0b6e4f",
    series1="#0072b2",
    series2="#c75600",
    series3="#00805e",
    series4="#b04f88",
    series5="#9a6700",
    series6="#2b8cc4",
    series7="#3d4643",
    star1="#9c3d00",
    star2="#b8741a",
    star3="#767d79",
    star4="#3a8f85",
    star5="#00695c",
    step1="#fde725",
    step2="#7ad151",
    step3="#22a884",
    step4="#2a788e",
    step5="#414487",
    step6="#440154",
    outline="#6b7570",
)
DARK: Final = Look(
    name="dark",
    background="#171d1a",
    text="#e8eeeb",
    soft="#a9b5af",
    grid="#2a3431",
    line="#7f8b86",
    accent="#4fd1a5",
    series1="#56b4e9",
    series2="#f08a3c",
    series3="#2cc295",
    series4="#d98bb8",
    series5="#f0e442",
    series6="#8fb8ff",
    series7="#c9d1cd",
    star1="#f28c45",
    star2="#e8b66a",
    star3="#b9c1bd",
    star4="#8edccb",
    star5="#3ecfae",
    step1="#46408a",
    step2="#31688e",
    step3="#21918c",
    step4="#35b779",
    step5="#90d743",
    step6="#fde725",
    outline="#93a09a",
)
LOOKS: Final = {look.name: look for look in (LIGHT, DARK)}
BY_NAME: Final = Look(name="by-name", **{key: NAMED + key for key in LIGHT.colours()})


def config(look: Look) -> dict[str, Any]:
    """Vega-Lite's configuration of a look."""
    return {
        "aria": False,
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelFont": FONT,
            "titleFont": FONT,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelFontWeight": 500,
            "titleFontWeight": 500,
            "labelColor": look.soft,
            "titleColor": look.text,
            "gridColor": look.grid,
            "domainColor": look.line,
            "tickColor": look.line,
            "titlePadding": 8,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
        "legend": {
            "labelFont": FONT,
            "titleFont": FONT,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelFontWeight": 500,
            "titleFontWeight": 500,
            "labelColor": look.text,
            "titleColor": look.text,
            "symbolSize": 90,
            "symbolOpacity": 1,
            "orient": "top",
            "labelLimit": 260,
        },
        "text": {"font": FONT, "fontSize": 12, "fontWeight": 500, "fill": look.text},
        "title": {
            "font": FONT,
            "subtitleFont": FONT,
            "fontSize": 16,
            "fontWeight": 700,
            "subtitleFontSize": 12,
            "subtitleFontWeight": 500,
            "color": look.text,
            "subtitleColor": look.soft,
            "anchor": "start",
            "frame": "bounds",
            "offset": 14,
        },
    }
