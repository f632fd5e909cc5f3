"""Checks of what was asked and done: samples (18), the model as loaded (19), the data (21) and the answers (22)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from scorekit.records import Check, Window
from scorekit.validity import serving
from scorekit.validity.evidence import Evidence
from scorekit.validity.verdicts import Finding, Rule, fail, names, untold, warn, where

LEAST_ADAPTIVE_REPEATS: Final = 3
"""Where the confidence interval ends the repeats (`scenario.target_ci`), there are at least this many."""
TRUNCATED: Final = 0.01
"""Share of cut inputs from which a reader should know: the energy is then that of shorter texts."""
_TEXT_TASKS: Final = frozenset(
    {"text-generation", "text2text-generation", "summarization", "text-classification", "token-classification"}
    | {"question-answering", "feature-extraction", "sentence-similarity", "fill-mask", "multiple-choice"}
)
"""Tasks whose inputs are texts, which a model may cut."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_SAMPLES: Final = Rule(18, "samples_complete")
_DECLARED: Final = Rule(19, "model_as_declared")
_DATASET: Final = Rule(21, "dataset_identified")
_ANSWERS: Final = Rule(22, "outputs_counted")


def samples_complete(evidence: Evidence) -> Check:
    """Every repeat was made, with every sample, in whole batches and without a failure."""
    findings = [*_missing_repeats(evidence)]
    served = evidence.environment.serving is not None
    for window in evidence.repeated:
        findings += serving.incomplete(evidence, window) if served else _incomplete(evidence, window)
    findings += serving.unsteady(evidence)
    run = evidence.environment.run
    return _SAMPLES.judged(
        findings,
        passing=f"{len(evidence.answers)} {'windows of at least a pass over' if served else 'repeats of'} "
        f"{run.num_samples} samples, none failed",
        mend="see the run's benchmark.log for what failed, and measure again",
        details={"repeats": len(evidence.answers), "samples": run.num_samples},
    )


def _missing_repeats(evidence: Evidence) -> Iterator[Finding]:
    run = evidence.environment.run
    found = {window.repeat for window in evidence.answers if window.repeat is not None}
    least = run.runs if run.target_ci is None else min(LEAST_ADAPTIVE_REPEATS, run.runs)
    if not least <= len(found) <= run.runs or found != set(range(len(found))):
        asked = f"{run.runs}" if least == run.runs else f"{least} to {run.runs}"
        held = f"{len(found)} ({names(sorted(found))})" if found else "none"
        yield fail(f"{asked} repeats were asked for, but the windows hold {held}")
    prepared = {window.repeat for window in evidence.preparations}
    # A server prepares its inputs by itself, in the window in which it answers.
    for repeat in sorted(found - prepared if evidence.environment.serving is None else ()):
        yield fail(f"repeat {repeat}: there is no window of phase preprocess", repeat=repeat)


def _incomplete(evidence: Evidence, window: Window) -> Iterator[Finding]:
    run = evidence.environment.run
    passes = window.passes or 1
    if window.failures:
        yield fail(
            f"{window.failures} queries failed; their energy cannot be told from the rest",
            at=window,
            failures=window.failures,
        )
    # Only the window in which the model answers must count its queries.
    if not window.samples:
        if window.phase == run.kind:
            yield fail(
                f"no queries were counted, expected {run.num_samples * passes}",
                at=window,
            )
    elif window.samples != run.num_samples * passes:
        yield fail(
            f"{window.samples} queries were counted, expected {run.num_samples * passes}",
            at=window,
            samples=window.samples,
        )
    if window.batches is not None and run.batch_size > 0 and window.phase == run.kind:
        expected = math.ceil(run.num_samples / run.batch_size) * passes
        if window.batches != expected:
            what = "empty batches" if window.batches > expected else "batches left out"
            yield fail(
                f"{window.batches} calls of the model, expected {expected} ({what})",
                at=window,
                batches=window.batches,
            )


def model_as_declared(evidence: Evidence) -> Check:
    """The loaded model is what its files and the config say, and was looked at after it was loaded."""
    model, run = evidence.environment.model, evidence.environment.run
    if evidence.environment.serving is not None:
        return _DECLARED.nothing("the model is loaded by a server, which tells its name alone")
    findings: list[Finding] = []
    if model.dtype is None:
        findings.append(warn("cannot be judged: the dtype of the loaded model was not recorded"))
    elif run.torch_dtype is None:
        findings.append(
            untold("the dtype that was asked for was not recorded", "measure with this version of scorekit")
        )
    elif run.torch_dtype not in ("auto", model.dtype) and model.quantization is None:
        # Of a quantised model most parameters have the dtype of its method.
        findings.append(fail(f"the loaded model's dtype is {model.dtype}, expected {run.torch_dtype} as asked"))
    asked = _asked(run.backend_switches)
    scheme = asked.get("quantization_scheme") or asked.get("quantization_config")
    if scheme is not None and model.quantization is None:
        findings.append(fail(f"the loaded model is not quantised, expected it to be by {scheme}, as the config asks"))
    elif scheme is None and model.quantization != model.declared_quantization:
        findings.append(
            fail(
                f"the loaded model is {_quantized(model.quantization)}, expected "
                f"{_quantized(model.declared_quantization)} as the model's own files say",
                loaded=model.quantization,
                declared=model.declared_quantization,
            )
        )
    attention = asked.get("attn_implementation")
    if attention is not None and model.attention is not None and attention != model.attention:
        findings.append(fail(f"the loaded model's attention is {model.attention}, expected {attention} as asked"))
    if run.batch_size < 1:
        findings.append(fail(f"batch size {run.batch_size}, expected 1 or more"))
    return _DECLARED.judged(
        findings,
        passing=f"as loaded: dtype {model.dtype}, {_quantized(model.quantization)}, attention "
        f"{model.attention or 'not told by the model'}, batch size {run.batch_size}",
        mend="see benchmark.log for what the library said while it loaded the model",
        details={"dtype": model.dtype, "quantization": model.quantization, "attention": model.attention},
    )


def _asked(switches: dict[str, JsonValue]) -> dict[str, str]:
    """What the config asks of the model's loading, by name."""
    extra = switches.get("model_kwargs")
    options = {**switches, **(extra if isinstance(extra, dict) else {})}
    wanted = ("quantization_scheme", "quantization_config", "attn_implementation")
    return {name: str(options[name]) for name in wanted if options.get(name) is not None}


def _quantized(method: str | None) -> str:
    return "not quantised" if method is None else f"quantised with {method}"


def dataset_identified(evidence: Evidence) -> Check:
    """The data can be found again: a revision on the Hub, and a fingerprint of what was read."""
    data = evidence.environment.dataset
    findings: list[Finding] = []
    if not _SHA256.fullmatch(data.fingerprint):
        findings.append(fail(f"the fingerprint of the samples is '{data.fingerprint}', expected a sha256"))
    if data.revision is None and not data.local:
        findings.append(
            warn(f"the revision of the dataset {data.name} was not recorded; the fingerprint alone tells its content")
        )
    if data.rows < evidence.environment.run.num_samples:
        findings.append(
            fail(f"{evidence.environment.run.num_samples} samples were chosen from {data.rows} rows, expected no more")
        )
    return _DATASET.judged(
        findings,
        passing=f"{data.name} {'from a folder' if data.local else f'at {data.revision}'}, content "
        f"{data.fingerprint[:12]}",
        mend="let the dataset come from the Hub or its cache, so that its revision can be told",
    )


def outputs_counted(evidence: Evidence) -> Check:
    """Generated tokens were counted and are as many as asked; cut inputs and early ends are told."""
    run = evidence.environment.run
    findings: list[Finding] = []
    if evidence.environment.serving is not None:
        return _ANSWERS.judged(
            [
                *(found for window in evidence.answers for found in serving.outputs(evidence, window)),
                *serving.early_ends(evidence),
                *serving.cached_prompts(evidence),
            ],
            passing="the server counted the tokens of every answer, they are as many as asked, and it read the prompts",
            mend="scenario.max_tokens sets the length; backend.ignore_eos=true insists on it",
            details={
                "early_ends": [window.early_ends for window in evidence.answers],
                "cached_input_tokens": [
                    None if window.served is None else window.served.cached_input_tokens for window in evidence.answers
                ],
            },
        )
    for window in evidence.answers:
        if run.kind == "generate":
            findings += _outputs(evidence, window)
        if window.samples and window.truncated_inputs and window.truncated_inputs / window.samples > TRUNCATED:
            share = window.truncated_inputs / window.samples
            findings.append(
                warn(
                    f"{share:.1%} of the inputs were cut at what the model holds, expected at most {TRUNCATED:.0%}",
                    at=window,
                    truncated=share,
                )
            )
    text = run.hf_task in _TEXT_TASKS
    dark = [where(window) for window in evidence.answers if text and window.truncated_inputs is None]
    if dark:
        findings.append(
            untold(
                f"whether inputs were cut was not recorded in {names(dark)}", "measure with this version of scorekit"
            )
        )
    if not text and run.kind != "generate" and all(window.truncated_inputs is None for window in evidence.answers):
        return _ANSWERS.nothing("the model generates no tokens")
    tokens = [window.output_tokens for window in evidence.answers]
    return _ANSWERS.judged(
        findings,
        passing="output tokens were counted and are as many as asked" if run.kind == "generate" else "no input was cut",
        mend="compare the model's longest input and its end-of-text token with scenario.generate_kwargs",
        details={"output_tokens": list(tokens), "early_ends": [window.early_ends for window in evidence.answers]},
    )


def _outputs(evidence: Evidence, window: Window) -> Iterator[Finding]:
    run, samples = evidence.environment.run, window.samples or 0
    if window.output_tokens is None:
        yield warn(
            "cannot be judged, the output tokens were not counted",
            at=window,
        )
        return
    if run.new_tokens is not None and window.output_tokens != run.new_tokens * samples:
        early = "" if window.early_ends is None else f" ({window.early_ends} answers ended early)"
        yield fail(
            f"{window.output_tokens} tokens were generated{early}, expected {run.new_tokens} for each "
            f"of {samples} queries",
            at=window,
            output_tokens=window.output_tokens,
        )
    elif window.output_tokens == 0:
        yield fail(
            "no token was generated, expected answers",
            at=window,
        )
