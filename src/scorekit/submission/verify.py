"""Verifying: is this submission what it says, whole, by the rules, new, and can its figures be true?

What a stranger sent is read in bounds, as text, into records; nothing of it is evaluated or written.
`verify_bytes` runs in the process that calls it; `sandbox.verify_confined` in one that can do little harm.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from scorekit.logs import run_bundle
from scorekit.records import (
    Earlier,
    Neighbour,
    RunPrint,
    Signed,
    Submission,
    SubmissionManifest,
    SubmittedRun,
    Terms,
    Verdict,
    VerdictReason,
    VerifiedRun,
)
from scorekit.submission import archive, clocks, cross_checks, evidence_files, plausibility, prints, rules, signing
from scorekit.submission.archive import ArchiveError, Limits
from scorekit.submission.evidence_files import EvidenceError
from scorekit.submission.findings import AGAIN, refuse, review
from scorekit.submission.pack import FORMAT, MANIFEST, SIGNATURE, SUBMISSION

_FOLDER: Final = re.compile(r"runs/[1-9][0-9]?")
_OWN: Final = frozenset({SUBMISSION, MANIFEST, SIGNATURE})
_MOST_REASONS: Final = 200
_ORDER: Final = ("refuse", "review", "note")
_WORDS: Final = ("accepted", "needs review", "refused")
UNEXPECTED: Final = "unexpected"
"""Code of a refusal for what nobody had thought of: a fault of ours."""


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    reasons: list[VerdictReason] = field(default_factory=list)
    signed: Signed = field(default_factory=lambda: Signed(state="unsigned"))
    submission: Submission | None = None
    runs: list[VerifiedRun] = field(default_factory=list)
    readable: bool = False


def verify_file(path: Path, terms: Terms, limits: Limits | None = None) -> Verdict:
    """The verdict on a submission's file.

    Raises:
        InputError: the file cannot be read.
    """
    limits = limits or Limits()
    return verify_bytes(archive.bytes_of(path, limits), terms, limits)


def verify_bytes(data: bytes, terms: Terms, limits: Limits | None = None) -> Verdict:
    """The verdict on a submission.

    Args:
        data: the zip.
        terms: by what it is judged.
        limits: what it may hold.
    """
    found = _Found()
    try:
        _verify(data, terms, limits or Limits(), found)
    except ArchiveError as error:
        found.reasons.append(refuse(error.code, error.message, error.file, error.mend or ""))
    except EvidenceError as error:
        found.reasons.append(refuse("schema", error.message, error.file, error.mend or ""))
    except MemoryError:
        found.reasons.append(refuse("memory", "reading it takes more memory than is given to it"))
    except Exception as error:  # noqa: BLE001 - whatever a stranger's file breaks, the answer is a refusal
        found.reasons.append(refuse(UNEXPECTED, f"reading it breaks off ({type(error).__name__})"))
    return verdict(found.reasons, data, found.signed, found.submission, found.runs, readable=found.readable)


def verdict(
    reasons: list[VerdictReason],
    data: bytes | None,
    signed: Signed | None = None,
    submission: Submission | None = None,
    runs: list[VerifiedRun] | None = None,
    *,
    readable: bool,
) -> Verdict:
    """What reasons come to: refused or in need of review by the gravest of them."""
    from scorekit import __version__

    return Verdict(
        verdict=_word(reasons),
        readable=readable,
        reasons=_in_order(reasons),
        sha256=None if data is None else hashlib.sha256(data).hexdigest(),
        size_bytes=None if data is None else len(data),
        signed=signed or Signed(state="unsigned"),
        submission=submission,
        runs=tuple(runs or ()),
        verified_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        scorekit_version=__version__,
    )


def with_reasons(made: Verdict, reasons: Iterable[VerdictReason]) -> Verdict:
    """A verdict with more reasons, told first; it never becomes a milder one."""
    more = [reason for reason in reasons if reason not in made.reasons]
    word = max(made.verdict, _word(more), key=_WORDS.index)
    return made.model_copy(update={"verdict": word, "reasons": _in_order([*more, *made.reasons])})


def against(made: Verdict, later: Sequence[Earlier]) -> Verdict:
    """A verdict held against measurements that were not known when it was made.

    Its runs are not held against each other once more: who asks may keep all others waiting for it, and a stranger may
    have handed in many runs of many repeats.
    """
    known = _named(later)
    return with_reasons(made, [reason for run in made.runs for reason in _copies(run, known)])


def _word(reasons: Iterable[VerdictReason]) -> Literal["accepted", "needs review", "refused"]:
    weights = {reason.weight for reason in reasons}
    return "refused" if "refuse" in weights else "needs review" if "review" in weights else "accepted"


def _in_order(reasons: Iterable[VerdictReason]) -> tuple[VerdictReason, ...]:
    """Each once, the gravest first."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: _ORDER.index(reason.weight))[:_MOST_REASONS])


def _verify(data: bytes, terms: Terms, limits: Limits, found: _Found) -> None:
    files = archive.read(data, limits)
    for name in (MANIFEST, SUBMISSION):
        if name not in files:
            raise EvidenceError(name, "the file is missing")
    manifest = evidence_files.parse(MANIFEST, files[MANIFEST], SubmissionManifest)
    found.reasons += _against_manifest(files, manifest)
    found.signed = signing.check(
        files[MANIFEST], files.get(SIGNATURE), allowed_signers=terms.allowed_signers, public_key=terms.public_key
    )
    submission = evidence_files.parse(SUBMISSION, files[SUBMISSION], Submission)
    found.submission, found.readable = submission, True
    must_be_signed = terms.allowed_signers is not None or terms.public_key is not None
    found.reasons += rules.of_submission(submission, found.signed, terms.edition.name, must_be_signed=must_be_signed)
    found.reasons += _strange_files(files, submission)
    if any(reason.code in ("changed_file", "missing_file", "extra_file") for reason in found.reasons):
        # What is not what was packed is not worked on any further.
        return
    now = datetime.datetime.fromisoformat(terms.now_utc)
    for entry in submission.runs:
        # The files are those of the manifest, so its hashes are theirs.
        sums = {name: manifest.files[name].sha256 for name in sorted(files) if name.startswith(f"{entry.folder}/")}
        run, reasons = _run(files, sums, entry, submission, terms, now)
        found.runs.append(run)
        found.reasons += reasons
    found.reasons += _repeated(found.runs, terms.earlier)


def _against_manifest(files: Mapping[str, bytes], manifest: SubmissionManifest) -> Iterator[VerdictReason]:
    for name in sorted(set(files) - set(manifest.files) - {MANIFEST, SIGNATURE}):
        yield refuse("extra_file", "the manifest does not list it", name)
    for name, entry in manifest.files.items():
        content = files.get(name)
        if content is None:
            yield refuse("missing_file", "the manifest lists it, and it is not there", name)
        elif len(content) != entry.size_bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
            yield refuse("changed_file", "it is not what the manifest says: it was changed after packing", name)


def _strange_files(files: Mapping[str, bytes], submission: Submission) -> Iterator[VerdictReason]:
    folders = [run.folder for run in submission.runs]
    if len(set(folders)) != len(folders) or not all(_FOLDER.fullmatch(folder) for folder in folders):
        raise EvidenceError(SUBMISSION, "its runs are not in folders of their own, runs/1, runs/2, ...")
    known = _OWN | {f"{folder}/{name}" for folder in folders for name in evidence_files.NAMES}
    for name in sorted(set(files) - known):
        yield refuse("extra_file", "it is no file of a submission", name)


def _run(
    files: Mapping[str, bytes],
    sums: dict[str, str],
    entry: SubmittedRun,
    submission: Submission,
    terms: Terms,
    now: datetime.datetime,
) -> tuple[VerifiedRun, list[VerdictReason]]:
    folder = entry.folder
    run = evidence_files.read(files, folder)
    reasons: list[VerdictReason] = []
    try:
        examined = run_bundle.examine_evidence(
            run.evidence(folder), label=folder, log_format=FORMAT, files=sums, allow_invalid=True
        )
        score, checks = examined.score, examined.validity
        if score is None and examined.refusal is not None:
            reasons.append(refuse("not_scored", examined.refusal.message[:600], folder, AGAIN))
        if checks.valid != entry.valid:
            reasons.append(
                refuse("score", f"submission.json says valid: {entry.valid}, the checks {checks.valid}", folder)
            )
        reasons += rules.of_run(run, folder, submission.form, checks, score)
        reasons += cross_checks.cross_check(run, entry, score)
        reasons += clocks.judge(run, folder, submission, now)
        near: tuple[Neighbour, ...] = ()
        if score is not None:
            same = [other for other in terms.results if other.cohort == score.cohort and other.model != score.model]
            near = plausibility.neighbours_of(score, terms.edition, same)
            reasons += plausibility.judge(score, terms.edition, near, folder)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - figures of a stranger may break any arithmetic; that is their refusal
        reasons.append(
            refuse("not_judged", f"its figures cannot be worked with ({type(error).__name__})", folder, AGAIN)
        )
        return VerifiedRun(folder=folder, score=None, validity=None, evidence=None), reasons
    evidence = None if score is None else prints.print_of(score)
    return VerifiedRun(folder=folder, score=score, validity=checks, evidence=evidence, neighbours=near), reasons


def _repeated(runs: Sequence[VerifiedRun], earlier: Sequence[Earlier]) -> Iterator[VerdictReason]:
    """Measurements that are not new: of an earlier submission or result, or of another run of this one."""
    known = _named(earlier)
    for number, run in enumerate(runs):
        others = [(other.folder, other.evidence) for other in runs[:number] if other.evidence is not None]
        yield from _copies(run, [*others, *known])


def _named(earlier: Sequence[Earlier]) -> list[tuple[str, RunPrint]]:
    # A published result and the submission that it came from are one measurement: it is named once, by the later name.
    # Of a confidential one the result tells no lengths and fewer digits, and the submission, which comes later, all.
    untold = {other.model for other in earlier if prints.tells_no_lengths(other.evidence)}
    told = {
        (other.model, prints.rounded_all(other.evidence.energies_wh))
        for other in earlier
        if other.model in untold and not prints.tells_no_lengths(other.evidence)
    }
    once = {
        (other.model, other.evidence.energies_wh): other
        for other in earlier
        if not (prints.tells_no_lengths(other.evidence) and (other.model, other.evidence.energies_wh) in told)
    }
    return [(f"{other.name} ({other.model or 'no model named'})", other.evidence) for other in once.values()]


def _copies(run: VerifiedRun, others: Sequence[tuple[str, RunPrint]]) -> Iterator[VerdictReason]:
    """Of which others a run is the same measurement, or looks like it."""
    if run.evidence is None:
        return
    for name, evidence in others:
        if prints.is_same(run.evidence, evidence):
            yield refuse("replayed", f"it is the measurement of {name[:300]}", run.folder, AGAIN)
        elif prints.is_alike(run.evidence, evidence):
            yield review("like_earlier", f"its repeats took exactly as long as those of {name[:300]}", run.folder)
