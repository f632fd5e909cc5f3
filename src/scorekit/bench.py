"""`scorekit bench`: a Hydra app over optimum-benchmark. Each job measures and then scores what it measured.

Everything after `bench` is Hydra's: config names, overrides and `-m` pass through untouched.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorekit.errors import EXIT_DONE, EXIT_FAILED, InvalidRunError, ScorekitError, UsageError, nearest
from scorekit.measuring import configs
from scorekit.messages import say, say_error
from scorekit.sweep import elsewhere

if TYPE_CHECKING:
    from scorekit.records import Score

USAGE = """\
usage: scorekit bench --config-name TASK backend.model=MODEL [SETTING=VALUE ...]

Measures a model's energy on a task and scores it. TASK is one of:
{tasks}

often used settings:
  backend.model=ORG/NAME            the model: a Hub id or a folder
  backend.processor=ORG/NAME        its tokenizer or processor, where it is not with the model
  backend.device=cpu                without a GPU (never comparable with official scores)
  backend.torch_dtype=float32       float32, float16, bfloat16 or auto
  scenario.dataset_name=FOLDER      another dataset than the task's own
  scenario.num_samples=10           queries in one repeat (official: 1000)
  scenario.runs=3                   repeats (official: 10)
  scenario.phases=false             leave out the pass that tells prefill from decode
  scenario.meters=[nvml,codecarbon] the meters; the first that reads a component makes the score
  scenario.min_window_s=60          least length of a window on a GPU; short tasks repeat their pass
  scenario.gpus=[0]                 the GPUs to measure (auto: those that the model uses)
  scenario.idle_s=10                idle baseline before and after; cool_down_s and max_gap_s: waits between repeats
  scenario.target_ci=0.01           as many repeats as the 95 % interval needs, up to scenario.runs

a server of this machine (vLLM, TGI, llama.cpp, Ollama, transformers serve), at a stated concurrency (docs/serving.md):
  --config-name serving backend.url=http://127.0.0.1:8000 backend.model=NAME scenario.concurrency=8

Hydra's options work too: -m runs several jobs (backend.model=a,b), --config-dir adds a folder of configs,
--cfg job shows the composed config, --hydra-help tells the rest.
"""


Tell = Callable[[Path, "Score"], None]
"""Called with the run folder and the score of each job."""

Fail = Callable[[ScorekitError], None]
"""Called with the error of each job of a sweep, which does not end the others."""

Close = Callable[[Sequence["Score"]], None]
"""Called at the end of several jobs with the scores of all, wherever a launcher has run them."""


def main(argv: list[str]) -> int:
    """Run the app and print each score.

    Args:
        argv: the command line after `bench`.

    Returns:
        Exit code (see scorekit.errors).

    Raises:
        ScorekitError: what the user must mend.
    """
    return run(argv, _print_score, close=_print_scores)


def run(argv: list[str], tell: Tell, fail: Fail | None = None, close: Close | None = None) -> int:
    """Run the app; as `main`, but telling the scores, and the errors of a sweep's jobs, in the caller's way."""
    folder = Path(_option(argv, "--config-dir", "-cd") or configs.builtin_folder()).absolute()
    if "--help" in argv or "-h" in argv:
        print(USAGE.format(tasks="\n".join(f"  {name}" for name in configs.known(folder))), end="")
        return EXIT_DONE
    _refuse_secrets(argv)
    name = _option(argv, "--config-name", "-cn")
    configs.refuse_server(argv, name)
    passes_through = any(option in argv for option in ("--hydra-help", "--version", "--shell-completion", "-sc"))
    if name is None and not passes_through:
        raise UsageError(
            f"no task is chosen; valid: {', '.join(configs.known(folder))}",
            mend="add --config-name text_generation",
        )
    if name is not None and _option(argv, "--config-path", "-cp") is None:
        configs.check_name(name, folder, configs.builtin_folder())
        _require_model(argv, folder)
    scores: list[Score] = []
    elsewhere.begin()

    def told(run_folder: Path, score: Score) -> None:
        scores.append(score)
        tell(run_folder, score)

    try:
        return _run(argv, folder, told, fail or say_error)
    finally:
        if close is not None:
            found = [*scores, *elsewhere.scores()]
            # The score of a single job has been told, with all that is to be said of it.
            if len(found) > 1 or (found and not scores):
                close(found)


def _run(argv: list[str], folder: Path, tell: Tell, fail: Fail) -> int:
    configs.register((_option(argv, "--config-name", "-cn") or "").removesuffix(".yaml"))
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from omegaconf.errors import (
        InterpolationToMissingValueError,
        MissingMandatoryValue,
        OmegaConfBaseException,
    )

    from scorekit.measuring.gpu_lock import SWEEP_JOB
    from scorekit.sweep import attempts, work

    codes: list[int] = []
    failures: list[ScorekitError] = []
    start_folder, process = Path.cwd(), os.getpid()

    def job(config: Any) -> int:
        output_folder = Path(HydraConfig.get().runtime.output_dir)
        try:
            codes.append(work.recorded(lambda: measure_and_score(config, start_folder, tell), output_folder))
        except ScorekitError as error:
            if os.getpid() != process or attempts.ENGINE in os.environ:
                # A launcher that runs jobs elsewhere carries their codes and errors back itself.
                raise
            codes.append(error.exit_code)
            if SWEEP_JOB not in os.environ:
                failures.append(error)
            else:
                fail(error)
        except Exception:
            # A sweep goes on; what it was is written down beside the job's runs.
            codes.append(EXIT_FAILED)
            raise
        return codes[-1]

    app = hydra.main(version_base=None, config_path=str(folder), config_name=None)(job)
    try:
        with _command_line(argv):
            app()
    except (InterpolationToMissingValueError, MissingMandatoryValue) as error:
        if "backend.model" in str(error):
            raise UsageError("no model is given", mend="add backend.model=ORG/NAME, or a folder") from error
        raise UsageError(f"the config lacks a value: {_first_line(error)}", mend="give it as SETTING=VALUE") from error
    except (HydraException, OmegaConfBaseException) as error:
        cause = error.__cause__ or error
        close = configs.meant(error)
        raise UsageError(
            f"the command line or config is refused: {_first_line(error)}"
            + (f" ({_first_line(cause)})" if cause is not error else ""),
            mend=(f"did you mean {close}? " if close else "")
            + "scorekit bench --help lists the settings; --cfg job shows the composed config",
        ) from error
    finally:
        os.chdir(start_folder)
    for failure in failures[:-1]:
        say_error(failure)
    if failures:
        raise failures[-1]
    return max(codes, default=EXIT_DONE)


def measure_and_score(config: Any, start_folder: Path, tell: Tell) -> int:
    """Measure one job, score it and tell the score.

    Returns:
        0, or the code of an invalid measurement, which keeps its bundle and says why.
    """
    from hydra.core.hydra_config import HydraConfig

    from scorekit import bundle, logs
    from scorekit.measuring import job

    output_folder = Path(HydraConfig.get().runtime.output_dir)
    _warn_beforehand(config)
    try:
        folder = job.run(config, output_folder, start_folder)
    except ScorekitError:
        # Hydra made the folder; what was refused leaves none behind if nothing is in it.
        with suppress(OSError):
            output_folder.rmdir()
        raise
    if not (folder / bundle.WINDOWS).is_file():
        # One of optimum-benchmark's own scenarios: it leaves its report, and no windows to score.
        print(f"measured by scenario {config.scenario.name}, which has no score\n\nfiles: {folder}")
        return EXIT_DONE
    try:
        logs.write_validity(folder, logs.read_validity(folder))
        result = logs.read_score(folder)
    except InvalidRunError as error:
        say_error(error)
        say(f"measured, but not scored: {folder} (scorekit check shows every check)")
        return error.exit_code
    logs.write_score(folder, result)
    tell(folder, result)
    return EXIT_DONE


def _warn_beforehand(config: Any) -> None:
    """Tell what is in the way of a valid and official run on this machine's GPU before it takes an hour."""
    from scorekit.measuring import machine
    from scorekit.validity import preflight

    backend = config.get("backend") or {}
    if backend.get("device") != "cuda" or backend.get("name") == "openai":
        # A server's processes are on its GPUs already, and its score is never official.
        return
    probed = machine.probe(device="cuda", device_ids=backend.get("device_ids"), ask_torch=False)
    if not probed.gpus:
        return  # The run will be refused, and say so itself.
    found = preflight.obstacles(probed)
    effects = {"invalid": "the run may not be valid", "incomparable": "the score will not be official"}
    for obstacle in found:
        if obstacle.effect in effects:
            say(f"warning: {effects[obstacle.effect]}: {obstacle.message}\n  mend: {obstacle.mend}")


def _print_score(folder: Path, score: Score) -> None:
    from scorekit.layout import layout_for
    from scorekit.tables.scores import score_table

    print(score_table([score], layout_for(sys.stdout)))
    print(f"\nfiles: {folder}")


def _print_scores(scores: Sequence[Score]) -> None:
    from scorekit.layout import layout_for
    from scorekit.tables.scores import score_table

    print(f"\n{score_table(scores, layout_for(sys.stdout))}")


def _require_model(argv: list[str], folder: Path) -> None:
    """Our own configs name no model: say so at once, and not after the libraries were imported."""
    only_shows = any(word in ("--cfg", "-c", "--info", "-i") or word.startswith(("--cfg=", "--info=")) for word in argv)
    # The jobs of a plan name their models themselves.
    given = any(re.match(r"\+{0,2}backend(\.model)?=|hydra/sweeper=plan$", word) for word in argv)
    if folder == configs.builtin_folder().absolute() and not given and not only_shows:
        names = [word.partition("=")[0] for word in argv if "=" in word]
        close = next((name for name in names if nearest(name, ["backend.model"], cutoff=0.85)), None)
        meant = "" if close is None else f"did you mean backend.model instead of {close}? "
        raise UsageError(
            "no model is given", mend=f"{meant}add backend.model=ORG/NAME, or a folder: backend.model=./FOLDER"
        )


def _refuse_secrets(argv: list[str]) -> None:
    """Hydra writes the command line into the run folder, before anything of ours could leave a token out."""
    for word in argv:
        if configs.names_secret(word):
            raise UsageError(
                "a token on the command line would be written into the run's files",
                mend="set it in the environment instead: HF_TOKEN=... scorekit bench ...",
            )


def _option(argv: list[str], *names: str) -> str | None:
    """The value of a command-line option in any of argparse's spellings, or None."""
    for index, word in enumerate(argv):
        for name in names:
            if word == name:
                return argv[index + 1] if index + 1 < len(argv) else None
            if word.startswith(name + "="):
                return word.split("=", 1)[1]
    return None


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


_WITH_VALUE = frozenset(
    {"--config-name", "-cn", "--config-dir", "-cd", "--config-path", "-cp", "--package", "-p", "--cfg", "-c"}
    | {"--experimental-rerun"}
)
"""Hydra's options that take the next word as their value."""


def _options_first(argv: list[str]) -> list[str]:
    """The same command line with the options before the overrides, which argparse takes in one stretch only."""
    options: list[str] = []
    overrides: list[str] = []
    words = iter(argv)
    for word in words:
        if word in _WITH_VALUE:
            options += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            (options if word.startswith("-") else overrides).append(word)
    return [*options, *overrides]


def _without_hydra_files(argv: list[str]) -> list[str]:
    """Keep Hydra from writing files of its own into the run folder, unless they are asked for.

    It writes before the folder is claimed, so a second run would change files of the first one's bundle. The
    composed config is in the bundle as it is.
    """
    ours = [
        setting
        for setting in ("hydra.output_subdir=null", "hydra/job_logging=none")
        if not any(word.lstrip("+").startswith(setting.split("=")[0]) for word in argv)
    ]
    return [*_options_first(argv), *ours]


@contextmanager
def _command_line(argv: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv; and only with HYDRA_FULL_ERROR does it let our errors through instead of printing them."""
    arguments, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["scorekit bench", *_without_hydra_files(argv)]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = arguments
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
