"""CITATION.cff is one, and says what pyproject.toml and CHANGELOG.md say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import jsonschema
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from scorekit import __version__

ROOT = Path(__file__).parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_it_is_valid() -> None:
    schema = get_builtin_schema("vendor.citation-file-format")
    # A date is read as one, and the schema wants its text.
    told = {key: str(value) if key == "date-released" else value for key, value in CITATION.items()}
    jsonschema.Draft7Validator(schema).validate(told)
    assert CITATION["cff-version"] == "1.2.0"


def test_version_licence_and_keywords_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CITATION["version"] == __version__
    # That of the work; the font's comes with it, and a list would say that either is enough.
    assert f"{CITATION['license']} AND OFL-1.1" == project["license"]
    assert set(project["keywords"]) <= set(CITATION["keywords"])


def test_the_date_is_that_of_the_release() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = dict(re.findall(r"(?m)^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", changes))
    # A version that is not out yet has no date.
    assert str(CITATION.get("date-released")) == released.get(__version__, "None")
