"""The form of a submission: taken from our pages alone, hashed as it comes, and of what is refused nothing stays."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st

from scorekit.portal.ledger import people, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, TooMuchError, WrongContentError
from scorekit.portal.opened import Portal
from scorekit.portal.settings import Settings
from scorekit.portal.web.app import create_app
from scorekit.portal.web.pages.upload_form import UploadForm
from scorekit.submission import CLAUSES, Limits
from tests.portal.browsing import Browser
from tests.portal.conftest import actor_of, settings_of

BOUNDARY = "----boundary"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
ALL: dict[str, str] = {clause.name: clause.sha256 for clause in CLAUSES}
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def portal_settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """With a small limit; what the form does hangs on no kind of database."""
    return dataclasses.replace(settings_of(tmp_path / "data", sqlite_url), limits=Limits(packed_bytes=20_000))


@pytest.fixture
def browser(portal: Portal) -> Iterator[Browser]:
    """One that has logged in."""
    with Browser(create_app(portal)) as found:
        found.log_in_as("submitter")
        yield found


def body(fields: dict[str, str], content: bytes | None = CONTENT, *, last: dict[str, str] | None = None) -> bytes:
    """A form: fields, the file, and fields behind it."""
    parts = [_field(name, value) for name, value in fields.items()]
    if content is not None:
        head = 'Content-Disposition: form-data; name="submission"; filename="a.zip"\r\nContent-Type: application/zip'
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    parts += [_field(name, value) for name, value in (last or {}).items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def send(browser: Browser, content: bytes) -> Response:
    """The form, as a browser sends it."""
    return browser.post("/submit", content=content, headers={"Content-Type": KIND})


def left(portal: Portal) -> tuple[list[str], list[str]]:
    """Files of parts, and blobs."""
    return [path.name for path in portal.settings.parts.iterdir()], list(portal.storage.blobs.names())


def test_a_form_is_taken_and_leads_to_its_page(browser: Browser, portal: Portal) -> None:
    csrf = browser.csrf_of("/submit")
    answer = send(browser, body({"csrf": csrf}, last=ALL))
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert hashlib.sha256(CONTENT).hexdigest() in page.text
    assert left(portal) == ([], [hashlib.sha256(CONTENT).hexdigest()])
    # The same file again is the same submission.
    again = send(browser, body({"csrf": csrf, **ALL}))
    assert again.headers["location"] == answer.headers["location"]


@pytest.mark.parametrize("fields", [{}, {"csrf": "x" * 43}, {"csrf": ""}])
def test_without_the_right_csrf_nothing_is_written(browser: Browser, portal: Portal, fields: dict[str, str]) -> None:
    right = {"csrf": browser.csrf_of("/submit"), **ALL}
    for content in (body({**fields, **ALL}), body({**fields, **ALL}, None), body(fields, last=right)):
        assert send(browser, content).status_code == 403
    assert left(portal) == ([], [])


def test_nobody_hands_in_without_a_login(portal: Portal) -> None:
    with Browser(create_app(portal)) as stranger:
        assert stranger.get("/submit").headers["location"].endswith("/login?next=/submit")
        assert send(stranger, body(ALL)).status_code == 401
    assert left(portal) == ([], [])


@pytest.mark.parametrize(
    ("fields", "content", "told"),
    [
        ({}, CONTENT, 4),
        ({**ALL, "integrity": "0" * 64}, CONTENT, 2),
        (ALL, None, 1),
        (ALL, b"", 1),
        ({}, b"", 4),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    browser: Browser, portal: Portal, fields: dict[str, str], content: bytes | None, told: int
) -> None:
    answer = send(browser, body({"csrf": browser.csrf_of("/submit")}, content, last=fields))
    assert answer.status_code == 422
    assert answer.text.count('class="field-error"') == told
    assert answer.text.count('aria-invalid="true"') == told
    # What a browser had chosen is gone.
    assert ("Choose the file again." in answer.text) is bool(content)
    assert left(portal) == ([], [])


def test_a_file_beyond_the_limit_is_refused_while_it_comes(browser: Browser, portal: Portal) -> None:
    answer = send(browser, body({"csrf": browser.csrf_of("/submit"), **ALL}, b"x" * 20_001))
    assert answer.status_code == 413
    assert "The file has more than 20,000 bytes" in answer.text
    assert send(browser, body({"csrf": browser.csrf_of("/submit"), **ALL}, b"x" * 200_000)).status_code == 413
    assert left(portal) == ([], [])


@pytest.mark.parametrize("cut", [10, 300, -5])
def test_a_form_that_is_cut_off_or_broken_is_refused(browser: Browser, portal: Portal, cut: int) -> None:
    content = body({"csrf": browser.csrf_of("/submit"), **ALL})
    assert send(browser, content[:cut]).status_code in (403, 422)
    assert send(browser, b"no form").status_code in (403, 422)
    assert browser.post("/submit", data={"csrf": "x"}).status_code == 422
    assert left(portal) == ([], [])


def test_forms_with_other_parts_than_ours_are_refused(browser: Browser, portal: Portal) -> None:
    csrf = browser.csrf_of("/submit")
    other_file = body({"csrf": csrf, **ALL}).replace(b'name="submission"', b'name="another"')
    two_files = body({"csrf": csrf, **ALL})[: -len(f"--{BOUNDARY}--\r\n")] + body({})
    many = body({"csrf": csrf, **{f"field{n}": "x" for n in range(40)}})
    long = body({"csrf": csrf, "note": "x" * 5000})
    for content in (other_file, two_files, many, long):
        assert send(browser, content).status_code == 422
    assert left(portal) == ([], [])


def test_a_submission_is_shown_to_nobody_else(browser: Browser, portal: Portal) -> None:
    where = send(browser, body({"csrf": browser.csrf_of("/submit"), **ALL})).headers["location"]
    with Browser(create_app(portal)) as other:
        other.log_in_as("submitter", "Somebody else")
        assert other.get(where).status_code == 404
        other.cookies.clear()
        other.log_in_as("operator")
        assert other.get(where).status_code == 200


def _allow(_fields: dict[str, str]) -> None:
    """Everything is allowed."""


@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=60), content=st.binary(max_size=4000))
def test_the_file_is_what_was_sent_however_it_comes(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], content: bytes
) -> None:
    path = tmp_path_factory.mktemp("form") / "part"
    form = UploadForm(KIND, path, 10_000, _allow)
    sent = body({"csrf": "c"}, content, last=ALL)
    at = 0
    for number in range(len(sent)):
        form.write(sent[at : at + cuts[number % len(cuts)]])
        at += cuts[number % len(cuts)]
        if at >= len(sent):
            break
    form.finish()
    assert form.refused is None
    assert form.fields == {"csrf": "c", **ALL}
    if content:
        assert form.file is not None
        assert (form.file.size_bytes, form.file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert path.read_bytes() == content
    else:
        assert form.file is None
    form.give_up()
    assert not path.exists()


def test_what_stands_before_the_file_is_told_before_it_is_taken(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    def refuse(fields: dict[str, str]) -> None:
        seen.append(dict(fields))
        raise NotAllowedError("no")

    form = UploadForm(KIND, tmp_path / "part", 10_000, refuse)
    form.write(body({"csrf": "c"}, last=ALL))
    form.finish()
    assert isinstance(form.refused, NotAllowedError)
    assert seen == [{"csrf": "c"}]
    assert not (tmp_path / "part").exists()


def test_the_limit_is_that_of_the_file(tmp_path: Path) -> None:
    for size, kind in ((100, type(None)), (101, TooMuchError)):
        form = UploadForm(KIND, tmp_path / f"part{size}", 100, _allow)
        form.write(body(ALL, b"x" * size))
        form.finish()
        assert isinstance(form.refused, kind)
        form.give_up()
    with pytest.raises(WrongContentError):
        UploadForm("application/zip", tmp_path / "part", 100, _allow)


def test_the_list_is_paged(browser: Browser, portal: Portal) -> None:
    actor = actor_of(portal, "submitter", "Ada")
    _hand_in(portal, actor, 30)
    with Browser(create_app(portal)) as other:
        other.cookies.set("scorekit_session", _session(portal, actor))
        first, second = other.get("/submissions").text, other.get("/submissions?page=2").text
        assert (first.count('data-label="Received"'), second.count('data-label="Received"')) == (25, 5)
        assert "Page 1 of 2" in first
        for page in ("0", "-1", "x", "9" * 30, "%00", "3"):
            assert other.get(f"/submissions?page={page}").status_code == 200


def _hand_in(portal: Portal, actor: Actor, count: int) -> None:
    for number in range(count):
        part = portal.settings.parts / f"{number}.part"
        part.write_bytes(b"%d" % number)
        submissions.receive(portal.storage, part, actor, hashlib.sha256(b"%d" % number).hexdigest(), 1, ALL)


def _session(portal: Portal, actor: Actor) -> str:
    return people.open_session(portal.storage, actor).secret
