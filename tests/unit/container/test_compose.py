"""compose.yaml and the Dockerfile: by their formats' rules, and asking of scorekit only what there is."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scorekit.cli import EXTRAS, VERBS
from scorekit.container.start import SECRETS

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name in SERVICES if name != "database"]
ANSWERS = {
    "SCOREKIT_NAME": "Ada Lovelace",
    "SCOREKIT_CLAUSES": "--accept-public-data --accept-integrity",
    "SCOREKIT_TRUSTED_PROXY": "172.18.0.1",
}


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def words(command: str | list[str]) -> list[str]:
    """A command as Compose runs it, with the variables that somebody set."""

    def interpolated(text: str) -> str:
        return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: ANSWERS.get(found[1], found[2]), text)

    return shlex.split(interpolated(command)) if isinstance(command, str) else [interpolated(word) for word in command]


def test_compose_yaml_is_what_the_specification_says() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_has_nothing_that_hadolint_warns_of() -> None:
    done = tool("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_scorekit_has(name: str) -> None:
    verb, *arguments = words(SERVICES[name]["command"])
    assert verb in VERBS
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"scorekit.commands.{verb}").add_arguments(parser)
    options = parser.parse_args(arguments)
    if verb == "worker":
        assert options.name == ANSWERS["SCOREKIT_NAME"]
    elif name == "portal":
        assert options.trusted_proxy == [ANSWERS["SCOREKIT_TRUSTED_PROXY"]]


@pytest.mark.parametrize("name", OURS)
def test_ours_run_as_a_plain_user_who_can_gain_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "${SCOREKIT_UID:-1000}:${SCOREKIT_GID:-1000}"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_secrets_come_from_files_alone() -> None:
    assert {entry["file"] for entry in COMPOSE["secrets"].values()} == {
        f"secrets/{name}" for name in COMPOSE["secrets"]
    }
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if key.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
                assert key == "POSTGRES_PASSWORD_FILE" or key.removesuffix("_FILE") in SECRETS
            else:
                assert not re.search("TOKEN|SECRET|PASSWORD|DATABASE", key) or value is None
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_images_that_are_not_built_here_have_a_tag() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"(?m)^ARG BASE=(.+)$", dockerfile)
    names = [base, SERVICES["database"]["image"], SERVICES["portal"]["build"]["args"]["BASE"]]
    assert all(re.fullmatch(r"docker\.io/[\w/]+:[\w.-]+(@sha256:[0-9a-f]{64})?", name) for name in names)
    assert all("build" in SERVICES[name] for name in OURS)


def test_the_images_have_extras_that_there_are() -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (default,) = re.findall(r"(?m)^ARG EXTRAS=(.+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert set(default.split(",")) <= set(known)
    assert set(SERVICES["portal"]["build"]["args"]["EXTRAS"].split(",")) <= set(known)
    # Every command can be reached: what an extra brings is in the image, or in one that it asks for.
    brought = {extra for extra in known if extra in default.split(",")} | {"publish"}
    assert "scorekit[publish]" in known["portal"]
    assert {command.extra for command in VERBS.values() if command.extra} <= brought
    assert set(EXTRAS) <= brought


def test_the_entrypoint_is_in_exec_form_and_ends_with_our_module() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (entrypoint,) = re.findall(r"(?m)^ENTRYPOINT (\[.*\])$", dockerfile)
    assert yaml.safe_load(entrypoint)[-2:] == ["-m", "scorekit.container"]
    assert "HEALTHCHECK" not in dockerfile
    assert re.findall(r"(?m)^USER (.+)$", dockerfile) == ["1000:1000"]


def test_the_build_is_given_what_it_reads_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert kept == {"LICENSE", "NOTICE", "README.md", "configs", "constraints.txt", "pyproject.toml", "src"}
    assert all((ROOT / name).exists() for name in kept)
