"""environment.json: what machine a run had, and nothing that says whose it is."""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
import types
from pathlib import Path

import pytest

from scorekit.errors import HardwareError
from scorekit.measuring import environment
from scorekit.records import Environment
from tests import bundles
from tests.fake_nvml import FakeNvml

pytestmark = pytest.mark.transformers


def collect(*gpu_ids: str) -> Environment:
    made = bundles.environment()
    return environment.collect(made.run, made.model, made.dataset, gpu_ids)


def torch_on(monkeypatch: pytest.MonkeyPatch, *uuids: str) -> None:
    """A torch that computes on these GPUs, which it names as torch does: without the prefix."""
    found = [types.SimpleNamespace(uuid=uuid.removeprefix("GPU-")) for uuid in uuids]
    cuda = types.SimpleNamespace(
        is_initialized=lambda: True, device_count=lambda: len(found), get_device_properties=lambda index: found[index]
    )
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))


@pytest.mark.parametrize("by", ["index", "uuid"])
def test_one_gpu_of_eight_is_used_and_the_others_are_told_apart(fake_nvml_here: FakeNvml, by: str) -> None:
    fake_nvml_here.set(gpus=8)
    found = collect("3" if by == "index" else fake_nvml_here.uuid(3))
    assert [gpu.uuid for gpu in found.gpus] == [fake_nvml_here.uuid(3)]
    assert [gpu.index for gpu in found.other_gpus] == [0, 1, 2, 4, 5, 6, 7]
    assert found.topology == ()
    assert collect("0", "1").topology == ("0-1: nvlink",)


def test_a_run_on_the_cpu_still_tells_the_gpus_that_were_idle(fake_nvml_here: FakeNvml) -> None:
    found = collect()
    assert found.gpus == ()
    assert [gpu.uuid for gpu in found.other_gpus] == [fake_nvml_here.uuid()]
    assert found.torch_gpus == ()


@pytest.mark.parametrize("code", [4, 9, 12])
def test_a_run_on_the_cpu_needs_no_driver(fake_nvml_here: FakeNvml, code: int) -> None:
    fake_nvml_here.set(init_errors=f"init:{code}")
    assert collect().other_gpus == ()


def test_a_measured_gpu_that_is_lost_is_an_error(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(errors="all:15")
    with pytest.raises(HardwareError, match="GPU is lost"):
        collect("0")


def test_torchs_gpus_are_recorded_as_nvml_spells_them(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvml_here.set(gpus=2)
    torch_on(monkeypatch, fake_nvml_here.uuid(1))
    assert collect("1").torch_gpus == (fake_nvml_here.uuid(1),)
    environment.check_gpus(("1",))
    with pytest.raises(HardwareError, match="torch computes on the GPUs") as caught:
        environment.check_gpus((fake_nvml_here.uuid(0),))
    assert fake_nvml_here.uuid(1) in caught.value.message


def test_gpus_that_are_measured_beside_a_run_on_the_cpu_are_no_contradiction(fake_nvml_here: FakeNvml) -> None:
    environment.check_gpus((fake_nvml_here.uuid(),))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("ghcr.io/org/scorekit:1.2", "ghcr.io/org/scorekit:1.2"),
        ("scorekit@sha256:" + "a" * 64, "scorekit@sha256:" + "a" * 64),
        ("user:secret@host/image", None),
        ("", None),
        ("two words", None),
    ],
)
def test_the_image_is_told_where_it_is_an_images_name(value: str, told: str | None) -> None:
    assert environment.container_image({"SCOREKIT_IMAGE": value}) == told


def test_a_container_is_told_by_its_marks(tmp_path: Path) -> None:
    def machine(name: str, **files: str) -> Path:
        for path, text in files.items():
            target = tmp_path / name / path.replace("__", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return tmp_path / name

    mounts = "24 1 8:1 / / rw - {} /dev/sda1 rw\n25 24 0:5 / /var/x rw - overlay overlay rw\n"
    if platform.system() != "Linux":
        pytest.skip("not applicable: containers are told on Linux only")
    bare = machine("bare", proc__1__cgroup="0::/init.scope\n", proc__self__mountinfo=mounts.format("ext4"))
    assert environment.in_container(bare) is False
    layered = machine("layered", proc__1__cgroup="0::/\n", proc__self__mountinfo=mounts.format("overlay"))
    assert environment.in_container(layered) is True
    group = machine("group", proc__1__cgroup="5:cpu:/kubepods/pod1\n", proc__self__mountinfo=mounts.format("ext4"))
    assert environment.in_container(group) is True
    podman = machine("podman", run__x="", proc__self__mountinfo=mounts.format("ext4"))
    (podman / "run" / ".containerenv").touch()
    assert environment.in_container(podman) is True
    assert environment.in_container(tmp_path / "nothing") is None


def test_nothing_says_whose_machine_it_is(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home" / "adalovelace"
    home.mkdir(parents=True)
    secrets = {"HF_TOKEN": "hf_abcdefghijklmnop", "USER": "adalovelace", "LOGNAME": "adalovelace", "HOME": str(home)}
    for name, value in {**secrets, "SCOREKIT_IMAGE": "me:hf_abcdefghijklmnop@host/image"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(socket, "gethostname", lambda: "engine-number-one")
    monkeypatch.setattr(platform, "node", lambda: "engine-number-one")
    fake_nvml_here.set(gpus=2)
    # What the run itself is comes from the caller, so only the machine's part is looked at.
    told = collect("0").model_dump(mode="json", exclude={"run", "model", "dataset"})
    written = json.dumps(told)
    for secret in (*secrets.values(), "engine-number-one", os.uname().nodename, "/home/", str(Path.cwd())):
        assert secret not in written
