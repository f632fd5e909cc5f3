"""deploy/systemd: the portal's script gives every command the portal's environment, and the service starts by it."""

from __future__ import annotations

import argparse
import configparser
import shlex
import subprocess
from pathlib import Path

from scorekit.commands import portal

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SCRIPT = (FOLDER / "scorekit-portal").read_text(encoding="utf-8")


def test_the_script_hands_on_variables_and_words(tmp_path: Path) -> None:
    program = tmp_path / "scorekit"
    program.write_text('#!/bin/sh\necho "$SCOREKIT_PORTAL_DATABASE"\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    variables = tmp_path / "portal.env"
    variables.write_text('SCOREKIT_PORTAL_DATABASE="postgresql://a:b@localhost/c"\n', encoding="utf-8")
    text = SCRIPT.replace("/opt/scorekit/bin/scorekit", str(program))
    text = text.replace("/etc/scorekit/portal.env", str(variables))
    assert text.count(str(tmp_path)) == 2
    done = subprocess.run(
        ["sh", "-c", text, "scorekit-portal", "token", "make", "--name", "Grace Hopper"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "postgresql://a:b@localhost/c", "portal", "token", "make", "--name", "Grace Hopper",
    ]  # fmt: skip


def test_the_service_starts_what_scorekit_takes() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string((FOLDER / "scorekit-portal.service").read_text(encoding="utf-8").replace("\\\n", ""))
    script, *words = shlex.split(unit["Service"]["ExecStart"])
    assert script == "/usr/local/bin/scorekit-portal"
    parser = argparse.ArgumentParser(exit_on_error=False)
    portal.add_arguments(parser)
    options = parser.parse_args(words)
    assert str(options.data) == unit["Service"]["ReadWritePaths"] == "/var/lib/scorekit"
    assert unit["Service"]["User"] == "scorekit"
