"""A file on its way to a portal: in pieces, from where the portal says, and on from there whatever breaks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from scorekit.errors import InputError
from scorekit.portal.calls import AnswerError, Calls
from scorekit.portal.patience import BreakError, Tries
from scorekit.submission import CLAUSES

_OFFSET: Final = "Upload-Offset"
_ROUNDS: Final = 3
"""Of sending and handing in; each begins where the portal says."""
Progress = Callable[[int, int], None]
"""Told how many bytes are on the portal's disk, and how many there are."""


class SentFile:
    """A file that stays open, so that what was hashed is what is sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.sha256 = ""
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}", mend="check its name") from error

    def __enter__(self) -> SentFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def hash(self) -> None:
        """Work out size and sha256."""
        try:
            self.sha256 = hashlib.file_digest(self._file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from error
        self.size_bytes = self._file.tell()
        if not self.size_bytes:
            raise InputError(f"{self.path} is empty", mend="pack it again: scorekit pack")

    def piece(self, offset: int, length: int) -> bytes:
        """Some of its bytes."""
        data = os.pread(self._file.fileno(), min(length, self.size_bytes - offset), offset)
        if not data:
            raise InputError(f"{self.path} has become shorter while it was sent", mend="hand it in again")
        return data


class Sender:
    """One file on its way to the portal, whatever breaks."""

    def __init__(self, calls: Calls, file: SentFile, progress: Progress, piece_bytes: int) -> None:
        self._calls = calls
        self._file = file
        self._progress = progress
        self._piece_bytes = piece_bytes
        self._tries = Tries(calls.patience.after_contact(), calls.tell)
        self.sent_bytes = 0

    def hand_in(self, job: tuple[str, str] | None) -> dict[str, Any]:
        """Send what is not there yet, and hand it in; what the portal tells of it then."""
        told: dict[str, Any] = {"clauses": {clause.name: clause.sha256 for clause in CLAUSES}}
        if job is not None:
            told |= {"job": job[0], "lease": job[1]}
        for last in (*(False,) * (_ROUNDS - 1), True):
            upload_id = self._send()
            try:
                return self._calls.told("POST", "/submissions", json={**told, "upload": upload_id})
            except AnswerError as error:
                upload = self._looked_up(upload_id)
                if last or (upload["state"] == "open" and _offset(upload) == self._file.size_bytes):
                    raise
                # A portal that ended while it took the file in has it, and asks for it once more all the same.
                self._calls.tell(f"{error.message}; sending the rest")
        raise AssertionError("the last round returns or raises")

    def _send(self) -> str:
        """Send what is not there yet; id of the upload."""
        size = self._file.size_bytes
        upload = self._announced()
        furthest = offset = _offset(upload)
        self._progress(offset, size)
        while offset < size and upload["state"] == "open":
            try:
                offset = self._piece(upload["id"], offset)
            except BreakError as error:
                self._tries.wait(error)
                upload = self._looked_up(upload["id"])
                offset = _offset(upload)
            if offset > furthest:
                self._tries.went_forward()
                furthest = offset
            self._progress(offset, size)
        return str(upload["id"])

    def _piece(self, upload_id: str, offset: int) -> int:
        """Send a piece; where the upload goes on."""
        data = self._file.piece(offset, self._piece_bytes)
        headers = {_OFFSET: str(offset), "Content-Type": "application/octet-stream"}
        try:
            answer = self._calls.once("PATCH", f"/uploads/{upload_id}", content=data, headers=headers)
        except AnswerError as error:
            if error.status not in (404, 409):
                raise
            # Another sender is at it, or a piece of ours came that we took for lost: ask where it goes on.
            raise BreakError(error.message, mend=error.mend) from error
        self.sent_bytes += len(data)
        told = answer.headers.get(_OFFSET, "")
        return int(told) if told.isdecimal() else offset + len(data)

    def _announced(self) -> dict[str, Any]:
        told = {"size_bytes": self._file.size_bytes, "sha256": self._file.sha256}
        return self._calls.told("POST", "/uploads", json=told)

    def _looked_up(self, upload_id: str) -> dict[str, Any]:
        try:
            found = self._calls.told("GET", f"/uploads/{upload_id}")
        except AnswerError as error:
            if error.status != 404:
                raise
            return self._announced()
        return self._announced() if found["state"] == "given up" else found


def _offset(upload: dict[str, Any]) -> int:
    return int(upload["offset"])
