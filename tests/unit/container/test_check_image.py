"""What `scripts/check_image` looks for in an image is found where it is planted."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from scripts import check_image
from scripts.image import bare_debian, behaviour, building, contents
from scripts.image.engine import Container, Ended, UnavailableError

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
    return list(contents._judge_file(path, inside))


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
    assert faults(tmp_path, "etc/environment", f"HF_TOKEN={building.TOKEN}") == [
        "etc/environment holds the token of whoever builds"
    ]


def test_a_config_as_it_should_be_has_no_fault() -> None:
    assert list(contents.judge_config(GOOD)) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("User", "", "User is ''"),
        ("User", "root", "User is 'root'"),
        ("User", "0:0", "User is '0:0'"),
        ("Entrypoint", ["/bin/sh", "-c", "scorekit bench"], "Entrypoint is"),
        ("WorkingDir", "/", "WorkingDir is /"),
        ("Labels", {}, "no label title, description, licenses, revision, version"),
        ("Env", [f"HF_TOKEN={building.TOKEN}"], "the token of whoever builds is in the image's config"),
    ],
)
def test_each_fault_of_a_config_is_told(key: str, value: object, told: str) -> None:
    found = copy.deepcopy(GOOD)
    found["config"][key] = value
    (fault,) = contents.judge_config(found)
    assert fault.startswith(told)


def test_how_a_container_ended_is_held_against_what_was_expected() -> None:
    ended = Ended(code=1, out="", err="error: no NVIDIA GPU\n  reaches this container")
    assert list(behaviour._expect("it", ended, 1, "no NVIDIA GPU reaches")) == []
    (fault,) = behaviour._expect("it", ended, 0, "no NVIDIA GPU reaches")
    assert fault.startswith("it: code 1, expected 0")
    (fault,) = behaviour._expect("it", ended, 1, "something else")
    assert "not told: ['something else']" in fault
    leaked = Ended(code=0, out=f"Traceback\n{building.TOKEN}", err="")
    assert [fault.partition(":")[2].partition(":")[0] for fault in behaviour._expect("it", leaked, 0)] == [
        " a traceback",
        " the token was printed",
    ]


APT_OUT_OF_REACH = """\
W: Failed to fetch http://debian.invalid/debian/dists/stable/InRelease  Temporary failure resolving 'debian.invalid'
W: Some index files failed to download. They have been ignored, or old ones used instead.
E: Unable to locate package python3
"""
PIP_OUT_OF_REACH = """\
WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by \
'NewConnectionError("<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection")'
ERROR: Could not find a version that satisfies the requirement hatchling>=1.27 (from versions: none)
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"[1/3] STEP 2/3: RUN apt-get update\n{APT_OUT_OF_REACH}", "out of reach: W: Failed to fetch"),
        (f"[2/3] STEP 9/11: RUN pip install\n{PIP_OUT_OF_REACH}", "out of reach: WARNING: Retrying"),
        ("STEP 9/11: RUN pip install\nERROR: HTTP error 503: Service Unavailable for url", "out of reach: ERROR"),
        ("STEP 1/2: COPY . .\ncopying: write /a: no space left on device", "the disk is full"),
        ("STEP 2/2: RUN pip install\nERROR: HTTP error 502 while getting a.whl", "out of reach: ERROR"),
        ("STEP 2/2: RUN pip install\nerror building: running runtime: exit status 137", "too little memory"),
        ("STEP 9/11: RUN pip install\nERROR: Cannot install a and b: these package versions have conflicts", None),
        ("STEP 9/11: RUN pip install\nERROR: No matching distribution found for torch==0.0.1", None),
        ("STEP 2/2: RUN false\nError: building at STEP: exit status 1", None),
        (f"STEP 1/2: RUN apt-get update\n{APT_OUT_OF_REACH}STEP 2/2: RUN false\nError: exit status 1", None),
        ("", None),
    ],
)
def test_a_build_without_its_network_is_no_fault_of_the_image(said: str, told: str | None) -> None:
    found = building.why_unavailable(said)
    assert found is None if told is None else told in str(found)


def test_what_is_missing_on_this_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(UnavailableError, match="only root"):
        check_image.look_around(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, path: None if name == "buildah" else name)
    with pytest.raises(UnavailableError, match="not installed: buildah\n  mend: apt-get install buildah"):
        check_image.look_around(tmp_path)
    monkeypatch.setattr("shutil.which", lambda name, path: name)
    monkeypatch.setattr(check_image, "ALONE", ("true",))
    monkeypatch.setattr(check_image, "NEEDED_BYTES", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(UnavailableError, match="GB free"):
        check_image.look_around(tmp_path / "new")
    monkeypatch.setattr(check_image, "NEEDED_BYTES", 0)
    check_image.look_around(tmp_path / "new")
    monkeypatch.setattr(check_image, "ALONE", ("false",))
    with pytest.raises(UnavailableError, match="gives no namespaces"):
        check_image.look_around(tmp_path)


def test_what_cannot_be_checked_ends_with_code_2_and_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def look_around(work: Path) -> None:
        raise UnavailableError("not installed: buildah\n  mend: apt-get install buildah")

    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr(check_image, "go_first", lambda: None)
    monkeypatch.setattr(check_image, "look_around", look_around)
    monkeypatch.setattr(sys, "argv", ["check_image"])
    assert check_image.main() == 2
    assert capsys.readouterr().out.splitlines()[-1] == "the image was NOT CHECKED: not installed: buildah"


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError(5, "Input/output error"), "the image was NOT CHECKED: OSError: [Errno 5] Input/output error"),
        (RuntimeError("buildah mount failed:\nno"), "the image was NOT CHECKED: RuntimeError: buildah mount failed:"),
    ],
)
def test_an_error_of_the_check_itself_is_no_fault_of_the_image(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, raised: Exception, told: str
) -> None:
    def report(options: object) -> int:
        raise raised

    monkeypatch.setattr(check_image, "report", report)
    monkeypatch.setattr(sys, "argv", ["check_image", "--inside", str(tmp_path)])
    assert check_image.main() == 2
    assert capsys.readouterr().out.splitlines()[-1] == told


def test_a_check_that_is_killed_from_outside_says_nothing_of_the_image(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # What main does to its own process is not for that of the tests.
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr(check_image, "go_first", lambda: None)
    monkeypatch.setattr(check_image, "look_around", lambda work: None)
    monkeypatch.setattr(check_image, "alone", lambda arguments: 137)
    monkeypatch.setattr(sys, "argv", ["check_image", "--work", str(tmp_path)])
    assert check_image.main() == 2
    assert capsys.readouterr().out.endswith("NOT CHECKED: the check itself was ended from outside, with code 137\n")
    assert list(tmp_path.iterdir()) == []


def test_a_container_that_does_not_end_is_killed_and_told() -> None:
    out, err = (tempfile.TemporaryFile("w+", encoding="utf-8") for _ in range(2))  # noqa: SIM115
    ended = Container(subprocess.Popen(["sleep", "3600"]), out, err).wait(0.01)
    assert ended.code == 137
    assert "had not ended after" in ended.told


def stanza(name: str, priority: str = "optional", **fields: str) -> str:
    values = {"Package": name, "Priority": priority, "Version": "1", **fields}
    return "\n".join(f"{key}: {value}" for key, value in values.items())


def test_a_source_holds_what_is_needed_and_all_that_it_depends_on() -> None:
    stanzas = bare_debian.read_list(
        "\n\n".join(
            [
                stanza("dpkg", "required", **{"Pre-Depends": "libc6 (>= 2.34), awk"}),
                stanza("libc6", Depends="libgcc-s1:any, vim | python3"),
                stanza("libgcc-s1", Recommends="locales"),
                stanza("locales"),
                stanza("apt", "important", Depends="gone | gpgv | gpgv2, libc6"),
                stanza("gpgv"),
                stanza("gpgv2"),
                stanza("python3", Description="a language\n Depends: nothing", Depends="python3.11 (= 3.11.2)"),
                stanza("python3.11"),
                stanza("vim"),
            ]
        )
        + "\n\n"
    )
    assert bare_debian.needed(stanzas, ["python3"]) == [
        "apt",
        "dpkg",
        "gpgv",
        "libc6",
        "libgcc-s1",
        "python3",
        "python3.11",
    ]
    with pytest.raises(UnavailableError, match="has no emacs"):
        bare_debian.needed(stanzas, ["emacs"])


def test_the_packages_that_the_dockerfile_installs_are_found() -> None:
    dockerfile = (
        "RUN apt-get update \\\n && A=b apt-get install -y \\\n  --no-install-recommends a b>/dev/null \\\n && c"
    )
    assert building.installed(dockerfile) == ["a", "b"]
    own = (building.ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert building.installed(own) == ["python3", "tini", "python3-venv"]
