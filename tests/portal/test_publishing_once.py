"""Each measurement and edition is published once, whoever dies and however many try; on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from scorekit.portal import edition_publishing, journal
from scorekit.portal.ledger import publications
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_edition, publish_pending
from scorekit.portal.storage import Storage
from tests.portal.measured import accept, failing, packed, read_here, results_of


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    read_here(monkeypatch)


def test_a_result_is_published_once(portal: Portal, submitter: Actor, operator: Actor) -> None:
    taken = accept(portal, operator, submitter, packed())
    assert publish_pending(portal) == 1
    (result,) = results_of(portal)
    assert (result.model, result.comparable) == ("example/model-1b", True)
    assert result.source.name == f"{taken.id}/runs/1"
    (publication,) = publications.of_submission(portal.storage, taken.id)
    assert publication.result_path is not None
    assert (portal.settings.results / publication.result_path).is_file()
    assert publish_pending(portal) == 0
    assert len(results_of(portal)) == 1


def test_whoever_dies_between_file_and_row_has_published_once(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = accept(portal, operator, submitter, packed())

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(publications, "published", die)
        with pytest.raises(Killed):
            publish_pending(portal)
    assert len(results_of(portal)) == 1, "the file is there, and the row is not"
    assert publications.of_submission(portal.storage, taken.id)[0].published_at is None
    assert publish_pending(portal) == 1
    assert len(results_of(portal)) == 1
    assert publications.of_submission(portal.storage, taken.id)[0].published_at is not None


def test_of_two_publishers_at_once_each_result_is_published_once(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    for number, factor in enumerate((0.8, 1.0, 1.2)):
        accept(portal, operator, submitter, packed(f"example/m{number}", factor))
    threads = [threading.Thread(target=publish_pending, args=(portal,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results_of(portal)) == 3
    assert publications.pending(portal.storage) == []


def test_of_two_publishers_of_one_result_one_counts_and_tells_it(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = accept(portal, operator, submitter, packed())
    told: list[object] = []
    done: list[int] = []
    monkeypatch.setattr(
        journal, "tell", lambda event, **more: told.append(more["submission"]) if event == "result.publish" else None
    )
    published = publications.published

    def after_another(storage: Storage, publication: Publication, path: str) -> bool:
        # Another has found the same one pending, and is through with it first.
        monkeypatch.setattr(publications, "published", published)
        done.append(publish_pending(portal))
        return published(storage, publication, path)

    monkeypatch.setattr(publications, "published", after_another)
    done.append(publish_pending(portal))
    assert done == [1, 0]
    assert told == [taken.id]


@pytest.mark.parametrize("step", ["freeze", "row"])
def test_whoever_dies_while_an_edition_is_published_does_it_again(
    step: str, portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, factor in enumerate((0.8, 1.2)):
        accept(portal, operator, submitter, packed(f"example/m{number}", factor))
    publish_pending(portal)
    with monkeypatch.context() as patched:
        if step == "freeze":
            patched.setattr(edition_publishing.editions, "freeze", failing(KeyboardInterrupt()))
        else:
            patched.setattr(publications, "publish_edition", failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            publish_edition(portal, operator, "2026-01", date="2026-01")
    assert publications.current_edition(portal.storage) is None
    made = publish_edition(portal, operator, "2026-01", date="2026-01")
    assert publications.current_edition(portal.storage) == "2026-01"
    assert publish_edition(portal, operator, "2026-01", date="2026-01") == made
    assert publish_edition(portal, operator, "2026-01") == made
    assert {path.name for path in portal.settings.editions.iterdir()} == {"2026-01.json"}
