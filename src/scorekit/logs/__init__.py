"""Reading logs: one reader a format, each from files to a `Score`, and the files that a score leaves behind.

Nothing here opens a socket, starts a process or loads a model.
"""

from scorekit.logs.formats import READERS, Reader, detect, find_runs, read_score
from scorekit.logs.outputs import write_score
from scorekit.logs.score_file import read_score_file, run_beside

__all__ = ["READERS", "Reader", "detect", "find_runs", "read_score", "read_score_file", "run_beside", "write_score"]
