"""A fake NVML for machines without a GPU; see the README beside this file."""

from __future__ import annotations

from tests.fake_nvml.build import NoCompilerError, build
from tests.fake_nvml.fake import FakeNvml

__all__ = ["FakeNvml", "NoCompilerError", "build"]
