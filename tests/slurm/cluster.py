"""A Slurm cluster on this machine: its daemons from Debian's packages, two nodes, a fake H100 on each.

With accounting where that is asked for, in a MariaDB of its own. All of it lies in one folder and listens on the
loopback device. What it has started is ended by its process id.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil

from tests.fake_nvml import FakeNvml
from tests.ports import free_ports

NODES: Final = ("n1", "n2")
PATIENCE_S: Final = 120.0
_COMMANDS: Final = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scontrol", "scancel")
_OF_ACCOUNTING: Final = ("slurmdbd", "sacct", "sacctmgr", "mariadbd", "mariadb", "mariadb-install-db")
_NAME: Final = "test"
_PATH: Final = os.pathsep.join(["/usr/sbin", os.environ.get("PATH", os.defpath)])
_SOCKET_BYTES: Final = 100
"""A longer path is none for a socket."""


def missing(*, accounting: bool = True) -> list[str]:
    """Commands that a cluster needs, with accounting or without, and this machine has not."""
    wanted = (*_COMMANDS, *_OF_ACCOUNTING) if accounting else _COMMANDS
    return [command for command in wanted if shutil.which(command, path=_PATH) is None]


class Cluster:
    """The cluster; see `started`.

    Args:
        folder: where its files lie.
        gpus: a fake machine for each node.
        accounting: whether it keeps what its jobs came to.
    """

    def __init__(self, folder: Path, gpus: Mapping[str, FakeNvml], *, accounting: bool = False) -> None:
        self.folder, self.gpus, self.accounting = folder, gpus, accounting
        self._controller_port, self._database_port, self._accounts_port, *self._node_ports = free_ports(3 + len(NODES))
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("controller", *NODES):
            (folder / name).mkdir()
        self._munge = folder / "munge"
        self._munge.mkdir(mode=0o755)
        assert len(os.fsencode(self._socket)) < _SOCKET_BYTES, self._socket
        (self._munge / "key").write_bytes(secrets.token_bytes(128))
        (self._munge / "key").chmod(0o400)
        self._write()

    def environment(self) -> dict[str, str]:
        """Variables with which Slurm's commands talk to this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _PATH}

    def ask(self, *command: str) -> str:
        """Output of one of Slurm's commands; empty where it fails."""
        done = subprocess.run(command, env={**os.environ, **self.environment()}, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def start(self) -> None:
        """Start all daemons, and wait until both nodes are idle."""
        names = {"socket": self._socket, "key-file": self._munge / "key", "pid-file": self._munge / "pid"}
        files = {**names, "log-file": self._munge / "log", "seed-file": self._munge / "seed"}
        words = [f"--{name}={path}" for name, path in files.items()]
        self._run("munged", "munged", "--foreground", "--force", "--num-threads=2", *words)
        self.until(self._socket.exists, "munged")
        if self.accounting:
            self._start_accounting()
        self._run("controller", "slurmctld", "-D", "-i")
        for node in NODES:
            self.start_node(node)
        self.until(lambda: self.ask("sinfo", "-h", "-o", "%D %T").split() == [str(len(NODES)), "idle"], "idle nodes")

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._run(node, "slurmd", "-D", "-N", node)

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon with SIGKILL, and all that runs on it: what a machine does that loses its power."""
        self._daemons[node].kill()
        self._daemons[node].wait()
        for process in self.processes(node):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self, node: str | None = None) -> list[psutil.Process]:
        """Processes of the cluster's jobs: of one node, or of all."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                variables = process.environ()
                ours = variables.get("SLURM_CONF") == str(self.folder / "slurm.conf") and process.pid != os.getpid()
                if ours and "SLURM_JOB_ID" in variables and node in (None, variables.get("SLURMD_NODENAME")):
                    found.append(process)
        return found

    def stop(self) -> None:
        """End everything."""
        if "controller" in self._daemons:
            self.ask("scancel", "--full", f"--user={os.getuid()}")
            with contextlib.suppress(AssertionError):
                self.until(lambda: not self.ask("squeue", "-h"), "an empty queue")
        for name in reversed(self._daemons):
            self._daemons[name].terminate()
        for daemon in self._daemons.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(PATIENCE_S)
            daemon.kill()
            daemon.wait()
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def told(self) -> str:
        """What the daemons told, for the message of a failed assertion."""
        files = [*self.folder.glob("*.out"), *self.folder.glob("*.log")]
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in files)

    def _start_accounting(self) -> None:
        data, local = self.folder / "database", self.folder / "sql"
        user = pwd.getpwuid(os.getuid()).pw_name
        words = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
        install = ["mariadb-install-db", *words, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, capture_output=True, check=True)
        words += [f"--socket={local}", f"--port={self._database_port}", "--bind-address=127.0.0.1"]
        self._run("database", "mariadbd", *words, "--innodb-buffer-pool-size=32M")
        grants = "; ".join(
            f"CREATE USER IF NOT EXISTS slurm@'{host}' IDENTIFIED BY 'slurm'; GRANT ALL ON slurm.* TO slurm@'{host}'"
            for host in ("127.0.0.1", "localhost")
        )
        client = ["mariadb", "--no-defaults", f"--socket={local}", "--user=root", "-e", grants]
        self.until(lambda: subprocess.run(client, capture_output=True).returncode == 0, "the database")
        self._run("accounts", "slurmdbd", "-D")
        self.until(lambda: self.ask("sacctmgr", "--immediate", "add", "cluster", _NAME), "accounting")

    @property
    def _socket(self) -> Path:
        return self._munge / "socket"

    def _run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            program = shutil.which(command[0], path=_PATH)
            assert program is not None
            self._daemons[name] = subprocess.Popen(
                [program, *command[1:]],
                env={**os.environ, **self.environment()},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is so; fails where a daemon has ended, or it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            gone = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            assert not gone, f"{gone} ended: {self.told()}"
            assert time.monotonic() < deadline, f"{what} did not come: {self.told()}"
            time.sleep(0.1)

    def _write(self) -> None:
        user, here = pwd.getpwuid(os.getuid()).pw_name, self.folder
        lines = [
            f"ClusterName={_NAME}",
            "SlurmctldHost=localhost",
            f"SlurmUser={user}",
            f"SlurmdUser={user}",
            f"SlurmctldPort={self._controller_port}",
            "AuthType=auth/munge",
            # A job that is put back into the queue waits until its credential has expired; a job that a busy machine
            # does not launch before is lost.
            f"AuthInfo=socket={self._socket},cred_expire=20",
            f"StateSaveLocation={here}/controller",
            f"SlurmdSpoolDir={here}/%n",
            f"SlurmctldPidFile={here}/controller.pid",
            f"SlurmdPidFile={here}/%n.pid",
            f"SlurmctldLogFile={here}/controller.log",
            f"SlurmdLogFile={here}/%n.log",
            f"TaskProlog={here}/prolog",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "SchedulerType=sched/builtin",
            "SchedulerParameters=batch_sched_delay=0,sched_interval=1",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core",
            "PreemptType=preempt/partition_prio",
            "PreemptMode=REQUEUE",
            "JobRequeue=1",
            "ReturnToService=2",
            "SlurmdTimeout=10",
            "KillWait=2",
            "MpiDefault=none",
            "GresTypes=gpu",
        ]
        for node, port in zip(NODES, self._node_ports, strict=True):
            lines.append(
                f"NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=1 Gres=gpu:1"
            )
            # The number at the end is what CUDA_VISIBLE_DEVICES calls it.
            (here / f"{node}-gpu0").touch()
        every = ",".join(NODES)
        lines += [
            f"PartitionName=low Nodes={every} Default=YES MaxTime=INFINITE PriorityTier=1",
            f"PartitionName=high Nodes={every} MaxTime=INFINITE PriorityTier=9 PreemptMode=OFF",
        ]
        if self.accounting:
            lines += [
                "AccountingStorageType=accounting_storage/slurmdbd",
                "AccountingStorageHost=localhost",
                f"AccountingStoragePort={self._accounts_port}",
                f"AccountingStoragePass={self._socket}",
                "JobAcctGatherType=jobacct_gather/linux",
            ]
            accounts = [
                "AuthType=auth/munge",
                f"AuthInfo={self._socket}",
                "DbdHost=localhost",
                f"DbdPort={self._accounts_port}",
                f"SlurmUser={user}",
                "StorageType=accounting_storage/mysql",
                "StorageHost=127.0.0.1",
                f"StoragePort={self._database_port}",
                "StorageUser=slurm",
                "StoragePass=slurm",
                "StorageLoc=slurm",
                f"PidFile={here}/accounts.pid",
                f"LogFile={here}/accounts.log",
            ]
            (here / "slurmdbd.conf").write_text("".join(f"{line}\n" for line in accounts))
            (here / "slurmdbd.conf").chmod(0o600)
        (here / "slurm.conf").write_text("".join(f"{line}\n" for line in lines))
        (here / "gres.conf").write_text(
            "".join(f"NodeName={node} Name=gpu File={here}/{node}-gpu0\n" for node in NODES)
        )
        # Both nodes are this machine; this is what tells a job their GPUs apart.
        cases = [
            f"{node}) {'; '.join(f'echo export {name}={value}' for name, value in gpu.environment().items())};;"
            for node, gpu in self.gpus.items()
        ]
        (here / "prolog").write_text("#!/bin/sh\ncase $SLURMD_NODENAME in\n" + "\n".join(cases) + "\nesac\n")
        (here / "prolog").chmod(0o755)


@contextlib.contextmanager
def started(*, accounting: bool = False, **gpu: object) -> Iterator[Cluster]:
    """A cluster that is ready, for as long as the block lasts.

    Args:
        accounting: whether it keeps what its jobs came to.
        gpu: settings of both fake GPUs.
    """
    # The path of a socket must be short, and those of tests are not.
    with tempfile.TemporaryDirectory(prefix="slurm-") as made:
        gpus = {}
        for number, node in enumerate(NODES, start=1):
            folder = Path(made) / f"fake-{node}"
            folder.mkdir()
            gpus[node] = FakeNvml(folder, uuid=f"GPU-{number:08x}-0000-4000-8000-{number:012x}", **gpu)
        for last in (False, False, True):
            # A port that was free may be taken before a daemon has it.
            cluster = Cluster(Path(tempfile.mkdtemp(dir=made, prefix="c-")), gpus, accounting=accounting)
            try:
                cluster.start()
                break
            except BaseException as error:
                cluster.stop()
                if last or not isinstance(error, AssertionError):
                    raise
        try:
            yield cluster
        finally:
            cluster.stop()
