"""Say, before anything is installed, when this Python is too old. Runs on any Python 3."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is for those
    sys.exit(
        "error: scorekit needs Python 3.11 or newer, and this is {}.{}\n"
        "  mend: install it, then run make PYTHON=python3.11 ...".format(*sys.version_info[:2])
    )
