"""What older versions published of confidential submissions is found, told, and replaced when that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import cli, store, submission
from scorekit.logs.from_score import result_of
from scorekit.portal.consistency import check
from scorekit.portal.ledger import publications, sites
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from scorekit.portal.settings import DATABASE
from scorekit.portal.storage import audit
from scorekit.portal.withholding import withhold
from scorekit.records import Verdict
from tests.portal.measured import accept, official_run, packed, results_of
from tests.unit.submission.made import request

HIDDEN = "Hidden 1"


def _in_full(portal: Portal, submission_id: str) -> str:
    """A confidential submission as an older version published it; where its result lies."""
    ((published, verdict_json),) = [
        one for one in publications.all_with_verdicts(portal.storage) if one[0].submission_id == submission_id
    ]
    (run,) = Verdict.model_validate_json(verdict_json).runs
    assert run.score is not None
    whole = result_of(run.score, f"{submission_id}/{published.folder}")
    return store.open(portal.settings.results).add(whole).path


@pytest.fixture
def handed_in(portal: Portal, submitter: Actor, operator: Actor, tmp_path: Path) -> str:
    """A confidential submission that was accepted, beside an open one that is published."""
    accept(portal, operator, submitter, packed())
    assert publish_pending(portal) == 1
    run = official_run(tmp_path / "run", factor=1.1)
    content = submission.pack([run], request(form="confidential", model_name=HIDDEN)).content
    return accept(portal, operator, submitter, content).id


def _hidden(portal: Portal) -> list[bool]:
    return [result.confidential for result in results_of(portal) if result.model == HIDDEN]


def _told(portal: Portal) -> list[str]:
    return [finding.subject for finding in check(portal).findings if finding.code == "tells_too_much"]


def test_what_was_published_in_full_is_told_and_replaced(portal: Portal, handed_in: str) -> None:
    old = _in_full(portal, handed_in)
    (pending,) = [one for one, _ in publications.pending(portal.storage)]
    assert publications.published(portal.storage, pending, old)
    found = check(portal)
    assert not found.whole
    (finding,) = [finding for finding in found.findings if finding.weight == "fault"]
    assert (finding.code, finding.subject) == ("tells_too_much", handed_in)
    assert old in finding.message
    assert "scorekit portal withhold --data DIR" in finding.message
    assert _hidden(portal) == [False]
    sites.built(portal.storage, sites.wanted(portal.storage), None)

    assert withhold(portal) == 1
    assert check(portal).whole
    assert _hidden(portal) == [True]
    assert not (portal.settings.results / old).exists()
    (published,) = publications.of_submission(portal.storage, handed_in)
    assert published.result_path is not None
    assert store.open(portal.settings.results).read(published.result_path).confidential
    assert sites.wanted(portal.storage), "the site is built again"
    with portal.storage.database.read() as connection:
        assert next(audit.newest(connection)).action == "result.withhold"
    # Done again it changes nothing; nor does it touch the open one.
    before = sorted(portal.settings.results.glob("*/*.json"))
    assert withhold(portal) == 0
    assert sorted(portal.settings.results.glob("*/*.json")) == before
    assert len(before) == 2


def test_a_file_that_the_ledger_does_not_know_is_found_too(portal: Portal, handed_in: str) -> None:
    """An older version wrote it and died before it kept where."""
    _in_full(portal, handed_in)
    assert publish_pending(portal) == 1
    assert sorted(_hidden(portal)) == [False, True]
    assert _told(portal) == [handed_in]
    assert withhold(portal) == 1
    assert _hidden(portal) == [True]
    assert check(portal).whole


def test_one_that_waits_is_withheld_before_it_is_published(portal: Portal, handed_in: str) -> None:
    _in_full(portal, handed_in)
    assert withhold(portal) == 1
    assert _hidden(portal) == [True]
    assert publish_pending(portal) == 1
    assert _hidden(portal) == [True]
    assert check(portal).whole


def test_the_command_replaces_them(
    portal: Portal, handed_in: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DATABASE, sqlite_url)
    _in_full(portal, handed_in)
    assert cli.main(["portal", "check", "--data", str(portal.settings.data)]) == 1
    assert "tells_too_much" in capsys.readouterr().out
    assert cli.main(["portal", "withhold", "--data", str(portal.settings.data)]) == 0
    assert "1 result of confidential submissions told more than may be public" in capsys.readouterr().err
    assert cli.main(["portal", "withhold", "--data", str(portal.settings.data)]) == 0
    assert "nothing was changed" in capsys.readouterr().err
