"""`scorekit bench --config-name serving`: a server that misbehaves in every way, a fake GPU, and a real server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_USAGE
from scorekit.records import Environment, GpuState, Window
from tests.e2e.conftest import INLINE, Result, Tiny, run_inprocess
from tests.fake_nvml import FakeNvml
from tests.ports import free_port
from tests.unit.measuring.serving import fake_server
from tests.unit.measuring.serving.fake_server import Asked, FakeServer, serving

SECRET = "s3cr3t-0f-the-server"
PATIENCE_S = 300
SAMPLES = 8


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving() as found:
        yield found


def bench(tiny: Tiny, folder: Path, url: str, *more: str) -> tuple[Result, Path]:
    """A short run on the CPU; what comes later overrides what came before."""
    run = folder / "run"
    arguments = [
        "--config-name",
        "serving",
        INLINE,
        f"backend.url={url}",
        f"backend.model={fake_server.MODEL}",
        "backend.device=cpu",
        f"scenario.dataset_name={tiny['text_generation'].dataset}",
        f"scenario.num_samples={SAMPLES}",
        "scenario.max_tokens=5",
        "scenario.concurrency=2",
        "scenario.runs=3",
        f"hydra.run.dir={run}",
        *more,
    ]
    return run_inprocess(arguments, folder), run


def windows_of(run: Path) -> list[Window]:
    lines = (run / bundle.WINDOWS).read_text(encoding="utf-8").splitlines()
    return [Window.model_validate_json(line) for line in lines]


def environment_of(run: Path) -> Environment:
    return Environment.model_validate_json((run / bundle.ENVIRONMENT).read_text(encoding="utf-8"))


def assert_refused(result: Result, code: int, *words: str, mend: str) -> None:
    assert result.rc == code, result.told()
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line, result.told()
    assert mend in result.stderr.partition("mend: ")[2], result.told()
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stdout + result.stderr


def test_a_server_is_measured_and_scored(tiny: Tiny, tmp_path: Path, server: FakeServer) -> None:
    result, run = bench(tiny, tmp_path, server.url)
    assert result.rc == EXIT_DONE, result.told()
    score = logs.read_score(run)
    assert (score.task, score.runs, score.queries, score.provenance.protocol) == ("serving", 3, SAMPLES, "serving-1")
    assert score.output_tokens == pytest.approx(5 * SAMPLES)
    assert score.wh_per_1000_output_tokens == pytest.approx(score.wh_per_1000_queries / 5)
    assert not score.comparable
    assert "steady state of a server, 2 in flight" in result.stdout
    windows = windows_of(run)
    assert [window.phase for window in windows] == ["load_dataset", "serve", "serve", "serve"]
    for window in windows[1:]:
        assert window.served is not None
        assert window.served.begun >= SAMPLES
        assert window.early_ends == 0
        assert 0 < window.served.mean_in_flight <= 2 + 1e-9
    facts = environment_of(run)
    assert facts.serving is not None
    assert (facts.serving.concurrency, facts.serving.told_owner, facts.serving.ignore_eos) == (2, "fake", True)
    assert (facts.serving.gpus_from, facts.model.name, facts.model.dtype) == (None, fake_server.MODEL, None)
    assert bundle.is_complete(run)
    assert (facts.serving.distinct_prompts, facts.serving.no_cache, facts.serving.tells_cached) == (SAMPLES, {}, False)
    assert [window.served.cached_input_tokens for window in windows if window.served is not None] == [None] * 3
    (told,) = [check.message for check in logs.read_validity(run).warnings if check.name == "outputs_counted"]
    assert told.startswith("cannot be judged: the same prompts were asked again and again")
    # Three queries find out what the server takes and tells; of two that are sent at once, either may arrive first.
    asked = Counter(str(request["prompt"]) for request in server.requests[3:])
    assert len(asked) == SAMPLES
    assert max(asked.values()) - min(asked.values()) <= 1


def test_a_server_that_keeps_prompts_is_asked_to_read_each_of_them(
    tiny: Tiny, tmp_path: Path, server: FakeServer
) -> None:
    server.listing, server.answer = fake_server.owned_by("vllm"), fake_server.Keeping("any")
    result, run = bench(tiny, tmp_path, server.url, "scenario.runs=2")
    assert result.rc == EXIT_DONE, result.told()
    assert "outputs_counted" not in [check.name for check in logs.read_validity(run).warnings]
    facts = environment_of(run).serving
    assert facts is not None
    assert (facts.no_cache, facts.tells_cached) == ({"cache_salt": "SALT"}, True)
    found = [window.served for window in windows_of(run) if window.served is not None]
    assert [served.cached_input_tokens for served in found] == [0.0, 0.0]
    assert found[1].repeated_prompts == found[1].begun
    salts = [asked["cache_salt"] for asked in server.requests if "cache_salt" in asked]
    assert len(set(salts)) == len(salts) == len(server.requests) - 2


def test_a_server_that_answers_out_of_its_cache_has_no_score(tiny: Tiny, tmp_path: Path, server: FakeServer) -> None:
    server.answer = fake_server.Keeping("always")
    result, run = bench(tiny, tmp_path, server.url, "scenario.runs=2", "backend.no_cache={not_known_to_it:SALT}")
    assert result.rc == EXIT_INVALID, result.told()
    assert "of the prompts' tokens came from the server's cache, expected at most 1%" in result.stderr
    assert "--no-enable-prefix-caching" in result.stderr
    assert not (run / bundle.SCORE).exists()
    facts = environment_of(run).serving
    assert facts is not None
    assert facts.no_cache == {"not_known_to_it": "SALT"}


def test_a_token_comes_from_the_environment_and_is_written_nowhere(
    tiny: Tiny, tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(asked: Asked) -> None:
        if asked.headers.get("authorization") == f"Bearer {SECRET}":
            fake_server.answers(asked)
        else:
            asked.send(401, {"error": {"message": "no"}})

    server.answer = guarded
    assert_refused(bench(tiny, tmp_path, server.url)[0], EXIT_FAILED, "answers 401", mend="SCOREKIT_SERVER_TOKEN=")
    monkeypatch.setenv("SCOREKIT_SERVER_TOKEN", SECRET)
    result, run = bench(tiny, tmp_path, server.url, "scenario.runs=1")
    assert result.rc == EXIT_DONE, result.told()
    assert SECRET not in result.stdout + result.stderr
    for path in run.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name


def test_a_server_that_dies_in_mid_run_leaves_what_was_measured(tiny: Tiny, tmp_path: Path, server: FakeServer) -> None:
    def dies(asked: Asked) -> None:
        if (run := tmp_path / "run" / bundle.WINDOWS).is_file() and b'"repeat":1' in run.read_bytes():
            asked.stream(fake_server.TEXT, whole=False)
        else:
            fake_server.answers(asked)

    server.answer = dies
    result, run = bench(tiny, tmp_path, server.url, "scenario.runs=1000")
    assert_refused(result, EXIT_FAILED, "query ", "broke the connection off", mend="see the server's log")
    assert "broke the connection off" in (run / bundle.INCOMPLETE).read_text(encoding="utf-8")
    assert [window.repeat for window in windows_of(run)][:3] == [None, 0, 1]
    assert not bundle.is_complete(run)


def test_a_server_that_fails_at_once_leaves_nothing_but_the_log(tiny: Tiny, tmp_path: Path, server: FakeServer) -> None:
    server.answer = lambda asked: asked.stream(fake_server.TEXT, fake_server.END, fake_server.DONE)
    result, run = bench(tiny, tmp_path, server.url)
    assert_refused(result, EXIT_FAILED, "the server counts no tokens", mend="a server that counts tokens")
    assert [path.name for path in run.iterdir()] == [bundle.LOG]


@pytest.mark.parametrize(
    ("settings", "code", "words", "mend"),
    [
        (["scenario.concurrency=0"], EXIT_USAGE, "keeps no query in flight", "scenario.concurrency=8"),
        (["scenario.concurrency=9"], EXIT_USAGE, "is more than the 8 prompts", "scenario.concurrency=8"),
        (["scenario.concurrency=50", "scenario.num_samples=-1"], EXIT_USAGE, "is more than the", "or less"),
        (["scenario.max_tokens=0"], EXIT_USAGE, "lets the server answer nothing", "scenario.max_tokens=100"),
        (["scenario.warmup_queries=1"], EXIT_USAGE, "ends before all 2", "scenario.warmup_queries=4"),
        (["backend.no_cache={stream:false}"], EXIT_USAGE, "sets stream, which the protocol sets", "{cache_salt:SALT}"),
        (["backend.api=chats"], EXIT_USAGE, "no backend.api 'chats'", "backend.api=chat"),
        (["backend.url=http://192.0.2.1:8000"], EXIT_USAGE, "is another machine", "127.0.0.1"),
        (["backend.url=http://me:pw@localhost:1"], EXIT_USAGE, "a password", "SCOREKIT_SERVER_TOKEN"),
        (["backend.device_ids=0"], EXIT_USAGE, "a server has loaded its own", "scenario.gpus=[0]"),
        (["backend.device=mps"], EXIT_USAGE, "a server runs on cuda or cpu", "backend.device=cuda"),
        (["scenario=energy_star"], EXIT_USAGE, "", ""),
    ],
)
def test_what_cannot_be_is_refused_before_a_query_is_measured(
    tiny: Tiny, tmp_path: Path, server: FakeServer, settings: list[str], code: int, words: str, mend: str
) -> None:
    result, run = bench(tiny, tmp_path, server.url, *settings)
    assert_refused(result, code, words, mend=mend)
    assert server.requests == []
    assert not (run / bundle.WINDOWS).exists()


@pytest.mark.parametrize(
    ("given", "words", "mend"),
    [
        ([], "no server is given", "backend.url=http://"),
        (["backend.url=http://127.0.0.1:1"], "how many queries are in flight", "scenario.concurrency=8"),
    ],
)
def test_what_must_be_said_has_no_default(tmp_path: Path, given: list[str], words: str, mend: str) -> None:
    arguments = ["--config-name", "serving", "backend.model=a", *given]
    assert_refused(run_inprocess(arguments, tmp_path), EXIT_USAGE, words, mend=mend)


def test_a_port_that_nobody_listens_at_is_refused_at_once(tiny: Tiny, tmp_path: Path) -> None:
    result, run = bench(tiny, tmp_path, f"http://127.0.0.1:{free_port()}")
    assert_refused(result, EXIT_FAILED, "nothing listens at", mend="start the server")
    assert not run.exists()


def test_a_config_of_a_task_has_no_server(tiny: Tiny, tmp_path: Path) -> None:
    arguments = ["--config-name", "text_generation", "backend=openai", "backend.model=a/b"]
    assert_refused(
        run_inprocess(arguments, tmp_path), EXIT_USAGE, "a protocol of its own", mend="--config-name serving"
    )


def test_the_gpus_of_the_server_are_found_by_its_port_and_measured(
    tiny: Tiny, tmp_path: Path, server: FakeServer, fake_nvml_here: FakeNvml
) -> None:
    """The server is in this process, which the fake driver names on the second GPU; it takes 500 W, the first 90."""
    fake_nvml_here.set(gpus=2, tick_ms=100, tick_phase_ms=37, power_w=[(0, 90), (600, 90)])
    fake_nvml_here.set(1, processes=[os.getpid()], power_w=[(0, 500), (600, 500)])
    result, run = bench(
        tiny, tmp_path, server.url, "backend.device=cuda", "scenario.meters=[nvml]", "scenario.runs=2",
        "scenario.min_window_s=1", "scenario.idle_s=0.5",
    )  # fmt: skip
    # Windows of a second hold too few ticks to be scored.
    assert result.rc == EXIT_INVALID, result.told()
    assert "window_length" in result.stderr
    facts = environment_of(run)
    assert [gpu.uuid for gpu in facts.gpus] == [fake_nvml_here.uuid(1)]
    assert facts.serving is not None
    assert (facts.serving.gpus_from, facts.serving.server_gpus) == ("listening_process", (fake_nvml_here.uuid(1),))
    windows = windows_of(run)
    assert [window.phase for window in windows] == ["load_dataset", "idle_before", "serve", "serve", "idle_after"]
    for window in windows[2:4]:
        (reading,) = window.readings
        assert reading.device == fake_nvml_here.uuid(1)
        assert reading.energy_wh is not None
        assert window.duration_s >= 1
        # The meter's own window lies around the record's, and on a busy machine a good deal around it.
        assert 3600 * reading.energy_wh / window.duration_s > 400
    lines = (run / bundle.GPU_STATES).read_text(encoding="utf-8").splitlines()
    states = [GpuState.model_validate_json(line) for line in lines]
    assert {state.foreign_processes for state in states} == {0}, "the server's own process is no stranger"
    assert fake_nvml_here.setter_calls() == []


def test_gpus_that_the_server_is_not_on_are_refused_and_can_be_named_by_hand(
    tiny: Tiny, tmp_path: Path, server: FakeServer, fake_nvml_here: FakeNvml
) -> None:
    short = ["scenario.meters=[nvml]", "scenario.runs=1", "scenario.min_window_s=0", "scenario.idle_s=0"]
    result, _ = bench(tiny, tmp_path, server.url, "backend.device=cuda", *short)
    assert_refused(result, EXIT_FAILED, "computes on no GPU that NVML tells of", mend="scenario.gpus=[0]")
    result, run = bench(tiny, tmp_path, server.url, "backend.device=cuda", "scenario.gpus=[0]", *short)
    assert result.rc == EXIT_INVALID, result.told()
    facts = environment_of(run)
    assert facts.serving is not None
    assert (facts.serving.gpus_from, facts.serving.server_gpus) == ("by_hand", None)
    assert facts.run.gpus_watched is False, "a server that is not seen cannot be told from strangers"


class RealServer:
    """`transformers serve` over a tiny model, on the CPU, in a process of its own."""

    def __init__(self, model: Path, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("transformers")),
                    "serve",
                    str(model),
                    "--device",
                    "cpu",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                ],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
            )

    def wait(self) -> None:
        """Until it listens: it does when its model is loaded."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._listens():
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            assert time.monotonic() < deadline_s, self.log.read_text(errors="replace")
            time.sleep(0.05)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def stop(self) -> None:
        """At once."""
        self.process.kill()
        self.process.wait()


def test_transformers_serve_is_measured_and_its_death_in_mid_run_is_told(tiny: Tiny, tmp_path: Path) -> None:
    pytest.importorskip("transformers.cli.serving", reason="not applicable: this transformers has another server")
    model = tiny["text_generation"].model
    server = RealServer(model, tmp_path / "server.log")
    try:
        server.wait()
        short = [f"backend.model={model}", "scenario.num_samples=4", "scenario.warmup_queries=2"]
        result, run = bench(tiny, tmp_path, server.url, *short, "scenario.runs=2")
        assert result.rc == EXIT_DONE, result.told()
        score = logs.read_score(run)
        assert (score.model, score.runs, score.queries) == (model.name, 2, 4)
        assert score.output_tokens is not None
        assert 0 < score.output_tokens <= 4 * 5
        facts = environment_of(run)
        assert facts.serving is not None
        assert not facts.serving.ignore_eos, "transformers serve refuses that field"
        assert str(tmp_path) not in (run / bundle.ENVIRONMENT).read_text(encoding="utf-8")

        again = tmp_path / "again"
        again.mkdir()
        killer = threading.Thread(target=_kill_after_a_window, args=(server, again / "run" / bundle.WINDOWS))
        killer.start()
        result, run = bench(tiny, again, server.url, *short, "scenario.runs=1000")
        killer.join()
        assert_refused(result, EXIT_FAILED, "query ", server.url, mend="server")
        assert (run / bundle.INCOMPLETE).is_file()
    finally:
        server.stop()


def _kill_after_a_window(server: RealServer, windows: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if windows.is_file() and b'"phase":"serve"' in windows.read_bytes():
            server.stop()
            return
        time.sleep(0.02)
