"""What `scripts/check_image` looks for in an image is found where it is planted."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from scripts import check_image
from scripts.container_engine import Ended

GOOD: dict[str, Any] = {
    "config": {
        "User": "1000:1000",
        "Entrypoint": ["/usr/bin/tini", "-s", "--", "/opt/scorekit/bin/python", "-m", "scorekit.container"],
        "WorkingDir": "/results",
        "Env": ["PATH=/usr/bin"],
        "Labels": {
            f"org.opencontainers.image.{key}": "told"
            for key in ("title", "description", "licenses", "revision", "version")
        },
    }
}


def faults(folder: Path, inside: str, content: str = "content") -> list[str]:
    path = folder / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return list(check_image._judge_file(path, inside))


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("usr/bin/gcc", "is a compiler"),
        ("usr/bin/x86_64-linux-gnu-gcc-12", "is a compiler"),
        ("usr/local/cuda/bin/nvcc", "is a compiler"),
        ("var/lib/apt/lists/lock", "is of a cache"),
        ("var/cache/apt/archives/a.deb", "is of a cache"),
        ("root/.cache/pip/http/a", "is of a cache"),
        ("cache/hub/models--a--b/refs/main", "is of a cache"),
        ("opt/x/huggingface/hub/version.txt", "is of a cache"),
        ("tmp/left", "is of a cache"),
        ("etc/pip.conf", "may hold a secret"),
        ("run/secrets/any", "may hold a secret"),
        ("opt/scorekit/.env", "may hold a secret"),
        ("home/scorekit/.netrc", "may hold a secret"),
    ],
)
def test_what_no_layer_may_hold_is_found(tmp_path: Path, inside: str, told: str) -> None:
    (fault,) = faults(tmp_path, inside)
    assert fault == f"{inside} {told}"


@pytest.mark.parametrize(
    "inside",
    ["usr/bin/cat", "usr/bin/pyclean", "opt/scorekit/bin/python", "etc/apt/sources.list", "opt/a/certifi/cacert.pem"],
)
def test_what_belongs_into_an_image_is_left_alone(tmp_path: Path, inside: str) -> None:
    assert faults(tmp_path, inside) == []
    assert faults(tmp_path, inside, content="") == []


def test_the_token_of_whoever_builds_is_found(tmp_path: Path) -> None:
    assert faults(tmp_path, "etc/environment", f"HF_TOKEN={check_image.TOKEN}") == [
        "etc/environment holds the token of whoever builds"
    ]


def test_a_config_as_it_should_be_has_no_fault() -> None:
    assert list(check_image.judge_config(GOOD)) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("User", "", "User is ''"),
        ("User", "root", "User is 'root'"),
        ("User", "0:0", "User is '0:0'"),
        ("Entrypoint", ["/bin/sh", "-c", "scorekit bench"], "Entrypoint is"),
        ("WorkingDir", "/", "WorkingDir is /"),
        ("Labels", {}, "no label title, description, licenses, revision, version"),
        ("Env", [f"HF_TOKEN={check_image.TOKEN}"], "the token of whoever builds is in the image's config"),
    ],
)
def test_each_fault_of_a_config_is_told(key: str, value: object, told: str) -> None:
    found = copy.deepcopy(GOOD)
    found["config"][key] = value
    (fault,) = check_image.judge_config(found)
    assert fault.startswith(told)


def test_how_a_container_ended_is_held_against_what_was_expected() -> None:
    ended = Ended(code=1, out="", err="error: no NVIDIA GPU\n  reaches this container")
    assert list(check_image._expect("it", ended, 1, "no NVIDIA GPU reaches")) == []
    (fault,) = check_image._expect("it", ended, 0, "no NVIDIA GPU reaches")
    assert fault.startswith("it: code 1, expected 0")
    (fault,) = check_image._expect("it", ended, 1, "something else")
    assert "not told: ['something else']" in fault
    leaked = Ended(code=0, out=f"Traceback\n{check_image.TOKEN}", err="")
    assert [fault.partition(":")[2].partition(":")[0] for fault in check_image._expect("it", leaked, 0)] == [
        " a traceback",
        " the token was printed",
    ]
