"""What is said of a runs folder, at the bound of each rule: which obstacle, its figures, and its mend."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.records.machine import Obstacle, ProbedFolder
from scorekit.validity import file_system

REFUSED = {"locks": "refused", "lock_problem": "ENOLCK No locks available"}
ALONE = "its locks are this machine's own, and keep no other machine away"
SAME_JOB = "nothing keeps two sweeps from measuring the same job"


def folder(kind: str | None = "ext4", *options: str, **changes: Any) -> ProbedFolder:
    facts: dict[str, Any] = {"locks": "work", "links": True, "renames": True, "syncs": True, "free_gib": 100.0}
    return ProbedFolder(path="/runs", type=kind, options=options, **facts | {"free_files": 10**6} | changes)


def found(probed: ProbedFolder) -> list[Obstacle]:
    return list(file_system.obstacles(probed, shared=True))


@pytest.mark.parametrize(
    ("probed", "code", "words"),
    [
        (folder(**REFUSED), "no_locks", f"/runs (ext4) refuses locks (flock: ENOLCK No locks available): {SAME_JOB}"),
        (folder(None, locks="shared by two"), "no_locks", f"/runs gives one lock to two: {SAME_JOB}"),
        (folder("nfs4", "local_lock=flock"), "local_locks", f"(nfs4) is mounted with local_lock=flock: {ALONE}"),
        (folder("nfs", "rw", "nolock"), "local_locks", f"/runs (nfs) is mounted with nolock: {ALONE}"),
        (folder("lustre", "localflock"), "local_locks", f"/runs (lustre) is mounted with localflock: {ALONE}"),
        (folder("cifs", "nobrl"), "local_locks", f"/runs (cifs) is mounted with nobrl: {ALONE}"),
        (folder("smb3", "rw", "nobrl"), "local_locks", f"/runs (smb3) is mounted with nobrl: {ALONE}"),
        (folder("9p"), "unknown_locks", "/runs (9p): whether its locks keep other machines away is not known"),
        (folder("virtiofs"), "unknown_locks", "/runs (virtiofs): whether its locks"),
        (folder("vboxsf"), "unknown_locks", "/runs (vboxsf): whether its locks"),
        (folder("fuse"), "unknown_locks", "/runs (fuse): whether its locks"),
        (folder("tmpfs"), "own_folder", "/runs (tmpfs) is this machine's or container's own"),
        (folder("ramfs"), "own_folder", "/runs (ramfs) is this machine's or container's own"),
        (folder("overlay"), "own_folder", "/runs (overlay) is this machine's or container's own"),
        (folder("fuse.gcsfuse"), "object_store", "/runs (fuse.gcsfuse) is a store of objects"),
        (folder(links=False), "no_links", "/runs (ext4) has no hard links"),
        (folder(syncs=False), "no_sync", "/runs (ext4) does not sync files (fsync)"),
        (folder(free_gib=0.9), "little_room", "0.9 GiB are free in /runs, fewer than 1"),
        (
            folder(free_files=99),
            "few_files",
            "99 files (inodes) are free in /runs, fewer than the 100 that 1 job may leave",
        ),
    ],
)
def test_what_is_told_of_a_folder(probed: ProbedFolder, code: str, words: str) -> None:
    (obstacle,) = found(probed)
    assert (obstacle.effect, obstacle.code, obstacle.check) == ("told", code, None)
    assert words in obstacle.message


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"renames": False}, "no_rename", "/runs (ext4) cannot put a file in another's place by renaming"),
        (
            {"problem": "Read-only file system"},
            "folder_unwritable",
            "/runs cannot be written to: Read-only file system",
        ),
    ],
)
def test_what_no_run_can_do_without(changes: dict[str, Any], code: str, words: str) -> None:
    (obstacle,) = found(folder(**changes))
    assert (obstacle.effect, obstacle.code) == ("impossible", code)
    assert words in obstacle.message
    assert "--runs DIR" in obstacle.mend


@pytest.mark.parametrize(
    "probed",
    [
        folder(free_gib=1.0, free_files=100),
        folder(free_gib=None, free_files=None),
        # What was not tried is not told of.
        folder("nfs4", locks=None, links=None, renames=None, syncs=None),
        folder("smb3", "rw"),
        folder("fuse.juicefs"),
        folder("fuse.ceph-fuse"),
    ],
)
def test_what_is_at_its_bound_or_not_known_is_not_told(probed: ProbedFolder) -> None:
    assert found(probed) == []


def test_locks_that_were_not_tried_are_told_of_by_the_options() -> None:
    assert [obstacle.code for obstacle in found(folder("nfs", "nolock", locks=None))] == ["local_locks"]


def test_locks_that_are_refused_need_no_options_beside() -> None:
    assert [obstacle.code for obstacle in found(folder("nfs", "nolock", **REFUSED))] == ["no_locks"]
    assert [obstacle.code for obstacle in found(folder("fuse.s3fs", **REFUSED))] == ["no_locks", "object_store"]


def test_of_several_faults_all_are_told_the_worst_first() -> None:
    worn = folder("overlay", renames=False, links=False, syncs=False, free_gib=0.0, free_files=0)
    codes = ["no_rename", "no_links", "no_sync", "own_folder", "little_room", "few_files"]
    assert [obstacle.code for obstacle in found(worn)] == codes


@pytest.mark.parametrize(("jobs", "free", "told"), [(5, 500, False), (5, 499, True), (2000, 199_999, True)])
def test_a_job_may_leave_a_hundred_files(jobs: int, free: int, told: bool) -> None:
    messages = [each.message for each in file_system.obstacles(folder(free_files=free), shared=True, jobs=jobs)]
    expected = f"{free:,} files (inodes) are free in /runs, fewer than the {100 * jobs:,} that {jobs:,} jobs may leave"
    assert messages == ([expected] if told else [])


def test_one_job_is_meant_where_none_are_counted() -> None:
    assert found(folder(free_files=150)) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nfs", "rpc.statd"),
        ("nfs4", "rpc.statd"),
        ("lustre", "-o flock"),
        ("ext4", "start one sweep at a time"),
        (None, "start one sweep at a time"),
    ],
)
def test_locks_that_are_refused_are_mended_by_the_type(kind: str | None, words: str) -> None:
    (obstacle,) = found(folder(kind, **REFUSED))
    assert words in obstacle.mend
