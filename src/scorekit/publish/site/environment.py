"""The Jinja environment: strict, escaping, and with the filters and functions that pages/__init__.py tells of."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import jinja2
from markupsafe import Markup

from scorekit.publish.site import figures, names
from scorekit.publish.site.content import UNCERTAINTY_TERMS, Cohort, Entry, Site, is_official, model_slug
from scorekit.publish.site.files import FOLDER
from scorekit.publish.site.pages import SECTIONS, Build, Page, Section
from scorekit.units import kwh_to_wh

SCRIPTS: Final = ("assets/scorekit.js",)
STYLES: Final = ("assets/tokens.css", "assets/base.css")


class Renderer:
    """Renders pages; what is alike on many of them is made once.

    Args:
        site: what is shown.
        build: when and by what it is made.
        sections: those that the site has.
    """

    def __init__(self, site: Site, build: Build, sections: tuple[Section, ...] = SECTIONS) -> None:
        self._sections = {section.key: section for section in sections}
        self._frames: dict[tuple[str, str], tuple[Markup, Markup]] = {}
        self._shared = {
            "site": site,
            "build": build,
            "has_results": any(entry.result is not None for entry in site.entries),
            # Of the results that were not published by the edition: some of them, all, or none are local.
            "own_local": _own_local(site),
            "sections": tuple(section for section in sections if section.in_navigation),
            "has": self._sections.__contains__,
            "section_title": lambda key: self._sections[key].title,
        }

    def render(self, page: Page) -> str:
        """The HTML of a page."""
        root = "../" * page.path.count("/")
        header, footer = self._frame(root, page.section)
        return (
            environment()
            .get_template(page.template)
            .render(
                **self._shared,
                **self._places(root),
                **page.context,
                page=page,
                header=header,
                footer=footer,
                scripts=[f"{root}{path}" for path in (*SCRIPTS, *page.scripts)],
                styles=[f"{root}{path}" for path in (*STYLES, *page.styles)],
                ids=itertools.count(1),
            )
        )

    def _frame(self, root: str, section: str) -> tuple[Markup, Markup]:
        """Header and footer, which are alike for all pages of one folder and section."""
        key = (root, section)
        if key not in self._frames:
            facts = {**self._shared, **self._places(root), "section": section}
            header, footer = (environment().get_template(f"{name}.html").render(facts) for name in _FRAME)
            self._frames[key] = (Markup(header), Markup(footer))  # noqa: S704 - made by a template that escapes
        return self._frames[key]

    def _places(self, root: str) -> dict[str, Any]:
        """The functions that links are made by, of a page that lies `root` below the top."""

        def href(path: str) -> str:
            if path.startswith("/") or ".." in path.split("/") or ":" in path:
                raise ValueError(f"{path!r} is no path of the site")
            return f"{root}{path}"

        return {"root": root, "href": href, "to": lambda key: href(self._sections[key].path)}


_FRAME: Final = ("header", "footer")


def _own_local(site: Site) -> str:
    """Whether none, some or all of the figures that the edition did not publish have no official star."""
    own = [is_official(entry) for entry in site.entries if entry.result is not None]
    return "none" if all(own) else "some" if any(own) else "all"


@cache
def environment() -> jinja2.Environment:
    """The one environment, which compiles each template once; what is one site's is given to each page."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    made.filters.update(
        wh=figures.wh,
        kwh_as_wh=lambda value: figures.wh(None if value is None else kwh_to_wh(value)),
        percent=figures.percent,
        count=figures.count,
        number=figures.number,
        name=lambda text: names.isolated(text) if text else figures.UNKNOWN,
        path=lambda text: names.broken(text) if text else figures.UNKNOWN,
        utc=names.utc,
        term=UNCERTAINTY_TERMS.__getitem__,
        shown=names.shown,
        slug=model_slug,
        # Safe as it is: ASCII without markup.
        as_json=lambda value: Markup(names.safe_json(value)),  # noqa: S704
        basename=posixpath.basename,
    )
    made.globals.update(
        next_id=_next_id, figure=_figure, energy=_energy, stars=figures.stars, stars_html=figures.stars_html,
        origin=figures.origin_html, edition_named=figures.edition_html,
        cohort_title=lambda name, size: Cohort(name, size).title, Told=figures.Told,
    )  # fmt: skip
    return made


@jinja2.pass_context
def _next_id(context: jinja2.runtime.Context) -> str:
    counter: Iterator[int] = context["ids"]
    return f"i{next(counter)}"


@jinja2.pass_context
def _figure(context: jinja2.runtime.Context, text: str | Markup, told: figures.Told) -> Markup:
    return figures.figure_html(text, told, _next_id(context))


@jinja2.pass_context
def _energy(context: jinja2.runtime.Context, entry: Entry) -> Markup:
    return figures.energy_html(entry, _next_id(context))
