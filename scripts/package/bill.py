"""The SBOM of an install without extras: CycloneDX 1.6, the same for the same packages at the same commit."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from scripts.package.building import epoch_s
from scripts.package.contents import names
from scripts.package.installing import Environment

VERSION: Final = "1.6"
Bill = dict[str, Any]


def bill(environment: Environment, wheel: Path) -> Bill:
    """What is in an environment, with scorekit as what the rest is there for.

    Raises:
        RuntimeError: it cannot be told, with what was said.
    """
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--short-PURLs", "--sv", VERSION, "--of", "JSON"]
    done = subprocess.run(
        [*command, "--output-reproducible", "--no-validate", "-o", "-", str(environment.python)],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch_s()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"cyclonedx-py failed:\n{done.stderr[-4000:]}")
    found: Bill = json.loads(done.stdout)
    hashes = {_plain(name): value for name, value in environment.sha256.items()}
    hashes["scorekit"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for component in found["components"]:
        sha256 = hashes.get(_plain(component["name"]))
        if sha256 is not None:
            component["hashes"] = [{"alg": "SHA-256", "content": sha256}]
        # Where pip took a file from is this machine's affair.
        kept = [one for one in component.get("externalReferences", []) if one["type"] != "distribution"]
        component.pop("externalReferences", None)
        if kept:
            component["externalReferences"] = kept
    (ours,) = (one for one in found["components"] if one["name"] == "scorekit")
    found["components"].remove(ours)
    found["metadata"]["component"] = {**ours, "type": "application"}
    found["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(found, sort_keys=True))}"
    return found


def text(found: Bill) -> str:
    """It as a file."""
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


def unlicensed(found: Bill) -> list[str]:
    """The components that tell no licence."""
    everything = [found["metadata"]["component"], *found["components"]]
    return [f"{one['name']} {one['version']}" for one in everything if not one.get("licenses")]


def judge(found: Bill, environment: Environment, places: list[Path]) -> Iterator[str]:
    """What is wrong with an SBOM.

    Args:
        found: it.
        environment: what it tells of.
        places: folders of this machine, which it may not name.
    """
    written = text(found)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(written)
    if wrong is not None:
        yield f"the SBOM is not CycloneDX {VERSION}: {str(wrong)[:2000]}"
    named = {(_plain(one["name"]), one["version"]) for one in [found["metadata"]["component"], *found["components"]]}
    installed = {(_plain(name), version) for name, version in environment.packages.items()}
    yield from (f"the SBOM lacks {name} {version}" for name, version in sorted(installed - named))
    yield from (f"the SBOM has {name} {version}, which is not installed" for name, version in sorted(named - installed))
    yield from (f"in the SBOM {one['name']} has no hash" for one in found["components"] if not one.get("hashes"))
    yield from (
        f"the SBOM names {place}, a folder of this machine" for place in places if names(written.encode(), place)
    )
    ours = found["metadata"]["component"]["bom-ref"]
    if not any(one["ref"] == ours and one.get("dependsOn") for one in found["dependencies"]):
        yield "the SBOM does not tell what scorekit depends on"


def _plain(name: str) -> str:
    """A distribution's name in the one spelling that tells it from others."""
    return name.lower().replace("_", "-").replace(".", "-")
