"""Reading logs: one reader a format, each from files to checks and a `Score`, and the files that these leave behind.

Nothing here opens a socket, starts a process or loads a model.
"""

from scorekit.logs.formats import READERS, Reader, detect, find_runs, read_score, read_validity
from scorekit.logs.outputs import withdraw_score, write_score
from scorekit.logs.score_file import read_score_file, run_beside
from scorekit.logs.validity_file import write_validity

__all__ = [
    "READERS",
    "Reader",
    "detect",
    "find_runs",
    "read_score",
    "read_score_file",
    "read_validity",
    "run_beside",
    "withdraw_score",
    "write_score",
    "write_validity",
]
