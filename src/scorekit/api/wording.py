"""Settings of a run, and options of commands, as arguments of Python: what meters, checks, ratings and impacts say."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from scorekit.errors import MissingExtraError, ScorekitError
from scorekit.records import Check
from scorekit.records.validity import MENDS


def _quoted(names: re.Match[str]) -> str:
    return f"meters=[{', '.join(repr(name.strip()) for name in names[1].split(','))}]".replace("'", '"')


_SPELLINGS: Final = (
    (
        re.compile(r"scenario\.min_window_s=10 draws answering windows out \(official configs: 60\)"),
        "windows of 10 s are long enough: more samples make them longer, and for a function min_window_s=10 does",
    ),
    (re.compile(r"scenario\.meters=\[([^\]]*)\]"), _quoted),
    (re.compile(r"scenario\.gpus=(auto)\b"), r'gpus="\1"'),
    (re.compile(r"scenario\.country_iso_code=\w+.*"), 'meters=["auto"]'),
    (re.compile(r"leave scenario\.gpus=auto, and choose the GPUs with backend\.device_ids"), "name them with gpus=[0]"),
    (re.compile(r"backend\.device_ids=(\d+)"), r"gpus=[\1]"),
    (re.compile(r"backend\.device_ids"), "gpus=[0]"),
    (re.compile(r"add backend\.device=cpu"), "gpus=None"),
    (re.compile(r"launcher\.gpu_wait_s"), "wait_s"),
    (re.compile(r"launcher\.device_isolation: "), ""),
    (
        re.compile(r"([Ll])et the GPU warm up with scenario\.warmup_runs;"),
        r"\1et the GPU warm up with warmup, or before a block with all that it uses;",
    ),
    (re.compile(r"scenario\.runs"), "repeats"),
    (re.compile(r"scenario\.warmup_runs"), "warmup"),
    (re.compile(r"scenario\.num_samples"), "samples"),
    (re.compile(r"; with more queries \(samples\) preparing takes longer, too"), ""),
    (re.compile(r"scenario\."), ""),
    (re.compile(r"`scorekit impact --list-zones --mix (\S+)`"), r'`scorekit.impacts.find_mix("\1").zones`'),
    (re.compile(r"with --mix \(`scorekit impact --list-mixes`\)"), "with mix=... (`scorekit.impacts.mix_names()`)"),
    (re.compile(r"`scorekit impact --list-mixes`"), "`scorekit.impacts.mix_names()`"),
    (re.compile(r"--pue (\d)"), r"pue=\1"),
    (re.compile(r"scorekit rate RUN OTHER \.\.\.; a card or label .*"), "scorekit.rate([one, other])"),
    (re.compile(r"scorekit rate SCORE\.\.\. --edition local"), 'scorekit.rate([one, other], edition="local")'),
    (
        re.compile(r"measure one that `scorekit tasks` lists"),
        'measure one that `scorekit tasks` lists, or give code of your own a word for it: measure(..., task="my_task")',
    ),
    (
        re.compile(r"give a log that names it"),
        'give a log that names it, or code of your own a name: measure(..., name="my model")',
    ),
)


def in_python(text: str) -> str:
    """A text with settings of Hydra's, and options of commands, as arguments of Python's."""
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def check_in_python(check: Check) -> Check:
    """A check whose message names arguments."""
    details = check.details
    if check.mends:
        details = details | {MENDS: [in_python(step) for step in check.mends]}
    return check.model_copy(update={"message": in_python(check.message), "details": details})


@contextlib.contextmanager
def told_in_python() -> Iterator[None]:
    """Errors of scorekit's within it name arguments."""
    try:
        yield
    except MissingExtraError:
        raise
    except ScorekitError as error:
        message, mend = in_python(error.message), None if error.mend is None else in_python(error.mend)
        error.args, error.message, error.mend = (message,), message, mend
        raise
