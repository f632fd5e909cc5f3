"""The fake NVML answers what its config says, through pynvml as every meter asks it."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from tests.fake_nvml import FakeNvml

pynvml = pytest.importorskip("pynvml")

SLICE = "MIG-11111111-2222-5333-8444-555555555555"
REASON_THERMAL = 0x40


@pytest.fixture
def fake(fake_nvml_here: FakeNvml) -> FakeNvml:
    pynvml.nvmlInit()
    return fake_nvml_here


def handle(gpu: int = 0) -> object:
    return pynvml.nvmlDeviceGetHandleByIndex(gpu)


def code(function: str, *arguments: object) -> int:
    """NVML's code of a call; 0 where it answered."""
    try:
        getattr(pynvml, function)(*arguments)
    except pynvml.NVMLError as error:
        return int(error.value)
    return 0


GETTERS = [
    "nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetSerial", "nvmlDeviceGetVbiosVersion", "nvmlDeviceGetIndex",
    "nvmlDeviceGetMinorNumber", "nvmlDeviceGetArchitecture", "nvmlDeviceGetBrand", "nvmlDeviceGetComputeMode",
    "nvmlDeviceGetPerformanceState", "nvmlDeviceGetPowerState", "nvmlDeviceGetCudaComputeCapability",
    "nvmlDeviceGetVirtualizationMode", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMigMode",
    "nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceIsMigDeviceHandle", "nvmlDeviceGetPowerUsage",
    "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit",
    "nvmlDeviceGetPowerManagementDefaultLimit", "nvmlDeviceGetPowerManagementMode",
    "nvmlDeviceGetPowerManagementLimitConstraints", "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetSupportedClocksEventReasons",
    "nvmlDeviceGetSupportedClocksThrottleReasons", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPersistenceMode",
    "nvmlDeviceGetEccMode", "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses", "nvmlDeviceGetPciInfo", "nvmlDeviceGetCurrPcieLinkGeneration",
    "nvmlDeviceGetCurrPcieLinkWidth", "nvmlDeviceGetMaxPcieLinkGeneration", "nvmlDeviceGetMaxPcieLinkWidth",
]  # fmt: skip
WITH_ARGUMENT = [
    ("nvmlDeviceGetTemperature", 0), ("nvmlDeviceGetTemperatureV", 0), ("nvmlDeviceGetTemperatureThreshold", 0),
    ("nvmlDeviceGetClockInfo", 1), ("nvmlDeviceGetMaxClockInfo", 2), ("nvmlDeviceGetMaxCustomerBoostClock", 1),
    ("nvmlDeviceGetApplicationsClock", 1), ("nvmlDeviceGetDefaultApplicationsClock", 2),
    ("nvmlDeviceGetNvLinkState", 0), ("nvmlDeviceGetMemoryInfo", pynvml.nvmlMemory_v2),
]  # fmt: skip


@pytest.mark.parametrize("function", GETTERS)
def test_every_getter_answers(fake: FakeNvml, function: str) -> None:
    assert code(function, handle()) == 0


@pytest.mark.parametrize(("function", "argument"), WITH_ARGUMENT)
def test_every_getter_with_an_argument_answers(fake: FakeNvml, function: str, argument: int) -> None:
    assert code(function, handle(), argument) == 0


def test_the_machine_answers(fake: FakeNvml) -> None:
    fake.set(driver="570.1", cuda=12080)
    assert pynvml.nvmlSystemGetDriverVersion() == "570.1"
    assert pynvml.nvmlSystemGetCudaDriverVersion() == 12080
    assert pynvml.nvmlSystemGetNVMLVersion()
    assert pynvml.nvmlSystemGetProcessName(7)


def test_an_h100_is_what_nobody_says_otherwise(fake: FakeNvml) -> None:
    gpu = handle()
    assert pynvml.nvmlDeviceGetName(gpu) == "NVIDIA H100 80GB HBM3"
    assert pynvml.nvmlDeviceGetUUID(gpu) == fake.uuid()
    assert pynvml.nvmlDeviceGetArchitecture(gpu) == pynvml.NVML_DEVICE_ARCH_HOPPER
    assert pynvml.nvmlDeviceGetMemoryInfo(gpu).total == 81559 << 20
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) == 700_000
    assert pynvml.nvmlDeviceGetPowerManagementLimitConstraints(gpu) == [200_000, 700_000]


def test_gpus_are_found_by_index_uuid_and_bus(fake: FakeNvml) -> None:
    fake.set(gpus=8)
    fake.set(5, uuid="GPU-mine")
    assert pynvml.nvmlDeviceGetCount() == 8
    assert len({pynvml.nvmlDeviceGetUUID(handle(gpu)) for gpu in range(8)}) == 8
    assert [pynvml.nvmlDeviceGetUUID(handle(gpu)) for gpu in range(8)] == [fake.uuid(gpu) for gpu in range(8)]
    assert pynvml.nvmlDeviceGetIndex(pynvml.nvmlDeviceGetHandleByUUID(b"GPU-mine")) == 5
    bus = pynvml.nvmlDeviceGetPciInfo(handle(3)).busId
    assert pynvml.nvmlDeviceGetIndex(pynvml.nvmlDeviceGetHandleByPciBusId(bus)) == 3
    assert code("nvmlDeviceGetHandleByIndex", 8) == pynvml.NVML_ERROR_INVALID_ARGUMENT
    assert code("nvmlDeviceGetHandleByUUID", b"GPU-none") == pynvml.NVML_ERROR_NOT_FOUND


def random_trace(points: int) -> list[tuple[float, float]]:
    rng = random.Random(7)
    return [(-1.0 + 0.01 * i + 0.005 * rng.random(), 80 + 600 * rng.random()) for i in range(points)]


def test_the_counter_is_the_exact_integral_of_a_long_trace(fake: FakeNvml) -> None:
    fake.set(power_w=random_trace(20_000), scale=0.5, tick_ms=0)
    gpu = handle()
    start, before = time.monotonic(), pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
    start_2 = time.monotonic()
    time.sleep(0.3)
    end, after = time.monotonic(), pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
    end_2 = time.monotonic()
    # Both reads were taken somewhere between their two times, and each is cut to whole mJ.
    low, high = fake.energy_wh(0, start_2, end) * 3.6e6, fake.energy_wh(0, start, end_2) * 3.6e6
    assert low - 1 <= after - before <= high + 1


def test_the_exact_energy_agrees_with_a_fine_sum() -> None:
    from tests.fake_nvml.fake import _area

    trace = [(0.0, 100.0), (1.0, 100.0), (1.0, 500.0), (3.0, 300.0)]
    assert _area(trace, 1.0) == pytest.approx(100)
    assert _area(trace, 2.0) - _area(trace, 1.0) == pytest.approx(450)
    assert _area(trace, 5.0) == pytest.approx(100 + 800 + 600)
    assert _area(trace, -2.0) == pytest.approx(-200)


def edges(seconds: float) -> list[tuple[float, int]]:
    """Times just after each tick of the counter, with its value."""
    gpu = handle()
    found = [(0.0, pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu))]
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        value = pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
        if value != found[-1][1]:
            found.append((now, value))
    return found[1:]


def test_the_counter_ticks_with_its_period_and_phase(fake: FakeNvml) -> None:
    fake.set(tick_ms=40, tick_phase_ms=13, power_w=1000)
    values = [value for _, value in edges(0.3)]
    assert len(values) >= 2
    # 1 kW is 1 mJ each microsecond; each value is that of its tick, at 13 ms and a whole number of periods.
    assert {round((value - 1_000_000_000) / 1000 - 13) % 40 for value in values} == {0}
    assert all((b - a) % 40_000 in (0, 1, 39_999) for a, b in pairwise(values))


def test_jittered_ticks_differ_and_are_the_same_for_a_seed(fake: FakeNvml) -> None:
    fake.set(tick_ms=20, tick_jitter_ms=15, tick_seed=3, power_w=1000)
    gaps = [b - a for (_, a), (_, b) in pairwise(edges(0.4))]
    assert len(set(gaps)) > 3
    assert all(gap > 4_000 for gap in gaps)


def test_power_is_a_mean_over_the_last_second_or_of_the_moment(fake: FakeNvml) -> None:
    now = fake.now()
    fake.set(power_w=[(now - 0.5, 100), (now - 0.5, 500)], power_tick_ms=0)
    averaged = pynvml.nvmlDeviceGetPowerUsage(handle()) / 1000
    assert 300 <= averaged <= 500
    fake.set(power_average_s=0)
    assert pynvml.nvmlDeviceGetPowerUsage(handle()) == 500_000
    instant, average = pynvml.nvmlDeviceGetFieldValues(
        handle(), [pynvml.NVML_FI_DEV_POWER_INSTANT, pynvml.NVML_FI_DEV_POWER_AVERAGE]
    )
    assert instant.value.uiVal == 500_000
    assert average.value.uiVal < 500_000


def test_a_reset_counter_starts_from_nothing_and_goes_on(fake: FakeNvml) -> None:
    fake.set(reset_at_s=fake.now() - 1, tick_ms=0)
    assert 300_000 <= pynvml.nvmlDeviceGetTotalEnergyConsumption(handle()) < 30_000_000


def test_a_frozen_counter_stands_still(fake: FakeNvml) -> None:
    fake.set(freeze_at_s=fake.now() - 0.01, tick_ms=0)
    first = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle())
    time.sleep(0.05)
    assert pynvml.nvmlDeviceGetTotalEnergyConsumption(handle()) == first


def test_a_counter_wraps(fake: FakeNvml) -> None:
    fake.set(base_mj=2**32 - 1, wrap_mj=2**32, tick_ms=0)
    time.sleep(0.01)
    assert pynvml.nvmlDeviceGetTotalEnergyConsumption(handle()) < 2**31


@pytest.mark.parametrize("number", [3, 4, 15, 999])
def test_a_family_fails_in_its_window_and_others_do_not(fake: FakeNvml, number: int) -> None:
    now = fake.now()
    fake.set(errors=f"energy:{number}@{now - 1}..{now + 60}")
    assert code("nvmlDeviceGetTotalEnergyConsumption", handle()) == number
    assert code("nvmlDeviceGetPowerUsage", handle()) == 0
    fake.set(errors=[f"energy:{number}@{now + 60}..", "power:4", f"nvmlDeviceGetEccMode:{number}"])
    assert code("nvmlDeviceGetTotalEnergyConsumption", handle()) == 0
    assert code("nvmlDeviceGetPowerUsage", handle()) == 4
    assert code("nvmlDeviceGetEccMode", handle()) == number


def test_a_gpu_that_falls_off_the_bus_takes_all_its_answers_with_it(fake: FakeNvml) -> None:
    fake.set(gpus=2)
    lost, other = handle(0), handle(1)
    fake.set(0, errors="all:15")
    assert {code(function, lost) for function in GETTERS} == {pynvml.NVML_ERROR_GPU_IS_LOST}
    assert code("nvmlDeviceGetHandleByIndex", 0) == pynvml.NVML_ERROR_GPU_IS_LOST
    assert code("nvmlDeviceGetName", other) == 0


def test_the_driver_may_be_gone(fake: FakeNvml) -> None:
    fake.set(init_errors="init:9")
    assert code("nvmlInit") == pynvml.NVML_ERROR_DRIVER_NOT_LOADED
    pynvml.nvmlShutdown()
    assert code("nvmlDeviceGetCount") == pynvml.NVML_ERROR_UNINITIALIZED


def test_values_over_time(fake: FakeNvml) -> None:
    now = fake.now()
    fake.set(
        temperature_c=[(now - 10, 30), (now + 10, 50)],
        sm_clock_mhz=1500,
        reasons=[(-60, 0), (now - 1, REASON_THERMAL)],
        power_limit_w=[(-60, 700), (now - 1, 500)],
        persistence=[(-60, 1), (now + 60, 0)],
        utilization_percent=97,
    )
    gpu = handle()
    assert pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU) in (40, 41)
    assert pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM) == 1500
    assert pynvml.nvmlDeviceGetCurrentClocksEventReasons(gpu) == REASON_THERMAL
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) == 500_000
    assert pynvml.nvmlDeviceGetPowerManagementDefaultLimit(gpu) == 700_000
    assert pynvml.nvmlDeviceGetPersistenceMode(gpu) == 1
    assert pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu == 97


def test_processes_come_and_go(fake: FakeNvml) -> None:
    now = fake.now()
    fake.set(processes=[11, (12, now - 1, now + 60), (13, now + 60, math.inf)])
    assert [found.pid for found in pynvml.nvmlDeviceGetComputeRunningProcesses(handle())] == [11, 12]
    assert pynvml.nvmlDeviceGetGraphicsRunningProcesses(handle()) == []


def test_slices(fake: FakeNvml) -> None:
    fake.set(mig=1, mig_uuids=[SLICE])
    assert pynvml.nvmlDeviceGetMigMode(handle()) == [1, 1]
    part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle(), 0)
    assert pynvml.nvmlDeviceGetUUID(part) == SLICE
    assert "MIG" in pynvml.nvmlDeviceGetName(part)
    assert pynvml.nvmlDeviceIsMigDeviceHandle(part).value == 1
    assert code("nvmlDeviceGetTotalEnergyConsumption", part) == pynvml.NVML_ERROR_NOT_SUPPORTED
    assert code("nvmlDeviceGetUtilizationRates", handle()) == pynvml.NVML_ERROR_NOT_SUPPORTED
    whole = pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(pynvml.nvmlDeviceGetHandleByUUID(SLICE.encode()))
    assert pynvml.nvmlDeviceGetUUID(whole) == fake.uuid()
    assert code("nvmlDeviceGetMigDeviceHandleByIndex", handle(), 1) == pynvml.NVML_ERROR_NOT_FOUND


def test_a_superchip_tells_the_modules_power(fake: FakeNvml) -> None:
    field = (pynvml.NVML_FI_DEV_POWER_INSTANT, pynvml.NVML_POWER_SCOPE_MODULE)
    assert pynvml.nvmlDeviceGetFieldValues(handle(), [field])[0].nvmlReturn == pynvml.NVML_ERROR_NOT_SUPPORTED
    fake.set(name="NVIDIA GH200 480GB", module_w=150)
    assert pynvml.nvmlDeviceGetFieldValues(handle(), [field])[0].value.uiVal == 450_000


def test_links(fake: FakeNvml) -> None:
    fake.set(gpus=2)
    assert [pynvml.nvmlDeviceGetNvLinkState(handle(), link) for link in (0, 17)] == [1, 1]
    nvlink = pynvml.NVML_P2P_CAPS_INDEX_NVLINK
    assert pynvml.nvmlDeviceGetP2PStatus(handle(0), handle(1), nvlink) == pynvml.NVML_P2P_STATUS_OK
    fake.set(nvlinks=0, topology=pynvml.NVML_TOPOLOGY_SYSTEM)
    assert code("nvmlDeviceGetNvLinkState", handle(), 0) == pynvml.NVML_ERROR_NOT_SUPPORTED
    assert pynvml.nvmlDeviceGetP2PStatus(handle(0), handle(1), nvlink) != pynvml.NVML_P2P_STATUS_OK
    assert pynvml.nvmlDeviceGetTopologyCommonAncestor(handle(0), handle(1)) == pynvml.NVML_TOPOLOGY_SYSTEM


def test_nothing_can_be_set(fake: FakeNvml) -> None:
    assert fake.setter_calls() == []
    assert code("nvmlDeviceSetPowerManagementLimit", handle(), 300_000) == pynvml.NVML_ERROR_NO_PERMISSION
    assert code("nvmlDeviceSetGpuLockedClocks", handle(), 210, 1000) == pynvml.NVML_ERROR_NO_PERMISSION
    assert fake.setter_calls() == ["nvmlDeviceSetPowerManagementLimit", "nvmlDeviceSetGpuLockedClocks"]


CHILD = """
import pynvml, time
pynvml.nvmlInit()
gpu = pynvml.nvmlDeviceGetHandleByIndex(1)
print(pynvml.nvmlDeviceGetUUID(gpu), pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu), time.monotonic())
"""


def test_a_child_process_sees_the_same_machine(fake_nvml: FakeNvml) -> None:
    fake_nvml.set(gpus=2, tick_ms=0)
    environment = {**os.environ, **fake_nvml.environment()}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    uuid, millijoules, at = done.stdout.split()
    assert uuid == fake_nvml.uuid(1)
    # The counter counts from this process's t0 there too; a second is for a slow machine.
    assert int(millijoules) - 1_000_000_000 == pytest.approx(300_000 * (float(at) - fake_nvml.t0), abs=300_000)


def test_nvidia_smi_tells_the_gpus(fake_nvml: FakeNvml) -> None:
    fake_nvml.set(gpus=2)
    environment = {**os.environ, **fake_nvml.environment()}

    def smi(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nvidia-smi", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    assert smi().returncode == smi("--help").returncode == 0
    assert smi("-L").stdout.splitlines()[1] == f"GPU 1: NVIDIA H100 80GB HBM3 (UUID: {fake_nvml.uuid(1)})"
    query = smi("--query-gpu=index,name,memory.total,power.limit", "--format=csv,noheader")
    assert query.stdout.splitlines()[0] == "0, NVIDIA H100 80GB HBM3, 81559 MiB, 700.00 W"
    fake_nvml.set(init_errors="init:9")
    assert smi().returncode == 9


def test_a_misspelt_setting_is_an_error_in_python_and_in_a_file(fake_nvml: FakeNvml) -> None:
    with pytest.raises(KeyError, match="powr_w"):
        fake_nvml.set(powr_w=3)
    with pytest.raises(ValueError, match="rising"):
        fake_nvml.set(reasons=[(2, 0), (1, 4)])
    with fake_nvml.config.open("a", encoding="utf-8") as file:
        file.write("powr_w=3\n")
    environment = {**os.environ, **fake_nvml.environment()}
    done = subprocess.run(["nvidia-smi"], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode < 0
    assert "unknown key: powr_w" in done.stderr
