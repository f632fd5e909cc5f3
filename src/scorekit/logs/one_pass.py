"""What one pass over the samples took, of a window that may hold several: short tasks repeat theirs."""

from __future__ import annotations

from scorekit.records import Window


def passes_of(window: Window) -> float:
    """Passes in a window; 1 where it does not say, as in files of version 1 and in windows of loading and idling.

    A whole number but for a server's windows, which begin and end in the middle of a pass.
    """
    return window.passes or 1 if window.served is None else window.served.passes


def duration_s(window: Window) -> float:
    """Length of one pass."""
    return window.duration_s / passes_of(window)


def output_tokens(window: Window) -> float | None:
    """Tokens generated in one pass, as a mean: sampling may give each pass another number. None if not counted."""
    if window.served is not None:
        return window.served.output_tokens / window.served.passes
    return None if window.output_tokens is None else window.output_tokens / passes_of(window)


def whole_output_tokens(window: Window) -> int | None:
    """The same to the nearest token."""
    tokens = output_tokens(window)
    return None if tokens is None else round(tokens)


def images(window: Window) -> int | None:
    """Images made in one pass; all of them where the passes did not make as many each. None if not counted."""
    if window.images is None:
        return None
    each, rest = divmod(window.images, window.passes or 1)
    return window.images if rest else each
