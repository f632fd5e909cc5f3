"""The pages of the site, one module each, and what every one of them keeps to.

A page module has one function:

    def pages(site: Site, build: Build) -> Iterator[Page | File]

`site` (`scorekit.publish.site.content`) holds every figure that may be shown; a page reads nothing else and computes
no star. `build` tells when and by which version the site is made. The function yields a `Page` for each HTML file and
a `File` for each file of data. It must not fail on a site without entries, with one model, or with hostile names, and
its work must be linear in the entries: `site.of_cohort` and `site.models` are cached, so use them.

**Registering.** Add one `Section` to `SECTIONS` below; its place there is its place in the navigation. A module whose
pages stand under another section (the pages of models) has `in_navigation=False`; one that not every site has names in
`is_of` which do.

**Templates** lie in `templates/`, extend `base.html`, and fill its blocks: `content` (inside of `<main>`, begins with
the one `<h1>`) and, where needed, `head`. They get the page's `context` and:

- `site`, `build`, `page`: the arguments and the `Page` itself;
- `href(path)`: a relative link to a path of the site, from wherever the page lies; never write `/...` or `../...`;
- `has(key)`: whether a section is on this site; `to(key)`: the link to it;
- `energy(entry)`: an entry's energy with its unit and all that is to be told of it (source, edition, hardware,
  uncertainty, sign of its origin), on hover, focus and touch;
- `figure(text, Told(...))`: the same for any other number; `Told` is `figures.Told`, made in Python;
- `stars(entry)`, `origin(entry.origin)`: stars and origin with words beside the sign;
- filters: `wh`, `percent`, `count`, `number` (numbers with their unit, `unknown` for None), `name` (names of strangers:
  isolated by `<bdi>`, control characters replaced), `as_json` (for `<script type="application/json">`), `slug`;
- `next_id()`: an id that is unique on the page.

Anything else is escaped; never mark a stranger's text as safe. No `style=`, no `on...=`, no inline script: the
Content-Security-Policy of base.html forbids them, and a test fails.

**Assets.** All files below `assets/` are copied to `assets/` of the site. A page names its own in `scripts` and
`styles`; `assets/tokens.css`, `assets/base.css`, `assets/theme.js` and `assets/scorekit.js` are on every page, before
them. Scripts are classic ones with `defer`, run in the order given, and are an IIFE over the one global `scorekit`.

**Charts** are HTML by `scorekit.publish.charts.figure(chart, id)`; their page adds `CHART_SCRIPTS` and `CHART_STYLES`.

**Data for scripts.** Yield `script_data("name", value, "data/name.js")`, name its path in `scripts` before the script
that reads `scorekit.data.name`; or put `{{ value | as_json }}` in a `<script type="application/json" id="...">` and
read it by `scorekit.read("id")`. `fetch` does not work from file://.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from scorekit.publish.site.names import safe_json

if TYPE_CHECKING:
    from scorekit.publish.site.content import Site


@dataclass(frozen=True, slots=True)
class Build:
    """What is to be known of this build of the site.

    Attributes:
        time: when, in UTC.
        version: of scorekit.
        base_url: where the site will stand, with a slash at its end; None where that is not known.
        portal_url: where measurements are handed in; None where the site names no such place.
    """

    time: datetime.datetime
    version: str
    base_url: str | None = None
    portal_url: str | None = None

    @property
    def date(self) -> str:
        """The day, ISO 8601."""
        return self.time.date().isoformat()


@dataclass(frozen=True, slots=True)
class Page:
    """One HTML file.

    Attributes:
        path: from the top of the site, e.g. `models/x.html`.
        title: for the window's title, without the site's name.
        template: its file in `templates/`.
        section: key of the section under which it stands in the navigation.
        context: what the template reads, beside what every template gets.
        description: one sentence for search engines.
        scripts: paths of its own scripts, in the order in which they run.
        styles: paths of its own style sheets.
    """

    path: str
    title: str
    template: str
    section: str
    context: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One other file: its path from the top of the site, and its content."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the site.

    Attributes:
        key: by which templates link to it.
        title: in the navigation.
        path: of its first page.
        module: of this package, that makes its pages.
        in_navigation: whether the navigation shows it.
        is_of: whether a site has it; each has where nothing is said.
    """

    key: str
    title: str
    path: str
    module: str
    in_navigation: bool = True
    is_of: Callable[[Site], bool] = lambda _site: True


SECTIONS: Final[tuple[Section, ...]] = (
    Section("home", "Home", "index.html", "home"),
    Section("leaderboard", "Leaderboard", "leaderboard.html", "leaderboard"),
    Section("efficient", "Most and least efficient", "efficient.html", "efficient"),
    Section(
        "quality",
        "Energy and quality",
        "quality.html",
        "quality",
        is_of=lambda site: any(entry.quality for entry in site.entries),
    ),
    Section("models", "Models", "models/", "model", in_navigation=False),
    Section("regions", "Regions", "regions.html", "regions"),
    Section("calculator", "Calculator", "calculator.html", "calculator"),
    Section("methodology", "Methodology", "methodology.html", "methodology"),
    Section("data", "Data", "data.html", "data"),
)
"""Everything on the site, in the order of the navigation."""


CHART_SCRIPTS: Final = ("assets/charts.js",)
CHART_STYLES: Final = ("assets/charts.css",)
"""What a page with charts (`scorekit.publish.charts.figure`) names in `scripts` and `styles`."""


def script_data(name: str, value: object, path: str) -> File:
    """A script that makes a value known to other scripts as `scorekit.data.<name>`.

    Args:
        name: a JavaScript name.
        value: anything that JSON can hold.
        path: of the file, from the top of the site.
    """
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name for scorekit.data")
    return File(path, f"scorekit.data.{name} = {safe_json(value)};\n".encode("ascii"))
