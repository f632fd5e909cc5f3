"""What the protocol and the submitter's own words demand: clauses, names, checks of the run, class and GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit import tasks
from scorekit.records import Score, Signed, Submission, Validity, VerdictReason
from scorekit.submission import clauses, names
from scorekit.submission.evidence_files import ENVIRONMENT, WINDOWS, PackedRun
from scorekit.submission.findings import AGAIN, note, refuse, review

_REFUSING: Final = {"protocol": "wrong_task", "task": "wrong_task", "kind": "wrong_task", "gpu_count": "gpu_count"}
"""Reasons of `not_comparable_because` that make a run none of the protocol's; others leave it to the operator."""


def of_submission(
    submission: Submission, signed: Signed, edition: str, *, must_be_signed: bool
) -> Iterator[VerdictReason]:
    """What holds for the whole submission.

    Args:
        submission: what it says of itself.
        signed: what its signature says.
        edition: that it is judged by.
        must_be_signed: whether the one who verifies it named keys.
    """
    for clause in clauses.missing(submission.attestation):
        yield refuse(
            "attestation", f"not accepted in words that are known: {clause.title}", "submission.json",
            f"pack it again with {clause.flag}",
        )  # fmt: skip
    for what, value in submission.submitter.model_dump().items():
        if value is not None and (fault := names.fault_of_person(value)):
            yield refuse("name", f"the submitter's {what}: {fault}", "submission.json")
    for run in submission.runs:
        if fault := names.fault_of_model(run.model):
            yield refuse("name", f"the model's name in {run.folder[:20]}: {fault}", "submission.json")
    models = {run.model for run in submission.runs}
    if submission.form == "confidential" and len(models) > 1:
        yield review("several_models", f"it is of {len(models)} models under one confidence")
    if submission.protocol != tasks.PROTOCOL:
        yield refuse("protocol", f"it is of protocol {submission.protocol[:60]!r}, expected {tasks.PROTOCOL!r}")
    if submission.edition != edition:
        yield note("edition", f"it asks for edition {submission.edition[:60]!r} and is judged by {edition!r}")
    yield from _signature(signed, must_be_signed=must_be_signed)


def _signature(signed: Signed, *, must_be_signed: bool) -> Iterator[VerdictReason]:
    if signed.state == "wrong":
        yield refuse(
            "signature", f"the signature does not hold, or is by none of the keys given ({signed.key or 'no key'})",
            "manifest.json.sig", "sign it again: scorekit pack --sign KEY",
        )  # fmt: skip
    elif signed.state == "unchecked":
        yield review("signature", "there is no ssh-keygen here, so the signature was not checked", "manifest.json.sig")
    elif signed.state == "unsigned" and must_be_signed:
        yield review(
            "unsigned", "it is not signed, and keys were given to check it by", mend="scorekit pack --sign KEY"
        )
    elif signed.state == "unsigned":
        yield note("unsigned", "it is not signed: nobody can tell who made it")
    elif signed.state == "unknown_key":
        yield note("unknown_key", f"it is signed by {signed.key or 'a key'}, and nobody said whose that is")


def of_run(
    run: PackedRun, folder: str, form: str, validity: Validity | None, score: Score | None
) -> Iterator[VerdictReason]:
    """What holds for one run.

    Args:
        run: as its files tell it.
        folder: in the archive.
        form: of the submission.
        validity: its checks, made again.
        score: worked out again.
    """
    if validity is not None:
        for check in validity.failures:
            yield refuse(check.name, f"check {check.number}: {check.message[:600]}", f"{folder}/{WINDOWS}", AGAIN)
        for check in validity.warnings:
            yield note(check.name, f"check {check.number}: {check.message[:600]}", f"{folder}/{WINDOWS}")
    yield from _gpus(run, folder)
    file = f"{folder}/{ENVIRONMENT}"
    for reason in () if score is None else score.not_comparable_because:
        code = _REFUSING.get(reason.code)
        if reason.code == "invalid" or code == "gpu_count":
            continue
        if code is not None:
            yield refuse(code, reason.message, file, AGAIN)
        else:
            yield review(reason.code, f"not comparable with official scores: {reason.message}", file)
    model = run.environment.model
    if form == "confidential":
        if model.parameters is not None or model.revision is not None:
            yield refuse("not_confidential", "it tells more of the model than a confidential submission may", file)
        if model.model_class is not None:
            yield note(
                "class_declared", f"class {model.model_class} is the submitter's word: it keeps its size back", file
            )
    elif model.local or not names.is_hub_id(model.name):
        yield review(
            "not_on_the_hub", f"{model.name[:100]!r} is no model that can be had from the Hub by that name", file
        )


def _gpus(run: PackedRun, folder: str) -> Iterator[VerdictReason]:
    """Models of class A and B run on one GPU, whichever file tells of a second one."""
    facts = run.environment
    counts = {
        ENVIRONMENT: max(len(facts.gpus), len(facts.model_gpus or ())),
        WINDOWS: len({r.device for window in run.windows for r in window.readings if r.component == "gpu"}),
        "power.json": 0 if run.power is None else len(run.power.devices),
        "gpu_states.jsonl": len({state.device for state in run.states or ()}),
    }
    size = tasks.class_of(facts.model)
    file, count = max(counts.items(), key=lambda pair: pair[1])
    if count > 1 and size != "C":
        yield refuse(
            "gpu_count",
            f"{count} GPUs for a model of class {size or 'unknown'}, expected 1: only class C may use several",
            f"{folder}/{file}",
            "measure it on one GPU: backend.device_ids=0",
        )
