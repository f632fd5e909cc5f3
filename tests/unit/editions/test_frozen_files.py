"""Files of frozen editions: any change is found, what is no edition is refused, and the first version is still read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit import editions
from scorekit.editions.files import content_sha256
from scorekit.errors import InputError
from tests.edition_members import asr, draft, frozen


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (("members", 0, "wh_per_1000_queries"), 1.5),
        (("thresholds", 0, "bounds_wh_per_1000", 0), 1.3),
        (("thresholds", 0, "max_wh_per_1000"), 2.5),
        (("rule",), "log_width"),
        (("date",), "2025-03"),
        (("name",), "other"),
        (("content_sha256",), "0" * 64),
    ],
)
def test_any_change_of_a_frozen_file_is_found(tmp_path: Path, field: tuple[str | int, ...], value: object) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    content = json.loads(path.read_text())
    part = content
    for key in field[:-1]:
        part = part[key]
    part[field[-1]] = value
    path.chmod(0o644)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="changed after it was frozen"):
        editions.find("trial", tmp_path)


def test_a_file_laid_out_anew_is_still_what_was_frozen(tmp_path: Path) -> None:
    edition = frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    path.chmod(0o644)
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    assert editions.find("trial", tmp_path) == edition


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ('{"name": "tri', "is not JSON"),
        ("[]", "expected a mapping"),
        ("{}", "is no edition: name"),
        ('{"schema_version": "scorekit.edition/9"}', "schema_version"),
    ],
)
def test_a_file_that_is_no_edition_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "trial.json").write_text(content)
    with pytest.raises(InputError, match=message):
        editions.find("trial", tmp_path)
    (listed,) = [one for one in editions.listed(tmp_path) if one.name == "trial"]
    assert (listed.edition, listed.kind) == (None, "frozen")


def test_stars_are_given_in_no_draft_and_in_no_file_that_is_no_edition(tmp_path: Path) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    editions.write_draft(draft(asr(one=1.0, two=2.0), "next"), tmp_path)
    (tmp_path / "broken.json").write_text("{}")
    told: list[str] = []
    assert [one.name for one in editions.usable(tmp_path, told.append)] == [*editions.EDITIONS, "trial"]
    assert len(told) == 1
    assert told[0].startswith("left out: edition broken: ")
    assert len(editions.usable(tmp_path)) == len(editions.EDITIONS) + 1


def test_a_frozen_file_keeps_its_name_and_its_hash(tmp_path: Path) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    (tmp_path / "other.json").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="holds the edition 'trial'"):
        editions.find("other", tmp_path)
    content = json.loads(path.read_text()) | {"content_sha256": None}
    path.chmod(0o644)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="content_sha256 is missing"):
        editions.find("trial", tmp_path)


def test_content_of_version_1_is_still_read(tmp_path: Path) -> None:
    content = {
        "schema_version": "scorekit.edition/1",
        "name": "old",
        "date": "2024-05",
        "rule": "equal_width",
        "hardware": "NVIDIA H100 80GB",
        "source": "a page",
        "thresholds": [{"cohort": "asr", "model_class": None, "n": 3, "min_wh_per_1000": 1.0, "max_wh_per_1000": 6.0}],
    }
    (tmp_path / "old.json").write_text(json.dumps(content))
    edition = editions.find("old", tmp_path)
    assert editions.scales_of(edition)["asr", None].bounds == (2.0, 3.0, 4.0, 5.0)


def _edited(folder: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> None:
    """A frozen edition that was edited; `sealed` with a hash of its own."""
    frozen(asr(one=1.0, two=2.0, three=4.0), folder)
    path = folder / "trial.json"
    content = json.loads(path.read_text())
    change(content)
    if sealed:
        content["content_sha256"] = content_sha256(content)
    path.chmod(0o644)
    path.write_text(json.dumps(content))


def _as_version_1(content: dict[str, Any]) -> None:
    content["schema_version"] = "scorekit.edition/1"
    content["thresholds"][0]["min_wh_per_1000"] = 0.5


@pytest.mark.parametrize(
    ("gone", "sealed", "why"),
    [
        ((), False, "changed after it was frozen"),
        ((), True, "has content_sha256, members, bounds_wh_per_1000, which that version"),
        (("content_sha256",), False, "has members, bounds_wh_per_1000, which"),
        (("content_sha256", "members"), False, "has bounds_wh_per_1000, which"),
    ],
)
def test_an_older_version_takes_no_hash_off(tmp_path: Path, gone: tuple[str, ...], sealed: bool, why: str) -> None:
    def change(content: dict[str, Any]) -> None:
        _as_version_1(content)
        for name in gone:
            del content[name]

    _edited(tmp_path, change, sealed=sealed)
    with pytest.raises(InputError, match=why):
        editions.find("trial", tmp_path)
    (listed,) = [one for one in editions.listed(tmp_path) if one.name == "trial"]
    assert listed.edition is None


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["thresholds"][0].update(min_wh_per_1000=0.5),
        lambda content: content["thresholds"][0].update(bounds_wh_per_1000=[1.1, 1.2, 1.3, 3.9]),
        lambda content: content["thresholds"][0].update(bounds_wh_per_1000=None),
        lambda content: content["thresholds"][0].update(n=9),
        lambda content: content["thresholds"].append(content["thresholds"][0] | {"cohort": "summarization"}),
        lambda content: content["thresholds"].clear(),
        lambda content: content["members"][0].update(wh_per_1000_queries=0.25),
        lambda content: content.update(rule="log_width"),
    ],
)
def test_bounds_are_those_that_the_rule_makes_of_the_members(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    _edited(tmp_path, change, sealed=True)
    with pytest.raises(InputError, match=r"the thresholds of \w+ are not those that"):
        editions.find("trial", tmp_path)


def test_thresholds_that_stand_twice_or_follow_no_rule_are_refused(tmp_path: Path) -> None:
    _edited(tmp_path / "one", lambda content: content["thresholds"].append(content["thresholds"][0]), sealed=True)
    with pytest.raises(InputError, match="for a cohort twice"):
        editions.find("trial", tmp_path / "one")
    _edited(tmp_path / "two", lambda content: content.update(rule="best"), sealed=True)
    with pytest.raises(InputError, match="the rule 'best', expected one of equal_width"):
        editions.find("trial", tmp_path / "two")
