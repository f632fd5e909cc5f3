"""Which GPUs were measured and whose work was on them, where a second one or a missing fact makes it a close call."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from scorekit.tasks import CLASS_B_MAX_PARAMETERS
from scorekit.validity import Evidence
from tests.bundles import NVML_GPU, reading
from tests.evidence import (
    OTHER_GPU,
    Change,
    at,
    change_facts,
    change_gpu,
    change_readings,
    change_states,
    change_trace,
    check_of,
    good_evidence,
    unofficial,
)
from tests.serving_runs import serving_environment, serving_windows
from tests.unit.validity.edges import in_turn
from tests.unit.validity.spoilt.changes import AFTER, without

ANSWERING = AFTER + 20
UNUSED_GPU = "GPU-1a2b3c4d-0000-0000-0000-000000000001"
IDLE_AT = at("idle_before", None).start_monotonic_s
FROM = at("generate", 0).start_monotonic_s
OVER = at("generate", 9).end_monotonic_s
ENOUGH = 129
"""Looks at least every five seconds, from the first answering window to the last: 645 s."""
ALL_MOMENTS = "at the start, repeat 0, repeat 1, repeat 2, repeat 3, repeat 4, repeat 5, repeat 6, repeat 7, repeat 8, "


def with_second_gpu(evidence: Evidence) -> Evidence:
    """A second GPU of the same kind in the same states, which torch uses as well."""
    extra = reading("gpu", 1.0, meter="nvml", device=OTHER_GPU)
    windows = tuple(w.model_copy(update={"readings": (*w.readings, extra)}) for w in evidence.windows)
    states = evidence.states or ()
    both = (*states, *(state.model_copy(update={"device": OTHER_GPU}) for state in states))
    (first,) = evidence.environment.gpus
    gpus = (first, first.model_copy(update={"index": 1, "uuid": OTHER_GPU}))
    facts = change_facts(gpus=gpus, torch_gpus=(NVML_GPU, OTHER_GPU), model_gpus=(NVML_GPU, OTHER_GPU))
    return facts(replace(evidence, windows=windows, states=both))


def of_one_gpu(device: str, **changes: Any) -> Change:
    """Facts of one GPU changed."""

    def change(evidence: Evidence) -> Evidence:
        gpus = tuple(g.model_copy(update=changes if g.uuid == device else {}) for g in evidence.environment.gpus)
        return change_facts(gpus=gpus)(evidence)

    return change


def watched(t_s: float, foreign_processes: int | None) -> Change:
    """What a look once a second saw."""

    def change(evidence: Evidence) -> Evidence:
        states = evidence.states or ()
        seen = {"when": "watch", "repeat": None, "monotonic_s": t_s, "foreign_processes": foreign_processes}
        return replace(evidence, states=(*states, states[0].model_copy(update=seen)))

    return change


def watch_ended(
    t_s: float,
    foreign_processes: int | None,
    looks: int | None,
    device: str = NVML_GPU,
    unwatched_s: float | None = None,
) -> Change:
    """The last line of a watch; without looks the line of a long time without any."""

    def change(evidence: Evidence) -> Evidence:
        seen = {"when": "watch", "repeat": None, "monotonic_s": t_s, "foreign_processes": foreign_processes}
        state = (evidence.states or ())[0].model_copy(
            update=seen | {"looks": looks, "device": device, "unwatched_s": unwatched_s}
        )
        return replace(evidence, states=(*(evidence.states or ()), state))

    return change


def beside(evidence: Evidence) -> Evidence:
    """A second GPU in the machine that the run does not use."""
    (first,) = evidence.environment.gpus
    return change_facts(other_gpus=(first.model_copy(update={"index": 1, "uuid": UNUSED_GPU}),))(evidence)


def used_by(share: float, start_s: float, end_s: float) -> Change:
    """The GPU in use for a stretch of time [%]."""
    return change_trace("utilization_percent", lambda t_s, value: share if start_s <= t_s < end_s else value)


BY_NUMBER = change_readings(lambda _: True, device="0")
BOTH = f"{NVML_GPU}, {OTHER_GPU}"
PASSES: list[tuple[str, Change, str]] = [
    ("gpus_matched", with_second_gpu, f"the same GPUs ({BOTH})"),
    ("no_foreign_processes", used_by(90, IDLE_AT, IDLE_AT + 0.95), "no foreign process"),
    ("no_foreign_processes", without(trace=None), "no foreign process"),
    ("no_foreign_processes", watched(ANSWERING, 0), "no foreign process"),
    ("no_foreign_processes", change_facts(run={"gpus_watched": True}), "no foreign process"),
    ("no_foreign_processes", watch_ended(OVER, 0, ENOUGH), "no foreign process"),
    ("no_foreign_processes", watch_ended(OVER, 0, 1000), "no foreign process"),
    ("no_foreign_processes", in_turn(watch_ended(ANSWERING, None, 50, UNUSED_GPU), beside), "no foreign process"),
    ("no_foreign_processes", in_turn(watch_ended(ANSWERING, None, 50, UNUSED_GPU[:12]), beside), "no foreign process"),
    ("no_foreign_processes", in_turn(watch_ended(ANSWERING, None, 50, "1"), beside), "no foreign process"),
    # The longest time without a look may lie before the answers; how often it looked tells nothing then.
    ("no_foreign_processes", watch_ended(OVER, 0, 1, NVML_GPU, 40.0), "no foreign process"),
    ("no_foreign_processes", watch_ended(FROM + 4.9, 0, None, NVML_GPU, 40.0), "no foreign process"),
    ("no_foreign_processes", watch_ended(OVER + 60, 0, None, NVML_GPU, 64.9), "no foreign process"),
    ("no_foreign_processes", in_turn(change_facts(run={"gpus_watched": False}), unofficial), "no foreign process"),
    # MIG is told by the GPU's facts or by its states; one of them is enough.
    ("whole_gpu", change_states(lambda _: True, mig=None), "whole GPUs"),
    ("whole_gpu", change_gpu(mig=None), "whole GPUs"),
    ("whole_gpu", change_gpu(virtualization="passthrough"), "whole GPUs"),
    ("whole_gpu", with_second_gpu, "whole GPUs"),
    # A GPU without the setting tells nothing of it.
    ("gpu_settings_unchanged", change_states(lambda _: True, ecc=None), "as they were"),
    ("gpu_settings_unchanged", change_states(lambda _: True, persistence=None), "as they were"),
    ("gpu_settings_unchanged", change_states(lambda _: True, ecc=False, persistence=False), "as they were"),
    ("gpu_count", change_facts(model={"parameters": None}), "1 GPU for a model of class unknown"),
    ("gpu_count", change_facts(model={"parameters": 10**9}), "1 GPU for a model of class A"),
    (
        "gpu_count",
        in_turn(with_second_gpu, change_facts(model={"parameters": CLASS_B_MAX_PARAMETERS + 1})),
        "2 GPUs for a model of class C",
    ),
]


@pytest.mark.parametrize(("name", "change", "words"), PASSES)
def test_a_run_that_looks_like_a_fault_and_is_none(name: str, change: Change, words: str) -> None:
    check = check_of(change(good_evidence()), name)
    assert check.passed is True, check.message
    assert words in check.message


FAULTS: list[tuple[str, Change, str, str]] = [
    ("gpus_matched", BY_NUMBER, "warn", "0 was matched by index and not by UUID"),
    ("gpus_matched", in_turn(BY_NUMBER, change_facts(torch_gpus=(OTHER_GPU,))), "fail", "but 0 was measured. Leave"),
    ("gpus_matched", in_turn(BY_NUMBER, change_gpu(uuid=None)), "fail", f"torch computes on {NVML_GPU}, but 0 was"),
    (
        "gpus_matched",
        change_facts(torch_gpus=(OTHER_GPU, NVML_GPU)),
        "fail",
        f"torch computes on {OTHER_GPU}, but {NVML_GPU} was measured",
    ),
    (
        "no_foreign_processes",
        change_states(lambda state: state.when == "start", foreign_processes=1),
        "fail",
        f"at the start: 1 foreign process on {NVML_GPU}, expected none",
    ),
    (
        "no_foreign_processes",
        change_states(lambda state: state.when == "end", foreign_processes=3),
        "fail",
        f"at the end: 3 foreign processes on {NVML_GPU}, expected none",
    ),
    ("no_foreign_processes", watched(AFTER - 1, 2), "fail", "between windows: 2 foreign processes on"),
    (
        "no_foreign_processes",
        watched(ANSWERING, None),
        "fail",
        f"cannot be judged: the processes on {NVML_GPU} at repeat 4, phase generate could not be told",
    ),
    (
        "no_foreign_processes",
        in_turn(watched(ANSWERING, None), unofficial),
        "warn",
        f"cannot be judged: the processes on {NVML_GPU} at repeat 4, phase generate could not be told",
    ),
    (
        "no_foreign_processes",
        watch_ended(ANSWERING, None, 50),
        "warn",
        f"cannot be judged: the watch over {NVML_GPU} ended before the run did (repeat 4, phase generate)",
    ),
    ("no_foreign_processes", watch_ended(OVER - 0.1, 0, 1000), "warn", "ended before the run did (repeat 9, phase gen"),
    ("no_foreign_processes", watch_ended(OVER, None, 1000), "warn", f"the watch over {NVML_GPU} had no answer at its"),
    ("no_foreign_processes", watch_ended(OVER, None, 0), "warn", f"the watch over {NVML_GPU} never saw the processes"),
    ("no_foreign_processes", watch_ended(OVER, None, 0, "0"), "warn", f"the watch over {NVML_GPU} never saw"),
    (
        "no_foreign_processes",
        watch_ended(OVER, 0, ENOUGH - 1),
        "warn",
        f"looked {ENOUGH - 1} times in 645 s, expected once a second",
    ),
    ("no_foreign_processes", in_turn(watch_ended(OVER - 1, None, 7), unofficial), "warn", "ended before the run did"),
    # Names that a watch without NVML was given: the beginning of a UUID, a slice, what an open form withholds.
    ("no_foreign_processes", watch_ended(OVER, None, 0, NVML_GPU[:12]), "warn", f"over {NVML_GPU} never saw"),
    ("no_foreign_processes", watch_ended(OVER, None, 0, "MIG-1"), "warn", f"over {NVML_GPU} never saw"),
    ("no_foreign_processes", watch_ended(OVER, None, 0, "withheld-1"), "warn", f"over {NVML_GPU} never saw"),
    (
        "no_foreign_processes",
        in_turn(watch_ended(OVER, None, 0, "withheld-1"), watch_ended(OVER, 0, 1000)),
        "warn",
        f"over {NVML_GPU} never saw",
    ),
    (
        "no_foreign_processes",
        in_turn(watch_ended(ANSWERING, 0, None, NVML_GPU, 5.1), watch_ended(OVER, 0, 1000, NVML_GPU, 5.1)),
        "warn",
        f"the watch over {NVML_GPU} did not look for 5 s (repeat 4, phase generate). End what else keeps the machine",
    ),
    ("no_foreign_processes", watch_ended(FROM + 5.1, 0, None, NVML_GPU, 600.0), "warn", "did not look for 600 s"),
    (
        "no_foreign_processes",
        in_turn(with_second_gpu, change_states(lambda s: s.device == NVML_GPU and s.repeat == 4, foreign_processes=1)),
        "fail",
        f"repeat 4: 1 foreign process on {NVML_GPU}",
    ),
    ("no_foreign_processes", used_by(1, IDLE_AT, IDLE_AT + 30), "fail", "in use (1 % in the middle, up to 1 %)"),
    ("no_foreign_processes", used_by(1, IDLE_AT + 2, IDLE_AT + 8), "warn", "in use (0 % in the middle, up to 1 %)"),
    ("no_foreign_processes", used_by(5, IDLE_AT + 1.05, IDLE_AT + 1.5), "warn", "up to 5 %)"),
    (
        "whole_gpu",
        in_turn(with_second_gpu, of_one_gpu(NVML_GPU, virtualization="vgpu")),
        "fail",
        f"{NVML_GPU} is virtual (vgpu)",
    ),
    ("whole_gpu", change_readings(lambda _: True, device="MIG-1"), "fail", "MIG is on on MIG-1"),
    (
        "whole_gpu",
        in_turn(with_second_gpu, change_facts(gpus=(good_evidence().environment.gpus[0],)), without(states=None)),
        "fail",
        f"cannot be judged: MIG mode ({ALL_MOMENTS}repeat 9, the end), virtualisation, scope of the counter of "
        f"{OTHER_GPU} was not recorded",
    ),
    (
        "gpu_settings_unchanged",
        change_states(lambda _: True, ecc=None, persistence=None),
        "warn",
        f"cannot be judged: ECC and persistence of {NVML_GPU} were not recorded",
    ),
    (
        "gpu_settings_unchanged",
        in_turn(with_second_gpu, change_states(lambda s: s.device == OTHER_GPU and s.when == "end", persistence=None)),
        "warn",
        f"cannot be judged: ECC and persistence of {OTHER_GPU} at the end were not recorded",
    ),
    (
        "gpu_settings_unchanged",
        change_states(lambda state: state.when == "start", ecc=False),
        "fail",
        f"ECC of {NVML_GPU} changed in the run (off to on): the GPU was reset",
    ),
    (
        "gpu_settings_unchanged",
        change_states(lambda state: state.repeat == 5, persistence=False),
        "warn",
        f"persistence mode of {NVML_GPU} changed in the run (on to off)",
    ),
    (
        "gpu_count",
        in_turn(with_second_gpu, change_facts(model={"parameters": None})),
        "warn",
        "2 GPUs were used for a model of unkn",
    ),
    (
        "gpu_count",
        in_turn(with_second_gpu, change_facts(model={"parameters": CLASS_B_MAX_PARAMETERS})),
        "warn",
        "2 GPUs were used for a model of class B, expected 1 (class C may use more)",
    ),
]


@pytest.mark.parametrize(("name", "change", "severity", "words"), FAULTS)
def test_a_fault_that_is_easily_missed(name: str, change: Change, severity: str, words: str) -> None:
    check = check_of(change(good_evidence()), name)
    assert (check.passed, check.severity) == (False, severity), check.message
    assert words in check.message


@pytest.mark.parametrize(
    ("device", "by_hand", "severity"),
    [("cpu", True, "warn"), ("cpu", False, "fail"), ("cpu", None, "fail"), ("cuda", True, "fail")],
)
def test_measuring_a_gpu_that_torch_does_not_use_is_mild_only_beside_a_cpu_and_by_hand(
    device: str, by_hand: bool | None, severity: str
) -> None:
    spoilt = change_facts(torch_gpus=(), run={"device": device, "gpus_by_hand": by_hand})(good_evidence())
    check = check_of(spoilt, "gpus_matched")
    assert check.severity == severity
    assert f"torch computes on no GPU, but {NVML_GPU} was measured" in check.message
    assert ("named by scenario.gpus" in check.message) is (severity == "warn")


def test_a_gpu_that_the_environment_does_not_tell_of_may_have_been_watched() -> None:
    one = change_facts(gpus=(good_evidence().environment.gpus[0],))
    watched_two = in_turn(with_second_gpu, one, watch_ended(OVER, None, 0, OTHER_GPU))(good_evidence())
    assert f"the watch over {OTHER_GPU} never saw the processes on it" in (
        check_of(watched_two, "no_foreign_processes").message
    )


def test_a_time_without_a_look_of_just_the_allowed_length_is_none() -> None:
    ends_s = math.ceil(FROM) + 64.0
    for waited_s, passed in ((5.0, True), (5.5, False)):
        seen = in_turn(watch_ended(ends_s, 0, None, NVML_GPU, waited_s), watch_ended(OVER, 0, 1000, NVML_GPU, waited_s))
        assert check_of(seen(good_evidence()), "no_foreign_processes").passed is passed


def test_what_is_found_of_gpus_is_told_in_figures() -> None:
    large = change_facts(model={"parameters": CLASS_B_MAX_PARAMETERS + 1})(with_second_gpu(good_evidence()))
    assert check_of(large, "gpu_count").details == {"gpus": 2, "model_class": "C"}
    assert check_of(large, "gpus_matched").details == {
        "torch": [NVML_GPU, OTHER_GPU],
        "measured": [NVML_GPU, OTHER_GPU],
    }


def test_the_gpus_of_a_server_are_those_of_its_processes() -> None:
    evidence = Evidence(serving_environment(), tuple(serving_windows()))
    check = check_of(evidence, "gpus_matched")
    assert check.passed is True
    assert f"the server and the meter use the same GPUs ({NVML_GPU})" in check.message
    assert check_of(evidence, "gpu_count").passed is None
    other = check_of(replace(evidence, environment=serving_environment(server_gpus=(OTHER_GPU,))), "gpus_matched")
    assert other.severity == "fail"
    assert f"the server computes on {OTHER_GPU}, but {NVML_GPU} was measured" in other.message
    assert "scenario.gpus=auto" in other.message
