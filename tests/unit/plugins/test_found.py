"""What a distribution beside scorekit brings is found by entry points, and told where it cannot be used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli, doctor, plugins, scales, tasks
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import PluginError, UsageError
from scorekit.logs import formats
from scorekit.measuring import meters
from scorekit.rating import rate_scores
from tests import plugin
from tests.bundles import official_score
from tests.unit.plugins.conftest import EXAMPLE, PAGE

BROKEN = {
    "gone": ("no_such_module_at_all:THING", "cannot be loaded from no_such_module_at_all:THING: ModuleNotFoundError"),
    "exits": ("odd_j:THING", "cannot be loaded from odd_j:THING: SystemExit: bye"),
    "number": ("odd_k:NUMBER", "(odd_k:NUMBER) is refused: expected a scorekit.scales.Rule, found a int"),
    "renamed": ("odd_k:RULE", "is refused: it calls itself 'other', expected the name of its entry point"),
    "Capital": ("odd_k:RULE", "has no name that can be used: expected small letters, digits and underscores"),
    "log_width": ("odd_k:RULE", "has a name of scorekit's own, which stays scorekit's"),
    "twice": ("odd_k:RULE", "is brought twice, and neither is taken"),
}
SOURCES = {
    "odd_j": "raise SystemExit('bye')",
    "odd_k": "from scorekit.scales import Rule\nNUMBER = 1\nRULE = Rule('other', 'x', True, lambda rising: rising)\n",
}


def test_the_page_walks_the_code_of_the_example() -> None:
    blocks = re.findall(r"`(examples/[^`]*)`:\n\n```\w+\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    root = plugin.EXAMPLE.parents[1]
    walked = dict(blocks)
    assert walked == {name: (root / name).read_text(encoding="utf-8") for name in walked}
    modules = {path.name for path in (plugin.EXAMPLE / "src" / plugin.PACKAGE).glob("*.py")}
    assert {Path(name).name for name in walked} == (modules - {"__init__.py"}) | {"pyproject.toml"}


def test_names_are_known_before_anything_is_imported(example: None) -> None:
    found = [registry.plugin_names() for registry in _registries()]
    assert found == [["code_completion"], ["gpu_tally"], ["cpu_time"], ["root_width"]]
    assert {str(registry.origin(name)) for registry, (name,) in zip(_registries(), found, strict=True)} == {EXAMPLE}
    assert meters.REGISTRY.find("codecarbon") is not None
    assert scales.find_any_rule("log_width").brought_by is None
    assert plugin.imported() == set()


def _registries() -> tuple[plugins.Registry[Any], ...]:
    return (tasks.REGISTRY, formats.REGISTRY, meters.REGISTRY, scales.REGISTRY)


def test_doctor_and_tasks_list_what_plugins_bring(example: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = doctor.find_plugins()
    assert [(one.kind, one.name, one.problem) for one in found] == [
        ("task", "code_completion", None),
        ("log reader", "gpu_tally", None),
        ("meter", "cpu_time", None),
        ("rating rule", "root_width", None),
    ]
    assert {f"{one.distribution} {one.version}" for one in found} == {EXAMPLE}
    assert cli.main(["tasks"]) == 0
    assert EXAMPLE in capsys.readouterr().out
    assert cli.main(["tasks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [*tasks.TASKS, "code_completion"]
    assert (rows[-1]["cohort"], rows[-1]["brought_by"]) == ("code_completion", EXAMPLE)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, tuple[str, str]]:
    points = {name: value for name, (value, _) in BROKEN.items()}
    plugin.install(tmp_path / "one", monkeypatch, "one", {"scorekit.rating_rules": points}, SOURCES)
    plugin.install(tmp_path / "two", monkeypatch, "two", {"scorekit.rating_rules": {"twice": "odd_k:RULE"}})
    return BROKEN


def test_the_doctor_tells_what_is_wrong_with_each(broken: Mapping[str, tuple[str, str]]) -> None:
    found = doctor.find_plugins()
    assert sorted(one.name for one in found) == sorted([*broken, "twice"])
    for one in found:
        assert one.problem is not None
        assert broken[one.name][1] in one.problem
        assert f"'{one.name}' of " in one.problem
        assert "pip uninstall" in (one.mend or "")
    (shared, _) = [one for one in found if one.name == "twice"]
    assert "of two 0.1.0 and one 0.1.0" in (shared.problem or "")


def test_what_is_broken_fails_by_its_own_name_alone(broken: Mapping[str, tuple[str, str]]) -> None:
    assert scales.find_any_rule("log_width") is scales.RULES["log_width"]
    assert [one.stars for one in rate_scores([official_score()], FEBRUARY_2025)] != [None]
    with pytest.raises(PluginError, match="cannot be loaded"):
        scales.find_any_rule("gone")
    with pytest.raises(UsageError, match=r"there is no rule 'gon'; valid: .*, gone"):
        scales.find_any_rule("gon")


def test_everything_of_a_kind_leaves_the_broken_out_and_tells_once(
    broken: Mapping[str, tuple[str, str]], example: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [rule.name for rule in scales.REGISTRY.plugins()] == ["root_width"]
    assert [rule.name for rule in scales.REGISTRY.plugins()] == ["root_width"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(broken)
    assert all(re.fullmatch(r"warning: the rating rule '\w+' of .*; mend: .*", line) for line in lines)


def test_one_unreadable_distribution_hides_no_other(
    example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = plugin.install(tmp_path / "bad", monkeypatch, "bad", {})
    (info / "entry_points.txt").write_bytes(b"[scorekit.meters]\n\xff\xfe = x:y\n")
    assert meters.REGISTRY.plugin_names() == ["cpu_time"]
    assert "warning: the entry points of bad cannot be read: UnicodeDecodeError" in capsys.readouterr().err
