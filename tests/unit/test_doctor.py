"""The doctor: what stands in the way of an official run is named with its mend, on every kind of machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli, doctor
from scorekit.errors import HardwareError
from scorekit.layout import Layout
from scorekit.records.machine import Diagnosis, Machine
from scorekit.validity import preflight
from tests.fake_nvml import FakeNvml

measure = pytest.importorskip("scorekit.measuring.machine")

H100_BEFORE_A_RUN = {"utilization_percent": 0, "temperature_c": 35, "power_w": 70}


@pytest.fixture
def fake(fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fake_nvml_here.set(**H100_BEFORE_A_RUN)
    return fake_nvml_here


def diagnose(change: Mapping[str, Any] | None = None, **options: Any) -> Diagnosis:
    """What the doctor says of this machine, were its software and disks as an official run needs them."""
    found = measure.probe(**options)
    whole = {
        "missing": (),
        "wrong": (),
        "torch_cuda": "cu130",
        "rapl": "readable",
        "free_here_gib": 500.0,
        "free_cache_gib": 500.0,
    }
    return doctor.diagnose(Machine.model_validate({**found.model_dump(), **whole, **(change or {})}))


def codes(found: Diagnosis) -> dict[str, str]:
    for obstacle in found.obstacles:
        assert obstacle.message
        assert obstacle.mend
    return {obstacle.code: obstacle.effect for obstacle in found.obstacles}


def test_an_idle_h100_is_fit_for_an_official_run(fake: FakeNvml) -> None:
    found = diagnose()
    assert codes(found) == {}
    assert (found.possible, found.official) == (True, True)
    (gpu,) = found.machine.gpus
    assert gpu.used
    assert fake.setter_calls() == []


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "NVIDIA A100-SXM4-80GB"}, "gpu_model", "incomparable"),
    ({"name": "NVIDIA H100 NVL", "memory_mib": 95830}, "gpu_model", "incomparable"),
    ({"mig": 1}, "mig", "invalid"),
    ({"virtualization": 2}, "virtual_gpu", "invalid"),
    ({"module_w": 150, "module_counter": 1}, "module_counter", "invalid"),
    ({"processes": [1]}, "foreign_processes", "invalid"),
    ({"errors": "processes:3"}, "processes_unknown", "told"),
    ({"utilization_percent": 40}, "gpu_busy", "invalid"),
    ({"power_limit_w": 500}, "power_limit", "invalid"),
    ({"sm_clock_app_mhz": 1200}, "clocks_locked", "invalid"),
    ({"persistence": 0}, "persistence_off", "told"),
    ({"temperature_c": 91}, "too_hot", "told"),
    ({"reasons": 0x40}, "held_back", "told"),
    ({"errors": "energy:3"}, "counter_unsupported", "invalid"),
    ({"errors": "energy:4"}, "counter_no_permission", "invalid"),
    ({"init_errors": "init:4"}, "no_gpu", "incomparable"),
    ({"init_errors": "init:9"}, "no_gpu", "incomparable"),
    ({"errors": "all:15"}, "no_gpu", "incomparable"),
    ({"gpus": 0}, "no_gpu", "incomparable"),
]


@pytest.mark.parametrize(
    ("settings", "code", "effect"), FAULTS, ids=[f"{code}-{n}" for n, (_, code, _) in enumerate(FAULTS)]
)
def test_each_fault_is_named(fake: FakeNvml, settings: dict[str, Any], code: str, effect: str) -> None:
    fake.set(**settings)
    found = diagnose()
    assert codes(found) == {code: effect}
    assert found.possible
    assert found.official is (effect == "told")


def test_on_another_gpu_settings_are_only_told(fake: FakeNvml) -> None:
    fake.set(name="NVIDIA A100-SXM4-80GB", power_limit_w=500, sm_clock_app_mhz=1200)
    assert codes(diagnose()) == {"gpu_model": "incomparable", "power_limit": "told", "clocks_locked": "told"}


def test_no_permission_is_told_with_its_own_mend(fake: FakeNvml) -> None:
    fake.set(errors="energy:4")
    assert "/dev/nvidia" in diagnose().obstacles[0].mend


def test_one_of_eight_is_looked_at_and_the_others_are_only_shown(fake: FakeNvml) -> None:
    fake.set(gpus=8, name="NVIDIA A100-SXM4-80GB", utilization_percent=90)
    fake.set(3, name="NVIDIA H100 80GB HBM3", utilization_percent=0)
    assert codes(diagnose(device_ids="3")) == {}
    assert [gpu.used for gpu in diagnose(device_ids="3").machine.gpus] == [gpu == 3 for gpu in range(8)]
    # Where nothing is said the configs take the first one.
    assert codes(diagnose()) == {"gpu_model": "incomparable", "gpu_busy": "invalid"}


def test_several_gpus_are_for_the_largest_models_only(fake: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.set(gpus=2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert codes(diagnose()) == {"several_gpus": "incomparable"}


def test_a_gpu_that_this_process_was_not_given_is_told(fake: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.set(gpus=2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    found = diagnose(device_ids="0")
    assert codes(found) == {"no_gpu": "incomparable"}
    assert "CUDA_VISIBLE_DEVICES=1 is all" in found.obstacles[0].message
    # The same GPU by another name is none that was not given.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", fake.uuid(1))
    assert codes(diagnose(device_ids="1")) == {}


@pytest.mark.parametrize("visible", ["1", "", "-1", "uuid", "7"])
def test_a_run_refuses_the_gpus_that_the_doctor_refuses_in_the_same_words(
    visible: str, fake: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omegaconf import OmegaConf

    from scorekit.measuring import preflight

    fake.set(gpus=2)
    given = fake.uuid(1) if visible == "uuid" else visible
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setattr(preflight, "_VISIBLE_AT_START", given)
    monkeypatch.setattr(preflight, "_check_cuda", lambda: None)
    told = next(one for one in diagnose(device_ids="1,0").obstacles if one.code == "no_gpu")
    with pytest.raises(HardwareError) as caught:
        preflight._check_device(
            OmegaConf.create({"backend": {"device": "cuda", "device_ids": "1,0"}, "launcher": {"name": "process"}})
        )
    assert (told.message, told.mend) == (caught.value.message, caught.value.mend)


def test_a_lost_gpu_does_not_hide_the_others(fake: FakeNvml) -> None:
    fake.set(gpus=2)
    fake.set(0, errors="all:15")
    found = diagnose(device_ids="1")
    assert codes(found) == {}
    assert "GPU is lost" in str(found.machine.gpus[0].problem)


@pytest.mark.parametrize(
    ("change", "code", "effect"),
    [
        ({"missing": ("torch",)}, "missing_extra", "impossible"),
        ({"missing": None}, "no_metadata", "told"),
        ({"wrong": ("optimum-benchmark 0.5.0 (needed: 0.6.0)",)}, "wrong_version", "impossible"),
        ({"torch_cuda": "none"}, "torch_without_cuda", "incomparable"),
        ({"torch_gpus": 0}, "torch_without_cuda", "incomparable"),
        ({"nvidia_smi": False}, "no_nvidia_smi", "incomparable"),
        ({"rapl": "unreadable"}, "rapl_unreadable", "told"),
        ({"rapl": "absent"}, "no_rapl", "told"),
        ({"free_cache_gib": 3.0}, "little_room", "told"),
        ({"free_here_gib": 0.2}, "little_room", "told"),
    ],
)
def test_software_and_the_rest_of_the_machine(fake: FakeNvml, change: dict[str, Any], code: str, effect: str) -> None:
    found = diagnose(change)
    assert codes(found) == {code: effect}
    assert found.possible is (effect != "impossible")


def test_the_worst_comes_first(fake: FakeNvml) -> None:
    fake.set(persistence=0, mig=1, name="NVIDIA A100-SXM4-80GB")
    found = diagnose({"missing": ("torch",)})
    assert [obstacle.effect for obstacle in found.obstacles] == ["impossible", "invalid", "incomparable", "told"]


def test_the_numbers_are_those_of_the_checks(fake: FakeNvml) -> None:
    fake.set(power_limit_w=500, processes=[1], mig=1)
    assert {found.code: found.check for found in diagnose().obstacles} == {
        "power_limit": 12,
        "foreign_processes": 9,
        "mig": 15,
    }


def test_rapl_is_told_by_reading_it(tmp_path: Path) -> None:
    assert measure.rapl(tmp_path) == "absent"
    counter = tmp_path / "intel-rapl:0" / "energy_uj"
    counter.parent.mkdir()
    counter.write_text("1\n", encoding="ascii")
    assert measure.rapl(tmp_path) == "readable"
    counter.unlink()
    counter.mkdir()  # As root every file can be read; a folder cannot.
    assert measure.rapl(tmp_path) == "unreadable"


def test_a_token_is_told_of_and_never_told(fake: FakeNvml, tmp_path: Path) -> None:
    environ = {**os.environ, "HF_TOKEN": "hf_secretsecret", "HF_HUB_OFFLINE": "1", "USER": "adalovelace"}
    found = measure.probe(environ=environ)
    assert (found.hub_token, found.hub_offline) == (True, True)
    assert "hf_secretsecret" not in found.model_dump_json()
    assert str(Path.home()) not in found.model_dump_json()
    stored = tmp_path / "token"
    bare = {"PATH": os.environ["PATH"], "HF_HOME": str(tmp_path)}
    assert measure.probe(environ=bare).hub_token is False
    stored.write_text("hf_secretsecret", encoding="utf-8")
    assert measure.probe(environ=bare).hub_token is True


def test_the_report_names_what_is_in_the_way(fake: FakeNvml) -> None:
    fake.set(mig=1)
    text = doctor.report(diagnose(), Layout())
    assert "GPU 0 (used)" in text
    assert "NVIDIA H100 80GB HBM3" in text
    assert "official: no, because GPU 0 is cut into slices (MIG)" in text
    assert "-mig 0" in text
    fake.set(mig=0)
    assert "official: yes" in doctor.report(diagnose(), Layout())


def test_the_report_claims_no_network_that_it_did_not_try(fake: FakeNvml) -> None:
    found = diagnose()
    for offline, told in ((False, "not offline by setting, and not asked;"), (True, "offline by HF_HUB_OFFLINE;")):
        machine = found.machine.model_copy(update={"hub_offline": offline})
        text = doctor.report(found.model_copy(update={"machine": machine}), Layout())
        (row,) = [line for line in text.splitlines() if line.startswith("Hub ")]
        assert row.removeprefix("Hub").strip().startswith(told)


def test_the_verb_prints_json_and_ends_with_0(fake: FakeNvml, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--config-name", "text_generation", "--json"]) == 0
    found = Diagnosis.model_validate_json(capsys.readouterr().out)
    assert found.possible
    assert found.machine.gpus[0].used


def test_a_task_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--config-name", "text_generatio"]) == 2
    assert "did you mean --config-name text_generation?" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["text_generation", "text_to_image", "t5_summarization"])
def test_a_tasks_config_is_read_for_its_gpus(task: str) -> None:
    assert doctor._asked(task) == ("cuda", "0")


LIGHT = """
import importlib.abc, sys
HEAVY = {heavy!r}
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import importlib.metadata
real = importlib.metadata.version
def version(name):
    if name not in ("scorekit", "pydantic", "rich"):
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)
importlib.metadata.version = version
from scorekit import cli
sys.exit(cli.main(["doctor"]))
"""


def test_a_light_install_says_what_is_missing(tmp_path: Path) -> None:
    script = LIGHT.format(heavy=set(cli._BENCH_PACKAGES))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert 'pip install -c constraints.txt -e ".[bench]"' in done.stdout
    assert "a run is not possible here" in done.stdout


def test_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom scorekit import cli\ncli.main(['doctor', '--json'])\n"
        "heavy = {'torch', 'transformers', 'hydra', 'optimum_benchmark'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["machine"]["packages"]


def test_judging_is_pure() -> None:
    empty = Machine(
        platform="p",
        python="3",
        scorekit_version="0",
        rapl="absent",
        nvidia_smi=False,
        packages={},
        missing=(),
        hub_offline=False,
        hub_token=False,
    )
    found = preflight.obstacles(empty)
    assert [obstacle.code for obstacle in found] == ["no_gpu", "no_rapl"]
    assert preflight.is_possible(found)
    assert not preflight.is_official(found)


def test_bench_warns_of_what_the_doctor_would_find(fake: FakeNvml, capsys: pytest.CaptureFixture[str]) -> None:
    from scorekit import bench

    fake.set(power_limit_w=500)
    bench._warn_beforehand({"backend": {"device": "cuda", "device_ids": 0}})
    told = capsys.readouterr().err
    assert "warning: the run may not be valid: the power limit of GPU 0 is 500 W" in told
    assert "-pl 700" in told
    bench._warn_beforehand({"backend": {"device": "cpu"}})
    assert capsys.readouterr().err == ""
