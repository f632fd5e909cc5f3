"""What the portal counts, for Prometheus: by route and status, never by who asked.

Counters and durations are of the process; how many submissions and jobs are in each state is read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from scorekit.portal.ledger import jobs, submissions
from scorekit.portal.storage import Storage

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_REGISTRY: Final = CollectorRegistry()
_REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_CHECK_BUCKETS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_STATES: Final = {
    "submissions": ("received", "checking", "refused", "waiting", "accepted", "declined"),
    "jobs": ("queued", "leased", "done", "failed"),
}

REQUESTS: Final = Counter(
    "scorekit_portal_requests", "Requests answered.", ("method", "route", "status"), registry=_REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "scorekit_portal_request_seconds", "From the first byte of a request to the last of its answer.",
    ("method", "route"), buckets=_REQUEST_BUCKETS, registry=_REGISTRY,
)  # fmt: skip
UPLOAD_BYTES: Final = Counter(
    "scorekit_portal_upload_bytes", "Bytes of files that came, whether or not they were taken in.", registry=_REGISTRY
)
CHECK_SECONDS: Final = Histogram(
    "scorekit_portal_check_seconds", "Checks of submissions, by their verdict; `failed` where there was none.",
    ("verdict",), buckets=_CHECK_BUCKETS, registry=_REGISTRY,
)  # fmt: skip


def requested(method: str, route: str, status: int, duration_s: float) -> None:
    """Count a request that was answered."""
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(duration_s)


def checked(verdict: str, duration_s: float) -> None:
    """Count a check of a submission.

    Args:
        verdict: accepted, needs review or refused; `failed` where the check ended without one.
        duration_s: of the check.
    """
    CHECK_SECONDS.labels(verdict).observe(duration_s)


def text(storage: Storage) -> bytes:
    """Everything, in Prometheus' text format.

    Args:
        storage: whose submissions and jobs are counted.
    """
    states = CollectorRegistry()
    states.register(_States(storage))
    return generate_latest(_REGISTRY) + generate_latest(states)


class _States:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def describe(self) -> list[GaugeMetricFamily]:
        # So that nothing is counted when this is registered.
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, counts in (("submissions", submissions.counts(self._storage)), ("jobs", jobs.counts(self._storage))):
            family = GaugeMetricFamily(
                f"scorekit_portal_{name}", f"How many {name} are in each state.", labels=("state",)
            )
            for state in _STATES[name]:
                family.add_metric((state,), counts.get(state, 0))
            yield family
