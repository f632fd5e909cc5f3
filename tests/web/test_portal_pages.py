"""Every page of the portal in a browser: names of strangers are text, nothing overflows, and WCAG 2.2 AA holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from scorekit.portal.ledger.people import Actor
from tests.sites import HOSTILE
from tests.web.portal_server import Running, running, visiting
from tests.web.portal_states import States, fill, judge, verdict

SUBMISSIONS = ("received", "refused", "waiting", "published")
REQUESTS = ("declined", "leased")
_UNNAMED = """tables => tables.flatMap(table => {
  const heads = [...table.querySelectorAll("thead th")].map(head => head.textContent);
  return [...table.querySelectorAll("tbody tr")].flatMap(row => [...row.cells].slice(1).filter((cell, place) =>
    cell.textContent.trim() !== "" && (cell.dataset.label !== heads[place + 1] || cell.getAttribute("role") !== "cell")
  )).map(cell => cell.outerHTML.slice(0, 80));
})"""
_RAGGED = """cells => cells.filter(cell => cell.checkVisibility() && !cell.classList.contains("long")).filter(cell =>
  getComputedStyle(cell).display !== "flex" || cell.children.length > 1
).map(cell => cell.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A portal for all tests of the module."""
    with running(tmp_path_factory.mktemp("portal") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def states(place: Running) -> States:
    """Something in every state."""
    submitter = place.actor("submitter", f"Ada {HOSTILE[0]}")
    return fill(place.portal, submitter, place.actor("operator", HOSTILE[1]), place.actor("worker", "A worker"))


def paths(states: States) -> list[tuple[Actor | None, str]]:
    """Who looks at which page."""
    submitter, operator = states.submitter, states.operator
    return [
        (None, "/"),
        (None, "/login"),
        (submitter, "/"),
        (submitter, "/submit"),
        (submitter, "/submissions"),
        *((submitter, f"/submissions/{states.submissions[state]}") for state in SUBMISSIONS),
        (submitter, "/requests"),
        *((submitter, f"/requests/{states.requests[state]}") for state in REQUESTS),
        (submitter, "/nothing-here"),
        (submitter, "/desk"),
        (operator, "/desk"),
        *((operator, f"/desk/submissions/{states.submissions[state]}") for state in ("refused", "waiting")),
        *((operator, f"/desk/requests/{states.requests[state]}") for state in ("waiting", "failed")),
        (operator, "/desk/editions"),
        (operator, "/desk/audit"),
        (operator, f"/desk/audit?subject={states.submissions['waiting']}"),
    ]


@pytest.mark.parametrize(
    ("scheme", "width_px", "rules"), [("light", 360, ()), ("dark", 1440, ("color-contrast", "target-size"))]
)
def test_every_page_is_for_everybody(
    browser: Browser, place: Running, states: States, axe: Callable[..., list[str]],
    scheme: Literal["light", "dark"], width_px: int, rules: tuple[str, ...],
) -> None:  # fmt: skip
    found = []
    for actor in (None, states.submitter, states.operator):
        with visiting(browser, place, actor, scheme=scheme, width_px=width_px) as page:
            for path in (path for who, path in paths(states) if who is actor):
                page.goto(place.url + path)
                expect(page.locator("h1")).to_have_count(1)
                over_px = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                found += [f"{path}: {over_px} px too wide"] if over_px > 0 else []
                found += [f"{path}: {told}" for told in axe(page, *rules)]
                if width_px == 360:
                    # A row is a card there: each value beside its column's name, at the two edges.
                    found += [f"{path}: {told}" for told in page.locator("table.stacked").evaluate_all(_UNNAMED)]
                    found += [f"{path}: {told}" for told in page.locator(".stacked td").evaluate_all(_RAGGED)]
    assert not found, "\n".join(found)


def test_paper_shows_what_is_closed_on_the_screen(browser: Browser, place: Running, states: States) -> None:
    with visiting(browser, place, states.operator) as page:
        page.goto(f"{place.url}/desk/editions")
        row = page.locator("details:not([open]) tbody tr").first
        expect(row).to_be_hidden()
        page.emulate_media(media="print")
        expect(row).to_be_visible()
        expect(page.locator("form.form")).to_be_hidden()


def test_names_of_strangers_are_text(browser: Browser, place: Running, states: States) -> None:
    with visiting(browser, place, states.operator) as page:
        said: list[str] = []
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(f"{place.url}/desk/submissions/{states.submissions['waiting']}")
        main = page.get_by_role("main")
        for name in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[4]):
            expect(main.get_by_text(name).first).to_be_visible()
        assert main.locator("script, svg:not(.bar), img").count() == 0
        assert said == []


def test_a_status_page_shows_the_verdict_when_there_is_one(browser: Browser, place: Running, states: States) -> None:
    with visiting(browser, place, states.submitter) as page:
        page.goto(f"{place.url}/submissions/{states.submissions['received']}")
        expect(page.locator(".big-state")).to_contain_text("Received")
        judge(place.portal, verdict(100, model="example/just-checked"))
        expect(page.locator(".big-state")).to_contain_text("Waits for an operator")
        expect(page.get_by_role("main")).to_contain_text("example/just-checked")
        expect(page).to_have_title(
            "Submission " + states.submissions["received"][:8] + ": waits for an operator · Submission portal"
        )


def test_what_is_wrong_in_a_form_is_tied_to_its_field(
    browser: Browser, place: Running, states: States, axe: Callable[[Page], list[str]]
) -> None:
    with visiting(browser, place, states.submitter, width_px=360) as page:
        page.goto(f"{place.url}/submit")
        page.locator("#integrity").check()
        page.locator("form.form").evaluate("form => { form.noValidate = true; }")
        page.get_by_role("button", name="Hand it in").click()
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        expect(summary.get_by_role("link")).to_have_count(3)
        summary.get_by_role("link", name="Not accepted: The energy figures become public").click()
        field = page.locator("#public_data")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#" + (field.get_attribute("aria-describedby") or "").split()[-1])).to_contain_text(
            "Not accepted"
        )
        # What was ticked is ticked still, and nothing else is.
        assert [box.is_checked() for box in page.get_by_role("checkbox").all()] == [False, True, False]
        assert axe(page) == []

        page.goto(f"{place.url}/requests")
        page.locator("#model").fill("../../etc/passwd")
        page.locator("#task").select_option("text_generation")
        page.get_by_role("button", name="Ask for it").click()
        expect(page.get_by_role("alert")).to_contain_text("classes of size")
        expect(page.locator("#model")).to_have_value("../../etc/passwd")
        page.locator("#model_class").select_option("A")
        page.get_by_role("button", name="Ask for it").click()
        expect(page.locator("#model-error")).to_contain_text("no name of a model")
        assert axe(page) == []


def test_a_keyboard_is_enough_to_decide(browser: Browser, place: Running, states: States) -> None:
    with visiting(browser, place, states.operator) as page:
        page.goto(f"{place.url}/desk/requests/{states.requests['waiting']}")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.locator("#decision-accept").evaluate("box => box === document.activeElement"):
                break
        page.keyboard.press("ArrowDown")
        expect(page.locator("#decision-refuse")).to_be_checked()
        page.keyboard.press("Tab")
        page.keyboard.type("It is measured already.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".verdict")).to_contain_text("Refused by")
        expect(page.locator(".verdict")).to_contain_text("It is measured already.")
