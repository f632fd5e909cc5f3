"""Write the golden submissions: `python -m tests.golden.submissions.make [FOLDER]`, from the root of the repository.

They are of the golden run generate_h100_counter, whose score of 7.6 Wh is worked out by hand in tests/golden/README.md.
They stay as they are when a format gets a new version: verifying must still read them.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

from scorekit import submission
from scorekit.records import Submitter
from scorekit.submission import CLAUSES

HERE = Path(__file__).parent
RUN = HERE.parent / "generate_h100_counter"
CREATED = datetime.datetime(2025, 6, 2, 12, 0, tzinfo=datetime.UTC)


def made() -> dict[str, bytes]:
    """The submissions by name."""
    found = {}
    for name, form, model in (("open", "open", None), ("confidential", "confidential", "Hidden 1")):
        request = submission.Request(
            submitter=Submitter(name="Ada Lovelace", contact="ada@example.org"),
            accepted=frozenset(clause.name for clause in CLAUSES),
            edition="2025-02",
            created=CREATED,
            form=form,  # type: ignore[arg-type]
            model_name=model,
        )
        found[f"{name}.zip"] = submission.pack([RUN], request).content
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for file, content in made().items():
        (folder / file).write_bytes(content)
