"""What is in the way of a run, at the bound of each rule: its effect, its check, its figures and its mend."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from scorekit.records.machine import FoundPlugin, Machine, Obstacle, ProbedFolder, ProbedGpu
from scorekit.validity import preflight
from tests.evidence import FACTS, good_evidence

A100 = {"name": "NVIDIA A100-SXM4-80GB"}
LOST = ProbedGpu(index=3, used=True, problem="GPU is lost")


def gpu(
    facts: dict[str, Any] | None = None, state: dict[str, Any] | None = None, used: bool = True, **changes: Any
) -> ProbedGpu:
    """An idle H100, number 3 of its machine."""
    good = (good_evidence().states or ())[0]
    return ProbedGpu(
        index=3,
        used=used,
        facts=FACTS.model_copy(update={"index": 3, **(facts or {})}),
        state=good.model_copy(update=state or {}),
        **changes,
    )


def found(facts: dict[str, Any] | None = None, state: dict[str, Any] | None = None, **changes: Any) -> list[Obstacle]:
    """What is in the way on a machine that an official run needs, but for the changes."""
    machine: dict[str, Any] = {
        "platform": "Linux",
        "python": "3.11",
        "scorekit_version": "0",
        "rapl": "readable",
        "gpus": (gpu(facts, state),),
        "nvidia_smi": True,
        "packages": {},
        "missing": (),
        "torch_cuda": "12.8",
        "torch_gpus": 1,
        "hub_offline": False,
        "hub_token": False,
        "free_here_gib": 100.0,
        "free_cache_gib": 100.0,
    }
    return list(preflight.obstacles(Machine(**machine | changes)))


def plugin(**changes: Any) -> dict[str, Any]:
    return {"plugins": (FoundPlugin(kind="task", name="t", distribution="their-tasks", version="1", **changes),)}


BENCH = 'pip install -c constraints.txt -e ".[bench]"'
MACHINES = [
    ({"missing": ("torch", "numpy")}, "impossible", "missing_extra", "not installed: torch, numpy;", BENCH),
    ({"missing": None}, "told", "no_metadata", "runs without being installed", "pip install -c constraints.txt -e ."),
    ({"wrong": ("torch 1 (needed: 2)",)}, "impossible", "wrong_version", "torch 1 (needed: 2)", BENCH),
    ({"gpus": ()}, "incomparable", "no_gpu", "would use no GPU, expected one NVIDIA H100 80GB", "backend.device=cpu"),
    ({"gpus": (gpu(used=False),)}, "incomparable", "no_gpu", "would use no GPU", "backend.device=cpu"),
    ({"gpus": (), "gpu_problem": "no driver"}, "incomparable", "no_gpu", "no driver", "backend.device=cpu measures on"),
    ({"gpus": (), "gpu_problem": "-", "gpu_mend": "install it"}, "incomparable", "no_gpu", "-", "install it"),
    ({"nvidia_smi": False}, "incomparable", "no_nvidia_smi", "nvidia-smi is not on the PATH", "add its folder to PATH"),
    ({"torch_cuda": "none"}, "incomparable", "torch_without_cuda", "it was built without CUDA", "build of torch"),
    ({"torch_gpus": 0}, "incomparable", "torch_without_cuda", "on the GPU: it sees none", "build of torch"),
    (
        {"free_cache_gib": 19.9},
        "told",
        "little_room",
        "19.9 GiB are free for the Hub's cache, fewer than 20",
        "HF_HOME",
    ),
    ({"free_here_gib": 0.9}, "told", "little_room", "0.9 GiB are free here, for run folders, fewer than 1", "folder"),
    (plugin(problem="it breaks", mend="mend it"), "told", "plugin", "it breaks", "mend it"),
    (plugin(problem="it breaks"), "told", "plugin", "it breaks", "their-tasks"),
]


@pytest.mark.parametrize(("changes", "effect", "code", "words", "mend"), MACHINES)
def test_a_machine_that_lacks_one_thing(changes: dict[str, Any], effect: str, code: str, words: str, mend: str) -> None:
    (obstacle,) = found(**changes)
    assert (obstacle.effect, obstacle.code, obstacle.check) == (effect, code, None)
    assert words in obstacle.message
    assert mend in obstacle.mend


@pytest.mark.parametrize(
    ("changes", "effect", "code", "check", "words", "mend"),
    [
        ({"gpus": (gpu(), gpu())}, "incomparable", "several_gpus", 20, "2 GPUs would be used, expected 1", "=0"),
        ({"rapl": "unreadable"}, "told", "rapl_unreadable", 25, "may not be read", "chmod a+r"),
        ({"rapl": "absent"}, "told", "no_rapl", 25, "are not there", "nothing to do in a virtual machine"),
        ({"gpus": (LOST,)}, "invalid", "gpu_lost", 2, "GPU 3 does not answer: GPU is lost", "restart"),
        (
            {"gpus": (gpu(counter_problem="Not Supported", counter_code=3),)},
            "invalid",
            "counter_unsupported",
            4,
            "GPU 3 gives no energy counter: Not Supported",
            "before Volta",
        ),
        (
            {"gpus": (gpu(counter_problem="No Permission", counter_code=4),)},
            "invalid",
            "counter_no_permission",
            4,
            "GPU 3 gives no energy counter: No Permission",
            "/dev/nvidia",
        ),
    ],
)
def test_what_a_check_would_find_later_has_its_number(
    changes: dict[str, Any], effect: str, code: str, check: int, words: str, mend: str
) -> None:
    (obstacle,) = found(**changes)
    assert (obstacle.effect, obstacle.code, obstacle.check) == (effect, code, check)
    assert words in obstacle.message
    assert mend in obstacle.mend


@pytest.mark.parametrize(
    ("facts", "effect", "code", "check", "words", "mend"),
    [
        (A100, "incomparable", "gpu_model", None, "an NVIDIA A100-SXM4-80GB (81559 MiB), expected", "--edition local"),
        (A100 | {"memory_mib": None}, "incomparable", "gpu_model", None, "A100-SXM4-80GB, expected", "--edition local"),
        ({"mig": True}, "invalid", "mig", 15, "GPU 3 is cut into slices (MIG)", "nvidia-smi -i 3 -mig 0"),
        ({"virtualization": "vgpu"}, "invalid", "virtual_gpu", 15, "GPU 3 is virtual (vgpu)", "passed through"),
        ({"counter_scope": "module"}, "invalid", "module_counter", 15, "shares its module with the CPU", "of its own"),
    ],
)
def test_a_gpu_that_is_not_the_protocols(
    facts: dict[str, Any], effect: str, code: str, check: int | None, words: str, mend: str
) -> None:
    (obstacle,) = found(facts)
    assert (obstacle.effect, obstacle.code, obstacle.check) == (effect, code, check)
    assert obstacle.message.startswith("GPU 3 ")
    assert words in obstacle.message
    assert mend in obstacle.mend


STATES: list[tuple[dict[str, Any], str, str, int, str, str]] = [
    (
        {"foreign_processes": 1},
        "invalid",
        "foreign_processes",
        9,
        "1 other process on GPU 3, expected none",
        "device_ids",
    ),
    ({"foreign_processes": 2}, "invalid", "foreign_processes", 9, "2 other processes on GPU 3, expected", "device_ids"),
    ({"foreign_processes": None}, "told", "processes_unknown", 9, "not tell which processes are on GPU 3", "nobody"),
    ({"utilization_percent": 1}, "invalid", "gpu_busy", 9, "GPU 3 is in use (1 %), expected 0", "until it is idle"),
    (
        {"power_limit_w": 698.9},
        "invalid",
        "power_limit",
        12,
        "GPU 3 is 699 W, expected its default of 700 W",
        "-pl 700",
    ),
    ({"power_limit_w": 701.1}, "invalid", "power_limit", 12, "GPU 3 is 701 W, expected its default", "-i 3 -pl 700"),
    ({"clocks_locked": True}, "invalid", "clocks_locked", 13, "the clocks of GPU 3 are set by somebody", "-i 3 -rgc"),
    ({"persistence": False}, "told", "persistence_off", 16, "persistence mode of GPU 3 is off", "-i 3 -pm 1"),
    # Idle and the power cap are no reasons to tell of.
    ({"reasons": 0x45}, "told", "held_back", 11, "GPU 3 is held back by hardware thermal slowdown even", "PERFORMANCE"),
    ({"temperature_c": 86}, "told", "too_hot", 14, "GPU 3 is at 86 C before a run, expected at most 85 C", "cool down"),
]


@pytest.mark.parametrize(("state", "effect", "code", "check", "words", "mend"), STATES)
def test_a_gpu_in_another_state_than_before_a_run(
    state: dict[str, Any], effect: str, code: str, check: int, words: str, mend: str
) -> None:
    (obstacle,) = found(state=state)
    assert (obstacle.effect, obstacle.code, obstacle.check) == (effect, code, check)
    assert words in obstacle.message
    assert mend in obstacle.mend


@pytest.mark.parametrize("state", [{"power_limit_w": 500.0}, {"clocks_locked": True}])
def test_settings_make_no_run_invalid_that_is_not_official_anyway(state: dict[str, Any]) -> None:
    hardware, setting = found(A100, state)
    assert (hardware.effect, setting.effect) == ("incomparable", "told")


@pytest.mark.parametrize(
    "state",
    [
        {"power_limit_w": 699.0},
        {"power_limit_w": 701.0},
        {"power_limit_w": None},
        {"clocks_locked": None},
        {"persistence": None},
        {"reasons": 0x5},
        {"reasons": 0},
        {"reasons": None},
        {"temperature_c": 85},
        {"temperature_c": None},
        {"utilization_percent": None},
    ],
)
def test_what_is_at_its_bound_or_not_told_is_not_in_the_way(state: dict[str, Any]) -> None:
    assert found(state=state) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"power_limit_default_w": None},
        {"virtualization": "passthrough"},
        {"virtualization": None},
        {"counter_scope": None},
        {"mig": None},
    ],
)
def test_a_whole_gpu_is_not_in_the_way(facts: dict[str, Any]) -> None:
    assert found(facts) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"free_cache_gib": 20.0, "free_here_gib": 1.0},
        {"free_cache_gib": None, "free_here_gib": None},
        {"torch_cuda": None, "torch_gpus": None},
        {"gpus": (gpu(), gpu(A100, {"foreign_processes": 1}, used=False))},
        {"gpus": (ProbedGpu(index=3, used=True, facts=FACTS),)},
        # NVML's code is of the counter, of which there is nothing to say.
        {"gpus": (gpu(counter_code=4),)},
        plugin(),
        {"runs_folder": ProbedFolder(path="/runs", locks="work")},
    ],
)
def test_a_machine_that_is_fit(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


def test_without_a_gpu_nothing_is_asked_of_what_finds_gpus() -> None:
    (obstacle,) = found(gpus=(), nvidia_smi=False, torch_cuda="none", torch_gpus=0)
    assert obstacle.code == "no_gpu"


def test_of_several_faults_all_are_told_the_worst_first() -> None:
    folder = ProbedFolder(path="/runs", locks="work", links=False)
    gpus = (gpu({"mig": True}), gpu(A100, {"persistence": False}))
    obstacles = found(gpus=gpus, missing=("torch",), runs_folder=folder, free_here_gib=0.5)
    assert [(obstacle.effect, obstacle.code) for obstacle in obstacles] == [
        ("impossible", "missing_extra"),
        ("invalid", "mig"),
        ("incomparable", "several_gpus"),
        ("incomparable", "gpu_model"),
        ("told", "little_room"),
        ("told", "persistence_off"),
        # Processes of several machines may write to a folder of runs.
        ("told", "no_links"),
    ]


@pytest.mark.parametrize(
    ("effects", "possible", "official"),
    [
        ((), True, True),
        (("told", "told"), True, True),
        (("told", "incomparable"), True, False),
        (("invalid",), True, False),
        (("told", "impossible"), False, False),
    ],
)
def test_a_run_is_possible_and_official_by_its_worst_obstacle(
    effects: tuple[Literal["impossible", "invalid", "incomparable", "told"], ...], possible: bool, official: bool
) -> None:
    obstacles = tuple(Obstacle(effect=effect, code="c", message="m", mend="m") for effect in effects)
    assert preflight.is_possible(obstacles) is possible
    assert preflight.is_official(obstacles) is official
