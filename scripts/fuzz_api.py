"""Call every operation of the portal's API with what its OpenAPI document allows and with what it forbids, and end
with code 1 when an answer is an error of the server or is not as described:
`python -m scripts.fuzz_api [--examples N]`, from the root of the repository.

schemathesis makes the calls and judges the answers. Half of them name things that are there: a portal with submissions
in all states, uploads, requests and jobs.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from scorekit.portal.ledger import checks as verdicts
from scorekit.portal.ledger import decisions, jobs, people, requests, submissions, uploads
from scorekit.portal.opened import Portal, migrate
from scorekit.portal.settings import settings
from scorekit.portal.web.app import OPENAPI, create_app
from scorekit.submission import CLAUSES
from scorekit.submission.verify import verdict

URL: Final = "http://testserver/"
"""The host that schemathesis calls."""
_CHECKS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_ROLES: Final = {"/api/v1/desk": "operator", "/api/v1/jobs": "worker", "/api/v1": "submitter"}
"""Who calls most operations, by the beginning of their paths; the others call each now and then."""
_MOST_TOLD: Final = 20


@schemathesis.serializer("application/zip")
def _as_it_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz_api", description=__doc__.partition(":")[0])
    parser.add_argument("--examples", metavar="N", type=int, default=300, help="of each operation (default: 300)")
    parser.add_argument("--new", action="store_true", help="other examples each time, in place of always the same")
    options = parser.parse_args(argv)
    begun = time.monotonic()
    found, faults = Counter[str](), []
    with a_portal() as made:
        for name, answers, fault in fuzz(made, options.examples, same=not options.new):
            found.update(answers)
            print(f"{name}: {sum(answers.values()):,} calls", file=sys.stderr)
            if fault is not None:
                faults.append(f"{name}: {fault}")
    for line in faults[:_MOST_TOLD]:
        print(line)
    for status, count in sorted(found.items()):
        print(f"{count:8,}  {status}")
    print(f"{sum(found.values()):,} calls in {time.monotonic() - begun:.0f} s; {len(faults)} operations with a fault")
    return 1 if faults else 0


@dataclass(frozen=True, slots=True)
class Made:
    """A portal with something in it.

    Attributes:
        portal: it.
        tokens: one of each role, and none.
        ids: of things that are there, by the name of the parameter that names them.
    """

    portal: Portal
    tokens: Mapping[str, str]
    ids: Mapping[str, list[str]]


@contextmanager
def a_portal() -> Iterator[Made]:
    """A portal in a temporary folder, in SQLite, with something in it."""
    with tempfile.TemporaryDirectory() as folder:
        found = settings(Path(folder) / "data", public_url=URL, requests_a_minute=10**9, environment={})
        found = replace(found, logins_a_minute=10**9)
        migrate(found)
        with Portal.open(found) as portal:
            yield filled(portal)


def filled(portal: Portal) -> Made:
    """Something of everything."""
    storage, tokens, actors = portal.storage, {"nobody": ""}, {}
    for role in people.SCOPES:
        account = people.make_account(storage, f"A {role}", role)
        tokens[role] = people.make_token(storage, account, "fuzz", datetime.timedelta(days=1)).secret
        actor = people.actor_of_token(storage, tokens[role])
        assert actor is not None
        actors[role] = actor
    ids: dict[str, list[str]] = {"submission_id": [], "upload_id": [], "request_id": [], "job_id": [], "lease": []}
    clauses = {clause.name: clause.sha256 for clause in CLAUSES}
    for number, end in enumerate(("received", "waiting", "refuse", "waiting", "received")):
        content = f"file {number}".encode()
        part = uploads.part_of(portal.settings.parts, people.new_id())
        part.write_bytes(content)
        actor = actors["submitter" if number % 2 else "worker"]
        made = submissions.receive(storage, part, actor, hashlib.sha256(content).hexdigest(), len(content), clauses)
        ids["submission_id"].append(made.id)
        if end == "received":
            continue
        lease = verdicts.take_to_check(storage)
        assert lease is not None
        verdicts.finish_check(storage, lease, verdict([], content, readable=True))
        if end == "refuse":
            decisions.decide_submission(storage, actors["operator"], lease.submission.id, "refuse", "of another model")
    for number in range(3):
        sha256 = hashlib.sha256(f"upload {number}".encode()).hexdigest()
        told = uploads.announce(storage, portal.settings.parts, actors["submitter"], 40, sha256, 10**6)
        ids["upload_id"].append(told.id)
    for number in range(4):
        asked = requests.ask(storage, actors["submitter"], f"org/model-{number}", "text_generation", model_class="A")
        ids["request_id"].append(asked.id)
        if number:
            decisions.decide_request(storage, actors["operator"], asked.id, "accept", "open")
    for _ in range(2):
        job = jobs.take(storage, actors["worker"], "gpu-1")
        assert job is not None
        ids["job_id"].append(job.id)
        ids["lease"].append(job.lease)
    return Made(portal, tokens, ids)


def fuzz(made: Made, examples: int, *, same: bool = True) -> Iterator[tuple[str, Counter[str], str | None]]:
    """Call every operation.

    Args:
        made: the portal.
        examples: of each operation.
        same: whether the examples are the same each time.

    Yields:
        The operation, how often it answered with which status, and what was wrong with an answer.
    """
    schema = schemathesis.openapi.from_asgi(OPENAPI, create_app(made.portal))
    for result in schema.get_all_operations():
        operation = result.ok()
        answers: Counter[str] = Counter()
        yield operation.label, answers, _fault(operation, made, examples, answers, same=same)


def _fault(operation: Any, made: Made, examples: int, answers: Counter[str], *, same: bool) -> str | None:
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if list(operation.iter_parameters()) or operation.body:
        cases = st.one_of(cases, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    right = next(role for start, role in _ROLES.items() if operation.path.startswith(start))
    roles = (*(right,) * len(made.tokens), *sorted(made.tokens))

    @hypothesis.settings(
        max_examples=examples, derandomize=same, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=cases, role=st.sampled_from(roles), data=st.data())
    def call(case: Any, role: str, data: st.DataObject) -> None:
        named = data.draw(st.booleans())
        for place in (case.path_parameters, case.body):
            for name in made.ids if named and isinstance(place, dict) else ():
                if name in place:
                    place[name] = data.draw(st.sampled_from(made.ids[name]))
        token = made.tokens[role]
        if token:
            case.headers.pop("Authorization", None)
        answer = case.call(headers={"Authorization": f"Bearer {token}"} if token else None)
        answers[f"{answer.status_code}"] += 1
        case.validate_response(answer, checks=_CHECKS)

    try:
        call()
    except (Failure, FailureGroup) as error:
        return str(error)
    except ExceptionGroup as error:
        return "; ".join(str(one) for one in error.exceptions)
    return None


if __name__ == "__main__":
    sys.exit(main())
