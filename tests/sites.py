"""Sites made up for tests, and what must hold for every built one: links lead somewhere, nothing inline or foreign."""

from __future__ import annotations

import datetime
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scorekit.editions import Edition, Member, with_thresholds
from scorekit.logs.from_score import result_of
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.records import Fault, Figure, Result
from tests.bundles import local_score, official_score
from tests.edition_members import draft

TIME = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
HOSTILE = (
    "<script>alert(1)</script>/<img src=x onerror=alert(1)>",
    "evil/\"'><svg onload=alert(1)>&amp;{{ 7*7 }}",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe/\N{HEBREW LETTER ALEF}\N{ARABIC LETTER BEH}",
    "\N{ROBOT FACE}\N{ZERO WIDTH JOINER}\N{FIRE}/\N{PILE OF POO}" * 3,
    "x" * 200,
    "tab\tand\x07bell/and\x00null\x7f\x9b",
    "</script><!--/]]>",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
)
"""Names as strangers may give them."""


def members(shift: float = 1.0) -> list[Member]:
    """Two tasks and a class, with energies that `shift` makes greater."""
    found = [
        Member(cohort="asr", model=f"example/listener-{size}", wh_per_1000_queries=size * shift)
        for size in (1, 2, 5, 20, 80)
    ]
    found += [
        Member(
            cohort="text_generation", model_class="A", model=f"example/writer-{size}b", wh_per_1000_queries=2.0 * size
        )
        for size in (1, 3, 7)
    ]
    found += [
        Member(cohort="text_generation", model_class=size, model=f"example/writer-{size}", wh_per_1000_queries=energy)
        for size, energy in (("B", 60.0), ("B", 600.0), ("C", 2000.0))
    ]
    return found


def edition(name: str = "2026-01", shift: float = 1.0, date: str = "2026-01") -> Edition:
    """An edition with its thresholds, as freezing would give them."""
    return with_thresholds(draft(members(shift), name)).model_copy(update={"date": date})


def results() -> list[Result]:
    """An official one, local ones of hostile names, one that was corrected, and one without a figure."""
    found = [
        result_of(official_score("example/writer-1b", energy_wh=3.0), "runs/official"),
        result_of(local_score("tiny-llama", energy_wh=1.0), "runs/tiny"),
        result_of(local_score("small-llama", energy_wh=2.0), "runs/small"),
        *(result_of(local_score(name, energy_wh=1.5 + n), f"runs/hostile-{n}") for n, name in enumerate(HOSTILE)),
    ]
    fault = Fault(code="zero_energy", message="repeat 3: energy is 0, expected a positive one", repeat=3, spoils=True)
    sound = result_of(local_score("corrected/model", energy_wh=4.0), "runs/corrected")
    corrected = sound.model_copy(
        update={
            "published": Figure(energy_kwh=0.0036, wh_per_1000_queries=3.6, runs=10),
            "corrected": Figure(energy_kwh=0.004, wh_per_1000_queries=4.0, runs=9, excluded_repeats=(3,)),
            "difference_percent": 11.1,
            "faults": (fault,),
        }
    )
    refused = sound.model_copy(
        update={
            "model": "refused/model",
            "wh_per_1000_queries": None,
            "energy_kwh": None,
            "refused": "the log gives no energy that can be used",
            "faults": (fault,),
        }
    )
    return [*found, corrected, refused]


def full_site(title: str = 'Scores <of> "test" & co') -> Site:
    """Two editions, results of every kind, hostile names and a hostile title."""
    newer, older = edition(), edition("2025-06", shift=1.5, date="2025-06")
    return gather(results(), newer, [newer, older], title=title)


def local_site() -> Site:
    """Results that are not comparable, without an edition."""
    return gather(results()[1:], None, [])


def empty_site() -> Site:
    """Nothing at all."""
    return gather([], None, [])


def built(site: Site, folder: Path) -> Path:
    """A site, built at a fixed time below a folder."""
    return build(site, folder / "site", time=TIME).folder


@dataclass
class Document:
    """What a page refers to, and what it must not hold."""

    ids: list[str] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    headings: int = 0


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Document()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.found.headings += tag == "h1"
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.found.forbidden.append(f"<{tag} {name}=...>")
            elif name == "id":
                self.found.ids.append(value or "")
            elif name in ("href", "src"):
                self.found.links.append((tag, name, value or ""))
            elif name in ("for", "aria-describedby", "aria-labelledby", "aria-controls", "aria-owns", "headers"):
                self.found.references += (value or "").split()
        if tag == "style" or (tag == "script" and "src" not in told and told.get("type") != "application/json"):
            self.found.forbidden.append(f"inline <{tag}>")


def read(path: Path) -> Document:
    """What a page holds."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.found


def faults(folder: Path) -> Iterator[str]:
    """Everything that is wrong with the pages of a built site."""
    documents = {path.relative_to(folder).as_posix(): read(path) for path in sorted(folder.rglob("*.html"))}
    for page, document in documents.items():
        yield from (f"{page}: {one}" for one in document.forbidden)
        if document.headings != 1:
            yield f"{page}: {document.headings} h1"
        twice = {identity for identity in document.ids if document.ids.count(identity) > 1}
        yield from (f"{page}: id {identity} stands twice" for identity in sorted(twice))
        yield from (f"{page}: no id {one}" for one in document.references if one not in document.ids)
        for tag, attribute, link in document.links:
            fault = _fault(folder, page, tag, link, documents)
            if fault is not None:
                yield f"{page}: <{tag} {attribute}={link!r}> {fault}"


def _fault(folder: Path, page: str, tag: str, link: str, documents: dict[str, Document]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None if tag == "a" and parts.scheme == "https" else "leads outside"
    if parts.path.startswith("/"):
        return "is not relative"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) if parts.path else page
    if target.startswith(".."):
        return "leads out of the site"
    if not (folder / target).is_file():
        return "leads nowhere"
    if parts.fragment and target in documents and "=" not in parts.fragment:
        return None if unquote(parts.fragment) in documents[target].ids else "names no id"
    return None
