"""Every operation of the API answers as its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scripts import fuzz_api

from scorekit.portal.ledger import requests
from scorekit.portal.opened import Portal
from scorekit.portal.web.api.uploads import MOST_PIECE_BYTES, OFFSET
from tests.portal.calling import API, caller

EXAMPLES = 8


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


def test_every_operation_answers_as_described() -> None:
    answers: Counter[str] = Counter()
    operations, faults = [], []
    with fuzz_api.a_portal() as made:
        for name, found, fault in fuzz_api.fuzz(made, EXAMPLES):
            operations.append(name)
            answers += found
            faults += [f"{name}: {fault}"] if fault is not None else []
    assert faults == []
    assert len(operations) == len(set(operations)) >= 22
    # Something must have come through, and something not: or nothing was tried.
    assert {"200", "201", "404", "409", "422"} <= set(answers)


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of ours")

    with fuzz_api.a_portal() as made:
        monkeypatch.setattr(requests, "listed", broken)
        for name, _, fault in fuzz_api.fuzz(made, 4):
            if name == "GET /api/v1/requests":
                assert "Server error" in (fault or "")
                return
            assert fault is None
    raise AssertionError("the operation was not called")


def test_the_document(portal: Portal) -> None:
    document = caller(portal, None)("GET", "/openapi.json").json()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 22
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))
    for path, method, operation in operations:
        what = f"{method} {path}"
        assert path.startswith(f"{API}/"), what
        assert operation["summary"], what
        assert operation["description"], what
        assert operation["tags"], what
        assert (operation.get("security") == [{"token": []}]) == (path != f"{API}/clauses"), what
        for status in ("401", "403", "404", "409", "413", "422", "429", "503"):
            shape = operation["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/Problem"}, (what, status)
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (what, parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or name == "JsonValue", name
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    piece = document["paths"][f"{API}/uploads/{{upload_id}}"]["patch"]
    assert OFFSET in piece["responses"]["204"]["headers"]
    assert OFFSET in piece["responses"]["409"]["headers"]


def test_the_page_tells_of_every_call(portal: Portal) -> None:
    text = (Path(__file__).parents[2] / "docs" / "submissions.md").read_text(encoding="utf-8")
    page = text.partition("### The API")[2]
    document = caller(portal, None)("GET", "/openapi.json").json()
    for path in document["paths"]:
        told = re.sub(r"\{\w+\}", "{id}", path.removeprefix(API))
        assert told.startswith("/desk/") or told in page, path
    assert f"{MOST_PIECE_BYTES // 1024**2} MiB" in page
