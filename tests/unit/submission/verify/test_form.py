"""Names, clauses and fields that are not as the form has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.submission.made import Files, changed, edit_json, judge
from tests.unit.submission.verify.made import ENVIRONMENT, OWN, POWER, SCORE, STATES, WINDOWS, refused


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a" * 101, " model", "mod\u202eel", "model\n"])
def test_a_name_with_markup(content: bytes, name: str) -> None:
    def rename(files: Files) -> None:
        edit_json(ENVIRONMENT, lambda found: found["model"].update(name=name))(files)
        edit_json(SCORE, lambda found: found.update(model=name))(files)
        edit_json(OWN, lambda found: found["runs"][0].update(model=name))(files)

    refused(judge(changed(content, rename, sealed=True)), "name", OWN)


def test_clauses_that_were_not_accepted_or_read_otherwise(content: bytes) -> None:
    def not_all(own: dict[str, Any]) -> None:
        own["attestation"]["clauses"][1]["accepted"] = False

    def other_words(own: dict[str, Any]) -> None:
        own["attestation"]["clauses"][1]["text_sha256"] = "0" * 64

    for edit in (not_all, other_words, lambda own: own["attestation"].update(clauses=[])):
        refused(judge(changed(content, edit_json(OWN, edit), sealed=True)), "attestation", OWN)


def test_a_confidential_form_that_tells_more_is_refused(confidential: bytes) -> None:
    def tell(environment: dict[str, Any]) -> None:
        environment["model"]["parameters"] = 1_000_000_000

    refused(judge(changed(confidential, edit_json(ENVIRONMENT, tell), sealed=True)), "not_confidential")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (WINDOWS, b"{}\n"),
        (WINDOWS, b"[" * 100_000),
        (WINDOWS, b"\n" * 30_000),
        (ENVIRONMENT, b'{"schema_version": "scorekit.environment/9"}'),
        (ENVIRONMENT, b"\xff\xfe"),
        (POWER, b'{"devices": {"GPU": {"t_s": [1e999]}}}'),
        (POWER, b"[1]"),
        (OWN, b"null"),
        (STATES, b"cos\nsystem\n(S'echo'\ntR."),
    ],
)
def test_files_that_are_none(content: bytes, name: str, data: bytes) -> None:
    verdict = judge(changed(content, lambda files: files.update({name: data}), sealed=True))
    refused(verdict, "schema", name)


@pytest.mark.parametrize("value", [None, "1", [1], {}, 10**400, 1e999])
def test_samples_that_are_none(content: bytes, value: Any) -> None:
    for column in ("t_s", "power_w", "counter_mj"):

        def put(power: dict[str, Any], column: str = column) -> None:
            next(iter(power["devices"].values()))[column][7] = value

        verdict = judge(changed(content, edit_json(POWER, put), sealed=True))
        if value is None and column != "t_s":
            assert verdict.verdict == "accepted", "one sample that the driver did not answer"
        else:
            refused(verdict, "schema", POWER)
