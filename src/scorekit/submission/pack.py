"""Packing: runs in, one zip out, that others can verify and that holds nothing else than what its maker agreed to."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit import bundle, tasks
from scorekit.errors import BundleError, InvalidRunError, LogError, UsageError
from scorekit.logs import run_bundle
from scorekit.logs.runs import require_run
from scorekit.records import (
    ManifestEntry,
    Score,
    Submission,
    SubmissionManifest,
    SubmittedRun,
    Submitter,
    Validity,
)
from scorekit.submission import clauses, evidence_files, names, other_meters, signing, telling, zip_form
from scorekit.submission.allow_lists import AllowList, Form
from scorekit.submission.archive import Limits

SUBMISSION: Final = "submission.json"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.json.sig"
FORMAT: Final = "scorekit.submission/1"
MOST_RUNS: Final = 32
MOST_POWER_SAMPLES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """How runs are to be packed.

    Attributes:
        submitter: who hands them in.
        accepted: names of the clauses that were accepted.
        edition: name of the edition to be rated in.
        created: when; with a UTC offset.
        form: open or confidential.
        model_name: the model's name in place of that in the runs; needed in the confidential form.
        allow_invalid: pack runs that fail a check, marked so.
        key: SSH key that signs; None for no signature.
    """

    submitter: Submitter
    accepted: frozenset[str]
    edition: str
    created: datetime.datetime
    form: Form = "open"
    model_name: str | None = None
    allow_invalid: bool = False
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """A submission.

    Attributes:
        content: the zip.
        submission: what it says of itself.
        left_out: what of the runs is not in it, in words.
        told: what a reader of it learns, in words.
        public: what of that becomes public when it is accepted, in words.
    """

    content: bytes
    submission: Submission
    left_out: tuple[str, ...]
    told: tuple[str, ...]
    public: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    entry: SubmittedRun
    files: dict[str, bytes]
    left_out: tuple[str, ...]
    told: tuple[str, ...]
    follows: tuple[str, ...]


def pack(runs: Sequence[Path], request: Request) -> Packed:
    """A submission of runs; the same runs and the same request give the same bytes.

    Raises:
        UsageError: the request is not one that can be packed.
        InvalidRunError: a run fails a check.
        LogError, BundleError: a run cannot be read, or its files are not those that were measured.
    """
    if not 1 <= len(runs) <= MOST_RUNS:
        raise UsageError(f"{len(runs)} runs, expected 1 to {MOST_RUNS}", mend="pack them into several submissions")
    check_request(request)
    packed = [_run(folder, f"runs/{number}", request) for number, folder in enumerate(runs, start=1)]
    _check_once(runs, packed)
    submission = Submission(
        form=request.form,
        created_utc=request.created.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        scorekit_version=_version(),
        protocol=tasks.PROTOCOL,
        edition=request.edition,
        submitter=request.submitter,
        attestation=clauses.attestation(request.accepted),
        runs=tuple(run.entry for run in packed),
    )
    files = {SUBMISSION: submission.model_dump_json(indent=1).encode() + b"\n"}
    for run in packed:
        files |= run.files
    content = seal(files, request.key)
    if len(content) > Limits().packed_bytes:
        raise UsageError(f"the submission has {len(content):,} bytes, expected {Limits().packed_bytes:,} at most",
                         mend="hand the runs in one by one")  # fmt: skip
    left_out = dict.fromkeys([*telling.NOT_PACKED, *(line for run in packed for line in run.left_out)])
    told = dict.fromkeys(line for run in packed for line in run.told)
    who = ", ".join(part for part in request.submitter.model_dump().values() if part)
    public = telling.becomes_public(request.form, (line for run in packed for line in run.follows))
    return Packed(content, submission, tuple(left_out), (f"who hands it in: {who}", *told), public)


def check_request(request: Request) -> None:
    """Whether runs can be packed so, whatever they are: known before an hour is spent on measuring them.

    Raises:
        UsageError: they cannot.
    """
    clauses.require(request.accepted)
    if request.form == "confidential" and request.model_name is None:
        raise UsageError("a confidential submission needs the model's public name", mend="add --model-name NAME")
    if request.model_name is not None and (fault := names.fault_of_model(request.model_name)):
        raise UsageError(f"--model-name {request.model_name!r}: {fault}", mend="give the name as it may be published")
    for what, value in request.submitter.model_dump().items():
        if value is not None and (fault := names.fault_of_person(value)):
            raise UsageError(f"--{what} {value!r}: {fault}", mend="write it with other signs")


def seal(files: Mapping[str, bytes], key: Path | None = None) -> bytes:
    """The zip of files with their manifest, and its signature where there is a key.

    Raises:
        InputError: the key cannot sign.
        NoSshKeygenError: there is no ssh-keygen.
    """
    entries = {
        name: ManifestEntry(sha256=hashlib.sha256(files[name]).hexdigest(), size_bytes=len(files[name]))
        for name in sorted(files)
    }
    manifest = SubmissionManifest(files=entries).model_dump_json(indent=1).encode() + b"\n"
    signature = {} if key is None else {SIGNATURE: signing.sign(manifest, key)}
    return zip_form.write({**files, MANIFEST: manifest, **signature})


def _check_once(runs: Sequence[Path], packed: Sequence[_Run]) -> None:
    seen: dict[bytes, Path] = {}
    for folder, run in zip(runs, packed, strict=True):
        windows = run.files[f"{run.entry.folder}/{evidence_files.WINDOWS}"]
        if windows in seen:
            raise UsageError(f"{folder} and {seen[windows]} are the same measurement", mend="give each run once")
        seen[windows] = folder


def _run(folder: Path, place: str, request: Request) -> _Run:
    require_run(folder)
    whole = run_bundle.load(folder)
    if (serving := whole.environment.serving) is not None:
        raise UsageError(
            f"{folder} was measured by {serving.protocol}, and submissions are of {tasks.PROTOCOL}: a server's energy "
            "is not rated in an edition",
            mend="scorekit results add RUN keeps it in a results folder; measure the model itself to hand it in",
        )
    task = whole.environment.run.task
    if tasks.protocol_of(task) != tasks.PROTOCOL:
        raise UsageError(
            f"{folder} was measured on the task {task}, and submissions are of {tasks.PROTOCOL}, which has none such",
            mend="scorekit results add RUN keeps it in a results folder; `scorekit tasks` lists what can be handed in",
        )
    allowed = AllowList(request.form, request.model_name, whole.environment)
    environment = allowed.environment(whole.environment)
    if fault := names.fault_of_model(environment.model.name):
        raise UsageError(
            f"{folder}: the model's name {environment.model.name!r}: {fault}", mend="add --model-name NAME"
        )
    # All windows, also those that adaptive stopping made needless: the report was made from all of them.
    windows = run_bundle.read_windows(folder)
    evidence = evidence_files.PackedRun(
        environment=environment,
        windows=tuple(allowed.window(window) for window in windows),
        states=None if whole.states is None else tuple(allowed.state(state) for state in whole.states),
        power=None
        if whole.trace is None
        else evidence_files.power_of(
            whole.trace, {name: allowed.device(name) for name in whole.trace.devices}, MOST_POWER_SAMPLES
        ),
        report=other_meters.read_report(folder),
        codecarbon=other_meters.read_codecarbon(folder),
    )
    files = evidence.files(place)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    found = run_bundle.examine_evidence(
        evidence.evidence(place), label=str(folder), log_format=FORMAT, files=sums, allow_invalid=request.allow_invalid
    )
    before = run_bundle.examine_evidence(
        whole.evidence, label=str(folder), log_format=run_bundle.FORMAT, files=whole.files, allow_invalid=True
    )
    if found.refusal is not None and not (request.allow_invalid and found.validity.failures):
        raise _refused(found.refusal)
    _require_same(folder, before.score, before.validity, found.score, found.validity)
    score = found.score
    if score is not None:
        files |= {f"{place}/{evidence_files.SCORE}": score.model_dump_json().encode() + b"\n"}
    if _end(windows) > request.created:
        raise UsageError(
            f"{folder} ended after {request.created.isoformat()}, the date of the submission",
            mend="leave --date out, or give a later one; or mend the clock of the machine and measure again",
        )
    entry = SubmittedRun(
        folder=place,
        model=environment.model.name,
        task=environment.run.task,
        cohort=None if score is None else score.cohort,
        model_class=environment.model.model_class,
        wh_per_1000_queries=None if score is None else score.wh_per_1000_queries,
        valid=found.validity.valid,
        comparable=score is not None and score.comparable,
        source_files=_raw_sums(folder) if request.form == "open" else {},
    )
    left_out, told = telling.left_out(allowed.form, whole, evidence), telling.told(entry, evidence)
    return _Run(entry, files, left_out, told, telling.follows_from(allowed.form, place, score))


def _refused(error: InvalidRunError | LogError) -> InvalidRunError | LogError:
    if isinstance(error, InvalidRunError):
        return InvalidRunError(error.message, mend=f"{error.mend}; --allow-invalid packs it all the same, marked")
    return error


def _require_same(folder: Path, score: Score | None, checks: Validity, packed: Score | None, again: Validity) -> None:
    """What is handed in must be judged as the run itself is, or the submitter would be refused for what is left out."""
    before = {check.name for check in checks.failures}
    after = {check.name for check in again.failures}
    same = (None if score is None else score.wh_per_1000_queries) == (
        None if packed is None else packed.wh_per_1000_queries
    ) and (score is None or packed is None or score.comparable == packed.comparable)
    if before != after or not same:
        raise BundleError(
            f"{folder}: what may be handed in is judged otherwise than the run itself "
            f"({', '.join(sorted(before ^ after)) or 'another score'})",
            mend="hand it in openly, without --confidential, or tell the maintainers of scorekit",
        )


def _raw_sums(folder: Path) -> dict[str, str]:
    return {name: entry.sha256 for name, entry in sorted(bundle.read_manifest(folder).measured.items())}


def _end(windows: Sequence[object]) -> datetime.datetime:
    found = [datetime.datetime.fromisoformat(getattr(window, "end_utc")) for window in windows]  # noqa: B009
    return max(found, default=datetime.datetime.fromtimestamp(0, datetime.UTC))


def _version() -> str:
    from scorekit import __version__

    return __version__


__all__ = ["FORMAT", "MANIFEST", "SIGNATURE", "SUBMISSION", "Packed", "Request", "pack", "seal"]
