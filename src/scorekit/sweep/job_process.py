"""What a process that starts a job tells it by. Light, because every job on Ray waits for its worker's imports."""

import struct
from typing import Final

from scorekit.errors import install_line

ENGINE_JOB: Final = "SCOREKIT_SWEEP_ENGINE_JOB"
"""What the engine calls the job: of engines that set no variable of their own."""
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""The GPUs that the engine gave it."""
SAME_EVERYWHERE: Final = f"install the same on every node; {install_line('bench,ray')}"
"""The mend where a node lacks something."""
JOB_BYTES: Final = 1 << 16
"""At most so many tell of a job's variables."""
LENGTH: Final = struct.Struct("!Q")
"""Before what a job is given: how many bytes it has."""
CODE: Final = struct.Struct("!i")
"""The exit code of a job's process."""
