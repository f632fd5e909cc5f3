"""Request fields that keep a server from answering out of prompts that it has read before. Pure.

The samples of a steady state come again and again, and servers keep what they have computed of a prompt. Some can be
told in a query not to use that: by a salt, with which a prompt is no other query's, or by a switch. Known from the
servers' own sources and issues, as of November 2026 (docs/serving.md has the table):

- vLLM takes `cache_salt` (completions since pull request 20981); other servers' fields it passes over with a warning.
- SGLang takes `cache_salt` (of effect since pull request 23300).
- llama.cpp's server takes `cache_prompt`.

Ollama, TGI and transformers serve have no such field.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from scorekit.errors import UsageError, nearest

SALT: Final = "SALT"
"""As the value of a field: another random text with each query."""
AUTO: Final = "auto"
KNOWN: Final[Mapping[str, Mapping[str, Any]]] = {
    "vllm": {"cache_salt": SALT},
    "sglang": {"cache_salt": SALT},
    "llama.cpp": {"cache_prompt": False},
}
"""Fields by the server's name."""
_OWNERS: Final = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llama.cpp"}
"""What these servers call the owner of their models."""
_PROTOCOLS: Final = frozenset(
    {"model", "prompt", "messages", "max_tokens", "temperature", "stream", "stream_options", "ignore_eos"}
)
"""Fields that the protocol sets."""
_BY_HAND: Final = "backend.no_cache={cache_salt:SALT}"


def check(setting: Any) -> None:
    """Refuse what is no setting of `backend.no_cache`.

    Raises:
        UsageError: what it can be.
    """
    if setting is False or (isinstance(setting, str) and setting in (AUTO, *KNOWN)):
        return
    if not isinstance(setting, Mapping):
        close = nearest(str(setting), [AUTO, *KNOWN])
        raise UsageError(
            f"backend.no_cache={setting} is none of auto, false, {', '.join(KNOWN)}, and no mapping of request fields",
            mend=f"backend.no_cache={close or AUTO}, or fields by hand: {_BY_HAND}",
        )
    theirs = sorted(str(name) for name in setting if str(name) in _PROTOCOLS)
    if theirs:
        raise UsageError(
            f"backend.no_cache sets {theirs[0]}, which the protocol sets itself",
            mend=f"name fields of the server's cache alone, e.g. {_BY_HAND}",
        )


def fields(setting: Any, owner: str | None) -> dict[str, Any]:
    """What is to be sent with each query; empty for nothing.

    Args:
        setting: backend.no_cache.
        owner: what the server's list of models calls the owner of the model; None where it does not tell.
    """
    if setting is False:
        return {}
    if setting == AUTO:
        return dict(KNOWN.get(_OWNERS.get((owner or "").lower(), ""), {}))
    return dict(KNOWN[setting] if isinstance(setting, str) else setting)


def salted(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one query, with a salt of its own where one is asked for."""
    return {name: secrets.token_hex(16) if value == SALT else value for name, value in asked.items()}
