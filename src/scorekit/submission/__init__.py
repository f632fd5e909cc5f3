"""Submissions: packed on the submitter's side, verified on both, by the same code.

    packed = submission.pack([Path("runs/a")], request)
    verdict = submission.verify_file(Path("submission.zip"), terms)
    verdict = submission.verify_confined(Path("from-a-stranger.zip"), terms)

docs/submissions.md tells what a submission holds, what is checked, and what each verdict means.
"""

from scorekit.submission.archive import Limits
from scorekit.submission.clauses import CLAUSES, Clause
from scorekit.submission.pack import Packed, Request, check_request, pack
from scorekit.submission.sandbox import Confinement, verify_confined
from scorekit.submission.terms import terms_for
from scorekit.submission.verify import verify_bytes, verify_file

__all__ = [
    "CLAUSES",
    "Clause",
    "Confinement",
    "Limits",
    "Packed",
    "Request",
    "check_request",
    "pack",
    "terms_for",
    "verify_bytes",
    "verify_confined",
    "verify_file",
]
