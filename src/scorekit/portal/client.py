"""Handing in a submission at a portal: in pieces, so that whatever breaks off goes on where it was.

    handed = submit(Path("submission.zip"), "https://scores.example.org/", token, accepted)

Every step may be done twice. An upload is announced by the hash of its file, and the portal says how much of it is
there; so another process of the same account goes on as well as the one that began.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from scorekit.errors import InputError, UsageError
from scorekit.portal.calls import SUBMITTER, WORKER, Calls
from scorekit.portal.patience import BreakError, Patience
from scorekit.portal.sending import Progress, Sender, SentFile
from scorekit.records import Submission, Verdict
from scorekit.submission import CLAUSES, Limits, archive, clauses, evidence_files
from scorekit.submission.pack import MANIFEST, SUBMISSION

if TYPE_CHECKING:
    import httpx2

PIECE_BYTES: Final = 4 * 1024**2
PATIENCE: Final = Patience(tries_to_reach=6, advice="look at --portal; Ctrl-C ends it")
"""Of who hands in by hand: a portal that is starting answers within some ten seconds; a wrong address never does."""
_UNFINISHED: Final = frozenset({"received", "checking"})
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A submission that the portal keeps.

    Attributes:
        id: of it.
        page: address of its page.
        state: received, checking, refused, waiting, accepted or declined.
        verdict: of the portal's checks; None until they are done.
        answer: all that the portal told of it.
        was_known: whether the portal had the file already.
        sent_bytes: that this call sent.
    """

    id: str
    page: str
    state: str
    verdict: Verdict | None
    answer: dict[str, Any]
    was_known: bool
    sent_bytes: int


def submit(
    path: Path,
    portal: str,
    token: str,
    accepted: Collection[str],
    *,
    check: bool = True,
    wait_s: float | None = None,
    job: tuple[str, str] | None = None,
    insecure: bool = False,
    progress: Progress = lambda _sent, _size: None,
    tell: Callable[[str], None] = lambda _: None,
    patience: Patience | None = None,
    piece_bytes: int = PIECE_BYTES,
    transport: httpx2.BaseTransport | None = None,
) -> HandedIn:
    """Hand in a submission; the portal keeps it when this returns.

    Args:
        path: of the zip.
        portal: its address.
        token: of the account.
        accepted: names of the clauses that are accepted; all three are needed.
        check: whether to look first if the file can be read as a submission.
        wait_s: how long to wait for the verdict; None for not at all.
        job: id and lease of the job that it was measured for.
        insecure: whether the token may travel in the clear to another machine.
        progress: told of every piece.
        tell: told what breaks, in a sentence.
        patience: how long to go on where nothing goes forward; PATIENCE where None.
        piece_bytes: of one request.
        transport: of httpx2; None for the network.

    Raises:
        UsageError: a clause is not accepted, or is not the portal's; the address is none; the token would travel in the
            clear.
        InputError: the file cannot be read, or is none.
        AnswerError: the portal refuses it.
        BreakError: the portal cannot be reached for longer than the patience lasts.
        MissingExtraError: the package for it is not installed.
    """
    clauses.require(accepted)
    with (
        SentFile(path) as file,
        Calls(
            portal, token, insecure=insecure, role=SUBMITTER if job is None else WORKER,
            patience=patience or PATIENCE, tell=tell, transport=transport,
        ) as calls,
    ):  # fmt: skip
        if check:
            require_readable(path)
        file.hash()
        _require_same_clauses(calls)
        known = _known(calls, file) if job is None else None
        sent_bytes = 0
        if known is None:
            sender = Sender(calls, file, progress, piece_bytes)
            answer = sender.hand_in(job)
            sent_bytes = sender.sent_bytes
        else:
            answer = calls.told("GET", f"/submissions/{known}")
        if wait_s is not None:
            answer = wait_for_verdict(calls, answer, wait_s)
        return _handed_in(answer, was_known=known is not None, sent_bytes=sent_bytes)


def wait_for_verdict(calls: Calls, answer: dict[str, Any], wait_s: float) -> dict[str, Any]:
    """What the portal tells of a submission when its verdict is there.

    Args:
        calls: of the portal.
        answer: what it told of the submission before.
        wait_s: how long to wait.

    Raises:
        BreakError: it is not there yet.
    """
    waited_s, look_s = 0.0, _FIRST_LOOK_S
    while answer.get("state") in _UNFINISHED:
        if waited_s >= wait_s:
            raise BreakError(
                f"the portal keeps the submission, and has not checked it within {wait_s:g} s",
                mend=f"look at {answer.get('page')}, or start the same command again: nothing is sent twice",
            )
        calls.patience.sleep(look_s)
        waited_s += look_s
        look_s = min(_LONGEST_LOOK_S, look_s * 1.5)
        answer = calls.told("GET", f"/submissions/{answer['id']}")
    return answer


def require_readable(path: Path, limits: Limits | None = None) -> Submission:
    """Whether a file can be read as a submission: its form and what it says it is, nothing of its figures.

    Raises:
        InputError: it cannot.
    """
    limits = limits or Limits()
    files = archive.read(archive.bytes_of(path, limits), limits)
    for name in (MANIFEST, SUBMISSION):
        if name not in files:
            raise InputError(f"{path} is no submission: it has no {name}", mend="pack your runs: scorekit pack")
    return evidence_files.parse(SUBMISSION, files[SUBMISSION], Submission)


def _known(calls: Calls, file: SentFile) -> str | None:
    """Id of the submission of this file, where the portal has it already."""
    items = calls.told("GET", "/submissions", params={"sha256": file.sha256})["items"]
    return str(items[0]["id"]) if items else None


def _require_same_clauses(calls: Calls) -> None:
    told = {str(clause.get("name")): clause.get("sha256") for clause in calls.listed("GET", "/clauses")}
    for clause in CLAUSES:
        if told.get(clause.name) != clause.sha256:
            raise UsageError(
                f"the portal has the clause '{clause.name}' in other words than this scorekit",
                mend="update scorekit, and read the clauses again",
            )


def _handed_in(answer: dict[str, Any], *, was_known: bool, sent_bytes: int) -> HandedIn:
    verdict = answer.get("verdict")
    try:
        found = None if verdict is None else Verdict.model_validate(verdict)
    except ValidationError:
        # Of a newer portal; the page shows it.
        found = None
    return HandedIn(
        id=str(answer["id"]), page=str(answer.get("page", "")), state=str(answer["state"]), verdict=found,
        answer=answer, was_known=was_known, sent_bytes=sent_bytes,
    )  # fmt: skip
