"""Which file systems keep what sweeps rest on: by mount tables as clusters have them, and by a folder that is tried."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.measuring import file_system as probes
from scorekit.records.machine import ProbedFolder
from scorekit.validity import file_system

NEEDED = {"locks": "work", "links": True, "renames": True, "syncs": True, "free_gib": 100.0, "free_files": 10**6}

TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:40 / /home rw,relatime shared:9 - nfs4 server:/home rw,vers=4.2,hard,local_lock=none,addr=10.0.0.1
31 22 0:41 / /old rw,relatime shared:10 - nfs server:/old rw,vers=3,nolock,proto=tcp,local_lock=all,addr=10.0.0.1
32 22 0:42 / /scratch rw,relatime shared:11 - lustre 10.0.0.2@tcp:/scratch rw,flock,lazystatfs
33 32 0:43 / /scratch/of\\040all rw - fuse.sshfs me@server:/all rw,user_id=1000
34 22 0:44 / /mnt/over rw - autofs systemd-1 rw,fd=29
35 34 0:45 / /mnt/over rw - cifs //server/share rw,vers=3.1.1,nobrl
not a line of it
36 22 0:46 / /homes rw - xfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "option"),
    [
        ("/var/lib", "ext4", "errors=remount-ro"),
        ("/home/me/runs", "nfs4", "vers=4.2"),
        ("/home", "nfs4", "relatime"),
        ("/homesick", "ext4", "rw"),
        ("/old/runs", "nfs", "nolock"),
        ("/scratch/runs", "lustre", "flock"),
        ("/scratch/of all/runs", "fuse.sshfs", "user_id=1000"),
        ("/mnt/over/runs", "cifs", "nobrl"),
        ("/homes/runs", "xfs", "rw"),
    ],
)
def test_the_mount_that_a_path_lies_on(path: str, kind: str, option: str) -> None:
    found = probes.mount_of(path, TABLE)
    assert found is not None
    assert found[0] == kind
    assert option in found[1]


def test_where_the_kernel_has_no_table_nothing_is_told() -> None:
    assert probes.mount_of("/home", "") is None


def codes(kind: str | None, *options: str, shared: bool = True, jobs: int = 1, **changes: Any) -> list[str]:
    found = ProbedFolder.model_validate({"path": "/runs", "type": kind, "options": options, **NEEDED, **changes})
    told = file_system.obstacles(found, shared=shared, jobs=jobs)
    assert all(each.message.startswith(("/runs", "/runs (")) or "in /runs" in each.message for each in told)
    assert all(each.mend for each in told)
    return [each.code for each in told]


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("ext4", (), []),
        ("nfs4", ("vers=4.2", "local_lock=none"), []),
        ("nfs", ("vers=3", "local_lock=none"), []),
        ("nfs", ("vers=3", "nolock", "local_lock=all"), ["local_locks"]),
        ("nfs", ("vers=3", "local_lock=flock"), ["local_locks"]),
        ("nfs", ("vers=3", "local_lock=posix"), []),
        ("lustre", ("flock",), []),
        ("lustre", ("localflock",), ["local_locks"]),
        ("cifs", ("vers=3.1.1",), []),
        ("cifs", ("vers=3.1.1", "nobrl"), ["local_locks"]),
        ("fuse.sshfs", (), ["unknown_locks"]),
        ("fuse.anything", (), ["unknown_locks"]),
        ("fuse.glusterfs", (), []),
        ("9p", (), ["unknown_locks"]),
        ("fuse.s3fs", (), ["object_store"]),
        ("overlay", (), ["own_folder"]),
        ("tmpfs", (), ["own_folder"]),
        (None, (), []),
    ],
)
def test_what_type_and_options_tell_of_other_machines(
    kind: str | None, options: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(kind, *options) == expected
    assert codes(kind, *options, shared=False) == [code for code in expected if code == "object_store"]


@pytest.mark.parametrize(
    ("changes", "expected", "alone"),
    [
        ({"locks": "refused", "lock_problem": "ENOLCK No locks available"}, ["no_locks"], ["no_locks"]),
        ({"locks": "shared by two"}, ["no_locks"], ["no_locks"]),
        ({"links": False}, ["no_links"], []),
        ({"syncs": False}, ["no_sync"], ["no_sync"]),
        ({"renames": False}, ["no_rename"], ["no_rename"]),
        ({"free_gib": 0.2}, ["little_room"], ["little_room"]),
        ({"free_files": None}, [], []),
        ({"problem": "Read-only file system"}, ["folder_unwritable"], ["folder_unwritable"]),
    ],
)
def test_what_was_tried_counts_on_any_file_system(
    changes: dict[str, Any], expected: list[str], alone: list[str]
) -> None:
    assert codes("nfs", **changes) == expected
    assert codes("ext4", shared=False, **changes) == alone


def test_a_long_plan_needs_inodes() -> None:
    assert codes("ext4", jobs=10_000) == []
    assert codes("ext4", jobs=10_000, free_files=500_000) == ["few_files"]


def test_locks_that_are_refused_are_mended_by_the_type() -> None:
    found = ProbedFolder.model_validate({"path": "/runs", **NEEDED, "locks": "refused", "lock_problem": "ENOLCK"})
    mends = {
        kind: file_system.obstacles(found.model_copy(update={"type": kind}), shared=True)[0].mend
        for kind in ("nfs", "lustre", "ext4")
    }
    assert "rpc.statd" in mends["nfs"]
    assert "-o flock" in mends["lustre"]
    assert "one sweep at a time" in mends["ext4"]


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    found = probes.probe(tmp_path / "not" / "there")
    assert (found.locks, found.links, found.renames, found.syncs) == ("work", True, True, True)
    assert found.free_gib is not None
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_locks_links_and_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(number: int) -> Any:
        def call(*_arguments: Any, **_options: Any) -> None:
            raise OSError(number, os.strerror(number))

        return call

    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL))
    found = probes.probe(tmp_path)
    assert (found.locks, found.links, found.renames, found.syncs) == ("refused", False, True, False)
    assert (found.lock_problem or "").startswith("ENOLCK ")
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    monkeypatch.setattr(os, "replace", lambda *_: None)
    found = probes.probe(tmp_path)
    assert (found.locks, found.renames) == ("shared by two", False)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert probes.probe(tmp_path / "file").problem is not None
    assert probes.probe(Path("/proc/nowhere")).problem is not None


def test_the_doctor_tells_of_a_runs_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["doctor", "--runs", str(tmp_path / "runs")])
    out = capsys.readouterr().out
    assert "runs folder" in out
    assert "locks: work" in out
    assert cli.main(["doctor", "--runs", "/proc/nowhere"]) == 1
    assert "cannot be written to" in capsys.readouterr().out
