"""Submissions as lists of the API tell them, with what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scorekit.portal.ledger import publications
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.portal.web.api.models import PublicationTold, SubmissionSummary
from scorekit.portal.web.site_places import place_of


def summaries(portal: Portal, found: Sequence[Submission]) -> tuple[SubmissionSummary, ...]:
    """Submissions in their order."""
    published = publications.of_submissions(portal.storage, [one.id for one in found if one.state == "accepted"])
    return tuple(SubmissionSummary.of(one, publications_told(portal, published.get(one.id, ()))) for one in found)


def publications_told(portal: Portal, published: Iterable[Publication]) -> tuple[PublicationTold, ...]:
    """What was accepted of a submission, each with its page on the site."""
    return tuple(PublicationTold.of(one, _page(portal, one)) for one in published)


def _page(portal: Portal, publication: Publication) -> str | None:
    place = place_of(portal.settings, publication)
    return None if place is None else f"{portal.settings.public_url}site/{place.page}"
