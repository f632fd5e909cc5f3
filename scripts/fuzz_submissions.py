"""Verify many damaged submissions, and end with code 1 when one is accepted, breaks the reader, or reaches beyond it:
`python -m scripts.fuzz_submissions [--count N]`, from the root of the repository.

Each batch is read in a process of its own. An audit hook tells of every file written, program started and socket
opened; the peak of the memory is that of the process, with Python and the mutator in it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
MOST_MIB: Final = 512
_BATCH: Final = 500
_REACHING: Final = (
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.system", "os.exec", "os.fork",
    "os.posix_spawn", "subprocess.Popen", "socket.", "pickle.find_class", "shutil.", "ctypes.dlopen", "tempfile.",
)  # fmt: skip
_NOW: Final = datetime.datetime(2025, 6, 2, 13, 0, tzinfo=datetime.UTC)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.fuzz_submissions", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("--count", type=int, default=10_000, help="damaged submissions (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default: %(default)s)")
    parser.add_argument("--batch", nargs=3, metavar=("ZIP", "FIRST", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.batch:
        print(json.dumps(batch(Path(options.batch[0]), int(options.batch[1]), int(options.batch[2]))))
        return 0
    return run(options.first, options.count)


def run(first: int, count: int) -> int:
    started, found, peak_mib, bad = time.monotonic(), Counter[str](), 0.0, []
    with tempfile.TemporaryDirectory() as made:
        bases = write_bases(Path(made))
        inside = Path(made) / "inside"
        inside.mkdir()
        for number, start in enumerate(range(first, first + count, _BATCH)):
            size = min(_BATCH, first + count - start)
            arguments = [sys.executable, "-m", "scripts.fuzz_submissions", "--batch", str(bases[number % len(bases)])]
            done = subprocess.run(
                [*arguments, str(start), str(size)],
                cwd=inside, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                why = f"the reader ended with {done.returncode}: {done.stderr[-400:]}"
                bad.append(f"seeds {start} to {start + size - 1}: {why}")
                continue
            told = json.loads(done.stdout)
            bad += told["bad"]
            found.update(told["found"])
            peak_mib = max(peak_mib, told["peak_mib"])
            print(f"{start + size - first:,} of {count:,}", file=sys.stderr)
        bad += [f"{path} was written" for path in inside.iterdir()]
    for line in bad:
        print(line)
    for what, times in sorted(found.items()):
        print(f"{times:6,}  {what}")
    print(f"{count:,} damaged submissions in {time.monotonic() - started:.0f} s; peak memory {peak_mib:.0f} MiB "
          f"(expected below {MOST_MIB}); {len(bad)} accepted, broken or reached beyond")  # fmt: skip
    return 1 if bad or peak_mib >= MOST_MIB else 0


def write_bases(folder: Path) -> list[Path]:
    """Good submissions, open and confidential."""
    from tests.evidence import good_evidence
    from tests.unit.submission.made import request, thinned, write_run

    from scorekit import submission

    run_folder = write_run(folder / "run", thinned(good_evidence()))
    forms: dict[str, dict[str, Any]] = {"open": {}, "confidential": {"form": "confidential", "model_name": "Hidden 1"}}
    paths = []
    for name, facts in forms.items():
        path = folder / f"{name}.zip"
        path.write_bytes(submission.pack([run_folder], request(**facts)).content)
        paths.append(path)
    return paths


def batch(path: Path, first: int, count: int) -> dict[str, Any]:
    """Verify some; what was found, and what should not have been."""
    from tests.unit.submission.mutations import mutated

    from scorekit.editions import FEBRUARY_2025
    from scorekit.records import Terms
    from scorekit.submission import verify_bytes
    from scorekit.submission.verify import UNEXPECTED

    content, terms = path.read_bytes(), Terms(edition=FEBRUARY_2025, now_utc=_NOW.isoformat())
    bad: list[str] = []
    if verify_bytes(content, terms).verdict != "accepted":
        bad.append(f"{path.name} is not accepted itself")
    reached: list[str] = []
    sys.addaudithook(lambda event, arguments: _watch(event, arguments, reached))
    found: Counter[str] = Counter()
    for seed in range(first, first + count):
        how, damaged = mutated(content, seed)
        reached.clear()
        try:
            verdict = verify_bytes(damaged, terms)
        except Exception as error:  # noqa: BLE001 - what breaks the reader is what is looked for
            bad.append(f"{how}: {type(error).__name__}: {error}")
            continue
        if verdict.verdict == "accepted":
            bad.append(f"{how}: accepted")
        bad += [f"{how}: {reason.message}" for reason in verdict.reasons if reason.code == UNEXPECTED]
        bad += [f"{how}: {event}" for event in reached]
        weight = {"refused": "refuse", "needs review": "review"}.get(verdict.verdict, "note")
        code = next((reason.code for reason in verdict.reasons if reason.weight == weight), "nothing")
        found[f"{how.split()[0]}: {verdict.verdict} ({code})"] += 1
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"bad": bad, "found": found, "peak_mib": peak_mib}


def _watch(event: str, arguments: tuple[Any, ...], reached: list[str]) -> None:
    writes = event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) and bool(
        arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )  # fmt: skip
    if writes or event.startswith(_REACHING):
        reached.append(f"{event} {str(arguments)[:200]}")


if __name__ == "__main__":
    sys.exit(main())
