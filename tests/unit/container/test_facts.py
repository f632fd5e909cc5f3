"""What a container was given is collected as it is, whatever is missing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from scorekit.container import facts

MOUNTINFO = """\
1 0 0:30 / / rw,relatime - overlay overlay rw,lowerdir=/a
2 1 0:31 / /proc rw - proc proc rw
3 1 8:1 /home/ada/results /results rw - ext4 /dev/sda1 rw
4 1 8:1 /home/ada/two\\040words /data/two\\040words rw - ext4 /dev/sda1 rw
"""


def test_mounts_are_read_with_their_blanks() -> None:
    found = facts.mount_points(MOUNTINFO)
    assert found == (Path("/"), Path("/proc"), Path("/results"), Path("/data/two words"))
    assert facts.mount_points(None) is None
    assert facts.mount_points("") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("__version__ = '2.13.0'\ncuda: Optional[str] = '13.0'\nhip = None\n", (13, 0)),
        ("cuda = '12.8'\n", (12, 8)),
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n", None),
        ("", None),
    ],
)
def test_the_cuda_that_torch_was_built_for(text: str, found: tuple[int, int] | None) -> None:
    assert facts.torch_cuda(text) == found


def test_this_process_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_text", lambda path: MOUNTINFO if path.name == "mountinfo" else None)
    environ = {"HF_TOKEN": "hf_abc", "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "true"}
    found = facts.collect(environ, tmp_path, secret=tmp_path / "no_secret")
    assert (found.user_id, found.group_id) == (os.getuid(), os.getgid())
    assert found.results == facts.Place(tmp_path, mounted=False, refused=None, owner_id=os.getuid())
    assert found.cache.path == tmp_path / "cache"
    assert (found.token, found.secret_refused, found.offline) == ("hf_abc", None, True)
    assert found.torch_cuda is None
    assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"


def test_a_folder_below_a_mount_outlives_the_container(tmp_path: Path) -> None:
    found = facts._place(tmp_path / "runs" / "mine", (Path("/"), tmp_path))
    assert found.mounted is True
    assert facts._place(tmp_path, (Path("/"),)).mounted is False
    assert facts._place(tmp_path, None).mounted is None


def test_what_keeps_a_file_from_being_made_is_told_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(facts.tempfile, "TemporaryFile", refuse)
    assert facts._place(tmp_path, None).refused == errno.EROFS


def test_a_secret_is_read_to_see_whether_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "hf_token"
    assert facts._refused_to_read(secret) is None
    secret.write_text("hf_abc", encoding="utf-8")
    assert facts._refused_to_read(secret) is None

    def refuse(self: Path) -> bytes:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert facts._refused_to_read(secret) == errno.EACCES
