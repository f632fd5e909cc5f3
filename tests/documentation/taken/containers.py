"""Engines of containers, Kubernetes and Slurm: what is named is in the repository, each option one that pages use."""

from __future__ import annotations

from typing import Final

import yaml

from scorekit.container import asked
from tests.documentation.lines import Program
from tests.documentation.pages import ROOT
from tests.documentation.taken import own
from tests.documentation.taken.wrong import Bench, Words, WrongCommandError, exists, extras, options, refuse_unless

_RUN: Final = dict.fromkeys(("--rm", "--init"), 0) | dict.fromkeys(
    ("--gpus", "--shm-size", "--user", "-v", "-e", "-p", "--network"), 1
)
_BUILD: Final = {"-t": 1, "--build-arg": 1}
_COMPOSE: Final = dict.fromkeys(("-d", "--build", "--rm"), 0)
_KUBECTL: Final = {"-f": 1, "--force": 0, "--from-file": 1}


def docker(program: Program, bench: Bench) -> None:
    """`docker build`, `docker run`, `docker compose` and its network, with what stands after the image's name."""
    command, *words = program.words
    if command == "build":
        given, rest = options(words, _BUILD)
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        for argument in given.get("--build-arg", []):
            name, _, value = argument.partition("=")
            refuse_unless(f"\nARG {name}=" in f"\n{text}", f"the Dockerfile has no {name}")
            if name == "EXTRAS":
                extras(value)
        refuse_unless(rest in (["."], ["-"]), "docker build takes the checkout, or a Dockerfile on its input")
    elif command == "run":
        _, (image, *arguments) = options(words, _RUN, first=True)
        refuse_unless(image.startswith("energy_star"), f"{image} is none of the images that pages build")
        own.words(asked.understand(arguments).words, bench)
    elif command == "compose":
        _compose(words, bench)
    elif command == "network":
        name = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["name"]
        _, rest = options(words, {"--format": 1})
        refuse_unless(rest == ["inspect", f"{name}_default"], f"docker network {rest}")
    else:
        raise WrongCommandError(f"docker {command}")


def _compose(words: Words, bench: Bench) -> None:
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    given, (command, *rest) = options(words, {"--profile": 1}, first=True)
    profiles = {profile for service in told["services"].values() for profile in service.get("profiles", ())}
    refuse_unless(set(given.get("--profile", [])) <= profiles, "no such profile")
    _, arguments = options(rest, _COMPOSE, first=True)
    if command == "run":
        service, *line = arguments
        refuse_unless(service in told["services"], f"no service {service}")
        own.words(line, bench)
    else:
        refuse_unless(command in ("up", "down") and not arguments, f"docker compose {command} {arguments}")


def kubectl(program: Program, _bench: Bench) -> None:
    """`kubectl`: manifests are there, and what they are asked about is in them."""
    command, *words = program.words
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml")]
    if command == "logs":
        _, names = options(words, {"-f": 0})
        there = {
            f"{one['kind']}/{one['metadata']['name']}".lower() for text in texts for one in yaml.safe_load_all(text)
        }
        refuse_unless(set(names) <= there, f"deploy/kubernetes has no {names}")
    elif command in ("apply", "replace"):
        for file in options(words, _KUBECTL)[0]["-f"]:
            exists(file)
    elif command == "create":
        _, (kind, *rest) = options(words, _KUBECTL)
        refuse_unless(kind in ("secret", "configmap"), f"kubectl create {kind}")
        refuse_unless(any(f"name: {rest[-1]}" in text for text in texts), f"no manifest uses {rest[-1]}")
    else:
        raise WrongCommandError(f"kubectl {command}")


def apptainer(program: Program, bench: Bench) -> None:
    """`apptainer build` and `apptainer run`."""
    command, *words = program.words
    if command == "run":
        _, (_image, *arguments) = options(words, {"--nv": 0, "--bind": 1, "--pwd": 1}, first=True)
        own.words(asked.understand(arguments).words, bench)
    else:
        refuse_unless(command == "build" and len(words) == 2, f"apptainer {command}")


def srun(program: Program, bench: Bench) -> None:
    """`srun ... apptainer run ...`."""
    _, (name, *words) = options(program.words, {"--gres": 1}, first=True)
    refuse_unless(name == "apptainer", f"srun {name}")
    apptainer(Program(name, tuple(words)), bench)
