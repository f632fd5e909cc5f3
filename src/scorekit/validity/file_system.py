"""Whether the file system of a runs folder keeps what runs and sweeps rest on: pure rules over probed facts.

Needed are a rename that puts one file in another's place in one step, names and locks (flock) that one only gets, and,
where several machines write, locks that all of them see. Sources: flock(2) and nfs(5) of the Linux manual (flock over
NFS is a lock at the server since Linux 2.6.12, unless mounted with nolock or local_lock); mount.lustre(8) (flock,
localflock, noflock); mount.cifs(8) (nobrl sends no locks to the server); the kernel's FUSE (flock stays on the machine
where the file system does not take it over); the limitations that Mountpoint for S3, s3fs, Cloud Storage FUSE and
BlobFuse tell of themselves (no hard links, renames that are copies).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.records.machine import Obstacle, ProbedFolder

LEAST_FREE_GIB: Final = 1.0
FILES_A_JOB: Final = 100
"""Files and folders of a job that is tried twice; an official run of text generation leaves 47 (docs/scale.md)."""
_BUCKETS: Final = frozenset(
    {"fuse.blobfuse", "fuse.blobfuse2", "fuse.gcsfuse", "fuse.goofys", "fuse.mountpoint-s3", "fuse.rclone", "fuse.s3fs"}
)
_SEEN_BY_ALL: Final = frozenset({"fuse.ceph-fuse", "fuse.glusterfs", "fuse.juicefs"})
"""File systems in user space whose flock is known to reach other machines."""
_NFS_LOCAL: Final = frozenset({"nolock", "local_lock=all", "local_lock=flock"})
_OWN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_SERVER: Final = "choose a folder of another file system (--runs DIR): NFS 4, Lustre mounted with flock, CephFS, GPFS"


def obstacles(found: ProbedFolder, *, shared: bool, jobs: int = 1) -> tuple[Obstacle, ...]:
    """What is in the way of runs in a folder, the worst first.

    Args:
        found: what was probed.
        shared: whether processes of several machines write to it.
        jobs: how many are to be measured in it.
    """
    if found.problem is not None:
        return (
            _told("impossible", "folder_unwritable", f"{found.path} cannot be written to: {found.problem}",
                  "choose a folder of your own: --runs DIR"),
        )  # fmt: skip
    return (*_tried(found, shared=shared), *(_kind(found) if shared else _bucket(found)), *_room(found, jobs))


def _tried(found: ProbedFolder, *, shared: bool) -> Iterator[Obstacle]:
    where = _where(found)
    if found.renames is False:
        yield _told("impossible", "no_rename", f"{where} cannot put a file in another's place by renaming", _SERVER)
    if found.locks not in (None, "work"):
        how = f"refuses locks (flock: {found.lock_problem})" if found.locks == "refused" else "gives one lock to two"
        effect = "nothing keeps two sweeps from measuring the same job"
        yield _told("told", "no_locks", f"{where} {how}: {effect}", _lock_mend(found))
    if found.links is False and shared:
        message = f"{where} has no hard links, so that two machines may write one attempt's file at once"
        yield _told("told", "no_links", message, _SERVER)
    if found.syncs is False:
        message = f"{where} does not sync files (fsync), so that a power cut may take what was measured"
        yield _told("told", "no_sync", message, "choose another folder: --runs DIR")


def _kind(found: ProbedFolder) -> Iterator[Obstacle]:
    """What the type and the options tell of other machines."""
    kind, options, where = found.type or "", set(found.options), _where(found)
    alone = "its locks are this machine's own, and keep no other machine away"
    if kind in _BUCKETS:
        yield from _bucket(found)
    elif found.locks not in (None, "work"):
        return
    elif kind.startswith("nfs") and options & _NFS_LOCAL:
        message = f"{where} is mounted with {min(options & _NFS_LOCAL)}: {alone}"
        yield _told("told", "local_locks", message, "mount it without nolock and local_lock, or as NFS 4")
    elif kind == "lustre" and "localflock" in options:
        yield _told("told", "local_locks", f"{where} is mounted with localflock: {alone}", "mount it with flock")
    elif kind in ("cifs", "smb3") and "nobrl" in options:
        yield _told("told", "local_locks", f"{where} is mounted with nobrl: {alone}", "mount it without nobrl")
    elif (kind.startswith("fuse") and kind not in _SEEN_BY_ALL) or kind in ("9p", "virtiofs", "vboxsf"):
        message = f"{where}: whether its locks keep other machines away is not known; those of sshfs do not"
        yield _told("told", "unknown_locks", message, _SERVER)
    elif kind in _OWN_MEMORY or kind == "overlay":
        message = f"{where} is this machine's or container's own: no other sees it, and it goes with it"
        yield _told("told", "own_folder", message, "mount a volume that all share, and name a folder in it: --runs DIR")


def _bucket(found: ProbedFolder) -> Iterator[Obstacle]:
    if found.type in _BUCKETS:
        message = f"{_where(found)} is a store of objects: a rename is a copy there, and locks are this machine's own"
        yield _told("told", "object_store", message, _SERVER)


def _room(found: ProbedFolder, jobs: int) -> Iterator[Obstacle]:
    if found.free_gib is not None and found.free_gib < LEAST_FREE_GIB:
        message = f"{found.free_gib:.1f} GiB are free in {found.path}, fewer than {LEAST_FREE_GIB:.0f}"
        yield _told("told", "little_room", message, "make room, or choose another folder: --runs DIR")
    if found.free_files is not None and found.free_files < jobs * FILES_A_JOB:
        message = (
            f"{found.free_files:,} files (inodes) are free in {found.path}, fewer than the {jobs * FILES_A_JOB:,} "
            f"that {jobs:,} job{'' if jobs == 1 else 's'} may leave"
        )
        yield _told("told", "few_files", message, "ask for more inodes, or choose another folder: --runs DIR")


def _lock_mend(found: ProbedFolder) -> str:
    kind = found.type or ""
    if kind.startswith("nfs"):
        return "start the lock service (rpc.statd) of server and client, or mount it as NFS 4"
    if kind == "lustre":
        return "mount it with -o flock"
    return f"start one sweep at a time, or {_SERVER}"


def _where(found: ProbedFolder) -> str:
    return f"{found.path} ({found.type})" if found.type else found.path


def _told(effect: str, code: str, message: str, mend: str) -> Obstacle:
    return Obstacle.model_validate({"effect": effect, "code": code, "message": message, "mend": mend})
