"""Reading logs: one reader a format, each from files to results, and the files that our own runs are given.

Nothing here opens a socket, starts a process or loads a model.
"""

from scorekit.logs.discover import Found, Refusal, is_log, read_logs, read_scores
from scorekit.logs.formats import FOREIGN, Reader
from scorekit.logs.from_score import result_of, unverified
from scorekit.logs.measurement_file import read_measurement, result_of_measurement
from scorekit.logs.outputs import withdraw_score, write_score
from scorekit.logs.run_bundle import Examined
from scorekit.logs.runs import find_runs, read_score, read_validity
from scorekit.logs.score_file import is_score_file, read_score_file, run_beside
from scorekit.logs.validity_file import write_validity

__all__ = [
    "FOREIGN",
    "Examined",
    "Found",
    "Reader",
    "Refusal",
    "find_runs",
    "is_log",
    "is_score_file",
    "read_logs",
    "read_measurement",
    "read_score",
    "read_score_file",
    "read_scores",
    "read_validity",
    "result_of",
    "result_of_measurement",
    "run_beside",
    "unverified",
    "withdraw_score",
    "write_score",
    "write_validity",
]
