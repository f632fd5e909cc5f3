"""Telling an error that means that memory ran out from all others."""

from __future__ import annotations

import re
from typing import Final

_TOLD: Final = re.compile(r"out of memory|CU(BLAS|DNN|SPARSE)_STATUS_ALLOC_FAILED", re.IGNORECASE)
"""What torch's own error says, and CUDA's libraries where they ask for memory of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the GPU's memory did not suffice.

    torch has a class of its own for it, which CUDA's libraries do not use: theirs is a RuntimeError that tells it.
    """
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and _TOLD.search(str(error)) is not None
    )
