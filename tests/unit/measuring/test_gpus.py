"""Which GPUs are measured, what they are and in what state: in every spelling, and on every broken machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.errors import HardwareError, ScorekitError, UsageError
from scorekit.measuring import driver, gpus
from tests.fake_nvml import FakeNvml

PCI_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
SLICE = "MIG-11111111-2222-5333-8444-555555555555"


@pytest.fixture
def eight(fake_nvml_here: FakeNvml) -> FakeNvml:
    fake_nvml_here.set(gpus=8)
    return fake_nvml_here


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process of somebody else's."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process.pid
    process.kill()
    process.wait()


def auto(device_ids: str | int | None = None, **environ: str) -> tuple[str, ...]:
    return gpus.resolve("auto", "cuda", device_ids, environ)


def refused(error: type[ScorekitError], *arguments: object) -> ScorekitError:
    with pytest.raises(error) as caught:
        gpus.resolve(*arguments)  # type: ignore[arg-type]
    assert caught.value.mend
    return caught.value


@pytest.mark.parametrize("device", ["cpu", "mps", None])
def test_a_run_without_gpu_asks_for_no_driver(device: str | None) -> None:
    assert gpus.resolve("auto", device, None, {"CUDA_VISIBLE_DEVICES": "0"}) == ()


def test_without_any_word_all_gpus_are_used(eight: FakeNvml) -> None:
    assert auto() == tuple(eight.uuid(gpu) for gpu in range(8))


@pytest.mark.parametrize("device_ids", [3, "3", " 3 ", "3,", "3,-1,5", "3,,5"])
def test_one_gpu_of_eight_by_index(eight: FakeNvml, device_ids: str | int) -> None:
    assert auto(device_ids) == (eight.uuid(3),)


@pytest.mark.parametrize("device_ids", ["5,0", "5, 0", "5,0,-1"])
def test_several_keep_their_order(eight: FakeNvml, device_ids: str) -> None:
    assert auto(device_ids) == (eight.uuid(5), eight.uuid(0))


def test_uuids_whole_abbreviated_and_in_any_case(eight: FakeNvml) -> None:
    whole = eight.uuid(6)
    assert auto(whole) == auto(whole[:12]) == auto(f"GPU-{whole[4:].upper()}") == (whole,)
    assert auto(f"{whole[:12]},2") == (whole, eight.uuid(2))


def test_a_short_uuid_that_fits_several_is_refused(eight: FakeNvml) -> None:
    assert "fits 8 GPUs" in refused(HardwareError, "auto", "cuda", "GPU-a", {}).message


def test_a_whole_uuid_wins_over_a_longer_one_that_begins_so(eight: FakeNvml) -> None:
    eight.set(1, uuid="GPU-ffff")
    eight.set(2, uuid="GPU-ffff0")
    assert auto("GPU-ffff") == ("GPU-ffff",)


def test_the_variable_counts_where_no_device_ids_are_given(eight: FakeNvml) -> None:
    assert auto(None, CUDA_VISIBLE_DEVICES="4") == (eight.uuid(4),)
    # optimum-benchmark writes device_ids over it, so they are no numbers within it.
    assert auto("0", CUDA_VISIBLE_DEVICES="4") == (eight.uuid(0),)


@pytest.mark.parametrize("visible", ["", "-1", "-1,0", ",0"])
def test_a_variable_that_hides_all_gpus_is_named(eight: FakeNvml, visible: str) -> None:
    error = refused(HardwareError, "auto", "cuda", None, {"CUDA_VISIBLE_DEVICES": visible})
    assert f"CUDA_VISIBLE_DEVICES={visible!r} leaves no GPU" in error.message


@pytest.mark.parametrize("entry", ["all", "NoDevFiles", "cuda:0", "a0c3e5f1"])
def test_what_is_no_gpu_at_all_is_told_with_what_is(eight: FakeNvml, entry: str) -> None:
    error = refused(HardwareError, "auto", "cuda", entry, {})
    assert entry in error.message
    assert "an index (0), a UUID" in error.message


def test_an_index_out_of_range_is_told_with_the_range(eight: FakeNvml) -> None:
    assert (
        "names the GPU 8, but this machine has 8 GPUs (0 to 7)"
        in refused(HardwareError, "auto", "cuda", "8", {}).message
    )


def test_an_unknown_uuid_is_told(eight: FakeNvml) -> None:
    assert "is none of 8 GPUs" in refused(HardwareError, "auto", "cuda", "GPU-0000", {}).message


def test_a_gpu_named_twice_is_told(eight: FakeNvml) -> None:
    assert "twice" in refused(HardwareError, "auto", "cuda", f"2,{eight.uuid(2)}", {}).message
    assert "twice" in refused(UsageError, [2, 2], "cpu", None, {}).message


@pytest.mark.parametrize("entry", [SLICE, "MIG-GPU-a0c3e5f1-5c0e-4000-8000-000000000001/7/0"])
def test_a_slice_is_refused_with_the_reason(eight: FakeNvml, entry: str) -> None:
    eight.set(0, mig=1, mig_uuids=[SLICE])
    assert "energy of the whole GPU only" in refused(HardwareError, "auto", "cuda", entry, {}).message


def test_cuda_counts_the_fastest_first_unless_told(eight: FakeNvml) -> None:
    # Alike GPUs may be counted either way.
    assert auto(None, CUDA_VISIBLE_DEVICES="1") == (eight.uuid(1),)
    eight.set(0, name="NVIDIA T4")
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in str(
        refused(HardwareError, "auto", "cuda", None, {"CUDA_VISIBLE_DEVICES": "1"}).mend
    )
    assert auto(None, CUDA_VISIBLE_DEVICES="1", **PCI_ORDER) == (eight.uuid(1),)
    assert auto(None, CUDA_VISIBLE_DEVICES=eight.uuid(1)) == (eight.uuid(1),)
    assert auto("1") == (eight.uuid(1),)


@pytest.mark.parametrize("setting", [[1, 0], "1,0", ["1", 0]])
def test_gpus_by_hand_count_on_any_device(eight: FakeNvml, setting: object) -> None:
    expected = (eight.uuid(1), eight.uuid(0))
    assert gpus.resolve(setting, "cpu", None, {}) == expected
    assert gpus.resolve(setting, "cuda", "5", {"CUDA_VISIBLE_DEVICES": "5"}) == expected


def test_gpus_by_hand_take_uuids_and_a_single_number(eight: FakeNvml) -> None:
    assert gpus.resolve([eight.uuid(3), eight.uuid(4)[:12]], "cpu", None, {}) == (eight.uuid(3), eight.uuid(4))
    assert gpus.resolve(2, "cpu", None, {}) == (eight.uuid(2),)


@pytest.mark.parametrize("setting", [[], "", "0,,1", True, 1.5, ["gpu0"], [9]])
def test_a_setting_that_names_no_gpu_is_a_usage_error(eight: FakeNvml, setting: object) -> None:
    refused(UsageError, setting, "cpu", None, {})


def test_auto_in_a_list_is_auto(eight: FakeNvml) -> None:
    refused(UsageError, ["auto"], "cpu", None, {})


@pytest.mark.parametrize(
    ("code", "mend"), [(9, "modprobe"), (4, "--gpus all"), (12, "install"), (18, "restart"), (999, "nvidia-smi")]
)
def test_a_driver_that_cannot_be_used_is_told_with_its_mend(fake_nvml_here: FakeNvml, code: int, mend: str) -> None:
    fake_nvml_here.set(init_errors=f"init:{code}")
    error = refused(driver.NoDriverError, "auto", "cuda", "0", {})
    assert isinstance(error, driver.NoDriverError)
    assert error.code == code
    assert mend in str(error.mend)


def test_a_machine_without_nvml_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = "from scorekit.measuring import gpus\nprint(gpus.resolve('auto', 'cuda', '0', {}))"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        pytest.skip("not applicable: this machine has a driver")
    assert "NoDriverError: NVML cannot be used" in done.stderr


def test_a_machine_without_gpus_is_told(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=0)
    assert "finds no GPU" in refused(HardwareError, "auto", "cuda", "0", {}).message


def test_a_gpu_that_fell_off_the_bus_is_told_and_the_others_still_count(eight: FakeNvml) -> None:
    eight.set(2, errors="all:15")
    assert "GPU is lost" in refused(HardwareError, "auto", "cuda", "2", {}).message
    assert auto("3") == (eight.uuid(3),)
    assert eight.uuid(2) not in {gpu.uuid for gpu in gpus.others([eight.uuid(3)])}
    assert [gpu.index for gpu in gpus.others([eight.uuid(3)])] == [0, 1, 2, 4, 5, 6, 7]
    with pytest.raises(HardwareError, match="GPU is lost"):
        gpus.facts([eight.uuid(2)])


def test_indices_for_libraries_that_know_no_uuids(eight: FakeNvml) -> None:
    assert gpus.indices([eight.uuid(7), eight.uuid(0)]) == (7, 0)


def test_facts_of_an_h100(fake_nvml_here: FakeNvml) -> None:
    (found,) = gpus.facts(["0"])
    assert found.model_dump() == {
        "index": 0,
        "name": "NVIDIA H100 80GB HBM3",
        "uuid": fake_nvml_here.uuid(),
        "memory_mib": 81559,
        "driver": "580.95.05",
        "vbios": "96.00.00.00.01",
        "architecture": "hopper",
        "compute_capability": "9.0",
        "power_limit_default_w": 700.0,
        "power_limit_min_w": 200.0,
        "power_limit_max_w": 700.0,
        "sm_clock_max_mhz": 1980,
        "mem_clock_max_mhz": 2619,
        "mig": False,
        "virtualization": "none",
        "counter_scope": "gpu",
        "nvlinks": 18,
        "pcie": "gen5 x16",
    }
    assert gpus.facts([]) == ()


def test_a_driver_that_answers_little_leaves_facts_out(fake_nvml_here: FakeNvml) -> None:
    everything = ["facts", "limits", "clocks", "app_clocks", "links", "mig", "power", "energy", "fields"]
    fake_nvml_here.set(errors=[f"{family}:3" for family in everything if family != "facts"])
    (found,) = gpus.facts(["0"])
    assert found.name == "NVIDIA H100 80GB HBM3"
    missing = {
        "power_limit_default_w",
        "power_limit_max_w",
        "sm_clock_max_mhz",
        "mig",
        "counter_scope",
        "nvlinks",
        "pcie",
    }
    assert all(getattr(found, name) is None for name in missing)


def test_a_superchips_counter_covers_the_module(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(name="NVIDIA GH200 480GB", module_w=150, module_counter=1)
    assert gpus.facts(["0"])[0].counter_scope == "module"


def test_a_slice_and_a_virtual_gpu_are_facts(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(mig=1, virtualization=2)
    (found,) = gpus.facts(["0"])
    assert (found.mig, found.virtualization) == (True, "vgpu")


def test_links_between_the_gpus_in_use(eight: FakeNvml) -> None:
    assert gpus.topology([eight.uuid(4), eight.uuid(1), eight.uuid(2)]) == ("1-2: nvlink", "1-4: nvlink", "2-4: nvlink")
    eight.set(nvlinks=0, topology=50)
    assert gpus.topology([eight.uuid(0), eight.uuid(1)]) == ("0-1: pcie, across cpu sockets",)
    assert gpus.topology([eight.uuid(0)]) == ()


def test_a_state(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(temperature_c=61, utilization_percent=97, reasons=4, power_limit_w=650, power_w=512.5)
    found = gpus.state(fake_nvml_here.uuid(), "repeat", 3, set())
    told = found.model_dump(exclude={"monotonic_s", "utc", "schema_version"})
    assert told == {
        "when": "repeat",
        "repeat": 3,
        "device": fake_nvml_here.uuid(),
        "driver": "580.95.05",
        "temperature_c": 61,
        "power_w": 512.5,
        "power_limit_w": 650.0,
        "sm_clock_mhz": 1980,
        "mem_clock_mhz": 2619,
        "clocks_locked": False,
        "reasons": 4,
        "utilization_percent": 97,
        "persistence": True,
        "ecc": True,
        "mig": False,
        "foreign_processes": 0,
    }


@pytest.mark.parametrize("setting", [{"sm_clock_app_mhz": 1200}, {"reasons": 0x2}, {"mem_clock_app_mhz": 1593}])
def test_clocks_that_somebody_set_are_seen(fake_nvml_here: FakeNvml, setting: dict[str, int]) -> None:
    fake_nvml_here.set(**setting)
    assert gpus.state(fake_nvml_here.uuid(), "start", None, set()).clocks_locked is True


def test_clocks_of_which_nothing_is_told_are_unknown(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(errors=["app_clocks:3"])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, set()).clocks_locked is False
    fake_nvml_here.set(errors=["app_clocks:3", "reasons:3"])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, set()).clocks_locked is None


@pytest.mark.parametrize("code", [3, 4, 15, 999])
def test_whatever_fails_a_state_is_had_without_it(fake_nvml_here: FakeNvml, code: int) -> None:
    families = [
        "power",
        "limits",
        "clocks",
        "app_clocks",
        "reasons",
        "temperature",
        "utilization",
        "processes",
        "persistence",
        "ecc",
        "mig",
    ]
    fake_nvml_here.set(errors=[f"{family}:{code}" for family in families])
    found = gpus.state(fake_nvml_here.uuid(), "start", None, set())
    unknown = found.model_dump(exclude={"schema_version", "when", "repeat", "monotonic_s", "utc", "device", "driver"})
    assert set(unknown.values()) == {None}


@pytest.mark.parametrize("change", [{"errors": "all:15"}, {"init_errors": "init:9"}, {"gpus": 0}])
def test_a_gpu_or_driver_that_goes_in_mid_run_leaves_a_state_without_figures(
    fake_nvml_here: FakeNvml, change: dict[str, object]
) -> None:
    uuid = fake_nvml_here.uuid()
    fake_nvml_here.set(**change)
    found = gpus.state(uuid, "end", None, set())
    assert (found.device, found.power_w, found.foreign_processes) == (uuid, None, None)


def test_foreign_processes_are_counted_and_own_ones_are_not(fake_nvml_here: FakeNvml, sleeper: int) -> None:
    own = os.getpid()
    fake_nvml_here.set(processes=[own, sleeper, (sleeper + 1, fake_nvml_here.now() + 600, 1e9)])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {own}).foreign_processes == 1
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {own, sleeper}).foreign_processes == 0


def test_in_a_container_the_own_process_goes_by_a_number_of_the_host(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorekit.measuring import gpu_probe

    nobody, other = 2**22 - 1, 2**22 - 2
    fake_nvml_here.set(processes=[nobody])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes == 1
    monkeypatch.setattr(gpu_probe, "_torch_computes", lambda: True)
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes == 0
    fake_nvml_here.set(processes=[nobody, other])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes == 1
    # That number may be another process's here, too.
    fake_nvml_here.set(processes=[1])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes == 0
    fake_nvml_here.set(processes=[1, os.getpid()])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes == 1
    # A list without even the own process hides others' as well.
    fake_nvml_here.set(processes=[])
    assert gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}).foreign_processes is None


def test_a_process_that_has_just_ended_is_asked_for_again(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorekit.measuring import gpu_probe

    fake_nvml_here.set(processes=[2**22 - 1])
    monkeypatch.setattr(gpu_probe.time, "sleep", lambda _s: fake_nvml_here.set(processes=[]))
    assert gpus.state(fake_nvml_here.uuid(), "start", None, set()).foreign_processes == 0


def test_the_family_of_a_run_is_its_process_and_children(sleeper: int) -> None:
    assert {os.getpid(), sleeper} <= gpus.family(os.getpid())
    assert gpus.family(2**22 - 1) == {os.getpid(), 2**22 - 1}


def test_nothing_is_ever_set(eight: FakeNvml) -> None:
    auto("0")
    gpus.facts([eight.uuid(0)])
    gpus.others([eight.uuid(0)])
    gpus.topology([eight.uuid(0), eight.uuid(1)])
    gpus.state(eight.uuid(0), "start", None, set())
    assert eight.setter_calls() == []


def test_gpus_that_the_process_was_not_given_are_refused() -> None:
    for asked in ("3", 3, "GPU-abc", "3, GPU-abc", None):
        gpus.require_given(asked, "3,GPU-abc")
    gpus.require_given("0", None)
    with pytest.raises(HardwareError, match="GPU 0, but CUDA_VISIBLE_DEVICES=3,GPU-abc is all"):
        gpus.require_given("3,0", "3,GPU-abc")
    for nothing in ("", "-1"):
        with pytest.raises(HardwareError, match=f"CUDA_VISIBLE_DEVICES='{nothing}' gives this process none"):
            gpus.require_given("0", nothing)


def test_one_gpu_may_be_given_by_uuid_and_asked_for_by_index(eight: FakeNvml) -> None:
    gpus.require_given("1", eight.uuid(1))
    with pytest.raises(HardwareError, match="asks for the GPU 0"):
        gpus.require_given("0", eight.uuid(1))
