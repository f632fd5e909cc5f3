"""Test the tests: `python -m scripts.mutation`, or `make mutation`; takes some ten minutes.

mutmut changes one thing after the other in the modules that decide whether a figure is right (`only_mutate` under
[tool.mutmut] in pyproject.toml) and runs the tests that call the changed function. A change that no test notices
survived: it wants a test, or a line in tests/mutation_survivors.md with the reason why it is no fault. The command
fails on a survivor that has neither, on a change that no test runs, and on lines that nothing needs any more.

It works on a copy in build/mutation. Results are kept there: a second call tests only what has changed since, and with
--survivors also what had survived, for which a test may have come.

Not changed: sentences (a text with a space in it is for people; what checks say is held by a golden file), and, as
mutmut has it, functions with a decorator and what stands outside functions.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from scripts.mutation.survivors import Survivor, known, of_diff, undecided

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / "build" / "mutation"
PAGE: Final = ROOT / "tests" / "mutation_survivors.md"
COPIED: Final = ("src", "tests", "scripts", "benchmarks", "docs", "configs", "examples", "pyproject.toml")


def main() -> int:
    """Run, and tell what survived."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("--survivors", action="store_true", help="test again also what had survived")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--no-run", action="store_true", help="only tell the results that are there")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutants tested at once (default: 1)")
    parser.add_argument("--mutate", nargs="*", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mutate is not None:
        # Only here: mutmut reads its options, from the current folder, when it is imported.
        from scripts.mutation.testing import mutate

        mutate(options.mutate, options.jobs)
        return 0
    if options.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    if not options.no_run:
        _copy()
    os.chdir(WORK)
    if not options.no_run:
        _run((), options.jobs)
        # Of what no test ran before, one may run now.
        anew = {"no tests", "survived"} if options.survivors else {"no tests"}
        if again := [name for name, status, _ in _results() if status in anew]:
            _run(again, options.jobs)
    return _tell(list(_results()))


def _copy() -> None:
    """The copy as the tree is now; times are kept, for mutmut goes by them."""
    WORK.mkdir(parents=True, exist_ok=True)
    kept = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        if source.is_file():
            shutil.copy2(source, target)
            continue
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=kept)
    # mutmut copies these over what is there, and takes nothing away.
    for name in ("tests", "docs", "configs", "examples", "scripts", "benchmarks"):
        shutil.rmtree(WORK / "mutants" / name, ignore_errors=True)
    # mutmut would ask new tests alone which functions they call, and an older test may call a new function.
    (WORK / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    # What a run that was cut off has half written would be taken for done.
    for path in (WORK / "mutants" / "src").rglob("*.py"):
        if not Path(f"{path}.meta").exists():
            path.unlink()


def _run(names: Sequence[str], jobs: int) -> None:
    """Each run in a process of its own, where the tests are collected once and import the copy."""
    command = [sys.executable, "-m", "scripts.mutation", "--jobs", str(jobs), "--mutate", *names]
    # Nothing may name the tree, as an editable installation does; what comes first on the path is mutmut's copy.
    environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    # Plugins are named in mutmut's options: what some distribution brings must not change what is found.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if code := subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(f"mutmut ended with code {code}; what it said stands above")


def _results() -> Iterator[tuple[str, str, Path]]:
    """Each mutant with its status and its file."""
    from mutmut import __main__ as mutmut

    for path in mutmut.walk_mutatable_files():
        data = mutmut.SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            yield name, mutmut.status_by_exit_code[code], path


def _tell(results: list[tuple[str, str, Path]]) -> int:
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import get_module_from_key, orig_function_and_class_names_from_key

    accepted = known(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    by_module: dict[str, Counter[str]] = {}
    survivors: dict[Survivor, str] = {}
    for name, status, path in results:
        module = get_module_from_key(name)
        if status == "survived":
            function, class_name = orig_function_and_class_names_from_key(name)
            place = ".".join(part for part in (module, class_name, function) if part)
            survivor = of_diff(place, get_diff_for_mutant(name, path=path))
            survivors[survivor] = name
            status = "equivalent" if survivor in accepted else "survived"
        by_module.setdefault(module, Counter())[status] += 1
    columns = ("killed", "timeout", "equivalent", "survived", "no tests")
    print(f"{'module':42} {'mutants':>8} " + " ".join(f"{name:>10}" for name in (*columns, "others")))
    for module, found in [*sorted(by_module.items()), ("all", sum(by_module.values(), Counter()))]:
        others = sum(count for status, count in found.items() if status not in columns)
        print(f"{module:42} {found.total():8} " + " ".join(f"{found[name]:10}" for name in columns) + f" {others:10}")
    unknown = {survivor: name for survivor, name in survivors.items() if survivor not in accepted}
    if unknown:
        print(f"\nThese survived; write a test, or tell in {PAGE.relative_to(ROOT)} why it is no fault:")
        print("\n".join(survivor.line() for survivor in unknown))
    open_ones = undecided(results)
    if open_ones:
        print("\nNo test has decided about these; run again, or write tests:")
        print("\n".join(open_ones))
    gone = [survivor for survivor in accepted if survivor not in survivors]
    if gone:
        print(f"\nThese lines of {PAGE.relative_to(ROOT)} tell of nothing that survives:")
        print("\n".join(survivor.line() for survivor in gone))
    return 1 if unknown or open_ones or gone else 0


if __name__ == "__main__":
    sys.exit(main())
