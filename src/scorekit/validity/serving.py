"""What the checks look at in a run that measures a server, where it differs from one that loads its model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scorekit import tasks
from scorekit.records import Reason, ServingFacts, Window
from scorekit.validity.verdicts import Finding, fail, fail_if, gpu, names, untold, warn

if TYPE_CHECKING:
    from scorekit.validity.evidence import Evidence

MANY_EARLY: Final = 0.01
"""Share of answers that end early, from which a reader should know: the energy is then that of shorter ones."""
MOST_CACHED: Final = 0.01
"""Share of the prompts' tokens that may come from the server's cache, as the few first tokens that all prompts of a
template share do: of more the server reads nothing, and the energy is not that of its prompts."""
LEAST_IN_FLIGHT: Final = 0.98
"""A slot of the loop is empty between an answer and the next query, some milliseconds of each second at the most."""
LEAST_ROUNDS: Final = 5
"""So many times at least each slot should be through in a window: its edges, where queries count in part, are then
small beside the whole."""


def not_official(serving: ServingFacts) -> Reason:
    """The one reason that holds for all runs of another protocol: what else they have otherwise says nothing then."""
    many = serving.concurrency != 1
    return Reason(
        code="protocol",
        message=f"measured by {serving.protocol}: a server that works on {serving.concurrency} "
        f"{'queries' if many else 'query'} at a time; official scores are of {tasks.PROTOCOL}, which loads the model "
        "itself and asks it one query after the other",
    )


def incomplete(evidence: Evidence, window: Window) -> Iterator[Finding]:
    """What is missing in a window: queries, or a whole pass of them (check 18)."""
    serving = evidence.environment.serving
    if serving is None or window.served is None:
        yield fail("the window does not tell what was served, expected the shares of its queries", at=window)
        return
    served, asked = window.served, evidence.environment.run.num_samples
    if window.failures:
        yield fail(f"{window.failures} queries failed, expected none", at=window, failures=window.failures)
    if served.begun < asked:
        yield fail(f"{served.begun} queries were begun, expected at least a pass of {asked}", at=window)


def unsteady(evidence: Evidence) -> Iterator[Finding]:
    """Windows in which the loop was not full, or that are too short; of each the worst (check 18)."""
    serving = evidence.environment.serving
    found = [window.served for window in evidence.answers if window.served is not None]
    if serving is None or not found:
        return
    in_flight = min(served.mean_in_flight for served in found)
    if in_flight < LEAST_IN_FLIGHT * serving.concurrency:
        finding = fail_if(
            # On a CPU the client works on the processor that it measures, and takes its time.
            evidence.computes_on_gpu,
            f"down to {in_flight:.2f} queries were in flight on average of a window, expected {serving.concurrency}",
            mean_in_flight=in_flight,
        )
        yield replace(
            finding, mend="leave this machine's processor free: the client waited for it and not for the server"
        )
    fewest = min(served.queries for served in found)
    if fewest < LEAST_ROUNDS * serving.concurrency:
        finding = warn(
            f"down to {fewest:.1f} queries were served in a window, {serving.concurrency} at a time, expected at least "
            f"{LEAST_ROUNDS * serving.concurrency}: what lies at the window's edges is a large part of it",
            queries=fewest,
        )
        yield replace(
            finding, mend="more queries in a window: a higher scenario.num_samples, or a longer scenario.min_window_s"
        )


def outputs(evidence: Evidence, window: Window) -> Iterator[Finding]:
    """Tokens that are not as asked (check 22)."""
    serving, served = evidence.environment.serving, window.served
    if serving is None or served is None:
        return
    if served.output_tokens <= 0:
        yield fail("no token was generated, expected answers", at=window)
    elif served.output_tokens > serving.max_tokens * served.queries * (1 + 1e-9):
        yield fail(
            f"{served.output_tokens / served.queries:.1f} tokens an answer, expected at most {serving.max_tokens}: the "
            "server takes no notice of the limit",
            at=window,
            output_tokens=served.output_tokens,
        )


def early_ends(evidence: Evidence) -> Iterator[Finding]:
    """Answers of the whole run that ended before their most tokens (check 22)."""
    serving = evidence.environment.serving
    found = [(window.early_ends or 0, window.served) for window in evidence.answers if window.served is not None]
    ended = sum(served.ended for _, served in found)
    early = sum(count for count, _ in found)
    if serving is None or not ended or early / ended <= MANY_EARLY:
        return
    mean = sum(served.output_tokens for _, served in found) / sum(served.queries for _, served in found)
    yield warn(
        f"{early / ended:.0%} of the answers ended before {serving.max_tokens} tokens ({mean:.1f} on average): compare "
        "the energy of 1,000 output tokens, not that of 1,000 queries",
        early=early / ended,
    )


def cached_prompts(evidence: Evidence) -> Iterator[Finding]:
    """Prompts that the server did not read, having kept them from the time before; of the whole run (check 22)."""
    serving = evidence.environment.serving
    found = [window.served for window in evidence.answers if window.served is not None]
    if serving is None or not found:
        return
    told = [served for served in found if served.cached_input_tokens is not None]
    cached = sum(served.cached_input_tokens or 0.0 for served in told)
    tokens = sum(served.input_tokens for served in told)
    if cached > MOST_CACHED * tokens:
        share = cached / tokens if tokens else 1.0
        finding = fail(
            f"{share:.1%} of the prompts' tokens came from the server's cache, expected at most {MOST_CACHED:.0%}: the "
            "energy is that of prompts that it had read before",
            cached=share,
        )
        yield replace(
            finding,
            mend="start the server without its cache of prompts (vllm serve --no-enable-prefix-caching, SGLang's "
            "--disable-radix-cache, llama-server --no-cache-prompt), or name the request field that does the same by "
            "backend.no_cache",
        )
    if any(served.cached_input_tokens is None and served.repeated_prompts != 0 for served in found):
        asked = f", though it was asked to leave it alone ({', '.join(serving.no_cache)})" if serving.no_cache else ""
        yield untold(
            "the same prompts were asked again and again, and the server does not tell how many of their tokens came "
            f"from its cache{asked}",
            "have the server tell (vllm serve --enable-prompt-tokens-details, SGLang's --enable-cache-report), or "
            "start it without its cache of prompts and say so beside the figure; transformers serve keeps none without "
            "--continuous-batching",
        )


def unlike_gpus(evidence: Evidence) -> Iterator[Finding]:
    """GPUs that were measured and are not the server's, or the other way round (checks 8 and 10)."""
    serving = evidence.environment.serving
    if serving is None:
        return
    measured = set(evidence.devices)
    if serving.server_gpus is None:
        yield untold(
            "on which GPUs the server computes could not be seen, they were named by hand",
            "run scorekit where it sees the server's processes: as the same user, and not in another container",
        )
        return
    for device in serving.server_gpus:
        if device not in measured:
            yield fail(
                f"the server computes on {gpu(device)}, but {names(sorted(measured))} was measured", device=device
            )
    for device in sorted(measured - set(serving.server_gpus)):
        yield fail_if(
            bool(serving.server_gpus),
            f"the energy of {gpu(device)} is counted, but the server does not compute on it",
            device=device,
        )
