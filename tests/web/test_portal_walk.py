"""From a file to the site, by the pages of the portal alone: with scripts, without them, and two operators at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scorekit.portal import checking, publishing
from scorekit.portal.ledger import decisions, people, submissions
from tests.web.portal_server import Running, running, visiting
from tests.web.portal_states import GOLDEN, hand_in, judge, verdict

CLAUSES = ("The energy figures become public", "The logs are true", "The model is the one that users get")


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts."""
    found: bool = request.param
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Running]:
    """A portal with nothing in it."""
    with running(tmp_path / "data") as found:
        yield found


def log_in(page: Page, place: Running, role: people.Role, name: str) -> None:
    """By the form, with a token."""
    page.goto(f"{place.url}/login")
    page.get_by_label("Token").fill(place.token(role, name))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(f"Logged in as {name}")).to_be_visible()


def submit(page: Page, place: Running, file: Path) -> str:
    """By the form; returns the address of the submission."""
    page.goto(f"{place.url}/submit")
    page.get_by_label("The zip").set_input_files(file)
    for clause in CLAUSES:
        box = page.get_by_label(clause)
        expect(box).not_to_be_checked()
        box.check()
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Submission")
    return page.url


def test_from_a_faulty_file_to_the_site(browser: Browser, place: Running, tmp_path: Path, scripts: bool) -> None:
    content = GOLDEN.read_bytes()
    faulty = tmp_path / "submission.zip"
    faulty.write_bytes(
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]
    )
    with visiting(browser, place, scripts=scripts) as page:
        log_in(page, place, "submitter", "Ada Lovelace")
        submit(page, place, faulty)
        assert checking.check_one(place.portal)
        page.reload()
        expect(page.locator(".big-state")).to_contain_text("Refused by the checks")
        expect(page.locator(".reason-refuse .mend").first).to_contain_text("What to do:")

        mended = submit(page, place, GOLDEN)
        assert checking.check_one(place.portal)
        page.reload()
        expect(page.locator(".big-state")).to_contain_text("Waits for an operator")
        expect(page.locator(".big-figure")).to_contain_text("7.600 Wh")

        with visiting(browser, place, scripts=scripts) as desk:
            log_in(desk, place, "operator", "Grace Hopper")
            desk.goto(f"{place.url}/desk")
            desk.get_by_role("region", name="Submissions that wait for a decision").get_by_role("link").first.click()
            expect(desk.get_by_role("region", name="Run 1 beside its neighbours")).to_contain_text(
                "Lowest of the edition"
            )
            desk.get_by_label("Accept: the result is published").check()
            desk.get_by_label("Why").fill("It agrees with what is known.")
            desk.get_by_role("button", name="Decide").click()
            expect(desk.locator(".verdict")).to_contain_text("Accepted by Grace Hopper")
        assert publishing.build_site(place.portal)

        page.goto(mended)
        expect(page.locator(".big-state")).to_contain_text("Published")
        expect(page.get_by_role("main")).to_contain_text("It agrees with what is known.")
        label = page.get_by_role("link", name="Its label (SVG)").get_attribute("href")
        answer = page.request.get(f"{place.url}{label}")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
        page.get_by_role("link", name="The model's page").click()
        expect(page.get_by_role("main")).to_contain_text("7.600 Wh")


def test_of_two_operators_at_once_the_second_is_told(browser: Browser, place: Running) -> None:
    submission_id = hand_in(place.portal, place.actor("submitter", "Ada"), 1)
    judge(place.portal, verdict(1))
    first, second = place.actor("operator", "Grace Hopper"), place.actor("operator", "Katherine Johnson")
    with visiting(browser, place, first) as one, visiting(browser, place, second) as other:
        for page, choice, reason in (
            (one, "#decision-accept", "It is sound."),
            (other, "#decision-refuse", "I doubt it."),
        ):
            page.goto(f"{place.url}/desk/submissions/{submission_id}")
            page.locator(choice).check()
            page.get_by_label("Why").fill(reason)
        one.get_by_role("button", name="Decide").click()
        expect(one.locator(".verdict")).to_contain_text("Accepted by Grace Hopper")
        other.get_by_role("button", name="Decide").click()
        expect(other.get_by_role("alert")).to_contain_text("Your decision was not taken")
        expect(other.locator(".verdict")).to_contain_text("Accepted by Grace Hopper")
    decision = decisions.find(place.portal.storage, "submission", submission_id)
    assert decision is not None
    assert (decision.account_id, decision.decision) == (first.account_id, "accept")
    assert submissions.find(place.portal.storage, first, submission_id).state == "accepted"
