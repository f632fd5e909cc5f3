"""What was accepted lies in the results folder once, and on the site; editions are frozen of what is there."""

from __future__ import annotations

import fcntl
import json
import re

import pytest

from scorekit import editions, store
from scorekit.errors import BundleError, InputError
from scorekit.portal import publishing
from scorekit.portal.checking import check_one
from scorekit.portal.ledger import decisions, publications, sites, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import (
    PreviewChangedError,
    build_site,
    preview,
    publish_edition,
    publish_pending,
)
from scorekit.records import Result
from tests.portal.conftest import Clock
from tests.portal.measured import accept, failing, hand_in, packed, results_of


def test_one_that_cannot_be_published_keeps_back_no_other(
    portal: Portal, submitter: Actor, operator: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = accept(portal, operator, submitter, packed("example/bad", 0.8))
    clock.advance(seconds=1)
    accept(portal, operator, submitter, packed("example/good", 1.2))
    add = store.Store.add

    def picky(self: store.Store, result: Result) -> store.Added:
        if result.model == "example/bad":
            raise BundleError("the disk is full")
        return add(self, result)

    with monkeypatch.context() as patched:
        patched.setattr(store.Store, "add", picky)
        with pytest.raises(BundleError, match="full"):
            publish_pending(portal)
    assert [result.model for result in results_of(portal)] == ["example/good"]
    assert [publication.submission_id for publication, _ in publications.pending(portal.storage)] == [bad.id]
    assert publish_pending(portal) == 1


def test_what_is_not_comparable_stays_so(portal: Portal, submitter: Actor, operator: Actor) -> None:
    taken = accept(portal, operator, submitter, packed(gpu="NVIDIA L40S"))
    assert taken.verdict is not None
    assert taken.verdict.verdict == "needs review"
    assert publish_pending(portal) == 1
    (result,) = results_of(portal)
    assert not result.comparable
    assert preview(portal).edition is None


def test_the_site_shows_what_was_accepted_and_links_lead_to_the_portal(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    accept(portal, operator, submitter, packed())
    assert build_site(portal), "it publishes what waits, and builds"
    told = sites.latest(portal.storage)
    assert told is not None
    assert told.state == "built"
    pages = [path for path in portal.settings.site.rglob("*.html") if "example/model-1b" in path.read_text("utf-8")]
    assert pages
    labels = [path.read_text("utf-8") for path in portal.settings.site.glob("labels/*.svg")]
    links = {link for label in labels for link in re.findall(r'href="http://portal\.test/site/([^"]+)"', label)}
    assert links
    assert all((portal.settings.site / link).is_file() for link in links), "a label's link leads nowhere"
    assert not build_site(portal), "nothing has happened since"


def test_a_build_that_fails_leaves_the_old_site_and_is_told(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorekit.publish.site import source

    publishing.want_site(portal, "a test")
    assert build_site(portal)
    before = {path.name: path.read_bytes() for path in portal.settings.site.iterdir() if path.is_file()}
    for error, told in (
        (InputError("an edition is gone", mend="bring it back"), "an edition is gone"),
        (KeyError("x"), "KeyError"),
    ):
        publishing.want_site(portal, "another test")
        with monkeypatch.context() as patched:
            patched.setattr(source, "read", failing(error))
            assert not build_site(portal)
        latest = sites.latest(portal.storage)
        assert latest is not None
        assert latest.state == "failed"
        assert told in (latest.message or "")
    after = {path.name: path.read_bytes() for path in portal.settings.site.iterdir() if path.is_file()}
    assert after == before


def test_wishes_become_one_build_and_only_one_builds_at_a_time(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    monkeypatch.setattr(publishing, "_build", lambda _: built.append("once"))
    for number in range(5):
        publishing.want_site(portal, f"wish {number}")
    with (portal.settings.data / "site.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not build_site(portal), "another process builds"
        assert sites.wanted(portal.storage), "the wish is kept"
    assert build_site(portal)
    assert built == ["once"]
    assert not sites.wanted(portal.storage)


def test_what_is_published_while_a_build_goes_on_is_built_after_it(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed()
    publishing.want_site(portal, "a test")

    def build(_portal: Portal) -> None:
        if not results_of(portal):
            accept(portal, operator, submitter, content)
            publish_pending(portal)

    monkeypatch.setattr(publishing, "_build", build)
    assert build_site(portal)
    assert sites.wanted(portal.storage)
    assert build_site(portal)
    assert not sites.wanted(portal.storage)


def test_what_a_killed_build_left_is_removed(portal: Portal) -> None:
    left = portal.settings.data / ".site.abc.part"
    left.mkdir()
    (left / "index.html").write_text("half")
    publishing.want_site(portal, "a test")
    assert build_site(portal)
    assert not left.exists()


def test_an_edition_is_frozen_and_what_the_portal_judges_by(portal: Portal, submitter: Actor, operator: Actor) -> None:
    for number, factor in enumerate((0.8, 1.2)):
        accept(portal, operator, submitter, packed(f"example/m{number}", factor))
    assert publish_pending(portal) == 2
    shown = preview(portal)
    assert shown.edition is not None
    assert [member.model for member in shown.edition.members] == ["example/m0", "example/m1"]
    assert not list(portal.settings.editions.iterdir()), "a look writes nothing"
    made = publish_edition(portal, operator, "2026-01", date="2026-01")
    assert made.members == shown.edition.members
    assert made.thresholds == shown.edition.thresholds
    assert publishing.current_edition(portal) == made
    assert build_site(portal)
    assert json.loads((portal.settings.site / "data" / "editions" / "2026-01.json").read_bytes())["name"] == "2026-01"
    # What is handed in from now on is judged by it.
    taken = hand_in(portal, submitter, packed("example/m2", 1.0))
    assert check_one(portal)
    verdict = submissions.find(portal.storage, submitter, taken.id).verdict
    assert verdict is not None
    assert "is judged by '2026-01'" in " ".join(reason.message for reason in verdict.reasons)


def test_an_edition_is_of_the_members_that_were_seen(portal: Portal, submitter: Actor, operator: Actor) -> None:
    nothing = preview(portal).seen
    for number, factor in enumerate((0.8, 1.2)):
        accept(portal, operator, submitter, packed(f"example/m{number}", factor))
    publish_pending(portal)
    shown = preview(portal)
    assert preview(portal, "log_width").seen == shown.seen, "a rule changes no member"
    accept(portal, operator, submitter, packed("example/m2", 1.3))
    publish_pending(portal)
    now = preview(portal)
    for seen in (shown.seen, nothing):
        with pytest.raises(PreviewChangedError, match="other members or figures"):
            publish_edition(portal, operator, "2026-01", date="2026-01", seen=seen)
    assert publications.current_edition(portal.storage) is None
    assert not list(portal.settings.editions.iterdir()), "nothing is frozen"
    made = publish_edition(portal, operator, "2026-01", date="2026-01", seen=now.seen)
    assert made.members == now.members
    # Asked for again when the answer was lost, and more was published since: it is frozen, and stays what it is.
    accept(portal, operator, submitter, packed("example/m3", 1.0))
    publish_pending(portal)
    assert publish_edition(portal, operator, "2026-01", date="2026-01", seen=now.seen) == made


def test_editions_that_cannot_be(portal: Portal, submitter: Actor, operator: Actor) -> None:
    with pytest.raises(NotAllowedError):
        publish_edition(portal, submitter, "2026-01")
    with pytest.raises(WrongContentError, match="no comparable result"):
        publish_edition(portal, operator, "2026-01")
    accept(portal, operator, submitter, packed("example/m0", 0.8))
    publish_pending(portal)
    with pytest.raises(WrongContentError, match="no cohort of '2026-01' can be rated") as refused:
        publish_edition(portal, operator, "2026-01")
    assert "two models" in (refused.value.mend or "")
    alone = preview(portal)
    assert alone.edition is not None
    assert not alone.edition.thresholds
    assert "cannot be rated" in alone.refused[0]
    for name, words in (("../x", "cannot be an edition's name"), (editions.LATEST, "scorekit's own")):
        with pytest.raises(WrongContentError, match=words):
            publish_edition(portal, operator, name)
    with pytest.raises(WrongContentError, match="no rule"):
        preview(portal, rule="stars_for_all")
    with pytest.raises(WrongContentError, match="no date"):
        publish_edition(portal, operator, "2026-01", date="soon")
    accept(portal, operator, submitter, packed("example/m1", 1.2))
    publish_pending(portal)
    publish_edition(portal, operator, "2026-01", date="2026-01")
    with pytest.raises(TooLateError, match="frozen edition 2026-01"):
        publish_edition(portal, operator, "2026-01", date="2026-02")
    # Kept by its hash: another content under this name is refused.
    with pytest.raises(TooLateError, match="other content"):
        publications.publish_edition(portal.storage, operator, "2026-01", "0" * 64)


def test_a_verdict_without_the_score_is_no_result(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = hand_in(portal, submitter, packed())
    check_one(portal)
    decisions.decide_submission(portal.storage, operator, taken.id, "accept", "good")
    ((publication, _),) = publications.pending(portal.storage)
    found = submissions.find(portal.storage, submitter, taken.id).verdict
    assert found is not None
    monkeypatch.setattr(
        publications, "pending", lambda _: [(publication, found.model_copy(update={"runs": ()}).model_dump_json())]
    )
    with pytest.raises(InputError, match="no score of runs/1"):
        publish_pending(portal)
    assert results_of(portal) == []
