"""The manifests of deploy/kubernetes: held against Kubernetes' own schemas, and against what scorekit does.

What a schema cannot say is looked at by itself: that the codes of the failure policy are scorekit's, that what a pod is
asked to run is a command that scorekit takes, that what is mounted is there. Of KubeRay's RayJob only the fields that
are used are known here, by name and type (docs/kubernetes.md tells what that leaves open).
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scorekit import errors
from scorekit.commands import sweep

kubernetes_validate = pytest.importorskip("kubernetes_validate")

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.33", "1.37"
"""backoffLimitPerIndex and the policy of failures are stable since 1.33."""

RAY_JOB = {
    "entrypoint": str, "submissionMode": str, "backoffLimit": int, "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int, "rayClusterSpec": dict,
}  # fmt: skip
RAY_CLUSTER = {"rayVersion": str, "headGroupSpec": dict, "workerGroupSpecs": list}
RAY_HEAD = {"rayStartParams": dict, "template": dict}
RAY_GROUP = {
    **RAY_HEAD, "groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int,
}  # fmt: skip


def documents() -> list[Any]:
    return [
        pytest.param(document, id=f"{path.stem}-{document['kind']}")
        for path in sorted(FOLDER.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def lint(document: dict[str, Any], versions: tuple[str, ...] = (OLDEST, NEWEST)) -> None:
    """Raise AssertionError, or what the schema raises, where a manifest is wrong."""
    if document["apiVersion"].startswith("ray.io/"):
        check_ray_job(document)
    else:
        for version in versions:
            kubernetes_validate.validate(document, version, strict=True)
    for pod in pods(document):
        check_pod(pod)
    if document["spec"].get("completionMode") == "Indexed":
        check_indexed(document["spec"])


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Specifications of the pods of a manifest."""
    spec = document["spec"]
    cluster = spec.get("rayClusterSpec")
    for owner in [spec] if cluster is None else [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
        if "template" in owner:
            yield owner["template"]["spec"]


def check_ray_job(document: dict[str, Any]) -> None:
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayJob")
    cluster = document["spec"]["rayClusterSpec"]
    groups = [(cluster["headGroupSpec"], RAY_HEAD), *((group, RAY_GROUP) for group in cluster["workerGroupSpecs"])]
    for found, known in [(document["spec"], RAY_JOB), (cluster, RAY_CLUSTER), *groups]:
        for name, value in found.items():
            assert name in known, f"{name} is no field of a RayJob that is known here"
            assert isinstance(value, known[name]), name
    for group, _ in groups:
        # An anchor of YAML may be shared by two pods: each is looked at as it is.
        assert all(isinstance(value, str) for value in group["rayStartParams"].values()), "words of a command line"
        # Its pods are of Kubernetes, whose schema is known.
        pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": group["template"]}
        kubernetes_validate.validate(pod, NEWEST, strict=True)


def check_pod(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        mounts = container["volumeMounts"]
        assert {mount["name"] for mount in mounts} <= volumes, "what is mounted is there"
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert not container["image"].endswith(":latest")
        if "nvidia.com/gpu" in container["resources"]["limits"]:
            shm = next(mount["name"] for mount in mounts if mount["mountPath"] == "/dev/shm")
            (volume,) = [each for each in pod["volumes"] if each["name"] == shm]
            assert volume["emptyDir"]["medium"] == "Memory"
        for variable in container.get("env", []):
            assert "TOKEN" not in variable["name"] or "secretKeyRef" in variable.get("valueFrom", {})
        if "args" in container:
            told = {variable["name"] for variable in container.get("env", [])}
            assert set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))) <= told
            takes(container["args"])


def takes(words: list[str]) -> argparse.Namespace:
    """Refuse what scorekit's command line refuses."""
    parser = argparse.ArgumentParser(exit_on_error=True)
    sweep.add_arguments(parser)
    assert words[0] == "sweep"
    return parser.parse_args([re.sub(r"\$\(\w+\)", "0", word) for word in words[1:]])


def check_indexed(spec: dict[str, Any]) -> None:
    names = {container["name"] for container in spec["template"]["spec"]["containers"]}
    assert spec["template"]["spec"]["restartPolicy"] == "Never", "a policy of failures asks for it"
    assert spec["maxFailedIndexes"] <= spec["completions"]
    action: dict[int, str] = {}
    for rule in spec["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes is not None:
            assert codes["containerName"] in names
            assert codes["values"] == sorted(set(codes["values"])), "Kubernetes wants them in order"
            action.update({code: rule["action"] for code in codes["values"] if code not in action})
    ignored = {errors.EXIT_BUSY, errors.EXIT_INTERRUPTED, errors.EXIT_TERMINATED}
    hopeless = {errors.EXIT_USAGE, errors.EXIT_INVALID, errors.EXIT_LASTING}
    assert action == {**dict.fromkeys(ignored, "Ignore"), **dict.fromkeys(hopeless, "FailIndex")}


@pytest.mark.parametrize("document", documents())
def test_a_manifest_is_right(document: dict[str, Any]) -> None:
    lint(document)


def test_there_is_a_manifest_of_every_kind() -> None:
    kinds = [parameter.values[0]["kind"] for parameter in documents()]
    assert sorted(set(kinds)) == ["Job", "PersistentVolumeClaim", "RayJob"]


def one(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
RULE = ("spec", "podFailurePolicy", "rules")
GROUP = ("spec", "rayClusterSpec", "workerGroupSpecs", 0)
GONE = object()

BREAKS: list[tuple[str, str, tuple[str | int, ...], Any]] = [
    ("a field that is not there", "measure.yaml", ("spec", "backoffLimitPerIndexes"), 2),
    ("a word for a number", "measure.yaml", ("spec", "completions"), "many"),
    ("a rule without an action", "measure.yaml", (*RULE, 1, "action"), GONE),
    ("a container of another name", "measure.yaml", (*CONTAINER, "name"), "other"),
    ("a volume that nobody has", "measure.yaml", (*POD, "volumes", 2), GONE),
    ("a pod of root", "plan.yaml", (*POD, "securityContext", "runAsNonRoot"), False),
    ("an option that is not scorekit's", "measure.yaml", (*CONTAINER, "args", 1), "--index=3"),
    ("an index that nobody tells", "measure.yaml", (*CONTAINER, "env", 0), GONE),
    ("a token in the open", "measure.yaml", (*CONTAINER, "env", 0), {"name": "HF_TOKEN", "value": "hf_x"}),
    ("a code that is tried again", "measure.yaml", (*RULE, 2, "onExitCodes", "values"), [2, 3]),
    ("a field of no RayJob", "rayjob.yaml", ("spec", "retries"), 3),
    ("a number among Ray's words", "rayjob.yaml", (*GROUP, "rayStartParams", "num-gpus"), 0),
    ("a worker's pod that is none", "rayjob.yaml", (*GROUP, "template", "spec", "containers", 0, "image"), GONE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value"), [pytest.param(*rest, id=told) for told, *rest in BREAKS])
def test_a_manifest_that_is_broken_is_found(name: str, path: tuple[str | int, ...], value: Any) -> None:
    broken = one(name)
    place: Any = broken
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises((AssertionError, KeyError, kubernetes_validate.ValidationError, SystemExit)):
        lint(broken, (NEWEST,))


def test_ray_runs_a_command_that_scorekit_takes() -> None:
    words = shlex.split(one("rayjob.yaml")["spec"]["entrypoint"])
    assert words[0] == "scorekit"
    options = takes(words[1:])
    assert options.launcher == "ray"
    assert "hydra.launcher.address=auto" in options.hydra


def test_the_cluster_s_ray_is_the_one_that_is_tested() -> None:
    pinned = (FOLDER.parents[1] / "constraints.txt").read_text(encoding="utf-8")
    assert f"\nray=={one('rayjob.yaml')['spec']['rayClusterSpec']['rayVersion']}\n" in pinned
